//! Authenticators (SPEC.md section 3.3): how the relay knows that an operation comes from a capability's holder,
//! without being able to prove it to anybody else.
//!
//! X25519 between the capability's key and the relay's epoch key, HKDF-SHA256 (RFC 5869), then a
//! ChaCha20-Poly1305 (RFC 8439) tag over nothing, with the operation's hash as associated data. The relay knows
//! the same key, so a tag convinces the relay and nobody else; a leaked table of public keys forges none.

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::id::{DeletePk, FetchPk, Hash, RecvPk, RelayId, SendPk};
use crate::limits::TAG_LEN;

/// The TLS exporter label (RFC 8446 section 7.5) whose 32 bytes name a session; empty context.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-budstikke/session/v1";

/// The 32 bytes that tie an authenticator to one session.
pub type SessionNonce = [u8; 32];

/// The private half of a mailbox, a grant or a relay epoch.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct CapabilityKey([u8; 32]);

impl CapabilityKey {
    /// Wraps 32 secret bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes, for the vault and for handing a grant over inside an envelope.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A fresh key.
    pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The X25519 public key.
    pub fn public(&self) -> [u8; 32] {
        PublicKey::from(&StaticSecret::from(self.0)).to_bytes()
    }

    /// The public key as a mailbox owner's.
    pub fn recv_pk(&self) -> RecvPk {
        RecvPk::from_bytes(self.public())
    }

    /// The public key as a grant's.
    pub fn send_pk(&self) -> SendPk {
        SendPk::from_bytes(self.public())
    }

    /// The public key as a blob's reader's.
    pub fn fetch_pk(&self) -> FetchPk {
        FetchPk::from_bytes(self.public())
    }

    /// The public key as a blob's writer's.
    pub fn delete_pk(&self) -> DeletePk {
        DeletePk::from_bytes(self.public())
    }

    /// Agrees on the pairwise key with the other half: capability with relay epoch, or relay epoch with
    /// capability. `capability_pk` and `epoch_pk` are the two public keys in that order.
    ///
    /// This is the costly step (one X25519); the relay keeps the result per mailbox and epoch.
    pub fn agree(&self, capability_pk: &[u8; 32], epoch_pk: &[u8; 32], relay: &RelayId) -> PairKey {
        let own = self.public();
        let peer = if own == *capability_pk { epoch_pk } else { capability_pk };
        let shared = StaticSecret::from(self.0).diffie_hellman(&PublicKey::from(*peer));
        let mut info = Vec::with_capacity(96);
        info.extend_from_slice(b"budstikke/auth/v1");
        info.extend_from_slice(capability_pk);
        info.extend_from_slice(epoch_pk);
        PairKey(expand(relay.as_bytes(), shared.as_bytes(), &info))
    }
}

impl std::fmt::Debug for CapabilityKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CapabilityKey")
    }
}

/// What a capability and a relay epoch share.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PairKey([u8; 32]);

impl PairKey {
    /// The key for one session.
    pub fn session(&self, nonce: &SessionNonce) -> SessionKey {
        SessionKey(expand(nonce, &self.0, b"budstikke/auth/session/v1"))
    }
}

impl std::fmt::Debug for PairKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PairKey")
    }
}

/// Makes and checks the tags of one capability within one session.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// The tag of the operation with this hash ([`operation_hash`]) and request number. A request number is never
    /// used twice in a session.
    pub fn tag(&self, request: u64, operation: &Hash) -> [u8; TAG_LEN] {
        let mut nonce = [0; 12];
        if let Some(counter) = nonce.last_chunk_mut::<8>() {
            *counter = request.to_be_bytes();
        }
        let sealed = ChaCha20Poly1305::new(Key::from_slice(&self.0)).encrypt_in_place_detached(
            Nonce::from_slice(&nonce),
            operation.as_bytes(),
            &mut [],
        );
        sealed.unwrap_or_default().into()
    }

    /// Whether the tag is right, in constant time.
    pub fn verify(&self, request: u64, operation: &Hash, tag: &[u8; TAG_LEN]) -> bool {
        self.tag(request, operation).ct_eq(tag).into()
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey")
    }
}

/// What a tag covers: the encoded operation, and the cell beside it.
pub fn operation_hash(op: &[u8], payload: Option<&[u8]>) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"budstikke/operation/v1");
    hash.update(u64::try_from(op.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(op);
    hash.update(payload.unwrap_or_default());
    Hash::from_bytes(hash.finalize().into())
}

fn expand(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // HKDF-SHA256 refuses only outputs beyond 8,160 bytes.
    let _ = Hkdf::<Sha256>::new(Some(salt), secret).expand(info, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn pair() -> (SessionKey, SessionKey) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (client, epoch) = (CapabilityKey::random(&mut rng), CapabilityKey::random(&mut rng));
        let relay = RelayId::from_bytes([3; 32]);
        let (cpk, epk) = (client.public(), epoch.public());
        let at = |key: &CapabilityKey| key.agree(&cpk, &epk, &relay).session(&[4; 32]);
        (at(&client), at(&epoch))
    }

    #[test]
    fn both_sides_make_the_same_tag_and_every_input_counts() {
        let (client, relay) = pair();
        let hash = operation_hash(b"op", Some(b"cell"));
        let tag = client.tag(1, &hash);
        assert!(relay.verify(1, &hash, &tag));
        assert!(!relay.verify(2, &hash, &tag));
        assert!(!relay.verify(1, &operation_hash(b"op", Some(b"cel2")), &tag));
        assert!(!relay.verify(1, &operation_hash(b"opcell", None), &tag));
    }

    #[test]
    fn another_session_or_relay_gives_another_key() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (client, epoch) = (CapabilityKey::random(&mut rng), CapabilityKey::random(&mut rng));
        let hash = operation_hash(b"op", None);
        let tag = |relay: u8, session: u8| {
            client
                .agree(&client.public(), &epoch.public(), &RelayId::from_bytes([relay; 32]))
                .session(&[session; 32])
                .tag(1, &hash)
        };
        assert_ne!(tag(1, 1), tag(1, 2));
        assert_ne!(tag(1, 1), tag(2, 1));
    }

    #[test]
    fn secrets_do_not_print() {
        let key = CapabilityKey::from_bytes([0xAB; 32]);
        assert_eq!(format!("{key:?}"), "CapabilityKey");
    }
}
