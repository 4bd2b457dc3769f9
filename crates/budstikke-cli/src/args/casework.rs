//! The command line of consent, guarded acts, alerts and the line to the Ministry.
//!
//! Texts come from files or standard input; only short codes and times are arguments.

use clap::{Args, Subcommand, ValueEnum};

use super::{Invite, Path, Role, TextIn, TextInOut, TextOut};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Consent {
    #[command(subcommand)]
    pub(crate) step: Option<ConsentStep>,
    pub(crate) id: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum ConsentStep {
    // A defender's.
    Give(InConversation),
    Withdraw(Withdraw),
    // A mission's.
    Ask(Ask),
    Hear(Heard),
    Attest(Heard),
    Enter(InConversation),
    Vouch(Vouch),
    NoteWithdrawal(NoteWithdrawal),
    Suspend(Suspend),
    Reached(Reached),
}

/// A file for a conversation, which may be left out.
#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct InConversation {
    pub(crate) id: Option<String>,
    #[arg(required = true)]
    pub(crate) file: Path,
}

#[derive(Args)]
pub(crate) struct Withdraw {
    pub(crate) id: Option<String>,
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) reason_file: Option<Path>,
}

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Ask {
    pub(crate) id: Option<String>,
    #[arg(required = true)]
    pub(crate) file: Path,
    #[arg(long, value_name = "ACT")]
    pub(crate) act: Option<String>,
}

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Heard {
    pub(crate) id: Option<String>,
    #[arg(required = true)]
    pub(crate) file: Path,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Args)]
pub(crate) struct Vouch {
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub(crate) consent: Option<String>,
}

#[derive(Args)]
pub(crate) struct NoteWithdrawal {
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "ALIAS")]
    pub(crate) person: String,
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) reason_file: Option<Path>,
}

#[derive(Args)]
pub(crate) struct Suspend {
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "ALIAS")]
    pub(crate) person: String,
    #[arg(long, value_enum)]
    pub(crate) cause: Cause,
    #[arg(long, value_name = "HOURS", default_value_t = 0)]
    pub(crate) hours_ago: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cause {
    DeviceCompromised,
    Duress,
    WithdrawalUnconfirmed,
}

#[derive(Args)]
pub(crate) struct Reached {
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "ALIAS")]
    pub(crate) person: String,
}

#[derive(Subcommand)]
pub(crate) enum Case {
    File(super::OneConversation),
    Add(InConversation),
    Check(InConversation),
    Risk(InConversation),
    Facts(InConversation),
    Share(Share),
}

#[derive(Args)]
pub(crate) struct Share {
    pub(crate) id: Option<String>,
    #[arg(long = "person", value_name = "ALIAS")]
    pub(crate) persons: Vec<String>,
    #[arg(long, value_enum, default_value_t = Level::Alias)]
    pub(crate) level: Level,
    #[arg(long, value_name = "FILE")]
    pub(crate) leave_out: Option<Path>,
    #[arg(long, value_name = "FILE")]
    pub(crate) assessment: Option<Path>,
    #[arg(long, value_name = "FILE")]
    pub(crate) ask: Option<Path>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Alias,
    Organisation,
    Name,
}

#[derive(Subcommand)]
pub(crate) enum Act {
    Plan(InConversation),
    Show(OneAct),
    Edit(ActFile),
    Clear(OneAct),
    Submit(Submit),
    Condition(Condition),
    Schedule(Schedule),
    Done(ActNote),
    Effect(ActFile),
    Inform(Inform),
    Close(OneAct),
    Cancel(ActNote),
    Resume(OneAct),
    Override(Override),
}

#[derive(Args)]
pub(crate) struct OneAct {
    pub(crate) act: Option<String>,
}

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct ActFile {
    pub(crate) act: Option<String>,
    #[arg(required = true)]
    pub(crate) file: Path,
}

#[derive(Args)]
pub(crate) struct ActNote {
    pub(crate) act: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) note: Option<Path>,
}

#[derive(Args)]
pub(crate) struct Submit {
    pub(crate) act: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) note: Option<Path>,
    #[arg(long, value_name = "TIME")]
    pub(crate) decide_by: Option<String>,
}

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Condition {
    pub(crate) act: Option<String>,
    #[arg(required = true)]
    pub(crate) number: u32,
    #[arg(long, value_name = "FILE")]
    pub(crate) note: Option<Path>,
}

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Schedule {
    pub(crate) act: Option<String>,
    #[arg(required = true)]
    pub(crate) time: String,
}

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Inform {
    pub(crate) act: Option<String>,
    #[arg(required = true)]
    pub(crate) file: Path,
    #[arg(long)]
    pub(crate) nothing_done: bool,
    #[arg(long, value_name = "FILE")]
    pub(crate) then: Option<Path>,
    #[arg(long, value_name = "FILE")]
    pub(crate) cannot_be_undone: Option<Path>,
    #[arg(long, value_enum)]
    pub(crate) family: Family,
    #[arg(long, value_name = "FILE", required_if_eq("family", "not-told"))]
    pub(crate) why_not_told: Option<Path>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Family {
    Told,
    NotTold,
    NotByWish,
}

#[derive(Args)]
pub(crate) struct Override {
    pub(crate) act: Option<String>,
    #[arg(long, value_name = "CODE")]
    pub(crate) code: String,
    #[arg(long, value_name = "FILE")]
    pub(crate) reasons: Path,
}

#[derive(Subcommand)]
pub(crate) enum Alert {
    Raise(InConversation),
    List,
    Show(OneAlert),
    Ack(Ack),
    Cancel(AlertCancel),
}

#[derive(Args)]
pub(crate) struct OneAlert {
    pub(crate) alert: Option<String>,
}

#[derive(Args)]
pub(crate) struct Ack {
    pub(crate) alert: Option<String>,
    #[command(flatten)]
    pub(crate) kind: AckKind,
    #[arg(long, value_name = "TIME", required_if_eq_any([("mine", "true"), ("in_hand", "true")]))]
    pub(crate) next_word: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) note: Option<Path>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
#[allow(clippy::struct_excessive_bools, reason = "four flags of which clap takes exactly one")]
pub(crate) struct AckKind {
    #[arg(long)]
    pub(crate) mine: bool,
    #[arg(long)]
    pub(crate) in_hand: bool,
    #[arg(long)]
    pub(crate) done: bool,
    #[arg(long)]
    pub(crate) not_mine: bool,
}

#[derive(Args)]
pub(crate) struct AlertCancel {
    pub(crate) alert: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) reasons: Path,
}

#[derive(Subcommand)]
pub(crate) enum Line {
    Open(LineOpen),
    Renew(super::OneConversation),
}

#[derive(Args)]
pub(crate) struct LineOpen {
    pub(crate) invitation: Path,
    pub(crate) id: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Handover {
    Start(HandoverStart),
    Own(HandoverOwn),
    Tell(HandoverTell),
    Offer,
    Accept(OneHandover),
    Finish,
    Show(HandoverShow),
    Ask(HandoverAsk),
    Open(HandoverOpen),
}

#[derive(Args)]
pub(crate) struct HandoverAsk {
    pub(crate) officer: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Args)]
pub(crate) struct HandoverOpen {
    pub(crate) officer: String,
    #[arg(value_name = "FILE", required = true)]
    pub(crate) answers: Vec<Path>,
}

#[derive(Args)]
pub(crate) struct HandoverStart {
    #[arg(long, value_name = "DATE")]
    pub(crate) last_day: String,
    #[arg(long, value_name = "LABEL")]
    pub(crate) officer: Option<String>,
}

#[derive(Args)]
pub(crate) struct HandoverOwn {
    pub(crate) officer: String,
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) notes: Option<Path>,
}

#[derive(Args)]
pub(crate) struct HandoverTell {
    #[arg(long, value_name = "FILE")]
    pub(crate) words: Option<Path>,
}

#[derive(Args)]
pub(crate) struct OneHandover {
    pub(crate) handover: Option<String>,
}

#[derive(Args)]
pub(crate) struct HandoverShow {
    pub(crate) id: Option<String>,
}

#[derive(Args)]
pub(crate) struct Object {
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) reasons: Option<Path>,
}

#[derive(Subcommand)]
pub(crate) enum Desk {
    Init(DeskInit),
    Install(TextIn),
    Publish(DeskPublish),
    Invite(Invite),
    Enrol(TextInOut),
    Team,
    Renew(TextOut),
}

#[derive(Args)]
pub(crate) struct DeskInit {
    #[arg(long, value_name = "ID")]
    pub(crate) unit: String,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, value_name = "LABEL")]
    pub(crate) officer: String,
    #[arg(long = "role", value_enum, default_values_t = [Role::Desk, Role::Duty, Role::Admin])]
    pub(crate) roles: Vec<Role>,
    #[arg(long = "relay", value_name = "ADDRESS", required = true)]
    pub(crate) relays: Vec<String>,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Args)]
pub(crate) struct DeskPublish {
    #[arg(value_name = "TERMS", required = true)]
    pub(crate) terms: Vec<Path>,
    #[arg(long, value_name = "FILE")]
    pub(crate) privacy: Path,
}

#[derive(Subcommand)]
pub(crate) enum Request {
    List,
    Show(OneAct),
}

#[derive(Args)]
pub(crate) struct Decide {
    pub(crate) act: Option<String>,
    #[command(flatten)]
    pub(crate) verdict: Verdict,
    #[arg(long, value_name = "FILE")]
    pub(crate) reasons: Path,
    #[arg(long = "condition", value_name = "FILE", requires = "approve")]
    pub(crate) conditions: Vec<Path>,
    #[arg(long, value_name = "NUMBER", requires = "approve", value_parser = clap::value_parser!(u32).range(1..=365))]
    pub(crate) valid_days: Option<u32>,
    #[arg(long, requires = "approve")]
    pub(crate) without_consent: bool,
    #[arg(long, value_name = "FILE", requires = "approve")]
    pub(crate) publish_where: Option<Path>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Verdict {
    #[arg(long)]
    pub(crate) approve: bool,
    #[arg(long = "return")]
    pub(crate) send_back: bool,
    #[arg(long)]
    pub(crate) refuse: bool,
}
