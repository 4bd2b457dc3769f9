//! A relay that keeps slots, and lies about them: its receipts are signed with its real key, so that
//! every lie can be proven by who holds both.

use std::collections::BTreeMap;
use std::sync::Arc;

use budstikke_proto::id::{Hash, Signature, SlotId};
use budstikke_proto::limits::MAX_SLOT_ENTRIES;
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::slot::{payload_hash, sign_receipt, verify_entry, verify_receipt};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;

use super::chance::Chance as _;

/// The relay's signed word that an entry stands at a place of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) slot: [u8; 32],
    pub(super) place: u32,
    pub(super) hash: Hash,
    pub(super) word: Signature,
}

impl Receipt {
    /// The form in which it travels in an application frame (SPEC.md section 10.9).
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let place = self.place.to_be_bytes();
        [&self.slot, &place[..], self.hash.as_bytes(), self.word.as_bytes()].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (slot, rest) = bytes.split_first_chunk::<32>()?;
        let (place, rest) = rest.split_first_chunk::<4>()?;
        let (hash, word) = rest.split_first_chunk::<32>()?;
        Some(Self {
            slot: *slot,
            place: u32::from_be_bytes(*place),
            hash: Hash::from_bytes(*hash),
            word: Signature::from_bytes(word.try_into().ok()?),
        })
    }

    /// Whether the relay with this key gave it.
    pub(super) fn is_of(&self, relay: &[u8; 32]) -> bool {
        let slot = SlotId::from_bytes(self.slot);
        verify_receipt(relay, &slot, self.place, &self.hash, &self.word)
    }

    /// Whether both together prove that the relay with this key equivocated.
    pub(super) fn contradicts(&self, other: &Self, relay: &[u8; 32]) -> bool {
        (self.slot, self.place) == (other.slot, other.place)
            && self.hash != other.hash
            && self.is_of(relay)
            && other.is_of(relay)
    }
}

/// An entry as a reader gets it. Its signature and the receipt's are checked once, not by each reader.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) cells: Arc<[Vec<u8>]>,
    pub(super) receipt: Receipt,
}

#[derive(Clone)]
struct Entry {
    cells: Arc<[Vec<u8>]>,
    hash: Hash,
}

/// What the relay does with one slot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    None,
    /// The people in the mask have a slot of their own.
    Split(u8),
    /// The people in the mask are shown the first two entries the other way round.
    Swap(u8),
    /// The people in the mask are shown nothing until then.
    Hide(u8, u64),
}

struct Slot {
    lie: Lie,
    views: [Vec<Entry>; 2],
}

/// How often a relay lies, per thousand slots.
#[derive(Clone, Copy)]
pub(super) struct Malice {
    pub(super) split: u32,
    pub(super) swap: u32,
    pub(super) hide: u32,
}

impl Malice {
    pub(super) const NONE: Self = Self { split: 0, swap: 0, hide: 0 };
}

/// One relay.
pub(super) struct Relay {
    key: SigningSeed,
    public: [u8; 32],
    slots: BTreeMap<[u8; 32], Slot>,
    pub(super) malice: Malice,
    /// What it has shown to anybody: the truth against which the clients' proofs are held.
    shown: BTreeMap<([u8; 32], u32), BTreeMap<[u8; 32], Receipt>>,
}

impl Relay {
    pub(super) fn new(rng: &mut ChaCha20Rng, malice: Malice) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let key = SigningSeed::from_bytes(seed);
        Self { public: key.public(), key, slots: BTreeMap::new(), malice, shown: BTreeMap::new() }
    }

    pub(super) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Appends an entry; nothing happens to one that stands there already or finds no room.
    pub(super) fn append(
        &mut self,
        rng: &mut ChaCha20Rng,
        now: u64,
        person: usize,
        slot: [u8; 32],
        cells: Vec<Vec<u8>>,
        signature: Signature,
    ) {
        let hash = payload_hash(cells.iter().map(Vec::as_slice));
        let count = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        assert!(verify_entry(&SlotId::from_bytes(slot), count, &hash, &signature), "unsigned");
        let slot = self.slot(rng, now, slot);
        let view = &mut slot.views[slot.lie.view(person)];
        let stands = view.iter().any(|entry| entry.hash == hash);
        if !stands && view.len() < MAX_SLOT_ENTRIES as usize {
            view.push(Entry { cells: cells.into(), hash });
        }
    }

    /// What this person is shown now.
    pub(super) fn read(
        &mut self,
        rng: &mut ChaCha20Rng,
        now: u64,
        person: usize,
        id: [u8; 32],
    ) -> Vec<Shown> {
        let slot = self.slot(rng, now, id);
        let mut entries = slot.views[slot.lie.view(person)].clone();
        match slot.lie {
            Lie::Swap(mask) if in_mask(mask, person) && entries.len() > 1 => entries.swap(0, 1),
            Lie::Hide(mask, until) if in_mask(mask, person) && now < until => entries.clear(),
            _ => {}
        }
        let mut out = Vec::with_capacity(entries.len());
        for (entry, place) in entries.into_iter().zip(0..) {
            let told = self.shown.entry((id, place)).or_default();
            let receipt = told.entry(*entry.hash.as_bytes()).or_insert_with(|| {
                let word = sign_receipt(&self.key, &SlotId::from_bytes(id), place, &entry.hash);
                let receipt = Receipt { slot: id, place, hash: entry.hash, word };
                assert!(receipt.is_of(&self.public), "a receipt of its own");
                receipt
            });
            out.push(Shown { cells: entry.cells, receipt: receipt.clone() });
        }
        out
    }

    /// Whether it has shown two entries at the same place.
    pub(super) fn equivocated(&self) -> bool {
        self.shown.values().any(|hashes| hashes.len() > 1)
    }

    fn slot(&mut self, rng: &mut ChaCha20Rng, now: u64, id: [u8; 32]) -> &mut Slot {
        let malice = self.malice;
        self.slots.entry(id).or_insert_with(|| {
            let mask = u8::try_from(rng.below(255)).unwrap_or(1) + 1;
            let lie = match rng.below(1_000) {
                n if n < malice.split => Lie::Split(mask),
                n if n < malice.split + malice.swap => Lie::Swap(mask),
                n if n < malice.split + malice.swap + malice.hide => {
                    Lie::Hide(mask, now + u64::from(rng.below(60_000)))
                }
                _ => Lie::None,
            };
            Slot { lie, views: [Vec::new(), Vec::new()] }
        })
    }
}

impl Lie {
    fn view(self, person: usize) -> usize {
        match self {
            Self::Split(mask) => usize::from(in_mask(mask, person)),
            _ => 0,
        }
    }
}

fn in_mask(mask: u8, person: usize) -> bool {
    mask >> (person % 8) & 1 == 1
}
