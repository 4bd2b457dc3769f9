//! Wakes readers, and hands them live cells from memory.
//!
//! Each watch holds at most [`QUEUE_LEN`] cells, shared with all other watches. When its reader is slower than
//! that, the queue is emptied and the reader is told to go to the disk: no reader makes the relay's memory grow.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use budstikke_proto::id::RecvId;
use tokio::sync::Notify;

use super::StoredCell;

/// Cells that wait in memory for one reader.
pub(crate) const QUEUE_LEN: usize = 16;

/// What a watcher is told.
#[derive(Clone, Debug)]
pub enum WatchEvent {
    /// The next cell.
    Cell(Arc<StoredCell>),
    /// Cells came that are not handed over: read them from the store.
    Behind,
    /// The mailbox was deleted.
    Gone,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<StoredCell>>,
    behind: bool,
    gone: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Notify,
}

type Watchers = HashMap<RecvId, Vec<Arc<Shared>>>;

#[derive(Clone, Default)]
pub(crate) struct Hub(Arc<Mutex<Watchers>>);

impl Hub {
    pub(crate) fn watch(&self, recv_id: RecvId) -> Watch {
        let shared = Arc::new(Shared::default());
        lock(&self.0).entry(recv_id).or_default().push(Arc::clone(&shared));
        Watch { hub: self.clone(), recv_id, shared }
    }

    /// Tells of a committed cell. The engine calls this in the order of the sequence numbers.
    pub(crate) fn publish(&self, recv_id: &RecvId, cell: &Arc<StoredCell>) {
        self.each(recv_id, |state| {
            if state.behind {
                return;
            }
            if state.queue.len() >= QUEUE_LEN {
                state.queue.clear();
                state.behind = true;
            } else {
                state.queue.push_back(Arc::clone(cell));
            }
        });
    }

    pub(crate) fn gone(&self, recv_id: &RecvId) {
        self.each(recv_id, |state| state.gone = true);
    }

    fn each(&self, recv_id: &RecvId, change: impl Fn(&mut State)) {
        for shared in lock(&self.0).get(recv_id).into_iter().flatten() {
            change(&mut lock(&shared.state));
            shared.wake.notify_one();
        }
    }
}

/// One reader's place at a mailbox. Dropping it ends it.
pub struct Watch {
    hub: Hub,
    recv_id: RecvId,
    shared: Arc<Shared>,
}

impl Watch {
    /// Waits for the next event. Cancel-safe: an event that was not returned stays.
    pub async fn next(&mut self) -> WatchEvent {
        loop {
            {
                let mut state = lock(&self.shared.state);
                if state.gone {
                    return WatchEvent::Gone;
                }
                if state.behind {
                    state.behind = false;
                    return WatchEvent::Behind;
                }
                if let Some(cell) = state.queue.pop_front() {
                    return WatchEvent::Cell(cell);
                }
            }
            self.shared.wake.notified().await;
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watchers = lock(&self.hub.0);
        if let Some(list) = watchers.get_mut(&self.recv_id) {
            list.retain(|other| !Arc::ptr_eq(other, &self.shared));
            if list.is_empty() {
                watchers.remove(&self.recv_id);
            }
        }
    }
}

// Nothing inside the locks can panic half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use budstikke_proto::id::Label;
    use bytes::Bytes;

    fn cell(seq: u64) -> Arc<StoredCell> {
        Arc::new(StoredCell { seq, label: Label::from_bytes([1; 16]), cell: Bytes::new() })
    }

    #[tokio::test]
    async fn a_slow_reader_is_sent_to_the_disk_and_then_hears_again() {
        let (hub, id) = (Hub::default(), RecvId::from_bytes([1; 32]));
        let mut watch = hub.watch(id);
        for seq in 0..100 {
            hub.publish(&id, &cell(seq));
        }
        assert!(lock(&watch.shared.state).queue.len() <= QUEUE_LEN);
        assert!(matches!(watch.next().await, WatchEvent::Behind));
        hub.publish(&id, &cell(100));
        assert!(matches!(watch.next().await, WatchEvent::Cell(cell) if cell.seq == 100));
        hub.gone(&id);
        assert!(matches!(watch.next().await, WatchEvent::Gone));
        drop(watch);
        assert!(lock(&hub.0).is_empty());
    }
}
