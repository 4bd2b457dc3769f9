//! One session with a relay: a request stream whose answers come in any order, and the keys for its tags.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use budstikke_proto::auth::{CapabilityKey, SessionKey, SessionNonce, operation_hash};
use budstikke_proto::descriptor::Descriptor;
use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::id::RelayId;
use budstikke_proto::limits::TAG_LEN;
use budstikke_proto::op::{Request, Response};
use budstikke_proto::token::Token;
use budstikke_proto::work::{Purpose, Solution};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::pending::{Answer, Pending, Violation};
use super::transfer::Transfer;
use super::work::solve_within;
use super::{RelayError, RelayOptions};
use crate::transport::{Connection, FrameReceiver, FrameSender, FrameStream, TransportError};

/// Requests that may wait to be written; beyond them callers wait.
const OUTGOING: usize = 64;
/// Reads at once; a relay works on no more per stream and calls itself busy.
const MAX_QUERIES: usize = 8;
/// Blobs under way at once: each has a stream of its own, and a relay allows few beside the subscriptions.
const MAX_TRANSFERS: usize = 2;
/// Session keys that are remembered, each saving one X25519.
const MAX_KEYS: usize = 256;

/// A request to make.
pub(super) struct Ask<'a> {
    /// Whose authority it needs; `None` for signed and for open operations.
    pub(super) key: Option<&'a CapabilityKey>,
    /// One frame, or the consecutive ones of a slot entry or a notice.
    pub(super) frames: Vec<(Request, Option<Vec<u8>>)>,
    /// Pushed frames that may answer it.
    pub(super) max_pushes: usize,
}

impl<'a> Ask<'a> {
    /// A request of one control frame with an answer of one frame.
    pub(super) fn new(key: Option<&'a CapabilityKey>, request: Request) -> Self {
        Self { key, frames: vec![(request, None)], max_pushes: 0 }
    }
}

/// An open session. Dropping it ends its tasks and its connection.
pub(super) struct Session {
    /// The relay's signed words about itself.
    pub(super) descriptor: Descriptor,
    connection: Arc<dyn Connection>,
    relay: RelayId,
    nonce: SessionNonce,
    outgoing: mpsc::Sender<Vec<Frame>>,
    shared: Arc<Shared>,
    keys: Mutex<HashMap<[u8; 32], SessionKey>>,
    /// One search at a time: it is the processor that is scarce, and the relay counts open challenges.
    work_turn: Semaphore,
    query_turns: Semaphore,
    transfer_turns: Arc<Semaphore>,
    options: RelayOptions,
}

impl Session {
    /// Opens the request stream of a fresh connection and starts the session's two tasks.
    pub(super) async fn start(
        connection: Box<dyn Connection>,
        relay: RelayId,
        now: i64,
        options: RelayOptions,
        tasks: &TaskTracker,
        ended: CancellationToken,
    ) -> Result<Arc<Self>, RelayError> {
        let connection: Arc<dyn Connection> = Arc::from(connection);
        let shared = Arc::new(Shared { state: Mutex::new(State::new()), ended });
        let open = open_stream(&*connection, shared.next_request(), &relay, now);
        let (stream, descriptor) =
            timeout(options.request, open).await.map_err(|_| TransportError::TimedOut)??;
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        tasks.spawn(write(stream.sender, queue, Arc::clone(&shared)));
        tasks.spawn(read(stream.receiver, Arc::clone(&shared), Arc::clone(&connection), options));
        let nonce = connection.session_nonce();
        Ok(Arc::new(Self {
            descriptor,
            connection,
            relay,
            nonce,
            outgoing,
            shared,
            keys: Mutex::default(),
            work_turn: Semaphore::new(1),
            query_turns: Semaphore::new(MAX_QUERIES),
            transfer_turns: Arc::new(Semaphore::new(MAX_TRANSFERS)),
            options,
        }))
    }

    /// Whether new requests may still go here.
    pub(super) fn is_usable(&self, now: i64) -> bool {
        !self.shared.ended.is_cancelled() && now <= self.descriptor.valid_until_s
    }

    /// Makes a request and waits for its whole answer. Cancel-safe: the request may still happen, its answer is
    /// dropped.
    pub(super) async fn call(&self, ask: Ask<'_>) -> Result<Answer, RelayError> {
        let _turn = match ask.max_pushes {
            0 => None,
            _ => self.query_turns.acquire().await.ok(),
        };
        let deadline = tokio::time::Instant::now() + self.options.request;
        let key = ask.key.map(|key| self.key(key, &self.descriptor));
        let parts: Vec<_> = ask.frames.into_iter().map(Part::new).collect();
        let place = match tokio::time::timeout_at(deadline, self.outgoing.reserve()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(self.shared.failure()),
            Err(_) => return Err(self.shared.fail(TransportError::TimedOut.into())),
        };
        // Numbering and queueing under one lock: numbers go up on the wire.
        let answer = {
            let mut state = self.shared.state();
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            let request = state.next_request();
            place.send(parts.into_iter().map(|part| part.frame(request, key.as_ref())).collect());
            state.pending.expect(request, ask.max_pushes, Instant::now())
        };
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.shared.failure()),
            // An unanswered request says that the relay or the way to it is stuck: start anew.
            Err(_) => Err(self.shared.fail(TransportError::TimedOut.into())),
        }
    }

    /// Asks for a challenge and solves it.
    pub(super) async fn work(&self, purpose: Purpose) -> Result<Solution, RelayError> {
        let _hold = self.hold();
        let search = async {
            let _turn = self.work_turn.acquire().await;
            let answer = self.call(Ask::new(None, Request::Challenge)).await?;
            let Response::Seed { seed, effort, front_door_effort } = answer.last else {
                return Err(RelayError::Protocol("its answer belongs to another request"));
            };
            let front_door = matches!(purpose, Purpose::FrontDoor(_));
            let effort = if front_door { front_door_effort } else { effort };
            solve_within(self.options.work, seed, purpose, effort).await
        };
        tokio::select! {
            () = self.shared.ended.cancelled() => Err(self.shared.failure()),
            solution = search => solution,
        }
    }

    /// Asks for a challenge that a token pays for, so that there is nothing to solve.
    pub(super) async fn paid_by(&self, token: &Token) -> Result<Solution, RelayError> {
        if !self.descriptor.token_keys.contains(&token.key_id) {
            return Err(RelayError::TokenKey);
        }
        let request = Request::ChallengeByToken { token: token.clone() };
        match self.call(Ask::new(None, request)).await.map(|answer| answer.last) {
            Ok(Response::Seed { seed, .. }) => Ok(Solution { seed, nonce: 0, solution: [0; 16] }),
            Ok(_) => Err(RelayError::Protocol("its answer belongs to another request")),
            Err(RelayError::WorkRequired) => Err(RelayError::TokenRefused),
            Err(error) => Err(error),
        }
    }

    /// Opens a stream of its own for one request that is answered for as long as both ends like.
    pub(super) async fn open_with(
        &self,
        key: &CapabilityKey,
        request: Request,
        now: i64,
    ) -> Result<(FrameStream, u64), RelayError> {
        let (mut stream, key) = self.open_own(key, now).await?;
        let number = self.shared.next_request();
        let frame = Part::new((request, None)).frame(number, Some(&key));
        let frames = [frame];
        let sending = timeout(self.options.request, stream.sender.send(&frames));
        sending.await.map_err(|_| TransportError::TimedOut)??;
        Ok((stream, number))
    }

    /// Opens a stream of its own for a blob, whose frames are told one by one as they pass.
    pub(super) async fn transfer(
        self: &Arc<Self>,
        key: &CapabilityKey,
        now: i64,
    ) -> Result<Transfer, RelayError> {
        let hold = self.hold();
        let turn = Arc::clone(&self.transfer_turns).acquire_owned().await.ok();
        let (stream, key) = self.open_own(key, now).await?;
        Ok(Transfer::new(Arc::clone(self), stream, key, hold, turn))
    }

    /// A stream beside the session's own, and the key for this capability's tags on it.
    async fn open_own(
        &self,
        key: &CapabilityKey,
        now: i64,
    ) -> Result<(FrameStream, SessionKey), RelayError> {
        let open = self.shared.next_request();
        let opening = open_stream(&*self.connection, open, &self.relay, now);
        // A relay that allows no more streams is no reason to end those that are open.
        let (stream, descriptor) = timeout(self.options.request, opening)
            .await
            .map_err(|_| TransportError::TimedOut)??;
        // The stream's own hello counts: the relay's epoch may have turned since the session began.
        Ok((stream, self.key(key, &descriptor)))
    }

    /// The next request number; counts across all streams.
    pub(super) fn number(&self) -> u64 {
        self.shared.next_request()
    }

    /// Ends the session: a frame that does not come through says that the relay or the way to it is stuck.
    pub(super) fn stuck(&self) -> RelayError {
        self.shared.fail(TransportError::TimedOut.into())
    }

    /// How long one frame may take.
    pub(super) const fn patience(&self) -> Duration {
        self.options.request
    }

    /// Keeps the session from being closed as idle.
    pub(super) fn hold(&self) -> Hold {
        self.shared.state().holds += 1;
        Hold(Arc::clone(&self.shared))
    }

    /// The key for a capability's tags under this descriptor's epoch.
    fn key(&self, key: &CapabilityKey, descriptor: &Descriptor) -> SessionKey {
        let name = Sha256::new()
            .chain_update(key.as_bytes())
            .chain_update(descriptor.epoch_pk)
            .finalize()
            .into();
        let mut keys = lock(&self.keys);
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        let agree =
            || key.agree(&key.public(), &descriptor.epoch_pk, &self.relay).session(&self.nonce);
        keys.entry(name).or_insert_with(agree).clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.ended.cancel();
    }
}

/// While it lives, its session is not idle; ends with the session.
pub(super) struct Hold(Arc<Shared>);

impl Hold {
    /// Waits until the session has ended, and says why.
    pub(super) async fn ended(&self) -> RelayError {
        self.0.ended.cancelled().await;
        self.0.failure()
    }

    /// Why one of its streams ended: for the session's own reason, if it has ended too.
    pub(super) fn reason(&self, stream: TransportError) -> RelayError {
        if self.0.ended.is_cancelled() { self.0.failure() } else { stream.into() }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.holds = state.holds.saturating_sub(1);
        state.last_used = Instant::now();
    }
}

/// An encoded operation and its hash, before it has a number.
pub(super) struct Part {
    op: Vec<u8>,
    payload: Option<Vec<u8>>,
    hash: budstikke_proto::id::Hash,
}

impl Part {
    pub(super) fn new((request, payload): (Request, Option<Vec<u8>>)) -> Self {
        let op = request.encode();
        let hash = operation_hash(&op, payload.as_deref());
        Self { op, payload, hash }
    }

    pub(super) fn frame(self, request: u64, key: Option<&SessionKey>) -> Frame {
        let tag = key.map_or([0; TAG_LEN], |key| key.tag(request, &self.hash));
        Frame { kind: Kind::Request, request, tag, op: self.op, payload: self.payload }
    }
}

/// What a session's callers and its two tasks share.
struct Shared {
    state: Mutex<State>,
    ended: CancellationToken,
}

struct State {
    last_request: u64,
    pending: Pending,
    failure: Option<RelayError>,
    holds: usize,
    last_used: Instant,
}

impl State {
    fn new() -> Self {
        Self {
            last_request: 0,
            pending: Pending::default(),
            failure: None,
            holds: 0,
            last_used: Instant::now(),
        }
    }

    fn next_request(&mut self) -> u64 {
        self.last_request = self.last_request.saturating_add(1);
        self.last_used = Instant::now();
        self.last_request
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn next_request(&self) -> u64 {
        self.state().next_request()
    }

    /// Ends the session with this error, unless it has already ended with another, and says which.
    fn fail(&self, error: RelayError) -> RelayError {
        let mut state = self.state();
        // Ended without a reason: the client closed it, and what breaks after that is no reason of its own.
        let error = if self.ended.is_cancelled() { RelayError::ClientClosed } else { error };
        let error = state.failure.get_or_insert(error).clone();
        // First it is of no more use, then the callers hear of it: whoever tries again must get a new session.
        self.ended.cancel();
        state.pending.fail(&error);
        error
    }

    /// Why the session ended; without a reason it was the client's own handle that went.
    fn failure(&self) -> RelayError {
        self.state().failure.clone().unwrap_or(RelayError::ClientClosed)
    }

    /// Closes a session that nobody uses or whose relay has stopped answering.
    fn look_around(&self, options: &RelayOptions) {
        let state = self.state();
        let overdue = state.pending.oldest().is_some_and(|since| since.elapsed() > options.request);
        let idle = state.pending.is_empty()
            && state.holds == 0
            && state.last_used.elapsed() > options.idle;
        drop(state);
        if overdue {
            self.fail(TransportError::TimedOut.into());
        } else if idle {
            self.fail(TransportError::Closed.into());
        }
    }
}

/// Opens a stream and hears the relay out on itself.
async fn open_stream(
    connection: &dyn Connection,
    request: u64,
    relay: &RelayId,
    now: i64,
) -> Result<(FrameStream, Descriptor), RelayError> {
    let mut stream = connection.open_stream().await?;
    stream.sender.send(&[Request::Open.into_frame(request, [0; TAG_LEN], None)]).await?;
    loop {
        let frame = stream.receiver.recv().await?.ok_or(TransportError::Closed)?;
        if frame.kind == Kind::Cover {
            continue;
        }
        if frame.kind != Kind::Response || frame.request != request || frame.payload.is_some() {
            return Err(RelayError::Protocol("it did not introduce itself"));
        }
        return match Response::decode(&frame.op) {
            Ok(Response::Hello(hello)) => Ok((stream, Descriptor::verify(&hello, relay, now)?)),
            Ok(Response::Error { code, retry_after_s }) => {
                Err(RelayError::from_code(code, retry_after_s))
            }
            _ => Err(RelayError::Protocol("it did not introduce itself")),
        };
    }
}

/// The session's writer.
async fn write(
    mut sender: FrameSender,
    mut queue: mpsc::Receiver<Vec<Frame>>,
    shared: Arc<Shared>,
) {
    let pump = async {
        while let Some(frames) = queue.recv().await {
            if let Err(error) = sender.send(&frames).await {
                shared.fail(error.into());
                return;
            }
        }
    };
    tokio::select! {
        () = shared.ended.cancelled() => {}
        () = pump => {}
    }
}

/// The session's reader; the last to leave, so it closes the connection.
async fn read(
    mut receiver: FrameReceiver,
    shared: Arc<Shared>,
    connection: Arc<dyn Connection>,
    options: RelayOptions,
) {
    let pace = options.idle.min(options.request).max(Duration::from_millis(10)) / 2;
    let mut look = tokio::time::interval(pace);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !shared.ended.is_cancelled() {
        let frame = tokio::select! {
            () = shared.ended.cancelled() => break,
            _ = look.tick() => {
                shared.look_around(&options);
                continue;
            }
            frame = receiver.recv() => frame,
        };
        match frame {
            Ok(Some(frame)) => {
                let taken = shared.state().pending.accept(frame);
                if let Err(Violation(what)) = taken {
                    shared.fail(RelayError::Protocol(what));
                }
            }
            Ok(None) => {
                shared.fail(TransportError::Closed.into());
            }
            Err(error) => {
                shared.fail(error.into());
            }
        }
    }
    // Whoever still waits learns that it was the client that ended this.
    shared.fail(RelayError::ClientClosed);
    connection.close().await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics while it holds a lock; if it ever does, the data is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Wake, Waker};

    use super::*;

    /// Notes, at the moment when a caller is woken, whether the session was still offered to others.
    struct AtWaking {
        shared: Arc<Shared>,
        ended: AtomicBool,
    }

    impl Wake for AtWaking {
        fn wake(self: Arc<Self>) {
            self.ended.store(self.shared.ended.is_cancelled(), Ordering::SeqCst);
        }
    }

    #[test]
    fn a_caller_that_hears_of_the_end_is_never_given_the_same_session_again() {
        let ended = CancellationToken::new();
        let shared = Arc::new(Shared { state: Mutex::new(State::new()), ended });
        let answer = shared.state().pending.expect(1, 0, Instant::now());
        let mut answer = std::pin::pin!(answer);
        let woken =
            Arc::new(AtWaking { shared: Arc::clone(&shared), ended: AtomicBool::default() });
        let waker = Waker::from(Arc::clone(&woken));
        assert!(answer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        shared.fail(TransportError::Closed.into());
        assert!(woken.ended.load(Ordering::SeqCst));
    }

    #[test]
    fn what_breaks_after_the_client_has_closed_is_the_clients_doing() {
        let ended = CancellationToken::new();
        let shared = Shared { state: Mutex::new(State::new()), ended: ended.clone() };
        ended.cancel();
        assert_eq!(shared.fail(TransportError::Closed.into()), RelayError::ClientClosed);
        assert_eq!(shared.failure(), RelayError::ClientClosed);
    }
}
