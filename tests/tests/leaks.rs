//! A whole scenario over a relay with its most talkative log and its metrics on; then everything that the relay
//! keeps, says and counts is searched for everything that it must not know.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use budstikke::clock::Clock;
use budstikke::vault::Kind;
use budstikke::{Choice, Decision, ReachOut, SendOptions};
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::frame::Frame;
use budstikke_proto::op::Response;
use budstikke_proto::sign::SigningSeed;
use budstikke_tests::peek;
use budstikke_tests::proxy::Proxy;
use budstikke_tests::relay_process::{RelayOptions, RelayProcess};
use budstikke_tests::scan::fields;
use budstikke_tests::watched::Watched;
use budstikke_tests::world::{
    AnyRelay, Ground, World, data, emergency, intake, settle, ten_in_the_morning, terms, text,
};
use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER, HEXUPPER};
use scan::{Marker, Scanner};

// The search with which `bud demo` ends.
#[allow(dead_code)]
#[path = "../../crates/budstikke-cli/src/demo/scan.rs"]
mod scan;

/// What nobody but the two sides may read.
const LETTER: &str = "The nets are drying behind the school flat in the lake villages.";
const REPLY: &str = "Your letter reached us before the ferry did.";
/// Shorter fields are numbers, languages and codes: no secret, and found by chance.
const SHORTEST: usize = 12;
/// Of longer fields, this much from the middle.
const WINDOW: usize = 48;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_scenario_stands_where_the_relay_could_be_made_to_show_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (proxy, port) = Proxy::start().await;
    let admin = free_port();
    let log = folder.path().join("relay.log");
    let mut options = RelayOptions::new(folder.path());
    options.port = port;
    options.log = Some(log.clone());
    let flags = ["--log-level", "trace", "--front-door-effort", "1", "--advertise"];
    options.flags.extend(flags.map(String::from));
    options.flags.push(proxy.address.to_string());
    options.flags.extend(["--admin-listen".into(), admin.to_string()]);
    let relay = RelayProcess::start(&options);
    let watched = Watched::new();
    let ground = Ground {
        folder: tempfile::tempdir().expect("a temporary folder"),
        relay: AnyRelay::elsewhere(relay.address.clone()),
        clock: Clock::fixed(ten_in_the_morning()),
        transport: Arc::new(watched.clone()),
    };
    let world = World::on(ground).await;
    scenario(&world).await;

    let metrics = fetch(admin, "/metrics");
    assert!(metrics.contains("# TYPE"), "metrics are on: {metrics}");
    let World { folder: vaults, ministry, officer_a, officer_b, heron, .. } = world;
    for client in [ministry, officer_a, officer_b, heron] {
        client.close().await.expect("close");
    }
    assert_eq!(relay.stop().code(), Some(0));
    let log = std::fs::read_to_string(log).expect("the log");
    assert!(log.contains("TRACE") && log.lines().count() > 10, "the log talks: {log}");

    let mut secrets = Secrets::default();
    let frames = watched.seen();
    assert!(frames.len() > 200, "{} frames were watched", frames.len());
    for frame in &frames {
        secrets.frame(frame);
    }
    for name in ["ministry", "officer-a", "officer-b", "heron"] {
        secrets.vault(&vaults.path().join(name).join("vault.db"));
    }
    secrets.words();
    let clients = proxy.seen();
    assert!(clients.len() > 10, "{} client addresses", clients.len());
    for client in clients {
        secrets.address(client);
    }
    secrets.forget_what_is_public(&relay_text(&options, &proxy));
    let scanner = Scanner::new(secrets.markers());
    assert!(scanner.len() > 500, "{} things to look for", scanner.len());

    let kept = files(&folder.path().join("data"));
    let written: usize = kept.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(kept.len() > 3 && written > 200_000, "{written} bytes in {} files", kept.len());
    for (name, bytes) in &kept {
        assert_eq!(scanner.bytes(bytes, name), [], "on the relay's disk");
        assert_eq!(scanner.bytes(name.as_bytes(), "a name"), [], "on the relay's disk");
    }
    assert_eq!(scanner.bytes(log.as_bytes(), "log"), [], "in the log");
    assert_eq!(scanner.bytes(metrics.as_bytes(), "metrics"), [], "in the metrics");

    // The same search finds what is there: each kind of secret, in each form, in a copy of each place.
    let markers = secrets.markers();
    let (_, smallest) = kept.iter().min_by_key(|(_, bytes)| bytes.len()).expect("a file");
    let places = [smallest.as_slice(), log.as_bytes(), metrics.as_bytes()];
    for what in ["words", "name", "id or key on the wire", "record of a vault", "derived key"] {
        let planted = markers.iter().find(|marker| marker.what == what).expect("one of each kind");
        for form in forms(&planted.bytes) {
            for place in places {
                let (head, tail) = place.split_at(place.len() / 2);
                let copy = [head, b" id=", &form, b" ", tail].concat();
                assert!(!scanner.bytes(&copy, "copy").is_empty(), "{what} in a copy");
            }
        }
    }
}

/// First contact with an emergency form, terms countered and agreed, an intake, letters, a colleague.
async fn scenario(world: &World) {
    let counter = Choice::Counter(Box::new(terms("terms-counter.toml", world.now())));
    world.heron.look_up(&world.invitation).await.expect("look up");
    let request =
        ReachOut { choice: counter, emergency: Some(emergency()), pseudonym: Some("HERON".into()) };
    world.heron.reach_out(request).await.expect("reach out");
    let (at_heron, at_mission) = world.answered(Decision::Accept).await;
    let plain = SendOptions::default();
    world.heron.send(&at_heron, intake().intake, plain.clone()).await.expect("intake");
    world.heron.send(&at_heron, text(LETTER), plain.clone()).await.expect("letter");
    settle(&[&world.heron, &world.officer_a]).await;
    world.assign_officer_b(&at_mission).await;
    world.officer_a.send(&at_mission, text(REPLY), plain).await.expect("reply");
    settle(&[&world.officer_a, &world.officer_b, &world.heron]).await;
    let letters = budstikke_tests::world::texts(&world.heron, &at_heron).await;
    assert_eq!(letters, [LETTER, REPLY]);
}

/// Everything that must not be found.
#[derive(Default)]
struct Secrets {
    markers: BTreeSet<(&'static str, Vec<u8>)>,
}

impl Secrets {
    fn markers(&self) -> Vec<Marker> {
        let marker =
            |(what, bytes): &(&'static str, Vec<u8>)| Marker { what, bytes: bytes.clone() };
        self.markers.iter().map(marker).collect()
    }

    fn add(&mut self, what: &'static str, bytes: &[u8]) {
        let from = bytes.len().saturating_sub(WINDOW) / 2;
        let until = bytes.len().min(from + WINDOW);
        let middle = &bytes[from..until];
        // Padding stands everywhere.
        if middle.len() >= SHORTEST && middle.iter().any(|byte| *byte != middle[0]) {
            self.markers.insert((what, middle.to_vec()));
        }
    }

    /// Ids, labels, public keys, tags and signatures, and the cells themselves.
    fn frame(&mut self, frame: &Frame) {
        // The relay's own words about itself are its to keep.
        if matches!(Response::decode(&frame.op), Ok(Response::Hello(_))) {
            return;
        }
        let what = "id or key on the wire";
        for field in fields(&frame.op) {
            self.add(what, field);
        }
        if let Some(payload) = &frame.payload {
            self.add("cell", payload);
        }
    }

    /// Every field of every record, and the public halves of what could be a key.
    fn vault(&mut self, path: &Path) {
        let mut records = 0;
        for kind in peek::KINDS {
            for value in peek::values(path, Kind::new(kind)) {
                records += 1;
                for field in fields(&value) {
                    self.add("record of a vault", field);
                    if let Ok(key) = <[u8; 32]>::try_from(field) {
                        self.add("derived key", &CapabilityKey::from_bytes(key).public());
                        self.add("derived key", &SigningSeed::from_bytes(key).public());
                    }
                }
            }
        }
        assert!(records > 0, "{} holds records", path.display());
    }

    /// What people wrote and who they are.
    fn words(&mut self) {
        for file in ["intake-heron.toml", "emergency.toml", "terms-counter.toml"] {
            data(file).split('"').for_each(|words| self.add("words", words.trim().as_bytes()));
        }
        self.add("words", LETTER.as_bytes());
        self.add("words", REPLY.as_bytes());
        for name in ["Officer A", "Officer B", "HERON", "REED", "no.emb.karvonia", "Karvonia"] {
            self.markers.insert(("name", name.as_bytes().to_vec()));
        }
        // Four letters stand in random bytes now and then.
        self.markers.remove(&("name", b"REED".to_vec()));
    }

    fn address(&mut self, client: SocketAddr) {
        let SocketAddr::V4(v4) = client else { panic!("loopback is IPv4 here") };
        let port = client.port();
        let raw = [v4.ip().octets().as_slice(), &port.to_be_bytes()].concat();
        self.markers.insert(("client address", raw));
        self.markers.insert(("client address", client.to_string().into_bytes()));
        self.markers.insert(("client address", format!(":{port}").into_bytes()));
    }

    /// The relay's own address is on its first line of output and may be anywhere.
    fn forget_what_is_public(&mut self, public: &str) {
        let is_public = |bytes: &[u8]| {
            let parts = public.as_bytes().windows(bytes.len().max(1));
            parts.into_iter().any(|part| part == bytes)
        };
        self.markers.retain(|(_, bytes)| !is_public(bytes));
    }
}

fn relay_text(options: &RelayOptions, proxy: &Proxy) -> String {
    format!("127.0.0.1:{} {}", options.port, proxy.address)
}

/// A secret as other programs would write it, at several alignments.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let shifted: Vec<Vec<u8>> = (0..5)
        .map(|shift| [vec![b'x'; shift], bytes.to_vec(), b"tail".to_vec()].concat())
        .collect();
    let text = shifted.iter().flat_map(|bytes| [BASE64.encode(bytes), BASE32_NOPAD.encode(bytes)]);
    let mut forms: Vec<Vec<u8>> = text.map(String::into_bytes).collect();
    forms.extend([HEXLOWER.encode(bytes), HEXUPPER.encode(bytes)].map(String::into_bytes));
    forms.push(bytes.to_vec());
    forms
}

/// All files of a folder with what was written into them: room that was only set aside is left out.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = std::fs::read(&path).expect("a file");
            let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(written);
            files.push((path.to_string_lossy().into_owned(), bytes));
        }
    }
    files.retain(|(_, bytes)| !bytes.is_empty());
    files
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    listener.local_addr().expect("its address")
}

fn fetch(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the admin address answers");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n")
        .expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
