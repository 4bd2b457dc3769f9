//! The doctor: everything that is wrong on this device, what happens by itself, and what a person can do.

use budstikke_case::wire::ReceiptKind;
use budstikke_proto::proof::Equivocation;
use data_encoding::{BASE32_NOPAD, HEXLOWER};

use super::freeze::{FreezeReason, frozen};
use super::{again, transcript};
use crate::channel::inbound;
use crate::channel::seat::{Seat, terms_of};
use crate::client::{Client, Work};
use crate::directory;
use crate::error::Error;
use crate::mission::own_papers;
use crate::outbox;
use crate::records::{
    self, AskRecord, CaseRecord, Commit, Device, DirectoryClock, DirectoryRecord, MessageRecord,
    OwnAskRecord, ProofRecord, SELF, TakenRecord, Team, Unit, fixed,
};
use crate::view::{case_name, case_of_name, message_key, short};

/// A cell that waits longer than this is stuck: a day.
const OUTBOX_S: i64 = 86_400;
/// A message that the other side's device has not said it has for so long: 3 days.
const UNANSWERED_S: i64 = 3 * 86_400;
/// Before a certificate ends, a person is told: 7 days.
const ENDING_S: i64 = 7 * 86_400;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Short name of the conversation it is about; `None` for the team or the whole device.
    pub case: Option<String>,
    /// What it is.
    pub trouble: Trouble,
}

/// What is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// A change of the group waits for its turn; it is made again by itself.
    ChangeWaiting {
        /// How often another device was quicker.
        lost: u32,
    },
    /// Messages wait for a change of the group that has not come.
    Behind {
        /// How many.
        messages: usize,
        /// Unix seconds when the first of them came.
        since: i64,
    },
    /// The same for longer than a day: the relay withholds changes.
    Withheld {
        /// Unix seconds.
        since: i64,
    },
    /// Nothing is sent any more; a new group is needed.
    Frozen {
        /// Why.
        why: FreezeReason,
        /// Unix seconds.
        since: i64,
        /// Whether this device founds the new group; else it asks for it.
        ours: bool,
        /// Whether the others' devices have sent what that needs.
        ready: bool,
    },
    /// A proof against the relay is kept here, to be filed.
    Proof,
    /// A change of the group works for the others and not here; this device must be added again.
    Stuck {
        /// Unix seconds.
        since: i64,
    },
    /// The keys of the conversation are lost or damaged on this device; it must be added again.
    KeysLost,
    /// This device has asked to be added again, and waits.
    Asked {
        /// Unix seconds.
        since: i64,
    },
    /// This device found the case in a colleague's reserve and has asked to be let in, and waits.
    AskedToTakeOver {
        /// Unix seconds.
        since: i64,
    },
    /// Somebody has lost their keys and asks to be added again.
    AsksAgain {
        /// Who, as people know them.
        who: String,
        /// Unix seconds.
        since: i64,
        /// Whether somebody has said yes who may, and the rest happens by itself.
        granted: bool,
        /// Whether it is an admin's own device, so that anybody in the case may say yes.
        assigned: bool,
    },
    /// A device of the mission asks to take the place of an officer who has left without handing over.
    AsksToTakeOver {
        /// Who, as people know them.
        who: String,
        /// Unix seconds.
        since: i64,
        /// Whether somebody here has said yes, and the rest happens by itself.
        granted: bool,
        /// Short id of the device, for [`Client::let_in`].
        id: String,
        /// Whether this device is an admin's outside of the case, whose yes lets them ask.
        may_ask: bool,
    },
    /// Somebody's device asks for a new group, and nothing is known to be wrong here.
    AsksNewGroup {
        /// Who.
        who: String,
        /// Unix seconds.
        since: i64,
    },
    /// Messages of one sender have not come.
    Missing {
        /// Who.
        who: String,
        /// The sender's own numbers, from 1.
        numbers: Vec<u64>,
        /// And how many more that are given up.
        lost: u64,
    },
    /// Messages came more than once and were ignored.
    Duplicates {
        /// How many.
        count: u64,
    },
    /// An own message is at the relay, and the other side's device does not say that it has it.
    Unanswered {
        /// Its number here.
        number: u64,
        /// Unix seconds.
        since: i64,
    },
    /// Cells wait to be sent for longer than a day.
    OutboxStuck {
        /// How many.
        cells: usize,
        /// Unix seconds of the oldest.
        since: i64,
    },
    /// This device's certificate ends soon, or has ended.
    CertificateEnds {
        /// Unix seconds.
        at: i64,
    },
    /// The newest directory of revoked keys that this device has is out of date: what needs authority waits.
    DirectoryOld {
        /// Unix seconds at which it was made.
        made_at: i64,
    },
    /// Two directories came that contradict each other: somebody is shown another one.
    DirectoryForked,
    /// This device has no certificate yet.
    NoCertificate,
    /// This device was not let into its team's group yet.
    NotInTeam,
}

impl Trouble {
    /// Its stable name, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChangeWaiting { .. } => "change-waiting",
            Self::Behind { .. } => "behind",
            Self::Withheld { .. } => "withheld",
            Self::Frozen { .. } => "frozen",
            Self::Proof => "proof",
            Self::Stuck { .. } => "stuck",
            Self::KeysLost => "keys-lost",
            Self::Asked { .. } => "asked",
            Self::AskedToTakeOver { .. } => "asked-to-take-over",
            Self::AsksAgain { .. } => "asks-again",
            Self::AsksToTakeOver { .. } => "asks-to-take-over",
            Self::AsksNewGroup { .. } => "asks-new-group",
            Self::Missing { .. } => "missing",
            Self::Duplicates { .. } => "duplicates",
            Self::Unanswered { .. } => "unanswered",
            Self::OutboxStuck { .. } => "outbox-stuck",
            Self::CertificateEnds { .. } => "certificate-ends",
            Self::DirectoryOld { .. } => "directory-old",
            Self::DirectoryForked => "directory-forked",
            Self::NoCertificate => "no-certificate",
            Self::NotInTeam => "not-in-team",
        }
    }

    /// Whether a person has to do something; the rest goes by itself.
    pub const fn needs_a_person(&self) -> bool {
        match self {
            Self::ChangeWaiting { .. }
            | Self::Behind { .. }
            | Self::Asked { .. }
            | Self::AskedToTakeOver { .. }
            | Self::Duplicates { .. } => false,
            Self::AsksAgain { granted, .. } | Self::AsksToTakeOver { granted, .. } => !*granted,
            _ => true,
        }
    }

    /// Whether [`Client::recover`] mends it, once a person says yes.
    pub const fn mends(&self) -> bool {
        matches!(
            self,
            Self::Withheld { .. }
                | Self::Frozen { .. }
                | Self::Stuck { .. }
                | Self::KeysLost
                | Self::AsksAgain { granted: false, .. }
                | Self::AsksNewGroup { .. }
        )
    }
}

/// What a proof says, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofCard {
    /// The relay's fingerprint, as it stands in its address.
    pub relay: String,
    /// The slot, 64 hexadecimal digits.
    pub slot: String,
    /// The place in it, 0 to 3.
    pub place: u32,
    /// What the relay signed twice, 64 hexadecimal digits each.
    pub hashes: [String; 2],
}

/// Reads a proof and verifies it; needs nothing but its text.
///
/// # Errors
/// [`Error::Trust`] when it proves nothing.
pub fn check_proof(text: &str) -> Result<ProofCard, Error> {
    let proof = Equivocation::from_text(text)?;
    Ok(ProofCard {
        relay: BASE32_NOPAD.encode(proof.relay_id().as_bytes()).to_ascii_lowercase(),
        slot: HEXLOWER.encode(proof.slot().as_bytes()),
        place: proof.entry(),
        hashes: proof.hashes().map(|hash| HEXLOWER.encode(hash.as_bytes())),
    })
}

impl Client {
    /// Everything that is not as it should be on this device; nothing is changed or sent.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn diagnose(&self) -> Result<Vec<Diagnosis>, Error> {
        self.vault(diagnose).await
    }

    /// The proofs against relays that this vault keeps, each as one word of text that can be filed with whoever runs
    /// or chose the relay; [`check_proof`] checks it. With `case`, that conversation's alone.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Vault`].
    pub async fn proofs(&self, case: Option<&str>) -> Result<Vec<String>, Error> {
        let case = case.map(str::to_owned);
        self.vault(move |work| {
            let wanted = case.map(|name| case_of_name(work, &name)).transpose()?;
            let records = records::all::<ProofRecord>(work.tx)?.into_iter();
            records
                .filter(|(_, record)| wanted.as_ref().is_none_or(|case| case.id == record.case_id))
                .map(|(_, record)| Ok(Equivocation::from_bytes(&record.proof)?.to_text()))
                .collect()
        })
        .await
    }
}

fn diagnose(work: &Work<'_>) -> Result<Vec<Diagnosis>, Error> {
    let mut found = Vec::new();
    device(work, &mut found)?;
    for (_, case) in records::all::<CaseRecord>(work.tx)? {
        if case.left_at > 0 {
            continue;
        }
        let name = case_name(&case.id);
        let mut troubles = Vec::new();
        one_case(work, &case, &mut troubles)?;
        let about = |trouble| Diagnosis { case: Some(name.clone()), trouble };
        found.extend(troubles.into_iter().map(about));
    }
    for (_, ask) in records::all::<AskRecord>(work.tx)? {
        // A colleague's case, in which an admin is needed.
        if !again::is_in(work, &ask.case_id)? && !ask.new_group {
            let trouble = asks_again(&ask, false);
            found.push(Diagnosis { case: Some(case_name(&ask.case_id)), trouble });
        }
    }
    for (_, proof) in records::all::<ProofRecord>(work.tx)? {
        let case = (!proof.case_id.is_empty()).then(|| case_name(&proof.case_id));
        found.push(Diagnosis { case, trouble: Trouble::Proof });
    }
    Ok(found)
}

fn device(work: &Work<'_>, found: &mut Vec<Diagnosis>) -> Result<(), Error> {
    let mut say = |trouble| found.push(Diagnosis { case: None, trouble });
    let waiting = outbox::waiting(work)?;
    let stuck = |since: i64| since < work.now.saturating_sub(OUTBOX_S);
    let cells = waiting.iter().filter(|cell| stuck(cell.since)).count();
    if let Some(since) = waiting.iter().map(|cell| cell.since).min().filter(|at| stuck(*at)) {
        say(Trouble::OutboxStuck { cells, since });
    }
    for (root, clock) in records::all::<DirectoryClock>(work.tx)? {
        let stale =
            directory::trust(work, &fixed(&root, "a root's fingerprint")?)?.is_stale(work.now);
        if stale {
            say(Trouble::DirectoryOld { made_at: clock.made_at });
        }
        let held = records::load::<DirectoryRecord>(work.tx, &root)?;
        if held.is_some_and(|held| !held.forks.is_empty()) {
            say(Trouble::DirectoryForked);
        }
    }
    let Some(device) = records::load::<Device>(work.tx, SELF)? else { return Ok(()) };
    if device.chain.is_empty() {
        say(Trouble::NoCertificate);
        return Ok(());
    }
    let at = own_papers(work)?.not_after;
    if at < work.now.saturating_add(ENDING_S) {
        say(Trouble::CertificateEnds { at });
    }
    let joined = records::load::<Unit>(work.tx, SELF)?.is_some();
    let Some(team) = records::load::<Team>(work.tx, SELF)?.filter(|_| joined) else {
        return Ok(());
    };
    if Seat::team(work).is_err() {
        say(Trouble::NotInTeam);
    } else if let Some(commit) = records::load::<Commit>(work.tx, &team.group_id)? {
        say(Trouble::ChangeWaiting { lost: commit.lost });
    }
    Ok(())
}

fn one_case(work: &Work<'_>, case: &CaseRecord, found: &mut Vec<Trouble>) -> Result<(), Error> {
    let asks: Vec<AskRecord> = records::all::<AskRecord>(work.tx)?
        .into_iter()
        .map(|(_, ask)| ask)
        .filter(|ask| ask.case_id == case.id)
        .collect();
    let asked = records::load::<OwnAskRecord>(work.tx, &case.id)?;
    let state = transcript::load(work, &case.id)?;
    let frozen = frozen(case);
    if let Some((why, since)) = frozen {
        let ours = !case.defender && case.line_for.is_empty();
        let ready = asks.iter().any(|ask| ask.new_group);
        found.push(Trouble::Frozen { why, since, ours, ready });
    }
    let waits = asked.as_ref().filter(|asked| asked.by_person && frozen.is_none());
    if let Some(asked) = waits {
        let since = asked.asked_at;
        found.push(match records::load::<TakenRecord>(work.tx, &case.id)? {
            Some(_) => Trouble::AskedToTakeOver { since },
            None => Trouble::Asked { since },
        });
    } else if Seat::case(work, case.clone()).is_err() {
        found.push(Trouble::KeysLost);
    } else if state.stuck > 0 {
        found.push(Trouble::Stuck { since: state.stuck_since });
    } else if state.withheld_since > 0 {
        found.push(Trouble::Withheld { since: state.withheld_since });
    } else if let Some((messages, since)) = inbound::behind(work, &case.group_id)? {
        found.push(Trouble::Behind { messages, since });
    }
    if frozen.is_none() {
        if let Some(commit) = records::load::<Commit>(work.tx, &case.group_id)? {
            found.push(Trouble::ChangeWaiting { lost: commit.lost });
        }
        for ask in &asks {
            let (who, since) = (ask.who.clone(), ask.received_at);
            found.push(if ask.new_group {
                Trouble::AsksNewGroup { who, since }
            } else {
                asks_again(ask, true)
            });
        }
    }
    for sender in &state.senders {
        if !sender.missing.is_empty() || sender.lost > 0 {
            found.push(Trouble::Missing {
                who: sender.name.clone(),
                numbers: sender.missing.clone(),
                lost: sender.lost,
            });
        }
    }
    if state.duplicates > 0 {
        found.push(Trouble::Duplicates { count: state.duplicates });
    }
    found.extend(unanswered(work, case)?);
    Ok(())
}

fn asks_again(ask: &AskRecord, in_case: bool) -> Trouble {
    let (who, since, granted) = (ask.who.clone(), ask.received_at, ask.granted_at > 0);
    if ask.newcomer {
        let (id, may_ask) = (short(&ask.key), !in_case);
        Trouble::AsksToTakeOver { who, since, granted, id, may_ask }
    } else {
        Trouble::AsksAgain { who, since, granted, assigned: ask.assigned }
    }
}

/// The newest own message that the other side's device should have answered by itself, and has not. Where the terms
/// let their devices say nothing, silence says nothing.
fn unanswered(work: &Work<'_>, case: &CaseRecord) -> Result<Option<Trouble>, Error> {
    let terms = terms_of(case)?;
    let policy = terms.agreed().and_then(|terms| terms.receipts.clone()).unwrap_or_default();
    let asking = case.defender || !case.line_for.is_empty();
    let theirs = if asking { &policy.from_mission } else { &policy.from_defender };
    if !theirs.contains(&ReceiptKind::Delivered.into()) {
        return Ok(None);
    }
    for number in (1..=case.messages).rev() {
        let key = message_key(&case.id, number);
        let Some(message) = records::load::<MessageRecord>(work.tx, &key)? else { continue };
        let counts = budstikke_case::Received::open(message.content.clone())
            .is_ok_and(|received| received.kind().is_case_content());
        if !message.outgoing || !counts {
            continue;
        }
        let silent = message.receipts.is_empty() && message.waiting == 0;
        let long = message.at < work.now.saturating_sub(UNANSWERED_S);
        return Ok((silent && long).then_some(Trouble::Unanswered { number, since: message.at }));
    }
    Ok(None)
}
