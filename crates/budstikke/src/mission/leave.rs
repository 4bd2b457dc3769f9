//! Leaving: a colleague is taken off a case, or their device out of the team; and what a device does that learns that
//! it was the one.
//!
//! A Remove goes through the group's slot like every change. What an admin removes from the team's group, every device
//! of the team removes from its cases: the admin's commit is the word for it, and a slot is where nobody who has left
//! can take it back. Where the team listens changes with the same step ([`super::rotate`]).

use budstikke_e2ee::group::{Member, Party};
use budstikke_e2ee::keys::VerifyingKey;
use zeroize::Zeroize as _;

use super::{need_admin, own_device, rotate, team};
use crate::channel::commit::want;
use crate::channel::seat::Seat;
use crate::channel::send::name_of;
use crate::client::{Client, Work};
use crate::error::Error;
use crate::events::Event;
use crate::records::{
    self, CaseRecord, Commit, ContactRecord, CursorRecord, Deferred, GoneRecord, HeldKeyRecord,
    IntakeKeyRecord, InviteRecord, JoinRecord, Lane, NoteSecret, OutboxRecord, Post, Record,
    ReserveAskRecord, ReserveKeyRecord, ReserveRecord, SELF, TakenRecord, Team, Unit,
    WantedPackage,
};
use crate::view::{case_name, case_of_name, peer_of, short};

/// What the removal of a device leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its label.
    pub officer: String,
    /// Cases of this device that it is taken off as well. Colleagues' devices do the same with theirs.
    pub cases: Vec<String>,
    /// Whether it had the unit's own keys: the Ministry has to certify new ones.
    pub knew_unit_keys: bool,
}

impl Client {
    /// Takes a colleague off a case: their device opens nothing that is written after its next [`Client::sync`] and
    /// ours. Everybody in the case sees it. `officer` is a label or the short id of a device ([`Client::team`]).
    ///
    /// # Errors
    /// [`Error::NotReady`] on a device that is no admin's; [`Error::NotFound`] for somebody who is not in the case.
    pub async fn unassign(&self, case: &str, officer: &str) -> Result<(), Error> {
        let (case, officer) = (case.to_owned(), officer.to_owned());
        self.vault(move |work| {
            need_admin(&own_device(work)?)?;
            let seat = Seat::case(work, case_of_name(work, &case)?)?;
            let own = seat.me.key();
            let unit = seat.case.as_ref().map(|case| case.own_unit.clone()).unwrap_or_default();
            let ours = |member: &Member| {
                matches!(&member.party, Party::Device(device) if device.unit.id == unit)
            };
            let members: Vec<_> = seat.group.members()?.into_iter().filter(ours).collect();
            let member = named(&members, &officer)?;
            if member.key == own {
                return Err(Error::NotReady(
                    "a device can't take itself off: a colleague's admin device does that",
                ));
            }
            want_remove(work, seat.group.id(), &member.key)
        })
        .await
    }

    /// Removes a colleague's device from the team and from every case: with the next [`Client::sync`] of this device
    /// and theirs, they open nothing that comes after. The team then moves to another mailbox with new keys; people
    /// who hold an invitation find it all the same. `officer` is a label or the short id of a device.
    ///
    /// # Errors
    /// [`Error::NotReady`] on a device that is no admin's, and for this device itself: a team keeps an admin;
    /// [`Error::NotFound`] for somebody who is not in the team.
    pub async fn remove_colleague(&self, officer: &str) -> Result<Removal, Error> {
        let officer = officer.to_owned();
        self.vault(move |work| {
            need_admin(&own_device(work)?)?;
            let member = named(&Seat::team(work)?.group.members()?, &officer)?;
            remove_device(work, &member.key)
        })
        .await
    }
}

/// On an admin's device: wants a device out of the team's group and out of every case of this device's, and never
/// lets it in again. Safe to repeat.
///
/// # Errors
/// [`Error::NotReady`] for this device itself, and on a device that is no admin's.
pub(crate) fn remove_device(work: &Work<'_>, key: &VerifyingKey) -> Result<Removal, Error> {
    need_admin(&own_device(work)?)?;
    let seat = Seat::team(work)?;
    if *key == seat.me.key() {
        return Err(Error::NotReady(
            "a device can't remove itself: the team would be without its admin; another admin's device can do it",
        ));
    }
    records::save(work.tx, key.as_bytes(), &GoneRecord { at: work.now })?;
    let member = seat.group.members()?.into_iter().find(|member| member.key == *key);
    if member.is_some() {
        want_remove(work, seat.group.id(), key)?;
    }
    let cases = remove_from_cases(work, key)?;
    Ok(Removal {
        officer: member.as_ref().map(|member| name_of(&member.party)).unwrap_or_default(),
        cases,
        knew_unit_keys: member.is_some_and(|member| team::is_admin(&member)),
    })
}

/// Wants a device out of every case in which both are; the short names of those.
fn remove_from_cases(work: &Work<'_>, key: &VerifyingKey) -> Result<Vec<String>, Error> {
    let mut cases = Vec::new();
    for (_, case) in records::all::<CaseRecord>(work.tx)? {
        if case.left_at > 0 || case.defender {
            continue;
        }
        let seat = match Seat::case(work, case) {
            // Its keys are lost here: who comes back to it sees who is in it.
            Err(Error::NotReady(_)) => continue,
            seat => seat?,
        };
        if seat.group.members()?.iter().any(|member| member.key == *key) {
            want_remove(work, seat.group.id(), key)?;
            cases.extend(seat.case_name());
        }
    }
    Ok(cases)
}

/// Wants a member out of one group.
pub(crate) fn want_remove(
    work: &Work<'_>,
    group_id: &[u8],
    key: &VerifyingKey,
) -> Result<(), Error> {
    let (group_id, remove) = (group_id.to_vec(), vec![key.as_bytes().to_vec()]);
    want(work, Commit { group_id, remove, ..Commit::default() })
}

/// The member with this label, or whose short id begins so.
pub(crate) fn named(members: &[Member], officer: &str) -> Result<Member, Error> {
    let wanted = officer.trim();
    let device = |member: &&Member| matches!(member.party, Party::Device(_));
    let label = |member: &&Member| name_of(&member.party).eq_ignore_ascii_case(wanted);
    let mut found: Vec<_> = members.iter().filter(device).filter(label).collect();
    if found.is_empty() {
        let id = wanted.to_ascii_lowercase();
        let by_id = |member: &&Member| short(member.key.as_bytes()) == id;
        found = members.iter().filter(device).filter(by_id).collect();
    }
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Error::NotFound { what: "a colleague of that name" }),
        _ => Err(Error::Input {
            what: "the officer",
            why: "several devices carry that name: use the device's id, which `team` shows"
                .to_owned(),
        }),
    }
}

/// The leaves of those of these keys that are still members.
pub(crate) fn leaves_of(seat: &Seat, keys: &[Vec<u8>]) -> Result<Vec<u32>, Error> {
    let gone = |member: &&Member| keys.iter().any(|key| key == member.key.as_bytes());
    let mut leaves: Vec<u32> =
        seat.group.members()?.iter().filter(gone).map(|member| member.leaf).collect();
    leaves.retain(|leaf| *leaf != seat.group.own_leaf());
    Ok(leaves)
}

/// After a commit was merged: what follows when members have left with it.
pub(crate) fn others_left(
    work: &Work<'_>,
    seat: &Seat,
    before: &[Member],
    committer: &VerifyingKey,
) -> Result<(), Error> {
    let after = seat.group.members()?;
    let gone = |member: &&Member| !after.iter().any(|stays| stays.key == member.key);
    let gone: Vec<&Member> = before.iter().filter(gone).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let Some(case) = &seat.case else {
        let by_admin =
            before.iter().any(|member| member.key == *committer && team::is_admin(member));
        for member in &gone {
            records::save(work.tx, member.key.as_bytes(), &GoneRecord { at: work.now })?;
            if by_admin {
                remove_from_cases(work, &member.key)?;
            }
        }
        return rotate::adopt(work, &seat.group);
    };
    let ours = |member: &&Member| matches!(&member.party, Party::Device(device) if device.unit.id == case.own_unit);
    if !case.defender && gone.iter().any(ours) {
        rotate::retire_lanes_of(work, &case.id)?;
    }
    Ok(())
}

/// This device was removed from a group.
pub(crate) fn removed(work: &Work<'_>, seat: Seat) -> Result<(), Error> {
    match &seat.case {
        Some(case) => {
            let (name, case) = (case_name(&case.id), case.clone());
            leave_case(work, case, Some(seat))?;
            work.event(Event::RemovedFromCase { case: name });
            Ok(())
        }
        None => leave_team(work, seat),
    }
}

/// A case ends for this device: its group's keys go, with where its people listen. What was said stays as history.
fn leave_case(work: &Work<'_>, mut case: CaseRecord, seat: Option<Seat>) -> Result<(), Error> {
    if let Some(seat) = &seat {
        case.peer_name = peer_of(seat, &case)?;
    }
    case.left_at = work.now;
    case.routes.zeroize();
    case.identity.zeroize();
    if let Some(seat) = seat {
        forget_group(work, seat)?;
    }
    for (label, lane) in records::all::<Lane>(work.tx)? {
        if lane.case_id == case.id {
            records::remove::<Lane>(work.tx, &label)?;
        }
    }
    records::remove::<NoteSecret>(work.tx, &case.id)?;
    records::save(work.tx, &case.id.clone(), &case)?;
    work.tx.erase_now();
    Ok(())
}

/// This device is no longer the team's: every key goes that opens something new.
fn leave_team(work: &Work<'_>, seat: Seat) -> Result<(), Error> {
    for (_, case) in records::all::<CaseRecord>(work.tx)? {
        if case.left_at == 0 && !case.defender {
            let seat = match Seat::case(work, case.clone()) {
                Err(Error::NotReady(_)) => None,
                seat => Some(seat?),
            };
            leave_case(work, case, seat)?;
        }
    }
    forget_group(work, seat)?;
    let mut team: Team = records::need(work.tx, SELF)?;
    team.removed_at = work.now;
    (team.making, team.publish_now) = (false, false);
    team.route.zeroize();
    team.old_doors.zeroize();
    records::save(work.tx, SELF, &team)?;
    let mut unit: Unit = records::need(work.tx, SELF)?;
    unit.seed.zeroize();
    unit.notice_seed.zeroize();
    records::save(work.tx, SELF, &unit)?;
    forget_all::<Lane>(work)?;
    forget_all::<Post>(work)?;
    forget_all::<IntakeKeyRecord>(work)?;
    forget_all::<HeldKeyRecord>(work)?;
    forget_all::<CursorRecord>(work)?;
    forget_all::<NoteSecret>(work)?;
    forget_all::<ContactRecord>(work)?;
    forget_all::<InviteRecord>(work)?;
    forget_all::<JoinRecord>(work)?;
    forget_all::<WantedPackage>(work)?;
    forget_all::<ReserveKeyRecord>(work)?;
    forget_all::<ReserveRecord>(work)?;
    forget_all::<ReserveAskRecord>(work)?;
    forget_all::<TakenRecord>(work)?;
    for row in work.tx.list_after(OutboxRecord::KIND, 0, usize::MAX)? {
        work.tx.delete_seq(OutboxRecord::KIND, row.seq)?;
    }
    work.tx.erase_now();
    work.event(Event::RemovedFromTeam);
    Ok(())
}

fn forget_group(work: &Work<'_>, seat: Seat) -> Result<(), Error> {
    let group_id = seat.group.id().to_vec();
    records::remove::<Commit>(work.tx, &group_id)?;
    for row in work.tx.list_after(Deferred::KIND, 0, usize::MAX)? {
        if crate::channel::inbound::read_deferred(&row.value)?.group_id == group_id {
            work.tx.delete_seq(Deferred::KIND, row.seq)?;
        }
    }
    Ok(seat.group.delete(&work.env())?)
}

fn forget_all<R: Record>(work: &Work<'_>) -> Result<(), Error> {
    records::forget(work.tx, |_: &R| true)
}
