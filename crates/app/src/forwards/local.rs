//! The local ends of forwards: who may connect, who holds a port, what to type to use one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use fleetline_engine::forward::{Admission, Arrival, FlowId, FlowSnapshot, LocalAddress};
use fleetline_loopback::owner;
use fleetline_loopback::port::{self, Holder};

/// Lets in programs of this user only (SEC-21).
#[derive(Clone, Copy, Debug, Default)]
pub struct SameUser;

impl Admission for SameUser {
    fn admit(&self, arrival: &Arrival) -> Result<(), String> {
        match (&arrival.listener, arrival.peer) {
            (LocalAddress::Tcp(local), Some(peer)) => {
                owner::admit(*local, peer).map_err(|stranger| stranger.to_string())
            }
            // The mode of a Unix socket keeps others out.
            _ => Ok(()),
        }
    }
}

/// A port that another program has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortInUse {
    /// The port.
    pub port: u16,
    /// Who holds it, in a sentence.
    pub holder: String,
    /// The next port that is free on both families of loopback, or on the address that was asked for.
    pub next_free: Option<u16>,
}

impl PortInUse {
    /// Looks who holds the port of an address that could not be listened at. Looks through all processes, so it takes
    /// milliseconds.
    pub fn at(address: SocketAddr) -> Self {
        let port = address.port();
        let holder = match port::holder(address) {
            Holder::Program { process, mine } => {
                let whose = if mine { "yours" } else { "another user's" };
                format!("Port {port} is held by {} (PID {}), {whose}.", process.name, process.pid)
            }
            Holder::Hidden => format!("Port {port} is held by another user's program."),
            Holder::Nobody => format!("Port {port} may still be closing; try again in a moment."),
        };
        let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let single = [address.ip()];
        let addresses = if address.ip().is_loopback() { &both[..] } else { &single[..] };
        Self { port, holder, next_free: port::next_free(addresses, port).ok() }
    }
}

/// Where ports that are picked for forwards begin, and over how many they are spread.
const FIRST_PICKED: u16 = 10_000;
const PICKED: u16 = 20_000;
/// From here on systems give ports to outgoing connections (Linux; others from 49152), so that one might be in use for
/// such a connection at the next start.
const OUTGOING: u16 = 32_768;

/// A free port for a forward that may have any, to be kept: 15432 for 5432, or the next one that nothing has and that
/// is not in `reserved`. `None` leaves the choice to the system.
pub(super) fn pick_port(remote: u16, reserved: impl Fn(u16) -> bool) -> Option<u16> {
    let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let mut below = FIRST_PICKED + remote % PICKED - 1;
    loop {
        let port = port::next_free(&both, below).ok().filter(|port| *port < OUTGOING)?;
        if port <= below || !reserved(port) {
            return (port > below).then_some(port);
        }
        below = port;
    }
}

/// The programs behind connections, or what is known of them when they may not be seen. Takes milliseconds each.
pub(crate) fn client_names(flows: Vec<FlowSnapshot>) -> Vec<(FlowId, String)> {
    let name = |flow: FlowSnapshot| (flow.id, client(&flow).unwrap_or(flow.label));
    flows.into_iter().map(name).collect()
}

fn client(flow: &FlowSnapshot) -> Option<String> {
    let Some(LocalAddress::Tcp(local)) = flow.listener else { return None };
    let found = owner::of_connection(local, flow.label.parse().ok()?).ok()??;
    owner::process(&found).map(|process| process.name)
}

/// A URL or connection string for what is probably behind a port.
pub(super) fn url(port: u16, address: &str) -> Option<String> {
    Some(match port {
        80 | 3000 | 5000 | 5601 | 8000 | 8080 | 8888 | 9090 | 9093 | 9200 | 15672 => {
            format!("http://{address}/")
        }
        443 | 8443 => format!("https://{address}/"),
        22 => format!("ssh://{address}"),
        1433 => format!("sqlserver://{address}"),
        3306 => format!("mysql://{address}/"),
        5432 => format!("postgresql://{address}/"),
        5672 => format!("amqp://{address}/"),
        6379 | 6380 => format!("redis://{address}"),
        27017 => format!("mongodb://{address}/"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_in_use_names_its_holder_and_the_next_free_one() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let found = PortInUse::at(address);
        assert_eq!(found.port, address.port());
        assert!(found.holder.contains(&format!("(PID {}), yours", std::process::id())), "{}", found.holder);
        let next = found.next_free.unwrap();
        assert!(next != address.port() && TcpListener::bind((Ipv4Addr::LOCALHOST, next)).is_ok());
    }

    #[test]
    fn a_picked_port_is_near_its_destinations_and_is_no_outgoing_one() {
        let first = pick_port(5432, |_| false).unwrap();
        assert!((15_432..15_632).contains(&first), "{first}");
        let second = pick_port(5432, |port| port == first).unwrap();
        assert!(second > first, "{second} after {first}");
        assert!(pick_port(u16::MAX, |_| false).is_some_and(|port| port < OUTGOING));
    }

    #[test]
    fn only_ports_with_a_known_use_have_a_url() {
        assert_eq!(url(5432, "127.0.0.1:5433").as_deref(), Some("postgresql://127.0.0.1:5433/"));
        assert_eq!(url(8080, "127.0.0.1:8080").as_deref(), Some("http://127.0.0.1:8080/"));
        assert_eq!(url(40_000, "127.0.0.1:1"), None);
    }
}
