//! From a reserve into its cases: what this device asks with, and what it does once it was let in.

use budstikke_case::wire::{AccessChangeKind, CaseAccessChange, Officer};
use budstikke_e2ee::group::Party;
use budstikke_e2ee::keys::VerifyingKey;

use crate::channel::seat::Seat;
use crate::channel::send::{SendOptions, post};
use crate::client::Work;
use crate::error::Error;
use crate::handover::notice::reader;
use crate::handover::{officer, own_officer};
use crate::mission::leave::want_remove;
use crate::mission::{need_admin, own_device};
use crate::records::{self, CaseRecord, OwnAskRecord, TakenRecord};
use crate::recovery::again;

/// Under what this device asks to be let into a case that it found in a reserve; `None` for any other case. Empty
/// until an admin has assigned it, and when that is over.
pub(crate) fn assignment(
    work: &Work<'_>,
    case_id: &[u8],
    key: &VerifyingKey,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(taken) = records::load::<TakenRecord>(work.tx, case_id)? else { return Ok(None) };
    if need_admin(&own_device(work)?).is_ok() {
        return again::assignment(work, case_id, key).map(Some);
    }
    // Not one that ends while the people are asked.
    let holds = work.now < taken.assigned_at.saturating_add(again::ASSIGNMENT_S / 2);
    Ok(Some(if holds { taken.assignment } else { Vec::new() }))
}

/// An admin has assigned this device to a case that it found in a reserve: its people are asked now.
pub(crate) fn assigned(work: &Work<'_>, case_id: &[u8], assignment: &[u8]) -> Result<(), Error> {
    let (Some(mut taken), Some(case)) = (
        records::load::<TakenRecord>(work.tx, case_id)?,
        records::load::<CaseRecord>(work.tx, case_id)?,
    ) else {
        return Ok(());
    };
    (taken.assignment, taken.assigned_at) = (assignment.to_vec(), work.now);
    records::save(work.tx, case_id, &taken)?;
    // Nobody has been asked so far but the admin.
    records::remove::<OwnAskRecord>(work.tx, case_id)?;
    again::ask_without_group(work, &case)
}

/// Cases that this device was let into: whoever of the unit is in them and no longer in the team goes, and who reads
/// from now on is said. Lines whose case has come are asked for.
pub(crate) fn look(work: &Work<'_>) -> Result<(), Error> {
    for (id, taken) in records::all::<TakenRecord>(work.tx)? {
        let done = match look_at(work, &id, &taken) {
            Err(error) if error.is_fatal() => return Err(error),
            // Quiet hours, a certificate that is renewed first: at another look.
            looked => looked.unwrap_or(false),
        };
        if done {
            records::remove::<TakenRecord>(work.tx, &id)?;
        }
    }
    Ok(())
}

/// Whether nothing is left to do.
fn look_at(work: &Work<'_>, id: &[u8], taken: &TakenRecord) -> Result<bool, Error> {
    let Some(case) = records::load::<CaseRecord>(work.tx, id)? else { return Ok(true) };
    if case.left_at > 0 {
        return Ok(true);
    }
    let line = case.line;
    let seat = match Seat::case(work, case.clone()) {
        Ok(seat) => seat,
        Err(Error::NotReady(_)) => {
            let asked = records::load::<OwnAskRecord>(work.tx, id)?.is_some();
            if !asked && is_seated(work, &case.line_for)? {
                again::ask_without_group(work, &case)?;
            }
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    if !seat.group.is_active() || case.frozen.is_some() {
        return Ok(false);
    }
    let team = Seat::team(work)?.group.members()?;
    let (mut stops, own) = (Vec::new(), own_officer(work)?);
    for member in seat.group.members()? {
        let Party::Device(device) = &member.party else { continue };
        if device.unit.id == case.own_unit && !team.iter().any(|known| known.key == member.key) {
            want_remove(work, seat.group.id(), &member.key)?;
            stops.push(officer(device));
        }
    }
    if stops.is_empty() {
        stops.push(Officer { label: taken.name.clone(), ..Officer::default() });
    }
    // A line's other end sees who is in it; a person is told in words.
    if !line {
        say(work, seat, &own, &stops)?;
    }
    Ok(true)
}

fn is_seated(work: &Work<'_>, case_id: &[u8]) -> Result<bool, Error> {
    let case = records::load::<CaseRecord>(work.tx, case_id)?;
    Ok(case.is_some_and(|case| Seat::case(work, case).is_ok()))
}

/// Who reads and who stops; why is the mission's own affair.
fn say(work: &Work<'_>, seat: Seat, own: &Officer, stops: &[Officer]) -> Result<(), Error> {
    let change = CaseAccessChange {
        kind: AccessChangeKind::TakenOver.into(),
        reads: vec![reader(own)],
        from_s: work.now,
        stops: stops.iter().map(reader).collect(),
        stops_s: work.now,
        ..CaseAccessChange::default()
    };
    post(work, seat, change.into(), &SendOptions::default()).map(drop)
}
