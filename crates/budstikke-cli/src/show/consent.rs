//! Who said what about which act, and how it stands.

use budstikke::{CaseView, ConsentView, Message};
use serde_json::{Value, json};

use crate::{
    case::{
        wire::{Activation, Choice, ConsentClaim, ConsentState, IdentityLevel, Scope},
        words::{Word, strict},
    },
    catalogue::{Catalogue, t},
    reply::Piece,
    show::{time, view},
};

/// Questions for consent in a conversation, oldest first.
pub(crate) fn questions(case: &CaseView) -> Vec<&Message> {
    let asked = |message: &&Message| message.kind == "consent-request" && !message.quarantined;
    case.messages.iter().filter(asked).collect()
}

/// Whether the newest question has no answer yet.
pub(crate) fn waits(questions: &[&Message], answers: &[ConsentView]) -> bool {
    let asked = questions.iter().map(|question| question.at).max();
    let answered = answers.iter().map(|answer| answer.given_at_s).max();
    // Answers carry the minute alone.
    asked.is_some_and(|asked| answered.is_none_or(|answered| answered + 59 < asked))
}

/// A question, whole.
pub(crate) fn question(message: &Message, catalogue: &Catalogue) -> Vec<Piece> {
    let at = time::moment(message.at);
    let number = message.number.to_string();
    let title = t!(catalogue, "consent-question", number = number, at = at);
    let mut pieces = vec![Piece::Head(title)];
    pieces.extend(message.view.iter().flat_map(|v| view::pieces(v, false, catalogue)));
    pieces
}

/// Somebody's answers, a line each; for an officer with its short name and what is still to be known
/// about it.
pub(crate) fn answers(consent: &ConsentView, officer: bool, catalogue: &Catalogue) -> Vec<Piece> {
    let title = t!(
        catalogue,
        "consent-of",
        person = consent.person.as_str(),
        at = time::moment(consent.given_at_s)
    );
    let mut pieces = vec![Piece::Head(title)];
    if consent.oral {
        let basis = catalogue.text(&consent.basis.key(), &[]);
        let officers = consent.officers as u64;
        let said = t!(catalogue, "consent-oral", basis = basis, officers = officers);
        pieces.push(Piece::Text(said));
    }
    for (claim, state, withdrawn) in &consent.answers {
        pieces.push(Piece::Item(answer(claim, *state, *withdrawn, catalogue)));
        let conditions = claim.conditions.iter().map(|text| {
            let text = t!(catalogue, "consent-condition", text = text.as_str());
            Piece::Raw(crate::out::fill(&format!("      {text}"), 6))
        });
        pieces.extend(conditions);
    }
    let until = time::moment(consent.expires_at_s);
    pieces.push(Piece::Text(t!(catalogue, "consent-until", at = until)));
    if !consent.whole {
        pieces.push(Piece::Text(t!(catalogue, "consent-part")));
    }
    if officer && !consent.vouched {
        pieces.push(Piece::Warn(t!(catalogue, "consent-not-vouched", id = consent.id.as_str())));
    }
    pieces
}

fn answer(
    claim: &ConsentClaim,
    state: ConsentState,
    withdrawn: Option<i64>,
    catalogue: &Catalogue,
) -> String {
    let choice = strict::<Choice>(claim.choice);
    let mut line = t!(
        catalogue,
        "consent-answer",
        scope = word::<Scope>(claim.scope, catalogue),
        choice = catalogue.text(&choice.key(), &[]),
    );
    let mut add = |text: String| {
        line.push_str(", ");
        line.push_str(&text);
    };
    if choice == Choice::Granted {
        let level = catalogue.text(&strict::<IdentityLevel>(claim.identity).key(), &[]);
        add(t!(catalogue, "consent-showing", level = level));
    }
    if Activation::try_from(claim.activation).is_ok_and(|when| when != Activation::Always) {
        add(word::<Activation>(claim.activation, catalogue));
    }
    if !claim.wording_hash.is_empty() {
        add(t!(catalogue, "consent-worded"));
    }
    match (state, withdrawn) {
        // A no stays a no.
        (_, Some(at)) if choice == Choice::Granted => {
            add(t!(catalogue, "consent-taken-back", at = time::moment(at)));
        }
        (ConsentState::Suspended, _) if choice == Choice::Granted => {
            add(catalogue.text(&state.key(), &[]));
        }
        _ => {}
    }
    line
}

/// A choice in the reader's words.
pub(crate) fn word<E: Word>(raw: i32, catalogue: &Catalogue) -> String {
    let key = crate::case::words::described::<E>(raw).key();
    key.map(|key| catalogue.text(&key, &[])).unwrap_or_default()
}

/// A choice by the schema's name; empty when nothing was said.
pub(crate) fn name<E: Word>(raw: i32) -> String {
    E::try_from(raw).ok().filter(|_| raw != 0).map(E::name).unwrap_or_default()
}

/// For programs.
pub(crate) fn json(consent: &ConsentView) -> Value {
    let answers = consent.answers.iter().map(|(claim, state, withdrawn)| {
        json!({
            "scope": name::<Scope>(claim.scope),
            "choice": strict::<Choice>(claim.choice).name(),
            "identity": strict::<IdentityLevel>(claim.identity).name(),
            "activation": name::<Activation>(claim.activation),
            "conditions": claim.conditions,
            "worded": !claim.wording_hash.is_empty(),
            "state": state.name(),
            "withdrawn_at": withdrawn,
        })
    });
    json!({
        "id": consent.id,
        "person": consent.person,
        "basis": consent.basis.name(),
        "oral": consent.oral,
        "officers": consent.officers,
        "given_at": consent.given_at_s,
        "expires_at": consent.expires_at_s,
        "affirmed_at": consent.affirmed_at_s,
        "whole": consent.whole,
        "vouched": consent.vouched,
        "answers": answers.collect::<Value>(),
    })
}

/// For programs.
pub(crate) fn question_json(message: &Message) -> Value {
    json!({ "number": message.number, "at": message.at, "view": message.view })
}
