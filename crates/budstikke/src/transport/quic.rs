//! QUIC to a pinned relay.
//!
//! What an observer of the network sees: a QUIC connection whose ALPN is `h3` unless configured otherwise, and,
//! when the relay's address has a host name, that name in the TLS server name and in this machine's DNS lookup. An
//! address with an IP number sends no server name at all, as a browser would for such an address. The name "budstikke"
//! is nowhere on the wire.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::{EXPORTER_LABEL, SessionNonce};
use quinn::TransportErrorCode;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, ConnectionError, Endpoint, IdleTimeout, TokioRuntime, TransportConfig};
use rustls_pki_types::ServerName;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::time::{Instant, timeout, timeout_at};

use super::tls::client_config;
use super::{Connection, FrameStream, Transport, TransportError};

/// Asked of the system for each socket; smaller ones lose packets in bursts. Whatever it grants is taken.
const SOCKET_BUFFER: usize = 4 * 1_024 * 1_024;
/// Pings while a connection is quiet. The relay client closes what has neither a request nor a subscription open, so
/// only subscriptions are ever kept alive.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
/// After this long without a packet the other end is gone: two pings and a half.
const IDLE: Duration = Duration::from_secs(150);
/// Addresses of one host name that are tried.
const MAX_TRIED: usize = 4;
/// Waits for the goodbye to leave.
const GOODBYE: Duration = Duration::from_secs(1);

/// How to dial.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QuicConfig {
    /// Protocol names to offer, in order of preference. The relay must know one of them.
    pub alpn: Vec<Vec<u8>>,
    /// For everything from the DNS lookup to the end of the handshake.
    pub connect_timeout: Duration,
}

impl Default for QuicConfig {
    /// ALPN `h3`, 15 seconds.
    fn default() -> Self {
        Self { alpn: vec![b"h3".to_vec()], connect_timeout: Duration::from_secs(15) }
    }
}

/// QUIC with TLS 1.3 and X25519MLKEM768, which is not optional. Each connection has a UDP socket of its own, so that
/// two relays do not meet the same port and two sessions share nothing.
#[derive(Clone, Debug, Default)]
pub struct QuicTransport {
    config: QuicConfig,
}

impl QuicTransport {
    /// A transport that dials as configured.
    pub const fn new(config: QuicConfig) -> Self {
        Self { config }
    }

    async fn dial(
        &self,
        address: &RelayAddress,
        to: SocketAddr,
    ) -> Result<QuicConnection, TransportError> {
        let (tls, verifier) =
            client_config(address.id, &self.config.alpn).map_err(|_| TransportError::Handshake)?;
        let crypto = QuicClientConfig::try_from(tls).map_err(|_| TransportError::Handshake)?;
        let mut config = ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::new(transport_config()?));
        let endpoint = endpoint(to)?;
        let connecting = endpoint
            .connect_with(config, to, &server_name(&address.host, to.ip()))
            .map_err(|_| TransportError::Unreachable)?;
        let connection = connecting.await.map_err(|error| {
            if verifier.met_an_impostor() { TransportError::WrongRelay } else { refusal(&error) }
        })?;
        let mut nonce = [0; 32];
        connection
            .export_keying_material(&mut nonce, EXPORTER_LABEL, &[])
            .map_err(|_| TransportError::Handshake)?;
        Ok(QuicConnection { endpoint, connection, nonce })
    }
}

#[async_trait]
impl Transport for QuicTransport {
    async fn connect(&self, address: &RelayAddress) -> Result<Box<dyn Connection>, TransportError> {
        let deadline = Instant::now() + self.config.connect_timeout;
        let lookup = tokio::net::lookup_host((address.host.as_str(), address.port));
        let found = timeout_at(deadline, lookup).await.map_err(|_| TransportError::TimedOut)?;
        let found: Vec<_> =
            found.map_err(|_| TransportError::Unreachable)?.take(MAX_TRIED).collect();
        let mut last = TransportError::Unreachable;
        let mut left = u32::try_from(found.len()).unwrap_or(1);
        for to in found {
            // A dead first address must not use up the time of the others.
            let share = deadline.saturating_duration_since(Instant::now()) / left.max(1);
            left = left.saturating_sub(1);
            match timeout(share, self.dial(address, to)).await {
                Ok(Ok(connection)) => return Ok(Box::new(connection)),
                Ok(Err(TransportError::WrongRelay)) => return Err(TransportError::WrongRelay),
                Ok(Err(error)) => last = error,
                Err(_) => last = TransportError::TimedOut,
            }
        }
        Err(last)
    }
}

struct QuicConnection {
    endpoint: Endpoint,
    connection: quinn::Connection,
    nonce: SessionNonce,
}

#[async_trait]
impl Connection for QuicConnection {
    fn session_nonce(&self) -> SessionNonce {
        self.nonce
    }

    async fn open_stream(&self) -> Result<FrameStream, TransportError> {
        let (send, recv) = self.connection.open_bi().await.map_err(|error| ended(&error))?;
        Ok(FrameStream::new(recv, send))
    }

    async fn close(&self) {
        self.connection.close(0_u32.into(), b"");
        let _ = timeout(GOODBYE, self.endpoint.wait_idle()).await;
    }
}

impl std::fmt::Debug for QuicConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QuicConnection")
    }
}

fn transport_config() -> Result<TransportConfig, TransportError> {
    let mut config = TransportConfig::default();
    let idle = IdleTimeout::try_from(IDLE).map_err(|_| TransportError::Handshake)?;
    config
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(Some(KEEP_ALIVE))
        // A relay opens no streams and sends no datagrams.
        .max_concurrent_bidi_streams(0_u8.into())
        .max_concurrent_uni_streams(0_u8.into())
        .datagram_receive_buffer_size(None);
    Ok(config)
}

fn endpoint(to: SocketAddr) -> Result<Endpoint, TransportError> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let bound = || -> std::io::Result<Endpoint> {
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
        for refused in
            [socket.set_recv_buffer_size(SOCKET_BUFFER), socket.set_send_buffer_size(SOCKET_BUFFER)]
        {
            if refused.is_err() {
                tracing::debug!("the system refused larger socket buffers");
            }
        }
        socket.bind(&SocketAddr::new(any, 0).into())?;
        let config = quinn::EndpointConfig::default();
        Endpoint::new(config, None, socket.into(), Arc::new(TokioRuntime))
    };
    bound().map_err(|_| TransportError::NoSocket)
}

/// The name for the TLS handshake: the address's own, or an IP number, which rustls does not send.
fn server_name(host: &str, ip: IpAddr) -> String {
    match ServerName::try_from(host) {
        Ok(ServerName::DnsName(name)) => name.as_ref().to_owned(),
        _ => ip.to_string(),
    }
}

/// Why a handshake failed.
fn refusal(error: &ConnectionError) -> TransportError {
    match error {
        ConnectionError::TimedOut => TransportError::TimedOut,
        // A relay with too many connections refuses new ones for the moment.
        ConnectionError::ConnectionClosed(close)
            if close.error_code == TransportErrorCode::CONNECTION_REFUSED =>
        {
            TransportError::Closed
        }
        ConnectionError::TransportError(_)
        | ConnectionError::ConnectionClosed(_)
        | ConnectionError::VersionMismatch => TransportError::Handshake,
        _ => TransportError::Unreachable,
    }
}

/// Why an established connection ended.
fn ended(error: &ConnectionError) -> TransportError {
    match error {
        ConnectionError::TimedOut => TransportError::TimedOut,
        _ => TransportError::Closed,
    }
}
