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

#[cfg(test)]
mod tests {
    use super::*;
    use budstikke_proto::id::Label;
    use budstikke_proto::sign::SigningSeed;
    use budstikke_proto::slot::{sign_entry, sign_receipt};
    use proptest::prelude::*;

    type Pushes = Vec<(Response, Vec<u8>)>;

    const END: Response = Response::End { next: 99, more: false };
    const MEMBER: SigningSeed = SigningSeed::from_bytes([1; 32]);
    const RELAY: SigningSeed = SigningSeed::from_bytes([2; 32]);

    fn slot() -> SlotId {
        SlotId::from_bytes(MEMBER.public())
    }

    /// A slot with entries of these many cells, as a sound relay pushes it.
    fn pushed_slot(counts: &[u32]) -> Pushes {
        let mut pushes = Vec::new();
        for (entry, count) in (0..).zip(counts.iter().copied()) {
            let cells: Vec<_> =
                (0..count).map(|index| [entry, index].map(u32::to_be_bytes).concat()).collect();
            let hash = payload_hash(cells.iter().map(Vec::as_slice));
            let signature = sign_entry(&MEMBER, count, &hash);
            let receipt = sign_receipt(&RELAY, &slot(), entry, &hash);
            for (index, cell) in (0..).zip(cells) {
                pushes
                    .push((Response::SlotEntry { entry, index, count, signature, receipt }, cell));
            }
        }
        pushes
    }

    fn pushed_notice(content: &[u8]) -> Pushes {
        let mut bytes = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(content);
        let payloads: Vec<_> = bytes.chunks(8).map(<[u8]>::to_vec).collect();
        let count = u32::try_from(payloads.len()).unwrap();
        let hash = payload_hash(payloads.iter().map(Vec::as_slice));
        let signature = notice::sign(&MEMBER, 5, count, &hash);
        let part = |index| Response::NoticePart { version: 5, index, count, signature };
        (0..).zip(payloads).map(|(index, payload)| (part(index), payload)).collect()
    }

    /// Swaps, drops, repeats or changes a push.
    fn meddle(pushes: &mut Pushes, acts: &[(u8, usize, usize)]) {
        for (act, one, other) in acts {
            let Some(last) = pushes.len().checked_sub(1) else { return };
            let (one, other) = (one % (last + 1), other % (last + 1));
            match act {
                0 => pushes.swap(one, other),
                1 => drop(pushes.remove(one)),
                2 => pushes.insert(one, pushes[other].clone()),
                3 => pushes[one].1.push(7),
                _ => pushes[one].0 = Response::Done,
            }
        }
    }

    fn acts() -> impl Strategy<Value = Vec<(u8, usize, usize)>> {
        proptest::collection::vec((0u8..5, 0usize..64, 0usize..64), 0..3)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is taken as good is a beginning of what the slot holds, cell for cell.
        #[test]
        fn a_meddled_slot_gives_no_false_entry(counts in proptest::collection::vec(1u32..=4, 0..=4),
                                               acts in acts()) {
            let sound = pushed_slot(&counts);
            let mut pushes = sound.clone();
            meddle(&mut pushes, &acts);
            let untouched = pushes == sound;
            let answer = Answer { pushes, last: END };
            let read = slot_entries(answer, &slot(), &RELAY.public());
            prop_assert!(!untouched || read.is_ok());
            let Ok(entries) = read else { return Ok(()) };
            prop_assert!(entries.len() <= counts.len());
            let good: Vec<_> = entries.iter().filter(|it| it.standing == Standing::Good).collect();
            prop_assert!(!untouched || good.len() == counts.len());
            for entry in good {
                let theirs = sound.iter().filter(|(push, _)| {
                    matches!(push, Response::SlotEntry { entry: at, .. } if *at == entry.entry)
                });
                prop_assert!(theirs.map(|(_, cell)| cell).eq(&entry.cells));
            }
        }

        #[test]
        fn a_meddled_notice_is_the_publishers_or_an_error(
            content in proptest::collection::vec(any::<u8>(), 0..120), acts in acts(),
        ) {
            let sound = pushed_notice(&content);
            let mut pushes = sound.clone();
            meddle(&mut pushes, &acts);
            let untouched = pushes == sound;
            let id = NoticeId::from_bytes(MEMBER.public());
            let got = notice(Answer { pushes: pushes.clone(), last: END }, &id);
            prop_assert!(!untouched || got.is_ok());
            match got {
                Ok(Some(notice)) => prop_assert_eq!((notice.version, notice.content), (5, content)),
                Ok(None) => prop_assert!(pushes.is_empty()),
                Err(_) => {}
            }
        }

        #[test]
        fn a_page_goes_up_from_since_to_its_end(since in 0u64..20, next in 0u64..30, more: bool,
                                                seqs in proptest::collection::vec(0u64..25, 0..6)) {
            let label = Label::from_bytes([3; 16]);
            let push = |seq: &u64| (Response::Cell { seq: *seq, label }, vec![1]);
            let pushes = seqs.iter().map(push).collect();
            let sound = seqs.iter().all(|seq| *seq > since)
                && seqs.is_sorted_by(|a, b| a < b)
                && next >= *seqs.last().unwrap_or(&since)
                && !(more && next == since);
            let got = page(Answer { pushes, last: Response::End { next, more } }, since);
            prop_assert_eq!(got.is_ok(), sound);
        }
    }

    #[test]
    fn four_entries_are_read_and_a_fifth_is_refused() {
        let read = |counts: &[u32]| {
            let answer = Answer { pushes: pushed_slot(counts), last: END };
            slot_entries(answer, &slot(), &RELAY.public())
        };
        assert_eq!(read(&[4, 4, 4, 4]).unwrap().len(), 4);
        assert!(matches!(read(&[1, 1, 1, 1, 1]), Err(Protocol(_))));
        assert!(matches!(read(&[5]), Err(Protocol(_))));
    }
}
