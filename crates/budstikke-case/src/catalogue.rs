//! Every key that this crate hands out, so that a client can prove its catalogue complete.

use std::collections::BTreeSet;

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
    macro_rules! all {
        ($($word:ident)*) => { $( keys.extend(w::$word::all().map(Word::key)); )* };
    }
    all! {
        Role Leg Answer Handling Purpose DataCategory IdentityLevel Urgency Transport RunMode
        LegalBasis TermsKind RecipientClass OnwardMode ReceiptKind NotificationStyle
        TermsChangeKind SubjectKind Theme IncidentType ActorKind OtherActorKind SourceKind
        Reliability AgeBand
    }
    keys
}

const FIXED: &[&str] = &[
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
    "next-step-ask-somebody-with-the-role",
    "next-step-ask-the-defender",
    "next-step-ask-the-sender",
    "next-step-check-the-recipient",
    "next-step-choose-a-purpose",
    "next-step-compare-safety-words",
    "next-step-compare-terms",
    "next-step-correct-the-field",
    "next-step-leave-out-the-source",
    "next-step-leave-out-third-parties",
    "next-step-nothing",
    "next-step-propose-new-terms",
    "next-step-renew-terms",
    "next-step-set-retention",
    "next-step-shorten-or-split",
    "next-step-update",
    "next-step-use-another-channel",
    "next-step-wait-or-mark-urgent",
    "refusal-handling-forbids",
    "refusal-key-changed",
    "refusal-malformed",
    "refusal-marking-too-high",
    "refusal-ministry-leg-not-agreed",
    "refusal-not-understood",
    "refusal-onward-exceeds-defender-terms",
    "refusal-purpose-incompatible",
    "refusal-purpose-missing",
    "refusal-quiet-time",
    "refusal-receipt-not-agreed",
    "refusal-recipient-unverified",
    "refusal-replay-ignored",
    "refusal-retention-missing",
    "refusal-role-not-permitted",
    "refusal-source-may-not-leave",
    "refusal-terms-expired",
    "refusal-terms-hash-mismatch",
    "refusal-terms-not-in-force",
    "refusal-third-party-not-stripped",
    "refusal-too-large",
    "refusal-transport-not-agreed",
    "refusal-wrong-recipient",
    "warning-child-concerned",
    "warning-clock-implausible",
    "warning-distressing",
    "warning-exercise",
    "warning-expectations-old",
    "warning-nobody-named",
    "warning-other-update-needed",
    "warning-review-overdue",
    "warning-sequence-gap",
    "warning-time-not-understood",
    "warning-told-by-other",
    "word-other-update-needed",
];
