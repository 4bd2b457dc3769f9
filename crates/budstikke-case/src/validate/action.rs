//! Tables of risk assessment, verification, plans, decisions and reports.

use super::check::{Check, Checked, MAX_TIME, Optional, Required};
use super::consent::{by_officer, officer};
use super::{ID_LEN, MAX_ALIAS};
use crate::carried::decode;
use crate::hash::{Hash, plan_hash};
use crate::refusal::{Fault, Refusal, Unknown};
use crate::roles::Act;
use crate::wire as w;
use crate::wire::{ActionKind, Answer, Role};
use crate::words::{Word as _, strict};

const LONG: usize = 4_000;
/// An approval that outlives its circumstances is none.
const MAX_APPROVAL_S: i64 = 30 * 86_400;

/// Box 2.2. Blanks are allowed here, so that a begun assessment can be kept; a guarded act asks
/// for all of it (F02).
pub(super) fn risk(m: &w::RiskAssessment, c: &mut Check) -> Checked {
    c.id("assessment_id", &m.assessment_id, Required, ID_LEN)?;
    c.range("made_at_s", m.made_at_s, 1..=MAX_TIME)?;
    c.texts("persons", &m.persons, 0..=32, MAX_ALIAS)?;
    for (field, answer) in crate::action::risk_answers(m) {
        let Some(answer) = answer else { continue };
        c.inside(field, |c| {
            c.word::<Answer>("answer", answer.answer, Optional)?;
            c.text("text", &answer.text, Optional, 2_000)
        })?;
    }
    c.text("if_we_act", &m.if_we_act, Optional, LONG)?;
    c.text("if_we_do_not", &m.if_we_do_not, Optional, LONG)?;
    c.text("preferred_by_defender", &m.preferred_by_defender, Optional, 2_000)?;
    c.word::<Answer>("discussed_with_defender", m.discussed_with_defender, Optional)?;
    c.text("why_not_discussed", &m.why_not_discussed, Optional, 1_000)?;
    let organisations = m.discussed_with_local_organisations;
    c.word::<Answer>("discussed_with_local_organisations", organisations, Optional)?;
    c.text("physical", &m.physical, Optional, 2_000)?;
    c.text("digital", &m.digital, Optional, 2_000)?;
    c.text("psychosocial", &m.psychosocial, Optional, 2_000)?;
    c.text("collective", &m.collective, Optional, 2_000)
}

pub(super) fn verification(m: &w::VerificationRecord, c: &mut Check) -> Checked {
    c.id("record_id", &m.record_id, Required, ID_LEN)?;
    c.range("made_at_s", m.made_at_s, 1..=MAX_TIME)?;
    c.each("facts", &m.facts, 1..=64, |c, fact| {
        c.text("id", &fact.id, Required, 32)?;
        c.text("claim", &fact.claim, Required, 1_000)?;
        c.word::<w::FactStatus>("status", fact.status, Required)?;
        let verified = strict::<w::FactStatus>(fact.status) == w::FactStatus::Verified;
        c.text("how", &fact.how, if verified { Required } else { Optional }, 1_000)?;
        c.word::<w::Reliability>("reliability", fact.reliability, Optional)?;
        c.range("independent_sources", fact.independent_sources, 0..=100)?;
        c.range("checked_at_s", fact.checked_at_s, i64::from(verified)..=MAX_TIME)
    })?;
    let mut seen = std::collections::BTreeSet::new();
    match m.facts.iter().position(|fact| !seen.insert(&fact.id)) {
        Some(index) => Err(c.fault(&format!("facts[{index}].id"), Fault::Twice)),
        None => Ok(()),
    }
}

pub(super) fn plan(m: &w::ActionPlan, c: &mut Check) -> Checked {
    c.id("action_id", &m.action_id, Required, ID_LEN)?;
    let kind = known_kind(m.kind)?;
    if kind == ActionKind::Unspecified {
        return Err(c.fault("kind", Fault::Missing));
    }
    // OTHER is guarded like a kind that has guards of its own.
    let like = known_kind(m.guarded_like)?;
    let needs_like = kind == ActionKind::Other;
    if needs_like && matches!(like, ActionKind::Unspecified | ActionKind::Other) {
        return Err(c.fault("guarded_like", Fault::Missing));
    }
    if !needs_like && like != ActionKind::Unspecified {
        return Err(c.fault("guarded_like", Fault::Misplaced));
    }
    c.text("title", &m.title, Required, 120)?;
    c.text("what_exactly", &m.what_exactly, Required, LONG)?;
    c.text("addressed_to", &m.addressed_to, Optional, 400)?;
    c.texts("persons", &m.persons, 0..=32, MAX_ALIAS)?;
    c.texts("facts_used", &m.facts_used, 0..=64, 32)?;
    c.text("wording", &m.wording, Optional, 8_000)?;
    c.text("why_informal_not_enough", &m.why_informal_not_enough, Optional, 2_000)?;
    c.text("alternatives_considered", &m.alternatives_considered, Optional, 2_000)?;
    c.texts("local_organisations_consulted", &m.local_organisations_consulted, 0..=16, 200)?;
    if let Some(together) = &m.coordination {
        c.inside("coordination", |c| {
            c.word::<Answer>("nordic_asked", together.nordic_asked, Optional)?;
            c.texts("asked", &together.asked, 0..=16, 64)?;
            c.text("why_alone", &together.why_alone, Optional, 1_000)
        })?;
    }
    c.text("legal_basis_note", &m.legal_basis_note, Optional, 2_000)?;
    c.word::<Answer>("about_person_at_risk", m.about_person_at_risk, Optional)?;
    c.text("channel", &m.channel, Optional, 200)?;
    c.range("planned_for_s", m.planned_for_s, 0..=MAX_TIME)?;
    c.word::<w::Urgency>("urgency", m.urgency, Optional)?;
    let publishes = if kind == ActionKind::PublishDemarche { Required } else { Optional };
    c.id("publishes_action_id", &m.publishes_action_id, publishes, ID_LEN)?;
    if let Some(exception) = &m.consent_exception {
        c.inside("consent_exception", |c| {
            c.texts("attempts", &exception.attempts, 0..=16, 400)?;
            let danger = &exception.danger_to_life_or_liberty;
            c.text("danger_to_life_or_liberty", danger, Optional, 2_000)?;
            let views = &exception.views_of_trusted_contacts;
            c.text("views_of_trusted_contacts", views, Optional, 2_000)
        })?;
    }
    Ok(())
}

/// W01: an act of a newer version's kind has guards that this version does not know.
fn known_kind(raw: i32) -> Result<ActionKind, Refusal> {
    let what = Unknown::Enum("action-kind");
    ActionKind::try_from(raw).map_err(|_| Refusal::NotUnderstood { what })
}

pub(super) fn request(m: &w::ApprovalRequest, role: Role, c: &mut Check) -> Checked {
    c.id("request_id", &m.request_id, Required, ID_LEN)?;
    c.inside("plan", |c| plan(&decode(&m.plan)?, c))?;
    c.id("plan_hash", &m.plan_hash, Required, 32)?;
    if Hash::from_slice(&m.plan_hash) != Some(plan_hash(&m.plan)) {
        return Err(c.fault("plan_hash", Fault::Contradiction));
    }
    officer(m.submitted_by.as_ref(), c)?;
    if m.submitted_by.as_ref().is_some_and(|by| by.role != i32::from(role)) {
        return Err(c.fault("submitted_by.role", Fault::Contradiction));
    }
    c.entries("consent_tokens", m.consent_tokens.len(), 0..=16)?;
    for token in &m.consent_tokens {
        c.inside("consent_tokens", |c| super::consent::token(&decode(token)?, c))?;
    }
    c.entries("consent_statuses", m.consent_statuses.len(), 0..=16)?;
    for status in &m.consent_statuses {
        c.inside("consent_statuses", |c| super::consent::status(&decode(status)?, c))?;
    }
    c.inside("risk_assessment", |c| risk(&decode(&m.risk_assessment)?, c))?;
    if !m.verification.is_empty() {
        c.inside("verification", |c| verification(&decode(&m.verification)?, c))?;
    }
    c.range("decide_by_s", m.decide_by_s, 0..=MAX_TIME)?;
    c.text("note", &m.note, Optional, 2_000)
}

pub(super) fn decision(m: &w::Decision, role: Role, c: &mut Check) -> Checked {
    let body: w::DecisionBody = decode(&m.body)?;
    let approved = strict::<w::Verdict>(body.verdict) == w::Verdict::Approved;
    c.inside("body", |c| {
        c.id("decision_id", &body.decision_id, Required, ID_LEN)?;
        c.id("request_id", &body.request_id, Required, ID_LEN)?;
        c.id("action_id", &body.action_id, Required, ID_LEN)?;
        c.id("plan_hash", &body.plan_hash, Required, 32)?;
        c.word::<w::Verdict>("verdict", body.verdict, Required)?;
        c.text("reasons", &body.reasons, if approved { Optional } else { Required }, 2_000)?;
        c.texts("conditions", &body.conditions, 0..=12, 400)?;
        c.range("decided_at_s", body.decided_at_s, 1..=MAX_TIME)?;
        let valid_s = body.valid_until_s.saturating_sub(body.decided_at_s);
        if body.valid_until_s != 0 {
            c.range("valid_until_s", valid_s, 1..=MAX_APPROVAL_S)?;
        }
        c.entries("consent_statuses_seen", body.consent_statuses_seen.len(), 0..=16)?;
        let mut seen = body.consent_statuses_seen.iter();
        seen.try_for_each(|hash| c.id("consent_statuses_seen", hash, Required, 32))?;
        c.text("choose_channel", &body.choose_channel, Optional, 200)
    })?;
    by_officer(m.by.as_ref(), c)?;
    signed_role(m.by.as_ref(), role, Act::Decide)
}

/// I03: the signature is by the role that sends it.
pub(super) fn signed_role(by: Option<&w::Attestation>, role: Role, act: Act) -> Checked {
    let signed = by.and_then(|by| by.officer.as_ref()).map_or(0, |officer| officer.role);
    if signed == i32::from(role) {
        return Ok(());
    }
    let claimed = Role::try_from(signed).unwrap_or_default();
    Err(Refusal::RoleNotPermitted { role: claimed, act: act.name(), allowed: vec![role] })
}

pub(super) fn effect(m: &w::EffectReport, c: &mut Check) -> Checked {
    c.id("action_id", &m.action_id, Required, ID_LEN)?;
    c.id("plan_hash", &m.plan_hash, Required, 32)?;
    c.range("done_at_s", m.done_at_s, 1..=MAX_TIME)?;
    c.text("effect", &m.effect, Required, LONG)?;
    c.text("reaction_of_authorities", &m.reaction_of_authorities, Optional, 2_000)?;
    c.word::<w::PublishView>("publish", m.publish, Required)?;
    c.text("publish_reasons", &m.publish_reasons, Required, 2_000)?;
    let view = &m.view_of_defender_on_publishing;
    c.text("view_of_defender_on_publishing", view, Optional, 2_000)?;
    c.text("new_risks", &m.new_risks, Optional, 2_000)
}

pub(super) fn informed(m: &w::ReactionInformed, c: &mut Check) -> Checked {
    c.id("action_id", &m.action_id, Required, ID_LEN)?;
    c.word::<Answer>("anything_done", m.anything_done, Required)?;
    c.text("what_was_done", &m.what_was_done, Required, LONG)?;
    c.text("what_happens_next", &m.what_happens_next, Optional, 2_000)?;
    c.text("what_cannot_be_undone", &m.what_cannot_be_undone, Optional, 2_000)?;
    c.word::<Answer>("family_told", m.family_told, Required)?;
    let excused = strict::<Answer>(m.family_told) == Answer::Yes || m.family_excluded_by_wish;
    c.text("why_not_told", &m.why_not_told, if excused { Optional } else { Required }, 1_000)
}

pub(super) fn update(m: &w::ActionUpdate, c: &mut Check) -> Checked {
    c.id("action_id", &m.action_id, Required, ID_LEN)?;
    c.id("plan_hash", &m.plan_hash, Required, 32)?;
    let what = Unknown::Enum(w::ActionStep::TYPE);
    let step = w::ActionStep::try_from(m.step).map_err(|_| Refusal::NotUnderstood { what })?;
    c.word::<w::ActionStep>("step", m.step, Required)?;
    c.range("at_s", m.at_s, 1..=MAX_TIME)?;
    c.entries("consent_statuses_seen", m.consent_statuses_seen.len(), 0..=16)?;
    let mut seen = m.consent_statuses_seen.iter();
    seen.try_for_each(|hash| c.id("consent_statuses_seen", hash, Required, 32))?;
    let conditions = if step == w::ActionStep::ConditionMet { 1..=12 } else { 0..=0 };
    c.range("condition", m.condition, conditions)?;
    match (&m.to, step == w::ActionStep::HandedOver) {
        (None, false) => {}
        (to, true) => c.inside("to", |c| super::consent::officer(to.as_ref(), c))?,
        (Some(_), false) => return Err(c.fault("to", Fault::Misplaced)),
    }
    c.text("note", &m.note, Optional, 2_000)
}

pub(super) fn guard_override(m: &w::GuardOverride, c: &mut Check) -> Checked {
    c.id("action_id", &m.action_id, Required, ID_LEN)?;
    c.id("plan_hash", &m.plan_hash, Required, 32)?;
    c.text("code", &m.code, Required, 3)?;
    c.text("reasons", &m.reasons, Required, 2_000)
}
