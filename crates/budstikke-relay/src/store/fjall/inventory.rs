//! What a data folder shows without the store key: how many rows of each kind expire on which day.

use std::collections::BTreeMap;
use std::path::Path;

use ::fjall::Readable;
use budstikke_proto::limits::CELL_LEN;

use super::files;
use super::group::expiring;
use super::seal::Kind;
use super::tables::open_expiry;
use crate::store::{Counts, Inventory, StoreError};

/// Counts everything in a store that no relay has open. Needs no key, and changes no row.
///
/// # Errors
/// [`StoreError::Missing`] when there is no store, [`StoreError::Locked`] while a relay runs on it,
/// [`StoreError::Damaged`] for rows of a kind that this version does not know, [`StoreError::DamagedFile`],
/// [`StoreError::Disk`].
pub fn inventory(folder: &Path) -> Result<Inventory, StoreError> {
    // Opening would make one.
    if !folder.is_dir() {
        return Err(StoreError::Missing);
    }
    let db = files::open(folder)?;
    if !db.keyspace_exists("expiry") {
        return Err(StoreError::Missing);
    }
    let expiry = open_expiry(&db)?;
    let mut days: BTreeMap<u32, Counts> = BTreeMap::new();
    for row in db.read_tx().iter(&expiry) {
        let key = row.key()?;
        let day = key.first_chunk().copied().map(u32::from_be_bytes).ok_or(StoreError::Damaged)?;
        let place = expiring(&key).ok_or(StoreError::Damaged)?;
        count(days.entry(day).or_default(), place.kind);
    }
    Ok(Inventory { days, disk_bytes: db.disk_space()? })
}

fn count(counts: &mut Counts, kind: Kind) {
    let mut payload = false;
    match kind {
        Kind::Mailbox => counts.mailboxes += 1,
        Kind::Grant => counts.grants += 1,
        // Its body stands in no list.
        Kind::CellAt => (counts.cells, payload) = (counts.cells + 1, true),
        Kind::Held => counts.held_cells += 1,
        Kind::Message => counts.message_names += 1,
        Kind::Slot => counts.slots += 1,
        Kind::Notice => counts.notices += 1,
        Kind::Blob => counts.blobs += 1,
        Kind::Token => counts.spent_tokens += 1,
        Kind::HeldBody | Kind::SlotPart | Kind::NoticePart | Kind::BlobPart => payload = true,
        // Counted as what they belong to.
        Kind::GrantAt | Kind::BlobOwner | Kind::CellBody => {}
    }
    if payload {
        counts.payload_bytes += u64::try_from(CELL_LEN).unwrap_or(0);
    }
}
