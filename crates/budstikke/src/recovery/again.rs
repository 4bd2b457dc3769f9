//! Coming back into a case (SPEC.md section 10.12): a member that has lost its state asks to be added again, an admin
//! says yes, a member commits it, and everybody sees it. Nothing of it happens for a key that is not a member's.

use budstikke_e2ee::cert::Role;
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::{Again, Envelope, WelcomeBody};
use budstikke_e2ee::group::{
    Ask, Asker, Charter, Credential, Group, GroupError, GroupKind, KeyPackage, Member, Party, Place,
};
use budstikke_e2ee::keys::VerifyingKey;
use budstikke_e2ee::team::TeamMessage;

use super::{receipts, transcript};
use crate::channel::commit::want;
use crate::channel::inbound::look_again;
use crate::channel::seat::{Seat, staff, terms_of};
use crate::channel::send::name_of;
use crate::client::{Work, parse_address};
use crate::directory;
use crate::error::Error;
use crate::events::Event;
use crate::mission::{need_admin, own_device, team};
use crate::outbox::{Belongs, enqueue};
use crate::posts::usable;
use crate::records::{
    self, AskRecord, CaseRecord, Commit, Lane, LaneUse, OrderRecord, OwnAskRecord, ProofRecord,
    ReceiptsRecord, SELF, TakenRecord, Team, fixed,
};
use crate::reserve;
use crate::view::case_name;

/// Between two asks of one member that are listened to, and between two of this device's own: 10 minutes.
const ASK_EVERY_S: i64 = 600;
/// How long an admin's yes holds: 28 days, as an ask does.
pub(crate) const ASSIGNMENT_S: i64 = 28 * 86_400;

/// Asks the other party and one's own team: to be added again, or for a new group. `by_person`: a person says so, and
/// what answers it may take the place of what is here.
pub(crate) fn ask(
    work: &Work<'_>,
    seat: &Seat,
    new_group: bool,
    by_person: bool,
) -> Result<(), Error> {
    let Some(case) = &seat.case else { return Ok(()) };
    let audience = seat.audience(work)?;
    ask_with(work, case, &seat.me, &audience, new_group, by_person)
}

/// The same for a device that cannot load its group any more.
pub(crate) fn ask_without_group(work: &Work<'_>, case: &CaseRecord) -> Result<(), Error> {
    let me = Seat::identity(work, case)?;
    let routes = case.routes.iter().map(|route| Route::from_bytes(route));
    let mut audience = routes.collect::<Result<Vec<_>, _>>()?;
    if !case.defender {
        audience.push(team_route(work)?);
    }
    ask_with(work, case, &me, &audience, false, true)
}

fn ask_with(
    work: &Work<'_>,
    case: &CaseRecord,
    me: &budstikke_e2ee::group::Identity,
    audience: &[Route],
    new_group: bool,
    by_person: bool,
) -> Result<(), Error> {
    let before = records::load::<OwnAskRecord>(work.tx, &case.id)?.unwrap_or_default();
    let soon = work.now < before.asked_at.saturating_add(ASK_EVERY_S);
    if soon && before.new_group == new_group && before.by_person >= by_person {
        return Ok(());
    }
    let proof = records::load::<ProofRecord>(work.tx, &case.group_id)?;
    let package = KeyPackage::create(&work.env(), me)?;
    let assignment = match reserve::assignment(work, &case.id, &me.key())? {
        // An admin's own device needs no other admin: who is in the case may be a single person at the other end.
        None if !case.defender && need_admin(&own_device(work)?).is_ok() => {
            Some(assignment(work, &case.id, &me.key())?)
        }
        found => found,
    };
    let unassigned = assignment.as_ref().is_some_and(Vec::is_empty);
    let ask = Ask {
        case_id: case.id.clone(),
        group_id: case.group_id.clone(),
        key: me.key(),
        key_package: package.bytes().to_vec(),
        note_key: Vec::new(),
        new_group,
        proof: proof.map(|proof| proof.proof).unwrap_or_default(),
        made_at: work.now,
        assignment: assignment.unwrap_or_default(),
    };
    if unassigned {
        let record = OwnAskRecord { asked_at: work.now, new_group, by_person };
        records::save(work.tx, &case.id, &record)?;
        return team::tell(work, &TeamMessage::AgainAsked(ask.sign(me)));
    }
    let envelope = Envelope::Again(ask.sign(me)).to_bytes();
    enqueue(work, audience, &envelope, Belongs::default(), false)?;
    let record = OwnAskRecord { asked_at: work.now, new_group, by_person };
    records::save(work.tx, &case.id, &record)
}

/// An ask on a lane: kept for a person if a member of the case sent it.
pub(crate) fn heard(work: &Work<'_>, lane: &Lane, signed: &[u8]) -> Result<(), Error> {
    let env = work.env();
    let named = Ask::read(&env, signed).map_err(GroupError::from)?;
    if lane.used_for == i32::from(LaneUse::Peer) && named.case_id != lane.case_id {
        return Err(Error::Input {
            what: "a wish to be added again",
            why: "it came on the lane of another case; it was dropped".to_owned(),
        });
    }
    // On the shared lane it may be about a colleague's case.
    let Some(case) = records::load::<CaseRecord>(work.tx, &named.case_id)? else { return Ok(()) };
    let mut seat = Seat::case(work, case)?;
    if named.key == seat.me.key() {
        return Ok(());
    }
    let (ask, asker) = Ask::verify(&env, signed, &seat.group)?;
    let (who, newcomer) = match asker {
        Asker::Member(member) => (name_of(&member.party), false),
        Asker::Newcomer(device) => (device.label, true),
    };
    if !note(work, &ask, signed, &who, newcomer)? {
        return Ok(());
    }
    let case = case_name(&ask.case_id);
    if newcomer {
        work.event(Event::AskedToTakeOver { case, who });
        return Ok(());
    }
    if ask.new_group {
        receipts::believe(work, &mut seat, &ask.proof)?;
        work.event(Event::AskedForNewGroup { case });
        return Ok(());
    }
    work.event(Event::AskedToBeAddedAgain { case });
    let is_defender = seat.case.as_ref().is_some_and(|case| case.defender);
    if ask.assignment.is_empty() && !is_defender && need_admin(&own_device(work)?).is_err() {
        team::tell(work, &TeamMessage::AgainAsked(signed.to_vec()))?;
    }
    Ok(())
}

/// A colleague who is in a case passes on what a member of it asks: an admin of this team is needed. That the key is a
/// member's only a member can tell, and tells again before it commits.
pub(crate) fn passed_on(work: &Work<'_>, sender: &Member, signed: &[u8]) -> Result<(), Error> {
    if need_admin(&own_device(work)?).is_err() {
        return Ok(());
    }
    let ask = Ask::read(&work.env(), signed).map_err(GroupError::from)?;
    let package = KeyPackage::parse(&work.env(), &ask.key_package).map_err(GroupError::from)?;
    // For itself a colleague asks an admin only about a case that it is not in yet.
    let newcomer = sender.key == ask.key;
    if newcomer && !is_head(sender) {
        return Err(Error::Input {
            what: "a wish to go on with a case",
            why: "it is not a head of mission who asks; it was dropped".to_owned(),
        });
    }
    let who = match package.credential() {
        Credential::Defender { pseudonym } => pseudonym.clone(),
        _ if newcomer => name_of(&sender.party),
        _ => String::new(),
    };
    if ask.new_group || !note(work, &ask, signed, &who, newcomer)? {
        return Ok(());
    }
    let case = case_name(&ask.case_id);
    work.event(if newcomer {
        Event::AskedToTakeOver { case, who }
    } else {
        Event::AskedToBeAddedAgain { case }
    });
    Ok(())
}

/// Whether it is new: what one member asks again and again is one wish.
fn note(
    work: &Work<'_>,
    ask: &Ask,
    signed: &[u8],
    who: &str,
    newcomer: bool,
) -> Result<bool, Error> {
    let key = ask_key(&ask.case_id, &ask.key);
    let before = records::load::<AskRecord>(work.tx, &key)?;
    let soon = |before: &AskRecord| {
        before.new_group == ask.new_group
            && work.now < before.received_at.saturating_add(ASK_EVERY_S)
    };
    if before.is_some_and(|before| before.signed == signed || soon(&before)) {
        return Ok(false);
    }
    let record = AskRecord {
        case_id: ask.case_id.clone(),
        key: ask.key.as_bytes().to_vec(),
        signed: signed.to_vec(),
        who: who.to_owned(),
        new_group: ask.new_group,
        received_at: work.now,
        granted_at: 0,
        newcomer,
        assigned: !ask.assignment.is_empty(),
    };
    records::save(work.tx, &key, &record)?;
    Ok(true)
}

/// An admin's person says yes: the assignment is signed, and a member of the case commits it. Where an admin's own
/// device asks, it brought one, and anybody in the case says yes.
pub(crate) fn grant(work: &Work<'_>, mut record: AskRecord) -> Result<(), Error> {
    let ask = Ask::read(&work.env(), &record.signed).map_err(GroupError::from)?;
    let assignment = match ask.assignment {
        assigned if assigned.is_empty() => assignment(work, &record.case_id, &ask.key)?,
        assigned => assigned,
    };
    record.granted_at = work.now;
    records::save(work.tx, &ask_key(&record.case_id, &ask.key), &record)?;
    if is_in(work, &record.case_id)? {
        return add(work, &record, assignment);
    }
    let (case_id, key) = (record.case_id.clone(), ask.key);
    team::tell(work, &TeamMessage::AgainAssigned { case_id, key, assignment })
}

/// This admin device's word that a leaf key may come into a case.
///
/// # Errors
/// [`Error::NotReady`] on a device that is no admin's.
pub(crate) fn assignment(
    work: &Work<'_>,
    case_id: &[u8],
    key: &VerifyingKey,
) -> Result<Vec<u8>, Error> {
    need_admin(&own_device(work)?)?;
    team::sign_assignment(work, case_id, key, ASSIGNMENT_S)
}

/// An admin of the team said yes to what this device passed on.
pub(crate) fn assigned(
    work: &Work<'_>,
    sender: &Member,
    case_id: &[u8],
    key: &VerifyingKey,
    assignment: Vec<u8>,
) -> Result<(), Error> {
    if team::is_admin(sender) && *key == own_device(work)?.key {
        return reserve::assigned(work, case_id, &assignment);
    }
    let Some(record) = records::load::<AskRecord>(work.tx, &ask_key(case_id, key))? else {
        return Ok(());
    };
    // A newcomer asks who is in the case itself, and a person says yes there.
    if !team::is_admin(sender) || !is_in(work, case_id)? || record.newcomer {
        return Ok(());
    }
    add(work, &record, assignment)
}

/// Wants the commit that takes the member's old leaf out, if it has one, and its new one in.
pub(crate) fn add(work: &Work<'_>, record: &AskRecord, assignment: Vec<u8>) -> Result<(), Error> {
    let seat = Seat::case(work, records::need(work.tx, &record.case_id)?)?;
    let (ask, _) = Ask::verify(&work.env(), &record.signed, &seat.group)?;
    let group_id = seat.group.id().to_vec();
    let add = ask.key_package;
    let newcomer = record.newcomer;
    want(work, Commit { group_id, add, assignment, again: true, newcomer, ..Commit::default() })
}

/// The Welcome of whoever was added again goes to that party's mailbox; which mailbox is not said anew.
pub(crate) fn welcome_again(work: &Work<'_>, seat: &Seat, commit: &Commit) -> Result<(), Error> {
    let Some(case) = &seat.case else { return Ok(()) };
    let package = KeyPackage::parse(&work.env(), &commit.add).map_err(GroupError::from)?;
    let key = package.key();
    let members = seat.group.members()?;
    let member = members.iter().find(|member| member.key == key);
    let ours = member.is_some_and(
        |member| matches!(&member.party, Party::Device(device) if device.unit.id == case.own_unit),
    );
    let routes = case.routes.iter().map(|route| Route::from_bytes(route));
    let audience = if ours { vec![team_route(work)?] } else { routes.collect::<Result<_, _>>()? };
    send_welcome(work, case, &audience, commit.welcome.clone())?;
    came_back(work, &case.id, &key)
}

/// A member was added again: it counts anew, and its wish is fulfilled.
pub(crate) fn came_back(work: &Work<'_>, case_id: &[u8], key: &VerifyingKey) -> Result<(), Error> {
    transcript::restart(work, case_id, Some(key.as_bytes()))?;
    // Its vault may be an old copy, which has forgotten how far it had counted.
    records::remove::<OrderRecord>(work.tx, &ask_key(case_id, key))?;
    records::remove::<AskRecord>(work.tx, &ask_key(case_id, key))?;
    Ok(())
}

pub(crate) fn send_welcome(
    work: &Work<'_>,
    case: &CaseRecord,
    audience: &[Route],
    welcome: Vec<u8>,
) -> Result<(), Error> {
    let body = WelcomeBody {
        welcome,
        routes: Vec::new(),
        contact: None,
        note: Vec::new(),
        again: Some(Again { case_id: case.id.clone(), relay: case.relay.clone() }),
    };
    let envelope = Envelope::Welcome(body).to_bytes();
    enqueue(work, audience, &envelope, Belongs::default(), false)?;
    Ok(())
}

/// A Welcome that brings this device back: into the same group if it asked for that, into another one if the case is
/// frozen here or a person asked for it.
pub(crate) fn welcomed(
    work: &Work<'_>,
    lane: &Lane,
    body: &WelcomeBody,
    again: &Again,
) -> Result<(), Error> {
    let Some(mut case) = records::load::<CaseRecord>(work.tx, &again.case_id)? else {
        return Ok(());
    };
    if lane.used_for == i32::from(LaneUse::Peer) && case.id != lane.case_id {
        return Err(unasked());
    }
    directory::relay(work, &again.relay)?;
    let relay = parse_address(&again.relay)?;
    usable(work, &body.routes)?;
    let me = Seat::identity(work, &case)?;
    let old = Group::load(&work.env(), &case.group_id);
    let place = match &old {
        Ok(Some(old)) => old.place(accepted(&case)?)?,
        _ => lost_place(work, &case, &me)?,
    };
    let group = match Group::rejoin(&work.env(), &me, &body.welcome, &place) {
        // For another member.
        Err(GroupError::NoKeyPackage) => return Ok(()),
        joined => joined?,
    };
    let asked = records::load::<OwnAskRecord>(work.tx, &case.id)?;
    let wanted = asked.as_ref().is_some_and(|asked| asked.by_person);
    let new_group = group.id() != case.group_id;
    let same_relay = relay.id == parse_address(&case.relay)?.id;
    // What a colleague left says in which group that is.
    let taken = records::load::<TakenRecord>(work.tx, &case.id)?.is_some();
    let may =
        if new_group { !taken && (case.frozen.is_some() || wanted) } else { wanted && same_relay };
    if !may {
        return Err(unasked());
    }
    if new_group && let Ok(Some(old)) = old {
        old.delete(&work.env())?;
    }
    move_to(work, &mut case, &group, again.relay.clone())?;
    work.event(Event::CaseRecovered { case: case_name(&case.id), new_group });
    work.event(Event::MembersChanged { case: Some(case_name(&case.id)) });
    Ok(())
}

/// The case goes on in this group. Its messages, terms and routes stay; what was asked for is over.
pub(crate) fn move_to(
    work: &Work<'_>,
    case: &mut CaseRecord,
    group: &Group,
    relay: String,
) -> Result<(), Error> {
    let before = case.clone();
    if group.id() != case.group_id {
        records::remove::<ReceiptsRecord>(work.tx, &case.group_id)?;
        case.receipt.clear();
    }
    case.group_id = group.id().to_vec();
    case.relay = relay;
    case.frozen = None;
    records::save(work.tx, &case.id, case)?;
    forget(work, &before)?;
    work.tx.erase_now();
    look_again(work, group.id())
}

/// What was wanted and asked for in the group that a case had before is over.
pub(crate) fn forget(work: &Work<'_>, case: &CaseRecord) -> Result<(), Error> {
    records::remove::<Commit>(work.tx, &case.group_id)?;
    records::remove::<OwnAskRecord>(work.tx, &case.id)?;
    for (key, record) in records::all::<AskRecord>(work.tx)? {
        if record.case_id == case.id {
            records::remove::<AskRecord>(work.tx, &key)?;
        }
    }
    transcript::restart(work, &case.id, None)
}

/// What this vault still knows of a group whose state is gone.
fn lost_place(
    work: &Work<'_>,
    case: &CaseRecord,
    me: &budstikke_e2ee::group::Identity,
) -> Result<Place, Error> {
    let accepted = accepted(case)?;
    // Of a line the office that was asked for it comes first, as at its founding.
    let other = [&case.own_unit, &case.peer_unit].into_iter().find(|unit| **unit != case.unit_id);
    let mut units = vec![case.unit_id.clone()];
    units.extend(other.filter(|_| case.line).cloned());
    let charter = Charter {
        kind: if case.line { GroupKind::MinistryLine } else { GroupKind::Case },
        root: fixed(&case.root, "the case")?,
        units,
        case_id: case.id.clone(),
        terms: None,
    };
    let mut defenders = case.defender.then(|| [*me.key().as_bytes()].into());
    if let Some(taken) = records::load::<TakenRecord>(work.tx, &case.id)? {
        let known = taken.defenders.iter().map(|key| fixed(key, "a defender's key"));
        defenders = Some(known.collect::<Result<_, _>>()?);
    }
    Ok(Place { charter, defenders, accepted })
}

fn accepted(case: &CaseRecord) -> Result<Option<[u8; 32]>, Error> {
    Ok(terms_of(case)?.agreed_hash().map(|hash| *hash.as_bytes()))
}

pub(crate) fn team_route(work: &Work<'_>) -> Result<Route, Error> {
    staff(work)?;
    let team: Team = records::need(work.tx, SELF)?;
    Ok(Route::from_bytes(&team.route)?)
}

/// Whether a member heads its unit.
pub(crate) fn is_head(member: &Member) -> bool {
    matches!(&member.party, Party::Device(device) if device.has(Role::HeadOfMission))
}

/// Whether this device is in the case, and has not left it.
pub(super) fn is_in(work: &Work<'_>, case_id: &[u8]) -> Result<bool, Error> {
    Ok(records::load::<CaseRecord>(work.tx, case_id)?.is_some_and(|case| case.left_at == 0))
}

fn ask_key(case_id: &[u8], key: &VerifyingKey) -> Vec<u8> {
    [case_id, key.as_bytes()].concat()
}

fn unasked() -> Error {
    Error::Input {
        what: "a new group for a conversation",
        why: "nobody asked for it here; it was dropped".to_owned(),
    }
}
