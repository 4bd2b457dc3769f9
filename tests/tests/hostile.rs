//! What a stranger, a hostile mission, a modified program of a member or a curious colleague sends costs nobody else
//! anything: queues go on, groups stay one, and no record takes the place of another.

#![allow(clippy::expect_used, reason = "a test fails loudly")]

use budstikke::vault::{Kind, Vault, VaultError};
use budstikke::{Choice, Client, Decision, Event, ReachOut, Role, SendOptions};
use budstikke_e2ee::bundle::IntakeBundle;
use budstikke_e2ee::cert::Chain;
use budstikke_e2ee::contact::{FirstContact, Route, TermsAnswer};
use budstikke_e2ee::envelope::{Envelope, Nudge, WelcomeBody};
use budstikke_e2ee::group::{Charter, Group, GroupKind, Identity, KeyPackage};
use budstikke_e2ee::invite::Invitation;
use budstikke_e2ee::keys::SigningKey;
use budstikke_e2ee::team::TeamMessage;
use budstikke_e2ee::testing::MemoryStore;
use budstikke_e2ee::{Env, Suite};
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::cell::{self, SealKey};
use budstikke_proto::id::{MsgId, SendId};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::work::Purpose;
use budstikke_tests::peek;
use budstikke_tests::raw::Raw;
use budstikke_tests::watched::Watched;
use budstikke_tests::world::{
    Ground, PASSPHRASE, World, happened, offer, reopen, settle, sync, terms, text, texts, unit,
};
use prost::Message;
use rand_core::OsRng;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, PartialEq, Message)]
struct Approach {
    #[prost(bytes = "vec", tag = "2")]
    bundle: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Case {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    group_id: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    routes: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "17")]
    identity: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Contact {
    #[prost(bytes = "vec", tag = "4")]
    key_package: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    reply: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "6")]
    accepted: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Device {
    #[prost(bytes = "vec", tag = "2")]
    seed: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    chain: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Team {
    #[prost(bytes = "vec", tag = "1")]
    group_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    route: Vec<u8>,
}

fn only<R: Message + Default>(path: &Path, kind: u16) -> R {
    peek::records(path, kind).into_iter().next().expect("a record")
}

fn staff(path: &Path) -> Identity {
    let device: Device = only(path, 12);
    let key = SigningKey::from_bytes(&device.seed.as_slice().try_into().expect("a seed"));
    Identity::staff(key, Chain::from_bytes(&device.chain).expect("a chain"))
}

/// What somebody with the vault and another program could make of it; the vault stays as it was unless `keep`.
fn modified<T>(path: &Path, now: i64, keep: bool, work: impl FnOnce(&Env<'_>) -> T) -> T {
    let suite = Suite::new(&mut OsRng);
    let mut vault = Vault::open(path, &PASSPHRASE.to_owned().into()).expect("the vault");
    let mut made = None;
    let done = vault.transaction(|tx| {
        made = Some(work(&Env { suite: &suite, store: tx, now }));
        if keep { Ok(()) } else { Err(VaultError::Closed) }
    });
    assert_eq!(done.is_ok(), keep);
    vault.close().expect("close");
    made.expect("made")
}

/// Sends an envelope on a route.
async fn send(world: &World, route: &Route, envelope: &[u8]) {
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    let (key, seal) =
        (CapabilityKey::from_bytes(*route.send_secret), SealKey::from_bytes(*route.seal_key));
    for part in cell::split(envelope, [9; 16]).expect("parts") {
        let cell = cell::seal(&part, &seal, &mut OsRng).expect("a cell");
        let id = SendId::from_bytes(route.send_id);
        let msg = MsgId::random(&mut OsRng);
        // The front door is the only route without a label.
        let work = if route.label.is_empty() {
            Some(stream.work(&Purpose::FrontDoor(route.send_id)).await.expect("work"))
        } else {
            None
        };
        stream.send(&key, id, msg, cell, work).await.expect("the relay takes it");
    }
}

fn mine() -> ReachOut {
    ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: Some("HERON".into()) }
}

async fn say(client: &Client, case: &str, words: &str) {
    client.send(case, text(words), SendOptions::default()).await.expect("send");
}

async fn another_mission(world: &World) -> (Client, String) {
    let officer = world.stranger("elsewhere").await;
    let setup = unit("no.emb.elsewhere", world.relay.address());
    let request = officer.request_unit(setup).await.expect("request");
    let certificate = world.ministry.certify_unit(&request).await.expect("certificate");
    officer.install_unit(&certificate.text).await.expect("install");
    let mut published = offer(world.now());
    for file in published.terms.iter_mut().chain(&mut published.emergency) {
        file.terms.units = vec!["no.emb.elsewhere".into()];
    }
    officer.publish(published).await.expect("publish");
    let invitation = officer.invitation().await.expect("invitation");
    (officer, invitation)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_whose_reply_route_leads_nowhere_stops_nobody() {
    let world = World::new().await;
    let reed = world.stranger("reed").await;
    reed.look_up(&world.invitation).await.expect("look up");
    reed.close().await.expect("close");
    let approach: Approach = only(&world.path("reed"), 31);
    let invitation = Invitation::from_text(&world.invitation).expect("an invitation");
    let (suite, store) = (Suite::new(&mut OsRng), MemoryStore::new());
    let env = Env { suite: &suite, store: &store, now: world.now() };
    let bundle = IntakeBundle::verify(&suite, &approach.bundle, &invitation, world.now());
    let bundle = bundle.expect("a bundle");
    let me = Identity::defender(SigningKey::generate(&mut OsRng), "REED").expect("a name");
    let nowhere = Route {
        relay: "nowhere".into(),
        send_id: [1; 32],
        send_secret: [2; 32].into(),
        seal_key: [3; 32].into(),
        label: vec![4; 16],
    };
    let good = KeyPackage::create(&env, &me).expect("a key package").bytes().to_vec();
    let elsewhere = Route { relay: world.relay.address().to_text(), ..nowhere.clone() };
    let door = Route {
        relay: String::new(),
        send_id: invitation.send_id,
        send_secret: invitation.send_secret.clone(),
        seal_key: (*SealKey::of_front_door(&invitation.send_secret).as_bytes()).into(),
        label: Vec::new(),
    };
    for (key_package, reply) in [(good, nowhere), (b"no key package".to_vec(), elsewhere)] {
        let contact = FirstContact {
            key_package,
            reply: vec![reply],
            terms: TermsAnswer::Accepted([0; 32]),
            emergency: None,
            extra: Vec::new(),
        };
        let sealed = contact.seal(&suite, &bundle.keys[0]).expect("sealed");
        send(&world, &door, &Envelope::FirstContact(sealed).to_bytes()).await;
    }
    let mut events = world.officer_a.events();
    sync(&world.officer_a).await;
    let problems = happened(&mut events);
    let problems = problems.iter().filter(|event| matches!(event, Event::Problem { .. })).count();
    assert_eq!(problems, 2, "both are said");
    assert!(world.officer_a.contacts().await.expect("contacts").is_empty(), "and not shown");
    let (at_heron, at_mission) = world.case().await;
    say(&world.heron, &at_heron, "all goes on").await;
    settle(&[&world.heron, &world.officer_a]).await;
    assert_eq!(texts(&world.officer_a, &at_mission).await, ["all goes on"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_away_for_many_epochs_and_new_terms_misses_nothing() {
    let world = World::new().await;
    let (at_heron, at_a) = world.case().await;
    world.assign_officer_b(&at_a).await;
    let at_b = world.officer_b.cases().await.expect("cases")[0].id.clone();
    let (heron, a, b) = (&world.heron, &world.officer_a, &world.officer_b);
    let before = b.case(&at_b).await.expect("case").epoch;
    let mut said = Vec::new();
    for round in 0..4 {
        for (client, case, name) in [(heron, &at_heron, "HERON"), (a, &at_a, "A")] {
            said.push(format!("{name} {round}"));
            say(client, case, said.last().expect("words")).await;
            settle(&[heron, a]).await;
        }
        if round == 2 {
            heron
                .propose_terms(&at_heron, terms("terms-counter.toml", world.now()))
                .await
                .expect("terms");
            settle(&[heron, a]).await;
            a.accept_terms(&at_a).await.expect("accepted");
            settle(&[heron, a]).await;
        }
    }
    b.sync().await.expect("sync");
    sync(b).await;
    assert_eq!(texts(b, &at_b).await, said);
    let messages = b.case(&at_b).await.expect("case").messages;
    assert!(messages.iter().all(|message| message.refused.is_none()), "a colleague's words too");
    let after = a.case(&at_a).await.expect("case").epoch;
    assert!(after > before + 4, "there was something to walk through: {before} {after}");
    assert_eq!(b.case(&at_b).await.expect("case").epoch, after);
    say(b, &at_b, "back again").await;
    settle(&[heron, a, b]).await;
    assert_eq!(texts(heron, &at_heron).await.last().expect("words"), "back again");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_colleagues_at_once_are_both_let_in_and_both_assigned() {
    let world = World::new().await;
    let (at_heron, at_a) = world.case().await;
    let a = &world.officer_a;
    let (c, d) = (world.stranger("officer-c").await, world.stranger("officer-d").await);
    for (client, name) in [(&c, "Officer C"), (&d, "Officer D")] {
        let request = client.request_device(name, &[Role::Staff]).await.expect("request");
        let enrolment = a.enrol_device(&request).await.expect("enrol");
        client.install_device(&enrolment).await.expect("install");
        sync(client).await;
    }
    settle(&[a, &c, &d]).await;
    for client in [a, &c, &d] {
        assert_eq!(client.team().await.expect("in the team").len(), 4);
    }
    for name in ["Officer C", "Officer D", "Officer D"] {
        a.assign(&at_a, name).await.expect("assign");
    }
    settle(&[a, &c, &d, &world.heron]).await;
    for client in [&c, &d] {
        assert_eq!(client.cases().await.expect("cases").len(), 1);
    }
    assert_eq!(world.heron.case(&at_heron).await.expect("case").members.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mission_that_was_looked_at_last_is_written_to() {
    let world = World::new().await;
    let (other, invitation) = another_mission(&world).await;
    for invitation in [&world.invitation, &invitation, &world.invitation] {
        world.heron.look_up(invitation).await.expect("look up");
    }
    world.heron.reach_out(mine()).await.expect("reach out");
    for (client, contacts) in [(&world.officer_a, 1), (&other, 0)] {
        sync(client).await;
        assert_eq!(client.contacts().await.expect("contacts").len(), contacts);
    }
    assert!(world.heron.reach_out(mine()).await.is_err(), "written to already");
    world.heron.look_up(&invitation).await.expect("look up");
    world.heron.reach_out(mine()).await.expect("reach out");
    sync(&other).await;
    assert_eq!(other.contacts().await.expect("contacts").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mission_that_names_its_case_after_another_or_oddly_gets_nothing() {
    let world = World::new().await;
    let (other, invitation) = another_mission(&world).await;
    let (at_heron, at_mission) = world.case().await;
    world.heron.look_up(&invitation).await.expect("look up");
    world.heron.reach_out(mine()).await.expect("reach out");
    sync(&other).await;
    for client in [world.heron.clone(), other] {
        client.close().await.expect("close");
    }
    let case: Case = only(&world.path("heron"), 40);
    let contact: Contact = only(&world.path("elsewhere"), 30);
    let me = staff(&world.path("elsewhere"));
    let root = Invitation::from_text(&invitation).expect("an invitation").root;
    let reply = Route::from_bytes(&contact.reply[0]).expect("a route");
    let (suite, store) = (Suite::new(&mut OsRng), MemoryStore::new());
    let env = Env { suite: &suite, store: &store, now: world.now() };
    for case_id in [case.id, vec![1], vec![1; 64]] {
        let charter = Charter {
            kind: GroupKind::Case,
            root,
            units: vec!["no.emb.elsewhere".into()],
            case_id,
            terms: contact.accepted.as_slice().try_into().ok(),
        };
        let mut group = Group::create(&env, &me, &charter).expect("a group");
        let package = KeyPackage::parse(&env, &contact.key_package).expect("a key package");
        let made = group.add(&env, &me, &[package], &[]).expect("added");
        let body = WelcomeBody {
            welcome: made.welcome.expect("a Welcome"),
            routes: vec![reply.clone()],
            contact: None,
            note: Vec::new(),
            again: None,
        };
        send(&world, &reply, &Envelope::Welcome(body).to_bytes()).await;
    }
    let heron = reopen(world.path("heron"), &world.clock).await;
    sync(&heron).await;
    assert_eq!(heron.cases().await.expect("cases").len(), 1, "the old case alone");
    say(&heron, &at_heron, "to my own mission").await;
    settle(&[&heron, &world.officer_a]).await;
    assert_eq!(texts(&world.officer_a, &at_mission).await, ["to my own mission"]);
    let other = reopen(world.path("elsewhere"), &world.clock).await;
    let contacts = other.contacts().await.expect("contacts");
    other.answer(&contacts[0].id, Decision::Accept).await.expect("an honest answer");
    settle(&[&other, &heron]).await;
    assert_eq!(heron.cases().await.expect("cases").len(), 2, "and an honest answer counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_also_comes_by_mail_still_counts_in_its_slot() {
    let world = World::new().await;
    let (_, at_mission) = world.case().await;
    let before = world.officer_a.case(&at_mission).await.expect("case").epoch;
    world.heron.clone().close().await.expect("close");
    let path = world.path("heron");
    let case: Case = only(&path, 40);
    let me = Identity::from_bytes(&case.identity).expect("an identity");
    let commit = modified(&path, world.now(), false, |env| {
        let mut group = Group::load(env, &case.group_id).expect("a group").expect("a group");
        group.update(env, &me).expect("a commit").commit
    });
    let keys = peek::slot_keys(&path, world.now());
    let envelope = Envelope::Mls(commit).to_bytes();
    send(&world, &Route::from_bytes(&case.routes[0]).expect("a route"), &envelope).await;
    sync(&world.officer_a).await;
    let seal = SealKey::from_bytes(*keys.seal_key());
    let parts = cell::split(&envelope, [7; 16]).expect("parts");
    let seal = |part| cell::seal(part, &seal, &mut OsRng).expect("a cell");
    let cells: Vec<_> = parts.iter().map(seal).collect();
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    let signing = SigningSeed::from_bytes(*keys.seed());
    stream.slot_append(&signing, &cells, None).await.expect("appended");
    let group_id = case.group_id.clone();
    let nudge = Nudge { group_id, epoch: before, receipts: Vec::new() };
    let route = Route::from_bytes(&case.routes[0]).expect("a route");
    send(&world, &route, &Envelope::Nudge(nudge).to_bytes()).await;
    sync(&world.officer_a).await;
    let after = world.officer_a.case(&at_mission).await.expect("case").epoch;
    assert_eq!(after, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_staged_for_a_slot_that_is_then_spoilt_is_made_anew() {
    let watched = Watched::new();
    let ground = Ground { transport: Arc::new(watched.clone()), ..Ground::new().await };
    let world = World::on(ground).await;
    let (at_heron, at_mission) = world.case().await;
    say(&world.officer_a, &at_mission, "so that HERON has heard something").await;
    settle(&[&world.officer_a, &world.heron]).await;
    let before = world.heron.case(&at_heron).await.expect("case").epoch;
    say(&world.heron, &at_heron, "and answers").await;
    watched.meet(2);
    // Staged, and stopped before the append has left.
    let stopped = tokio::time::timeout(Duration::from_secs(3), world.heron.sync()).await;
    assert!(stopped.is_err() && watched.met() > 0, "it waits at the append");
    world.heron.clone().close().await.expect("close");
    let keys = peek::slot_keys(&world.path("heron"), world.now());
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    let signing = SigningSeed::from_bytes(*keys.seed());
    for byte in 0..4 {
        let garbage = vec![vec![byte; budstikke_proto::limits::CELL_LEN]];
        stream.slot_append(&signing, &garbage, None).await.expect("a member may append");
    }
    let heron = reopen(world.path("heron"), &world.clock).await;
    // Alone: another's commit would have it made anew as well.
    sync(&heron).await;
    let after = heron.case(&at_heron).await.expect("case").epoch;
    assert_eq!(after, before + 1);
    settle(&[&heron, &world.officer_a]).await;
    let after = heron.case(&at_heron).await.expect("case").epoch;
    assert_eq!(world.officer_a.case(&at_mission).await.expect("case").epoch, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_is_no_admin_makes_no_intake_key() {
    let world = World::new().await;
    world.officer_b.clone().close().await.expect("close");
    let path = world.path("officer-b");
    let (team, me): (Team, _) = (only(&path, 13), staff(&path));
    let told = TeamMessage::IntakeKey {
        id: [7; 8],
        seed: [7; 32].into(),
        valid_from: world.now() + 60,
        valid_until: world.now() + 86_400,
    };
    let sealed = modified(&path, world.now(), true, |env| {
        let mut group = Group::load(env, &team.group_id).expect("a group").expect("a group");
        group.encrypt(env, &me, &told.to_bytes(), None).expect("a message")
    });
    let route = Route::from_bytes(&team.route).expect("a route");
    send(&world, &route, &Envelope::Mls(sealed).to_bytes()).await;
    sync(&world.officer_a).await;
    world.officer_a.clone().close().await.expect("close");
    let keys = peek::values(&world.path("officer-a"), Kind::new(14));
    assert_eq!(keys.len(), 1, "its own alone");
}
