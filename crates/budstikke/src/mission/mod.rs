//! A mission's side: certificates, the team, what it publishes, first contacts, assignments.

pub(crate) mod assign;
pub(crate) mod contacts;
pub(crate) mod enrol;
pub(crate) mod found;
pub(crate) mod leave;
pub(crate) mod line;
pub(crate) mod publish;
pub(crate) mod renew;
pub(crate) mod rotate;
mod setup;
pub(crate) mod team;

pub use contacts::{Contact, ContactStage, Decision, TermsChoice};
pub use enrol::{Joining, TeamCode};
pub use leave::Removal;
pub use publish::{Offer, Published};
pub(crate) use renew::no_later;
pub use renew::{CertificateState, CertificateStatus};
pub use setup::{StaffCard, UnitSetup};
pub use team::TeamMember;

use budstikke_case::Leg;
use budstikke_e2ee::cert::{Chain, Role, UnitKind, VerifiedDevice};

use crate::client::{Work, wrong_role};
use crate::directory;
use crate::error::Error;
use crate::records::{self, Device, SELF, Team, Unit};

/// Key of the team mailbox's record.
pub(crate) const TEAM_POST: &[u8] = b"team";

/// This device's verified certificate.
pub(crate) fn own_device(work: &Work<'_>) -> Result<VerifiedDevice, Error> {
    let Some(device) = records::load::<Device>(work.tx, SELF)? else {
        return Err(wrong_role(work, "a mission's device"));
    };
    if device.chain.is_empty() {
        return Err(Error::NotReady("this device waits for its certificate: install it first"));
    }
    let chain = Chain::from_bytes(&device.chain)?;
    directory::device(work, &chain, &chain.claimed_root())
}

/// The same for what needs authority, which waits while the directory is out of date.
pub(crate) fn own_authority(work: &Work<'_>) -> Result<VerifiedDevice, Error> {
    let device = own_device(work)?;
    directory::authority(work, &device.unit.root)?;
    Ok(device)
}

/// What this device's certificate says, also after its time: for what comes in, which is not lost while it is renewed.
pub(crate) fn own_papers(work: &Work<'_>) -> Result<VerifiedDevice, Error> {
    let device: Device = records::need(work.tx, SELF)?;
    let chain = Chain::from_bytes(&device.chain)?;
    Ok(chain.trusted_device(&chain.claimed_root())?)
}

/// The unit and the team of this device.
pub(crate) fn unit_and_team(work: &Work<'_>) -> Result<(Unit, Team), Error> {
    let (Some(unit), Some(team)) =
        (records::load::<Unit>(work.tx, SELF)?, records::load::<Team>(work.tx, SELF)?)
    else {
        return Err(wrong_role(work, "a mission's device"));
    };
    Ok((unit, team))
}

/// Fails unless this device may run its unit.
pub(crate) fn need_admin(device: &VerifiedDevice) -> Result<(), Error> {
    if device.has(Role::Admin) {
        Ok(())
    } else {
        Err(Error::NotReady("only an admin's device can do that: ask your admin"))
    }
}

/// The leg on which strangers speak with a unit of this kind.
pub(crate) fn leg_of(kind: UnitKind) -> Leg {
    match kind {
        UnitKind::MultilateralMission => Leg::DefenderMultilateralMission,
        UnitKind::MinistryDesk => Leg::MissionMinistry,
        _ => Leg::DefenderMission,
    }
}

pub(crate) fn kind_number(kind: UnitKind) -> u32 {
    match kind {
        UnitKind::BilateralMission => 1,
        UnitKind::MultilateralMission => 2,
        UnitKind::MinistryDesk => 3,
        _ => 0,
    }
}

/// The kind of a number in the vault.
pub(crate) fn kind_of(number: u32) -> Option<UnitKind> {
    let kinds = [UnitKind::BilateralMission, UnitKind::MultilateralMission, UnitKind::MinistryDesk];
    kinds.into_iter().find(|kind| kind_number(*kind) == number)
}

/// Whether this device's certificates have ended: it may not change a group before they are renewed.
pub(crate) fn lapsed(work: &Work<'_>) -> Result<bool, Error> {
    Ok(own_papers(work)?.not_after <= work.now)
}
