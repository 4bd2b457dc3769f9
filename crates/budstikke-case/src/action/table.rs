//! The guard table (guidelines 2.3 to 2.16), as data with a version that plans and decisions name. A kind
//! without a row is not acted on.

use crate::wire::{ActionKind, ActionPlan, Answer, Scope, Urgency};
use crate::words::strict;

/// Version of [`POLICY`]; written into plans, decisions and overrides.
pub const POLICY_VERSION: u32 = 1;
const DAY_S: i64 = 86_400;

/// How strong a guard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Not asked.
    None,
    /// Said, stops nothing (W).
    Warn,
    /// Refused unless a role that may passes it with reasons (O).
    Override,
    /// Refused (R).
    Refuse,
}

use Strength::{None, Override, Refuse, Warn};

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// The act.
    pub kind: ActionKind,
    /// The consent it needs.
    pub scope: Scope,
    /// Also when nobody can be recognised.
    pub consent_always: bool,
    /// The consent names the exact words.
    pub wording: bool,
    /// Every fact used is verified.
    pub facts: Strength,
    /// A complete and recent risk assessment, talked over with the defender.
    pub risk: Strength,
    /// Made after the act that it publishes.
    pub risk_anew: bool,
    /// The Ministry's approval of exactly this plan.
    pub approval: Strength,
    /// The Ministry is told.
    pub tell_ministry: Strength,
    /// The Ministry is consulted beforehand. This version cannot carry a consultation, so these
    /// kinds stay refused (A06).
    pub consultation: Strength,
    /// Local organisations were heard.
    pub local_organisations: Strength,
    /// Like-minded countries were asked.
    pub likeminded: Strength,
    /// Informal dialogue was tried or is said not to be enough.
    pub informal_first: Strength,
    /// A report on the effect before closing.
    pub effect: Strength,
    /// The defender learns of it before closing.
    pub informed: Strength,
}

const BASE: Guard = Guard {
    kind: ActionKind::Unspecified,
    scope: Scope::Unspecified,
    consent_always: true,
    wording: false,
    facts: Warn,
    risk: Refuse,
    risk_anew: false,
    approval: None,
    tell_ministry: None,
    consultation: None,
    local_organisations: None,
    likeminded: None,
    informal_first: None,
    effect: None,
    informed: Refuse,
};

/// The table of this version.
pub static POLICY: &[Guard] = &[
    Guard {
        kind: ActionKind::InformalDialogue,
        scope: Scope::InformalDialogue,
        consent_always: false,
        likeminded: Warn,
        ..BASE
    },
    Guard {
        kind: ActionKind::FormalEnquiry,
        scope: Scope::FormalEnquiry,
        tell_ministry: Warn,
        informal_first: Warn,
        ..BASE
    },
    Guard {
        kind: ActionKind::OfficialMeeting,
        scope: Scope::OfficialMeeting,
        tell_ministry: Warn,
        informal_first: Warn,
        ..BASE
    },
    Guard {
        kind: ActionKind::Demarche,
        scope: Scope::Demarche,
        facts: Refuse,
        approval: Refuse,
        local_organisations: Override,
        likeminded: Warn,
        effect: Refuse,
        ..BASE
    },
    Guard {
        kind: ActionKind::OfficialStatement,
        scope: Scope::OfficialStatement,
        wording: true,
        facts: Refuse,
        approval: Refuse,
        local_organisations: Override,
        effect: Warn,
        ..BASE
    },
    Guard {
        kind: ActionKind::PublishDemarche,
        scope: Scope::PublishDemarche,
        facts: Refuse,
        risk_anew: true,
        approval: Refuse,
        ..BASE
    },
    Guard {
        kind: ActionKind::SocialMediaRecognition,
        scope: Scope::MediaOrSocial,
        tell_ministry: Warn,
        informed: Warn,
        ..BASE
    },
    Guard {
        kind: ActionKind::CourtObservation,
        scope: Scope::CourtObservation,
        consultation: Refuse,
        effect: Warn,
        informed: Warn,
        ..BASE
    },
    Guard {
        kind: ActionKind::DetentionVisit,
        scope: Scope::DetentionVisit,
        consultation: Refuse,
        effect: Warn,
        ..BASE
    },
];

/// The row that guards a plan; `None` for a kind that this version has no guards for.
pub fn guard(plan: &ActionPlan) -> Option<&'static Guard> {
    let kind = effective_kind(plan);
    POLICY.iter().find(|guard| guard.kind == kind)
}

/// What a plan is guarded as: OTHER like the kind it names, and a post about somebody at risk as
/// the official statement that it is. Only a plain no to the question makes it less.
pub fn effective_kind(plan: &ActionPlan) -> ActionKind {
    let kind = |raw| ActionKind::try_from(raw).unwrap_or_default();
    let named = match kind(plan.kind) {
        ActionKind::Other => kind(plan.guarded_like),
        named => named,
    };
    let at_risk = strict::<Answer>(plan.about_person_at_risk) != Answer::No;
    match named {
        ActionKind::SocialMediaRecognition if at_risk => ActionKind::OfficialStatement,
        named => named,
    }
}

/// Longest age of a risk assessment, seconds.
pub(super) fn risk_max_age_s(urgency: Urgency) -> i64 {
    if urgency == Urgency::Flash { 3 * DAY_S } else { 30 * DAY_S }
}

/// How long an approval holds that does not say, seconds.
pub(super) fn approval_validity_s(urgency: Urgency) -> i64 {
    match urgency {
        Urgency::Flash | Urgency::Urgent => 3 * DAY_S,
        _ => 14 * DAY_S,
    }
}

/// When the report on an act's effect is due, seconds after it.
pub(super) const EFFECT_DUE_S: i64 = 14 * DAY_S;
