//! The HTTP client of the SDK, with the trust store and proxy the user configured.

use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// What an HTTP client is made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Transport {
    /// Plain HTTP on this computer only: no trust store, no proxy.
    PlainLoopback,
    /// HTTPS with the system's roots and those of a bundle (AWS_CA_BUNDLE, `ca_bundle`).
    Tls {
        /// A PEM file with one or more certificates.
        ca_bundle: Option<String>,
        /// Whether HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY of the process apply.
        process_proxy: bool,
    },
}

impl Transport {
    /// Builds the client. The SDK itself does not honour a CA bundle (aws-security-reliability.md A.10).
    ///
    /// # Errors
    /// A sentence naming the bundle that cannot be read or holds no certificate. The SDK's client would panic on
    /// such a bundle, so it is checked here.
    pub(crate) fn client(&self) -> Result<SharedHttpClient, String> {
        let (ca_bundle, process_proxy) = match self {
            Self::PlainLoopback => return Ok(Builder::new().build_http()),
            Self::Tls { ca_bundle, process_proxy } => (ca_bundle, *process_proxy),
        };
        let mut trust = TrustStore::default();
        if let Some(path) = ca_bundle {
            trust = trust.with_pem_certificate(checked_bundle(Path::new(path))?);
        }
        let tls = TlsContext::builder()
            .with_trust_store(trust)
            .build()
            .map_err(|error| format!("TLS cannot be set up: {}", crate::error::full_text(&error)))?;
        Ok(Builder::new().build_with_connector_fn(move |settings, _components| {
            let proxy = if process_proxy { ProxyConfig::from_env() } else { ProxyConfig::disabled() };
            let mut connector = Connector::builder()
                .proxy_config(proxy)
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(tls.clone());
            if let Some(settings) = settings {
                connector = connector.connector_settings(settings.clone());
            }
            connector.build()
        }))
    }
}

fn checked_bundle(path: &Path) -> Result<Vec<u8>, String> {
    let pem = read_bundle(path)?;
    certificates(path, &pem)?;
    Ok(pem)
}

/// The certificates of a CA bundle, each of them usable as a root.
///
/// # Errors
/// A sentence naming the bundle that cannot be read or holds no usable certificate.
pub(crate) fn bundle_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    certificates(path, &read_bundle(path)?)
}

fn read_bundle(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("The CA bundle {} cannot be read: {error}", path.display()))
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let mut roots = rustls::RootCertStore::empty();
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| format!("The CA bundle {shown} is not valid PEM: {error}"))?;
        roots.add(certificate.clone()).map_err(|error| {
            format!("The CA bundle {shown} holds a certificate that cannot be used: {error}")
        })?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(format!("The CA bundle {shown} holds no certificate."));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_bundle(path: &Path) -> Result<SharedHttpClient, String> {
        Transport::Tls { ca_bundle: Some(path.display().to_string()), process_proxy: false }.client()
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named_and_does_not_panic() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bundle.pem");
        assert!(with_bundle(&path).unwrap_err().contains("cannot be read"));
        std::fs::write(&path, "nothing here").unwrap();
        assert!(with_bundle(&path).unwrap_err().contains("holds no certificate"));
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(with_bundle(&path).unwrap_err().contains("cannot be used"));
    }
}
