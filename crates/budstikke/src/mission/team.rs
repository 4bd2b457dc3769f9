//! The team: enrolling a colleague's device, and what team devices tell each other.
//!
//! A new device writes a request; an admin certifies it and writes an enrolment, sealed to the device, with the
//! keys of the team mailbox. The device then asks over that mailbox to join the team's group, and the admin's next
//! sync adds it.

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{Chain, DeviceRequest, Role, issue_device};
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::{Envelope, WelcomeBody};
use budstikke_e2ee::group::{
    Application, Assignment, Credential, Expect, Finding, Group, GroupKind, KeyPackage, Member,
    Party,
};
use budstikke_e2ee::keys::{HpkePublic, HpkeSecret, SigningKey, VerifyingKey};
use budstikke_e2ee::note;
use budstikke_e2ee::team::TeamMessage;
use data_encoding::HEXLOWER;
use prost::Message;
use rand_core::OsRng;

use super::contacts::empty;
use super::publish::KEY_KEPT_S;
use super::setup::{StaffCard, card, role_number, team_lane};
use super::{
    TEAM_POST, assign, enrol, need_admin, own_authority, own_device, own_papers, renew, rotate,
    unit_and_team,
};
use crate::channel::commit::want;
use crate::channel::seat::{Seat, staff};
use crate::channel::send::name_of;
use crate::client::{Client, Profile, Work, claim_role, wrong_role};
use crate::directory;
use crate::error::Error;
use crate::escalation::{reach, words};
use crate::events::Event;
use crate::handover;
use crate::outbox::{Belongs, enqueue};
use crate::records::{
    self, Commit, ContactRecord, ContactState, CursorRecord, Device, GoneRecord, HeldKeyRecord,
    IntakeKeyRecord, Lane, LaneUse, NoteSecret, OpenedRecord, Post, SELF, SinceRecord, Team, Unit,
    fixed,
};
use crate::recovery::again;
use crate::reserve;
use crate::view::{contact_name, short};

const DEVICE_REQUEST: &str = "buddevicerequest1";
const ENROLMENT: &str = "budenrolment1";
/// What the enrolment's note is sealed for.
const NOTE: &str = "enrolment";
/// Key of the secret that opens the own enrolment.
const ENROLMENT_SECRET: &[u8] = b"enrolment";
/// How long an Add to the team may take: 7 days.
const ASSIGNMENT_S: i64 = 7 * 86_400;

/// A device of the team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamMember {
    /// Its label, like `Officer A`.
    pub officer: String,
    /// What its user may do.
    pub roles: Vec<Role>,
    /// Unix seconds at which its certificate ends.
    pub not_after: i64,
    /// Its key, 64 hexadecimal digits: what the Ministry revokes it by.
    pub key: String,
    /// Whether it is this device.
    pub own: bool,
    /// Short id of the device: tells two with one label apart.
    pub id: String,
    /// Unix seconds since which this device knows it; `None` when that was not noted.
    pub since: Option<i64>,
}

/// What a new device asks for.
#[derive(Clone, PartialEq, Message)]
struct DeviceAsk {
    #[prost(bytes = "vec", tag = "1")]
    request: Vec<u8>,
    /// X-Wing public key for the enrolment's note.
    #[prost(bytes = "vec", tag = "2")]
    note_key: Vec<u8>,
}

/// What an admin answers.
#[derive(Clone, PartialEq, Message)]
struct Enrolment {
    #[prost(bytes = "vec", tag = "1")]
    chain: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    note: Vec<u8>,
}

/// The team's keys, inside the note.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct TeamKeys {
    #[prost(message, optional, tag = "1")]
    pub(super) unit: Option<Unit>,
    #[prost(message, optional, tag = "2")]
    pub(super) team: Option<Team>,
    #[prost(message, optional, tag = "3")]
    pub(super) post: Option<Post>,
    #[prost(message, repeated, tag = "4")]
    pub(super) lanes: Vec<Lane>,
    #[prost(message, repeated, tag = "5")]
    pub(super) intake: Vec<IntakeKeyRecord>,
    /// `Charter::case_id` of the team's group.
    #[prost(bytes = "vec", tag = "6")]
    team_id: Vec<u8>,
    #[prost(message, repeated, tag = "7")]
    pub(super) held: Vec<HeldKeyRecord>,
    /// The Ministry's directory, if the admin's device has one.
    #[prost(bytes = "vec", tag = "9")]
    directory: Vec<u8>,
    /// Keys of devices that have left, and are never let in again.
    #[prost(bytes = "vec", repeated, tag = "12")]
    gone: Vec<Vec<u8>>,
}

impl Client {
    /// On a new device: makes its keys and the request that goes to the admin in a file.
    ///
    /// # Errors
    /// [`Error::WrongRole`]; [`Error::Trust`] for an unusable label.
    pub async fn request_device(&self, officer: &str, roles: &[Role]) -> Result<String, Error> {
        let (label, roles) = (officer.to_owned(), roles.to_vec());
        self.vault(move |work| {
            let fits = |p: &Profile| matches!(p, Profile::Staff { certified, .. } if !certified);
            claim_role(work, fits, "a new mission device's")?;
            Ok(armor::encode(DEVICE_REQUEST, &asks(work, &label, &roles)?))
        })
        .await
    }

    /// On an admin's device: certifies a colleague's device with the roles it asked for (but never admin), and
    /// writes its enrolment, which only that device can open. Make sure that the request is really theirs.
    ///
    /// # Errors
    /// [`Error::NotReady`] on a device that is no admin's or before [`Client::publish`]; [`Error::Trust`].
    pub async fn enrol_device(&self, request: &str) -> Result<String, Error> {
        let ask = armor::decode(DEVICE_REQUEST, request)?;
        self.vault(move |work| {
            let mut request = request_of(&ask)?;
            request.roles.retain(|role| *role != Role::Admin);
            Ok(armor::encode(ENROLMENT, &certify(work, &ask, &request)?))
        })
        .await
    }

    /// On the new device: installs the enrolment, and asks over the team mailbox to join the team's group.
    ///
    /// # Errors
    /// [`Error::Trust`] for an enrolment that is for another device or does not verify.
    pub async fn install_device(&self, enrolment: &str) -> Result<StaffCard, Error> {
        let enrolment = armor::decode(ENROLMENT, enrolment)?;
        self.vault(move |work| install_enrolment(work, &enrolment, None)).await
    }

    /// The devices of this team, this one included.
    ///
    /// # Errors
    /// [`Error::NotReady`] until the admin's device has let this one into the team's group.
    pub async fn team(&self) -> Result<Vec<TeamMember>, Error> {
        self.vault(|work| {
            own_device(work)?;
            let seat = Seat::team(work)?;
            let own = seat.me.key();
            let members = seat.group.members()?.into_iter().filter_map(|member| {
                let Party::Device(device) = member.party else { return None };
                let since = records::load::<SinceRecord>(work.tx, member.key.as_bytes()).ok()?;
                Some(TeamMember {
                    id: short(member.key.as_bytes()),
                    since: since.map(|since| since.at),
                    officer: device.label.clone(),
                    roles: device.roles.clone(),
                    not_after: device.not_after,
                    key: HEXLOWER.encode(member.key.as_bytes()),
                    own: member.key == own,
                })
            });
            Ok(members.collect())
        })
        .await
    }
}

/// Makes this device's keys, once, and what it asks an admin for.
pub(super) fn asks(work: &Work<'_>, label: &str, roles: &[Role]) -> Result<Vec<u8>, Error> {
    let mut device = match records::load::<Device>(work.tx, SELF)? {
        Some(device) => device,
        None => Device {
            label: String::new(),
            seed: SigningKey::generate(&mut OsRng).to_bytes().to_vec(),
            chain: Vec::new(),
            roles: Vec::new(),
        },
    };
    label.clone_into(&mut device.label);
    device.roles = roles.iter().map(|role| role_number(*role)).collect();
    records::save(work.tx, SELF, &device)?;
    let secret = match records::load::<NoteSecret>(work.tx, ENROLMENT_SECRET)? {
        Some(there) => HpkeSecret::from_seed(work.suite, &fixed(&there.seed, "a key")?)?,
        None => HpkeSecret::generate(work.suite, &mut OsRng)?,
    };
    let kept = NoteSecret { seed: secret.seed().to_vec() };
    records::save(work.tx, ENROLMENT_SECRET, &kept)?;
    let key = SigningKey::from_bytes(&fixed(&device.seed, "this device's key")?);
    let ask = DeviceAsk {
        request: DeviceRequest::make(&key, &device.label, roles, work.now)?,
        note_key: secret.public().as_bytes().to_vec(),
    };
    Ok(ask.encode_to_vec())
}

/// What a device asks for, its proof of possession checked.
pub(super) fn request_of(ask: &[u8]) -> Result<DeviceRequest, Error> {
    let ask = DeviceAsk::decode(ask).map_err(|_| not_a("device request"))?;
    Ok(DeviceRequest::from_bytes(&ask.request)?)
}

/// Certifies a device as `request` says, and seals the team's keys to the key that came with what it asked.
pub(super) fn certify(
    work: &Work<'_>,
    ask: &[u8],
    request: &DeviceRequest,
) -> Result<Vec<u8>, Error> {
    need_admin(&own_authority(work)?)?;
    let (unit, team) = unit_and_team(work)?;
    if team.route.is_empty() {
        return Err(Error::NotReady("publish the mission's terms first"));
    }
    enrol::moving(&team)?;
    if records::load::<GoneRecord>(work.tx, request.key.as_bytes())?.is_some() {
        return Err(Error::NotReady(
            "that device was removed from the team: let it make a new vault",
        ));
    }
    let ask = DeviceAsk::decode(ask).map_err(|_| not_a("device request"))?;
    let key = SigningKey::from_bytes(&fixed(&unit.seed, "the unit's key")?);
    let own = Chain::from_bytes(&unit.chain)?;
    let chain = issue_device(&key, &own, request, &request.roles, work.now)?;
    // A key that was lost once is not certified again.
    directory::device(work, &chain, &chain.claimed_root())?;
    let public = HpkePublic::from_bytes(work.suite, &ask.note_key)?;
    let keys = team_keys(work, unit, team, request.roles.contains(&Role::Admin))?;
    let keys = zeroize::Zeroizing::new(keys.encode_to_vec());
    let sealed = note::seal(work.suite, &public, NOTE, &keys)?;
    Ok(Enrolment { chain: chain.to_bytes(), note: sealed }.encode_to_vec())
}

/// Installs an enrolment, of this root and unit if it is known of which, and asks to join the team's group.
pub(super) fn install_enrolment(
    work: &Work<'_>,
    enrolment: &[u8],
    of: Option<([u8; 32], &str)>,
) -> Result<StaffCard, Error> {
    let enrolment = Enrolment::decode(enrolment).map_err(|_| not_a("enrolment"))?;
    let (Some(device), Some(secret)) = (
        records::load::<Device>(work.tx, SELF)?,
        records::load::<NoteSecret>(work.tx, ENROLMENT_SECRET)?,
    ) else {
        return Err(wrong_role(work, "a new mission device's"));
    };
    let chain = Chain::from_bytes(&enrolment.chain)?;
    if let Some((root, unit)) = of
        && chain.verify_device(&root, work.now)?.unit.id != unit
    {
        return Err(budstikke_e2ee::cert::CertError::NotYourCertificate.into());
    }
    let secret = HpkeSecret::from_seed(work.suite, &fixed(&secret.seed, "a key")?)?;
    let keys = note::open(work.suite, &secret, NOTE, &enrolment.note)?;
    let keys = TeamKeys::decode(keys.as_slice()).map_err(|_| not_a("enrolment"))?;
    install(work, device, &chain, &keys)?;
    records::remove::<NoteSecret>(work.tx, ENROLMENT_SECRET)?;
    ask_to_join(work)?;
    card(work)
}

/// A device was let in: one that was enrolled before the team moved gets the keys of where it is now.
pub(crate) fn let_in(work: &Work<'_>) -> Result<(), Error> {
    note_since(work)?;
    if !rotate::has_moved(work)? {
        return Ok(());
    }
    let (unit, team) = unit_and_team(work)?;
    let keys = zeroize::Zeroizing::new(team_keys(work, unit, team, false)?.encode_to_vec());
    let mut seat = Seat::team(work)?;
    let message = TeamMessage::Keys(keys).to_bytes();
    let sealed = seat.group.encrypt(&work.env(), &seat.me, &message, None)?;
    let routes = rotate::team_routes(work)?;
    enqueue(work, &routes, &Envelope::Mls(sealed).to_bytes(), Belongs::default(), false)?;
    Ok(())
}

/// Remembers when this device first knew of its colleagues' devices.
pub(crate) fn note_since(work: &Work<'_>) -> Result<(), Error> {
    for member in Seat::team(work)?.group.members()? {
        let key = member.key.as_bytes();
        if records::load::<SinceRecord>(work.tx, key)?.is_none() {
            records::save(work.tx, key, &SinceRecord { at: work.now })?;
        }
    }
    Ok(())
}

/// Tells the other devices of the team; nothing when there are none.
pub(crate) fn tell(work: &Work<'_>, message: &TeamMessage) -> Result<(), Error> {
    let mut seat = Seat::team(work)?;
    let audience = seat.audience(work)?;
    if audience.is_empty() {
        return Ok(());
    }
    let sealed = seat.group.encrypt(&work.env(), &seat.me, &message.to_bytes(), None)?;
    enqueue(work, &audience, &Envelope::Mls(sealed).to_bytes(), Belongs::default(), false)?;
    Ok(())
}

/// Takes a message of the team's group.
pub(crate) fn take(work: &Work<'_>, application: &Application) -> Result<(), Error> {
    let sender = &application.sender;
    if application.findings.contains(&Finding::Revoked) {
        return Err(Error::Input {
            what: "a word to the team",
            why: format!("{} is revoked: it was dropped", name_of(&sender.party)),
        });
    }
    match TeamMessage::from_bytes(&application.content)? {
        TeamMessage::KeyPackageRequest { request_id, device, case_id } => {
            assign::asked_for_package(work, sender, request_id, device, &case_id)
        }
        TeamMessage::KeyPackageReply { request_id, key_package, note_key } => {
            assign::package_came(work, sender, request_id, key_package, note_key)
        }
        TeamMessage::IntakeKey { id, seed, valid_from, valid_until } => {
            // Whoever publishes makes them. One that claims to hold for longer would be kept for longer.
            let plausible = valid_from <= work.now.saturating_add(KEY_KEPT_S)
                && valid_until <= valid_from.saturating_add(KEY_KEPT_S);
            if !is_admin(sender) || !plausible {
                return Err(not_a("intake key of this team"));
            }
            if records::load::<IntakeKeyRecord>(work.tx, &id)?.is_some() {
                return Ok(());
            }
            let (id, seed) = (id.to_vec(), seed.to_vec());
            let spoilt = application.epoch < unit_and_team(work)?.1.since_epoch;
            let record = IntakeKeyRecord { id: id.clone(), seed, valid_from, valid_until, spoilt };
            records::save(work.tx, &id, &record)
        }
        TeamMessage::Keys(keys) => {
            if !is_admin(sender) {
                return Err(not_a("word of an admin's"));
            }
            let keys = TeamKeys::decode(keys.as_slice()).map_err(|_| not_a("team's keys"))?;
            rotate::take_keys(work, keys)
        }
        TeamMessage::HeldKey { id, seed, valid_from, valid_until } => {
            // Who has left since may have read it.
            let spoilt = application.epoch < unit_and_team(work)?.1.since_epoch;
            reach::key_came(work, id, &seed, valid_from, valid_until, spoilt)
        }
        TeamMessage::HeldGrant(grant) => reach::lane_came(work, &grant),
        TeamMessage::HeldWord(signed) => words::hear(work, &signed),
        TeamMessage::HandoverStep(step) => handover::heard(work, sender, &step),
        TeamMessage::HandoverFile { handover_id, device, note } => {
            handover::file_came(work, sender, handover_id, device, &note)
        }
        TeamMessage::Assigned { case_id, key_package, assignment, note_key } => {
            handover::assigned(work, sender, &case_id, key_package, assignment, note_key)
        }
        TeamMessage::ReserveKey { key, shares, holders } => {
            reserve::heard_key(work, sender, key, shares, holders)
        }
        TeamMessage::ReservePart { slot, made_at, index, count, note } => {
            reserve::heard_part(work, sender, slot, made_at, (index, count), note)
        }
        TeamMessage::ReserveOpened { device, name, holders, reason, cases, at } => {
            let (by, unit) = (String::new(), String::new());
            let opened = OpenedRecord { leaver: name, by, unit, holders, reason, cases, at };
            reserve::heard_opened(work, sender, &device, opened)
        }
        TeamMessage::AgainAsked(signed) => again::passed_on(work, sender, &signed),
        TeamMessage::AgainAssigned { case_id, key, assignment } => {
            again::assigned(work, sender, &case_id, &key, assignment)
        }
        TeamMessage::Claim { contact, device, .. } => {
            if device != sender.key {
                return Err(not_a("claim of its sender's"));
            }
            let Some(mut record) = records::load::<ContactRecord>(work.tx, &contact)? else {
                return Ok(());
            };
            if record.state == i32::from(ContactState::Waiting) {
                record.state = ContactState::Colleague.into();
                empty(work, &mut record);
                records::save(work.tx, &contact, &record)?;
                work.event(Event::ContactTaken { contact: contact_name(&contact) });
            }
            Ok(())
        }
        // One about a mailbox that the team has left, or that this device has not heard of yet, says nothing here.
        TeamMessage::Cursor { mailbox, .. } if mailbox != unit_and_team(work)?.1.mailbox => Ok(()),
        TeamMessage::Cursor { read_to, .. } => {
            records::save(work.tx, sender.key.as_bytes(), &CursorRecord { read_to })
        }
        TeamMessage::RenewalRequest { request } => renew::asked(work, sender, &request),
        TeamMessage::Renewed { chains } => renew::came(work, &chains),
        _ => Ok(()),
    }
}

/// Whether a member's certificate makes it an admin's device.
pub(crate) fn is_admin(member: &Member) -> bool {
    matches!(&member.party, Party::Device(device) if device.has(Role::Admin))
}

/// How far the slowest colleague has read the team mailbox; `None` before this device is in the team, and
/// `u64::MAX` when it is alone.
pub(crate) fn slowest(work: &Work<'_>) -> Result<Option<u64>, Error> {
    let seat = match Seat::team(work) {
        Ok(seat) => seat,
        Err(Error::NotReady(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut slowest = u64::MAX;
    for member in seat.group.members()?.iter().filter(|member| member.key != seat.me.key()) {
        let cursor = records::load::<CursorRecord>(work.tx, member.key.as_bytes())?;
        slowest = slowest.min(cursor.map_or(0, |cursor| cursor.read_to));
    }
    Ok(Some(slowest))
}

/// A certified device of our unit asks to be let into the team's group.
pub(crate) fn asked_to_join(work: &Work<'_>, package: Vec<u8>) -> Result<(), Error> {
    let own = own_device(work)?;
    if need_admin(&own).is_err() {
        return Ok(());
    }
    let seat = Seat::team(work)?;
    let env = work.env();
    let parsed = KeyPackage::parse(&env, &package)
        .map_err(|rejection| Error::from(budstikke_e2ee::group::GroupError::from(rejection)))?;
    let Credential::Staff(chain) = parsed.credential() else {
        return Err(not_a("request of a team's device"));
    };
    let device = directory::device(work, chain, &own.unit.root)?;
    let known = seat.group.members()?.iter().any(|member| member.key == device.key);
    let gone = records::load::<GoneRecord>(work.tx, device.key.as_bytes())?.is_some();
    if device.unit.id != own.unit.id || known || gone {
        return Ok(());
    }
    let group_id = seat.group.id().to_vec();
    let assignment = assignment(work, &seat, &parsed)?;
    want(work, Commit { group_id, add: package, assignment, ..Commit::default() })
}

/// A Welcome into the team's group, if it is for this device.
pub(crate) fn welcomed(work: &Work<'_>, body: &WelcomeBody) -> Result<(), Error> {
    let own = own_device(work)?;
    let (unit, team) = unit_and_team(work)?;
    if Group::load(&work.env(), &team.group_id)?.is_some() {
        return Ok(());
    }
    let expect = Expect {
        kind: GroupKind::Team,
        root: own.unit.root,
        unit: unit.id.clone(),
        case_id: None,
        terms: None,
        replace: false,
    };
    let group = Group::join(&work.env(), &staff(work)?, &body.welcome, &expect)?;
    if group.id() != team.group_id {
        return Err(not_a("Welcome to this team"));
    }
    note_since(work)?;
    work.event(Event::MembersChanged { case: None });
    Ok(())
}

/// An assignment signed by this admin's device, for the leaf of a key package.
pub(crate) fn assignment(
    work: &Work<'_>,
    seat: &Seat,
    package: &KeyPackage,
) -> Result<Vec<u8>, Error> {
    assignment_for(work, &seat.group.charter().case_id, package)
}

/// The same for a case by its id, which this device need not be in.
pub(crate) fn assignment_for(
    work: &Work<'_>,
    case_id: &[u8],
    package: &KeyPackage,
) -> Result<Vec<u8>, Error> {
    sign_assignment(work, case_id, &package.key(), ASSIGNMENT_S)
}

/// This device's word that a leaf key may come into a case within so many seconds.
pub(crate) fn sign_assignment(
    work: &Work<'_>,
    case_id: &[u8],
    key: &VerifyingKey,
    lasts: i64,
) -> Result<Vec<u8>, Error> {
    let device: Device = records::need(work.tx, SELF)?;
    let own = SigningKey::from_bytes(&fixed(&device.seed, "this device's key")?);
    let chain = Chain::from_bytes(&device.chain)?;
    let until = work.now.saturating_add(lasts);
    let signed = Assignment::issue(&own, &chain, case_id, key, until, work.now)
        .map_err(|error| Error::Group(Box::new(error)))?;
    Ok(signed.to_bytes())
}

fn team_keys(
    work: &Work<'_>,
    mut unit: Unit,
    mut team: Team,
    for_admin: bool,
) -> Result<TeamKeys, Error> {
    if !for_admin {
        // What the unit signs and publishes with stays with its admins.
        zeroize::Zeroize::zeroize(&mut unit.seed);
        zeroize::Zeroize::zeroize(&mut unit.notice_seed);
        zeroize::Zeroize::zeroize(&mut team.old_doors);
        team.published_at = 0;
    }
    (team.looked_at, team.publish_now) = (0, false);
    let lanes = [LaneUse::FrontDoor, LaneUse::Team].map(|used_for| team_lane(work, used_for));
    let (held, held_lanes) = reach::for_colleague(work)?;
    let lanes = lanes.into_iter().chain(held_lanes.into_iter().map(Ok));
    Ok(TeamKeys {
        directory: directory::held_bytes(work, &own_papers(work)?.unit.root)?,
        held,
        gone: records::all::<GoneRecord>(work.tx)?.into_iter().map(|(key, _)| key).collect(),
        post: Some(records::need(work.tx, TEAM_POST)?),
        lanes: lanes.collect::<Result<_, _>>()?,
        intake: records::all(work.tx)?.into_iter().map(|(_, key)| key).collect(),
        team_id: Seat::team(work)?.group.charter().case_id.clone(),
        unit: Some(unit),
        team: Some(team),
    })
}

fn install(
    work: &Work<'_>,
    mut device: Device,
    chain: &Chain,
    keys: &TeamKeys,
) -> Result<(), Error> {
    let (Some(unit), Some(team), Some(post)) = (&keys.unit, &keys.team, &keys.post) else {
        return Err(not_a("enrolment"));
    };
    let own = SigningKey::from_bytes(&fixed(&device.seed, "this device's key")?);
    let root = chain.claimed_root();
    directory::take_along(work, &root, &keys.directory)?;
    let verified = directory::device(work, chain, &root)?;
    if verified.key != own.public() || verified.unit.id != unit.id {
        return Err(budstikke_e2ee::cert::CertError::NotYourCertificate.into());
    }
    device.chain = chain.to_bytes();
    records::save(work.tx, SELF, &device)?;
    records::save(work.tx, SELF, unit)?;
    records::save(work.tx, SELF, team)?;
    records::save(work.tx, TEAM_POST, post)?;
    for lane in &keys.lanes {
        records::save(work.tx, &lane.label, lane)?;
    }
    for key in &keys.intake {
        records::save(work.tx, &key.id, key)?;
    }
    for key in &keys.held {
        records::save(work.tx, &key.id, key)?;
    }
    for key in &keys.gone {
        records::save(work.tx, key, &GoneRecord { at: work.now })?;
    }
    Ok(())
}

/// Sends the own key package to the team, once.
fn ask_to_join(work: &Work<'_>) -> Result<(), Error> {
    let package = KeyPackage::create(&work.env(), &staff(work)?)?;
    let (_, team) = unit_and_team(work)?;
    let route = Route::from_bytes(&team.route)?;
    let envelope = Envelope::KeyPackage(package.bytes().to_vec()).to_bytes();
    enqueue(work, &[route], &envelope, Belongs::default(), false)?;
    Ok(())
}

fn not_a(what: &'static str) -> Error {
    Error::Input { what, why: "it is not one, or of another version; ask for it again".to_owned() }
}
