//! Devices commit in the same epoch over the real relay: the slot decides, losers make theirs anew, nobody forks.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use budstikke::{Client, Event, EventStream, SendOptions};
use budstikke_e2ee::envelope::Envelope;
use budstikke_proto::cell::{self, SealKey};
use budstikke_proto::id::SlotId;
use budstikke_proto::limits::{CELL_LEN, MAX_SLOT_ENTRIES};
use budstikke_proto::op::ErrorCode;
use budstikke_proto::sign::SigningSeed;
use budstikke_tests::peek;
use budstikke_tests::raw::{Raw, RawError};
use budstikke_tests::watched::Watched;
use budstikke_tests::world::{
    Ground, World, happened, reopen, settle, sync, ten_in_the_morning, text, texts,
};
use rand_core::OsRng;
use std::sync::Arc;

async fn watched_world() -> (World, Watched) {
    let watched = Watched::new();
    let ground = Ground { transport: Arc::new(watched.clone()), ..Ground::new().await };
    (World::on(ground).await, watched)
}

async fn say(client: &Client, case: &str, words: &str) {
    client.send(case, text(words), SendOptions::default()).await.expect("send");
}

/// Fetches and sends until the appends have met, and once more.
async fn until_met(client: &Client, watched: &Watched, wanted: usize) {
    while watched.met() < wanted {
        sync(client).await;
    }
    sync(client).await;
}

fn lost(events: &mut EventStream) -> usize {
    let lost = |event: &Event| matches!(event, Event::CommitLost { case: Some(_) });
    happened(events).iter().filter(|event| lost(event)).count()
}

async fn epochs(members: &[(&Client, &str)]) -> Vec<u64> {
    let mut epochs = Vec::new();
    for (client, case) in members {
        epochs.push(client.case(case).await.expect("case").epoch);
    }
    epochs
}

/// Everybody is in one epoch, and what one says the others hear, once.
async fn one_group(members: &[(&Client, &str)]) {
    let clients: Vec<_> = members.iter().map(|(client, _)| *client).collect();
    settle(&clients).await;
    let found = epochs(members).await;
    assert!(found.iter().all(|epoch| *epoch == found[0]), "{found:?}");
    for (number, (client, case)) in members.iter().enumerate() {
        let words = format!("after the race, {number}");
        say(client, case, &words).await;
        settle(&clients).await;
        for (other, case) in members {
            let heard = texts(other, case).await.iter().filter(|text| **text == words).count();
            assert_eq!(heard, 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_commits_in_one_epoch_one_wins_and_the_other_is_redone() {
    let (world, watched) = watched_world().await;
    let (at_heron, at_mission) = world.case().await;
    let (heron, officer) = (&world.heron, &world.officer_a);
    say(officer, &at_mission, "so that HERON has heard something").await;
    settle(&[officer, heron]).await;
    let before = epochs(&[(heron, &at_heron), (officer, &at_mission)]).await;
    assert_eq!(before[0], before[1]);

    // HERON renews her keys because she speaks, Officer A's device because it answers what she says.
    let mut events = (heron.events(), officer.events());
    say(heron, &at_heron, "and so does she").await;
    watched.meet(2);
    tokio::join!(until_met(heron, &watched, 2), until_met(officer, &watched, 2));
    settle(&[heron, officer]).await;

    assert_eq!(lost(&mut events.0) + lost(&mut events.1), 1, "exactly one lost");
    let after = epochs(&[(heron, &at_heron), (officer, &at_mission)]).await;
    assert_eq!(after, [before[0] + 2; 2], "both commits went through, one after the other");
    one_group(&[(heron, &at_heron), (officer, &at_mission)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_commits_in_one_epoch_all_get_through() {
    let (world, watched) = watched_world().await;
    let (at_heron, at_a) = world.case().await;
    world.assign_officer_b(&at_a).await;
    let at_b = world.officer_b.cases().await.expect("cases")[0].id.clone();
    let (heron, a, b) = (&world.heron, &world.officer_a, &world.officer_b);
    say(a, &at_a, "so that HERON has heard something").await;
    settle(&[a, b, heron]).await;
    let members = [(heron, at_heron.as_str()), (a, at_a.as_str()), (b, at_b.as_str())];
    let before = epochs(&members).await;

    let mut events = (heron.events(), a.events(), b.events());
    say(heron, &at_heron, "three devices answer or speak").await;
    watched.meet(3);
    tokio::join!(
        until_met(heron, &watched, 3),
        until_met(a, &watched, 3),
        until_met(b, &watched, 3),
    );
    settle(&[heron, a, b]).await;
    let losses = lost(&mut events.0) + lost(&mut events.1) + lost(&mut events.2);
    assert!(losses >= 2, "two lost at least once: {losses}");
    let after = epochs(&members).await;
    assert!(after[0] >= before[0] + 3, "all three went through: {before:?} {after:?}");
    one_group(&members).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_a_member_filled_with_garbage_is_passed_over() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    say(&world.officer_a, &at_mission, "so that HERON has heard something").await;
    settle(&[&world.officer_a, &world.heron]).await;
    world.heron.clone().close().await.expect("close");
    let keys = peek::slot_keys(&world.path("heron"), world.now());
    let signing = SigningSeed::from_bytes(*keys.seed());
    let seal = SealKey::from_bytes(*keys.seal_key());

    let sealed = |envelope: &[u8]| -> Vec<Vec<u8>> {
        let parts = cell::split(envelope, [7; 16]).expect("parts");
        parts.iter().map(|part| cell::seal(part, &seal, &mut OsRng).expect("a cell")).collect()
    };
    let garbage = [
        vec![vec![0xa5; CELL_LEN]],
        sealed(b"no envelope"),
        sealed(&Envelope::Mls(b"no commit".to_vec()).to_bytes()),
        sealed(&vec![0x0a; 40_000]),
    ];
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    for entry in &garbage {
        stream.slot_append(&signing, entry, None).await.expect("a member may append");
    }
    // The same entry again would be the same entry.
    let full = stream.slot_append(&signing, &sealed(b"a fifth"), None).await;
    assert!(matches!(full, Err(RawError::Refused(ErrorCode::Full, _))), "{full:?}");

    let heron = reopen(world.path("heron"), &world.clock).await;
    let before = heron.case(&at_heron).await.expect("case").epoch;
    say(&heron, &at_heron, "all the same").await;
    settle(&[&heron, &world.officer_a]).await;
    let members = [(&heron, at_heron.as_str()), (&world.officer_a, at_mission.as_str())];
    assert!(epochs(&members).await[0] > before, "the commit found another slot");
    one_group(&members).await;
    let entries = stream.slot_read(SlotId::from_bytes(keys.id())).await.expect("entries");
    assert_eq!(entries.len(), usize::try_from(MAX_SLOT_ENTRIES).expect("small"));
    drop(world);
}

/// What was stolen from a device that only reads must end too (SPEC.md section 10.6).
#[tokio::test(flavor = "multi_thread")]
async fn who_is_silent_for_a_week_renews_its_keys_all_the_same() {
    let begin = ten_in_the_morning() - 10 * 86_400;
    let mut world = World::on(Ground::on_one_clock(begin).await).await;
    let (at_heron, _) = world.case().await;
    settle(&[&world.heron, &world.officer_a]).await;
    let before = epochs(&[(&world.heron, &at_heron)]).await;
    world.days_pass(6).await;
    sync(&world.heron).await;
    assert_eq!(epochs(&[(&world.heron, &at_heron)]).await, before);
    world.days_pass(2).await;
    sync(&world.heron).await;
    assert_eq!(epochs(&[(&world.heron, &at_heron)]).await, [before[0] + 1]);
}
