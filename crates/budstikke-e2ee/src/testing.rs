//! An in-memory [`StateStore`] for tests and examples, with savepoints to try rollbacks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use zeroize::Zeroizing;

use crate::store::{StateError, StateStore};

/// Shared, so that a savepoint copies no values.
type Map = BTreeMap<Vec<u8>, Arc<Zeroizing<Vec<u8>>>>;

/// Keeps everything in memory. Not for secrets that matter.
#[derive(Default)]
pub struct MemoryStore(Mutex<Map>);

/// A copy of a [`MemoryStore`]'s content, to go back to.
pub struct Savepoint(Map);

impl Savepoint {
    /// Bytes of all keys and values.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(key, value)| key.len().saturating_add(value.len())).sum()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Copies the present content.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.map().clone())
    }

    /// Goes back to an earlier content, as a rolled-back transaction would.
    pub fn rollback(&self, to: &Savepoint) {
        *self.map() = to.0.clone();
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.map().len()
    }

    /// True if nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, StateError> {
        Ok(self.map().get(key).map(|value| Zeroizing::clone(value)))
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), StateError> {
        self.map().insert(key.to_vec(), Arc::new(Zeroizing::new(value.to_vec())));
        Ok(())
    }

    fn delete(&self, key: &[u8]) -> Result<(), StateError> {
        self.map().remove(key);
        Ok(())
    }
}
