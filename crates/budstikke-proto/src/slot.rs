//! Slots (SPEC.md section 5.3): at most four entries in arrival order, never changed.
//!
//! An entry is one to four sealed cells appended as one; the slot key signs their count and hash, and the relay
//! answers with a signed receipt. Two receipts for the same place with different hashes prove equivocation.

use sha2::{Digest, Sha256};

use crate::id::{Hash, Signature, SlotId};
use crate::sign::{self, SigningSeed};

const ENTRY: &[u8] = b"budstikke/slot-entry/v1";
const RECEIPT: &[u8] = b"budstikke/slot-receipt/v1";

/// SHA-256 over all payloads of a slot entry or a notice, each of 15,024 bytes.
pub fn payload_hash<'a>(payloads: impl IntoIterator<Item = &'a [u8]>) -> Hash {
    let mut hash = Sha256::new_with_prefix(b"budstikke/payloads/v1");
    for payload in payloads {
        hash.update(payload);
    }
    Hash::from_bytes(hash.finalize().into())
}

/// Signs an entry of `count` cells with this hash.
pub fn sign_entry(key: &SigningSeed, count: u32, hash: &Hash) -> Signature {
    key.sign(ENTRY, &[&count.to_be_bytes(), hash.as_bytes()])
}

/// Whether a member of the slot signed this entry.
pub fn verify_entry(slot: &SlotId, count: u32, hash: &Hash, signature: &Signature) -> bool {
    sign::verify(slot.as_bytes(), ENTRY, &[&count.to_be_bytes(), hash.as_bytes()], signature)
}

/// The relay's word that this hash stands at this place of this slot.
pub fn sign_receipt(relay: &SigningSeed, slot: &SlotId, entry: u32, hash: &Hash) -> Signature {
    relay.sign(RECEIPT, &[slot.as_bytes(), &entry.to_be_bytes(), hash.as_bytes()])
}

/// Whether the relay with this identity key gave this receipt.
pub fn verify_receipt(
    relay_pk: &[u8; 32],
    slot: &SlotId,
    entry: u32,
    hash: &Hash,
    receipt: &Signature,
) -> bool {
    let parts: [&[u8]; 3] = [slot.as_bytes(), &entry.to_be_bytes(), hash.as_bytes()];
    sign::verify(relay_pk, RECEIPT, &parts, receipt)
}
