//! The relay's signed description of itself (SPEC.md section 3.2): its epoch key and its limits.

use prost::Message;
use sha2::{Digest, Sha256};

use crate::id::{RelayId, Signature, TokenKeyId};
use crate::limits::MAX_TOKEN_KEYS;
use crate::sign::{self, SigningSeed};
use crate::wire;

const DOMAIN: &[u8] = b"budstikke/descriptor/v1";
/// DER of an Ed25519 `SubjectPublicKeyInfo` up to the key's 32 bytes (RFC 8410 section 4).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The identity that a relay's address pins: SHA-256 over its SPKI.
pub fn relay_id(identity_pk: &[u8; 32]) -> RelayId {
    let hash = Sha256::new_with_prefix(SPKI_PREFIX).chain_update(identity_pk).finalize();
    RelayId::from_bytes(hash.into())
}

/// The SPKI of an identity key, as it stands in the relay's TLS certificate.
pub fn spki(identity_pk: &[u8; 32]) -> Vec<u8> {
    [SPKI_PREFIX.as_slice(), identity_pk].concat()
}

/// Why a relay's description was not believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DescriptorError {
    /// Not a descriptor.
    #[error("the relay's description is malformed")]
    Malformed,
    /// Signed by another key than the address pins: not the relay that was asked for.
    #[error("this is not the relay that the address names")]
    WrongRelay,
    /// Its epoch key is past its time; the relay's or this machine's clock is wrong.
    #[error("the relay's description expired; check this machine's clock")]
    Expired,
}

/// What a relay says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The Ed25519 key that signs this, slot receipts, and the TLS handshake.
    pub identity_pk: [u8; 32],
    /// The X25519 key that authenticators are made against.
    pub epoch_pk: [u8; 32],
    /// Unix seconds after which the epoch key is no longer accepted.
    pub valid_until_s: i64,
    /// Longest life of a mailbox.
    pub max_ttl_days: u32,
    /// Most cells waiting under one grant.
    pub max_quota: u32,
    /// Effort of the proof of work for mailboxes, slots and notices; 0 when none is asked.
    pub work_effort: u32,
    /// Effort for each cell at a front door.
    pub front_door_effort: u32,
    /// Name and version of the relay's program.
    pub software: String,
    /// What a new mailbox and each blob cost.
    pub mailbox_price: MailboxPrice,
    /// The keys whose tokens the relay takes; at most two.
    pub token_keys: Vec<TokenKeyId>,
    /// Longest life of a blob; 0 when the relay takes none.
    pub max_blob_ttl_days: u32,
}

/// What a new mailbox and each blob cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MailboxPrice {
    /// Work of the relay's effort, or nothing when that is 0.
    #[default]
    Work = 0,
    /// A blind token.
    Token = 1,
    /// One of the two.
    Either = 2,
}

impl Descriptor {
    /// Signs the descriptor with the relay's identity key.
    pub fn sign(&self, key: &SigningSeed) -> wire::Hello {
        let descriptor = wire::Descriptor {
            identity_pk: self.identity_pk.to_vec(),
            epoch_pk: self.epoch_pk.to_vec(),
            valid_until_s: self.valid_until_s,
            max_ttl_days: self.max_ttl_days,
            max_quota: self.max_quota,
            work_effort: self.work_effort,
            front_door_effort: self.front_door_effort,
            software: self.software.clone(),
            mailbox_price: self.mailbox_price as u32,
            token_keys: self.token_keys.iter().map(|id| id.as_bytes().to_vec()).collect(),
            max_blob_ttl_days: self.max_blob_ttl_days,
        }
        .encode_to_vec();
        let signature = key.sign(DOMAIN, &[&descriptor]).as_bytes().to_vec();
        wire::Hello { descriptor, signature }
    }

    /// Believes a hello only when the relay `expected` signed it and it is still valid at `now` (unix seconds).
    ///
    /// # Errors
    /// [`DescriptorError`].
    pub fn verify(
        hello: &wire::Hello,
        expected: &RelayId,
        now: i64,
    ) -> Result<Self, DescriptorError> {
        let bad = |_| DescriptorError::Malformed;
        let wire = wire::Descriptor::decode(hello.descriptor.as_slice()).map_err(bad)?;
        let key = |bytes: Vec<u8>| -> Result<[u8; 32], DescriptorError> {
            bytes.try_into().map_err(|_| DescriptorError::Malformed)
        };
        let identity_pk = key(wire.identity_pk)?;
        let signature =
            Signature::parse(&hello.signature).map_err(|_| DescriptorError::Malformed)?;
        if relay_id(&identity_pk) != *expected
            || !sign::verify(&identity_pk, DOMAIN, &[&hello.descriptor], &signature)
        {
            return Err(DescriptorError::WrongRelay);
        }
        if wire.valid_until_s < now {
            return Err(DescriptorError::Expired);
        }
        // A price that this version does not know is one that it cannot pay; tokens come nearest.
        let mailbox_price = match wire.mailbox_price {
            0 => MailboxPrice::Work,
            2 => MailboxPrice::Either,
            _ => MailboxPrice::Token,
        };
        if wire.token_keys.len() > MAX_TOKEN_KEYS {
            return Err(DescriptorError::Malformed);
        }
        let token_keys = wire.token_keys.iter().map(|id| TokenKeyId::parse(id));
        let token_keys =
            token_keys.collect::<Result<_, _>>().map_err(|_| DescriptorError::Malformed)?;
        Ok(Self {
            identity_pk,
            epoch_pk: key(wire.epoch_pk)?,
            valid_until_s: wire.valid_until_s,
            max_ttl_days: wire.max_ttl_days,
            max_quota: wire.max_quota,
            work_effort: wire.work_effort,
            front_door_effort: wire.front_door_effort,
            software: wire.software,
            mailbox_price,
            token_keys,
            max_blob_ttl_days: wire.max_blob_ttl_days,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_relay_is_believed_and_only_in_time() {
        let key = SigningSeed::from_bytes([1; 32]);
        let descriptor = Descriptor {
            identity_pk: key.public(),
            epoch_pk: [2; 32],
            valid_until_s: 100,
            max_ttl_days: 30,
            max_quota: 64,
            work_effort: 1,
            front_door_effort: 2,
            software: "test".into(),
            mailbox_price: MailboxPrice::Either,
            token_keys: vec![TokenKeyId::from_bytes([3; 32]), TokenKeyId::from_bytes([4; 32])],
            max_blob_ttl_days: 30,
        };
        let hello = descriptor.sign(&key);
        let id = relay_id(&key.public());
        assert_eq!(Descriptor::verify(&hello, &id, 100).as_ref(), Ok(&descriptor));
        assert_eq!(Descriptor::verify(&hello, &id, 101), Err(DescriptorError::Expired));
        let other = RelayId::from_bytes([0; 32]);
        assert_eq!(Descriptor::verify(&hello, &other, 1), Err(DescriptorError::WrongRelay));
        let forged = descriptor.sign(&SigningSeed::from_bytes([9; 32]));
        assert_eq!(Descriptor::verify(&forged, &id, 1), Err(DescriptorError::WrongRelay));
        // Many keys would tell clients apart.
        let many = vec![TokenKeyId::from_bytes([3; 32]); MAX_TOKEN_KEYS + 1];
        let many = Descriptor { token_keys: many, ..descriptor }.sign(&key);
        assert_eq!(Descriptor::verify(&many, &id, 1), Err(DescriptorError::Malformed));
    }
}
