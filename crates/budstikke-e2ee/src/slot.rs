//! Slot and claim keys: key pairs that only the members of one MLS epoch can derive.
//!
//! `MLS-Exporter(label, context, 64)` gives 32 bytes of Ed25519 seed, whose public key is the
//! slot's id, and 32 bytes for sealing its entries. Slot: label `budstikke/slot/v1`, context the
//! attempt as four bytes, big endian; claim: label `budstikke/claim/v1`, context the contact id.

use std::fmt;

use zeroize::Zeroizing;

use crate::keys::SigningKey;

pub(crate) const SLOT_LABEL: &str = "budstikke/slot/v1";
pub(crate) const CLAIM_LABEL: &str = "budstikke/claim/v1";
pub(crate) const KEYS_LEN: usize = 64;

/// Keys of one slot. They attribute nobody: every member of the epoch has them.
#[derive(Clone)]
pub struct SlotKeys {
    signing: SigningKey,
    seal: Zeroizing<[u8; 32]>,
}

impl SlotKeys {
    pub(crate) fn from_exported(bytes: &[u8]) -> Option<Self> {
        let (seed, seal) = bytes.split_at_checked(32)?;
        Some(Self {
            signing: SigningKey::from_bytes(&Zeroizing::new(seed.try_into().ok()?)),
            seal: Zeroizing::new(seal.try_into().ok()?),
        })
    }

    /// The slot's id: the Ed25519 public key.
    pub fn id(&self) -> [u8; 32] {
        *self.signing.public().as_bytes()
    }

    /// The Ed25519 seed, for a caller whose signing function takes one.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        self.signing.to_bytes()
    }

    /// Key of the seal of the slot's entries.
    pub fn seal_key(&self) -> &[u8; 32] {
        &self.seal
    }

    /// Signs exactly `message`; the wire contract defines what an entry's signature covers.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign_raw(message)
    }
}

impl fmt::Debug for SlotKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlotKeys")
    }
}
