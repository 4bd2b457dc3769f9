//! A client that does nothing wrong, while others do.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails loudly")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use budstikke_proto::auth::CapabilityKey;
use rand_core::OsRng;

use crate::raw::Raw;
use crate::relay_process::RelayProcess;

/// Connects and reads its mailbox, again and again, until told to stop. Counts what was answered.
pub struct Honest {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    slowest: tokio::task::JoinHandle<Duration>,
}

impl Honest {
    /// Begins.
    ///
    /// # Panics
    /// Its task does when it is not served.
    pub fn start(relay: &RelayProcess) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (address, until, count) =
            (relay.address.clone(), Arc::clone(&stop), Arc::clone(&answered));
        let slowest = tokio::spawn(async move {
            let (mut slowest, owner) = (Duration::ZERO, CapabilityKey::random(&mut OsRng));
            let raw = Raw::connect(&address).await.expect("an honest client gets in");
            let mut stream = raw.open().await.expect("a stream");
            let mailbox = stream.create(&owner, None).await.expect("a mailbox");
            while !until.load(Ordering::Relaxed) {
                let began = Instant::now();
                let raw = Raw::connect(&address).await.expect("an honest client gets in");
                let mut stream = raw.open().await.expect("a stream");
                stream.read_all(&owner, mailbox).await.expect("an answer");
                slowest = slowest.max(began.elapsed());
                count.fetch_add(1, Ordering::Relaxed);
            }
            slowest
        });
        Self { stop, answered, slowest }
    }

    /// Waits for `more` answers.
    ///
    /// # Panics
    /// When they do not come in a minute.
    pub async fn answered(&self, more: u64) {
        let wanted = self.answered.load(Ordering::Relaxed) + more;
        let reached = async {
            while self.answered.load(Ordering::Relaxed) < wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), reached).await.expect("answers in a minute");
    }

    /// Ends; answers how many rounds it had, and the longest.
    ///
    /// # Panics
    /// When a round failed.
    pub async fn end(self) -> (u64, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let slowest = self.slowest.await.unwrap();
        (self.answered.load(Ordering::Relaxed), slowest)
    }
}
