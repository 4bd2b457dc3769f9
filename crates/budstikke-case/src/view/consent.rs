//! Consent: what was asked, what was answered, what stands.

use super::{Lines, Sections};
use crate::carried::decode;
use crate::wire as w;
use crate::wire::{Choice, IdentityLevel, Scope};

pub(super) fn request(m: &w::ConsentRequest, s: &mut Sections) {
    s.add("view-consent", |l| {
        l.text("view-person", &m.person);
        // First what it may cost, then what it is.
        l.text("view-risks-explained", &m.risks_explained);
        l.text("view-cannot-be-undone", &m.what_cannot_be_undone);
        l.texts("view-alternatives", &m.alternatives);
        l.moment("view-answer-by", m.answer_by_s);
    });
    s.each("view-asked-act", &m.acts, |l, act| {
        l.word::<Scope>("view-scope", act.scope);
        l.strict::<IdentityLevel>("view-identity", act.identity);
        l.text("view-what-exactly", &act.what);
        l.text("view-wording", &act.wording);
    });
}

pub(super) fn record(m: &w::ConsentRecord, s: &mut Sections) {
    body(&m.body, s);
    s.add("view-giver", |l| {
        l.text("view-giver-alias", &m.giver);
        l.word::<w::WhyNotSelf>("view-why-not-self", m.why_not_self);
        l.texts("view-attempts", &m.attempts_to_reach);
        l.flag("view-risks-understood", m.risks_understood);
    });
    claims(&m.claims, s);
    attested(&m.attestations, s);
}

pub(super) fn token(m: &w::ConsentToken, s: &mut Sections) {
    body(&m.body, s);
    claims(&m.disclosed, s);
    attested(&m.attestations, s);
}

fn body(bytes: &[u8], s: &mut Sections) {
    let Ok(body) = decode::<w::ConsentTokenBody>(bytes) else { return };
    s.add("view-consent", |l| {
        l.text("view-person", &body.person);
        l.word::<w::GiverBasis>("view-basis", body.basis);
        l.word::<w::ConsentEvidence>("view-evidence", body.evidence);
        l.moment("view-given", body.given_at_s);
        l.moment("view-valid-until", body.expires_at_s);
    });
}

fn claims(salted: &[w::SaltedClaim], s: &mut Sections) {
    let claims: Vec<w::ConsentClaim> =
        salted.iter().filter_map(|one| decode(&one.claim).ok()).collect();
    s.each("view-answer", &claims, |l, claim| {
        l.word::<Scope>("view-scope", claim.scope);
        l.strict::<Choice>("view-choice", claim.choice);
        l.strict::<IdentityLevel>("view-identity", claim.identity);
        l.word::<w::Activation>("view-activation", claim.activation);
        l.texts("view-consent-conditions", &claim.conditions);
        l.hash("view-wording-hash", &claim.wording_hash);
        l.moment("view-valid-until", claim.expires_at_s);
    });
}

fn attested(by: &[w::Attestation], s: &mut Sections) {
    s.each("view-attested", by, |l, by| signed(l, Some(by)));
}

/// The officer behind something.
pub(super) fn signed(l: &mut Lines, by: Option<&w::Attestation>) {
    officer(l, by.and_then(|by| by.officer.as_ref()));
}

pub(super) fn officer(l: &mut Lines, officer: Option<&w::Officer>) {
    let Some(officer) = officer else { return };
    l.text("view-officer", &officer.label);
    l.text("view-unit", &officer.unit);
    l.word::<w::Role>("view-role", officer.role);
}

pub(super) fn status(m: &w::ConsentStatus, s: &mut Sections) {
    let Ok(body) = decode::<w::ConsentStatusBody>(&m.body) else { return };
    s.add("view-consent-status", |l| {
        l.strict::<w::ConsentState>("view-consent-state", body.state);
        l.words::<Scope>("view-scope", &body.scopes);
        l.moment("view-as-of", body.as_of_s);
        l.moment("view-affirmed", body.affirmed_at_s);
        l.moment("view-withdrawn", body.withdrawn_at_s);
        signed(l, m.by.as_ref());
    });
}

pub(super) fn withdrawal(m: &w::ConsentWithdrawal, s: &mut Sections) {
    let Ok(body) = decode::<w::ConsentWithdrawalBody>(&m.body) else { return };
    s.add("view-withdrawal", |l| {
        l.flag("view-takes-back-all", body.scopes.is_empty());
        l.words::<Scope>("view-scope", &body.scopes);
        l.moment("view-withdrawn", body.written_at_s);
        l.text("view-reason", &body.reason);
    });
    attested(&m.attestations, s);
}
