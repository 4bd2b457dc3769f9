//! Reading and writing entries inside a transaction.

use std::{
    cell::{Cell, RefCell},
    fmt,
    ops::Deref,
};

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use super::{
    Kind, MAX_KEY_LEN, MAX_VALUE_LEN, VaultError,
    error::Sql as _,
    key::{DataKey, Place},
};

/// An entry as it lies in the vault. Wiped when dropped.
pub struct Row {
    /// Its place in the order of insertion; never reused once committed.
    pub seq: u64,
    /// Its key; empty for an appended entry.
    pub key: Zeroizing<Vec<u8>>,
    /// Its value.
    pub value: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row")
    }
}

/// The reading half: what [`Vault::read`](super::Vault::read) gives and [`Tx`] derefs to.
pub struct View<'v> {
    sql: &'v Connection,
    keys: &'v DataKey,
}

impl<'v> View<'v> {
    pub(super) fn new(sql: &'v Connection, keys: &'v DataKey) -> Self {
        Self { sql, keys }
    }

    /// The value under `key`, or `None`.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if its seal fails; [`VaultError::Io`].
    pub fn get(&self, kind: Kind, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let space = self.keys.space(kind);
        let mac = self.keys.mac(space, key);
        let found: Option<(i64, Vec<u8>)> = self
            .sql
            .prepare_cached("SELECT seq, sealed FROM item WHERE space = ?1 AND mac = ?2")
            .sql()?
            .query_row(params![space, mac], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .sql()?;
        let Some((seq, sealed)) = found else { return Ok(None) };
        let place = Place { space, seq, mac: Some(&mac) };
        let entry = self.keys.open_entry(place, &sealed).ok_or(BROKEN_SEAL)?;
        if *entry.key == key { Ok(Some(entry.value)) } else { Err(BROKEN_SEAL) }
    }

    /// True if there is an entry under `key`; its seal is not checked.
    ///
    /// # Errors
    /// [`VaultError::Io`], [`VaultError::Damaged`].
    pub fn contains(&self, kind: Kind, key: &[u8]) -> Result<bool, VaultError> {
        let space = self.keys.space(kind);
        Ok(self.seq_of(space, &self.keys.mac(space, key))?.is_some())
    }

    /// All entries of `kind` in the order of their first insertion.
    ///
    /// # Errors
    /// As [`get`](Self::get); one damaged entry fails the whole list.
    pub fn list(&self, kind: Kind) -> Result<Vec<Row>, VaultError> {
        self.rows(kind, i64::MIN, -1)
    }

    /// At most `limit` entries of `kind` with a sequence number above `after`, in order. 0 is below
    /// all.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_after(&self, kind: Kind, after: u64, limit: usize) -> Result<Vec<Row>, VaultError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match i64::try_from(after) {
            Ok(after) => self.rows(kind, after, limit),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// How many entries of `kind` there are.
    ///
    /// # Errors
    /// [`VaultError::Io`], [`VaultError::Damaged`].
    pub fn count(&self, kind: Kind) -> Result<u64, VaultError> {
        let count: i64 = self
            .sql
            .prepare_cached("SELECT count(*) FROM item WHERE space = ?1")
            .sql()?
            .query_row([self.keys.space(kind)], |row| row.get(0))
            .sql()?;
        Ok(count.unsigned_abs())
    }

    /// Opens every seal and compares every key with its MAC; the number of entries.
    pub(super) fn check(&self) -> Result<u64, VaultError> {
        let mut query =
            self.sql.prepare("SELECT space, seq, mac, sealed FROM item ORDER BY seq").sql()?;
        let mut rows = query.query([]).sql()?;
        let mut count = 0;
        while let Some(row) = rows.next().sql()? {
            let (space, seq): (i64, i64) = (row.get(0).sql()?, row.get(1).sql()?);
            let (mac, sealed): (Option<Vec<u8>>, Vec<u8>) = (row.get(2).sql()?, row.get(3).sql()?);
            let place = Place { space, seq, mac: mac.as_deref() };
            let entry = self.keys.open_entry(place, &sealed).ok_or(BROKEN_SEAL)?;
            let fits = match mac {
                Some(mac) => mac == self.keys.mac(space, &entry.key),
                None => entry.key.is_empty(),
            };
            if !fits {
                return Err(BROKEN_SEAL);
            }
            count += 1;
        }
        Ok(count)
    }

    /// `limit` -1: all.
    fn rows(&self, kind: Kind, after: i64, limit: i64) -> Result<Vec<Row>, VaultError> {
        let space = self.keys.space(kind);
        let mut query = self
            .sql
            .prepare_cached(
                "SELECT seq, mac, sealed FROM item
             WHERE space = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            )
            .sql()?;
        let mut rows = query.query(params![space, after, limit]).sql()?;
        let mut list = Vec::new();
        while let Some(row) = rows.next().sql()? {
            let seq: i64 = row.get(0).sql()?;
            let (mac, sealed): (Option<Vec<u8>>, Vec<u8>) = (row.get(1).sql()?, row.get(2).sql()?);
            let place = Place { space, seq, mac: mac.as_deref() };
            let entry = self.keys.open_entry(place, &sealed).ok_or(BROKEN_SEAL)?;
            let seq = u64::try_from(seq).map_err(|_| BROKEN_SEAL)?;
            list.push(Row { seq, key: entry.key, value: entry.value });
        }
        Ok(list)
    }

    fn seq_of(&self, space: i64, mac: &[u8]) -> Result<Option<i64>, VaultError> {
        self.sql
            .prepare_cached("SELECT seq FROM item WHERE space = ?1 AND mac = ?2")
            .sql()?
            .query_row(params![space, mac], |row| row.get(0))
            .optional()
            .sql()
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}

/// A write transaction; reads through [`View`], to which it derefs.
///
/// A write that failed dooms it: later writes fail with the same error and nothing is committed,
/// whatever the closure returns.
pub struct Tx<'v> {
    view: View<'v>,
    doom: RefCell<Option<VaultError>>,
    stale: Cell<bool>,
    erase: Cell<bool>,
}

impl<'v> Tx<'v> {
    pub(super) fn new(view: View<'v>) -> Self {
        Self { view, doom: RefCell::new(None), stale: Cell::new(false), erase: Cell::new(false) }
    }

    /// [`View::get`], here once more so that a [`StateStore`](budstikke_e2ee::store::StateStore) in
    /// scope does not hide it.
    ///
    /// # Errors
    /// As there.
    pub fn get(&self, kind: Kind, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        self.view.get(kind, key)
    }

    /// Sets `key` to `value`. A key that is there already keeps its place in the order.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] above [`MAX_KEY_LEN`] or [`MAX_VALUE_LEN`]; [`VaultError::Full`];
    /// [`VaultError::Io`]; [`VaultError::Damaged`]. All of them doom the transaction.
    pub fn put(&self, kind: Kind, key: &[u8], value: &[u8]) -> Result<(), VaultError> {
        self.write(|| {
            fits(key, MAX_KEY_LEN)?;
            fits(value, MAX_VALUE_LEN)?;
            let space = self.keys.space(kind);
            let mac = self.keys.mac(space, key);
            if let Some(seq) = self.seq_of(space, &mac)? {
                let place = Place { space, seq, mac: Some(&mac) };
                self.sql
                    .prepare_cached("UPDATE item SET sealed = ?2 WHERE seq = ?1")
                    .sql()?
                    .execute(params![seq, self.keys.seal_entry(place, key, value)?])
                    .sql()?;
                self.stale.set(true);
            } else {
                let place = Place { space, seq: self.next_seq()?, mac: Some(&mac) };
                self.insert(place, key, value)?;
            }
            Ok(())
        })
    }

    /// Adds an entry without a key; its sequence number, above every one ever committed.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn append(&self, kind: Kind, value: &[u8]) -> Result<u64, VaultError> {
        self.write(|| {
            fits(value, MAX_VALUE_LEN)?;
            let place = Place { space: self.keys.space(kind), seq: self.next_seq()?, mac: None };
            self.insert(place, &[], value)?;
            Ok(place.seq.unsigned_abs())
        })
    }

    /// Removes the entry under `key`; true if there was one.
    ///
    /// Its bytes in the file are zeroed with the commit; a copy can stay in the log until the next
    /// [`Vault::scrub`](super::Vault::scrub), which [`erase_now`](Self::erase_now) brings forward.
    ///
    /// # Errors
    /// [`VaultError::Full`] (a deletion writes to the log), [`VaultError::Io`],
    /// [`VaultError::Damaged`].
    pub fn delete(&self, kind: Kind, key: &[u8]) -> Result<bool, VaultError> {
        self.write(|| {
            let space = self.keys.space(kind);
            let gone = self
                .sql
                .prepare_cached("DELETE FROM item WHERE space = ?1 AND mac = ?2")
                .sql()?
                .execute(params![space, self.keys.mac(space, key)])
                .sql()?;
            self.note_stale(gone)
        })
    }

    /// Removes the entry with this sequence number if it is of `kind`; true if there was one.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn delete_seq(&self, kind: Kind, seq: u64) -> Result<bool, VaultError> {
        self.write(|| {
            let Ok(seq) = i64::try_from(seq) else { return Ok(false) };
            let gone = self
                .sql
                .prepare_cached("DELETE FROM item WHERE space = ?1 AND seq = ?2")
                .sql()?
                .execute(params![self.keys.space(kind), seq])
                .sql()?;
            self.note_stale(gone)
        })
    }

    /// What this transaction replaces or deletes must be gone from the file's bytes at once: the
    /// commit is followed by a [`Vault::scrub`](super::Vault::scrub). Costs two more disk flushes.
    pub fn erase_now(&self) {
        self.erase.set(true);
    }

    /// The first failed write, if any, else what the commit leaves to scrub.
    pub(super) fn verdict(&self) -> Result<Leftover, VaultError> {
        match self.doom.borrow().as_ref() {
            Some(error) => Err(error.clone()),
            None if self.erase.get() => Ok(Leftover::EraseNow),
            None if self.stale.get() => Ok(Leftover::Stale),
            None => Ok(Leftover::Nothing),
        }
    }

    /// SQLite may have rolled the transaction back on its own (full disk, I/O error); a later
    /// statement would then commit by itself. Hence no write after a failed one.
    fn write<T>(&self, work: impl FnOnce() -> Result<T, VaultError>) -> Result<T, VaultError> {
        self.verdict()?;
        work().inspect_err(|error| {
            self.doom.replace(Some(error.clone()));
        })
    }

    fn insert(&self, place: Place<'_>, key: &[u8], value: &[u8]) -> Result<(), VaultError> {
        self.sql
            .prepare_cached("INSERT INTO item (seq, space, mac, sealed) VALUES (?1, ?2, ?3, ?4)")
            .sql()?
            .execute(params![
                place.seq,
                place.space,
                place.mac,
                self.keys.seal_entry(place, key, value)?
            ])
            .sql()?;
        Ok(())
    }

    /// The number SQLite would choose; needed before the insertion because the seal covers it.
    fn next_seq(&self) -> Result<i64, VaultError> {
        let last: Option<i64> = self
            .sql
            .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'item'")
            .sql()?
            .query_row([], |row| row.get(0))
            .optional()
            .sql()?;
        match last.unwrap_or(0).checked_add(1) {
            Some(next) if next > 0 => Ok(next),
            _ => Err(VaultError::Damaged { what: "the sequence" }),
        }
    }

    #[allow(clippy::unnecessary_wraps)]
    fn note_stale(&self, gone: usize) -> Result<bool, VaultError> {
        self.stale.set(self.stale.get() || gone > 0);
        Ok(gone > 0)
    }
}

impl<'v> Deref for Tx<'v> {
    type Target = View<'v>;

    fn deref(&self) -> &View<'v> {
        &self.view
    }
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

/// What a commit leaves in the log that is no longer wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leftover {
    Nothing,
    Stale,
    EraseNow,
}

const BROKEN_SEAL: VaultError = VaultError::Damaged { what: "an entry's seal" };

fn fits(bytes: &[u8], max: usize) -> Result<(), VaultError> {
    if bytes.len() <= max { Ok(()) } else { Err(VaultError::TooLarge { len: bytes.len(), max }) }
}
