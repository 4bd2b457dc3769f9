//! A team's people come and go: devices join with a code, are taken off cases, leave; what comes after is closed to
//! them, and nothing is lost when the team moves.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::path::PathBuf;

use budstikke::case::Phase;
use budstikke::{
    Choice, Client, Error, ErrorClass, Event, JoinError, ReachOut, Role, SendOptions, Trust,
};
use budstikke_e2ee::contact::{FirstContact, IntakeSecret};
use budstikke_e2ee::envelope::Envelope;
use budstikke_e2ee::group::{Group, Inbound};
use budstikke_e2ee::keys::HpkeSecret;
use budstikke_e2ee::{Env, Suite};
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::cell::{self, Opened, SealKey};
use budstikke_proto::id::RecvId;
use budstikke_tests::peek::{self, Lane, Post};
use budstikke_tests::raw::{Cell, Raw};
use budstikke_tests::world::{World, happened, reopen, settle, sync, text, texts};
use prost::Message;
use rand_core::OsRng;

async fn say(client: &Client, case: &str, words: &str) {
    client.send(case, text(words), SendOptions::default()).await.expect("send");
}

/// A device that has joined with a code, and every step of that.
async fn joined(world: &World, path: &str, officer: &str) -> Client {
    let (admin, new) = (&world.officer_a, world.stranger(path).await);
    let code = admin.invite_device(officer, &[Role::Staff]).await.expect("a code");
    assert_eq!(code.expires, world.now() + 86_400);
    let joining = new.join_team(&code.text).await.expect("the code is good");
    assert_eq!((joining.officer.as_str(), joining.unit_id.as_str()), (officer, "no.emb.karvonia"));
    let (mut at_admin, mut at_new) = (admin.events(), new.events());
    sync(&new).await;
    assert!(new.team().await.is_err(), "nobody has certified it");
    sync(admin).await;
    let enrolled = Event::DeviceEnrolled { officer: officer.to_owned() };
    assert!(happened(&mut at_admin).contains(&enrolled));
    sync(&new).await;
    assert!(happened(&mut at_new).contains(&Event::JoinAnswered));
    assert_eq!(new.staff_card().await.expect("a card").officer, officer);
    sync(admin).await;
    sync(&new).await;
    assert!(happened(&mut at_new).contains(&Event::MembersChanged { case: None }));
    new
}

async fn officers(client: &Client) -> Vec<String> {
    let team = client.team().await.expect("team");
    let mut names: Vec<_> = team.into_iter().map(|member| member.officer).collect();
    names.sort_unstable();
    names
}

/// A colleague becomes a member of a case; its name there.
async fn assigned(world: &World, at_mission: &str, officer: &str, device: &Client) -> String {
    let before = device.cases().await.expect("cases").len();
    world.officer_a.assign(at_mission, officer).await.expect("assign");
    settle(&[&world.officer_a, device, &world.heron]).await;
    let cases = device.cases().await.expect("cases");
    assert_eq!(cases.len(), before + 1, "{officer} has the case");
    cases.into_iter().find(|case| case.id == at_mission).expect("it").id
}

fn trust(error: &Error) -> Option<JoinError> {
    match error {
        Error::Trust(trust) => match **trust {
            Trust::Join(error) => Some(error),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_devices_join_with_codes_and_work() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let c = joined(&world, "officer-c", "Officer C").await;
    let d = joined(&world, "officer-d", "Officer D").await;
    let e = joined(&world, "officer-e", "Officer E").await;
    settle(&[&world.officer_a, &world.officer_b, &c, &d, &e]).await;
    let everybody = ["Officer A", "Officer B", "Officer C", "Officer D", "Officer E"];
    for client in [&world.officer_a, &world.officer_b, &c, &d, &e] {
        assert_eq!(officers(client).await, everybody);
    }
    let team = e.team().await.expect("team");
    let own: Vec<_> = team.iter().filter(|member| member.own).collect();
    assert!(own.len() == 1 && own[0].since == Some(world.now()) && own[0].roles == [Role::Staff]);

    assigned(&world, &at_mission, "Officer E", &e).await;
    say(&world.heron, &at_heron, "to all who work on it").await;
    settle(&[&world.heron, &world.officer_a, &c, &e]).await;
    assert_eq!(texts(&e, &at_mission).await, ["to all who work on it"]);
    assert!(c.cases().await.expect("cases").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_for_a_day_and_for_its_own_team() {
    let world = World::new().await;
    let admin = &world.officer_a;
    let code = admin.invite_device("Officer C", &[Role::Staff]).await.expect("a code").text;

    // Altered, and none at all.
    let mut altered = code.clone().into_bytes();
    let place = altered.len() / 2;
    altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).expect("text");
    let c = world.stranger("officer-c").await;
    let read = c.join_team(&altered).await.expect_err("altered");
    assert!(matches!(trust(&read), Some(JoinError::Text(_))), "{read}");
    let read = c.join_team(&world.invitation).await.expect_err("an invitation");
    assert!(matches!(trust(&read), Some(JoinError::Text(_))), "{read}");
    // Only an admin makes one, and only roles that the unit can give.
    let refused = world.officer_b.invite_device("Officer D", &[Role::Staff]).await;
    assert_eq!(refused.expect_err("no admin").class(), ErrorClass::NotFound);
    let refused = admin.invite_device("Officer D", &[Role::DecisionMaker]).await;
    assert_eq!(refused.expect_err("no desk").class(), ErrorClass::Trust);
    // A device that belongs somewhere stays there.
    let taken = world.officer_b.join_team(&code).await.expect_err("a member");
    assert!(matches!(taken, Error::WrongRole { .. }), "{taken}");

    // Two devices with one code: the first is in, the second is told.
    let second = world.stranger("second").await;
    c.join_team(&code).await.expect("good");
    second.join_team(&code).await.expect("good, as far as it can see");
    let mut told = second.events();
    for client in [&c, &second, admin, &c, &second, admin, &c] {
        sync(client).await;
    }
    assert!(happened(&mut told).contains(&Event::JoinRefused { why: JoinError::Used }));
    assert!(officers(admin).await.contains(&"Officer C".to_owned()));
    assert!(second.staff_card().await.is_err());

    // Too old: where it is typed in, and at the admin's for one that was asked with in time.
    let late = admin.invite_device("Officer D", &[Role::Staff]).await.expect("a code").text;
    let offline = world.stranger("offline").await;
    offline.join_team(&late).await.expect("in time");
    world.clock.advance(86_400);
    let typed = world.stranger("typed").await.join_team(&late).await.expect_err("too old");
    assert_eq!(trust(&typed), Some(JoinError::Expired));
    let mut told = offline.events();
    for client in [&offline, admin, &offline] {
        sync(client).await;
    }
    assert!(happened(&mut told).iter().any(|event| matches!(
        event,
        Event::JoinRefused { why: JoinError::Expired | JoinError::Gone }
    )));
    assert_eq!(officers(admin).await, ["Officer A", "Officer B", "Officer C"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_taken_off_a_case_keeps_history_and_gets_nothing_new_until_assigned_again() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    world.assign_officer_b(&at_mission).await;
    let (heron, a, b) = (&world.heron, &world.officer_a, &world.officer_b);
    say(heron, &at_heron, "while B is there").await;
    settle(&[heron, a, b]).await;

    let own = a.unassign(&at_mission, "Officer A").await.expect_err("not itself");
    assert_eq!(own.class(), ErrorClass::NotFound);
    assert!(b.unassign(&at_mission, "Officer A").await.is_err(), "B is no admin");
    let mut events = (heron.events(), b.events());
    a.unassign(&at_mission, "Officer B").await.expect("unassign");
    settle(&[a, heron, b]).await;
    let changed = |case: &str| Event::MembersChanged { case: Some(case.to_owned()) };
    assert!(happened(&mut events.0).contains(&changed(&at_heron)), "HERON sees it");
    let gone = Event::RemovedFromCase { case: at_mission.clone() };
    assert!(happened(&mut events.1).contains(&gone));

    say(heron, &at_heron, "without B").await;
    settle(&[heron, a, b]).await;
    assert_eq!(texts(a, &at_mission).await, ["while B is there", "without B"]);
    assert_eq!(texts(b, &at_mission).await, ["while B is there"]);
    assert!(b.case(&at_mission).await.expect("history").summary.left);
    let refused = b.send(&at_mission, text("all the same"), SendOptions::default()).await;
    assert_eq!(refused.expect_err("over").class(), ErrorClass::NotFound);
    assert_eq!(officers(b).await, ["Officer A", "Officer B"], "B is in the team as before");

    a.assign(&at_mission, "Officer B").await.expect("assign again");
    settle(&[a, b, heron]).await;
    say(heron, &at_heron, "with B again").await;
    settle(&[heron, a, b]).await;
    assert_eq!(texts(b, &at_mission).await, ["while B is there", "with B again"]);
    say(b, &at_mission, "from B").await;
    settle(&[b, heron]).await;
    assert!(texts(heron, &at_heron).await.contains(&"from B".to_owned()));
}

/// What a vault that nobody has open knows: with its keys everything that is stored is tried.
struct Thief {
    vault: PathBuf,
    post: Post,
    lanes: Vec<Lane>,
    intake: Vec<IntakeKey>,
    groups: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct IntakeKey {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    seed: Vec<u8>,
}

/// The one field that a case and a team have in common.
#[derive(Clone, PartialEq, Message)]
struct CaseOrTeam {
    #[prost(bytes = "vec", tag = "1")]
    first: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    second: Vec<u8>,
}

impl Thief {
    /// A copy of a vault's folder as it is now.
    fn copies(world: &World, path: &str) -> Self {
        let (from, to) = (world.path(path), world.path("thief"));
        let (from, to) = (from.parent().expect("a folder"), to.parent().expect("a folder"));
        std::fs::create_dir_all(to).expect("a folder");
        for file in std::fs::read_dir(from).expect("files") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
        let vault = to.join("vault.db");
        let mut groups: Vec<_> =
            peek::records::<CaseOrTeam>(&vault, 40).into_iter().map(|case| case.second).collect();
        groups.extend(peek::records::<CaseOrTeam>(&vault, 13).into_iter().map(|team| team.first));
        Self {
            post: peek::records::<Post>(&vault, 20).remove(0),
            lanes: peek::records(&vault, 21),
            intake: peek::records(&vault, 14),
            groups,
            vault,
        }
    }

    /// Everything in a cell that opens with what the thief has: `Outer` is a seal that hides cells from relays only.
    fn opens(&self, cell: &Cell, now: i64) -> Vec<Opens> {
        let mut found = Vec::new();
        for lane in &self.lanes {
            let key = SealKey::from_bytes(lane.seal_key.as_slice().try_into().expect("a key"));
            let Ok(Opened::Fragment(part)) = cell::open(&cell.cell, &key) else { continue };
            found.push(Opens::Outer);
            match Envelope::from_bytes(&part.body) {
                Ok(Envelope::Mls(message)) => found.extend(self.reads(&message, now)),
                Ok(Envelope::FirstContact(sealed)) => found.extend(self.meets(&sealed)),
                _ => {}
            }
        }
        found
    }

    fn reads(&self, message: &[u8], now: i64) -> Option<Opens> {
        let suite = Suite::new(&mut OsRng);
        let vault = budstikke::SecretString::from(budstikke_tests::world::PASSPHRASE);
        let mut vault = budstikke::vault::Vault::open(&self.vault, &vault).expect("the copy");
        let mut read = None;
        for id in &self.groups {
            let tried = vault.transaction(|tx| {
                let env = Env { suite: &suite, store: tx, now };
                let Ok(Some(mut group)) = Group::load(&env, id) else { return Ok(false) };
                let made = group.process(&env, message, None);
                Ok::<_, budstikke::vault::VaultError>(matches!(made, Ok(Inbound::Application(_))))
            });
            read = read.or(tried.expect("a transaction").then_some(Opens::Message));
        }
        read
    }

    fn meets(&self, sealed: &[u8]) -> Option<Opens> {
        let suite = Suite::new(&mut OsRng);
        let key = |key: &IntakeKey| IntakeSecret {
            id: key.id.as_slice().try_into().expect("an id"),
            secret: HpkeSecret::from_seed(&suite, key.seed.as_slice().try_into().expect("a seed"))
                .expect("a key"),
        };
        let keys: Vec<_> = self.intake.iter().map(key).collect();
        FirstContact::open(&suite, sealed, &keys).ok().map(|_| Opens::Contact)
    }
}

#[derive(Debug, PartialEq)]
enum Opens {
    Outer,
    Message,
    Contact,
}

/// All cells of a mailbox.
async fn cells(world: &World, post: &Post) -> Vec<Cell> {
    let owner = CapabilityKey::from_bytes(post.recv_secret.as_slice().try_into().expect("a key"));
    let recv_id = RecvId::parse(&post.recv_id).expect("an id");
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    stream.read_all(&owner, recv_id).await.expect("cells")
}

/// The mailboxes of a vault, the one in use last.
async fn posts(world: &World, path: &str, client: Client) -> (Client, Vec<Post>) {
    client.close().await.expect("close");
    let posts = peek::records::<Post>(&world.path(path), 20);
    (reopen(world.path(path), &world.clock).await, posts)
}

async fn reach_out(client: &Client, name: &str) {
    let request =
        ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: Some(name.to_owned()) };
    client.reach_out(request).await.expect("reach out");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_a_removal_is_closed_to_who_has_left() {
    let mut world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let c = joined(&world, "officer-c", "Officer C").await;
    settle(&[&world.officer_a, &world.officer_b]).await;
    assigned(&world, &at_mission, "Officer C", &c).await;
    // Looked at the mission before, and writes after.
    let hesitates = world.stranger("hesitates").await;
    hesitates.look_up(&world.invitation).await.expect("the mission");
    say(&world.heron, &at_heron, "before").await;
    settle(&[&world.heron, &world.officer_a, &c, &world.officer_b]).await;
    assert_eq!(texts(&c, &at_mission).await, ["before"]);
    c.close().await.expect("close");
    let thief = Thief::copies(&world, "officer-c");
    let before = cells(&world, &thief.post).await;
    let opened = before.iter().flat_map(|cell| thief.opens(cell, world.now()));
    assert!(opened.into_iter().any(|opened| opened == Opens::Outer), "the thief's tools work");

    let own = world.officer_a.remove_colleague("Officer A").await.expect_err("the last admin");
    assert_eq!(own.class(), ErrorClass::NotFound);
    assert!(world.officer_b.remove_colleague("Officer C").await.is_err(), "B is no admin");
    let removal = world.officer_a.remove_colleague("officer c").await.expect("remove");
    assert_eq!(
        (removal.cases.as_slice(), removal.knew_unit_keys),
        (&[at_mission.clone()][..], false)
    );
    settle(&[&world.officer_a, &world.officer_b, &world.heron]).await;
    for client in [&world.officer_a, &world.officer_b] {
        assert_eq!(officers(client).await, ["Officer A", "Officer B"]);
    }
    let members = world.heron.case(&at_heron).await.expect("case").members;
    assert_eq!(members.len(), 2, "HERON sees who can read");
    let last = cells(&world, &thief.post).await.last().map(|cell| cell.seq).unwrap_or_default();

    // Everything goes on: words both ways, a colleague who is assigned, strangers with the old invitation.
    say(&world.heron, &at_heron, "after, from HERON").await;
    say(&world.officer_a, &at_mission, "after, from A").await;
    assigned(&world, &at_mission, "Officer B", &world.officer_b).await;
    say(&world.heron, &at_heron, "after, to B").await;
    settle(&[&world.officer_a, &world.officer_b, &world.heron]).await;
    assert_eq!(texts(&world.officer_b, &at_mission).await, ["after, to B"]);
    let invited = world.officer_a.invitation().await.expect("a new invitation");
    assert_ne!(invited, world.invitation);
    reach_out(&hesitates, "HESITATES").await;
    sync(&hesitates).await;
    for (name, invitation) in [("OLD", &world.invitation), ("NEW", &invited)] {
        let stranger = world.stranger(name).await;
        stranger.look_up(invitation).await.expect("the mission");
        reach_out(&stranger, name).await;
        sync(&stranger).await;
    }
    settle(&[&world.officer_a, &world.officer_b]).await;
    let waiting = world.officer_b.contacts().await.expect("contacts");
    assert_eq!(waiting.iter().filter(|contact| contact.emergency.is_none()).count(), 4);

    // The thief tries everything that anybody stored since.
    let (officer_a, posts) = posts(&world, "officer-a", world.officer_a.clone()).await;
    world.officer_a = officer_a;
    assert_eq!(posts.len(), 2);
    let now = world.now();
    let mut tried = (0, 0);
    for post in &posts {
        let moved = post.recv_secret != thief.post.recv_secret;
        for cell in cells(&world, post).await.iter().filter(|cell| moved || cell.seq > last) {
            let opened = thief.opens(cell, now);
            assert!(!opened.contains(&Opens::Message) && !opened.contains(&Opens::Contact));
            assert!(!moved || opened.is_empty(), "not even a seal");
            if moved { tried.0 += 1 } else { tried.1 += 1 }
        }
    }
    assert!(tried.0 > 8 && tried.1 == 0, "what came went to the new mailbox: {tried:?}");

    // The leaver's own device learns it, and has nothing left.
    let c = reopen(world.path("officer-c"), &world.clock).await;
    let mut events = c.events();
    c.sync().await.expect("sync");
    assert!(happened(&mut events).contains(&Event::RemovedFromTeam));
    assert!(c.case(&at_mission).await.expect("history").summary.left);
    assert_eq!(texts(&c, &at_mission).await, ["before"]);
    assert!(c.team().await.is_err() && c.sync().await.is_err());
    c.close().await.expect("close");
    let left = world.path("officer-c");
    for kind in [14, 16, 20, 21] {
        assert!(peek::records::<Post>(&left, kind).is_empty(), "kind {kind} is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_who_has_left_deletes_the_old_mailbox() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    world.assign_officer_b(&at_mission).await;
    let c = joined(&world, "officer-c", "Officer C").await;
    settle(&[&world.officer_a, &world.officer_b, &c]).await;
    c.close().await.expect("close");
    let thief = Thief::copies(&world, "officer-c");

    // Officer B is away while C is removed, and everything that tells of it is deleted before B is back.
    world.officer_a.remove_colleague("Officer C").await.expect("remove");
    settle(&[&world.officer_a, &world.heron]).await;
    let owner = CapabilityKey::from_bytes(thief.post.recv_secret.as_slice().try_into().unwrap());
    let recv_id = RecvId::parse(&thief.post.recv_id).expect("an id");
    let raw = Raw::connect(world.relay.address()).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    stream.delete(&owner, recv_id).await.expect("the leaver owns the old mailbox too");

    say(&world.heron, &at_heron, "to the new mailbox").await;
    say(&world.officer_a, &at_mission, "from A").await;
    settle(&[&world.heron, &world.officer_a]).await;
    // The first pass finds no mailbox, and looks who is in the team.
    let report = world.officer_b.sync().await.expect("sync");
    assert!(!report.problems.is_empty(), "it was told that its mailbox is gone");
    settle(&[&world.officer_b, &world.officer_a, &world.heron]).await;
    for (client, case) in [(&world.officer_a, &at_mission), (&world.officer_b, &at_mission)] {
        let mut words = texts(client, case).await;
        words.sort_unstable();
        assert_eq!(words, ["from A", "to the new mailbox"]);
    }
    say(&world.officer_b, &at_mission, "from B").await;
    settle(&[&world.officer_b, &world.officer_a, &world.heron]).await;
    assert!(texts(&world.heron, &at_heron).await.contains(&"from B".to_owned()));
    assert_eq!(officers(&world.officer_b).await, ["Officer A", "Officer B"]);
    assert_eq!(world.heron.case(&at_heron).await.expect("case").summary.terms, Phase::InForce);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_enrolled_before_the_team_moved_still_joins() {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let c = joined(&world, "officer-c", "Officer C").await;
    let d = world.stranger("officer-d").await;
    let request = d.request_device("Officer D", &[Role::Staff]).await.expect("request");
    let enrolment = world.officer_a.enrol_device(&request).await.expect("enrol");
    // The file lies about while C is removed.
    world.officer_a.remove_colleague("Officer C").await.expect("remove");
    settle(&[&world.officer_a, &world.officer_b, &world.heron]).await;
    d.install_device(&enrolment).await.expect("install");
    for client in [&d, &world.officer_a, &d, &world.officer_b, &world.officer_a] {
        sync(client).await;
    }
    assert_eq!(officers(&d).await, ["Officer A", "Officer B", "Officer D"]);
    assigned(&world, &at_mission, "Officer D", &d).await;
    say(&world.heron, &at_heron, "to D").await;
    settle(&[&world.heron, &world.officer_a, &d]).await;
    assert_eq!(texts(&d, &at_mission).await, ["to D"]);
    // C can't come back by asking anew, and a lost device's owner joins with another code.
    drop(c);
    let again = joined(&world, "officer-c-again", "Officer C").await;
    assert_eq!(officers(&again).await.len(), 4);
}
