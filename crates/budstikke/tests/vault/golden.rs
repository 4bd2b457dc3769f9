//! A file written by any released version opens for ever.

use std::{fs, path::Path};

use budstikke::vault::{Cost, Vault, VaultError};
use rand_core::OsRng;
use secrecy::SecretString;

use crate::{LOG, NOTE, Place};

/// Written once by [`write`] with format 1; never written again.
const V1: &[u8] = include_bytes!("../data/vault-v1.db");
const PASSPHRASE: &str = "blåbær på myra 1814";

#[test]
fn version_1_opens() {
    let place = Place::new();
    fs::write(place.file(), V1).unwrap();
    holds_all_of_it(&place.file());
}

#[test]
fn what_is_written_today_reads_alike() {
    let place = Place::new();
    write(&place.file());
    holds_all_of_it(&place.file());
}

fn holds_all_of_it(file: &Path) {
    let mut vault = Vault::open(file, &SecretString::from(PASSPHRASE)).unwrap();
    assert_eq!(vault.check(), Ok(6));
    assert_eq!(vault.cost(), Cost::new(1024, 2, 2));
    vault
        .transaction(|tx| {
            let notes = tx.list(NOTE)?;
            let notes: Vec<_> = notes.iter().map(|row| (&row.key[..], &row.value[..])).collect();
            assert_eq!(
                notes,
                [(&b"second"[..], &b"changed"[..]), (b"third", b""), (b"large", &[5; 6000])]
            );
            let log = tx.list_after(LOG, 0, 10)?;
            let log: Vec<_> = log.iter().map(|row| (row.seq, &row.value[..])).collect();
            assert_eq!(log, [(5, &b"one"[..]), (7, b"three")]);
            assert!(tx.append(LOG, b"four")? > 8);
            Ok::<_, VaultError>(())
        })
        .unwrap();
    vault.close().unwrap();
}

/// What a golden file holds.
fn write(file: &Path) {
    let cost = Cost::new(1024, 2, 2).unwrap();
    let passphrase = SecretString::from(PASSPHRASE);
    let mut vault = Vault::create(file, &passphrase, cost, &mut OsRng).unwrap();
    let written: Result<(), VaultError> = vault.transaction(|tx| {
        for (key, value) in [(&b"first"[..], &b"1"[..]), (b"second", b"2"), (b"third", b"")] {
            tx.put(NOTE, key, value)?;
        }
        tx.put(NOTE, b"large", &[5; 6000])?;
        tx.append(LOG, b"one")?;
        let two = tx.append(LOG, b"two")?;
        tx.append(LOG, b"three")?;
        let last = tx.append(LOG, b"gone")?;
        tx.put(NOTE, b"second", b"changed")?;
        tx.delete(NOTE, b"first")?;
        tx.delete_seq(LOG, two)?;
        tx.delete_seq(LOG, last)?;
        budstikke_e2ee::store::StateStore::put(tx, b"group", b"state")
            .map_err(|_| VaultError::Closed)
    });
    written.unwrap();
    vault.close().unwrap();
}
