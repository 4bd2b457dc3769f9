//! A seat: one group on this device, with the identity it was joined with and where its members listen.

use budstikke_case::{Leg, Role, TermsState};
use budstikke_e2ee::cert::{Chain, Role as StaffRole};
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::group::{Group, Identity, Party};
use budstikke_e2ee::keys::SigningKey;

use crate::client::Work;
use crate::error::Error;
use crate::records::{self, CaseRecord, Device, SELF, Team, Unit, fixed};
use crate::view::case_name;

/// Bytes of a case's id.
pub(crate) const CASE_ID_LEN: usize = 16;

/// Before the admin's device has added this one to the team's group.
const NOT_JOINED: Error = Error::NotReady(
    "the admin's device has not let this one into the team yet: sync there, then here",
);

/// Where a group's state is gone and its case is not.
const KEYS_LOST: Error = Error::NotReady(
    "this device has lost the keys of a conversation: it has to ask to be added again",
);

/// After a colleague's admin has removed this device.
pub(crate) const REMOVED: Error = Error::NotReady(
    "this device was removed from its team and opens nothing new; ask your admin if that is not right",
);

/// After this device was taken off a case.
pub(crate) const LEFT: Error = Error::NotReady("this device is no longer part of this case");

/// A loaded group and what goes with it.
pub(crate) struct Seat {
    pub(crate) group: Group,
    pub(crate) me: Identity,
    /// The relay that has its slots.
    pub(crate) relay: String,
    /// The case, or `None` for the team.
    pub(crate) case: Option<CaseRecord>,
}

impl Seat {
    /// The team's seat on a staff device.
    pub(crate) fn team(work: &Work<'_>) -> Result<Self, Error> {
        let team: Team = records::need(work.tx, SELF)?;
        if team.removed_at > 0 {
            return Err(REMOVED);
        }
        let unit: Unit = records::need(work.tx, SELF)?;
        let relay = unit.relays.first().cloned().unwrap_or_default();
        let group = Group::load(&work.env(), &team.group_id)?.ok_or(NOT_JOINED)?;
        Ok(Self { group, me: staff(work)?, relay, case: None })
    }

    /// Who this device is in a case.
    pub(crate) fn identity(work: &Work<'_>, case: &CaseRecord) -> Result<Identity, Error> {
        if !case.defender {
            return staff(work);
        }
        Identity::from_bytes(&case.identity)
            .map_err(|_| Error::Damaged { what: "the identity of this case" })
    }

    /// The seat in a case.
    pub(crate) fn case(work: &Work<'_>, case: CaseRecord) -> Result<Self, Error> {
        if case.left_at > 0 {
            return Err(LEFT);
        }
        let me = Self::identity(work, &case)?;
        let relay = case.relay.clone();
        Ok(Self { group: load(work, &case.group_id)?, me, relay, case: Some(case) })
    }

    /// The seat in the group with this id; `None` when this device has none.
    pub(crate) fn of_group(work: &Work<'_>, group_id: &[u8]) -> Result<Option<Self>, Error> {
        if let Some(team) = records::load::<Team>(work.tx, SELF)?
            && team.group_id == group_id
        {
            return match Self::team(work) {
                Ok(seat) => Ok(Some(seat)),
                Err(Error::NotReady(_)) => Ok(None),
                Err(error) => Err(error),
            };
        }
        case_of_group(work, group_id)?.map(|case| Self::case(work, case)).transpose()
    }

    /// Everywhere that the other members listen: one route for each party's mailbox.
    pub(crate) fn audience(&self, work: &Work<'_>) -> Result<Vec<Route>, Error> {
        let mut routes = Vec::new();
        let colleagues = match &self.case {
            Some(case) => {
                for route in &case.routes {
                    routes.push(Route::from_bytes(route)?);
                }
                !case.defender && self.has_colleagues()?
            }
            None => self.has_colleagues()?,
        };
        if colleagues {
            let team: Team = records::need(work.tx, SELF)?;
            routes.push(Route::from_bytes(&team.route)?);
        }
        Ok(routes)
    }

    /// The case's short name, or `None` for the team.
    pub(crate) fn case_name(&self) -> Option<String> {
        self.case.as_ref().map(|case| case_name(&case.id))
    }

    /// Hash of the terms that both sides have accepted.
    pub(crate) fn accepted_terms(&self) -> Result<Option<[u8; 32]>, Error> {
        let Some(case) = &self.case else { return Ok(None) };
        Ok(terms_of(case)?.agreed_hash().map(|hash| *hash.as_bytes()))
    }

    /// What this device is in the group; `None` when it is no member any more.
    pub(crate) fn own_party(&self) -> Result<Option<Party>, Error> {
        let own = self.me.key();
        let me = self.group.members()?.into_iter().find(|member| member.key == own);
        Ok(me.map(|member| member.party))
    }

    fn has_colleagues(&self) -> Result<bool, Error> {
        let own = self.me.key();
        let members = self.group.members()?;
        // The devices at the other end of a line have a mailbox of their own.
        let ours = |unit: &str| self.case.as_ref().is_none_or(|case| case.own_unit == unit);
        Ok(members.iter().any(
            |m| matches!(&m.party, Party::Device(device) if m.key != own && ours(&device.unit.id)),
        ))
    }
}

/// The case that is talked about in a group; `None` when it is not on this device, or not any more.
pub(crate) fn case_of_group(work: &Work<'_>, group_id: &[u8]) -> Result<Option<CaseRecord>, Error> {
    let here = |case: &CaseRecord| case.group_id == group_id && case.left_at == 0;
    let cases = records::all::<CaseRecord>(work.tx)?;
    Ok(cases.into_iter().map(|(_, case)| case).find(here))
}

/// Holds a case id that somebody else chose against this vault: of the usual length, and not the id of a case that is
/// here already, whose place the new one would take.
///
/// # Errors
/// [`Error::Input`].
pub(crate) fn free_case_id(work: &Work<'_>, id: &[u8]) -> Result<(), Error> {
    let refused = |why: &str| Error::Input { what: "a new case", why: why.to_owned() };
    if id.len() != CASE_ID_LEN {
        return Err(refused("its id has not the usual length; it was refused"));
    }
    if records::load::<CaseRecord>(work.tx, id)?.is_some_and(|case| case.left_at == 0) {
        return Err(refused("it has the id of a case that is here already; it was refused"));
    }
    Ok(())
}

/// The terms of a case.
pub(crate) fn terms_of(case: &CaseRecord) -> Result<TermsState, Error> {
    TermsState::from_bytes(&case.terms).map_err(|_| Error::Damaged { what: "the terms" })
}

/// This staff device's identity in every group.
pub(crate) fn staff(work: &Work<'_>) -> Result<Identity, Error> {
    let device: Device = records::need(work.tx, SELF)?;
    if device.chain.is_empty() {
        return Err(Error::NotReady("this device waits for its certificate: install it first"));
    }
    let key = SigningKey::from_bytes(&fixed(&device.seed, "this device's key")?);
    Ok(Identity::staff(key, Chain::from_bytes(&device.chain)?))
}

/// What a certified device may call itself in case messages, most responsible first.
pub(crate) fn case_roles(roles: &[StaffRole], leg: Leg) -> Vec<Role> {
    let mut out: Vec<Role> = roles
        .iter()
        .filter_map(|role| match (role, leg) {
            (StaffRole::HeadOfMission, _) => Some(Role::HeadOfMission),
            (StaffRole::ContactPerson | StaffRole::Staff, Leg::DefenderMultilateralMission) => {
                Some(Role::MultilateralMissionStaff)
            }
            (StaffRole::ContactPerson, _) => Some(Role::MissionContactPerson),
            (StaffRole::Staff, _) => Some(Role::MissionStaff),
            (StaffRole::Desk, _) => Some(Role::MinistryDesk),
            (StaffRole::Duty, _) => Some(Role::MinistryDutyOfficer),
            (StaffRole::DecisionMaker, _) => Some(Role::MinistryDecisionMaker),
            (StaffRole::Privacy, _) => Some(Role::MinistryPrivacyOfficer),
            _ => None,
        })
        .collect();
    let rank = |role: &Role| match role {
        Role::HeadOfMission | Role::MinistryDecisionMaker => 0,
        Role::MissionContactPerson | Role::MinistryDesk => 1,
        _ => 2,
    };
    out.sort_by_key(rank);
    out
}

fn load(work: &Work<'_>, group_id: &[u8]) -> Result<Group, Error> {
    Group::load(&work.env(), group_id)?.ok_or(KEYS_LOST)
}
