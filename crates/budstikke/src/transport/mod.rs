//! Ways to a relay. A [`Transport`] connects and proves that the other end is the relay that the address names; a
//! [`Connection`] opens streams; a [`FrameStream`] carries frames (SPEC.md section 3) both ways.
//!
//! [`quic::QuicTransport`] is the real one, [`mem::MemTransport`] the one for tests. Nothing here knows what a frame
//! means.

pub mod mem;
pub mod quic;
mod stream;
mod tls;

use async_trait::async_trait;
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::SessionNonce;

pub use stream::{FrameReceiver, FrameSender, FrameStream};

/// Why nothing went through to a relay, or nothing came back.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// The host name has no address, or no packet came back.
    #[error("the relay cannot be reached; check this machine's network connection")]
    Unreachable,
    /// This machine gave us no UDP socket.
    #[error("this machine refused a network socket; ask whoever looks after it")]
    NoSocket,
    /// The other end holds another key than the address pins. Somebody may be in between.
    #[error("the server there is not the relay that the address names; ask its giver for it again")]
    WrongRelay,
    /// No common protocol or key exchange. The post-quantum exchange is not optional.
    #[error("the relay does not speak this program's protocol; its operator must update it")]
    Handshake,
    /// No answer in time.
    #[error("the relay did not answer in time; try again later")]
    TimedOut,
    /// The connection ended, by the relay, by the network or by us.
    #[error("the connection to the relay ended; try again")]
    Closed,
    /// Bytes that are no frame.
    #[error("the relay sent what is no frame; its operator must repair it")]
    Malformed,
}

impl TransportError {
    /// Whether the same attempt may succeed later without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::Closed)
    }
}

impl From<std::io::Error> for TransportError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Closed,
        }
    }
}

/// A way to reach relays.
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Connects, and proves that the other end holds the key that the address pins. Bounded in time by the
    /// transport itself. Cancel-safe: dropping the future abandons the attempt and leaves nothing behind.
    ///
    /// # Errors
    /// [`TransportError`].
    async fn connect(&self, address: &RelayAddress) -> Result<Box<dyn Connection>, TransportError>;
}

/// One authenticated session with a relay. Dropping it closes it and all its streams.
#[async_trait]
pub trait Connection: Send + Sync + std::fmt::Debug {
    /// The 32 bytes that both ends derived from the handshake and nobody else knows (SPEC.md section 3.3).
    fn session_nonce(&self) -> SessionNonce;

    /// Opens a stream, waiting while the relay allows no more of them. Cancel-safe. The relay learns of it with the
    /// first frame.
    ///
    /// # Errors
    /// [`TransportError`].
    async fn open_stream(&self) -> Result<FrameStream, TransportError>;

    /// Says goodbye and waits, at most a second, until that is on its way. The session's streams are of no more use.
    async fn close(&self);
}
