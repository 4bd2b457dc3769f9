//! Joining with a code: the admin's device makes one and shows it; the new device asks over the team mailbox under the
//! code's own grant; the admin's next sync certifies it and answers to the device's own small mailbox; the device
//! installs that and asks to be let into the team's group. Request and enrolment are those that files carry
//! ([`super::team`]).

use budstikke_e2ee::cert::{DeviceRequest, Role};
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::Envelope;
use budstikke_e2ee::join::{CODE_LIFETIME, JoinCode, JoinError};
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::cell::SealKey;
use budstikke_proto::id::{Label, RecvId, SendId};
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::setup::{role_number, roles_of};
use super::team::{asks, certify, install_enrolment, request_of};
use super::{TEAM_POST, need_admin, own_device, unit_and_team};
use crate::client::{Client, Profile, Work, claim_role, parse_address};
use crate::error::Error;
use crate::events::Event;
use crate::outbox::{Belongs, drop_unsent, enqueue};
use crate::posts::{new_lane, plan_post, route, usable};
use crate::random::fresh;
use crate::records::{
    self, InviteRecord, JoinRecord, Lane, LaneUse, OutboxRecord, Post, SELF, Team, fixed,
};
use crate::relay::RelayError;

/// Key of the small mailbox of a joining device.
const JOIN_POST: &[u8] = b"join";

/// A code to show to a colleague.
#[derive(Clone, PartialEq, Eq)]
pub struct TeamCode {
    /// The code, one line of text. Who sees it first can join with it.
    pub text: String,
    /// Unix seconds at which it ends.
    pub expires: i64,
}

/// What a device joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Unit id.
    pub unit_id: String,
    /// Label that the admin gave the device.
    pub officer: String,
    /// Unix seconds at which the code ends.
    pub expires: i64,
}

crate::view::debug_name!(TeamCode);

impl Client {
    /// On an admin's device: makes a code with which one new device joins the team within a day, under this label and
    /// with these roles. An admin's device gets the unit's own keys.
    ///
    /// # Errors
    /// [`Error::NotReady`] on a device that is no admin's or before [`Client::publish`]; [`Error::Trust`] for a label or
    /// a role that this unit can't give; [`Error::Relay`] when the relay was not reached: ask again.
    pub async fn invite_device(&self, officer: &str, roles: &[Role]) -> Result<TeamCode, Error> {
        let _turn = self.turn().await;
        self.move_team().await?;
        let (officer, roles) = (officer.trim().to_owned(), roles.to_vec());
        let (label, mut code) = self.vault(move |work| plan_code(work, officer, &roles)).await?;
        self.ensure_post(TEAM_POST).await?;
        self.ensure_lane(TEAM_POST, &label).await?;
        self.vault(move |work| {
            let lane: Lane = records::need(work.tx, &label)?;
            code.send_id = fixed(&lane.send_id, "a grant")?;
            Ok(TeamCode { text: code.to_text()?, expires: code.expires })
        })
        .await
    }

    /// On a new device: takes a code from an admin's screen. The next [`Client::sync`] asks; what follows comes with
    /// later ones, here and at the admin's: [`Event::JoinAnswered`], then [`Event::MembersChanged`].
    ///
    /// # Errors
    /// [`Error::Trust`] for a code that is altered, too old, or none; [`Error::WrongRole`] on a device that belongs
    /// somewhere already.
    pub async fn join_team(&self, code: &str) -> Result<Joining, Error> {
        let code = code.to_owned();
        self.vault(move |work| {
            let code = JoinCode::from_text(&code, work.now)?;
            let fits = |p: &Profile| matches!(p, Profile::Staff { certified, .. } if !certified);
            claim_role(work, fits, "a new mission device's")?;
            plan_join(work, &code)?;
            Ok(Joining {
                unit_id: code.unit_id.clone(),
                officer: code.officer,
                expires: code.expires,
            })
        })
        .await
    }

    /// Goes on with codes: certifies who asked, asks where this device joins, and clears up.
    pub(crate) async fn resume_joins(&self) -> Result<(), Error> {
        self.vault(answer_all).await?;
        for (label, lane, post) in self.vault(spent).await? {
            let owner = CapabilityKey::from_bytes(fixed(&post.recv_secret, "a mailbox")?);
            let recv_id = RecvId::from_bytes(fixed(&post.recv_id, "a mailbox")?);
            let send_id = SendId::from_bytes(fixed(&lane.send_id, "a grant")?);
            match self.relay(&post.relay, TEAM_POST)?.revoke(&owner, recv_id, send_id).await {
                Ok(()) | Err(RelayError::Refused) => {}
                Err(error) => return Err(error.into()),
            }
            self.vault(move |work| forget_code(work, &label)).await?;
        }
        let Some(join) = self.vault(|work| records::load::<JoinRecord>(work.tx, SELF)).await?
        else {
            return Ok(());
        };
        if !join.asked {
            self.ensure_post(JOIN_POST).await?;
            self.ensure_lane(JOIN_POST, &join.lane).await?;
            return self.vault(ask).await;
        }
        if join.done {
            let post: Post = self.vault(|work| records::need(work.tx, JOIN_POST)).await?;
            let owner = CapabilityKey::from_bytes(fixed(&post.recv_secret, "a mailbox")?);
            let recv_id = RecvId::from_bytes(fixed(&post.recv_id, "a mailbox")?);
            match self.relay(&post.relay, JOIN_POST)?.delete(&owner, recv_id).await {
                Ok(()) | Err(RelayError::Refused) => {}
                Err(error) => return Err(error.into()),
            }
            self.vault(forget_join).await?;
        }
        Ok(())
    }
}

fn plan_code(
    work: &Work<'_>,
    officer: String,
    roles: &[Role],
) -> Result<(Vec<u8>, JoinCode), Error> {
    let own = own_device(work)?;
    need_admin(&own)?;
    let (unit, team) = unit_and_team(work)?;
    if unit.seed.is_empty() {
        return Err(Error::NotReady(
            "only a device with the unit's own keys can do that: ask your admin",
        ));
    }
    if team.route.is_empty() {
        return Err(Error::NotReady("publish the mission's terms first"));
    }
    if let Some(role) = roles.iter().find(|role| !own.unit.kind.allows(**role)) {
        return Err(budstikke_e2ee::cert::CertError::RoleNotAllowed(*role).into());
    }
    if roles.is_empty() {
        return Err(budstikke_e2ee::cert::CertError::NoRole.into());
    }
    let relay = unit.relays.first().cloned().unwrap_or_default();
    let (label, key) = (Label::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
    let secret = Zeroizing::new(fresh::<32>());
    let seal = SealKey::from_bytes(*JoinCode::ask_key(&secret));
    let lane = new_lane(&relay, LaneUse::Join, &label, &key, &seal);
    records::save(work.tx, label.as_bytes(), &lane)?;
    let code = JoinCode {
        root: own.unit.root,
        unit_id: unit.id.clone(),
        relay,
        send_id: [0; 32],
        send_secret: Zeroizing::new(*key.as_bytes()),
        secret,
        officer: officer.clone(),
        expires: work.now.saturating_add(CODE_LIFETIME),
    };
    // Before it is kept: the label may be none.
    code.to_text()?;
    let mut invite = InviteRecord::default();
    invite.officer = officer;
    invite.roles = roles.iter().map(|role| role_number(*role)).collect();
    invite.expires = code.expires;
    records::save(work.tx, label.as_bytes(), &invite)?;
    Ok((label.as_bytes().to_vec(), code))
}

/// A request came under a code: the first device that asks is the one.
pub(crate) fn asked(
    work: &Work<'_>,
    lane: &Lane,
    ask: Vec<u8>,
    reply: &Route,
) -> Result<(), Error> {
    let Some(mut invite) = records::load::<InviteRecord>(work.tx, &lane.label)? else {
        return Ok(());
    };
    usable(work, std::slice::from_ref(reply))?;
    let device = request_of(&ask)?.key;
    let refused = if invite.ask.is_empty() {
        (work.now >= invite.expires).then_some(JoinError::Expired)
    } else {
        (request_of(&invite.ask)?.key != device).then_some(JoinError::Used)
    };
    if let Some(why) = refused {
        let answer = Envelope::JoinAnswer { enrolment: Vec::new(), refused: why.number() };
        enqueue(work, std::slice::from_ref(reply), &answer.to_bytes(), Belongs::default(), false)?;
        return Ok(());
    }
    if invite.ask.is_empty() {
        invite.ask = ask;
        invite.reply = reply.to_bytes().to_vec();
        records::save(work.tx, &lane.label, &invite)?;
    }
    Ok(())
}

/// Certifies the devices that have asked. What can't be done now, for want of a valid certificate of the unit, say, is
/// done later.
fn answer_all(work: &Work<'_>) -> Result<(), Error> {
    for (label, mut invite) in records::all::<InviteRecord>(work.tx)? {
        if invite.ask.is_empty() || invite.answered {
            continue;
        }
        let DeviceRequest { key, .. } = request_of(&invite.ask)?;
        let request =
            DeviceRequest { key, label: invite.officer.clone(), roles: roles_of(&invite.roles) };
        let enrolment = match certify(work, &invite.ask, &request) {
            Ok(enrolment) => enrolment,
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                let what = format!("{} could not be enrolled yet: {error}", invite.officer);
                work.event(Event::Problem { what });
                continue;
            }
        };
        let answer = Envelope::JoinAnswer { enrolment, refused: 0 };
        let reply = Route::from_bytes(&invite.reply)?;
        enqueue(work, &[reply], &answer.to_bytes(), Belongs::default(), false)?;
        invite.answered = true;
        records::save(work.tx, &label, &invite)?;
        work.event(Event::DeviceEnrolled { officer: invite.officer.clone() });
    }
    Ok(())
}

/// Codes whose day is long over: their grants go. Until then a device that asks too late is told why not.
fn spent(work: &Work<'_>) -> Result<Vec<(Vec<u8>, Lane, Post)>, Error> {
    let mut spent = Vec::new();
    for (label, invite) in records::all::<InviteRecord>(work.tx)? {
        let over = invite.expires.saturating_add(CODE_LIFETIME) <= work.now;
        // One that was asked for in time is answered also when the answer is late.
        if !over || !(invite.ask.is_empty() || invite.answered) {
            continue;
        }
        let lane = records::load::<Lane>(work.tx, &label)?;
        let post_key = lane.as_ref().map(|lane| lane.post.clone()).filter(|key| !key.is_empty());
        let post_key = post_key.unwrap_or_else(|| TEAM_POST.to_vec());
        match (lane, records::load::<Post>(work.tx, &post_key)?) {
            (Some(lane), Some(post)) if !lane.send_id.is_empty() && !post.recv_id.is_empty() => {
                spent.push((label, lane, post));
            }
            _ => forget_code(work, &label)?,
        }
    }
    Ok(spent)
}

fn forget_code(work: &Work<'_>, label: &[u8]) -> Result<(), Error> {
    records::remove::<Lane>(work.tx, label)?;
    records::remove::<InviteRecord>(work.tx, label)?;
    Ok(())
}

fn plan_join(work: &Work<'_>, code: &JoinCode) -> Result<(), Error> {
    parse_address(&code.relay)?;
    let known = records::load::<JoinRecord>(work.tx, SELF)?;
    let way = Route {
        relay: code.relay.clone(),
        send_id: code.send_id,
        send_secret: code.send_secret.clone(),
        seal_key: JoinCode::ask_key(&code.secret),
        label: Vec::new(),
    };
    if known.as_ref().is_some_and(|join| join.route == *way.to_bytes()) {
        return Ok(());
    }
    if let Some(earlier) = known {
        records::remove::<Lane>(work.tx, &earlier.lane)?;
    }
    if records::load::<Post>(work.tx, JOIN_POST)?.is_none_or(|post| post.relay != code.relay) {
        plan_post(work, JOIN_POST, &code.relay, false)?;
    }
    let (label, key) = (Label::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
    let seal = SealKey::from_bytes(*JoinCode::answer_key(&code.secret));
    let lane = new_lane(&code.relay, LaneUse::Join, &label, &key, &seal);
    records::save(work.tx, label.as_bytes(), &lane)?;
    asks(work, &code.officer, &[])?;
    let mut join = JoinRecord::default();
    join.root = code.root.to_vec();
    join.unit_id.clone_from(&code.unit_id);
    join.route = way.to_bytes().to_vec();
    join.lane = label.as_bytes().to_vec();
    records::save(work.tx, SELF, &join)
}

fn ask(work: &Work<'_>) -> Result<(), Error> {
    let mut join: JoinRecord = records::need(work.tx, SELF)?;
    let lane: Lane = records::need(work.tx, &join.lane)?;
    let device: records::Device = records::need(work.tx, SELF)?;
    let ask = asks(work, &device.label, &[])?;
    let envelope = Envelope::JoinAsk { ask, reply: route(&lane)? }.to_bytes();
    let way = Route::from_bytes(&join.route)?;
    enqueue(work, &[way], &envelope, Belongs::default(), false)?;
    join.asked = true;
    records::save(work.tx, SELF, &join)
}

/// The admin's device has answered: with the enrolment, or with why not.
pub(crate) fn answered(work: &Work<'_>, enrolment: &[u8], refused: u32) -> Result<(), Error> {
    let Some(mut join) = records::load::<JoinRecord>(work.tx, SELF)?.filter(|join| !join.done)
    else {
        return Ok(());
    };
    if refused != 0 {
        return give_up(work, JoinError::of_number(refused));
    }
    let (root, unit) = (fixed(&join.root, "a code")?, join.unit_id.clone());
    match install_enrolment(work, enrolment, Some((root, &unit))) {
        Ok(_) => {}
        Err(Error::Trust(_)) => return give_up(work, JoinError::Foreign),
        Err(error) => return Err(error),
    }
    join.done = true;
    records::save(work.tx, SELF, &join)?;
    work.event(Event::JoinAnswered);
    Ok(())
}

/// The code leads nowhere: another one can be tried.
fn give_up(work: &Work<'_>, why: JoinError) -> Result<(), Error> {
    if let Some(mut join) = records::load::<JoinRecord>(work.tx, SELF)? {
        // Known and over, so that the same code again asks again.
        zeroize::Zeroize::zeroize(&mut join.route);
        records::save(work.tx, SELF, &join)?;
    }
    work.event(Event::JoinRefused { why });
    Ok(())
}

/// The relay takes nothing under the code that this cell was to be sent with; whether it was one.
pub(crate) fn code_is_gone(work: &Work<'_>, seq: u64, row: &OutboxRecord) -> Result<bool, Error> {
    let Some(join) = records::load::<JoinRecord>(work.tx, SELF)?.filter(|join| !join.done) else {
        return Ok(false);
    };
    let way = Route::from_bytes(&join.route);
    if way.is_ok_and(|way| way.send_id.as_slice() == row.send_id) {
        drop_unsent(work, &[seq])?;
        give_up(work, JoinError::Gone)?;
        return Ok(true);
    }
    Ok(false)
}

fn forget_join(work: &Work<'_>) -> Result<(), Error> {
    if let Some(join) = records::load::<JoinRecord>(work.tx, SELF)? {
        records::remove::<Lane>(work.tx, &join.lane)?;
    }
    records::remove::<Post>(work.tx, JOIN_POST)?;
    records::remove::<JoinRecord>(work.tx, SELF)?;
    work.tx.erase_now();
    Ok(())
}

/// Whether the team still waits for its mailbox at the relay.
pub(super) fn moving(team: &Team) -> Result<(), Error> {
    if team.making {
        return Err(Error::NotReady("the team is moving to another mailbox: sync first"));
    }
    Ok(())
}
