//! A typed client of one relay (SPEC.md section 5): connects when first needed, reconnects when lost, checks every
//! word that a relay signs and bounds every word that it does not.
//!
//! One long stream carries all requests, each answered in its own time; every subscription has a stream of its own.

mod assemble;
mod blob;
mod error;
mod mailbox;
mod notice;
mod pending;
mod session;
mod slot;
mod subscription;
mod transfer;
mod types;
mod work;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::limits::CELL_LEN;
use budstikke_proto::op::Request;
use budstikke_proto::work::{Purpose, Solution};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::transport::{Transport, TransportError};
use pending::Answer;
use session::{Ask, Session};

pub use blob::{BlobIds, Download};
pub use error::RelayError;
pub use subscription::Subscription;
pub use types::{Notice, Page, ReceivedCell, SlotEntry, SlotReceipt, Standing};

/// How patient a [`RelayClient`] is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RelayOptions {
    /// For one request and its whole answer, and for a stream's first words.
    pub request: Duration,
    /// For solving one challenge.
    pub work: Duration,
    /// After which a connection with neither request nor subscription is closed.
    pub idle: Duration,
    /// Attempts to connect, with growing pauses of a fifth of a second to three seconds between.
    pub connect_attempts: usize,
}

impl Default for RelayOptions {
    /// 60 s for a request (a notice of 16 frames on a slow line), 180 s for work, 30 s idle, 3 attempts.
    fn default() -> Self {
        Self {
            request: Duration::from_mins(1),
            work: Duration::from_mins(3),
            idle: Duration::from_secs(30),
            connect_attempts: 3,
        }
    }
}

/// A client of one relay; clones share one connection. When the last clone goes, so do its tasks, its subscriptions
/// and its connection, within a second.
///
/// Every operation is cancel-safe in this sense: dropping its future leaves the client sound, and the operation may
/// or may not happen at the relay. An operation whose connection breaks is repeated once on a new one: the relay does
/// none of them twice.
#[derive(Clone, Debug)]
pub struct RelayClient {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Arc<dyn Transport>,
    address: RelayAddress,
    clock: Clock,
    options: RelayOptions,
    session: tokio::sync::Mutex<Option<Arc<Session>>>,
    tasks: TaskTracker,
    closed: CancellationToken,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inner")
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

impl RelayClient {
    /// A client of the relay at this address. Connects with the first operation.
    pub fn new(transport: Arc<dyn Transport>, address: RelayAddress, clock: Clock) -> Self {
        Self::with_options(transport, address, clock, RelayOptions::default())
    }

    /// The same with other patience.
    pub fn with_options(
        transport: Arc<dyn Transport>,
        address: RelayAddress,
        clock: Clock,
        options: RelayOptions,
    ) -> Self {
        let inner = Inner {
            transport,
            address,
            clock,
            options,
            session: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            closed: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The relay that this is a client of.
    pub fn address(&self) -> &RelayAddress {
        &self.inner.address
    }

    /// The relay's identity key, which its address pins and which signs its receipts.
    ///
    /// # Errors
    /// [`RelayError`] when it is not reached.
    pub async fn identity_pk(&self) -> Result<[u8; 32], RelayError> {
        self.run(|session| async move { Ok(session.descriptor.identity_pk) }).await
    }

    /// Ends the connection and all subscriptions, and waits until every task is gone. Later operations give
    /// [`RelayError::ClientClosed`].
    pub async fn close(&self) {
        self.inner.closed.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    async fn ask(&self, key: &CapabilityKey, request: Request) -> Result<Answer, RelayError> {
        self.ask_many(Some(key), request, 0).await
    }

    async fn ask_many(
        &self,
        key: Option<&CapabilityKey>,
        request: Request,
        max_pushes: u32,
    ) -> Result<Answer, RelayError> {
        let max_pushes = usize::try_from(max_pushes).unwrap_or(usize::MAX);
        let request = &request;
        self.run(|session| async move {
            session.call(Ask { max_pushes, ..Ask::new(key, request.clone()) }).await
        })
        .await
    }

    /// Runs an operation on a session, and once more on a new one if the first broke under it.
    async fn run<T, F, Fut>(&self, operation: F) -> Result<T, RelayError>
    where
        F: Fn(Arc<Session>) -> Fut,
        Fut: Future<Output = Result<T, RelayError>>,
    {
        match operation(self.session().await?).await {
            Err(RelayError::Transport(TransportError::Closed)) => {
                operation(self.session().await?).await
            }
            result => result,
        }
    }

    /// The session, opened if there is none to use. Callers that come meanwhile wait for the same one.
    async fn session(&self) -> Result<Arc<Session>, RelayError> {
        let inner = &self.inner;
        let mut current = inner.session.lock().await;
        if inner.closed.is_cancelled() {
            return Err(RelayError::ClientClosed);
        }
        if let Some(session) = current.as_ref().filter(|it| it.is_usable(inner.clock.now())) {
            return Ok(Arc::clone(session));
        }
        *current = None;
        let pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(3))
            .with_max_times(inner.options.connect_attempts.saturating_sub(1));
        // Silence is not asked again: it has already cost a person's patience.
        let again = |error: &RelayError| {
            use TransportError::{Closed, Unreachable};
            matches!(error, RelayError::Transport(Unreachable | Closed))
        };
        let connect = (|| self.connect()).retry(pauses).when(again);
        let session = tokio::select! {
            () = inner.closed.cancelled() => return Err(RelayError::ClientClosed),
            session = connect => session?,
        };
        *current = Some(Arc::clone(&session));
        Ok(session)
    }

    async fn connect(&self) -> Result<Arc<Session>, RelayError> {
        let Inner { transport, address, clock, options, tasks, closed, .. } = &*self.inner;
        let connecting = transport.connect(address);
        let connection =
            timeout(options.request, connecting).await.map_err(|_| TransportError::TimedOut)??;
        let ended = closed.child_token();
        Session::start(connection, address.id, clock.now(), *options, tasks, ended).await
    }
}

/// Makes a request with work: beforehand if `now`, else if the relay asks. A challenge may grow stale while it is
/// solved, so the relay may ask once more.
async fn with_work<'a>(
    session: &Session,
    purpose: Purpose,
    now: bool,
    ask: impl Fn(Option<Solution>) -> Ask<'a>,
) -> Result<Answer, RelayError> {
    let mut work = None;
    if now {
        work = Some(session.work(purpose).await?);
    }
    match session.call(ask(work)).await {
        Err(RelayError::WorkRequired) => {
            let work = session.work(purpose).await?;
            session.call(ask(Some(work))).await
        }
        result => result,
    }
}

/// Consecutive frames of one request.
fn parts(payloads: &[Vec<u8>], request: impl Fn(u32) -> Request) -> Ask<'static> {
    let frames =
        (0..).zip(payloads).map(|(index, it)| (request(index), Some(it.clone()))).collect();
    Ask { key: None, frames, max_pushes: 0 }
}

fn within(value: u32, max: u32, what: &'static str) -> Result<(), RelayError> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(RelayError::Invalid(what)) }
}

fn whole(cell: &[u8]) -> Result<(), RelayError> {
    if cell.len() == CELL_LEN { Ok(()) } else { Err(RelayError::Invalid("the cell's length")) }
}
