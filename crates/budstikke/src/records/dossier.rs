//! What stands in a case beside its messages: consents, assessments, acts and alerts. One record for each case, so
//! that a step and the message that tells of it commit together.

use prost::Message;

use super::record;

/// The file of one case; the key is the case's id, on a mission the defender's case for its line too.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct DossierRecord {
    #[prost(message, repeated, tag = "1")]
    pub(crate) proofs: Vec<Proof>,
    /// Encoded `ConsentWithdrawalBody`, proven when they came.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) withdrawals: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) suspensions: Vec<SuspensionRecord>,
    /// The newest `RiskAssessment`.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) risk: Vec<u8>,
    /// Encoded `VerificationRecord`, oldest first.
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(crate) facts: Vec<Vec<u8>>,
    /// Encoded `GuardOverride`.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub(crate) overrides: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) acts: Vec<ActRecord>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) alerts: Vec<KeptAlertRecord>,
    /// Hash of the newest brief that went over the line, or empty.
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) brief: Vec<u8>,
    /// Encoded `DisclosureNotice` that the person's quiet time holds back.
    #[prost(bytes = "vec", repeated, tag = "10")]
    pub(crate) notices: Vec<Vec<u8>>,
    /// Encoded `CaseIntake`: what this office adds to what was told, and keeps to itself. Oldest first.
    #[prost(bytes = "vec", repeated, tag = "11")]
    pub(crate) own_parts: Vec<Vec<u8>>,
    /// At the Ministry: the newest encoded `ConsentStatus` of each token and scope that said it stands.
    #[prost(bytes = "vec", repeated, tag = "12")]
    pub(crate) statuses: Vec<Vec<u8>>,
    /// Withdrawals and doubts that came before what they are about.
    #[prost(message, repeated, tag = "13")]
    pub(crate) early: Vec<EarlyRecord>,
    /// How either side of a line is reached about an alert when nobody in the line answers.
    #[prost(message, repeated, tag = "14")]
    pub(crate) reaches: Vec<ReachRecord>,
}
record!(DossierRecord, 48, "the file of the case");

/// How one side of one line is reached, newest word of it.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ReachRecord {
    /// The line.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) case_id: Vec<u8>,
    /// Whether it is this unit's own.
    #[prost(bool, tag = "2")]
    pub(crate) ours: bool,
    /// Encoded `EscalationContact`.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) contact: Vec<u8>,
    /// When it was said, Unix seconds.
    #[prost(int64, tag = "4")]
    pub(crate) at: i64,
}

impl Drop for ReachRecord {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.contact);
    }
}

/// A message that came before what it is about.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct EarlyRecord {
    /// Case bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) content: Vec<u8>,
    /// Whether this unit said it.
    #[prost(bool, tag = "2")]
    pub(crate) ours: bool,
}

/// A consent, proven when it came.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Proof {
    /// An encoded `ConsentRecord`, where all of it is known here; else empty.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) record: Vec<u8>,
    /// An encoded `ConsentToken`, where only that much was shown.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) token: Vec<u8>,
    /// When it was last stood by, Unix seconds.
    #[prost(int64, tag = "3")]
    pub(crate) affirmed_at: i64,
    /// Numbers of the scopes that the Ministry has been shown of it.
    #[prost(int32, repeated, tag = "4")]
    pub(crate) shown: Vec<i32>,
    /// Whether an officer knows that whoever gave it may: the defender of the channel for themselves, or checked.
    #[prost(bool, tag = "5")]
    pub(crate) vouched: bool,
    /// When this office had it, Unix seconds; 0 = as it was given.
    #[prost(int64, tag = "6")]
    pub(crate) heard_at: i64,
}

/// Why somebody's own word does not count for now.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct SuspensionRecord {
    #[prost(string, tag = "1")]
    pub(crate) person: String,
    /// Place in `Suspension::ALL`.
    #[prost(uint32, tag = "2")]
    pub(crate) cause: u32,
    #[prost(int64, tag = "3")]
    pub(crate) since: i64,
    /// When they were reached; 0 = not yet.
    #[prost(int64, tag = "4")]
    pub(crate) until: i64,
}

/// One guarded act.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ActRecord {
    /// Encoded `ActionState`.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) state: Vec<u8>,
    /// The newest `ApprovalRequest`, or empty.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) request: Vec<u8>,
    /// The newest `DecisionBody`, or empty.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) decision: Vec<u8>,
    /// When the Ministry was last told how its consents stand, Unix seconds.
    #[prost(int64, tag = "4")]
    pub(crate) told_at: i64,
}

/// One alert.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct KeptAlertRecord {
    /// Encoded `AlertState`.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) state: Vec<u8>,
    /// The line it went over.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) case_id: Vec<u8>,
    /// Whether this unit raised it.
    #[prost(bool, tag = "3")]
    pub(crate) ours: bool,
    /// The deadline that people here have been told has passed, Unix seconds; 0 = none.
    #[prost(int64, tag = "4")]
    pub(crate) told_of: i64,
    /// `message_id` of the message that raised it.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) message_id: Vec<u8>,
}
