//! Mailboxes, the lanes of cells inside them, fragments on the way in, and the outbox.

use prost::Message;

use super::record;

/// A mailbox that this vault owns or shares with its team.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Post {
    /// `bud://…` address of its relay.
    #[prost(string, tag = "1")]
    pub(crate) relay: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) recv_secret: Vec<u8>,
    /// Empty until the relay has made the mailbox.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) recv_id: Vec<u8>,
    /// Everything up to this sequence number is committed here.
    #[prost(uint64, tag = "4")]
    pub(crate) cursor: u64,
    /// Shared by a team: cells stay on the relay until they expire, so that every device sees them.
    #[prost(bool, tag = "5")]
    pub(crate) shared: bool,
    /// The relay's copy is deleted up to here.
    #[prost(uint64, tag = "6")]
    pub(crate) trimmed: u64,
    /// Unix seconds at which the relay last heard that this mailbox is wanted.
    #[prost(int64, tag = "7")]
    pub(crate) renewed_at: i64,
    /// The cursor that the team was last told (shared mailboxes).
    #[prost(uint64, tag = "8")]
    pub(crate) reported: u64,
    /// Unix seconds at which its team moved to another; 0 while it is in use.
    #[prost(int64, tag = "9")]
    pub(crate) retired_at: i64,
}
record!(Post, 20, "a mailbox", recv_secret);

/// What the cells of one grant are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum LaneUse {
    Unspecified = 0,
    /// First contacts from strangers.
    FrontDoor = 1,
    /// A team among itself.
    Team = 2,
    /// One correspondent's messages.
    Peer = 3,
    /// About alerts that nobody answers in one line: for the whole team.
    Held = 4,
    /// One new device that joins with a code, both ways.
    Join = 5,
}

/// A grant on one of our mailboxes, found by the label that comes back with each cell.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Lane {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) label: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) seal_key: Vec<u8>,
    #[prost(enumeration = "LaneUse", tag = "3")]
    pub(crate) used_for: i32,
    /// The case, for [`LaneUse::Peer`] and [`LaneUse::Held`]; empty before there is one.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) case_id: Vec<u8>,
    /// The grant's private half while we still have to hand it over.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) send_secret: Vec<u8>,
    /// Empty until the relay has made the grant.
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) send_id: Vec<u8>,
    #[prost(string, tag = "7")]
    pub(crate) relay: String,
    /// Unix seconds at which another took its place; 0 while it is in use.
    #[prost(int64, tag = "8")]
    pub(crate) retired_at: i64,
    /// Key of the mailbox that a retired lane is on.
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) post: Vec<u8>,
    /// Labels of the lanes whose place this one takes, until its first cell comes.
    #[prost(bytes = "vec", repeated, tag = "10")]
    pub(crate) replaces: Vec<Vec<u8>>,
    /// Nobody writes on it any more: its grant can go.
    #[prost(bool, tag = "11")]
    pub(crate) unused: bool,
    /// Takes a retired lane's place, and nobody has been told of it yet.
    #[prost(bool, tag = "12")]
    pub(crate) unsaid: bool,
}
record!(Lane, 21, "a lane", seal_key, send_secret);

/// A fragment whose envelope is not complete yet.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct FragmentRecord {
    #[prost(uint32, tag = "1")]
    pub(crate) index: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) count: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) body: Vec<u8>,
    #[prost(int64, tag = "4")]
    pub(crate) received_at: i64,
}
record!(FragmentRecord, 22, "a fragment", body);

/// How far a colleague's device has read the team mailbox; the key is the device's.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct CursorRecord {
    #[prost(uint64, tag = "1")]
    pub(crate) read_to: u64,
}
record!(CursorRecord, 24, "a colleague's cursor");

/// A sealed cell that waits for its relay's acknowledgement; the bytes never change once written.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct OutboxRecord {
    #[prost(string, tag = "1")]
    pub(crate) relay: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) send_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) send_secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) msg_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) cell: Vec<u8>,
    #[prost(bool, tag = "6")]
    pub(crate) front_door: bool,
    /// The case and the message number that this cell belongs to; empty and 0 for the protocol's own.
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) case_id: Vec<u8>,
    #[prost(uint64, tag = "8")]
    pub(crate) number: u64,
    #[prost(int64, tag = "9")]
    pub(crate) queued_at: i64,
    /// For a cell that the relay shall hold: its time, and what calls it off.
    #[prost(message, optional, tag = "10")]
    pub(crate) hold: Option<Hold>,
}

/// When a held cell is released.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Hold {
    /// Ed25519.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) cancel_pk: Vec<u8>,
    /// Seconds after the clock of the alert began.
    #[prost(int64, tag = "2")]
    pub(crate) after_s: i64,
    /// When the alert was raised: its clock begins there, or later if it had to wait for the network.
    #[prost(int64, tag = "3")]
    pub(crate) raised_at_s: i64,
}
record!(OutboxRecord, 23, "the outbox", send_secret);
