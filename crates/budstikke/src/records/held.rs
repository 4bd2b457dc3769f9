//! What passes an alert on when nobody takes it: the team's held keys, cells to call off, and copies that came here.

use prost::Message;

use super::record;

/// A rotating key that copies of alerts are sealed to.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct HeldKeyRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) seed: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) valid_from: i64,
    #[prost(int64, tag = "4")]
    pub(crate) valid_until: i64,
    /// Somebody knows it who has left: it opens what comes, and is told no more.
    #[prost(bool, tag = "5")]
    pub(crate) spoilt: bool,
}
record!(HeldKeyRecord, 16, "a held key", seed);

/// A held cell that is to be called off at its relay.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct CancelRecord {
    #[prost(string, tag = "1")]
    pub(crate) relay: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) send_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) msg_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) cancel_key: Vec<u8>,
    /// Unix seconds after which it has left or expired in any case.
    #[prost(int64, tag = "5")]
    pub(crate) until: i64,
}
record!(CancelRecord, 25, "a cell to call off", cancel_key);

/// An alert that came here because nobody took it in time; the key is the alert's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct CopyRecord {
    /// Encoded `AlertState`; empty while only answers have come.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) state: Vec<u8>,
    /// Unit that raised it.
    #[prost(string, tag = "2")]
    pub(crate) unit: String,
    #[prost(string, tag = "3")]
    pub(crate) unit_name: String,
    /// Who raised it.
    #[prost(string, tag = "4")]
    pub(crate) officer: String,
    /// Encoded `EscalationContact`: where answers go.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) reply: Vec<u8>,
    /// The time up to which people here have been told what its clock brought, Unix seconds.
    #[prost(int64, tag = "6")]
    pub(crate) told_of: i64,
    /// Unix seconds.
    #[prost(int64, tag = "7")]
    pub(crate) received_at: i64,
    /// Signed words of colleagues that came before the copy.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(crate) answers: Vec<Vec<u8>>,
}
record!(CopyRecord, 49, "a copy of an alert", reply);
