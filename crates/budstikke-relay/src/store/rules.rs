//! The rules of time and size that all engines share.

use budstikke_proto::limits::{MAX_GRANTS, RECORD_TTL_DAYS};

pub(crate) const DAY_S: i64 = 86_400;

/// Ceilings of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most grants of one mailbox.
    pub max_grants: u32,
    /// Most cells waiting in one mailbox, whatever its grants allow.
    pub max_cells: u32,
    /// Most bytes of all blobs.
    pub max_blob_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_grants: MAX_GRANTS, max_cells: 65_536, max_blob_bytes: 4 << 30 }
    }
}

/// The day that a time falls on, counted from 1970-01-01.
pub(crate) fn day_of(now: i64) -> u32 {
    u32::try_from(now.div_euclid(DAY_S)).unwrap_or(0)
}

/// The last day of something that lives `ttl_days` from now: it lives that many days, and at most one more.
pub(crate) fn last_day(now: i64, ttl_days: u32) -> u32 {
    day_of(now).saturating_add(ttl_days)
}

/// The last day of a slot or a notice written now.
pub(crate) fn record_day(now: i64) -> u32 {
    last_day(now, RECORD_TTL_DAYS)
}

/// The number before a new mailbox's first cell. Taken from the time, so that a mailbox made again under its old
/// key, after it expired or was deleted, goes on above every number that its owner may remember. Stays below
/// 2^53 for two centuries.
pub(crate) fn first_seq(now: i64) -> u64 {
    u64::try_from(now).unwrap_or(0) << 20
}
