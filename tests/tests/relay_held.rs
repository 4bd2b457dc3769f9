//! Held cells on the real relay: on time over SIGKILL, late when it did not run, never when cancelled.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{Label, MsgId, RecvId, SendId};
use budstikke_proto::op::ErrorCode;
use budstikke_proto::sign::SigningSeed;
use budstikke_relay::{Relay, testing};
use budstikke_tests::raw::{Raw, RawError, RawStream, cell, now};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess};
use rand_core::OsRng;
use tokio::time::timeout;

const LABEL: Label = Label::from_bytes([7; 16]);

/// A full minute that is not too near.
fn minute() -> i64 {
    (now() + 12 + 59) / 60 * 60
}

/// Milliseconds from a time (Unix seconds) to now.
fn millis_after(time: i64) -> i128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    i128::try_from(now).unwrap() - i128::from(time) * 1_000
}

async fn connect(address: &RelayAddress) -> (Raw, RawStream) {
    let raw = Raw::connect(address).await.unwrap();
    let stream = raw.open().await.unwrap();
    (raw, stream)
}

struct Line {
    owner: CapabilityKey,
    sender: CapabilityKey,
    canceller: SigningSeed,
    recv_id: RecvId,
    send_id: SendId,
}

impl Line {
    async fn make(stream: &mut RawStream, quota: u32, work: bool) -> Self {
        let [owner, sender] = [(); 2].map(|()| CapabilityKey::random(&mut OsRng));
        let recv_id = stream.create(&owner, None).await.unwrap();
        let send_id = stream.grant(&owner, recv_id, &sender, LABEL, quota, work).await.unwrap();
        let canceller = SigningSeed::from_bytes([8; 32]);
        Self { owner, sender, canceller, recv_id, send_id }
    }

    async fn hold(&self, stream: &mut RawStream, n: u8, at: i64) -> Result<(), RawError> {
        let when = (at, &self.canceller);
        stream.hold(&self.sender, self.send_id, name(n), cell(n.into()), when).await
    }

    async fn cancel(&self, stream: &mut RawStream, n: u8) -> Result<(), RawError> {
        stream.cancel(&self.canceller, self.send_id, name(n)).await
    }

    async fn marks(&self, stream: &mut RawStream) -> Vec<Vec<u8>> {
        let cells = stream.read_all(&self.owner, self.recv_id).await.unwrap();
        cells.into_iter().map(|found| found.cell).collect()
    }
}

fn name(n: u8) -> MsgId {
    MsgId::from_bytes([n; 16])
}

#[track_caller]
fn assert_code(answer: Result<(), RawError>, wanted: ErrorCode) {
    match answer {
        Err(RawError::Refused(code, _)) => assert_eq!(code, wanted),
        other => panic!("{other:?} instead of {wanted:?}"),
    }
}

#[tokio::test]
async fn a_held_cell_comes_on_time_over_sigkill_and_a_cancelled_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RelayOptions::new(folder.path());
    let relay = RelayProcess::start(&options);
    options.port = relay.address.port;
    let address = relay.address.clone();
    let (raw, mut stream) = connect(&address).await;
    let line = Line::make(&mut stream, 3, false).await;
    let at = minute();
    for n in 1..=3 {
        line.hold(&mut stream, n, at).await.unwrap();
    }
    assert_code(line.hold(&mut stream, 4, at).await, ErrorCode::Full);
    relay.kill();
    drop((raw, stream));

    let relay = RelayProcess::start(&options);
    let (raw, mut stream) = connect(&address).await;
    assert_eq!(line.marks(&mut stream).await, Vec::<Vec<u8>>::new(), "not before its time");
    // Only its own key cancels, once; whoever repeats the send does not bring it back.
    let stranger = SigningSeed::from_bytes([9; 32]);
    assert_code(stream.cancel(&stranger, line.send_id, name(2)).await, ErrorCode::Refused);
    assert_code(line.cancel(&mut stream, 9).await, ErrorCode::Refused);
    line.cancel(&mut stream, 2).await.unwrap();
    assert_code(line.cancel(&mut stream, 2).await, ErrorCode::Refused);
    line.hold(&mut stream, 2, at).await.unwrap();
    relay.kill();
    drop((raw, stream));

    let relay = RelayProcess::start(&options);
    let (_raw, mut stream) = connect(&address).await;
    assert_code(line.cancel(&mut stream, 2).await, ErrorCode::Refused);
    assert!(millis_after(at) < 0, "this machine is too slow for this test");
    stream.subscribe(&line.owner, line.recv_id, 0).await.unwrap();
    let first = timeout(Duration::from_secs(90), stream.next_cell()).await.unwrap().unwrap();
    let late = millis_after(at);
    println!("released {late} ms after its time");
    assert!((0..1_000).contains(&late), "{late} ms after its time");
    let second = stream.next_cell().await.unwrap();
    assert_eq!((first.cell, second.cell), (cell(1), cell(3)));
    assert_eq!((first.label, second.label), (LABEL, LABEL));

    let (_raw, mut stream) = connect(&address).await;
    assert_code(line.cancel(&mut stream, 1).await, ErrorCode::Refused);
    // The places of the released ones are taken until they are trimmed; the cancelled one's is free.
    line.hold(&mut stream, 5, at + 600).await.unwrap();
    assert_code(line.hold(&mut stream, 6, at + 600).await, ErrorCode::Full);
    stream.trim(&line.owner, line.recv_id, second.seq).await.unwrap();
    line.hold(&mut stream, 6, at + 600).await.unwrap();
    stream.revoke(&line.owner, line.recv_id, line.send_id).await.unwrap();
    assert_code(line.cancel(&mut stream, 6).await, ErrorCode::Refused);
    assert_eq!(relay.stop().code(), Some(0));
}

#[tokio::test]
async fn a_relay_that_slept_over_a_time_releases_when_it_wakes() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RelayOptions::new(folder.path());
    let relay = RelayProcess::start(&options);
    options.port = relay.address.port;
    let address = relay.address.clone();
    let (raw, mut stream) = connect(&address).await;
    let line = Line::make(&mut stream, 3, false).await;
    let at = minute();
    line.hold(&mut stream, 1, at).await.unwrap();
    relay.kill();
    drop((raw, stream));
    while millis_after(at) < 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let _relay = RelayProcess::start(&options);
    let (_raw, mut stream) = connect(&address).await;
    stream.subscribe(&line.owner, line.recv_id, 0).await.unwrap();
    let found = timeout(Duration::from_secs(1), stream.next_cell()).await.unwrap().unwrap();
    assert_eq!(found.cell, cell(1));
}

#[tokio::test]
async fn times_have_bounds_and_a_front_door_holds_nothing() {
    let relay = Relay::spawn(testing::memory_config()).await.unwrap();
    let (_raw, mut stream) = connect(relay.address()).await;
    let line = Line::make(&mut stream, 3, false).await;
    let at = minute();
    assert_code(line.hold(&mut stream, 1, at + 1).await, ErrorCode::Malformed);
    assert_code(line.hold(&mut stream, 1, at + 29 * 86_400).await, ErrorCode::Malformed);
    line.hold(&mut stream, 1, at + 27 * 86_400).await.unwrap();
    line.hold(&mut stream, 2, at - 600).await.unwrap();
    assert_eq!(line.marks(&mut stream).await, [cell(2)], "a past time is no time to wait for");
    let door = Line::make(&mut stream, 3, true).await;
    assert_code(door.hold(&mut stream, 1, at).await, ErrorCode::Refused);
}
