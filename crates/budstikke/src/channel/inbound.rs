//! Taking in cells: which lane, which envelope, which group; one transaction for each cell.

use budstikke_e2ee::checks::Check;
use budstikke_e2ee::contact::{ContactError, FirstContact, IntakeSecret, TermsAnswer};
use budstikke_e2ee::envelope::{Envelope, Nudge};
use budstikke_e2ee::group::{Finding, Group, GroupError, Inbound, KeyPackage};
use budstikke_e2ee::keys::HpkeSecret;
use budstikke_e2ee::routes::RouteNews;
use budstikke_proto::cell::{self, Fragment, Opened, SealKey};

use super::commit::want_update;
use super::content;
use super::seat::Seat;
use crate::approach;
use crate::client::Work;
use crate::error::Error;
use crate::escalation::words;
use crate::events::Event;
use crate::mission::contacts::emergency_in;
use crate::mission::{assign, enrol, rotate, team};
use crate::outbox::{Belongs, enqueue};
use crate::posts::usable;
use crate::records::{
    self, CaseRecord, ContactRecord, Deferred, FragmentRecord, IntakeKeyRecord, Lane, LaneUse,
    Post, Record, fixed,
};
use crate::recovery::freeze::freeze;
use crate::recovery::{FreezeReason, again, receipts, transcript};
use crate::relay::ReceivedCell;
use crate::view::contact_name;

/// Envelopes of one lane of which only a part has come; beyond that the oldest is given up.
const MAX_PARTIAL: usize = 16;
/// Messages that a first contact may bring beside the emergency form: ours brings one.
const MAX_EXTRA: usize = 8;
/// Messages of later epochs that one group may keep waiting.
const MAX_DEFERRED: usize = 256;
/// How long a part waits for the rest, and a message for its epoch: 30 days.
const PATIENCE_S: i64 = 30 * 86_400;

/// Takes one cell of a mailbox, and moves the cursor past it.
pub(crate) fn take(work: &Work<'_>, post_key: &[u8], cell: &ReceivedCell) -> Result<(), Error> {
    let mut post: Post = records::need(work.tx, post_key)?;
    if cell.seq <= post.cursor {
        return Ok(());
    }
    post.cursor = cell.seq;
    records::save(work.tx, post_key, &post)?;
    let Some(lane) = records::load::<Lane>(work.tx, cell.label.as_bytes())? else {
        // A colleague's case: its lane is not on this device.
        return Ok(());
    };
    let key = SealKey::from_bytes(fixed(&lane.seal_key, Lane::NAME)?);
    let Opened::Fragment(fragment) = cell::open(&cell.cell, &key)? else { return Ok(()) };
    if !lane.replaces.is_empty() {
        rotate::first_cell(work, &lane)?;
    }
    let Some(envelope) = join(work, &lane, fragment)? else { return Ok(()) };
    dispatch(work, &lane, Envelope::from_bytes(&envelope)?)
}

/// Moves the cursor past a cell that could not be taken, and says so.
pub(crate) fn skip(
    work: &Work<'_>,
    post_key: &[u8],
    seq: u64,
    label: &[u8],
    error: &Error,
) -> Result<(), Error> {
    let mut post: Post = records::need(work.tx, post_key)?;
    post.cursor = post.cursor.max(seq);
    records::save(work.tx, post_key, &post)?;
    work.event(Event::Problem { what: error.to_string() });
    let Some(lane) = records::load::<Lane>(work.tx, label)? else { return Ok(()) };
    match records::load::<CaseRecord>(work.tx, &lane.case_id)? {
        Some(case) => show_receipts(work, &case.group_id, error),
        None => Ok(()),
    }
}

/// Whether an error is about the cell, so that the next one can be taken, and not about this device.
pub(crate) fn is_about_the_cell(error: &Error) -> bool {
    match error {
        error if error.is_fatal() => false,
        Error::Group(error) => !matches!(
            error.downcast_ref::<GroupError>(),
            Some(GroupError::Store(_) | GroupError::Library(_))
        ),
        _ => true,
    }
}

/// The whole envelope, once its last fragment is there.
fn join(work: &Work<'_>, lane: &Lane, fragment: Fragment) -> Result<Option<Vec<u8>>, Error> {
    if fragment.count == 1 {
        return Ok(Some(fragment.body));
    }
    if lane.used_for == i32::from(LaneUse::FrontDoor) {
        return Err(Error::Input {
            what: "a first contact",
            why: "it is larger than one cell; it was dropped".to_owned(),
        });
    }
    let name = [lane.label.as_slice(), &fragment.envelope].concat();
    let key = |index: u32| [name.as_slice(), &index.to_be_bytes()].concat();
    let record = FragmentRecord {
        index: fragment.index.into(),
        count: fragment.count.into(),
        body: fragment.body,
        received_at: work.now,
    };
    records::save(work.tx, &key(record.index), &record)?;
    let mut envelope = Vec::new();
    for index in 0..record.count {
        match records::load::<FragmentRecord>(work.tx, &key(index))? {
            Some(part) if part.count == record.count => envelope.extend_from_slice(&part.body),
            _ => {
                forget_old_parts(work, &lane.label, &name)?;
                return Ok(None);
            }
        }
    }
    for index in 0..record.count {
        records::remove::<FragmentRecord>(work.tx, &key(index))?;
    }
    Ok(Some(envelope))
}

/// Bounds what a sender of first halves can make this device keep, lane by lane, so that none costs another its own.
fn forget_old_parts(work: &Work<'_>, label: &[u8], current: &[u8]) -> Result<(), Error> {
    let parts = records::all::<FragmentRecord>(work.tx)?;
    let name = |key: &[u8]| key.get(..key.len().saturating_sub(4)).unwrap_or_default().to_vec();
    let mut names: Vec<Vec<u8>> = Vec::new();
    for (key, _) in parts.iter().filter(|(key, _)| key.starts_with(label)) {
        let name = name(key);
        if name != current && !names.contains(&name) {
            names.push(name);
        }
    }
    let surplus = (names.len() + 1).saturating_sub(MAX_PARTIAL);
    names.truncate(surplus);
    for (key, part) in &parts {
        let old = part.received_at < work.now.saturating_sub(PATIENCE_S);
        if old || names.contains(&name(key)) {
            records::remove::<FragmentRecord>(work.tx, key)?;
        }
    }
    Ok(())
}

fn dispatch(work: &Work<'_>, lane: &Lane, envelope: Envelope) -> Result<(), Error> {
    let used_for = LaneUse::try_from(lane.used_for).unwrap_or(LaneUse::Unspecified);
    match (used_for, envelope) {
        (LaneUse::FrontDoor, Envelope::FirstContact(sealed)) => first_contact(work, lane, &sealed),
        (LaneUse::Team | LaneUse::Peer, Envelope::Mls(message)) => {
            let group_id = Group::named_by(&message).ok_or_else(no_message)?;
            let Some(seat) = spoken_of(work, lane, &group_id)? else { return Ok(()) };
            if ahead(work, seat, &message)? { defer(work, &group_id, &message) } else { Ok(()) }
        }
        (LaneUse::Team | LaneUse::Peer, Envelope::Nudge(nudge)) => {
            let seat = spoken_of(work, lane, &nudge.group_id)?;
            let Some(mut seat) = seat else { return Ok(()) };
            receipts::compare(work, &mut seat, &nudge.receipts)?;
            look_again(work, &nudge.group_id)
        }
        (LaneUse::Team | LaneUse::Peer, Envelope::Again(signed)) => {
            again::heard(work, lane, &signed)
        }
        (LaneUse::Team | LaneUse::Peer, Envelope::Welcome(body)) if body.again.is_some() => {
            body.again.as_ref().map_or(Ok(()), |case| again::welcomed(work, lane, &body, case))
        }
        (LaneUse::Team, Envelope::Welcome(body)) => assign::welcomed(work, &body),
        (LaneUse::Team, Envelope::KeyPackage(package)) => team::asked_to_join(work, package),
        (LaneUse::Held, Envelope::Held(sealed)) => words::take(work, &sealed),
        (LaneUse::Join, Envelope::JoinAsk { ask, reply }) => enrol::asked(work, lane, ask, &reply),
        (LaneUse::Join, Envelope::JoinAnswer { enrolment, refused }) => {
            enrol::answered(work, &enrolment, refused)
        }
        (LaneUse::Peer, Envelope::Welcome(body)) => approach::welcomed(work, lane, &body),
        (_, Envelope::Unknown { .. }) => {
            let what = "a message of a newer version came; update this program to read it";
            work.event(Event::Problem { what: what.to_owned() });
            Ok(())
        }
        _ => {
            let what = "something came that does not belong where it came; it was dropped";
            work.event(Event::Problem { what: what.to_owned() });
            Ok(())
        }
    }
}

/// The group that a lane speaks of, if it may: a correspondent's of the one case, the team's of the team and of its
/// cases. Somebody else's group is no error on the shared lane: it is a colleague's case.
fn spoken_of(work: &Work<'_>, lane: &Lane, group_id: &[u8]) -> Result<Option<Seat>, Error> {
    let Some(seat) = Seat::of_group(work, group_id)? else { return Ok(None) };
    let own_case = seat.case.as_ref().is_some_and(|case| case.id == lane.case_id);
    if lane.used_for == i32::from(LaneUse::Peer) && !own_case {
        return Err(Error::Input {
            what: "a message",
            why: "it came on the lane of another case; it was dropped".to_owned(),
        });
    }
    Ok(Some(seat))
}

fn no_message() -> Error {
    Error::Input {
        what: "a message",
        why: "it is no private message of a group; it was dropped".to_owned(),
    }
}

/// Takes an MLS message into its group, unless its epoch is still ahead: then true. An error rolls the step back, and
/// with it the use of the message's key.
fn ahead(work: &Work<'_>, mut seat: Seat, message: &[u8]) -> Result<bool, Error> {
    let accepted = seat.accepted_terms()?;
    let taken = seat.group.process(&work.env(), message, accepted)?;
    let heard = matches!(taken, Inbound::Application(_));
    if heard && seat.group.needs_update(work.now, false).is_some() {
        // Whoever only reads heals too.
        want_update(work, seat.group.id())?;
    }
    match taken {
        Inbound::Application(application) if seat.case.is_none() => team::take(work, &application)?,
        Inbound::Application(application) => {
            let told: Vec<_> = application.receipt.iter().cloned().collect();
            receipts::compare(work, &mut seat, &told)?;
            let forked = [Finding::Forked, Finding::OtherEpoch];
            if forked.iter().any(|finding| application.findings.contains(finding)) {
                freeze(work, &mut seat, FreezeReason::HistoryForked)?;
            }
            if RouteNews::is_it(&application.content) {
                if let Some(case) = &seat.case {
                    transcript::take(work, &case.id, &application)?;
                }
                content::tell_findings(work, &application);
                rotate::news_came(work, seat, &application)?;
            } else {
                content::take(work, seat, &application)?;
            }
        }
        Inbound::Duplicate => {
            if let Some(case) = &seat.case {
                transcript::duplicate(work, &case.id)?;
            }
        }
        Inbound::FutureEpoch { .. } => return Ok(true),
        Inbound::Stale { .. } => {
            let what = "a message came too late to be opened; ask its sender to repeat it";
            work.event(Event::Problem { what: what.to_owned() });
        }
        Inbound::Rejected(rejection) => return Err(GroupError::from(rejection).into()),
        // Commits count only in their slot. Had this one's key been used up here, it would not open there, and
        // whoever sent it here could part this device from the group.
        Inbound::Commit(_) => {
            return Err(Error::Input {
                what: "a change of a group",
                why: "it came outside of the group's slot; it was dropped".to_owned(),
            });
        }
        // Own messages and repeats say nothing new.
        _ => {}
    }
    Ok(false)
}

/// What came could not be opened. It may be of the other side of a fork: what the relay has signed for each side tells,
/// so the other members are shown, now and then, what it has signed here; outside of the group's keys, which a fork
/// would close to them.
pub(crate) fn show_receipts(work: &Work<'_>, group_id: &[u8], error: &Error) -> Result<(), Error> {
    let Error::Group(inner) = error else { return Ok(()) };
    let Some(GroupError::Rejected(rejection)) = inner.downcast_ref() else { return Ok(()) };
    if rejection.check != Check::Authentic {
        return Ok(());
    }
    let Some(seat) = Seat::of_group(work, group_id)? else { return Ok(()) };
    let group_id = group_id.to_vec();
    if !receipts::may_show(work, &group_id)? {
        return Ok(());
    }
    let (receipts, epoch) = (receipts::latest(work, &group_id)?, seat.group.epoch());
    let envelope = Envelope::Nudge(Nudge { group_id, epoch, receipts }).to_bytes();
    enqueue(work, &seat.audience(work)?, &envelope, Belongs::default(), false)?;
    Ok(())
}

/// How many messages of a group wait for its changes, and since when.
pub(crate) fn behind(work: &Work<'_>, group_id: &[u8]) -> Result<Option<(usize, i64)>, Error> {
    let mut found: Option<(usize, i64)> = None;
    for row in work.tx.list_after(Deferred::KIND, 0, usize::MAX)? {
        let deferred = read_deferred(&row.value)?;
        if deferred.group_id == group_id && !deferred.message.is_empty() {
            let (count, since) = found.unwrap_or((0, i64::MAX));
            found = Some((count.saturating_add(1), since.min(deferred.received_at)));
        }
    }
    Ok(found)
}

/// Keeps a message until its epoch is reached. Nothing vouches for it before, so there is a bound.
fn defer(work: &Work<'_>, group_id: &[u8], message: &[u8]) -> Result<(), Error> {
    if deferred_for(work, group_id)?.len() >= MAX_DEFERRED {
        return Err(Error::Input {
            what: "a message",
            why: "too many wait for changes of their group that have not come; it was dropped"
                .to_owned(),
        });
    }
    keep(work, group_id, message)
}

/// Notes that a group's slot is worth a look: an empty deferred message, at most one.
pub(crate) fn look_again(work: &Work<'_>, group_id: &[u8]) -> Result<(), Error> {
    if waiting(work, group_id, true)?.is_empty() { keep(work, group_id, &[]) } else { Ok(()) }
}

/// The group's slot has been looked at.
pub(crate) fn looked(work: &Work<'_>, group_id: &[u8]) -> Result<(), Error> {
    for seq in waiting(work, group_id, true)? {
        work.tx.delete_seq(Deferred::KIND, seq)?;
    }
    Ok(())
}

fn keep(work: &Work<'_>, group_id: &[u8], message: &[u8]) -> Result<(), Error> {
    let deferred =
        Deferred { group_id: group_id.to_vec(), message: message.to_vec(), received_at: work.now };
    let bytes = prost::Message::encode_to_vec(&deferred);
    work.tx.append(Deferred::KIND, &bytes)?;
    Ok(())
}

/// Sequence numbers of the messages that were deferred for a group.
pub(crate) fn deferred_for(work: &Work<'_>, group_id: &[u8]) -> Result<Vec<u64>, Error> {
    waiting(work, group_id, false)
}

fn waiting(work: &Work<'_>, group_id: &[u8], nudges: bool) -> Result<Vec<u64>, Error> {
    let mut seqs = Vec::new();
    for row in work.tx.list_after(Deferred::KIND, 0, usize::MAX)? {
        let deferred = read_deferred(&row.value)?;
        if deferred.group_id == group_id && deferred.message.is_empty() == nudges {
            seqs.push(row.seq);
        }
    }
    Ok(seqs)
}

/// Tries one deferred message once more; it stays where it is if its epoch is still ahead.
pub(crate) fn retry_deferred(work: &Work<'_>, seq: u64) -> Result<(), Error> {
    let rows = work.tx.list_after(Deferred::KIND, seq.saturating_sub(1), 1)?;
    let Some(row) = rows.into_iter().find(|row| row.seq == seq) else { return Ok(()) };
    let deferred = read_deferred(&row.value)?;
    let too_old = deferred.received_at < work.now.saturating_sub(PATIENCE_S);
    let seat = if too_old { None } else { Seat::of_group(work, &deferred.group_id)? };
    if let Some(seat) = seat
        && ahead(work, seat, &deferred.message)?
    {
        return Ok(());
    }
    work.tx.delete_seq(Deferred::KIND, seq)?;
    Ok(())
}

pub(crate) fn read_deferred(bytes: &[u8]) -> Result<Deferred, Error> {
    prost::Message::decode(bytes).map_err(|_| Error::Damaged { what: Deferred::NAME })
}

/// Opens a first contact with the intake keys of the last days; the same one twice is one.
fn first_contact(work: &Work<'_>, lane: &Lane, sealed: &[u8]) -> Result<(), Error> {
    let mut keys = Vec::new();
    for (_, key) in records::all::<IntakeKeyRecord>(work.tx)? {
        let secret = HpkeSecret::from_seed(work.suite, &fixed(&key.seed, "an intake key")?)?;
        keys.push(IntakeSecret { id: fixed(&key.id, "an intake key")?, secret });
    }
    let (contact, id) = FirstContact::open(work.suite, sealed, &keys)?;
    if records::load::<ContactRecord>(work.tx, &id)?.is_some() {
        return Ok(());
    }
    usable(work, &contact.reply)?;
    // What no group would take is no contact: an officer could answer it and get no further.
    KeyPackage::parse(&work.env(), &contact.key_package).map_err(GroupError::from)?;
    if contact.extra.len() > MAX_EXTRA {
        return Err(ContactError::Contents.into());
    }
    let emergency = contact.emergency.as_deref().and_then(emergency_in).is_some();
    let (accepted, counter) = match &contact.terms {
        TermsAnswer::Accepted(hash) => (hash.to_vec(), Vec::new()),
        TermsAnswer::Counter(bytes) => (Vec::new(), bytes.clone()),
    };
    let record = ContactRecord {
        id: id.to_vec(),
        received_at: work.now,
        state: 0,
        key_package: contact.key_package.clone(),
        reply: contact.reply.iter().map(|route| route.to_bytes().to_vec()).collect(),
        accepted,
        counter,
        emergency: contact.emergency.clone().unwrap_or_default(),
        extra: contact.extra.clone(),
        case_id: Vec::new(),
        lane: Vec::new(),
        answer: Vec::new(),
        relay: lane.relay.clone(),
    };
    records::save(work.tx, &id, &record)?;
    work.event(Event::ContactArrived { contact: contact_name(&id), emergency });
    Ok(())
}
