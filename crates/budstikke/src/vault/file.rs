//! The SQLite file: how it is created, opened, locked, recognised and brought up to date.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, config::DbConfig,
    params,
};

use super::{VaultError, error::Sql as _, key::Header};

/// "BUDV" in the file's header (SQLite's `application_id`).
const APPLICATION_ID: i32 = 0x4255_4456;

/// Entry n brings a file from format n to n + 1 (SQLite's `user_version`).
///
/// No migration library: the history table of the usual one would write the times of opening into the file.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/0001_vault.sql")];

/// Makes the file, readable by its owner only, with `header` in it; all of it or an empty file.
pub(super) fn create(
    path: &Path,
    header: impl FnOnce() -> Result<Header, VaultError>,
) -> Result<Connection, VaultError> {
    match owner_only().open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if !is_unfinished(path) {
                return Err(VaultError::Exists);
            }
        }
        Err(error) => return Err(VaultError::io(&error)),
    }
    let mut sql = connect(path)?;
    let tx = sql.transaction_with_behavior(TransactionBehavior::Immediate).sql()?;
    if !schema(&tx)?.is_empty() || user_version(&tx)? != 0 || application_id(&tx)? != 0 {
        return Err(VaultError::Exists);
    }
    tighten(path)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID).sql()?;
    migrate(&tx, 0)?;
    write_header(&tx, &header()?)?;
    tx.commit().sql()?;
    // Only now: the switch would write a file without a schema, which a crash could leave behind.
    write_ahead(&sql)?;
    Ok(sql)
}

/// Opens and locks the file, and checks that it is a vault whose structure is whole.
pub(super) fn open(path: &Path) -> Result<Connection, VaultError> {
    match fs::metadata(path) {
        Ok(meta) if meta.len() == 0 && meta.is_file() => return Err(VaultError::NotFound),
        Ok(_) => tighten(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(VaultError::NotFound),
        Err(error) => return Err(VaultError::io(&error)),
    }
    let sql = connect(path)?;
    if application_id(&sql)? != APPLICATION_ID {
        // SQLite has just undone an interrupted creation; otherwise it is somebody else's file.
        let pages: i64 = sql.query_row("PRAGMA page_count", [], |row| row.get(0)).sql()?;
        return Err(if pages == 0 { VaultError::NotFound } else { VaultError::NotAVault });
    }
    write_ahead(&sql)?;
    let found = user_version(&sql)?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(VaultError::Newer { found, known });
    }
    if found == 0 || schema(&sql)? != expected_schema(found)? {
        return Err(VaultError::Damaged { what: "the schema" });
    }
    integrity(&sql)?;
    Ok(sql)
}

/// Brings an opened file to the newest format. All steps in one transaction.
pub(super) fn update(sql: &mut Connection) -> Result<(), VaultError> {
    let found = user_version(sql)?;
    if usize::try_from(found).is_ok_and(|found| found >= MIGRATIONS.len()) {
        return Ok(());
    }
    let tx = sql.transaction_with_behavior(TransactionBehavior::Immediate).sql()?;
    migrate(&tx, found)?;
    tx.commit().sql()?;
    Ok(())
}

/// SQLite's own check of pages, types, order and indexes. Reads the whole file.
pub(super) fn integrity(sql: &Connection) -> Result<(), VaultError> {
    let verdict: String = sql.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).sql()?;
    if verdict == "ok" { Ok(()) } else { Err(VaultError::Damaged { what: "the file's structure" }) }
}

/// Moves the log into the file and cuts it to nothing, so that no older copy of a page remains.
pub(super) fn scrub(sql: &Connection) -> Result<(), VaultError> {
    let busy: bool =
        sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).sql()?;
    if busy { Err(VaultError::InUse) } else { Ok(()) }
}

pub(super) fn read_header(sql: &Connection) -> Result<Header, VaultError> {
    sql.query_row(
        "SELECT salt, memory_kib, passes, lanes, wrapped, checksum, key_check FROM header",
        [],
        |row| {
            Ok(Header {
                salt: row.get(0)?,
                memory_kib: row.get(1)?,
                passes: row.get(2)?,
                lanes: row.get(3)?,
                wrapped: row.get(4)?,
                checksum: row.get(5)?,
                key_check: row.get(6)?,
            })
        },
    )
    .optional()
    .sql()?
    .ok_or(VaultError::Damaged { what: "the header" })
}

pub(super) fn write_header(sql: &Connection, header: &Header) -> Result<(), VaultError> {
    sql.execute(
        "INSERT OR REPLACE INTO header
         (id, salt, memory_kib, passes, lanes, wrapped, checksum, key_check)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            header.salt,
            header.memory_kib,
            header.passes,
            header.lanes,
            header.wrapped,
            header.checksum,
            header.key_check
        ],
    )
    .sql()?;
    Ok(())
}

/// A locked connection; another one, in this process or elsewhere, gets [`VaultError::InUse`].
///
/// The lock is SQLite's: it ends with the process. On Unix it would also end if this process opened
/// the same file by other means and closed it again, so nothing here does while the vault is open.
fn connect(path: &Path) -> Result<Connection, VaultError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = Connection::open_with_flags(path, flags).sql()?;
    sql.busy_timeout(std::time::Duration::ZERO).sql()?;
    // A hostile file gets no code to run.
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).sql()?;
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).sql()?;
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).sql()?;
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false).sql()?;
    // The locking mode comes before the first access, so that the log needs no shared-memory file.
    sql.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA secure_delete = ON;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0;
         PRAGMA cell_size_check = ON;",
    )
    .sql()?;
    Ok(sql)
}

fn write_ahead(sql: &Connection) -> Result<(), VaultError> {
    let mode: String = sql.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).sql()?;
    if mode != "wal" {
        return Err(VaultError::Io { detail: "the disk takes no write-ahead log".to_owned() });
    }
    // An empty write transaction takes the exclusive lock now rather than at the first use.
    sql.execute_batch("BEGIN IMMEDIATE; COMMIT;").sql()?;
    Ok(())
}

fn migrate(tx: &Transaction<'_>, from: u32) -> Result<(), VaultError> {
    let done = usize::try_from(from).unwrap_or(usize::MAX);
    for step in MIGRATIONS.iter().skip(done) {
        tx.execute_batch(step).sql()?;
    }
    tx.pragma_update(None, "user_version", MIGRATIONS.len()).sql()?;
    Ok(())
}

/// Every table, index, view and trigger with its text.
fn schema(sql: &Connection) -> Result<Vec<[Option<String>; 3]>, VaultError> {
    let mut query =
        sql.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").sql()?;
    let rows = query.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).sql()?;
    rows.collect::<Result<_, _>>().sql()
}

fn expected_schema(version: u32) -> Result<Vec<[Option<String>; 3]>, VaultError> {
    let fresh = Connection::open_in_memory().sql()?;
    for step in MIGRATIONS.iter().take(usize::try_from(version).unwrap_or(0)) {
        fresh.execute_batch(step).sql()?;
    }
    schema(&fresh)
}

fn application_id(sql: &Connection) -> Result<i32, VaultError> {
    sql.query_row("PRAGMA application_id", [], |row| row.get(0)).sql()
}

fn user_version(sql: &Connection) -> Result<u32, VaultError> {
    let version: i32 = sql.query_row("PRAGMA user_version", [], |row| row.get(0)).sql()?;
    u32::try_from(version).map_err(|_| VaultError::Damaged { what: "the format's number" })
}

fn owner_only() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// True for what an interrupted creation leaves: an empty file, or one beside a rollback journal.
/// Whether that really holds nothing is for SQLite to say.
fn is_unfinished(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|meta| meta.is_file() && (meta.len() == 0 || beside(path, "-journal").exists()))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Takes group's and others' rights away from the file; its log inherits them from it.
fn tighten(path: &Path) -> Result<(), VaultError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for file in [path, &beside(path, "-wal")] {
            match fs::metadata(file) {
                Ok(meta) if meta.is_file() && meta.permissions().mode() & 0o077 != 0 => {
                    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
                        .map_err(|error| VaultError::io(&error))?;
                }
                _ => {}
            }
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
