//! What every engine must do. One macro runs it all: `store_conformance!(name, Lab)`.

use std::sync::Arc;

use async_trait::async_trait;
use budstikke_proto::blob::BlobSize;
use budstikke_proto::id::{CancelPk, DeleteId, DeletePk, FetchId, FetchPk, Hash, Label, MsgId};
use budstikke_proto::id::{NoticeId, RecvId, RecvPk, SendId, SendPk, Signature, SlotId};
use bytes::Bytes;

use super::rules::{DAY_S, day_of};
use super::{
    Blob, Capability, Limits, Mutation, Notice, Outcome, SlotEntry, SpentToken, Store, StoreError,
    WatchEvent,
};

/// What engines are opened with here: room for 48 of the smallest blobs.
pub(super) fn limits() -> Limits {
    Limits { max_blob_bytes: 3 << 20, ..Limits::default() }
}

/// A place where an engine can be opened again.
#[async_trait]
pub(super) trait Lab: Default + Send + Sync {
    /// Opens the engine; what an earlier opening held is there, as far as the engine is durable at all.
    async fn open(&self) -> Arc<dyn Store>;
}

macro_rules! store_conformance {
    ($name:ident, $lab:ty) => {
        mod $name {
            use $crate::store::conformance as suite;
            $crate::store::conformance::store_conformance!(@each $lab:
                mailboxes_are_made_once_and_live_longer_when_renewed
                cells_come_in_order_and_once
                numbers_are_never_used_twice
                quotas_free_up_when_trimmed
                a_revoked_grant_sends_no_more_and_leaves_its_cells
                deleting_forgets_at_once
                expiry_needs_no_asking_and_frees_quotas
                what_expired_holds_no_place_before_a_sweep
                admission_is_asked_for_what_is_new_only
                slots_keep_order_and_take_four
                notices_only_rise
                a_watch_tells_in_order
                a_held_cell_waits_for_its_time
                a_cancelled_cell_never_comes
                held_cells_go_with_their_grant_and_their_mailbox
                a_cell_that_was_due_while_nothing_ran_is_not_lost
                a_blob_stands_whole_and_never_changes
                blobs_expire_and_free_their_room
                a_token_makes_one_mailbox
                a_batch_sees_itself
                a_closed_store_says_so
            );
        }
    };
    (@each $lab:ty: $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                suite::$case(&<$lab>::default()).await;
            }
        )*
    };
}
pub(super) use store_conformance;

pub(super) const NOW: i64 = 20_000 * DAY_S + 7_000;
const TTL: u32 = 10;

pub(super) fn recv(n: u8) -> RecvId {
    RecvId::from_bytes([n; 32])
}

pub(super) fn sender(n: u8) -> SendId {
    SendId::from_bytes([n; 32])
}

pub(super) fn label(n: u8) -> Label {
    Label::from_bytes([n; 16])
}

pub(super) fn create(n: u8, ttl_days: u32, paid: bool) -> Mutation {
    Mutation::Create {
        recv_id: recv(n),
        recv_pk: RecvPk::from_bytes([n ^ 0xFF; 32]),
        ttl_days,
        paid,
    }
}

pub(super) fn grant(mailbox: u8, n: u8, quota: u32, work_required: bool) -> Mutation {
    let (recv_id, send_id) = (recv(mailbox), sender(n));
    let send_pk = SendPk::from_bytes([n ^ 0xFF; 32]);
    Mutation::Grant { recv_id, send_id, send_pk, label: label(n), quota, work_required }
}

pub(super) fn append(n: u8, msg: u8) -> Mutation {
    let cell = Bytes::from(vec![msg; 32]);
    Mutation::Append { send_id: sender(n), msg_id: MsgId::from_bytes([msg; 16]), cell, paid: false }
}

pub(super) fn hold(n: u8, msg: u8, release_at: i64) -> Mutation {
    let (send_id, msg_id) = (sender(n), MsgId::from_bytes([msg; 16]));
    let cell = Bytes::from(vec![msg; 32]);
    Mutation::Hold { send_id, msg_id, cell, release_at, cancel_pk: CancelPk::from_bytes([msg; 32]) }
}

pub(super) fn cancel(n: u8, msg: u8) -> Mutation {
    Mutation::Cancel { send_id: sender(n), msg_id: MsgId::from_bytes([msg; 16]) }
}

pub(super) fn canceller(n: u8, msg: u8) -> Capability {
    Capability::Canceller(sender(n), MsgId::from_bytes([msg; 16]))
}

pub(super) fn fetch(n: u8) -> FetchId {
    FetchId::from_bytes([n; 32])
}

/// `mark` is its content; the engine does not look at lengths.
pub(super) fn blob_put(n: u8, mark: u8, size: BlobSize, ttl_days: u32) -> Mutation {
    let payloads = (0..size.parts()).map(|index| Bytes::from(format!("{mark} {index}"))).collect();
    let blob = Blob {
        fetch_pk: FetchPk::from_bytes([n ^ 0xFF; 32]),
        delete_pk: DeletePk::from_bytes([n ^ 0xF0; 32]),
        size,
        ttl_days,
        hash: Hash::from_bytes([mark; 32]),
        payloads,
    };
    Mutation::BlobPut { fetch_id: fetch(n), delete_id: DeleteId::from_bytes([n; 32]), blob }
}

pub(super) fn blob_delete(n: u8) -> Mutation {
    Mutation::BlobDelete { delete_id: DeleteId::from_bytes([n; 32]) }
}

pub(super) fn trim(mailbox: u8, upto: u64) -> Mutation {
    Mutation::Trim { recv_id: recv(mailbox), upto }
}

fn entry(n: u8, cells: usize) -> SlotEntry {
    let payloads = vec![Bytes::from(vec![n; 32]); cells];
    SlotEntry {
        signature: Signature::from_bytes([n; 64]),
        hash: Hash::from_bytes([n; 32]),
        payloads,
    }
}

fn slot_append(n: u8, paid: bool) -> Mutation {
    let slot_id = SlotId::from_bytes([1; 32]);
    Mutation::SlotAppend { slot_id, entry: entry(n, usize::from(n)), paid }
}

fn notice_put(version: u64, n: u8, paid: bool) -> Mutation {
    let payloads = vec![Bytes::from(vec![n; 32]); usize::from(n)];
    let (signature, hash) = (Signature::from_bytes([n; 64]), Hash::from_bytes([n; 32]));
    let notice = Notice { version, signature, hash, payloads };
    Mutation::NoticePut { notice_id: NoticeId::from_bytes([1; 32]), notice, paid }
}

async fn one(store: &Arc<dyn Store>, now: i64, mutation: Mutation) -> Outcome {
    let outcomes = store.apply(now, vec![mutation]).await.unwrap();
    assert_eq!(outcomes.len(), 1);
    outcomes[0]
}

async fn all_done(store: &Arc<dyn Store>, now: i64, batch: Vec<Mutation>) {
    let outcomes = store.apply(now, batch).await.unwrap();
    assert!(outcomes.iter().all(|it| *it == Outcome::Done), "{outcomes:?}");
}

/// The marks of the cells after `since`, and their numbers.
async fn read(store: &Arc<dyn Store>, now: i64, mailbox: u8, since: u64) -> Vec<(u64, u8)> {
    let page = store.read(now, recv(mailbox), since, 1_000).await.unwrap().unwrap();
    assert!(!page.more);
    assert_eq!(page.next, page.cells.last().map_or(page.next, |cell| cell.seq));
    page.cells.iter().map(|cell| (cell.seq, cell.cell[0])).collect()
}

fn marks(cells: &[(u64, u8)]) -> Vec<u8> {
    cells.iter().map(|(_, mark)| *mark).collect()
}

pub(super) async fn mailboxes_are_made_once_and_live_longer_when_renewed(lab: &impl Lab) {
    let store = lab.open().await;
    let owner = Capability::Owner(recv(1));
    assert_eq!(store.key_of(NOW, owner).await, Ok(None));
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 5, false)]).await;
    assert_eq!(store.key_of(NOW, owner).await, Ok(Some([0xFE; 32])));
    assert_eq!(store.key_of(NOW, Capability::Sender(sender(2))).await, Ok(Some([0xFD; 32])));
    let later = NOW + i64::from(TTL) * DAY_S;
    assert_eq!(one(&store, later, create(1, TTL, false)).await, Outcome::Done);
    let (store, later) = (lab.open().await, later + i64::from(TTL) * DAY_S);
    store.sweep(later).await.unwrap();
    assert_eq!(store.key_of(later, owner).await, Ok(Some([0xFE; 32])));
    // Its grants live as long as it does; trimming lengthens its life as well.
    assert_eq!(one(&store, later, append(2, 1)).await, Outcome::Done);
    assert_eq!(one(&store, later, trim(1, 0)).await, Outcome::Done);
    let later = later + i64::from(TTL) * DAY_S;
    store.sweep(later).await.unwrap();
    assert_eq!(one(&store, later, append(2, 2)).await, Outcome::Done);
    let end = later + DAY_S;
    assert_eq!(store.key_of(end, owner).await, Ok(None));
    assert_eq!(store.key_of(end, Capability::Sender(sender(2))).await, Ok(None));
}

pub(super) async fn cells_come_in_order_and_once(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 50, false)]).await;
    all_done(&store, NOW, vec![grant(1, 3, 50, false)]).await;
    for msg in 1..=20 {
        all_done(&store, NOW, vec![append(2 + msg % 2, msg), append(2 + msg % 2, msg)]).await;
    }
    let store = lab.open().await;
    all_done(&store, NOW, vec![append(2, 20), append(3, 19)]).await;
    let cells = read(&store, NOW, 1, 0).await;
    assert_eq!(marks(&cells), (1..=20).collect::<Vec<_>>());
    assert!(cells.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(marks(&read(&store, NOW, 1, cells[4].0).await), (6..=20).collect::<Vec<_>>());
    let page = store.read(NOW, recv(1), cells[4].0, 3).await.unwrap().unwrap();
    assert!(page.more && page.next == cells[7].0);
    assert_eq!(page.cells[0].label, label(2));
    assert_eq!(page.cells[1].label, label(3));
    assert!(store.read(NOW, recv(9), 0, 10).await.unwrap().is_none());
    assert_eq!(one(&store, NOW, append(9, 1)).await, Outcome::Unknown);
}

pub(super) async fn numbers_are_never_used_twice(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 50, false), append(2, 1)]).await;
    let first = read(&store, NOW, 1, 0).await[0].0;
    all_done(&store, NOW, vec![trim(1, u64::MAX)]).await;
    let store = lab.open().await;
    all_done(&store, NOW, vec![append(2, 2)]).await;
    let second = read(&store, NOW, 1, 0).await[0].0;
    assert!(second > first);
    // A mailbox that is made again goes on above what its owner may remember.
    all_done(&store, NOW, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    let later = NOW + 1;
    all_done(&store, later, vec![create(1, TTL, true), grant(1, 2, 50, false)]).await;
    all_done(&store, later, vec![append(2, 1)]).await;
    let third = read(&store, later, 1, second).await;
    assert_eq!(marks(&third), [1]);
    // A trimmed cell's name is still known.
    all_done(&store, later, vec![trim(1, u64::MAX), append(2, 1)]).await;
    assert_eq!(read(&store, later, 1, 0).await, []);
}

pub(super) async fn quotas_free_up_when_trimmed(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 2, false)]).await;
    all_done(&store, NOW, vec![grant(1, 3, 1, false), append(2, 1), append(3, 2)]).await;
    assert_eq!(one(&store, NOW, append(3, 3)).await, Outcome::Full);
    all_done(&store, NOW, vec![append(2, 4)]).await;
    let store = lab.open().await;
    assert_eq!(one(&store, NOW, append(2, 5)).await, Outcome::Full);
    assert_eq!(one(&store, NOW, append(2, 4)).await, Outcome::Done, "a repeat needs no room");
    let cells = read(&store, NOW, 1, 0).await;
    all_done(&store, NOW, vec![trim(1, cells[0].0), append(2, 5)]).await;
    assert_eq!(one(&store, NOW, append(2, 6)).await, Outcome::Full);
    // The owner may give more, and take it back.
    all_done(&store, NOW, vec![grant(1, 2, 3, false), append(2, 6)]).await;
    assert_eq!(one(&store, NOW, append(3, 7)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, NOW, 1, 0).await), [2, 4, 5, 6]);
}

pub(super) async fn a_revoked_grant_sends_no_more_and_leaves_its_cells(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), create(9, TTL, true)]).await;
    for n in 2..6 {
        all_done(&store, NOW, vec![grant(1, n, 5, false), append(n, n)]).await;
    }
    let revoke = |mailbox, n| Mutation::Revoke { recv_id: recv(mailbox), send_id: sender(n) };
    assert_eq!(one(&store, NOW, revoke(9, 3)).await, Outcome::Unknown, "not its owner");
    assert_eq!(one(&store, NOW, revoke(1, 3)).await, Outcome::Done);
    assert_eq!(one(&store, NOW, revoke(1, 3)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW, revoke(1, 2)).await, Outcome::Done);
    let store = lab.open().await;
    for (n, outcome) in
        [(2, Outcome::Unknown), (3, Outcome::Unknown), (4, Outcome::Done), (5, Outcome::Done)]
    {
        assert_eq!(one(&store, NOW, append(n, n + 10)).await, outcome);
    }
    assert_eq!(store.key_of(NOW, Capability::Sender(sender(3))).await, Ok(None));
    assert_eq!(marks(&read(&store, NOW, 1, 0).await), [2, 3, 4, 5, 14, 15]);
    all_done(&store, NOW, vec![trim(1, u64::MAX)]).await;
    // The rest can be revoked too, in any order, and the mailbox deleted.
    assert_eq!(one(&store, NOW, revoke(1, 5)).await, Outcome::Done);
    all_done(&store, NOW, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    assert_eq!(store.key_of(NOW, Capability::Sender(sender(4))).await, Ok(None));
}

pub(super) async fn deleting_forgets_at_once(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 5, false), append(2, 1)]).await;
    all_done(&store, NOW, vec![create(5, TTL, true), grant(5, 6, 5, false), append(6, 9)]).await;
    all_done(&store, NOW, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    let store = lab.open().await;
    assert!(store.read(NOW, recv(1), 0, 10).await.unwrap().is_none());
    for who in [Capability::Owner(recv(1)), Capability::Sender(sender(2))] {
        assert_eq!(store.key_of(NOW, who).await, Ok(None));
    }
    assert_eq!(one(&store, NOW, append(2, 2)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW, Mutation::Delete { recv_id: recv(1) }).await, Outcome::Unknown);
    // Another mailbox is not touched; the same one made again is empty and knows no old names.
    assert_eq!(marks(&read(&store, NOW, 5, 0).await), [9]);
    let later = NOW + 1;
    all_done(&store, later, vec![create(1, TTL, true), grant(1, 2, 5, false)]).await;
    assert_eq!(read(&store, later, 1, 0).await, []);
    all_done(&store, later, vec![append(2, 1)]).await;
    assert_eq!(marks(&read(&store, later, 1, 0).await), [1]);
}

pub(super) async fn expiry_needs_no_asking_and_frees_quotas(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 2, false)]).await;
    all_done(&store, NOW, vec![append(2, 1), append(2, 2)]).await;
    let half = NOW + 5 * DAY_S;
    all_done(&store, half, vec![create(1, TTL, true)]).await;
    assert_eq!(one(&store, half, append(2, 3)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, half, 1, 0).await), [1, 2]);
    // The cells' last day passes, the mailbox's does not.
    let past = NOW + i64::from(TTL + 1) * DAY_S;
    assert_eq!(read(&store, past, 1, 0).await, []);
    store.sweep(past).await.unwrap();
    let store = lab.open().await;
    all_done(&store, past, vec![append(2, 1), append(2, 2)]).await;
    assert_eq!(one(&store, past, append(2, 3)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, past, 1, 0).await), [1, 2], "old names are forgotten");
    // Then the mailbox goes, and nothing is left.
    let end = half + i64::from(TTL + 1) * DAY_S;
    assert_eq!(store.key_of(end, Capability::Owner(recv(1))).await, Ok(None));
    store.sweep(end).await.unwrap();
    assert_eq!(store.sweep(end).await, Ok(0));
    assert_eq!(one(&store, end, append(2, 7)).await, Outcome::Unknown);
}

pub(super) async fn what_expired_holds_no_place_before_a_sweep(lab: &impl Lab) {
    let store = lab.open().await;
    let both = vec![grant(1, 2, 2, false), grant(1, 3, 1, false)];
    all_done(&store, NOW, [vec![create(1, TTL, true)], both].concat()).await;
    all_done(&store, NOW, vec![append(2, 1), append(3, 2)]).await;
    let half = NOW + 5 * DAY_S;
    all_done(&store, half, vec![create(1, TTL, true), append(2, 3)]).await;
    let past = NOW + i64::from(TTL + 1) * DAY_S;
    // One of the sender's two cells has expired, and the other sender's only one with it.
    all_done(&store, past, vec![append(2, 4), append(3, 5)]).await;
    assert_eq!(one(&store, past, append(2, 6)).await, Outcome::Full);
    assert_eq!(one(&store, past, append(3, 7)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, past, 1, 0).await), [3, 4, 5]);
    // The sweep counts nothing a second time.
    store.sweep(past).await.unwrap();
    assert_eq!(one(&store, past, append(2, 8)).await, Outcome::Full);
    assert_eq!(one(&store, past, append(3, 9)).await, Outcome::Full);
}

pub(super) async fn admission_is_asked_for_what_is_new_only(lab: &impl Lab) {
    let store = lab.open().await;
    assert_eq!(one(&store, NOW, create(1, TTL, false)).await, Outcome::Unpaid);
    all_done(&store, NOW, vec![create(1, TTL, true), create(1, TTL, false)]).await;
    all_done(&store, NOW, vec![grant(1, 2, 5, true)]).await;
    assert_eq!(one(&store, NOW, append(2, 1)).await, Outcome::Unpaid);
    let Mutation::Append { send_id, msg_id, cell, .. } = append(2, 1) else { unreachable!() };
    all_done(&store, NOW, vec![Mutation::Append { send_id, msg_id, cell, paid: true }]).await;
    assert_eq!(one(&store, NOW, append(2, 1)).await, Outcome::Done, "a repeat was paid");
    assert_eq!(one(&store, NOW, slot_append(1, false)).await, Outcome::Unpaid);
    assert_eq!(one(&store, NOW, slot_append(1, true)).await, Outcome::Placed(0));
    assert_eq!(one(&store, NOW, slot_append(2, false)).await, Outcome::Placed(1));
    assert_eq!(one(&store, NOW, notice_put(1, 1, false)).await, Outcome::Unpaid);
    all_done(&store, NOW, vec![notice_put(1, 1, true), notice_put(2, 2, false)]).await;
}

pub(super) async fn slots_keep_order_and_take_four(lab: &impl Lab) {
    let store = lab.open().await;
    let slot_id = SlotId::from_bytes([1; 32]);
    assert_eq!(store.slot(NOW, slot_id).await, Ok(Vec::new()));
    for n in [3, 1] {
        one(&store, NOW, slot_append(n, true)).await;
    }
    let store = lab.open().await;
    // A day later: the entries before move to the new last day.
    let later = NOW + DAY_S;
    for (n, outcome) in [
        (1, Outcome::Placed(1)),
        (4, Outcome::Placed(2)),
        (2, Outcome::Placed(3)),
        (5, Outcome::SlotFull),
        (3, Outcome::Placed(0)),
    ] {
        assert_eq!(one(&store, later, slot_append(n, true)).await, outcome);
    }
    let wanted: Vec<_> = [3, 1, 4, 2].map(|n| entry(n, usize::from(n))).into();
    assert_eq!(store.slot(later, slot_id).await, Ok(wanted.clone()));
    let last = later + 90 * DAY_S;
    store.sweep(last).await.unwrap();
    assert_eq!(store.slot(last, slot_id).await, Ok(wanted));
    assert_eq!(store.slot(last + DAY_S, slot_id).await, Ok(Vec::new()));
    store.sweep(last + DAY_S).await.unwrap();
    assert_eq!(one(&store, last + DAY_S, slot_append(1, false)).await, Outcome::Unpaid);
}

pub(super) async fn notices_only_rise(lab: &impl Lab) {
    let store = lab.open().await;
    let id = NoticeId::from_bytes([1; 32]);
    assert_eq!(store.notice(NOW, id).await, Ok(None));
    for (mutation, outcome) in [
        (notice_put(5, 3, true), Outcome::Done),
        (notice_put(4, 1, true), Outcome::Conflict),
        (notice_put(5, 2, true), Outcome::Conflict),
        (notice_put(5, 3, true), Outcome::Done),
        (notice_put(6, 2, true), Outcome::Done),
    ] {
        assert_eq!(one(&store, NOW, mutation).await, outcome);
    }
    let store = lab.open().await;
    let found = store.notice(NOW, id).await.unwrap().unwrap();
    assert_eq!((found.version, found.payloads.len()), (6, 2));
    // The same again lengthens its life.
    let later = NOW + 60 * DAY_S;
    all_done(&store, later, vec![notice_put(6, 2, true)]).await;
    let last = later + 90 * DAY_S;
    store.sweep(last).await.unwrap();
    assert_eq!(store.notice(last, id).await, Ok(Some(found)));
    assert_eq!(store.notice(last + DAY_S, id).await, Ok(None));
}

pub(super) async fn a_watch_tells_in_order(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 100, false)]).await;
    let mut watch = store.watch(recv(1));
    all_done(&store, NOW, vec![append(2, 1), append(2, 2), append(2, 2)]).await;
    for wanted in [1, 2] {
        let WatchEvent::Cell(cell) = watch.next().await else { panic!("no cell") };
        assert_eq!(cell.cell[0], wanted);
    }
    all_done(&store, NOW, (3..90).map(|msg| append(2, msg)).collect()).await;
    assert!(matches!(watch.next().await, WatchEvent::Behind));
    all_done(&store, NOW, vec![append(2, 90)]).await;
    assert!(matches!(watch.next().await, WatchEvent::Cell(cell) if cell.cell[0] == 90));
    all_done(&store, NOW, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    assert!(matches!(watch.next().await, WatchEvent::Gone));
}

pub(super) async fn a_held_cell_waits_for_its_time(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 3, false)]).await;
    all_done(&store, NOW, vec![hold(2, 1, NOW + 120), hold(2, 2, NOW + 60), hold(2, 3, NOW + 60)])
        .await;
    // It has a place under the quota, is no cell yet, and is stored once.
    assert_eq!(one(&store, NOW, append(2, 4)).await, Outcome::Full);
    assert_eq!(one(&store, NOW, hold(2, 4, NOW + 60)).await, Outcome::Full);
    assert_eq!(one(&store, NOW, hold(2, 1, NOW + 1)).await, Outcome::Done, "a repeat");
    assert_eq!(one(&store, NOW, append(2, 1)).await, Outcome::Done, "a repeat");
    assert_eq!(read(&store, NOW, 1, 0).await, []);
    assert_eq!(store.release(NOW + 59).await, Ok(0));
    let store = lab.open().await;
    let mut watch = store.watch(recv(1));
    assert_eq!(read(&store, NOW + 60, 1, 0).await, []);
    assert_eq!(store.key_of(NOW, canceller(2, 1)).await, Ok(Some([1; 32])));
    assert_eq!(store.release(NOW + 60).await, Ok(2));
    for wanted in [2, 3] {
        let WatchEvent::Cell(cell) = watch.next().await else { panic!("no cell") };
        assert_eq!((cell.cell[0], cell.label), (wanted, label(2)));
    }
    // A change of the grant changes what is released under it.
    let relabel = Mutation::Grant {
        recv_id: recv(1),
        send_id: sender(2),
        send_pk: SendPk::from_bytes([2 ^ 0xFF; 32]),
        label: label(9),
        quota: 3,
        work_required: false,
    };
    all_done(&store, NOW + 61, vec![relabel]).await;
    assert_eq!(one(&store, NOW + 61, append(2, 4)).await, Outcome::Full, "released, not trimmed");
    // A batch releases first what is due.
    let cells = read(&store, NOW + 61, 1, 0).await;
    assert_eq!(marks(&cells), [2, 3]);
    all_done(&store, NOW + 120, vec![trim(1, cells[1].0), append(2, 5)]).await;
    let store = lab.open().await;
    assert_eq!(store.release(NOW + 500).await, Ok(0));
    let page = store.read(NOW + 120, recv(1), 0, 9).await.unwrap().unwrap();
    let found: Vec<_> = page.cells.iter().map(|cell| (cell.cell[0], cell.label)).collect();
    assert_eq!(found, [(1, label(9)), (5, label(9))]);
    assert!(page.cells[0].seq > cells[1].0);
    // The names stay known for as long as the released cells may live, and no longer.
    let last = NOW + i64::from(TTL) * DAY_S;
    all_done(&store, NOW + 130, vec![trim(1, u64::MAX)]).await;
    all_done(&store, last, vec![create(1, TTL, true), append(2, 1), append(2, 2)]).await;
    assert_eq!(read(&store, last, 1, 0).await, []);
    all_done(&store, last + DAY_S, vec![append(2, 1)]).await;
    assert_eq!(marks(&read(&store, last + DAY_S, 1, 0).await), [1]);
}

pub(super) async fn a_cancelled_cell_never_comes(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 2, false)]).await;
    all_done(&store, NOW, vec![hold(2, 1, NOW + 60), hold(2, 2, NOW + 60)]).await;
    assert_eq!(store.key_of(NOW, canceller(2, 1)).await, Ok(Some([1; 32])));
    for unknown in [canceller(2, 9), canceller(9, 1)] {
        assert_eq!(store.key_of(NOW, unknown).await, Ok(None));
    }
    assert_eq!(one(&store, NOW, cancel(2, 9)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW, cancel(9, 1)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW + 59, cancel(2, 1)).await, Outcome::Done);
    let store = lab.open().await;
    assert_eq!(store.key_of(NOW, canceller(2, 1)).await, Ok(None));
    assert_eq!(one(&store, NOW + 59, cancel(2, 1)).await, Outcome::Unknown);
    // A repeat of the first request, perhaps late, brings nothing back; the place is free.
    all_done(&store, NOW + 59, vec![hold(2, 1, NOW + 60), append(2, 3)]).await;
    assert_eq!(one(&store, NOW + 59, append(2, 4)).await, Outcome::Full);
    // What is due cannot be cancelled any more, released or not.
    assert_eq!(one(&store, NOW + 60, cancel(2, 2)).await, Outcome::Unknown);
    assert_eq!(marks(&read(&store, NOW + 60, 1, 0).await), [3, 2]);
    assert_eq!(store.key_of(NOW + 60, canceller(2, 2)).await, Ok(None));
    // A grant that asks for work holds nothing.
    all_done(&store, NOW + 61, vec![trim(1, u64::MAX), grant(1, 2, 2, true)]).await;
    assert_eq!(one(&store, NOW + 61, hold(2, 5, NOW + 90)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW + 61, hold(2, 1, NOW + 90)).await, Outcome::Done, "a repeat");
}

pub(super) async fn held_cells_go_with_their_grant_and_their_mailbox(lab: &impl Lab) {
    let store = lab.open().await;
    let both = vec![grant(1, 2, 5, false), grant(1, 3, 5, false)];
    all_done(&store, NOW, [vec![create(1, TTL, true)], both.clone()].concat()).await;
    let held = vec![hold(2, 1, NOW + 60), hold(3, 2, NOW + 60), hold(3, 3, NOW + 3 * DAY_S)];
    all_done(&store, NOW, held.clone()).await;
    let revoke = Mutation::Revoke { recv_id: recv(1), send_id: sender(2) };
    all_done(&store, NOW, vec![revoke]).await;
    assert_eq!(store.key_of(NOW, canceller(2, 1)).await, Ok(None));
    let store = lab.open().await;
    assert_eq!(store.release(NOW + 60).await, Ok(1));
    assert_eq!(marks(&read(&store, NOW + 60, 1, 0).await), [2]);
    all_done(&store, NOW + 60, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    assert_eq!(store.release(NOW + 4 * DAY_S).await, Ok(0));
    // The same mailbox made again knows nothing of it, nor does one made again after it expired.
    let later = NOW + 100;
    all_done(&store, later, [vec![create(1, 1, true)], both.clone()].concat()).await;
    assert_eq!(store.key_of(later, canceller(3, 3)).await, Ok(None));
    all_done(&store, later, held).await;
    let past = NOW + 2 * DAY_S;
    assert_eq!(store.key_of(past, canceller(3, 3)).await, Ok(None), "the mailbox expired");
    all_done(&store, past, [vec![create(1, TTL, true)], both].concat()).await;
    assert_eq!(store.key_of(past, canceller(3, 3)).await, Ok(None));
    assert_eq!(one(&store, past, cancel(3, 3)).await, Outcome::Unknown);
    let store = lab.open().await;
    store.release(past + 2 * DAY_S).await.unwrap();
    store.sweep(past + 2 * DAY_S).await.unwrap();
    assert_eq!(read(&store, past + 2 * DAY_S, 1, 0).await, []);
    all_done(&store, past + 2 * DAY_S, vec![append(3, 3)]).await;
    assert_eq!(marks(&read(&store, past + 2 * DAY_S, 1, 0).await), [3], "old names are forgotten");
}

pub(super) async fn a_cell_that_was_due_while_nothing_ran_is_not_lost(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, 30, true), grant(1, 2, 5, false)]).await;
    all_done(&store, NOW, vec![hold(2, 1, NOW + 60), hold(2, 2, NOW + DAY_S)]).await;
    // A week later, and the first thing that happens is a sweep of past days.
    let store = lab.open().await;
    let late = NOW + 7 * DAY_S;
    store.sweep(late).await.unwrap();
    assert_eq!(marks(&read(&store, late, 1, 0).await), [1, 2]);
    // Their life starts now, within the mailbox's.
    let last = NOW + 30 * DAY_S;
    store.sweep(last).await.unwrap();
    let store = lab.open().await;
    assert_eq!(marks(&read(&store, last, 1, 0).await), [1, 2]);
    assert_eq!(store.key_of(last + DAY_S, Capability::Owner(recv(1))).await, Ok(None));
}

pub(super) async fn a_blob_stands_whole_and_never_changes(lab: &impl Lab) {
    let store = lab.open().await;
    let (fetcher, deleter) =
        (Capability::Fetcher(fetch(1)), Capability::Deleter(DeleteId::from_bytes([1; 32])));
    assert_eq!(store.key_of(NOW, fetcher).await, Ok(None));
    assert_eq!(store.blob(NOW, fetch(1), 0, 70).await, Ok(None));
    all_done(&store, NOW, vec![blob_put(1, 7, BlobSize::Large, 5)]).await;
    let store = lab.open().await;
    assert_eq!(store.key_of(NOW, fetcher).await, Ok(Some([0xFE; 32])));
    assert_eq!(store.key_of(NOW, deleter).await, Ok(Some([0xF1; 32])));
    for (first, max, wanted) in [(0, 70, 0..70), (16, 3, 16..19), (69, 70, 69..70), (70, 1, 0..0)] {
        let page = store.blob(NOW, fetch(1), first, max).await.unwrap().unwrap();
        let wanted: Vec<_> = wanted.map(|index| Bytes::from(format!("7 {index}"))).collect();
        assert_eq!((page.payloads, page.count), (wanted, 70));
    }
    // The same again is no change, another one is refused, whoever made it.
    all_done(&store, NOW, vec![blob_put(1, 7, BlobSize::Large, 20)]).await;
    assert_eq!(one(&store, NOW, blob_put(1, 8, BlobSize::Small, 5)).await, Outcome::Conflict);
    let Mutation::BlobPut { fetch_id, blob, .. } = blob_put(1, 7, BlobSize::Large, 5) else {
        unreachable!()
    };
    let delete_id = DeleteId::from_bytes([9; 32]);
    let other = Mutation::BlobPut { fetch_id, delete_id, blob };
    assert_eq!(one(&store, NOW, other).await, Outcome::Conflict);
    assert_eq!(one(&store, NOW, blob_delete(9)).await, Outcome::Unknown);
    all_done(&store, NOW, vec![blob_delete(1)]).await;
    let store = lab.open().await;
    assert_eq!(one(&store, NOW, blob_delete(1)).await, Outcome::Unknown);
    assert_eq!(store.blob(NOW, fetch(1), 0, 70).await, Ok(None));
    for who in [fetcher, deleter] {
        assert_eq!(store.key_of(NOW, who).await, Ok(None));
    }
    all_done(&store, NOW, vec![blob_put(1, 8, BlobSize::Small, 5)]).await;
    assert_eq!(store.blob(NOW, fetch(1), 4, 70).await.unwrap().unwrap().payloads, ["8 4"]);
}

pub(super) async fn blobs_expire_and_free_their_room(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![blob_put(1, 1, BlobSize::Large, 2)]).await;
    all_done(&store, NOW, vec![blob_put(2, 2, BlobSize::Large, 5)]).await;
    all_done(&store, NOW, vec![blob_put(3, 3, BlobSize::Medium, 5)]).await;
    let store = lab.open().await;
    let large = |n| blob_put(n, n, BlobSize::Large, 5);
    assert_eq!(one(&store, NOW, large(4)).await, Outcome::Full);
    assert_eq!(one(&store, NOW, large(2)).await, Outcome::Done, "a repeat needs no room");
    // What was deleted, or expired and was not swept, takes none.
    all_done(&store, NOW, vec![blob_delete(3), large(4)]).await;
    let later = NOW + 2 * DAY_S;
    assert_eq!(one(&store, later, large(5)).await, Outcome::Full);
    let later = NOW + 3 * DAY_S;
    assert_eq!(store.blob(later, fetch(1), 0, 70).await, Ok(None));
    assert_eq!(store.key_of(later, Capability::Fetcher(fetch(1))).await, Ok(None));
    assert_eq!(one(&store, later, blob_delete(1)).await, Outcome::Unknown);
    all_done(&store, later, vec![blob_put(1, 9, BlobSize::Small, 30)]).await;
    assert_eq!(one(&store, later, large(5)).await, Outcome::Full);
    store.sweep(later).await.unwrap();
    let page = store.blob(later, fetch(1), 0, 70).await.unwrap().unwrap();
    assert_eq!((page.count, &page.payloads[..1]), (5, &[Bytes::from("9 0")][..]));
    let end = later + 31 * DAY_S;
    let store = lab.open().await;
    store.sweep(end).await.unwrap();
    assert_eq!(store.sweep(end).await, Ok(0));
    all_done(&store, end, vec![large(5), large(6), large(7)]).await;
    assert_eq!(one(&store, end, blob_put(8, 8, BlobSize::Small, 1)).await, Outcome::Full);
}

pub(super) async fn a_token_makes_one_mailbox(lab: &impl Lab) {
    let store = lab.open().await;
    let last_day = day_of(NOW) + 2;
    let token = |n| SpentToken { id: [n; 32], last_day };
    let make = |n, token| {
        let recv_pk = RecvPk::from_bytes([n ^ 0xFF; 32]);
        Mutation::CreateByToken { recv_id: recv(n), recv_pk, ttl_days: TTL, token }
    };
    // Twice in one batch, and a repeat that finds its mailbox.
    let batch = vec![make(1, token(1)), make(2, token(1)), make(1, token(1)), make(3, token(3))];
    let outcomes = store.apply(NOW, batch).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Unpaid, Outcome::Done, Outcome::Done]);
    // A mailbox that is there uses none up.
    let again = vec![make(1, token(4)), make(4, token(4)), make(5, token(4))];
    let outcomes = store.apply(NOW, again).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done, Outcome::Unpaid]);
    // Spent stays spent when its mailbox is gone, until the key's last day; then the key is not taken any more.
    let (delete, anew) = (Mutation::Delete { recv_id: recv(1) }, make(1, token(1)));
    let later = NOW + 2 * DAY_S;
    let outcomes = store.apply(later, vec![delete, anew]).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Unpaid]);
    store.sweep(later).await.unwrap();
    assert_eq!(store.apply(later, vec![make(6, token(3))]).await.unwrap(), [Outcome::Unpaid]);
    let over = later + DAY_S;
    store.sweep(over).await.unwrap();
    assert_eq!(store.apply(over, vec![make(6, token(9))]).await.unwrap(), [Outcome::Unpaid]);
}

pub(super) async fn a_batch_sees_itself(lab: &impl Lab) {
    let store = lab.open().await;
    let batch = vec![
        create(1, TTL, true),
        grant(1, 2, 2, false),
        append(2, 1),
        append(2, 1),
        append(2, 2),
        append(2, 3),
        slot_append(1, true),
        slot_append(2, true),
        slot_append(1, true),
        Mutation::Revoke { recv_id: recv(1), send_id: sender(2) },
        append(2, 4),
        grant(1, 3, 1, false),
        hold(3, 5, NOW + 60),
        append(3, 6),
        cancel(3, 5),
        append(3, 6),
        blob_put(1, 1, BlobSize::Small, 5),
        blob_put(1, 2, BlobSize::Small, 5),
        blob_delete(1),
        blob_delete(1),
    ];
    let outcomes = store.apply(NOW, batch).await.unwrap();
    let done = Outcome::Done;
    let (full, unknown) = (Outcome::Full, Outcome::Unknown);
    let [a, b] = [Outcome::Placed(0), Outcome::Placed(1)];
    assert_eq!(outcomes[..11], [done, done, done, done, done, full, a, b, a, done, unknown]);
    assert_eq!(outcomes[11..16], [done, done, full, done, done]);
    assert_eq!(outcomes[16..], [done, Outcome::Conflict, done, unknown]);
    assert_eq!(marks(&read(&store, NOW, 1, 0).await), [1, 2, 6]);
}

pub(super) async fn a_closed_store_says_so(lab: &impl Lab) {
    let store = lab.open().await;
    store.close().await;
    assert_eq!(store.apply(NOW, vec![create(1, TTL, true)]).await, Err(StoreError::Closed));
    assert_eq!(store.slot(NOW, SlotId::from_bytes([1; 32])).await, Err(StoreError::Closed));
    assert_eq!(store.sweep(NOW).await, Err(StoreError::Closed));
    assert_eq!(store.blob(NOW, fetch(1), 0, 1).await, Err(StoreError::Closed));
    assert_eq!(store.key_of(NOW, canceller(1, 1)).await, Err(StoreError::Closed));
    store.close().await;
}
