//! Setting up a unit on its first device, which becomes its admin's.

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{Chain, DeviceRequest, Role, UnitKind, UnitRequest, issue_device};
use budstikke_e2ee::group::{Charter, Group, GroupKind, Identity};
use budstikke_e2ee::keys::SigningKey;
use data_encoding::HEXLOWER;
use prost::Message as _;
use rand_core::OsRng;

use super::{TEAM_POST, kind_number, need_admin, own_device, own_papers, renew, unit_and_team};
use crate::client::{Client, Profile, Work, claim_role, parse_address, wrong_role};
use crate::directory;
use crate::error::Error;
use crate::ministry::{UNIT_CERTIFICATE, UNIT_REQUEST, WithDirectory};
use crate::posts::{plan_lane, plan_post};
use crate::random::fresh;
use crate::records::{self, Device, Lane, LaneUse, SELF, Team, Unit, fixed};

/// What a new unit is to be.
#[derive(Clone, Debug)]
pub struct UnitSetup {
    /// Stable id, like `no.emb.karvonia`.
    pub unit_id: String,
    /// Name for people, like `Embassy in Karvonia`.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Label of this device, like `Officer A`.
    pub officer: String,
    /// What its user may do; admin is added, for it is the unit's first device.
    pub roles: Vec<Role>,
    /// Relay addresses, the one for mailboxes first.
    pub relays: Vec<String>,
}

/// A staff device as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffCard {
    /// Unit id.
    pub unit_id: String,
    /// The unit's name.
    pub unit_name: String,
    /// The device's label.
    pub officer: String,
    /// What its user may do.
    pub roles: Vec<Role>,
    /// Fingerprint of the Ministry's root, 64 hexadecimal digits.
    pub root_fingerprint: String,
    /// Unix seconds at which the device's certificate ends.
    pub not_after: i64,
}

impl Client {
    /// Makes the unit's keys in this vault and the request that goes to the Ministry. Repeating it with the same
    /// unit id writes the request anew.
    ///
    /// # Errors
    /// [`Error::WrongRole`]; [`Error::Input`] for a relay address; [`Error::Trust`] for an unusable id or name.
    pub async fn request_unit(&self, setup: UnitSetup) -> Result<String, Error> {
        let relays = setup.relays.iter().map(|text| Ok(parse_address(text)?.to_text()));
        let relays = relays.collect::<Result<Vec<_>, Error>>()?;
        if relays.is_empty() {
            return Err(Error::Input {
                what: "relay address",
                why: "a mission needs at least one relay; its operator tells you the address"
                    .into(),
            });
        }
        self.vault(move |work| {
            let fits = |profile: &Profile| matches!(profile, Profile::Staff { certified, .. } if !certified);
            claim_role(work, fits, "a new mission's")?;
            let unit = match records::load::<Unit>(work.tx, SELF)? {
                Some(unit) if unit.id == setup.unit_id => unit,
                Some(_) => return Err(wrong_role(work, "another mission's")),
                None => found(work, &setup, relays)?,
            };
            let key = SigningKey::from_bytes(&fixed(&unit.seed, "the unit's key")?);
            let notice = SigningKey::from_bytes(&fixed(&unit.notice_seed, "the notice key")?);
            let request = UnitRequest {
                key: key.public(),
                name: unit.name.clone(),
                id: unit.id.clone(),
                kind: setup.kind,
                notice: notice.public(),
                relays: unit.relays.clone(),
            };
            Ok(armor::encode(UNIT_REQUEST, &request.sign(&key, work.now)?))
        })
        .await
    }

    /// Installs the Ministry's certificate for this unit, certifies this device, and founds the team. A later one
    /// renews: every device of the team gets a new certificate under it, with the next [`Client::sync`] here and there.
    /// The same one twice changes nothing.
    ///
    /// # Errors
    /// [`Error::Trust`] for a certificate that does not verify or is for another unit; [`Error::Input`] for one that
    /// ends no later than the one that is installed.
    pub async fn install_unit(&self, certificate: &str) -> Result<StaffCard, Error> {
        let bytes = armor::decode(UNIT_CERTIFICATE, certificate)?;
        let chain = Chain::from_bytes(&bytes)?;
        let with = WithDirectory::decode(bytes.as_slice()).unwrap_or_default();
        self.vault(move |work| {
            let (Some(mut unit), Some(mut device)) =
                (records::load::<Unit>(work.tx, SELF)?, records::load::<Device>(work.tx, SELF)?)
            else {
                return Err(wrong_role(work, "a mission's"));
            };
            let root = chain.claimed_root();
            if records::load::<Team>(work.tx, SELF)?.is_some() {
                renew::install(work, unit, &chain)?;
                directory::take_along(work, &root, &with.directory)?;
                return card(work);
            }
            directory::take_along(work, &root, &with.directory)?;
            let verified = directory::unit(work, &chain, &root)?;
            let key = SigningKey::from_bytes(&fixed(&unit.seed, "the unit's key")?);
            if verified.id != unit.id || verified.key != key.public() {
                return Err(budstikke_e2ee::cert::CertError::NotYourCertificate.into());
            }
            unit.chain = chain.to_bytes();
            let own = SigningKey::from_bytes(&fixed(&device.seed, "this device's key")?);
            let roles = roles_of(&device.roles);
            let request = DeviceRequest::make(&own, &device.label, &roles, work.now)?;
            let request = DeviceRequest::from_bytes(&request)?;
            device.chain = issue_device(&key, &chain, &request, &roles, work.now)?.to_bytes();
            records::save(work.tx, SELF, &unit)?;
            records::save(work.tx, SELF, &device)?;
            let me = Identity::staff(own, Chain::from_bytes(&device.chain)?);
            found_team(work, &unit, &me)?;
            card(work)
        })
        .await
    }

    /// This device's own card.
    ///
    /// # Errors
    /// [`Error::NotReady`] before its certificate is installed.
    pub async fn staff_card(&self) -> Result<StaffCard, Error> {
        self.vault(card).await
    }
}

/// What this device is, from its certificate, which may have ended.
pub(crate) fn card(work: &Work<'_>) -> Result<StaffCard, Error> {
    let Some(there) = records::load::<Device>(work.tx, SELF)? else {
        return Err(wrong_role(work, "a mission's device"));
    };
    if there.chain.is_empty() {
        return Err(Error::NotReady("this device waits for its certificate: install it first"));
    }
    let device = own_papers(work)?;
    Ok(StaffCard {
        unit_id: device.unit.id.clone(),
        unit_name: device.unit.name.clone(),
        officer: device.label.clone(),
        roles: device.roles.clone(),
        root_fingerprint: HEXLOWER.encode(&device.unit.root),
        not_after: device.not_after,
    })
}

/// Numbers of roles in the vault, as in `budstikke.e2ee.v1.Role`.
pub(crate) fn role_number(role: Role) -> u32 {
    match role {
        Role::Staff => 1,
        Role::ContactPerson => 2,
        Role::HeadOfMission => 3,
        Role::Admin => 4,
        Role::Desk => 5,
        Role::Duty => 6,
        Role::DecisionMaker => 7,
        Role::Privacy => 8,
        // A role of a newer version is none here.
        _ => 0,
    }
}

pub(super) fn roles_of(numbers: &[u32]) -> Vec<Role> {
    let all = [
        Role::Staff,
        Role::ContactPerson,
        Role::HeadOfMission,
        Role::Admin,
        Role::Desk,
        Role::Duty,
        Role::DecisionMaker,
        Role::Privacy,
    ];
    all.into_iter().filter(|role| numbers.contains(&role_number(*role))).collect()
}

fn found(work: &Work<'_>, setup: &UnitSetup, relays: Vec<String>) -> Result<Unit, Error> {
    let unit = Unit {
        id: setup.unit_id.clone(),
        name: setup.name.clone(),
        seed: SigningKey::generate(&mut OsRng).to_bytes().to_vec(),
        notice_seed: SigningKey::generate(&mut OsRng).to_bytes().to_vec(),
        chain: Vec::new(),
        relays,
        kind: kind_number(setup.kind),
    };
    let mut roles: Vec<u32> = setup.roles.iter().map(|role| role_number(*role)).collect();
    roles.push(role_number(Role::Admin));
    let device = Device {
        label: setup.officer.clone(),
        seed: SigningKey::generate(&mut OsRng).to_bytes().to_vec(),
        chain: Vec::new(),
        roles,
    };
    records::save(work.tx, SELF, &unit)?;
    records::save(work.tx, SELF, &device)?;
    Ok(unit)
}

/// The team's group, its mailbox's keys and the two lanes that every mission has.
fn found_team(work: &Work<'_>, unit: &Unit, me: &Identity) -> Result<(), Error> {
    let device = own_device(work)?;
    need_admin(&device)?;
    let id = fresh::<16>();
    let charter = Charter {
        kind: GroupKind::Team,
        root: device.unit.root,
        units: vec![unit.id.clone()],
        case_id: id.to_vec(),
        terms: None,
    };
    let group = Group::create(&work.env(), me, &charter)?;
    let relay = unit.relays.first().cloned().unwrap_or_default();
    plan_post(work, TEAM_POST, &relay, true)?;
    plan_lane(work, &relay, LaneUse::FrontDoor)?;
    plan_lane(work, &relay, LaneUse::Team)?;
    let mut team = Team::default();
    team.group_id = group.id().to_vec();
    records::save(work.tx, SELF, &team)
}

/// The team's lane of this use.
pub(crate) fn team_lane(work: &Work<'_>, used_for: LaneUse) -> Result<Lane, Error> {
    unit_and_team(work)?;
    let lanes = records::all::<Lane>(work.tx)?;
    let in_use = |lane: &Lane| lane.used_for == i32::from(used_for) && lane.retired_at == 0;
    let found = lanes.into_iter().find(|(_, lane)| in_use(lane));
    found.map(|(_, lane)| lane).ok_or(Error::NotReady("the team's mailbox is not planned yet"))
}
