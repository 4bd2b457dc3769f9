//! Alerts: raised by one side, acknowledged by a person of the other, with a deadline that both see.

use budstikke_case::alert::{AlertEvent, AlertPhase, AlertState, Stage, ack};
use budstikke_case::file::AlertFile;
use budstikke_case::officer::ACK_DOMAIN;
use budstikke_case::wire::{AckKind, Alert, AlertAck, AlertCancelled, ReceiptKind, Role, Urgency};
use budstikke_case::{Act, Hash, Leg, Refusal, Warning};
use prost::Message;

use super::act::mission_case;
use super::consent::line_of;
use super::file::{Dossier, KeptAlert, files};
use super::keys::{attest, own_officer, role_for};
use super::proof::refresh;
use super::share::send_held_notices;
use crate::channel::seat::{Seat, case_roles, terms_of};
use crate::channel::send::{SendOptions, Sent, post};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::escalation::copies::{has_left, leave, plan, tell_taken_back};
use crate::escalation::words;
use crate::events::Event;
use crate::mission::own_papers;
use crate::random::fresh;
use crate::records::{self, CaseRecord, DossierRecord};
use crate::view::{by_name, case_name, short};

/// An alert as people see it.
#[derive(Clone)]
#[non_exhaustive]
pub struct AlertView {
    /// Its short name.
    pub id: String,
    /// The line it went over; empty for one that was passed on to this device.
    pub line: String,
    /// Of one that was passed on: the unit that raised it, and who there.
    pub raised_by: Option<(String, String)>,
    /// What was raised.
    pub alert: Alert,
    /// Where it stands.
    pub phase: AlertPhase,
    /// Whether this unit raised it.
    pub ours: bool,
    /// When a person has to have acknowledged it, Unix seconds.
    pub ack_by_s: i64,
    /// Whether that has passed without anybody taking it.
    pub overdue: bool,
    /// Whether who took it has not been heard of by when they said.
    pub word_overdue: bool,
    /// Who has it, and since when (Unix seconds).
    pub acked_by: Option<(String, i64)>,
    /// When the next word is promised, Unix seconds; 0 = none.
    pub next_word_by_s: i64,
    /// Whose turn is next if nobody takes it, and when (Unix seconds).
    pub next: Option<(Role, i64)>,
    /// How many had their turn after the deadline.
    pub escalated: u32,
    /// How the other side is reached when this channel fails, or nobody answers in it.
    pub off_channel: String,
}
crate::view::debug_name!(AlertView);

impl Client {
    /// Raises an alert to the other side of the line that carries this case on; its urgency is the preset's. It names
    /// the newest brief that went before. A copy for each person who comes next is left at the relay, to be released if
    /// nobody takes the alert by its deadline, whatever becomes of this device; where nobody comes next, a warning says
    /// so.
    ///
    /// # Errors
    /// [`Error::Refused`]: T06 without a line, I03; [`Error::NotFound`].
    pub async fn raise_alert(&self, case: &str, file: AlertFile) -> Result<Sent, Error> {
        let case = case.to_owned();
        self.vault(move |work| {
            let case = mission_case(work, &case)?;
            let mut alert = file.alert;
            alert.alert_id = fresh::<16>().to_vec();
            let brief = Dossier::of(work, &case)?.brief;
            alert.brief_hash = brief.map(Hash::to_vec).unwrap_or_default();
            let line = line_of(work, &case)?.ok_or(Refusal::MinistryLegNotAgreed)?;
            let seat = Seat::case(work, line.clone())?;
            // Whatever is wrong with how the others are reached, the alert itself goes out.
            let ways = match plan(work, &line, &mut alert) {
                Err(error) if error.is_fatal() => return Err(error),
                ways => ways.ok().flatten(),
            };
            if ways.is_none() {
                alert.escalation = None;
            }
            let urgency = Urgency::try_from(alert.preset).unwrap_or_default();
            let options = SendOptions { urgency, ..SendOptions::default() };
            let mut sent = post(work, seat, alert.clone().into(), &options)?;
            match &ways {
                Some(ways) => leave(work, ways, &alert)?,
                None => sent.warnings.push(Warning::NobodyNext),
            }
            Ok(sent)
        })
        .await
    }

    /// Answers an alert as a person: only this stops the clock, and only if they take it. `next_word_by_s` says when
    /// the other side hears more, Unix seconds. Who was passed an alert answers outside of its line: to the side that
    /// raised it, and to their colleagues.
    ///
    /// # Errors
    /// [`Error::Refused`]: I03 for a role that may not, W02 without a time for the next word; [`Error::NotFound`].
    pub async fn acknowledge_alert(
        &self,
        alert: &str,
        kind: AckKind,
        next_word_by_s: i64,
        note: &str,
    ) -> Result<Vec<Warning>, Error> {
        let (alert, note) = (alert.to_owned(), note.to_owned());
        self.vault(move |work| {
            if let Some(copy) = words::find(work, &alert)? {
                words::answer(work, &copy, kind, next_word_by_s, &note)?;
                return Ok(Vec::new());
            }
            let (case, alert) = find(work, &alert)?;
            let mut body = ack(&alert, kind, work.now, next_word_by_s);
            body.note = note;
            let seat = Seat::case(work, case)?;
            let role = role_for(&seat, Act::Acknowledge)?;
            let by = own_officer(&seat, role)?;
            let bytes = body.encode_to_vec();
            let attestation = attest(&seat, role, ACK_DOMAIN, &bytes)?;
            let ack = AlertAck { body: bytes, by: Some(attestation) };
            let sent = post(work, seat, ack.into(), &SendOptions::default())?;
            if alert.escalation.is_some() {
                words::tell_colleagues(work, &body, &by)?;
            }
            Ok(sent.warnings)
        })
        .await
    }

    /// Takes an alert of this side back.
    ///
    /// # Errors
    /// [`Error::Refused`] W04 for the other side's, or one that is over; [`Error::NotFound`].
    pub async fn cancel_alert(&self, alert: &str, why: &str) -> Result<Sent, Error> {
        let (alert, why) = (alert.to_owned(), why.to_owned());
        self.vault(move |work| {
            let (case, alert) = find(work, &alert)?;
            let cancelled = AlertCancelled { alert_id: alert.alert_id.clone(), why };
            let seat = Seat::case(work, case.clone())?;
            let sent = post(work, seat, cancelled.into(), &SendOptions::default())?;
            // A copy may be on its way: also of an alert whose time is not over.
            if alert.escalation.is_some() {
                match tell_taken_back(work, &case, &alert) {
                    Err(error) if error.is_fatal() => return Err(error),
                    _ => {}
                }
            }
            Ok(sent)
        })
        .await
    }

    /// All alerts of this vault: those that wait for a person first, the nearest deadline first.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn alerts(&self) -> Result<Vec<AlertView>, Error> {
        self.vault(|work| {
            let mut alerts = words::views(work)?;
            for (_, file) in files(work)? {
                for kept in &file.alerts {
                    alerts.push(view(work, kept)?);
                }
            }
            alerts.sort_by_key(|alert| (alert.acked_by.is_some(), alert.ack_by_s));
            Ok(alerts)
        })
        .await
    }

    /// Goes through the files of all cases: says of every alert, once, what its clock has brought; sends what quiet time
    /// held back; keeps the Ministry's proofs fresh. What fails in one case stops no other.
    pub(crate) async fn look_at_clocks(&self) -> Result<(), Error> {
        for case_id in self.vault(still_here).await? {
            for step in [look, send_held_notices, refresh] {
                let id = case_id.clone();
                match self.vault(move |work| step(work, &id)).await {
                    Ok(()) => {}
                    Err(error) if error.is_fatal() => return Err(error),
                    Err(error) => self.publish_event(Event::Problem { what: error.to_string() }),
                }
            }
        }
        self.vault(words::look).await
    }

    /// When a clock next brings something that people have to be told of, Unix seconds.
    pub(crate) async fn next_deadline(&self) -> Result<Option<i64>, Error> {
        self.vault(|work| {
            let mut times = words::times(work)?;
            for (_, file) in files(work)? {
                times.extend(
                    file.alerts.iter().flat_map(|kept| kept.state.stages()).map(|(at, _)| at),
                );
            }
            Ok(times.into_iter().filter(|at| *at > work.now).min())
        })
        .await
    }
}

impl AlertView {
    pub(crate) fn of(state: &AlertState, now: i64) -> Self {
        let mut alert = state.alert().clone();
        // Keys are for clients, not for screens.
        for step in alert.escalation.iter_mut().flat_map(|escalation| &mut escalation.steps) {
            step.cancel_key.clear();
        }
        let turn = |(at, stage)| match stage {
            Stage::Escalated(role) if at > now => Some((role, at)),
            _ => None,
        };
        Self {
            id: short(&alert.alert_id),
            line: String::new(),
            raised_by: None,
            phase: state.phase(),
            ours: false,
            ack_by_s: state.ack_by_s(),
            overdue: state.overdue(now),
            word_overdue: state.word_overdue(now),
            acked_by: state.acked_by().map(|(who, at)| (who.to_owned(), at)),
            next_word_by_s: state.next_word_by_s(),
            next: state.stages().into_iter().find_map(turn),
            escalated: state.escalated(),
            off_channel: alert.off_channel.clone(),
            alert,
        }
    }
}

pub(super) fn view(work: &Work<'_>, kept: &KeptAlert) -> Result<AlertView, Error> {
    let mut view = AlertView::of(&kept.state, work.now);
    (view.line, view.ours) = (case_name(&kept.case_id), kept.ours);
    if let Some(line) = records::load::<CaseRecord>(work.tx, &kept.case_id)?.filter(|_| kept.ours) {
        let agreed = terms_of(&line)?;
        view.off_channel =
            agreed.agreed().map(|terms| terms.off_channel.clone()).unwrap_or_default();
    }
    Ok(view)
}

/// The files of the cases that this device is still part of.
fn still_here(work: &Work<'_>) -> Result<Vec<Vec<u8>>, Error> {
    let cases = records::all::<CaseRecord>(work.tx)?.into_iter();
    let left: Vec<_> = cases.filter(|(_, case)| case.left_at > 0).map(|(id, _)| id).collect();
    let files = records::all::<DossierRecord>(work.tx)?.into_iter().map(|(id, _)| id);
    Ok(files.filter(|id| !left.contains(id)).collect())
}

fn look(work: &Work<'_>, case_id: &[u8]) -> Result<(), Error> {
    let Some(case) = records::load::<CaseRecord>(work.tx, case_id)? else { return Ok(()) };
    let mut file = Dossier::of(work, &case)?;
    let now = work.now;
    let is_due = |kept: &KeptAlert, at: i64| at > kept.told_of && at <= now;
    if !file.alerts.iter().any(|kept| kept.state.stages().iter().any(|(at, _)| is_due(kept, *at))) {
        return Ok(());
    }
    let papers = own_papers(work).ok();
    let mine = papers.map(|own| case_roles(&own.roles, Leg::MissionMinistry)).unwrap_or_default();
    for kept in &mut file.alerts {
        let mut due = kept.state.stages();
        due.retain(|(at, _)| is_due(kept, *at));
        for (at, stage) in due {
            let alert = short(&kept.state.alert().alert_id);
            match stage {
                // Only whoever can still take it needs to hurry.
                Stage::Near if kept.ours => {}
                Stage::Near => work.event(Event::AlertNear { alert }),
                Stage::Overdue => work.event(Event::AlertOverdue { alert }),
                Stage::Escalated(turn)
                    if kept.ours && !has_left(work, kept.state.alert(), turn)? =>
                {
                    work.event(Event::AlertNotPassedOn { alert });
                }
                Stage::Escalated(turn) => {
                    kept.state.apply(&AlertEvent::Escalated, work.now)?;
                    // Who is in the line gets no copy: the alert is here.
                    let for_me = !kept.ours && mine.contains(&turn);
                    let event = if for_me {
                        Event::AlertForYou { alert }
                    } else {
                        Event::AlertPassedOn { alert }
                    };
                    work.event(event);
                }
                Stage::Exhausted => {
                    kept.state.apply(&AlertEvent::Exhausted, work.now)?;
                    work.event(Event::AlertExhausted { alert });
                }
            }
            kept.told_of = at;
        }
    }
    file.save(work)
}

const NO_ALERT: Error = Error::NotFound { what: "an alert of that name" };

/// An own alert's message is stored at the relay: its time runs from here.
pub(crate) fn at_relay(work: &Work<'_>, case: &CaseRecord, message_id: &[u8]) -> Result<(), Error> {
    event(work, case, message_id, &AlertEvent::Sent)
}

/// The other side's device has an own alert, or showed it. Neither stops the clock.
pub(crate) fn receipt(
    work: &Work<'_>,
    case: &CaseRecord,
    message_id: &[u8],
    kind: i32,
) -> Result<(), Error> {
    match ReceiptKind::try_from(kind) {
        Ok(ReceiptKind::Delivered) => event(work, case, message_id, &AlertEvent::Delivered),
        Ok(ReceiptKind::Read) => event(work, case, message_id, &AlertEvent::Read),
        _ => Ok(()),
    }
}

fn event(
    work: &Work<'_>,
    case: &CaseRecord,
    message_id: &[u8],
    event: &AlertEvent<'_>,
) -> Result<(), Error> {
    if !case.line {
        return Ok(());
    }
    let mut file = Dossier::of(work, case)?;
    let of_it = |kept: &&mut KeptAlert| kept.ours && kept.message_id == message_id;
    let Some(kept) = file.alerts.iter_mut().find(of_it) else { return Ok(()) };
    kept.state.apply(event, work.now)?;
    file.save(work)
}

/// The alert whose short name begins so, if only one does, with its line.
fn find(work: &Work<'_>, name: &str) -> Result<(CaseRecord, Alert), Error> {
    let all = files(work)?.into_iter().flat_map(|(_, file)| file.alerts);
    let named = all.map(|kept| (kept.state.alert().alert_id.clone(), kept));
    let kept = by_name(named, name).ok_or(NO_ALERT)?;
    Ok((records::need(work.tx, &kept.case_id)?, kept.state.alert().clone()))
}
