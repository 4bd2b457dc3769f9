//! How a refusal is shown: code, keys, details, and whose turn it is.

use super::{Refusal, WhoCanFix};
use crate::hash::Hash;
use crate::words::Word;

impl Refusal {
    /// Stable code, as in a `REFUSED` receipt.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TermsNotInForce { .. } => "T01",
            Self::TermsExpired { .. } => "T02",
            Self::TermsHashMismatch { .. } => "T03",
            Self::TransportNotAgreed { .. } => "T04",
            Self::OnwardExceedsDefenderTerms { .. } => "T05",
            Self::MinistryLegNotAgreed => "T06",
            Self::ReceiptNotAgreed { .. } => "T07",
            Self::QuietTime { .. } => "T08",
            Self::WrongRecipient { .. } => "I01",
            Self::RecipientUnverified | Self::KeyChanged { .. } => "I02",
            Self::RoleNotPermitted { .. } => "I03",
            Self::RoleCertificateInvalid { .. } => "I04",
            Self::NotOnCaseAccessList { .. } => "I05",
            Self::FourEyes { .. } => "I06",
            Self::ConsentMissing { .. } => "C01",
            Self::ConsentRefused { .. } => "C02",
            Self::AdvanceWishForbids { .. } => "C03",
            Self::ConsentWithdrawn { .. } => "C04",
            Self::ConsentSuspended { .. } => "C05",
            Self::ConsentExpired { .. } | Self::ConsentStale { .. } => "C06",
            Self::ConsentGiverNotEligible { .. } => "C07",
            Self::IdentityLevelTooHigh { .. } => "C08",
            Self::WordingChanged { .. } => "C09",
            Self::ConsentProofInvalid { .. } => "C10",
            Self::GroupConsentDoesNotNameMembers { .. } => "C11",
            Self::ConsentExceptionNotAvailable { .. } => "C12",
            Self::FactsNotVerified { .. } => "F01",
            Self::RiskAssessmentMissing { .. } | Self::RiskAssessmentOutdated { .. } => "F02",
            Self::NotDiscussedWithDefender => "F03",
            Self::LocalOrganisationsNotConsulted => "F05",
            Self::ApprovalMissing { .. } => "A01",
            Self::ApprovalRefused { .. } => "A02",
            Self::ApprovalExpired { .. } => "A03",
            Self::PlanChangedSinceApproval { .. } => "A04",
            Self::ApprovalConditionOpen { .. } => "A05",
            Self::ConsultationNotSent { .. } => "A06",
            Self::EffectReportDue { .. } | Self::DefenderNotInformed => "D01",
            Self::CaseWithoutOwner { .. } => "H01",
            Self::OutOfStep { .. } => "W04",
            Self::PurposeMissing | Self::PurposeIncompatible { .. } => "P01",
            Self::SourceMayNotLeave | Self::ThirdPartyNotStripped { .. } => "P02",
            Self::HandlingForbids { .. } => "P03",
            Self::RetentionMissing { .. } => "P04",
            Self::MarkingTooHigh { .. } => "P07",
            Self::NotUnderstood { .. } => "W01",
            Self::Malformed { .. } | Self::TooLarge { .. } => "W02",
            Self::ReplayIgnored { .. } => "W03",
        }
    }

    /// Key of the sentence in the message catalogue.
    pub fn message_key(&self) -> &'static str {
        match self {
            Self::TermsNotInForce { .. } => "refusal-terms-not-in-force",
            Self::TermsExpired { .. } => "refusal-terms-expired",
            Self::TermsHashMismatch { .. } => "refusal-terms-hash-mismatch",
            Self::TransportNotAgreed { .. } => "refusal-transport-not-agreed",
            Self::OnwardExceedsDefenderTerms { .. } => "refusal-onward-exceeds-defender-terms",
            Self::MinistryLegNotAgreed => "refusal-ministry-leg-not-agreed",
            Self::ReceiptNotAgreed { .. } => "refusal-receipt-not-agreed",
            Self::QuietTime { .. } => "refusal-quiet-time",
            Self::WrongRecipient { .. } => "refusal-wrong-recipient",
            Self::RecipientUnverified => "refusal-recipient-unverified",
            Self::KeyChanged { .. } => "refusal-key-changed",
            Self::RoleNotPermitted { .. } => "refusal-role-not-permitted",
            Self::RoleCertificateInvalid { .. } => "refusal-role-certificate-invalid",
            Self::NotOnCaseAccessList { .. } => "refusal-not-on-case-access-list",
            Self::FourEyes { .. } => "refusal-four-eyes",
            Self::ConsentMissing { .. } => "refusal-consent-missing",
            Self::ConsentRefused { .. } => "refusal-consent-refused",
            Self::AdvanceWishForbids { .. } => "refusal-advance-wish-forbids",
            Self::ConsentWithdrawn { .. } => "refusal-consent-withdrawn",
            Self::ConsentSuspended { .. } => "refusal-consent-suspended",
            Self::ConsentExpired { .. } => "refusal-consent-expired",
            Self::ConsentStale { .. } => "refusal-consent-stale",
            Self::ConsentGiverNotEligible { .. } => "refusal-consent-giver-not-eligible",
            Self::IdentityLevelTooHigh { .. } => "refusal-identity-level-too-high",
            Self::WordingChanged { .. } => "refusal-wording-changed",
            Self::ConsentProofInvalid { .. } => "refusal-consent-proof-invalid",
            Self::GroupConsentDoesNotNameMembers { .. } => {
                "refusal-group-consent-does-not-name-members"
            }
            Self::ConsentExceptionNotAvailable { .. } => "refusal-consent-exception-not-available",
            Self::FactsNotVerified { .. } => "refusal-facts-not-verified",
            Self::RiskAssessmentMissing { .. } => "refusal-risk-assessment-missing",
            Self::RiskAssessmentOutdated { .. } => "refusal-risk-assessment-outdated",
            Self::NotDiscussedWithDefender => "refusal-not-discussed-with-defender",
            Self::LocalOrganisationsNotConsulted => "refusal-local-organisations-not-consulted",
            Self::ApprovalMissing { .. } => "refusal-approval-missing",
            Self::ApprovalRefused { .. } => "refusal-approval-refused",
            Self::ApprovalExpired { .. } => "refusal-approval-expired",
            Self::PlanChangedSinceApproval { .. } => "refusal-plan-changed-since-approval",
            Self::ApprovalConditionOpen { .. } => "refusal-approval-condition-open",
            Self::ConsultationNotSent { .. } => "refusal-consultation-not-sent",
            Self::EffectReportDue { .. } => "refusal-effect-report-due",
            Self::DefenderNotInformed => "refusal-defender-not-informed",
            Self::CaseWithoutOwner { .. } => "refusal-case-without-owner",
            Self::OutOfStep { .. } => "refusal-out-of-step",
            Self::PurposeMissing => "refusal-purpose-missing",
            Self::PurposeIncompatible { .. } => "refusal-purpose-incompatible",
            Self::SourceMayNotLeave => "refusal-source-may-not-leave",
            Self::ThirdPartyNotStripped { .. } => "refusal-third-party-not-stripped",
            Self::HandlingForbids { .. } => "refusal-handling-forbids",
            Self::RetentionMissing { .. } => "refusal-retention-missing",
            Self::MarkingTooHigh { .. } => "refusal-marking-too-high",
            Self::NotUnderstood { .. } => "refusal-not-understood",
            Self::Malformed { .. } => "refusal-malformed",
            Self::TooLarge { .. } => "refusal-too-large",
            Self::ReplayIgnored { .. } => "refusal-replay-ignored",
        }
    }

    /// Named values for the sentence: safe to show, and to put into a receipt or a log.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TermsNotInForce { leg, state } => {
                vec![("leg", leg.name()), ("state", state.name().to_owned())]
            }
            Self::TermsExpired { since } | Self::KeyChanged { since } => {
                vec![("since", since.to_string())]
            }
            Self::TermsHashMismatch { expected, got } => {
                let text = |hash: &Option<Hash>| hash.map_or_else(String::new, |h| h.to_string());
                vec![("expected", text(expected)), ("got", text(got))]
            }
            Self::TransportNotAgreed { transport } => vec![("transport", transport.name())],
            Self::OnwardExceedsDefenderTerms { what, asked, allowed } => {
                vec![("what", what.clone()), ("asked", asked.clone()), ("allowed", allowed.clone())]
            }
            Self::ReceiptNotAgreed { kind } => vec![("kind", kind.name())],
            Self::QuietTime { until } => vec![("until", until.to_string())],
            Self::WrongRecipient { intended, actual, why } => vec![
                ("intended", intended.clone()),
                ("actual", actual.clone()),
                ("why", (*why).to_owned()),
            ],
            Self::RoleNotPermitted { role, act, allowed } => {
                vec![("role", role.name()), ("act", (*act).to_owned()), ("allowed", names(allowed))]
            }
            Self::PurposeIncompatible { from, to } => {
                vec![("from", names(from)), ("to", to.name())]
            }
            Self::ThirdPartyNotStripped { field } => vec![("field", field.clone())],
            Self::HandlingForbids { handling } => vec![("handling", handling.name())],
            Self::RetentionMissing { field } => vec![("field", (*field).to_owned())],
            Self::MarkingTooHigh { marking } => vec![("marking", marking.clone())],
            Self::NotUnderstood { what } => vec![("what", what.to_string())],
            Self::Malformed { field, fault } => {
                vec![("field", field.clone()), ("fault", fault.key().to_owned())]
            }
            Self::TooLarge { field, limit, got, unit } => vec![
                ("field", field.clone()),
                ("limit", limit.to_string()),
                ("got", got.to_string()),
                ("unit", unit.name().to_owned()),
            ],
            Self::ReplayIgnored { seq } => vec![("seq", seq.to_string())],
            Self::RoleCertificateInvalid { reason } => vec![("reason", (*reason).to_owned())],
            Self::NotOnCaseAccessList { case } | Self::CaseWithoutOwner { case } => {
                vec![("case", case.clone())]
            }
            Self::FourEyes { act } => vec![("act", (*act).to_owned())],
            Self::ConsentMissing { person, scope } | Self::ConsentRefused { person, scope } => {
                vec![("person", person.clone()), ("scope", scope.name())]
            }
            Self::AdvanceWishForbids { person, scope, activation } => vec![
                ("person", person.clone()),
                ("scope", scope.name()),
                ("activation", activation.name()),
            ],
            Self::ConsentWithdrawn { person, at } => {
                vec![("person", person.clone()), ("since", at.to_string())]
            }
            Self::ConsentSuspended { person, cause } => {
                vec![("person", person.clone()), ("cause", (*cause).to_owned())]
            }
            Self::ConsentExpired { person, since } => {
                vec![("person", person.clone()), ("since", since.to_string())]
            }
            Self::ConsentStale { person, last, max_s } => vec![
                ("person", person.clone()),
                ("since", last.to_string()),
                ("hours", hours(*max_s)),
            ],
            Self::ConsentGiverNotEligible { person, basis } => {
                vec![("person", person.clone()), ("basis", basis.clone())]
            }
            Self::IdentityLevelTooHigh { person, asked, allowed } => vec![
                ("person", person.clone()),
                ("level_asked", asked.name()),
                ("level_agreed", allowed.name()),
            ],
            Self::WordingChanged { person, agreed, now } => {
                vec![("person", person.clone()), ("agreed", hash(*agreed)), ("now", hash(*now))]
            }
            Self::ConsentProofInvalid { step } => vec![("step", (*step).to_owned())],
            Self::GroupConsentDoesNotNameMembers { person } => vec![("person", person.clone())],
            Self::ConsentExceptionNotAvailable { why } => vec![("why", (*why).to_owned())],
            Self::FactsNotVerified { facts } if facts.is_empty() => {
                vec![("facts", "none".to_owned())]
            }
            Self::FactsNotVerified { facts } => vec![("facts", facts.join(", "))],
            Self::RiskAssessmentMissing { missing } => vec![("missing", missing.join(", "))],
            Self::RiskAssessmentOutdated { made, max_s } => {
                vec![("since", made.to_string()), ("hours", hours(*max_s))]
            }
            Self::ApprovalMissing { kind } | Self::ConsultationNotSent { kind } => {
                vec![("action", kind.name())]
            }
            Self::ApprovalRefused { at } => vec![("since", at.to_string())],
            Self::ApprovalExpired { since } => vec![("since", since.to_string())],
            Self::PlanChangedSinceApproval { approved, now } => {
                vec![("approved", approved.to_string()), ("now", now.to_string())]
            }
            Self::ApprovalConditionOpen { condition } => {
                vec![("condition", condition.to_string())]
            }
            Self::EffectReportDue { by } => vec![("until", by.to_string())],
            Self::OutOfStep { step, phase } => {
                vec![("step", (*step).to_owned()), ("phase", (*phase).to_owned())]
            }
            Self::MinistryLegNotAgreed
            | Self::RecipientUnverified
            | Self::PurposeMissing
            | Self::SourceMayNotLeave
            | Self::NotDiscussedWithDefender
            | Self::LocalOrganisationsNotConsulted
            | Self::DefenderNotInformed => Vec::new(),
        }
    }

    /// Whose turn it is.
    pub fn who_can_fix(&self) -> WhoCanFix {
        match self {
            Self::TermsNotInForce { .. }
            | Self::TermsExpired { .. }
            | Self::TermsHashMismatch { .. }
            | Self::TransportNotAgreed { .. }
            | Self::MinistryLegNotAgreed
            | Self::ReceiptNotAgreed { .. }
            | Self::PurposeIncompatible { .. }
            | Self::RecipientUnverified
            | Self::KeyChanged { .. } => WhoCanFix::BothSides,
            Self::OnwardExceedsDefenderTerms { .. }
            | Self::ConsentMissing { .. }
            | Self::ConsentRefused { .. }
            | Self::AdvanceWishForbids { .. }
            | Self::ConsentWithdrawn { .. }
            | Self::ConsentSuspended { .. }
            | Self::ConsentExpired { .. }
            | Self::ConsentStale { .. }
            | Self::ConsentGiverNotEligible { .. }
            | Self::WordingChanged { .. }
            | Self::GroupConsentDoesNotNameMembers { .. } => WhoCanFix::Defender,
            Self::QuietTime { .. } => WhoCanFix::Time,
            Self::RoleNotPermitted { .. }
            | Self::FourEyes { .. }
            | Self::NotOnCaseAccessList { .. } => WhoCanFix::AnotherRole,
            Self::HandlingForbids { .. }
            | Self::RoleCertificateInvalid { .. }
            | Self::ConsentProofInvalid { .. }
            | Self::ApprovalMissing { .. }
            | Self::ApprovalRefused { .. }
            | Self::ApprovalExpired { .. }
            | Self::ConsultationNotSent { .. } => WhoCanFix::OtherSide,
            Self::NotUnderstood { .. } => WhoCanFix::NewerVersion,
            Self::ReplayIgnored { .. } => WhoCanFix::Nobody,
            Self::WrongRecipient { .. }
            | Self::PurposeMissing
            | Self::SourceMayNotLeave
            | Self::ThirdPartyNotStripped { .. }
            | Self::RetentionMissing { .. }
            | Self::MarkingTooHigh { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::IdentityLevelTooHigh { .. }
            | Self::ConsentExceptionNotAvailable { .. }
            | Self::FactsNotVerified { .. }
            | Self::RiskAssessmentMissing { .. }
            | Self::RiskAssessmentOutdated { .. }
            | Self::NotDiscussedWithDefender
            | Self::LocalOrganisationsNotConsulted
            | Self::PlanChangedSinceApproval { .. }
            | Self::ApprovalConditionOpen { .. }
            | Self::EffectReportDue { .. }
            | Self::DefenderNotInformed
            | Self::CaseWithoutOwner { .. }
            | Self::OutOfStep { .. } => WhoCanFix::You,
        }
    }

    /// Key of the sentence that says what to do next.
    pub fn next_step_key(&self) -> &'static str {
        match self {
            Self::TermsNotInForce { .. } => "next-step-agree-on-terms",
            Self::TermsExpired { .. } => "next-step-renew-terms",
            Self::TermsHashMismatch { .. } => "next-step-compare-terms",
            Self::TransportNotAgreed { .. } | Self::ReceiptNotAgreed { .. } => {
                "next-step-propose-new-terms"
            }
            Self::OnwardExceedsDefenderTerms { .. } => "next-step-ask-the-defender",
            Self::MinistryLegNotAgreed => "next-step-agree-with-the-ministry",
            Self::QuietTime { .. } => "next-step-wait-or-mark-urgent",
            Self::WrongRecipient { .. } => "next-step-check-the-recipient",
            Self::RecipientUnverified | Self::KeyChanged { .. } => "next-step-compare-safety-words",
            Self::RoleNotPermitted { .. } => "next-step-ask-somebody-with-the-role",
            Self::PurposeMissing | Self::PurposeIncompatible { .. } => "next-step-choose-a-purpose",
            Self::SourceMayNotLeave => "next-step-leave-out-the-source",
            Self::ThirdPartyNotStripped { .. } => "next-step-leave-out-third-parties",
            Self::HandlingForbids { .. } => "next-step-ask-the-sender",
            Self::RetentionMissing { .. } => "next-step-set-retention",
            Self::MarkingTooHigh { .. } => "next-step-use-another-channel",
            Self::NotUnderstood { .. } => "next-step-update",
            Self::Malformed { .. } => "next-step-correct-the-field",
            Self::TooLarge { .. } => "next-step-shorten-or-split",
            Self::ReplayIgnored { .. } => "next-step-nothing",
            Self::RoleCertificateInvalid { .. } => "next-step-renew-the-certificate",
            Self::FourEyes { .. } => "next-step-ask-a-second-person",
            Self::ConsentMissing { .. } => "next-step-ask-for-consent",
            Self::ConsentRefused { .. } | Self::AdvanceWishForbids { .. } => {
                "next-step-respect-the-refusal"
            }
            Self::ConsentWithdrawn { .. } => "next-step-stop-and-tell",
            Self::ConsentSuspended { .. } => "next-step-reach-the-person",
            Self::ConsentExpired { .. } | Self::ConsentStale { .. } => {
                "next-step-ask-for-consent-again"
            }
            Self::ConsentGiverNotEligible { .. } => "next-step-ask-family-or-lawyer",
            Self::IdentityLevelTooHigh { .. } => "next-step-show-less",
            Self::WordingChanged { .. } => "next-step-ask-about-these-words",
            Self::ConsentProofInvalid { .. } => "next-step-ask-the-sender-for-proof",
            Self::GroupConsentDoesNotNameMembers { .. } => "next-step-ask-each-person",
            Self::ConsentExceptionNotAvailable { .. } => "next-step-seek-consent",
            Self::FactsNotVerified { .. } => "next-step-verify-the-facts",
            Self::RiskAssessmentMissing { .. } | Self::RiskAssessmentOutdated { .. } => {
                "next-step-assess-the-risk"
            }
            Self::NotDiscussedWithDefender => "next-step-talk-it-over",
            Self::LocalOrganisationsNotConsulted => "next-step-ask-local-organisations",
            Self::ApprovalMissing { .. } | Self::ApprovalExpired { .. } => {
                "next-step-request-approval"
            }
            Self::ApprovalRefused { .. } => "next-step-read-the-reasons",
            Self::PlanChangedSinceApproval { .. } => "next-step-request-approval-again",
            Self::ApprovalConditionOpen { .. } => "next-step-meet-the-condition",
            Self::ConsultationNotSent { .. } => "next-step-consult-the-ministry",
            Self::EffectReportDue { .. } => "next-step-report-the-effect",
            Self::DefenderNotInformed => "next-step-tell-the-person",
            Self::NotOnCaseAccessList { .. } => "next-step-wait-for-acceptance",
            Self::CaseWithoutOwner { .. } => "next-step-name-an-owner",
            Self::OutOfStep { .. } => "next-step-look-where-things-stand",
        }
    }
}

fn hash(hash: Option<Hash>) -> String {
    hash.map_or_else(String::new, |hash| hash.to_string())
}

fn hours(seconds: i64) -> String {
    (seconds / 3_600).to_string()
}

fn names<E: Word>(words: &[E]) -> String {
    words.iter().map(|word| word.name()).collect::<Vec<_>>().join(", ")
}
