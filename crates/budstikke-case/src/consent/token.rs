//! Checking consent: digests, signatures, and the state of a token at a moment.

use prost::Message as _;

use super::give::digest;
use super::{DIGESTS, STATUS_MAX_AGE_S, needs_two_officers};
use crate::carried::decode;
use crate::guard::CLOCK_SLACK_S;
use crate::hash::{Hash, consent_hash, consent_status_hash};
use crate::officer::{
    ATTEST_DOMAIN, GIVER_DOMAIN, Keys, STATUS_DOMAIN, WITHDRAWAL_DOMAIN, WITHDRAWAL_NOTED_DOMAIN,
    attest, attested, role, same_person,
};
use crate::refusal::Refusal;
use crate::wire as w;
use crate::wire::{
    Attestation, ConsentClaim, ConsentEvidence, ConsentTokenBody, GiverBasis, Officer, Role,
    SaltedClaim, Scope,
};
use crate::words::strict;

/// What somebody with standing said, proven. From a token it holds what was disclosed and nothing
/// else; from a record, every answer.
#[derive(Clone, PartialEq)]
pub struct Statement {
    /// Names the record that it was said in.
    pub record_id: Vec<u8>,
    /// Hash of the signed body, as a status names it.
    pub token_hash: Hash,
    /// Alias.
    pub person: String,
    /// Whether that is a group.
    pub person_is_group: bool,
    /// Why the giver may speak for them.
    pub basis: GiverBasis,
    /// Whether officers were told rather than a key used.
    pub oral: bool,
    /// Officers who attest it, each a person of their own.
    pub officers: usize,
    /// The giver's per-case key; empty for oral consent.
    pub giver_key: Vec<u8>,
    /// Unix seconds, as the giver says.
    pub given_at_s: i64,
    /// When an office first had it, Unix seconds; never before it was given. A device in other hands may say any time.
    pub heard_at_s: i64,
    /// When it was last stood by, Unix seconds.
    pub affirmed_at_s: i64,
    /// Unix seconds.
    pub expires_at_s: i64,
    /// The answers.
    pub claims: Vec<ConsentClaim>,
}

/// How a token stood at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// What a decision and an execution record.
    pub hash: Hash,
    /// The token's body.
    pub token_hash: Hash,
    /// Unknown is read as withdrawn.
    pub state: w::ConsentState,
    /// Unix seconds.
    pub as_of_s: i64,
    /// When the person last stood by it.
    pub affirmed_at_s: i64,
    /// Unix seconds, or 0.
    pub withdrawn_at_s: i64,
}

/// Makes a token of a record: the claims of these scopes, and nothing that tells how many others
/// there are. `attestations` are those of officers over the record's body.
///
/// # Errors
/// C01 when the record answers none of the scopes; W02 for a record that cannot be read.
pub fn disclose(
    record: &w::ConsentRecord,
    scopes: &[Scope],
    attestations: Vec<Attestation>,
) -> Result<w::ConsentToken, Refusal> {
    let body: ConsentTokenBody = decode(&record.body)?;
    let mut disclosed = Vec::new();
    for salted in &record.claims {
        let claim: ConsentClaim = decode(&salted.claim)?;
        if scopes.iter().any(|scope| i32::from(*scope) == claim.scope) {
            disclosed.push(salted.clone());
        }
    }
    if disclosed.is_empty() {
        let scope = scopes.first().copied().unwrap_or_default();
        return Err(Refusal::ConsentMissing { person: body.person, scope });
    }
    let (body, giver_signature) = (record.body.clone(), record.giver_signature.clone());
    Ok(w::ConsentToken { body, giver_signature, attestations, disclosed })
}

/// C10 unless every claim shown has its digest, once.
pub(crate) fn check_disclosed(
    body: &ConsentTokenBody,
    salted: &[SaltedClaim],
) -> Result<(), Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    for one in salted {
        let digest = digest(one);
        if body.digests.binary_search(&digest).is_err() || !seen.insert(digest) {
            return Err(invalid("digest"));
        }
    }
    Ok(())
}

/// Checks a token as the Ministry gets it: digests, the giver's signature, the officers'.
///
/// # Errors
/// C10 with the step that fails; I06 when oral consent to a démarche or a statement has not two
/// officers behind it.
pub fn verify(token: &w::ConsentToken, keys: &impl Keys) -> Result<Statement, Refusal> {
    let statement =
        proven(&token.body, &token.giver_signature, &token.attestations, &token.disclosed, keys)?;
    if statement.officers == 0 {
        return Err(invalid("officer"));
    }
    Ok(statement)
}

/// Checks a record as the mission gets it. The giver's signature is enough, unless it was oral.
///
/// # Errors
/// As for [`verify()`].
pub fn verify_record(record: &w::ConsentRecord, keys: &impl Keys) -> Result<Statement, Refusal> {
    let (signature, officers) = (&record.giver_signature, &record.attestations);
    proven(&record.body, signature, officers, &record.claims, keys)
}

fn proven(
    bytes: &[u8],
    giver_signature: &[u8],
    attestations: &[Attestation],
    salted: &[SaltedClaim],
    keys: &impl Keys,
) -> Result<Statement, Refusal> {
    let body: ConsentTokenBody = decode(bytes).map_err(|_| invalid("body"))?;
    if body.digests.len() != DIGESTS || !body.digests.is_sorted_by(|a, b| a < b) {
        return Err(invalid("digests"));
    }
    check_disclosed(&body, salted)?;
    let oral = match ConsentEvidence::try_from(body.evidence) {
        Ok(ConsentEvidence::Signed) => {
            if !keys.verify(&body.giver_key, GIVER_DOMAIN, bytes, giver_signature) {
                return Err(invalid("giver"));
            }
            false
        }
        Ok(ConsentEvidence::OralToOfficer) => true,
        _ => return Err(invalid("evidence")),
    };
    let officers = witnesses(attestations, ATTEST_DOMAIN, bytes, keys)?;
    if oral && officers.is_empty() {
        return Err(invalid("officer"));
    }
    let claims = salted.iter().map(|one| decode(&one.claim)).collect::<Result<Vec<_>, _>>();
    let claims: Vec<ConsentClaim> = claims.map_err(|_| invalid("claim"))?;
    // A no needs no second pair of ears.
    let two = |claim: &ConsentClaim| {
        strict::<w::Choice>(claim.choice) == w::Choice::Granted
            && Scope::try_from(claim.scope).is_ok_and(needs_two_officers)
    };
    if oral && officers.len() < 2 && claims.iter().any(two) {
        return Err(Refusal::FourEyes { act: "attest-oral-consent" });
    }
    Ok(Statement {
        record_id: body.record_id,
        token_hash: consent_hash(bytes),
        person: body.person,
        person_is_group: body.person_is_group,
        basis: GiverBasis::try_from(body.basis).unwrap_or_default(),
        oral,
        officers: officers.len(),
        giver_key: body.giver_key,
        given_at_s: body.given_at_s,
        heard_at_s: body.given_at_s,
        affirmed_at_s: body.given_at_s,
        expires_at_s: body.expires_at_s,
        claims,
    })
}

/// The officers behind a body, each counted once. One that does not hold spoils the proof: nobody
/// adds a signature that does nothing.
fn witnesses<'a>(
    attestations: &'a [Attestation],
    domain: &'static str,
    body: &[u8],
    keys: &impl Keys,
) -> Result<Vec<&'a Officer>, Refusal> {
    let mut officers: Vec<&Officer> = Vec::new();
    for by in attestations {
        let officer = attested(Some(by), domain, body, keys).map_err(|_| invalid("officer"))?;
        if !of_a_mission(officer) {
            return Err(invalid("officer-role"));
        }
        if !officers.iter().any(|known| same_person(known, officer)) {
            officers.push(officer);
        }
    }
    Ok(officers)
}

fn of_a_mission(officer: &Officer) -> bool {
    matches!(
        role(officer),
        Role::MissionStaff
            | Role::MissionContactPerson
            | Role::HeadOfMission
            | Role::MultilateralMissionStaff
    )
}

/// Checks a withdrawal against the statement it takes back: by the same key, or attested by an
/// officer.
///
/// # Errors
/// C10.
pub fn verify_withdrawal(
    withdrawal: &w::ConsentWithdrawal,
    statement: &Statement,
    keys: &impl Keys,
) -> Result<w::ConsentWithdrawalBody, Refusal> {
    let body: w::ConsentWithdrawalBody =
        decode(&withdrawal.body).map_err(|_| invalid("withdrawal"))?;
    if body.record_id != statement.record_id {
        return Err(invalid("record"));
    }
    if withdrawal.giver_signature.is_empty() {
        let (domain, by) = (WITHDRAWAL_NOTED_DOMAIN, &withdrawal.attestations);
        if witnesses(by, domain, &withdrawal.body, keys)?.is_empty() {
            return Err(invalid("officer"));
        }
        return Ok(body);
    }
    let (key, signature) = (&statement.giver_key, &withdrawal.giver_signature);
    if !keys.verify(key, WITHDRAWAL_DOMAIN, &withdrawal.body, signature) {
        return Err(invalid("giver"));
    }
    Ok(body)
}

/// Says how a token stands, signed by an officer of the mission.
pub fn sign_status(
    body: &w::ConsentStatusBody,
    officer: Officer,
    sign: impl FnOnce(&'static str, &[u8]) -> [u8; 64],
) -> w::ConsentStatus {
    let body = body.encode_to_vec();
    let by = Some(attest(officer, STATUS_DOMAIN, &body, sign));
    w::ConsentStatus { body, by }
}

/// Checks a status against the statement it speaks of, at a moment.
///
/// # Errors
/// C10 when it is not an officer's or speaks of something else; C04, C05 when it says so; C06 when
/// it is older than [`STATUS_MAX_AGE_S`].
pub fn check_status(
    status: &w::ConsentStatus,
    statement: &Statement,
    keys: &impl Keys,
    now: i64,
) -> Result<Status, Refusal> {
    let by = attested(status.by.as_ref(), STATUS_DOMAIN, &status.body, keys);
    let officer = by.map_err(|_| invalid("status-officer"))?;
    if !of_a_mission(officer) {
        return Err(invalid("officer-role"));
    }
    let body: w::ConsentStatusBody = decode(&status.body).map_err(|_| invalid("status"))?;
    if Hash::from_slice(&body.token_hash) != Some(statement.token_hash) {
        return Err(invalid("status-token"));
    }
    // A status speaks of what is disclosed; one that leaves a claim out says nothing of it.
    if statement.claims.iter().any(|claim| !body.scopes.contains(&claim.scope)) {
        return Err(invalid("status-scope"));
    }
    if body.as_of_s > now.saturating_add(CLOCK_SLACK_S) || body.affirmed_at_s > body.as_of_s {
        return Err(invalid("status-time"));
    }
    let person = statement.person.clone();
    match strict::<w::ConsentState>(body.state) {
        w::ConsentState::Valid => {}
        w::ConsentState::Suspended => {
            return Err(Refusal::ConsentSuspended { person, cause: "suspended" });
        }
        _ => return Err(Refusal::ConsentWithdrawn { person, at: body.withdrawn_at_s }),
    }
    if now.saturating_sub(body.as_of_s) > STATUS_MAX_AGE_S {
        let (last, max_s) = (body.as_of_s, STATUS_MAX_AGE_S);
        return Err(Refusal::ConsentStale { person, last, max_s });
    }
    Ok(Status {
        hash: consent_status_hash(&status.body),
        token_hash: statement.token_hash,
        state: w::ConsentState::Valid,
        as_of_s: body.as_of_s,
        affirmed_at_s: body.affirmed_at_s,
        withdrawn_at_s: body.withdrawn_at_s,
    })
}

fn invalid(step: &'static str) -> Refusal {
    Refusal::ConsentProofInvalid { step }
}
