//! Receipts: what the relay has signed about the slots of a group, kept, shown to the others and compared (SPEC.md
//! section 10.8).

use budstikke_e2ee::envelope::MAX_RECEIPTS;
use budstikke_proto::descriptor::relay_id;
use budstikke_proto::proof::{Equivocation, Receipt};

use super::freeze::{FreezeReason, freeze};
use crate::channel::inbound::look_again;
use crate::channel::seat::Seat;
use crate::client::{Work, parse_address};
use crate::error::Error;
use crate::events::Event;
use crate::records::{self, ProofRecord, ReceiptsRecord, RelayKeyRecord, fixed};
use crate::relay::{SlotEntry, Standing};

/// Receipts kept for a group: those of its last slots.
const MAX_OWN: usize = 64;
/// Receipts of others kept for places that this device has not read.
const MAX_THEIRS: usize = 16;
/// How often the others are shown, unasked, what this device has: once an hour.
const SHOW_EVERY_S: i64 = 3_600;

/// Remembers a relay's identity key, which its address pins.
pub(crate) fn learn_key(work: &Work<'_>, relay: &str, identity_pk: [u8; 32]) -> Result<(), Error> {
    if key_of(work, relay)?.is_some() || relay_id(&identity_pk) != parse_address(relay)?.id {
        return Ok(());
    }
    let record = RelayKeyRecord { identity_pk: identity_pk.to_vec() };
    records::save(work.tx, relay.as_bytes(), &record)
}

fn key_of(work: &Work<'_>, relay: &str) -> Result<Option<[u8; 32]>, Error> {
    let record = records::load::<RelayKeyRecord>(work.tx, relay.as_bytes())?;
    record.map(|record| fixed(&record.identity_pk, "a relay's key")).transpose()
}

/// The receipts of a slot's entries that count.
pub(crate) fn of_entries(slot: [u8; 32], entries: &[SlotEntry]) -> Vec<Receipt> {
    let good = entries.iter().filter(|entry| entry.standing == Standing::Good);
    let receipt = |entry: &SlotEntry| Receipt {
        slot: budstikke_proto::id::SlotId::from_bytes(slot),
        entry: entry.entry,
        hash: entry.hash,
        signature: entry.receipt,
    };
    good.map(receipt).collect()
}

/// Keeps what the relay has signed for this device. Whether all is well: not if it contradicts what was signed before,
/// here or for another member.
pub(crate) fn keep(work: &Work<'_>, group_id: &[u8], new: &[Receipt]) -> Result<bool, Error> {
    let mut record = records::load::<ReceiptsRecord>(work.tx, group_id)?.unwrap_or_default();
    let (mut found, before) = (None, record.clone());
    for receipt in new {
        let known = record.own.iter().chain(&record.theirs).filter_map(|it| Receipt::parse(it));
        found =
            found.or(known.into_iter().find(|it| it.contradicts(receipt)).map(|it| (it, *receipt)));
        let bytes = receipt.to_bytes();
        if !record.own.contains(&bytes) {
            record.own.push(bytes);
        }
    }
    let surplus = record.own.len().saturating_sub(MAX_OWN);
    record.own.drain(..surplus);
    if record != before {
        records::save(work.tx, group_id, &record)?;
    }
    match found {
        Some((one, other)) => match Seat::of_group(work, group_id)? {
            Some(mut seat) => Ok(!accuse(work, &mut seat, one, other)?),
            None => Ok(true),
        },
        None => Ok(true),
    }
}

/// Holds against one's own what the relay has signed for another member. The relay's signature speaks for it, so it
/// does not matter who brought it.
pub(crate) fn compare(work: &Work<'_>, seat: &mut Seat, told: &[Vec<u8>]) -> Result<(), Error> {
    let group_id = seat.group.id().to_vec();
    let key = key_of(work, &seat.relay)?;
    let mut record = records::load::<ReceiptsRecord>(work.tx, &group_id)?.unwrap_or_default();
    let mut ahead = false;
    for bytes in told {
        let Some(receipt) = Receipt::parse(bytes) else { continue };
        if key.is_some_and(|key| !receipt.verify(&key)) || record.own.contains(bytes) {
            continue;
        }
        let own = record.own.iter().filter_map(|it| Receipt::parse(it));
        if let Some(one) = own.into_iter().find(|it| it.contradicts(&receipt)) {
            accuse(work, seat, one, receipt)?;
            continue;
        }
        if !record.theirs.contains(bytes) {
            ahead = true;
            record.theirs.push(bytes.clone());
        }
    }
    if !ahead {
        return Ok(());
    }
    let surplus = record.theirs.len().saturating_sub(MAX_THEIRS);
    record.theirs.drain(..surplus);
    records::save(work.tx, &group_id, &record)?;
    look_again(work, &group_id)
}

/// The latest that this device was told, to be shown to the others.
pub(crate) fn latest(work: &Work<'_>, group_id: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let record = records::load::<ReceiptsRecord>(work.tx, group_id)?.unwrap_or_default();
    let first = record.own.len().saturating_sub(MAX_RECEIPTS);
    Ok(record.own.into_iter().skip(first).collect())
}

/// Whether the others should be shown now what this device has; then not again for a while.
pub(crate) fn may_show(work: &Work<'_>, group_id: &[u8]) -> Result<bool, Error> {
    let Some(mut record) = records::load::<ReceiptsRecord>(work.tx, group_id)? else {
        return Ok(false);
    };
    if record.own.is_empty() || work.now < record.shown_at.saturating_add(SHOW_EVERY_S) {
        return Ok(false);
    }
    record.shown_at = work.now;
    records::save(work.tx, group_id, &record)?;
    Ok(true)
}

/// A proof that somebody else made convicts the relay here too, if this device was told one of the two things itself.
pub(crate) fn believe(work: &Work<'_>, seat: &mut Seat, proof: &[u8]) -> Result<(), Error> {
    let Ok(proof) = Equivocation::from_bytes(proof) else { return Ok(()) };
    let told: Vec<_> = proof.receipts().iter().map(Receipt::to_bytes).collect();
    compare(work, seat, &told)
}

/// The relay is convicted, if both receipts are really its own: the proof is kept, the case frozen.
fn accuse(work: &Work<'_>, seat: &mut Seat, one: Receipt, other: Receipt) -> Result<bool, Error> {
    let Some(key) = key_of(work, &seat.relay)? else { return Ok(false) };
    let Some(proof) = Equivocation::between(key, one, other) else { return Ok(false) };
    let group_id = seat.group.id();
    if records::load::<ProofRecord>(work.tx, group_id)?.is_some() {
        return Ok(true);
    }
    let record = ProofRecord {
        case_id: seat.case.as_ref().map(|case| case.id.clone()).unwrap_or_default(),
        relay: seat.relay.clone(),
        proof: proof.to_bytes(),
        found_at: work.now,
    };
    records::save(work.tx, group_id, &record)?;
    work.event(Event::RelayEquivocated { case: seat.case_name() });
    freeze(work, seat, FreezeReason::RelayEquivocated)?;
    Ok(true)
}
