//! What a relay gives back, checked.

use budstikke_proto::id::{Hash, Label, Signature, SlotId};

/// One cell of a mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedCell {
    /// Its place in the mailbox; grows, with gaps.
    pub seq: u64,
    /// The mark of the grant that it came through: tells which seal key opens it.
    pub label: Label,
    /// The sealed cell, 15,024 bytes.
    pub cell: Vec<u8>,
}

impl std::fmt::Debug for ReceivedCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReceivedCell")
    }
}

/// A stretch of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In order of their sequence numbers.
    pub cells: Vec<ReceivedCell>,
    /// The `since` to go on from.
    pub next: u64,
    /// Whether more waits behind it now.
    pub more: bool,
}

/// The relay's word that an entry stands in a slot. Two of them for the same slot and entry with different hashes
/// prove that the relay lied ([`budstikke_proto::slot::verify_receipt`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotReceipt {
    /// The slot.
    pub slot_id: SlotId,
    /// The place, 0 to 3.
    pub entry: u32,
    /// [`budstikke_proto::slot::payload_hash`] of the entry's cells.
    pub hash: Hash,
    /// The relay's signature, already verified.
    pub signature: Signature,
}

impl SlotReceipt {
    /// As it is kept and shown to others.
    pub fn word(&self) -> budstikke_proto::proof::Receipt {
        let (slot, entry, hash, signature) = (self.slot_id, self.entry, self.hash, self.signature);
        budstikke_proto::proof::Receipt { slot, entry, hash, signature }
    }
}

/// One entry of a slot.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotEntry {
    /// The place, 0 to 3, in order of arrival.
    pub entry: u32,
    /// One to four sealed cells.
    pub cells: Vec<Vec<u8>>,
    /// [`budstikke_proto::slot::payload_hash`] of the cells.
    pub hash: Hash,
    /// The relay's signature over slot, place and hash.
    pub receipt: Signature,
    /// What the two signatures said. Use the cells of [`Standing::Good`] entries alone.
    pub standing: Standing,
}

/// Whether a slot entry is what it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Signed by a member of the slot, and receipted by the relay.
    Good,
    /// No member of the slot signed it: the relay let it in or made it up.
    NotAMembers,
    /// The relay's receipt does not cover it: the relay will not stand by it.
    NoReceipt,
}

impl std::fmt::Debug for SlotEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlotEntry")
            .field("entry", &self.entry)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// The newest version of a notice, its publisher's signature verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Counts up with every replacement. The caller keeps the highest seen: a relay can show an old one.
    pub version: u64,
    /// What was published.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notice").field("version", &self.version).finish_non_exhaustive()
    }
}
