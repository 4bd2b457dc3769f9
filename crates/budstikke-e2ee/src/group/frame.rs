//! The frame around every application message, and what it tells about losses and forks.

use prost::Message as _;
use zeroize::Zeroizing;

use crate::{
    checks::{Check, Rejection},
    keys::hash,
    pb,
};

/// Missing counters remembered per sender; beyond that the oldest are given up.
const MAX_MISSING: usize = 64;

/// Something about an application message that a person or the client should know. The message
/// itself is authentic all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Messages of this sender have not arrived (yet).
    Gap {
        /// How many.
        missing: u64,
    },
    /// This message fills a gap reported before.
    Late,
    /// A counter that was used before: the sender restored an old state, or its program is at
    /// fault.
    Repeated,
    /// The sender's previous message is not the one we have: the history forked.
    Forked,
    /// The sender's epoch is not ours although it has the same number: the group forked.
    OtherEpoch,
    /// The sender's certificates have ended.
    Lapsed,
    /// The sender's device, unit or issuer is revoked: keep it, and do not act on it.
    Revoked,
}

/// What we know of a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) key: [u8; 32],
    /// Counter of its next message.
    pub(super) next: u64,
    /// Hash of its last frame.
    pub(super) previous: Vec<u8>,
    pub(super) missing: Vec<u64>,
    /// False until a base line is known.
    pub(super) known: bool,
}

impl Peer {
    pub(super) fn fresh(key: [u8; 32]) -> Self {
        Self { key, next: 0, previous: Vec::new(), missing: Vec::new(), known: true }
    }

    pub(super) fn unknown(key: [u8; 32]) -> Self {
        Self { known: false, ..Self::fresh(key) }
    }

    /// Takes a message into account; `joined` is the epoch in which we joined.
    pub(super) fn take(
        &mut self,
        frame: &pb::Frame,
        encoded: &[u8],
        joined: u64,
    ) -> Option<Finding> {
        let finding = self.judge(frame, joined);
        if frame.counter >= self.next || !self.known {
            self.next = frame.counter.saturating_add(1);
            self.previous = frame_hash(encoded).to_vec();
            self.known = true;
        }
        finding
    }

    fn judge(&mut self, frame: &pb::Frame, joined: u64) -> Option<Finding> {
        if !self.known {
            // The sender says where it stood when we joined; after many joins, at the oldest it still knows.
            let base = frame.adds.iter().find(|add| add.epoch >= joined)?.counter;
            let missing = frame.counter.checked_sub(base).filter(|missing| *missing > 0)?;
            self.miss(base..frame.counter);
            return Some(Finding::Gap { missing });
        }
        let ahead = match frame.counter.checked_sub(self.next) {
            Some(0) => {
                return (frame.previous != self.previous).then_some(Finding::Forked);
            }
            Some(ahead) => ahead,
            None => {
                let before = self.missing.len();
                self.missing.retain(|counter| *counter != frame.counter);
                let late = self.missing.len() < before;
                return Some(if late { Finding::Late } else { Finding::Repeated });
            }
        };
        self.miss(self.next..frame.counter);
        Some(Finding::Gap { missing: ahead })
    }

    fn miss(&mut self, counters: std::ops::Range<u64>) {
        let oldest = counters.end.saturating_sub(MAX_MISSING as u64).max(counters.start);
        self.missing.extend(oldest..counters.end);
        let surplus = self.missing.len().saturating_sub(MAX_MISSING);
        self.missing.drain(..surplus);
    }
}

pub(super) fn frame_hash(encoded: &[u8]) -> [u8; 32] {
    hash("frame", &[encoded])
}

pub(super) fn decode(encoded: &[u8]) -> Result<pb::Frame, Rejection> {
    let bad = |why: &str| Rejection::new(Check::Frame, why);
    let frame = pb::Frame::decode(encoded).map_err(|_| bad("the frame does not parse"))?;
    if frame.version != 1 {
        return Err(bad("the frame is of an unknown version"));
    }
    if frame.counter == u64::MAX {
        return Err(bad("the counter is at its end"));
    }
    Ok(frame)
}

pub(super) fn encode(frame: &pb::Frame) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(frame.encode_to_vec())
}
