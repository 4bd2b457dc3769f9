//! Steps of an act.

use super::check::{CaseFacts, blocks, rests_on_exception};
use super::table::{Strength, approval_validity_s, effective_kind, guard};
use super::{ActionPhase, ActionState, Approval, Done, Request};
use crate::carried::decode;
use crate::guard::CLOCK_SLACK_S;
use crate::hash::{Hash, plan_hash};
use crate::officer::{role, same_person};
use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::roles::{Act, permit};
use crate::validate::validate_plan;
use crate::wire as w;
use crate::wire::{ActionPlan, ApprovalRequest, DecisionBody, Leg, Officer, Urgency, Verdict};
use crate::words::strict;

use ActionPhase::{
    AwaitingApproval, Cancelled, Cleared, Closed, ConsultingDefender, Draft, EffectDue, Expired,
    InformDue, OnHold, Refused, Returned, Scheduled,
};

/// One step. Who may take it is the role table's matter ([`crate::validate()`]).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum ActionEvent<'a> {
    /// The plan was written anew: an encoded `ActionPlan`.
    Edited(Vec<u8>),
    /// The person it is about was asked.
    ConsultingDefender,
    /// Nothing is missing and no approval is needed.
    Cleared,
    /// Put before the Ministry.
    Submitted(&'a ApprovalRequest),
    /// The Ministry answered; who signed is proven ([`crate::officer::attested`]).
    Decided {
        /// The answer.
        decision: &'a DecisionBody,
        /// Who decided.
        by: &'a Officer,
    },
    /// A condition of the approval was met; counted from 1.
    ConditionMet(u32),
    /// It has a time, Unix seconds.
    Scheduled(i64),
    /// It was done; hashes of the consent statuses looked at just before, one for every person.
    Done(Vec<Hash>),
    /// The report on its effect went out.
    EffectReported,
    /// The person it is about was told.
    Informed,
    /// Over.
    Closed,
    /// Somebody took consent back. Before the act everything stops; after it nothing more is made
    /// of it.
    ConsentWithdrawn {
        /// Alias.
        person: String,
        /// When they wrote it, Unix seconds.
        at: i64,
    },
    /// A person has made sure that the withdrawal is meant.
    WithdrawalConfirmed,
    /// It goes on where it was held.
    Resumed,
    /// Will not be done.
    Cancelled,
    /// Somebody else goes on with it.
    HandedOver(&'a Officer),
}

impl ActionState {
    /// Takes a step. The state is unchanged when it is refused.
    ///
    /// # Errors
    /// The first of [`ActionState::blocks`] for steps toward the act; A01 to A05 and I06 around the
    /// decision; D01 for closing; W04 for a step that does not follow.
    pub fn apply(
        &mut self,
        event: ActionEvent<'_>,
        facts: &CaseFacts<'_>,
        now: i64,
    ) -> Result<ActionPhase, Refusal> {
        match event {
            ActionEvent::Edited(plan) => self.edited(plan)?,
            ActionEvent::ConsultingDefender => {
                self.from(&[Draft, ConsultingDefender], "consult-defender", now)?;
                self.phase = ConsultingDefender;
            }
            ActionEvent::Cleared => {
                unblocked(self.blocks(facts, now))?;
                self.from(&[Draft, ConsultingDefender], "clear", now)?;
                self.phase = Cleared;
            }
            ActionEvent::Submitted(request) => self.submitted(request, facts, now)?,
            ActionEvent::Decided { decision, by } => self.decided(decision, by, now)?,
            ActionEvent::ConditionMet(condition) => {
                self.from(&[Cleared, Scheduled], "meet-condition", now)?;
                let conditions = self.approval.as_ref().map_or(0, |a| a.conditions);
                if !(1..=conditions).contains(&condition) {
                    return Err(malformed("condition", Fault::Range));
                }
                self.met.insert(condition);
            }
            ActionEvent::Scheduled(for_s) => {
                let open =
                    |refusal: &Refusal| matches!(refusal, Refusal::ApprovalConditionOpen { .. });
                let blocks = self.blocks(facts, now).into_iter().filter(|b| !open(b)).collect();
                unblocked(blocks)?;
                self.from(&[Cleared, Scheduled], "schedule", now)?;
                (self.phase, self.scheduled_for_s) = (Scheduled, for_s);
            }
            ActionEvent::Done(statuses) => self.do_it(statuses, facts, now)?,
            ActionEvent::EffectReported => {
                self.from(&[EffectDue, InformDue], "report-effect", now)?;
                self.effect_reported = true;
                self.phase = InformDue;
            }
            ActionEvent::Informed => {
                let after = [EffectDue, InformDue, Refused, Cancelled, Expired];
                self.from(&after, "inform", now)?;
                self.informed = true;
            }
            ActionEvent::Closed => self.close(now)?,
            ActionEvent::ConsentWithdrawn { person, at } => self.withdrawn(person, at),
            ActionEvent::WithdrawalConfirmed => {
                self.from(&[OnHold, Cancelled], "cancel", now)?;
                self.on_flagged_device(facts)?;
                self.cancel();
            }
            ActionEvent::Resumed => {
                self.from(&[OnHold], "resume", now)?;
                let consent = |b: &Refusal| b.code().starts_with('C');
                let blocks = blocks(&self.decoded, Some(self.hash), facts, now);
                unblocked(blocks.into_iter().filter(consent).collect())?;
                self.phase = self.held_from.take().unwrap_or(Draft);
            }
            ActionEvent::Cancelled => {
                if self.done.is_some() || self.phase == Closed {
                    return Err(self.out_of_step("cancel", now));
                }
                self.cancel();
            }
            ActionEvent::HandedOver(to) => {
                if matches!(self.phase, Closed | Cancelled) {
                    return Err(self.out_of_step("hand-over", now));
                }
                self.owner = Some(to.clone());
            }
        }
        Ok(self.phase(now))
    }

    /// It was done, whatever the guards of whoever hears of it say: what happened is not undone by not being written
    /// down. Hashes as in [`ActionEvent::Done`]; `at` in Unix seconds. Changes nothing where it stands as done.
    pub fn happened(&mut self, statuses_seen: Vec<Hash>, at: i64) {
        if self.done.is_none() && self.phase != Closed {
            self.set_done(statuses_seen, at);
            self.held_from = None;
        }
    }

    /// Everything that stops the act from being done now. Empty: it may be done.
    pub fn blocks(&self, facts: &CaseFacts<'_>, now: i64) -> Vec<Refusal> {
        let mut refusals = blocks(&self.decoded, Some(self.hash), facts, now);
        self.approval_blocks(facts, now, &mut refusals);
        refusals
    }

    fn approval_blocks(&self, facts: &CaseFacts<'_>, now: i64, refusals: &mut Vec<Refusal>) {
        let excepted = self.decoded.consent_exception.is_some()
            && rests_on_exception(&self.decoded, facts, now);
        let needed =
            excepted || guard(&self.decoded).is_none_or(|g| g.approval == Strength::Refuse);
        if !needed {
            return;
        }
        let kind = effective_kind(&self.decoded);
        let Some(approval) = &self.approval else {
            refusals.push(match self.refused {
                Some((hash, at)) if hash == self.hash => Refusal::ApprovalRefused { at },
                _ => Refusal::ApprovalMissing { kind },
            });
            return;
        };
        if approval.hash != self.hash {
            let (approved, now) = (approval.hash, self.hash);
            refusals.push(Refusal::PlanChangedSinceApproval { approved, now });
            return;
        }
        if now >= approval.valid_until_s {
            refusals.push(Refusal::ApprovalExpired { since: approval.valid_until_s });
        }
        let open = (1..=approval.conditions).filter(|condition| !self.met.contains(condition));
        refusals.extend(open.map(|condition| Refusal::ApprovalConditionOpen { condition }));
        if excepted && !approval.exception_accepted {
            refusals.push(Refusal::ConsentExceptionNotAvailable { why: "not-accepted" });
        }
    }

    fn edited(&mut self, plan: Vec<u8>) -> Result<(), Refusal> {
        let decoded: ActionPlan = decode(&plan)?;
        validate_plan(&decoded)?;
        if decoded.action_id != self.decoded.action_id {
            return Err(malformed("plan.action_id", Fault::Contradiction));
        }
        if self.done.is_some() || matches!(self.phase, Closed | Cancelled) {
            return Err(Refusal::OutOfStep { step: "edit", phase: self.phase.name() });
        }
        let hash = plan_hash(&plan);
        if hash == self.hash {
            return Ok(());
        }
        (self.plan, self.hash, self.decoded) = (plan, hash, decoded);
        (self.request, self.scheduled_for_s) = (None, 0);
        self.met.clear();
        match self.phase {
            // A hold stays a hold; an edit does not undo a withdrawal.
            OnHold => self.held_from = Some(Draft),
            _ => self.phase = Draft,
        }
        Ok(())
    }

    fn submitted(
        &mut self,
        request: &ApprovalRequest,
        facts: &CaseFacts<'_>,
        now: i64,
    ) -> Result<(), Refusal> {
        unblocked(blocks(&self.decoded, Some(self.hash), facts, now))?;
        self.from(&[Draft, ConsultingDefender, AwaitingApproval], "submit", now)?;
        let named = Hash::from_slice(&request.plan_hash);
        if named != Some(self.hash) || plan_hash(&request.plan) != self.hash {
            let approved = plan_hash(&request.plan);
            return Err(Refusal::PlanChangedSinceApproval { approved, now: self.hash });
        }
        let submitted_by = request.submitted_by.clone();
        let submitted_by = submitted_by.ok_or_else(|| malformed("submitted_by", Fault::Missing))?;
        // Whoever asks about another plan gives up what was approved before.
        self.approval = self.approval.take().filter(|approval| approval.hash == self.hash);
        self.request = Some(Request { id: request.request_id.clone(), submitted_by });
        self.phase = AwaitingApproval;
        Ok(())
    }

    fn decided(&mut self, decision: &DecisionBody, by: &Officer, now: i64) -> Result<(), Refusal> {
        permit(Act::Decide, Leg::MissionMinistry, role(by))?;
        if decision.decided_at_s > now.saturating_add(CLOCK_SLACK_S) {
            return Err(malformed("decision.decided_at_s", Fault::Range));
        }
        if decision.action_id != self.decoded.action_id {
            return Err(malformed("decision.action_id", Fault::Contradiction));
        }
        let named = Hash::from_slice(&decision.plan_hash);
        let approved = named.ok_or_else(|| malformed("decision.plan_hash", Fault::Length))?;
        if approved != self.hash {
            return Err(Refusal::PlanChangedSinceApproval { approved, now: self.hash });
        }
        let stands = if self.phase == OnHold { self.held_from } else { Some(self.phase) };
        let verdict = strict::<Verdict>(decision.verdict);
        // Two decision-makers who did not know of each other: the stricter counts, whatever came first.
        let decided = matches!(stands, Some(Cleared | Scheduled | Refused | Returned));
        let stricter = match (stands, verdict) {
            (Some(Cleared | Scheduled), verdict) => verdict != Verdict::Approved,
            (Some(Returned), verdict) => !matches!(verdict, Verdict::Approved | Verdict::Returned),
            _ => false,
        };
        let waits = stands == Some(AwaitingApproval) || decided;
        let step = "decide";
        let request =
            self.request.as_ref().filter(|request| waits && request.id == decision.request_id);
        let Some(request) = request else {
            return Err(Refusal::OutOfStep { step, phase: self.phase.name() });
        };
        if same_person(by, &request.submitted_by) {
            return Err(Refusal::FourEyes { act: "decide" });
        }
        if decided && !stricter {
            return Ok(());
        }
        let at = decision.decided_at_s;
        // The Ministry's last word counts: an earlier yes to the same plan does not outlive a no.
        let next = match verdict {
            Verdict::Approved => {
                self.approval = Some(self.approved(decision)?);
                Cleared
            }
            Verdict::Returned => {
                self.approval = None;
                Returned
            }
            _ => {
                (self.approval, self.refused) = (None, Some((self.hash, at)));
                Refused
            }
        };
        match self.phase {
            OnHold => self.held_from = Some(next),
            _ => self.phase = next,
        }
        Ok(())
    }

    fn approved(&self, decision: &DecisionBody) -> Result<Approval, Refusal> {
        let seen = decision.consent_statuses_seen.iter().filter_map(|h| Hash::from_slice(h));
        let statuses_seen: Vec<Hash> = seen.collect();
        // Whoever approves has looked at the consent of everybody, or has accepted its absence.
        if statuses_seen.len() < self.decoded.persons.len() && !decision.exception_accepted {
            return Err(Refusal::ConsentProofInvalid { step: "status-seen" });
        }
        let default = approval_validity_s(strict::<Urgency>(self.decoded.urgency));
        let valid_until_s = match decision.valid_until_s {
            0 => decision.decided_at_s.saturating_add(default),
            until => until,
        };
        Ok(Approval {
            hash: self.hash,
            valid_until_s,
            conditions: u32::try_from(decision.conditions.len()).unwrap_or(u32::MAX),
            exception_accepted: decision.exception_accepted,
            statuses_seen,
        })
    }

    fn do_it(
        &mut self,
        statuses_seen: Vec<Hash>,
        facts: &CaseFacts<'_>,
        now: i64,
    ) -> Result<(), Refusal> {
        unblocked(self.blocks(facts, now))?;
        self.from(&[Cleared, Scheduled], "do", now)?;
        let excepted = self.decoded.consent_exception.is_some();
        if statuses_seen.len() < self.decoded.persons.len() && !excepted {
            return Err(Refusal::ConsentProofInvalid { step: "status-seen" });
        }
        self.set_done(statuses_seen, now);
        Ok(())
    }

    fn set_done(&mut self, statuses_seen: Vec<Hash>, at: i64) {
        self.done = Some(Done { at, statuses_seen });
        let reports = guard(&self.decoded).is_some_and(|g| g.effect == Strength::Refuse);
        self.phase = if reports { EffectDue } else { InformDue };
    }

    /// D01: an act is over when its effect is reported and the person it is about has been told;
    /// one that was not done, when they have been told that.
    fn close(&mut self, now: i64) -> Result<(), Refusal> {
        let after = [EffectDue, InformDue, Refused, Cancelled, Expired];
        self.from(&after, "close", now)?;
        let guard = guard(&self.decoded);
        let reports = guard.is_none_or(|g| g.effect == Strength::Refuse);
        if let Some(by) = self.effect_due_s()
            && reports
            && !self.effect_reported
        {
            return Err(Refusal::EffectReportDue { by });
        }
        if guard.is_none_or(|g| g.informed == Strength::Refuse) && !self.informed {
            return Err(Refusal::DefenderNotInformed);
        }
        self.phase = Closed;
        Ok(())
    }

    fn withdrawn(&mut self, person: String, at: i64) {
        if !self.decoded.persons.contains(&person) {
            return;
        }
        if self.done.is_some() {
            self.no_further_use.get_or_insert((person, at));
            return;
        }
        if !matches!(self.phase, OnHold | Cancelled | Closed | Refused) {
            self.held_from = Some(self.phase);
            self.phase = OnHold;
        }
    }

    /// C05: a withdrawal from a device in other hands holds, and does not cancel.
    fn on_flagged_device(&self, facts: &CaseFacts<'_>) -> Result<(), Refusal> {
        let flagged = self
            .decoded
            .persons
            .iter()
            .find_map(|person| facts.consents.suspension(person).map(|cause| (person, cause)));
        match flagged {
            Some((person, cause)) => {
                let person = person.clone();
                Err(Refusal::ConsentSuspended { person, cause: cause.name() })
            }
            None => Ok(()),
        }
    }

    fn cancel(&mut self) {
        (self.phase, self.held_from) = (Cancelled, None);
    }

    fn from(&self, phases: &[ActionPhase], step: &'static str, now: i64) -> Result<(), Refusal> {
        if phases.contains(&self.phase(now)) { Ok(()) } else { Err(self.out_of_step(step, now)) }
    }

    fn out_of_step(&self, step: &'static str, now: i64) -> Refusal {
        Refusal::OutOfStep { step, phase: self.phase(now).name() }
    }
}

/// The first of what stops it.
fn unblocked(blocks: Vec<Refusal>) -> Result<(), Refusal> {
    match blocks.into_iter().next() {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

impl std::fmt::Debug for ActionEvent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActionEvent")
    }
}

impl<'a> ActionEvent<'a> {
    /// The step that a message says; `None` for other kinds, for a decision, whose signature has
    /// to be proven first, and for a plan, whose bytes are what counts.
    pub fn of(content: &'a w::Content) -> Option<Self> {
        use w::content::Body;
        match content.body.as_ref()? {
            Body::ApprovalRequest(request) => Some(Self::Submitted(request)),
            Body::EffectReport(_) => Some(Self::EffectReported),
            Body::ReactionInformed(_) => Some(Self::Informed),
            Body::ActionUpdate(update) => match w::ActionStep::try_from(update.step).ok()? {
                w::ActionStep::ConditionMet => Some(Self::ConditionMet(update.condition)),
                w::ActionStep::Scheduled => Some(Self::Scheduled(update.at_s)),
                w::ActionStep::Done => {
                    let seen = update.consent_statuses_seen.iter();
                    Some(Self::Done(seen.filter_map(|hash| Hash::from_slice(hash)).collect()))
                }
                w::ActionStep::Resumed => Some(Self::Resumed),
                w::ActionStep::Cancelled => Some(Self::Cancelled),
                w::ActionStep::Closed => Some(Self::Closed),
                w::ActionStep::HandedOver => update.to.as_ref().map(Self::HandedOver),
                // A hold follows from the withdrawal itself.
                w::ActionStep::OnHold | w::ActionStep::Unspecified => None,
            },
            _ => None,
        }
    }
}
