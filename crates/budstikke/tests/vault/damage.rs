//! Bytes that changed on the disk: a typed error or the right data, never a panic or a wrong value.

use std::{fs, sync::LazyLock};

use budstikke::vault::{Vault, VaultError};
use proptest::{collection::vec, prelude::*, sample::Index};
use rusqlite::Connection;

use crate::{LOG, NOTE, Place, get, open, put};

const ENTRIES: u32 = 60;

/// A closed vault with entries of many sizes; some were deleted, so that there are free pages.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"large and gone", &[9; 30_000]);
    let written: Result<(), VaultError> = vault.transaction(|tx| {
        for number in 0..ENTRIES {
            tx.put(NOTE, &number.to_be_bytes(), &value(number))?;
            tx.append(LOG, &value(number))?;
        }
        tx.delete(NOTE, b"large and gone").map(drop)
    });
    written.unwrap();
    vault.close().unwrap();
    fs::read(place.file()).unwrap()
});

/// As after a crash: a file, and beside it a log with 30 commits of growing counters.
static CRASHED: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let place = Place::new();
    let mut vault = place.create();
    vault.scrub().unwrap();
    for number in 1..=30_u32 {
        let commit: Result<(), VaultError> = vault.transaction(|tx| {
            tx.put(NOTE, b"counter", &number.to_be_bytes())?;
            tx.append(LOG, &value(number)).map(drop)
        });
        commit.unwrap();
    }
    (fs::read(place.file()).unwrap(), fs::read(place.log()).unwrap())
});

fn value(number: u32) -> Vec<u8> {
    let byte = number.to_le_bytes()[0];
    vec![byte; usize::from(byte) * 37 % 9000]
}

#[derive(Clone, Debug)]
enum Harm {
    Flip(Vec<(Index, u8)>),
    Zero(Index, usize),
    Cut(Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => vec((any::<Index>(), 1..=255_u8), 1..8).prop_map(Harm::Flip),
        1 => (any::<Index>(), 1..5000_usize).prop_map(|(at, len)| Harm::Zero(at, len)),
        1 => any::<Index>().prop_map(Harm::Cut),
    ]
}

fn hurt(bytes: &[u8], harm: &Harm) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match harm {
        Harm::Flip(flips) => {
            for (at, mask) in flips {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
            }
        }
        Harm::Zero(at, len) => {
            let at = at.index(bytes.len());
            bytes.iter_mut().skip(at).take(*len).for_each(|b| *b = 0);
        }
        Harm::Cut(at) => bytes.truncate(at.index(bytes.len())),
    }
    bytes
}

/// Reads everything; true if all of it was right, false if something was refused.
fn all_right(vault: &mut Vault) -> bool {
    let mut right = true;
    for number in 0..ENTRIES {
        let read: Result<_, VaultError> = vault.read(|view| view.get(NOTE, &number.to_be_bytes()));
        match read {
            Ok(found) => assert_eq!(*found.expect("an entry vanished"), value(number)),
            Err(_) => right = false,
        }
    }
    for kind in [NOTE, LOG] {
        let list: Result<_, VaultError> = vault.read(|view| view.list(kind));
        match list {
            Ok(rows) => {
                let found: Vec<_> = rows.iter().map(|row| row.value.to_vec()).collect();
                assert_eq!(found, (0..ENTRIES).map(value).collect::<Vec<_>>());
            }
            Err(_) => right = false,
        }
    }
    right
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_harmed_file_gives_an_error_or_the_truth(harm in harm()) {
        let place = Place::new();
        fs::write(place.file(), hurt(&WHOLE, &harm)).unwrap();
        if let Ok(mut vault) = open(&place.file()) {
            let right = all_right(&mut vault);
            match vault.check() {
                Ok(count) => prop_assert!(right && count == u64::from(2 * ENTRIES)),
                Err(error) => {
                    let damaged = matches!(error, VaultError::Damaged { .. });
                    prop_assert!(damaged, "{error}");
                }
            }
            // Writing on must not panic either, whatever it says.
            let _ = vault.transaction(|tx| tx.put(NOTE, b"more", &[3; 5000]));
        }
    }

    #[test]
    fn a_harmed_log_gives_an_error_or_an_earlier_commit(harm in harm()) {
        let place = Place::new();
        let (file, log) = &*CRASHED;
        fs::write(place.file(), file).unwrap();
        fs::write(place.log(), hurt(log, &harm)).unwrap();
        if let Ok(mut vault) = open(&place.file()) {
            let counter = get(&mut vault, b"counter")
                .map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
            let rows: Result<_, VaultError> = vault.read(|view| view.list(LOG));
            let found: Vec<_> = rows.unwrap().iter().map(|row| row.value.to_vec()).collect();
            prop_assert_eq!(found, (1..=counter).map(value).collect::<Vec<_>>());
            prop_assert!(vault.check().is_ok());
        }
    }
}

#[test]
fn the_unharmed_files_are_right() {
    let place = Place::new();
    fs::write(place.file(), &*WHOLE).unwrap();
    let mut vault = place.open();
    assert!(all_right(&mut vault));
    assert_eq!(vault.check(), Ok(u64::from(2 * ENTRIES)));

    let place = Place::new();
    fs::write(place.file(), &CRASHED.0).unwrap();
    fs::write(place.log(), &CRASHED.1).unwrap();
    let mut vault = place.open();
    assert_eq!(fs::metadata(place.log()).unwrap().len(), 0, "old values stay after a crash");
    assert_eq!(get(&mut vault, b"counter").unwrap(), 30_u32.to_be_bytes());
}

/// Valid SQLite, valid seals, wrong place: only the seals' binding can notice.
#[test]
fn an_entry_moved_is_an_entry_refused() {
    let seal = VaultError::Damaged { what: "an entry's seal" };
    for tampering in [
        // The value of another key.
        "UPDATE item SET sealed = (SELECT sealed FROM item WHERE seq = 2) WHERE seq = 1",
        // Another place in the order.
        "UPDATE item SET seq = 99 WHERE seq = 1",
        // Another key.
        "UPDATE item SET mac = zeroblob(32) WHERE seq = 1",
        // No key.
        "UPDATE item SET mac = NULL WHERE seq = 1",
        // Another kind: that of the appended entry, number 3.
        "UPDATE item SET space = (SELECT space FROM item WHERE seq = 3) WHERE seq = 1",
    ] {
        let place = Place::new();
        let mut vault = place.create();
        put(&mut vault, b"a", b"first");
        put(&mut vault, b"b", b"other");
        vault.transaction(|tx| tx.append(LOG, b"third")).unwrap();
        vault.close().unwrap();
        let sql = Connection::open(place.file()).unwrap();
        sql.execute_batch(tampering).unwrap();
        sql.close().unwrap();

        let mut vault = place.open();
        assert_eq!(vault.check(), Err(seal.clone()), "{tampering}");
        let both: Result<_, VaultError> =
            vault.read(|view| Ok((view.list(NOTE)?.len(), view.list(LOG)?.len())));
        assert_eq!(both, Err(seal.clone()), "{tampering}");
    }
}
