//! The relay's side of TLS 1.3: post-quantum key exchange only, the identity key as certificate, no resumption, no
//! 0-RTT.

use std::sync::Arc;
use std::time::Duration;

use budstikke_proto::sign::SigningSeed;
use hmac::{Hmac, Mac};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::crypto::{CryptoError, HmacKey};
use quinn::{EndpointConfig, IdleTimeout, TransportConfig, VarInt};
use quinn_proto::HashedConnectionIdGenerator;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::SpawnError;

/// DER of a PKCS #8 Ed25519 key up to its 32-byte seed (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// Streams that a client may have open.
const BIDI_STREAMS: u32 = 16;
const UNI_STREAMS: u32 = 2;
/// What a client may send ahead on one stream, and on all of them.
const STREAM_WINDOW: u32 = 512 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// What waits for a client's acknowledgement.
const SEND_WINDOW: u64 = 1 << 20;
/// First packets that wait for a verdict, and what may come after each and after all of them meanwhile. A verdict takes
/// microseconds.
const MAX_INCOMING: usize = 4_096;
const INCOMING_BUFFER: u64 = 16 << 10;
const INCOMING_BUFFERS: u64 = 8 << 20;
/// How old a proof of address may be.
const RETRY_LIFE: Duration = Duration::from_secs(15);
/// Between two stateless resets, so that a restart's clients all learn of it within seconds.
const RESET_INTERVAL: Duration = Duration::from_millis(1);

pub(super) fn server_config(
    identity: &SigningSeed,
    alpn: &[String],
    idle: Duration,
) -> Result<quinn::ServerConfig, SpawnError> {
    let pkcs8 = Zeroizing::new([PKCS8_PREFIX.as_slice(), identity.as_bytes()].concat());
    let key = PrivatePkcs8KeyDer::from(pkcs8.to_vec());
    let pair = KeyPair::try_from(&key).map_err(|_| SpawnError::Tls)?;
    let mut params = CertificateParams::new(Vec::new()).map_err(|_| SpawnError::Tls)?;
    params.distinguished_name = DistinguishedName::new();
    let certificate = params.self_signed(&pair).map_err(|_| SpawnError::Tls)?;

    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| SpawnError::Tls)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key))
        .map_err(|_| SpawnError::Tls)?;
    tls.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    // A ticket would tie a client's connections together.
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    tls.max_early_data_size = 0;

    let crypto = QuicServerConfig::try_from(tls).map_err(|_| SpawnError::Tls)?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config
        .transport_config(Arc::new(transport(idle)?))
        .max_incoming(MAX_INCOMING)
        .incoming_buffer_size(INCOMING_BUFFER)
        .incoming_buffer_size_total(INCOMING_BUFFERS)
        .retry_token_lifetime(RETRY_LIFE);
    // A token for the next visit would let the relay know a client again.
    config.validation_token.sent(0);
    Ok(config)
}

/// QUIC settings below TLS: what a restart must not change.
pub(super) fn endpoint_config(reset_key: [u8; 32]) -> EndpointConfig {
    let mut config = EndpointConfig::new(Arc::new(ResetKey(reset_key)));
    // Connection ids of the process before are recognised, and answered with a reset; anything else is dropped.
    let ids = reset_key.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    config
        .cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(ids)))
        .min_reset_interval(RESET_INTERVAL);
    config
}

struct ResetKey([u8; 32]);

impl ResetKey {
    fn mac(&self, data: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).ok()?;
        mac.update(data);
        Some(mac)
    }
}

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        let bytes = self.mac(data).map(|mac| mac.finalize().into_bytes());
        for (to, from) in signature_out.iter_mut().zip(bytes.into_iter().flatten()) {
            *to = from;
        }
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let right = self.mac(data).is_some_and(|mac| mac.verify_slice(signature).is_ok());
        if right { Ok(()) } else { Err(CryptoError) }
    }
}

/// X25519MLKEM768 is the only group: a client that cannot do it gets no connection, so no recorded session can be
/// opened by a quantum computer later.
fn provider() -> CryptoProvider {
    let kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768];
    CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() }
}

fn transport(idle: Duration) -> Result<TransportConfig, SpawnError> {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(BIDI_STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(UNI_STREAMS))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(IdleTimeout::try_from(idle).map_err(|_| SpawnError::Tls)?));
    Ok(transport)
}
