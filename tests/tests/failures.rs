//! What goes wrong: relays that are away, die, lie or refuse; papers that ended or are forged; people who answer
//! twice. Each is a typed error with one plain sentence, and nothing is lost or done twice.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use budstikke::case::wire::{
    CaseIntake, FuzzyTime, IncidentRecord, IncidentType, Receipt, ReceiptKind,
};
use budstikke::clock::Clock;
use budstikke::relay::RelayError;
use budstikke::transport::TransportError;
use budstikke::vault::{Cost, VaultError};
use budstikke::{
    Choice, Client, ContactStage, Decision, Error, ErrorClass, Event, Progress, ReachOut, Role,
    SendOptions, Trust,
};
use budstikke_e2ee::armor;
use budstikke_e2ee::bundle::{BundleContents, BundleError, IntakeKey};
use budstikke_e2ee::cert::{
    CertError, IssuerRequest, UnitKind, UnitRequest, issue_issuer, issue_unit,
};
use budstikke_e2ee::invite::{Invitation, InviteError};
use budstikke_e2ee::keys::{HpkeSecret, SigningKey};
use budstikke_e2ee::suite::Suite;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{MsgId, NoticeId, RecvId, RelayId, SendId};
use budstikke_proto::op::Request;
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::work::Purpose;
use budstikke_tests::peek::{self, Post};
use budstikke_tests::raw::Raw;
use budstikke_tests::relay_process::{RelayOptions, RelayProcess};
use budstikke_tests::watched::Watched;
use budstikke_tests::world::{
    AnyRelay, Ground, PASSPHRASE, World, emergency, happened, offer, settle, sync,
    ten_in_the_morning, terms, text, texts, unit,
};
use prost::Message;
use rand_core::OsRng;

const DAY: i64 = 86_400;
/// Longer than any answer on loopback, shorter than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(20);

fn plain() -> SendOptions {
    SendOptions::default()
}

/// One sentence: it ends where it ends, and has no lines.
fn one_sentence(error: &dyn std::fmt::Display) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains('\n') && text.len() < 200, "{text}");
}

fn trust(error: Error) -> Trust {
    one_sentence(&error);
    assert_eq!(error.class(), ErrorClass::Trust, "{error}");
    match error {
        Error::Trust(trust) => *trust,
        other => panic!("{other:?}"),
    }
}

async fn watched_world() -> (World, Watched) {
    watched_world_at(ten_in_the_morning()).await
}

async fn watched_world_at(now: i64) -> (World, Watched) {
    let watched = Watched::new();
    let (clock, transport) = (Clock::fixed(now), Arc::new(watched.clone()));
    let ground = Ground { transport, clock, ..Ground::new().await };
    (World::on(ground).await, watched)
}

// Relays.

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_in_the_middle_of_sessions_loses_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut options = RelayOptions::new(folder.path());
    options.flags.extend(["--front-door-effort".into(), "1".into()]);
    options.log = Some(folder.path().join("relay.log"));
    let relay = RelayProcess::start(&options);
    options.port = relay.address.port;
    let ground = Ground {
        folder: tempfile::tempdir().expect("a temporary folder"),
        relay: AnyRelay::elsewhere(relay.address.clone()),
        clock: Clock::fixed(ten_in_the_morning()),
        transport: Arc::new(Watched::new()),
    };
    let world = World::on(ground).await;
    let (at_heron, at_mission) = world.case().await;

    relay.kill();
    let relay = RelayProcess::start(&options);
    let started = Instant::now();
    world.heron.send(&at_heron, text("to the one that came back"), plain()).await.expect("send");
    sync(&world.heron).await;
    sync(&world.officer_a).await;
    assert_eq!(texts(&world.officer_a, &at_mission).await, ["to the one that came back"]);
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());

    relay.kill();
    world.heron.clone().close().await.expect("close");
    let heron = Client::builder(world.path("heron"))
        .passphrase(PASSPHRASE)
        .clock(world.clock.clone())
        .transport(Arc::clone(&world.transport))
        .open()
        .await
        .expect("open");
    let sent = heron.send(&at_heron, text("to nobody yet"), plain()).await.expect("send");
    let report = heron.sync().await.expect("a problem is no error");
    assert!(!report.problems.is_empty());
    report.problems.iter().for_each(|problem| one_sentence(problem));
    assert_eq!((report.sent, report.waiting), (0, 1));
    assert_eq!(heron.outbox().await.expect("outbox").len(), 1);
    let case = heron.case(&at_heron).await.expect("case");
    let own = case.messages.iter().find(|message| message.number == sent.number);
    assert_eq!(own.and_then(|own| own.progress), Some(Progress::OnThisDevice));

    let _relay = RelayProcess::start(&options);
    settle(&[&heron, &world.officer_a]).await;
    let heard = texts(&world.officer_a, &at_mission).await;
    assert_eq!(heard, ["to the one that came back", "to nobody yet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impostor_at_the_relays_address_is_not_spoken_to() {
    let world = World::new().await;
    let mut invitation = Invitation::from_text(&world.invitation).expect("an invitation");
    let mut other = world.relay.address().clone();
    other.id = RelayId::from_bytes([7; 32]);
    invitation.relays = vec![other.to_text()];
    let error = world.heron.look_up(&invitation.to_text().expect("text")).await.expect_err("pin");
    one_sentence(&error);
    assert_eq!(error.class(), ErrorClass::Trust);
    let wrong = matches!(error, Error::Relay(RelayError::Transport(TransportError::WrongRelay)));
    assert!(wrong, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_refuses_is_a_problem_and_the_cell_waits() {
    let world = World::new().await;
    let (at_heron, _) = world.case().await;
    // The mission's mailbox is gone, as if its owner had deleted it.
    world.officer_b.clone().close().await.expect("close");
    let post = peek::records::<Post>(&world.path("officer-b"), 20).remove(0);
    let owner = CapabilityKey::from_bytes(post.recv_secret.as_slice().try_into().expect("a key"));
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    let recv_id = RecvId::parse(&post.recv_id).expect("an id");
    stream.delete(&owner, recv_id).await.expect("deleted");

    let sent = world.heron.send(&at_heron, text("is anybody there?"), plain()).await;
    let sent = sent.expect("send");
    let report = world.heron.sync().await.expect("a problem is no error");
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert!(report.problems[0].contains("no longer takes messages"), "{:?}", report.problems);
    let waiting = world.heron.outbox().await.expect("outbox");
    assert_eq!(waiting.len(), report.waiting);
    let letter = waiting.iter().filter(|cell| cell.number == sent.number);
    assert_eq!(letter.count(), 1, "the letter is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_delivers_twice_is_taken_once() {
    let (world, watched) = watched_world().await;
    watched.seen();
    let (at_heron, at_mission) = world.case().await;
    let knock = sends(&watched).remove(0);
    world.heron.send(&at_heron, text("once"), plain()).await.expect("send");
    sync(&world.heron).await;
    let letter = sends(&watched).remove(0);
    settle(&[&world.heron, &world.officer_a]).await;

    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    world.heron.clone().close().await.expect("close");
    let route = peek::routes(&world.path("heron")).remove(0);
    let key = CapabilityKey::from_bytes(*route.send_secret);
    assert_eq!(letter.0.as_bytes(), &route.send_id);
    let again = MsgId::random(&mut OsRng);
    stream.send(&key, letter.0, again, letter.1, None).await.expect("sent again");
    let door = Invitation::from_text(&world.invitation).expect("an invitation");
    let key = CapabilityKey::from_bytes(*door.send_secret);
    let again = MsgId::random(&mut OsRng);
    let work = stream.work(&Purpose::FrontDoor(door.send_id)).await.expect("work");
    stream.send(&key, knock.0, again, knock.1, Some(work)).await.expect("knocked again");

    let mut events = world.officer_a.events();
    let report = sync(&world.officer_a).await;
    assert_eq!(report.received, 2, "both copies came");
    assert_eq!(texts(&world.officer_a, &at_mission).await, ["once"]);
    assert_eq!(world.officer_a.contacts().await.expect("contacts").len(), 1);
    let told = Event::DuplicateIgnored { case: at_mission, count: 1 };
    assert_eq!(happened(&mut events), [told], "the relay is seen to repeat itself");
}

/// Cells that clients sent since the last look, with where to.
fn sends(watched: &Watched) -> Vec<(SendId, Vec<u8>)> {
    let sent = watched.seen().into_iter().filter_map(|frame| {
        let Ok(Request::Send { send_id, .. }) = Request::decode(&frame.op) else { return None };
        Some((send_id, frame.payload?))
    });
    sent.collect()
}

// The vault.

#[tokio::test(flavor = "multi_thread")]
async fn vaults_open_for_one_program_with_the_right_passphrase() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("vault.db");
    let builder = || Client::builder(&path).cost(Cost::INSECURE_FOR_TESTS);
    let fails = |error: Error| {
        one_sentence(&error);
        match error {
            Error::Vault(error) => error,
            other => panic!("{other:?}"),
        }
    };
    let missing = builder().passphrase(PASSPHRASE).open().await.expect_err("no file");
    assert!(matches!(fails(missing), VaultError::NotFound));
    let empty = builder().create().await.expect_err("no passphrase");
    assert_eq!(empty.class(), ErrorClass::Input);

    let client = builder().passphrase(PASSPHRASE).create().await.expect("a vault");
    let second = builder().passphrase(PASSPHRASE).open().await.expect_err("in use");
    assert!(matches!(fails(second), VaultError::InUse));
    let again = builder().passphrase(PASSPHRASE).create().await.expect_err("there is one");
    assert!(matches!(fails(again), VaultError::Exists | VaultError::InUse));
    let wrong = client.change_passphrase("wrong".into(), "new".into()).await.expect_err("wrong");
    assert!(matches!(fails(wrong), VaultError::WrongPassphrase));
    client.change_passphrase(PASSPHRASE.into(), "another".into()).await.expect("changed");
    client.close().await.expect("close");
    let old = builder().passphrase(PASSPHRASE).open().await.expect_err("the old one");
    assert!(matches!(fails(old), VaultError::WrongPassphrase));
    builder().passphrase("another").open().await.expect("the new one");
}

// Papers.

#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_bundles_end() {
    let world = World::new().await;
    let heron_2 = world.stranger("heron-2").await;

    // Nobody at the mission published for a week.
    world.clock.advance(7 * DAY + 1);
    let stale = heron_2.look_up(&world.invitation).await.expect_err("stale");
    assert!(matches!(trust(stale), Trust::Bundle(BundleError::NotNow)));
    sync(&world.officer_a).await;
    heron_2.look_up(&world.invitation).await.expect("published anew by a sync");

    // A unit's certificate ends after 90 days.
    world.clock.advance(84 * DAY);
    let ended = world.officer_a.publish(offer(world.now())).await.expect_err("ended");
    assert!(matches!(trust(ended), Trust::Certificate(CertError::Expired { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_certificate_ended_may_not_act_and_the_others_are_told() {
    // Relay and MLS library keep the machine's time: this world begins in the past and ends not far ahead.
    let clock = Clock::fixed(ten_in_the_morning() - 26 * DAY);
    let world = World::on(Ground { clock, ..Ground::new().await }).await;
    let (at_heron, at_mission) = world.case().await;
    world.clock.advance(31 * DAY);
    let request = world.stranger("officer-c").await;
    let request = request.request_device("Officer C", &[Role::Staff]).await.expect("request");
    let ended = world.officer_a.enrol_device(&request).await.expect_err("ended");
    assert!(matches!(trust(ended), Trust::Certificate(CertError::Expired { .. })));
    let members = world.heron.case(&at_heron).await.expect("case").members;
    let lapsed = |name: &str| members.iter().find(|member| member.name == name).unwrap().lapsed;
    assert!(lapsed("Officer A") && !lapsed("HERON"));

    let mut events = world.heron.events();
    world.officer_a.send(&at_mission, text("from a lapsed device"), plain()).await.expect("send");
    world.officer_a.sync().await.expect("sync");
    sync(&world.heron).await;
    assert_eq!(texts(&world.heron, &at_heron).await, ["from a lapsed device"]);
    let lapsed = "the sender's certificate has ended";
    let told = |event: &Event| matches!(event, Event::Problem { what } if what.contains(lapsed));
    let events = happened(&mut events);
    assert!(events.iter().any(told), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_certificates_and_invitations_are_turned_away() {
    let world = World::new().await;
    let mission = world.stranger("mission-2").await;
    let setup = unit("no.emb.lakeland", world.relay.address());
    let request = mission.request_unit(setup).await.expect("request");
    let other = world.stranger("mission-3").await;
    let request_3 = other.request_unit(unit("no.emb.other", world.relay.address())).await;
    let theirs = world.ministry.certify_unit(&request_3.expect("request")).await.expect("theirs");

    // A request that was changed on its way.
    let bytes = armor::decode("budunitrequest1", &request).expect("a request");
    for at in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let forged = armor::encode("budunitrequest1", &forged);
        trust(world.ministry.certify_unit(&forged).await.expect_err("forged"));
    }
    let typo =
        request.replacen(&request[40..41], if &request[40..41] == "a" { "b" } else { "a" }, 1);
    trust(world.ministry.certify_unit(&typo).await.expect_err("a typing error"));

    // A certificate of another mission, one that was changed, one of another Ministry.
    let wrong = mission.install_unit(&theirs.text).await.expect_err("another's");
    assert!(matches!(trust(wrong), Trust::Certificate(CertError::NotYourCertificate)));
    let ours = world.ministry.certify_unit(&request).await.expect("ours");
    let bytes = armor::decode("budunitcertificate1", &ours.text).expect("a certificate");
    for at in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let forged = armor::encode("budunitcertificate1", &forged);
        trust(mission.install_unit(&forged).await.expect_err("forged"));
    }
    mission.install_unit(&ours.text).await.expect("the right one after all");

    // An invitation with a typing error, and one that names another root.
    let typo = world.invitation.replace('q', "p");
    let error = trust(world.heron.look_up(&typo).await.expect_err("a typing error"));
    assert!(matches!(error, Trust::Invitation(InviteError::Text(_))), "{error:?}");
    let mut forged = Invitation::from_text(&world.invitation).expect("an invitation");
    forged.root = [7; 32];
    let forged = forged.to_text().expect("text");
    let error = trust(world.heron.look_up(&forged).await.expect_err("another root"));
    assert!(matches!(error, Trust::Bundle(BundleError::Certificate(_))), "{error:?}");
    let nothing = trust(world.heron.look_up(&nowhere(&world)).await.expect_err("nothing there"));
    assert!(matches!(nothing, Trust::NothingPublished));
}

/// An invitation whose notice nobody publishes.
fn nowhere(world: &World) -> String {
    let mut invitation = Invitation::from_text(&world.invitation).expect("an invitation");
    invitation.notice = SigningKey::generate(&mut OsRng).public();
    invitation.to_text().expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_bundle_is_not_written_to() {
    let world = World::new().await;
    let invitation = Invitation::from_text(&world.invitation).expect("an invitation");
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    let id = NoticeId::from_bytes(*invitation.notice.as_bytes());
    let (version, real) = stream.notice_get(id).await.expect("the notice").expect("a bundle");

    // Somebody holds the notice's key, but not the unit's.
    world.officer_a.clone().close().await.expect("close");
    let unit: UnitRecord = peek::records(&world.path("officer-a"), 11).remove(0);
    let seed = SigningSeed::from_bytes(unit.notice_seed.as_slice().try_into().expect("a key"));
    let now = world.now();
    let (root, issuer, unit) = (key(), key(), key());
    let request = IssuerRequest::make(&issuer, "Ministry", now).expect("a request");
    let request = IssuerRequest::from_bytes(&request).expect("a request");
    let issuers = issue_issuer(&root, &request, now);
    let (name, id) = ("Embassy in Karvonia", "no.emb.karvonia");
    let kind = UnitKind::BilateralMission;
    let request = UnitRequest::make(&unit, name, id, kind, &invitation.notice, now);
    let request = UnitRequest::from_bytes(&request.expect("a request")).expect("a request");
    let own = issue_unit(&issuer, &issuers, &request, now).expect("a chain");
    let suite = Suite::new(&mut OsRng);
    let secret = HpkeSecret::generate(&suite, &mut OsRng).expect("a key");
    let (valid_from, valid_until) = (now, now + DAY);
    let intake = IntakeKey { id: [1; 8], public: secret.public().clone(), valid_from, valid_until };
    let contents =
        BundleContents { keys: vec![intake], offers: Vec::new(), valid_until, doors: Vec::new() };
    let forged = contents.sign(&unit, &own, now).expect("a bundle");
    // The real chain under the impostor's signature, and the real bundle with one bit changed.
    let mut changed = real.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    for (step, content) in (1..).zip([forged, changed, b"no bundle".to_vec()]) {
        stream.notice_put(&seed, version + step, &content, None).await.expect("published");
        let error = trust(world.heron.look_up(&world.invitation).await.expect_err("forged"));
        assert!(matches!(error, Trust::Bundle(_)), "{error:?}");
    }
    stream.notice_put(&seed, version + 9, &real, None).await.expect("published");
    world.heron.look_up(&world.invitation).await.expect("the real one");
}

#[derive(Clone, PartialEq, Message)]
struct UnitRecord {
    #[prost(bytes = "vec", tag = "4")]
    notice_seed: Vec<u8>,
}

fn key() -> SigningKey {
    SigningKey::generate(&mut OsRng)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_contact_to_a_forgotten_intake_key_is_not_opened() {
    // Long enough ago that eight days on is not ahead of the system's clock, which key packages are held against.
    let (world, watched) = watched_world_at(ten_in_the_morning() - 8 * DAY).await;
    watched.seen();
    world.reach_out(Choice::Accept(0)).await;
    let knock = sends(&watched).remove(0);
    world.answered(Decision::Accept).await;
    // Eight days on, the mission has published again and dropped the old key.
    world.clock.advance(8 * DAY);
    sync(&world.officer_a).await;
    let door = Invitation::from_text(&world.invitation).expect("an invitation");
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    let sender = CapabilityKey::from_bytes(*door.send_secret);
    let again = MsgId::random(&mut OsRng);
    let work = stream.work(&Purpose::FrontDoor(door.send_id)).await.expect("work");
    stream.send(&sender, knock.0, again, knock.1, Some(work)).await.expect("knocked");
    let mut events = world.officer_a.events();
    let report = sync(&world.officer_a).await;
    assert_eq!(report.received, 1);
    let events = happened(&mut events);
    assert!(matches!(events.as_slice(), [Event::Problem { .. }]), "{events:?}");
    assert_eq!(world.officer_a.contacts().await.expect("contacts").len(), 1);
    // Somebody who looks now is heard.
    let wren = world.stranger("wren").await;
    wren.look_up(&world.invitation).await.expect("look up");
    let request = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: None };
    wren.reach_out(request).await.expect("reach out");
    sync(&world.officer_a).await;
    assert_eq!(world.officer_a.contacts().await.expect("contacts").len(), 2);
}

// People.

#[tokio::test(flavor = "multi_thread")]
async fn of_two_officers_who_answer_one_founds_the_case() {
    let world = World::new().await;
    world.reach_out(Choice::Accept(0)).await;
    let (a, b) = (&world.officer_a, &world.officer_b);
    for officer in [a, b] {
        sync(officer).await;
    }
    let id = a.contacts().await.expect("contacts")[0].id.clone();
    let (first, second) =
        tokio::join!(a.answer(&id, Decision::Accept), b.answer(&id, Decision::Accept));
    let (winner, loser) = if first.is_ok() { (a, b) } else { (b, a) };
    let lost = if first.is_ok() { second } else { first };
    let error = lost.expect_err("only one answers");
    one_sentence(&error);
    assert!(matches!(error, Error::TakenByColleague), "{error:?}");
    settle(&[a, b, &world.heron]).await;
    assert_eq!(world.heron.cases().await.expect("cases").len(), 1);
    assert_eq!(winner.cases().await.expect("cases").len(), 1);
    assert_eq!(loser.cases().await.expect("cases").len(), 0);
    assert_eq!(winner.contacts().await.expect("contacts")[0].stage, ContactStage::Answered);
    assert_eq!(loser.contacts().await.expect("contacts")[0].stage, ContactStage::Colleague);
    let late = loser.answer(&id, Decision::Accept).await.expect_err("taken");
    assert!(matches!(late, Error::TakenByColleague));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_terms_that_are_refused_can_be_given_again() {
    let world = World::new().await;
    world.reach_out(Choice::Counter(Box::new(terms("terms-counter.toml", world.now())))).await;
    sync(&world.officer_a).await;
    let id = world.officer_a.contacts().await.expect("contacts")[0].id.clone();
    let mut endless = terms("terms-counter.toml", world.now());
    endless.terms.retention = None;
    let decision = Decision::Counter(Box::new(endless));
    let error = world.officer_a.answer(&id, decision).await.expect_err("refused");
    assert_eq!(error.class(), ErrorClass::Refused("P04"));
    assert_eq!(world.officer_a.cases().await.expect("cases").len(), 0);
    world.officer_a.answer(&id, Decision::Accept).await.expect("another answer");
    settle(&[&world.officer_a, &world.heron]).await;
    assert_eq!(world.heron.cases().await.expect("cases").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emergency_form_needs_no_terms_and_everything_else_does() {
    let world = World::new().await;
    let counter = terms("terms-counter.toml", world.now());
    world.heron.look_up(&world.invitation).await.expect("look up");
    let choice = Choice::Counter(Box::new(counter));
    let request = ReachOut { choice, emergency: Some(emergency()), pseudonym: None };
    world.heron.reach_out(request).await.expect("reach out");
    let mut events = world.officer_a.events();
    sync(&world.officer_a).await;
    let arrived = |event: &Event| matches!(event, Event::ContactArrived { emergency: true, .. });
    assert!(happened(&mut events).iter().any(arrived));
    let contact = &world.officer_a.contacts().await.expect("contacts")[0];
    assert!(contact.emergency.is_some(), "readable before anything is answered");

    let again = terms("terms-counter.toml", world.now() + 60);
    let (at_heron, at_mission) = world.answered(Decision::Counter(Box::new(again))).await;
    let sent = world.heron.send(&at_heron, emergency().emergency, plain()).await.expect("again");
    settle(&[&world.heron, &world.officer_a]).await;
    let case = world.officer_a.case(&at_mission).await.expect("case");
    let calls = case.messages.iter().filter(|message| message.kind == "emergency-contact");
    let calls: Vec<_> = calls.collect();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call.refused.is_none() && !call.quarantined));
    let early = world.heron.send(&at_heron, text("and a letter"), plain()).await;
    assert_eq!(early.expect_err("T01").class(), ErrorClass::Refused("T01"));
    // A person at the mission says that they have it, terms or not.
    let taken = budstikke::case::Received::open(calls[1].content.clone()).expect("content");
    let taken = Receipt {
        kind: ReceiptKind::TakenOn.into(),
        message_id: taken.header().expect("a header").message_id.clone(),
        note: "We are calling a lawyer.".into(),
        ..Receipt::default()
    };
    world.officer_a.send(&at_mission, taken, plain()).await.expect("taken on");
    settle(&[&world.officer_a, &world.heron]).await;
    let case = world.heron.case(&at_heron).await.expect("case");
    let own = case.messages.iter().find(|message| message.number == sent.number);
    assert_eq!(own.and_then(|own| own.progress), Some(Progress::TakenOn));
}

// Messages.

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_60_kib_travels_in_several_cells() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let incident = |number: usize| IncidentRecord {
        types: vec![IncidentType::Threat.into()],
        when: Some(FuzzyTime { as_told: format!("day {number}"), ..FuzzyTime::default() }),
        what_happened: "They came to the landing again. ".repeat(125),
        ..IncidentRecord::default()
    };
    let intake = CaseIntake { incidents: (0..15).map(incident).collect(), ..CaseIntake::default() };
    assert!(intake.encoded_len() > 60_000 && intake.encoded_len() < 61_440);
    let sent = world.heron.send(&at_heron, intake, plain()).await.expect("send");
    let waiting = world.heron.outbox().await.expect("outbox").len();
    assert!(waiting >= 5, "{waiting} cells");
    let case = world.heron.case(&at_heron).await.expect("case");
    let content = &case.messages.iter().find(|m| m.number == sent.number).unwrap().content;
    settle(&[&world.heron, &world.officer_a]).await;
    let heard = world.officer_a.case(&at_mission).await.expect("case").messages;
    let copies: Vec<_> = heard.iter().filter(|message| &message.content == content).collect();
    assert!(matches!(copies.as_slice(), [one] if one.refused.is_none()));
    let too_long = CaseIntake { incidents: (0..16).map(incident).collect(), ..Default::default() };
    let refused = world.heron.send(&at_heron, too_long, plain()).await.expect_err("too long");
    assert_eq!(refused.class(), ErrorClass::Refused("W02"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_before_its_epoch_waits_for_it() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    // Officer A's device renews its keys when it answers what it hears; HERON is away meanwhile.
    world.heron.send(&at_heron, text("to be answered"), plain()).await.expect("send");
    sync(&world.heron).await;
    let before = world.heron.case(&at_heron).await.expect("case").epoch;
    sync(&world.officer_a).await;
    world.officer_a.send(&at_mission, text("in a later epoch"), plain()).await.expect("send");
    sync(&world.officer_a).await;
    let later = world.officer_a.case(&at_mission).await.expect("case").epoch;
    assert!(later > before);
    assert_eq!(world.heron.case(&at_heron).await.expect("case").epoch, before);

    // All cells are taken in before any slot is looked at, so the letter comes before its epoch.
    let mut events = world.heron.events();
    sync(&world.heron).await;
    assert_eq!(world.heron.case(&at_heron).await.expect("case").epoch, later);
    let heard = texts(&world.heron, &at_heron).await;
    assert_eq!(heard, ["to be answered", "in a later epoch"]);
    let problem = |event: &Event| matches!(event, Event::Problem { .. });
    assert!(!happened(&mut events).iter().any(problem));
}
