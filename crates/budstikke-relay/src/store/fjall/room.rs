//! What all blobs take, by their last day: in memory, counted at each start. A past day's are free at once.

use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Room(BTreeMap<u32, u64>);

impl Room {
    pub(super) fn take(&mut self, day: u32, bytes: u32) {
        let taken = self.0.entry(day).or_default();
        *taken = taken.saturating_add(bytes.into());
    }

    pub(super) fn free(&mut self, day: u32, bytes: u32) {
        if let Some(taken) = self.0.get_mut(&day) {
            *taken = taken.saturating_sub(bytes.into());
        }
    }

    /// Bytes of what has not expired.
    pub(super) fn taken(&mut self, today: u32) -> u64 {
        self.0 = self.0.split_off(&today);
        self.0.values().sum()
    }
}
