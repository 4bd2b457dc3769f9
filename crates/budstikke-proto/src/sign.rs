//! Ed25519 (RFC 8032) with strict verification and a domain in front of every signed message.

use ed25519_dalek::{Signature as Ed25519Signature, Signer, SigningKey, VerifyingKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::id::Signature;

/// A signing key: a relay's identity, a notice's publisher, or a slot's members.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SigningSeed([u8; 32]);

impl SigningSeed {
    /// Wraps the 32-byte seed of RFC 8032.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seed, for storage.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        SigningKey::from_bytes(&self.0).verifying_key().to_bytes()
    }

    /// Signs the parts, in order, under a domain. Every part has a fixed length for its domain, or is last.
    pub fn sign(&self, domain: &[u8], parts: &[&[u8]]) -> Signature {
        let signature = SigningKey::from_bytes(&self.0).sign(&message(domain, parts));
        Signature::from_bytes(signature.to_bytes())
    }
}

impl std::fmt::Debug for SigningSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSeed")
    }
}

/// Whether `signature` is `public`'s over these parts (RFC 8032, strict: no small-order keys, canonical only).
pub fn verify(public: &[u8; 32], domain: &[u8], parts: &[&[u8]], signature: &Signature) -> bool {
    VerifyingKey::from_bytes(public).is_ok_and(|key| {
        let signature = Ed25519Signature::from_bytes(signature.as_bytes());
        key.verify_strict(&message(domain, parts), &signature).is_ok()
    })
}

fn message(domain: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut out = domain.to_vec();
    out.push(0);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}
