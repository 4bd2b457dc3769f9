//! Puts the data frames of one blob together. Up to a megabyte, so the relay holds only a few at once, and only from
//! who has paid.

use budstikke_proto::auth::SessionKey;
use budstikke_proto::op::{BlobHead, ErrorCode};
use bytes::Bytes;

use super::rooms::{Room, Rooms};
use super::{BUSY_RETRY_S, Payment};

pub(super) struct Upload {
    request: u64,
    pub(super) head: BlobHead,
    /// The delete key's, proved by the first frame.
    pub(super) key: SessionKey,
    next: u32,
    payment: Payment,
    taking: Whole,
}

/// All frames are there: the payloads, or why they were not kept.
pub(super) type Whole = Result<(Room, Vec<Bytes>), (ErrorCode, u32)>;

impl Upload {
    /// Begins with the frame of index 0. What is not paid, or has no room, is read to its end and dropped.
    pub(super) fn begin(
        request: u64,
        head: BlobHead,
        key: SessionKey,
        payment: Payment,
        rooms: &Rooms,
    ) -> Self {
        let taking = match payment {
            Payment::None => Err((ErrorCode::WorkRequired, 0)),
            Payment::Paid | Payment::Token(_) => {
                rooms.blob().map(|room| (room, Vec::new())).ok_or((ErrorCode::Busy, BUSY_RETRY_S))
            }
        };
        Self { request, head, key, next: 0, payment, taking }
    }

    /// Whether this frame is the next one.
    pub(super) fn expects(&self, request: u64, head: &BlobHead, index: u32) -> bool {
        self.request == request && self.head == *head && self.next == index
    }

    /// Adds a payload; answers the whole, and what pays for it, when this was the last one.
    pub(super) fn add(&mut self, payload: Bytes) -> Option<(Whole, Payment)> {
        if let Ok((_, payloads)) = &mut self.taking {
            payloads.push(payload);
        }
        self.next = self.next.saturating_add(1);
        if self.next != self.head.size.parts() {
            return None;
        }
        let whole = std::mem::replace(&mut self.taking, Err((ErrorCode::Malformed, 0)));
        Some((whole, std::mem::replace(&mut self.payment, Payment::None)))
    }
}
