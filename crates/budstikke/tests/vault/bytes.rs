//! What a thief of the file can find in it.

use std::fs;

use budstikke::vault::{Kind, Vault, VaultError};
use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use rusqlite::Connection;

use crate::{LOG, NOTE, Place, contains, passphrase, put};

const MARKERS: [&[u8]; 4] = [
    b"MARKER-of-a-key-HERON-4711",
    b"MARKER-of-a-value-REED-0815",
    b"MARKER-of-mls-state-Karvonia",
    b"MARKER-of-an-appended-entry",
];

#[test]
fn neither_keys_nor_values_stand_in_the_files() {
    let place = Place::new();
    let mut vault = place.create();
    vault
        .transaction(|tx| {
            tx.put(NOTE, MARKERS[0], MARKERS[1])?;
            tx.put(Kind::MLS_STATE, MARKERS[2], MARKERS[2])?;
            // Long enough for overflow pages.
            tx.append(LOG, &MARKERS[3].repeat(1000))?;
            tx.put(NOTE, b"gone", MARKERS[1])?;
            tx.delete(NOTE, b"gone")
        })
        .unwrap_or_else(|e: VaultError| panic!("{e}"));
    let open_files = files(&place);
    assert!(open_files.1 > 1, "there is no log beside the file, so nothing was tested");
    vault.close().unwrap();
    for bytes in [open_files.0, files(&place).0] {
        for marker in MARKERS.into_iter().chain([&b"seven boats"[..], b"budstikke"]) {
            assert_eq!(traces(&bytes, marker), Vec::<String>::new());
        }
    }
}

/// The scanner finds what is there, in every form it claims to know.
#[test]
fn the_scanner_finds_what_is_planted() {
    let marker = MARKERS[0];
    let base64_behind_one = BASE64_NOPAD.encode(&[b"x", marker].concat());
    let base32_behind_three = BASE32_NOPAD.encode(&[b"xyz", marker].concat());
    for planted in [
        marker.to_vec(),
        HEXLOWER.encode(marker).into_bytes(),
        HEXLOWER.encode(marker).to_uppercase().into_bytes(),
        BASE64_NOPAD.encode(marker).into_bytes(),
        BASE64URL_NOPAD.encode(marker).into_bytes(),
        base64_behind_one.into_bytes(),
        base32_behind_three.to_lowercase().into_bytes(),
        marker.iter().rev().copied().collect(),
    ] {
        let place = Place::new();
        place.create().close().unwrap();
        let sql = Connection::open(place.file()).unwrap();
        let insert = "INSERT INTO item (space, sealed) VALUES (1, ?1)";
        sql.execute(insert, [planted]).unwrap();
        sql.close().unwrap();
        assert_ne!(traces(&files(&place).0, marker), Vec::<String>::new());
    }
}

#[test]
fn equal_values_look_different() {
    let place = Place::new();
    let mut vault = place.create();
    for key in [b"a", b"b", b"a"] {
        put(&mut vault, key, b"one and the same value");
    }
    vault.close().unwrap();
    let first = sealed(&place);
    assert_ne!(first[0], first[1]);
    put(&mut place.open(), b"a", b"one and the same value");
    assert_ne!(sealed(&place)[0], first[0], "a value sealed twice gave equal bytes");
}

/// Even sealed bytes go: whoever learns the passphrase later must not open them.
#[test]
fn what_is_deleted_is_gone_from_the_bytes() {
    for large in [false, true] {
        let value = if large { vec![1; 20_000] } else { vec![1; 60] };
        for way in ["delete", "overwrite", "delete_seq"] {
            let (place, old) = deleted(&value, way, true);
            let bytes = files(&place).0;
            assert!(!old.iter().any(|part| contains(&bytes, part)), "{way} left sealed bytes");
        }
    }
}

/// The same without `erase_now`: gone at the latest with the scrub, and not before, which shows
/// that the test above can fail.
#[test]
fn the_log_keeps_old_values_until_it_is_scrubbed() {
    let (place, old, mut vault) = deleting(&[1; 60], "overwrite", false);
    assert!(vault.needs_scrub());
    assert!(old.iter().all(|part| contains(&files(&place).0, part)));
    vault.scrub().unwrap();
    assert!(!vault.needs_scrub());
    assert!(!old.iter().any(|part| contains(&files(&place).0, part)));
}

#[test]
fn closing_scrubs() {
    let (place, old) = deleted(&[1; 60], "delete", false);
    assert!(!old.iter().any(|part| contains(&files(&place).0, part)));
}

#[test]
fn many_deletions_scrub_by_themselves() {
    let (place, old, mut vault) = deleting(&[1; 60], "overwrite", false);
    for round in 0..100_u8 {
        put(&mut vault, b"other", &[round; 60]);
        if !old.iter().any(|part| contains(&files(&place).0, part)) {
            assert!(round > 10, "every commit scrubs, which was not the plan");
            return;
        }
    }
    panic!("the log kept an old value through 100 commits");
}

#[test]
fn a_passphrase_changed_is_gone_from_the_bytes() {
    let place = Place::new();
    let mut vault = place.create();
    vault.scrub().unwrap();
    let wrapped: Vec<u8> = {
        vault.close().unwrap();
        let sql = Connection::open(place.file()).unwrap();
        sql.query_row("SELECT wrapped FROM header", [], |row| row.get(0)).unwrap()
    };
    assert!(contains(&files(&place).0, &wrapped));
    let mut vault = place.open();
    let cost = vault.cost().unwrap();
    vault.change_passphrase(&passphrase(), &"new".into(), cost).unwrap();
    assert!(!contains(&files(&place).0, &wrapped));
}

fn deleted(value: &[u8], way: &str, erase: bool) -> (Place, Vec<Vec<u8>>) {
    let (place, old, vault) = deleting(value, way, erase);
    if erase {
        // What counts is the state right after the commit, with the vault still open.
        std::mem::forget(vault);
    } else {
        vault.close().unwrap();
    }
    (place, old)
}

/// A vault in which one value went `way`, and pieces of the sealed bytes it had.
fn deleting(value: &[u8], way: &str, erase: bool) -> (Place, Vec<Vec<u8>>, Vault) {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"key", value);
    put(&mut vault, b"stays", b"another");
    vault.close().unwrap();
    // SQLite spreads a large value over pages: look for each piece of 40 bytes that lies in one.
    let bytes = fs::read(place.file()).unwrap();
    let old: Vec<_> = sealed(&place)[0]
        .chunks_exact(40)
        .filter(|part| contains(&bytes, part))
        .map(<[u8]>::to_vec)
        .collect();
    assert!(old.len() * 40 > value.len() * 8 / 10, "the value was not found before");

    let mut vault = place.open();
    vault
        .transaction(|tx| {
            if erase {
                tx.erase_now();
            }
            match way {
                "delete" => tx.delete(NOTE, b"key"),
                "overwrite" => tx.put(NOTE, b"key", &vec![2; value.len()]).map(|()| true),
                _ => tx.delete_seq(NOTE, tx.list(NOTE)?[0].seq),
            }
        })
        .map_or_else(|e: VaultError| panic!("{e}"), |gone| assert!(gone));
    if !erase {
        // The log must hold an old copy for the scrub to remove.
        put(&mut vault, b"stays", b"again");
    }
    (place, old, vault)
}

/// The sealed values of a closed vault, in order.
fn sealed(place: &Place) -> Vec<Vec<u8>> {
    let sql = Connection::open(place.file()).unwrap();
    let mut query = sql.prepare("SELECT sealed FROM item ORDER BY seq").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The bytes of every file in the vault's folder, and how many files there are.
fn files(place: &Place) -> (Vec<u8>, usize) {
    let paths: Vec<_> =
        fs::read_dir(place.dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    (paths.iter().flat_map(|path| fs::read(path).unwrap()).collect(), paths.len())
}

/// The forms in which `marker` stands in `bytes`.
fn traces(bytes: &[u8], marker: &[u8]) -> Vec<String> {
    let lower = bytes.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut look = |form: String, haystack: &[u8], needle: &[u8]| {
        if contains(haystack, needle) {
            found.push(form);
        }
    };
    look("raw".into(), &lower, &marker.to_ascii_lowercase());
    look("backwards".into(), bytes, &marker.iter().rev().copied().collect::<Vec<_>>());
    let wide: Vec<u8> = marker.iter().flat_map(|byte| [*byte, 0]).collect();
    look("UTF-16".into(), bytes, &wide);
    look("hex".into(), &lower, HEXLOWER.encode(marker).as_bytes());
    // Three (five) alignments: the characters that a neighbour's bits reach into are left out.
    for shift in 0..3 {
        let padded = [&vec![0; shift][..], marker].concat();
        for (form, text) in [
            ("base64", BASE64_NOPAD.encode(&padded)),
            ("base64url", BASE64URL_NOPAD.encode(&padded)),
        ] {
            let inner = &text.as_bytes()[(shift * 8).div_ceil(6)..text.len() - 1];
            look(format!("{form}+{shift}"), bytes, inner);
        }
    }
    for shift in 0..5 {
        let padded = [&vec![0; shift][..], marker].concat();
        let text = BASE32_NOPAD.encode(&padded).to_ascii_lowercase();
        let inner = &text.as_bytes()[(shift * 8).div_ceil(5)..text.len() - 1];
        look(format!("base32+{shift}"), &lower, inner);
    }
    found
}
