//! Why a dial failed.

use std::fmt;
use std::io;

use super::proxy::ProxyProblem;

/// A step of a dial that has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DialStep {
    /// Looking the host name up.
    Resolve,
    /// Connecting over TCP.
    Connect,
    /// CONNECT through a proxy.
    ProxyConnect,
    /// TLS handshake.
    Tls,
    /// WebSocket upgrade.
    Upgrade,
}

impl fmt::Display for DialStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking its name up",
            Self::Connect => "connecting",
            Self::ProxyConnect => "opening a tunnel",
            Self::Tls => "the TLS handshake",
            Self::Upgrade => "the WebSocket upgrade",
        })
    }
}

/// Why the socket of a data channel could not be opened. Names the host, never the URL. Where a proxy stands in for the
/// gateway, the host is "the proxy" with its host and port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The stream URL cannot be used.
    #[error("AWS gave an unusable stream URL: {problem}")]
    BadUrl {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An unencrypted URL to another computer.
    #[error("The stream URL of {host} is not encrypted; plain ws is allowed on this computer only")]
    PlainRefused {
        /// The gateway's host.
        host: String,
    },
    /// The name has no address.
    #[error("The address of {host} could not be found: {message}")]
    Resolve {
        /// The gateway's host.
        host: String,
        /// The resolver's text.
        message: String,
    },
    /// The proxy's address cannot be used.
    #[error("{0}")]
    ProxyUnusable(ProxyProblem),
    /// The proxy does not open a tunnel to the gateway.
    #[error("{}", refusal(.proxy, .host, *.status, *.had_credentials, .offers, .reason))]
    ProxyRefused {
        /// The proxy's host and port.
        proxy: String,
        /// The gateway's host.
        host: String,
        /// HTTP status; 407 asks for other credentials, or for any.
        status: u16,
        /// Whether credentials were sent.
        had_credentials: bool,
        /// Names of the authentication schemes the proxy takes. Only `Basic` is supported.
        offers: Vec<String>,
        /// What the proxy said, printable characters only.
        reason: String,
    },
    /// The proxy broke off, or its answer is not one.
    #[error("The proxy {proxy} did not open a tunnel: {message}")]
    ProxyBroken {
        /// The proxy's host and port.
        proxy: String,
        /// What went wrong.
        message: String,
    },
    /// No address accepted a connection.
    #[error("{} could not be reached: {message}", first_word(.host))]
    Connect {
        /// The gateway's host.
        host: String,
        /// What each address said.
        message: String,
    },
    /// TLS failed.
    #[error("TLS with {host} failed: {message}")]
    Tls {
        /// The gateway's host.
        host: String,
        /// What rustls said.
        message: String,
        /// Whether the certificate was received and not trusted.
        untrusted: bool,
    },
    /// The gateway answered the upgrade with something else than 101.
    #[error("The gateway refused the data channel with HTTP status {status}{}", if body.is_empty() { String::new() } else { format!(": {body}") })]
    Upgrade {
        /// HTTP status.
        status: u16,
        /// Start of the answer's body, as far as it came with the headers; at most 1 KiB, printable characters only.
        body: String,
    },
    /// The connection broke, or was no WebSocket, during the upgrade.
    #[error("The gateway's answer to the upgrade could not be used: {message}")]
    UpgradeBroken {
        /// What went wrong.
        message: String,
    },
    /// A step took too long.
    #[error("{} did not answer in time during {step}", first_word(.host))]
    Timeout {
        /// The gateway's host.
        host: String,
        /// Which step.
        step: DialStep,
    },
}

impl DialError {
    /// Whether no later attempt with the same kind of URL can succeed.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::BadUrl { .. } | Self::PlainRefused { .. } | Self::ProxyUnusable(_))
    }

    /// Whether the next attempt will fail in the same way unless somebody changes something: a name without address,
    /// a proxy that refuses, a certificate that is not trusted. What has not begun fails with it at once; an open
    /// session goes on trying, for the network may be another one soon.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Resolve { .. } | Self::Tls { untrusted: true, .. } => true,
            // 5xx: the proxy did not reach the host, which it may do later.
            Self::ProxyRefused { status, .. } => *status < 500,
            _ => self.is_permanent(),
        }
    }

    /// Whether the proxy is at fault, or what is known of it.
    pub fn is_about_proxy(&self) -> bool {
        matches!(self, Self::ProxyUnusable(_) | Self::ProxyRefused { .. } | Self::ProxyBroken { .. })
    }

    /// Whether the gateway refuses this token or this identity (401 or 403 at the upgrade).
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Upgrade { status: 401 | 403, .. })
    }

    pub(super) fn from_tls(host: String, error: &io::Error) -> Self {
        let untrusted = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .is_some_and(|inner| matches!(inner, rustls::Error::InvalidCertificate(_)));
        Self::Tls { host, message: error.to_string(), untrusted }
    }
}

/// A host at the start of a sentence.
fn first_word(host: &str) -> String {
    host.strip_prefix("the ").map_or_else(|| host.to_owned(), |rest| format!("The {rest}"))
}

fn refusal(
    proxy: &str,
    host: &str,
    status: u16,
    had_credentials: bool,
    offers: &[String],
    reason: &str,
) -> String {
    let offers =
        if offers.is_empty() { String::new() } else { format!(" (it offers {})", offers.join(", ")) };
    match (status, had_credentials) {
        (407, false) => format!("The proxy {proxy} wants a user name and password{offers}"),
        (407, true) => {
            format!("The proxy {proxy} does not accept the user name and password in its address{offers}")
        }
        _ if reason.is_empty() => {
            format!("The proxy {proxy} refused a connection to {host} with HTTP status {status}")
        }
        _ => format!("The proxy {proxy} refused a connection to {host} with HTTP status {status}: {reason}"),
    }
}
