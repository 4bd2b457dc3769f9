//! What is said about an alert outside of its line: copies that were released to this team, people's answers to them,
//! alerts taken back.

use budstikke_case::alert::{AlertEvent, AlertPhase, AlertState, Stage, open_ack, open_alert};
use budstikke_case::alert::{open_contact, role_of};
use budstikke_case::officer::{ACK_DOMAIN, attested};
use budstikke_case::wire::{AckKind, AlertAck, EscalationContact};
use budstikke_case::{Act, Leg, permit};
use budstikke_e2ee::cert::UnitKind;
use budstikke_e2ee::held::{self, Held, MAX_AGE_S, Word};
use budstikke_e2ee::team::TeamMessage;
use prost::Message;

use super::copies::call_off;
use super::reach::{forget_old_keys, sealed_to, secrets};
use super::signer;
use crate::channel::seat::case_roles;
use crate::client::Work;
use crate::dossier::keys::{Members, officer_of, sign_as};
use crate::dossier::{AlertView, files};
use crate::error::Error;
use crate::events::Event;
use crate::mission::{own_device, team};
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
    let own = own_device(work)?;
    let held = held::verify(signed, &own.unit.root, work.now)?;
    match &held.word {
        Word::Copy { alert, step, reply } => copy_came(work, &held, alert, *step, reply),
        Word::Answer(ack) => answered(work, &held, ack, signed),
        Word::TakenBack(alert) => taken_back(work, &held, alert),
    }
}

fn copy_came(
    work: &Work<'_>,
    held: &Held,
    alert: &[u8],
    step: u32,
    reply: &[u8],
) -> Result<(), Error> {
    if held.device.unit.kind == UnitKind::MinistryDesk {
        return Err(odd("a copy of an alert came from a desk; missions raise them"));
    }
    let alert = open_alert(alert)?;
    open_contact(reply)?;
    let steps = alert.escalation.as_ref().map(|it| it.steps.as_slice()).unwrap_or_default();
    let step = usize::try_from(step).ok().and_then(|step| steps.get(step));
    let turn = step.map(role_of).ok_or_else(|| odd("a copy of an alert names no step of it"))?;
    // It is for whoever's turn it is. Who is in the line has the alert, and its clock.
    let mine = case_roles(&own_device(work)?.roles, Leg::MissionMinistry).contains(&turn);
    let here = files(work)?.iter().any(|(_, file)| file.has_alert(&alert.alert_id));
    if !mine || here {
        return Ok(());
    }
    let id = alert.alert_id.clone();
    let known = records::load::<CopyRecord>(work.tx, &id)?;
    if known.as_ref().is_some_and(|copy| !copy.state.is_empty()) {
        // A second turn of the same person's.
        return Ok(());
    }
    let mut state = AlertState::new(alert);
    state.apply(&AlertEvent::Escalated, work.now)?;
    let record = CopyRecord {
        state: state.to_bytes(),
        unit: held.device.unit.id.clone(),
        unit_name: held.device.unit.name.clone(),
        officer: held.device.label.clone(),
        reply: reply.to_vec(),
        told_of: work.now,
        received_at: work.now,
        answers: Vec::new(),
    };
    make_room(work, &record.unit)?;
    records::save(work.tx, &id, &record)?;
    // A colleague's answer may have overtaken it.
    for word in known.iter().flat_map(|copy| &copy.answers) {
        hear(work, word)?;
    }
    let record: CopyRecord = records::need(work.tx, &id)?;
    if AlertState::from_bytes(&record.state)?.waiting() {
        work.event(Event::AlertForYou { alert: short(&id) });
    }
    Ok(())
}

/// A person's answer, given outside of the line: to the side that raised the alert, or to colleagues.
fn answered(work: &Work<'_>, held: &Held, ack: &[u8], signed: &[u8]) -> Result<(), Error> {
    let (ack, body) = open_ack(ack)?;
    let only = Members::one(&held.device, Leg::MissionMinistry);
    let by = attested(ack.by.as_ref(), ACK_DOMAIN, &ack.body, &only)?;
    let event = AlertEvent::Acked { ack: &body, by };
    let unit = &held.device.unit.id;
    let alert = short(&body.alert_id);
    for (_, mut file) in files(work)? {
        let Some(kept) = file.alert_mut(&body.alert_id) else { continue };
        let line: CaseRecord = records::need(work.tx, &kept.case_id)?;
        let answers = if kept.ours { &line.peer_unit } else { &line.own_unit };
        if unit != answers {
            return Err(odd("an answer to an alert came from a unit that was not alerted"));
        }
        let before = kept.state.phase();
        let phase = kept.state.apply(&event, work.now)?;
        let about = kept.state.alert().clone();
        file.save(work)?;
        if phase != before {
            work.event(Event::AlertTaken { alert });
        }
        return if kept_from_others(phase) { call_off(work, &about) } else { Ok(()) };
    }
    if unit != &own_device(work)?.unit.id {
        return Ok(());
    }
    let known = records::load::<CopyRecord>(work.tx, &body.alert_id)?;
    let mut record = known.unwrap_or_default();
    if record.received_at == 0 {
        make_room(work, "")?;
        record.received_at = work.now;
    }
    if record.state.is_empty() {
        if record.answers.len() < MAX_ANSWERS {
            record.answers.push(signed.to_vec());
        }
    } else {
        let mut state = AlertState::from_bytes(&record.state)?;
        let before = state.phase();
        if state.apply(&event, work.now)? != before {
            work.event(Event::AlertTaken { alert });
        }
        record.state = state.to_bytes();
    }
    records::save(work.tx, &body.alert_id, &record)
}

fn taken_back(work: &Work<'_>, held: &Held, alert: &[u8; 16]) -> Result<(), Error> {
    let Some(mut record) = records::load::<CopyRecord>(work.tx, alert)? else { return Ok(()) };
    if record.state.is_empty() || record.unit != held.device.unit.id {
        return Ok(());
    }
    let mut state = AlertState::from_bytes(&record.state)?;
    state.apply(&AlertEvent::Cancelled, work.now)?;
    record.state = state.to_bytes();
    records::save(work.tx, alert, &record)?;
    work.event(Event::AlertTaken { alert: short(alert) });
    Ok(())
}

/// Whether somebody has it, or nobody need have it any more.
pub(crate) fn kept_from_others(phase: AlertPhase) -> bool {
    use AlertPhase::{Acked, Cancelled, Done, InHand};
    matches!(phase, Acked | InHand | Done | Cancelled)
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
    let alert = state.alert().clone();
    let mut body = budstikke_case::alert::ack(&alert, kind, work.now, next_word_by_s);
    note.clone_into(&mut body.note);
    let device = own_device(work)?;
    let roles = case_roles(&device.roles, Leg::MissionMinistry);
    let may = |role: &&_| permit(Act::Acknowledge, Leg::MissionMinistry, **role).is_ok();
    let role = roles.iter().find(may).or(roles.first()).copied().unwrap_or_default();
    let (key, chain) = signer(work)?;
    let body = body.encode_to_vec();
    let by = Some(sign_as(officer_of(&device, role), &key, ACK_DOMAIN, &body));
    let ack = AlertAck { body, by };
    let (checked, body) = open_ack(&ack.encode_to_vec())?;
    let by = attested(
        checked.by.as_ref(),
        ACK_DOMAIN,
        &checked.body,
        &Members::one(&device, Leg::MissionMinistry),
    )?;
    let phase = state.apply(&AlertEvent::Acked { ack: &body, by }, work.now)?;
    record.state = state.to_bytes();
    let signed = held::sign(&Word::Answer(ack.encode_to_vec()), &key, &chain, work.now);
    let reply: EscalationContact = open_contact(&record.reply)?;
    let (route, envelope) = sealed_to(work, &reply, &signed)?;
    enqueue(work, &[route], &envelope, Belongs::default(), false)?;
    team::tell(work, &TeamMessage::HeldWord(signed))?;
    if kept_from_others(phase) {
        call_off(work, &alert)?;
    }
    records::save(work.tx, id, &record)
}

/// Tells colleagues who may have a copy what was answered in the line.
pub(crate) fn tell_colleagues(work: &Work<'_>, ack: &AlertAck) -> Result<(), Error> {
    let (key, chain) = signer(work)?;
    let signed = held::sign(&Word::Answer(ack.encode_to_vec()), &key, &chain, work.now);
    team::tell(work, &TeamMessage::HeldWord(signed))
}

/// What the clocks of copies have brought; forgets what is too old to matter.
pub(crate) fn look(work: &Work<'_>) -> Result<(), Error> {
    forget_old_keys(work)?;
    for (id, mut record) in records::all::<CopyRecord>(work.tx)? {
        if record.received_at < work.now.saturating_sub(MAX_AGE_S) {
            records::remove::<CopyRecord>(work.tx, &id)?;
            continue;
        }
        if record.state.is_empty() {
            continue;
        }
        let mut state = AlertState::from_bytes(&record.state)?;
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
    let mut views = Vec::new();
    for (_, record) in opened(work)? {
        let state = AlertState::from_bytes(&record.state)?;
        let view = AlertView {
            raised_by: Some((record.unit_name.clone(), record.officer.clone())),
            ..AlertView::of(&state, work.now)
        };
        views.push(view);
    }
    Ok(views)
}

/// The times at which copies' clocks bring something.
pub(crate) fn times(work: &Work<'_>) -> Result<Vec<i64>, Error> {
    let mut times = Vec::new();
    for (_, record) in opened(work)? {
        times.extend(AlertState::from_bytes(&record.state)?.stages().into_iter().map(|(at, _)| at));
    }
    Ok(times)
}

/// The id of the copy whose short name begins so, if only one does.
pub(crate) fn find(work: &Work<'_>, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let ids = opened(work)?.into_iter().map(|(id, _)| (id.clone(), id));
    Ok(by_name(ids, name))
}

fn opened(work: &Work<'_>) -> Result<Vec<(Vec<u8>, CopyRecord)>, Error> {
    let all = records::all::<CopyRecord>(work.tx)?;
    Ok(all.into_iter().filter(|(_, record)| !record.state.is_empty()).collect())
}

/// Bounds what a unit that may leave copies can make this device keep, at no cost to what others left.
fn make_room(work: &Work<'_>, unit: &str) -> Result<(), Error> {
    let mut all = records::all::<CopyRecord>(work.tx)?;
    all.retain(|(_, record)| record.unit == unit);
    let surplus = (all.len() + 1).saturating_sub(MAX_COPIES);
    for (id, _) in all.into_iter().take(surplus) {
        records::remove::<CopyRecord>(work.tx, &id)?;
    }
    Ok(())
}

fn odd(why: &str) -> Error {
    Error::Input { what: "a word about an alert", why: why.to_owned() }
}
