//! Opening the socket of a data channel: addresses, TCP, proxy, TLS, WebSocket upgrade, each with its own deadline.

mod address;
mod bypass;
mod error;
mod low_water;
mod proxy;
mod tunnel;
mod upgrade;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use url::{Host, Url};

pub use error::{DialError, DialStep};
pub use proxy::{Proxy, ProxyProblem, ProxyRules};

use crate::ports::{SignedHeader, StreamUrl};

/// How long each step of a dial may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialTimeouts {
    /// Looking the host name up. Default 5 s.
    pub resolve: Duration,
    /// Connecting, over all addresses together. Default 10 s.
    pub connect: Duration,
    /// Head start of an address over the next one (RFC 8305). Default 250 ms.
    pub stagger: Duration,
    /// CONNECT to a proxy, from the request to the last header of the answer; the proxy connects meanwhile. Default
    /// 15 s.
    pub proxy: Duration,
    /// TLS handshake. Default 10 s.
    pub tls: Duration,
    /// WebSocket upgrade, from the request to the last header of the answer. Default 15 s.
    pub upgrade: Duration,
}

impl Default for DialTimeouts {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(5),
            connect: Duration::from_secs(10),
            stagger: Duration::from_millis(250),
            proxy: Duration::from_secs(15),
            tls: Duration::from_secs(10),
            upgrade: Duration::from_secs(15),
        }
    }
}

/// Opens sockets to gateways. Cheap to clone; clones share the trust store, which is loaded at the first `wss` dial.
#[derive(Clone, Default)]
pub struct Dialer {
    timeouts: DialTimeouts,
    extra_roots: Arc<[CertificateDer<'static>]>,
    proxy: ProxyRules,
    tls: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("timeouts", &self.timeouts)
            .field("extra_roots", &self.extra_roots.len())
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// An open data channel socket, plain or TLS.
pub(crate) type DataSocket = WebSocketStream<Box<dyn ByteStream>>;

/// What a WebSocket runs over.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Received bytes below which a reader is not woken from now on; 1 is how streams begin. False where a reader is woken
    /// by any.
    fn set_low_water(&self, bytes: usize) -> bool;
}

impl ByteStream for TcpStream {
    fn set_low_water(&self, bytes: usize) -> bool {
        low_water::set(self, bytes)
    }
}

impl ByteStream for Box<dyn ByteStream> {
    fn set_low_water(&self, bytes: usize) -> bool {
        (**self).set_low_water(bytes)
    }
}

impl<S: ByteStream> ByteStream for TlsStream<S> {
    fn set_low_water(&self, bytes: usize) -> bool {
        // Records make it more on the wire.
        self.get_ref().0.set_low_water(bytes)
    }
}

#[cfg(test)]
impl ByteStream for tokio::io::DuplexStream {
    fn set_low_water(&self, _: usize) -> bool {
        false
    }
}

impl Dialer {
    /// A dialer that trusts what the operating system trusts, with default time-outs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also trusts these certificate authorities (`AWS_CA_BUNDLE`, a simulator's own).
    #[must_use]
    pub fn with_extra_roots(self, roots: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self { extra_roots: roots.into_iter().collect(), tls: Arc::default(), ..self }
    }

    /// Goes through proxies by these rules; by default through none.
    #[must_use]
    pub fn with_proxy(self, proxy: ProxyRules) -> Self {
        Self { proxy, ..self }
    }

    /// Replaces the time-outs.
    #[must_use]
    pub fn with_timeouts(self, timeouts: DialTimeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Opens the socket. `headers` sign the upgrade (protocol.md 2.1); nothing is sent on the data channel yet.
    ///
    /// # Errors
    /// Names the step that failed. `ws://` is refused unless the host is this computer.
    pub(crate) async fn dial(
        &self,
        url: &StreamUrl,
        headers: &[SignedHeader],
    ) -> Result<DataSocket, DialError> {
        let target = Target::parse(url)?;
        let request = upgrade::request(url, headers)?;
        let stream = self.open(&target).await?;
        upgrade::upgrade(request, stream, self.timeouts.upgrade).await
    }

    /// Goes the way to a host as far as a request could be sent, and hangs up: what is wrong with it when somebody
    /// else's connection failed. `secure`: TLS is spoken to the host.
    ///
    /// # Errors
    /// Names the step that failed.
    pub async fn reach(&self, secure: bool, host: &str, port: u16) -> Result<(), DialError> {
        let host = Host::parse(host).map_err(|_| DialError::BadUrl { problem: "its host is not valid" })?;
        self.open(&Target { host, port, secure }).await.map(drop)
    }

    async fn open(&self, target: &Target) -> Result<Box<dyn ByteStream>, DialError> {
        let proxy = self
            .proxy
            .choose(target.secure, &target.name(), target.port)
            .map_err(DialError::ProxyUnusable)?;
        let stream = match proxy {
            None => self.connect(&target.host, target.port, target.name()).await?,
            Some(proxy) => self.tunnel(&proxy, target).await?,
        };
        if target.secure { self.secure(&target.host, target.name(), stream).await } else { Ok(stream) }
    }

    async fn tunnel(&self, proxy: &Proxy, target: &Target) -> Result<Box<dyn ByteStream>, DialError> {
        let name = format!("the proxy {proxy}");
        let mut stream = self.connect(&proxy.host, proxy.port, name.clone()).await?;
        if proxy.secure {
            stream = self.secure(&proxy.host, name.clone(), stream).await?;
        }
        timeout(self.timeouts.proxy, tunnel::open(&mut stream, proxy, target))
            .await
            .map_err(|_| DialError::Timeout { host: name, step: DialStep::ProxyConnect })??;
        Ok(stream)
    }

    /// Connects to `at`, which errors call `host`.
    async fn connect(
        &self,
        at: &Host<String>,
        port: u16,
        host: String,
    ) -> Result<Box<dyn ByteStream>, DialError> {
        let addresses = match at {
            Host::Ipv4(ip) => vec![(*ip, port).into()],
            Host::Ipv6(ip) => vec![(*ip, port).into()],
            Host::Domain(name) => timeout(self.timeouts.resolve, address::resolve(name, port))
                .await
                .map_err(|_| DialError::Timeout { host: host.clone(), step: DialStep::Resolve })?
                .map_err(|message| DialError::Resolve { host: host.clone(), message })?,
        };
        let stream =
            timeout(self.timeouts.connect, address::connect_first(&addresses, self.timeouts.stagger))
                .await
                .map_err(|_| DialError::Timeout { host: host.clone(), step: DialStep::Connect })?
                .map_err(|message| DialError::Connect { host, message })?;
        address::prepare(&stream);
        Ok(Box::new(stream))
    }

    async fn secure(
        &self,
        at: &Host<String>,
        host: String,
        stream: Box<dyn ByteStream>,
    ) -> Result<Box<dyn ByteStream>, DialError> {
        let config = self.tls_config(&host)?;
        let name = match at {
            Host::Domain(name) => ServerName::try_from(name.clone())
                .map_err(|_| DialError::BadUrl { problem: "the host is not a valid name for TLS" })?,
            Host::Ipv4(ip) => ServerName::from(std::net::IpAddr::from(*ip)),
            Host::Ipv6(ip) => ServerName::from(std::net::IpAddr::from(*ip)),
        };
        let stream = timeout(self.timeouts.tls, TlsConnector::from(config).connect(name, stream))
            .await
            .map_err(|_| DialError::Timeout { host: host.clone(), step: DialStep::Tls })?
            .map_err(|error| DialError::from_tls(host, &error))?;
        Ok(Box::new(stream))
    }

    fn tls_config(&self, host: &str) -> Result<Arc<ClientConfig>, DialError> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let config = tls_config(&self.extra_roots).map_err(|error| DialError::Tls {
            host: host.to_owned(),
            message: format!("the system's trusted certificates could not be loaded: {error}"),
            untrusted: false,
        })?;
        Ok(self.tls.get_or_init(|| Arc::new(config)).clone())
    }
}

/// Platform trust plus `extra_roots`, with the provider named here so that no process-wide default is needed.
fn tls_config(extra_roots: &[CertificateDer<'static>]) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
        extra_roots.iter().cloned(),
        provider.clone(),
    )?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Where a stream URL points.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    host: Host<String>,
    port: u16,
    secure: bool,
}

impl Target {
    fn parse(url: &StreamUrl) -> Result<Self, DialError> {
        let url = Url::parse(url.expose()).map_err(|_| DialError::BadUrl { problem: "it is not a URL" })?;
        let (secure, default_port) = match url.scheme() {
            "wss" => (true, 443),
            "ws" => (false, 80),
            _ => return Err(DialError::BadUrl { problem: "it is neither wss nor ws" }),
        };
        let host = url.host().ok_or(DialError::BadUrl { problem: "it has no host" })?.to_owned();
        let target = Self { host, port: url.port().unwrap_or(default_port), secure };
        if !secure && !target.is_loopback() {
            return Err(DialError::PlainRefused { host: target.name() });
        }
        Ok(target)
    }

    fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
            // RFC 6761 6.3: these names never leave the computer.
            Host::Domain(name) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    fn name(&self) -> String {
        self.host.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, DialError> {
        Target::parse(&StreamUrl::new(url))
    }

    #[test]
    fn plain_sockets_are_for_this_computer_only() {
        for url in [
            "ws://127.0.0.1:8080/x",
            "ws://[::1]:1/x",
            "ws://localhost/x",
            "ws://LOCALHOST./x",
            "ws://a.localhost/",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
        for url in ["ws://10.0.0.1/x", "ws://example.com/x", "ws://localhost.example.com/", "ws://[fe80::1]/"]
        {
            assert!(matches!(parse(url), Err(DialError::PlainRefused { .. })), "{url}");
        }
    }

    #[test]
    fn ports_default_by_scheme() {
        assert_eq!(parse("wss://example.com/v1").map(|t| t.port), Ok(443));
        assert_eq!(parse("ws://127.0.0.1/v1").map(|t| t.port), Ok(80));
        assert_eq!(parse("wss://example.com:8443/v1").map(|t| t.port), Ok(8443));
    }

    #[test]
    fn other_urls_are_refused_without_showing_them() {
        for url in ["", "https://example.com/?X-Amz-Signature=abc", "wss://", "not a url abc"] {
            let error = parse(url).expect_err(url);
            assert!(matches!(error, DialError::BadUrl { .. }), "{url}: {error:?}");
            assert!(!error.to_string().contains("abc"), "{error}");
        }
    }

    #[tokio::test]
    async fn nothing_listening_is_a_connect_error_with_the_host() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let port = listener.local_addr().expect("address").port();
        drop(listener);
        let url = StreamUrl::new(format!("ws://127.0.0.1:{port}/v1/data-channel/x"));
        let error = Dialer::new().dial(&url, &[]).await.err().expect("refused");
        assert!(matches!(&error, DialError::Connect { host, .. } if host == "127.0.0.1"), "{error:?}");
    }
}
