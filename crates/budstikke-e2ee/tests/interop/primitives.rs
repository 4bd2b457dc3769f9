//! What suite 0x004D is made of, for mls-rs: X-Wing, HKDF-SHA256, ChaCha20-Poly1305.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use mls_rs::{
    crypto::{HpkePublicKey, HpkeSecretKey},
    error::IntoAnyError,
};
use mls_rs_crypto_hpke::hpke::HpkeError;
use mls_rs_crypto_traits::{AeadId, AeadType, KdfId, KdfType, KemResult, KemType};
use rand_core::{OsRng, RngCore as _};
use sha2::Sha256;
use x_wing::{
    Decapsulate as _, DecapsulationKey, Decapsulator as _, Encapsulate as _, EncapsulationKey,
    KeyExport as _,
};

/// X-Wing in the HPKE registry.
const KEM_ID: u16 = 0x647a;

/// What a primitive refused; no test looks inside.
#[derive(Debug)]
pub struct Refused;

impl IntoAnyError for Refused {}

impl From<HpkeError> for Refused {
    fn from(_: HpkeError) -> Self {
        Self
    }
}

/// The how-manieth key pair from now comes out with a short public key; 0 for none.
pub type Fault = Arc<AtomicU32>;

#[derive(Clone)]
pub struct XWing(pub Fault);

#[derive(Clone)]
pub struct HkdfSha256;

#[derive(Clone)]
pub struct ChaCha;

impl KemType for XWing {
    type Error = Refused;

    fn kem_id(&self) -> u16 {
        KEM_ID
    }

    fn generate_deterministic(
        &self,
        seed: &[u8],
    ) -> Result<(HpkeSecretKey, HpkePublicKey), Refused> {
        let seed: [u8; 32] = seed.try_into().map_err(|_| Refused)?;
        let mut public = DecapsulationKey::from(seed).encapsulation_key().to_bytes().to_vec();
        if self.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) == Ok(1) {
            public.truncate(100);
        }
        Ok((seed.to_vec().into(), public.into()))
    }

    fn generate(&self) -> Result<(HpkeSecretKey, HpkePublicKey), Refused> {
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        self.generate_deterministic(&seed)
    }

    /// Not done here: this side's faults are for the other side to find.
    fn public_key_validate(&self, _: &HpkePublicKey) -> Result<(), Refused> {
        Ok(())
    }

    fn encap(&self, remote: &HpkePublicKey) -> Result<KemResult, Refused> {
        let key = EncapsulationKey::try_from(remote.as_ref()).map_err(|_| Refused)?;
        let (ciphertext, shared) = key.encapsulate();
        Ok(KemResult::new(shared.to_vec(), ciphertext.to_vec()))
    }

    fn decap(
        &self,
        encapsulated: &[u8],
        secret: &HpkeSecretKey,
        _: &HpkePublicKey,
    ) -> Result<Vec<u8>, Refused> {
        let seed: [u8; 32] = secret.as_ref().try_into().map_err(|_| Refused)?;
        let ciphertext = encapsulated.try_into().map_err(|_| Refused)?;
        Ok(DecapsulationKey::from(seed).decapsulate(ciphertext).to_vec())
    }

    fn seed_length_for_derive(&self) -> usize {
        32
    }
}

impl KdfType for HkdfSha256 {
    type Error = Refused;

    fn kdf_id(&self) -> u16 {
        KdfId::HkdfSha256 as u16
    }

    fn expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Vec<u8>, Refused> {
        let mut out = vec![0; len];
        let hkdf = Hkdf::<Sha256>::from_prk(prk).map_err(|_| Refused)?;
        hkdf.expand(info, &mut out).map_err(|_| Refused)?;
        Ok(out)
    }

    fn extract(&self, salt: &[u8], material: &[u8]) -> Result<Vec<u8>, Refused> {
        Ok(Hkdf::<Sha256>::extract(Some(salt), material).0.to_vec())
    }

    fn extract_size(&self) -> usize {
        32
    }
}

impl AeadType for ChaCha {
    type Error = Refused;

    fn aead_id(&self) -> u16 {
        AeadId::Chacha20Poly1305 as u16
    }

    fn seal(
        &self,
        key: &[u8],
        msg: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        let cipher = ChaCha20Poly1305::new_from_slice(key).map_err(|_| Refused)?;
        let payload = Payload { msg, aad: aad.unwrap_or_default() };
        cipher.encrypt(nonce.into(), payload).map_err(|_| Refused)
    }

    fn open(
        &self,
        key: &[u8],
        msg: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        let cipher = ChaCha20Poly1305::new_from_slice(key).map_err(|_| Refused)?;
        let payload = Payload { msg, aad: aad.unwrap_or_default() };
        cipher.decrypt(nonce.into(), payload).map_err(|_| Refused)
    }

    fn key_size(&self) -> usize {
        AeadId::Chacha20Poly1305.key_size()
    }

    fn nonce_size(&self) -> usize {
        AeadId::Chacha20Poly1305.nonce_size()
    }
}
