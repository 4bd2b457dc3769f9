//! How a team is reached about an alert: a key of its own that changes every week, and a lane for each line.

use budstikke_case::wire::{EscalationContact, Role as CaseRole};
use budstikke_case::{Act, Phase, permit, wire};
use budstikke_e2ee::cert::{Role, UnitKind};
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
    /// week.
    pub(crate) async fn tell_reach(&self) -> Result<(), Error> {
        for line in self.vault(untold).await? {
            let id = line.clone();
            // What a colleague has said already is said again, with a newer key.
            let Some(lane) = self.vault(move |work| lane_of(work, &id)).await? else { continue };
            if let Reached::Lane(label) = &lane {
                self.ensure_post(TEAM_POST).await?;
                self.ensure_lane(TEAM_POST, label).await?;
            }
            self.vault(move |work| tell(work, &line, lane)).await?;
        }
        Ok(())
    }
}

/// Where copies for this team go.
enum Reached {
    /// A lane that this device made; its label.
    Lane(Vec<u8>),
    /// A route that a colleague made, encoded.
    Route(Vec<u8>),
}

/// Lines under terms over which this team has not said for a week how it is reached, or not who comes next now.
fn untold(work: &Work<'_>) -> Result<Vec<Vec<u8>>, Error> {
    // Where there is no team yet, there is nothing to say.
    let Ok((_, team)) = unit_and_team(work) else { return Ok(Vec::new()) };
    if team.route.is_empty() || own_device(work).is_err() || Seat::team(work).is_err() {
        return Ok(Vec::new());
    }
    let (order, own) = (order(work)?, own_device(work)?);
    let mut lines = Vec::new();
    for (id, case) in records::all::<CaseRecord>(work.tx)?.into_iter().filter(|(_, c)| c.line) {
        let terms = terms_of(&case)?;
        let in_force = matches!(terms.phase(work.now), Phase::InForce | Phase::Amending);
        let may = |role: &CaseRole| permit(Act::RaiseAlert, terms.leg(), *role).is_ok();
        if !in_force || !case_roles(&own.roles, terms.leg()).iter().any(may) {
            continue;
        }
        let file = Dossier::of(work, &case)?;
        let stands = file.reach(&id, true).is_some_and(|reach| {
            // A colleague's device may know of more people than this one, and not of fewer for long.
            let all_named = order.iter().all(|role| reach.contact.order.contains(role));
            work.now.saturating_sub(reach.at) < KEY_AGE_S && all_named
        });
        if !stands {
            lines.push(id);
        }
    }
    Ok(lines)
}

fn lane_of(work: &Work<'_>, line: &[u8]) -> Result<Option<Reached>, Error> {
    let Some(case) = records::load::<CaseRecord>(work.tx, line)? else { return Ok(None) };
    if let Some(reach) = Dossier::of(work, &case)?.reach(line, true) {
        return Ok(Some(Reached::Route(reach.contact.route.clone())));
    }
    let ours = |lane: &Lane| {
        lane.used_for == i32::from(LaneUse::Held)
            && lane.case_id == line
            && !lane.send_secret.is_empty()
    };
    let mut lanes = records::all::<Lane>(work.tx)?.into_iter().map(|(_, lane)| lane);
    if let Some(lane) = lanes.find(ours) {
        return Ok(Some(Reached::Lane(lane.label.clone())));
    }
    let (unit, _) = unit_and_team(work)?;
    let relay = unit.relays.first().cloned().unwrap_or_default();
    let label = plan_lane(work, &relay, LaneUse::Held)?.as_bytes().to_vec();
    let mut lane: Lane = records::need(work.tx, &label)?;
    lane.case_id = line.to_vec();
    records::save(work.tx, &label, &lane)?;
    Ok(Some(Reached::Lane(label)))
}

fn tell(work: &Work<'_>, line: &[u8], reached: Reached) -> Result<(), Error> {
    let key = this_weeks_key(work)?;
    let route = match reached {
        Reached::Route(route) => route,
        Reached::Lane(label) => {
            let lane: Lane = records::need(work.tx, &label)?;
            let grant = GrantRecord {
                relay: lane.relay.clone(),
                label,
                seal_key: Zeroizing::new(fixed(&lane.seal_key, "a lane")?),
                case_id: line.to_vec(),
                group_id: Vec::new(),
            };
            team::tell(work, &TeamMessage::HeldGrant(grant))?;
            route(&lane)?.to_bytes().to_vec()
        }
    };
    let secret = HpkeSecret::from_seed(work.suite, &fixed(&key.seed, "a held key")?)?;
    let contact = EscalationContact {
        key_id: key.id.clone(),
        public_key: secret.public().as_bytes().to_vec(),
        valid_until_s: key.valid_until,
        route,
        order: order(work)?,
    };
    let seat = Seat::case(work, records::need(work.tx, line)?)?;
    post(work, seat, contact.into(), &SendOptions::default()).map(drop)
}

/// Who comes next in this team when nobody in a line answers: at a desk the duty officer, then whoever decides.
fn order(work: &Work<'_>) -> Result<Vec<i32>, Error> {
    if own_device(work)?.unit.kind != UnitKind::MinistryDesk {
        return Ok(Vec::new());
    }
    let members = Seat::team(work)?.group.members()?;
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
    let newest = newest.max_by_key(|key| key.valid_from);
    let young = |key: &HeldKeyRecord| key.valid_from > work.now.saturating_sub(KEY_AGE_S);
    if let Some(key) = newest.filter(young) {
        return Ok(key);
    }
    let secret = HpkeSecret::generate(work.suite, &mut OsRng)?;
    let id = fresh::<8>();
    let record = HeldKeyRecord {
        id: id.to_vec(),
        seed: secret.seed().to_vec(),
        valid_from: work.now,
        valid_until: work.now.saturating_add(KEY_KEPT_S),
    };
    records::save(work.tx, &id, &record)?;
    let share = TeamMessage::HeldKey {
        id,
        seed: Zeroizing::new(*secret.seed()),
        valid_from: record.valid_from,
        valid_until: record.valid_until,
    };
    team::tell(work, &share)?;
    Ok(record)
}

/// A colleague's device made this week's key.
pub(crate) fn key_came(
    work: &Work<'_>,
    id: [u8; 8],
    seed: &[u8; 32],
    valid_from: i64,
    valid_until: i64,
) -> Result<(), Error> {
    // One that claims to hold for longer would be kept for longer.
    let plausible = valid_from <= work.now.saturating_add(DAY_S)
        && valid_until <= valid_from.saturating_add(KEY_KEPT_S);
    if !plausible || records::load::<HeldKeyRecord>(work.tx, &id)?.is_some() {
        return Ok(());
    }
    let (name, seed) = (id.to_vec(), seed.to_vec());
    records::save(work.tx, &id, &HeldKeyRecord { id: name, seed, valid_from, valid_until })
}

/// A colleague's device made a lane for copies.
pub(crate) fn lane_came(work: &Work<'_>, grant: &GrantRecord) -> Result<(), Error> {
    if records::load::<Lane>(work.tx, &grant.label)?.is_some() {
        return Ok(());
    }
    let lane = Lane {
        label: grant.label.clone(),
        seal_key: grant.seal_key.to_vec(),
        used_for: LaneUse::Held.into(),
        case_id: grant.case_id.clone(),
        send_secret: Vec::new(),
        send_id: Vec::new(),
        relay: grant.relay.clone(),
    };
    records::save(work.tx, &grant.label, &lane)
}

/// What a colleague's new device needs: the keys, and the lanes without the right to write to them.
pub(crate) fn for_colleague(work: &Work<'_>) -> Result<(Vec<HeldKeyRecord>, Vec<Lane>), Error> {
    let keys = records::all::<HeldKeyRecord>(work.tx)?.into_iter().map(|(_, key)| key).collect();
    let mut lanes = Vec::new();
    for (_, mut lane) in records::all::<Lane>(work.tx)? {
        if lane.used_for == i32::from(LaneUse::Held) {
            zeroize::Zeroize::zeroize(&mut lane.send_secret);
            lanes.push(lane);
        }
    }
    Ok((keys, lanes))
}

/// Held keys are forgotten when nothing sealed to them can come any more.
pub(super) fn forget_old_keys(work: &Work<'_>) -> Result<(), Error> {
    for (id, key) in records::all::<HeldKeyRecord>(work.tx)? {
        if key.valid_until <= work.now {
            records::remove::<HeldKeyRecord>(work.tx, &id)?;
            work.tx.erase_now();
        }
    }
    Ok(())
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
    usable(std::slice::from_ref(&route))?;
    let key = HpkePublic::from_bytes(work.suite, &contact.public_key)?;
    let id = fixed(&contact.key_id, "a held key")?;
    let sealed = held::seal(work.suite, id, &key, signed)?;
    Ok((route, Envelope::Held(sealed).to_bytes()))
}
