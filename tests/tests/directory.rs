//! The Ministry's directory over a real relay: what is revoked is refused at once by everybody who has it, nobody
//! speaks for another mission, and a stale, forked or future directory is noticed.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

use budstikke::clock::Clock;
use budstikke::{
    Choice, Client, Error, ErrorClass, Event, Imported, ReachOut, Revoke, RevokeReason, Role,
    SendOptions,
};
use budstikke_e2ee::armor;
use budstikke_e2ee::cert::Chain;
use budstikke_e2ee::directory::{Contents, Directory, Reason, RootRevocation};
use budstikke_e2ee::invite::Invitation;
use budstikke_e2ee::keys::SigningKey;
use budstikke_tests::desk::new_desk;
use budstikke_tests::peek;
use budstikke_tests::world::{
    Ground, World, happened, offer, reopen, sync, ten_in_the_morning, text, texts, unit, vault,
};
use prost::Message;

const DAY_S: i64 = 86_400;
const HALF_DAY_S: i64 = 43_200;
const MINISTRY: u16 = 10;

/// The Ministry's keys, as its vault remembers them.
#[derive(Clone, PartialEq, Message)]
struct Keys {
    #[prost(bytes = "vec", tag = "3")]
    issuer: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    chain: Vec<u8>,
}

/// A world some days ago, so that its clock may go on.
async fn world() -> World {
    World::on(Ground::on_one_clock(ten_in_the_morning() - 12 * DAY_S).await).await
}

async fn publish(world: &World) -> u64 {
    let published = world.ministry.publish_directory(&[]).await.expect("publish");
    assert!(published.problems.is_empty() && published.relays == 1, "{published:?}");
    published.card.number
}

async fn number(client: &Client) -> u64 {
    client.directory().await.expect("directory").first().map_or(0, |card| card.number)
}

/// The key of a colleague's device, as an admin's device shows it.
async fn key_of(admin: &Client, officer: &str) -> String {
    let team = admin.team().await.expect("team");
    team.into_iter().find(|member| member.officer == officer).expect("a colleague").key
}

#[track_caller]
fn is_about_trust<T: std::fmt::Debug>(result: Result<T, Error>, word: &str) {
    let error = result.expect_err("it must be refused");
    assert_eq!(error.class(), ErrorClass::Trust, "{error}");
    assert!(error.to_string().contains(word), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_refused_at_once_by_everybody_who_has_the_directory() {
    let world = world().await;
    let (at_heron, at_mission) = world.case().await;
    world.assign_officer_b(&at_mission).await;
    assert_eq!(publish(&world).await, 1);
    let lost = key_of(&world.officer_a, "Officer B").await;
    let since = world.now();
    world.ministry.revoke(Revoke::Device(lost), RevokeReason::Lost, since).await.expect("revoke");
    // In this half day everybody has asked already: nobody sees it before the next, and then all do.
    assert_eq!(publish(&world).await, 2);
    sync(&world.heron).await;
    assert_eq!(number(&world.heron).await, 0);
    world.clock.advance(HALF_DAY_S);
    let said = "Where are you staying?";
    let options = SendOptions::default;
    world.officer_b.send(&at_mission, text(said), options()).await.expect("a thief's client sends");
    // The lost device learns it too, and its user is told.
    let report = world.officer_b.sync().await.expect("sync");
    assert!(report.warnings.iter().any(|it| it.contains("this device is revoked")), "{report:?}");
    is_about_trust(world.officer_b.team().await, "revoked");

    let mut events = world.heron.events();
    for client in [&world.heron, &world.officer_a, &world.heron] {
        sync(client).await;
        assert_eq!(number(client).await, 2);
    }
    for (client, case) in [(&world.heron, &at_heron), (&world.officer_a, &at_mission)] {
        let case = client.case(case).await.expect("case");
        let kept = case.messages.iter().find(|message| message.from == "Officer B");
        let kept = kept.expect("it is kept");
        assert!(kept.quarantined && kept.refused.as_deref() == Some("I04"), "{:?}", kept.refused);
    }
    assert!(
        happened(&mut events)
            .iter()
            .any(|event| { matches!(event, Event::MessageRefused { code, .. } if code == "I04") })
    );
    // And it is out, of the team and of the case.
    let team = world.officer_a.team().await.expect("team");
    assert!(team.iter().all(|member| member.officer == "Officer A"), "{team:?}");
    let members = world.heron.case(&at_heron).await.expect("case").members;
    assert_eq!(members.len(), 2, "{members:?}");
    // Everybody else goes on.
    world.officer_a.send(&at_mission, text("It was not us."), options()).await.expect("send");
    sync(&world.officer_a).await;
    sync(&world.heron).await;
    assert!(texts(&world.heron, &at_heron).await.contains(&"It was not us.".to_owned()));
    // Who comes to the team later has the directory from the start.
    let colleague = world.stranger("officer-c").await;
    let request = colleague.request_device("Officer C", &[Role::Staff]).await.expect("request");
    let enrolment = world.officer_a.enrol_device(&request).await.expect("enrol");
    colleague.install_device(&enrolment).await.expect("install");
    assert_eq!(number(&colleague).await, 2);
    let card = colleague.directory().await.expect("directory").remove(0);
    assert_eq!((card.revoked.len(), card.units.len(), card.stale), (1, 1, false));
    assert_eq!((card.revoked[0].what, card.revoked[0].reason), ("device", "lost"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compromised_mission_speaks_for_no_other_and_after_its_revocation_for_nobody() {
    let world = world().await;
    let (_, case) = world.case().await;
    let other = world.stranger("other").await;
    let request = other.request_unit(unit("no.emb.ostrovia", world.relay.address())).await;
    let certificate = world.ministry.certify_unit(&request.expect("request")).await.expect("unit");
    other.install_unit(&certificate.text).await.expect("install");
    let mut offered = offer(world.now());
    for file in offered.terms.iter_mut().chain(&mut offered.emergency) {
        file.terms.units.clear();
    }
    other.publish(offered).await.expect("publish");
    let theirs = other.invitation().await.expect("invitation");

    // Whoever has the keys of one mission hands out the other's invitation, with its own notice in it.
    let ours = Invitation::from_text(&world.invitation).expect("invitation");
    let mixed = Invitation { notice: ours.notice, ..Invitation::from_text(&theirs).expect("it") };
    let reader = world.stranger("reed").await;
    let shown = reader.look_up(&mixed.to_text().expect("text")).await;
    is_about_trust(shown, "another unit");
    assert!(reader.look_up(&theirs).await.is_ok());

    // Its line to the Ministry is on its way when it is revoked.
    let (desk, desks) = new_desk(&world, &[Role::Desk]).await;
    world.officer_a.open_line(&desks, &case).await.expect("open the line");
    let what = Revoke::Unit("no.emb.karvonia".into());
    world.ministry.revoke(what, RevokeReason::Compromised, 0).await.expect("revoke");
    publish(&world).await;
    let listed = world.ministry.directory().await.expect("directory").remove(0).units;
    assert!(listed.iter().all(|unit| unit.id != "no.emb.karvonia") && listed.len() == 2);
    world.clock.advance(HALF_DAY_S);
    desk.sync().await.expect("sync");
    assert_eq!(desk.contacts().await.expect("contacts").len(), 0);
    // Who has never heard of it before hears of its revocation first.
    let stranger = world.stranger("finch").await;
    is_about_trust(stranger.look_up(&world.invitation).await, "revoked");
    is_about_trust(world.heron.look_up(&world.invitation).await.map(drop), "revoked");
    sync(&reader).await;
    is_about_trust(reader.look_up(&world.invitation).await, "revoked");
    assert!(reader.look_up(&theirs).await.is_ok());
    let again = world.stranger("again").await;
    let setup = unit("no.emb.karvonia", world.relay.address());
    let request = again.request_unit(setup).await.expect("request");
    // The mission gets a new key, and with that it is certified again.
    assert!(world.ministry.certify_unit(&request).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_directory_holds_up_authority_and_nothing_else() {
    let world = world().await;
    let (at_heron, at_mission) = world.case().await;
    publish(&world).await;
    world.clock.advance(HALF_DAY_S);
    sync(&world.officer_a).await;
    assert_eq!(number(&world.officer_a).await, 1);
    world.clock.advance(7 * DAY_S);
    assert!(world.officer_a.directory().await.expect("directory")[0].stale);
    is_about_trust(world.officer_a.assign(&at_mission, "Officer B").await, "out of date");
    let new = world.stranger("officer-c").await;
    let request = new.request_device("Officer C", &[Role::Staff]).await.expect("request");
    is_about_trust(world.officer_a.enrol_device(&request).await, "out of date");
    is_about_trust(world.ministry.certify_unit(&unit_request(&world).await).await, "out of date");
    let said = "We are still here.";
    let sent = world.officer_a.send(&at_mission, text(said), SendOptions::default()).await;
    sent.expect("messages pass");
    let report = world.officer_a.sync().await.expect("sync");
    assert!(report.warnings.iter().any(|warning| warning.contains("out of date")), "{report:?}");
    sync(&world.heron).await;
    assert!(texts(&world.heron, &at_heron).await.contains(&said.to_owned()));

    // The Ministry's daily pass renews it, and with that everything goes on.
    sync(&world.ministry).await;
    assert_eq!(number(&world.ministry).await, 2);
    world.clock.advance(HALF_DAY_S);
    let report = sync(&world.officer_a).await;
    assert!(report.warnings.is_empty(), "{report:?}");
    assert_eq!(number(&world.officer_a).await, 2);
    world.officer_a.assign(&at_mission, "Officer B").await.expect("assign");
}

async fn unit_request(world: &World) -> String {
    let new = world.stranger("new").await;
    let setup = unit("no.emb.ostrovia", world.relay.address());
    new.request_unit(setup).await.expect("request")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_is_shown_and_the_root_has_the_last_word_about_its_issuer() {
    let world = world().await;
    publish(&world).await;
    let first = world.ministry.export_directory().await.expect("export");
    world.clock.advance(60);
    publish(&world).await;
    let second = world.ministry.export_directory().await.expect("export");
    let (reader, path) = (world.stranger("reed").await, world.path("ministry"));
    let other = world.stranger("finch").await;
    is_about_trust(other.import_directory(&second).await, "nothing to do with");
    reader.look_up(&world.invitation).await.expect("look up");
    assert_eq!(number(&reader).await, 2);
    assert_eq!(reader.import_directory(&second).await.expect("import"), Imported::Known);
    assert_eq!(reader.import_directory(&first).await.expect("import"), Imported::Older);
    assert_eq!(number(&reader).await, 2);

    // The root's word is signed while its vault is open, and carried by hand.
    let issuer = world.ministry.ministry().await.expect("ministry").issuer_fingerprint;
    let word = world.ministry.sign_issuer_revocation(&issuer, RevokeReason::Compromised, 0).await;
    let word = word.expect("the root signs");
    // Somebody has the issuer's key.
    let (now, root) = (world.now(), reader.directory().await.expect("directory").remove(0));
    world.ministry.close().await.expect("close");
    let keys: Keys = peek::records(&path, MINISTRY).remove(0);
    let key = |seed: &[u8]| SigningKey::from_bytes(seed.try_into().expect("a seed"));
    let (issuer, chain) = (key(&keys.issuer), Chain::from_bytes(&keys.chain).expect("chain"));
    let fingerprint = chain.claimed_root();
    let base = armor::decode("buddirectory1", &first).expect("armour");
    let base = Directory::verify(&base, &fingerprint, now).expect("directory");
    let forged = Contents::default().sign(&issuer, &chain, Some(&base), now).expect("sign");
    let forged = armor::encode("buddirectory1", &forged);
    let mut events = reader.events();
    assert_eq!(reader.import_directory(&forged).await.expect("import"), Imported::Forked);
    assert_eq!(happened(&mut events), [Event::DirectoryForked { number: 2 }]);
    let card = reader.directory().await.expect("directory").remove(0);
    assert_eq!((card.number, card.forks), (2, vec![2]));
    assert_eq!(card.units, root.units);

    // So the root revokes it, on paper.
    let public = issuer.public();
    let forged = RootRevocation::sign(&issuer, &public, Reason::Compromised, now, now);
    let forged = armor::encode("budrootrevocation1", &forged.to_bytes());
    is_about_trust(reader.import_directory(&forged).await, "nothing to do with");
    assert_eq!(reader.import_directory(&word).await.expect("import"), Imported::Taken);
    assert_eq!(reader.import_directory(&word).await.expect("import"), Imported::Known);
    is_about_trust(reader.import_directory(&second).await, "revoked");
    is_about_trust(reader.look_up(&world.invitation).await, "revoked");
    world.officer_a.import_directory(&word).await.expect("import");
    is_about_trust(world.officer_a.team().await, "revoked");
    assert!(reader.directory().await.expect("directory")[0].stale);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_never_earlier_than_the_newest_directory() {
    let world = world().await;
    publish(&world).await;
    // Three hours behind: what the mission publishes seems to be of the future, until the directory says what time it is.
    let path = world.path("late");
    let late = vault(path.clone(), &Clock::fixed(world.now() - 3 * 3_600)).await;
    late.look_up(&world.invitation).await.expect("look up");
    let behind = |warnings: &[String]| warnings.iter().any(|it| it.contains("clock is behind"));
    assert!(behind(&sync(&late).await.warnings));
    late.close().await.expect("close");
    // It remembers.
    let late = reopen(path, &Clock::fixed(world.now() - 3 * 3_600)).await;
    let card = late.directory().await.expect("directory").remove(0);
    assert_eq!(card.taken_at, card.made_at);
    assert!(behind(&sync(&late).await.warnings));

    let path = world.path("early");
    let clock = Clock::fixed(world.now());
    let early = vault(path, &clock).await;
    early.look_up(&world.invitation).await.expect("look up");
    assert_eq!(sync(&early).await.warnings, Vec::<String>::new());
    clock.advance(366 * DAY_S);
    let report = early.sync().await.expect("sync");
    assert!(report.warnings.iter().any(|it| it.contains("more than a year ahead")), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_is_put_at_a_revoked_relay() {
    let world = world().await;
    publish(&world).await;
    let what = Revoke::Relay(world.relay.address().to_text());
    world.ministry.revoke(what, RevokeReason::Seized, 0).await.expect("revoke");
    assert_eq!(publish(&world).await, 2);
    let card = world.ministry.directory().await.expect("directory").remove(0);
    assert!(card.relays.is_empty() && card.revoked[0].what == "relay");
    // HERON hears of it while it looks, and writes to nobody there.
    world.heron.look_up(&world.invitation).await.expect("look up");
    let request = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: None };
    is_about_trust(world.heron.reach_out(request).await, "revoked that relay");
}
