//! A transport inside the process, for tests: no network, no TLS, the same frames.

use async_trait::async_trait;
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::SessionNonce;
use budstikke_proto::id::RelayId;
use rand_core::{OsRng, RngCore};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Connection, FrameStream, Transport, TransportError};

/// Bytes that each direction of a stream holds before its writer waits: four data frames.
const STREAM_BUFFER: usize = 4 * budstikke_proto::limits::DATA_FRAME_LEN;
/// Streams that may wait to be accepted.
const BACKLOG: usize = 16;

/// Connects to whatever holds the [`MemAcceptor`].
#[derive(Clone, Debug)]
pub struct MemTransport {
    streams: mpsc::Sender<MemStream>,
}

/// One stream that a client opened.
#[derive(Debug)]
pub struct MemStream {
    /// The relay that the client asked for. Nothing has proved that it got it.
    pub relay: RelayId,
    /// The session's nonce; all streams of one connection have the same.
    pub session_nonce: SessionNonce,
    /// The frames' bytes, both ways.
    pub io: DuplexStream,
}

/// The relay's side of a [`MemTransport`].
#[derive(Debug)]
pub struct MemAcceptor {
    streams: mpsc::Receiver<MemStream>,
}

impl MemTransport {
    /// A transport and its other end.
    pub fn new() -> (Self, MemAcceptor) {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        (Self { streams: sender }, MemAcceptor { streams: receiver })
    }
}

impl MemAcceptor {
    /// The next stream; `None` when every transport is gone. Cancel-safe. Dropping the acceptor makes the relay
    /// unreachable.
    pub async fn accept(&mut self) -> Option<MemStream> {
        self.streams.recv().await
    }
}

#[async_trait]
impl Transport for MemTransport {
    async fn connect(&self, address: &RelayAddress) -> Result<Box<dyn Connection>, TransportError> {
        if self.streams.is_closed() {
            return Err(TransportError::Unreachable);
        }
        let mut nonce = [0; 32];
        OsRng.fill_bytes(&mut nonce);
        let (relay, streams) = (address.id, self.streams.clone());
        Ok(Box::new(MemConnection { relay, nonce, streams, closed: CancellationToken::new() }))
    }
}

struct MemConnection {
    relay: RelayId,
    nonce: SessionNonce,
    streams: mpsc::Sender<MemStream>,
    closed: CancellationToken,
}

#[async_trait]
impl Connection for MemConnection {
    fn session_nonce(&self) -> SessionNonce {
        self.nonce
    }

    async fn open_stream(&self) -> Result<FrameStream, TransportError> {
        if self.closed.is_cancelled() {
            return Err(TransportError::Closed);
        }
        let (ours, io) = tokio::io::duplex(STREAM_BUFFER);
        let stream = MemStream { relay: self.relay, session_nonce: self.nonce, io };
        self.streams.send(stream).await.map_err(|_| TransportError::Closed)?;
        let (read, write) = tokio::io::split(ours);
        Ok(FrameStream::new(read, write))
    }

    async fn close(&self) {
        self.closed.cancel();
    }
}

impl std::fmt::Debug for MemConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemConnection")
    }
}
