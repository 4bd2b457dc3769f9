//! What a message means for the file of its case. The sender's client asks before it seals and the receiver's before
//! it takes, here and the same: a modified sender gains nothing.

use budstikke_case::action::{ActionEvent, ActionState, ask, review};
use budstikke_case::alert::{AlertEvent, AlertState};
use budstikke_case::carried::decode;
use budstikke_case::consent::{
    Ask, STATUS_MAX_AGE_S, Statement, check_status, verify, verify_record, verify_withdrawal,
};
use budstikke_case::hash::{brief_hash, consent_status_hash};
use budstikke_case::officer::{ACK_DOMAIN, DECISION_DOMAIN, attested};
use budstikke_case::wire::{
    ActionPlan, ActionStep, ActionUpdate, Alert, AlertAck, AlertAckBody, AlertCancelled,
    ApprovalRequest, CaseBrief, ConsentClaim, ConsentRecord, ConsentState, ConsentStatus,
    ConsentStatusBody, ConsentToken, ConsentWithdrawal, ConsentWithdrawalBody, Content, Decision,
    DecisionBody, GiverBasis, IdentityLevel, Officer, Scope, Urgency,
};
use budstikke_case::{
    Body, CLOCK_SLACK_S, Hash, LATE_DELIVERY_S, Leg, Refusal, projection, words::strict,
};
use prost::Message;

use super::file::{Act, Consent, Dossier, KeptAlert, Turned};
use super::keys::Members;
use super::proof::tell_ministry;
use crate::client::Work;
use crate::error::Error;
use crate::escalation::copies::follow_up;
use crate::escalation::reach::usable_contact;
use crate::handover::notice;
use crate::records::CaseRecord;

/// A message of a case, before it is sealed or after it was opened.
pub(crate) struct Said<'a> {
    /// What it says.
    pub(crate) content: &'a Content,
    /// The same, as it travels.
    pub(crate) bytes: &'a [u8],
    /// Who may sign here.
    pub(crate) members: &'a Members,
    /// Who says it.
    pub(crate) by: By,
    /// The sender's key in this channel, 32 bytes.
    pub(crate) sender: &'a [u8],
}

/// Who says something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// This device.
    Us,
    /// Another device of this unit.
    Colleague,
    /// The other side.
    Them,
}

impl Said<'_> {
    fn ours(&self) -> bool {
        self.by != By::Them
    }

    /// I04: nobody hands on what another officer signed as if it were said now.
    fn signed_by_sender(&self, officer: &Officer) -> Result<(), Refusal> {
        if officer.key == self.sender {
            Ok(())
        } else {
            Err(Refusal::RoleCertificateInvalid { reason: "sender" })
        }
    }
}

/// Takes note of a message in the file of its case.
///
/// # Errors
/// [`Error::Refused`] when it does not follow from what the file holds; nothing is written then, but for one: that an
/// approved act was done is written down whatever the other guards say, because it happened.
pub(crate) fn hear(work: &Work<'_>, case: &CaseRecord, said: &Said<'_>) -> Result<(), Error> {
    let (Some(body), Some(header)) = (&said.content.body, &said.content.header) else {
        return Ok(());
    };
    if let Body::CaseAccessChange(change) = body {
        return if said.by == By::Them { notice::hear(work, case, change) } else { Ok(()) };
    }
    if !concerns(body) {
        return Ok(());
    }
    let leg = Leg::try_from(header.leg).unwrap_or_default();
    let earliest = work.now.saturating_sub(LATE_DELIVERY_S);
    let at = header.written_at_s.clamp(earliest, work.now);
    let mut file = Dossier::of(work, case)?;
    let (mut withdrawn, mut turned) = (Vec::new(), None);
    match body {
        Body::ConsentRecord(record) => {
            consent(&mut file, record, said, work.now)?;
            withdrawn = overtaken(&mut file, said, work.now);
        }
        Body::ConsentWithdrawal(message) => {
            withdrawn.extend(withdrawal(&mut file, message, said, work.now)?);
        }
        Body::ConsentStatus(status) => status_of(&mut file, status, said, at)?,
        Body::ConsentToken(token) => {
            file.add_token(&token.encode_to_vec(), verify(token, said.members)?);
            overtaken(&mut file, said, work.now);
        }
        Body::RiskAssessment(risk) => file.newer_risk(risk),
        Body::CaseBrief(brief) => briefed(&mut file, brief, leg, said, at)?,
        Body::ApprovalRequest(request) => submitted(&mut file, request, said, at)?,
        Body::Decision(decision) => decided(&mut file, decision, said, at)?,
        Body::Alert(alert) => raised(&mut file, case, alert, &header.message_id, said, work.now)?,
        Body::AlertAck(ack) => turned = acknowledged(&mut file, ack, said, at)?,
        Body::AlertCancelled(cancelled) => turned = called_off(&mut file, cancelled, said, at)?,
        Body::EscalationContact(contact) => {
            // One that leads nowhere must not take the place of one that does.
            usable_contact(work, contact)?;
            file.newer_reach(&case.id, said.ours(), contact, at);
        }
        Body::GuardOverride(guard) => file.overrides.push(guard.clone()),
        Body::ActionUpdate(update) if update.step == i32::from(ActionStep::Done) => {
            if let Err(refusal) = done(&mut file, update, said, at) {
                // The sender's own client stops it; everybody else can only know of it.
                if said.by != By::Us {
                    file.save(work)?;
                }
                return Err(refusal.into());
            }
        }
        _ => follow(&mut file, said, body, at)?,
    }
    file.save(work)?;
    if let Some(turned) = &turned {
        follow_up(work, turned)?;
    }
    if !case.defender {
        withdrawn.iter().try_for_each(|body| tell_ministry(work, case, body))?;
    }
    Ok(())
}

fn concerns(body: &Body) -> bool {
    matches!(
        body,
        Body::ConsentRecord(_)
            | Body::ConsentWithdrawal(_)
            | Body::ConsentStatus(_)
            | Body::ConsentToken(_)
            | Body::RiskAssessment(_)
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
            | Body::EscalationContact(_)
    )
}

fn consent(
    file: &mut Dossier,
    record: &ConsentRecord,
    said: &Said<'_>,
    now: i64,
) -> Result<(), Error> {
    let mut statement = verify_record(record, said.members)?;
    if statement.given_at_s > now.saturating_add(CLOCK_SLACK_S) {
        return Err(Refusal::ConsentProofInvalid { step: "given-at" }.into());
    }
    statement.heard_at_s = statement.heard_at_s.max(now);
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
    let Some(consent) = found else {
        // It may have overtaken what it takes back.
        file.keep_early(said.bytes, said.ours())?;
        return Ok(None);
    };
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
    if said.by == By::Us {
        return Ok(());
    }
    let body: ConsentStatusBody = decode(&status.body)?;
    let of_token =
        |statement: &Statement| Hash::from_slice(&body.token_hash) == Some(statement.token_hash);
    let spoken_of = |claim: &ConsentClaim| body.scopes.contains(&claim.scope);
    let about = |consent: &Consent| match &consent.record {
        Some(_) => of_token(&consent.statement),
        None => of_token(&consent.statement) && consent.statement.claims.iter().all(spoken_of),
    };
    let found = file.consents.iter().find(|consent| about(consent));
    let Some(statement) = found.map(|consent| consent.statement.clone()) else {
        if strict::<ConsentState>(body.state) != ConsentState::Valid {
            file.keep_early(said.bytes, said.ours())?;
        }
        return Ok(());
    };
    // Where all of a consent is known, a status speaks of a part of it.
    let part = Statement {
        claims: statement.claims.iter().filter(|claim| spoken_of(claim)).cloned().collect(),
        ..statement.clone()
    };
    match check_status(status, &part, said.members, at) {
        Ok(checked) => {
            // Only the word that somebody reached them ends a doubt: a valid status may come from who has not heard
            // of it.
            if body.reached_at_s != 0 {
                file.reached(&statement.person, body.reached_at_s);
            }
            file.affirm(statement.token_hash, checked.affirmed_at_s);
            file.keep_status(status, at);
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
            if file.ledger.suspension(&statement.person).is_none() {
                file.suspend(&statement.person, cause, body.as_of_s);
            }
        }
        Err(refusal) => return Err(refusal.into()),
    }
    Ok(())
}

fn briefed(
    file: &mut Dossier,
    brief: &CaseBrief,
    leg: Leg,
    said: &Said<'_>,
    at: i64,
) -> Result<(), Error> {
    let statements = projection::proven(brief, leg, said.members)?;
    let proven = !statements.is_empty();
    for (token, statement) in brief.consent_tokens.iter().zip(statements) {
        file.add_token(token, statement);
    }
    overtaken(file, said, at);
    if proven {
        // Against everything this file knows, and now: not against what the brief says of itself.
        let persons: Vec<String> = brief.subjects.iter().map(|s| s.r#ref.clone()).collect();
        let level = strict::<IdentityLevel>(brief.identity);
        let ask = Ask::new(Scope::ShareMinistry, level, Urgency::Routine);
        file.ledger.all_permit(&persons, &ask, at)?;
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
    if let Some(officer) = &request.submitted_by {
        said.signed_by_sender(officer)?;
    }
    if said.by == By::Us {
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
            file.keep_status(&status, at);
        }
    }
    overtaken(file, said, at);
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
    said.signed_by_sender(by)?;
    let body: DecisionBody = decode(&decision.body)?;
    file.step(&body.action_id, ActionEvent::Decided { decision: &body, by }, at)?;
    if let Some(act) = file.act_mut(&body.action_id) {
        act.decision = Some(body);
    }
    Ok(())
}

/// Steps of acts: of those that are not in this file nothing follows.
fn follow(file: &mut Dossier, said: &Said<'_>, body: &Body, at: i64) -> Result<(), Error> {
    let id = match body {
        Body::ActionUpdate(update) => &update.action_id,
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

/// That an act was done. Whoever hears of it holds it against the guards and says what does not hold; of an approved
/// act it stands all the same that it was done.
fn done(
    file: &mut Dossier,
    update: &ActionUpdate,
    said: &Said<'_>,
    at: i64,
) -> Result<(), Refusal> {
    let id = &update.action_id;
    if file.act(id).is_none_or(|act| act.state.done_at().is_some()) {
        return Ok(());
    }
    let seen: Vec<Hash> =
        update.consent_statuses_seen.iter().filter_map(|hash| Hash::from_slice(hash)).collect();
    let held = same_plan(file, &Body::ActionUpdate(update.clone())).and_then(|()| {
        if said.by == By::Them {
            all_seen(file, id, &seen, at)?;
        }
        file.step(id, ActionEvent::Done(seen.clone()), at).map(drop)
    });
    // Whether it was approved the Ministry knows best. What else does not hold, as a consent taken back in the same
    // hour, does not undo what was done.
    if let Err(refusal) = &held
        && said.by != By::Us
        && !refusal.code().starts_with('A')
        && let Some(act) = file.act_mut(id)
        && act.state.approved_until().is_some()
    {
        act.state.happened(seen, at);
    }
    held
}

/// What a mission says it looked at before it acted is what it told the Ministry, was fresh, and speaks of everybody
/// in the plan.
fn all_seen(file: &Dossier, id: &[u8], seen: &[Hash], at: i64) -> Result<(), Refusal> {
    let Some(act) = file.act(id) else { return Ok(()) };
    let plan = act.state.plan();
    let scope = ask(plan).map_or(0, |ask| i32::from(ask.scope));
    let fresh: Vec<ConsentStatusBody> = file
        .statuses
        .iter()
        .filter(|status| seen.contains(&consent_status_hash(&status.body)))
        .filter_map(|status| decode::<ConsentStatusBody>(&status.body).ok())
        .filter(|body| at.saturating_sub(body.as_of_s) <= STATUS_MAX_AGE_S)
        .collect();
    let speaks_of = |person: &String, body: &ConsentStatusBody| {
        body.scopes.contains(&scope)
            && file.consents.iter().any(|consent| {
                consent.statement.person == *person
                    && Hash::from_slice(&body.token_hash) == Some(consent.statement.token_hash)
            })
    };
    let answered =
        |person: &String| file.consents.iter().any(|consent| consent.statement.person == *person);
    let excepted = plan.consent_exception.is_some();
    let all = plan
        .persons
        .iter()
        .filter(|person| !excepted || answered(person))
        .all(|person| fresh.iter().any(|body| speaks_of(person, body)));
    if all { Ok(()) } else { Err(Refusal::ConsentProofInvalid { step: "status-seen" }) }
}

/// Withdrawals and doubts that came before what they are about: a relay may turn the order round. They count from
/// here; what was withdrawn.
fn overtaken(file: &mut Dossier, said: &Said<'_>, now: i64) -> Vec<ConsentWithdrawalBody> {
    let mut withdrawn = Vec::new();
    for (bytes, ours) in std::mem::take(&mut file.early) {
        let Ok(content) = Content::decode(bytes.as_slice()) else { continue };
        let by = if ours { By::Colleague } else { By::Them };
        let again =
            Said { content: &content, bytes: &bytes, members: said.members, by, sender: &[] };
        // What does not hold now never did.
        match &content.body {
            Some(Body::ConsentWithdrawal(message)) => {
                withdrawn.extend(withdrawal(file, message, &again, now).ok().flatten());
            }
            Some(Body::ConsentStatus(status)) => {
                let _ = status_of(file, status, &again, now);
            }
            _ => {}
        }
    }
    withdrawn
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
    if !said.ours() {
        // Who could not be reached cannot be late: the time runs from the arrival.
        state.apply(&AlertEvent::Sent, at)?;
        state.apply(&AlertEvent::Delivered, at)?;
    }
    file.alerts.push(KeptAlert {
        state,
        case_id: case.id.clone(),
        ours: said.ours(),
        told_of: 0,
        message_id: message_id.to_vec(),
    });
    Ok(())
}

fn acknowledged(
    file: &mut Dossier,
    ack: &AlertAck,
    said: &Said<'_>,
    at: i64,
) -> Result<Option<Turned>, Error> {
    let by = attested(ack.by.as_ref(), ACK_DOMAIN, &ack.body, said.members)?;
    said.signed_by_sender(by)?;
    let body: AlertAckBody = decode(&ack.body)?;
    let Some(alert) = file.alert_mut(&body.alert_id) else { return Ok(None) };
    if alert.ours == said.ours() {
        // Whoever raised it does not stop its clock: the other side has to take it.
        return Err(Refusal::FourEyes { act: "acknowledge" }.into());
    }
    Ok(Some(alert.turn(&AlertEvent::Acked { ack: &body, by }, at)?))
}

fn called_off(
    file: &mut Dossier,
    cancelled: &AlertCancelled,
    said: &Said<'_>,
    at: i64,
) -> Result<Option<Turned>, Error> {
    let Some(alert) = file.alert_mut(&cancelled.alert_id) else { return Ok(None) };
    if alert.ours != said.ours() {
        // Only the side that raised it takes it back.
        let phase = alert.state.phase().name();
        return Err(Refusal::OutOfStep { step: "cancel", phase }.into());
    }
    Ok(Some(alert.turn(&AlertEvent::Cancelled, at)?))
}
