//! Tables of consent. What somebody signed is decoded and checked inside each message that carries
//! it; whether signatures hold is a question for whoever has keys ([`crate::consent`]).

use super::check::{Check, Checked, MAX_TIME, Optional, Required};
use super::{ID_LEN, MAX_ALIAS};
use crate::carried::decode;
use crate::consent::{DIGESTS, MAX_CLAIMS, check_disclosed};
use crate::refusal::{Fault, Refusal};
use crate::roles::{Side, side};
use crate::wire as w;
use crate::wire::{Attestation, ConsentEvidence, GiverBasis, Leg, Role};
use crate::words::strict;

/// Nothing is agreed to for longer.
const MAX_VALIDITY_S: i64 = 400 * 86_400;

pub(super) fn request(m: &w::ConsentRequest, c: &mut Check) -> Checked {
    c.id("request_id", &m.request_id, Required, ID_LEN)?;
    c.text("person", &m.person, Required, MAX_ALIAS)?;
    c.each("acts", &m.acts, 1..=12, |c, act| {
        c.word::<w::Scope>("scope", act.scope, Required)?;
        c.text("what", &act.what, Required, 2_000)?;
        c.text("wording", &act.wording, Optional, 8_000)
    })?;
    c.texts("alternatives", &m.alternatives, 0..=8, 600)?;
    c.text("risks_explained", &m.risks_explained, Required, 2_000)?;
    c.text("what_cannot_be_undone", &m.what_cannot_be_undone, Optional, 1_000)?;
    c.range("answer_by_s", m.answer_by_s, 0..=MAX_TIME)
}

pub(super) fn record(m: &w::ConsentRecord, leg: Leg, role: Role, c: &mut Check) -> Checked {
    let body: w::ConsentTokenBody = decode(&m.body)?;
    token_body(&body, &m.giver_signature, &m.attestations, c)?;
    c.entries("claims", m.claims.len(), 1..=MAX_CLAIMS)?;
    claims(&body, &m.claims, c)?;
    c.text("giver", &m.giver, Optional, MAX_ALIAS)?;
    c.word::<w::WhyNotSelf>("why_not_self", m.why_not_self, Optional)?;
    c.texts("attempts_to_reach", &m.attempts_to_reach, 0..=8, 400)?;
    c.id("in_reply_to", &m.in_reply_to, Optional, ID_LEN)?;
    let basis = GiverBasis::try_from(body.basis).unwrap_or_default();
    let stands_in = matches!(basis, GiverBasis::LegalRepresentative | GiverBasis::CloseFamily);
    if stands_in && m.giver.is_empty() {
        return Err(c.fault("giver", Fault::Missing));
    }
    if stands_in && m.why_not_self == 0 {
        return Err(c.fault("why_not_self", Fault::Missing));
    }
    let grants = m.claims.iter().any(|salted| {
        let claim = decode::<w::ConsentClaim>(&salted.claim).unwrap_or_default();
        strict::<w::Choice>(claim.choice) == w::Choice::Granted
    });
    if grants && !m.risks_understood {
        return Err(c.fault("risks_understood", Fault::Missing));
    }
    standing(basis, leg, role, &body.person)
}

/// C07: whoever signs has the standing that the record claims.
fn standing(basis: GiverBasis, leg: Leg, role: Role, person: &str) -> Checked {
    let fits = match role {
        Role::Defender => matches!(basis, GiverBasis::Self_ | GiverBasis::GroupDecision),
        Role::Family => matches!(basis, GiverBasis::CloseFamily | GiverBasis::Guardian),
        Role::LegalRepresentative => {
            matches!(basis, GiverBasis::LegalRepresentative | GiverBasis::Guardian)
        }
        // An officer writes down what was said, by whomever.
        _ => true,
    };
    if fits || side(leg, role) != Some(Side::Asking) {
        return Ok(());
    }
    let (person, basis) = (person.to_owned(), crate::words::Word::name(basis));
    Err(Refusal::ConsentGiverNotEligible { person, basis })
}

pub(super) fn token(m: &w::ConsentToken, c: &mut Check) -> Checked {
    let body: w::ConsentTokenBody = decode(&m.body)?;
    token_body(&body, &m.giver_signature, &m.attestations, c)?;
    // Onward, an officer always answers for whose key it is.
    c.entries("attestations", m.attestations.len(), 1..=4)?;
    c.entries("disclosed", m.disclosed.len(), 1..=MAX_CLAIMS)?;
    claims(&body, &m.disclosed, c)
}

fn token_body(
    m: &w::ConsentTokenBody,
    giver_signature: &[u8],
    attestations: &[Attestation],
    c: &mut Check,
) -> Checked {
    let signed = m.evidence == i32::from(ConsentEvidence::Signed);
    c.inside("body", |c| {
        c.id("record_id", &m.record_id, Required, ID_LEN)?;
        c.id("giver_key", &m.giver_key, if signed { Required } else { Optional }, 32)?;
        c.text("person", &m.person, Required, MAX_ALIAS)?;
        c.word::<GiverBasis>("basis", m.basis, Required)?;
        c.word::<ConsentEvidence>("evidence", m.evidence, Required)?;
        c.range("given_at_s", m.given_at_s, 1..=MAX_TIME)?;
        c.range("expires_at_s", m.expires_at_s, 1..=MAX_TIME)?;
        c.range("expires_at_s", m.expires_at_s - m.given_at_s, 1..=MAX_VALIDITY_S)?;
        if m.digests.len() != DIGESTS {
            return Err(c.fault("digests", Fault::Length));
        }
        m.digests.iter().try_for_each(|digest| c.id("digests", digest, Required, 32))?;
        if !m.digests.is_sorted_by(|a, b| a < b) {
            return Err(c.fault("digests", Fault::Order));
        }
        Ok(())
    })?;
    c.id("giver_signature", giver_signature, if signed { Required } else { Optional }, 64)?;
    if !signed && (!giver_signature.is_empty() || !m.giver_key.is_empty()) {
        return Err(c.fault("giver_signature", Fault::Contradiction));
    }
    attested_by(attestations, if signed { 0..=4 } else { 1..=4 }, c)
}

fn claims(body: &w::ConsentTokenBody, salted: &[w::SaltedClaim], c: &mut Check) -> Checked {
    c.each("claims", salted, 0..=MAX_CLAIMS, |c, salted| {
        c.id("salt", &salted.salt, Required, 16)?;
        let claim: w::ConsentClaim = decode(&salted.claim)?;
        c.word::<w::Scope>("scope", claim.scope, Required)?;
        c.texts("conditions", &claim.conditions, 0..=8, 400)?;
        c.id("wording_hash", &claim.wording_hash, Optional, 32)?;
        c.range("expires_at_s", claim.expires_at_s, 0..=MAX_TIME)?;
        c.word::<w::Activation>("activation", claim.activation, Required)
    })?;
    check_disclosed(body, salted)
}

pub(super) fn status(m: &w::ConsentStatus, c: &mut Check) -> Checked {
    let body: w::ConsentStatusBody = decode(&m.body)?;
    c.inside("body", |c| {
        c.id("token_hash", &body.token_hash, Required, 32)?;
        c.words::<w::Scope>("scopes", &body.scopes, 1..=MAX_CLAIMS)?;
        c.word::<w::ConsentState>("state", body.state, Required)?;
        c.range("as_of_s", body.as_of_s, 1..=MAX_TIME)?;
        c.range("affirmed_at_s", body.affirmed_at_s, 1..=body.as_of_s)?;
        c.range("withdrawn_at_s", body.withdrawn_at_s, 0..=MAX_TIME)
    })?;
    by_officer(m.by.as_ref(), c)
}

pub(super) fn withdrawal(m: &w::ConsentWithdrawal, c: &mut Check) -> Checked {
    let body: w::ConsentWithdrawalBody = decode(&m.body)?;
    c.inside("body", |c| {
        c.id("record_id", &body.record_id, Required, ID_LEN)?;
        c.words::<w::Scope>("scopes", &body.scopes, 0..=MAX_CLAIMS)?;
        c.range("written_at_s", body.written_at_s, 1..=MAX_TIME)?;
        c.text("reason", &body.reason, Optional, 600)
    })?;
    c.id("giver_signature", &m.giver_signature, Optional, 64)?;
    attested_by(&m.attestations, if m.giver_signature.is_empty() { 1..=4 } else { 0..=4 }, c)
}

/// The one officer who answers for a message.
pub(super) fn by_officer(by: Option<&Attestation>, c: &mut Check) -> Checked {
    let Some(by) = by else { return Err(c.fault("by", Fault::Missing)) };
    c.inside("by", |c| attestation(by, c))
}

fn attested_by(
    attestations: &[Attestation],
    entries: std::ops::RangeInclusive<usize>,
    c: &mut Check,
) -> Checked {
    c.each("attestations", attestations, entries, |c, by| attestation(by, c))
}

fn attestation(by: &Attestation, c: &mut Check) -> Checked {
    officer(by.officer.as_ref(), c)?;
    c.id("signature", &by.signature, Required, 64)
}

pub(super) fn officer(officer: Option<&w::Officer>, c: &mut Check) -> Checked {
    let Some(officer) = officer else { return Err(c.fault("officer", Fault::Missing)) };
    c.inside("officer", |c| {
        c.id("key", &officer.key, Required, 32)?;
        c.text("unit", &officer.unit, Required, 64)?;
        c.text("label", &officer.label, Required, 64)?;
        c.word::<Role>("role", officer.role, Required)
    })
}
