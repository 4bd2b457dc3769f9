//! The vault: one encrypted SQLite file that holds everything a device must not lose or show.
//!
//! MLS state, application records and the outbox share its transactions, so they commit together or
//! not at all. The vault knows none of them: it keeps bytes under a [`Kind`] and
//! a key, in the order of their insertion.
//!
//! In the file, keys are HMAC-SHA256 values and values are sealed with XChaCha20-Poly1305, each
//! bound to its kind, key, place and format. The data key is random and lies wrapped under Argon2id
//! of the passphrase's bytes (no Unicode normalisation).
//!
//! **What the file still shows**: sizes, the number of entries, and which entries share a kind.
//! **What the seals don't stop**: somebody who can write the file may put back an older copy of it,
//! or take whole entries out. **Deletion** zeroes the bytes in the file and its log; what a disk
//! keeps below the file system is out of reach.
//!
//! ```
//! use budstikke::vault::{Cost, Kind, Vault, VaultError};
//! use secrecy::SecretString;
//!
//! const NOTE: Kind = Kind::new(1);
//! # let dir = tempfile::tempdir().unwrap();
//! # let path = dir.path().join("vault.db");
//! let passphrase = SecretString::from("correct horse battery staple");
//! let mut rng = rand_core::OsRng;
//! # let cost = Cost::INSECURE_FOR_TESTS;
//! let mut vault = Vault::create(&path, &passphrase, cost, &mut rng)?;
//! vault.transaction(|tx| tx.put(NOTE, b"greeting", b"god dag"))?;
//! let found = vault.read(|view| view.get(NOTE, b"greeting"))?;
//! assert_eq!(found.unwrap().as_slice(), b"god dag");
//! vault.close()?;
//! # Ok::<(), VaultError>(())
//! ```

mod error;
mod file;
mod key;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod tx;

use std::{fmt, path::Path};

use rand_core::{CryptoRng, RngCore};
use rusqlite::{Connection, TransactionBehavior};
use secrecy::SecretString;
use zeroize::Zeroizing;

use self::{
    error::Sql as _,
    key::{DataKey, Header},
    tx::Leftover,
};
pub use self::{
    error::VaultError,
    key::Cost,
    shared::AsyncVault,
    tx::{Row, Tx, View},
};

/// The longest key, in bytes.
pub const MAX_KEY_LEN: usize = 64 * 1024;
/// The longest value, in bytes: 16 MiB.
pub const MAX_VALUE_LEN: usize = 16 * 1024 * 1024;

/// After so many commits that replaced or deleted something, the log is scrubbed unasked.
const SCRUB_AFTER: u32 = 64;

/// A namespace of entries. The caller chooses the numbers and never changes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u32);

impl Kind {
    /// Where [`StateStore`](budstikke_e2ee::store::StateStore) of [`Tx`] keeps the MLS state;
    /// outside of the callers' numbers.
    pub const MLS_STATE: Self = Self(0x1_0000);

    /// A namespace of the caller's.
    pub const fn new(number: u16) -> Self {
        Self(number as u32)
    }
}

/// An open vault. It is locked for everybody else until it is closed or dropped.
///
/// Dropping closes it too, but reports no error and leaves the log's deletion to SQLite.
pub struct Vault {
    sql: Connection,
    keys: DataKey,
    stale: u32,
}

impl Vault {
    /// Makes a new vault at `path`, readable by its owner only. Takes one Argon2id of `cost`.
    ///
    /// `rng` gives the data key. Nonces and the salt come from the operating system, so that an
    /// `rng` with a fixed seed (tests) repeats none of them. After a crash nothing or an empty file
    /// is left, which a second `create` takes over.
    ///
    /// # Errors
    /// [`VaultError::Exists`], [`VaultError::InUse`] if somebody else is creating it,
    /// [`VaultError::Memory`], [`VaultError::Full`], [`VaultError::Io`].
    pub fn create(
        path: &Path,
        passphrase: &SecretString,
        cost: Cost,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, VaultError> {
        let mut root = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut root[..]);
        let keys = DataKey::new(root);
        let sql = file::create(path, || Header::seal(&keys, passphrase, cost))?;
        Ok(Self { sql, keys, stale: 0 })
    }

    /// Opens the vault at `path`, brings it to the newest format and checks its structure, which
    /// reads the whole file. Takes one Argon2id of the cost it was made with.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], [`VaultError::InUse`], [`VaultError::NotAVault`],
    /// [`VaultError::Newer`], [`VaultError::WrongPassphrase`], [`VaultError::Damaged`],
    /// [`VaultError::Memory`], [`VaultError::Full`], [`VaultError::Io`].
    pub fn open(path: &Path, passphrase: &SecretString) -> Result<Self, VaultError> {
        let mut sql = file::open(path)?;
        let keys = file::read_header(&sql)?.open(passphrase)?;
        file::update(&mut sql)?;
        let mut vault = Self { sql, keys, stale: 0 };
        // A crash left the log as it was, with old values in it.
        vault.clean_up(Leftover::EraseNow);
        Ok(vault)
    }

    /// Runs `work` in a write transaction: committed durably if it returns `Ok`, undone if it
    /// returns an error, if a write in it failed, or if it panics.
    ///
    /// After a rollback everything that `work` loaded and kept elsewhere is stale (MLS groups above
    /// all).
    ///
    /// # Errors
    /// What `work` returns; else a failed write or commit, as `E`.
    pub fn transaction<T, E: From<VaultError>>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let sql = self.sql.transaction_with_behavior(TransactionBehavior::Immediate).sql()?;
        let tx = Tx::new(View::new(&sql, &self.keys));
        // An error or a panic leaves here, and dropping `sql` rolls back.
        let value = work(&tx)?;
        let leftover = tx.verdict()?;
        sql.commit().sql()?;
        self.clean_up(leftover);
        Ok(value)
    }

    /// Runs `work` on one consistent state, without writing.
    ///
    /// # Errors
    /// What `work` returns; else a failure to start, as `E`.
    pub fn read<T, E: From<VaultError>>(
        &mut self,
        work: impl FnOnce(&View<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let sql = self.sql.transaction().sql()?;
        work(&View::new(&sql, &self.keys))
    }

    /// Reads everything: the file's structure, every seal, every key. The number of entries.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] names the part; [`VaultError::Io`].
    pub fn check(&self) -> Result<u64, VaultError> {
        file::integrity(&self.sql)?;
        file::read_header(&self.sql)?.check(&self.keys)?;
        View::new(&self.sql, &self.keys).check()
    }

    /// Replaces the passphrase; the entries stay as they are. Takes two Argon2id, one of the old
    /// cost and one of `cost`. Copies of the file made before still open with the old passphrase.
    ///
    /// # Errors
    /// [`VaultError::WrongPassphrase`] if `old` is not right, and as
    /// [`transaction`](Self::transaction). An error of the last step (the scrub) leaves the new
    /// passphrase in force; [`scrub`](Self::scrub) can be called again.
    pub fn change_passphrase(
        &mut self,
        old: &SecretString,
        new: &SecretString,
        cost: Cost,
    ) -> Result<(), VaultError> {
        file::read_header(&self.sql)?.open(old)?;
        let header = Header::seal(&self.keys, new, cost)?;
        let tx = self.sql.transaction_with_behavior(TransactionBehavior::Immediate).sql()?;
        file::write_header(&tx, &header)?;
        tx.commit().sql()?;
        self.stale = SCRUB_AFTER;
        self.scrub()
    }

    /// The cost of the present passphrase, to offer a change when it has become too low.
    ///
    /// # Errors
    /// [`VaultError::Damaged`], [`VaultError::Io`].
    pub fn cost(&self) -> Result<Cost, VaultError> {
        file::read_header(&self.sql)?.cost()
    }

    /// Empties the log, so that replaced and deleted values are gone from the file's bytes.
    ///
    /// # Errors
    /// [`VaultError::Full`], [`VaultError::Io`]: nothing is lost, old values may remain.
    pub fn scrub(&mut self) -> Result<(), VaultError> {
        file::scrub(&self.sql)?;
        self.stale = 0;
        Ok(())
    }

    /// True if replaced or deleted values may still lie in the log: [`scrub`](Self::scrub) when
    /// idle.
    pub fn needs_scrub(&self) -> bool {
        self.stale > 0
    }

    /// Scrubs, closes and unlocks.
    ///
    /// # Errors
    /// [`VaultError::Full`], [`VaultError::Io`]: it is closed all the same; nothing committed is
    /// lost.
    pub fn close(mut self) -> Result<(), VaultError> {
        let scrubbed = self.scrub();
        let Self { sql, .. } = self;
        sql.close().map_err(|(_, error)| error).sql()?;
        scrubbed
    }

    /// The commit has happened, so a failed scrub is no error of the transaction: the next commit,
    /// the next scrub or the close tries again.
    fn clean_up(&mut self, leftover: Leftover) {
        match leftover {
            Leftover::Nothing => {}
            Leftover::Stale => self.stale = self.stale.saturating_add(1),
            Leftover::EraseNow => self.stale = SCRUB_AFTER,
        }
        if self.stale >= SCRUB_AFTER
            && let Err(error) = self.scrub()
        {
            tracing::warn!(%error, "deleted values may remain in the vault's log for now");
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}
