//! Room for requests of several frames until they are stored, of all sessions together.
//!
//! Such a request costs its sender little to begin, so what has begun is bounded by number, in each session and in
//! all, and by what it holds; the stream's driver bounds it by time.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of one session that have begun and not ended.
pub(super) const UNFINISHED_OF_SESSION: usize = 4;

/// How much there is at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoomLimits {
    /// Blobs, of at most a megabyte each.
    pub(crate) blobs: usize,
    /// Slot entries and notices that have begun and not ended.
    pub(crate) unfinished: usize,
    /// Payloads of slot entries and notices.
    pub(crate) payloads: usize,
}

/// The room that there is.
pub(crate) struct Rooms {
    blobs: Arc<Semaphore>,
    unfinished: Arc<Semaphore>,
    payloads: Arc<Semaphore>,
}

/// A part of it, given back when dropped.
pub(crate) struct Room(OwnedSemaphorePermit);

impl Rooms {
    pub(crate) fn new(limits: RoomLimits) -> Self {
        let some = |count| Arc::new(Semaphore::new(count));
        let (blobs, unfinished) = (some(limits.blobs), some(limits.unfinished));
        Self { blobs, unfinished, payloads: some(limits.payloads) }
    }

    /// Room for one blob under way, until it is stored.
    pub(super) fn blob(&self) -> Option<Room> {
        take(&self.blobs)
    }

    /// What is free: blobs, unfinished requests, payloads.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn free(&self) -> [usize; 3] {
        [&self.blobs, &self.unfinished, &self.payloads].map(|it| it.available_permits())
    }
}

/// What a slot entry or a notice holds while its frames come.
pub(super) struct Held {
    /// Its place in its session, and among all.
    begun: Option<[Room; 2]>,
    payloads: Vec<Bytes>,
    room: Option<Room>,
}

impl Held {
    /// Begins a request of `count` frames; `own` is its session's room. `None` when there are too many.
    pub(super) fn begin(rooms: &Rooms, own: &Arc<Semaphore>, count: u32) -> Option<Self> {
        let begun = match count {
            // It ends with the frame that it begins with.
            1 => None,
            _ => Some([take(own)?, take(&rooms.unfinished)?]),
        };
        Some(Self { begun, payloads: Vec::new(), room: None })
    }

    /// Takes a payload; `None`, and all is dropped, when there is no room for it.
    pub(super) fn add(mut self, rooms: &Rooms, payload: Bytes) -> Option<Self> {
        let more = take(&rooms.payloads)?;
        match &mut self.room {
            Some(Room(room)) => room.merge(more.0),
            None => self.room = Some(more),
        }
        self.payloads.push(payload);
        Some(self)
    }

    /// The payloads, when all are there, and what is to be held until they are stored.
    pub(super) fn end(self) -> (Vec<Bytes>, Option<Room>) {
        drop(self.begun);
        (self.payloads, self.room)
    }
}

fn take(of: &Arc<Semaphore>) -> Option<Room> {
    Arc::clone(of).try_acquire_owned().ok().map(Room)
}
