//! The vault as the place of MLS state: [`StateStore`] inside the application's own transaction.

use budstikke_e2ee::store::{StateError, StateStore};
use zeroize::Zeroizing;

use super::{Kind, Tx, VaultError};

impl StateStore for Tx<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, StateError> {
        Tx::get(self, Kind::MLS_STATE, key).map_err(|error| backend(&error))
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), StateError> {
        Tx::put(self, Kind::MLS_STATE, key, value).map_err(|error| backend(&error))
    }

    fn delete(&self, key: &[u8]) -> Result<(), StateError> {
        Tx::delete(self, Kind::MLS_STATE, key).map(drop).map_err(|error| backend(&error))
    }
}

/// The sentence only: a failed write also dooms the transaction, which then reports the error
/// itself.
fn backend(error: &VaultError) -> StateError {
    StateError::Backend(error.to_string())
}
