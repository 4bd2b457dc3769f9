//! What a relay does to an order of messages or changes is noticed, named and survived: a relay that tells two stories is
//! convicted and left, a member that lost its keys comes back, and what is missing, late or twice is said by number.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use budstikke::clock::Clock;
use budstikke::transport::Transport;
use budstikke::transport::quic::QuicTransport;
use budstikke::{Client, Error, Event, FreezeReason, Recovered, SendOptions, Trouble, check_proof};
use budstikke_e2ee::contact::Route;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{MsgId, RecvId, SendId};
use budstikke_relay::Relay;
use budstikke_tests::desk::desk;
use budstikke_tests::peek::{self, Post};
use budstikke_tests::raw::{Cell, Raw, RawStream};
use budstikke_tests::two_faced::{Chosen, TwoFaced};
use budstikke_tests::world::{
    AnyRelay, Ground, PASSPHRASE, World, happened, settle, sync, ten_in_the_morning, text, texts,
};
use rand_core::OsRng;

const DAY: i64 = 86_400;

async fn say(client: &Client, case: &str, words: &str) {
    client.send(case, text(words), SendOptions::default()).await.expect("send");
}

async fn open(path: &Path, clock: &Clock, transport: Arc<dyn Transport>) -> Client {
    let opened = Client::builder(path).passphrase(PASSPHRASE).clock(clock.clone());
    opened.transport(transport).open().await.expect("the vault")
}

async fn plain(path: &Path, clock: &Clock) -> Client {
    open(path, clock, Arc::new(QuicTransport::default())).await
}

async fn troubles(client: &Client) -> Vec<Trouble> {
    client.diagnose().await.expect("diagnosed").into_iter().map(|it| it.trouble).collect()
}

async fn epoch(client: &Client, case: &str) -> u64 {
    client.case(case).await.expect("case").epoch
}

/// What one says, all others hear.
async fn talk(members: &[(&Client, &str)], word: &str) {
    let clients: Vec<_> = members.iter().map(|(client, _)| *client).collect();
    for (number, (client, case)) in members.iter().enumerate() {
        let words = format!("{word} {number}");
        say(client, case, &words).await;
        settle(&clients).await;
        for (other, case) in members {
            assert!(texts(other, case).await.contains(&words), "{words}");
        }
    }
}

/// The real program on a vault that nobody has open.
fn bud(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bud-that-crashes"));
    command.args(args).env("LANG", "C.UTF-8").env("TZ", "UTC");
    command.env("BUD_HOME", home).env("BUD_PASSPHRASE", PASSPHRASE);
    command.output().expect("bud runs")
}

fn printed(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// A world whose relay can lie to HERON about slots.
async fn two_faced_world(now: i64) -> (World, TwoFaced, Chosen, (String, String)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = Clock::fixed(now);
    let relay = TwoFaced::start(&folder.path().join("relay"), &clock).await;
    let ground = Ground {
        relay: AnyRelay::elsewhere(relay.honest.address().clone()),
        transport: Arc::new(QuicTransport::default()),
        folder,
        clock,
    };
    let mut world = World::on(ground).await;
    let names = world.case().await;
    let chosen = relay.chosen();
    world.heron.clone().close().await.expect("close");
    world.heron = open(&world.path("heron"), &world.clock, Arc::new(chosen.clone())).await;
    (world, relay, chosen, names)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_tells_two_stories_is_convicted_by_both_sides_and_left() {
    let (mut world, relay, chosen, (at_heron, at_a)) = two_faced_world(ten_in_the_morning()).await;
    world.assign_officer_b(&at_a).await;
    let at_b = world.officer_b.cases().await.expect("cases")[0].id.clone();
    let (heron, a, b) = (&world.heron, &world.officer_a, &world.officer_b);
    talk(&[(heron, &at_heron), (a, &at_a), (b, &at_b)], "before").await;

    // Both want to renew their keys; each finds its own commit first, and has it signed by the relay.
    chosen.lie(true);
    say(heron, &at_heron, "what HERON says as it forks").await;
    say(a, &at_a, "what Officer A says as it forks").await;
    let mut events = (heron.events(), a.events(), b.events());
    settle(&[heron, a, b]).await;
    for (who, events) in
        [("heron", &mut events.0), ("officer a", &mut events.1), ("officer b", &mut events.2)]
    {
        let happened = happened(events);
        let proven = |event: &Event| matches!(event, Event::RelayEquivocated { case: Some(_) });
        assert_eq!(happened.iter().filter(|event| proven(event)).count(), 1, "{who}");
        assert!(happened.iter().any(|event| matches!(event, Event::CaseFrozen { .. })), "{who}");
    }
    // Nothing more is sent; what came before is there, and so is what still opened.
    for (client, case) in [(heron, &at_heron), (a, &at_a), (b, &at_b)] {
        let refused = client.send(case, text("no more"), SendOptions::default()).await;
        let reason = FreezeReason::RelayEquivocated;
        assert!(matches!(&refused, Err(Error::Frozen { reason: why }) if *why == reason));
        assert_eq!(texts(client, case).await.len(), 5);
        let proofs = client.proofs(Some(case)).await.expect("proofs");
        let card = check_proof(&proofs[0]).expect("it holds");
        assert!(relay.honest.address().to_text().contains(&card.relay));
        let forged = proofs[0].replacen(['A', 'B'], "C", 1);
        assert!(forged != proofs[0] && check_proof(&forged).is_err());
    }
    assert_eq!(a.proofs(None).await.expect("proofs").len(), 1);

    // The same proof everywhere, and words for a person.
    let found = troubles(a).await;
    assert!(
        found.iter().any(|it| matches!(it, Trouble::Frozen { ours: true, ready: true, .. })),
        "{found:?}"
    );
    assert!(found.contains(&Trouble::Proof));
    let found = troubles(heron).await;
    assert!(found.iter().any(|it| matches!(it, Trouble::Frozen { ours: false, .. })), "{found:?}");

    for client in [heron, a] {
        client.clone().close().await.expect("close");
    }
    the_doctor_says_what_happened_and_what_comes_next(&world, &relay);
    world.heron = open(&world.path("heron"), &world.clock, Arc::new(chosen)).await;
    world.officer_a = plain(&world.path("officer-a"), &world.clock).await;
    let (heron, a, b) = (&world.heron, &world.officer_a, &world.officer_b);

    // The relay that failed is no place for the new group; another one is.
    let failed = relay.honest.address().to_text();
    for given in [None, Some(failed.as_str())] {
        let refused = a.recover(&at_a, given, false).await;
        assert!(matches!(refused, Err(Error::Input { .. })), "{refused:?}");
    }
    let another =
        Relay::spawn(budstikke_relay::testing::config(&world.folder.path().join("second")))
            .await
            .expect("a second relay");
    let second = another.address().to_text();
    let before = world.heron.case(&at_heron).await.expect("case");
    assert_eq!(
        a.recover(&at_a, Some(&second), false).await.expect("recovered"),
        Recovered::NewGroup
    );
    let mut events = heron.events();
    settle(&[a, b, heron]).await;
    let back = |event: &Event| matches!(event, Event::CaseRecovered { new_group: true, .. });
    assert!(happened(&mut events).iter().any(back));
    let members = [(heron, at_heron.as_str()), (a, at_a.as_str()), (b, at_b.as_str())];
    talk(&members, "after").await;
    for (client, case) in members {
        let view = client.case(case).await.expect("case");
        assert_eq!((view.summary.frozen, view.members.len()), (None, 3));
        assert_eq!(view.epoch, epoch(heron, &at_heron).await, "one group");
        assert_eq!(texts(client, case).await.len(), 8, "and one history");
        assert!(!troubles(client).await.iter().any(Trouble::mends));
    }
    let after = world.heron.case(&at_heron).await.expect("case");
    assert_eq!(after.safety_words, before.safety_words, "the same people");
    assert!(after.summary.messages > before.summary.messages, "numbering goes on");
}

/// A person reads it, files the proof, and somebody else checks it.
fn the_doctor_says_what_happened_and_what_comes_next(world: &World, relay: &TwoFaced) {
    let home = |who: &str| world.folder.path().join(who);
    let said = bud(&home("heron"), &["doctor"]);
    assert_eq!(said.status.code(), Some(10));
    let said = printed(&said);
    let next = "Next the mission makes a new start";
    assert!(said.contains("STOPPED") && said.contains(next), "{said}");
    let said = printed(&bud(&home("officer-a"), &["doctor", "--json"]));
    assert!(said.contains(r#""code":"frozen""#) && said.contains(r#""code":"proof""#), "{said}");
    let file = world.folder.path().join("letter.txt");
    std::fs::write(&file, "may I?").expect("a file");
    let refused = bud(&home("heron"), &["send", "--text", &file.to_string_lossy()]);
    assert_eq!(refused.status.code(), Some(8), "{}", printed(&refused));
    assert!(printed(&refused).contains("Nothing can be sent here"), "{}", printed(&refused));
    assert!(printed(&bud(&home("heron"), &["list"])).contains("STOPPED"));

    let proof = world.folder.path().join("proof.txt");
    let proof = proof.to_string_lossy();
    let written = bud(&home("officer-a"), &["doctor", "--proof", &proof]);
    assert!(written.status.success(), "{}", printed(&written));
    let checked = bud(&home("nobody"), &["doctor", "--check-proof", &proof, "--json"]);
    assert!(checked.status.success(), "{}", printed(&checked));
    let address = relay.honest.address().to_text();
    let print = address.trim_start_matches("bud://").split('@').next().expect("a fingerprint");
    assert!(printed(&checked).contains(print), "{}", printed(&checked));
    std::fs::write(&file, "budproof1AAAA").expect("a file");
    let checked = bud(&home("nobody"), &["doctor", "--check-proof", &file.to_string_lossy()]);
    assert_eq!(checked.status.code(), Some(6), "{}", printed(&checked));
    // Without a second relay a yes is not enough; the program says what is missing.
    let mended = bud(&home("officer-a"), &["doctor", "--mend"]);
    assert!(!mended.status.success());
    assert!(printed(&mended).contains("second relay"), "{}", printed(&mended));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_put_back_to_an_old_copy_is_added_again_and_everybody_sees_it() {
    let mut world = World::new().await;
    let (at_heron, at_a) = world.case().await;
    world.assign_officer_b(&at_a).await;
    let at_b = world.officer_b.cases().await.expect("cases")[0].id.clone();
    let path = world.path("heron");
    let copy = path.with_extension("copy");
    world.heron.clone().close().await.expect("close");
    std::fs::copy(&path, &copy).expect("a copy");
    world.heron = plain(&path, &world.clock).await;
    talk(
        &[
            (&world.heron, &at_heron),
            (&world.officer_a, &at_a),
            (&world.officer_b, &at_b),
            (&world.heron, &at_heron),
        ],
        "meanwhile",
    )
    .await;
    world.heron.clone().close().await.expect("close");
    std::fs::copy(&copy, &path).expect("put back");
    world.heron = plain(&path, &world.clock).await;
    let (heron, a, b) = (&world.heron, &world.officer_a, &world.officer_b);

    // Its own commits stand in the slots, and it cannot follow them any more.
    say(a, &at_a, "what an old copy cannot read").await;
    settle(&[a, b]).await;
    let before = epoch(a, &at_a).await;
    let report = heron.sync().await.expect("sync");
    assert!(!report.problems.is_empty());
    let found = troubles(heron).await;
    assert!(found.iter().any(|it| matches!(it, Trouble::Stuck { .. })), "{found:?}");
    assert!(matches!(a.recover(&at_a, None, false).await, Err(Error::NotReady(_))));
    let asked = heron.recover(&at_heron, None, false).await.expect("asked");
    assert_eq!(asked, Recovered::AskedToBeAddedAgain);
    let _ = heron.sync().await.expect("sync");
    assert!(troubles(heron).await.iter().any(|it| matches!(it, Trouble::Asked { .. })));

    // Nobody is added again without an admin's yes.
    let mut events = (a.events(), b.events());
    settle(&[a, b, a]).await;
    assert_eq!(epoch(a, &at_a).await, before);
    let asks = |it: &Trouble| matches!(it, Trouble::AsksAgain { who, granted: false, .. } if who == "HERON");
    assert!(troubles(a).await.iter().any(asks));
    assert!(
        matches!(b.recover(&at_b, None, false).await, Err(Error::NotReady(_))),
        "Officer B is no admin"
    );
    assert_eq!(a.recover(&at_a, None, false).await.expect("yes"), Recovered::AddedAgain);
    settle(&[a, b]).await;
    let _ = heron.sync().await.expect("sync");
    settle(&[heron, a, b]).await;
    for events in [&mut events.0, &mut events.1] {
        let changed = |event: &Event| matches!(event, Event::MembersChanged { case: Some(_) });
        assert!(happened(events).iter().any(changed), "everybody sees it");
    }
    let members = [(heron, at_heron.as_str()), (a, at_a.as_str()), (b, at_b.as_str())];
    talk(&members, "back").await;
    for (client, case) in members {
        let view = client.case(case).await.expect("case");
        assert_eq!(view.members.len(), 3, "the old leaf is gone");
        assert!(view.missing.is_empty(), "{:?}", view.missing);
        assert!(!troubles(client).await.iter().any(Trouble::mends));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_whose_keys_are_gone_is_added_again_and_keeps_its_history() {
    let mut world = World::new().await;
    let (at_heron, at_a) = world.case().await;
    world.assign_officer_b(&at_a).await;
    let at_b = world.officer_b.cases().await.expect("cases")[0].id.clone();
    talk(&[(&world.heron, &at_heron), (&world.officer_a, &at_a)], "before").await;
    sync(&world.officer_b).await;
    let path = world.path("officer-b");
    world.officer_b.clone().close().await.expect("close");
    peek::lose_keys(&path, world.now());
    world.officer_b = plain(&path, &world.clock).await;
    let (heron, a, b) = (&world.heron, &world.officer_a, &world.officer_b);

    assert!(b.case(&at_b).await.expect("history").summary.keys_lost);
    let asked = b.recover(&at_b, None, false).await.expect("asked");
    assert_eq!(asked, Recovered::AskedToBeAddedAgain);
    settle(&[b, a]).await;
    assert_eq!(a.recover(&at_a, None, false).await.expect("yes"), Recovered::AddedAgain);
    settle(&[a, heron, b]).await;
    assert!(!b.case(&at_b).await.expect("case").summary.keys_lost);
    let members = [(heron, at_heron.as_str()), (a, at_a.as_str()), (b, at_b.as_str())];
    talk(&members, "back").await;
    assert_eq!(b.case(&at_b).await.expect("case").members.len(), 3, "the old leaf is gone");
    let read = texts(b, &at_b).await;
    assert!(read.contains(&"before 0".to_owned()) && read.contains(&"back 0".to_owned()));
}

/// Of a mission and of a desk there may be one admin, and nobody else in a case: the other end says yes.
#[tokio::test(flavor = "multi_thread")]
async fn an_only_admin_whose_keys_are_gone_is_added_again_by_the_other_end() {
    let mut world = World::new().await;
    let (at_heron, at_a) = world.case().await;
    world.officer_a = without_keys(world.officer_a.clone(), &world, "officer-a").await;
    comes_back((&world.officer_a, &at_a), (&world.heron, &at_heron)).await;
    talk(&[(&world.heron, &at_heron), (&world.officer_a, &at_a)], "back").await;

    let mut line = desk(&world, &at_a).await;
    line.desk = without_keys(line.desk.clone(), &world, "desk").await;
    let (a, m) = (&world.officer_a, &line.desk);
    comes_back((m, &line.at_desk), (a, &line.at_mission)).await;
    say(m, &line.at_desk, "the line is back").await;
    settle(&[m, a]).await;
    assert!(texts(a, &line.at_mission).await.contains(&"the line is back".to_owned()));
}

/// The only case of this vault loses its keys.
async fn without_keys(client: Client, world: &World, vault: &str) -> Client {
    let path = world.path(vault);
    client.close().await.expect("close");
    peek::lose_keys(&path, world.now());
    plain(&path, &world.clock).await
}

/// Whoever has lost its keys asks, and the other end says yes.
async fn comes_back((loser, at_loser): (&Client, &str), (other, at_other): (&Client, &str)) {
    assert!(loser.case(at_loser).await.expect("history").summary.keys_lost);
    let asked = loser.recover(at_loser, None, false).await.expect("asked");
    assert_eq!(asked, Recovered::AskedToBeAddedAgain);
    let _ = loser.sync().await.expect("sync");
    let _ = other.sync().await.expect("sync");
    let asks = |it: &Trouble| matches!(it, Trouble::AsksAgain { assigned: true, .. });
    assert!(troubles(other).await.iter().any(asks));
    let yes = other.recover(at_other, None, false).await.expect("yes");
    assert_eq!(yes, Recovered::AddedAgain);
    let _ = other.sync().await.expect("sync");
    let _ = loser.sync().await.expect("sync");
    assert!(!loser.case(at_loser).await.expect("case").summary.keys_lost);
    settle(&[loser, other]).await;
}

/// The right to write into HERON's mailbox and to empty it: what her relay has.
struct Malice {
    owner: CapabilityKey,
    recv_id: RecvId,
    route: Route,
    stream: RawStream,
    /// Ends the stream when it goes.
    _raw: Raw,
}

impl Malice {
    async fn new(world: &World) -> Self {
        let post: Post = peek::records(&world.path("heron"), 20).remove(0);
        let raw = Raw::connect(world.relay.address()).await.expect("a connection");
        Self {
            owner: CapabilityKey::from_bytes(post.recv_secret.as_slice().try_into().expect("key")),
            recv_id: RecvId::parse(&post.recv_id).expect("an id"),
            route: peek::routes(&world.path("officer-a")).remove(0),
            stream: raw.open().await.expect("a stream"),
            _raw: raw,
        }
    }

    /// Takes everything out of the mailbox.
    async fn take(&mut self) -> Vec<Cell> {
        let cells = self.stream.read_all(&self.owner, self.recv_id).await.expect("cells");
        if let Some(last) = cells.last() {
            self.stream.trim(&self.owner, self.recv_id, last.seq).await.expect("trimmed");
        }
        cells
    }

    async fn give(&mut self, cell: &Cell) {
        let key = CapabilityKey::from_bytes(*self.route.send_secret);
        let (id, msg) = (SendId::from_bytes(self.route.send_id), MsgId::random(&mut OsRng));
        self.stream.send(&key, id, msg, cell.cell.clone(), None).await.expect("sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_late_or_twice_is_said_by_number() {
    let mut world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    for number in 1..=5 {
        say(&world.officer_a, &at_mission, &format!("letter {number}")).await;
    }
    settle(&[&world.officer_a]).await;
    for client in [&world.officer_a, &world.heron] {
        client.clone().close().await.expect("close");
    }
    let mut malice = Malice::new(&world).await;
    let cells = malice.take().await;
    let letters = &cells[cells.len() - 5..];
    for kept in [0, 3, 4] {
        malice.give(&letters[kept]).await;
    }
    world.heron = plain(&world.path("heron"), &world.clock).await;
    let mut events = world.heron.events();
    sync(&world.heron).await;
    let happened_now = happened(&mut events);
    let Some(Event::HistoryBroken { from, missing: 2, numbers, .. }) =
        happened_now.iter().find(|event| matches!(event, Event::HistoryBroken { .. }))
    else {
        panic!("{happened_now:?}")
    };
    assert_eq!(from, "Officer A");
    let view = world.heron.case(&at_heron).await.expect("case");
    // The numbers are the sender's own: those between the letters that came.
    let nth = |words: &str, view: &budstikke::CaseView| {
        let wanted = |it: &&budstikke::Message| {
            it.view.as_ref().is_some_and(|view| format!("{view:?}").contains(words))
        };
        view.messages.iter().find(wanted).map(|message| (message.nth, message.late))
    };
    let (first, _) = nth("letter 1", &view).expect("the first letter");
    assert_eq!(*numbers, [first + 1, first + 2]);
    assert_eq!(nth("letter 4", &view), Some((first + 3, false)));
    assert_eq!((view.missing.len(), view.missing[0].numbers.as_slice()), (1, numbers.as_slice()));
    world.officer_a = plain(&world.path("officer-a"), &world.clock).await;
    let sent = world.officer_a.case(&at_mission).await.expect("case");
    assert_eq!(nth("letter 2", &sent).expect("sent").0, first + 1, "their sender counts alike");

    // A person reads it; where all is well there is nothing to read.
    world.officer_b.clone().close().await.expect("close");
    let well = bud(&world.folder.path().join("officer-b"), &["doctor", "--json"]);
    assert_eq!(well.status.code(), Some(0), "{}", printed(&well));
    assert!(printed(&well).contains(r#""findings":[]"#), "{}", printed(&well));
    world.heron.clone().close().await.expect("close");
    let home = world.folder.path().join("heron");
    let shown = printed(&bud(&home, &["show"]));
    let sentence = format!("Officer A's messages {}, {} have not come.", first + 1, first + 2);
    assert!(shown.contains(&sentence), "{shown}");
    let doctor = bud(&home, &["doctor"]);
    assert_eq!(doctor.status.code(), Some(10));
    assert!(printed(&doctor).contains(&sentence), "{}", printed(&doctor));

    // One comes late, one comes twice.
    malice.give(&letters[2]).await;
    malice.give(&letters[0]).await;
    world.heron = plain(&world.path("heron"), &world.clock).await;
    let mut events = world.heron.events();
    sync(&world.heron).await;
    let happened_now = happened(&mut events);
    let late =
        |event: &Event| matches!(event, Event::MessageLate { number, .. } if *number == first + 2);
    assert!(happened_now.iter().any(late), "{happened_now:?}");
    let twice = |event: &Event| matches!(event, Event::DuplicateIgnored { count: 1, .. });
    assert!(happened_now.iter().any(twice), "{happened_now:?}");
    let view = world.heron.case(&at_heron).await.expect("case");
    assert_eq!(nth("letter 3", &view), Some((first + 2, true)));
    assert_eq!((view.missing[0].numbers.as_slice(), view.duplicates), (&[first + 1][..], 1));
    let letters_read = texts(&world.heron, &at_heron).await;
    assert_eq!(letters_read.iter().filter(|it| *it == "letter 1").count(), 1);

    // The tail: a last letter that is kept back shows with the next one.
    say(&world.officer_a, &at_mission, "letter 6").await;
    sync(&world.officer_a).await;
    malice.take().await;
    sync(&world.heron).await;
    say(&world.officer_a, &at_mission, "letter 7").await;
    settle(&[&world.officer_a, &world.heron]).await;
    let view = world.heron.case(&at_heron).await.expect("case");
    let (seventh, _) = nth("letter 7", &view).expect("the seventh");
    assert!(view.missing[0].numbers.contains(&(seventh - 1)), "{:?}", view.missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_keeps_changes_back_is_named_after_a_day() {
    let now = ten_in_the_morning() - 3 * DAY;
    let (world, _relay, chosen, (at_heron, at_a)) = two_faced_world(now).await;
    let (heron, a) = (&world.heron, &world.officer_a);
    talk(&[(heron, &at_heron), (a, &at_a)], "before").await;
    say(heron, &at_heron, "what Officer A's device answers, and renews its keys for that").await;
    settle(&[heron]).await;
    chosen.lie(true);
    settle(&[a]).await;
    say(a, &at_a, "after the change").await;
    settle(&[a, heron]).await;
    let behind = troubles(heron).await;
    assert!(behind.iter().any(|it| matches!(it, Trouble::Behind { .. })), "{behind:?}");
    world.clock.advance(DAY + 60);
    let mut events = heron.events();
    sync(heron).await;
    let named = |event: &Event| matches!(event, Event::ChangesWithheld { .. });
    assert_eq!(happened(&mut events).iter().filter(|event| named(event)).count(), 1);
    assert!(troubles(heron).await.iter().any(|it| matches!(it, Trouble::Withheld { .. })));
    assert!(heron.case(&at_heron).await.expect("case").withheld_since.is_some());
    // It was late, and lets go of them: all is well again.
    chosen.lie(false);
    settle(&[heron, a]).await;
    assert_eq!(texts(heron, &at_heron).await.last().expect("a letter"), "after the change");
    assert!(!troubles(heron).await.iter().any(|it| matches!(it, Trouble::Withheld { .. })));
}
