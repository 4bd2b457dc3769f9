//! What lies in a mailbox. Each letter came on a sealed lane: the relay can drop, delay and repeat
//! it, not make it.

use super::member::Sent;
use super::relay::Receipt;

/// One letter.
#[derive(Clone)]
pub(super) enum Letter {
    /// An application message; with the planted bug a commit too.
    Mls(Vec<u8>),
    /// Look at the slot; with what the relay said last.
    Nudge { generation: u32, receipts: Vec<Receipt> },
    /// A Welcome to the group of this generation.
    Welcome { generation: u32, welcome: Vec<u8> },
    /// Add me again.
    Ask { package: Vec<u8> },
    /// My key package for the group that comes next.
    Move { generation: u32, package: Vec<u8> },
    /// What the relay told me; an `answer` wants none.
    Receipts { generation: u32, receipts: Vec<Receipt>, answer: bool },
    /// Two receipts that contradict each other.
    Proof { generation: u32, pair: Box<(Receipt, Receipt)> },
}

/// What an application message says: enough to keep books about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Its number in the simulation.
    pub(super) id: u64,
    /// What its sender sent before, in lives and generations that are over.
    pub(super) before: Vec<Sent>,
}

impl Content {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.id.to_be_bytes().to_vec();
        for sent in &self.before {
            out.extend(sent.life.to_be_bytes());
            out.extend(sent.generation.to_be_bytes());
            out.extend(sent.count.to_be_bytes());
        }
        out
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<8>()?;
        let (each, []) = rest.as_chunks::<16>() else { return None };
        let before = each.iter().map(|[a, b, c, d, e, f, g, h, count @ ..]| Sent {
            life: u32::from_be_bytes([*a, *b, *c, *d]),
            generation: u32::from_be_bytes([*e, *f, *g, *h]),
            count: u64::from_be_bytes(*count),
        });
        Some(Self { id: u64::from_be_bytes(*id), before: before.collect() })
    }
}
