//! A defender with two missions: everything that both relays and both missions hold is laid side by side, and the two
//! have nothing in common that a third mission with another defender does not have too (SPEC.md 10.3 to 10.6).
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use budstikke::case::file::{ConsentFile, ConsentRequestFile, Format};
use budstikke::transport::{Connection, Transport, TransportError};
use budstikke::vault::Kind;
use budstikke::{Choice, Client, Decision, ReachOut, SendOptions};
use budstikke_proto::address::RelayAddress;
use budstikke_tests::peek;
use budstikke_tests::scan::fields;
use budstikke_tests::watched::Watched;
use budstikke_tests::world::{Ground, World, data, intake, settle, sync, text, vault_over};

/// Whatever the two sides share shows if it is so many bytes long, wherever it stands: every key, id and hash of the
/// protocol is longer.
const WINDOW: usize = 24;
/// Shorter names and numbers show if they are a field of their own: labels, ids of cases and messages.
const FIELD: usize = 12;
/// What HERON writes to both: what only a person who uses both can carry over.
const SHARED: &str = "Only HERON writes this: the ferry is blue and late.";
/// As long, by somebody else.
const OTHER: &str = "This is what REED has to say: the bus is red and on";

/// A way to several relays, each with somebody beside it who notes what passes.
#[derive(Clone, Debug, Default)]
struct ByRelay(Arc<Mutex<HashMap<String, Watched>>>);

impl ByRelay {
    fn beside(&self, address: &RelayAddress) -> Watched {
        let mut relays = self.0.lock().expect("nobody panicked");
        relays.entry(address.to_text()).or_insert_with(Watched::patient).clone()
    }
}

#[async_trait]
impl Transport for ByRelay {
    async fn connect(&self, address: &RelayAddress) -> Result<Box<dyn Connection>, TransportError> {
        self.beside(address).connect(address).await
    }
}

/// A mission with a relay of its own, and a defender who tells it what happened.
struct Place {
    world: World,
    officers: Watched,
}

impl Place {
    async fn new() -> Self {
        let officers = Watched::patient();
        let mut ground = Ground::new().await;
        ground.transport = Arc::new(officers.clone());
        Self { world: World::on(ground).await, officers }
    }

    /// First contact, terms, words, an intake with names, letters, consent, a colleague.
    async fn story(&self, who: &Client, letter: &str) {
        let world = &self.world;
        who.look_up(&world.invitation).await.expect("look up");
        let request = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: None };
        who.reach_out(request).await.expect("reach out");
        sync(&world.officer_a).await;
        let contact = world.officer_a.contacts().await.expect("contacts").remove(0);
        let there = world.officer_a.answer(&contact.id, Decision::Accept).await.expect("answer");
        settle(&[&world.officer_a, who]).await;
        let here = newest(who).await;
        who.confirm_words(&here).await.expect("words");
        let plain = SendOptions::default;
        let file = intake();
        who.send(&here, file.intake, plain()).await.expect("intake");
        for sheet in file.identity {
            who.send(&here, sheet, plain()).await.expect("identity");
        }
        who.send(&here, text(letter), plain()).await.expect("letter");
        settle(&[&world.officer_a, who]).await;
        let ask = ConsentRequestFile::parse(&data("consent-request.toml"), Format::Toml);
        world.officer_a.ask_consent(&there, ask.expect("a file"), None).await.expect("ask");
        settle(&[&world.officer_a, who]).await;
        let give = ConsentFile::parse(&data("consent-demarche.toml"), Format::Toml, world.now());
        who.give_consent(&here, give.expect("a file")).await.expect("consent");
        settle(&[&world.officer_a, who]).await;
        world.officer_a.send(&there, text("We have it."), plain()).await.expect("reply");
        world.officer_a.assign(&there, "Officer B").await.expect("assign");
        settle(&[&world.officer_a, &world.officer_b, who]).await;
        world.officer_b.send(&there, text("I am Officer B."), plain()).await.expect("letter");
        settle(&[&world.officer_a, &world.officer_b, who]).await;
    }

    /// Everything that this relay and this mission have seen of anybody.
    async fn holds(self, defender: &Watched) -> Vec<Vec<u8>> {
        let World { folder, ministry, officer_a, officer_b, heron, .. } = self.world;
        for client in [ministry, officer_a, officer_b, heron] {
            client.close().await.expect("close");
        }
        let mut all = Vec::new();
        for frame in defender.seen().into_iter().chain(self.officers.seen()) {
            all.extend([frame.tag.to_vec(), frame.op]);
            all.extend(frame.payload);
        }
        for officer in ["officer-a", "officer-b"] {
            all.extend(vault(&folder.path().join(officer).join("vault.db")));
        }
        all
    }
}

async fn newest(who: &Client) -> String {
    let cases = who.cases().await.expect("cases");
    cases.into_iter().min_by_key(|case| case.messages).expect("a case").id
}

/// All that a vault remembers, MLS state and keys included.
fn vault(path: &Path) -> Vec<Vec<u8>> {
    let values = peek::KINDS.flat_map(|kind| peek::values(path, Kind::new(kind)));
    let values: Vec<_> = values.collect();
    assert!(values.len() > 10, "{} records in {}", values.len(), path.display());
    values
}

/// Everything of this length in these pieces, wherever it stands, in order.
fn windows(pieces: &[Vec<u8>], length: usize) -> Vec<&[u8]> {
    sorted(pieces.iter().flat_map(|piece| piece.windows(length)).collect())
}

/// Every field that is too short for a window.
fn short_fields(pieces: &[Vec<u8>]) -> Vec<&[u8]> {
    let fields = pieces.iter().flat_map(|piece| fields(piece));
    sorted(fields.filter(|field| (FIELD..WINDOW).contains(&field.len())).collect())
}

fn sorted(mut all: Vec<&[u8]>) -> Vec<&[u8]> {
    all.sort_unstable();
    all.dedup();
    all
}

/// What two hold in common and the third does not have.
fn common<'a>(one: &'a [Vec<u8>], other: &[Vec<u8>], third: &[Vec<u8>]) -> Vec<&'a [u8]> {
    let stands = |all: &[&[u8]], part: &[u8]| all.binary_search(&part).is_ok();
    let (theirs, constants) = (windows(other, WINDOW), windows(third, WINDOW / 2));
    for side in [&theirs, &constants] {
        assert!(side.len() > 500_000, "{} parts", side.len());
    }
    let mut found = windows(one, WINDOW);
    // Half a constant and a neighbour that is the same by chance is nobody's mark.
    found.retain(|part| {
        let halves = part.split_at(WINDOW / 2);
        let constant = stands(&constants, halves.0) || stands(&constants, halves.1);
        stands(&theirs, part) && !constant
    });
    let (theirs, constants) = (short_fields(other), short_fields(third));
    let both = short_fields(one).into_iter();
    found.extend(both.filter(|field| stands(&theirs, field) && !stands(&constants, field)));
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_defender_at_two_missions_is_two_people_to_both_and_to_their_relays() {
    let (first, second, third) = tokio::join!(Place::new(), Place::new(), Place::new());
    let relays = ByRelay::default();
    let beside = |place: &Place| relays.beside(place.world.relay.address());
    let (at_first, at_second, at_third) = (beside(&first), beside(&second), beside(&third));
    let way: Arc<dyn Transport> = Arc::new(relays.clone());
    let folder = tempfile::tempdir().expect("a folder");
    let clock = &first.world.clock;
    let heron = vault_over(folder.path().join("heron.db"), clock, Arc::clone(&way)).await;
    let reed = vault_over(folder.path().join("reed.db"), clock, way).await;
    first.story(&heron, SHARED).await;
    second.story(&heron, SHARED).await;
    third.story(&reed, OTHER).await;

    for client in [heron, reed] {
        client.close().await.expect("close");
    }
    let [one, other, third] = [
        first.holds(&at_first).await,
        second.holds(&at_second).await,
        third.holds(&at_third).await,
    ];
    let found = common(&one, &other, &third);
    // The words themselves, and what stands beside their ends.
    let of_words = |at: &[u8]| SHARED.as_bytes().windows(3).any(|it| it == at);
    let is_shared = |part: &&[u8]| part.windows(3).any(of_words);
    let (carried, linked): (Vec<_>, Vec<_>) = found.into_iter().partition(is_shared);
    let none: [&[u8]; 0] = [];
    assert_eq!(linked, none, "in common");
    for words in SHARED.as_bytes().windows(WINDOW) {
        assert!(carried.contains(&words), "the search finds what is there");
    }
}

/// The search finds a key that two places share, and a label, among words that all three have.
#[test]
fn what_two_share_is_found() {
    let noise = |seed: u8| -> Vec<u8> {
        let mut state = u64::from(seed) + 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed.into());
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(&mut next).take(600_000).collect()
    };
    let constant = b"what every mission has, whoever writes to it".to_vec();
    let [one, other, third] = [1, 2, 3].map(|seed| vec![noise(seed), constant.clone()]);
    assert!(common(&one, &other, &third).is_empty());

    let key = &noise(4)[..32];
    let label = [&[10, 16], &noise(5)[..16]].concat();
    let planted = |side: &[Vec<u8>]| {
        let mut side = side.to_vec();
        side[0].splice(70..70, key.iter().copied());
        side.push(label.clone());
        side
    };
    let (one, other) = (planted(&one), planted(&other));
    let found = common(&one, &other, &third);
    assert!(key.windows(WINDOW).all(|part| found.contains(&part)));
    assert!(found.contains(&&label[2..]));
    assert_eq!(found.len(), 32 + 1 - WINDOW + 1);
}
