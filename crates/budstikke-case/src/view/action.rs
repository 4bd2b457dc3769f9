//! Risk, facts, plans, decisions and what came of them.

use super::consent::{officer, signed};
use super::{Lines, Sections};
use crate::carried::decode;
use crate::hash::plan_hash;
use crate::wire as w;
use crate::wire::{ActionKind, Answer, IdentityLevel};

pub(super) fn risk(m: &w::RiskAssessment, s: &mut Sections) {
    s.add("view-risk", |l| {
        l.moment("view-made", m.made_at_s);
        l.texts("view-persons", &m.persons);
        l.text("view-if-we-act", &m.if_we_act);
        l.text("view-if-we-do-not", &m.if_we_do_not);
        l.text("view-preferred-by-defender", &m.preferred_by_defender);
        l.word::<Answer>("view-discussed-with-defender", m.discussed_with_defender);
        l.text("view-why-not-discussed", &m.why_not_discussed);
        let organisations = m.discussed_with_local_organisations;
        l.word::<Answer>("view-discussed-locally", organisations);
    });
    for (label, answer) in [
        ("view-risk-current-threats", &m.q1_current_threats),
        ("view-risk-cause-and-reprisal", &m.q2_cause_and_reprisal),
        ("view-risk-earlier-threats", &m.q3_earlier_threats),
        ("view-risk-perpetrator-link", &m.q4_perpetrator_link),
        ("view-risk-environment", &m.q5_environment_and_vulnerability),
        ("view-risk-police-response", &m.q6_police_response),
        ("view-risk-local-mechanisms", &m.q7_local_mechanisms),
        ("view-risk-contact", &m.contact_could_cause_reaction),
        ("view-risk-authorities", &m.contact_with_authorities_could),
        ("view-risk-family", &m.family_at_risk),
        ("view-risk-work", &m.harm_to_their_work),
    ] {
        let Some(answer) = answer else { continue };
        s.add(label, |l| {
            l.word::<Answer>("view-risk-answer", answer.answer);
            l.text("view-text", &answer.text);
        });
    }
    s.add("view-security-sides", |l| {
        l.text("view-security-physical", &m.physical);
        l.text("view-security-digital", &m.digital);
        l.text("view-security-psychosocial", &m.psychosocial);
        l.text("view-security-collective", &m.collective);
    });
}

pub(super) fn verification(m: &w::VerificationRecord, s: &mut Sections) {
    s.each("view-fact", &m.facts, |l, fact| {
        l.text("view-fact-id", &fact.id);
        l.text("view-fact-claim", &fact.claim);
        l.strict::<w::FactStatus>("view-fact-status", fact.status);
        l.text("view-fact-how", &fact.how);
        l.word::<w::Reliability>("view-reliability", fact.reliability);
        l.number("view-independent-sources", fact.independent_sources);
        l.moment("view-fact-checked", fact.checked_at_s);
    });
}

pub(super) fn plan(m: &w::ActionPlan, s: &mut Sections) {
    s.add("view-plan", |l| {
        l.word::<ActionKind>("view-action-kind", m.kind);
        l.word::<ActionKind>("view-guarded-like", m.guarded_like);
        l.text("view-plan-title", &m.title);
        l.text("view-what-exactly", &m.what_exactly);
        l.text("view-addressed-to", &m.addressed_to);
        l.texts("view-persons", &m.persons);
        l.strict::<IdentityLevel>("view-identity", m.identity);
        l.texts("view-facts-used", &m.facts_used);
        l.text("view-wording", &m.wording);
        l.moment("view-planned-for", m.planned_for_s);
        l.strict::<w::Urgency>("view-urgency", m.urgency);
        l.text("view-publish-where", &m.channel);
        l.word::<Answer>("view-about-person-at-risk", m.about_person_at_risk);
    });
    s.add("view-plan-reasons", |l| {
        l.text("view-why-informal-not-enough", &m.why_informal_not_enough);
        l.text("view-alternatives", &m.alternatives_considered);
        l.texts("view-discussed-locally", &m.local_organisations_consulted);
        l.text("view-legal-basis-note", &m.legal_basis_note);
        if let Some(together) = &m.coordination {
            l.word::<Answer>("view-nordic-asked", together.nordic_asked);
            l.texts("view-likeminded-asked", &together.asked);
            l.text("view-why-alone", &together.why_alone);
        }
    });
    if let Some(exception) = &m.consent_exception {
        s.add("view-consent-exception", |l| {
            l.texts("view-attempts", &exception.attempts);
            l.text("view-danger", &exception.danger_to_life_or_liberty);
            l.text("view-trusted-contacts", &exception.views_of_trusted_contacts);
        });
    }
}

pub(super) fn request(m: &w::ApprovalRequest, s: &mut Sections) {
    s.add("view-approval-request", |l| {
        officer(l, m.submitted_by.as_ref());
        l.hash("view-plan-hash", plan_hash(&m.plan).as_bytes());
        l.moment("view-decide-by", m.decide_by_s);
        l.text("view-note", &m.note);
    });
    if let Ok(decoded) = decode(&m.plan) {
        plan(&decoded, s);
    }
    for token in &m.consent_tokens {
        if let Ok(token) = decode(token) {
            super::consent::token(&token, s);
        }
    }
    for status in &m.consent_statuses {
        if let Ok(status) = decode(status) {
            super::consent::status(&status, s);
        }
    }
    if let Ok(assessment) = decode(&m.risk_assessment) {
        risk(&assessment, s);
    }
    if let Ok(record) = decode(&m.verification) {
        verification(&record, s);
    }
}

pub(super) fn decision(m: &w::Decision, s: &mut Sections) {
    let Ok(body) = decode::<w::DecisionBody>(&m.body) else { return };
    s.add("view-decision", |l| {
        l.strict::<w::Verdict>("view-verdict", body.verdict);
        l.text("view-reason", &body.reasons);
        l.texts("view-approval-conditions", &body.conditions);
        l.moment("view-valid-until", body.valid_until_s);
        l.flag("view-exception-accepted", body.exception_accepted);
        l.text("view-publish-where", &body.choose_channel);
        l.hash("view-plan-hash", &body.plan_hash);
        l.number("view-statuses-seen", body.consent_statuses_seen.len() as u64);
        l.moment("view-decided", body.decided_at_s);
        signed(l, m.by.as_ref());
    });
}

pub(super) fn effect(m: &w::EffectReport, s: &mut Sections) {
    s.add("view-effect", |l| {
        l.moment("view-done", m.done_at_s);
        l.text("view-effect-what", &m.effect);
        l.text("view-reaction-of-authorities", &m.reaction_of_authorities);
        l.word::<w::PublishView>("view-publish", m.publish);
        l.text("view-publish-reasons", &m.publish_reasons);
        l.text("view-defender-on-publishing", &m.view_of_defender_on_publishing);
        l.text("view-new-risks", &m.new_risks);
    });
}

pub(super) fn informed(m: &w::ReactionInformed, s: &mut Sections) {
    s.add("view-informed", |l| {
        l.word::<Answer>("view-anything-done", m.anything_done);
        l.text("view-what-was-done", &m.what_was_done);
        l.text("view-what-happens-next", &m.what_happens_next);
        l.text("view-cannot-be-undone", &m.what_cannot_be_undone);
        l.word::<Answer>("view-family-told", m.family_told);
        l.flag("view-family-excluded", m.family_excluded_by_wish);
        l.text("view-why-not-told", &m.why_not_told);
    });
}

pub(super) fn update(m: &w::ActionUpdate, s: &mut Sections) {
    s.add("view-step", |l| {
        l.word::<w::ActionStep>("view-step-what", m.step);
        l.moment("view-step-at", m.at_s);
        l.text("view-handed-to", m.to.as_ref().map_or("", |to| &to.label));
        l.number("view-condition", m.condition);
        l.hash("view-plan-hash", &m.plan_hash);
        l.number("view-statuses-seen", m.consent_statuses_seen.len() as u64);
        l.text("view-note", &m.note);
    });
}

pub(super) fn guard_override(m: &w::GuardOverride, s: &mut Sections) {
    s.add("view-override", |l: &mut Lines| {
        l.text("view-code", &m.code);
        l.text("view-reason", &m.reasons);
        l.hash("view-plan-hash", &m.plan_hash);
    });
}
