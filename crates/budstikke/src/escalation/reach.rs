//! How a team is reached about an alert: a key of its own that changes every week, and a lane for each line.

use budstikke_case::wire::{EscalationContact, Role as CaseRole};
use budstikke_case::{Act, Fault, Phase, Refusal, permit, wire};
use budstikke_e2ee::cert::{Role, UnitKind, VerifiedDevice};
use budstikke_e2ee::contact::{IntakeSecret, Route};
use budstikke_e2ee::envelope::Envelope;
use budstikke_e2ee::group::Party;
use budstikke_e2ee::held;
use budstikke_e2ee::keys::{HpkePublic, HpkeSecret};
use budstikke_e2ee::team::{GrantRecord, TeamMessage};
use rand_core::OsRng;
use zeroize::Zeroizing;

use crate::channel::seat::{Seat, case_roles, terms_of};
use crate::channel::send::{SendOptions, post};
use crate::client::{Client, Work};
use crate::dossier::Dossier;
use crate::error::Error;
use crate::mission::{TEAM_POST, own_device, team, unit_and_team};
use crate::posts::{plan_lane, route, usable};
use crate::random::fresh;
use crate::records::{self, CaseRecord, HeldKeyRecord, Lane, LaneUse, fixed};

const DAY_S: i64 = 86_400;
/// A new key, and a new word of it to the other ends, every week.
const KEY_AGE_S: i64 = 7 * DAY_S;
/// Copies are held for 28 days at most, and may lie for a week before they are read.
pub(crate) const KEY_KEPT_S: i64 = 35 * DAY_S;

impl Client {
    /// Tells the other end of each line how this team is reached about an alert, where that has not been said this
    /// week. What fails for one line stops no other.
    pub(crate) async fn tell_reach(&self) -> Result<(), Error> {
        let mut failed = Ok(());
        let also_order = self.once_a_minute();
        for line in self.vault(move |work| untold(work, also_order)).await? {
            match self.tell_reach_of(line).await {
                Err(error) if error.is_fatal() => return Err(error),
                told => failed = failed.and(told),
            }
        }
        failed
    }

    async fn tell_reach_of(&self, line: Vec<u8>) -> Result<(), Error> {
        let id = line.clone();
        let label = self.vault(move |work| lane_for(work, &id)).await?;
        let lane = label.clone();
        let lane: Lane = self.vault(move |work| records::need(work.tx, &lane)).await?;
        // A colleague's lane is there already.
        if !lane.send_secret.is_empty() {
            self.ensure_post(TEAM_POST).await?;
            self.ensure_lane(TEAM_POST, &label).await?;
        }
        self.vault(move |work| tell(work, &line, &label)).await
    }
}

/// Lines under terms over which this team has not said for a week how it is reached, or not who comes next now, or not
/// in a way that this device can confirm.
fn untold(work: &Work<'_>, also_order: bool) -> Result<Vec<Vec<u8>>, Error> {
    // Where there is no team yet, there is nothing to say.
    let Ok((_, team)) = unit_and_team(work) else { return Ok(Vec::new()) };
    let Ok(own) = own_device(work) else { return Ok(Vec::new()) };
    if team.route.is_empty() {
        return Ok(Vec::new());
    }
    let (mut lines, mut told) = (Vec::new(), Vec::new());
    let lives = |case: &CaseRecord| case.line && case.frozen.is_none() && case.left_at == 0;
    for (id, case) in records::all::<CaseRecord>(work.tx)?.into_iter().filter(|(_, c)| lives(c)) {
        let terms = terms_of(&case)?;
        let in_force = matches!(terms.phase(work.now), Phase::InForce | Phase::Amending);
        let may = |role: &CaseRole| permit(Act::RaiseAlert, terms.leg(), *role).is_ok();
        if !in_force || !case_roles(&own.roles, terms.leg()).iter().any(may) {
            continue;
        }
        match Dossier::of(work, &case)?.reach(&id, true) {
            Some(reach)
                if work.now.saturating_sub(reach.at) < KEY_AGE_S
                    && leads_here(work, &id, &reach.contact)?.is_some() =>
            {
                told.push((id, reach.contact.order.clone()));
            }
            _ => lines.push(id),
        }
    }
    if (lines.is_empty() && !also_order) || (lines.is_empty() && told.is_empty()) {
        return Ok(lines);
    }
    // Before the admin's device has let this one into the team, it speaks for nobody.
    let Ok(seat) = Seat::team(work) else { return Ok(Vec::new()) };
    let order = order(&own, &seat, work.now)?;
    // A colleague's device may know of more people than this one, and not of fewer for long.
    let lacks = |named: &[i32]| order.iter().any(|role| !named.contains(role));
    lines.extend(told.into_iter().filter(|(_, named)| lacks(named)).map(|(id, _)| id));
    // Where its keys are lost there is nothing to say it with.
    let mut speaking = Vec::new();
    for id in lines {
        match Seat::case(work, records::need(work.tx, &id)?) {
            Err(Error::NotReady(_)) => {}
            seat => speaking.push(seat.map(|_| id)?),
        }
    }
    Ok(speaking)
}

/// The label of the lane that a contact of this team's own leads to, if that and its key are this team's.
fn leads_here(
    work: &Work<'_>,
    line: &[u8],
    contact: &EscalationContact,
) -> Result<Option<Vec<u8>>, Error> {
    let Ok(route) = Route::from_bytes(&contact.route) else { return Ok(None) };
    let known = records::load::<HeldKeyRecord>(work.tx, &contact.key_id)?;
    let known = known.is_some_and(|key| !key.spoilt);
    let lane = records::load::<Lane>(work.tx, &route.label)?;
    let lane = lane.filter(|lane| {
        lane.used_for == i32::from(LaneUse::Held)
            && lane.case_id == line
            && lane.relay == route.relay
            && lane.seal_key == *route.seal_key
            && lane.retired_at == 0
    });
    Ok(lane.filter(|_| known).map(|lane| lane.label.clone()))
}

/// The label of a lane of this device's own for a line, planned if there is none.
fn lane_for(work: &Work<'_>, line: &[u8]) -> Result<Vec<u8>, Error> {
    let case: CaseRecord = records::need(work.tx, line)?;
    // What a colleague has said is said again, with a newer key.
    if let Some(reach) = Dossier::of(work, &case)?.reach(line, true)
        && let Some(label) = leads_here(work, line, &reach.contact)?
    {
        return Ok(label);
    }
    let ours = |lane: &Lane| {
        lane.used_for == i32::from(LaneUse::Held)
            && lane.case_id == line
            && !lane.send_secret.is_empty()
            && lane.retired_at == 0
    };
    let mut lanes = records::all::<Lane>(work.tx)?.into_iter().map(|(_, lane)| lane);
    if let Some(lane) = lanes.find(ours) {
        return Ok(lane.label.clone());
    }
    let (unit, _) = unit_and_team(work)?;
    let relay = unit.relays.first().cloned().unwrap_or_default();
    let label = plan_lane(work, &relay, LaneUse::Held)?.as_bytes().to_vec();
    let mut lane: Lane = records::need(work.tx, &label)?;
    lane.case_id = line.to_vec();
    records::save(work.tx, &label, &lane)?;
    Ok(label)
}

fn tell(work: &Work<'_>, line: &[u8], label: &[u8]) -> Result<(), Error> {
    let key = this_weeks_key(work)?;
    let lane: Lane = records::need(work.tx, label)?;
    let case: CaseRecord = records::need(work.tx, line)?;
    let route = if lane.send_secret.is_empty() {
        // The right to write to a colleague's lane stands in what the colleague said.
        let file = Dossier::of(work, &case)?;
        file.reach(line, true).map(|reach| reach.contact.route.clone()).unwrap_or_default()
    } else {
        route(&lane)?.to_bytes().to_vec()
    };
    // Said again each time: a device that was added meanwhile has heard neither.
    team::tell(work, &TeamMessage::HeldGrant(grant(&lane)?))?;
    let secret = HpkeSecret::from_seed(work.suite, &fixed(&key.seed, "a held key")?)?;
    let contact = EscalationContact {
        key_id: key.id.clone(),
        public_key: secret.public().as_bytes().to_vec(),
        valid_until_s: key.valid_until,
        route,
        order: order(&own_device(work)?, &Seat::team(work)?, work.now)?,
    };
    let seat = Seat::case(work, case)?;
    post(work, seat, contact.into(), &SendOptions::default()).map(drop)
}

fn grant(lane: &Lane) -> Result<GrantRecord, Error> {
    Ok(GrantRecord {
        relay: lane.relay.clone(),
        label: lane.label.clone(),
        seal_key: Zeroizing::new(fixed(&lane.seal_key, "a lane")?),
        case_id: lane.case_id.clone(),
        group_id: Vec::new(),
    })
}

/// Whether somebody can be reached so at all. Held against it before it is kept, so that no alert fails for it later.
///
/// # Errors
/// W02.
pub(crate) fn usable_contact(work: &Work<'_>, contact: &EscalationContact) -> Result<(), Refusal> {
    let bad = |field: &str| Refusal::Malformed {
        field: format!("escalation_contact.{field}"),
        fault: Fault::Encoding,
    };
    let route = Route::from_bytes(&contact.route).map_err(|_| bad("route"))?;
    usable(work, std::slice::from_ref(&route)).map_err(|_| bad("route"))?;
    HpkePublic::from_bytes(work.suite, &contact.public_key).map_err(|_| bad("public_key"))?;
    Ok(())
}

/// Who comes next in this team when nobody in a line answers: at a desk the duty officer, then whoever decides.
fn order(own: &VerifiedDevice, seat: &Seat, now: i64) -> Result<Vec<i32>, Error> {
    if own.unit.kind != UnitKind::MinistryDesk {
        return Ok(Vec::new());
    }
    let mut members = seat.group.members()?;
    members.retain(|member| !member.lapsed(now));
    let anybody =
        |role: Role| members.iter().any(|m| matches!(&m.party, Party::Device(d) if d.has(role)));
    let turns = [
        (Role::Duty, CaseRole::MinistryDutyOfficer),
        (Role::DecisionMaker, CaseRole::MinistryDecisionMaker),
    ];
    Ok(turns.into_iter().filter(|(role, _)| anybody(*role)).map(|(_, turn)| turn.into()).collect())
}

/// The newest held key, made anew after a week; the team is told first.
fn this_weeks_key(work: &Work<'_>) -> Result<HeldKeyRecord, Error> {
    let newest = records::all::<HeldKeyRecord>(work.tx)?.into_iter().map(|(_, key)| key);
    let newest = newest.filter(|key| !key.spoilt).max_by_key(|key| key.valid_from);
    let young = |key: &HeldKeyRecord| key.valid_from > work.now.saturating_sub(KEY_AGE_S);
    let record = match newest.filter(young) {
        Some(record) => record,
        None => make_key(work)?,
    };
    // Said each time it is used: a device that was added meanwhile has not heard it.
    let share = TeamMessage::HeldKey {
        id: fixed(&record.id, "a held key")?,
        seed: Zeroizing::new(fixed(&record.seed, "a held key")?),
        valid_from: record.valid_from,
        valid_until: record.valid_until,
    };
    team::tell(work, &share)?;
    Ok(record)
}

fn make_key(work: &Work<'_>) -> Result<HeldKeyRecord, Error> {
    let secret = HpkeSecret::generate(work.suite, &mut OsRng)?;
    let record = HeldKeyRecord {
        id: fresh::<8>().to_vec(),
        seed: secret.seed().to_vec(),
        valid_from: work.now,
        valid_until: work.now.saturating_add(KEY_KEPT_S),
        spoilt: false,
    };
    records::save(work.tx, &record.id.clone(), &record)?;
    Ok(record)
}

/// A colleague's device made this week's key.
pub(crate) fn key_came(
    work: &Work<'_>,
    id: [u8; 8],
    seed: &[u8; 32],
    valid_from: i64,
    valid_until: i64,
    spoilt: bool,
) -> Result<(), Error> {
    // One that claims to hold for longer would be kept for longer.
    let plausible = valid_from <= work.now.saturating_add(DAY_S)
        && valid_until <= valid_from.saturating_add(KEY_KEPT_S);
    if !plausible || records::load::<HeldKeyRecord>(work.tx, &id)?.is_some() {
        return Ok(());
    }
    let (name, seed) = (id.to_vec(), seed.to_vec());
    let record = HeldKeyRecord { id: name, seed, valid_from, valid_until, spoilt };
    records::save(work.tx, &id, &record)
}

/// A colleague's device made a lane for copies.
pub(crate) fn lane_came(work: &Work<'_>, grant: &GrantRecord) -> Result<(), Error> {
    if records::load::<Lane>(work.tx, &grant.label)?.is_some() {
        return Ok(());
    }
    let mut lane = Lane::default();
    lane.label.clone_from(&grant.label);
    lane.seal_key = grant.seal_key.to_vec();
    lane.used_for = LaneUse::Held.into();
    lane.case_id.clone_from(&grant.case_id);
    lane.relay.clone_from(&grant.relay);
    records::save(work.tx, &grant.label, &lane)
}

/// What a colleague's new device needs: the keys, and the lanes without the right to write to them.
pub(crate) fn for_colleague(work: &Work<'_>) -> Result<(Vec<HeldKeyRecord>, Vec<Lane>), Error> {
    let keys = records::all::<HeldKeyRecord>(work.tx)?.into_iter().map(|(_, key)| key).collect();
    let mut lanes = Vec::new();
    for (_, mut lane) in records::all::<Lane>(work.tx)? {
        if lane.used_for == i32::from(LaneUse::Held) && lane.retired_at == 0 {
            zeroize::Zeroize::zeroize(&mut lane.send_secret);
            lanes.push(lane);
        }
    }
    Ok((keys, lanes))
}

/// Held keys are forgotten when nothing sealed to them can come any more.
pub(super) fn forget_old_keys(work: &Work<'_>) -> Result<(), Error> {
    records::forget(work.tx, |key: &HeldKeyRecord| key.valid_until <= work.now)
}

/// The secrets of all keys that this device holds.
pub(super) fn secrets(work: &Work<'_>) -> Result<Vec<IntakeSecret>, Error> {
    records::all::<HeldKeyRecord>(work.tx)?
        .into_iter()
        .map(|(_, key)| {
            let secret = HpkeSecret::from_seed(work.suite, &fixed(&key.seed, "a held key")?)?;
            Ok(IntakeSecret { id: fixed(&key.id, "a held key")?, secret })
        })
        .collect()
}

/// The way to a team, and what goes there: signed bytes, sealed to its held key.
pub(super) fn sealed_to(
    work: &Work<'_>,
    contact: &wire::EscalationContact,
    signed: &[u8],
) -> Result<(Route, Vec<u8>), Error> {
    let route = Route::from_bytes(&contact.route)?;
    usable(work, std::slice::from_ref(&route))?;
    let key = HpkePublic::from_bytes(work.suite, &contact.public_key)?;
    let id = fixed(&contact.key_id, "a held key")?;
    let sealed = held::seal(work.suite, id, &key, signed)?;
    Ok((route, Envelope::Held(sealed).to_bytes()))
}
