//! Frames over any pair of byte streams.

use budstikke_proto::frame::{Frame, class_of};
use budstikke_proto::limits::DATA_FRAME_LEN;
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::TransportError;

/// One stream to a relay, as its two independent halves.
#[derive(Debug)]
pub struct FrameStream {
    /// Towards the relay. Dropping it ends that direction in order.
    pub sender: FrameSender,
    /// From the relay. Dropping it tells the relay to stop.
    pub receiver: FrameReceiver,
}

impl FrameStream {
    /// Frames over these two byte streams.
    pub fn new(
        read: impl AsyncRead + Send + Sync + Unpin + 'static,
        write: impl AsyncWrite + Send + Sync + Unpin + 'static,
    ) -> Self {
        Self {
            sender: FrameSender { io: Box::new(write) },
            receiver: FrameReceiver { io: Box::new(read), buffer: BytesMut::new() },
        }
    }
}

/// Writes frames.
pub struct FrameSender {
    io: Box<dyn AsyncWrite + Send + Sync + Unpin>,
}

impl FrameSender {
    /// Writes the frames in order, waiting while the other end takes no more. **Not** cancel-safe: dropping the
    /// future may leave half a frame on the wire, after which the stream is of no more use.
    ///
    /// # Errors
    /// [`TransportError::Malformed`] for a frame that breaks its own rules, else why the stream ended.
    pub async fn send(&mut self, frames: &[Frame]) -> Result<(), TransportError> {
        for frame in frames {
            let bytes = frame.encode().map_err(|_| TransportError::Malformed)?;
            self.io.write_all(&bytes).await?;
        }
        self.io.flush().await?;
        Ok(())
    }
}

impl std::fmt::Debug for FrameSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FrameSender")
    }
}

/// Reads frames. Holds at most two frames' bytes.
pub struct FrameReceiver {
    io: Box<dyn AsyncRead + Send + Sync + Unpin>,
    buffer: BytesMut,
}

impl FrameReceiver {
    /// The next frame, or `None` when the other end finished in order, between two frames. Cancel-safe: what was
    /// read of a frame is kept for the next call.
    ///
    /// # Errors
    /// [`TransportError::Malformed`] for bytes that are no frame (ask no more after it), else why the stream ended.
    pub async fn recv(&mut self) -> Result<Option<Frame>, TransportError> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(Some(frame));
            }
            self.buffer.reserve(DATA_FRAME_LEN);
            if self.io.read_buf(&mut self.buffer).await? == 0 {
                let whole = self.buffer.is_empty();
                return if whole { Ok(None) } else { Err(TransportError::Closed) };
            }
        }
    }

    fn buffered(&mut self) -> Result<Option<Frame>, TransportError> {
        let Some(first) = self.buffer.first() else { return Ok(None) };
        let len = class_of(*first).map_err(|_| TransportError::Malformed)?.frame_len();
        if self.buffer.len() < len {
            return Ok(None);
        }
        let bytes = self.buffer.split_to(len);
        Frame::decode(&bytes).map(Some).map_err(|_| TransportError::Malformed)
    }
}

impl std::fmt::Debug for FrameReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FrameReceiver")
    }
}
