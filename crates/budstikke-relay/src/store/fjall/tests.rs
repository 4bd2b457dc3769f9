use std::collections::HashMap;

use budstikke_proto::blob::BlobSize;
use budstikke_proto::id::MsgId;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::store::conformance::{
    Lab, NOW, append, blob_delete, blob_put, cancel, canceller, create, fetch, grant, hold, limits,
    recv, sender, store_conformance, trim,
};
use crate::store::rules::DAY_S;
use crate::store::{MemoryStore, Outcome, SpentToken};

fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

struct FjallLab {
    folder: tempfile::TempDir,
    open: tokio::sync::Mutex<Option<Arc<dyn Store>>>,
}

impl Default for FjallLab {
    fn default() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), open: tokio::sync::Mutex::default() }
    }
}

#[async_trait]
impl Lab for FjallLab {
    async fn open(&self) -> Arc<dyn Store> {
        let mut open = self.open.lock().await;
        if let Some(before) = open.take() {
            before.close().await;
        }
        let store: Arc<dyn Store> = Arc::new(reopen(self.folder.path()).await);
        *open = Some(Arc::clone(&store));
        store
    }
}

/// The engine lets its lock go when its last background thread ends, a moment after it was closed.
async fn reopen(folder: &Path) -> FjallStore {
    for _ in 0..500 {
        match FjallStore::open(folder, &key(), limits()) {
            Err(StoreError::Locked) => {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            other => return other.unwrap(),
        }
    }
    panic!("the store stays locked")
}

#[derive(Default)]
struct MemoryLab(tokio::sync::OnceCell<Arc<dyn Store>>);

#[async_trait]
impl Lab for MemoryLab {
    async fn open(&self) -> Arc<dyn Store> {
        let make = || async { Arc::new(MemoryStore::new(limits())) as Arc<dyn Store> };
        Arc::clone(self.0.get_or_init(make).await)
    }
}

store_conformance!(fjall_engine, super::FjallLab);
store_conformance!(memory_engine, super::MemoryLab);

#[tokio::test]
async fn another_store_key_and_a_second_process_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = FjallStore::open(folder.path(), &key(), limits()).unwrap();
    let second = FjallStore::open(folder.path(), &key(), limits());
    assert!(matches!(second, Err(StoreError::Locked)));
    open.close().await;
    drop(open);
    let wrong = StoreKey::from_bytes([8; 32]);
    for _ in 0..500 {
        match FjallStore::open(folder.path(), &wrong, limits()) {
            Err(StoreError::Locked) => {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            other => {
                assert!(matches!(other, Err(StoreError::Damaged)));
                return;
            }
        }
    }
    panic!("the store stays locked")
}

#[tokio::test]
async fn a_past_day_leaves_no_row_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), &key(), limits()).unwrap();
    let mut batch = vec![create(1, 3, true), grant(1, 2, 200, false)];
    batch.extend((0..100).map(|msg| append(2, msg)));
    store.apply(NOW, batch).await.unwrap();
    let tables = store.tables().unwrap();
    let count = |name| match name {
        "days" => tables.days.inner().len().unwrap(),
        _ => tables.expiry.inner().len().unwrap(),
    };
    // The key check is the second row.
    assert_eq!(count("days"), 2);
    assert!(count("expiry") >= 200);
    assert!(store.sweep(NOW + 4 * DAY_S).await.unwrap() >= 200);
    assert_eq!((count("days"), count("expiry")), (1, 0));
    let kinds = [super::seal::Kind::CellBody, super::seal::Kind::CellAt];
    for kind in kinds {
        assert_eq!(tables.keyspace(kind).inner().len().unwrap(), 0);
    }
    assert!(tables.sealer.day(super::super::rules::last_day(NOW, 3)).is_none());
}

#[tokio::test]
async fn what_was_held_leaves_no_row_behind() {
    use ::fjall::Readable as _;
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), &key(), limits()).unwrap();
    let batch = vec![create(1, 3, true), grant(1, 2, 2_000, false), grant(1, 3, 9, false)];
    store.apply(NOW, batch).await.unwrap();
    // More than one commit's worth is due at once, and some are cancelled, revoked or damaged.
    let names = (0u32..600).map(|n| {
        let mut name = [0; 16];
        name[..4].copy_from_slice(&n.to_be_bytes());
        name
    });
    let held = names.map(|name| {
        let (send_id, msg_id) = (sender(2), MsgId::from_bytes(name));
        let cancel_pk = budstikke_proto::id::CancelPk::from_bytes([1; 32]);
        let cell = Bytes::copy_from_slice(&name);
        Mutation::Hold { send_id, msg_id, cell, release_at: NOW + 60, cancel_pk }
    });
    store.apply(NOW, held.collect()).await.unwrap();
    store.apply(NOW, vec![hold(2, 1, NOW + 60), cancel(2, 1), hold(3, 2, NOW + 60)]).await.unwrap();
    let revoke = Mutation::Revoke { recv_id: recv(1), send_id: sender(3) };
    store.apply(NOW, vec![revoke]).await.unwrap();
    let tables = store.tables().unwrap();
    let held = || tables.keyspace(super::seal::Kind::Held).inner();
    assert_eq!(held().len().unwrap(), 600);
    let first = tables.db.read_tx().iter(tables.keyspace(super::seal::Kind::Held)).next().unwrap();
    let (damaged, value) = first.into_inner().unwrap();
    let mut value = value.to_vec();
    *value.last_mut().unwrap() ^= 1;
    held().insert(damaged, value).unwrap();

    assert_eq!(store.release(NOW + 60).await, Ok(600));
    let page = store.read(NOW + 60, recv(1), 0, 1_000).await.unwrap().unwrap();
    assert_eq!(page.cells.len(), 599, "the damaged one alone is missing");
    let order: Vec<_> = page.cells.iter().map(|cell| cell.cell.clone()).collect();
    assert!(order.is_sorted(), "in the order in which they came");
    assert_eq!(store.release(NOW + 60).await, Ok(0));
    // Nothing of the release's day is left once it is past, the damaged one included.
    store.sweep(NOW + DAY_S).await.unwrap();
    assert_eq!(held().len().unwrap(), 0);
    assert!(tables.sealer.day(super::super::rules::day_of(NOW)).is_none());
    store.sweep(NOW + 5 * DAY_S).await.unwrap();
    assert_eq!(tables.keyspace(super::seal::Kind::HeldBody).inner().len().unwrap(), 0);
    assert_eq!(tables.expiry.inner().len().unwrap(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Do(Mutation),
    Days(u8),
    Release,
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let mailbox = 1..3u8;
    // A grant belongs to one mailbox for good, as ids derive from keys.
    let grants = 1..7u8;
    let change = prop_oneof![
        3 => (mailbox.clone(), 1..6u32, any::<bool>()).prop_map(|(n, ttl, paid)| create(n, ttl, paid)),
        4 => (grants.clone(), 0..6u32, any::<bool>())
            .prop_map(|(n, quota, work)| grant(1 + n % 2, n, quota, work && n == 1)),
        12 => (grants.clone(), 0..30u8, any::<bool>()).prop_map(|(n, msg, paid)| {
            let (send_id, msg_id) = (sender(n), MsgId::from_bytes([msg; 16]));
            Mutation::Append { send_id, msg_id, cell: Bytes::from(vec![msg; 8]), paid }
        }),
        3 => (mailbox.clone(), 0..20u64).prop_map(|(n, upto)| {
            trim(n, super::super::rules::first_seq(NOW) + upto)
        }),
        5 => (grants.clone(), 0..30u8, prop_oneof![0..60i64, 0..4 * DAY_S])
            .prop_map(|(n, msg, after)| hold(n, msg, NOW + after)),
        2 => (grants.clone(), 0..30u8).prop_map(|(n, msg)| cancel(n, msg)),
        1 => grants.prop_map(|n| {
            Mutation::Revoke { recv_id: recv(1 + n % 2), send_id: sender(n) }
        }),
        3 => (0..4u8, 0..2u8, prop::sample::select(BlobSize::ALL.to_vec()), 1..4u32, any::<bool>())
            .prop_map(|(n, mark, size, ttl, paid)| blob_put(n, mark, size, ttl).with_payment(paid)),
        1 => (0..4u8).prop_map(blob_delete),
        1 => mailbox.prop_map(|n| Mutation::Delete { recv_id: recv(n) }),
    ];
    let tokens = prop::option::weighted(0.3, 0..12u8);
    let change = (change, tokens).prop_map(|(change, token)| match token {
        Some(n) => {
            let token = SpentToken { id: [n; 32], last_day: day_of(NOW) + u32::from(n % 4) };
            Step::Do(Mutation::ByToken { token, change: Box::new(change) })
        }
        None => Step::Do(change),
    });
    let days = (0..3u8).prop_map(Step::Days);
    prop_oneof![12 => change, 1 => days, 1 => Just(Step::Release), 1 => Just(Step::Sweep)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// The two engines were written apart; whatever is done to them, they answer alike.
    #[test]
    fn both_engines_answer_alike(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let durable = FjallStore::open(folder.path(), &key(), limits()).unwrap();
            let memory = MemoryStore::new(limits());
            let mut now = NOW;
            for step in steps {
                now += 1;
                match step {
                    Step::Days(days) => now += i64::from(days) * DAY_S,
                    Step::Release => {
                        durable.release(now).await.unwrap();
                        memory.release(now).await.unwrap();
                    }
                    Step::Sweep => {
                        durable.sweep(now).await.unwrap();
                        memory.sweep(now).await.unwrap();
                    }
                    Step::Do(mutation) => {
                        let a = durable.apply(now, vec![mutation.clone()]).await.unwrap();
                        let b = memory.apply(now, vec![mutation.clone()]).await.unwrap();
                        assert_eq!(a, b, "{mutation:?}");
                    }
                }
                for (n, msg) in (1..7).flat_map(|n| (0..30).map(move |msg| (n, msg))) {
                    let a = durable.key_of(now, canceller(n, msg)).await.unwrap();
                    let b = memory.key_of(now, canceller(n, msg)).await.unwrap();
                    assert_eq!(a, b);
                }
                for n in 0..4 {
                    let a = durable.blob(now, fetch(n), 3, 5).await.unwrap();
                    let b = memory.blob(now, fetch(n), 3, 5).await.unwrap();
                    assert_eq!(a, b);
                }
                for n in 1..3 {
                    let a = durable.read(now, recv(n), 0, 1_000).await.unwrap();
                    let b = memory.read(now, recv(n), 0, 1_000).await.unwrap();
                    assert_eq!(a.map(|page| page.cells), b.map(|page| page.cells));
                }
            }
        });
    }
}

#[tokio::test]
async fn concurrent_senders_share_commits_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FjallStore::open(folder.path(), &key(), limits()).unwrap());
    let mut batch = vec![create(1, 5, true)];
    batch.extend((0..16).map(|n| grant(1, n, 64, false)));
    store.apply(NOW, batch).await.unwrap();
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..16 {
        let store = Arc::clone(&store);
        senders.spawn(async move {
            let mut flying = Vec::new();
            for msg in 0..50 {
                flying.push(store.submit(NOW, vec![append(n, msg)]).await.unwrap());
            }
            for commit in flying {
                assert_eq!(commit.await.unwrap(), [Outcome::Done]);
            }
        });
    }
    while let Some(done) = senders.join_next().await {
        done.unwrap();
    }
    let page = store.read(NOW, recv(1), 0, 1_000).await.unwrap().unwrap();
    assert_eq!(page.cells.len(), 800);
    // One sender's cells stand in the order in which it submitted them.
    let mut last: HashMap<[u8; 16], u8> = HashMap::new();
    for cell in &page.cells {
        let mark = cell.cell[0];
        let before = last.insert(*cell.label.as_bytes(), mark);
        assert!(before.is_none_or(|before| before < mark));
    }
}
