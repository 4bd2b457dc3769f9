//! The six keyspaces, and reading from them.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `days` | day | the day's key, wrapped under the store key |
//! | `rows` | HMAC | day, sealed row: mailboxes, grants, places, heads |
//! | `bodies` | HMAC | day, sealed 15,024 bytes |
//! | `held` | HMAC | day, sealed row: a held cell's head; apart, so that a start finds them all |
//! | `blobs` | HMAC | day, sealed row: a blob's head; apart for the same reason |
//! | `expiry` | day, kind, HMAC | for a cell its sealed reference, else nothing |

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use budstikke_proto::id::{DeleteId, FetchId, MsgId, NoticeId, RecvId, SendId, SlotId};
use fjall::{KeyspaceCreateOptions, KvSeparationOptions, PersistMode, Readable};
use fjall::{SingleWriterTxDatabase, SingleWriterTxKeyspace};
use prost::Message;

use super::due::{Due, Turn};
use super::files;
use super::room::Room;
use super::rows::{
    BlobOwnerRow, BlobRow, BodyRow, CellAtRow, GrantRow, HeadRow, HeldRow, MailboxRow, MarkRow,
    SlotRow,
};
use super::seal::{Kind, RowKey, Sealer, SealingKey, StoreKey, open_row, row_day};
use crate::log;
use crate::store::rules::day_of;
use crate::store::{BlobPage, Notice, Page, SlotEntry, StoreError, StoredCell};

const CHECK_KEY: &[u8] = b"check";
/// Holes that one read steps over before it answers with what it has.
const MAX_HOLES: u32 = 4_096;

pub(super) struct Tables {
    pub(super) db: SingleWriterTxDatabase,
    pub(super) days: SingleWriterTxKeyspace,
    pub(super) expiry: SingleWriterTxKeyspace,
    rows: SingleWriterTxKeyspace,
    bodies: SingleWriterTxKeyspace,
    held: SingleWriterTxKeyspace,
    blobs: SingleWriterTxKeyspace,
    pub(super) sealer: Sealer,
    folder: PathBuf,
    /// Damaged files were named.
    blamed: AtomicBool,
}

/// Sealed bytes do not compress.
fn small() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .data_block_compression_policy(fjall::config::CompressionPolicy::disabled())
}

pub(super) fn open_expiry(
    db: &SingleWriterTxDatabase,
) -> Result<SingleWriterTxKeyspace, StoreError> {
    Ok(db.keyspace("expiry", small)?)
}

/// Where a row is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) key: RowKey,
}

/// A live row and its last day.
pub(super) struct Found<T> {
    pub(super) day: u32,
    pub(super) row: T,
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        use fjall::{Error, LsmError};
        match error {
            Error::Locked => Self::Locked,
            // A file is shorter than its index says, or its bytes are not those that were written.
            Error::Io(error) | Error::Storage(LsmError::Io(error))
                if error.kind() == std::io::ErrorKind::UnexpectedEof =>
            {
                Self::Damaged
            }
            Error::Storage(LsmError::Io(_)) => Self::Disk,
            Error::Storage(_)
            | Error::JournalRecovery(_)
            | Error::Decompress(_)
            | Error::InvalidTrailer
            | Error::InvalidTag(_)
            | Error::Unrecoverable => Self::Damaged,
            _ => Self::Disk,
        }
    }
}

impl Tables {
    pub(super) fn open(folder: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        let db = files::open(folder)?;
        let large = || {
            let blobs = KvSeparationOptions::default().compression(fjall::CompressionType::None);
            small().with_kv_separation(Some(blobs))
        };
        let tables = Self {
            days: db.keyspace("days", small)?,
            expiry: open_expiry(&db)?,
            rows: db.keyspace("rows", small)?,
            bodies: db.keyspace("bodies", large)?,
            held: db.keyspace("held", small)?,
            blobs: db.keyspace("blobs", small)?,
            sealer: Sealer::new(key),
            folder: folder.to_path_buf(),
            blamed: AtomicBool::new(false),
            db,
        };
        tables.load_days()?;
        tables.mark()?;
        Ok(tables)
    }

    /// Moves everything from the journal into tables.
    #[cfg(test)]
    pub(super) fn flush(&self) {
        for keyspace in
            [&self.days, &self.expiry, &self.rows, &self.bodies, &self.held, &self.blobs]
        {
            keyspace.inner().rotate_memtable_and_wait().unwrap();
        }
    }

    /// Notes how far everything is safe, at the beginning and at the end.
    pub(super) fn mark(&self) -> Result<(), StoreError> {
        self.db.persist(PersistMode::SyncAll)?;
        files::mark(&self.folder)
    }

    /// After a row could not be read: names the files to blame, once, in the log. The rest is served on.
    pub(super) fn blame(&self) {
        if self.blamed.swap(true, Ordering::SeqCst) {
            return;
        }
        let folder = self.folder.clone();
        let look = move || {
            if files::blame(&folder).is_none() {
                log::error("a row of the store is damaged, and no file of it", &[]);
            }
        };
        // Without a thread it stays unsaid; the row is refused all the same.
        let _ = std::thread::Builder::new().name("budstikke-blame".into()).spawn(look);
    }

    fn load_days(&self) -> Result<(), StoreError> {
        if let Some(value) = self.days.get(CHECK_KEY)? {
            self.sealer.check_key(&value)?;
        } else {
            let mut tx = self.db.write_tx().durability(Some(PersistMode::SyncAll));
            tx.insert(&self.days, CHECK_KEY, self.sealer.key_check()?);
            tx.commit()?;
        }
        for row in self.db.read_tx().iter(&self.days) {
            let (day, wrapped) = row.into_inner()?;
            if let Ok(day) = <[u8; 4]>::try_from(day.as_ref()) {
                self.sealer.unwrap_day(u32::from_be_bytes(day), &wrapped)?;
            }
        }
        Ok(())
    }

    pub(super) fn keyspace(&self, kind: Kind) -> &SingleWriterTxKeyspace {
        match kind {
            Kind::CellBody
            | Kind::SlotPart
            | Kind::NoticePart
            | Kind::HeldBody
            | Kind::BlobPart => &self.bodies,
            Kind::Held => &self.held,
            Kind::Blob => &self.blobs,
            _ => &self.rows,
        }
    }

    /// Loads a row; `None` when it is not there or past its last day.
    pub(super) fn load<T: Message + Default>(
        &self,
        at: &impl Readable,
        today: u32,
        place: &Place,
    ) -> Result<Option<Found<T>>, StoreError> {
        let Some(value) = at.get(self.keyspace(place.kind), place.key)? else { return Ok(None) };
        let day = row_day(&value)?;
        if day < today {
            return Ok(None);
        }
        let key = self.sealer.day(day).ok_or(StoreError::Damaged)?;
        Self::decode(&key, place, &value).map(|row| Some(Found { day, row }))
    }

    pub(super) fn decode<T: Message + Default>(
        key: &SealingKey,
        place: &Place,
        value: &[u8],
    ) -> Result<T, StoreError> {
        let plain = open_row(key, &place.key, value)?;
        T::decode(plain.as_slice()).map_err(|_| StoreError::Damaged)
    }

    pub(super) fn read(
        &self,
        today: u32,
        recv_id: &RecvId,
        since: u64,
        max: u32,
    ) -> Result<Option<Page>, StoreError> {
        let at = self.db.read_tx();
        let Some(mailbox) = self.load::<MailboxRow>(&at, today, &self.mailbox(recv_id))? else {
            return Ok(None);
        };
        let last = mailbox.row.last_seq;
        let mut page = Page { cells: Vec::new(), next: since, more: false };
        let (mut left, mut holes) = (max, MAX_HOLES);
        for seq in since.saturating_add(1).max(mailbox.row.first_seq)..=last {
            if left == 0 || holes == 0 {
                page.more = true;
                break;
            }
            match self.cell(&at, today, recv_id, seq)? {
                Some(cell) => {
                    page.cells.push(Arc::new(cell));
                    left -= 1;
                }
                None => holes -= 1,
            }
            page.next = seq;
        }
        Ok(Some(page))
    }

    fn cell(
        &self,
        at: &impl Readable,
        today: u32,
        recv_id: &RecvId,
        seq: u64,
    ) -> Result<Option<StoredCell>, StoreError> {
        let Some(head) = self.load::<CellAtRow>(at, today, &self.cell_at(recv_id, seq))? else {
            return Ok(None);
        };
        let body = self.load::<BodyRow>(at, today, &self.cell_body(recv_id, seq))?;
        let cell = body.ok_or(StoreError::Damaged)?.row.bytes;
        Ok(Some(StoredCell { seq, label: head.row.label()?, cell }))
    }

    pub(super) fn owner_key(
        &self,
        today: u32,
        recv_id: &RecvId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.load::<MailboxRow>(&self.db.read_tx(), today, &self.mailbox(recv_id))?;
        Ok(row.map(|found| found.row.recv_pk))
    }

    pub(super) fn sender_key(
        &self,
        today: u32,
        send_id: &SendId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.load::<GrantRow>(&self.db.read_tx(), today, &self.grant(send_id))?;
        Ok(row.map(|found| found.row.send_pk))
    }

    /// Ends where a mailbox or a grant ends, whatever the row says.
    /// A held cell's cancel key, until the cell is due: then nothing is left to cancel, released or not.
    pub(super) fn cancel_key(
        &self,
        now: i64,
        send_id: &SendId,
        msg_id: &MsgId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let today = day_of(now);
        let at = self.db.read_tx();
        let Some(grant) = self.load::<GrantRow>(&at, today, &self.grant(send_id))? else {
            return Ok(None);
        };
        let mailbox = self.mailbox(&grant.row.recv_id()?);
        let Some(mailbox) = self.load::<MailboxRow>(&at, today, &mailbox)? else {
            return Ok(None);
        };
        let place = self.held(mailbox.row.born, send_id, msg_id);
        let held = self.load::<HeldRow>(&at, today, &place)?;
        Ok(held.filter(|found| found.row.release_at > now).map(|found| found.row.cancel_pk))
    }

    /// All held cells. A damaged one is named and left out.
    pub(super) fn load_due(&self) -> Result<Due, StoreError> {
        let mut due = Due::default();
        for row in self.db.read_tx().iter(&self.held) {
            let (key, value) = row.into_inner()?;
            match self.load_turn(&key, &value) {
                Ok((turn, key, grant)) => due.insert(turn, key, grant),
                Err(_) => log::error("a held cell's row is damaged and stays unreleased", &[]),
            }
        }
        Ok(due)
    }

    fn load_turn(&self, key: &[u8], value: &[u8]) -> Result<(Turn, RowKey, RowKey), StoreError> {
        let key = RowKey::try_from(key).map_err(|_| StoreError::Damaged)?;
        let place = Place { kind: Kind::Held, key };
        let day_key = self.sealer.day(row_day(value)?).ok_or(StoreError::Damaged)?;
        let row: HeldRow = Self::decode(&day_key, &place, value)?;
        let (_, send_id, _) = row.ids()?;
        let turn = Turn { release_at: row.release_at, order: row.order };
        Ok((turn, key, self.grant(&send_id).key))
    }

    pub(super) fn fetch_key(
        &self,
        today: u32,
        id: &FetchId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.load::<BlobRow>(&self.db.read_tx(), today, &self.blob(id))?;
        Ok(row.map(|found| found.row.fetch_pk))
    }

    pub(super) fn delete_key(
        &self,
        today: u32,
        id: &DeleteId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.load::<BlobOwnerRow>(&self.db.read_tx(), today, &self.blob_owner(id))?;
        Ok(row.map(|found| found.row.delete_pk))
    }

    /// A token's mark again, if it was spent.
    pub(super) fn spent(&self, today: u32, id: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.load::<MarkRow>(&self.db.read_tx(), today, &self.token(id))?;
        Ok(row.map(|_| id.to_vec()))
    }

    pub(super) fn read_blob(
        &self,
        today: u32,
        fetch_id: &FetchId,
        first: u32,
        max: u32,
    ) -> Result<Option<BlobPage>, StoreError> {
        let at = self.db.read_tx();
        let Some(blob) = self.load::<BlobRow>(&at, today, &self.blob(fetch_id))? else {
            return Ok(None);
        };
        let count = blob.row.parts;
        let left = count.saturating_sub(first).min(max);
        let payloads =
            self.bodies(&at, today, left, |index| self.blob_part(fetch_id, first + index))?;
        Ok(Some(BlobPage { payloads, count }))
    }

    /// How much all blobs take, by their last day. A damaged one counts as nothing.
    pub(super) fn load_room(&self) -> Result<Room, StoreError> {
        let mut room = Room::default();
        for row in self.db.read_tx().iter(&self.blobs) {
            let (key, value) = row.into_inner()?;
            let Ok(key) = RowKey::try_from(key.as_ref()) else { continue };
            let day = row_day(&value)?;
            let Some(day_key) = self.sealer.day(day) else { continue };
            let place = Place { kind: Kind::Blob, key };
            if let Ok(row) = Self::decode::<BlobRow>(&day_key, &place, &value) {
                room.take(day, row.bytes);
            }
        }
        Ok(room)
    }

    pub(super) fn slot_entries(
        &self,
        at: &impl Readable,
        today: u32,
        slot_id: &SlotId,
    ) -> Result<Vec<SlotEntry>, StoreError> {
        let Some(slot) = self.load::<SlotRow>(at, today, &self.slot(slot_id))? else {
            return Ok(Vec::new());
        };
        let entries = (0u32..).zip(&slot.row.entries).map(|(entry, head)| {
            let payloads =
                self.bodies(at, today, head.parts, |index| self.slot_part(slot_id, entry, index))?;
            Ok(SlotEntry { signature: head.signature()?, hash: head.hash()?, payloads })
        });
        entries.collect()
    }

    pub(super) fn read_notice(
        &self,
        today: u32,
        notice_id: &NoticeId,
    ) -> Result<Option<Notice>, StoreError> {
        let at = self.db.read_tx();
        let Some(head) = self.load::<HeadRow>(&at, today, &self.notice(notice_id))? else {
            return Ok(None);
        };
        let version = head.row.version;
        let payloads = self.bodies(&at, today, head.row.parts, |index| {
            self.notice_part(notice_id, version, index)
        })?;
        let (signature, hash) = (head.row.signature()?, head.row.hash()?);
        Ok(Some(Notice { version, signature, hash, payloads }))
    }

    fn bodies(
        &self,
        at: &impl Readable,
        today: u32,
        count: u32,
        place: impl Fn(u32) -> Place,
    ) -> Result<Vec<bytes::Bytes>, StoreError> {
        let one = |index| {
            let found = self.load::<BodyRow>(at, today, &place(index))?;
            Ok(found.ok_or(StoreError::Damaged)?.row.bytes)
        };
        (0..count).map(one).collect()
    }
}

/// Where everything is.
impl Tables {
    fn place(&self, kind: Kind, parts: &[&[u8]]) -> Place {
        Place { kind, key: self.sealer.row_key(kind, parts) }
    }

    pub(super) fn mailbox(&self, id: &RecvId) -> Place {
        self.place(Kind::Mailbox, &[id.as_bytes()])
    }

    pub(super) fn grant(&self, id: &SendId) -> Place {
        self.place(Kind::Grant, &[id.as_bytes()])
    }

    pub(super) fn grant_at(&self, id: &RecvId, place: u32) -> Place {
        self.place(Kind::GrantAt, &[id.as_bytes(), &place.to_be_bytes()])
    }

    pub(super) fn cell_at(&self, id: &RecvId, seq: u64) -> Place {
        self.place(Kind::CellAt, &[id.as_bytes(), &seq.to_be_bytes()])
    }

    pub(super) fn cell_body(&self, id: &RecvId, seq: u64) -> Place {
        self.place(Kind::CellBody, &[id.as_bytes(), &seq.to_be_bytes()])
    }

    pub(super) fn message(&self, born: u64, id: &SendId, msg: &[u8; 16]) -> Place {
        self.place(Kind::Message, &[&born.to_be_bytes(), id.as_bytes(), msg])
    }

    pub(super) fn held(&self, born: u64, id: &SendId, msg: &MsgId) -> Place {
        self.place(Kind::Held, &[&born.to_be_bytes(), id.as_bytes(), msg.as_bytes()])
    }

    pub(super) fn held_body(&self, born: u64, id: &SendId, msg: &MsgId) -> Place {
        self.place(Kind::HeldBody, &[&born.to_be_bytes(), id.as_bytes(), msg.as_bytes()])
    }

    pub(super) fn slot(&self, id: &SlotId) -> Place {
        self.place(Kind::Slot, &[id.as_bytes()])
    }

    pub(super) fn slot_part(&self, id: &SlotId, entry: u32, index: u32) -> Place {
        let parts: [&[u8]; 3] = [id.as_bytes(), &entry.to_be_bytes(), &index.to_be_bytes()];
        self.place(Kind::SlotPart, &parts)
    }

    pub(super) fn blob(&self, id: &FetchId) -> Place {
        self.place(Kind::Blob, &[id.as_bytes()])
    }

    pub(super) fn blob_part(&self, id: &FetchId, index: u32) -> Place {
        self.place(Kind::BlobPart, &[id.as_bytes(), &index.to_be_bytes()])
    }

    pub(super) fn blob_owner(&self, id: &DeleteId) -> Place {
        self.place(Kind::BlobOwner, &[id.as_bytes()])
    }

    pub(super) fn token(&self, id: &[u8; 32]) -> Place {
        self.place(Kind::Token, &[id])
    }

    pub(super) fn notice(&self, id: &NoticeId) -> Place {
        self.place(Kind::Notice, &[id.as_bytes()])
    }

    pub(super) fn notice_part(&self, id: &NoticeId, version: u64, index: u32) -> Place {
        let parts: [&[u8]; 3] = [id.as_bytes(), &version.to_be_bytes(), &index.to_be_bytes()];
        self.place(Kind::NoticePart, &parts)
    }
}
