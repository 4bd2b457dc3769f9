//! A guarded act: what is meant, where it stands, what stops it.

use budstikke::ActView;
use serde_json::{Value, json};

use crate::{
    case::{
        Body, Content, Refusal, View,
        wire::{ActionKind, DecisionBody, Verdict},
        words::{Word as _, strict},
    },
    catalogue::{Catalogue, t},
    refused,
    reply::Piece,
    show::{
        consent::{name, word},
        time, view,
    },
};

/// Any body to be shown.
pub(crate) fn body(body: impl Into<Body>) -> View {
    View::of(&Content { header: None, body: Some(body.into()) })
}

/// `3vkzoqfp  official protest (démarche): Note on …  before the Ministry`
pub(crate) fn line(act: &ActView, catalogue: &Catalogue) -> String {
    t!(
        catalogue,
        "act-line",
        id = act.id.as_str(),
        kind = word::<ActionKind>(act.plan.kind, catalogue),
        title = act.plan.title.as_str(),
        phase = phase(act, catalogue)
    )
}

/// Where it stands, in words.
pub(crate) fn phase(act: &ActView, catalogue: &Catalogue) -> String {
    catalogue.text(&format!("action-phase-{}", act.phase.name()), &[])
}

/// All of it.
pub(crate) fn pieces(act: &ActView, catalogue: &Catalogue) -> Vec<Piece> {
    let mut pieces = vec![
        Piece::Head(t!(catalogue, "act-title", id = act.id.as_str())),
        Piece::Pair(t!(catalogue, "act-phase"), phase(act, catalogue)),
        Piece::Pair(t!(catalogue, "act-hash"), view::short(&act.plan_hash)),
    ];
    let times = [
        (t!(catalogue, "act-scheduled"), Some(act.scheduled_for_s).filter(|at| *at != 0)),
        (t!(catalogue, "act-approved-until"), act.approved_until_s),
        (t!(catalogue, "act-done-at"), act.done_at_s),
        (t!(catalogue, "act-effect-due"), act.effect_due_s),
    ];
    for (label, at) in times {
        pieces.extend(at.map(|at| Piece::Pair(label, time::moment(at))));
    }
    if let Some((person, at)) = &act.no_further_use {
        let at = time::moment(*at);
        let text = t!(catalogue, "act-no-further-use", person = person.as_str(), at = at);
        pieces.push(Piece::Warn(text));
    }
    pieces.extend(view::pieces(&body(act.plan.clone()), false, catalogue));
    pieces.extend(act.decision.iter().flat_map(|decision| ruling(decision, catalogue)));
    pieces.extend(stopped(&act.refusals, catalogue));
    pieces.extend(act.cautions.iter().map(|w| Piece::Warn(refused::warning(w, catalogue))));
    pieces
}

/// The Ministry's answer.
pub(crate) fn ruling(decision: &DecisionBody, catalogue: &Catalogue) -> Vec<Piece> {
    let verdict = catalogue.text(&strict::<Verdict>(decision.verdict).key(), &[]);
    let mut pieces = vec![
        Piece::Head(t!(catalogue, "view-decision")),
        Piece::Pair(t!(catalogue, "view-verdict"), verdict),
        Piece::Pair(t!(catalogue, "view-reason"), decision.reasons.clone()),
    ];
    for (n, condition) in decision.conditions.iter().enumerate() {
        let label = t!(catalogue, "act-condition", number = n as u64 + 1);
        pieces.push(Piece::Pair(label, condition.clone()));
    }
    pieces
}

/// What stands in the way, each with its code, who can change it and what to do.
pub(crate) fn stopped(refusals: &[Refusal], catalogue: &Catalogue) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if !refusals.is_empty() {
        pieces.push(Piece::Head(t!(catalogue, "blocks-title")));
    }
    for refusal in refusals {
        let failure = refused::refusal(refusal, catalogue);
        let code = failure.code.clone().unwrap_or_default();
        pieces.push(Piece::Item(format!("[{code}] {}", failure.message)));
        let who = failure.who_can_fix.clone().unwrap_or_default();
        let next = failure.next.clone().unwrap_or_default();
        for (label, text) in
            [(t!(catalogue, "out-who-can-fix"), who), (t!(catalogue, "out-next"), next)]
        {
            pieces.push(Piece::Raw(crate::out::fill(&format!("      {label} {text}"), 6)));
        }
    }
    pieces
}

/// For programs.
pub(crate) fn stopped_json(refusals: &[Refusal], catalogue: &Catalogue) -> Value {
    let one = |refusal: &Refusal| {
        let failure = refused::refusal(refusal, catalogue);
        let details: serde_json::Map<_, _> = failure
            .details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
            .collect();
        json!({
            "code": failure.code,
            "message": failure.message,
            "who_can_fix": failure.who_can_fix,
            "next": failure.next,
            "details": details,
        })
    };
    refusals.iter().map(one).collect()
}

/// For programs.
pub(crate) fn json(act: &ActView, catalogue: &Catalogue) -> Value {
    let decision = act.decision.as_ref().map(|decision| {
        json!({
            "verdict": strict::<Verdict>(decision.verdict).name(),
            "reasons": decision.reasons,
            "conditions": decision.conditions,
            "decided_at": decision.decided_at_s,
            "valid_until": decision.valid_until_s,
            "without_consent": decision.exception_accepted,
            "publish_where": decision.choose_channel,
        })
    });
    let cautions = act.cautions.iter().map(|w| Value::from(refused::warning(w, catalogue)));
    json!({
        "id": act.id,
        "kind": name::<ActionKind>(act.plan.kind),
        "title": act.plan.title,
        "phase": act.phase.name(),
        "plan_hash": act.plan_hash,
        "plan": body(act.plan.clone()),
        "blocks": stopped_json(&act.refusals, catalogue),
        "warnings": cautions.collect::<Value>(),
        "decision": decision,
        "approved_until": act.approved_until_s,
        "scheduled_for": Some(act.scheduled_for_s).filter(|at| *at != 0),
        "done_at": act.done_at_s,
        "consents_seen": act.consents_seen,
        "effect_due": act.effect_due_s,
        "no_further_use": act.no_further_use.as_ref().map(|(who, at)| json!({
            "person": who, "at": at,
        })),
    })
}
