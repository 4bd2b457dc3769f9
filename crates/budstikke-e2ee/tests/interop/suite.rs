//! Suite 0x004D for mls-rs, which does not know it: its own HPKE over the primitives, and Ed25519.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, Mac as _};
use mls_rs::{
    CipherSuite, CipherSuiteProvider, CryptoProvider,
    crypto::{
        HpkeCiphertext, HpkePsk, HpkePublicKey, HpkeSecretKey, SignaturePublicKey,
        SignatureSecretKey,
    },
};
use mls_rs_crypto_hpke::{
    context::{ContextR, ContextS},
    hpke::Hpke,
};
use mls_rs_crypto_traits::{AeadType as _, KdfType as _, KemType as _};
use rand_core::{OsRng, RngCore as _};
use sha2::{Digest as _, Sha256};
use shake::{ExtendableOutput as _, Shake256, Update as _, XofReader as _};
use zeroize::Zeroizing;

use crate::primitives::{ChaCha, Fault, HkdfSha256, Refused, XWing};

pub fn suite() -> CipherSuite {
    budstikke_e2ee::suite::SUITE_ID.into()
}

/// Clones share their fault.
#[derive(Clone, Default)]
pub struct Crypto {
    pub fault: Fault,
}

impl CryptoProvider for Crypto {
    type CipherSuiteProvider = Suite;

    fn supported_cipher_suites(&self) -> Vec<CipherSuite> {
        vec![suite()]
    }

    fn cipher_suite_provider(&self, asked: CipherSuite) -> Option<Suite> {
        let kem = XWing(self.fault.clone());
        let hpke = Hpke::new(kem.clone(), HkdfSha256, Some(ChaCha));
        (asked == suite()).then_some(Suite { kem, hpke })
    }
}

#[derive(Clone)]
pub struct Suite {
    kem: XWing,
    hpke: Hpke<XWing, HkdfSha256, ChaCha>,
}

type Answer<T> = Result<T, Refused>;

impl CipherSuiteProvider for Suite {
    type Error = Refused;
    type HpkeContextS = ContextS<HkdfSha256, ChaCha>;
    type HpkeContextR = ContextR<HkdfSha256, ChaCha>;

    fn cipher_suite(&self) -> CipherSuite {
        suite()
    }

    fn hash(&self, data: &[u8]) -> Answer<Vec<u8>> {
        Ok(Sha256::digest(data).to_vec())
    }

    fn mac(&self, key: &[u8], data: &[u8]) -> Answer<Vec<u8>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Refused)?;
        mac.update(data);
        Ok(mac.finalize().into_bytes().to_vec())
    }

    fn aead_seal(
        &self,
        key: &[u8],
        data: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Answer<Vec<u8>> {
        ChaCha.seal(key, data, aad, nonce)
    }

    fn aead_open(
        &self,
        key: &[u8],
        sealed: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Answer<Zeroizing<Vec<u8>>> {
        ChaCha.open(key, sealed, aad, nonce).map(Zeroizing::new)
    }

    fn aead_key_size(&self) -> usize {
        ChaCha.key_size()
    }

    fn aead_nonce_size(&self) -> usize {
        ChaCha.nonce_size()
    }

    fn kdf_extract(&self, salt: &[u8], material: &[u8]) -> Answer<Zeroizing<Vec<u8>>> {
        HkdfSha256.extract(salt, material).map(Zeroizing::new)
    }

    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Answer<Zeroizing<Vec<u8>>> {
        HkdfSha256.expand(prk, info, len).map(Zeroizing::new)
    }

    fn kdf_extract_size(&self) -> usize {
        HkdfSha256.extract_size()
    }

    fn hpke_seal(
        &self,
        remote: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
        plain: &[u8],
    ) -> Answer<HpkeCiphertext> {
        Ok(self.hpke.seal(remote, info, None, aad, plain)?)
    }

    fn hpke_seal_psk(
        &self,
        remote: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
        plain: &[u8],
        psk: HpkePsk<'_>,
    ) -> Answer<HpkeCiphertext> {
        Ok(self.hpke.seal(remote, info, Some(psk), aad, plain)?)
    }

    fn hpke_open(
        &self,
        sealed: &HpkeCiphertext,
        secret: &HpkeSecretKey,
        public: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
    ) -> Answer<Zeroizing<Vec<u8>>> {
        Ok(self.hpke.open(sealed, secret, public, info, None, aad)?)
    }

    fn hpke_open_psk(
        &self,
        sealed: &HpkeCiphertext,
        secret: &HpkeSecretKey,
        public: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
        psk: HpkePsk<'_>,
    ) -> Answer<Zeroizing<Vec<u8>>> {
        Ok(self.hpke.open(sealed, secret, public, info, Some(psk), aad)?)
    }

    fn hpke_setup_s(
        &self,
        remote: &HpkePublicKey,
        info: &[u8],
    ) -> Answer<(Vec<u8>, Self::HpkeContextS)> {
        Ok(self.hpke.setup_sender(remote, info, None)?)
    }

    fn hpke_setup_r(
        &self,
        encapsulated: &[u8],
        secret: &HpkeSecretKey,
        public: &HpkePublicKey,
        info: &[u8],
    ) -> Answer<Self::HpkeContextR> {
        Ok(self.hpke.setup_receiver(encapsulated, secret, public, info, None)?)
    }

    /// Not mls-rs' own derivation, which is the one of RFC 9180's curves: X-Wing has one of its own,
    /// SHAKE256 over the material.
    fn kem_derive(&self, material: &[u8]) -> Answer<(HpkeSecretKey, HpkePublicKey)> {
        let mut seed = [0; 32];
        let mut shake = Shake256::default();
        shake.update(material);
        shake.finalize_xof().read(&mut seed);
        self.kem.generate_deterministic(&seed)
    }

    fn kem_generate(&self) -> Answer<(HpkeSecretKey, HpkePublicKey)> {
        self.kem.generate()
    }

    fn kem_public_key_validate(&self, key: &HpkePublicKey) -> Answer<()> {
        self.kem.public_key_validate(key)
    }

    fn random_bytes(&self, out: &mut [u8]) -> Answer<()> {
        OsRng.fill_bytes(out);
        Ok(())
    }

    fn signature_key_generate(&self) -> Answer<(SignatureSecretKey, SignaturePublicKey)> {
        // Leaves bring the key that their certificate names.
        Err(Refused)
    }

    fn signature_key_derive_public(&self, seed: &SignatureSecretKey) -> Answer<SignaturePublicKey> {
        Ok(signing_key(seed)?.verifying_key().to_bytes().to_vec().into())
    }

    fn sign(&self, seed: &SignatureSecretKey, data: &[u8]) -> Answer<Vec<u8>> {
        Ok(signing_key(seed)?.sign(data).to_vec())
    }

    fn verify(&self, key: &SignaturePublicKey, signature: &[u8], data: &[u8]) -> Answer<()> {
        let key: [u8; 32] = key.as_bytes().try_into().map_err(|_| Refused)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| Refused)?;
        let signature = Signature::from_slice(signature).map_err(|_| Refused)?;
        key.verify_strict(data, &signature).map_err(|_| Refused)
    }
}

fn signing_key(seed: &SignatureSecretKey) -> Answer<SigningKey> {
    let seed: [u8; 32] = seed.as_bytes().try_into().map_err(|_| Refused)?;
    Ok(SigningKey::from_bytes(&seed))
}
