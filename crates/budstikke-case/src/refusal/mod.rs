//! Every act this library will not do, with a stable code and somebody who can put it right.

mod shown;

use thiserror::Error;

use crate::hash::Hash;
use crate::terms_state::Phase;
use crate::wire::{
    ActionKind, Activation, Handling, IdentityLevel, Leg, OnwardMode, Purpose, ReceiptKind, Role,
    Scope, Transport,
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
    /// I04
    #[error("The certificate or signature behind this does not hold ({reason}).")]
    RoleCertificateInvalid {
        /// Stable word for what failed.
        reason: &'static str,
    },
    /// I05
    #[error("Nobody has given this officer the case ({case}), or they have not accepted it yet.")]
    NotOnCaseAccessList {
        /// Short name of the case.
        case: String,
    },
    /// I06
    #[error("A second person has to do this; nobody may do both halves alone.")]
    FourEyes {
        /// What, as a stable word.
        act: &'static str,
    },
    /// C01
    #[error("{person} has not answered whether they agree to this ({}).", scope.name())]
    ConsentMissing {
        /// Alias; empty when nobody is named.
        person: String,
        /// To what.
        scope: Scope,
    },
    /// C02
    #[error("{person} has said no to this ({}).", scope.name())]
    ConsentRefused {
        /// Alias.
        person: String,
        /// To what.
        scope: Scope,
    },
    /// C03
    #[error("{person} has said no to this in advance ({}).", scope.name())]
    AdvanceWishForbids {
        /// Alias.
        person: String,
        /// To what.
        scope: Scope,
        /// What made the wish speak.
        activation: Activation,
    },
    /// C04
    #[error("{person} has taken consent back.")]
    ConsentWithdrawn {
        /// Alias.
        person: String,
        /// When it was written, Unix seconds.
        at: i64,
    },
    /// C05
    #[error("The consent of {person} does not count until they have been reached again.")]
    ConsentSuspended {
        /// Alias.
        person: String,
        /// Stable word: "device-compromised", "duress", "withdrawal-unconfirmed".
        cause: &'static str,
    },
    /// C06
    #[error("The consent of {person} has run out.")]
    ConsentExpired {
        /// Alias.
        person: String,
        /// Unix seconds.
        since: i64,
    },
    /// C06
    #[error("{person} was last asked too long ago for this.")]
    ConsentStale {
        /// Alias.
        person: String,
        /// When they last stood by it, Unix seconds.
        last: i64,
        /// Most that may have passed, seconds.
        max_s: i64,
    },
    /// C07
    #[error("Whoever answered for {person} may be heard, but cannot consent ({basis}).")]
    ConsentGiverNotEligible {
        /// Alias.
        person: String,
        /// By name.
        basis: String,
    },
    /// C08
    #[error("This shows more of {person} than they agreed to ({}).", allowed.name())]
    IdentityLevelTooHigh {
        /// Alias.
        person: String,
        /// What it would show.
        asked: IdentityLevel,
        /// What was agreed.
        allowed: IdentityLevel,
    },
    /// C09
    #[error("{person} agreed to other words than these.")]
    WordingChanged {
        /// Alias.
        person: String,
        /// Hash of the words agreed to.
        agreed: Option<Hash>,
        /// Hash of these.
        now: Option<Hash>,
    },
    /// C10
    #[error("The proof of consent does not hold ({step}).")]
    ConsentProofInvalid {
        /// Stable word for what failed.
        step: &'static str,
    },
    /// C11
    #[error("The group's consent does not cover naming {person}.")]
    GroupConsentDoesNotNameMembers {
        /// Alias.
        person: String,
    },
    /// C12
    #[error("This cannot go ahead without consent ({why}).")]
    ConsentExceptionNotAvailable {
        /// Stable word for what is not met.
        why: &'static str,
    },
    /// F01
    #[error("Not every fact that this rests on has been verified.")]
    FactsNotVerified {
        /// Ids of facts; empty when no fact is named.
        facts: Vec<String>,
    },
    /// F02
    #[error("The risk assessment is missing or has blanks.")]
    RiskAssessmentMissing {
        /// Names of fields; "all" when there is none.
        missing: Vec<&'static str>,
    },
    /// F02
    #[error("The risk assessment is too old for this.")]
    RiskAssessmentOutdated {
        /// When it was made, Unix seconds.
        made: i64,
        /// Most that may have passed, seconds.
        max_s: i64,
    },
    /// F03
    #[error("This has not been talked over with the person it is about.")]
    NotDiscussedWithDefender,
    /// F05
    #[error("Local organisations have not been asked about this.")]
    LocalOrganisationsNotConsulted,
    /// A01
    #[error("The Ministry has not approved this ({}).", kind.name())]
    ApprovalMissing {
        /// What it is.
        kind: ActionKind,
    },
    /// A02
    #[error("The Ministry has said no to this.")]
    ApprovalRefused {
        /// When, Unix seconds.
        at: i64,
    },
    /// A03
    #[error("The Ministry's approval has run out.")]
    ApprovalExpired {
        /// Unix seconds.
        since: i64,
    },
    /// A04
    #[error("The plan is not the one that was approved.")]
    PlanChangedSinceApproval {
        /// Hash of the plan that was approved.
        approved: Hash,
        /// Hash of this one.
        now: Hash,
    },
    /// A05
    #[error("Condition {condition} of the approval has not been met yet.")]
    ApprovalConditionOpen {
        /// Counted from 1.
        condition: u32,
    },
    /// A06
    #[error("The Ministry has to be consulted first ({}).", kind.name())]
    ConsultationNotSent {
        /// What it is.
        kind: ActionKind,
    },
    /// D01
    #[error("The report on what this led to is still to be sent.")]
    EffectReportDue {
        /// Unix seconds.
        by: i64,
    },
    /// D01
    #[error("The person concerned has not been told yet.")]
    DefenderNotInformed,
    /// H01
    #[error("Nobody takes over one of the cases of the officer who leaves ({case}).")]
    CaseWithoutOwner {
        /// Short name of the case.
        case: String,
    },
    /// W04
    #[error("This step does not follow from where things stand ({phase}).")]
    OutOfStep {
        /// Stable word.
        step: &'static str,
        /// Stable word.
        phase: &'static str,
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
