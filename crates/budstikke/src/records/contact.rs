//! First contacts: as a mission receives them, and as a defender makes one.

use prost::Message;

use super::record;

/// How far a mission is with a first contact. Each step is committed before the next begins, so that a device
/// that stops in between goes on where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum ContactState {
    Waiting = 0,
    /// This device has been told to answer and is claiming it.
    Claiming = 1,
    /// The claim is won.
    Claimed = 2,
    /// A case exists and the Welcome is in the outbox.
    Answered = 3,
    /// A colleague's device has it.
    Colleague = 4,
}

/// A first contact that a mission received.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ContactRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) id: Vec<u8>,
    #[prost(int64, tag = "2")]
    pub(crate) received_at: i64,
    #[prost(enumeration = "ContactState", tag = "3")]
    pub(crate) state: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) key_package: Vec<u8>,
    /// Encoded e2ee routes.
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(crate) reply: Vec<Vec<u8>>,
    /// Hash of the accepted offer, or empty.
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) accepted: Vec<u8>,
    /// Case bytes of a counter-proposal, or empty.
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) counter: Vec<u8>,
    /// Case bytes of the emergency form, or empty.
    #[prost(bytes = "vec", tag = "8")]
    pub(crate) emergency: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(crate) extra: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "10")]
    pub(crate) case_id: Vec<u8>,
    /// Label of the grant made for this defender.
    #[prost(bytes = "vec", tag = "11")]
    pub(crate) lane: Vec<u8>,
    /// The officer's own terms in answer to a counter, case bytes, or empty to accept what came.
    #[prost(bytes = "vec", tag = "12")]
    pub(crate) answer: Vec<u8>,
    #[prost(string, tag = "13")]
    pub(crate) relay: String,
}
record!(ContactRecord, 30, "a first contact", reply);

/// A defender's approach to one mission (the key is the invitation's notice), or a mission's to a desk for one case
/// (the notice and the case's id).
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Approach {
    #[prost(string, tag = "1")]
    pub(crate) invitation: String,
    /// The verified intake bundle, verbatim.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) bundle: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) seed: Vec<u8>,
    /// Label of the reply lane; empty before the first contact is made.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) lane: Vec<u8>,
    /// Key of the reply mailbox's [`super::Post`].
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) post: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) terms_record: Vec<u8>,
    /// The case once the Welcome came.
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) case_id: Vec<u8>,
    /// Whether the first contact is in the outbox.
    #[prost(bool, tag = "8")]
    pub(crate) sent: bool,
    /// What to seal, kept while the mailbox is being made: encoded [`super::contact::Wish`].
    #[prost(message, optional, tag = "9")]
    pub(crate) wish: Option<Wish>,
    /// The messages that the first contact carried, to stand in the case's history: case bytes.
    #[prost(bytes = "vec", repeated, tag = "10")]
    pub(crate) told: Vec<Vec<u8>>,
    #[prost(string, tag = "11")]
    pub(crate) unit_name: String,
    #[prost(string, tag = "12")]
    pub(crate) unit_id: String,
    #[prost(bytes = "vec", tag = "13")]
    pub(crate) unit_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "14")]
    pub(crate) root: Vec<u8>,
    /// Made by a mission's device: it opens a line under its certificate, not a case under a pseudonym.
    #[prost(bool, tag = "15")]
    pub(crate) line: bool,
    /// The defender's case that the line is for; empty for an approach of a defender's.
    #[prost(bytes = "vec", tag = "16")]
    pub(crate) line_for: Vec<u8>,
    /// The door that the first contact went to.
    #[prost(bytes = "vec", tag = "17")]
    pub(crate) door: Vec<u8>,
    /// Unix seconds at which that door was found closed.
    #[prost(int64, tag = "18")]
    pub(crate) refused_at: i64,
    /// A person has compared the words although the mission's key is another than before.
    #[prost(bool, tag = "20")]
    pub(crate) key_compared: bool,
}
record!(Approach, 31, "an invitation", invitation, seed);

/// What the defender chose to say first.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Wish {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) accepted: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) counter: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) emergency: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(crate) extra: Vec<Vec<u8>>,
}
