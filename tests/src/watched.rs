//! Real QUIC to a real relay, with somebody who notes what passes and who can hold back what a test wants to meet.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use budstikke::transport::quic::{QuicConfig, QuicTransport};
use budstikke::transport::{Connection, FrameStream, Transport, TransportError};
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::SessionNonce;
use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::limits::DATA_FRAME_LEN;
use budstikke_proto::op::Request;
use tokio::sync::Semaphore;

/// A transport for clients under test. Clones share what they saw.
#[derive(Clone, Debug)]
pub struct Watched {
    quic: QuicTransport,
    seen: Arc<Mutex<Vec<Frame>>>,
    gate: Arc<Mutex<Option<Arc<Gate>>>>,
    /// Answers to spent tokens that still get lost.
    losses: Arc<AtomicUsize>,
    /// Pushes that a stream passes on before it breaks.
    pushes: Arc<AtomicUsize>,
    /// Whether there is no network for whoever connects.
    dark: Arc<AtomicBool>,
}

/// Holds slot entries back until as many came as were waited for.
#[derive(Debug)]
struct Gate {
    wanted: usize,
    came: AtomicUsize,
    open: Semaphore,
}

impl Watched {
    /// A transport that gives up on a silent relay after two seconds: loopback answers at once or never, a busy machine a
    /// little later.
    pub fn new() -> Self {
        let mut config = QuicConfig::default();
        config.connect_timeout = Duration::from_secs(2);
        Self::over(config)
    }

    /// One that waits as long as people's: for tests whose relay is there, however busy the machine.
    pub fn patient() -> Self {
        Self::over(QuicConfig::default())
    }

    fn over(config: QuicConfig) -> Self {
        let quic = QuicTransport::new(config);
        Self {
            quic,
            seen: Arc::default(),
            gate: Arc::default(),
            losses: Arc::default(),
            pushes: Arc::new(usize::MAX.into()),
            dark: Arc::default(),
        }
    }

    /// Everything that passed since the last call, both ways.
    pub fn seen(&self) -> Vec<Frame> {
        std::mem::take(&mut lock(&self.seen))
    }

    /// From now on the first `wanted` appends to slots leave together: nobody reads the slot in between.
    pub fn meet(&self, wanted: usize) {
        let gate = Gate { wanted, came: AtomicUsize::new(0), open: Semaphore::new(0) };
        *lock(&self.gate) = Some(Arc::new(gate));
    }

    /// Appends that were held back since [`Self::meet`].
    pub fn met(&self) -> usize {
        lock(&self.gate).as_ref().map_or(0, |gate| gate.came.load(Ordering::SeqCst))
    }

    /// The next `count` times that a client spends a token, the relay hears it and the line breaks before its answer.
    pub fn lose_answers_to_tokens(&self, count: usize) {
        self.losses.store(count, Ordering::SeqCst);
    }

    /// From now on every stream breaks after so many pushed frames.
    pub fn break_streams_after(&self, pushes: usize) {
        self.pushes.store(pushes, Ordering::SeqCst);
    }

    /// From now on nobody connects to anything.
    pub fn go_dark(&self) {
        self.dark.store(true, Ordering::SeqCst);
    }

    /// Whether the answer to this frame gets lost.
    fn loses(&self, frame: &Frame) -> bool {
        let spends = matches!(Request::decode(&frame.op), Ok(Request::CreateByToken { .. }));
        let one_less = |left: usize| left.checked_sub(1);
        spends && self.losses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }

    fn note(&self, frame: &Frame) {
        lock(&self.seen).push(frame.clone());
    }

    async fn wait(&self, frame: &Frame) {
        let Ok(Request::SlotAppend { part, .. }) = Request::decode(&frame.op) else { return };
        let gate = lock(&self.gate).clone();
        let Some(gate) = gate.filter(|_| part.index == 0) else { return };
        if gate.came.fetch_add(1, Ordering::SeqCst) + 1 >= gate.wanted {
            gate.open.add_permits(gate.wanted);
        }
        if let Ok(permit) = gate.open.acquire().await {
            // Kept: once open, the gate stays open.
            drop(permit);
        }
    }
}

impl Default for Watched {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Transport for Watched {
    async fn connect(&self, address: &RelayAddress) -> Result<Box<dyn Connection>, TransportError> {
        if self.dark.load(Ordering::SeqCst) {
            return Err(TransportError::Unreachable);
        }
        let inner = self.quic.connect(address).await?;
        Ok(Box::new(WatchedConnection { inner, watched: self.clone() }))
    }
}

#[derive(Debug)]
struct WatchedConnection {
    inner: Box<dyn Connection>,
    watched: Watched,
}

#[async_trait]
impl Connection for WatchedConnection {
    fn session_nonce(&self) -> SessionNonce {
        self.inner.session_nonce()
    }

    async fn open_stream(&self) -> Result<FrameStream, TransportError> {
        let relay = self.inner.open_stream().await?;
        let (ours, theirs) = tokio::io::duplex(4 * DATA_FRAME_LEN);
        let (read, write) = tokio::io::split(theirs);
        let client = FrameStream::new(read, write);
        let (mut from_client, mut to_client) = (client.receiver, client.sender);
        let (mut from_relay, mut to_relay) = (relay.receiver, relay.sender);
        let lost = Arc::new(AtomicBool::new(false));
        let out = self.watched.clone();
        let loses = Arc::clone(&lost);
        let outgoing = tokio::spawn(async move {
            while let Ok(Some(frame)) = from_client.recv().await {
                out.note(&frame);
                out.wait(&frame).await;
                loses.fetch_or(out.loses(&frame), Ordering::SeqCst);
                if to_relay.send(&[frame]).await.is_err() {
                    return;
                }
            }
        });
        let back = self.watched.clone();
        tokio::spawn(async move {
            let mut pushes = 0;
            while let Ok(Some(frame)) = from_relay.recv().await {
                back.note(&frame);
                pushes += usize::from(frame.kind == Kind::Push);
                let broken = pushes > back.pushes.load(Ordering::SeqCst);
                if broken || lost.load(Ordering::SeqCst) {
                    break;
                }
                if to_client.send(&[frame]).await.is_err() {
                    break;
                }
            }
            // A stream that the relay ended is of no use in the other direction.
            outgoing.abort();
        });
        let (read, write) = tokio::io::split(ours);
        Ok(FrameStream::new(read, write))
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
