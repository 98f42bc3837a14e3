//! The certificate a desktop shows, before any client is started (SEC-63).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetline_launch::rdp::{CertificatePin, NEGOTIATION_REQUEST, Negotiation, read_negotiation};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Longest wait for a session, the connection and the handshake together.
const LIMIT: Duration = Duration::from_secs(45);

/// Why the certificate was not seen. `Display` is a sentence without a final stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The forward took no connection, or cut it: its state says why.
    #[error("the node's desktop was not reached: {0}")]
    Unreached(String),
    /// Something else answers there.
    #[error("what answers on that port is no remote desktop")]
    NoDesktop,
    /// It refused to go on.
    #[error("the desktop refused to go on, with code {0}")]
    Refused(u32),
    /// TLS failed.
    #[error("the desktop's TLS failed: {0}")]
    Tls(String),
    /// Nothing came for long.
    #[error("the node's desktop did not answer within {} s", LIMIT.as_secs())]
    Silent,
}

/// The digest of the certificate a desktop shows; `None` when it only speaks RDP's own old security, which has none. The
/// connection is closed before anybody signs in.
///
/// # Errors
/// When it is not seen.
pub async fn certificate(address: SocketAddr) -> Result<Option<CertificatePin>, CertificateError> {
    timeout(LIMIT, look(address)).await.unwrap_or(Err(CertificateError::Silent))
}

async fn look(address: SocketAddr) -> Result<Option<CertificatePin>, CertificateError> {
    let unreached = |error: std::io::Error| CertificateError::Unreached(error.to_string());
    let mut stream = TcpStream::connect(address).await.map_err(unreached)?;
    stream.write_all(&NEGOTIATION_REQUEST).await.map_err(unreached)?;
    let mut received = Vec::new();
    loop {
        match read_negotiation(&received) {
            Negotiation::Open => {
                // One byte at a time: what follows belongs to TLS.
                let byte = stream.read_u8().await.map_err(unreached)?;
                received.push(byte);
            }
            Negotiation::Tls => break,
            Negotiation::OldSecurity => return Ok(None),
            Negotiation::Refused(code) => return Err(CertificateError::Refused(code)),
            Negotiation::Other => return Err(CertificateError::NoDesktop),
        }
    }
    let seen = Arc::new(Seen::default());
    let tls = |error: &dyn std::fmt::Display| CertificateError::Tls(error.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Looker { seen: seen.clone(), provider }))
        .with_no_client_auth();
    // The address is ours; no name is in the certificate that could be compared with it.
    let name = ServerName::from(address.ip());
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    match (seen.take(), handshake) {
        (Some(pin), _) => Ok(Some(pin)),
        (None, Err(error)) => Err(tls(&error)),
        (None, Ok(_)) => Err(tls(&"it showed no certificate")),
    }
}

#[derive(Debug, Default)]
struct Seen(Mutex<Option<CertificatePin>>);

impl Seen {
    fn take(&self) -> Option<CertificatePin> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Notes the certificate and trusts nothing: the connection carries no byte of anybody's, and the client that does is
/// held to the pin.
#[derive(Debug)]
struct Looker {
    seen: Arc<Seen>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(CertificatePin::of(end_entity));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
