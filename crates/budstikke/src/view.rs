//! What a person may look at: cases, their members, terms and messages.

use budstikke_case::{Phase, Received, TermsState, View, wire};
use budstikke_e2ee::group::Party;
use budstikke_e2ee::safety::SafetyWords;
use data_encoding::BASE32_NOPAD;

use crate::channel::seat::{Seat, terms_of};
use crate::channel::send::name_of;
use crate::channel::verify;
use crate::client::{Client, Work};
use crate::error::Error;
use crate::handover;
use crate::records::{self, CaseRecord, MessageRecord};
use crate::recovery::freeze::frozen;
use crate::recovery::{FreezeReason, transcript};

/// Letters of a short name.
const NAME_LEN: usize = 8;

/// A case in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseSummary {
    /// Its short name on this device: 8 letters and digits.
    pub id: String,
    /// The mission, for a defender; the defender's pseudonym, for a mission.
    pub with: String,
    /// Where the channel terms stand.
    pub terms: Phase,
    /// Messages that nobody has looked at yet.
    pub unread: u64,
    /// All messages.
    pub messages: u64,
    /// Unix seconds of the last message, or of the opening.
    pub last_at: i64,
    /// Whether this is a mission's line to the Ministry, and not a defender's case.
    pub line: bool,
    /// On a mission's end of a line: the short name of the defender's case that it is for. `None` at the desk and for
    /// every other case.
    pub line_for: Option<String>,
    /// Whether it is to go to another officer and has not gone yet.
    pub handover_pending: bool,
    /// Why nothing is sent here any more, and since when, in Unix seconds.
    pub frozen: Option<(FreezeReason, i64)>,
    /// Whether this device has lost the keys of it, and must be added again: [`Client::recover`].
    pub keys_lost: bool,
    /// Whether this device is no longer part of it: what it has is history.
    pub left: bool,
}

/// What has not come of one sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The sender, as people know them.
    pub from: String,
    /// Their own numbers, from 1, as in [`Message::nth`].
    pub numbers: Vec<u64>,
    /// And how many more that are given up.
    pub lost: u64,
}

/// Somebody in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseMember {
    /// As people know them: an officer's label, or a pseudonym.
    pub name: String,
    /// Unit id; `None` for a defender.
    pub unit: Option<String>,
    /// Whether it is this device.
    pub own: bool,
    /// Whether its certificate has ended.
    pub lapsed: bool,
}

/// How far an own message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// In this vault; it leaves with the next sync.
    OnThisDevice,
    /// Stored at the relay.
    AtRelay,
    /// The other side's device has it.
    OnTheirDevice,
    /// A person has taken it on.
    TakenOn,
    /// The other side's device did not accept it, with the refusal's code in [`Message::refused`].
    Refused,
}

/// A message of a case.
#[derive(Clone)]
pub struct Message {
    /// Its number in the case on this device.
    pub number: u64,
    /// Who wrote it.
    pub from: String,
    /// `None` for a message that came in.
    pub progress: Option<Progress>,
    /// Unix seconds when it was queued or came.
    pub at: i64,
    /// Its kind, as in `budstikke.case.v1`; `unreadable` when its bytes are no message.
    pub kind: &'static str,
    /// What it says, to be shown; `None` when this version does not understand it.
    pub view: Option<View>,
    /// Stable code of the refusal, if it was not accepted.
    pub refused: Option<String>,
    /// Whether it is kept but not acted on.
    pub quarantined: bool,
    /// The sender's own number of it, from 1, in the group that the case had then; 0 when it is not known.
    pub nth: u64,
    /// Whether it came after later ones of the same sender.
    pub late: bool,
    /// The case bytes, verbatim.
    pub content: Vec<u8>,
}

/// A case, opened.
#[derive(Clone)]
pub struct CaseView {
    /// As in the list.
    pub summary: CaseSummary,
    /// Everybody who can read here.
    pub members: Vec<CaseMember>,
    /// Epoch of the group: counts membership and key changes.
    pub epoch: u64,
    /// Both sides see the same; `None` for a line to the Ministry, where certificates speak for both ends.
    pub safety_words: Option<SafetyWords>,
    /// Whether a person has compared them ([`Client::confirm_words`]).
    pub words_compared: bool,
    /// Unix seconds since when the other side has another key than before and nobody has compared the words again.
    pub key_changed: Option<i64>,
    /// The terms in force, to be shown.
    pub agreed: Option<View>,
    /// Terms on the table: hash in hexadecimal, whether they are ours, to be shown.
    pub pending: Vec<PendingTerms>,
    /// All messages, oldest first.
    pub messages: Vec<Message>,
    /// Messages of others that have not come.
    pub missing: Vec<Missing>,
    /// Messages that came more than once, and were ignored.
    pub duplicates: u64,
    /// Unix seconds since when messages wait for a change of the group that the relay does not show, if that is long.
    pub withheld_since: Option<i64>,
}

/// Terms that wait for an answer.
#[derive(Clone)]
pub struct PendingTerms {
    /// Terms hash, 64 hexadecimal digits.
    pub hash: String,
    /// Whether this side wrote them.
    pub ours: bool,
    /// What they say.
    pub view: View,
}

/// What people wrote belongs in no log: only the type's name.
macro_rules! debug_name {
    ($($type:ident),*) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    )*};
}
pub(crate) use debug_name;

debug_name!(Message, CaseView, PendingTerms);

impl Client {
    /// All cases of this vault, the one with the newest message first.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn cases(&self) -> Result<Vec<CaseSummary>, Error> {
        self.vault(|work| {
            let cases = records::all::<CaseRecord>(work.tx)?;
            let mut list = cases
                .into_iter()
                .map(|(_, case)| summary(work, &case, seat_of(work, &case)?.as_ref()))
                .collect::<Result<Vec<_>, Error>>()?;
            list.sort_by_key(|case| std::cmp::Reverse(case.last_at));
            Ok(list)
        })
        .await
    }

    /// One case with all that is known of it. `name` may be shortened as long as it is clear.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Vault`].
    pub async fn case(&self, name: &str) -> Result<CaseView, Error> {
        let name = name.to_owned();
        self.vault(move |work| open(work, &case_of_name(work, &name)?)).await
    }

    /// Notes that a person has looked at a case: its messages no longer count as unread. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Vault`].
    pub async fn mark_seen(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.vault(move |work| {
            let mut case = case_of_name(work, &name)?;
            case.seen = case.messages;
            records::save(work.tx, &case.id.clone(), &case)
        })
        .await
    }
}

/// The short name of a case.
pub(crate) fn case_name(id: &[u8]) -> String {
    short(id)
}

/// The short name of a first contact.
pub(crate) fn contact_name(id: &[u8]) -> String {
    short(id)
}

/// The case with this short name, or the only one that begins so.
pub(crate) fn case_of_name(work: &Work<'_>, name: &str) -> Result<CaseRecord, Error> {
    let cases = records::all::<CaseRecord>(work.tx)?;
    by_name(cases, name).ok_or(Error::NotFound { what: "a case of that name" })
}

/// The only one whose short name begins with `name`.
pub(crate) fn by_name<R>(all: impl IntoIterator<Item = (Vec<u8>, R)>, name: &str) -> Option<R> {
    let name = name.trim().to_ascii_lowercase();
    let mut found = all.into_iter().filter(|(id, _)| short(id).starts_with(&name));
    let first = found.next().filter(|_| !name.is_empty())?;
    found.next().is_none().then_some(first.1)
}

/// The key of a message's record.
pub(crate) fn message_key(case_id: &[u8], number: u64) -> Vec<u8> {
    [case_id, &number.to_be_bytes()].concat()
}

/// The short name of anything that has an id.
pub(crate) fn short(id: &[u8]) -> String {
    let text = BASE32_NOPAD.encode(id).to_ascii_lowercase();
    text.chars().take(NAME_LEN).collect()
}

fn summary(work: &Work<'_>, case: &CaseRecord, seat: Option<&Seat>) -> Result<CaseSummary, Error> {
    let with = seat.map(|seat| peer_of(seat, case)).transpose()?;
    let with = with.unwrap_or_else(|| case.peer_name.clone());
    let mut unread = 0;
    for number in case.seen + 1..=case.messages {
        let message: Option<MessageRecord> =
            records::load(work.tx, &message_key(&case.id, number))?;
        unread += u64::from(message.is_some_and(|message| !message.outgoing));
    }
    Ok(CaseSummary {
        id: case_name(&case.id),
        with,
        terms: terms_of(case)?.phase(work.now),
        unread,
        messages: case.messages,
        last_at: case.last_at,
        line: case.line,
        line_for: (!case.line_for.is_empty()).then(|| case_name(&case.line_for)),
        handover_pending: handover::is_pending(work, &case.id)?,
        frozen: frozen(case),
        keys_lost: seat.is_none() && case.left_at == 0,
        left: case.left_at > 0,
    })
}

/// Who is at the other end, as people know them.
pub(crate) fn peer_of(seat: &Seat, case: &CaseRecord) -> Result<String, Error> {
    if !case.peer_unit.is_empty() {
        return Ok(case.peer_name.clone());
    }
    let members = seat.group.members()?;
    let defender = members.iter().find(|m| matches!(m.party, Party::Defender { .. }));
    Ok(defender.map(|member| name_of(&member.party)).unwrap_or_default())
}

/// The seat in a case; `None` when its keys are lost, and its history is not.
fn seat_of(work: &Work<'_>, case: &CaseRecord) -> Result<Option<Seat>, Error> {
    match Seat::case(work, case.clone()) {
        Ok(seat) => Ok(Some(seat)),
        Err(Error::NotReady(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn open(work: &Work<'_>, case: &CaseRecord) -> Result<CaseView, Error> {
    let seat = seat_of(work, case)?;
    let summary = summary(work, case, seat.as_ref())?;
    let state = transcript::load(work, &case.id)?;
    let gaps = state.senders.iter().filter(|gaps| !gaps.missing.is_empty() || gaps.lost > 0);
    let missing = gaps.map(|gaps| Missing {
        from: gaps.name.clone(),
        numbers: gaps.missing.clone(),
        lost: gaps.lost,
    });
    let own = seat.as_ref().map(|seat| seat.me.key());
    let group_members =
        seat.as_ref().map(|seat| seat.group.members()).transpose()?.unwrap_or_default();
    let members = group_members
        .iter()
        .map(|member| CaseMember {
            name: name_of(&member.party),
            unit: match &member.party {
                Party::Device(device) => Some(device.unit.id.clone()),
                _ => None,
            },
            own: Some(member.key) == own,
            lapsed: member.lapsed(work.now),
        })
        .collect();
    let terms = terms_of(case)?;
    let mut messages = Vec::new();
    for number in 1..=case.messages {
        if let Some(record) = records::load(work.tx, &message_key(&case.id, number))? {
            messages.push(message(&record));
        }
    }
    Ok(CaseView {
        members,
        epoch: seat.as_ref().map_or(0, |seat| seat.group.epoch()),
        safety_words: verify::words(work, case, &group_members)?,
        words_compared: case.words_compared,
        key_changed: verify::changed_at(work, case)?,
        agreed: terms.agreed().map(View::of_terms),
        pending: seat.map(|seat| pending(&seat, &terms)).transpose()?.unwrap_or_default(),
        messages,
        missing: missing.collect(),
        duplicates: state.duplicates,
        withheld_since: Some(state.withheld_since).filter(|since| *since > 0),
        summary,
    })
}

fn pending(seat: &Seat, terms: &TermsState) -> Result<Vec<PendingTerms>, Error> {
    let own = crate::channel::send::own_side(seat, terms.leg())?;
    let lines = terms.pending().map(|(hash, terms, by)| PendingTerms {
        hash: data_encoding::HEXLOWER.encode(hash.as_bytes()),
        ours: Some(by) == own,
        view: View::of_terms(terms),
    });
    Ok(lines.collect())
}

fn message(record: &MessageRecord) -> Message {
    let received = Received::open(record.content.clone()).ok();
    let view = received.as_ref().filter(|r| r.act().is_ok()).map(|r| View::of(r.content()));
    Message {
        number: record.number,
        from: record.from.clone(),
        progress: record.outgoing.then(|| progress(record)),
        at: record.at,
        kind: received.as_ref().map_or("unreadable", |received| received.kind().name()),
        view,
        refused: Some(record.refused.clone()).filter(|code| !code.is_empty()),
        quarantined: record.quarantined,
        nth: record.nth,
        late: record.late,
        content: record.content.clone(),
    }
}

fn progress(record: &MessageRecord) -> Progress {
    let has = |kind: wire::ReceiptKind| {
        let number = u32::try_from(i32::from(kind)).unwrap_or_default();
        record.receipts.contains(&number)
    };
    if has(wire::ReceiptKind::Refused) || has(wire::ReceiptKind::NotUnderstood) {
        Progress::Refused
    } else if has(wire::ReceiptKind::TakenOn) {
        Progress::TakenOn
    } else if has(wire::ReceiptKind::Delivered) || has(wire::ReceiptKind::Read) {
        Progress::OnTheirDevice
    } else if record.waiting == 0 {
        Progress::AtRelay
    } else {
        Progress::OnThisDevice
    }
}
