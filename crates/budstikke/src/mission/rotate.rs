//! A team that moves: when a device has left it, whoever has that device knows the keys of the team's mailbox, of its
//! lanes, of first contacts and of copies of alerts. So with the very commit that removes it, everybody who stays moves
//! to another mailbox, whose keys only the members of the new epoch can derive (SPEC.md section 10.11).
//!
//! What follows is told where the leaver cannot read: to the team on its new lane, to correspondents inside their case's
//! group, to strangers through the notice, sealed to the door that their invitation names. The old mailbox is read for
//! 35 days more, so that nothing is lost that was on its way.

use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::Envelope;
use budstikke_e2ee::group::{Application, Group, Member, Party};
use budstikke_e2ee::routes::{Door, RouteNews, seal_door};
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::cell::SealKey;
use budstikke_proto::id::{Label, RecvId, SendId};
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::team::TeamKeys;
use super::{TEAM_POST, setup};
use crate::channel::commit::want_update;
use crate::channel::inbound::look_again;
use crate::channel::seat::Seat;
use crate::client::{Client, Work};
use crate::crash;
use crate::error::Error;
use crate::outbox::{Belongs, enqueue};
use crate::posts::{lane_of, new_lane, plan_lane, plan_post, route, usable};
use crate::records::{
    self, CaseRecord, CursorRecord, HeldKeyRecord, IntakeKeyRecord, Lane, LaneUse, Post, SELF,
    Team, Unit, fixed,
};
use crate::relay::RelayError;

const HOUR_S: i64 = 3_600;
/// How long an old mailbox is read: 28 days that a cell may be held there, and a week to fetch it.
const OLD_READ_S: i64 = 35 * 86_400;
/// Earlier front doors whose invitations lead in.
const MAX_DOORS: usize = 16;

/// With the commit that removed somebody: this device's team listens elsewhere from here on.
pub(super) fn adopt(work: &Work<'_>, group: &Group) -> Result<(), Error> {
    let (unit, mut team): (Unit, Team) =
        (records::need(work.tx, SELF)?, records::need(work.tx, SELF)?);
    if team.route.is_empty() {
        // Nobody has ever listened anywhere.
        return Ok(());
    }
    let env = work.env();
    let secret = |what: &str| group.mailbox_secret(&env, what);
    let capability = |what: &str| Ok::<_, Error>(CapabilityKey::from_bytes(*secret(what)?));
    let label = |what: &str| {
        let bytes = secret(what)?;
        Ok::<_, Error>(Label::parse(bytes.get(..Label::LEN).unwrap_or_default())?)
    };
    retire(work, &mut team)?;
    let relay = unit.relays.first().cloned().unwrap_or_default();
    plan_post(work, TEAM_POST, &relay, true)?;
    let mut post: Post = records::need(work.tx, TEAM_POST)?;
    post.recv_secret = secret("owner")?.to_vec();
    records::save(work.tx, TEAM_POST, &post)?;
    let (door, lane) = (capability("door")?, capability("team")?);
    let seals =
        [SealKey::of_front_door(door.as_bytes()), SealKey::from_bytes(*secret("team-seal")?)];
    let planned = [
        (LaneUse::FrontDoor, label("door-label")?, door, &seals[0]),
        (LaneUse::Team, label("team-label")?, lane, &seals[1]),
    ];
    for (used_for, label, key, seal) in planned {
        let lane = new_lane(&relay, used_for, &label, &key, seal);
        records::save(work.tx, label.as_bytes(), &lane)?;
    }
    team.mailbox = secret("name")?.get(..8).unwrap_or_default().to_vec();
    team.since_epoch = group.epoch();
    team.making = true;
    team.publish_now = team.published_at > 0 && !unit.seed.is_empty();
    records::save(work.tx, SELF, &team)
}

/// What the team has used until now is read on, and offered to nobody any more.
fn retire(work: &Work<'_>, team: &mut Team) -> Result<(), Error> {
    let mut post: Post = records::need(work.tx, TEAM_POST)?;
    let owner = CapabilityKey::from_bytes(fixed(&post.recv_secret, "a mailbox")?);
    let key = [TEAM_POST, owner.recv_pk().as_bytes()].concat();
    post.retired_at = work.now;
    records::save(work.tx, &key, &post)?;
    for (label, mut lane) in records::all::<Lane>(work.tx)? {
        if lane.retired_at > 0 && lane.post != TEAM_POST {
            continue;
        }
        let own = lane.used_for == i32::from(LaneUse::FrontDoor)
            || lane.used_for == i32::from(LaneUse::Team);
        let planned = lane.send_id.is_empty() && !lane.send_secret.is_empty();
        if planned && !own {
            // It will be made on the new mailbox.
            continue;
        }
        if lane.used_for == i32::from(LaneUse::FrontDoor) {
            team.old_doors.push(lane.send_secret.clone());
        }
        if lane.retired_at == 0 {
            lane.retired_at = work.now;
        }
        lane.post.clone_from(&key);
        records::save(work.tx, &label, &lane)?;
    }
    let surplus = team.old_doors.len().saturating_sub(MAX_DOORS);
    team.old_doors.drain(..surplus);
    for (id, mut key) in records::all::<IntakeKeyRecord>(work.tx)? {
        key.spoilt = true;
        records::save(work.tx, &id, &key)?;
    }
    for (id, mut key) in records::all::<HeldKeyRecord>(work.tx)? {
        key.spoilt = true;
        records::save(work.tx, &id, &key)?;
    }
    // They say how far somebody has read in the old one.
    records::forget(work.tx, |_: &CursorRecord| true)
}

/// Somebody was taken off a case who knows where its people write to: another lane takes that one's place.
pub(super) fn retire_lanes_of(work: &Work<'_>, case_id: &[u8]) -> Result<(), Error> {
    for (label, mut lane) in lanes_of(work, case_id)? {
        if lane.retired_at == 0 && !lane.send_id.is_empty() {
            lane.retired_at = work.now;
            lane.post = TEAM_POST.to_vec();
            records::save(work.tx, &label, &lane)?;
        }
    }
    Ok(())
}

fn lanes_of(work: &Work<'_>, case_id: &[u8]) -> Result<Vec<(Vec<u8>, Lane)>, Error> {
    let mut lanes = records::all::<Lane>(work.tx)?;
    lanes.retain(|(_, lane)| lane.used_for == i32::from(LaneUse::Peer) && lane.case_id == case_id);
    Ok(lanes)
}

/// The front door as those find it who hold an invitation to an earlier one.
pub(super) fn doors(work: &Work<'_>) -> Result<Vec<Vec<u8>>, Error> {
    let team: Team = records::need(work.tx, SELF)?;
    let lane = setup::team_lane(work, LaneUse::FrontDoor)?;
    if team.old_doors.is_empty() {
        return Ok(Vec::new());
    }
    let door = Door {
        send_id: fixed(&lane.send_id, "the front door")?,
        send_secret: Zeroizing::new(fixed(&lane.send_secret, "the front door")?),
    };
    let mut sealed = Vec::new();
    for earlier in &team.old_doors {
        let earlier = Zeroizing::new(fixed(earlier, "an earlier front door")?);
        sealed.extend(seal_door(&earlier, &door, &mut OsRng));
    }
    Ok(sealed)
}

/// The bundle names the new door: the old ones close, so that whoever still has an old bundle asks for a new one and
/// writes nothing that a leaver could open.
pub(super) fn close_old_doors(work: &Work<'_>) -> Result<(), Error> {
    for (label, mut lane) in records::all::<Lane>(work.tx)? {
        if lane.used_for == i32::from(LaneUse::FrontDoor) && lane.retired_at > 0 {
            lane.unused = !lane.send_id.is_empty();
            records::save(work.tx, &label, &lane)?;
        }
    }
    Ok(())
}

/// Where the team listens: its lane, and those it has moved from, for a device that was enrolled meanwhile.
pub(crate) fn team_routes(work: &Work<'_>) -> Result<Vec<Route>, Error> {
    let team: Team = records::need(work.tx, SELF)?;
    let mut routes = vec![Route::from_bytes(&team.route)?];
    for (_, lane) in records::all::<Lane>(work.tx)? {
        let old = lane.used_for == i32::from(LaneUse::Team) && lane.retired_at > 0;
        if old && !lane.send_id.is_empty() {
            let route = route(&lane)?;
            if !routes.contains(&route) {
                routes.push(route);
            }
        }
    }
    Ok(routes)
}

/// Whether the team has moved within the time that old mailboxes are read.
pub(super) fn has_moved(work: &Work<'_>) -> Result<bool, Error> {
    Ok(records::all::<Post>(work.tx)?.iter().any(|(_, post)| post.retired_at > 0))
}

/// The keys of a mailbox that the team moved to between this device's enrolment and its first day.
pub(super) fn take_keys(work: &Work<'_>, keys: TeamKeys) -> Result<(), Error> {
    let mut team: Team = records::need(work.tx, SELF)?;
    let (Some(newer), Some(post)) = (keys.team, keys.post) else { return Ok(()) };
    if newer.group_id != team.group_id || newer.since_epoch <= team.since_epoch {
        return Ok(());
    }
    retire(work, &mut team)?;
    records::save(work.tx, TEAM_POST, &post)?;
    for lane in &keys.lanes {
        records::save(work.tx, &lane.label, lane)?;
    }
    for key in &keys.intake {
        records::save(work.tx, &key.id, key)?;
    }
    for key in &keys.held {
        records::save(work.tx, &key.id, key)?;
    }
    team.mailbox.clone_from(&newer.mailbox);
    team.route.clone_from(&newer.route);
    team.since_epoch = newer.since_epoch;
    records::save(work.tx, SELF, &team)
}

impl Client {
    /// Makes the mailbox that the team has moved to, whichever of its devices is first; and looks now and then whether
    /// the team has changed, for somebody who has left can delete what would tell.
    pub(crate) async fn move_team(&self) -> Result<(), Error> {
        for key in self.vault(unmade).await? {
            crash::point("rotate-before-mailbox");
            self.ensure_post(&key).await?;
        }
        if !self.vault(|work| Ok(own_team(work)?.is_some_and(|team| team.making))).await? {
            return Ok(());
        }
        for used_for in [LaneUse::FrontDoor, LaneUse::Team] {
            let lane = self.vault(move |work| setup::team_lane(work, used_for)).await?;
            self.ensure_lane(TEAM_POST, &lane.label).await?;
        }
        self.vault(|work| {
            let lane = setup::team_lane(work, LaneUse::Team)?;
            let mut team: Team = records::need(work.tx, SELF)?;
            team.route = route(&lane)?.to_bytes().to_vec();
            team.making = false;
            records::save(work.tx, SELF, &team)
        })
        .await
    }

    /// Tells correspondents where the team listens now, each inside their case's group.
    pub(crate) async fn tell_routes(&self) -> Result<(), Error> {
        let mut failed = Ok(());
        for case in self.vault(untold).await? {
            match self.tell_route_of(case).await {
                Err(error) if error.is_fatal() => return Err(error),
                told => failed = failed.and(told),
            }
        }
        failed
    }

    async fn tell_route_of(&self, case: Vec<u8>) -> Result<(), Error> {
        let id = case.clone();
        let label = self.vault(move |work| plan_news(work, &id)).await?;
        self.ensure_lane(TEAM_POST, &label).await?;
        crash::point("rotate-before-news");
        self.vault(move |work| tell(work, &case, &label)).await?;
        crash::point("rotate-after-news");
        Ok(())
    }

    /// Ends the grants that nobody uses any more, and deletes mailboxes whose time is over.
    pub(crate) async fn clear_old(&self) -> Result<(), Error> {
        let (lanes, posts) = self.vault(over).await?;
        for (label, lane, post) in lanes {
            let owner = CapabilityKey::from_bytes(fixed(&post.recv_secret, "a mailbox")?);
            let recv_id = RecvId::from_bytes(fixed(&post.recv_id, "a mailbox")?);
            let send_id = SendId::from_bytes(fixed(&lane.send_id, "a lane")?);
            match self.relay(&post.relay, &lane.post)?.revoke(&owner, recv_id, send_id).await {
                Ok(()) | Err(RelayError::Refused) => {}
                Err(error) => return Err(error.into()),
            }
            self.vault(move |work| {
                let mut lane: Lane = records::need(work.tx, &label)?;
                lane.send_id.clear();
                lane.unused = false;
                records::save(work.tx, &label, &lane)
            })
            .await?;
        }
        for (key, post) in posts {
            if !post.recv_id.is_empty() {
                let owner = CapabilityKey::from_bytes(fixed(&post.recv_secret, "a mailbox")?);
                let recv_id = RecvId::from_bytes(fixed(&post.recv_id, "a mailbox")?);
                match self.relay(&post.relay, &key)?.delete(&owner, recv_id).await {
                    Ok(()) | Err(RelayError::Refused) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            self.vault(move |work| forget_post(work, &key)).await?;
        }
        Ok(())
    }
}

fn own_team(work: &Work<'_>) -> Result<Option<Team>, Error> {
    let team = records::load::<Team>(work.tx, SELF)?;
    Ok(team.filter(|team| team.removed_at == 0 && !team.route.is_empty()))
}

/// Mailboxes of the team that this device has not seen made; and once an hour a look at the team's slot.
fn unmade(work: &Work<'_>) -> Result<Vec<Vec<u8>>, Error> {
    let Some(mut team) = own_team(work)? else { return Ok(Vec::new()) };
    if team.looked_at <= work.now.saturating_sub(HOUR_S) {
        team.looked_at = work.now;
        records::save(work.tx, SELF, &team)?;
        look_again(work, &team.group_id)?;
    }
    let posts = records::all::<Post>(work.tx)?.into_iter();
    let unmade = posts.filter(|(key, post)| post.recv_id.is_empty() && key.starts_with(TEAM_POST));
    Ok(unmade.map(|(key, _)| key).collect())
}

/// A retired mailbox that its relay does not have any more: somebody has deleted it.
pub(crate) fn forget_post(work: &Work<'_>, key: &[u8]) -> Result<(), Error> {
    records::remove::<Post>(work.tx, key)?;
    records::forget(work.tx, |lane: &Lane| lane.post == key && lane.retired_at > 0)
}

type Over = (Vec<(Vec<u8>, Lane, Post)>, Vec<(Vec<u8>, Post)>);

fn over(work: &Work<'_>) -> Result<Over, Error> {
    let (mut lanes, mut posts) = (Vec::new(), Vec::new());
    for (label, lane) in records::all::<Lane>(work.tx)? {
        if !lane.unused || lane.send_id.is_empty() {
            continue;
        }
        if let Some(post) = records::load::<Post>(work.tx, &lane.post)?
            && !post.recv_id.is_empty()
        {
            lanes.push((label, lane, post));
        }
    }
    for (key, post) in records::all::<Post>(work.tx)? {
        if post.retired_at > 0 && post.retired_at <= work.now.saturating_sub(OLD_READ_S) {
            posts.push((key, post));
        }
    }
    Ok((lanes, posts))
}

/// Cases whose people write to a lane that was given up, and who is to tell them is this device.
fn untold(work: &Work<'_>) -> Result<Vec<Vec<u8>>, Error> {
    let Some(team) = own_team(work)?.filter(|team| !team.making) else { return Ok(Vec::new()) };
    let peers: Vec<Lane> = records::all::<Lane>(work.tx)?
        .into_iter()
        .map(|(_, lane)| lane)
        .filter(|lane| lane.used_for == i32::from(LaneUse::Peer) && !lane.case_id.is_empty())
        .collect();
    let mut cases: Vec<(Vec<u8>, i64)> = Vec::new();
    for lane in peers.iter().filter(|lane| lane.retired_at > 0) {
        let told = peers
            .iter()
            .any(|other| other.case_id == lane.case_id && other.retired_at == 0 && !other.unsaid);
        if !told && !cases.iter().any(|(case, _)| *case == lane.case_id) {
            cases.push((lane.case_id.clone(), lane.retired_at));
        }
    }
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let Ok(colleagues) = Seat::of_group(work, &team.group_id)?.ok_or(()) else {
        return Ok(Vec::new());
    };
    let colleagues = colleagues.group.members()?;
    let mut ours = Vec::new();
    for (id, since) in cases {
        let Some(case) = records::load::<CaseRecord>(work.tx, &id)? else { continue };
        if case.left_at > 0 || case.defender || case.frozen.is_some() {
            continue;
        }
        let unit = case.own_unit.clone();
        let seat = match Seat::case(work, case) {
            // Its keys are lost here: somebody else tells.
            Err(Error::NotReady(_)) => continue,
            seat => seat?,
        };
        let mut members = seat.group.members()?;
        let of_unit = |member: &Member| matches!(&member.party, Party::Device(device) if device.unit.id == unit);
        members.retain(of_unit);
        // Not while somebody reads here who has left the team: their Remove comes first.
        if members.iter().any(|member| !colleagues.iter().any(|known| known.key == member.key)) {
            continue;
        }
        let first = members.iter().min_by_key(|member| member.leaf);
        let turn = first.is_some_and(|first| first.key == seat.me.key());
        if turn || since.saturating_add(HOUR_S) <= work.now {
            ours.push(id);
        }
    }
    Ok(ours)
}

/// The lane that takes the place of a case's retired ones: its label.
fn plan_news(work: &Work<'_>, case: &[u8]) -> Result<Vec<u8>, Error> {
    let lanes = lanes_of(work, case)?;
    if let Some((label, _)) = lanes.iter().find(|(_, lane)| lane.retired_at == 0 && lane.unsaid) {
        return Ok(label.clone());
    }
    let unit: Unit = records::need(work.tx, SELF)?;
    let relay = unit.relays.first().cloned().unwrap_or_default();
    let label = plan_lane(work, &relay, LaneUse::Peer)?.as_bytes().to_vec();
    let mut lane: Lane = records::need(work.tx, &label)?;
    lane.case_id = case.to_vec();
    lane.unsaid = true;
    lane.replaces = lanes.into_iter().map(|(label, _)| label).collect();
    records::save(work.tx, &label, &lane)?;
    Ok(label)
}

fn tell(work: &Work<'_>, case: &[u8], label: &[u8]) -> Result<(), Error> {
    let mut lane: Lane = records::need(work.tx, label)?;
    let mut seat = Seat::case(work, records::need(work.tx, case)?)?;
    let env = work.env();
    if seat.group.needs_update(work.now, true).is_some() {
        want_update(work, seat.group.id())?;
    }
    let news = RouteNews { routes: vec![route(&lane)?] };
    let receipt = seat.case.as_ref().map(|case| case.receipt.clone()).unwrap_or_default();
    let receipt = (!receipt.is_empty()).then_some(receipt.as_slice());
    let sealed = seat.group.encrypt(&env, &seat.me, &news.to_bytes(), receipt)?;
    let audience = seat.audience(work)?;
    enqueue(work, &audience, &Envelope::Mls(sealed).to_bytes(), Belongs::default(), false)?;
    lane.unsaid = false;
    records::save(work.tx, label, &lane)
}

/// Somebody in a case listens elsewhere: a colleague's word brings the lane, the other end's where to write to.
pub(crate) fn news_came(
    work: &Work<'_>,
    seat: Seat,
    application: &Application,
) -> Result<(), Error> {
    let bad =
        |why: &str| Error::Input { what: "where a case's people listen", why: why.to_owned() };
    let news = RouteNews::from_bytes(&application.content)
        .ok_or_else(|| bad("it can't be read; it was dropped"))?;
    usable(work, &news.routes)?;
    let Some(mut case) = seat.case else { return Ok(()) };
    let unit = match &application.sender.party {
        Party::Device(device) => device.unit.id.clone(),
        _ => String::new(),
    };
    if case.defender || unit != case.own_unit {
        // The other end has one party: a unit, or the defender.
        case.routes = news.routes.iter().map(|route| route.to_bytes().to_vec()).collect();
        return records::save(work.tx, &case.id.clone(), &case);
    }
    for told in &news.routes {
        if told.label.len() != Label::LEN {
            return Err(bad("its lane is malformed; it was dropped"));
        }
        if records::load::<Lane>(work.tx, &told.label)?.is_some() {
            continue;
        }
        let mut lane = lane_of(told, LaneUse::Peer, &case.id);
        for (label, mut old) in lanes_of(work, &case.id)? {
            if old.unsaid {
                // This device was about to say the same.
                records::remove::<Lane>(work.tx, &label)?;
                continue;
            }
            if old.retired_at == 0 {
                old.retired_at = work.now;
                old.post = TEAM_POST.to_vec();
                records::save(work.tx, &label, &old)?;
            }
            lane.replaces.push(label);
        }
        records::save(work.tx, &told.label, &lane)?;
    }
    Ok(())
}

/// The first cell on a lane: nobody writes any more to those whose place it took.
pub(crate) fn first_cell(work: &Work<'_>, lane: &Lane) -> Result<(), Error> {
    for label in &lane.replaces {
        if let Some(mut old) = records::load::<Lane>(work.tx, label)?
            && old.retired_at > 0
        {
            old.unused = !old.send_id.is_empty();
            records::save(work.tx, label, &old)?;
        }
    }
    let mut lane = lane.clone();
    lane.replaces.clear();
    records::save(work.tx, &lane.label.clone(), &lane)
}
