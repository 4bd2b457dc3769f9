//! A transport that notes what a relay gets to see, so that the end of the story can look for it
//! on the relay's disk: every id, key and signature of every operation, and the cells themselves.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use budstikke::transport::{
    Connection, FrameReceiver, FrameSender, FrameStream, Transport, TransportError,
    quic::QuicTransport,
};
use budstikke_proto::{
    address::RelayAddress,
    auth::SessionNonce,
    frame::Frame,
    op::{Request, Response},
};

use tokio::task::JoinSet;

use super::scan::Marker;

/// Of a cell, these bytes in its middle are looked for.
const CELL_SAMPLE: std::ops::Range<usize> = 2_000..2_024;
/// Bytes that a pipe holds: a few frames.
const PIPE: usize = 64 * 1024;

/// What went over the wire so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Marker>>>);

impl Seen {
    /// Everything noted, for the scanner.
    pub(crate) fn markers(&self) -> Vec<Marker> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    fn note(&self, what: &'static str, bytes: impl AsRef<[u8]>) {
        let entry = Marker { what, bytes: bytes.as_ref().to_vec() };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(&entry) {
            seen.push(entry);
        }
    }

    fn cell(&self, frame: &Frame) {
        if let Some(sample) = frame.payload.as_ref().and_then(|cell| cell.get(CELL_SAMPLE)) {
            self.note("cell", sample);
        }
    }
}

/// QUIC, watched.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    inner: QuicTransport,
    seen: Seen,
}

impl Watched {
    pub(crate) fn new(seen: Seen) -> Self {
        Self { inner: QuicTransport::default(), seen }
    }
}

#[async_trait]
impl Transport for Watched {
    async fn connect(&self, address: &RelayAddress) -> Result<Box<dyn Connection>, TransportError> {
        let inner = self.inner.connect(address).await?;
        let (seen, pumps) = (self.seen.clone(), Mutex::default());
        Ok(Box::new(WatchedConnection { inner, seen, pumps }))
    }
}

#[derive(Debug)]
struct WatchedConnection {
    inner: Box<dyn Connection>,
    seen: Seen,
    /// Dropping the connection ends them.
    pumps: Mutex<JoinSet<()>>,
}

#[async_trait]
impl Connection for WatchedConnection {
    fn session_nonce(&self) -> SessionNonce {
        self.inner.session_nonce()
    }

    async fn open_stream(&self) -> Result<FrameStream, TransportError> {
        let relay = self.inner.open_stream().await?;
        let (out, from_client) = tokio::io::duplex(PIPE);
        let (to_client, back) = tokio::io::duplex(PIPE);
        let ours = FrameStream::new(from_client, to_client);
        let (up, down) = (self.seen.clone(), self.seen.clone());
        let mut pumps = self.pumps.lock().unwrap_or_else(PoisonError::into_inner);
        pumps.spawn(pump(ours.receiver, relay.sender, move |frame| up.request(frame)));
        pumps.spawn(pump(relay.receiver, ours.sender, move |frame| down.response(frame)));
        Ok(FrameStream::new(back, out))
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

async fn pump(mut from: FrameReceiver, mut to: FrameSender, note: impl Fn(&Frame)) {
    while let Ok(Some(frame)) = from.recv().await {
        note(&frame);
        if to.send(std::slice::from_ref(&frame)).await.is_err() {
            return;
        }
    }
}

impl Seen {
    fn request(&self, frame: &Frame) {
        self.cell(frame);
        match Request::decode(&frame.op) {
            Ok(Request::Create { recv_pk, .. }) => self.note("mailbox key", recv_pk.as_bytes()),
            Ok(Request::Grant { recv_id, send_pk, label, .. }) => {
                self.note("mailbox id", recv_id.as_bytes());
                self.note("grant key", send_pk.as_bytes());
                self.note("grant label", label.as_bytes());
            }
            Ok(Request::Send { send_id, msg_id, .. }) => {
                self.note("send id", send_id.as_bytes());
                self.note("message id", msg_id.as_bytes());
            }
            Ok(
                Request::Read { recv_id, .. }
                | Request::Subscribe { recv_id, .. }
                | Request::Trim { recv_id, .. }
                | Request::Delete { recv_id }
                | Request::Revoke { recv_id, .. },
            ) => self.note("mailbox id", recv_id.as_bytes()),
            Ok(Request::SlotAppend { slot_id, part, .. }) => {
                self.note("slot id", slot_id.as_bytes());
                self.note("slot signature", part.signature.as_bytes());
            }
            Ok(Request::SlotRead { slot_id }) => self.note("slot id", slot_id.as_bytes()),
            Ok(Request::NoticePut { notice_id, part, .. }) => {
                self.note("notice id", notice_id.as_bytes());
                self.note("notice signature", part.signature.as_bytes());
            }
            Ok(Request::NoticeGet { notice_id }) => self.note("notice id", notice_id.as_bytes()),
            _ => {}
        }
    }

    fn response(&self, frame: &Frame) {
        self.cell(frame);
        match Response::decode(&frame.op) {
            Ok(Response::Created { recv_id }) => self.note("mailbox id", recv_id.as_bytes()),
            Ok(Response::Granted { send_id }) => self.note("send id", send_id.as_bytes()),
            Ok(Response::Cell { label, .. }) => self.note("grant label", label.as_bytes()),
            _ => {}
        }
    }
}
