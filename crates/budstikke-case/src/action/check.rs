//! What stops an act, all of it at once, so that a person sees the whole list before drafting.

use super::table::{Guard, Strength, guard, risk_max_age_s};
use super::{ActionState, POLICY_VERSION};
use crate::consent::{Ask, Ledger, exception_possible};
use crate::hash::{Hash, wording_hash};
use crate::refusal::{Refusal, Unknown};
use crate::warning::Warning;
use crate::wire as w;
use crate::wire::{ActionKind, ActionPlan, Answer, FactStatus, RiskAssessment, Urgency};
use crate::words::{Word as _, strict};

/// What is known of a case when an act is checked.
#[derive(Clone, Copy)]
pub struct CaseFacts<'a> {
    /// Who said what.
    pub consents: &'a Ledger,
    /// The newest one.
    pub risk: Option<&'a RiskAssessment>,
    /// Oldest first; the newest status of a fact holds.
    pub verification: &'a [w::VerificationRecord],
    /// Those that came from a role that may ([`crate::Act::Override`]).
    pub overrides: &'a [w::GuardOverride],
    /// For PUBLISH_DEMARCHE: the démarche.
    pub published: Option<&'a ActionState>,
}

impl<'a> CaseFacts<'a> {
    /// Nothing but consents.
    pub fn new(consents: &'a Ledger) -> Self {
        Self { consents, risk: None, verification: &[], overrides: &[], published: None }
    }
}

/// Everything that stops an act before anything is drafted or asked, the approval included. An
/// empty list means that it may be submitted; it is no approval.
pub fn check(plan: &ActionPlan, facts: &CaseFacts<'_>, now: i64) -> Vec<Refusal> {
    let mut refusals = blocks(plan, None, facts, now);
    if guard(plan).is_some_and(|guard| guard.approval == Strength::Refuse) {
        let kind = super::effective_kind(plan);
        refusals.push(Refusal::ApprovalMissing { kind });
    }
    refusals
}

/// All that stops a plan, but for the approval. `hash` is the plan's, for overrides.
pub(super) fn blocks(
    plan: &ActionPlan,
    hash: Option<Hash>,
    facts: &CaseFacts<'_>,
    now: i64,
) -> Vec<Refusal> {
    if plan.policy_version > POLICY_VERSION {
        return vec![not_understood("policy-version")];
    }
    let Some(guard) = guard(plan) else { return vec![not_understood(ActionKind::TYPE)] };
    let mut refusals = consent(plan, guard, facts, now);
    if let Some(refusal) = wrong_facts(plan, guard, facts) {
        refusals.push(refusal);
    }
    risk(plan, guard, facts, now, &mut refusals);
    if guard.local_organisations == Strength::Override && !heard_locally(plan, facts) {
        let refusal = Refusal::LocalOrganisationsNotConsulted;
        let passed = |by: &w::GuardOverride| {
            by.code == refusal.code() && hash.is_some() && Hash::from_slice(&by.plan_hash) == hash
        };
        if !facts.overrides.iter().any(passed) {
            refusals.push(refusal);
        }
    }
    if guard.kind == ActionKind::PublishDemarche {
        published(plan, facts, now, &mut refusals);
    }
    if guard.consultation == Strength::Refuse {
        refusals.push(Refusal::ConsultationNotSent { kind: guard.kind });
    }
    refusals
}

/// What a person should see before going on.
pub fn cautions(plan: &ActionPlan, facts: &CaseFacts<'_>) -> Vec<Warning> {
    let Some(guard) = guard(plan) else { return Vec::new() };
    let mut warnings = Vec::new();
    let unverified = unverified(plan, facts);
    if guard.facts == Strength::Warn && !unverified.is_empty() {
        warnings.push(Warning::FactsUnverified { facts: unverified });
    }
    if let Some(risk) = facts.risk {
        let unknown = |answer: Option<&w::RiskAnswer>| {
            let said = answer.map_or(0, |answer| answer.answer);
            said != 0 && !matches!(strict(said), Answer::Yes | Answer::No)
        };
        let answers = super::risk_answers(risk).into_iter();
        let fields: Vec<_> =
            answers.filter(|(_, answer)| unknown(*answer)).map(|(field, _)| field).collect();
        if !fields.is_empty() {
            warnings.push(Warning::RiskNotKnown { fields });
        }
        let sides = [
            ("physical", &risk.physical),
            ("digital", &risk.digital),
            ("psychosocial", &risk.psychosocial),
        ];
        let sides: Vec<_> =
            sides.into_iter().filter(|(_, text)| text.is_empty()).map(|(side, _)| side).collect();
        if !sides.is_empty() {
            warnings.push(Warning::SecuritySideMissing { sides });
        }
    }
    let together = plan.coordination.clone().unwrap_or_default();
    if guard.likeminded == Strength::Warn
        && together.asked.is_empty()
        && together.why_alone.is_empty()
    {
        warnings.push(Warning::LikemindedNotAsked);
    }
    if guard.informal_first == Strength::Warn && plan.why_informal_not_enough.is_empty() {
        warnings.push(Warning::InformalNotTried);
    }
    if guard.tell_ministry == Strength::Warn {
        warnings.push(Warning::TellTheMinistry);
    }
    warnings
}

/// What consent a plan asks of everybody in it.
pub fn ask(plan: &ActionPlan) -> Option<Ask> {
    let guard = guard(plan)?;
    let wording = guard.wording.then(|| wording_hash(&plan.wording));
    let ask = Ask::new(guard.scope, strict(plan.identity), strict::<Urgency>(plan.urgency));
    Some(ask.wording(wording))
}

/// Whether consent is missing in a way that only an exception can bridge (C12).
pub(super) fn rests_on_exception(plan: &ActionPlan, facts: &CaseFacts<'_>, now: i64) -> bool {
    let Some(ask) = ask(plan) else { return false };
    plan.persons.iter().any(|person| facts.consents.permits(person, &ask, now).is_err())
}

fn consent(plan: &ActionPlan, guard: &Guard, facts: &CaseFacts<'_>, now: i64) -> Vec<Refusal> {
    let Some(ask) = ask(plan) else { return Vec::new() };
    let mut refusals = Vec::new();
    if plan.persons.is_empty() && guard.consent_always {
        refusals.push(Refusal::ConsentMissing { person: String::new(), scope: guard.scope });
    }
    for person in &plan.persons {
        let Err(refusal) = facts.consents.permits(person, &ask, now) else { continue };
        // Only where nobody could be asked: a no, or a yes taken back, is final.
        let silent = matches!(
            refusal,
            Refusal::ConsentMissing { .. } | Refusal::ConsentGiverNotEligible { .. }
        );
        match &plan.consent_exception {
            Some(exception) if silent => refusals.extend(no_exception(guard.kind, exception)),
            _ => refusals.push(refusal),
        }
    }
    refusals
}

/// Why there can be no exception.
fn no_exception(kind: ActionKind, exception: &w::ConsentException) -> Option<Refusal> {
    let why = if !exception_possible(kind) {
        "not-for-this-kind"
    } else if exception.attempts.len() < 3 {
        "fewer-than-three-attempts"
    } else if exception.danger_to_life_or_liberty.trim().is_empty() {
        "danger-not-argued"
    } else if exception.views_of_trusted_contacts.trim().is_empty() {
        "trusted-contacts-not-heard"
    } else {
        return None;
    };
    Some(Refusal::ConsentExceptionNotAvailable { why })
}

/// F01.
fn wrong_facts(plan: &ActionPlan, guard: &Guard, facts: &CaseFacts<'_>) -> Option<Refusal> {
    let unverified = unverified(plan, facts);
    let lacking = plan.facts_used.is_empty() || !unverified.is_empty();
    let refused = guard.facts == Strength::Refuse && lacking;
    refused.then_some(Refusal::FactsNotVerified { facts: unverified })
}

fn unverified(plan: &ActionPlan, facts: &CaseFacts<'_>) -> Vec<String> {
    let verified = |id: &&String| {
        let newest = facts
            .verification
            .iter()
            .rev()
            .find_map(|record| record.facts.iter().find(|fact| fact.id == **id));
        newest.is_some_and(|fact| strict::<FactStatus>(fact.status) == FactStatus::Verified)
    };
    plan.facts_used.iter().filter(|id| !verified(id)).cloned().collect()
}

/// F02 and F03.
fn risk(
    plan: &ActionPlan,
    guard: &Guard,
    facts: &CaseFacts<'_>,
    now: i64,
    refusals: &mut Vec<Refusal>,
) {
    if guard.risk != Strength::Refuse {
        return;
    }
    let Some(risk) = facts.risk else {
        refusals.push(Refusal::RiskAssessmentMissing { missing: vec!["all"] });
        return;
    };
    let missing = blanks(plan, risk);
    if !missing.is_empty() {
        refusals.push(Refusal::RiskAssessmentMissing { missing });
    }
    let max_s = risk_max_age_s(strict(plan.urgency));
    let done = facts.published.and_then(ActionState::done_at);
    let before_the_act = guard.risk_anew && done.is_some_and(|done| risk.made_at_s < done);
    if now.saturating_sub(risk.made_at_s) > max_s || before_the_act {
        refusals.push(Refusal::RiskAssessmentOutdated { made: risk.made_at_s, max_s });
    }
    let discussed = strict::<Answer>(risk.discussed_with_defender) == Answer::Yes;
    // Who cannot be reached cannot be asked; the exception says how they were sought.
    if !discussed && plan.consent_exception.is_none() {
        refusals.push(Refusal::NotDiscussedWithDefender);
    }
}

/// Questions of Box 2.2 without any answer; "not known" is one.
fn blanks(plan: &ActionPlan, risk: &RiskAssessment) -> Vec<&'static str> {
    let answers = super::risk_answers(risk).into_iter();
    let mut missing: Vec<_> = answers
        .filter(|(_, answer)| answer.is_none_or(|answer| answer.answer == 0))
        .map(|(field, _)| field)
        .collect();
    for (field, text) in [("if_we_act", &risk.if_we_act), ("if_we_do_not", &risk.if_we_do_not)] {
        if text.trim().is_empty() {
            missing.push(field);
        }
    }
    let about = |person: &String| risk.persons.is_empty() || risk.persons.contains(person);
    if !plan.persons.iter().all(about) {
        missing.push("persons");
    }
    missing
}

fn heard_locally(plan: &ActionPlan, facts: &CaseFacts<'_>) -> bool {
    let heard = facts.risk.map_or(0, |risk| risk.discussed_with_local_organisations);
    !plan.local_organisations_consulted.is_empty() || strict::<Answer>(heard) == Answer::Yes
}

/// A démarche is published after its effect has been reported, and never after consent to it was
/// taken back.
fn published(plan: &ActionPlan, facts: &CaseFacts<'_>, now: i64, refusals: &mut Vec<Refusal>) {
    match facts.published {
        Some(act) if act.plan().action_id == plan.publishes_action_id => {
            if let Some((person, at)) = act.no_further_use() {
                let person = person.to_owned();
                refusals.push(Refusal::ConsentWithdrawn { person, at });
            }
            if !act.effect_reported() {
                let by = act.effect_due_s().unwrap_or(now);
                refusals.push(Refusal::EffectReportDue { by });
            }
        }
        _ => refusals.push(Refusal::EffectReportDue { by: now }),
    }
}

fn not_understood(what: &'static str) -> Refusal {
    Refusal::NotUnderstood { what: Unknown::Enum(what) }
}
