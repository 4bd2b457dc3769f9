//! Assigning a colleague to a case: their device is asked for a key package through the team, an Add with an
//! admin's assignment goes through the case's slot, and the Welcome carries a note with the case's routes and terms.

use budstikke_case::alert::open_contact;
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::WelcomeBody;
use budstikke_e2ee::group::{Expect, Group, GroupError, GroupKind, KeyPackage, Member};
use budstikke_e2ee::keys::{HpkePublic, HpkeSecret, VerifyingKey};
use budstikke_e2ee::note;
use budstikke_e2ee::team::TeamMessage;
use budstikke_proto::id::Label;
use prost::Message;
use rand_core::OsRng;
use zeroize::Zeroize as _;

use super::{leave, need_admin, own_authority, own_device, team};
use crate::channel::commit::want;
use crate::channel::seat::{CASE_ID_LEN, Seat, free_case_id, staff, terms_of};
use crate::channel::verify::watch;
use crate::client::{Client, Work, parse_address};
use crate::dossier::Dossier;
use crate::error::Error;
use crate::escalation::reach::usable_contact;
use crate::events::Event;
use crate::handover;
use crate::posts::usable;
use crate::random::fresh;
use crate::records::{
    self, CaseRecord, Commit, Lane, LaneUse, NoteSecret, ReachRecord, WantedPackage, fixed,
};
use crate::recovery::again;
use crate::view::{case_name, case_of_name};

const NOTE: &str = "assignment";

/// What an assigned device needs beside the Welcome.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Briefing {
    #[prost(message, optional, tag = "1")]
    pub(crate) case: Option<CaseRecord>,
    #[prost(message, optional, tag = "2")]
    pub(crate) lane: Option<Lane>,
    /// Terms that the group stands under, 32 bytes or empty.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) charter_terms: Vec<u8>,
    /// How both sides of a line are reached about an alert.
    #[prost(message, repeated, tag = "4")]
    pub(crate) reaches: Vec<ReachRecord>,
}

impl Client {
    /// Assigns a colleague to a case. It takes a sync of theirs and one of ours until they can read; what was
    /// written before is not opened to them.
    ///
    /// # Errors
    /// [`Error::NotReady`] on a device that is no admin's; [`Error::NotFound`] when no colleague has that label;
    /// [`Error::Refused`] I05 while it is on its way to them in a hand-over that they have not accepted.
    pub async fn assign(&self, case: &str, officer: &str) -> Result<(), Error> {
        let (case, officer) = (case.to_owned(), officer.to_owned());
        self.vault(move |work| {
            need_admin(&own_authority(work)?)?;
            let case = case_of_name(work, &case)?;
            let device = colleague(work, &officer)?;
            handover::may_assign(work, &case, &device)?;
            request(work, &case.id, device)
        })
        .await
    }
}

/// Asks a colleague's device for a key package, so that it can be added to a case.
pub(crate) fn request(work: &Work<'_>, case_id: &[u8], device: VerifyingKey) -> Result<(), Error> {
    let (request_id, case_id) = (fresh::<16>(), case_id.to_vec());
    let wanted = WantedPackage {
        case_id: case_id.clone(),
        device: device.as_bytes().to_vec(),
        asked_at: work.now,
    };
    records::save(work.tx, &request_id, &wanted)?;
    team::tell(work, &TeamMessage::KeyPackageRequest { request_id, device, case_id })
}

/// A colleague's device asks this one (or another) for a key package.
pub(crate) fn asked_for_package(
    work: &Work<'_>,
    sender: &Member,
    request_id: [u8; 16],
    device: VerifyingKey,
    case_id: &[u8],
) -> Result<(), Error> {
    let me = staff(work)?;
    if me.key() != device {
        return Ok(());
    }
    if !team::is_admin(sender) || case_id.len() != CASE_ID_LEN {
        return Err(bad_briefing("it was not an admin who asked for it"));
    }
    let (package, note_key) = own_package(work, case_id)?;
    let key_package = package.bytes().to_vec();
    team::tell(work, &TeamMessage::KeyPackageReply { request_id, key_package, note_key })
}

/// This device's key package for a case, and where the note that comes with its Welcome is to be sealed to.
pub(crate) fn own_package(work: &Work<'_>, case_id: &[u8]) -> Result<(KeyPackage, Vec<u8>), Error> {
    let package = KeyPackage::create(&work.env(), &staff(work)?)?;
    // Asked twice, the answer to either may be the one that is used.
    let secret = match records::load::<NoteSecret>(work.tx, case_id)? {
        Some(there) => HpkeSecret::from_seed(work.suite, &fixed(&there.seed, "a note's key")?)?,
        None => HpkeSecret::generate(work.suite, &mut OsRng)?,
    };
    records::save(work.tx, case_id, &NoteSecret { seed: secret.seed().to_vec() })?;
    Ok((package, secret.public().as_bytes().to_vec()))
}

/// The key package that this device asked for: the Add is wanted now.
pub(crate) fn package_came(
    work: &Work<'_>,
    sender: &Member,
    request_id: [u8; 16],
    key_package: Vec<u8>,
    note_key: Vec<u8>,
) -> Result<(), Error> {
    let Some(wanted) = records::load::<WantedPackage>(work.tx, &request_id)? else {
        return Ok(());
    };
    // The whole team reads the request. Who answers it names the key that the case's routes are sealed to.
    if sender.key.as_bytes().as_slice() != wanted.device {
        return Err(Error::Input {
            what: "a key package",
            why: "another device sent it than was asked; it was dropped".to_owned(),
        });
    }
    records::remove::<WantedPackage>(work.tx, &request_id)?;
    let package = KeyPackage::parse(&work.env(), &key_package).map_err(GroupError::from)?;
    if package.key().as_bytes() != wanted.device.as_slice() {
        return Err(Error::Input {
            what: "a key package",
            why: "it is of another device than was asked; assign again".to_owned(),
        });
    }
    HpkePublic::from_bytes(work.suite, &note_key)?;
    let Some(case) = records::load::<CaseRecord>(work.tx, &wanted.case_id)? else {
        return handover::pass_on(work, wanted.case_id, &package, note_key);
    };
    let seat = Seat::case(work, case)?;
    let assignment = team::assignment(work, &seat, &package)?;
    let group_id = seat.group.id().to_vec();
    want(work, Commit { group_id, add: key_package, assignment, note_key, ..Commit::default() })
}

/// The note for an added colleague, sealed to their device.
pub(crate) fn briefing(work: &Work<'_>, seat: &Seat, note_key: &[u8]) -> Result<Vec<u8>, Error> {
    if seat.case.is_none() {
        return Ok(Vec::new());
    }
    let plain = zeroize::Zeroizing::new(brief(work, seat)?.encode_to_vec());
    let public = HpkePublic::from_bytes(work.suite, note_key)?;
    Ok(note::seal(work.suite, &public, NOTE, &plain)?)
}

/// What somebody needs who comes into a case of this device's.
pub(crate) fn brief(work: &Work<'_>, seat: &Seat) -> Result<Briefing, Error> {
    let own = seat.case.as_ref().ok_or(Error::NotFound { what: "the case" })?;
    let lane = records::all::<Lane>(work.tx)?
        .into_iter()
        .map(|(_, lane)| lane)
        .filter(|lane| lane.used_for == i32::from(LaneUse::Peer) && lane.case_id == own.id)
        .min_by_key(|lane| (lane.unsaid, lane.retired_at > 0));
    // The colleague's history begins with them.
    let mut case = own.clone();
    (case.messages, case.sent, case.seen) = (0, 0, 0);
    // A line's terms are bounded by the defender's, which only that case's members have from the case itself.
    let mut terms = terms_of(&case)?;
    terms.unbind();
    case.terms = terms.to_bytes();
    case.consent_seed.zeroize();
    let terms = seat.group.charter().terms.map(|hash| hash.to_vec()).unwrap_or_default();
    let reaches = Dossier::of(work, own)?.reaches_of(&own.id);
    Ok(Briefing { case: Some(case), lane, charter_terms: terms, reaches })
}

/// A Welcome on the team's lane: into the team itself when no note comes with it, else into a case.
pub(crate) fn welcomed(work: &Work<'_>, body: &WelcomeBody) -> Result<(), Error> {
    let done =
        if body.note.is_empty() { team::welcomed(work, body) } else { join_case(work, body) };
    match done {
        // For another device of the team.
        Err(Error::Group(error))
            if matches!(error.downcast_ref(), Some(GroupError::NoKeyPackage)) =>
        {
            Ok(())
        }
        done => done,
    }
}

fn join_case(work: &Work<'_>, body: &WelcomeBody) -> Result<(), Error> {
    let Some((key, briefing)) = open_note(work, &body.note)? else { return Ok(()) };
    let (Some(mut case), lane) = (briefing.case.clone(), briefing.lane.clone()) else {
        return Ok(());
    };
    let own = own_device(work)?;
    usable(work, &body.routes)?;
    // A frozen case waits for its new group: whoever was not there when it was founded is assigned to it.
    let frozen = records::load::<CaseRecord>(work.tx, &case.id)?.filter(|c| c.frozen.is_some());
    check_briefing(work, &case, lane.as_ref(), frozen.is_some())?;
    let terms = briefing.charter_terms.as_slice();
    let terms = match terms {
        [] => None,
        hash => Some(hash.try_into().map_err(|_| bad_briefing("its terms are malformed"))?),
    };
    let expect = Expect {
        kind: if case.line { GroupKind::MinistryLine } else { GroupKind::Case },
        root: own.unit.root,
        unit: own.unit.id.clone(),
        case_id: Some(case.id.clone()),
        terms,
        replace: false,
    };
    let group = Group::join(&work.env(), &staff(work)?, &body.welcome, &expect)?;
    case.group_id = group.id().to_vec();
    case.defender = false;
    case.identity.clear();
    case.consent_seed.zeroize();
    // Who comes back finds the history that they left with.
    let before = records::load::<CaseRecord>(work.tx, &case.id)?;
    let before = before.map(|case| (case.messages, case.sent, case.seen));
    (case.messages, case.sent, case.seen) = before.unwrap_or_default();
    case.left_at = 0;
    case.own_unit = own.unit.id;
    case.root = own.unit.root.to_vec();
    case.routes = body.routes.iter().map(|route: &Route| route.to_bytes().to_vec()).collect();
    case.opened_at = work.now;
    case.last_at = work.now;
    if let Some(before) = &frozen {
        (case.messages, case.sent, case.seen) = (before.messages, before.sent, before.seen);
        (case.opened_at, case.last_at) = (before.opened_at, before.last_at);
        if let Some(old) = Group::load(&work.env(), &before.group_id)? {
            old.delete(&work.env())?;
        }
        again::forget(work, before)?;
    }
    case.frozen = None;
    if let Some(lane) = lane {
        records::save(work.tx, &lane.label, &lane)?;
    }
    records::save(work.tx, &case.id.clone(), &case)?;
    watch(work, &mut Seat::case(work, case.clone())?)?;
    take_reaches(work, &case, &briefing.reaches)?;
    records::remove::<NoteSecret>(work.tx, &key)?;
    work.event(Event::CaseOpened { case: case_name(&case.id) });
    Ok(())
}

/// How both sides of a line are reached; what leads nowhere is left out, and will be said again.
pub(crate) fn take_reaches(
    work: &Work<'_>,
    case: &CaseRecord,
    told: &[ReachRecord],
) -> Result<(), Error> {
    if !case.line || told.is_empty() {
        return Ok(());
    }
    let mut file = Dossier::of(work, case)?;
    for reach in told {
        let Ok(contact) = open_contact(&reach.contact) else { continue };
        if usable_contact(work, &contact).is_ok() {
            file.newer_reach(&case.id, reach.ours, &contact, reach.at.min(work.now));
        }
    }
    file.save(work)
}

/// A colleague writes a briefing: it may bring a new case and that case's lane, and touch nothing that is here.
pub(crate) fn check_briefing(
    work: &Work<'_>,
    case: &CaseRecord,
    lane: Option<&Lane>,
    frozen: bool,
) -> Result<(), Error> {
    if !frozen {
        free_case_id(work, &case.id)?;
    }
    parse_address(&case.relay)?;
    terms_of(case).map_err(|_| bad_briefing("its terms can't be read"))?;
    VerifyingKey::from_bytes(&case.unit_key)?;
    if !(case.line_for.is_empty() || case.line && case.line_for.len() == CASE_ID_LEN) {
        return Err(bad_briefing("it is for a case that can't be one"));
    }
    let Some(lane) = lane else { return Ok(()) };
    let fits = lane.used_for == i32::from(LaneUse::Peer)
        && lane.case_id == case.id
        && lane.label.len() == Label::LEN
        && <[u8; 32]>::try_from(lane.seal_key.as_slice()).is_ok();
    let there = records::load::<Lane>(work.tx, &lane.label)?;
    let same =
        |there: &Lane| frozen && there.case_id == lane.case_id && there.seal_key == lane.seal_key;
    if !fits || there.is_some_and(|there| !same(&there)) {
        return Err(bad_briefing("its lane is not one of a new case"));
    }
    Ok(())
}

fn bad_briefing(why: &str) -> Error {
    Error::Input { what: "an assignment", why: format!("{why}; ask for it again") }
}

/// Opens a note with whichever secret fits; `None` when it is for another device.
fn open_note(work: &Work<'_>, sealed: &[u8]) -> Result<Option<(Vec<u8>, Briefing)>, Error> {
    for (key, secret) in records::all::<NoteSecret>(work.tx)? {
        let secret = HpkeSecret::from_seed(work.suite, &fixed(&secret.seed, "a note's key")?)?;
        if let Ok(plain) = note::open(work.suite, &secret, NOTE, sealed) {
            let briefing = Briefing::decode(plain.as_slice());
            return Ok(briefing.ok().map(|briefing| (key, briefing)));
        }
    }
    Ok(None)
}

fn colleague(work: &Work<'_>, officer: &str) -> Result<VerifyingKey, Error> {
    let seat = Seat::team(work)?;
    let own = seat.me.key();
    let mut members = seat.group.members()?;
    members.retain(|member| member.key != own);
    Ok(leave::named(&members, officer)?.key)
}
