//! What needs the connection itself.

use rand_core::OsRng;
use rusqlite::{Connection, types::Value};
use secrecy::SecretString;

use super::{Cost, Kind, Vault, VaultError};

const NOTE: Kind = Kind::new(1);

fn vault(dir: &tempfile::TempDir) -> Vault {
    let passphrase = SecretString::from("x");
    let path = dir.path().join("vault.db");
    Vault::create(&path, &passphrase, Cost::INSECURE_FOR_TESTS, &mut OsRng).unwrap()
}

fn pragma(sql: &Connection, name: &str) -> String {
    let value: Value = sql.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap();
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_engine_is_set_for_safety() {
    let dir = tempfile::tempdir().unwrap();
    let created = vault(&dir);
    let check = |vault: &Vault| {
        for (name, value) in [
            ("journal_mode", "wal"),
            ("locking_mode", "exclusive"),
            ("secure_delete", "1"),
            ("synchronous", "2"),
            ("foreign_keys", "1"),
            ("temp_store", "2"),
            ("trusted_schema", "0"),
        ] {
            assert_eq!(pragma(&vault.sql, name), value, "{name}");
        }
    };
    check(&created);
    created.close().unwrap();
    check(&Vault::open(&dir.path().join("vault.db"), &SecretString::from("x")).unwrap());
}

/// The engine's own limit gives the same error as a full disk, at the same point of its work.
#[test]
fn a_full_disk_undoes_the_step_and_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = vault(&dir);
    vault.transaction(|tx| tx.put(NOTE, b"kept", &[1; 5000])).unwrap();
    let pages: i64 = pragma(&vault.sql, "page_count").parse().unwrap();
    pragma(&vault.sql, &format!("max_page_count = {}", pages + 3));

    let full = vault.transaction(|tx| {
        tx.put(NOTE, b"kept", &[2; 5000])?;
        tx.put(NOTE, b"more", &vec![2; 100_000])
    });
    assert_eq!(full, Err(VaultError::Full));
    // Even if the caller looks away, nothing of the rest is committed by itself.
    let ignored: Result<(), VaultError> = vault.transaction(|tx| {
        let _ = tx.put(NOTE, b"more", &vec![2; 100_000]);
        assert_eq!(tx.put(NOTE, b"after", b""), Err(VaultError::Full));
        Ok(())
    });
    assert_eq!(ignored, Err(VaultError::Full));
    assert_eq!(vault.check(), Ok(1));
    let kept = vault.transaction(|tx| tx.get(NOTE, b"kept")).unwrap().unwrap();
    assert_eq!(*kept, [1; 5000]);

    pragma(&vault.sql, "max_page_count = 1000000");
    vault.transaction(|tx| tx.put(NOTE, b"more", &vec![2; 100_000])).unwrap();
    assert_eq!(vault.check(), Ok(2));
}

/// The queries stay on the indexes, whatever SQLite's planner learns.
#[test]
fn no_query_walks_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(&dir);
    for (query, index) in [
        ("SELECT seq, sealed FROM item WHERE space = 1 AND mac = x'00'", "item_by_key"),
        (
            "SELECT seq, mac FROM item WHERE space = 1 AND seq > 0 ORDER BY seq LIMIT 5",
            "item_in_order",
        ),
        ("SELECT count(*) FROM item WHERE space = 1", "item_"),
    ] {
        let plan: String = vault
            .sql
            .query_row(&format!("EXPLAIN QUERY PLAN {query}"), [], |row| row.get(3))
            .unwrap();
        assert!(plan.starts_with("SEARCH") && plan.contains(index), "{plan}");
    }
}

#[test]
fn a_used_up_sequence_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = vault(&dir);
    vault.transaction(|tx| tx.append(NOTE, b"one")).unwrap();
    for last in [i64::MAX, -5] {
        vault.sql.execute("UPDATE sqlite_sequence SET seq = ?1", [last]).unwrap();
        let outcome = vault.transaction(|tx| tx.append(NOTE, b"two"));
        assert_eq!(outcome, Err(VaultError::Damaged { what: "the sequence" }));
    }
}
