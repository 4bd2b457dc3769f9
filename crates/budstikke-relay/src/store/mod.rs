//! Where the relay keeps what it cannot read.
//!
//! [`Store`] is the seam: [`FjallStore`] is the durable engine, [`MemoryStore`] the one for tests. Every engine
//! passes the same suite (`store_conformance!`). Whatever must be atomic (quotas, repeats, places in a slot,
//! versions of a notice) is decided inside the engine, in the order in which mutations were submitted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use budstikke_proto::blob::BlobSize;
use budstikke_proto::id::{CancelPk, DeleteId, DeletePk, FetchId, FetchPk, Hash, Label, MsgId};
use budstikke_proto::id::{NoticeId, RecvId, RecvPk, SendId, SendPk, Signature, SlotId};
use bytes::Bytes;
use tokio::sync::oneshot;

#[cfg(test)]
mod conformance;
mod fjall;
mod hub;
mod inventory;
mod memory;
mod rules;

pub use fjall::{FjallStore, StoreFile, StoreKey, damaged_files, inventory};
pub use hub::{Watch, WatchEvent};
pub use inventory::{Counts, Inventory};
pub use memory::MemoryStore;
pub use rules::Limits;

/// Most mutations that share one commit.
pub const GROUP_LEN: usize = 256;

/// A disk or engine fault. Nothing that got this answer was acknowledged; the operator must look.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("the store's disk failed")]
    Disk,
    /// A row does not open or does not parse: wrong store key, or a damaged file.
    #[error("a row of the store is damaged or was sealed under another key")]
    Damaged,
    /// A file of the store does not hold what was written. What it held is lost or untrustworthy.
    #[error(
        "the file {0} of the store is damaged: the operator must put the data folder back, or start with an empty one"
    )]
    DamagedFile(StoreFile),
    /// Another process has the data folder open.
    #[error("another process uses the data folder")]
    Locked,
    /// There is no store to look at.
    #[error("there is no store in the data folder")]
    Missing,
    /// The store is shut down.
    #[error("the store is closed")]
    Closed,
}

/// A change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Mutation {
    /// Makes a mailbox, or lengthens its life. `paid` is asked only when it does not exist yet.
    Create {
        /// Derived from `recv_pk` by the relay.
        recv_id: RecvId,
        /// The owner's key.
        recv_pk: RecvPk,
        /// Days that the mailbox and a cell in it live.
        ttl_days: u32,
        /// Whether admission was paid.
        paid: bool,
    },
    /// Another change, for which a token pays. Used up if and only if the change is done and was to be paid.
    ByToken {
        /// The token, found genuine.
        token: SpentToken,
        /// What it pays for.
        change: Box<Mutation>,
    },
    /// Makes a grant, or changes its label, quota and door.
    Grant {
        /// The mailbox.
        recv_id: RecvId,
        /// Derived from mailbox and `send_pk` by the relay.
        send_id: SendId,
        /// The sender's key.
        send_pk: SendPk,
        /// Comes back with each cell.
        label: Label,
        /// Cells that may wait at once.
        quota: u32,
        /// Whether each cell must be paid with work.
        work_required: bool,
    },
    /// Ends a grant; what it sent stays, what is held of it goes.
    Revoke {
        /// The mailbox.
        recv_id: RecvId,
        /// The grant.
        send_id: SendId,
    },
    /// Appends a cell, once per `msg_id`.
    Append {
        /// The grant.
        send_id: SendId,
        /// The sender's name of this cell.
        msg_id: MsgId,
        /// 15,024 bytes.
        cell: Bytes,
        /// Whether work was paid.
        paid: bool,
    },
    /// Keeps a cell back until its time, once per `msg_id`. A grant that asks for work takes none.
    Hold {
        /// The grant.
        send_id: SendId,
        /// The sender's name of this cell.
        msg_id: MsgId,
        /// 15,024 bytes.
        cell: Bytes,
        /// Unix seconds.
        release_at: i64,
        /// Who may cancel it.
        cancel_pk: CancelPk,
    },
    /// Removes a held cell that is not due yet; that its cancel key asks for it was checked.
    Cancel {
        /// The grant.
        send_id: SendId,
        /// The cell.
        msg_id: MsgId,
    },
    /// Deletes cells up to and including `upto`, and lengthens the mailbox's life.
    Trim {
        /// The mailbox.
        recv_id: RecvId,
        /// A sequence number.
        upto: u64,
    },
    /// Forgets a mailbox, its grants and its cells.
    Delete {
        /// The mailbox.
        recv_id: RecvId,
    },
    /// Appends an entry to a slot. The same entry again gets the place that it has.
    SlotAppend {
        /// The slot.
        slot_id: SlotId,
        /// The entry.
        entry: SlotEntry,
        /// Whether admission was paid; asked for the first entry only.
        paid: bool,
    },
    /// Publishes a version of a notice. The same version with the same hash again lengthens its life.
    NoticePut {
        /// The notice.
        notice_id: NoticeId,
        /// The version.
        notice: Notice,
        /// Whether admission was paid; asked for the first version only.
        paid: bool,
    },
    /// Writes a blob, once. The same again changes nothing, another one under its id is a conflict.
    BlobPut {
        /// Derived from the fetch key by the relay.
        fetch_id: FetchId,
        /// Derived from fetch id and delete key by the relay.
        delete_id: DeleteId,
        /// The blob.
        blob: Blob,
        /// Whether admission was paid; asked when it is not there yet.
        paid: bool,
    },
    /// Forgets a blob.
    BlobDelete {
        /// The blob.
        delete_id: DeleteId,
    },
}

impl Mutation {
    /// The same change, paid for or not, where that is asked.
    #[must_use]
    pub(crate) fn with_payment(mut self, is_paid: bool) -> Self {
        match &mut self {
            Self::Create { paid, .. }
            | Self::Append { paid, .. }
            | Self::SlotAppend { paid, .. }
            | Self::NoticePut { paid, .. }
            | Self::BlobPut { paid, .. } => *paid = is_paid,
            _ => {}
        }
        self
    }
}

/// What is remembered of a token, so that it is spent once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SpentToken {
    /// A hash of what was signed.
    pub id: [u8; 32],
    /// The last day on which its key is valid, counted from 1970-01-01; then it is forgotten.
    pub last_day: u32,
}

impl std::fmt::Debug for SpentToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpentToken")
    }
}

/// What became of a mutation. Durable when told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Done, now or at an earlier attempt.
    Done,
    /// The entry has this place.
    Placed(u32),
    /// Unknown mailbox or grant.
    Unknown,
    /// A quota or a ceiling is reached; room may come.
    Full,
    /// The slot has its four entries; room never comes.
    SlotFull,
    /// Not a newer version, or not the blob that stands there.
    Conflict,
    /// Admission or work was not paid.
    Unpaid,
}

/// One entry of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotEntry {
    /// By the slot's key.
    pub signature: Signature,
    /// Over all payloads.
    pub hash: Hash,
    /// 1 to 4 cells.
    pub payloads: Vec<Bytes>,
}

/// One version of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The version.
    pub version: u64,
    /// By the publisher.
    pub signature: Signature,
    /// Over all payloads.
    pub hash: Hash,
    /// 1 to 16 payloads.
    pub payloads: Vec<Bytes>,
}

/// A blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Who may fetch it.
    pub fetch_pk: FetchPk,
    /// Who may delete it.
    pub delete_pk: DeletePk,
    /// Its size.
    pub size: BlobSize,
    /// Days that it lives.
    pub ttl_days: u32,
    /// Over all payloads.
    pub hash: Hash,
    /// All its payloads.
    pub payloads: Vec<Bytes>,
}

/// Some payloads of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobPage {
    /// In order.
    pub payloads: Vec<Bytes>,
    /// How many the blob has.
    pub count: u32,
}

/// A cell that waits in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCell {
    /// Its place; counts up, never used twice.
    pub seq: u64,
    /// Its grant's label.
    pub label: Label,
    /// 15,024 bytes.
    pub cell: Bytes,
}

/// A piece of a mailbox.
#[derive(Clone, Debug)]
pub struct Page {
    /// In order.
    pub cells: Vec<Arc<StoredCell>>,
    /// The `since` to go on from.
    pub next: u64,
    /// Whether cells were left after `next`.
    pub more: bool,
}

/// Whose key to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// A mailbox's owner.
    Owner(RecvId),
    /// A grant's holder.
    Sender(SendId),
    /// Whoever may cancel a held cell; the key is an Ed25519 one.
    Canceller(SendId, MsgId),
    /// A blob's reader.
    Fetcher(FetchId),
    /// A blob's writer.
    Deleter(DeleteId),
    /// Nobody's: a token that was spent, by what is remembered of it. The answer is that again.
    Spent([u8; 32]),
}

/// A commit under way: resolves once its mutations are durable, one outcome each, in order.
#[derive(Debug)]
pub struct Committing(oneshot::Receiver<Result<Vec<Outcome>, StoreError>>);

impl Committing {
    pub(crate) fn new() -> (Reply, Self) {
        let (tx, rx) = oneshot::channel();
        (tx, Self(rx))
    }
}

pub(crate) type Reply = oneshot::Sender<Result<Vec<Outcome>, StoreError>>;

impl Future for Committing {
    type Output = Result<Vec<Outcome>, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|reply| reply.unwrap_or(Err(StoreError::Closed)))
    }
}

/// A storage engine. `now` is Unix seconds.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Takes mutations in. They are applied in the order of the calls; the answer comes when they are durable.
    /// Waits while the engine's queue is full. Dropping the answer does not take the mutations back.
    ///
    /// # Errors
    /// [`StoreError::Closed`] after [`Store::close`].
    async fn submit(&self, now: i64, batch: Vec<Mutation>) -> Result<Committing, StoreError>;

    /// [`Store::submit`], and its answer.
    ///
    /// # Errors
    /// [`StoreError`]; then none of the batch was acknowledged, and any of it may or may not be there.
    async fn apply(&self, now: i64, batch: Vec<Mutation>) -> Result<Vec<Outcome>, StoreError> {
        self.submit(now, batch).await?.await
    }

    /// The public key that authenticates a capability; `None` when it is unknown, revoked or expired.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn key_of(&self, now: i64, who: Capability) -> Result<Option<[u8; 32]>, StoreError>;

    /// Up to `max` cells after `since`; `None` for an unknown mailbox.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read(
        &self,
        now: i64,
        recv_id: RecvId,
        since: u64,
        max: u32,
    ) -> Result<Option<Page>, StoreError>;

    /// A slot's entries in their order; none for an unknown slot.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn slot(&self, now: i64, slot_id: SlotId) -> Result<Vec<SlotEntry>, StoreError>;

    /// A notice's newest version.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn notice(&self, now: i64, notice_id: NoticeId) -> Result<Option<Notice>, StoreError>;

    /// Up to `max` payloads of a blob from number `first` on; `None` for an unknown blob.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn blob(
        &self,
        now: i64,
        fetch_id: FetchId,
        first: u32,
        max: u32,
    ) -> Result<Option<BlobPage>, StoreError>;

    /// Tells of cells as they are committed, in order. Watch first, then read up to the end, then listen.
    fn watch(&self, recv_id: RecvId) -> Watch;

    /// Appends the held cells whose time has come; watchers hear of them. Also happens before each batch. Answers how
    /// many there were, and costs next to nothing when there were none, so ask often.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn release(&self, now: i64) -> Result<u64, StoreError>;

    /// Removes what expired, and destroys the keys of days that are past. Answers how many rows went.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sweep(&self, now: i64) -> Result<u64, StoreError>;

    /// Commits what was taken in and lets the files go. Later calls answer [`StoreError::Closed`].
    async fn close(&self);
}
