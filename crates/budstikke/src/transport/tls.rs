//! TLS for a pinned relay (SPEC.md section 3.2): 1.3 only, X25519MLKEM768 only, the key in the address and no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use budstikke_proto::id::RelayId;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};

/// TLS for one attempt to reach the relay `expected`, and the verifier that afterwards tells whether the pin failed.
///
/// Nothing is kept between sessions: no resumption, no early data, so that a relay cannot recognise a returning
/// client and nothing can be replayed.
pub(super) fn client_config(
    expected: RelayId,
    alpn: &[Vec<u8>],
) -> Result<(ClientConfig, Arc<PinVerifier>), Error> {
    let provider = CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        cipher_suites: aws_lc_rs::default_provider()
            .cipher_suites
            .into_iter()
            .filter(|suite| suite.tls13().is_some())
            .collect(),
        ..aws_lc_rs::default_provider()
    };
    let provider = Arc::new(provider);
    let verifier = Arc::new(PinVerifier {
        expected,
        provider: Arc::clone(&provider),
        impostor: AtomicBool::new(false),
    });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.alpn_protocols = alpn.to_vec();
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok((config, verifier))
}

/// Accepts exactly the certificate whose SPKI hashes to the address's fingerprint. Names, dates and issuers in it
/// are not looked at: the pin says more than they could. The handshake's signature is still checked, so holding the
/// certificate without its key is not enough.
#[derive(Debug)]
pub(super) struct PinVerifier {
    expected: RelayId,
    provider: Arc<CryptoProvider>,
    impostor: AtomicBool,
}

impl PinVerifier {
    /// Whether the other end could not prove to hold the pinned key. QUIC's own error says only that the handshake
    /// failed.
    pub(super) fn met_an_impostor(&self) -> bool {
        self.impostor.load(Ordering::Relaxed)
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let spki = certificate.subject_public_key_info();
        // `RelayId` compares in constant time.
        if RelayId::from_bytes(Sha256::digest(spki.as_ref()).into()) == self.expected {
            Ok(ServerCertVerified::assertion())
        } else {
            self.impostor.store(true, Ordering::Relaxed);
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
            .inspect_err(|_| self.impostor.store(true, Ordering::Relaxed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
