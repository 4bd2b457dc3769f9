//! Cases, their messages, and the commits on their way through a slot.

use prost::Message;

use super::{Frozen, record};

/// One case channel on this device.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct CaseRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) group_id: Vec<u8>,
    /// The relay that has its slots.
    #[prost(string, tag = "3")]
    pub(crate) relay: String,
    /// Whether this device is the defender's.
    #[prost(bool, tag = "4")]
    pub(crate) defender: bool,
    /// Encoded e2ee routes to the other party.
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(crate) routes: Vec<Vec<u8>>,
    /// Encoded `budstikke.case.v1.TermsRecord`.
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) terms: Vec<u8>,
    #[prost(int64, tag = "7")]
    pub(crate) opened_at: i64,
    #[prost(int64, tag = "8")]
    pub(crate) last_at: i64,
    /// Number of the newest message in this vault; counts both directions.
    #[prost(uint64, tag = "9")]
    pub(crate) messages: u64,
    /// Counts what this device sent, for `Header.seq`.
    #[prost(uint64, tag = "10")]
    pub(crate) sent: u64,
    #[prost(string, tag = "11")]
    pub(crate) unit_id: String,
    #[prost(string, tag = "12")]
    pub(crate) unit_name: String,
    #[prost(bytes = "vec", tag = "13")]
    pub(crate) unit_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "14")]
    pub(crate) root: Vec<u8>,
    /// Highest message number that a person has seen.
    #[prost(uint64, tag = "15")]
    pub(crate) seen: u64,
    /// Encoded latest slot receipt that this device has checked.
    #[prost(bytes = "vec", tag = "16")]
    pub(crate) receipt: Vec<u8>,
    /// The defender's identity in this case; empty on a staff device, which has one identity for all.
    #[prost(bytes = "vec", tag = "17")]
    pub(crate) identity: Vec<u8>,
    /// Whether a person has compared the safety words with the other side.
    #[prost(bool, tag = "18")]
    pub(crate) words_compared: bool,
    /// The unit at this end; empty for a defender.
    #[prost(string, tag = "19")]
    pub(crate) own_unit: String,
    /// The unit at the other end and its name; empty when that is a defender.
    #[prost(string, tag = "20")]
    pub(crate) peer_unit: String,
    #[prost(string, tag = "21")]
    pub(crate) peer_name: String,
    /// Whether this is a mission's line to the Ministry, and not a defender's case.
    #[prost(bool, tag = "22")]
    pub(crate) line: bool,
    /// On a mission's end of a line: the defender's case that it carries on; empty elsewhere.
    #[prost(bytes = "vec", tag = "23")]
    pub(crate) line_for: Vec<u8>,
    /// The key that this defender consents with in this case and nowhere else; empty before it is needed.
    #[prost(bytes = "vec", tag = "24")]
    pub(crate) consent_seed: Vec<u8>,
    /// Set while nothing may be sent, because the group forked.
    #[prost(message, optional, tag = "30")]
    pub(crate) frozen: Option<Frozen>,
    /// Unix seconds at which this device learnt that it is no longer part of it; 0 while it is.
    #[prost(int64, tag = "31")]
    pub(crate) left_at: i64,
}
record!(CaseRecord, 40, "the case", routes, identity, consent_seed);

/// One message of a case; the key is the case's id and the number, big endian.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct MessageRecord {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(bool, tag = "2")]
    pub(crate) outgoing: bool,
    /// The sender as people know them.
    #[prost(string, tag = "3")]
    pub(crate) from: String,
    /// Case bytes, verbatim as sealed or received.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) content: Vec<u8>,
    #[prost(int64, tag = "5")]
    pub(crate) at: i64,
    /// Cells that the relays have not acknowledged yet (outgoing).
    #[prost(uint32, tag = "6")]
    pub(crate) waiting: u32,
    /// Numbers of `ReceiptKind` that came back for it.
    #[prost(uint32, repeated, tag = "7")]
    pub(crate) receipts: Vec<u32>,
    /// Code of the refusal, when this message was not accepted.
    #[prost(string, tag = "8")]
    pub(crate) refused: String,
    /// Whether it lies apart, kept but not acted on.
    #[prost(bool, tag = "9")]
    pub(crate) quarantined: bool,
    /// The sender's own number of it in its group, from 1; 0 when it is not known.
    #[prost(uint64, tag = "20")]
    pub(crate) nth: u64,
    /// Whether it came after later ones of the same sender.
    #[prost(bool, tag = "21")]
    pub(crate) late: bool,
}
record!(MessageRecord, 41, "a message", content);

impl MessageRecord {
    /// A message that was just queued (`outgoing`) or came.
    pub(crate) fn new(
        number: u64,
        outgoing: bool,
        from: String,
        content: Vec<u8>,
        at: i64,
    ) -> Self {
        let mut message = Self::default();
        message.number = number;
        message.outgoing = outgoing;
        message.from = from;
        message.content = content;
        message.at = at;
        message
    }
}

/// An MLS message of an epoch that this device has not reached yet.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Deferred {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) group_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) message: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) received_at: i64,
}
record!(Deferred, 42, "a message of a later epoch");

/// A commit that this device wants; the key is the group's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Commit {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) group_id: Vec<u8>,
    /// The key package to add. With neither this nor `terms`, an update of the own leaf.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) add: Vec<u8>,
    /// Encoded e2ee assignment that goes with an Add.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) assignment: Vec<u8>,
    /// The slot entry's sealed cells, once staged; empty while only wanted.
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(crate) cells: Vec<Vec<u8>>,
    /// The commit message inside those cells.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) message: Vec<u8>,
    /// The Welcome that goes out if this commit wins.
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) welcome: Vec<u8>,
    /// How often it lost and was made anew.
    #[prost(uint32, tag = "7")]
    pub(crate) lost: u32,
    /// Terms to set, 32 bytes, or empty.
    #[prost(bytes = "vec", tag = "8")]
    pub(crate) terms: Vec<u8>,
    /// Where to seal the note that goes with the Welcome to an added colleague: an X-Wing public key.
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) note_key: Vec<u8>,
    /// The epoch in which the cells were staged.
    #[prost(uint64, tag = "10")]
    pub(crate) epoch: u64,
    /// The sealed note, once staged.
    #[prost(bytes = "vec", tag = "11")]
    pub(crate) note: Vec<u8>,
    /// What is wanted after this one, in order.
    #[prost(message, repeated, tag = "12")]
    pub(crate) next: Vec<Commit>,
    /// Keys of the members to remove.
    #[prost(bytes = "vec", repeated, tag = "30")]
    pub(crate) remove: Vec<Vec<u8>>,
    /// Whether the key package to add takes the place of the member with the same key.
    #[prost(bool, tag = "20")]
    pub(crate) again: bool,
    /// With `again`: it takes nobody's place, and is no member yet.
    #[prost(bool, tag = "21")]
    pub(crate) newcomer: bool,
}
record!(Commit, 43, "a commit");

/// A key package that a colleague's device was asked for; the key is the request's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct WantedPackage {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) case_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) device: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) asked_at: i64,
}
record!(WantedPackage, 44, "a request for a key package");

/// The secret that opens the note which comes with a Welcome; the key is the case's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct NoteSecret {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) seed: Vec<u8>,
}
record!(NoteSecret, 45, "a note's key", seed);

/// How far the messages of one sender have come; the key is the case's id and the sender's key.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct OrderRecord {
    /// An encoded `budstikke_case::Order`, 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) order: Vec<u8>,
}
record!(OrderRecord, 46, "a sender's order");

/// Where a message stands, by its `message_id`; the key is the case's id and that id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct MessageIndex {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
}
record!(MessageIndex, 47, "a message's place");

/// The keys under which the unit at the other end of a case was seen; the key is the case's id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct SeenKeysRecord {
    /// Signing keys of the unit, in the order in which they were seen.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) keys: Vec<Vec<u8>>,
    /// Unix seconds since when the newest waits for a person to compare words; 0 when none does.
    #[prost(int64, tag = "2")]
    pub(crate) changed_at: i64,
}
record!(SeenKeysRecord, 110, "the other side's keys");
