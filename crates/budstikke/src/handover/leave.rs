//! After the last day: who is left removes the leaver from every case and line that both are in.

use budstikke_case::handover::HandoverPhase;

use super::steps::{all, own_key};
use crate::channel::commit::want;
use crate::channel::seat::Seat;
use crate::client::Work;
use crate::error::Error;
use crate::mission::leave::leaves_of;
use crate::records::{self, CaseRecord, Commit};

/// Looks whether a hand-over's last day is over, and wants the leaver removed from what this device is in. Closed when
/// there is nothing left of the kind.
pub(crate) fn look(work: &Work<'_>) -> Result<(), Error> {
    for (mut record, state) in all(work)? {
        let over = state.phase(work.now) == HandoverPhase::Done;
        if !over || record.closed || own_key(work)? == state.from().key {
            continue;
        }
        let mut left = false;
        for case in state.cases() {
            for id in std::iter::once(&case.case_id).chain(&case.lines) {
                left |= remove(work, id, &state.from().key)?;
            }
        }
        record.closed = !left;
        records::save(work.tx, state.id(), &record)?;
    }
    Ok(())
}

/// Wants a device removed from a case; whether it was still in there.
pub(super) fn remove(work: &Work<'_>, case_id: &[u8], key: &[u8]) -> Result<bool, Error> {
    let Some(case) = records::load::<CaseRecord>(work.tx, case_id)? else { return Ok(false) };
    let Ok(seat) = Seat::case(work, case) else { return Ok(false) };
    if !seat.group.is_active() || leaves_of(&seat, &[key.to_vec()])?.is_empty() {
        return Ok(false);
    }
    let group_id = seat.group.id().to_vec();
    want(work, Commit { group_id, remove: vec![key.to_vec()], ..Commit::default() })?;
    Ok(true)
}
