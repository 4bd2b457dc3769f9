//! What a device keeps of the Ministry's directory, and the Ministry of what it will list.

use prost::Message;

use super::record;

/// The newest directory under a root, by the root's fingerprint.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct DirectoryRecord {
    /// Encoded, as it came; empty before any.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) directory: Vec<u8>,
    #[prost(int64, tag = "2")]
    pub(crate) taken_at: i64,
    /// Encoded directories that contradict the one held when they came: proof of a fork.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) forks: Vec<Vec<u8>>,
}
record!(DirectoryRecord, 80, "the Ministry's directory");

/// What every call needs of a directory, by the same key.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct DirectoryClock {
    /// When the one held was made: it is never earlier now.
    #[prost(int64, tag = "1")]
    pub(crate) made_at: i64,
    /// The half day in which a relay was last asked, counted from 1970.
    #[prost(int64, tag = "2")]
    pub(crate) asked: i64,
}
record!(DirectoryClock, 81, "the directory's time");

/// A unit that this Ministry has certified, by its id.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct CertifiedUnit {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// As in [`super::Unit`].
    #[prost(uint32, tag = "2")]
    pub(crate) kind: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) notice: Vec<u8>,
    #[prost(string, repeated, tag = "5")]
    pub(crate) relays: Vec<String>,
    /// Unix seconds at which its certificate ends.
    #[prost(int64, tag = "6")]
    pub(crate) not_after: i64,
}
record!(CertifiedUnit, 82, "a certified unit");

/// What this Ministry revokes and has not published yet, by what it is and its key.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct RevocationRecord {
    /// 1 device, 2 unit, 3 relay.
    #[prost(uint32, tag = "1")]
    pub(crate) what: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) key: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) since: i64,
    /// 1 lost, 2 seized, 3 left, 4 compromised, 5 replaced.
    #[prost(uint32, tag = "4")]
    pub(crate) reason: u32,
}
record!(RevocationRecord, 83, "a revocation");

/// What this Ministry publishes the directory with. One for each vault.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Publishing {
    /// Seed of the notice's key, which the issuer's certificate names.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) seed: Vec<u8>,
    /// Relays beside those of the units.
    #[prost(string, repeated, tag = "2")]
    pub(crate) relays: Vec<String>,
    /// Whether it was published once: from then on every sync renews it in time.
    #[prost(bool, tag = "3")]
    pub(crate) begun: bool,
    /// Whether the one that is held lacks something, or a relay lacks it.
    #[prost(bool, tag = "4")]
    pub(crate) due: bool,
    /// The root's words about issuers, encoded, to be listed.
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(crate) root_revocations: Vec<Vec<u8>>,
    /// Cards of the three holders, if this vault has named them.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub(crate) holders: Vec<Vec<u8>>,
}
record!(Publishing, 84, "the directory's keys", seed);
