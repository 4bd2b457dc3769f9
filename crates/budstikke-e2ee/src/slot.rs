//! Slot and claim keys: key pairs that only the members of one MLS epoch can derive.
//!
//! `MLS-Exporter(label, context, 64)` gives 32 bytes of Ed25519 seed, whose public key is the
//! slot's id, and 32 bytes for sealing its entries. Slot: label `budstikke/slot/v1`, context the
//! attempt as four bytes, big endian; claim: label `budstikke/claim/v1`, context the contact id.

use std::fmt;

use budstikke_proto::{
    cell::{self, CellError, Opened, SealKey},
    limits::MAX_SLOT_CELLS,
};
use rand_core::{CryptoRng, RngCore};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{envelope::Envelope, keys::SigningKey};

pub(crate) const SLOT_LABEL: &str = "budstikke/slot/v1";
pub(crate) const CLAIM_LABEL: &str = "budstikke/claim/v1";
pub(crate) const MAILBOX_LABEL: &str = "budstikke/mailbox/v1";
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

/// A commit can't be put into a slot's entry.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SlotError {
    /// It needs more than four cells: make it in several.
    #[error("the change is too large for one step; make it in several")]
    TooLarge,
    /// The cells can't be made.
    #[error(transparent)]
    Cell(#[from] CellError),
}

impl SlotKeys {
    /// The sealed cells of an entry that holds this commit, each of 15,024 bytes (SPEC.md section
    /// 10.8).
    ///
    /// # Errors
    /// [`SlotError::TooLarge`] beyond four cells.
    pub fn seal_entry(
        &self,
        commit: &[u8],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Vec<u8>>, SlotError> {
        let mut name = [0; 16];
        rng.fill_bytes(&mut name);
        let fragments = cell::split(&Envelope::Mls(commit.to_vec()).to_bytes(), name)?;
        if fragments.len() > MAX_SLOT_CELLS as usize {
            return Err(SlotError::TooLarge);
        }
        let seal = SealKey::from_bytes(*self.seal);
        Ok(fragments.iter().map(|part| cell::seal(part, &seal, rng)).collect::<Result<_, _>>()?)
    }

    /// The commit inside an entry, if its cells open and hold one.
    pub fn open_entry(&self, cells: &[Vec<u8>]) -> Option<Vec<u8>> {
        let seal = SealKey::from_bytes(*self.seal);
        let mut envelope = Vec::new();
        for (place, sealed) in cells.iter().enumerate() {
            match cell::open(sealed, &seal) {
                Ok(Opened::Fragment(fragment)) if usize::from(fragment.index) == place => {
                    envelope.extend_from_slice(&fragment.body);
                }
                _ => return None,
            }
        }
        match Envelope::from_bytes(&envelope) {
            Ok(Envelope::Mls(message)) => Some(message),
            _ => None,
        }
    }
}

impl fmt::Debug for SlotKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlotKeys")
    }
}
