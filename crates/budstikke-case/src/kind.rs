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
    /// A letter.
    FreeText,
    /// An answer about a message.
    Receipt,
    /// A kind of a newer version; its arm number.
    Unknown(u32),
}

impl Kind {
    /// Every kind this version knows, in order of number.
    pub const ALL: [Self; 11] = [
        Self::PrivacyNotice,
        Self::ChannelOffer,
        Self::TermsProposal,
        Self::TermsCounter,
        Self::TermsAcceptance,
        Self::TermsChange,
        Self::EmergencyContact,
        Self::CaseIntake,
        Self::IdentitySheet,
        Self::FreeText,
        Self::Receipt,
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
            Body::FreeText(_) => Self::FreeText,
            Body::Receipt(_) => Self::Receipt,
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
            Self::FreeText => 40,
            Self::Receipt => 41,
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
            Self::FreeText => "free-text",
            Self::Receipt => "receipt",
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

    /// Carries what somebody told about a person: needs a purpose (GDPR art. 5(1)(b)).
    pub fn is_case_content(self) -> bool {
        matches!(
            self,
            Self::EmergencyContact | Self::CaseIntake | Self::IdentitySheet | Self::FreeText
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
