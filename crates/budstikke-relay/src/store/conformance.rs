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

mod admission;
mod blobs;
mod expiry;
mod held;
mod mailboxes;
mod records;

pub(super) use admission::*;
pub(super) use blobs::*;
pub(super) use expiry::*;
pub(super) use held::*;
pub(super) use mailboxes::*;
pub(super) use records::*;

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
                grants_of_one_mailbox_are_independent
                deleting_forgets_at_once
                expiry_needs_no_asking_and_frees_quotas
                what_expired_holds_no_place_before_a_sweep
                admission_is_asked_for_what_is_new_only
                slots_keep_order_and_take_four
                the_first_four_of_a_race_have_the_slot
                notices_only_rise
                a_watch_tells_in_order
                a_held_cell_waits_for_its_time
                a_cancelled_cell_never_comes
                held_cells_go_with_their_grant_and_their_mailbox
                a_cell_that_was_due_while_nothing_ran_is_not_lost
                a_blob_stands_whole_and_never_changes
                blobs_expire_and_free_their_room
                a_token_makes_one_mailbox
                a_token_pays_for_one_change_that_was_to_be_paid
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
    Mutation::BlobPut {
        fetch_id: fetch(n),
        delete_id: DeleteId::from_bytes([n; 32]),
        blob,
        paid: true,
    }
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
