//! The relay over real QUIC: the handshake, every operation, and what strangers can not do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail loudly"
)]

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{Label, MsgId, NoticeId, RecvId, RelayId, SendId, SlotId};
use budstikke_proto::limits::CELL_LEN;
use budstikke_proto::op::{ErrorCode, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::work::Purpose;
use budstikke_relay::{Config, Relay, testing};
use budstikke_tests::raw::{Handshake, Raw, RawError, RawStream, cell};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess};
use rand_core::{OsRng, RngCore};
use rustls::crypto::aws_lc_rs::kx_group;
use tokio::time::timeout;

const LABEL: Label = Label::from_bytes([7; 16]);

async fn memory_relay() -> Relay {
    Relay::spawn(testing::memory_config()).await.unwrap()
}

async fn connect(relay: &Relay) -> (Raw, RawStream) {
    let raw = Raw::connect(relay.address()).await.unwrap();
    let stream = raw.open().await.unwrap();
    (raw, stream)
}

/// Starts a relay again in its folder; the engine lets its lock go a moment after the shutdown.
async fn restart(config: &Config) -> Relay {
    for _ in 0..500 {
        match Relay::spawn(config.clone()).await {
            Ok(relay) => return relay,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("the relay does not start again")
}

struct Box {
    owner: CapabilityKey,
    sender: CapabilityKey,
    recv_id: RecvId,
    send_id: SendId,
}

async fn mailbox(stream: &mut RawStream, quota: u32) -> Box {
    let (owner, sender) = (CapabilityKey::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
    let recv_id = stream.create(&owner, None).await.unwrap();
    let send_id = stream.grant(&owner, recv_id, &sender, LABEL, quota, false).await.unwrap();
    Box { owner, sender, recv_id, send_id }
}

async fn send(stream: &mut RawStream, to: &Box, mark: u64) -> Result<(), RawError> {
    let msg_id = MsgId::random(&mut OsRng);
    stream.send(&to.sender, to.send_id, msg_id, cell(mark), None).await
}

#[track_caller]
fn assert_code<T: std::fmt::Debug>(answer: Result<T, RawError>, wanted: ErrorCode) {
    match answer {
        Err(RawError::Refused(code, _)) => assert_eq!(code, wanted),
        other => panic!("{other:?} instead of {wanted:?}"),
    }
}

#[tokio::test]
async fn only_the_pinned_relay_is_reached() {
    let relay = memory_relay().await;
    let (_raw, stream) = connect(&relay).await;
    assert_eq!(stream.descriptor().max_ttl_days, 90);
    let mut print = *relay.address().id.as_bytes();
    print[0] ^= 1;
    let wrong = RelayAddress { id: RelayId::from_bytes(print), ..relay.address().clone() };
    assert!(matches!(Raw::connect(&wrong).await, Err(RawError::Connect(_))));
}

/// The negotiated group is not visible through quinn; so: the hybrid alone connects, everything else alone does not.
#[tokio::test]
async fn the_key_exchange_is_post_quantum_or_there_is_none() {
    let relay = memory_relay().await;
    let with = |groups| Handshake { groups, ..Handshake::default() };
    let address = relay.address();
    for classical in [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1] {
        let refused = Raw::connect_with(address, with(vec![classical])).await;
        assert!(matches!(refused, Err(RawError::Connect(_))));
    }
    let hybrid = with(vec![kx_group::X25519MLKEM768]);
    Raw::connect_with(address, hybrid).await.unwrap();
    let classical_first = with(vec![kx_group::X25519, kx_group::X25519MLKEM768]);
    Raw::connect_with(address, classical_first).await.unwrap();
    let other = Handshake { alpn: b"other", ..Handshake::default() };
    assert!(matches!(Raw::connect_with(address, other).await, Err(RawError::Connect(_))));
}

#[tokio::test]
async fn a_mailbox_lives_its_life() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::spawn(testing::config(folder.path())).await.unwrap();
    let (raw, mut stream) = connect(&relay).await;
    let owner = CapabilityKey::random(&mut OsRng);
    let recv_id = stream.create(&owner, None).await.unwrap();
    assert_eq!(stream.create(&owner, None).await.unwrap(), recv_id, "idempotent");
    let sender = CapabilityKey::random(&mut OsRng);
    let send_id = stream.grant(&owner, recv_id, &sender, LABEL, 3, false).await.unwrap();
    let again = stream.grant(&owner, recv_id, &sender, LABEL, 3, false).await.unwrap();
    assert_eq!(again, send_id);

    let names: Vec<_> = (0..4).map(|_| MsgId::random(&mut OsRng)).collect();
    for (mark, name) in (0..3).zip(&names) {
        for _ in 0..2 {
            stream.send(&sender, send_id, *name, cell(mark), None).await.unwrap();
        }
    }
    let full = stream.send(&sender, send_id, names[3], cell(3), None).await;
    assert!(matches!(full, Err(RawError::Refused(ErrorCode::Full, 60))));
    let cells = stream.read_all(&owner, recv_id).await.unwrap();
    assert_eq!(cells.len(), 3);
    assert!((0u64..).zip(&cells).all(|(mark, it)| it.cell == cell(mark) && it.label == LABEL));
    let (page, next, more) = stream.read(&owner, recv_id, 0, 2).await.unwrap();
    assert_eq!((page.len(), next, more), (2, cells[1].seq, true));
    stream.trim(&owner, recv_id, cells[1].seq).await.unwrap();
    stream.send(&sender, send_id, names[3], cell(3), None).await.unwrap();
    let left = stream.read_all(&owner, recv_id).await.unwrap();
    assert_eq!(left[0], cells[2]);
    assert!(left[1].seq > cells[2].seq);

    // Another session holds none of these keys.
    let mut other = raw.open().await.unwrap();
    let stranger = CapabilityKey::random(&mut OsRng);
    assert_code(other.read(&stranger, recv_id, 0, 9).await, ErrorCode::Refused);
    assert_code(other.read(&sender, recv_id, 0, 9).await, ErrorCode::Refused);
    let unknown = RecvId::random(&mut OsRng);
    assert_code(other.read(&owner, unknown, 0, 9).await, ErrorCode::Refused);
    assert_code(other.trim(&stranger, recv_id, 9).await, ErrorCode::Refused);
    assert_code(other.delete(&stranger, recv_id).await, ErrorCode::Refused);
    let forged = other.send(&owner, send_id, names[0], cell(0), None).await;
    assert_code(forged, ErrorCode::Refused);

    stream.revoke(&owner, recv_id, send_id).await.unwrap();
    assert_code(stream.revoke(&owner, recv_id, send_id).await, ErrorCode::Refused);
    let revoked = stream.send(&sender, send_id, names[0], cell(0), None).await;
    assert_code(revoked, ErrorCode::Refused);
    assert_eq!(stream.read_all(&owner, recv_id).await.unwrap().len(), 2);
    stream.delete(&owner, recv_id).await.unwrap();
    assert_code(stream.read(&owner, recv_id, 0, 9).await, ErrorCode::Refused);
    assert!(relay.shutdown().await);
}

#[tokio::test]
async fn strangers_pay_with_work_and_known_ones_do_not() {
    let config = Config { work_effort: 2, front_door_effort: 3, ..testing::memory_config() };
    let relay = Relay::spawn(config).await.unwrap();
    let (_raw, mut stream) = connect(&relay).await;
    assert_eq!(stream.descriptor().work_effort, 2);
    let owner = CapabilityKey::random(&mut OsRng);
    assert_code(stream.create(&owner, None).await, ErrorCode::WorkRequired);
    let work = stream.work(&Purpose::Create(owner.public())).await.unwrap();
    let recv_id = stream.create(&owner, Some(work)).await.unwrap();
    assert_eq!(stream.create(&owner, None).await.unwrap(), recv_id);
    let other = CapabilityKey::random(&mut OsRng);
    assert_code(stream.create(&other, Some(work)).await, ErrorCode::WorkRequired);

    let door = CapabilityKey::random(&mut OsRng);
    let send_id = stream.grant(&owner, recv_id, &door, LABEL, 9, true).await.unwrap();
    let name = MsgId::random(&mut OsRng);
    let free = stream.send(&door, send_id, name, cell(1), None).await;
    assert_code(free, ErrorCode::WorkRequired);
    let work = stream.work(&Purpose::FrontDoor(*send_id.as_bytes())).await.unwrap();
    stream.send(&door, send_id, name, cell(1), Some(work)).await.unwrap();
    stream.send(&door, send_id, name, cell(1), None).await.unwrap();
    let next = MsgId::random(&mut OsRng);
    let reused = stream.send(&door, send_id, next, cell(2), Some(work)).await;
    assert_code(reused, ErrorCode::WorkRequired);

    let key = SigningSeed::from_bytes([5; 32]);
    let entry = [cell(1)];
    assert_code(stream.slot_append(&key, &entry, None).await, ErrorCode::WorkRequired);
    let work = stream.work(&Purpose::Slot(key.public())).await.unwrap();
    assert_eq!(stream.slot_append(&key, &entry, Some(work)).await.unwrap(), 0);
    assert_eq!(stream.slot_append(&key, &[cell(2)], None).await.unwrap(), 1);
    assert_code(stream.notice_put(&key, 1, b"text", None).await, ErrorCode::WorkRequired);
    let work = stream.work(&Purpose::Notice(key.public())).await.unwrap();
    stream.notice_put(&key, 1, b"text", Some(work)).await.unwrap();
}

#[tokio::test]
async fn slots_and_notices_hold_their_order_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = testing::config(folder.path());
    let relay = Relay::spawn(config.clone()).await.unwrap();
    let id = relay.address().id;
    let (raw, mut stream) = connect(&relay).await;
    let key = SigningSeed::from_bytes([5; 32]);
    let (slot_id, notice_id) =
        (SlotId::from_bytes(key.public()), NoticeId::from_bytes(key.public()));
    assert_eq!(stream.slot_read(slot_id).await.unwrap(), []);
    assert_eq!(stream.notice_get(notice_id).await.unwrap(), None);
    let entries: Vec<Vec<_>> = (0..5).map(|n| (0..=n % 4).map(|_| cell(n)).collect()).collect();
    for place in 0..3 {
        let entry = &entries[usize::try_from(place).unwrap()];
        assert_eq!(stream.slot_append(&key, entry, None).await.unwrap(), place);
    }
    let content = vec![9; 100_000];
    stream.notice_put(&key, 2, b"old", None).await.unwrap();
    stream.notice_put(&key, 3, &content, None).await.unwrap();
    drop((raw, stream));
    assert!(relay.shutdown().await);

    let relay = restart(&config).await;
    assert_eq!(relay.address().id, id, "one identity");
    let (_raw, mut stream) = connect(&relay).await;
    assert_eq!(stream.slot_append(&key, &entries[1], None).await.unwrap(), 1, "the same place");
    assert_eq!(stream.slot_append(&key, &entries[3], None).await.unwrap(), 3);
    let full = stream.slot_append(&key, &entries[4], None).await;
    assert!(matches!(full, Err(RawError::Refused(ErrorCode::Full, 0))));
    let found = stream.slot_read(slot_id).await.unwrap();
    assert_eq!(found.len(), 4);
    assert!((0u32..).zip(&found).all(|(place, entry)| entry.entry == place));
    assert!(found.iter().zip(&entries).all(|(entry, wanted)| entry.payloads == *wanted));

    assert_code(stream.notice_put(&key, 2, b"older", None).await, ErrorCode::Conflict);
    assert_code(stream.notice_put(&key, 3, b"other", None).await, ErrorCode::Conflict);
    stream.notice_put(&key, 3, &content, None).await.unwrap();
    assert_eq!(stream.notice_get(notice_id).await.unwrap(), Some((3, content)));
}

#[tokio::test]
async fn a_subscriber_hears_what_waits_and_what_comes() {
    let relay = memory_relay().await;
    let (raw, mut stream) = connect(&relay).await;
    let to = mailbox(&mut stream, 100).await;
    send(&mut stream, &to, 0).await.unwrap();
    let mut listening = raw.open().await.unwrap();
    listening.subscribe(&to.owner, to.recv_id, 0).await.unwrap();
    assert_eq!(listening.next_cell().await.unwrap().cell, cell(0));
    let mut last = 0;
    for mark in 1..20 {
        send(&mut stream, &to, mark).await.unwrap();
        let pushed = timeout(Duration::from_secs(5), listening.next_cell()).await;
        let pushed = pushed.expect("pushed at once").unwrap();
        assert!(pushed.cell == cell(mark) && pushed.seq > last);
        last = pushed.seq;
    }
    // The stream goes on to serve requests, and ends the subscription with the mailbox.
    stream.delete(&to.owner, to.recv_id).await.unwrap();
    assert_code(listening.next_cell().await, ErrorCode::Refused);
    let wrong = CapabilityKey::random(&mut OsRng);
    listening.subscribe(&wrong, to.recv_id, 0).await.unwrap();
    assert_code(listening.next_cell().await, ErrorCode::Refused);
}

#[tokio::test]
async fn a_reader_that_sleeps_misses_nothing_and_holds_nobody_up() {
    const CELLS: u64 = 800;
    let relay = memory_relay().await;
    let (raw, mut stream) = connect(&relay).await;
    let to = mailbox(&mut stream, 1_000).await;
    // A connection of its own, whose frames nobody reads: 13 MB do not fit its windows.
    let (_reader, mut asleep) = connect(&relay).await;
    asleep.subscribe(&to.owner, to.recv_id, 0).await.unwrap();
    let mut awake = raw.open().await.unwrap();
    awake.subscribe(&to.owner, to.recv_id, 0).await.unwrap();
    for mark in 0..CELLS {
        timeout(Duration::from_secs(10), send(&mut stream, &to, mark)).await.unwrap().unwrap();
        assert!(awake.next_cell().await.unwrap().cell == cell(mark));
    }
    for mark in 0..CELLS {
        let late = timeout(Duration::from_secs(10), asleep.next_cell()).await.unwrap().unwrap();
        assert!(late.cell == cell(mark), "cell {mark} is missing");
    }
}

#[tokio::test]
async fn many_requests_fly_at_once_and_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::spawn(testing::config(folder.path())).await.unwrap();
    let (_raw, mut stream) = connect(&relay).await;
    let to = mailbox(&mut stream, 500).await;
    let mut numbers = HashSet::new();
    for mark in 0..200 {
        let msg_id = MsgId::random(&mut OsRng);
        let request = Request::Send { send_id: to.send_id, msg_id, work: None };
        let number = stream.start(&request, Some(&to.sender), Some(cell(mark))).await.unwrap();
        numbers.insert(number);
    }
    while !numbers.is_empty() {
        let (frame, response) = stream.next().await.unwrap();
        assert_eq!(response, Response::Done);
        assert!(numbers.remove(&frame.request));
    }
    let cells = stream.read_all(&to.owner, to.recv_id).await.unwrap();
    assert!((0..200).zip(&cells).all(|(mark, it)| it.cell == cell(mark)));
    assert_eq!(cells.len(), 200);
}

#[tokio::test]
async fn garbage_hurts_nobody() {
    let relay = memory_relay().await;
    let (raw, mut good) = connect(&relay).await;
    let to = mailbox(&mut good, 10).await;
    let mut noise = vec![0; 40_000];
    for round in 0..12 {
        OsRng.fill_bytes(&mut noise);
        noise[0] = round;
        let mut stream =
            if round % 2 == 0 { raw.bare().await.unwrap() } else { raw.open().await.unwrap() };
        // The relay may stop reading before all is written.
        let _ = stream.send.write_all(&noise).await;
        match timeout(Duration::from_secs(5), stream.next()).await.expect("answered at once") {
            Ok((_, Response::Error { code, .. })) => assert_eq!(code, ErrorCode::Malformed),
            other => panic!("{other:?}"),
        }
        assert!(matches!(stream.next().await, Err(RawError::Ended)));
    }
    // Streams that end in the middle, uni streams, datagrams of another world.
    let mut half = raw.open().await.unwrap();
    half.send.write_all(&[1, 1, 1]).await.unwrap();
    half.send.finish().unwrap();
    assert!(matches!(half.next().await, Err(RawError::Ended)));
    if let Ok(Ok(mut uni)) = timeout(Duration::from_secs(1), raw.connection.open_uni()).await {
        let _ = uni.write_all(&noise).await;
    }
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in [0, 1, 20, 1_200, 1_400] {
        socket.send_to(&noise[..length], relay.local_addr()).unwrap();
    }
    send(&mut good, &to, 1).await.unwrap();
    let (_raw, mut fresh) = connect(&relay).await;
    assert_eq!(fresh.read_all(&to.owner, to.recv_id).await.unwrap().len(), 1);
    assert_eq!(cell(1).len(), CELL_LEN);
}

#[tokio::test]
async fn silent_and_greedy_clients_are_bounded() {
    let config = Config { max_connections: 2, ..testing::memory_config() };
    let relay = Relay::spawn(config).await.unwrap();
    let (first, mut stream) = connect(&relay).await;
    // Sixteen streams, then no more.
    let mut held = Vec::new();
    for _ in 0..15 {
        held.push(first.open().await.unwrap());
    }
    let more = timeout(Duration::from_millis(300), first.connection.open_bi()).await;
    assert!(more.is_err(), "a seventeenth stream was opened");
    // Subscriptions of one stream are bounded too, and the stream goes on.
    let to = mailbox(&mut stream, 10).await;
    for _ in 0..8 {
        stream.subscribe(&to.owner, to.recv_id, 0).await.unwrap();
    }
    let ninth = Request::Subscribe { recv_id: to.recv_id, since: 0 };
    assert_code(stream.ask(&ninth, Some(&to.owner), None).await, ErrorCode::Busy);
    let _second = connect(&relay).await;
    assert!(matches!(Raw::connect(relay.address()).await, Err(RawError::Connect(_))));
    drop((held, stream, first));
    // A place is free once a client left.
    for _ in 0..100 {
        if Raw::connect(relay.address()).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no place became free");
}

#[tokio::test]
async fn a_shutdown_answers_what_is_under_way_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = testing::config(folder.path());
    let relay = Relay::spawn(config.clone()).await.unwrap();
    let (raw, mut stream) = connect(&relay).await;
    let to = mailbox(&mut stream, 1_000).await;
    let mut listening = raw.open().await.unwrap();
    listening.subscribe(&to.owner, to.recv_id, 0).await.unwrap();
    send(&mut stream, &to, 0).await.unwrap();
    listening.next_cell().await.unwrap();
    for mark in 1..50 {
        let msg_id = MsgId::random(&mut OsRng);
        let request = Request::Send { send_id: to.send_id, msg_id, work: None };
        stream.start(&request, Some(&to.sender), Some(cell(mark))).await.unwrap();
    }
    let (drained, acknowledged) = tokio::join!(relay.shutdown(), async {
        let mut count = 1;
        while let Ok((_, Response::Done)) = stream.next().await {
            count += 1;
        }
        count
    });
    assert!(drained, "nothing was cut off");
    loop {
        match listening.next_cell().await {
            Ok(_) => {}
            Err(RawError::Refused(code, _)) => {
                assert_eq!(code, ErrorCode::Closing);
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let relay = restart(&config).await;
    let (_raw, mut stream) = connect(&relay).await;
    let cells = stream.read_all(&to.owner, to.recv_id).await.unwrap();
    assert!(cells.len() >= acknowledged, "{} kept, {acknowledged} acknowledged", cells.len());
    assert!((0..).zip(&cells).all(|(mark, it)| it.cell == cell(mark)));
}

#[tokio::test]
async fn dropping_the_handle_stops_everything() {
    let folder = tempfile::tempdir().unwrap();
    let config = testing::config(folder.path());
    let relay = Relay::spawn(config.clone()).await.unwrap();
    let (raw, mut stream) = connect(&relay).await;
    mailbox(&mut stream, 10).await;
    drop(relay);
    timeout(Duration::from_secs(5), raw.connection.closed()).await.expect("closed at once");
    // The data folder's lock is free: no task holds the store any more.
    restart(&config).await;
}

/// Writers of one slot: connections, and streams of each, as many as may be in the middle of a request.
const WRITERS: (usize, u64) = (60, 4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_writers_race_for_one_slot_and_four_have_it() {
    let folder = tempfile::tempdir().unwrap();
    for config in [testing::memory_config(), testing::config(folder.path())] {
        let relay = Relay::spawn(config).await.unwrap();
        let key = SigningSeed::from_bytes([5; 32]);
        let slot_id = SlotId::from_bytes(key.public());
        let (mut race, mut connections) = (tokio::task::JoinSet::new(), Vec::new());
        let all = WRITERS.0 as u64 * WRITERS.1;
        let line = std::sync::Arc::new(tokio::sync::Barrier::new(usize::try_from(all).unwrap()));
        for connection in 0..WRITERS.0 {
            let raw = Raw::connect(relay.address()).await.unwrap();
            for number in 0..WRITERS.1 {
                let (mut stream, line, key) =
                    (raw.open().await.unwrap(), std::sync::Arc::clone(&line), key.clone());
                let mark = connection as u64 * WRITERS.1 + number;
                race.spawn(async move {
                    let entry: Vec<_> = (0..=mark % 4).map(|part| cell(mark * 4 + part)).collect();
                    line.wait().await;
                    let began = Instant::now();
                    // The receipt is checked in here.
                    let place = stream.slot_append(&key, &entry, None).await;
                    let over = Instant::now();
                    let repeated = stream.slot_append(&key, &entry, None).await;
                    (entry, place, repeated, began, over)
                });
            }
            connections.push(raw);
        }
        let mut winners = Vec::new();
        let mut losers = 0;
        for (entry, place, repeated, began, over) in race.join_all().await {
            match (place, repeated) {
                (Ok(place), Ok(again)) if place == again => {
                    winners.push((place, entry, began, over));
                }
                // Full for ever.
                (
                    Err(RawError::Refused(ErrorCode::Full, 0)),
                    Err(RawError::Refused(ErrorCode::Full, 0)),
                ) => losers += 1,
                other => panic!("{other:?}"),
            }
        }
        winners.sort_by_key(|(place, ..)| *place);
        assert!(winners.iter().map(|(place, ..)| *place).eq(0..4));
        assert_eq!(losers, all - 4);
        // Nobody who began after another was answered stands before them.
        for (at, (.., over)) in winners.iter().enumerate() {
            assert!(winners[..at].iter().all(|(_, _, began, _)| began < over));
        }
        for raw in &connections[..3] {
            let found = raw.open().await.unwrap().slot_read(slot_id).await.unwrap();
            assert!(found.iter().map(|entry| &entry.payloads).eq(winners.iter().map(|it| &it.1)));
        }
    }
}

/// A counter of a relay's metrics.
fn counter(admin: SocketAddr, name: &str) -> u64 {
    let mut stream = TcpStream::connect(admin).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn pipelined_requests_share_commits_and_each_answer_is_durable() {
    const SENDS: u64 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let admin = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut options = RelayOptions::new(folder.path());
    options.flags.extend(["--admin-listen".into(), admin.to_string()]);
    let relay = RelayProcess::start(&options);
    let raw = Raw::connect(&relay.address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    let to = mailbox(&mut stream, 4_096).await;
    let commits = || counter(admin, "budstikke_commits_total");
    let before = commits();
    for mark in 0..10 {
        send(&mut stream, &to, mark).await.unwrap();
    }
    assert_eq!(commits() - before, 10, "who waits for each answer has a commit for each");
    let (mut asking, mut waiting) = (Vec::new(), HashSet::new());
    for mark in 10..10 + SENDS {
        let (send_id, msg_id) = (to.send_id, MsgId::random(&mut OsRng));
        let request = Request::Send { send_id, msg_id, work: None };
        let frame = stream.frame(stream.number(), &request, Some(&to.sender), Some(cell(mark)));
        waiting.insert(frame.request);
        asking.extend(frame.encode().unwrap());
    }
    let before = commits();
    let RawStream { send: towards, .. } = &mut stream;
    let mut towards = std::mem::replace(towards, raw.connection.open_uni().await.unwrap());
    let writing = tokio::spawn(async move { towards.write_all(&asking).await });
    while !waiting.is_empty() {
        let (frame, response) = stream.next().await.unwrap();
        assert_eq!(response, Response::Done);
        assert!(waiting.remove(&frame.request), "answered once");
    }
    writing.await.unwrap().unwrap();
    let shared = commits() - before;
    println!("{SENDS} pipelined sends took {shared} commits");
    assert!(shared * 8 < SENDS, "{shared}");
    // What was answered outlives the process.
    relay.kill();
    options.flags.truncate(options.flags.len() - 2);
    let relay = RelayProcess::start(&options);
    let raw = Raw::connect(&relay.address).await.unwrap();
    let cells = raw.open().await.unwrap().read_all(&to.owner, to.recv_id).await.unwrap();
    assert_eq!(cells.len() as u64, 10 + SENDS);
    assert!((0..).zip(&cells).all(|(mark, it)| it.cell == cell(mark)));
}

/// More is read than the way takes, and other answers are due meanwhile: whatever waits for the writer, nothing that has
/// its place in the queue may be held up by what comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn long_reads_and_short_answers_on_one_stream_do_not_stop_each_other() {
    const CELLS: u64 = 40;
    let relay = memory_relay().await;
    let (_raw, mut stream) = connect(&relay).await;
    let to = mailbox(&mut stream, 4_096).await;
    for mark in 0..CELLS {
        send(&mut stream, &to, mark).await.unwrap();
    }
    let (mut reads, mut short) = (HashSet::new(), HashSet::new());
    for _ in 0..8 {
        let read = Request::Read { recv_id: to.recv_id, since: 0, max: 64 };
        reads.insert(stream.start(&read, Some(&to.owner), None).await.unwrap());
        for _ in 0..6 {
            short.insert(stream.start(&Request::Info, None, None).await.unwrap());
        }
    }
    let mut cells = 0;
    let answers = async {
        while !(reads.is_empty() && short.is_empty()) {
            let (frame, response) = stream.next().await.unwrap();
            match response {
                Response::Cell { .. } => cells += 1,
                Response::End { more: false, .. } => assert!(reads.remove(&frame.request)),
                Response::Hello(_) => assert!(short.remove(&frame.request)),
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(Duration::from_secs(20), answers).await.expect("the stream goes on");
    assert_eq!(cells, 8 * CELLS);
}
