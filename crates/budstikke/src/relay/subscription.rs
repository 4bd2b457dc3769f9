//! A mailbox read on and on.

use std::sync::Arc;

use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::op::Response;

use super::RelayError;
use super::assemble::cell_after;
use super::session::{Hold, Session};
use super::types::ReceivedCell;
use crate::transport::{FrameStream, TransportError};

/// Cells as they arrive. Nothing is buffered beyond two frames: a slow reader makes the relay wait. Dropping it ends
/// the stream at the relay.
pub struct Subscription {
    stream: FrameStream,
    request: u64,
    highest: u64,
    ended: Option<RelayError>,
    hold: Hold,
    // Keeps the connection while the client itself has moved on to another session.
    _session: Arc<Session>,
}

impl Subscription {
    pub(super) fn new(
        session: Arc<Session>,
        hold: Hold,
        stream: FrameStream,
        request: u64,
        since: u64,
    ) -> Self {
        Self { stream, request, highest: since, ended: None, hold, _session: session }
    }

    /// The `since` to go on from after this subscription has ended: the number of the last cell that was returned.
    pub const fn position(&self) -> u64 {
        self.highest
    }

    /// The next cell; waits for as long as it takes. Cancel-safe: no cell is lost.
    ///
    /// # Errors
    /// [`RelayError::Refused`] when mailbox or key are not known there, or the mailbox was deleted;
    /// [`RelayError::Transport`] when the connection ended and [`RelayError::Busy`] when the relay stops: subscribe
    /// again from [`Self::position`]. Every later call gives the same error.
    pub async fn next(&mut self) -> Result<ReceivedCell, RelayError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        let taken = loop {
            let frame = tokio::select! {
                // Cells that are there come first, even when the session has just ended.
                biased;
                frame = self.stream.receiver.recv() => frame,
                error = self.hold.ended() => break Err(error),
            };
            match frame {
                Ok(Some(frame)) if frame.kind == Kind::Cover => {}
                Ok(Some(frame)) => break self.take(frame),
                Ok(None) => break Err(self.hold.reason(TransportError::Closed)),
                Err(error) => break Err(self.hold.reason(error)),
            }
        };
        if let Err(error) = &taken {
            self.ended = Some(error.clone());
        }
        taken
    }

    fn take(&mut self, frame: Frame) -> Result<ReceivedCell, RelayError> {
        let Frame { kind, request, op, payload, .. } = frame;
        if request != self.request {
            return Err(RelayError::Protocol("it answered what was not asked"));
        }
        let response =
            Response::decode(&op).map_err(|_| RelayError::Protocol("its answer is malformed"))?;
        match (kind, response, payload) {
            (Kind::Push, push, Some(cell)) => {
                let received = cell_after(self.highest, &push, cell)?;
                self.highest = received.seq;
                Ok(received)
            }
            (Kind::Response, Response::Error { code, retry_after_s }, None) => {
                Err(RelayError::from_code(code, retry_after_s))
            }
            (Kind::Response, Response::End { .. }, None) => Err(TransportError::Closed.into()),
            _ => Err(RelayError::Protocol("its answer belongs to another request")),
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription")
    }
}
