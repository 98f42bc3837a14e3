//! Where a port session leads and how it gets there (protocol.md 8.6).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::agent::version;
use crate::config::{PortRoute, PortTarget};

/// How long a connection to a filtered port is tried for, as Linux does by default.
const FILTERED_WAIT: Duration = Duration::from_secs(127);

/// Addresses no agent forwards to: metadata, resolver, clock and licence services of AWS.
const DENIED: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    ec2(0x254),
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 253)),
    ec2(0x253),
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 123)),
    ec2(0x123),
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 250)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 251)),
    ec2(0x240),
];

/// Credential endpoints of containers, which newer agents refuse too.
const DENIED_LATER: &[IpAddr] =
    &[IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)), IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)), ec2(0x23)];

const fn ec2(last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, last))
}

/// The node a session runs on, as far as connections depend on it.
#[derive(Clone, Debug)]
pub(in crate::agent) struct Origin {
    pub(in crate::agent) node_id: String,
    pub(in crate::agent) node_name: String,
    pub(in crate::agent) agent_version: String,
    /// Its address if it is an EC2 instance: its VPC's own addresses are refused.
    pub(in crate::agent) vpc_address: Option<Ipv4Addr>,
}

/// What a session's host and port were resolved to, once, at its start.
#[derive(Debug)]
pub(super) struct Destination {
    candidates: Vec<Candidate>,
}

/// One address.
#[derive(Clone, Debug)]
struct Candidate {
    /// As the agent's messages name it.
    shown: String,
    target: PortTarget,
    delay: Duration,
}

/// The host is one that agents do not forward to. The text is for the client.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Forwarding to IP address {0} is forbidden.")]
pub(super) struct Forbidden(String);

impl Destination {
    /// Resolves `host` as the node would: by its routes, as an address, or as one of its own names. Nothing beyond
    /// this computer's loopback is ever asked or dialled.
    pub(super) fn resolve(
        routes: &[PortRoute],
        origin: &Origin,
        host: &str,
        port: u16,
    ) -> Result<Self, Forbidden> {
        let host = if version::knows_host(&origin.agent_version) { host } else { "" };
        let name = if host.is_empty() { "localhost" } else { host };
        let of_node = |route: &&PortRoute| {
            ["*", &origin.node_id, &origin.node_name].contains(&route.node.as_str())
                && route.host.eq_ignore_ascii_case(name)
        };
        let literal: Option<IpAddr> = name.parse().ok();
        let is_self = name.eq_ignore_ascii_case("localhost");
        if !host.is_empty() {
            let addresses: &[IpAddr] = match literal {
                Some(address) => &[address],
                None if is_self => &[IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
                None => &[],
            };
            if addresses.iter().any(|address| origin.denies(*address)) {
                return Err(Forbidden(host.to_owned()));
            }
        }
        let shown = |address: &str| match address.contains(':') {
            true => format!("[{address}]:{port}"),
            false => format!("{address}:{port}"),
        };
        let one = |target, delay| Candidate { shown: shown(name), target, delay };
        let mut known = routes.iter().filter(of_node).peekable();
        let is_known = known.peek().is_some();
        let fits = |route: &&PortRoute| route.port.is_none_or(|of| of == port);
        let candidates = if let Some(route) = known.find(fits) {
            vec![one(route.target.clone(), route.delay)]
        } else if is_self || literal.is_some_and(|address| address.is_loopback()) {
            let addresses = match literal {
                Some(address) => vec![address],
                None => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            };
            let candidate = |address: IpAddr| Candidate {
                shown: shown(&address.to_string()),
                target: PortTarget::Address(SocketAddr::new(address, port)),
                delay: Duration::ZERO,
            };
            addresses.into_iter().map(candidate).collect()
        } else if is_known {
            vec![one(PortTarget::Refused, Duration::ZERO)]
        } else if literal.is_some() {
            vec![one(PortTarget::Unreachable, Duration::ZERO)]
        } else {
            Vec::new()
        };
        Ok(Self { candidates })
    }

    /// Connects, one address after the other. The text of a failure is the agent's, about the first address.
    pub(super) async fn dial(&self) -> Result<Connection, String> {
        let mut first = None;
        for candidate in &self.candidates {
            match candidate.dial().await {
                Ok(connection) => return Ok(connection),
                Err(text) => {
                    first.get_or_insert(text);
                }
            }
        }
        Err(first.unwrap_or_else(|| "dial tcp: missing address".to_owned()))
    }
}

impl Origin {
    fn denies(&self, address: IpAddr) -> bool {
        if !version::has_long_deny_list(&self.agent_version) {
            return DENIED.contains(&address) || self.is_of_vpc(address);
        }
        let address = address.to_canonical();
        DENIED.contains(&address)
            || self.is_of_vpc(address)
            || DENIED_LATER.contains(&address)
            || address.is_loopback()
    }

    /// The first four addresses and the last one of the VPC; every VPC of this world has 65,536.
    fn is_of_vpc(&self, address: IpAddr) -> bool {
        let (Some(own), IpAddr::V4(address)) = (self.vpc_address, address) else { return false };
        let ([a, b, ..], [c, d, e, f]) = (own.octets(), address.octets());
        (a, b) == (c, d) && ((e == 0 && f < 4) || (e, f) == (255, 255))
    }
}

impl Candidate {
    async fn dial(&self) -> Result<Connection, String> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let failed = |why: &str| format!("dial tcp {}: connect: {why}", self.shown);
        match &self.target {
            PortTarget::Address(address) => {
                let stream = TcpStream::connect(address).await.map_err(|error| failed(&go_words(&error)))?;
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                let (reader, writer) = stream.into_split();
                Ok(Connection { reader: Box::new(reader), writer: Box::new(writer) })
            }
            #[cfg(unix)]
            PortTarget::Socket(path) => {
                let stream = tokio::net::UnixStream::connect(path).await.map_err(|error| {
                    format!("dial unix {}: connect: {}", path.display(), go_words(&error))
                })?;
                let (reader, writer) = stream.into_split();
                Ok(Connection { reader: Box::new(reader), writer: Box::new(writer) })
            }
            PortTarget::Refused => Err(failed("connection refused")),
            PortTarget::Unreachable => Err(failed("network is unreachable")),
            PortTarget::Filtered => {
                tokio::time::sleep(FILTERED_WAIT).await;
                Err(failed("connection timed out"))
            }
        }
    }
}

/// An error as the agent's language words it.
fn go_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset by peer".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// An open connection.
pub(super) struct Connection {
    pub(super) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) writer: Box<dyn AsyncWrite + Send + Unpin>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(agent_version: &str) -> Origin {
        Origin {
            node_id: "i-1".to_owned(),
            node_name: "web-01".to_owned(),
            agent_version: agent_version.to_owned(),
            vpc_address: Some(Ipv4Addr::new(10, 20, 7, 3)),
        }
    }

    fn route(node: &str, host: &str, port: Option<u16>) -> PortRoute {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 4000));
        PortRoute {
            node: node.to_owned(),
            host: host.to_owned(),
            port,
            target: PortTarget::Address(address),
            delay: Duration::ZERO,
        }
    }

    fn targets(routes: &[PortRoute], host: &str, port: u16) -> Vec<PortTarget> {
        let found = Destination::resolve(routes, &origin("3.3.987.0"), host, port).unwrap();
        found.candidates.into_iter().map(|candidate| candidate.target).collect()
    }

    #[test]
    fn routes_of_the_node_or_of_all_nodes_come_first_and_only_loopback_follows() {
        let routed = PortTarget::Address(SocketAddr::from((Ipv4Addr::LOCALHOST, 4000)));
        let routes = [
            route("web-01", "db.internal", Some(5432)),
            route("other", "x.internal", None),
            route("*", "y.internal", None),
        ];
        assert_eq!(targets(&routes, "DB.internal", 5432), std::slice::from_ref(&routed));
        assert_eq!(targets(&routes, "db.internal", 5433), [PortTarget::Refused]);
        assert_eq!(targets(&routes, "y.internal", 1), [routed]);
        assert_eq!(targets(&routes, "x.internal", 1), []);
        assert_eq!(targets(&routes, "example.com", 80), []);
        assert_eq!(targets(&routes, "10.20.9.9", 80), [PortTarget::Unreachable]);
        let loopback = |ip: &str| PortTarget::Address(SocketAddr::new(ip.parse().unwrap(), 80));
        assert_eq!(targets(&routes, "", 80), [loopback("127.0.0.1"), loopback("::1")]);
        assert_eq!(targets(&routes, "127.0.0.2", 80), [loopback("127.0.0.2")]);
    }

    #[test]
    fn addresses_of_services_and_of_the_vpc_are_refused_by_name() {
        let refused = |version: &str, host: &str| {
            Destination::resolve(&[], &origin(version), host, 80).err().map(|error| error.to_string())
        };
        for host in
            ["169.254.169.254", "fd00:ec2::254", "FD00:0EC2::0240", "10.20.0.0", "10.20.0.3", "10.20.255.255"]
        {
            let text = format!("Forwarding to IP address {host} is forbidden.");
            assert_eq!(refused("3.3.987.0", host), Some(text), "{host}");
        }
        for host in
            ["10.20.0.4", "10.21.0.1", "127.0.0.1", "localhost", "::ffff:169.254.169.254", "169.254.170.2"]
        {
            assert_eq!(refused("3.3.987.0", host), None, "{host}");
        }
        for host in ["127.0.0.1", "localhost", "::1", "::ffff:169.254.169.254", "169.254.170.2"] {
            assert!(refused("3.3.4851.0", host).is_some(), "{host}");
        }
        assert_eq!(refused("3.3.4851.0", ""), None);
        assert_eq!(refused("3.1.1373.0", "169.254.169.254"), None, "an agent that knows no host");
    }

    #[tokio::test]
    async fn failures_are_worded_as_the_agent_words_them() {
        let text = |found: Destination| async move { found.dial().await.err() };
        let found = Destination::resolve(&[], &origin("3.3.987.0"), "nowhere.internal", 80).unwrap();
        assert_eq!(text(found).await.as_deref(), Some("dial tcp: missing address"));
        let found = Destination::resolve(&[], &origin("3.3.987.0"), "10.1.2.3", 80).unwrap();
        assert_eq!(
            text(found).await.as_deref(),
            Some("dial tcp 10.1.2.3:80: connect: network is unreachable")
        );
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let found = Destination::resolve(&[], &origin("3.3.987.0"), "", free).unwrap();
        assert_eq!(
            text(found).await,
            Some(format!("dial tcp 127.0.0.1:{free}: connect: connection refused"))
        );
    }
}
