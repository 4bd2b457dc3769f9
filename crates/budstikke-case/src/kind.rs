//! What a message is about, without reading it: enough for an inbox row.

use crate::wire::{Content, content::Body};

/// The arms of `Content.body`. Numbers are the arms' field numbers and never change; names are
/// stable too and serve as Fluent key parts (`kind-case-intake`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// What is done with data (GDPR art. 13).
    PrivacyNotice,
    /// Published terms.
    ChannelOffer,
    /// New terms from either side.
    TermsProposal,
    /// An answer with other terms.
    TermsCounter,
    /// Yes to terms, by hash.
    TermsAcceptance,
    /// Suspend, resume or end.
    TermsChange,
    /// "I am in danger".
    EmergencyContact,
    /// Box 2.6.
    CaseIntake,
    /// Who somebody is.
    IdentitySheet,
    /// A case as the Ministry gets it: built, never forwarded.
    CaseBrief,
    /// Box 2.2.
    RiskAssessment,
    /// What is known to be so.
    VerificationRecord,
    /// A case changes hands.
    Handover,
    /// Who reads, told to the person concerned; or their no.
    CaseAccessChange,
    /// A letter.
    FreeText,
    /// An answer about a message.
    Receipt,
    /// May we do this, in these words?
    ConsentRequest,
    /// Everything somebody agreed to and refused.
    ConsentRecord,
    /// Of that, what one act needs.
    ConsentToken,
    /// Whether a token still stands.
    ConsentStatus,
    /// Taken back.
    ConsentWithdrawal,
    /// What is meant to be done.
    ActionPlan,
    /// May the mission do exactly this?
    ApprovalRequest,
    /// The Ministry's answer.
    Decision,
    /// What an act led to.
    EffectReport,
    /// What was done, told to the person concerned.
    ReactionInformed,
    /// A step of an act.
    ActionUpdate,
    /// A guard passed with reasons.
    GuardOverride,
    /// Somebody is needed by a time.
    Alert,
    /// A person's answer to an alert.
    AlertAck,
    /// Taken back by who raised it.
    AlertCancelled,
    /// How a team is reached when nobody answers an alert.
    EscalationContact,
    /// Who has got what, told to the person concerned.
    DisclosureNotice,
    /// A kind of a newer version; its arm number.
    Unknown(u32),
}

impl Kind {
    /// Every kind this version knows, in order of number.
    pub const ALL: [Self; 33] = [
        Self::PrivacyNotice,
        Self::ChannelOffer,
        Self::TermsProposal,
        Self::TermsCounter,
        Self::TermsAcceptance,
        Self::TermsChange,
        Self::EmergencyContact,
        Self::CaseIntake,
        Self::IdentitySheet,
        Self::CaseBrief,
        Self::RiskAssessment,
        Self::VerificationRecord,
        Self::Handover,
        Self::CaseAccessChange,
        Self::FreeText,
        Self::Receipt,
        Self::ConsentRequest,
        Self::ConsentRecord,
        Self::ConsentToken,
        Self::ConsentStatus,
        Self::ConsentWithdrawal,
        Self::ActionPlan,
        Self::ApprovalRequest,
        Self::Decision,
        Self::EffectReport,
        Self::ReactionInformed,
        Self::ActionUpdate,
        Self::GuardOverride,
        Self::Alert,
        Self::AlertAck,
        Self::AlertCancelled,
        Self::EscalationContact,
        Self::DisclosureNotice,
    ];

    /// Kind of a decoded message; `None` without a body this version knows.
    pub fn of(content: &Content) -> Option<Self> {
        content.body.as_ref().map(Self::of_body)
    }

    /// Kind of a body.
    pub fn of_body(body: &Body) -> Self {
        match body {
            Body::PrivacyNotice(_) => Self::PrivacyNotice,
            Body::ChannelOffer(_) => Self::ChannelOffer,
            Body::TermsProposal(_) => Self::TermsProposal,
            Body::TermsCounter(_) => Self::TermsCounter,
            Body::TermsAcceptance(_) => Self::TermsAcceptance,
            Body::TermsChange(_) => Self::TermsChange,
            Body::EmergencyContact(_) => Self::EmergencyContact,
            Body::CaseIntake(_) => Self::CaseIntake,
            Body::IdentitySheet(_) => Self::IdentitySheet,
            Body::CaseBrief(_) => Self::CaseBrief,
            Body::RiskAssessment(_) => Self::RiskAssessment,
            Body::VerificationRecord(_) => Self::VerificationRecord,
            Body::Handover(_) => Self::Handover,
            Body::CaseAccessChange(_) => Self::CaseAccessChange,
            Body::FreeText(_) => Self::FreeText,
            Body::Receipt(_) => Self::Receipt,
            Body::ConsentRequest(_) => Self::ConsentRequest,
            Body::ConsentRecord(_) => Self::ConsentRecord,
            Body::ConsentToken(_) => Self::ConsentToken,
            Body::ConsentStatus(_) => Self::ConsentStatus,
            Body::ConsentWithdrawal(_) => Self::ConsentWithdrawal,
            Body::ActionPlan(_) => Self::ActionPlan,
            Body::ApprovalRequest(_) => Self::ApprovalRequest,
            Body::Decision(_) => Self::Decision,
            Body::EffectReport(_) => Self::EffectReport,
            Body::ReactionInformed(_) => Self::ReactionInformed,
            Body::ActionUpdate(_) => Self::ActionUpdate,
            Body::GuardOverride(_) => Self::GuardOverride,
            Body::Alert(_) => Self::Alert,
            Body::AlertAck(_) => Self::AlertAck,
            Body::AlertCancelled(_) => Self::AlertCancelled,
            Body::EscalationContact(_) => Self::EscalationContact,
            Body::DisclosureNotice(_) => Self::DisclosureNotice,
        }
    }

    /// Stable number: the arm's field number in `Content`.
    pub fn number(self) -> u32 {
        match self {
            Self::PrivacyNotice => 10,
            Self::ChannelOffer => 11,
            Self::TermsProposal => 12,
            Self::TermsCounter => 13,
            Self::TermsAcceptance => 14,
            Self::TermsChange => 15,
            Self::EmergencyContact => 21,
            Self::CaseIntake => 30,
            Self::IdentitySheet => 31,
            Self::CaseBrief => 33,
            Self::RiskAssessment => 34,
            Self::VerificationRecord => 35,
            Self::Handover => 37,
            Self::CaseAccessChange => 38,
            Self::FreeText => 40,
            Self::Receipt => 41,
            Self::ConsentRequest => 50,
            Self::ConsentRecord => 51,
            Self::ConsentToken => 52,
            Self::ConsentStatus => 53,
            Self::ConsentWithdrawal => 54,
            Self::ActionPlan => 60,
            Self::ApprovalRequest => 61,
            Self::Decision => 62,
            Self::EffectReport => 65,
            Self::ReactionInformed => 66,
            Self::ActionUpdate => 67,
            Self::GuardOverride => 68,
            Self::Alert => 80,
            Self::AlertAck => 81,
            Self::AlertCancelled => 82,
            Self::EscalationContact => 84,
            Self::DisclosureNotice => 100,
            Self::Unknown(number) => number,
        }
    }

    /// Kind of a stored number; never fails, because a vault may be read by an older version.
    pub fn from_number(number: u32) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.number() == number);
        known.unwrap_or(Self::Unknown(number))
    }

    /// Stable name, kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Self::PrivacyNotice => "privacy-notice",
            Self::ChannelOffer => "channel-offer",
            Self::TermsProposal => "terms-proposal",
            Self::TermsCounter => "terms-counter",
            Self::TermsAcceptance => "terms-acceptance",
            Self::TermsChange => "terms-change",
            Self::EmergencyContact => "emergency-contact",
            Self::CaseIntake => "case-intake",
            Self::IdentitySheet => "identity-sheet",
            Self::CaseBrief => "case-brief",
            Self::RiskAssessment => "risk-assessment",
            Self::VerificationRecord => "verification-record",
            Self::Handover => "handover",
            Self::CaseAccessChange => "case-access-change",
            Self::FreeText => "free-text",
            Self::Receipt => "receipt",
            Self::ConsentRequest => "consent-request",
            Self::ConsentRecord => "consent-record",
            Self::ConsentToken => "consent-token",
            Self::ConsentStatus => "consent-status",
            Self::ConsentWithdrawal => "consent-withdrawal",
            Self::ActionPlan => "action-plan",
            Self::ApprovalRequest => "approval-request",
            Self::Decision => "decision",
            Self::EffectReport => "effect-report",
            Self::ReactionInformed => "reaction-informed",
            Self::ActionUpdate => "action-update",
            Self::GuardOverride => "guard-override",
            Self::Alert => "alert",
            Self::AlertAck => "alert-ack",
            Self::AlertCancelled => "alert-cancelled",
            Self::EscalationContact => "escalation-contact",
            Self::DisclosureNotice => "disclosure-notice",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Proposal, counter, acceptance or change: flows before terms are in force.
    pub fn is_negotiation(self) -> bool {
        matches!(
            self,
            Self::PrivacyNotice
                | Self::ChannelOffer
                | Self::TermsProposal
                | Self::TermsCounter
                | Self::TermsAcceptance
                | Self::TermsChange
        )
    }

    /// Carries what somebody told about a person: needs a purpose (GDPR art. 5(1)(b)). What takes
    /// back, acknowledges or tells who knows is never held up for the want of one.
    pub fn is_case_content(self) -> bool {
        !self.is_negotiation()
            && !matches!(
                self,
                Self::Receipt
                    | Self::ConsentWithdrawal
                    | Self::ConsentStatus
                    | Self::AlertAck
                    | Self::AlertCancelled
                    | Self::EscalationContact
                    | Self::DisclosureNotice
                    | Self::CaseAccessChange
                    | Self::Unknown(_)
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_arms_of_the_schema() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_number(kind.number()), kind);
            assert!(crate::scan::is_known_arm(kind.number()), "{}", kind.name());
        }
        assert_eq!(Kind::from_number(199), Kind::Unknown(199));
    }
}
