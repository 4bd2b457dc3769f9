//! What the leaver knows of a case, for the device that has accepted it: notes, and the file with consents, acts and
//! alerts. Sealed to that device; the team's mailbox is read by everybody.

use budstikke_case::action::{ActionEvent, ActionPhase};
use budstikke_case::alert::AlertPhase;
use budstikke_case::handover::{Handed, HandoverState};
use budstikke_case::wire::{
    ActionStep, ActionUpdate, HandedCase, Handover, InFlight, InFlightKind, Officer, Purpose,
};
use budstikke_case::{Body, Draft, Leg, Received, validate};
use budstikke_e2ee::group::Member;
use budstikke_e2ee::keys::{HpkePublic, HpkeSecret, VerifyingKey};
use budstikke_e2ee::note;
use budstikke_e2ee::team::TeamMessage;
use prost::Message;
use zeroize::Zeroizing;

use super::steps::{notes_key, own_officer};
use crate::channel::content::role_of;
use crate::channel::send::{SendOptions, post};
use crate::client::Work;
use crate::dossier::{Dossier, KeptAlert, line_seat};
use crate::error::Error;
use crate::events::Event;
use crate::mission::{own_device, team};
use crate::random::fresh;
use crate::records::{
    self, CaseRecord, DossierRecord, HandedRecord, HandoverRecord, HandoverSecret, fixed,
};
use crate::view::short;

const NOTE: &str = "handover";

/// A part of what is given.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Given {
    #[prost(bytes = "vec", tag = "1")]
    case_id: Vec<u8>,
    /// An encoded case `Content` with the notes, in the first part.
    #[prost(bytes = "vec", tag = "2")]
    content: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    file: Option<DossierRecord>,
}

/// Gives one case to its next officer, from the device that began the hand-over.
pub(super) fn give(
    work: &Work<'_>,
    state: &HandoverState,
    case: &Handed,
    to: &Officer,
    public_key: &[u8],
) -> Result<(), Error> {
    let own = own_officer(work)?;
    if state.by().key != own.key || to.key == own.key {
        return Ok(());
    }
    let Some(record) = records::load::<CaseRecord>(work.tx, &case.case_id)? else { return Ok(()) };
    let key = notes_key(state, &case.case_id);
    let notes = records::load::<HandedRecord>(work.tx, &key)?.unwrap_or_default();
    let mut handed = HandedCase::decode(notes.case.as_slice()).unwrap_or_default();
    handed.case_id.clone_from(&case.case_id);
    handed.in_flight = in_flight(&Dossier::of(work, &record)?, work.now);
    hand_acts_over(work, &record, to)?;
    let handover = Handover {
        handover_id: state.id().to_vec(),
        from: Some(state.from().clone()),
        to: Some(to.clone()),
        last_day_s: state.last_day_s(),
        cases: vec![handed.clone()],
    };
    let role = budstikke_case::Role::try_from(own.role).unwrap_or_default();
    let content = Draft::new(Leg::MissionTeam, role, fresh::<16>(), work.now)
        .purpose(Purpose::Protection)
        .build(handover)?;
    let public = HpkePublic::from_bytes(work.suite, public_key)?;
    let mut content = content.bytes;
    for part in Dossier::parts(work, &case.case_id)? {
        let case_id = case.case_id.clone();
        let given = Given { case_id, content: std::mem::take(&mut content), file: Some(part) };
        let plain = Zeroizing::new(given.encode_to_vec());
        let given = TeamMessage::HandoverFile {
            handover_id: fixed(state.id(), "the hand-over")?,
            device: VerifyingKey::from_bytes(&to.key)?,
            note: note::seal(work.suite, &public, NOTE, &plain)?,
        };
        team::tell(work, &given)?;
    }
    records::save(work.tx, &key, &HandedRecord { case: handed.encode_to_vec(), given: true })
}

/// What is on its way: acts that are not over, alerts that somebody waits for.
pub(super) fn in_flight(file: &Dossier, now: i64) -> Vec<InFlight> {
    let acts = file.acts.iter().filter_map(|act| {
        let (kind, due_s) = match act.state.phase(now) {
            ActionPhase::Closed | ActionPhase::Cancelled => return None,
            ActionPhase::AwaitingApproval => (
                InFlightKind::ApprovalRequest,
                act.request.as_ref().map_or(0, |request| request.decide_by_s),
            ),
            ActionPhase::EffectDue => {
                (InFlightKind::Act, act.state.effect_due_s().unwrap_or_default())
            }
            _ => (InFlightKind::Act, act.state.scheduled_for_s()),
        };
        let plan = act.state.plan();
        let (id, what) = (plan.action_id.clone(), plan.title.clone());
        Some(InFlight { kind: kind.into(), id, what, due_s })
    });
    let alerts = file.alerts.iter().filter(|kept| is_open(kept)).map(|kept| {
        let alert = kept.state.alert();
        let due_s =
            if kept.state.waiting() { kept.state.ack_by_s() } else { kept.state.next_word_by_s() };
        let (id, what) = (alert.alert_id.clone(), alert.headline.clone());
        InFlight { kind: InFlightKind::Alert.into(), id, what, due_s }
    });
    acts.chain(alerts).collect()
}

fn is_open(kept: &KeptAlert) -> bool {
    !matches!(kept.state.phase(), AlertPhase::Done | AlertPhase::Cancelled)
}

/// Acts go on with the next officer; the Ministry is told of those that it was asked about.
fn hand_acts_over(work: &Work<'_>, case: &CaseRecord, to: &Officer) -> Result<(), Error> {
    let mut file = Dossier::of(work, case)?;
    let mut told = Vec::new();
    for act in &file.acts {
        let over =
            matches!(act.state.phase(work.now), ActionPhase::Closed | ActionPhase::Cancelled);
        if !over && act.request.is_some() {
            told.push(ActionUpdate {
                action_id: act.state.plan().action_id.clone(),
                plan_hash: act.state.plan_hash().to_vec(),
                step: ActionStep::HandedOver.into(),
                at_s: work.now,
                to: Some(to.clone()),
                ..ActionUpdate::default()
            });
        }
    }
    for update in told {
        let id = update.action_id.clone();
        let said = line_seat(work, case)
            .and_then(|seat| post(work, seat, update.into(), &SendOptions::default()));
        match said {
            Ok(_) => file = Dossier::of(work, case)?,
            // The line rests for now: here it is written down all the same.
            Err(Error::Refused(_)) => {
                file.step(&id, ActionEvent::HandedOver(to), work.now)?;
                file.save(work)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What a leaver knows of a case has come, for this device or another.
pub(crate) fn file_came(
    work: &Work<'_>,
    sender: &Member,
    handover_id: [u8; 16],
    device: VerifyingKey,
    sealed: &[u8],
) -> Result<(), Error> {
    let own = own_device(work)?.key;
    if own != device {
        return Ok(());
    }
    let record: HandoverRecord = records::need(work.tx, &handover_id)?;
    let state = HandoverState::from_bytes(&record.state)?;
    if state.by().key != sender.key.as_bytes() {
        return Err(bad("another device sent it than began the hand-over"));
    }
    let secret: HandoverSecret = records::need(work.tx, &handover_id)?;
    let secret = HpkeSecret::from_seed(work.suite, &fixed(&secret.seed, "a hand-over's key")?)?;
    let plain = note::open(work.suite, &secret, NOTE, sealed)?;
    let given = Given::decode(plain.as_slice()).map_err(|_| bad("it does not decode"))?;
    // Only what was accepted here: a colleague's word does not change any other case.
    state.may_read(&given.case_id, own.as_bytes())?;
    if !given.content.is_empty() {
        let received = Received::open(given.content)?;
        let (header, body) = received.act()?;
        let role = role_of(&sender.party, header.sender_role, Leg::MissionTeam)?;
        validate(received.content(), Leg::MissionTeam, role)?;
        let Body::Handover(handover) = body else { return Err(bad("it is something else")) };
        let about = |case: &&HandedCase| case.case_id == given.case_id;
        let handed = handover.cases.iter().find(about).ok_or_else(|| bad("another case's"))?;
        let notes = HandedRecord { case: handed.encode_to_vec(), given: true };
        records::save(work.tx, &notes_key(&state, &given.case_id), &notes)?;
    }
    if let Some(part) = given.file {
        let mut file = Dossier::of_key(work, &given.case_id)?;
        file.take_over(part)?;
        file.save(work)?;
    }
    work.event(Event::HandoverChanged { handover: short(state.id()) });
    Ok(())
}

fn bad(why: &str) -> Error {
    Error::Input { what: "what a colleague hands over", why: format!("{why}; it was dropped") }
}
