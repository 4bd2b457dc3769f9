//! The QUIC transport against real handshakes on loopback: who is let in, and what the wire shows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use budstikke::transport::quic::{QuicConfig, QuicTransport};
use budstikke::transport::{Connection, Transport, TransportError};
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::EXPORTER_LABEL;
use budstikke_proto::descriptor::relay_id;
use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::id::RelayId;
use budstikke_proto::limits::{CELL_LEN, DATA_FRAME_LEN};
use quinn::crypto::rustls::{HandshakeData, QuicServerConfig};
use quinn::{Endpoint, ServerConfig};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, PublicKeyData};
use rustls::crypto::aws_lc_rs::sign::any_eddsa_type;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

fn generate() -> (KeyPair, CertificateDer<'static>) {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let certificate = CertificateParams::new(vec!["whoever".into()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    (key, certificate.into())
}

type Builder = rustls::ConfigBuilder<rustls::ServerConfig, rustls::server::WantsServerCert>;

fn builder(group: &'static dyn SupportedKxGroup) -> Builder {
    let provider = CryptoProvider { kx_groups: vec![group], ..default_provider() };
    rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
}

fn listen(mut tls: rustls::ServerConfig, alpn: &[u8], id: RelayId) -> (Endpoint, RelayAddress) {
    tls.alpn_protocols = vec![alpn.to_vec()];
    let crypto = QuicServerConfig::try_from(tls).unwrap();
    let config = ServerConfig::with_crypto(Arc::new(crypto));
    let endpoint = Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = endpoint.local_addr().unwrap().port();
    (endpoint, RelayAddress { id, host: "127.0.0.1".into(), port })
}

/// A TLS server of the usual kind, with one key exchange group.
fn server(group: &'static dyn SupportedKxGroup, alpn: &[u8]) -> (Endpoint, RelayAddress) {
    let (key, certificate) = generate();
    let id = relay_id(&key.public_key_raw().try_into().unwrap());
    let secret = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let tls = builder(group).with_single_cert(vec![certificate], secret).unwrap();
    listen(tls, alpn, id)
}

fn usual() -> (Endpoint, RelayAddress) {
    server(kx_group::X25519MLKEM768, b"h3")
}

async fn dial(
    endpoint: &Endpoint,
    address: &RelayAddress,
) -> (Result<Box<dyn Connection>, TransportError>, Result<quinn::Connection, quinn::ConnectionError>)
{
    let transport = QuicTransport::default();
    tokio::join!(transport.connect(address), async { endpoint.accept().await.unwrap().await })
}

#[tokio::test]
async fn frames_travel_and_both_ends_name_the_session_alike() {
    let (endpoint, address) = usual();
    let (ours, theirs) = dial(&endpoint, &address).await;
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    let mut nonce = [0; 32];
    theirs.export_keying_material(&mut nonce, EXPORTER_LABEL, &[]).unwrap();
    assert_eq!(ours.session_nonce(), nonce);

    let mut stream = ours.open_stream().await.unwrap();
    let payload = Some(vec![3; CELL_LEN]);
    let frame = Frame { kind: Kind::Request, request: 1, tag: [4; 16], op: vec![5; 9], payload };
    stream.sender.send(&[frame.clone(), frame.clone()]).await.unwrap();
    let (mut send, mut recv) = theirs.accept_bi().await.unwrap();
    let mut bytes = vec![0; DATA_FRAME_LEN];
    for _ in 0..2 {
        recv.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes, frame.encode().unwrap());
    }
    send.write_all(&bytes).await.unwrap();
    assert_eq!(stream.receiver.recv().await.unwrap(), Some(frame));
    send.finish().unwrap();
    assert_eq!(stream.receiver.recv().await, Ok(None));

    ours.close().await;
    assert!(matches!(theirs.closed().await, quinn::ConnectionError::ApplicationClosed(_)));
}

#[tokio::test]
async fn another_key_is_the_wrong_relay() {
    let (endpoint, mut address) = usual();
    address.id = RelayId::from_bytes([0; 32]);
    let (ours, theirs) = dial(&endpoint, &address).await;
    assert_eq!(ours.unwrap_err(), TransportError::WrongRelay);
    assert!(theirs.is_err());
}

/// The right certificate, which anybody can copy, without its key.
#[tokio::test]
async fn the_certificate_without_its_key_is_the_wrong_relay() {
    #[derive(Debug)]
    struct Copied(Arc<CertifiedKey>);
    impl ResolvesServerCert for Copied {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let (right, wrong) = (generate(), generate());
    let id = RelayId::from_bytes(Sha256::digest(right.0.subject_public_key_info()).into());
    let signer = any_eddsa_type(&PrivatePkcs8KeyDer::from(wrong.0.serialize_der())).unwrap();
    let copied = CertifiedKey::new(vec![right.1], signer);
    let tls = builder(kx_group::X25519MLKEM768).with_cert_resolver(Arc::new(Copied(copied.into())));
    let (endpoint, address) = listen(tls, b"h3", id);
    let (ours, _) = dial(&endpoint, &address).await;
    assert_eq!(ours.unwrap_err(), TransportError::WrongRelay);
}

#[tokio::test]
async fn an_exchange_that_a_quantum_computer_breaks_is_refused() {
    let (endpoint, address) = server(kx_group::X25519, b"h3");
    let (ours, _) = dial(&endpoint, &address).await;
    assert_eq!(ours.unwrap_err(), TransportError::Handshake);
}

#[tokio::test]
async fn the_protocol_name_is_the_configured_one() {
    let (endpoint, address) = server(kx_group::X25519MLKEM768, b"other");
    let (ours, _) = dial(&endpoint, &address).await;
    assert_eq!(ours.unwrap_err(), TransportError::Handshake);
    let mut config = QuicConfig::default();
    config.alpn = vec![b"other".to_vec()];
    let transport = QuicTransport::new(config);
    let accept = async { endpoint.accept().await.unwrap().await };
    let (ours, theirs) = tokio::join!(transport.connect(&address), accept);
    assert!(ours.is_ok() && theirs.is_ok());
}

#[tokio::test]
async fn the_wire_shows_the_addresss_host_name_or_none() {
    for (host, shown) in [("127.0.0.1", None), ("localhost", Some("localhost"))] {
        let (endpoint, mut address) = usual();
        address.host = host.into();
        let (ours, theirs) = dial(&endpoint, &address).await;
        let (_ours, theirs) = (ours.unwrap(), theirs.unwrap());
        let data = theirs.handshake_data().unwrap().downcast::<HandshakeData>().unwrap();
        assert_eq!(data.server_name.as_deref(), shown);
        assert_eq!(data.protocol.as_deref(), Some(b"h3".as_slice()));
    }
}

#[tokio::test]
async fn nothing_is_kept_from_one_session_to_the_next() {
    let (endpoint, address) = usual();
    let (first, theirs) = dial(&endpoint, &address).await;
    let (first, theirs) = (first.unwrap(), theirs.unwrap());
    let from: SocketAddr = theirs.remote_address();
    first.close().await;
    let (second, theirs) = dial(&endpoint, &address).await;
    assert_ne!(second.unwrap().session_nonce(), first.session_nonce());
    assert_ne!(theirs.unwrap().remote_address().port(), from.port(), "a socket of its own");
}

#[tokio::test]
async fn silence_times_out_and_a_name_without_address_is_unreachable() {
    // A socket that never answers.
    let silent = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut config = QuicConfig::default();
    config.connect_timeout = Duration::from_millis(100);
    let transport = QuicTransport::new(config);
    let id = RelayId::from_bytes([1; 32]);
    let address = RelayAddress { id, host: "127.0.0.1".into(), port };
    assert_eq!(transport.connect(&address).await.unwrap_err(), TransportError::TimedOut);
    let address = RelayAddress { id, host: "no..name".into(), port };
    let error = QuicTransport::default().connect(&address).await.unwrap_err();
    assert_eq!(error, TransportError::Unreachable);
}

#[tokio::test]
async fn a_relay_that_goes_away_is_closed() {
    let (endpoint, address) = usual();
    let (ours, theirs) = dial(&endpoint, &address).await;
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    let mut stream = ours.open_stream().await.unwrap();
    theirs.close(0_u32.into(), b"");
    assert_eq!(stream.receiver.recv().await, Err(TransportError::Closed));
    assert_eq!(ours.open_stream().await.unwrap_err(), TransportError::Closed);
}
