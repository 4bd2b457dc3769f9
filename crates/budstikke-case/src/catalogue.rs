//! Every key that this crate hands out, so that a client can prove its catalogue complete.

use std::collections::BTreeSet;

use crate::action::ActionPhase;
use crate::alert::AlertPhase;
use crate::handover::{CaseStage, HandoverPhase};
use crate::kind::Kind;
use crate::terms_state::Phase;
use crate::words::Word;
use crate::{view, wire as w};

/// Keys of the message catalogue: refusals, faults, who can fix them, next steps, warnings,
/// files, kinds, phases, words of every enum, and the headings and labels of views.
pub fn catalogue_keys() -> BTreeSet<String> {
    let mut keys: BTreeSet<String> = FIXED.iter().map(ToString::to_string).collect();
    keys.extend(view::LABELS.iter().map(ToString::to_string));
    keys.extend(Kind::ALL.iter().map(|kind| format!("kind-{}", kind.name())));
    keys.insert(format!("kind-{}", Kind::Unknown(0).name()));
    keys.extend(Phase::ALL.iter().map(|phase| format!("phase-{}", phase.name())));
    keys.extend(ActionPhase::ALL.iter().map(|phase| format!("action-phase-{}", phase.name())));
    keys.extend(AlertPhase::ALL.iter().map(|phase| format!("alert-phase-{}", phase.name())));
    keys.extend(HandoverPhase::ALL.iter().map(|phase| format!("handover-phase-{}", phase.name())));
    keys.extend(CaseStage::ALL.iter().map(|stage| format!("case-stage-{}", stage.name())));
    macro_rules! all {
        ($($word:ident)*) => { $( keys.extend(w::$word::all().map(Word::key)); )* };
    }
    all! {
        Role Leg Answer Handling Purpose DataCategory IdentityLevel Urgency Transport RunMode
        LegalBasis TermsKind RecipientClass OnwardMode ReceiptKind NotificationStyle
        TermsChangeKind SubjectKind Theme IncidentType ActorKind OtherActorKind SourceKind
        Reliability AgeBand Scope Choice Activation GiverBasis ConsentEvidence WhyNotSelf
        ConsentState FactStatus ActionKind Verdict ActionStep PublishView AlertTiming Severity
        Certainty AckKind LeftOutWhy CaseState InFlightKind AccessChangeKind
    }
    keys
}

const FIXED: &[&str] = &[
    "access-may-object",
    "fault-characters",
    "fault-contradiction",
    "fault-encoding",
    "fault-length",
    "fault-misplaced",
    "fault-missing",
    "fault-order",
    "fault-range",
    "fault-reference",
    "fault-twice",
    "fault-two-bodies",
    "file-syntax",
    "file-too-large",
    "file-unknown-field",
    "file-unknown-word",
    "file-wrong-type",
    "fix-another-role",
    "fix-both-sides",
    "fix-defender",
    "fix-newer-version",
    "fix-nobody",
    "fix-other-side",
    "fix-time",
    "fix-you",
    "next-step-agree-on-terms",
    "next-step-agree-with-the-ministry",
    "next-step-ask-a-second-person",
    "next-step-ask-about-these-words",
    "next-step-ask-each-person",
    "next-step-ask-family-or-lawyer",
    "next-step-ask-for-consent",
    "next-step-ask-for-consent-again",
    "next-step-ask-local-organisations",
    "next-step-ask-somebody-with-the-role",
    "next-step-ask-the-defender",
    "next-step-ask-the-sender",
    "next-step-ask-the-sender-for-proof",
    "next-step-assess-the-risk",
    "next-step-check-the-recipient",
    "next-step-choose-a-purpose",
    "next-step-compare-safety-words",
    "next-step-compare-terms",
    "next-step-consult-the-ministry",
    "next-step-correct-the-field",
    "next-step-leave-out-the-source",
    "next-step-leave-out-third-parties",
    "next-step-look-where-things-stand",
    "next-step-name-an-owner",
    "next-step-meet-the-condition",
    "next-step-nothing",
    "next-step-propose-new-terms",
    "next-step-reach-the-person",
    "next-step-read-the-reasons",
    "next-step-renew-terms",
    "next-step-renew-the-certificate",
    "next-step-report-the-effect",
    "next-step-request-approval",
    "next-step-request-approval-again",
    "next-step-respect-the-refusal",
    "next-step-seek-consent",
    "next-step-set-retention",
    "next-step-shorten-or-split",
    "next-step-show-less",
    "next-step-stop-and-tell",
    "next-step-talk-it-over",
    "next-step-tell-the-person",
    "next-step-update",
    "next-step-use-another-channel",
    "next-step-verify-the-facts",
    "next-step-wait-for-acceptance",
    "next-step-wait-or-mark-urgent",
    "refusal-advance-wish-forbids",
    "refusal-approval-condition-open",
    "refusal-approval-expired",
    "refusal-approval-missing",
    "refusal-approval-refused",
    "refusal-case-without-owner",
    "refusal-consent-exception-not-available",
    "refusal-consent-expired",
    "refusal-consent-giver-not-eligible",
    "refusal-consent-missing",
    "refusal-consent-proof-invalid",
    "refusal-consent-refused",
    "refusal-consent-stale",
    "refusal-consent-suspended",
    "refusal-consent-withdrawn",
    "refusal-consultation-not-sent",
    "refusal-defender-not-informed",
    "refusal-effect-report-due",
    "refusal-facts-not-verified",
    "refusal-four-eyes",
    "refusal-group-consent-does-not-name-members",
    "refusal-handling-forbids",
    "refusal-identity-level-too-high",
    "refusal-key-changed",
    "refusal-local-organisations-not-consulted",
    "refusal-malformed",
    "refusal-marking-too-high",
    "refusal-ministry-leg-not-agreed",
    "refusal-not-discussed-with-defender",
    "refusal-not-on-case-access-list",
    "refusal-not-understood",
    "refusal-onward-exceeds-defender-terms",
    "refusal-out-of-step",
    "refusal-plan-changed-since-approval",
    "refusal-purpose-incompatible",
    "refusal-purpose-missing",
    "refusal-quiet-time",
    "refusal-receipt-not-agreed",
    "refusal-recipient-unverified",
    "refusal-replay-ignored",
    "refusal-retention-missing",
    "refusal-risk-assessment-missing",
    "refusal-risk-assessment-outdated",
    "refusal-role-certificate-invalid",
    "refusal-role-not-permitted",
    "refusal-source-may-not-leave",
    "refusal-terms-expired",
    "refusal-terms-hash-mismatch",
    "refusal-terms-not-in-force",
    "refusal-third-party-not-stripped",
    "refusal-too-large",
    "refusal-transport-not-agreed",
    "refusal-wording-changed",
    "refusal-wrong-recipient",
    "warning-child-concerned",
    "warning-clock-implausible",
    "warning-distressing",
    "warning-exercise",
    "warning-expectations-old",
    "warning-facts-unverified",
    "warning-informal-not-tried",
    "warning-likeminded-not-asked",
    "warning-nobody-named",
    "warning-nobody-next",
    "warning-other-update-needed",
    "warning-read-the-wish",
    "warning-review-overdue",
    "warning-risk-not-known",
    "warning-security-side-missing",
    "warning-sequence-gap",
    "warning-tell-the-ministry",
    "warning-time-not-understood",
    "warning-told-by-other",
    "word-other-update-needed",
];
