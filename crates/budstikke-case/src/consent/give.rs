//! Giving consent: a person's answers become salted claims, 48 digests, and a signature by a key
//! that appears nowhere else.

use prost::Message as _;
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest as _, Sha256};

use super::{CLAIM_DOMAIN, DIGESTS, MAX_CLAIMS};
use crate::hash::wording_hash;
use crate::officer::{GIVER_DOMAIN, WITHDRAWAL_DOMAIN};
use crate::refusal::{Refusal, Unit};
use crate::wire as w;

/// Somebody's answers, not signed yet.
#[derive(Clone, PartialEq)]
pub struct Giving {
    /// 16 fresh random bytes.
    pub record_id: [u8; 16],
    /// Alias of the person it is about.
    pub person: String,
    /// Whether that is a group.
    pub person_is_group: bool,
    /// Why the giver may speak for them.
    pub basis: w::GiverBasis,
    /// Unix seconds.
    pub given_at_s: i64,
    /// Unix seconds.
    pub expires_at_s: i64,
    /// What was answered, refusals too.
    pub claims: Vec<w::ConsentClaim>,
    /// Alias of whoever speaks, where that is somebody else.
    pub giver: String,
    /// Why the person does not speak themselves.
    pub why_not_self: i32,
    /// How they were sought.
    pub attempts_to_reach: Vec<String>,
    /// The risks and what cannot be undone were explained and understood.
    pub risks_understood: bool,
    /// The request answered, if there was one.
    pub in_reply_to: Vec<u8>,
}

impl Giving {
    /// Signed by the giver. `giver_key` is the public half (32 bytes) of a key made for this case;
    /// `sign` is given the domain and the body. `rng` makes salts and decoys.
    ///
    /// # Errors
    /// W02 for more than [`MAX_CLAIMS`] answers.
    pub fn sign(
        &self,
        giver_key: [u8; 32],
        rng: &mut (impl RngCore + CryptoRng),
        sign: impl FnOnce(&'static str, &[u8]) -> [u8; 64],
    ) -> Result<w::ConsentRecord, Refusal> {
        let evidence = w::ConsentEvidence::Signed;
        let mut record = self.record(giver_key.to_vec(), evidence, rng)?;
        record.giver_signature = sign(GIVER_DOMAIN, &record.body).to_vec();
        Ok(record)
    }

    /// Said to officers, who attest it: fill `attestations` with [`crate::officer::attest`] in
    /// [`crate::officer::ATTEST_DOMAIN`] over the record's `body`. A démarche or a statement needs
    /// two (I06).
    ///
    /// # Errors
    /// W02 for more than [`MAX_CLAIMS`] answers.
    pub fn oral(&self, rng: &mut (impl RngCore + CryptoRng)) -> Result<w::ConsentRecord, Refusal> {
        self.record(Vec::new(), w::ConsentEvidence::OralToOfficer, rng)
    }

    fn record(
        &self,
        giver_key: Vec<u8>,
        evidence: w::ConsentEvidence,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<w::ConsentRecord, Refusal> {
        let got = self.claims.len();
        if got > MAX_CLAIMS {
            let (field, limit) = ("claims".to_owned(), MAX_CLAIMS);
            return Err(Refusal::TooLarge { field, limit, got, unit: Unit::Entries });
        }
        let claims: Vec<_> = self
            .claims
            .iter()
            .map(|claim| {
                let mut salt = vec![0; 16];
                rng.fill_bytes(&mut salt);
                w::SaltedClaim { salt, claim: claim.encode_to_vec() }
            })
            .collect();
        let mut digests: Vec<Vec<u8>> = claims.iter().map(digest).collect();
        while digests.len() < DIGESTS {
            let mut decoy = vec![0; 32];
            rng.fill_bytes(&mut decoy);
            digests.push(decoy);
        }
        // Sorted, so that the place of a digest tells nothing of the order of the questions.
        digests.sort();
        let body = w::ConsentTokenBody {
            record_id: self.record_id.to_vec(),
            giver_key,
            person: self.person.clone(),
            person_is_group: self.person_is_group,
            basis: self.basis.into(),
            evidence: evidence.into(),
            given_at_s: self.given_at_s,
            expires_at_s: self.expires_at_s,
            digests,
        };
        Ok(w::ConsentRecord {
            body: body.encode_to_vec(),
            giver_signature: Vec::new(),
            claims,
            attestations: Vec::new(),
            giver: self.giver.clone(),
            why_not_self: self.why_not_self,
            attempts_to_reach: self.attempts_to_reach.clone(),
            risks_understood: self.risks_understood,
            in_reply_to: self.in_reply_to.clone(),
        })
    }
}

/// SHA-256("budstikke-consent-claim-v1" ‖ 16-byte salt ‖ claim bytes).
pub(super) fn digest(salted: &w::SaltedClaim) -> Vec<u8> {
    let hasher = Sha256::new_with_prefix(CLAIM_DOMAIN).chain_update(&salted.salt);
    hasher.chain_update(&salted.claim).finalize().to_vec()
}

/// A yes to an act that was asked about, in the words it was asked in.
pub fn answered(asked: &w::AskedAct, choice: w::Choice) -> w::ConsentClaim {
    let worded = !asked.wording.is_empty();
    w::ConsentClaim {
        scope: asked.scope,
        choice: choice.into(),
        identity: asked.identity,
        conditions: Vec::new(),
        wording_hash: if worded { wording_hash(&asked.wording).to_vec() } else { Vec::new() },
        expires_at_s: 0,
        activation: w::Activation::Always.into(),
    }
}

/// Takes consent back; no scopes means all of it. Signed with the key it was given with.
pub fn withdraw(
    record_id: [u8; 16],
    scopes: &[w::Scope],
    written_at_s: i64,
    reason: &str,
    sign: impl FnOnce(&'static str, &[u8]) -> [u8; 64],
) -> w::ConsentWithdrawal {
    let body = withdrawal_body(record_id, scopes, written_at_s, reason);
    let giver_signature = sign(WITHDRAWAL_DOMAIN, &body).to_vec();
    w::ConsentWithdrawal { body, giver_signature, attestations: Vec::new() }
}

/// Body of a withdrawal; for one that was said to an officer, who attests it in
/// [`crate::officer::WITHDRAWAL_NOTED_DOMAIN`].
pub fn withdrawal_body(
    record_id: [u8; 16],
    scopes: &[w::Scope],
    written_at_s: i64,
    reason: &str,
) -> Vec<u8> {
    let body = w::ConsentWithdrawalBody {
        record_id: record_id.to_vec(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        written_at_s,
        reason: reason.to_owned(),
    };
    body.encode_to_vec()
}
