//! A seat for the new officer, in the case and in its lines: an admin's device asks for the key package and signs the
//! assignment; whoever is in the case adds them.

use budstikke_case::handover::{CaseStage, Handed, HandoverState};
use budstikke_case::wire::Officer;
use budstikke_e2ee::group::{KeyPackage, Member};
use budstikke_e2ee::keys::VerifyingKey;
use budstikke_e2ee::team::TeamMessage;

use super::steps::{is_owner, open, own_key};
use crate::channel::commit::want;
use crate::channel::seat::Seat;
use crate::client::Work;
use crate::error::Error;
use crate::mission::{assign, need_admin, own_device, team};
use crate::records::{self, CaseRecord, Commit};

/// A case was accepted: where this is the admin's device that has to, the new officer's is asked for key packages.
pub(super) fn request(
    work: &Work<'_>,
    state: &HandoverState,
    case: &Handed,
    to: &Officer,
) -> Result<(), Error> {
    if need_admin(&own_device(work)?).is_err() || !is_turn(work, state)? {
        return Ok(());
    }
    let (device, own) = (VerifyingKey::from_bytes(&to.key)?, own_key(work)? == to.key);
    for id in std::iter::once(&case.case_id).chain(&case.lines) {
        if !own {
            assign::request(work, id, device)?;
        } else if records::load::<CaseRecord>(work.tx, id)?.is_none() {
            // Nobody has to be asked for what this device gives itself.
            let (package, note_key) = assign::own_package(work, id)?;
            pass_on(work, id.clone(), &package, note_key)?;
        }
    }
    Ok(())
}

/// Whether it is this admin's device that asks: the one that began the hand-over, if that is an admin's.
fn is_turn(work: &Work<'_>, state: &HandoverState) -> Result<bool, Error> {
    let members = Seat::team(work)?.group.members()?;
    let begun = members.iter().find(|m| m.key.as_bytes().as_slice() == state.by().key);
    let by_admin = begun.is_some_and(team::is_admin);
    Ok(!by_admin || own_key(work)? == state.by().key)
}

/// I05: nobody is given a case that is on its way to them before they have accepted it.
pub(crate) fn may_assign(
    work: &Work<'_>,
    case: &CaseRecord,
    device: &VerifyingKey,
) -> Result<(), Error> {
    let id = if case.line_for.is_empty() { &case.id } else { &case.line_for };
    for (_, state) in open(work)? {
        let theirs = state.case(id).filter(|case| is_owner(case, device.as_bytes()));
        if theirs.is_some_and(|case| case.stage != CaseStage::Accepted) {
            state.may_read(id, device.as_bytes())?;
        }
    }
    Ok(())
}

/// The key package for a case that this admin's device is not in: the assignment goes to whoever is.
pub(crate) fn pass_on(
    work: &Work<'_>,
    case_id: Vec<u8>,
    package: &KeyPackage,
    note_key: Vec<u8>,
) -> Result<(), Error> {
    let assignment = team::assignment_for(work, &case_id, package)?;
    let key_package = package.bytes().to_vec();
    team::tell(work, &TeamMessage::Assigned { case_id, key_package, assignment, note_key })
}

/// An admin that is not in a case asks whoever is to add a device.
pub(crate) fn assigned(
    work: &Work<'_>,
    sender: &Member,
    case_id: &[u8],
    add: Vec<u8>,
    assignment: Vec<u8>,
    note_key: Vec<u8>,
) -> Result<(), Error> {
    let Some(case) = records::load::<CaseRecord>(work.tx, case_id)? else { return Ok(()) };
    if !team::is_admin(sender) || case.defender {
        return Err(Error::Input {
            what: "an assignment",
            why: "it was not an admin who sent it; it was dropped".to_owned(),
        });
    }
    let package =
        KeyPackage::parse(&work.env(), &add).map_err(budstikke_e2ee::group::GroupError::from)?;
    may_assign(work, &case, &package.key())?;
    let seat = Seat::case(work, case)?;
    let group_id = seat.group.id().to_vec();
    want(work, Commit { group_id, add, assignment, note_key, ..Commit::default() })
}
