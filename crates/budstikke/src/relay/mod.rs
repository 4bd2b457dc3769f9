//! A typed client of one relay (SPEC.md section 5): connects when first needed, reconnects when lost, checks every
//! word that a relay signs and bounds every word that it does not.
//!
//! One long stream carries all requests, each answered in its own time; every subscription has a stream of its own.

mod assemble;
mod error;
mod pending;
mod session;
mod subscription;
mod types;
mod work;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{CancelPk, Label, MsgId, NoticeId, RecvId, SendId, SendPk, SlotId};
use budstikke_proto::limits::{
    CELL_LEN, MAX_NOTICE_PARTS, MAX_QUOTA, MAX_READ, MAX_SLOT_CELLS, MAX_SLOT_ENTRIES,
    MAX_TTL_DAYS, RELEASE_STEP_S,
};
use budstikke_proto::op::{Part, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::slot::{payload_hash, sign_entry};
use budstikke_proto::work::{Purpose, Solution};
use budstikke_proto::{held, notice};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::transport::{Transport, TransportError};
use pending::Answer;
use session::{Ask, Session};

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

    /// Makes the mailbox that `owner` owns, or finds it again; does the proof of work if the relay wants one.
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for a life of 0 or more than 90 days, else [`RelayError`].
    pub async fn create(&self, owner: &CapabilityKey, ttl_days: u32) -> Result<RecvId, RelayError> {
        within(ttl_days, MAX_TTL_DAYS, "the mailbox's life in days")?;
        let recv_pk = owner.recv_pk();
        let purpose = Purpose::Create(*recv_pk.as_bytes());
        let answer = self
            .run(|session| async move {
                let ask = |work| Ask::new(Some(owner), Request::Create { recv_pk, ttl_days, work });
                // Finding a mailbox again, which lengthens its life, costs no work.
                with_work(&session, purpose, false, ask).await
            })
            .await?;
        match answer.last {
            Response::Created { recv_id } => Ok(recv_id),
            _ => Err(RelayError::Protocol("its answer belongs to another request")),
        }
    }

    /// Lets the holder of `send_pk`'s private half append to the mailbox: up to `quota` cells that wait, each marked
    /// with `label`; each with proof of work if `work_required` (a front door). Asking again finds the same grant.
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for a quota of 0 or more than 4,096, else [`RelayError`].
    pub async fn grant(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        send_pk: SendPk,
        label: Label,
        quota: u32,
        work_required: bool,
    ) -> Result<SendId, RelayError> {
        within(quota, MAX_QUOTA, "the grant's quota")?;
        let request = Request::Grant { recv_id, send_pk, label, quota, work_required };
        match self.ask(owner, request).await?.last {
            Response::Granted { send_id } => Ok(send_id),
            _ => Err(RelayError::Protocol("its answer belongs to another request")),
        }
    }

    /// Ends a grant. What came through it stays.
    ///
    /// # Errors
    /// [`RelayError::Refused`] also when it has already ended, by an earlier attempt perhaps; else [`RelayError`].
    pub async fn revoke(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        send_id: SendId,
    ) -> Result<(), RelayError> {
        assemble::done(&self.ask(owner, Request::Revoke { recv_id, send_id }).await?)
    }

    /// Appends a cell of 15,024 bytes. `Ok` means that it is durable at the relay. A repeat with the same `msg_id` is
    /// stored once. `front_door` says that the grant wants proof of work, which is then done.
    ///
    /// # Errors
    /// [`RelayError::Full`] until the reader trims, [`RelayError::WorkRequired`] for a front door that was not called
    /// one, else [`RelayError`].
    pub async fn send(
        &self,
        key: &CapabilityKey,
        send_id: SendId,
        msg_id: MsgId,
        cell: Vec<u8>,
        front_door: bool,
    ) -> Result<(), RelayError> {
        whole(&cell)?;
        let (purpose, cell) = (Purpose::FrontDoor(*send_id.as_bytes()), &cell);
        let answer = self
            .run(|session| async move {
                let ask = |work| Ask {
                    key: Some(key),
                    frames: vec![(Request::Send { send_id, msg_id, work }, Some(cell.clone()))],
                    max_pushes: 0,
                };
                if front_door {
                    let wanted = session.descriptor.front_door_effort > 0;
                    with_work(&session, purpose, wanted, ask).await
                } else {
                    session.call(ask(None)).await
                }
            })
            .await?;
        assemble::done(&answer)
    }

    /// Leaves a cell of 15,024 bytes with the relay, to be appended at `release_at` (Unix seconds, a whole minute, at most
    /// 28 days ahead) unless the holder of `cancel_pk`'s private half cancels it. A time that is not in the future makes
    /// it an ordinary send. `Ok` means that it is durable; a repeat with the same `msg_id` changes nothing.
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for a time that is no whole minute, [`RelayError::Refused`] also at a front door, which
    /// holds nothing; else as [`Self::send`].
    pub async fn hold(
        &self,
        key: &CapabilityKey,
        send_id: SendId,
        msg_id: MsgId,
        cell: Vec<u8>,
        release_at: i64,
        cancel_pk: CancelPk,
    ) -> Result<(), RelayError> {
        whole(&cell)?;
        if release_at <= 0 || release_at % RELEASE_STEP_S != 0 {
            return Err(RelayError::Invalid("the release time"));
        }
        let cell = &cell;
        let answer = self
            .run(|session| async move {
                let request = Request::Hold { send_id, msg_id, release_at, cancel_pk };
                let frames = vec![(request, Some(cell.clone()))];
                session.call(Ask { key: Some(key), frames, max_pushes: 0 }).await
            })
            .await?;
        assemble::done(&answer)
    }

    /// Removes a held cell before its time. Needs no right but its cancel key.
    ///
    /// # Errors
    /// [`RelayError::Refused`] when the relay holds no such cell: it was released, is due, or was cancelled, by an earlier
    /// attempt perhaps; else [`RelayError`].
    pub async fn cancel_held(
        &self,
        key: &SigningSeed,
        send_id: SendId,
        msg_id: MsgId,
    ) -> Result<(), RelayError> {
        let signature = held::sign_cancel(key, &send_id, &msg_id);
        let request = Request::Cancel { send_id, msg_id, signature };
        assemble::done(&self.ask_many(None, request, 0).await?)
    }

    /// Reads up to `max` (1 to 256) cells with numbers above `since`. Nothing is deleted.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn read(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        since: u64,
        max: u32,
    ) -> Result<Page, RelayError> {
        within(max, MAX_READ, "the number of cells to read")?;
        let request = Request::Read { recv_id, since, max };
        assemble::page(self.ask_many(Some(owner), request, max).await?, since)
    }

    /// Reads on and on, first what waits above `since`, then what arrives. A mailbox that the relay refuses is told
    /// by the first [`Subscription::next`]. A relay allows about fifteen subscriptions on one connection.
    ///
    /// # Errors
    /// [`TransportError::TimedOut`] when there are too many, else [`RelayError`].
    pub async fn subscribe(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        since: u64,
    ) -> Result<Subscription, RelayError> {
        let now = self.inner.clock.now();
        self.run(|session| async move {
            let hold = session.hold();
            let request = Request::Subscribe { recv_id, since };
            let (stream, number) = session.open_with(owner, request, now).await?;
            Ok(Subscription::new(session, hold, stream, number, since))
        })
        .await
    }

    /// Deletes the cells up to and including number `upto`. For a mailbox that others read too, only when all have.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn trim(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        upto: u64,
    ) -> Result<(), RelayError> {
        assemble::done(&self.ask(owner, Request::Trim { recv_id, upto }).await?)
    }

    /// Deletes the mailbox, its grants and its cells.
    ///
    /// # Errors
    /// [`RelayError::Refused`] also when it is already gone, by an earlier attempt perhaps; else [`RelayError`].
    pub async fn delete(&self, owner: &CapabilityKey, recv_id: RecvId) -> Result<(), RelayError> {
        assemble::done(&self.ask(owner, Request::Delete { recv_id }).await?)
    }

    /// Appends an entry of 1 to 4 cells to the slot of this key; does the proof of work if the relay wants one. The
    /// receipt says at which place it stands; only [`Self::slot_read`] says what stands before it.
    ///
    /// # Errors
    /// [`RelayError::Full`] when four entries stand there already, else [`RelayError`].
    pub async fn slot_append(
        &self,
        key: &SigningSeed,
        cells: Vec<Vec<u8>>,
    ) -> Result<SlotReceipt, RelayError> {
        let count = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        within(count, MAX_SLOT_CELLS, "the number of cells in the entry")?;
        cells.iter().try_for_each(|cell| whole(cell))?;
        let slot_id = SlotId::from_bytes(key.public());
        let hash = payload_hash(cells.iter().map(Vec::as_slice));
        let signature = sign_entry(key, count, &hash);
        let purpose = Purpose::Slot(*slot_id.as_bytes());
        let cells = &cells;
        self.run(|session| async move {
            let ask = |work: Option<Solution>| {
                parts(cells, |index| Request::SlotAppend {
                    slot_id,
                    part: Part { index, count, signature },
                    work: work.filter(|_| index == 0),
                })
            };
            // Nearly every append is the first of its slot, so the work is done before it is asked for.
            let wanted = session.descriptor.work_effort > 0;
            let answer = with_work(&session, purpose, wanted, ask).await?;
            assemble::receipt(&answer, slot_id, hash, &session.descriptor.identity_pk)
        })
        .await
    }

    /// Reads all entries of a slot, at most four, in order of arrival. None for a slot that nobody wrote to.
    ///
    /// # Errors
    /// [`RelayError`]; an entry with a bad signature is no error but marked ([`SlotEntry::standing`]).
    pub async fn slot_read(&self, slot_id: SlotId) -> Result<Vec<SlotEntry>, RelayError> {
        self.run(|session| async move {
            let max = MAX_SLOT_ENTRIES * MAX_SLOT_CELLS;
            let ask = Ask {
                max_pushes: usize::try_from(max).unwrap_or(usize::MAX),
                ..Ask::new(None, Request::SlotRead { slot_id })
            };
            match session.call(ask).await {
                // It needs no right to be asked, so a refusal can only mean that there is nothing.
                Err(RelayError::Refused) => Ok(Vec::new()),
                answer => {
                    let relay_pk = &session.descriptor.identity_pk;
                    assemble::slot_entries(answer?, &slot_id, relay_pk)
                }
            }
        })
        .await
    }

    /// Publishes `content` (at most 240,380 bytes) as this version of the key's notice; does the proof of work if the
    /// relay wants one.
    ///
    /// # Errors
    /// [`RelayError::Conflict`] when the relay has this version with other content, or a higher one, else
    /// [`RelayError`].
    pub async fn notice_put(
        &self,
        key: &SigningSeed,
        version: u64,
        content: &[u8],
    ) -> Result<(), RelayError> {
        let payloads =
            notice::to_payloads(content).map_err(|_| RelayError::Invalid("the notice's length"))?;
        let count = u32::try_from(payloads.len()).unwrap_or(u32::MAX);
        let notice_id = NoticeId::from_bytes(key.public());
        let hash = payload_hash(payloads.iter().map(Vec::as_slice));
        let signature = notice::sign(key, version, count, &hash);
        let purpose = Purpose::Notice(*notice_id.as_bytes());
        let payloads = &payloads;
        let answer = self
            .run(|session| async move {
                let ask = |work: Option<Solution>| {
                    parts(payloads, |index| Request::NoticePut {
                        notice_id,
                        version,
                        part: Part { index, count, signature },
                        work: work.filter(|_| index == 0),
                    })
                };
                // Most puts replace a version, which costs no work.
                with_work(&session, purpose, false, ask).await
            })
            .await?;
        assemble::done(&answer)
    }

    /// Fetches a notice's newest version, or `None` when the relay has none. A relay can show an old version: compare
    /// with the highest seen.
    ///
    /// # Errors
    /// [`RelayError::Protocol`] when the publisher's signature does not verify, else [`RelayError`].
    pub async fn notice_get(&self, notice_id: NoticeId) -> Result<Option<Notice>, RelayError> {
        let request = Request::NoticeGet { notice_id };
        match self.ask_many(None, request, MAX_NOTICE_PARTS).await {
            // It needs no right to be asked, so a refusal can only mean that there is nothing.
            Err(RelayError::Refused) => Ok(None),
            answer => assemble::notice(answer?, &notice_id),
        }
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
