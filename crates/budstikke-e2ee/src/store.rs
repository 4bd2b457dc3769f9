//! Where MLS state lives: a small synchronous key-value trait that the application's vault
//! implements.
//!
//! Every call happens inside the application's own transaction, so that the MLS state, the
//! application's rows and the outbox commit together or not at all. After
//! a rollback every [`Group`](crate::group::Group) loaded inside it is stale: drop it and load it
//! again.

use thiserror::Error;
use zeroize::Zeroizing;

/// A synchronous key-value store; keys are at most a few hundred bytes, values at most a few
/// hundred KiB.
///
/// Keys reveal group ids and values hold secrets: an implementation on a disk stores only a MAC of
/// the key and the value sealed.
pub trait StateStore {
    /// The value of `key`, or `None`.
    ///
    /// # Errors
    /// [`StateError`] if the store can't be read or the value fails its seal.
    fn get(&self, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, StateError>;

    /// Sets `key` to `value`, replacing what was there.
    ///
    /// # Errors
    /// [`StateError`] if the store can't be written.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), StateError>;

    /// Removes `key`; no error if it is not there.
    ///
    /// # Errors
    /// [`StateError`] if the store can't be written.
    fn delete(&self, key: &[u8]) -> Result<(), StateError>;
}

/// The store failed. The person's device or its disk is at fault, never a peer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The application's store reported an error.
    #[error("the vault could not be read or written: {0}")]
    Backend(String),
    /// A stored value does not decode: written by an incompatible version, or damaged.
    #[error("a stored value of the kind {0} is damaged or from another version")]
    Damaged(&'static str),
}
