//! Signatures of officers. Keys live elsewhere: this crate says what is signed and asks whether it
//! was.

use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::wire::{Attestation, Officer, Role};

/// Domain of a consent by the giver's per-case key.
pub const GIVER_DOMAIN: &str = "consent-giver";
/// Domain of an officer's attestation of a consent.
pub const ATTEST_DOMAIN: &str = "consent-officer";
/// Domain of a withdrawal by the giver's per-case key.
pub const WITHDRAWAL_DOMAIN: &str = "consent-withdrawal";
/// Domain of an officer's note of a withdrawal.
pub const WITHDRAWAL_NOTED_DOMAIN: &str = "consent-withdrawal-noted";
/// Domain of a consent's state.
pub const STATUS_DOMAIN: &str = "consent-status";
/// Domain of a decision.
pub const DECISION_DOMAIN: &str = "decision";
/// Domain of an acknowledgement.
pub const ACK_DOMAIN: &str = "alert-ack";

/// What is asked of whoever holds certificates. Every signature is over its domain and the bytes,
/// so that none made for one purpose passes for another.
pub trait Keys {
    /// Whether this Ed25519 key (32 bytes) signed `body` in `domain` (64 bytes); strict
    /// verification, which rejects small-order keys and malleable signatures.
    fn verify(&self, key: &[u8], domain: &'static str, body: &[u8], signature: &[u8]) -> bool;
    /// Whether a valid certificate says all of this: key, unit, label and role.
    fn certified(&self, officer: &Officer) -> bool;
}

/// Signs as an officer.
pub fn attest(
    officer: Officer,
    domain: &'static str,
    body: &[u8],
    sign: impl FnOnce(&'static str, &[u8]) -> [u8; 64],
) -> Attestation {
    let signature = sign(domain, body).to_vec();
    Attestation { officer: Some(officer), signature }
}

/// The officer behind an attestation.
///
/// # Errors
/// W02 when there is none; I04 when certificate or signature do not hold.
pub fn attested<'a>(
    by: Option<&'a Attestation>,
    domain: &'static str,
    body: &[u8],
    keys: &impl Keys,
) -> Result<&'a Officer, Refusal> {
    let missing = || malformed("by", Fault::Missing);
    let by = by.ok_or_else(missing)?;
    let officer = by.officer.as_ref().ok_or_else(missing)?;
    if !keys.certified(officer) {
        return Err(Refusal::RoleCertificateInvalid { reason: "certificate" });
    }
    if !keys.verify(&officer.key, domain, body, &by.signature) {
        return Err(Refusal::RoleCertificateInvalid { reason: "signature" });
    }
    Ok(officer)
}

/// Whether two officers are one person, as far as certificates tell: one key, or one label in one
/// unit.
pub fn same_person(a: &Officer, b: &Officer) -> bool {
    a.key == b.key || (a.unit == b.unit && a.label == b.label)
}

/// The role; one of a newer version may do nothing.
pub(crate) fn role(officer: &Officer) -> Role {
    Role::try_from(officer.role).unwrap_or_default()
}
