//! The relay is killed with SIGKILL while 20 senders send 2,000 cells; every cell that was acknowledged, before or
//! after, is found exactly once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{Label, MsgId, RecvId, SendId};
use budstikke_proto::op::{Request, Response};
use budstikke_tests::raw::{Cell, Raw, RawError, cell};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess};
use rand_core::OsRng;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const SENDERS: u64 = 20;
const CELLS: u64 = 100;
/// Acknowledged cells after which the relay dies.
const KILL_AFTER: usize = 700;

/// One correspondent: a mailbox, a grant, and what of its cells was acknowledged.
struct Line {
    owner: CapabilityKey,
    sender: CapabilityKey,
    label: Label,
    recv_id: RecvId,
    send_id: SendId,
    cells: Vec<(MsgId, u64)>,
    acknowledged: Vec<bool>,
}

impl Line {
    async fn make(raw: &Raw, number: u64) -> Line {
        let (owner, sender) =
            (CapabilityKey::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
        let label = Label::random(&mut OsRng);
        let mut stream = raw.open().await.unwrap();
        let recv_id = stream.create(&owner, None).await.unwrap();
        let send_id = stream.grant(&owner, recv_id, &sender, label, 100, false).await.unwrap();
        let mark = |index| (MsgId::random(&mut OsRng), number * CELLS + index);
        let cells = (0..CELLS).map(mark).collect();
        let acknowledged = vec![false; usize::try_from(CELLS).unwrap()];
        Line { owner, sender, label, recv_id, send_id, cells, acknowledged }
    }

    /// Sends whatever is not acknowledged, four at a time, until all is or the relay is gone.
    async fn send(&mut self, address: &RelayAddress, acks: &Acks) -> Result<(), RawError> {
        let raw = Raw::connect(address).await?;
        let mut stream = raw.open().await?;
        let mut left: Vec<usize> =
            (0..self.cells.len()).filter(|index| !self.acknowledged[*index]).collect();
        left.reverse();
        let mut flying = HashMap::new();
        while !left.is_empty() || !flying.is_empty() {
            while flying.len() < 4 {
                let Some(index) = left.pop() else { break };
                let (msg_id, mark) = self.cells[index];
                let request = Request::Send { send_id: self.send_id, msg_id, work: None };
                let number = stream.start(&request, Some(&self.sender), Some(cell(mark))).await?;
                flying.insert(number, index);
            }
            let (frame, response) = stream.next().await?;
            assert_eq!(response, Response::Done);
            self.acknowledged[flying.remove(&frame.request).unwrap()] = true;
            acks.add();
        }
        Ok(())
    }
}

#[derive(Default)]
struct Acks {
    count: AtomicUsize,
    enough: Notify,
}

impl Acks {
    fn add(&self) {
        if self.count.fetch_add(1, Ordering::SeqCst) + 1 == KILL_AFTER {
            self.enough.notify_one();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_cell_survives_sigkill_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RelayOptions::new(folder.path());
    let relay = RelayProcess::start(&options);
    let address = relay.address.clone();
    // The same port after the restart: senders know one address.
    options.port = address.port;

    let raw = Raw::connect(&address).await.unwrap();
    let mut lines = Vec::new();
    for number in 0..SENDERS {
        lines.push(Line::make(&raw, number).await);
    }

    let acks = Arc::new(Acks::default());
    let mut senders = JoinSet::new();
    for mut line in lines {
        let (address, acks) = (address.clone(), Arc::clone(&acks));
        senders.spawn(async move {
            let sent = line.send(&address, &acks).await;
            (line, sent.is_ok())
        });
    }
    acks.enough.notified().await;
    relay.kill();
    // Nobody waits for an idle timeout to learn that the relay is gone: the acknowledged are counted as they stand.
    let at_kill = acks.count.load(Ordering::SeqCst);
    let relay = RelayProcess::start(&options);
    assert_eq!(relay.address, address, "a restart keeps identity and port");
    let mut lines = Vec::new();
    let mut broken = 0;
    while let Some(sender) = senders.join_next().await {
        let (line, finished) = sender.unwrap();
        broken += usize::from(!finished);
        lines.push(line);
    }
    let before: usize =
        lines.iter().map(|line| line.acknowledged.iter().filter(|it| **it).count()).sum();
    assert!((KILL_AFTER..2_000).contains(&before), "killed in the middle, not at {before}");
    assert!(broken > 0, "nobody noticed the kill");
    println!("acknowledged when killed: {at_kill}; known to senders: {before}; cut off: {broken}");

    // What was acknowledged before the kill is there before anybody sends again.
    let raw = Raw::connect(&address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    for line in &lines {
        let found = stream.read_all(&line.owner, line.recv_id).await.unwrap();
        let found = marks(&found);
        for ((_, mark), acknowledged) in line.cells.iter().zip(&line.acknowledged) {
            let copies = found.iter().filter(|it| *it == mark).count();
            assert!(copies <= 1);
            assert!(!acknowledged || copies == 1, "an acknowledged cell is gone");
        }
    }

    // Senders repeat what was not acknowledged, under the same names.
    let mut senders = JoinSet::new();
    for mut line in lines {
        let (address, acks) = (address.clone(), Arc::clone(&acks));
        senders.spawn(async move {
            line.send(&address, &acks).await.unwrap();
            line
        });
    }
    let mut total = 0;
    while let Some(line) = senders.join_next().await {
        let line = line.unwrap();
        assert!(line.acknowledged.iter().all(|it| *it));
        let found = stream.read_all(&line.owner, line.recv_id).await.unwrap();
        assert!(found.windows(2).all(|pair| pair[0].seq < pair[1].seq));
        assert!(found.iter().all(|it| it.label == line.label));
        let mut cells = marks(&found);
        cells.sort_unstable();
        let expected: Vec<_> = line.cells.iter().map(|(_, mark)| *mark).collect();
        assert_eq!(cells, expected, "each cell exactly once");
        total += cells.len();
    }
    assert_eq!(total, 2_000);
    assert_eq!(relay.stop().code(), Some(0));
}

/// Which cells these are; each is whole.
fn marks(found: &[Cell]) -> Vec<u64> {
    let mark = |found: &Cell| {
        let mark = u64::from_be_bytes(*found.cell.first_chunk().unwrap());
        assert!(found.cell == cell(mark), "a cell was changed");
        mark
    };
    found.iter().map(mark).collect()
}
