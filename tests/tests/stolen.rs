//! A whole vault is copied, passphrase and all: what the thief can still open of what comes after, and what of the
//! days before.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails loudly")]

use std::path::{Path, PathBuf};

use budstikke::{Client, SendOptions};
use budstikke_tests::peek;
use budstikke_tests::world::{World, reopen, settle, sync, text, texts};

async fn says(client: &Client, case: &str, words: &str) {
    client.send(case, text(words), SendOptions::default()).await.expect("letter");
    sync(client).await;
}

/// A copy of a vault's folder, taken while nobody has it open.
fn steal(vault: &Path, to: &Path) -> PathBuf {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(vault.parent().expect("a folder")).expect("the vault's folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
    to.join("vault.db")
}

/// HERON's vault is stolen, and the thief reads along until HERON has spoken once: nothing after that opens, neither
/// for the thief's client nor for whoever has put every cell aside.
#[tokio::test(flavor = "multi_thread")]
async fn a_thief_reads_nothing_that_is_written_after_one_exchange() {
    let mut world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let now = world.now();
    let path = world.path("heron");
    world.heron.close().await.expect("close");
    let stolen = steal(&path, &world.folder.path().join("thief"));
    let before = "Before anybody healed.";
    says(&world.officer_a, &at_mission, before).await;
    assert!(peek::messages(&path).await.iter().any(|m| peek::opens(&stolen, m, now)));

    // HERON hears, and heals with the first words of an answer; so does the officer.
    world.heron = reopen(path.clone(), &world.clock).await;
    sync(&world.heron).await;
    says(&world.heron, &at_heron, "I have heard you.").await;
    settle(&[&world.officer_a, &world.heron]).await;
    world.heron.close().await.expect("close");

    let after = "Only for whoever is still HERON.";
    says(&world.officer_a, &at_mission, after).await;
    let aside = peek::messages(&path).await;
    assert!(!aside.is_empty());
    for message in &aside {
        assert!(!peek::opens(&stolen, message, now), "a thief opens it");
    }
    assert!(aside.iter().any(|message| peek::opens(&path, message, now)), "HERON can");
    let thief = reopen(stolen, &world.clock).await;
    let report = thief.sync().await.expect("a pass");
    assert!(report.received > 0, "the thief fetches what comes");
    let read = texts(&thief, &at_heron).await;
    assert!(!read.iter().any(|words| words == after), "{read:?}");
}

/// What passed yesterday and was put aside by somebody else does not open with today's vault: the keys are gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_thief_of_today_opens_nothing_that_was_put_aside_yesterday() {
    let mut world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let now = world.now();
    let path = world.path("heron");
    world.heron.close().await.expect("close");
    says(&world.officer_a, &at_mission, "Yesterday's words.").await;
    let aside = peek::messages(&path).await;
    assert!(aside.iter().any(|message| peek::opens(&path, message, now)), "it waits");

    world.heron = reopen(path.clone(), &world.clock).await;
    sync(&world.heron).await;
    assert_eq!(texts(&world.heron, &at_heron).await, ["Yesterday's words."]);
    world.heron.close().await.expect("close");
    let stolen = steal(&path, &world.folder.path().join("thief"));
    for message in &aside {
        assert!(!peek::opens(&stolen, message, now), "a key that was used is still there");
    }
}
