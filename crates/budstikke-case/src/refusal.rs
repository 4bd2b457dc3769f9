//! Every act this library will not do, with a stable code and somebody who can put it right.

use thiserror::Error;

use crate::hash::Hash;
use crate::terms_state::Phase;
use crate::wire::{
    Handling, IdentityLevel, Leg, OnwardMode, Purpose, ReceiptKind, Role, Transport,
};
use crate::words::Word;

/// A refusal: an act that will not be done, and why, in one sentence. Nothing in it quotes a
/// case; `details` are safe to show and to send.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// T01
    #[error("Both sides have to agree on the terms of this channel before anything else is sent.")]
    TermsNotInForce {
        /// Between whom.
        leg: Leg,
        /// How far the agreement is.
        state: Phase,
    },
    /// T02
    #[error("The agreed terms have run out; renew them first.")]
    TermsExpired {
        /// Unix seconds.
        since: i64,
    },
    /// T03
    #[error("This names other terms than the ones both sides have before them.")]
    TermsHashMismatch {
        /// What the other side has, if anything.
        expected: Option<Hash>,
        /// What was named, if it was a hash at all.
        got: Option<Hash>,
    },
    /// T04
    #[error("The terms do not include this way of sending ({}).", transport.name())]
    TransportNotAgreed {
        /// The way tried.
        transport: Transport,
    },
    /// T05
    #[error("These terms would pass on more than the defender has agreed to ({what}).")]
    OnwardExceedsDefenderTerms {
        /// Recipient class or other measure, by name.
        what: String,
        /// By name.
        asked: String,
        /// By name.
        allowed: String,
    },
    /// T06
    #[error("The mission and the Ministry have not agreed on terms between them yet.")]
    MinistryLegNotAgreed,
    /// T07
    #[error("The terms do not include this kind of receipt ({}).", kind.name())]
    ReceiptNotAgreed {
        /// The kind.
        kind: ReceiptKind,
    },
    /// T08
    #[error("The other person has asked for quiet now; it can go out later, or as urgent.")]
    QuietTime {
        /// Unix seconds at which the quiet ends.
        until: i64,
    },
    /// I01
    #[error("This is addressed to somebody who is not part of this channel.")]
    WrongRecipient {
        /// Unit named by the sender; empty = the defender.
        intended: String,
        /// Who would get it.
        actual: String,
        /// Stable word for the cause.
        why: &'static str,
    },
    /// I02
    #[error("Compare the safety words with the other side before sending this.")]
    RecipientUnverified,
    /// I02
    #[error("The other side's key has changed; compare the safety words again first.")]
    KeyChanged {
        /// Unix seconds.
        since: i64,
    },
    /// I03
    #[error("This cannot be done in this role ({}).", role.name())]
    RoleNotPermitted {
        /// Who tried.
        role: Role,
        /// What, as a stable word.
        act: &'static str,
        /// Who may.
        allowed: Vec<Role>,
    },
    /// P01
    #[error("Say what this is for before it is sent.")]
    PurposeMissing,
    /// P01
    #[error("The terms do not cover this purpose ({}).", to.name())]
    PurposeIncompatible {
        /// Purposes agreed.
        from: Vec<Purpose>,
        /// Purpose asked.
        to: Purpose,
    },
    /// P02
    #[error("Who told the mission about this stays inside the mission.")]
    SourceMayNotLeave,
    /// P02
    #[error("Take out what identifies other people before this leaves the mission ({field}).")]
    ThirdPartyNotStripped {
        /// Path of the field.
        field: String,
    },
    /// P03
    #[error("The sender allowed a narrower circle of readers ({}).", handling.name())]
    HandlingForbids {
        /// The handling set.
        handling: Handling,
    },
    /// P04
    #[error("The terms have to say how long anything is kept ({field}).")]
    RetentionMissing {
        /// Path of the field.
        field: &'static str,
    },
    /// P07
    #[error("This channel may not carry anything with that marking.")]
    MarkingTooHigh {
        /// The marking.
        marking: String,
    },
    /// W01
    #[error(
        "This needs a newer version of the program; it was kept, and nothing was done ({what})."
    )]
    NotUnderstood {
        /// What is new.
        what: Unknown,
    },
    /// W02
    #[error("\"{field}\" {fault}.")]
    Malformed {
        /// Path of the field, as `incidents[1].when`.
        field: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// W02
    #[error("\"{field}\" is too long: {got} {}, at most {limit}.", unit.name())]
    TooLarge {
        /// Path of the field.
        field: String,
        /// Most that is allowed.
        limit: usize,
        /// What was found.
        got: usize,
        /// Of what.
        unit: Unit,
    },
    /// W03
    #[error("This message had already arrived; nothing was done twice.")]
    ReplayIgnored {
        /// Its number.
        seq: u64,
    },
}

/// What a newer version meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unknown {
    /// A message kind, by arm number.
    #[error("kind {0}")]
    Arm(u32),
    /// A feature that must be understood, by number.
    #[error("feature {0}")]
    Feature(u32),
    /// A choice that decides who or where, by its enum's name.
    #[error("{0}")]
    Enum(&'static str),
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Bytes that are no message.
    #[error("is damaged")]
    Encoding,
    /// Two kinds in one message.
    #[error("holds two messages in one")]
    TwoBodies,
    /// A field that may stand once stands twice.
    #[error("holds the same field twice")]
    Twice,
    /// Required and absent.
    #[error("is missing")]
    Missing,
    /// Not the right number of bytes.
    #[error("has the wrong length")]
    Length,
    /// A number outside its range.
    #[error("is out of range")]
    Range,
    /// Two fields that exclude each other.
    #[error("contradicts another field")]
    Contradiction,
    /// The ends of a span in the wrong order.
    #[error("ends before it begins")]
    Order,
    /// A reference to nobody in this message.
    #[error("names somebody who is not listed under \"who\"")]
    Reference,
    /// Control characters in a text.
    #[error("contains characters that are not text")]
    Characters,
    /// A kind or field that does not belong where it stands.
    #[error("does not belong here")]
    Misplaced,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// UTF-8 bytes.
    Bytes,
    /// Entries of a list.
    Entries,
}

/// Who can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhoCanFix {
    /// The person in front of the screen.
    You,
    /// The other side of the channel.
    OtherSide,
    /// Both sides, together.
    BothSides,
    /// Somebody with another role.
    AnotherRole,
    /// The defender alone.
    Defender,
    /// A newer version of the program.
    NewerVersion,
    /// Waiting.
    Time,
    /// Nothing to fix.
    Nobody,
}

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
            Self::MinistryLegNotAgreed
            | Self::RecipientUnverified
            | Self::PurposeMissing
            | Self::SourceMayNotLeave => Vec::new(),
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
            Self::OnwardExceedsDefenderTerms { .. } => WhoCanFix::Defender,
            Self::QuietTime { .. } => WhoCanFix::Time,
            Self::RoleNotPermitted { .. } => WhoCanFix::AnotherRole,
            Self::HandlingForbids { .. } => WhoCanFix::OtherSide,
            Self::NotUnderstood { .. } => WhoCanFix::NewerVersion,
            Self::ReplayIgnored { .. } => WhoCanFix::Nobody,
            Self::WrongRecipient { .. }
            | Self::PurposeMissing
            | Self::SourceMayNotLeave
            | Self::ThirdPartyNotStripped { .. }
            | Self::RetentionMissing { .. }
            | Self::MarkingTooHigh { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. } => WhoCanFix::You,
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
        }
    }
}

impl Fault {
    /// Key of the text in the message catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Encoding => "fault-encoding",
            Self::TwoBodies => "fault-two-bodies",
            Self::Twice => "fault-twice",
            Self::Missing => "fault-missing",
            Self::Length => "fault-length",
            Self::Range => "fault-range",
            Self::Contradiction => "fault-contradiction",
            Self::Order => "fault-order",
            Self::Reference => "fault-reference",
            Self::Characters => "fault-characters",
            Self::Misplaced => "fault-misplaced",
        }
    }
}

impl Unit {
    /// English name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Entries => "entries",
        }
    }
}

impl WhoCanFix {
    /// Key of the text in the message catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::You => "fix-you",
            Self::OtherSide => "fix-other-side",
            Self::BothSides => "fix-both-sides",
            Self::AnotherRole => "fix-another-role",
            Self::Defender => "fix-defender",
            Self::NewerVersion => "fix-newer-version",
            Self::Time => "fix-time",
            Self::Nobody => "fix-nobody",
        }
    }
}

/// Most onward sharing an agreement allows, as words for a refusal.
pub(crate) fn onward_words(mode: OnwardMode, identity: IdentityLevel) -> String {
    format!("{}, {}", mode.name(), identity.name())
}

fn names<E: Word>(words: &[E]) -> String {
    words.iter().map(|word| word.name()).collect::<Vec<_>>().join(", ")
}
