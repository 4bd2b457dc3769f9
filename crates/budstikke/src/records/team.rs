//! Who joins a team with a code, who is in it, who has left it.

use prost::Message;

use super::record;

/// A code that this admin's device gave out; the key is the label of its lane.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct InviteRecord {
    /// What the admin calls the device.
    #[prost(string, tag = "1")]
    pub(crate) officer: String,
    /// Numbers of `budstikke.e2ee.v1.Role`.
    #[prost(uint32, repeated, tag = "2")]
    pub(crate) roles: Vec<u32>,
    /// Unix seconds, exclusive.
    #[prost(int64, tag = "3")]
    pub(crate) expires: i64,
    /// The first request that came under it; it is the only one that counts.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) ask: Vec<u8>,
    /// Where that device listens: an encoded e2ee `Route`.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) reply: Vec<u8>,
    /// Whether the enrolment is in the outbox.
    #[prost(bool, tag = "6")]
    pub(crate) answered: bool,
}
record!(InviteRecord, 90, "a code", reply);

/// The code with which this device joins.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct JoinRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) root: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(crate) unit_id: String,
    /// Where to ask: an encoded e2ee `Route`.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) route: Vec<u8>,
    /// Label of the own lane for the answer.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) lane: Vec<u8>,
    /// Whether the request is in the outbox.
    #[prost(bool, tag = "5")]
    pub(crate) asked: bool,
    /// Whether the answer has come: the small mailbox can go.
    #[prost(bool, tag = "6")]
    pub(crate) done: bool,
}
record!(JoinRecord, 91, "a code", route);

/// When this device first knew of a colleague's device; the key is that device's.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct SinceRecord {
    #[prost(int64, tag = "1")]
    pub(crate) at: i64,
}
record!(SinceRecord, 92, "a colleague's first day");

/// A device that was removed from the team; the key is the device's. It is never let in again under that key.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct GoneRecord {
    #[prost(int64, tag = "1")]
    pub(crate) at: i64,
}
record!(GoneRecord, 93, "a device that has left");
