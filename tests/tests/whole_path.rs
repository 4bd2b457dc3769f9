//! The whole path over real QUIC and real files: certificates, first contact, terms, messages, a colleague, a race.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use budstikke::case::Phase;
use budstikke::{Choice, Decision, ErrorClass, Progress, SendOptions};
use budstikke_tests::world::{World, intake, reopen, sync, terms, text, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_defender_reaches_a_mission_and_both_write() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let case = world.heron.case(&at_heron).await.expect("case");
    assert_eq!(case.summary.terms, Phase::InForce);
    assert_eq!(case.summary.with, "Embassy in Karvonia");
    let mission = world.officer_a.case(&at_mission).await.expect("case");
    assert_eq!(mission.summary.with, "HERON");
    assert_eq!(mission.safety_words, case.safety_words);
    assert!(mission.safety_words.is_some());

    let sent = world.heron.send(&at_heron, intake().intake, SendOptions::default()).await;
    let sent = sent.expect("intake");
    sync(&world.heron).await;
    sync(&world.officer_a).await;
    let mission = world.officer_a.case(&at_mission).await.expect("case");
    let intake = mission.messages.iter().find(|message| message.kind == "case-intake");
    assert!(intake.is_some_and(|message| message.view.is_some()), "{:?}", mission.messages);
    let case = world.heron.case(&at_heron).await.expect("case");
    let own = case.messages.iter().find(|message| message.number == sent.number);
    assert!(own.is_some_and(|message| message.progress >= Some(Progress::AtRelay)));

    let reply = text("We have read it. A lawyer is being asked for.");
    world.officer_a.send(&at_mission, reply, SendOptions::default()).await.expect("reply");
    sync(&world.officer_a).await;
    sync(&world.heron).await;
    assert_eq!(texts(&world.heron, &at_heron).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_are_countered_and_nothing_goes_before_they_are_in_force() {
    let world = World::new().await;
    let counter = terms("terms-counter.toml", world.now());
    world.reach_out(Choice::Counter(Box::new(counter))).await;
    // The mission counters once more, so that nothing is agreed yet.
    let again = terms("terms-counter.toml", world.now() + 60);
    let (at_heron, at_mission) = world.answered(Decision::Counter(Box::new(again))).await;
    let early = world.heron.send(&at_heron, intake().intake, SendOptions::default()).await;
    assert_eq!(early.expect_err("too early").class(), ErrorClass::Refused("T01"));
    let early = world.officer_a.send(&at_mission, text("hello"), SendOptions::default()).await;
    assert_eq!(early.expect_err("too early").class(), ErrorClass::Refused("T01"));

    world.heron.accept_terms(&at_heron).await.expect("accept");
    for client in [&world.heron, &world.officer_a, &world.heron, &world.officer_a] {
        sync(client).await;
    }
    assert_eq!(world.heron.case(&at_heron).await.expect("case").summary.terms, Phase::InForce);
    world.heron.send(&at_heron, intake().intake, SendOptions::default()).await.expect("intake");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_is_assigned_and_reads_from_then_on() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    world.heron.send(&at_heron, text("before"), SendOptions::default()).await.expect("send");
    sync(&world.heron).await;
    sync(&world.officer_a).await;
    world.officer_a.assign(&at_mission, "Officer B").await.expect("assign");
    for client in [
        &world.officer_a,
        &world.officer_b,
        &world.officer_a,
        &world.officer_b,
        &world.heron,
        &world.officer_a,
    ] {
        sync(client).await;
    }
    let members = world.heron.case(&at_heron).await.expect("case").members;
    let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
    assert!(names.contains(&"Officer B"), "{names:?}");

    world.heron.send(&at_heron, text("after"), SendOptions::default()).await.expect("send");
    sync(&world.heron).await;
    sync(&world.officer_a).await;
    sync(&world.officer_b).await;
    assert_eq!(texts(&world.officer_a, &at_mission).await, ["before", "after"]);
    assert_eq!(texts(&world.officer_b, &at_mission).await, ["after"]);

    world.officer_b.send(&at_mission, text("from B"), SendOptions::default()).await.expect("send");
    sync(&world.officer_b).await;
    sync(&world.heron).await;
    sync(&world.officer_a).await;
    assert_eq!(texts(&world.heron, &at_heron).await, ["before", "after", "from B"]);
    assert_eq!(texts(&world.officer_a, &at_mission).await, ["before", "after", "from B"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn vaults_are_closed_and_opened_in_the_middle() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let (heron_vault, officer_vault) = (world.path("heron"), world.path("officer-a"));
    let World { heron, officer_a, clock, folder: _folder, relay: _relay, .. } = world;
    heron.send(&at_heron, text("one"), SendOptions::default()).await.expect("send");
    heron.close().await.expect("close");
    officer_a.close().await.expect("close");
    let heron = reopen(heron_vault, &clock).await;
    let officer_a = reopen(officer_vault, &clock).await;
    sync(&heron).await;
    sync(&officer_a).await;
    assert_eq!(texts(&officer_a, &at_mission).await, ["one"]);
}
