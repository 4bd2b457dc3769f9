//! A process killed in the middle, and two processes at one file.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use budstikke::vault::{Vault, VaultError};

use crate::{LOG, NOTE, Place, create, get, open};

const VAULT: &str = "BUDSTIKKE_TEST_VAULT";
const ROUNDS: u32 = 30;

/// Each commit sets both counters, adds one entry and takes an old one away.
#[test]
fn a_killed_writer_leaves_whole_commits() {
    if let Some(vault) = vault_of_parent() {
        return child_that_writes(&vault);
    }
    let place = Place::new();
    place.create().close().unwrap();
    let (mut before, mut killed_at_work) = (0, 0);
    for round in 0..ROUNDS {
        let mut writer = child(&place.file(), "a_killed_writer_leaves_whole_commits");
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let first = loop {
            let line = lines.next().expect("the writer never committed").unwrap();
            if let Some(number) = announced(&line) {
                break number;
            }
        };
        std::thread::sleep(Duration::from_micros(u64::from(round * 1371 % 60_000)));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let promised = lines.map_while(Result::ok).filter_map(|l| announced(&l)).last();
        let promised = promised.unwrap_or(first);

        let mut vault = place.open();
        let number = verify(&mut vault);
        assert!(number >= promised, "commit {promised} was reported and lost");
        assert!(number <= promised + 1, "commit {number} came before it was begun");
        assert!(number > before);
        killed_at_work += u32::from(number > promised);
        before = number;
        vault.close().unwrap();
    }
    println!("{before} commits, {ROUNDS} kills, {killed_at_work} between commit and report");
}

#[test]
fn a_killed_creator_leaves_nothing_or_a_vault() {
    if let Some(vault) = vault_of_parent() {
        return child_that_creates(&vault);
    }
    for round in 0..ROUNDS {
        let place = Place::new();
        let mut creator = child(&place.file(), "a_killed_creator_leaves_nothing_or_a_vault");
        let mut line = [0; 1];
        creator.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
        std::thread::sleep(Duration::from_micros(u64::from(round * 331)));
        creator.kill().unwrap();
        creator.wait().unwrap();
        match open(&place.file()) {
            Ok(vault) => assert_eq!(vault.check(), Ok(0)),
            Err(error) => {
                assert_eq!(error, VaultError::NotFound);
                place.create().close().unwrap();
                assert_eq!(place.open().check(), Ok(0));
            }
        }
    }
}

#[test]
fn one_vault_has_one_opener() {
    if let Some(vault) = vault_of_parent() {
        return child_that_expects_it_in_use(&vault);
    }
    let place = Place::new();
    let vault = place.create();
    assert_eq!(open(&place.file()).err(), Some(VaultError::InUse));
    let mut other = child(&place.file(), "one_vault_has_one_opener");
    assert!(other.wait().unwrap().success());
    // A failed attempt, inside or outside, took nothing from the first.
    assert_eq!(open(&place.file()).err(), Some(VaultError::InUse));
    drop(vault);
    place.open();
}

/// Also before the holder has read or written anything.
#[test]
fn the_lock_is_there_from_the_first_moment_and_ends_with_the_process() {
    if let Some(vault) = vault_of_parent() {
        return child_that_holds(&vault);
    }
    let place = Place::new();
    place.create().close().unwrap();
    let mut holder =
        child(&place.file(), "the_lock_is_there_from_the_first_moment_and_ends_with_the_process");
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    assert_eq!(open(&place.file()).err(), Some(VaultError::InUse));
    assert_eq!(create(&place.file()).err(), Some(VaultError::Exists));
    holder.kill().unwrap();
    holder.wait().unwrap();
    place.open();
}

/// Both counters, the log's last entry and the log's length tell the same number.
fn verify(vault: &mut Vault) -> u32 {
    let count = vault.check().unwrap();
    let [left, right] = [&b"left"[..], b"right"].map(|key| counter(&get(vault, key).unwrap()));
    assert_eq!(left, right, "half a commit");
    let rows: Result<_, VaultError> = vault.read(|view| view.list(LOG));
    let rows = rows.unwrap();
    assert_eq!(count, rows.len() as u64 + 2);
    let kept: Vec<_> = rows.iter().map(|row| counter(&row.value)).collect();
    assert_eq!(kept, (left.saturating_sub(2)..=left).filter(|n| *n > 0).collect::<Vec<_>>());
    left
}

fn payload(number: u32) -> Vec<u8> {
    number.to_be_bytes().repeat(4000)
}

fn counter(value: &[u8]) -> u32 {
    let number = u32::from_be_bytes(value[..4].try_into().unwrap());
    assert_eq!(value, payload(number), "a torn value");
    number
}

fn announced(line: &str) -> Option<u32> {
    line.strip_prefix("committed ")?.parse().ok()
}

/// This test program again, running only the test `name`, which then plays the child's part on `vault`.
fn child(vault: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("crash::{name}"), "--nocapture", "--quiet"])
        .env(VAULT, vault)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The vault to play the child's part on; `None` in the parent.
fn vault_of_parent() -> Option<std::path::PathBuf> {
    std::env::var_os(VAULT).map(Into::into)
}

fn child_that_writes(path: &Path) {
    let mut vault = open(path).unwrap();
    let mut number = get(&mut vault, b"left").map_or(0, |value| counter(&value));
    println!();
    loop {
        number += 1;
        let commit: Result<(), VaultError> = vault.transaction(|tx| {
            tx.put(NOTE, b"left", &payload(number))?;
            tx.append(LOG, &payload(number))?;
            tx.put(NOTE, b"right", &payload(number))?;
            for row in tx.list(LOG)?.iter().rev().skip(3) {
                tx.delete_seq(LOG, row.seq)?;
            }
            if number.is_multiple_of(5) {
                tx.erase_now();
            }
            Ok(())
        });
        commit.unwrap();
        println!("committed {number}");
    }
}

fn child_that_creates(path: &Path) {
    println!("x");
    let _vault = create(path);
    std::thread::park();
}

fn child_that_expects_it_in_use(path: &Path) {
    assert_eq!(open(path).err(), Some(VaultError::InUse));
}

fn child_that_holds(path: &Path) {
    let _vault = open(path).unwrap();
    println!("\nheld");
    std::thread::park();
}
