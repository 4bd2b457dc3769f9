//! A guarded act from plan to closing (guidelines 2.5):
//!
//! ```text
//! DRAFT → CONSULTING_DEFENDER → AWAITING_APPROVAL → CLEARED → SCHEDULED → DONE
//!       → EFFECT_DUE → INFORM_DUE → CLOSED
//! side: REFUSED · RETURNED → DRAFT · ON_HOLD · CANCELLED · EXPIRED
//! ```
//!
//! A plain function of state, event, facts of the case and `now`. Any edit of the plan changes its
//! hash and leads back to DRAFT; there is no approval by silence; what happened is never rewritten.

mod apply;
mod check;
mod record;
mod review;
mod table;

use std::collections::BTreeSet;

use crate::carried::decode;
use crate::hash::{Hash, plan_hash};
use crate::refusal::Refusal;
use crate::validate::validate_plan;
use crate::wire::{ActionPlan, Officer, RiskAnswer, RiskAssessment};

pub use apply::ActionEvent;
pub use check::{CaseFacts, ask, cautions, check};
pub use review::{Review, review};
pub use table::{Guard, POLICY, POLICY_VERSION, Strength, effective_kind, guard};

/// Where an act stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionPhase {
    /// Being written.
    Draft,
    /// Being talked over with the person it is about.
    ConsultingDefender,
    /// Before the Ministry.
    AwaitingApproval,
    /// May be done.
    Cleared,
    /// Has a time.
    Scheduled,
    /// Done, and the Ministry waits for a report on its effect.
    EffectDue,
    /// Done, and the person it is about is to be told.
    InformDue,
    /// Over.
    Closed,
    /// The Ministry said no.
    Refused,
    /// The Ministry wants more; an edit leads back to a draft.
    Returned,
    /// Consent was taken back, or is in doubt; nothing moves.
    OnHold,
    /// Will not be done.
    Cancelled,
    /// The approval ran out before it was done.
    Expired,
}

/// One act. Both the mission and the Ministry keep one and feed it the same events.
#[derive(Clone, PartialEq)]
pub struct ActionState {
    plan: Vec<u8>,
    hash: Hash,
    decoded: ActionPlan,
    phase: ActionPhase,
    request: Option<Request>,
    approval: Option<Approval>,
    refused: Option<(Hash, i64)>,
    met: BTreeSet<u32>,
    scheduled_for_s: i64,
    done: Option<Done>,
    effect_reported: bool,
    informed: bool,
    /// While ON_HOLD: where it stood.
    held_from: Option<ActionPhase>,
    /// Person and time of a withdrawal that came after the act.
    no_further_use: Option<(String, i64)>,
    owner: Option<Officer>,
}

#[derive(Clone, PartialEq)]
struct Request {
    id: Vec<u8>,
    submitted_by: Officer,
}

/// An approval, bound to the plan it was given for.
#[derive(Clone, PartialEq)]
struct Approval {
    hash: Hash,
    valid_until_s: i64,
    conditions: u32,
    exception_accepted: bool,
    statuses_seen: Vec<Hash>,
}

#[derive(Clone, PartialEq)]
struct Done {
    at: i64,
    statuses_seen: Vec<Hash>,
}

impl ActionState {
    /// A new act. `plan` is an encoded `ActionPlan`, kept verbatim.
    ///
    /// # Errors
    /// W01 and W02 for a plan that is not in order.
    pub fn draft(plan: Vec<u8>) -> Result<Self, Refusal> {
        let decoded: ActionPlan = decode(&plan)?;
        validate_plan(&decoded)?;
        Ok(Self {
            hash: plan_hash(&plan),
            plan,
            decoded,
            phase: ActionPhase::Draft,
            request: None,
            approval: None,
            refused: None,
            met: BTreeSet::new(),
            scheduled_for_s: 0,
            done: None,
            effect_reported: false,
            informed: false,
            held_from: None,
            no_further_use: None,
            owner: None,
        })
    }

    /// Where it stands at `now`.
    pub fn phase(&self, now: i64) -> ActionPhase {
        let waiting = matches!(self.phase, ActionPhase::Cleared | ActionPhase::Scheduled);
        match &self.approval {
            Some(approval) if waiting && now >= approval.valid_until_s => ActionPhase::Expired,
            _ => self.phase,
        }
    }

    /// The plan as it stands.
    pub fn plan(&self) -> &ActionPlan {
        &self.decoded
    }

    /// The plan's bytes.
    pub fn plan_bytes(&self) -> &[u8] {
        &self.plan
    }

    /// What an approval has to name.
    pub fn plan_hash(&self) -> Hash {
        self.hash
    }

    /// When it was done, Unix seconds.
    pub fn done_at(&self) -> Option<i64> {
        self.done.as_ref().map(|done| done.at)
    }

    /// Hashes of the consent statuses seen when it was done.
    pub fn statuses_seen(&self) -> &[Hash] {
        self.done.as_ref().map_or(&[], |done| &done.statuses_seen)
    }

    /// Hashes of the consent statuses that the decision-maker saw.
    pub fn statuses_seen_at_decision(&self) -> &[Hash] {
        self.approval.as_ref().map_or(&[], |approval| &approval.statuses_seen)
    }

    /// Until when the approval holds, Unix seconds.
    pub fn approved_until(&self) -> Option<i64> {
        self.approval.as_ref().filter(|a| a.hash == self.hash).map(|a| a.valid_until_s)
    }

    /// When it is to be done; 0 = no time set.
    pub fn scheduled_for_s(&self) -> i64 {
        self.scheduled_for_s
    }

    /// Whether the report on its effect went out.
    pub fn effect_reported(&self) -> bool {
        self.effect_reported
    }

    /// Whether the person concerned was told.
    pub fn informed(&self) -> bool {
        self.informed
    }

    /// When the report on its effect is due, Unix seconds.
    pub fn effect_due_s(&self) -> Option<i64> {
        self.done.as_ref().map(|done| done.at.saturating_add(table::EFFECT_DUE_S))
    }

    /// Who goes on with it since it was handed over; before that, whoever planned it.
    pub fn owner(&self) -> Option<&Officer> {
        self.owner.as_ref()
    }

    /// Who took consent back after it was done, and when: nothing more may be made of it.
    pub fn no_further_use(&self) -> Option<(&str, i64)> {
        self.no_further_use.as_ref().map(|(person, at)| (person.as_str(), *at))
    }
}

/// Box 2.2's questions and those of the text before it, by field name.
pub(crate) fn risk_answers(m: &RiskAssessment) -> [(&'static str, Option<&RiskAnswer>); 11] {
    [
        ("q1_current_threats", m.q1_current_threats.as_ref()),
        ("q2_cause_and_reprisal", m.q2_cause_and_reprisal.as_ref()),
        ("q3_earlier_threats", m.q3_earlier_threats.as_ref()),
        ("q4_perpetrator_link", m.q4_perpetrator_link.as_ref()),
        ("q5_environment_and_vulnerability", m.q5_environment_and_vulnerability.as_ref()),
        ("q6_police_response", m.q6_police_response.as_ref()),
        ("q7_local_mechanisms", m.q7_local_mechanisms.as_ref()),
        ("contact_could_cause_reaction", m.contact_could_cause_reaction.as_ref()),
        ("contact_with_authorities_could", m.contact_with_authorities_could.as_ref()),
        ("family_at_risk", m.family_at_risk.as_ref()),
        ("harm_to_their_work", m.harm_to_their_work.as_ref()),
    ]
}

impl ActionPhase {
    /// Every phase.
    pub const ALL: [Self; 13] = [
        Self::Draft,
        Self::ConsultingDefender,
        Self::AwaitingApproval,
        Self::Cleared,
        Self::Scheduled,
        Self::EffectDue,
        Self::InformDue,
        Self::Closed,
        Self::Refused,
        Self::Returned,
        Self::OnHold,
        Self::Cancelled,
        Self::Expired,
    ];

    /// Stable word, also a Fluent key part: `action-phase-draft`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::ConsultingDefender => "consulting-defender",
            Self::AwaitingApproval => "awaiting-approval",
            Self::Cleared => "cleared",
            Self::Scheduled => "scheduled",
            Self::EffectDue => "effect-due",
            Self::InformDue => "inform-due",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::Returned => "returned",
            Self::OnHold => "on-hold",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl std::fmt::Debug for ActionState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActionState")
    }
}
