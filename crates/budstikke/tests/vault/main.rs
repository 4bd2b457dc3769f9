//! The vault as its callers and its enemies see it.

// A test stops where it fails; clippy excuses `#[test]` functions only, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bytes;
mod concurrent;
mod crash;
mod damage;
mod entries;
#[cfg(target_os = "linux")]
mod full;
mod golden;
mod opening;
mod transactions;

use std::path::{Path, PathBuf};

use budstikke::vault::{Cost, Kind, Vault, VaultError};
use rand_core::OsRng;
use secrecy::SecretString;
use tempfile::TempDir;

const NOTE: Kind = Kind::new(1);
const LOG: Kind = Kind::new(2);

/// A vault's folder, gone with the test.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("vault.db")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("vault.db-wal")
    }

    fn create(&self) -> Vault {
        create(&self.file()).unwrap()
    }

    fn open(&self) -> Vault {
        open(&self.file()).unwrap()
    }
}

fn passphrase() -> SecretString {
    SecretString::from("seven boats, no oars")
}

fn create(path: &Path) -> Result<Vault, VaultError> {
    Vault::create(path, &passphrase(), Cost::INSECURE_FOR_TESTS, &mut OsRng)
}

fn open(path: &Path) -> Result<Vault, VaultError> {
    Vault::open(path, &passphrase())
}

/// One write in a transaction of its own.
fn put(vault: &mut Vault, key: &[u8], value: &[u8]) {
    vault.transaction(|tx| tx.put(NOTE, key, value)).unwrap();
}

fn get(vault: &mut Vault, key: &[u8]) -> Option<Vec<u8>> {
    let found: Result<_, VaultError> = vault.read(|view| view.get(NOTE, key));
    found.unwrap().map(|value| value.to_vec())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
