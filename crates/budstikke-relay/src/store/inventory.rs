//! Counts of what a store holds, for its operator.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a store shows to whoever has its disk: counts, days and sizes. There is nothing else in it that can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// By the last day of what is counted, in days from 1970-01-01; past days wait for the next sweep.
    pub days: BTreeMap<u32, Counts>,
    /// Bytes of the store's files.
    pub disk_bytes: u64,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Mailboxes.
    pub mailboxes: u64,
    /// Grants of all mailboxes.
    pub grants: u64,
    /// Cells that wait for a reader.
    pub cells: u64,
    /// Cells that are kept back until their time.
    pub held_cells: u64,
    /// Names of cells that were stored once and are not to be stored again.
    pub message_names: u64,
    /// Slots.
    pub slots: u64,
    /// Notices.
    pub notices: u64,
    /// Blobs.
    pub blobs: u64,
    /// Tokens that were spent and are not to be spent again.
    pub spent_tokens: u64,
    /// Sealed bytes of cells, held cells, slots, notices and blobs, 15,024 for each payload.
    pub payload_bytes: u64,
}

impl Inventory {
    /// All days together.
    pub fn total(&self) -> Counts {
        self.days.values().fold(Counts::default(), |sum, day| Counts {
            mailboxes: sum.mailboxes + day.mailboxes,
            grants: sum.grants + day.grants,
            cells: sum.cells + day.cells,
            held_cells: sum.held_cells + day.held_cells,
            message_names: sum.message_names + day.message_names,
            slots: sum.slots + day.slots,
            notices: sum.notices + day.notices,
            blobs: sum.blobs + day.blobs,
            spent_tokens: sum.spent_tokens + day.spent_tokens,
            payload_bytes: sum.payload_bytes + day.payload_bytes,
        })
    }
}
