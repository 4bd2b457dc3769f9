//! The side that raises: a copy for each person in turn, left at the relay with the alert, and called off when
//! somebody takes it.

use std::collections::HashSet;

use budstikke_case::alert::{role_of, turn_s};
use budstikke_case::wire::{Alert, Escalation, EscalationContact, EscalationStep, Role};
use budstikke_case::words::strict;
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::held::{self, Word};
use budstikke_proto::id::{MsgId, SendId};
use budstikke_proto::limits::FRAGMENT_LEN;
use budstikke_proto::sign::SigningSeed;
use prost::Message;

use super::reach::sealed_to;
use super::signer;
use crate::client::{Client, Work, parse_address};
use crate::dossier::{Dossier, Turned};
use crate::error::Error;
use crate::events::Event;
use crate::mission::unit_and_team;
use crate::outbox::{Held, drop_unsent, enqueue, enqueue_held, unsent};
use crate::random::fresh;
use crate::records::{self, CancelRecord, CaseRecord, Hold, fixed};
use crate::relay::RelayError;
use crate::view::short;

const DAY_S: i64 = 86_400;
/// A key has to be kept for so long after its copy is released, for whoever is away then.
const READING_S: i64 = 7 * DAY_S;
/// Nothing is held for longer than 28 days.
const HELD_S: i64 = 29 * DAY_S;

/// Where copies go, and where answers to them come.
pub(crate) struct Ways {
    to: EscalationContact,
    reply: EscalationContact,
}

/// The steps for an alert of this line: none when the other side has named nobody, or its key will be forgotten
/// before the last of them has had time.
pub(crate) fn plan(
    work: &Work<'_>,
    line: &CaseRecord,
    alert: &mut Alert,
) -> Result<Option<Ways>, Error> {
    let file = Dossier::of(work, line)?;
    let (Some(reach), Some(own)) = (file.reach(&line.id, false), file.reach(&line.id, true)) else {
        return Ok(None);
    };
    let ways = Ways { to: reach.contact.clone(), reply: own.contact.clone() };
    let contact = &ways.to;
    let turn = turn_s(strict(alert.preset));
    let turns = u32::try_from(contact.order.len()).unwrap_or(u32::MAX);
    let exhausted_after_s = turn.saturating_mul(turns);
    let last = alert.ack_by_s.saturating_add(exhausted_after_s.into());
    if turns == 0 || contact.valid_until_s < last.saturating_add(READING_S) {
        return Ok(None);
    }
    let route = Route::from_bytes(&contact.route)?;
    let step = |(number, to): (u32, &i32)| EscalationStep {
        to: *to,
        after_s: turn.saturating_mul(number),
        relay: route.relay.clone(),
        send_id: route.send_id.to_vec(),
        cells: 1,
        cancel_key: fresh::<32>().to_vec(),
    };
    let steps: Vec<_> = (0..).zip(&contact.order).map(step).collect();
    alert.escalation = Some(Escalation { steps, exhausted_after_s });
    // The number of cells takes one byte, whatever it is: the longest copy tells it for all.
    let (_, longest) = copy(work, &ways, alert, turns.saturating_sub(1))?;
    let cells = u32::try_from(longest.len().div_ceil(FRAGMENT_LEN)).unwrap_or(u32::MAX);
    let steps = alert.escalation.iter_mut().flat_map(|escalation| &mut escalation.steps);
    steps.for_each(|step| step.cells = cells);
    Ok(Some(ways))
}

/// Leaves the copies of an alert that was just raised.
pub(crate) fn leave(work: &Work<'_>, ways: &Ways, alert: &Alert) -> Result<(), Error> {
    let steps = alert.escalation.iter().flat_map(|escalation| &escalation.steps);
    for (number, step) in (0..).zip(steps) {
        let (route, envelope) = copy(work, ways, alert, number)?;
        let seed = fixed(&step.cancel_key, "a cancel key")?;
        let after = alert.ack_by_s.saturating_sub(alert.raised_at_s);
        let hold = Hold {
            cancel_pk: SigningSeed::from_bytes(seed).public().to_vec(),
            after_s: after.saturating_add(step.after_s.into()),
            raised_at_s: alert.raised_at_s,
        };
        let name = |index| held::cell_name(&seed, index);
        enqueue_held(work, &route, &envelope, &Held { hold, name: &name })?;
    }
    Ok(())
}

fn copy(work: &Work<'_>, ways: &Ways, alert: &Alert, step: u32) -> Result<(Route, Vec<u8>), Error> {
    let (key, chain) = signer(work)?;
    let word = Word::Copy { alert: alert.encode_to_vec(), step, reply: ways.reply.encode_to_vec() };
    sealed_to(work, &ways.to, &held::sign(&word, &key, &chain, work.now))
}

/// What follows when an alert was answered or taken back: who has it keeps the copies that are still to come from coming;
/// one that was given back is open again, and nobody is passed it any more.
pub(crate) fn follow_up(work: &Work<'_>, turned: &Turned) -> Result<(), Error> {
    if turned.waits {
        if turned.ours && !turned.waited {
            work.event(Event::AlertOpenAgain { alert: short(&turned.alert.alert_id) });
        }
        return Ok(());
    }
    call_off(work, &turned.alert, turned.ours)
}

/// Keeps the copies that are still to come from coming. Whoever has the alert can do so, and several may.
pub(super) fn call_off(work: &Work<'_>, alert: &Alert, ours: bool) -> Result<(), Error> {
    let (unit, _) = unit_and_team(work)?;
    let steps = alert.escalation.iter().flat_map(|escalation| &escalation.steps);
    for step in steps {
        // Where it was raised, the address is the other side's own word; there it must be one of this unit's, so that
        // nobody makes its devices wait for relays that are not there.
        let ours_or_known = ours || unit.relays.contains(&step.relay);
        if !ours_or_known || parse_address(&step.relay).is_err() {
            continue;
        }
        let (seed, names) = names(step)?;
        drop_unsent(work, &unsent(work, &step.send_id, &names)?)?;
        for name in names {
            let record = CancelRecord {
                relay: step.relay.clone(),
                send_id: step.send_id.clone(),
                msg_id: name.to_vec(),
                cancel_key: seed.to_vec(),
                until: work.now.saturating_add(HELD_S),
            };
            records::save(work.tx, &[step.send_id.as_slice(), &name].concat(), &record)?;
        }
    }
    Ok(())
}

/// Whether the copy for whoever's turn this is has left this device.
pub(crate) fn has_left(work: &Work<'_>, alert: &Alert, turn: Role) -> Result<bool, Error> {
    let steps = alert.escalation.iter().flat_map(|escalation| &escalation.steps);
    for step in steps.filter(|step| role_of(step) == turn) {
        if !unsent(work, &step.send_id, &names(step)?.1)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn names(step: &EscalationStep) -> Result<([u8; 32], Vec<[u8; 16]>), Error> {
    let seed = fixed(&step.cancel_key, "a cancel key")?;
    Ok((seed, (0..step.cells).map(|index| held::cell_name(&seed, index)).collect()))
}

/// Tells whoever has a copy already that the alert was taken back.
pub(crate) fn tell_taken_back(
    work: &Work<'_>,
    line: &CaseRecord,
    alert: &Alert,
) -> Result<(), Error> {
    let file = Dossier::of(work, line)?;
    let Some(reach) = file.reach(&line.id, false) else { return Ok(()) };
    let (key, chain) = signer(work)?;
    let word = Word::TakenBack(fixed(&alert.alert_id, "an alert")?);
    let signed = held::sign(&word, &key, &chain, work.now);
    let (route, envelope) = sealed_to(work, &reach.contact, &signed)?;
    enqueue(work, &[route], &envelope, crate::outbox::Belongs::default(), false)?;
    Ok(())
}

impl Client {
    /// Calls off at the relays what was called off here. A relay that is away is asked again with the next pass.
    pub(crate) async fn call_off_waiting(&self) -> Result<(), Error> {
        let (now, mut away) = (self.now(), HashSet::new());
        for (key, record) in self.vault(|work| records::all::<CancelRecord>(work.tx)).await? {
            if away.contains(&record.relay) {
                continue;
            }
            let done = match self.call_off_one(&record).await {
                // Released, or called off by another: there is nothing to call off any more.
                Ok(()) | Err(Error::Relay(RelayError::Refused | RelayError::Unsupported)) => true,
                Err(error) if error.is_fatal() => return Err(error),
                Err(_) => {
                    away.insert(record.relay.clone());
                    record.until <= now
                }
            };
            if done {
                self.vault(move |work| records::remove::<CancelRecord>(work.tx, &key)).await?;
            }
        }
        Ok(())
    }

    async fn call_off_one(&self, record: &CancelRecord) -> Result<(), Error> {
        let key = SigningSeed::from_bytes(fixed(&record.cancel_key, "a cancel key")?);
        let send_id = SendId::from_bytes(fixed(&record.send_id, "a grant")?);
        let msg_id = MsgId::from_bytes(fixed(&record.msg_id, "a cell")?);
        let relay = self.relay(&record.relay, &record.send_id)?;
        Ok(relay.cancel_held(&key, send_id, msg_id).await?)
    }
}
