//! Who this vault is: the Ministry's keys, a unit's, a device's, a team's.

use prost::Message;

use super::record;

/// The Ministry's keys: root and issuer, or one of them (the other is empty) after a key ceremony.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Ministry {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) root_seed: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) issuer_seed: Vec<u8>,
    /// Empty in the root's vault, and until the root's certificate is installed.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) issuer_chain: Vec<u8>,
    /// A holder's key (SPEC.md section 11.5), and the root under which it answers; then nothing else is here.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) holder_seed: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) holder_root: Vec<u8>,
}
record!(Ministry, 10, "the Ministry's keys", root_seed, issuer_seed, holder_seed);

/// An issuer that this vault's root has certified, by its key.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct IssuerRecord {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) key: Vec<u8>,
    /// End of the newest certificate for it.
    #[prost(int64, tag = "3")]
    pub(crate) not_after: i64,
    /// When the root took its word back; 0 while it stands.
    #[prost(int64, tag = "4")]
    pub(crate) revoked_at: i64,
}
record!(IssuerRecord, 85, "a certified issuer");

/// How far the renewal of this device's certificate is.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct RenewalRecord {
    /// When the admin's device was last asked.
    #[prost(int64, tag = "1")]
    pub(crate) asked_at: i64,
    /// When the person was last told that a certificate ends.
    #[prost(int64, tag = "2")]
    pub(crate) told_at: i64,
    /// A new chain is installed, and not every group's leaf carries it yet.
    #[prost(bool, tag = "3")]
    pub(crate) spreading: bool,
}
record!(RenewalRecord, 86, "the renewal of certificates");

/// The unit that this device belongs to.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Unit {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    /// The unit's signing key; only on an admin's device.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) seed: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) notice_seed: Vec<u8>,
    /// Empty until the Ministry's certificate is installed.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) chain: Vec<u8>,
    #[prost(string, repeated, tag = "6")]
    pub(crate) relays: Vec<String>,
    /// 1 bilateral mission, 2 multilateral mission, 3 Ministry desk.
    #[prost(uint32, tag = "7")]
    pub(crate) kind: u32,
}
record!(Unit, 11, "the unit's keys", seed, notice_seed);

/// This staff device.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Device {
    #[prost(string, tag = "1")]
    pub(crate) label: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) seed: Vec<u8>,
    /// Empty until a certificate is installed.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) chain: Vec<u8>,
    /// Numbers of `budstikke.e2ee.v1.Role`, as asked for.
    #[prost(uint32, repeated, tag = "4")]
    pub(crate) roles: Vec<u32>,
}
record!(Device, 12, "this device's keys", seed);

/// The team's shared state on this device.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Team {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) group_id: Vec<u8>,
    /// How a member writes to the team mailbox for the team: an encoded e2ee `Route`.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) route: Vec<u8>,
    /// Encoded case offers, as published.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) offers: Vec<Vec<u8>>,
    #[prost(uint64, tag = "4")]
    pub(crate) notice_version: u64,
    #[prost(int64, tag = "5")]
    pub(crate) published_at: i64,
    /// Which of the team's mailboxes is in use: 8 bytes, or empty for the first.
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) mailbox: Vec<u8>,
    /// The mailbox in use is still to be made at its relay.
    #[prost(bool, tag = "7")]
    pub(crate) making: bool,
    /// What is published names keys or a door that somebody knows who has left.
    #[prost(bool, tag = "8")]
    pub(crate) publish_now: bool,
    /// Secrets of earlier front doors, to which people hold invitations; the newest last.
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(crate) old_doors: Vec<Vec<u8>>,
    /// Unix seconds at which this device learnt that it was removed; 0 while it is a member.
    #[prost(int64, tag = "10")]
    pub(crate) removed_at: i64,
    /// Unix seconds at which the slot of the team's group was last looked at unasked.
    #[prost(int64, tag = "11")]
    pub(crate) looked_at: i64,
    /// Epoch of the team's group with which the mailbox in use began; 0 for the first.
    #[prost(uint64, tag = "12")]
    pub(crate) since_epoch: u64,
}
record!(Team, 13, "the team", route, old_doors);

/// A rotating intake key.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct IntakeKeyRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) seed: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) valid_from: i64,
    #[prost(int64, tag = "4")]
    pub(crate) valid_until: i64,
    /// Somebody knows it who has left: it opens what comes, and is published no more.
    #[prost(bool, tag = "5")]
    pub(crate) spoilt: bool,
}
record!(IntakeKeyRecord, 14, "an intake key", seed);
