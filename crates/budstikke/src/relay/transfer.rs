//! One blob on a stream of its own, frame by frame.

use std::sync::Arc;

use budstikke_proto::auth::SessionKey;
use budstikke_proto::frame::Kind;
use budstikke_proto::op::{Request, Response};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::RelayError;
use super::session::{Hold, Part, Session};
use crate::transport::{FrameReceiver, FrameStream, TransportError};

/// A stream for one blob. Dropping it ends the stream at the relay.
pub(super) struct Transfer {
    stream: FrameStream,
    key: SessionKey,
    hold: Hold,
    session: Arc<Session>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Transfer {
    pub(super) const fn new(
        session: Arc<Session>,
        stream: FrameStream,
        key: SessionKey,
        hold: Hold,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self { stream, key, hold, session, _turn: turn }
    }

    /// Sends the frames of one request, telling after each how many went, and waits for its answer. An answer that comes
    /// before the last frame ends the sending: it is a refusal. Each frame has as long as a request may take.
    pub(super) async fn upload(
        &mut self,
        frames: Vec<(Request, Vec<u8>)>,
        mut sent: impl FnMut(u32),
    ) -> Result<Response, RelayError> {
        let number = self.session.number();
        let patience = self.session.patience();
        let Self { stream: FrameStream { sender, receiver }, key, hold, .. } = self;
        let sending = async {
            for (count, (request, payload)) in (1..).zip(frames) {
                let frame = Part::new((request, Some(payload))).frame(number, Some(key));
                timeout(patience, sender.send(&[frame]))
                    .await
                    .map_err(|_| TransportError::TimedOut)??;
                sent(count);
            }
            Ok::<_, TransportError>(())
        };
        tokio::pin!(sending);
        let early = tokio::select! {
            biased;
            answer = answer(receiver, hold, number) => Some(answer),
            done = &mut sending => match done {
                Err(TransportError::TimedOut) => Some(Err(TransportError::TimedOut.into())),
                // A relay that refuses may take no more: its answer says why.
                _ => None,
            },
        };
        let answered = match early {
            Some(answered) => answered,
            None => timeout(patience, answer(receiver, hold, number))
                .await
                .unwrap_or(Err(TransportError::TimedOut.into())),
        };
        match answered {
            Ok((_, response)) => Ok(response),
            Err(RelayError::Transport(TransportError::TimedOut)) => Err(self.session.stuck()),
            Err(error) => Err(error),
        }
    }

    /// Makes a request that is answered by pushes; its number.
    pub(super) async fn begin(&mut self, request: Request) -> Result<u64, RelayError> {
        let number = self.session.number();
        let frame = Part::new((request, None)).frame(number, Some(&self.key));
        let frames = [frame];
        let sending = timeout(self.session.patience(), self.stream.sender.send(&frames));
        sending.await.map_err(|_| TransportError::TimedOut)??;
        Ok(number)
    }

    /// The next frame of the answer: pushes have a payload, the last one has none.
    pub(super) async fn next(
        &mut self,
        number: u64,
    ) -> Result<(Option<Vec<u8>>, Response), RelayError> {
        let answer = answer(&mut self.stream.receiver, &self.hold, number);
        timeout(self.session.patience(), answer).await.unwrap_or_else(|_| Err(self.session.stuck()))
    }
}

/// The next frame that answers request `number` on a stream with no other.
async fn answer(
    receiver: &mut FrameReceiver,
    hold: &Hold,
    number: u64,
) -> Result<(Option<Vec<u8>>, Response), RelayError> {
    loop {
        let frame = tokio::select! {
            // What is there comes first, even when the session has just ended.
            biased;
            frame = receiver.recv() => frame,
            error = hold.ended() => return Err(error),
        };
        let frame = match frame {
            Ok(Some(frame)) if frame.kind == Kind::Cover => continue,
            Ok(Some(frame)) => frame,
            Ok(None) => return Err(hold.reason(TransportError::Closed)),
            Err(error) => return Err(hold.reason(error)),
        };
        if frame.request != number {
            return Err(RelayError::Protocol("it answered what was not asked"));
        }
        let response = Response::decode(&frame.op)
            .map_err(|_| RelayError::Protocol("its answer is malformed"))?;
        return match (frame.kind, response, frame.payload) {
            (Kind::Response, Response::Error { code, retry_after_s }, None) => {
                Err(RelayError::from_code(code, retry_after_s))
            }
            (Kind::Response, response, None) => Ok((None, response)),
            (Kind::Push, response, Some(payload)) => Ok((Some(payload), response)),
            _ => Err(RelayError::Protocol("its frame has the wrong size")),
        };
    }
}
