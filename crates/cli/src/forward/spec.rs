//! `[BIND:]LOCAL:[HOST:]REMOTE`: what a forward listens on and leads to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use fleetline_engine::forward::{ForwardRequest, Listen};

/// Where a forward listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bind {
    /// Both families of loopback.
    Loopback,
    /// One address.
    Address(IpAddr),
    /// Every address of this computer.
    Everywhere,
}

/// Where a forward leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goal {
    /// Host beyond the node; `None` for the node itself.
    pub(crate) host: Option<String>,
    /// Port there, not 0.
    pub(crate) port: u16,
}

/// A whole forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) bind: Bind,
    /// 0 picks a free one.
    pub(crate) local: u16,
    pub(crate) goal: Goal,
}

/// Why a text is no forward.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpecError {
    #[error("it has {0} parts; two to four are separated by colons, and IPv6 addresses stand in brackets")]
    Parts(usize),
    #[error("“{0}” is no port: ports are numbers from {1} to 65535")]
    Port(String, u16),
    #[error("“{0}” is no address to listen on: an IP address, localhost or *")]
    Bind(String),
    #[error("“{0}” is no host")]
    Host(String),
    #[error("a bracket is not closed")]
    Bracket,
}

impl Bind {
    /// Whether other computers may reach it.
    pub(crate) fn is_exposed(&self) -> bool {
        match self {
            Self::Loopback => false,
            Self::Address(address) => !address.is_loopback(),
            Self::Everywhere => true,
        }
    }

    fn of(text: &str) -> Result<Self, SpecError> {
        Ok(match text {
            "localhost" => Self::Loopback,
            "*" => Self::Everywhere,
            address => Self::Address(address.parse().map_err(|_| SpecError::Bind(address.to_owned()))?),
        })
    }

    fn listen(&self, port: u16) -> Listen {
        match self {
            Self::Loopback => Listen::Loopback { port },
            Self::Address(address) => Listen::Addresses { addresses: vec![*address], port },
            Self::Everywhere => Listen::Addresses {
                addresses: vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
                port,
            },
        }
    }
}

impl Spec {
    pub(crate) fn listen(&self) -> Listen {
        self.bind.listen(self.local)
    }
}

impl Goal {
    pub(crate) fn request(&self, target: &str, reason: Option<&str>) -> ForwardRequest {
        let request = match &self.host {
            Some(host) => ForwardRequest::to_remote_host(target, host, self.port),
            None => ForwardRequest::to_port(target, self.port),
        };
        ForwardRequest { reason: reason.map(str::to_owned), ..request }
    }

    fn of(host: Option<&str>, port: &str) -> Result<Self, SpecError> {
        let host = host.map(|host| {
            let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
            let fits = (1..=255).contains(&host.len()) && host.chars().all(is_host) && !host.starts_with('-');
            if fits { Ok(host.to_owned()) } else { Err(SpecError::Host(host.to_owned())) }
        });
        Ok(Self { host: host.transpose()?, port: port_of(port, 1)? })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, "port {}", self.port),
        }
    }
}

impl FromStr for Spec {
    type Err = SpecError;

    /// Of three parts a number first means `LOCAL:HOST:REMOTE`, anything else `BIND:LOCAL:REMOTE`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let parts = parts(text)?;
        let (bind, local, host, port) = match parts[..] {
            [local, port] => (None, local, None, port),
            [first, second, port] if is_number(first) => (None, first, Some(second), port),
            [first, second, port] => (Some(first), second, None, port),
            [bind, local, host, port] => (Some(bind), local, Some(host), port),
            _ => return Err(SpecError::Parts(parts.len())),
        };
        let bind = bind.map_or(Ok(Bind::Loopback), Bind::of)?;
        Ok(Self { bind, local: port_of(local, 0)?, goal: Goal::of(host, port)? })
    }
}

/// `[BIND:]PORT`: where a proxy listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalEnd {
    pub(crate) bind: Bind,
    /// 0 picks a free one.
    pub(crate) port: u16,
}

impl LocalEnd {
    pub(crate) fn listen(&self) -> Listen {
        self.bind.listen(self.port)
    }
}

impl FromStr for LocalEnd {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let parts = parts(text)?;
        match parts[..] {
            [port] => Ok(Self { bind: Bind::Loopback, port: port_of(port, 0)? }),
            [bind, port] => Ok(Self { bind: Bind::of(bind)?, port: port_of(port, 0)? }),
            _ => Err(SpecError::Parts(parts.len())),
        }
    }
}

impl FromStr for Goal {
    type Err = SpecError;

    /// `[HOST:]REMOTE`, for local ends that are no ports.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let parts = parts(text)?;
        match parts[..] {
            [port] => Self::of(None, port),
            [host, port] => Self::of(Some(host), port),
            _ => Err(SpecError::Parts(parts.len())),
        }
    }
}

/// A path of a Unix socket; `~/` is the home directory.
pub(crate) fn socket_path(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

/// The parts between colons; what stands in brackets is one part, without them.
fn parts(text: &str) -> Result<Vec<&str>, SpecError> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = match rest.strip_prefix('[') {
            Some(inner) => {
                let (part, after) = inner.split_once(']').ok_or(SpecError::Bracket)?;
                (
                    part,
                    if after.is_empty() {
                        None
                    } else {
                        Some(after.strip_prefix(':').ok_or(SpecError::Bracket)?)
                    },
                )
            }
            None => match rest.split_once(':') {
                Some((part, after)) => (part, Some(after)),
                None => (rest, None),
            },
        };
        parts.push(part);
        match after {
            Some(after) => rest = after,
            None => return Ok(parts),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn port_of(text: &str, least: u16) -> Result<u16, SpecError> {
    let port = if is_number(text) { text.parse().ok() } else { None };
    port.filter(|port| *port >= least).ok_or_else(|| SpecError::Port(text.to_owned(), least))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(bind: Bind, local: u16, host: Option<&str>, port: u16) -> Spec {
        Spec { bind, local, goal: Goal { host: host.map(str::to_owned), port } }
    }

    #[test]
    fn two_three_and_four_parts_are_read_as_documented() {
        let address = |text: &str| Bind::Address(text.parse().unwrap());
        for (text, wanted) in [
            ("5433:5432", spec(Bind::Loopback, 5433, None, 5432)),
            ("0:5432", spec(Bind::Loopback, 0, None, 5432)),
            ("5433:db.internal:5432", spec(Bind::Loopback, 5433, Some("db.internal"), 5432)),
            ("5433:10.0.0.5:5432", spec(Bind::Loopback, 5433, Some("10.0.0.5"), 5432)),
            ("5433:[fd00::5]:5432", spec(Bind::Loopback, 5433, Some("fd00::5"), 5432)),
            ("localhost:5433:5432", spec(Bind::Loopback, 5433, None, 5432)),
            ("127.0.0.2:5433:5432", spec(address("127.0.0.2"), 5433, None, 5432)),
            ("[::1]:5433:db:5432", spec(address("::1"), 5433, Some("db"), 5432)),
            ("*:5433:5432", spec(Bind::Everywhere, 5433, None, 5432)),
        ] {
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        }
        let end = |bind, port| Ok(LocalEnd { bind, port });
        assert_eq!("1080".parse(), end(Bind::Loopback, 1080));
        assert_eq!("[::1]:0".parse(), end(address("::1"), 0));
        assert_eq!("*:1080".parse(), end(Bind::Everywhere, 1080));
        assert_eq!("1:2:3".parse::<LocalEnd>(), Err(SpecError::Parts(3)));
        assert_eq!("db:5432".parse(), Ok(Goal { host: Some("db".to_owned()), port: 5432 }));
        assert_eq!("5432".parse(), Ok(Goal { host: None, port: 5432 }));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| text.parse::<Spec>().unwrap_err();
        assert_eq!(error("5432"), SpecError::Parts(1));
        assert_eq!(error("a:1:b:2:3"), SpecError::Parts(5));
        assert_eq!(error("1:0"), SpecError::Port("0".to_owned(), 1));
        assert_eq!(error("65536:1"), SpecError::Port("65536".to_owned(), 0));
        assert_eq!(error("+1:1"), SpecError::Port("+1".to_owned(), 0));
        assert_eq!(error("db:1:2"), SpecError::Bind("db".to_owned()));
        assert_eq!(error("1:a b:2"), SpecError::Host("a b".to_owned()));
        assert_eq!(error("1::2"), SpecError::Host(String::new()));
        assert_eq!(error("[::1:1:2"), SpecError::Bracket);
        assert_eq!(error("[::1]1:2"), SpecError::Bracket);
    }

    #[test]
    fn only_addresses_beyond_loopback_are_exposed() {
        let exposed = |text: &str| text.parse::<Spec>().unwrap().bind.is_exposed();
        assert!(!exposed("1:1") && !exposed("127.0.0.2:1:1") && !exposed("[::1]:1:1"));
        assert!(
            exposed("*:1:1") && exposed("0.0.0.0:1:1") && exposed("[::]:1:1") && exposed("192.0.2.1:1:1")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]:0-9a-z.*-]{0,30}") {
            if let Ok(spec) = text.parse::<Spec>() {
                prop_assert!(spec.goal.port > 0);
            }
        }

        #[test]
        fn what_is_put_together_is_read_back(local in 0..=u16::MAX, port in 1..=u16::MAX, host in "[a-z]{1,10}\\.internal") {
            let text = format!("127.0.0.1:{local}:{host}:{port}");
            let wanted = spec(Bind::Address([127, 0, 0, 1].into()), local, Some(&host), port);
            prop_assert_eq!(text.parse(), Ok(wanted));
        }
    }
}
