//! What officers leave in reserve, and what was opened of it (SPEC.md section 11.5).

use prost::Message;

use super::record;

/// The reserve key of a device of the team, this one included; the key is that device's.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ReserveKeyRecord {
    /// X-Wing.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) public: Vec<u8>,
    /// One for each holder, in the directory's order.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) shares: Vec<Vec<u8>>,
    /// As people know the device's user.
    #[prost(string, tag = "3")]
    pub(crate) name: String,
    /// Own: the holders' keys, in the directory's order.
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(crate) holders: Vec<Vec<u8>>,
    /// Own: when colleagues were last told everything, Unix seconds.
    #[prost(int64, tag = "5")]
    pub(crate) told_at: i64,
    /// Own: when it was last looked whether something is new.
    #[prost(int64, tag = "6")]
    pub(crate) looked_at: i64,
    /// Own: hash of the keys of those who were told.
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) told: Vec<u8>,
    /// Names of the holders, in the same order.
    #[prost(string, repeated, tag = "8")]
    pub(crate) names: Vec<String>,
}
record!(ReserveKeyRecord, 111, "a reserve key");

/// What a colleague left about one case; the key is their device's and the slot.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ReserveRecord {
    /// The newest that is whole; empty before there is one.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) parts: Vec<Vec<u8>>,
    /// When that was made, Unix seconds.
    #[prost(int64, tag = "2")]
    pub(crate) made_at: i64,
    /// Of one that is still coming: the parts so far, in order.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) coming: Vec<Vec<u8>>,
    /// When that was made.
    #[prost(int64, tag = "4")]
    pub(crate) coming_at: i64,
}
record!(ReserveRecord, 112, "a colleague's reserve");

/// What this device last left about one case; the key is the case's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct OwnReserveRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) slot: Vec<u8>,
    /// Of what a successor needs to come in.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) seat_hash: Vec<u8>,
    /// Of the case's file.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) file_hash: Vec<u8>,
    /// Unix seconds.
    #[prost(int64, tag = "4")]
    pub(crate) told_at: i64,
}
record!(OwnReserveRecord, 113, "the own reserve");

/// What this device asked the holders; the key is the leaver's device's.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ReserveAskRecord {
    /// Opens the answers.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) seed: Vec<u8>,
    /// What the answers name.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) hash: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) reason: String,
    /// The request as it was signed.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) signed: Vec<u8>,
    /// Unix seconds.
    #[prost(int64, tag = "5")]
    pub(crate) asked_at: i64,
}
record!(ReserveAskRecord, 114, "a request to the holders", seed);

/// A case that this device found in a colleague's reserve and is not back in yet; the key is the case's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct TakenRecord {
    /// Who left it.
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    /// Another admin's assignment, where this device is none.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) assignment: Vec<u8>,
    /// When that came, Unix seconds.
    #[prost(int64, tag = "4")]
    pub(crate) assigned_at: i64,
    /// Leaf keys of the defenders in the case.
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(crate) defenders: Vec<Vec<u8>>,
}
record!(TakenRecord, 115, "a case taken over");

/// That a reserve was opened, or that a holder helped to open it; the key is the leaver's device's and the time.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct OpenedRecord {
    /// Who had left.
    #[prost(string, tag = "1")]
    pub(crate) leaver: String,
    /// Who opened it, or asked for it.
    #[prost(string, tag = "2")]
    pub(crate) by: String,
    /// Of which unit; on a holder's device.
    #[prost(string, tag = "3")]
    pub(crate) unit: String,
    #[prost(string, repeated, tag = "4")]
    pub(crate) holders: Vec<String>,
    #[prost(string, tag = "5")]
    pub(crate) reason: String,
    #[prost(uint32, tag = "6")]
    pub(crate) cases: u32,
    /// Unix seconds.
    #[prost(int64, tag = "7")]
    pub(crate) at: i64,
}
record!(OpenedRecord, 116, "an opened reserve");
