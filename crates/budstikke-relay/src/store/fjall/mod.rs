//! The durable engine: fjall, a log-structured key-value store, with one storage thread that commits whatever
//! arrived meanwhile (up to 256 mutations) as one write transaction, synced before anything is acknowledged.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ::fjall::PersistMode;
use async_trait::async_trait;
use budstikke_proto::id::{FetchId, NoticeId, RecvId, SlotId};
use tokio::sync::{mpsc, oneshot};

use super::hub::Hub;
use super::rules::{Limits, day_of};
use super::{
    BlobPage, Capability, Committing, GROUP_LEN, Mutation, Notice, Page, Reply, SlotEntry, Store,
    StoreError, Watch,
};
use crate::log;

mod due;
mod files;
mod group;
mod inventory;
mod room;
mod rows;
mod seal;
mod tables;

pub use files::{StoreFile, damaged_files};
use group::{Group, InMemory, Told};
pub use inventory::inventory;
pub use seal::StoreKey;
use tables::Tables;

/// Submissions that wait for the storage thread.
const QUEUE_LEN: usize = 256;
/// Rows that one step of a sweep removes; sends go on between the steps.
const SWEEP_LEN: usize = 1_024;

/// The durable store.
pub struct FjallStore {
    jobs: mpsc::Sender<Job>,
    tables: RwLock<Option<Arc<Tables>>>,
    hub: Hub,
    /// When a held cell is due next; the storage thread keeps it.
    next_due: Arc<AtomicI64>,
}

enum Job {
    Apply {
        now: i64,
        batch: Vec<Mutation>,
        reply: Reply,
    },
    /// Appends some held cells whose time has come; answers how many.
    Release {
        now: i64,
        reply: oneshot::Sender<Result<u64, StoreError>>,
    },
    /// Removes some rows of past days; answers how many, or `None` when no past day is left.
    Sweep {
        now: i64,
        reply: oneshot::Sender<Result<Option<u64>, StoreError>>,
    },
    Close(oneshot::Sender<()>),
}

impl FjallStore {
    /// Opens the store in a folder, making it when there is none.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Damaged`] when the store key is another
    /// one, [`StoreError::DamagedFile`], [`StoreError::Disk`].
    pub fn open(folder: &Path, key: &StoreKey, limits: Limits) -> Result<Self, StoreError> {
        Self::open_unnamed(folder, key, limits).map_err(|error| match error {
            StoreError::Damaged => files::blame(folder).unwrap_or(error),
            other => other,
        })
    }

    fn open_unnamed(folder: &Path, key: &StoreKey, limits: Limits) -> Result<Self, StoreError> {
        let tables = Arc::new(Tables::open(folder, key)?);
        let hub = Hub::default();
        let (jobs, queue) = mpsc::channel(QUEUE_LEN);
        let memory = InMemory { due: tables.load_due()?, room: tables.load_room()? };
        let next_due = Arc::new(AtomicI64::new(memory.due.next()));
        let worker = Worker {
            tables: Arc::clone(&tables),
            memory,
            next_due: Arc::clone(&next_due),
            hub: hub.clone(),
            limits,
            poisoned: false,
        };
        std::thread::Builder::new()
            .name("budstikke-store".into())
            .spawn(move || worker.run(queue))
            .map_err(|_| StoreError::Disk)?;
        Ok(Self { jobs, tables: RwLock::new(Some(tables)), hub, next_due })
    }

    fn tables(&self) -> Result<Arc<Tables>, StoreError> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.clone().ok_or(StoreError::Closed)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let tables = self.tables()?;
        let task = tokio::task::spawn_blocking(move || {
            let found = read(&tables);
            if matches!(found, Err(StoreError::Damaged)) {
                tables.blame();
            }
            found
        });
        task.await.map_err(|_| StoreError::Closed)?
    }
}

impl std::fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FjallStore")
    }
}

#[async_trait]
impl Store for FjallStore {
    async fn submit(&self, now: i64, batch: Vec<Mutation>) -> Result<Committing, StoreError> {
        let (reply, committing) = Committing::new();
        let job = Job::Apply { now, batch, reply };
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        Ok(committing)
    }

    async fn key_of(&self, now: i64, who: Capability) -> Result<Option<[u8; 32]>, StoreError> {
        let key = self.blocking(move |tables| match who {
            Capability::Owner(id) => tables.owner_key(day_of(now), &id),
            Capability::Sender(id) => tables.sender_key(day_of(now), &id),
            Capability::Canceller(id, msg_id) => tables.cancel_key(now, &id, &msg_id),
            Capability::Fetcher(id) => tables.fetch_key(day_of(now), &id),
            Capability::Deleter(id) => tables.delete_key(day_of(now), &id),
            Capability::Spent(id) => tables.spent(day_of(now), &id),
        });
        let key = key.await?;
        key.map(|key| key.try_into().map_err(|_| StoreError::Damaged)).transpose()
    }

    async fn read(
        &self,
        now: i64,
        recv_id: RecvId,
        since: u64,
        max: u32,
    ) -> Result<Option<Page>, StoreError> {
        self.blocking(move |tables| tables.read(day_of(now), &recv_id, since, max)).await
    }

    async fn slot(&self, now: i64, slot_id: SlotId) -> Result<Vec<SlotEntry>, StoreError> {
        self.blocking(move |tables| {
            tables.slot_entries(&tables.db.read_tx(), day_of(now), &slot_id)
        })
        .await
    }

    async fn notice(&self, now: i64, notice_id: NoticeId) -> Result<Option<Notice>, StoreError> {
        self.blocking(move |tables| tables.read_notice(day_of(now), &notice_id)).await
    }

    async fn blob(
        &self,
        now: i64,
        fetch_id: FetchId,
        first: u32,
        max: u32,
    ) -> Result<Option<BlobPage>, StoreError> {
        self.blocking(move |tables| tables.read_blob(day_of(now), &fetch_id, first, max)).await
    }

    fn watch(&self, recv_id: RecvId) -> Watch {
        self.hub.watch(recv_id)
    }

    async fn release(&self, now: i64) -> Result<u64, StoreError> {
        let mut total: u64 = 0;
        while self.next_due.load(Ordering::Acquire) <= now {
            let (reply, answer) = oneshot::channel();
            let job = Job::Release { now, reply };
            self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
            total += answer.await.map_err(|_| StoreError::Closed)??;
        }
        Ok(total)
    }

    async fn sweep(&self, now: i64) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let (reply, answer) = oneshot::channel();
            let job = Job::Sweep { now, reply };
            self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
            match answer.await.map_err(|_| StoreError::Closed)?? {
                Some(count) => total += count,
                None => return Ok(total),
            }
        }
    }

    async fn close(&self) {
        let (reply, done) = oneshot::channel();
        if self.jobs.send(Job::Close(reply)).await.is_ok() {
            // The thread ends after its answer, or has ended: closed either way.
            let _ = done.await;
        }
        self.tables.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The storage thread.
struct Worker {
    tables: Arc<Tables>,
    memory: InMemory,
    next_due: Arc<AtomicI64>,
    hub: Hub,
    limits: Limits,
    /// A commit failed. What the disk holds is uncertain, so nothing is acknowledged until a restart.
    poisoned: bool,
}

impl Worker {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| queue.blocking_recv()) {
            match job {
                Job::Apply { now, batch, reply } => {
                    let mut count = batch.len();
                    let mut group = vec![(now, batch, reply)];
                    while count < GROUP_LEN && next.is_none() {
                        match queue.try_recv() {
                            Ok(Job::Apply { now, batch, reply }) => {
                                count += batch.len();
                                group.push((now, batch, reply));
                            }
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.commit(group);
                }
                Job::Sweep { now, reply } => {
                    // Whoever asked may have gone; the rows are gone all the same.
                    let _ = reply.send(self.sweep(now));
                }
                Job::Release { now, reply } => {
                    // Whoever asked may have gone; the cells are out all the same.
                    let _ = reply.send(self.release(now));
                }
                Job::Close(reply) => {
                    queue.close();
                    if !self.poisoned && self.tables.mark().is_err() {
                        log::warn("the journal's end could not be noted", &[]);
                    }
                    drop(self);
                    let _ = reply.send(());
                    return;
                }
            }
        }
    }

    fn commit(&mut self, jobs: Vec<(i64, Vec<Mutation>, Reply)>) {
        // A commit of nothing asks whether there could be one: the engine's own threads may have met the fault.
        let nothing = jobs.iter().all(|(_, batch, _)| batch.is_empty());
        let able = || self.tables.db.persist(PersistMode::Buffer).map_err(StoreError::from);
        let unable = if nothing { able().err() } else { None };
        let mut replies = Vec::with_capacity(jobs.len());
        let mut group = Group::new(&self.tables, &mut self.memory, self.limits);
        let mut fault = self.poisoned.then_some(StoreError::Disk).or(unable);
        for (now, batch, reply) in jobs {
            if fault.is_none() {
                fault = group.release(now, GROUP_LEN).err();
            }
            let mut outcomes = Ok(Vec::with_capacity(batch.len()));
            for mutation in batch {
                if fault.is_some() {
                    break;
                }
                match (group.apply(now, mutation), &mut outcomes) {
                    (Ok(outcome), Ok(list)) => list.push(outcome),
                    (Ok(_), Err(_)) => {}
                    (Err(StoreError::Damaged), _) => {
                        self.tables.blame();
                        outcomes = Err(StoreError::Damaged);
                    }
                    (Err(error), _) => fault = Some(error),
                }
            }
            replies.push((reply, outcomes));
        }
        let committed = match fault {
            None => group.commit(),
            Some(error) => {
                drop(group);
                Err(error)
            }
        };
        match self.settle(committed) {
            Ok(()) => {
                metrics::counter!("budstikke_commits_total").increment(1);
                for (reply, outcomes) in replies {
                    // A client that left gets no answer; its cells are stored.
                    let _ = reply.send(outcomes);
                }
            }
            Err(error) => {
                for (reply, _) in replies {
                    let _ = reply.send(Err(error));
                }
            }
        }
    }

    /// After a commit: tells the watchers, or stops all writing.
    fn settle(&mut self, committed: Result<Vec<Told>, StoreError>) -> Result<(), StoreError> {
        self.next_due.store(self.memory.due.next(), Ordering::Release);
        match committed {
            Ok(told) => {
                for told in told {
                    match told {
                        Told::Cell(recv_id, cell) => self.hub.publish(&recv_id, &cell),
                        Told::Gone(recv_id) => self.hub.gone(&recv_id),
                    }
                }
                Ok(())
            }
            Err(error) => {
                if !std::mem::replace(&mut self.poisoned, true) {
                    log::error(
                        "a commit failed: nothing more is stored until a restart",
                        &[("error", &error)],
                    );
                }
                Err(error)
            }
        }
    }

    fn release(&mut self, now: i64) -> Result<u64, StoreError> {
        if self.poisoned {
            return Err(StoreError::Disk);
        }
        let mut group = Group::new(&self.tables, &mut self.memory, self.limits);
        let (count, committed) = match group.release(now, GROUP_LEN) {
            Ok(count) => (count, group.commit()),
            Err(error) => {
                drop(group);
                (0, Err(error))
            }
        };
        self.settle(committed)?;
        Ok(count)
    }

    fn sweep(&mut self, now: i64) -> Result<Option<u64>, StoreError> {
        // A held cell of a past day is released before that day's key goes.
        if self.memory.due.next() <= now {
            self.release(now)?;
            return Ok(Some(0));
        }
        let today = day_of(now);
        let Some(day) = self.first_day()?.filter(|day| *day < today) else { return Ok(None) };
        if self.poisoned {
            return Err(StoreError::Disk);
        }
        let mut group = Group::new(&self.tables, &mut self.memory, self.limits);
        let (removed, committed) = match group.expire(day, SWEEP_LEN) {
            Ok(removed) => (removed, group.commit()),
            // One row; nothing was written yet.
            Err(StoreError::Damaged) => return Err(StoreError::Damaged),
            Err(error) => {
                drop(group);
                (None, Err(error))
            }
        };
        self.settle(committed)?;
        if removed.is_none() {
            self.tables.sealer.forget_day(day);
            // Rewrites the few kilobytes of this keyspace, so that the wrapped key leaves its files too.
            self.tables.days.inner().rotate_memtable_and_wait()?;
            self.tables.days.inner().major_compact()?;
        }
        Ok(Some(removed.unwrap_or(0)))
    }

    fn first_day(&self) -> Result<Option<u32>, StoreError> {
        use ::fjall::Readable;
        let Some(first) = self.tables.db.read_tx().first_key_value(&self.tables.days) else {
            return Ok(None);
        };
        // The key check's name sorts after every day of the next four million years.
        Ok(<[u8; 4]>::try_from(first.key()?.as_ref()).ok().map(u32::from_be_bytes))
    }
}

#[cfg(test)]
mod damage;
#[cfg(test)]
mod tests;
