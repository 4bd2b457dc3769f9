//! What a message means for the file of its case. The sender's client asks before it seals and the receiver's before
//! it takes, here and the same: a modified sender gains nothing.

use budstikke_case::action::{ActionEvent, ActionState, review};
use budstikke_case::alert::{AlertEvent, AlertState};
use budstikke_case::carried::decode;
use budstikke_case::consent::{
    STATUS_MAX_AGE_S, check_status, verify, verify_record, verify_withdrawal,
};
use budstikke_case::hash::{brief_hash, consent_status_hash};
use budstikke_case::officer::{ACK_DOMAIN, DECISION_DOMAIN, attested};
use budstikke_case::wire::{
    ActionPlan, ActionStep, Alert, AlertAck, AlertAckBody, AlertCancelled, ApprovalRequest,
    CaseBrief, ConsentRecord, ConsentStatus, ConsentStatusBody, ConsentToken, ConsentWithdrawal,
    ConsentWithdrawalBody, Content, Decision, DecisionBody, GiverBasis,
};
use budstikke_case::{Body, Hash, LATE_DELIVERY_S, Leg, Refusal, projection};

use super::file::{Act, Dossier, KeptAlert};
use super::keys::Members;
use super::proof::tell_ministry;
use crate::client::Work;
use crate::error::Error;
use crate::records::CaseRecord;

/// A message of a case, before it is sealed or after it was opened.
pub(crate) struct Said<'a> {
    /// What it says.
    pub(crate) content: &'a Content,
    /// The same, as it travels.
    pub(crate) bytes: &'a [u8],
    /// Who may sign here.
    pub(crate) members: &'a Members,
    /// Whether this unit (or this defender) says it.
    pub(crate) ours: bool,
}

/// Takes note of a message in the file of its case.
///
/// # Errors
/// [`Error::Refused`] when it does not follow from what the file holds; nothing is written then.
pub(crate) fn hear(work: &Work<'_>, case: &CaseRecord, said: &Said<'_>) -> Result<(), Error> {
    let (Some(body), Some(header)) = (&said.content.body, &said.content.header) else {
        return Ok(());
    };
    if !concerns(body) {
        return Ok(());
    }
    let leg = Leg::try_from(header.leg).unwrap_or_default();
    let earliest = work.now.saturating_sub(LATE_DELIVERY_S);
    let at = header.written_at_s.clamp(earliest, work.now);
    let mut file = Dossier::of(work, case)?;
    let mut withdrawn = None;
    match body {
        Body::ConsentRecord(record) => consent(&mut file, record, said)?,
        Body::ConsentWithdrawal(message) => {
            withdrawn = withdrawal(&mut file, message, said, work.now)?;
        }
        Body::ConsentStatus(status) => status_of(&mut file, status, said, at)?,
        Body::CaseBrief(brief) => briefed(&mut file, brief, leg, said)?,
        Body::ApprovalRequest(request) => submitted(&mut file, request, said, at)?,
        Body::Decision(decision) => decided(&mut file, decision, said, at)?,
        Body::Alert(alert) => raised(&mut file, case, alert, &header.message_id, said, at)?,
        Body::AlertAck(ack) => acknowledged(&mut file, ack, said, at)?,
        Body::AlertCancelled(cancelled) => called_off(&mut file, cancelled, said, at)?,
        Body::GuardOverride(guard) => file.overrides.push(guard.clone()),
        _ => follow(&mut file, said, body, at)?,
    }
    file.save(work)?;
    match withdrawn {
        Some(body) if !case.defender => tell_ministry(work, case, &body),
        _ => Ok(()),
    }
}

fn concerns(body: &Body) -> bool {
    matches!(
        body,
        Body::ConsentRecord(_)
            | Body::ConsentWithdrawal(_)
            | Body::ConsentStatus(_)
            | Body::CaseBrief(_)
            | Body::ApprovalRequest(_)
            | Body::Decision(_)
            | Body::EffectReport(_)
            | Body::ReactionInformed(_)
            | Body::ActionUpdate(_)
            | Body::GuardOverride(_)
            | Body::Alert(_)
            | Body::AlertAck(_)
            | Body::AlertCancelled(_)
    )
}

fn consent(file: &mut Dossier, record: &ConsentRecord, said: &Said<'_>) -> Result<(), Error> {
    let statement = verify_record(record, said.members)?;
    // The defender of the channel speaks for themselves in it, and officers sign for what they heard; whoever else
    // gave it, an officer has to know that they may.
    let own = statement.basis == GiverBasis::Self_ && said.members.is_defender(&statement.person);
    let vouched = own || statement.oral;
    file.add_record(record, statement, vouched);
    Ok(())
}

fn withdrawal(
    file: &mut Dossier,
    message: &ConsentWithdrawal,
    said: &Said<'_>,
    now: i64,
) -> Result<Option<ConsentWithdrawalBody>, Error> {
    let body: ConsentWithdrawalBody = decode(&message.body)?;
    let found = file.consents.iter().find(|c| c.statement.record_id == body.record_id);
    // Of a consent that this device never saw, nothing here rests on it.
    let Some(consent) = found else { return Ok(None) };
    let body = verify_withdrawal(message, &consent.statement, said.members)?;
    file.withdraw(&body, now)?;
    Ok(Some(body))
}

/// The Ministry's side of a withdrawal, and of a person's standing by what they said.
fn status_of(
    file: &mut Dossier,
    status: &ConsentStatus,
    said: &Said<'_>,
    at: i64,
) -> Result<(), Error> {
    if said.ours {
        return Ok(());
    }
    let body: ConsentStatusBody = decode(&status.body)?;
    let about = |statement: &budstikke_case::consent::Statement| {
        Hash::from_slice(&body.token_hash) == Some(statement.token_hash)
            && statement.claims.iter().all(|claim| body.scopes.contains(&claim.scope))
    };
    let found = file.consents.iter().find(|consent| about(&consent.statement));
    // Of a consent that was shown before this device was here, nothing here rests on it.
    let Some(statement) = found.map(|consent| consent.statement.clone()) else { return Ok(()) };
    match check_status(status, &statement, said.members, at) {
        Ok(checked) => {
            file.reached(&statement.person, at);
            file.affirm(statement.token_hash, checked.affirmed_at_s);
            file.keep_status(status);
        }
        Err(Refusal::ConsentWithdrawn { at: written_at_s, .. }) => {
            let (record_id, scopes) = (statement.record_id.clone(), body.scopes.clone());
            let body = ConsentWithdrawalBody {
                record_id,
                scopes,
                written_at_s,
                ..ConsentWithdrawalBody::default()
            };
            file.withdraw(&body, at)?;
        }
        Err(Refusal::ConsentSuspended { .. }) => {
            // Why is the mission's to know; that it does not count is what the Ministry needs.
            let cause = budstikke_case::consent::Suspension::WithdrawalUnconfirmed;
            file.suspend(&statement.person, cause, at);
        }
        Err(refusal) => return Err(refusal.into()),
    }
    Ok(())
}

fn briefed(file: &mut Dossier, brief: &CaseBrief, leg: Leg, said: &Said<'_>) -> Result<(), Error> {
    let statements = projection::proven(brief, leg, said.members)?;
    for (token, statement) in brief.consent_tokens.iter().zip(statements) {
        file.add_token(token, statement);
    }
    file.brief = Some(brief_hash(said.bytes));
    Ok(())
}

fn submitted(
    file: &mut Dossier,
    request: &ApprovalRequest,
    said: &Said<'_>,
    at: i64,
) -> Result<(), Error> {
    let plan: ActionPlan = decode(&request.plan)?;
    let id = plan.action_id.clone();
    let own_plan = file.act(&id).is_some_and(|act| said.ours && act.request.is_none())
        || file.act(&id).is_some_and(|act| said.ours && act.state.plan_bytes() == request.plan);
    if own_plan {
        file.step(&id, ActionEvent::Submitted(request), at)?;
    } else {
        reviewed(file, request, &plan, said, at)?;
    }
    if let Some(act) = file.act_mut(&id) {
        (act.request, act.decision, act.told_at) = (Some(request.clone()), None, at);
    }
    Ok(())
}

/// A request as it looks to those who did not write it: everything is checked anew, from what is in it.
fn reviewed(
    file: &mut Dossier,
    request: &ApprovalRequest,
    plan: &ActionPlan,
    said: &Said<'_>,
    at: i64,
) -> Result<(), Error> {
    let published = file.act(&plan.publishes_action_id).map(|act| act.state.clone());
    let review = review(request, published.as_ref(), &file.overrides, said.members, at)?;
    if let Some(refusal) = review.refusals.first() {
        return Err(refusal.clone().into());
    }
    for bytes in &request.consent_tokens {
        let token: ConsentToken = decode(bytes)?;
        file.add_token(bytes, verify(&token, said.members)?);
    }
    for status in &review.statuses {
        file.affirm(status.token_hash, status.affirmed_at_s);
    }
    for bytes in &request.consent_statuses {
        let status: ConsentStatus = decode(bytes)?;
        let hash = consent_status_hash(&status.body);
        if review.statuses.iter().any(|checked| checked.hash == hash) {
            file.keep_status(&status);
        }
    }
    file.risk = Some(review.risk.clone());
    file.facts.extend(review.verification.iter().cloned());
    if file.act(&plan.action_id).is_some() {
        file.step(&plan.action_id, ActionEvent::Edited(request.plan.clone()), at)?;
    } else {
        let state = ActionState::draft(request.plan.clone())?;
        file.acts.push(Act::new(state));
    }
    // What was taken back, or is in doubt, stands in this file, whatever the request says of it.
    file.step(&plan.action_id, ActionEvent::Submitted(request), at)?;
    Ok(())
}

fn decided(file: &mut Dossier, decision: &Decision, said: &Said<'_>, at: i64) -> Result<(), Error> {
    let by = attested(decision.by.as_ref(), DECISION_DOMAIN, &decision.body, said.members)?;
    let body: DecisionBody = decode(&decision.body)?;
    file.step(&body.action_id, ActionEvent::Decided { decision: &body, by }, at)?;
    if let Some(act) = file.act_mut(&body.action_id.clone()) {
        act.decision = Some(body);
    }
    Ok(())
}

/// Steps of acts: of those that are not in this file nothing follows.
fn follow(file: &mut Dossier, said: &Said<'_>, body: &Body, at: i64) -> Result<(), Error> {
    let id = match body {
        Body::ActionUpdate(update) => {
            if !said.ours && update.step == i32::from(ActionStep::Done) {
                all_seen(file, &update.consent_statuses_seen, at)?;
            }
            &update.action_id
        }
        Body::EffectReport(report) => &report.action_id,
        Body::ReactionInformed(informed) => &informed.action_id,
        _ => return Ok(()),
    };
    same_plan(file, body)?;
    if let Some(event) = ActionEvent::of(said.content) {
        file.step(id, event, at)?;
    }
    Ok(())
}

/// What a mission says it looked at before it acted is what it told the Ministry, and was fresh.
fn all_seen(file: &Dossier, seen: &[Vec<u8>], at: i64) -> Result<(), Refusal> {
    let told = |hash: &Vec<u8>| {
        file.statuses.iter().any(|status| {
            let as_of = decode::<ConsentStatusBody>(&status.body).map_or(i64::MIN, |b| b.as_of_s);
            consent_status_hash(&status.body).to_vec() == *hash
                && at.saturating_sub(as_of) <= STATUS_MAX_AGE_S
        })
    };
    if seen.iter().all(told) {
        Ok(())
    } else {
        Err(Refusal::ConsentProofInvalid { step: "status-seen" })
    }
}

/// A04: what rests on an approval, or reports on it, names the plan that was approved.
fn same_plan(file: &Dossier, body: &Body) -> Result<(), Refusal> {
    let (id, named) = match body {
        Body::ActionUpdate(update) => match ActionStep::try_from(update.step) {
            Ok(ActionStep::ConditionMet | ActionStep::Scheduled | ActionStep::Done) => {
                (&update.action_id, &update.plan_hash)
            }
            _ => return Ok(()),
        },
        Body::EffectReport(report) => (&report.action_id, &report.plan_hash),
        _ => return Ok(()),
    };
    let (Some(act), Some(now)) = (file.act(id), Hash::from_slice(named)) else { return Ok(()) };
    let approved = act.state.plan_hash();
    if now == approved {
        return Ok(());
    }
    Err(Refusal::PlanChangedSinceApproval { approved, now })
}

fn raised(
    file: &mut Dossier,
    case: &CaseRecord,
    alert: &Alert,
    message_id: &[u8],
    said: &Said<'_>,
    at: i64,
) -> Result<(), Error> {
    if file.alerts.iter().any(|kept| kept.state.alert().alert_id == alert.alert_id) {
        return Ok(());
    }
    let mut state = AlertState::new(alert.clone());
    if !said.ours {
        state.apply(&AlertEvent::Delivered, at)?;
    }
    file.alerts.push(KeptAlert {
        state,
        case_id: case.id.clone(),
        ours: said.ours,
        told_of: 0,
        message_id: message_id.to_vec(),
    });
    Ok(())
}

fn acknowledged(file: &mut Dossier, ack: &AlertAck, said: &Said<'_>, at: i64) -> Result<(), Error> {
    let by = attested(ack.by.as_ref(), ACK_DOMAIN, &ack.body, said.members)?;
    let body: AlertAckBody = decode(&ack.body)?;
    if let Some(alert) = file.alert_mut(&body.alert_id) {
        alert.state.apply(&AlertEvent::Acked { ack: &body, by }, at)?;
    }
    Ok(())
}

fn called_off(
    file: &mut Dossier,
    cancelled: &AlertCancelled,
    said: &Said<'_>,
    at: i64,
) -> Result<(), Error> {
    let Some(alert) = file.alert_mut(&cancelled.alert_id) else { return Ok(()) };
    if alert.ours != said.ours {
        // Only the side that raised it takes it back.
        let phase = alert.state.phase().name();
        return Err(Refusal::OutOfStep { step: "cancel", phase }.into());
    }
    alert.state.apply(&AlertEvent::Cancelled, at)?;
    Ok(())
}
