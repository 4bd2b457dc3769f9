//! Whoever is refused learns nothing from how: the same frame but for its number, after the same time. A two-sample
//! test of the answers' times says so, and finds an early return that is planted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::frame::Frame;
use budstikke_proto::held::sign_cancel;
use budstikke_proto::id::{DeleteId, FetchId, Label, MsgId, RecvId, SendId};
use budstikke_proto::op::{ErrorCode, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_relay::{Relay, testing};
use budstikke_tests::raw::{Raw, RawStream, cell, now};
use rand_core::{OsRng, RngCore};
use tokio::task::JoinSet;

/// Samples of each kind.
const SAMPLES: usize = 2_000;
/// Clients that ask at once.
const CLIENTS: usize = 40;
/// The chance that one comparison of equal distributions fails.
const ALPHA: f64 = 1e-6;

/// Why the relay refuses: the operation, then the reason. Kinds of one operation must not be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    ReadUnknown,
    ReadDeleted,
    ReadDeletedSince,
    ReadWrongTag,
    ReadWrongOwner,
    SendUnknown,
    SendRevoked,
    SendRevokedSince,
    SendWrongTag,
    CancelUnknown,
    CancelWrongKey,
    FetchUnknown,
    FetchWrongKey,
    EraseUnknown,
    EraseWrongKey,
}

use Kind::{
    CancelUnknown, CancelWrongKey, EraseUnknown, EraseWrongKey, FetchUnknown, FetchWrongKey,
    ReadDeleted, ReadDeletedSince, ReadUnknown, ReadWrongOwner, ReadWrongTag, SendRevoked,
    SendRevokedSince, SendUnknown, SendWrongTag,
};

const OPERATIONS: [&[Kind]; 5] = [
    &[ReadUnknown, ReadDeleted, ReadDeletedSince, ReadWrongTag, ReadWrongOwner],
    &[SendUnknown, SendRevoked, SendRevokedSince, SendWrongTag],
    &[CancelUnknown, CancelWrongKey],
    &[FetchUnknown, FetchWrongKey],
    &[EraseUnknown, EraseWrongKey],
];

/// What stands at the relay, all of it somebody else's.
struct There {
    recv_id: RecvId,
    deleted: (CapabilityKey, RecvId),
    send_id: SendId,
    revoked: (CapabilityKey, SendId),
    held: MsgId,
    fetch_id: FetchId,
    delete_id: DeleteId,
}

async fn furnish(stream: &mut RawStream) -> There {
    let [owner, gone, sender, revoked, fetch, delete] =
        [(); 6].map(|()| CapabilityKey::random(&mut OsRng));
    let label = Label::random(&mut OsRng);
    let recv_id = stream.create(&owner, None).await.unwrap();
    let deleted = stream.create(&gone, None).await.unwrap();
    stream.delete(&gone, deleted).await.unwrap();
    let send_id = stream.grant(&owner, recv_id, &sender, label, 9, false).await.unwrap();
    let ended = stream.grant(&owner, recv_id, &revoked, label, 9, false).await.unwrap();
    stream.revoke(&owner, recv_id, ended).await.unwrap();
    let (held, canceller) = (MsgId::random(&mut OsRng), SigningSeed::from_bytes([3; 32]));
    let when = (now() / 60 * 60 + 86_400, &canceller);
    stream.hold(&sender, send_id, held, cell(1), when).await.unwrap();
    let chunk = vec![5; 65_536];
    let (fetch_id, delete_id) = stream.blob_put(&fetch, &delete, &chunk, None).await.unwrap();
    let (deleted, revoked) = ((gone, deleted), (revoked, ended));
    There { recv_id, deleted, send_id, revoked, held, fetch_id, delete_id }
}

/// One client, who has proved to own a mailbox, and one that is gone, and to hold a grant that has ended since.
struct Stranger {
    key: CapabilityKey,
    deleted: (CapabilityKey, RecvId),
    revoked: (CapabilityKey, SendId),
    canceller: SigningSeed,
    stream: RawStream,
    _raw: Raw,
}

impl Stranger {
    async fn new(address: &RelayAddress) -> Self {
        let raw = Raw::connect(address).await.unwrap();
        let mut stream = raw.open().await.unwrap();
        let key = CapabilityKey::random(&mut OsRng);
        let own = stream.create(&key, None).await.unwrap();
        stream.read_all(&key, own).await.unwrap();
        let [gone, sender] = [(); 2].map(|()| CapabilityKey::random(&mut OsRng));
        let deleted = stream.create(&gone, None).await.unwrap();
        stream.read_all(&gone, deleted).await.unwrap();
        stream.delete(&gone, deleted).await.unwrap();
        let label = Label::random(&mut OsRng);
        let revoked = stream.grant(&key, own, &sender, label, 9, false).await.unwrap();
        let msg_id = MsgId::random(&mut OsRng);
        stream.send(&sender, revoked, msg_id, cell(1), None).await.unwrap();
        stream.revoke(&key, own, revoked).await.unwrap();
        let (deleted, revoked) = ((gone, deleted), (sender, revoked));
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        Self { deleted, revoked, key, canceller: SigningSeed::from_bytes(seed), stream, _raw: raw }
    }

    /// A request of this kind, ready to be written.
    fn frame(&self, kind: Kind, there: &There) -> Frame {
        let read = |recv_id| Request::Read { recv_id, since: 0, max: 1 };
        let send = |send_id| {
            let msg_id = MsgId::random(&mut OsRng);
            Request::Send { send_id, msg_id, work: None }
        };
        let cancel = |send_id, msg_id| {
            let signature = sign_cancel(&self.canceller, &send_id, &msg_id);
            Request::Cancel { send_id, msg_id, signature }
        };
        let fetch = |fetch_id| Request::BlobGet { fetch_id, first: 0, count: 1 };
        let erase = |delete_id| Request::BlobDelete { delete_id };
        let (request, key) = match kind {
            ReadUnknown => (read(RecvId::random(&mut OsRng)), &self.key),
            ReadDeleted => (read(there.deleted.1), &there.deleted.0),
            ReadDeletedSince => (read(self.deleted.1), &self.deleted.0),
            ReadWrongTag | ReadWrongOwner => (read(there.recv_id), &self.key),
            SendUnknown => (send(SendId::random(&mut OsRng)), &self.key),
            SendRevoked => (send(there.revoked.1), &there.revoked.0),
            SendRevokedSince => (send(self.revoked.1), &self.revoked.0),
            SendWrongTag => (send(there.send_id), &self.key),
            CancelUnknown => (cancel(there.send_id, MsgId::random(&mut OsRng)), &self.key),
            CancelWrongKey => (cancel(there.send_id, there.held), &self.key),
            FetchUnknown => (fetch(FetchId::random(&mut OsRng)), &self.key),
            FetchWrongKey => (fetch(there.fetch_id), &self.key),
            EraseUnknown => (erase(DeleteId::random(&mut OsRng)), &self.key),
            EraseWrongKey => (erase(there.delete_id), &self.key),
        };
        let payload = matches!(request, Request::Send { .. }).then(|| cell(1));
        let key = (!matches!(request, Request::Cancel { .. })).then_some(key);
        let mut frame = self.stream.frame(self.stream.number(), &request, key, payload);
        if kind == ReadWrongTag {
            frame.tag[0] ^= 1;
        }
        frame
    }

    /// Asks at a random moment, and answers how long the refusal took.
    async fn ask(&mut self, kind: Kind, there: &There) -> Duration {
        let frame = self.frame(kind, there);
        let wait = u64::from(OsRng.next_u32() % 25_000);
        tokio::time::sleep(Duration::from_micros(wait)).await;
        let start = Instant::now();
        self.stream.write(&frame).await.unwrap();
        let (answer, _) = self.stream.next().await.unwrap();
        let took = start.elapsed();
        let refused = Response::Error { code: ErrorCode::Refused, retry_after_s: 0 };
        let wanted = refused.into_frame(frame.request, None);
        assert!(answer.encode() == wanted.encode(), "{kind:?} has an answer of its own");
        took
    }
}

/// Milliseconds, `SAMPLES` of each kind, asked in a random order.
async fn measure(
    address: &RelayAddress,
    there: &Arc<There>,
    kinds: &[Kind],
) -> BTreeMap<Kind, Vec<f64>> {
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (address, there) = (address.clone(), Arc::clone(there));
        let mut order: Vec<Kind> =
            kinds.iter().flat_map(|kind| [*kind].repeat(SAMPLES.div_ceil(CLIENTS))).collect();
        shuffle(&mut order);
        clients.spawn(async move {
            let mut client = Stranger::new(&address).await;
            let mut times = Vec::new();
            for kind in order {
                times.push((kind, client.ask(kind, &there).await.as_secs_f64() * 1e3));
            }
            times
        });
    }
    let mut found: BTreeMap<Kind, Vec<f64>> = BTreeMap::new();
    while let Some(times) = clients.join_next().await {
        for (kind, took) in times.unwrap() {
            found.entry(kind).or_default().push(took);
        }
    }
    for times in found.values_mut() {
        assert!(times.len() >= SAMPLES);
        times.sort_by(f64::total_cmp);
    }
    found
}

fn shuffle(order: &mut [Kind]) {
    for last in (1..order.len()).rev() {
        let other = usize::try_from(OsRng.next_u64() % (last as u64 + 1)).unwrap();
        order.swap(last, other);
    }
}

/// Kolmogorov and Smirnov: the greatest distance of the two distribution functions. Both are sorted.
fn distance(one: &[f64], two: &[f64]) -> f64 {
    let (mut i, mut j, mut greatest) = (0, 0, 0.0f64);
    while i < one.len() && j < two.len() {
        let at = one[i].min(two[j]);
        while i < one.len() && one[i] <= at {
            i += 1;
        }
        while j < two.len() && two[j] <= at {
            j += 1;
        }
        greatest = greatest.max((share(i, one) - share(j, two)).abs());
    }
    greatest
}

#[allow(clippy::cast_precision_loss, reason = "thousands")]
fn share(count: usize, of: &[f64]) -> f64 {
    count as f64 / of.len() as f64
}

/// The distance that equal distributions exceed with the chance `ALPHA`.
#[allow(clippy::cast_precision_loss, reason = "thousands")]
fn critical(one: &[f64], two: &[f64]) -> f64 {
    let (n, m) = (one.len() as f64, two.len() as f64);
    (-(ALPHA / 2.0).ln() / 2.0).sqrt() * ((n + m) / (n * m)).sqrt()
}

/// Compares every pair, prints it, and answers which can be told apart.
fn told_apart(times: &BTreeMap<Kind, Vec<f64>>, kinds: &[Kind]) -> Vec<(Kind, Kind)> {
    let mut apart = Vec::new();
    for (place, one) in kinds.iter().enumerate() {
        for two in &kinds[place + 1..] {
            let (a, b) = (&times[one], &times[two]);
            let (found, limit) = (distance(a, b), critical(a, b));
            let (mid_a, mid_b) = (a[a.len() / 2], b[b.len() / 2]);
            println!(
                "{one:?} {mid_a:.2} ms, {two:?} {mid_b:.2} ms (medians of {}): D = {found:.4}, limit {limit:.4}",
                a.len()
            );
            if found > limit {
                apart.push((*one, *two));
            }
        }
    }
    apart
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_alike_in_bytes_and_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::spawn(testing::config(folder.path())).await.unwrap();
    let raw = Raw::connect(relay.address()).await.unwrap();
    let there = Arc::new(furnish(&mut raw.open().await.unwrap()).await);

    let times = measure(relay.address(), &there, &OPERATIONS.concat()).await;
    for kinds in OPERATIONS {
        assert_eq!(told_apart(&times, kinds), [], "refusals can be told apart by their time");
    }

    testing::plant_early_return(true);
    let kinds = [ReadUnknown, ReadWrongTag];
    let times = measure(relay.address(), &there, &kinds).await;
    testing::plant_early_return(false);
    assert_eq!(told_apart(&times, &kinds), [(ReadUnknown, ReadWrongTag)], "the leak was missed");
}
