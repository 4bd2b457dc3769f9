//! What is said about an alert outside of its line: copies that were released to this team, people's answers to them,
//! alerts taken back.

use budstikke_case::alert::{
    AlertEvent, AlertState, Stage, open_ack, open_alert, open_contact, role_of,
};
use budstikke_case::officer::{ACK_DOMAIN, attested};
use budstikke_case::wire::{AckKind, Alert, AlertAck, AlertAckBody, Officer, Role};
use budstikke_case::{Act, CLOCK_SLACK_S, Leg, permit};
use budstikke_e2ee::cert::{UnitKind, VerifiedDevice};
use budstikke_e2ee::held::{self, Held, MAX_AGE_S, Word};
use budstikke_e2ee::keys::SigningKey;
use budstikke_e2ee::team::TeamMessage;
use prost::Message;

use super::copies::follow_up;
use super::reach::{forget_old_keys, sealed_to, secrets, usable_contact};
use super::signer;
use crate::channel::seat::case_roles;
use crate::client::Work;
use crate::directory;
use crate::dossier::keys::{Members, officer_of, sign_as};
use crate::dossier::{AlertView, Turned, files};
use crate::error::Error;
use crate::events::Event;
use crate::mission::{own_device, own_papers, team};
use crate::outbox::{Belongs, enqueue};
use crate::records::{self, CaseRecord, CopyRecord};
use crate::view::{by_name, short};

/// Copies of one mission's alerts that a device keeps; beyond them its oldest goes.
const MAX_COPIES: usize = 64;
/// Answers that may wait for their copy.
const MAX_ANSWERS: usize = 8;

/// Takes what came on a lane of copies.
pub(crate) fn take(work: &Work<'_>, sealed: &[u8]) -> Result<(), Error> {
    let signed = held::open(work.suite, sealed, &secrets(work)?)?;
    hear(work, &signed)
}

/// Takes a signed word, from the lane or from a colleague.
pub(crate) fn hear(work: &Work<'_>, signed: &[u8]) -> Result<(), Error> {
    // A certificate that is being renewed loses nothing that comes meanwhile.
    let own = own_papers(work)?;
    let held = held::verify(signed, &own.unit.root, work.now)?;
    directory::trust(work, &own.unit.root)?.check_device(&held.device)?;
    match &held.word {
        Word::Copy { alert, step, reply } => copy_came(work, &own, &held, (alert, *step, reply)),
        Word::Answer(ack) => answered(work, &own, &held, ack, signed),
        Word::TakenBack(alert) => taken_back(work, &held, alert, signed),
    }
}

fn copy_came(
    work: &Work<'_>,
    own: &VerifiedDevice,
    held: &Held,
    (alert, step, reply): (&[u8], u32, &[u8]),
) -> Result<(), Error> {
    may_raise(held)?;
    let alert = open_alert(alert)?;
    let steps = alert.escalation.as_ref().map(|it| it.steps.as_slice()).unwrap_or_default();
    let step = usize::try_from(step).ok().and_then(|step| steps.get(step));
    let turn = step.map(role_of).ok_or_else(|| odd("a copy of an alert names no step of it"))?;
    in_its_time(held, &alert)?;
    // It is for whoever's turn it is. Who is in the line has the alert, and its clock.
    let id = alert.alert_id.clone();
    if !line_roles(own).contains(&turn) || in_a_file(work, &id)? {
        return Ok(());
    }
    let known = records::load::<CopyRecord>(work.tx, &id)?;
    if known.as_ref().is_some_and(|copy| !copy.state.is_empty()) {
        // A second turn of the same person's.
        return Ok(());
    }
    let mut state = AlertState::new(alert);
    state.apply(&AlertEvent::Escalated, work.now)?;
    // Where no answer can go there still is an alert.
    let reply = open_contact(reply).ok().filter(|to| usable_contact(work, to).is_ok());
    let record = CopyRecord {
        state: state.to_bytes(),
        unit: held.device.unit.id.clone(),
        unit_name: held.device.unit.name.clone(),
        officer: held.device.label.clone(),
        reply: reply.map(|reply| reply.encode_to_vec()).unwrap_or_default(),
        told_of: work.now,
        received_at: work.now,
        answers: Vec::new(),
    };
    make_room(work, &record.unit)?;
    records::save(work.tx, &id, &record)?;
    // What overtook it; a word that does not hold is none.
    for word in known.iter().flat_map(|copy| &copy.answers) {
        match hear(work, word) {
            Err(error) if error.is_fatal() => return Err(error),
            _ => {}
        }
    }
    let record: CopyRecord = records::need(work.tx, &id)?;
    if AlertState::from_bytes(&record.state)?.waiting() {
        work.event(Event::AlertForYou { alert: short(&id) });
    }
    Ok(())
}

/// A person's answer, given outside of the line: to the side that raised the alert, or to colleagues.
fn answered(
    work: &Work<'_>,
    own: &VerifiedDevice,
    held: &Held,
    ack: &[u8],
    signed: &[u8],
) -> Result<(), Error> {
    let (ack, body) = open_ack(ack)?;
    let only = Members::one(&held.device, Leg::MissionMinistry);
    let by = attested(ack.by.as_ref(), ACK_DOMAIN, &ack.body, &only)?;
    let event = AlertEvent::Acked { ack: &body, by };
    let (unit, id) = (&held.device.unit.id, &body.alert_id);
    for (_, mut file) in files(work)? {
        let Some(kept) = file.alert_mut(id) else { continue };
        let line: CaseRecord = records::need(work.tx, &kept.case_id)?;
        let answers = if kept.ours { &line.peer_unit } else { &line.own_unit };
        if unit != answers {
            return Err(odd("an answer to an alert came from a unit that was not alerted"));
        }
        in_its_time(held, kept.state.alert())?;
        let before = kept.state.phase();
        let turned = kept.turn(&event, work.now)?;
        if kept.state.phase() != before {
            work.event(Event::AlertTaken { alert: short(id) });
        }
        file.save(work)?;
        return follow_up(work, &turned);
    }
    if unit != &own.unit.id {
        return Ok(());
    }
    let known = records::load::<CopyRecord>(work.tx, id)?;
    let Some(mut record) = known.filter(|record| !record.state.is_empty()) else {
        return keep_early(work, own, id, signed);
    };
    let mut state = AlertState::from_bytes(&record.state)?;
    in_its_time(held, state.alert())?;
    let before = state.phase();
    if state.apply(&event, work.now)? != before {
        work.event(Event::AlertTaken { alert: short(id) });
    }
    record.state = state.to_bytes();
    records::save(work.tx, id, &record)
}

fn taken_back(work: &Work<'_>, held: &Held, alert: &[u8; 16], signed: &[u8]) -> Result<(), Error> {
    may_raise(held)?;
    let known = records::load::<CopyRecord>(work.tx, alert)?;
    let Some(mut record) = known.filter(|record| !record.state.is_empty()) else {
        return keep_early(work, &own_papers(work)?, alert, signed);
    };
    if record.unit != held.device.unit.id {
        return Err(odd("an alert was taken back by a unit that did not raise it"));
    }
    let mut state = AlertState::from_bytes(&record.state)?;
    in_its_time(held, state.alert())?;
    state.apply(&AlertEvent::Cancelled, work.now)?;
    record.state = state.to_bytes();
    records::save(work.tx, alert, &record)?;
    work.event(Event::AlertTaken { alert: short(alert) });
    Ok(())
}

/// Keeps a word that came before its copy, where a copy may come at all.
fn keep_early(
    work: &Work<'_>,
    own: &VerifiedDevice,
    id: &[u8],
    signed: &[u8],
) -> Result<(), Error> {
    let turns = [Role::MinistryDutyOfficer, Role::MinistryDecisionMaker];
    if !line_roles(own).iter().any(|role| turns.contains(role)) || in_a_file(work, id)? {
        return Ok(());
    }
    let known = records::load::<CopyRecord>(work.tx, id)?;
    let mut record = known.unwrap_or_default();
    if record.received_at == 0 {
        make_room(work, "")?;
        record.received_at = work.now;
    }
    if record.answers.len() < MAX_ANSWERS {
        record.answers.push(signed.to_vec());
    }
    records::save(work.tx, id, &record)
}

/// Only what a mission's officer who may raise alerts says of them counts.
fn may_raise(held: &Held) -> Result<(), Error> {
    if held.device.unit.kind == UnitKind::MinistryDesk {
        return Err(odd("it is said of an alert by a desk; missions raise them"));
    }
    let roles = line_roles(&held.device);
    let refused = |role: &Role| permit(Act::RaiseAlert, Leg::MissionMinistry, *role).err();
    match roles.iter().map(refused).collect::<Option<Vec<_>>>() {
        Some(refusals) => {
            let none = || odd("it is said of an alert by a device without a role");
            Err(refusals.into_iter().next().map_or_else(none, Error::from))
        }
        None => Ok(()),
    }
}

/// Nothing is said of an alert before it was raised: a device whose certificate ended before that has no say.
fn in_its_time(held: &Held, alert: &Alert) -> Result<(), Error> {
    if held.made_at < alert.raised_at_s.saturating_sub(CLOCK_SLACK_S) {
        return Err(odd("it was said of an alert before that was raised"));
    }
    Ok(())
}

fn line_roles(device: &VerifiedDevice) -> Vec<Role> {
    case_roles(&device.roles, Leg::MissionMinistry)
}

fn in_a_file(work: &Work<'_>, id: &[u8]) -> Result<bool, Error> {
    Ok(files(work)?.iter().any(|(_, file)| file.has_alert(id)))
}

/// Answers a copy that came here, as a person: the side that raised it hears it, and the colleagues.
pub(crate) fn answer(
    work: &Work<'_>,
    id: &[u8],
    kind: AckKind,
    next_word_by_s: i64,
    note: &str,
) -> Result<(), Error> {
    let mut record: CopyRecord = records::need(work.tx, id)?;
    let mut state = AlertState::from_bytes(&record.state)?;
    let mut body = budstikke_case::alert::ack(state.alert(), kind, work.now, next_word_by_s);
    note.clone_into(&mut body.note);
    let device = own_device(work)?;
    let roles = line_roles(&device);
    let may = |role: &&Role| permit(Act::Acknowledge, Leg::MissionMinistry, **role).is_ok();
    let role = roles.iter().find(may).or(roles.first()).copied().unwrap_or_default();
    let (key, chain) = signer(work)?;
    let by = officer_of(&device, role);
    let ack = signed_ack(&body, &by, &key);
    let (_, body) = open_ack(&ack.encode_to_vec())?;
    let waited = state.waiting();
    state.apply(&AlertEvent::Acked { ack: &body, by: &by }, work.now)?;
    record.state = state.to_bytes();
    records::save(work.tx, id, &record)?;
    if let Ok(reply) = open_contact(&record.reply) {
        let signed = held::sign(&Word::Answer(ack.encode_to_vec()), &key, &chain, work.now);
        let (route, envelope) = sealed_to(work, &reply, &signed)?;
        enqueue(work, &[route], &envelope, Belongs::default(), false)?;
    } else {
        let what = "the mission cannot be answered here: use the way outside this program that stands in the alert";
        work.event(Event::Problem { what: what.to_owned() });
    }
    tell_colleagues(work, &body, &by)?;
    let (alert, waits) = (state.alert().clone(), state.waiting());
    follow_up(work, &Turned { alert, ours: false, waited, waits })
}

/// Tells colleagues who may have a copy who answered, without what was said to the other side.
pub(crate) fn tell_colleagues(
    work: &Work<'_>,
    body: &AlertAckBody,
    by: &Officer,
) -> Result<(), Error> {
    let (key, chain) = signer(work)?;
    let quiet = AlertAckBody { note: String::new(), ..body.clone() };
    let ack = signed_ack(&quiet, by, &key);
    let signed = held::sign(&Word::Answer(ack.encode_to_vec()), &key, &chain, work.now);
    match team::tell(work, &TeamMessage::HeldWord(signed)) {
        Err(error) if !error.is_fatal() => {
            let what = "colleagues could not be told here who answered an alert: tell them";
            work.event(Event::Problem { what: what.to_owned() });
            Ok(())
        }
        told => told,
    }
}

fn signed_ack(body: &AlertAckBody, by: &Officer, key: &SigningKey) -> AlertAck {
    let body = body.encode_to_vec();
    let by = Some(sign_as(by.clone(), key, ACK_DOMAIN, &body));
    AlertAck { body, by }
}

/// What the clocks of copies have brought; forgets what is too old to matter.
pub(crate) fn look(work: &Work<'_>) -> Result<(), Error> {
    forget_old_keys(work)?;
    for (id, record) in records::all::<CopyRecord>(work.tx)? {
        if record.received_at < work.now.saturating_sub(MAX_AGE_S) {
            records::remove::<CopyRecord>(work.tx, &id)?;
        }
    }
    for (id, mut record, mut state) in opened(work)? {
        let mut due =
            state.stages().into_iter().filter(|(at, _)| *at > record.told_of && *at <= work.now);
        let Some((at, last)) = due.next_back() else { continue };
        if last == Stage::Exhausted {
            state.apply(&AlertEvent::Exhausted, work.now)?;
            work.event(Event::AlertExhausted { alert: short(&id) });
        }
        record.told_of = at;
        record.state = state.to_bytes();
        records::save(work.tx, &id, &record)?;
    }
    Ok(())
}

/// The copies that came here, as people see them.
pub(crate) fn views(work: &Work<'_>) -> Result<Vec<AlertView>, Error> {
    let view = |(_, record, state): (Vec<u8>, CopyRecord, AlertState)| AlertView {
        raised_by: Some((record.unit_name.clone(), record.officer.clone())),
        ..AlertView::of(&state, work.now)
    };
    Ok(opened(work)?.into_iter().map(view).collect())
}

/// The times at which copies' clocks bring something.
pub(crate) fn times(work: &Work<'_>) -> Result<Vec<i64>, Error> {
    let stages = opened(work)?.into_iter().flat_map(|(_, _, state)| state.stages());
    Ok(stages.map(|(at, _)| at).collect())
}

/// The id of the copy whose short name begins so, if only one does.
pub(crate) fn find(work: &Work<'_>, name: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(by_name(opened(work)?.into_iter().map(|(id, _, _)| (id.clone(), id)), name))
}

/// The copies that have come. One that does not read is as good as none.
fn opened(work: &Work<'_>) -> Result<Vec<(Vec<u8>, CopyRecord, AlertState)>, Error> {
    let all = records::all::<CopyRecord>(work.tx)?.into_iter();
    let open = |(id, record): (Vec<u8>, CopyRecord)| {
        let state = AlertState::from_bytes(&record.state).ok()?;
        Some((id, record, state))
    };
    Ok(all.filter(|(_, record)| !record.state.is_empty()).filter_map(open).collect())
}

/// Bounds what a unit that may leave copies can make this device keep, at no cost to what others left. What is over goes
/// first.
fn make_room(work: &Work<'_>, unit: &str) -> Result<(), Error> {
    let mut all = records::all::<CopyRecord>(work.tx)?;
    all.retain(|(_, record)| record.unit == unit);
    let surplus = (all.len() + 1).saturating_sub(MAX_COPIES);
    let waits = |record: &CopyRecord| {
        AlertState::from_bytes(&record.state).is_ok_and(|state| state.waiting())
    };
    all.sort_by_key(|(_, record)| (waits(record), record.received_at));
    for (id, _) in all.into_iter().take(surplus) {
        records::remove::<CopyRecord>(work.tx, &id)?;
    }
    Ok(())
}

fn odd(why: &str) -> Error {
    Error::Input { what: "a word about an alert", why: why.to_owned() }
}
