//! The state as bytes for a vault (schema `ActionRecord`, never sent).

use prost::Message as _;

use super::{ActionPhase, ActionState, Approval, Done, Request};
use crate::hash::Hash;
use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::scan;
use crate::wire::ActionRecord;

impl ActionState {
    /// For the vault.
    pub fn to_bytes(&self) -> Vec<u8> {
        let approval = self.approval.as_ref();
        let hashes = |hashes: &[Hash]| hashes.iter().map(|hash| hash.to_vec()).collect();
        let (withdrawn_by, withdrawn_at_s) = self.no_further_use.clone().unwrap_or_default();
        let record = ActionRecord {
            plan: self.plan.clone(),
            phase: number(self.phase),
            request_id: self.request.as_ref().map(|r| r.id.clone()).unwrap_or_default(),
            submitted_by: self.request.as_ref().map(|r| r.submitted_by.clone()),
            approved_hash: approval.map(|a| a.hash.to_vec()).unwrap_or_default(),
            approved_until_s: approval.map_or(0, |a| a.valid_until_s),
            conditions: approval.map_or(0, |a| a.conditions),
            exception_accepted: approval.is_some_and(|a| a.exception_accepted),
            seen_at_decision: hashes(self.statuses_seen_at_decision()),
            refused_hash: self.refused.map(|(hash, _)| hash.to_vec()).unwrap_or_default(),
            refused_at_s: self.refused.map_or(0, |(_, at)| at),
            met: self.met.iter().copied().collect(),
            scheduled_for_s: self.scheduled_for_s,
            done_at_s: self.done_at(),
            seen_at_done: hashes(self.statuses_seen()),
            effect_reported: self.effect_reported,
            informed: self.informed,
            held_from: self.held_from.map_or(0, |phase| number(phase) + 1),
            withdrawn_by,
            withdrawn_at_s,
            owner: self.owner.clone(),
        };
        record.encode_to_vec()
    }

    /// From the vault.
    ///
    /// # Errors
    /// W02 when the bytes are no record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        scan::other(bytes, "ActionRecord")?;
        let record = ActionRecord::decode(bytes).map_err(|_| broken("action_record"))?;
        let hashes = |raw: &[Vec<u8>]| {
            let hashes = raw.iter().map(|hash| Hash::from_slice(hash));
            hashes.collect::<Option<Vec<_>>>().ok_or_else(|| broken("action_record.hash"))
        };
        let mut state = Self::draft(record.plan)?;
        state.phase = phase(record.phase)?;
        let (id, by) = (record.request_id, record.submitted_by);
        state.request = by.map(|submitted_by| Request { id, submitted_by });
        state.approval = match Hash::from_slice(&record.approved_hash) {
            Some(hash) => Some(Approval {
                hash,
                valid_until_s: record.approved_until_s,
                conditions: record.conditions,
                exception_accepted: record.exception_accepted,
                statuses_seen: hashes(&record.seen_at_decision)?,
            }),
            None => None,
        };
        state.refused =
            Hash::from_slice(&record.refused_hash).map(|hash| (hash, record.refused_at_s));
        state.met = record.met.into_iter().collect();
        state.scheduled_for_s = record.scheduled_for_s;
        let statuses_seen = hashes(&record.seen_at_done)?;
        state.done = record.done_at_s.map(|at| Done { at, statuses_seen });
        (state.effect_reported, state.informed) = (record.effect_reported, record.informed);
        state.held_from = match record.held_from.checked_sub(1) {
            Some(from) => Some(phase(from)?),
            None => None,
        };
        let (person, at) = (record.withdrawn_by, record.withdrawn_at_s);
        state.no_further_use = (!person.is_empty()).then_some((person, at));
        state.owner = record.owner;
        Ok(state)
    }
}

/// Place in [`ActionPhase::ALL`], which only grows at its end.
fn number(phase: ActionPhase) -> u32 {
    let place = ActionPhase::ALL.iter().position(|known| *known == phase);
    place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX)
}

fn phase(number: u32) -> Result<ActionPhase, Refusal> {
    let phase = usize::try_from(number).ok().and_then(|place| ActionPhase::ALL.get(place));
    phase.copied().ok_or_else(|| broken("action_record.phase"))
}

fn broken(field: &str) -> Refusal {
    malformed(field, Fault::Encoding)
}
