//! The wrapper around `openmls_rust_crypto`: admits suite 0x004D only, draws randomness from the
//! caller's seed, verifies Ed25519 strictly.

use std::sync::{Mutex, PoisonError};

use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
    OpenMlsProvider,
    crypto::OpenMlsCrypto,
    random::OpenMlsRand,
    types::{
        AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
        HpkeKeyPair, KemOutput, SignatureScheme,
    },
};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};

use super::{CIPHERSUITE, Suite, storage::Storage};
use crate::keys;

type SecretBytes = openmls::prelude::tls_codec::SecretVLBytes;

pub(crate) struct Crypto {
    inner: RustCrypto,
    rng: Mutex<ChaCha20Rng>,
    /// Tests: the how-manieth key pair from now comes out with a short public key.
    #[cfg(test)]
    pub(crate) sabotage: std::sync::atomic::AtomicU32,
}

impl Crypto {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self {
            inner: RustCrypto::default(),
            rng: Mutex::new(ChaCha20Rng::from_seed(*seed)),
            #[cfg(test)]
            sabotage: std::sync::atomic::AtomicU32::new(0),
        }
    }

    #[cfg(test)]
    fn sabotaged(&self) -> bool {
        use std::sync::atomic::Ordering::SeqCst;
        self.sabotage.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) == Ok(1)
    }

    fn fill(&self, out: &mut [u8]) {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(out);
    }
}

pub(crate) struct Provider<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) storage: Storage<'a>,
}

impl<'a> OpenMlsProvider for Provider<'a> {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = Storage<'a>;

    fn storage(&self) -> &Storage<'a> {
        &self.storage
    }

    fn crypto(&self) -> &Crypto {
        &self.suite.crypto
    }

    fn rand(&self) -> &Crypto {
        &self.suite.crypto
    }
}

impl OpenMlsRand for Crypto {
    type Error = std::convert::Infallible;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        let mut out = [0; N];
        self.fill(&mut out);
        Ok(out)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Self::Error> {
        let mut out = vec![0; len];
        self.fill(&mut out);
        Ok(out)
    }
}

impl OpenMlsCrypto for Crypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        if suite == CIPHERSUITE { Ok(()) } else { Err(CryptoError::UnsupportedCiphersuite) }
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![CIPHERSUITE]
    }

    fn signature_key_gen(&self, _: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        // Signing keys come from `keys::SigningKey`, never from the provider.
        Err(CryptoError::UnsupportedSignatureScheme)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        key: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if scheme != SignatureScheme::ED25519 {
            return Err(CryptoError::UnsupportedSignatureScheme);
        }
        keys::verify_strict(key, data, signature).map_err(|_| CryptoError::InvalidSignature)
    }

    fn sign(&self, _: SignatureScheme, _: &[u8], _: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Err(CryptoError::UnsupportedSignatureScheme)
    }

    fn hkdf_extract(&self, h: HashType, s: &[u8], i: &[u8]) -> Result<SecretBytes, CryptoError> {
        self.inner.hkdf_extract(h, s, i)
    }

    fn hmac(&self, h: HashType, key: &[u8], message: &[u8]) -> Result<SecretBytes, CryptoError> {
        self.inner.hmac(h, key, message)
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretBytes, CryptoError> {
        self.inner.hkdf_expand(hash, prk, info, len)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.hash(hash, data)
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.aead_encrypt(alg, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.aead_decrypt(alg, key, sealed, nonce, aad)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.inner.hpke_seal(config, public, info, aad, plain)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        secret: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.hpke_open(config, input, secret, info, aad)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        context: &[u8],
        len: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        self.inner.hpke_setup_sender_and_export(config, public, info, context, len)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        encapsulated: &[u8],
        secret: &[u8],
        info: &[u8],
        context: &[u8],
        len: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.inner.hpke_setup_receiver_and_export(config, encapsulated, secret, info, context, len)
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        material: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        let pair = self.inner.derive_hpke_keypair(config, material);
        #[cfg(test)]
        if self.sabotaged() {
            return pair.map(|mut pair| {
                pair.public.truncate(100);
                pair
            });
        }
        pair
    }
}
