//! The only module that knows the cryptographic provider behind MLS and HPKE.
//!
//! One suite: `MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519` (0x004D, a provisional number). Its
//! key agreement is hybrid X25519 + ML-KEM-768; its signatures are Ed25519 and not post-quantum.
//!
//! Randomness: everything that MLS draws itself (leaf and init keys, path secrets, group ids, reuse
//! guards) comes from a ChaCha20 generator that the caller seeds. The HPKE backend draws the
//! encapsulation's coins from a generator of its own, seeded by the operating system; the library
//! offers no seam for that one. Ed25519 signatures are deterministic.

pub(crate) mod guard;
pub(crate) mod provider;
pub(crate) mod storage;

use openmls_traits::{
    crypto::OpenMlsCrypto,
    types::{Ciphersuite, HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType, HpkeKemType},
};
use rand_core::{CryptoRng, RngCore};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::store::StateStore;
pub(crate) use provider::Provider;

/// Number of the MLS cipher suite, as envelopes name it.
pub const SUITE_ID: u16 = 0x004D;
/// Bytes of an X-Wing public key.
pub const XWING_PUBLIC_LEN: usize = 1216;
/// Bytes of an X-Wing encapsulation.
pub const XWING_ENCAPSULATED_LEN: usize = 1120;

pub(crate) const CIPHERSUITE: Ciphersuite =
    Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;
const HPKE: HpkeConfig = HpkeConfig(
    HpkeKemType::XWingKemDraft6,
    HpkeKdfType::HkdfSha256,
    HpkeAeadType::ChaCha20Poly1305,
);

/// The cryptographic provider with its random generator. Make one per process and keep it.
pub struct Suite {
    pub(crate) crypto: provider::Crypto,
}

impl Suite {
    /// A provider whose generator is seeded with 32 bytes of `rng`.
    pub fn new(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self { crypto: provider::Crypto::new(&seed) }
    }

    /// Derives an X-Wing key pair (secret seed, public key) from input key material.
    pub(crate) fn derive_key_pair(
        &self,
        material: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), HpkeError> {
        let pair = self.crypto.derive_hpke_keypair(HPKE, material).map_err(|_| HpkeError::Key)?;
        Ok((Zeroizing::new(pair.private.to_vec()), pair.public))
    }

    /// HPKE base mode: seals `plain` to `public`; the encapsulation and the ciphertext.
    pub(crate) fn seal(
        &self,
        public: &[u8],
        info: &[u8],
        plain: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), HpkeError> {
        guard::usable_key(&self.crypto, public).map_err(|_| HpkeError::Key)?;
        let sealed =
            self.crypto.hpke_seal(HPKE, public, info, &[], plain).map_err(|_| HpkeError::Key)?;
        Ok((sealed.kem_output.as_slice().to_vec(), sealed.ciphertext.as_slice().to_vec()))
    }

    /// Opens what [`Suite::seal`] sealed.
    pub(crate) fn open(
        &self,
        secret: &[u8],
        info: &[u8],
        encapsulated: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HpkeError> {
        if encapsulated.len() != XWING_ENCAPSULATED_LEN {
            return Err(HpkeError::Open);
        }
        let input = HpkeCiphertext {
            kem_output: encapsulated.to_vec().into(),
            ciphertext: ciphertext.to_vec().into(),
        };
        self.crypto
            .hpke_open(HPKE, &input, secret, info, &[])
            .map(Zeroizing::new)
            .map_err(|_| HpkeError::Open)
    }
}

/// What every stateful call needs: the provider, the store inside the caller's transaction, and the
/// time.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The cryptographic provider.
    pub suite: &'a Suite,
    /// The store; every write of a call belongs to the caller's transaction.
    pub store: &'a dyn StateStore,
    /// Unix seconds.
    pub now: i64,
}

impl<'a> Env<'a> {
    pub(crate) fn provider(&self) -> Provider<'a> {
        Provider { suite: self.suite, storage: storage::Storage(self.store) }
    }
}

/// HPKE failed.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum HpkeError {
    /// The public key is malformed; its publisher must publish a correct one.
    #[error("the recipient's encryption key is malformed")]
    Key,
    /// Not sealed to this key, or altered on the way.
    #[error("the sealed message was not made for this key, or was altered")]
    Open,
}
