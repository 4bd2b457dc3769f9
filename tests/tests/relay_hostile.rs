//! A relay and peers that want to hurt it, over real QUIC: what they make it hold is measured from outside, and an
//! honest client is served all the while. Floods before the handshake: `budstikke-relay/tests/flood.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails loudly and prints what it measured"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{Label, MsgId, NoticeId, RecvId, SendId};
use budstikke_proto::limits::{CELL_LEN, DATA_FRAME_LEN, TAG_LEN};
use budstikke_proto::op::{ErrorCode, Part, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::{notice, slot};
use budstikke_tests::crowd::stand_around;
use budstikke_tests::honest::Honest;
use budstikke_tests::raw::{Handshake, Raw, RawError, RawStream, cell};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess};
use quinn::VarInt;
use rand_core::{OsRng, RngCore};
use tokio::time::timeout;

const MIB: u64 = 1 << 20;
/// An honest client's round, whatever others do, on a loaded machine.
const SLOWEST: Duration = Duration::from_secs(10);

/// A relay whose patience is five seconds.
fn relay(folder: &Path) -> RelayProcess {
    let mut options = RelayOptions::new(folder);
    let flags = "--idle-timeout-s 5 --connections-per-prefix 0 --handshakes-per-prefix 0";
    options.flags.extend(flags.split(' ').map(String::from));
    RelayProcess::start(&options)
}

/// Serves an honest client while `attack` runs; answers how much the relay grew meanwhile.
async fn under(relay: &RelayProcess, name: &str, attack: impl Future<Output = u64>) -> u64 {
    let honest = Honest::start(relay);
    honest.answered(20).await;
    let before = relay.memory();
    let began = Instant::now();
    let most = attack.await.max(relay.memory());
    let grown = most.saturating_sub(before);
    honest.answered(5).await;
    let took = began.elapsed();
    let (rounds, slowest) = honest.end().await;
    eprintln!(
        "{name}: {took:.1?}, the relay grew by {:.1} MiB at most from {:.1} MiB; honest rounds {rounds}, the \
         slowest {slowest:?}",
        mib(grown),
        mib(before)
    );
    assert!(slowest < SLOWEST, "an honest client waited {slowest:?}");
    grown
}

#[allow(clippy::cast_precision_loss, reason = "printed with one digit")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

/// Waits until the relay says no more on a stream.
async fn ended(stream: &mut RawStream) {
    let over = async {
        let mut rest = [0; 4_096];
        while let Ok(Some(_)) = stream.recv.read(&mut rest).await {}
    };
    timeout(Duration::from_secs(20), over).await.expect("the relay ends the stream");
}

/// The first of two frames of a notice.
fn first_part(stream: &RawStream, key: &SigningSeed, count: u32) -> budstikke_proto::frame::Frame {
    let payloads = vec![vec![7; CELL_LEN]; count as usize];
    let hash = slot::payload_hash(payloads.iter().map(Vec::as_slice));
    let signature = notice::sign(key, 1, count, &hash);
    let notice_id = NoticeId::from_bytes(key.public());
    let part = Part { index: 0, count, signature };
    let put = Request::NoticePut { notice_id, version: 1, part, work: None };
    stream.frame(stream.number(), &put, None, Some(vec![7; CELL_LEN]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_at_a_time_gets_five_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let relay = relay(folder.path());
    let grown = under(&relay, "slow senders", async {
        let (mut slow, mut connections) = (tokio::task::JoinSet::new(), Vec::new());
        for _ in 0..8 {
            let raw = Raw::connect(&relay.address).await.unwrap();
            for number in 0..16u8 {
                let mut stream = match number % 4 {
                    // Never opened: the first frame itself comes slowly.
                    0 => raw.bare().await.unwrap(),
                    _ => raw.open().await.unwrap(),
                };
                if number % 4 == 1 {
                    // Between two frames of a request.
                    let frame = first_part(&stream, &SigningSeed::from_bytes([number; 32]), 2);
                    stream.write(&frame).await.unwrap();
                }
                slow.spawn(async move {
                    let began = Instant::now();
                    let (mut send, mut recv) = (stream.send, stream.recv);
                    let drip = async {
                        if number % 4 == 1 {
                            return std::future::pending().await;
                        }
                        // A data frame that would take an hour.
                        send.write_all(&[2, 1, 1, 0]).await.ok();
                        loop {
                            tokio::time::sleep(Duration::from_millis(200)).await;
                            if send.write_all(&[0]).await.is_err() {
                                return std::future::pending().await;
                            }
                        }
                    };
                    let over = async {
                        let mut rest = [0; 4_096];
                        while let Ok(Some(_)) = recv.read(&mut rest).await {}
                    };
                    tokio::select! {
                        () = drip => {}
                        () = over => {}
                    }
                    began.elapsed()
                });
            }
            connections.push(raw);
        }
        let held = relay.memory();
        let took = slow.join_all().await;
        let (first, last) = (took.iter().min().unwrap(), took.iter().max().unwrap());
        eprintln!("of 128 slow streams the first ended after {first:?}, the last after {last:?}");
        assert!(*first > Duration::from_secs(3) && *last < Duration::from_secs(20));
        held
    });
    let grown = grown.await;
    assert!(grown < 24 * MIB, "{grown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_opened_and_reset_by_the_thousand_leave_nothing() {
    const STREAMS: u32 = 3_000;
    let folder = tempfile::tempdir().unwrap();
    let relay = relay(folder.path());
    let grown = under(&relay, "a stream flood", async {
        let raw = Raw::connect(&relay.address).await.unwrap();
        let mut noise = vec![0; 2 * DATA_FRAME_LEN];
        OsRng.fill_bytes(&mut noise);
        let (mut most, code) = (0, VarInt::from_u32(0));
        for number in 0..STREAMS {
            let mut stream = raw.bare().await.expect("the connection goes on");
            match number % 4 {
                0 => {}
                1 => drop(stream.send.write_all(&noise[..100]).await),
                2 => {
                    noise[0] = 2;
                    drop(stream.send.write_all(&noise[..DATA_FRAME_LEN / 2]).await);
                }
                _ => drop(stream.write(&stream.frame(1, &Request::Open, None, None)).await),
            }
            let _ = (stream.send.reset(code), stream.recv.stop(code));
            if number % 100 == 0 {
                most = most.max(relay.memory());
            }
        }
        // The connection is as good as new.
        let mut stream = raw.open().await.expect("a stream");
        stream.ask(&Request::Info, None, None).await.expect("an answer");
        most
    });
    let grown = grown.await;
    assert!(grown < 16 * MIB, "{grown}");
}

struct Box {
    owner: CapabilityKey,
    sender: CapabilityKey,
    recv_id: RecvId,
    send_id: SendId,
}

async fn mailbox(stream: &mut RawStream) -> Box {
    let (owner, sender) = (CapabilityKey::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
    let recv_id = stream.create(&owner, None).await.unwrap();
    let label = Label::from_bytes([7; 16]);
    let send_id = stream.grant(&owner, recv_id, &sender, label, 4_096, false).await.unwrap();
    Box { owner, sender, recv_id, send_id }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_cut_and_oversized_frames_end_their_stream_before_and_after_a_proof() {
    const ROUNDS: u32 = 600;
    let folder = tempfile::tempdir().unwrap();
    let relay = relay(folder.path());
    let grown = under(&relay, "wrong frames", async {
        let (stranger, known) = (
            Raw::connect(&relay.address).await.unwrap(),
            Raw::connect(&relay.address).await.unwrap(),
        );
        let mut stream = known.open().await.unwrap();
        let to = mailbox(&mut stream).await;
        let mut most = 0;
        for round in 0..ROUNDS {
            let mut stream = match round % 3 {
                0 => stranger.bare().await.unwrap(),
                1 => stranger.open().await.unwrap(),
                _ => {
                    let mut stream = known.open().await.unwrap();
                    stream.read(&to.owner, to.recv_id, 0, 1).await.expect("proved");
                    stream
                }
            };
            // A genuine frame, then one thing wrong with it.
            let send = Request::Send {
                send_id: to.send_id,
                msg_id: MsgId::random(&mut OsRng),
                work: None,
            };
            let opens = round % 3 == 0;
            let mut frame = if opens {
                Request::Open.into_frame(stream.number(), [0; TAG_LEN], None).encode().unwrap()
            } else {
                let cell = Some(cell(round.into()));
                stream.frame(stream.number(), &send, None, cell).encode().unwrap()
            };
            let at = |value: u32| (OsRng.next_u32() % value) as usize;
            match round % 7 {
                0 => frame[0] = 3 + (OsRng.next_u32() % 250) as u8,
                1 => frame[1] = 2,
                2 => frame[2] = 2 + (OsRng.next_u32() % 250) as u8 % 3 * 5,
                // An operation longer than its area.
                3 => frame[12..14].copy_from_slice(&[0xFF, 0xFF]),
                // Something where zeros belong.
                4 => frame[16 + at(1_136)] = 1,
                5 => frame.truncate(1 + at(2_000)),
                _ => OsRng.fill_bytes(&mut frame[1..]),
            }
            let _ = stream.send.write_all(&frame).await;
            // More than any frame holds comes after it.
            if round % 7 != 5 {
                let _ = stream.send.write_all(&vec![1; 3 * DATA_FRAME_LEN]).await;
            }
            let _ = stream.send.finish();
            match timeout(Duration::from_secs(5), stream.next()).await.expect("at once") {
                Ok((_, Response::Error { code, .. })) => {
                    assert_eq!(code, ErrorCode::Malformed, "{round}");
                }
                // Cut before its end.
                Err(RawError::Ended) => assert_eq!(round % 7, 5, "{round}"),
                other => panic!("{round}: {other:?}"),
            }
            ended(&mut stream).await;
            if round % 50 == 0 {
                most = most.max(relay.memory());
            }
        }
        // Nothing of it is in the mailbox, and its sender may still send.
        let mut stream = known.open().await.unwrap();
        stream
            .send(&to.sender, to.send_id, MsgId::random(&mut OsRng), cell(1), None)
            .await
            .unwrap();
        assert_eq!(stream.read_all(&to.owner, to.recv_id).await.unwrap().len(), 1);
        most
    });
    let grown = grown.await;
    assert!(grown < 16 * MIB, "{grown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_begun_and_not_ended_are_bounded_over_all_connections() {
    const CONNECTIONS: usize = 256;
    let folder = tempfile::tempdir().unwrap();
    let relay = relay(folder.path());
    let grown = under(&relay, "1,024 requests begun", async {
        let key = SigningSeed::from_bytes([3; 32]);
        let endpoint = Raw::endpoint(&relay.address, Handshake::default()).unwrap();
        let mut begun = Vec::new();
        for _ in 0..CONNECTIONS {
            let raw = Raw::connect_from(&endpoint, &relay.address).await.unwrap();
            let mut streams = Vec::new();
            for _ in 0..4 {
                let mut stream = raw.open().await.unwrap();
                stream.write(&first_part(&stream, &key, 16)).await.unwrap();
                streams.push(stream);
            }
            begun.push((raw, streams));
        }
        let held = relay.memory();
        // Who asks on another connection is told to come again, and what fits one frame is not concerned.
        let raw = Raw::connect(&relay.address).await.unwrap();
        let mut stream = raw.open().await.unwrap();
        let content = vec![1; 2 * CELL_LEN];
        match stream.notice_put(&key, 2, &content, None).await {
            Err(RawError::Refused(ErrorCode::Busy, 5)) => {}
            other => panic!("{other:?}"),
        }
        stream.notice_put(&key, 1, b"short", None).await.unwrap();
        // The relay's patience with them ends; then there is room.
        for (_, streams) in &mut begun {
            for stream in streams {
                ended(stream).await;
            }
        }
        stream.notice_put(&key, 2, &content, None).await.unwrap();
        held
    });
    let grown = grown.await;
    // 16 MiB of payloads, and 257 connections.
    assert!(grown < 64 * MIB, "{grown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_never_read_cost_their_windows_and_nobody_else() {
    const READERS: usize = 4;
    const STREAMS: usize = 8;
    const CELLS: u64 = 400;
    let folder = tempfile::tempdir().unwrap();
    let relay = relay(folder.path());
    let grown = under(&relay, "readers that never read", async {
        let raw = Raw::connect(&relay.address).await.unwrap();
        let mut stream = raw.open().await.unwrap();
        let to = mailbox(&mut stream).await;
        let mut asleep = Vec::new();
        for _ in 0..READERS {
            let raw = Raw::connect(&relay.address).await.unwrap();
            let mut streams = Vec::new();
            for _ in 0..STREAMS {
                let mut stream = raw.open().await.unwrap();
                stream.subscribe(&to.owner, to.recv_id, 0).await.unwrap();
                // Four more, whose answers fill the windows as well.
                for _ in 0..4 {
                    stream.subscribe(&to.owner, to.recv_id, 0).await.unwrap();
                }
                streams.push(stream);
            }
            asleep.push((raw, streams));
        }
        let mut awake = raw.open().await.unwrap();
        awake.subscribe(&to.owner, to.recv_id, 0).await.unwrap();
        let mut most = 0;
        for mark in 0..CELLS {
            let msg_id = MsgId::random(&mut OsRng);
            let sent = stream.send(&to.sender, to.send_id, msg_id, cell(mark), None);
            timeout(SLOWEST, sent).await.expect("nobody holds the sender up").unwrap();
            let heard = timeout(SLOWEST, awake.next_cell()).await.expect("nor another reader");
            assert!(heard.unwrap().cell == cell(mark));
            if mark % 20 == 0 {
                most = most.max(relay.memory());
            }
        }
        // What nobody takes ends, and can be had again.
        for (_, streams) in &mut asleep {
            for stream in streams {
                let cut = timeout(Duration::from_secs(20), stream.recv.received_reset()).await;
                assert!(cut.expect("it ends").is_ok_and(|code| code.is_some()));
            }
        }
        let another = Raw::connect(&relay.address).await.unwrap();
        let mut again = another.open().await.unwrap();
        assert_eq!(again.read_all(&to.owner, to.recv_id).await.unwrap().len(), 400);
        most
    });
    let grown = grown.await;
    // 32 streams of four frames, four connections of a mebibyte, the cells of the store.
    assert!(grown < 48 * MIB, "{grown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_says_nothing_is_let_go_and_costs_little() {
    let folder = tempfile::tempdir().unwrap();
    let report = stand_around(folder.path(), 2_000, 20).await;
    eprintln!("{report:?}");
    assert!(report.memory_each < 64 << 10, "{report:?}");
    assert!(report.honest_slowest < SLOWEST, "{report:?}");
}
