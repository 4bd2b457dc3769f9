//! Hand-overs: what changes hands, and what the next officer has to know.

use prost::Message;

use super::record;

/// One hand-over; the key is its id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct HandoverRecord {
    /// An encoded `HandoverState`.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) state: Vec<u8>,
    /// Whether the leaver is gone from everything that this device is in.
    #[prost(bool, tag = "2")]
    pub(crate) closed: bool,
    /// When this device first heard of it, Unix seconds.
    #[prost(int64, tag = "3")]
    pub(crate) since: i64,
}
record!(HandoverRecord, 95, "the hand-over");

/// What an officer leaves about one case; the key is the hand-over's id and the case's.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct HandedRecord {
    /// Encoded `HandedCase`.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) case: Vec<u8>,
    /// Whether it went to its next officer; on their device: whether it has come.
    #[prost(bool, tag = "2")]
    pub(crate) given: bool,
}
record!(HandedRecord, 96, "the notes on a case", case);

/// The secret that opens what the leaver gives; the key is the hand-over's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct HandoverSecret {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) seed: Vec<u8>,
}
record!(HandoverSecret, 97, "a hand-over's key", seed);
