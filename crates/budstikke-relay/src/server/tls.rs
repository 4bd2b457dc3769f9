//! The relay's side of TLS 1.3: post-quantum key exchange only, the identity key as certificate, no resumption, no
//! 0-RTT.

use std::sync::Arc;
use std::time::Duration;

use budstikke_proto::sign::SigningSeed;
use hmac::{Hmac, Mac};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::crypto::{CryptoError, HmacKey};
use quinn::{EndpointConfig, IdleTimeout, TransportConfig, VarInt};
use quinn_proto::{ConnectionId, ConnectionIdGenerator, InvalidCid};
use rand_core::{OsRng, RngCore};
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
/// What a client may send ahead on one stream, and on all of them as long as it has proved no capability.
const STREAM_WINDOW: u32 = 512 << 10;
pub(super) const STRANGERS_WINDOW: u32 = 64 << 10;
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
    config
        .cid_generator(move || Box::new(Cids(ResetKey(reset_key))))
        .min_reset_interval(RESET_INTERVAL);
    config
}

/// Bytes of a connection id that are random, and those that only this relay can have made of them.
///
/// The id in a Retry is not checked against the ids in use: whoever gets one that is, is never heard again. With
/// quinn's own generator, whose ids have 3 random bytes, that was one newcomer in 300 before 10,000 connections.
const CID_RANDOM_LEN: usize = 8;
const CID_MARK_LEN: usize = 4;

/// Connection ids. Those of the process before are recognised, and answered with a reset; anything else is dropped.
struct Cids(ResetKey);

impl Cids {
    fn mark(&self, random: &[u8]) -> Option<[u8; CID_MARK_LEN]> {
        let bytes =
            self.0.mac(&[b"connection id".as_slice(), random].concat())?.finalize().into_bytes();
        bytes.first_chunk().copied()
    }
}

impl ConnectionIdGenerator for Cids {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut random = [0; CID_RANDOM_LEN];
        OsRng.fill_bytes(&mut random);
        let mark = self.mark(&random).unwrap_or_default();
        ConnectionId::new(&[random.as_slice(), &mark].concat())
    }

    fn validate(&self, cid: &ConnectionId) -> Result<(), InvalidCid> {
        let (random, mark) = cid.split_at_checked(CID_RANDOM_LEN).ok_or(InvalidCid)?;
        let ours = self.mark(random).is_some_and(|ours| ours == *mark);
        if ours { Ok(()) } else { Err(InvalidCid) }
    }

    fn cid_len(&self) -> usize {
        CID_RANDOM_LEN + CID_MARK_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
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
        .receive_window(VarInt::from_u32(STRANGERS_WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(IdleTimeout::try_from(idle).map_err(|_| SpawnError::Tls)?));
    Ok(transport)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn connection_ids_never_meet_and_are_known_after_a_restart() {
        let (mut before, after) = (Cids(ResetKey([1; 32])), Cids(ResetKey([1; 32])));
        let another = Cids(ResetKey([2; 32]));
        let ids: HashSet<_> = (0..100_000).map(|_| before.generate_cid()).collect();
        assert_eq!(ids.len(), 100_000);
        for id in ids.iter().take(100) {
            assert_eq!(id.len(), before.cid_len());
            assert!(after.validate(id).is_ok() && another.validate(id).is_err());
            let mut changed = id.to_vec();
            changed[0] ^= 1;
            assert!(after.validate(&ConnectionId::new(&changed)).is_err());
        }
        assert!(after.validate(&ConnectionId::new(&[1; 3])).is_err());
    }
}
