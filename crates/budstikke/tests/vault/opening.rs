//! Passphrases, and files that are not (or not yet, or no longer) ours to open.

use std::fs;

use budstikke::vault::{Cost, Vault, VaultError};
use rusqlite::Connection;
use secrecy::SecretString;

use crate::{Place, create, get, open, passphrase, put};

#[test]
fn only_the_passphrase_opens() {
    let place = Place::new();
    place.create().close().unwrap();
    for wrong in ["", "seven boats, no oar", "seven boats, no oars ", "Seven boats, no oars"] {
        let outcome = Vault::open(&place.file(), &SecretString::from(wrong));
        assert_eq!(outcome.err(), Some(VaultError::WrongPassphrase));
    }
    place.open();
}

#[test]
fn the_passphrase_can_be_changed() {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"key", b"value");
    let (old, new) = (passphrase(), SecretString::from("a new one"));
    let cost = Cost::new(16, 2, 2).unwrap();
    assert_eq!(vault.change_passphrase(&new, &old, cost), Err(VaultError::WrongPassphrase));
    assert_eq!(vault.cost(), Ok(Cost::INSECURE_FOR_TESTS));
    vault.change_passphrase(&old, &new, cost).unwrap();
    assert_eq!(vault.cost(), Ok(cost));
    vault.close().unwrap();

    assert_eq!(open(&place.file()).err(), Some(VaultError::WrongPassphrase));
    let mut vault = Vault::open(&place.file(), &new).unwrap();
    assert_eq!(get(&mut vault, b"key").unwrap(), b"value");
    assert_eq!(vault.check(), Ok(1));
}

#[test]
fn nothing_is_written_over() {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"key", b"value");
    vault.close().unwrap();
    assert_eq!(create(&place.file()).err(), Some(VaultError::Exists));
    assert_eq!(get(&mut place.open(), b"key").unwrap(), b"value");

    let other = place.dir.path().join("letter.txt");
    fs::write(&other, "Dear Officer A").unwrap();
    assert_eq!(create(&other).err(), Some(VaultError::Exists));
    assert_eq!(create(place.dir.path()).err(), Some(VaultError::Exists));
    assert_eq!(fs::read(&other).unwrap(), b"Dear Officer A");
}

#[test]
fn an_interrupted_creation_is_begun_again() {
    let place = Place::new();
    fs::write(place.file(), "").unwrap();
    assert_eq!(open(&place.file()).err(), Some(VaultError::NotFound));
    put(&mut place.create(), b"key", b"value");
    assert_eq!(get(&mut place.open(), b"key").unwrap(), b"value");
}

#[test]
fn what_is_no_vault_is_said_to_be_none() {
    let place = Place::new();
    assert_eq!(open(&place.file()).err(), Some(VaultError::NotFound));
    assert!(!place.file().exists(), "opening made a file");

    let text = place.dir.path().join("letter.txt");
    fs::write(&text, "Dear Officer A, ".repeat(1000)).unwrap();
    assert_eq!(open(&text).err(), Some(VaultError::NotAVault));
    assert!(fs::read(&text).unwrap().starts_with(b"Dear Officer A"));

    let other = place.dir.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let before = fs::read(&other).unwrap();
    assert_eq!(open(&other).err(), Some(VaultError::NotAVault));
    assert_eq!(fs::read(&other).unwrap(), before);
    assert!(matches!(open(place.dir.path()), Err(VaultError::Io { .. })));
}

#[test]
fn a_newer_file_is_left_alone() {
    let place = Place::new();
    place.create().close().unwrap();
    alter(&place, "PRAGMA user_version = 7");
    let before = fs::read(place.file()).unwrap();
    let newer = VaultError::Newer { found: 7, known: 1 };
    assert_eq!(open(&place.file()).err(), Some(newer));
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[test]
fn a_hostile_header_costs_nothing() {
    let damaged = VaultError::Damaged { what: "the header" };
    for hostile in [
        "UPDATE header SET memory_kib = 1073741824",
        "UPDATE header SET memory_kib = -1",
        "UPDATE header SET memory_kib = 0",
        "UPDATE header SET passes = 4294967295",
        "UPDATE header SET passes = 0",
        "UPDATE header SET lanes = 16777215",
        // Within bounds, but not what was written.
        "UPDATE header SET passes = 2",
        "UPDATE header SET salt = randomblob(16)",
        "UPDATE header SET salt = x''",
        "UPDATE header SET wrapped = randomblob(72)",
        "UPDATE header SET wrapped = x''",
        "UPDATE header SET checksum = x''",
        "UPDATE header SET key_check = randomblob(40)",
        "DELETE FROM header",
    ] {
        let place = Place::new();
        place.create().close().unwrap();
        alter(&place, hostile);
        assert_eq!(open(&place.file()).err(), Some(damaged.clone()), "{hostile}");
    }
}

#[test]
fn a_schema_with_additions_is_refused() {
    for addition in [
        "CREATE TRIGGER t AFTER INSERT ON item BEGIN DELETE FROM item; END",
        "CREATE VIEW v AS SELECT 1",
        "DROP INDEX item_by_key",
        "ALTER TABLE item RENAME COLUMN sealed TO open",
    ] {
        let place = Place::new();
        place.create().close().unwrap();
        alter(&place, addition);
        let damaged = VaultError::Damaged { what: "the schema" };
        assert_eq!(open(&place.file()).err(), Some(damaged), "{addition}");
    }
}

#[test]
fn costs_have_bounds() {
    assert_eq!(Cost::new(64 * 1024, 3, 1), Ok(Cost::INTERACTIVE));
    assert!(Cost::new(1024 * 1024, 16, 8).is_ok());
    for (memory, passes, lanes) in [
        (7, 1, 1),
        (15, 1, 2),
        (1024 * 1024 + 1, 1, 1),
        (64, 0, 1),
        (64, 17, 1),
        (64, 1, 0),
        (1024, 1, 9),
        (u32::MAX, u32::MAX, u32::MAX),
    ] {
        assert_eq!(Cost::new(memory, passes, lanes), Err(VaultError::Cost));
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut vault = place.create();
    put(&mut vault, b"key", b"value");
    assert_eq!(mode(place.file()), 0o600);
    assert_eq!(mode(place.log()), 0o600);
    vault.close().unwrap();

    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o644)).unwrap();
    put(&mut place.open(), b"key", b"value");
    assert_eq!(mode(place.file()), 0o600);
}

#[test]
fn nothing_prints_a_secret() {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"the key", b"the value");
    assert_eq!(format!("{vault:?}"), "Vault");
    vault
        .transaction(|tx| {
            assert_eq!(format!("{tx:?} {:?}", **tx), "Tx View");
            assert_eq!(format!("{:?}", tx.list(crate::NOTE)?), "[Row]");
            Ok::<_, VaultError>(())
        })
        .unwrap();
}

fn alter(place: &Place, statement: &str) {
    let sql = Connection::open(place.file()).unwrap();
    sql.execute_batch(statement).unwrap();
    sql.close().unwrap();
}
