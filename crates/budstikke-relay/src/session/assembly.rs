//! Puts the data frames of one slot entry or one notice together. One at a time per stream: at most 16 payloads.

use budstikke_proto::id::Signature;
use budstikke_proto::op::Part;
use budstikke_proto::work::Solution;
use bytes::Bytes;

/// What is being put together; the same in every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Slot(budstikke_proto::id::SlotId),
    Notice(budstikke_proto::id::NoticeId, u64),
}

pub(super) struct Assembly {
    request: u64,
    target: Target,
    count: u32,
    signature: Signature,
    work: Option<Solution>,
    payloads: Vec<Bytes>,
}

/// All frames are there.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) target: Target,
    pub(super) count: u32,
    pub(super) signature: Signature,
    pub(super) work: Option<Solution>,
    pub(super) payloads: Vec<Bytes>,
}

/// The frames do not follow each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutOfOrder;

/// Adds a frame; answers the whole when this was the last one.
pub(super) fn add(
    state: &mut Option<Assembly>,
    request: u64,
    target: Target,
    part: &Part,
    work: Option<Solution>,
    payload: Bytes,
) -> Result<Option<Assembled>, OutOfOrder> {
    let Part { index, count, signature } = *part;
    let mut assembly = match state.take() {
        None if index == 0 => {
            Assembly { request, target, count, signature, work, payloads: Vec::new() }
        }
        Some(assembly) => assembly,
        None => return Err(OutOfOrder),
    };
    let follows = assembly.request == request
        && assembly.target == target
        && assembly.count == count
        && assembly.signature == signature
        && usize::try_from(index) == Ok(assembly.payloads.len());
    if !follows {
        return Err(OutOfOrder);
    }
    assembly.payloads.push(payload);
    if index.checked_add(1) != Some(count) {
        *state = Some(assembly);
        return Ok(None);
    }
    let Assembly { target, count, signature, work, payloads, .. } = assembly;
    Ok(Some(Assembled { target, count, signature, work, payloads }))
}
