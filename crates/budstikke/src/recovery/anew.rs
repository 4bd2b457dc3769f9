//! A new group for a case whose group forked, with its slots on another relay.

use budstikke_e2ee::contact::Route;
use budstikke_e2ee::group::{Ask, Asker, Group, GroupError, KeyPackage, MAX_ADDS, PartyId};
use budstikke_proto::address::RelayAddress;

use super::again::{ask, grant, move_to, send_welcome, team_route};
use super::transcript;
use crate::channel::seat::{LEFT, Seat};
use crate::client::{Client, Work, parse_address};
use crate::directory;
use crate::error::Error;
use crate::events::Event;
use crate::mission::unit_and_team;
use crate::records::{self, AskRecord, CaseRecord};
use crate::view::{by_name, case_name, case_of_name};

/// What [`Client::recover`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovered {
    /// A new group stands, its slots on another relay; the others join with their next sync.
    NewGroup,
    /// The other side was asked for what a new group needs, or to found it; repeat it once they have synced.
    AskedForNewGroup,
    /// A member that had lost its keys is added again with the next sync.
    AddedAgain,
    /// The others were asked to add this device again; an admin of the mission has to say yes.
    AskedToBeAddedAgain,
}

impl Client {
    /// Mends a case that cannot mend itself, with a person's yes: answers a member that asks to be added again,
    /// founds a new group for a frozen case on `relay` (or the unit's next one), or asks the others for either.
    ///
    /// `lost`: the person knows that this device lost its keys, as after an old copy of the vault was put back.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotReady`] when nothing is wrong, or when somebody else has to act;
    /// [`Error::Input`] for a relay that can't be the new one.
    pub async fn recover(
        &self,
        case: &str,
        relay: Option<&str>,
        lost: bool,
    ) -> Result<Recovered, Error> {
        let (name, relay) = (case.to_owned(), relay.map(str::to_owned));
        self.vault(move |work| recover(work, &name, relay, lost)).await
    }
}

fn recover(
    work: &Work<'_>,
    name: &str,
    relay: Option<String>,
    lost: bool,
) -> Result<Recovered, Error> {
    // Who is no member yet is let in by name: [`Client::let_in`].
    let asks = records::all::<AskRecord>(work.tx)?.into_iter().map(|(_, ask)| ask);
    let asks = asks.filter(|ask| !ask.newcomer);
    let case = match case_of_name(work, name) {
        Ok(case) if case.left_at == 0 => case,
        // A colleague's case, in which an admin is needed.
        other => {
            let asks = asks.map(|ask| (ask.case_id.clone(), ask));
            let record = match (by_name(asks, name), other) {
                (Some(record), _) => record,
                (None, Err(error)) => return Err(error),
                (None, Ok(_)) => return Err(LEFT),
            };
            return grant(work, record).map(|()| Recovered::AddedAgain);
        }
    };
    let mut asks: Vec<AskRecord> = asks.filter(|ask| ask.case_id == case.id).collect();
    let Ok(seat) = Seat::case(work, case.clone()) else {
        super::again::ask_without_group(work, &case)?;
        return Ok(Recovered::AskedToBeAddedAgain);
    };
    if case.frozen.is_none() {
        let state = transcript::load(work, &case.id)?;
        if lost || state.stuck > 0 || state.withheld_since > 0 {
            ask(work, &seat, false, true)?;
            return Ok(Recovered::AskedToBeAddedAgain);
        }
        let place = asks.iter().position(|ask| !ask.new_group && ask.granted_at == 0);
        let record = place.map(|place| asks.swap_remove(place));
        if let Some(record) = record.filter(|record| record.assigned || !case.defender) {
            return grant(work, record).map(|()| Recovered::AddedAgain);
        }
        if !asks.iter().any(|ask| ask.new_group) {
            return Err(Error::NotReady("nothing is wrong with this conversation"));
        }
    }
    asks.retain(|ask| ask.new_group);
    if case.defender || !case.line_for.is_empty() {
        ask(work, &seat, true, true)?;
        return Ok(Recovered::AskedForNewGroup);
    }
    found(work, seat, case, &asks, relay)
}

/// Founds the new group with everybody whose key package is here.
fn found(
    work: &Work<'_>,
    seat: Seat,
    mut case: CaseRecord,
    asks: &[AskRecord],
    relay: Option<String>,
) -> Result<Recovered, Error> {
    let env = work.env();
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for record in asks {
        let Ok((ask, Asker::Member(member))) = Ask::verify(&env, &record.signed, &seat.group)
        else {
            continue;
        };
        let package = KeyPackage::parse(&env, &ask.key_package).map_err(GroupError::from)?;
        let own = member.party_id() == PartyId::Unit(case.own_unit.clone());
        if own { ours.push(package) } else { theirs.push(package) }
    }
    if theirs.is_empty() {
        ask(work, &seat, true, true)?;
        return Ok(Recovered::AskedForNewGroup);
    }
    let relay = other_relay(work, &case, relay)?;
    let colleagues = !ours.is_empty();
    let packages: Vec<_> = theirs.into_iter().chain(ours).take(MAX_ADDS).collect();
    let mut group = Group::create(&env, &seat.me, seat.group.charter())?;
    let pending = group.add(&env, &seat.me, &packages, &[])?;
    group.merge_pending(&env)?;
    seat.group.delete(&env)?;
    move_to(work, &mut case, &group, relay)?;
    let routes = case.routes.iter().map(|route| Route::from_bytes(route));
    let mut audience = routes.collect::<Result<Vec<_>, _>>()?;
    if colleagues {
        audience.push(team_route(work)?);
    }
    send_welcome(work, &case, &audience, pending.welcome.unwrap_or_default())?;
    work.event(Event::CaseRecovered { case: case_name(&case.id), new_group: true });
    Ok(Recovered::NewGroup)
}

/// The relay given, or the unit's first that is another than the one that failed.
fn other_relay(work: &Work<'_>, case: &CaseRecord, given: Option<String>) -> Result<String, Error> {
    let failed = parse_address(&case.relay)?.id;
    let bad = |why: &str| Error::Input { what: "relay address", why: why.to_owned() };
    if let Some(given) = given {
        let given = parse_address(&given)?;
        if given.id == failed {
            return Err(bad("it is the relay that failed; name another one"));
        }
        directory::relay(work, &given.to_text())?;
        return Ok(given.to_text());
    }
    let (unit, _) = unit_and_team(work)?;
    let others = unit.relays.iter().filter_map(|relay| parse_address(relay).ok());
    let lives = |relay: &RelayAddress| {
        relay.id != failed && directory::relay(work, &relay.to_text()).is_ok()
    };
    let other = others.into_iter().find(lives);
    other
        .map(|relay| relay.to_text())
        .ok_or_else(|| bad("the mission has no second relay; name another one"))
}
