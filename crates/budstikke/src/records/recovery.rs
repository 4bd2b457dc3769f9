//! What a device keeps to notice that it was cheated, and to come back: receipts, proofs, asks, missing messages.

use prost::Message;

use super::record;

/// Why and since when nothing is sent in a case.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Frozen {
    /// 1 the relay is convicted, 2 a fork without proof, 3 another group in the same epoch.
    #[prost(uint32, tag = "1")]
    pub(crate) why: u32,
    /// Unix seconds.
    #[prost(int64, tag = "2")]
    pub(crate) since: i64,
}

/// The relay's words on a group's slots; the key is the group's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ReceiptsRecord {
    /// Of what this device appended or read, 132 bytes each, oldest first.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) own: Vec<Vec<u8>>,
    /// What others were told, about places that this device has not read yet.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) theirs: Vec<Vec<u8>>,
    /// Unix seconds at which the others were last shown what this device has.
    #[prost(int64, tag = "3")]
    pub(crate) shown_at: i64,
}
record!(ReceiptsRecord, 100, "the relay's receipts");

/// A relay's identity key; the key is its address.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct RelayKeyRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) identity_pk: Vec<u8>,
}
record!(RelayKeyRecord, 101, "a relay's key");

/// A proof that a relay equivocated; the key is the group's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ProofRecord {
    /// Empty for the team.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) case_id: Vec<u8>,
    /// Its address.
    #[prost(string, tag = "2")]
    pub(crate) relay: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) proof: Vec<u8>,
    #[prost(int64, tag = "4")]
    pub(crate) found_at: i64,
}
record!(ProofRecord, 102, "a proof against a relay");

/// Somebody asks to be added again, or for a new group; the key is the case's id and the member's key.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct AskRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) case_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) key: Vec<u8>,
    /// As it came.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) signed: Vec<u8>,
    /// As people know them.
    #[prost(string, tag = "4")]
    pub(crate) who: String,
    #[prost(bool, tag = "5")]
    pub(crate) new_group: bool,
    #[prost(int64, tag = "6")]
    pub(crate) received_at: i64,
    /// Unix seconds at which an admin here said yes; 0 before.
    #[prost(int64, tag = "7")]
    pub(crate) granted_at: i64,
    /// Whether it is no member yet, and brings an admin's assignment.
    #[prost(bool, tag = "8")]
    pub(crate) newcomer: bool,
    /// Whether it brings an admin's assignment.
    #[prost(bool, tag = "9")]
    pub(crate) assigned: bool,
}
record!(AskRecord, 103, "a wish to be added again");

/// What this device asked for; the key is the case's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct OwnAskRecord {
    #[prost(int64, tag = "1")]
    pub(crate) asked_at: i64,
    #[prost(bool, tag = "2")]
    pub(crate) new_group: bool,
    /// Whether a person said so, and not the freezing alone.
    #[prost(bool, tag = "3")]
    pub(crate) by_person: bool,
}
record!(OwnAskRecord, 104, "the own wish to be added again");

/// What is known of the messages that did not come as they were sent; the key is the case's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct TranscriptRecord {
    #[prost(message, repeated, tag = "1")]
    pub(crate) senders: Vec<SenderGaps>,
    /// Messages that came more than once.
    #[prost(uint64, tag = "2")]
    pub(crate) duplicates: u64,
    /// Unix seconds at which the oldest message came whose epoch does not; 0 for none.
    #[prost(int64, tag = "3")]
    pub(crate) withheld_since: i64,
    /// Number of the check that a commit in the slot failed for this device alone; 0 for none.
    #[prost(uint32, tag = "4")]
    pub(crate) stuck: u32,
    #[prost(int64, tag = "5")]
    pub(crate) stuck_since: i64,
}
record!(TranscriptRecord, 105, "the transcript");

/// What is missing of one sender.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SenderGaps {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    /// The sender's own numbers, from 1, ascending.
    #[prost(uint64, repeated, tag = "3")]
    pub(crate) missing: Vec<u64>,
    /// Messages that are given up: too many to be named, or of a count that began anew since.
    #[prost(uint64, tag = "4")]
    pub(crate) lost: u64,
}
