//! The command line: its shape. Every word of its help is in the catalogue (see [`help`]), and the
//! manual pages and completions are made from the same definition.

mod casework;
mod directory;
mod help;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use casework::*;
pub(crate) use directory::*;
pub(crate) use help::command;

/// A file to read or write; `-` is standard input or output.
pub(crate) type Path = PathBuf;

#[derive(Parser)]
#[command(
    name = "bud",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args)]
pub(crate) struct Global {
    #[arg(long, env = "BUD_HOME", global = true, value_name = "FOLDER", hide_env_values = true)]
    pub(crate) home: Option<PathBuf>,
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<Path>,
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub(crate) lang: Option<String>,
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    // A defender's.
    Look(Look),
    ReachOut(ReachOut),
    Consent(Consent),
    Object(Object),
    // Everyone's.
    List,
    Show(Show),
    Send(Send),
    Words(Words),
    #[command(subcommand)]
    Terms(Terms),
    Sync,
    Listen,
    Outbox,
    Doctor(Doctor),
    Recover(Recover),
    Check(Check),
    Directory(Directory),
    #[command(subcommand)]
    Token(Token),
    // A mission's.
    #[command(subcommand)]
    Mission(Mission),
    #[command(subcommand)]
    Device(Device),
    Contacts,
    Answer(Answer),
    Assign(Assign),
    Unassign(Assign),
    Team(Team),
    #[command(subcommand)]
    Case(Case),
    #[command(subcommand)]
    Act(Act),
    #[command(subcommand)]
    Line(Line),
    #[command(subcommand)]
    Handover(Handover),
    // Both offices'.
    #[command(subcommand)]
    Alert(Alert),
    // The Ministry's.
    #[command(subcommand)]
    Desk(Desk),
    #[command(subcommand)]
    Request(Request),
    Decide(Decide),
    #[command(subcommand)]
    Ministry(Ministry),
    // The program's own.
    Whoami,
    Passphrase(Passphrase),
    Completions(Completions),
    Man(Man),
    #[cfg(feature = "demo")]
    Demo(Demo),
}

impl Command {
    /// Whether the command takes this process's log for itself.
    pub(crate) fn keeps_the_log(&self) -> bool {
        #[cfg(feature = "demo")]
        return matches!(self, Self::Demo(_));
        #[cfg(not(feature = "demo"))]
        false
    }
}

#[derive(Args)]
pub(crate) struct Look {
    pub(crate) invitation: Option<String>,
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
}

#[derive(Args)]
pub(crate) struct ReachOut {
    #[arg(long, value_name = "NUMBER", conflicts_with = "counter")]
    pub(crate) accept: Option<usize>,
    #[arg(long, value_name = "FILE")]
    pub(crate) counter: Option<Path>,
    #[arg(long, value_name = "FILE")]
    pub(crate) emergency: Option<Path>,
    #[arg(long, value_name = "NAME")]
    pub(crate) alias: Option<String>,
    #[arg(long)]
    pub(crate) new_key: bool,
}

#[derive(Args)]
pub(crate) struct Show {
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "NUMBER")]
    pub(crate) message: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Words {
    #[arg(conflicts_with = "mission")]
    pub(crate) id: Option<String>,
    #[arg(long)]
    pub(crate) same: bool,
    #[arg(long, value_name = "CODE", conflicts_with = "same")]
    pub(crate) code: Option<String>,
    #[arg(long)]
    pub(crate) qr: bool,
    #[arg(long = "in", value_name = "LANGUAGE")]
    pub(crate) languages: Vec<WordLanguage>,
    #[arg(long, conflicts_with_all = ["same", "code"])]
    pub(crate) mission: bool,
}

/// A language that the safety words have.
#[derive(Clone, Copy)]
pub(crate) struct WordLanguage(pub(crate) budstikke::Language);

impl clap::ValueEnum for WordLanguage {
    fn value_variants<'a>() -> &'a [Self] {
        use budstikke::Language::{Arabic, English, French, Russian, Spanish};
        &[Self(English), Self(French), Self(Spanish), Self(Arabic), Self(Russian)]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.code()))
    }
}

#[derive(Args)]
pub(crate) struct Send {
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) what: What,
    #[arg(long, value_enum, default_value_t = Urgency::Routine)]
    pub(crate) urgency: Urgency,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Urgency {
    Routine,
    High,
    Urgent,
    Flash,
}

// Texts come from a file or standard input, never from an argument: arguments stay in the shell's
// history and show in every process list.
#[derive(Args)]
pub(crate) struct What {
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<Path>,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "identity", "emergency", "taken_on"])]
    pub(crate) intake: Option<Path>,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "emergency", "taken_on"])]
    pub(crate) identity: Option<Path>,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "taken_on"])]
    pub(crate) emergency: Option<Path>,
    #[arg(long, value_name = "NUMBER")]
    pub(crate) taken_on: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Doctor {
    #[arg(long)]
    pub(crate) mend: bool,
    #[arg(long, value_name = "FILE", conflicts_with = "mend")]
    pub(crate) proof: Option<Path>,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mend", "proof"])]
    pub(crate) check_proof: Option<Path>,
}

#[derive(Args)]
pub(crate) struct Recover {
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) relay: Option<String>,
    #[arg(long, conflicts_with = "relay")]
    pub(crate) lost: bool,
    #[arg(long, value_name = "WHO", conflicts_with_all = ["relay", "lost"])]
    pub(crate) let_in: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Terms {
    Show(OneConversation),
    Accept(OneConversation),
    Counter(TermsCounter),
    Suspend(OneConversation),
    Resume(OneConversation),
    End(OneConversation),
}

#[derive(Args)]
pub(crate) struct OneConversation {
    pub(crate) id: Option<String>,
}

#[derive(Args)]
pub(crate) struct TermsCounter {
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) file: Path,
}

#[derive(Args)]
pub(crate) struct Check {
    pub(crate) file: Path,
    #[arg(long, value_enum, default_value_t = FileKind::Auto)]
    pub(crate) kind: FileKind,
}

#[derive(Subcommand)]
pub(crate) enum Token {
    Request(TokenRequest),
    Accept(TextIn),
    List,
}

#[derive(Args)]
pub(crate) struct TokenRequest {
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) relay: String,
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Path,
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    pub(crate) count: usize,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileKind {
    Auto,
    Intake,
    Emergency,
    Terms,
    Privacy,
    Consent,
    ConsentRequest,
    Risk,
    Facts,
    Plan,
    Alert,
    Effect,
    Handover,
}

#[derive(Subcommand)]
pub(crate) enum Mission {
    Init(MissionInit),
    Install(TextIn),
    Publish(Publish),
    Invite(Invite),
    Enrol(TextInOut),
    Team,
    Renew(TextOut),
}

#[derive(Args)]
pub(crate) struct MissionInit {
    #[arg(long, value_name = "ID")]
    pub(crate) unit: String,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, value_enum, default_value_t = UnitKind::Bilateral)]
    pub(crate) kind: UnitKind,
    #[arg(long, value_name = "LABEL")]
    pub(crate) officer: String,
    #[arg(long = "role", value_enum, default_values_t = [Role::ContactPerson, Role::Admin])]
    pub(crate) roles: Vec<Role>,
    #[arg(long = "relay", value_name = "ADDRESS", required = true)]
    pub(crate) relays: Vec<String>,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnitKind {
    Bilateral,
    Multilateral,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Staff,
    ContactPerson,
    HeadOfMission,
    Admin,
    Desk,
    Duty,
    DecisionMaker,
    Privacy,
}

#[derive(Args)]
pub(crate) struct Publish {
    #[arg(value_name = "TERMS", required = true)]
    pub(crate) terms: Vec<Path>,
    #[arg(long, value_name = "FILE")]
    pub(crate) privacy: Path,
    #[arg(long, value_name = "FILE")]
    pub(crate) emergency: Option<Path>,
}

#[derive(Args)]
pub(crate) struct Invite {
    #[arg(long)]
    pub(crate) qr: bool,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Args)]
pub(crate) struct TextIn {
    #[arg(default_value = "-")]
    pub(crate) file: Path,
}

#[derive(Args)]
pub(crate) struct TextInOut {
    #[arg(default_value = "-")]
    pub(crate) file: Path,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Args)]
pub(crate) struct TextOut {
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Subcommand)]
pub(crate) enum Device {
    Request(DeviceRequest),
    Install(TextIn),
}

#[derive(Args)]
pub(crate) struct DeviceRequest {
    #[arg(long, value_name = "LABEL")]
    pub(crate) officer: String,
    #[arg(long = "role", value_enum, default_values_t = [Role::Staff])]
    pub(crate) roles: Vec<Role>,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Team {
    #[command(subcommand)]
    pub(crate) step: Option<TeamStep>,
}

#[derive(Subcommand)]
pub(crate) enum TeamStep {
    Invite(TeamInvite),
    Join(TeamJoin),
    Remove(TeamRemove),
}

#[derive(Args)]
pub(crate) struct TeamInvite {
    pub(crate) officer: String,
    #[arg(long = "role", value_enum, default_values_t = [Role::Staff])]
    pub(crate) roles: Vec<Role>,
    #[arg(long)]
    pub(crate) qr: bool,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Args)]
pub(crate) struct TeamJoin {
    pub(crate) code: Option<String>,
}

#[derive(Args)]
pub(crate) struct TeamRemove {
    pub(crate) officer: String,
}

#[derive(Args)]
pub(crate) struct Answer {
    pub(crate) contact: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) counter: Option<Path>,
}

#[derive(Args)]
pub(crate) struct Assign {
    pub(crate) officer: String,
    pub(crate) id: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Ministry {
    Init(MinistryInit),
    Certify(TextInOut),
    Publish(PublishDirectory),
    Revoke(Revoke),
    #[command(subcommand)]
    Root(MinistryRoot),
    #[command(subcommand)]
    Issuer(MinistryIssuer),
    #[command(subcommand)]
    Holder(MinistryHolder),
}

#[derive(Subcommand)]
pub(crate) enum MinistryHolder {
    Init(HolderInit),
    Answer(RootCertify),
    Log,
}

#[derive(Args)]
pub(crate) struct HolderInit {
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) root: String,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Subcommand)]
pub(crate) enum MinistryRoot {
    Init(MinistryInit),
    Certify(RootCertify),
    Split(RootSplit),
}

#[derive(Subcommand)]
pub(crate) enum MinistryIssuer {
    Request(IssuerRequest),
    Install(TextIn),
}

#[derive(Args)]
pub(crate) struct RootCertify {
    #[arg(default_value = "-")]
    pub(crate) file: Path,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct RootSplit {
    #[arg(long, value_enum)]
    pub(crate) keep: Keep,
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Keep {
    Root,
    Issuer,
}

#[derive(Args)]
pub(crate) struct IssuerRequest {
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Args)]
pub(crate) struct MinistryInit {
    #[arg(long)]
    pub(crate) name: String,
}

#[derive(Args)]
pub(crate) struct Passphrase {
    #[arg(long, value_name = "FILE")]
    pub(crate) new_file: Option<Path>,
}

#[derive(Args)]
pub(crate) struct Completions {
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    pub(crate) folder: Option<PathBuf>,
}

#[cfg(feature = "demo")]
#[derive(Args)]
pub(crate) struct Demo {
    #[arg(long, value_enum, ignore_case = true, value_name = "NAME")]
    pub(crate) scenario: Option<Scenario>,
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keep: Option<PathBuf>,
}

#[cfg(feature = "demo")]
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    #[value(name = "S1")]
    S1,
    #[value(name = "S2")]
    S2,
    #[value(name = "S5")]
    S5,
    #[value(name = "S10")]
    S10,
}
