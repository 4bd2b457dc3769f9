//! Puts the data frames of one slot entry or one notice together. One at a time per stream: at most 16 payloads.

use std::sync::Arc;

use budstikke_proto::id::{NoticeId, Signature, SlotId};
use budstikke_proto::op::Part;
use budstikke_proto::work::Solution;
use bytes::Bytes;
use tokio::sync::Semaphore;

use super::rooms::{Held, Rooms};

/// What is being put together; the same in every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Slot(SlotId),
    Notice(NoticeId, u64),
}

pub(super) struct Assembly {
    request: u64,
    target: Target,
    count: u32,
    signature: Signature,
    work: Option<Solution>,
    next: u32,
    /// Nothing when there was no room: then the rest is read and dropped.
    held: Option<Held>,
}

/// All frames came.
pub(super) struct Assembled {
    pub(super) target: Target,
    pub(super) count: u32,
    pub(super) signature: Signature,
    pub(super) work: Option<Solution>,
    /// What they held; `None` when there was no room for it.
    pub(super) held: Option<Held>,
}

/// The frames do not follow each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutOfOrder;

/// One frame.
pub(super) struct Frame {
    pub(super) request: u64,
    pub(super) target: Target,
    pub(super) part: Part,
    pub(super) work: Option<Solution>,
    pub(super) payload: Bytes,
}

/// Adds a frame; answers the whole when this was the last one. `own` is the session's own room.
pub(super) fn add(
    state: &mut Option<Assembly>,
    frame: Frame,
    rooms: &Rooms,
    own: &Arc<Semaphore>,
) -> Result<Option<Assembled>, OutOfOrder> {
    let Frame { request, target, part, work, payload } = frame;
    let Part { index, count, signature } = part;
    let mut assembly = match state.take() {
        None if index == 0 => {
            let held = Held::begin(rooms, own, count);
            Assembly { request, target, count, signature, work, next: 0, held }
        }
        Some(assembly) => assembly,
        None => return Err(OutOfOrder),
    };
    let follows = assembly.request == request
        && assembly.target == target
        && assembly.count == count
        && assembly.signature == signature
        && assembly.next == index;
    if !follows {
        return Err(OutOfOrder);
    }
    assembly.held = assembly.held.and_then(|held| held.add(rooms, payload));
    assembly.next = index.saturating_add(1);
    if assembly.next != count {
        *state = Some(assembly);
        return Ok(None);
    }
    let Assembly { target, count, signature, work, held, .. } = assembly;
    Ok(Some(Assembled { target, count, signature, work, held }))
}
