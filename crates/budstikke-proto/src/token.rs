//! Blind tokens (SPEC.md section 6.1): RSABSSA-SHA384-PSS-Randomized of RFC 9474.
//!
//! An issuer signs what it cannot see; whoever holds the signature may spend it once, and the relay cannot tell when or
//! to whom it was issued, not even together with the issuer. One key serves one time, so that a token shows nothing but
//! the time of its key.

use std::convert::Infallible;
use std::fmt;

use blind_rsa_signatures::{
    BlindMessage, BlindSignature, BlindingResult, KeyPairSha384PSSRandomized, MessageRandomizer,
    PublicKeySha384PSSRandomized, Secret, SecretKeySha384PSSRandomized, Signature,
};
use rand_core::CryptoRngCore;
use rand_core_for_rsa::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::armor::{self, ArmorError};
use crate::id::{RelayId, TokenKeyId};

/// What is signed begins with this.
const DOMAIN: &[u8] = b"budstikke/token/v1";
/// What a relay remembers of a spent token is a hash that begins with this.
const SPENT_DOMAIN: &[u8] = b"budstikke/token/spent/v1";
/// Smallest and largest signatures: RSA keys of 2,048 to 4,096 bits.
const MIN_SIGNATURE_LEN: usize = 256;
const MAX_SIGNATURE_LEN: usize = 512;

/// First word of a text with requests, from a client to an issuer.
pub const REQUEST_TEXT: &str = "budtokenrequest1";
/// First word of an issuer's answer.
pub const ANSWER_TEXT: &str = "budtokenanswer1";
/// Requests in one text, and answers.
pub const MAX_REQUESTS: usize = 100;

/// Why a token could not be made, read or checked.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// Not an RSA key of 2,048 to 4,096 bits in the one form that this protocol knows.
    #[error("this is no key for tokens")]
    Key,
    /// Not a blinded request for this key.
    #[error("this is no request for a token of this key")]
    Request,
    /// The issuer's answer does not fit the request: ask it again, or do not trust it.
    #[error("the issuer's answer belongs to another request or another key")]
    Answer,
    /// Not a token's bytes.
    #[error("the token is malformed")]
    Malformed,
}

/// What a client spends.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The key that signed it.
    pub key_id: TokenKeyId,
    /// RFC 9474's random prefix of the message.
    pub randomizer: [u8; 32],
    /// The client's random choice.
    pub nonce: [u8; 32],
    /// 256 to 512 bytes, as the key is long.
    pub signature: Vec<u8>,
}

impl Token {
    /// Checks lengths.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn parse(
        key_id: &[u8],
        randomizer: &[u8],
        nonce: &[u8],
        signature: Vec<u8>,
    ) -> Result<Self, TokenError> {
        if !(MIN_SIGNATURE_LEN..=MAX_SIGNATURE_LEN).contains(&signature.len()) {
            return Err(TokenError::Malformed);
        }
        Ok(Self {
            key_id: TokenKeyId::parse(key_id).map_err(|_| TokenError::Malformed)?,
            randomizer: randomizer.try_into().map_err(|_| TokenError::Malformed)?,
            nonce: nonce.try_into().map_err(|_| TokenError::Malformed)?,
            signature,
        })
    }

    /// What a relay remembers of it, so that it is spent once. The signature is no part of it: one message may have
    /// several.
    pub fn spent_id(&self) -> [u8; 32] {
        Sha256::new_with_prefix(SPENT_DOMAIN)
            .chain_update(self.key_id.as_bytes())
            .chain_update(self.randomizer)
            .chain_update(self.nonce)
            .finalize()
            .into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// An issuer's public key.
#[derive(Clone)]
pub struct TokenKey {
    key: PublicKeySha384PSSRandomized,
    spki: Vec<u8>,
    id: TokenKeyId,
}

impl TokenKey {
    /// Reads a key: DER of a `SubjectPublicKeyInfo` with id-RSASSA-PSS, SHA-384, MGF1 with SHA-384 and a salt of 48
    /// bytes (RFC 9474 appendix), and nothing that encodes otherwise.
    ///
    /// # Errors
    /// [`TokenError::Key`].
    pub fn from_spki(spki: &[u8]) -> Result<Self, TokenError> {
        let key = PublicKeySha384PSSRandomized::from_spki(spki).map_err(|_| TokenError::Key)?;
        let made = Self::new(key)?;
        if made.spki == spki { Ok(made) } else { Err(TokenError::Key) }
    }

    fn new(key: PublicKeySha384PSSRandomized) -> Result<Self, TokenError> {
        let spki = key.to_spki().map_err(|_| TokenError::Key)?;
        let id = TokenKeyId::from_bytes(Sha256::digest(&spki).into());
        Ok(Self { key, spki, id })
    }

    /// The key as DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of [`TokenKey::spki`].
    pub const fn id(&self) -> &TokenKeyId {
        &self.id
    }

    /// Whether this key signed the token for this relay. Costs one RSA verification (about 0.1 ms).
    pub fn verify(&self, token: &Token, relay: &RelayId) -> bool {
        let signature = Signature(token.signature.clone());
        let randomizer = Some(MessageRandomizer(token.randomizer));
        token.key_id == self.id
            && self.key.verify(&signature, randomizer, message(relay, &token.nonce)).is_ok()
    }

    /// Begins a token for one relay: [`Blinding::request`] goes to the issuer.
    ///
    /// # Errors
    /// [`TokenError::Key`] when the key cannot blind.
    pub fn blind(
        &self,
        relay: RelayId,
        rng: &mut impl CryptoRngCore,
    ) -> Result<Blinding, TokenError> {
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let result =
            self.key.blind(&mut Rng(rng), message(&relay, &nonce)).map_err(|_| TokenError::Key)?;
        Ok(Blinding { key: self.clone(), relay, nonce, result })
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey")
    }
}

/// A token under way. Secret until spent: with it, issuer and relay could find each other.
pub struct Blinding {
    key: TokenKey,
    relay: RelayId,
    nonce: [u8; 32],
    result: BlindingResult,
}

impl Blinding {
    /// What the issuer gets. It tells nothing about the token.
    pub fn request(&self) -> &[u8] {
        &self.result.blind_message.0
    }

    /// Makes the token from the issuer's answer, which is checked.
    ///
    /// # Errors
    /// [`TokenError::Answer`].
    pub fn finish(&self, answer: &[u8]) -> Result<Token, TokenError> {
        let answer = BlindSignature(answer.to_vec());
        let signature = self
            .key
            .key
            .finalize(&answer, &self.result, message(&self.relay, &self.nonce))
            .map_err(|_| TokenError::Answer)?;
        let randomizer = self.result.msg_randomizer.ok_or(TokenError::Answer)?.0;
        Ok(Token { key_id: self.key.id, randomizer, nonce: self.nonce, signature: signature.0 })
    }

    /// The secrets, to be kept until the answer comes: nonce, randomizer, blinding factor.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let randomizer = self.result.msg_randomizer.map_or([0; 32], |randomizer| randomizer.0);
        let parts: [&[u8]; 3] = [&self.nonce, &randomizer, &self.result.secret.0];
        Zeroizing::new(parts.concat())
    }

    /// Reads [`Blinding::to_bytes`]; the request is not needed any more and empty.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn from_bytes(key: TokenKey, relay: RelayId, bytes: &[u8]) -> Result<Self, TokenError> {
        let (nonce, rest) = bytes.split_first_chunk().ok_or(TokenError::Malformed)?;
        let (randomizer, secret) = rest.split_first_chunk().ok_or(TokenError::Malformed)?;
        let result = BlindingResult {
            blind_message: BlindMessage(Vec::new()),
            secret: Secret(secret.to_vec()),
            msg_randomizer: Some(MessageRandomizer(*randomizer)),
        };
        Ok(Self { key, relay, nonce: *nonce, result })
    }
}

impl Drop for Blinding {
    fn drop(&mut self) {
        self.nonce.zeroize();
        self.result.secret.0.zeroize();
        if let Some(randomizer) = &mut self.result.msg_randomizer {
            randomizer.0.zeroize();
        }
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding")
    }
}

/// An issuer's secret key. It never sees a token, only requests.
pub struct IssuerKey(SecretKeySha384PSSRandomized);

impl IssuerKey {
    /// Makes a key of `bits` (2,048 to 4,096). Takes seconds.
    ///
    /// # Errors
    /// [`TokenError::Key`] for another size.
    pub fn generate(bits: usize, rng: &mut impl CryptoRngCore) -> Result<Self, TokenError> {
        let pair = KeyPairSha384PSSRandomized::generate(&mut Rng(rng), bits);
        Ok(Self(pair.map_err(|_| TokenError::Key)?.sk))
    }

    /// Reads a key in PKCS #8 DER.
    ///
    /// # Errors
    /// [`TokenError::Key`].
    pub fn from_der(der: &[u8]) -> Result<Self, TokenError> {
        SecretKeySha384PSSRandomized::from_der(der).map(Self).map_err(|_| TokenError::Key)
    }

    /// The key in PKCS #8 DER.
    ///
    /// # Errors
    /// [`TokenError::Key`] when it cannot be written.
    pub fn to_der(&self) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        self.0.to_der().map(Zeroizing::new).map_err(|_| TokenError::Key)
    }

    /// The half that everybody may have.
    ///
    /// # Errors
    /// [`TokenError::Key`] when the key is none for tokens.
    pub fn public(&self) -> Result<TokenKey, TokenError> {
        TokenKey::new(self.0.public_key().map_err(|_| TokenError::Key)?)
    }

    /// Signs a request blindly.
    ///
    /// # Errors
    /// [`TokenError::Request`] when it was not made for a key of this size.
    pub fn sign(
        &self,
        request: &[u8],
        rng: &mut impl CryptoRngCore,
    ) -> Result<Vec<u8>, TokenError> {
        let signed = self.0.blind_sign_with_rng(&mut Rng(rng), request);
        signed.map(|signature| signature.0).map_err(|_| TokenError::Request)
    }
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerKey")
    }
}

/// Requests (or an issuer's answers, in the same order) as a text that can be carried by hand: [`REQUEST_TEXT`] or
/// [`ANSWER_TEXT`], then their length (2 bytes) and all of them, as [`armor`] writes bytes.
///
/// # Errors
/// [`TokenError::Request`] for none, more than [`MAX_REQUESTS`], or some of another length than the first.
pub fn to_text(word: &'static str, parts: &[impl AsRef<[u8]>]) -> Result<String, TokenError> {
    let length = parts.first().map_or(0, |part| part.as_ref().len());
    let alike = parts.iter().all(|part| part.as_ref().len() == length);
    let head = u16::try_from(length).map_err(|_| TokenError::Request)?;
    if length == 0 || !alike || parts.len() > MAX_REQUESTS {
        return Err(TokenError::Request);
    }
    let mut bytes = head.to_be_bytes().to_vec();
    for part in parts {
        bytes.extend_from_slice(part.as_ref());
    }
    Ok(armor::encode(word, &bytes))
}

/// Reads [`to_text`].
///
/// # Errors
/// [`ArmorError`]; [`ArmorError::Characters`] also for what [`to_text`] never writes.
pub fn from_text(word: &'static str, text: &str) -> Result<Vec<Vec<u8>>, ArmorError> {
    let bytes = armor::decode(word, text)?;
    let (length, parts) = bytes.split_first_chunk().ok_or(ArmorError::Characters)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let sound = (MIN_SIGNATURE_LEN..=MAX_SIGNATURE_LEN).contains(&length)
        && !parts.is_empty()
        && parts.len().is_multiple_of(length)
        && parts.len() / length <= MAX_REQUESTS;
    if !sound {
        return Err(ArmorError::Characters);
    }
    Ok(parts.chunks(length).map(<[u8]>::to_vec).collect())
}

/// What is signed, after RFC 9474's randomizer. The relay is named, so that a token is for one relay even where several
/// trust one issuer.
fn message(relay: &RelayId, nonce: &[u8; 32]) -> Vec<u8> {
    [DOMAIN, relay.as_bytes(), nonce].concat()
}

/// This project's randomness as the RSA crate wants it.
struct Rng<'a, R: ?Sized>(&'a mut R);

impl<R: CryptoRngCore + ?Sized> TryRng for Rng<'_, R> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl<R: CryptoRngCore + ?Sized> TryCryptoRng for Rng<'_, R> {}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    const RELAY: RelayId = RelayId::from_bytes([7; 32]);

    fn rng(seed: u64) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(seed)
    }

    /// Made once in a run: that takes a second.
    fn issuer() -> &'static IssuerKey {
        static KEY: OnceLock<IssuerKey> = OnceLock::new();
        KEY.get_or_init(|| IssuerKey::generate(2_048, &mut rng(1)).unwrap())
    }

    fn token(seed: u64) -> Token {
        let rng = &mut rng(seed);
        let blinding = issuer().public().unwrap().blind(RELAY, rng).unwrap();
        blinding.finish(&issuer().sign(blinding.request(), rng).unwrap()).unwrap()
    }

    #[test]
    fn a_token_is_good_at_its_relay_under_its_key_and_as_it_is() {
        let key = issuer().public().unwrap();
        let good = token(2);
        assert!(key.verify(&good, &RELAY));
        assert!(!key.verify(&good, &RelayId::from_bytes([8; 32])));
        let flipped = |mut bytes: [u8; 32]| {
            bytes[31] ^= 1;
            bytes
        };
        let wrong = [
            Token { key_id: TokenKeyId::from_bytes([0; 32]), ..good.clone() },
            Token { randomizer: flipped(good.randomizer), ..good.clone() },
            Token { nonce: flipped(good.nonce), ..good.clone() },
            Token { signature: vec![0; 256], ..good.clone() },
            Token { signature: vec![0xFF; 512], ..good.clone() },
        ];
        assert!(wrong.iter().all(|token| !key.verify(token, &RELAY)));
        assert_ne!(good.spent_id(), token(3).spent_id());
        let again = Token { signature: vec![0; 256], ..good.clone() };
        assert_eq!(again.spent_id(), good.spent_id(), "another signature is no other token");
    }

    #[test]
    fn keys_and_blindings_survive_their_bytes_and_nothing_else_does() {
        let key = issuer().public().unwrap();
        assert_eq!(TokenKey::from_spki(key.spki()).unwrap().id(), key.id());
        let longer = [key.spki(), &[0]].concat();
        for wrong in [&[][..], &key.spki()[1..], &longer, &[0x30; 500]] {
            assert!(TokenKey::from_spki(wrong).is_err());
        }
        // An even modulus has no Montgomery form: refused, or harmless.
        let mut even = key.spki().to_vec();
        let last = even.len() - 6;
        assert_eq!(even[last + 1..], [2, 3, 1, 0, 1], "the modulus ends before the exponent");
        even[last] &= 0xFE;
        assert!(TokenKey::from_spki(&even).is_err());
        let reread = IssuerKey::from_der(&issuer().to_der().unwrap()).unwrap();
        let rng = &mut rng(4);
        let blinding = key.blind(RELAY, rng).unwrap();
        let kept = blinding.to_bytes();
        let answer = reread.sign(blinding.request(), rng).unwrap();
        let later = Blinding::from_bytes(key.clone(), RELAY, &kept).unwrap();
        assert!(key.verify(&later.finish(&answer).unwrap(), &RELAY));
        // An answer to another request, a changed one, a short one.
        let other = key.blind(RELAY, rng).unwrap();
        let mut changed = answer.clone();
        changed[9] ^= 1;
        for wrong in [&issuer().sign(other.request(), rng).unwrap(), &changed, &answer[1..].into()]
        {
            assert_eq!(blinding.finish(wrong), Err(TokenError::Answer));
        }
        assert_eq!(issuer().sign(&[0xFF; 256], rng), Err(TokenError::Request));
        assert_eq!(issuer().sign(&kept, rng), Err(TokenError::Request));
        assert!(IssuerKey::generate(1_024, rng).is_err());
    }

    #[test]
    fn texts_hold_requests_of_one_length_and_nothing_else() {
        let parts = vec![vec![1; 256], vec![2; 256]];
        let text = to_text(REQUEST_TEXT, &parts).unwrap();
        let wrapped = text.replace('A', "A\n ");
        assert_eq!(from_text(REQUEST_TEXT, &wrapped), Ok(parts.clone()));
        assert_eq!(from_text(ANSWER_TEXT, &text), Err(ArmorError::Prefix(ANSWER_TEXT)));
        assert_eq!(from_text(REQUEST_TEXT, &text[..text.len() - 8]), Err(ArmorError::Checksum));
        for wrong in [vec![], vec![vec![1; 256]; 101], vec![vec![1; 256], vec![1; 257]]] {
            assert_eq!(to_text(REQUEST_TEXT, &wrong), Err(TokenError::Request));
        }
        for wrong in [
            &[][..],
            &[1],
            &[1, 0],
            &[0, 0, 1],
            &[0, 1, 1],
            &[[1, 0].as_slice(), &[0; 257]].concat(),
        ] {
            let text = armor::encode(REQUEST_TEXT, wrong);
            assert_eq!(from_text(REQUEST_TEXT, &text), Err(ArmorError::Characters));
        }
    }

    /// What the issuer saw and what the relay sees have no five bytes in common, but for the key that all share.
    #[test]
    fn request_and_answer_share_nothing_with_the_token() {
        let rng = &mut rng(5);
        let blinding = issuer().public().unwrap().blind(RELAY, rng).unwrap();
        let answer = issuer().sign(blinding.request(), rng).unwrap();
        let token = blinding.finish(&answer).unwrap();
        let issued = [blinding.request(), &answer].concat();
        let spent = [&token.randomizer[..], &token.nonce, &token.signature].concat();
        let seen: std::collections::HashSet<_> = issued.windows(5).collect();
        assert!(spent.windows(5).all(|bytes| !seen.contains(bytes)));
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_key_by_chance(
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
            cut in any::<prop::sample::Index>(),
        ) {
            let mut spki = issuer().public().unwrap().spki().to_vec();
            let short = spki[..cut.index(spki.len())].to_vec();
            prop_assert!(TokenKey::from_spki(&short).is_err());
            let at = at.index(spki.len());
            spki[at] ^= 1 << bit;
            // Another modulus may be a key; then it is another one.
            if let Ok(key) = TokenKey::from_spki(&spki) {
                prop_assert_eq!(key.spki(), spki.as_slice());
                prop_assert!(!key.verify(&token(2), &RELAY));
            }
        }
    }
}
