//! From a relay's frames to checked values. No I/O; nothing that a relay says is believed before it is checked.

use budstikke_proto::id::{Hash, NoticeId, Signature, SlotId};
use budstikke_proto::limits::{MAX_NOTICE_PARTS, MAX_SLOT_CELLS, MAX_SLOT_ENTRIES};
use budstikke_proto::notice;
use budstikke_proto::op::Response;
use budstikke_proto::slot::{payload_hash, verify_entry, verify_receipt};

use super::pending::Answer;
use super::types::{Notice, Page, ReceivedCell, SlotEntry, SlotReceipt, Standing};
use super::{RelayError, RelayError::Protocol};

const UNEXPECTED: RelayError = Protocol("its answer belongs to another request");

/// Whether it is a plain "done".
pub(super) fn done(answer: &Answer) -> Result<(), RelayError> {
    match (&answer.last, answer.pushes.is_empty()) {
        (Response::Done, true) => Ok(()),
        _ => Err(UNEXPECTED),
    }
}

/// A mailbox's cells: above `since`, ascending, and an end that lets the caller make headway.
pub(super) fn page(answer: Answer, since: u64) -> Result<Page, RelayError> {
    let Response::End { next, more } = answer.last else { return Err(UNEXPECTED) };
    let mut cells = Vec::with_capacity(answer.pushes.len());
    let mut highest = since;
    for (push, cell) in answer.pushes {
        let received = cell_after(highest, &push, cell)?;
        highest = received.seq;
        cells.push(received);
    }
    if next < highest || (more && next == since) {
        return Err(Protocol("its page ends before its last cell"));
    }
    Ok(Page { cells, next, more })
}

/// One cell, which must come after `highest`.
pub(super) fn cell_after(
    highest: u64,
    push: &Response,
    cell: Vec<u8>,
) -> Result<ReceivedCell, RelayError> {
    match push {
        Response::Cell { seq, label } if *seq > highest => {
            Ok(ReceivedCell { seq: *seq, label: *label, cell })
        }
        Response::Cell { .. } => Err(Protocol("its cells are out of order")),
        _ => Err(UNEXPECTED),
    }
}

/// The receipt for an entry that was just appended.
pub(super) fn receipt(
    answer: &Answer,
    slot: SlotId,
    hash: Hash,
    relay_pk: &[u8; 32],
) -> Result<SlotReceipt, RelayError> {
    let Response::SlotReceipt { slot_id, entry, hash: stored, signature } = answer.last else {
        return Err(UNEXPECTED);
    };
    if slot_id != slot || stored != hash || entry >= MAX_SLOT_ENTRIES {
        return Err(Protocol("its receipt is for something else"));
    }
    if !verify_receipt(relay_pk, &slot, entry, &hash, &signature) {
        return Err(Protocol("its receipt is not signed"));
    }
    Ok(SlotReceipt { slot_id, entry, hash, signature })
}

/// All entries of a slot, in order. Bad signatures are marked; a broken sequence is an error.
pub(super) fn slot_entries(
    answer: Answer,
    slot: &SlotId,
    relay_pk: &[u8; 32],
) -> Result<Vec<SlotEntry>, RelayError> {
    ended(&answer)?;
    let mut parts = answer.pushes.into_iter().peekable();
    let mut entries = Vec::new();
    while parts.peek().is_some() {
        let place = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        if place >= MAX_SLOT_ENTRIES {
            return Err(Protocol("its slot has too many entries"));
        }
        let mut run = Run::new(MAX_SLOT_CELLS);
        let mut receipt = None;
        while !run.is_whole() {
            let Some((push, cell)) = parts.next() else { break };
            let Response::SlotEntry { entry, index, count, signature, receipt: word } = push else {
                return Err(UNEXPECTED);
            };
            if entry != place || *receipt.get_or_insert(word) != word {
                return Err(Protocol("its slot entries are out of order"));
            }
            run.take(index, count, signature, cell)?;
        }
        let (cells, signature) = run.finish()?;
        let receipt = receipt.ok_or(UNEXPECTED)?;
        entries.push(entry(slot, relay_pk, place, cells, &signature, receipt));
    }
    Ok(entries)
}

/// A notice, or `None` when the relay has none.
pub(super) fn notice(answer: Answer, id: &NoticeId) -> Result<Option<Notice>, RelayError> {
    ended(&answer)?;
    if answer.pushes.is_empty() {
        return Ok(None);
    }
    let mut run = Run::new(MAX_NOTICE_PARTS);
    let mut newest = None;
    for (push, payload) in answer.pushes {
        let Response::NoticePart { version, index, count, signature } = push else {
            return Err(UNEXPECTED);
        };
        if *newest.get_or_insert(version) != version {
            return Err(Protocol("its notice mixes versions"));
        }
        run.take(index, count, signature, payload)?;
    }
    let (payloads, signature) = run.finish()?;
    let version = newest.ok_or(UNEXPECTED)?;
    let hash = payload_hash(payloads.iter().map(Vec::as_slice));
    let count = u32::try_from(payloads.len()).unwrap_or(u32::MAX);
    if !notice::verify(id, version, count, &hash, &signature) {
        return Err(Protocol("its notice is not signed by the publisher"));
    }
    let content = notice::from_payloads(payloads.iter().map(Vec::as_slice))
        .map_err(|_| Protocol("its notice is malformed"))?;
    Ok(Some(Notice { version, content }))
}

fn ended(answer: &Answer) -> Result<(), RelayError> {
    if matches!(answer.last, Response::End { .. }) { Ok(()) } else { Err(UNEXPECTED) }
}

fn entry(
    slot: &SlotId,
    relay_pk: &[u8; 32],
    entry: u32,
    cells: Vec<Vec<u8>>,
    signature: &Signature,
    receipt: Signature,
) -> SlotEntry {
    let hash = payload_hash(cells.iter().map(Vec::as_slice));
    let count = u32::try_from(cells.len()).unwrap_or(u32::MAX);
    let standing = if !verify_entry(slot, count, &hash, signature) {
        Standing::NotAMembers
    } else if !verify_receipt(relay_pk, slot, entry, &hash, &receipt) {
        Standing::NoReceipt
    } else {
        Standing::Good
    };
    SlotEntry { entry, cells, hash, receipt, standing }
}

/// Frames with indices 0 to count − 1, all with the same count and signature.
struct Run {
    max: u32,
    head: Option<(u32, Signature)>,
    payloads: Vec<Vec<u8>>,
}

impl Run {
    const fn new(max: u32) -> Self {
        Self { max, head: None, payloads: Vec::new() }
    }

    fn take(
        &mut self,
        index: u32,
        count: u32,
        signature: Signature,
        payload: Vec<u8>,
    ) -> Result<(), RelayError> {
        let next = u32::try_from(self.payloads.len()).unwrap_or(u32::MAX);
        let head = *self.head.get_or_insert((count, signature));
        if head != (count, signature) || index != next || index >= count || count > self.max {
            return Err(Protocol("its parts are out of order"));
        }
        self.payloads.push(payload);
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.head.is_some_and(|(count, _)| u32::try_from(self.payloads.len()) == Ok(count))
    }

    fn finish(self) -> Result<(Vec<Vec<u8>>, Signature), RelayError> {
        match (self.is_whole(), self.head) {
            (true, Some((_, signature))) => Ok((self.payloads, signature)),
            _ => Err(Protocol("its parts are not complete")),
        }
    }
}
