//! The HTTP client of the SDK, with the trust store and the proxies the user configured.

use std::path::Path;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use fleetline_engine::{DialError, Dialer, ProxyProblem, ProxyRules};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::time::timeout;
use url::Url;

use crate::error::connecting;

/// What an HTTP client is made for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// Plain HTTP on this computer only: no trust store, no proxy.
    PlainLoopback,
    /// HTTPS with the system's roots and those of a bundle (AWS_CA_BUNDLE, `ca_bundle`).
    Tls {
        /// A PEM file with one or more certificates.
        ca_bundle: Option<String>,
        /// The source's own proxy, in place of those of the environment. May hold a password.
        proxy: Option<String>,
    },
}

/// How long the way is looked at when a connection could not be made.
const LOOK: Duration = Duration::from_secs(4);
/// How long a connection that nobody uses is kept: longer than a paced queue pauses between two calls.
const IDLE: Duration = Duration::from_secs(20);
/// Unused connections kept to one host. Each may hold a buffer as large as the answers it brought, up to 400 KiB.
const IDLE_CONNECTIONS: usize = 8;

impl Transport {
    /// Builds the client, which goes through proxies by `rules`. The SDK itself honours no CA bundle
    /// (aws-security-reliability.md A.10), and reads proxies from the process environment by rules of its own.
    ///
    /// # Errors
    /// A sentence naming the bundle that cannot be read or holds no certificate. The SDK's client would panic on
    /// such a bundle, so it is checked here.
    pub(crate) fn client(&self, rules: &ProxyRules) -> Result<SharedHttpClient, String> {
        let Self::Tls { ca_bundle, .. } = self else {
            return Ok(Builder::new()
                .build_with_connector_fn(|settings, _components| connector(settings).build_http()));
        };
        let mut trust = TrustStore::default();
        let mut dialer = Dialer::new().with_proxy(rules.clone());
        if let Some(path) = ca_bundle {
            let (pem, roots) = read_bundle(Path::new(path))?;
            trust = trust.with_pem_certificate(pem);
            dialer = dialer.with_extra_roots(roots);
        }
        let tls = TlsContext::builder()
            .with_trust_store(trust)
            .build()
            .map_err(|error| format!("TLS cannot be set up: {}", crate::error::full_text(&error)))?;
        let client = |proxy: ProxyConfig| {
            let tls = tls.clone();
            Builder::new().build_with_connector_fn(move |settings, _components| {
                connector(settings)
                    .proxy_config(proxy.clone())
                    .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                    .tls_context(tls.clone())
                    .build()
            })
        };
        let proxied = |secure| {
            let Some(proxy) = rules.proxy(secure) else { return Ok(None) };
            // The SDK's errors show the address.
            let config = ProxyConfig::all(proxy.expose_url().as_str())
                .map_err(|_| format!("The proxy {proxy} cannot be used for HTTPS."))?;
            Ok::<_, String>(Some(client(config)))
        };
        Ok(SharedHttpClient::new(Routed {
            direct: client(ProxyConfig::disabled()),
            plain: proxied(false)?,
            secure: proxied(true)?,
            rules: rules.clone(),
            dialer,
        }))
    }
}

/// What every client's connections have in common.
fn connector(settings: Option<&HttpConnectorSettings>) -> ConnectorBuilder {
    let connector = Connector::builder().pool_idle_timeout(IDLE).pool_max_idle_per_host(IDLE_CONNECTIONS);
    match settings {
        Some(settings) => connector.connector_settings(settings.clone()),
        None => connector,
    }
}

/// A client that lets [`ProxyRules`] choose the way of each request.
#[derive(Debug)]
struct Routed<C = SharedHttpClient> {
    direct: C,
    /// Through the proxy for plain HTTP.
    plain: Option<C>,
    /// Through the proxy for HTTPS.
    secure: Option<C>,
    rules: ProxyRules,
    /// Goes the same ways, to say what is wrong with them.
    dialer: Dialer,
}

impl HttpClient for Routed {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = |client: &SharedHttpClient| client.http_connector(settings, components);
        SharedHttpConnector::new(Routed {
            direct: connector(&self.direct),
            plain: self.plain.as_ref().map(connector),
            secure: self.secure.as_ref().map(connector),
            rules: self.rules.clone(),
            dialer: self.dialer.clone(),
        })
    }
}

impl HttpConnector for Routed<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // A request without a host fails in any connector.
        let Some(place) = Place::of(request.uri()) else { return self.direct.call(request) };
        let call = match self.way(&place) {
            Ok(connector) => connector.call(request),
            Err(problem) => {
                let problem = Box::new(DialError::ProxyUnusable(problem));
                return HttpConnectorFuture::ready(Err(ConnectorError::user(problem)));
            }
        };
        let dialer = self.dialer.clone();
        HttpConnectorFuture::new(async move {
            match call.await {
                Err(error) if is_refused_way(&error) => Err(explained(error, &dialer, &place).await),
                outcome => outcome,
            }
        })
    }
}

/// Whether no connection came about, for another reason than time.
fn is_refused_way(error: &ConnectorError) -> bool {
    !error.is_timeout() && connecting(error)
}

/// The same failure, or what the engine's own dialler finds to be in the way when that will not pass by itself. The SDK
/// does not repeat the latter, and its own text names neither the proxy's answer nor who gave it.
async fn explained(error: ConnectorError, dialer: &Dialer, place: &Place) -> ConnectorError {
    match timeout(LOOK, dialer.reach(place.secure, &place.host, place.port)).await {
        Ok(Err(found)) if found.is_settled() => ConnectorError::other(Box::new(found), None),
        _ => error,
    }
}

/// Where a request goes.
#[derive(Debug)]
struct Place {
    secure: bool,
    host: String,
    port: u16,
}

impl Place {
    fn of(uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok()?;
        let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
        Some(Self { secure: url.scheme() == "https", host, port })
    }
}

impl<C> Routed<C> {
    fn way(&self, place: &Place) -> Result<&C, ProxyProblem> {
        let proxied = self.rules.choose(place.secure, &place.host, place.port)?.is_some();
        let way = if place.secure { &self.secure } else { &self.plain };
        Ok(way.as_ref().filter(|_| proxied).unwrap_or(&self.direct))
    }
}

/// The certificates of a CA bundle, each of them usable as a root.
///
/// # Errors
/// A sentence naming the bundle that cannot be read or holds no usable certificate.
pub(crate) fn bundle_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    read_bundle(path).map(|(_, roots)| roots)
}

/// A CA bundle as it stands in its file, and its certificates.
fn read_bundle(path: &Path) -> Result<(Vec<u8>, Vec<CertificateDer<'static>>), String> {
    let pem = std::fs::read(path)
        .map_err(|error| format!("The CA bundle {} cannot be read: {error}", path.display()))?;
    let roots = certificates(path, &pem)?;
    Ok((pem, roots))
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
        let transport = Transport::Tls { ca_bundle: Some(path.display().to_string()), proxy: None };
        transport.client(&ProxyRules::default())
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

    #[test]
    fn every_request_goes_the_way_the_data_channel_would_go() {
        let rules = ProxyRules::from_environment(|name| match name {
            "HTTPS_PROXY" => Some("http://s:1".to_owned()),
            "HTTP_PROXY" => Some("socks5://p:2".to_owned()),
            "NO_PROXY" => Some("inside.example:8443".to_owned()),
            _ => None,
        });
        let dialer = Dialer::new();
        let routed = Routed { direct: "direct", plain: None, secure: Some("secure"), rules, dialer };
        let way = |uri: &str| routed.way(&Place::of(uri).unwrap()).copied();
        assert_eq!(way("https://ssm.eu-west-1.amazonaws.com/"), Ok("secure"));
        assert_eq!(way("https://inside.example:8443/x"), Ok("direct"));
        assert_eq!(way("https://inside.example/x"), Ok("secure"));
        assert_eq!(way("http://169.254.169.254/latest"), Ok("direct"));
        assert_eq!(way("https://[::1]:9/"), Ok("direct"));
        assert_eq!(way("http://a.example/").unwrap_err().setting, "HTTP_PROXY");
    }
}
