//! Receipts as they travel, and the proof that a relay equivocated (SPEC.md sections 5.3 and 10.8).
//!
//! A relay signs where each entry of a slot stands. Two of its receipts for one place with different hashes can't both
//! be true: together they convict it before anybody who knows its key, without showing what any entry held.

use std::fmt;

use crate::armor::{self, ArmorError};
use crate::descriptor::relay_id;
use crate::id::{Hash, RelayId, Signature, SlotId};
use crate::limits::MAX_SLOT_ENTRIES;
use crate::slot::verify_receipt;

/// Bytes of a receipt: slot, place (big endian), payload hash, signature.
pub const RECEIPT_LEN: usize = SlotId::LEN + 4 + Hash::LEN + Signature::LEN;
/// Bytes of a proof: version, the relay's key, slot, place, then hash and signature twice.
pub const PROOF_LEN: usize = 1 + 32 + SlotId::LEN + 4 + 2 * (Hash::LEN + Signature::LEN);
const VERSION: u8 = 1;
const TEXT: &str = "budproof1";

const _: () = assert!(RECEIPT_LEN == 132 && PROOF_LEN == 261);

/// A relay's word about one place of one slot; true once [`Receipt::verify`] says so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The slot.
    pub slot: SlotId,
    /// The place, 0 to 3.
    pub entry: u32,
    /// [`crate::slot::payload_hash`] of the entry's cells.
    pub hash: Hash,
    /// The relay's.
    pub signature: Signature,
}

/// Two receipts of one relay that contradict each other. There is no unverified one.
#[derive(Clone, PartialEq, Eq)]
pub struct Equivocation {
    relay_pk: [u8; 32],
    receipts: [Receipt; 2],
}

/// Why text or bytes prove nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum ProofError {
    /// Not the text of a proof, or not copied whole.
    #[error(transparent)]
    Text(#[from] ArmorError),
    /// Of another length or version.
    #[error("this is not a proof of a form that this program knows")]
    Malformed,
    /// The signatures are not that relay's, or both receipts say the same.
    #[error(
        "this proves nothing: the two receipts are not that relay's, or do not contradict each other"
    )]
    Unfounded,
}

impl Receipt {
    /// 132 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(RECEIPT_LEN);
        out.extend_from_slice(self.slot.as_bytes());
        out.extend_from_slice(&self.entry.to_be_bytes());
        out.extend_from_slice(self.hash.as_bytes());
        out.extend_from_slice(self.signature.as_bytes());
        out
    }

    /// Parses [`Receipt::to_bytes`]; `None` for anything else, a place past the last one included.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let receipt = Self {
            slot: SlotId::parse(take(&mut rest, SlotId::LEN)?).ok()?,
            entry: u32::from_be_bytes(take(&mut rest, 4)?.try_into().ok()?),
            hash: Hash::parse(take(&mut rest, Hash::LEN)?).ok()?,
            signature: Signature::parse(take(&mut rest, Signature::LEN)?).ok()?,
        };
        (rest.is_empty() && receipt.entry < MAX_SLOT_ENTRIES).then_some(receipt)
    }

    /// Whether the relay with this identity key gave it.
    pub fn verify(&self, relay_pk: &[u8; 32]) -> bool {
        verify_receipt(relay_pk, &self.slot, self.entry, &self.hash, &self.signature)
    }

    /// Whether both can't be true: the same place, another entry.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.slot == other.slot && self.entry == other.entry && self.hash != other.hash
    }
}

impl Equivocation {
    /// The proof that these two receipts make, if they do.
    pub fn between(relay_pk: [u8; 32], one: Receipt, other: Receipt) -> Option<Self> {
        let proven = one.contradicts(&other) && one.verify(&relay_pk) && other.verify(&relay_pk);
        // In one order, so that everybody makes the same proof of the same two.
        let mut receipts = [one, other];
        receipts.sort_by_key(|receipt| *receipt.hash.as_bytes());
        proven.then_some(Self { relay_pk, receipts })
    }

    /// What the relay's addresses pin.
    pub fn relay_id(&self) -> RelayId {
        relay_id(&self.relay_pk)
    }

    /// The slot that it is about.
    pub fn slot(&self) -> SlotId {
        self.receipts[0].slot
    }

    /// The place in it, 0 to 3.
    pub fn entry(&self) -> u32 {
        self.receipts[0].entry
    }

    /// What the relay said stands there.
    pub fn hashes(&self) -> [Hash; 2] {
        self.receipts.map(|receipt| receipt.hash)
    }

    /// Both receipts.
    pub fn receipts(&self) -> &[Receipt; 2] {
        &self.receipts
    }

    /// 261 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.relay_pk);
        out.extend_from_slice(self.slot().as_bytes());
        out.extend_from_slice(&self.entry().to_be_bytes());
        for receipt in &self.receipts {
            out.extend_from_slice(receipt.hash.as_bytes());
            out.extend_from_slice(receipt.signature.as_bytes());
        }
        out
    }

    /// Parses and verifies.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let (relay_pk, one, other) = read(bytes).ok_or(ProofError::Malformed)?;
        let ordered = one.hash.as_bytes() < other.hash.as_bytes();
        let proof = Self::between(relay_pk, one, other).filter(|_| ordered);
        proof.ok_or(ProofError::Unfounded)
    }

    /// One word of text that can be filed, mailed and checked by anybody.
    pub fn to_text(&self) -> String {
        armor::encode(TEXT, &self.to_bytes())
    }

    /// Reads [`Equivocation::to_text`] and verifies it.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn from_text(text: &str) -> Result<Self, ProofError> {
        Self::from_bytes(&armor::decode(TEXT, text)?)
    }
}

/// A proof's parts, unverified.
fn read(bytes: &[u8]) -> Option<([u8; 32], Receipt, Receipt)> {
    let mut rest = bytes;
    if take(&mut rest, 1)? != [VERSION] {
        return None;
    }
    let relay_pk: [u8; 32] = take(&mut rest, 32)?.try_into().ok()?;
    let slot = SlotId::parse(take(&mut rest, SlotId::LEN)?).ok()?;
    let entry = u32::from_be_bytes(take(&mut rest, 4)?.try_into().ok()?);
    let mut receipt = || {
        let hash = Hash::parse(take(&mut rest, Hash::LEN)?).ok()?;
        let signature = Signature::parse(take(&mut rest, Signature::LEN)?).ok()?;
        Some(Receipt { slot, entry, hash, signature })
    };
    let (one, other) = (receipt()?, receipt()?);
    (rest.is_empty() && entry < MAX_SLOT_ENTRIES).then_some((relay_pk, one, other))
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

macro_rules! debug_name {
    ($($type:ident),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    )*};
}
debug_name!(Receipt, Equivocation);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::SigningSeed;
    use crate::slot::sign_receipt;
    use proptest::prelude::*;

    const RELAY: SigningSeed = SigningSeed::from_bytes([2; 32]);

    fn receipt(slot: u8, entry: u32, hash: u8) -> Receipt {
        let (slot, hash) = (SlotId::from_bytes([slot; 32]), Hash::from_bytes([hash; 32]));
        Receipt { slot, entry, hash, signature: sign_receipt(&RELAY, &slot, entry, &hash) }
    }

    #[test]
    fn two_receipts_for_one_place_convict_and_nothing_else_does() {
        let (one, other) = (receipt(1, 0, 7), receipt(1, 0, 3));
        let pk = RELAY.public();
        let proof = Equivocation::between(pk, one, other).unwrap();
        assert!(Equivocation::between(pk, other, one).unwrap() == proof, "in either order");
        assert!(Equivocation::from_text(&proof.to_text()).unwrap() == proof);
        assert_eq!(proof.relay_id(), relay_id(&pk));
        assert_eq!((proof.slot(), proof.entry()), (one.slot, 0));
        for innocent in [receipt(1, 0, 7), receipt(1, 1, 3), receipt(2, 0, 3)] {
            assert!(Equivocation::between(pk, one, innocent).is_none());
        }
        let forged = Receipt { hash: Hash::from_bytes([4; 32]), ..other };
        assert!(Equivocation::between(pk, one, forged).is_none());
        assert!(Equivocation::between([9; 32], one, other).is_none(), "another relay's key");
    }

    #[test]
    fn a_proof_with_any_byte_changed_proves_nothing() {
        let proof = Equivocation::between(RELAY.public(), receipt(1, 0, 7), receipt(1, 0, 3));
        let bytes = proof.unwrap().to_bytes();
        assert_eq!(bytes.len(), PROOF_LEN);
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(Equivocation::from_bytes(&changed).is_err(), "byte {place}");
        }
        assert_eq!(Equivocation::from_bytes(&bytes[1..]), Err(ProofError::Malformed));
        assert_eq!(
            Equivocation::from_bytes(&[&bytes[..], &[0]].concat()),
            Err(ProofError::Malformed)
        );
    }

    #[test]
    fn receipts_come_back_as_they_went() {
        let receipt = receipt(1, 3, 7);
        assert!(Receipt::parse(&receipt.to_bytes()).unwrap() == receipt);
        assert!(receipt.verify(&RELAY.public()) && !receipt.verify(&[9; 32]));
        let past = Receipt { entry: 4, ..receipt };
        assert!(Receipt::parse(&past.to_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_receipt_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..140)) {
            let parsed = Receipt::parse(&bytes);
            prop_assert!(parsed.is_none_or(|receipt| receipt.to_bytes() == bytes));
        }

        #[test]
        fn any_bytes_prove_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Equivocation::from_bytes(&bytes).is_err());
        }
    }
}
