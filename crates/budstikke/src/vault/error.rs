//! What can go wrong with a vault, and who can mend it.

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a vault could not be opened, read or written.
///
/// Unless a sentence says otherwise, the transaction was undone and what was committed before is
/// safe.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The person can try again. (A header forged to look whole ends here too.)
    #[error("this passphrase does not open the vault; nothing was changed: try again")]
    WrongPassphrase,
    /// The person gave the path of something else.
    #[error("this file is not a budstikke vault; it was left as it is: give the path of a vault")]
    NotAVault,
    /// The program is too old for this file.
    #[error(
        "the vault was written by a newer version (format {found}, this program knows up to \
         {known}); nothing was changed: update the program"
    )]
    Newer {
        /// The file's format.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// Another process or another handle of this one has the vault open.
    #[error("another program has this vault open; nothing was lost: close it there and try again")]
    InUse,
    /// [`Vault::create`](super::Vault::create) never writes over anything.
    #[error("there is already a file at this place; it was left as it is: choose another name")]
    Exists,
    /// No file, or the empty one that an interrupted creation leaves behind.
    #[error("there is no vault at this place: check the path, or create one")]
    NotFound,
    /// The file's bytes changed outside of this program. No wrong value was returned.
    #[error(
        "the vault is damaged ({what}): stop using it, keep the file as it is and ask whoever \
         supports you"
    )]
    Damaged {
        /// Which part, in words that hold nothing of the content.
        what: &'static str,
    },
    /// The person must free space on the disk.
    #[error(
        "the disk is full; this step was undone and everything stored before it is safe: free \
         some space and try again"
    )]
    Full,
    /// The program asked for more than an entry can hold; a defect of the caller.
    #[error("an entry of {len} bytes is too large for the vault, which takes at most {max}")]
    TooLarge {
        /// Bytes asked for.
        len: usize,
        /// Bytes allowed: [`MAX_KEY_LEN`](super::MAX_KEY_LEN) or
        /// [`MAX_VALUE_LEN`](super::MAX_VALUE_LEN).
        max: usize,
    },
    /// The caller's [`Cost`](super::Cost) is out of bounds.
    #[error(
        "these passphrase costs are out of bounds: 8 KiB per lane to 1 GiB of memory, 1 to 16 \
         passes, 1 to 8 lanes"
    )]
    Cost,
    /// The device must free memory for the passphrase's derivation.
    #[error(
        "opening the vault needs {kib} KiB of memory, which the device did not give; nothing was \
         lost: close other programs and try again"
    )]
    Memory {
        /// KiB that Argon2id needs.
        kib: u32,
    },
    /// The handle was closed before; a defect of the caller.
    #[error("the vault was closed before this step; the step was not done")]
    Closed,
    /// The disk or the operating system failed. What was committed before is as safe as the disk
    /// is.
    #[error(
        "the vault's file could not be read or written ({detail}): check the disk and its \
         permissions"
    )]
    Io {
        /// The operating system's or the engine's reason, without any content.
        detail: String,
    },
}

impl VaultError {
    pub(super) fn io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => Self::Exists,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::Io { detail: kind.to_string() },
        }
    }
}

/// The engine's results become ours here. Not a `From`, so that no type of the engine's is public.
pub(super) trait Sql<T> {
    fn sql(self) -> Result<T, VaultError>;
}

impl<T> Sql<T> for Result<T, rusqlite::Error> {
    fn sql(self) -> Result<T, VaultError> {
        use rusqlite::Error as E;
        self.map_err(|error| match error {
            E::SqliteFailure(failure, _) => from_code(failure),
            // STRICT tables hold the declared types unless the bytes were changed.
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::QueryReturnedNoRows => VaultError::Damaged { what: "an entry has the wrong type" },
            E::Utf8Error(..) => VaultError::Damaged { what: "the schema" },
            // The others name SQL or a path: only the kind of failure is told.
            _ => VaultError::Io { detail: "unexpected answer of the database engine".to_owned() },
        })
    }
}

fn from_code(failure: rusqlite::ffi::Error) -> VaultError {
    const SHORT_READ: i32 = rusqlite::ffi::SQLITE_IOERR_SHORT_READ;
    match (failure.code, failure.extended_code) {
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => VaultError::InUse,
        (ErrorCode::DiskFull, _) => VaultError::Full,
        (ErrorCode::NotADatabase, _) => VaultError::NotAVault,
        (ErrorCode::DatabaseCorrupt, _) | (_, SHORT_READ) => {
            VaultError::Damaged { what: "the file's structure" }
        }
        // We look before we insert, so only a damaged index can contradict us.
        (ErrorCode::ConstraintViolation, _) => VaultError::Damaged { what: "an index" },
        (_, extended) => VaultError::Io { detail: rusqlite::ffi::code_to_str(extended).to_owned() },
    }
}
