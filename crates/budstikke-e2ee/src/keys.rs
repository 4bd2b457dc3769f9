//! Key types as plain bytes: no dalek type crosses this crate's boundary.

use std::fmt;

use ed25519_dalek::Signer as _;
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::suite::{HpkeError, Suite, XWING_PUBLIC_LEN};

/// A key or a signature was not usable.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum KeyError {
    /// Wrong length, not a point of the curve, or a point of small order.
    #[error("the key is malformed")]
    Malformed,
    /// The signature does not verify: forged, altered, or made for another purpose.
    #[error("the signature does not match")]
    Signature,
}

/// SHA-256 of the Ministry root's public key: what invitations carry and groups are bound to.
pub type Fingerprint = [u8; 32];

/// What is signed: `"budstikke/v1/" || domain || 0x00 || body`.
fn message(domain: &str, body: &[u8]) -> Vec<u8> {
    [b"budstikke/v1/", domain.as_bytes(), &[0], body].concat()
}

/// SHA-256 over the same framing as signatures.
pub(crate) fn hash(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"budstikke/v1/");
    hasher.update(domain.as_bytes());
    hasher.update([0]);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// An Ed25519 signing key: root, issuer, unit, device, notice or a defender's key of one case.
#[derive(Clone)]
pub struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// A fresh key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self(seed)
    }

    /// The key of a 32-byte seed.
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*seed))
    }

    /// The 32-byte seed, for the vault.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// The public half.
    pub fn public(&self) -> VerifyingKey {
        VerifyingKey(self.dalek().verifying_key().to_bytes())
    }

    /// Signs `body` for one purpose; see [`VerifyingKey::verify`].
    pub fn sign(&self, domain: &str, body: &[u8]) -> [u8; 64] {
        self.sign_raw(&message(domain, body))
    }

    /// Signs exactly these bytes: for MLS and slot entries, which bring labels of their own.
    pub(crate) fn sign_raw(&self, bytes: &[u8]) -> [u8; 64] {
        self.dalek().sign(bytes).to_bytes()
    }

    fn dalek(&self) -> ed25519_dalek::SigningKey {
        ed25519_dalek::SigningKey::from_bytes(&self.0)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// An Ed25519 public key, checked to be a point of large order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Parses 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if they are no point or one of small order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Malformed)?;
        let key =
            ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Malformed)?;
        if key.is_weak() { Err(KeyError::Malformed) } else { Ok(Self(bytes)) }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks a signature made by [`SigningKey::sign`] with the same domain, strictly (no
    /// malleability, no mixed-order points).
    ///
    /// # Errors
    /// [`KeyError::Signature`].
    pub fn verify(&self, domain: &str, body: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        verify_strict(&self.0, &message(domain, body), signature)
    }

    /// SHA-256 of the key: a root's fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey")
    }
}

pub(crate) fn verify_strict(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
    let key: [u8; 32] = key.try_into().map_err(|_| KeyError::Malformed)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Malformed)?;
    let signature =
        ed25519_dalek::Signature::from_slice(signature).map_err(|_| KeyError::Signature)?;
    key.verify_strict(message, &signature).map_err(|_| KeyError::Signature)
}

/// An HPKE (X-Wing) public key: 1,216 bytes, tried once before it is accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct HpkePublic(Vec<u8>);

impl HpkePublic {
    /// Checks `bytes` by a trial encapsulation.
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn from_bytes(suite: &Suite, bytes: &[u8]) -> Result<Self, KeyError> {
        crate::suite::guard::usable_key(&suite.crypto, bytes).map_err(|_| KeyError::Malformed)?;
        Ok(Self(bytes.to_vec()))
    }

    /// The 1,216 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for HpkePublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HpkePublic")
    }
}

/// An HPKE (X-Wing) key pair, kept as the 32-byte seed it is derived from.
#[derive(Clone)]
pub struct HpkeSecret {
    seed: Zeroizing<[u8; 32]>,
    secret: Zeroizing<Vec<u8>>,
    public: HpkePublic,
}

impl HpkeSecret {
    /// A fresh pair.
    ///
    /// # Errors
    /// [`HpkeError`] if the backend fails.
    pub fn generate(
        suite: &Suite,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, HpkeError> {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let pair = Self::from_seed(suite, &seed);
        seed.zeroize();
        pair
    }

    /// The pair of a 32-byte seed, as it comes from the vault or from a colleague.
    ///
    /// # Errors
    /// [`HpkeError`] if the backend fails.
    pub fn from_seed(suite: &Suite, seed: &[u8; 32]) -> Result<Self, HpkeError> {
        let (secret, public) = suite.derive_key_pair(seed)?;
        if public.len() != XWING_PUBLIC_LEN {
            return Err(HpkeError::Key);
        }
        Ok(Self { seed: Zeroizing::new(*seed), secret, public: HpkePublic(public) })
    }

    /// The seed, for the vault and for the team.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public half.
    pub fn public(&self) -> &HpkePublic {
        &self.public
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

impl fmt::Debug for HpkeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HpkeSecret")
    }
}
