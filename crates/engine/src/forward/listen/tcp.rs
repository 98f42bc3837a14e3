//! TCP listeners. No SO_REUSEPORT anywhere: two programs must not share a port (SEC-20).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use super::{Bound, ListenError, ListenProblem, Listener, LocalAddress};

/// Connections the system keeps until they are accepted.
const BACKLOG: i32 = 1024;
/// Ports tried until one is free on all addresses.
const ATTEMPTS: u32 = 32;

/// 127.0.0.1 and ::1, or the one the computer has.
pub(super) fn bind_loopback(port: u16) -> Result<Vec<Bound>, ListenError> {
    let both = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let present: Vec<IpAddr> = both.into_iter().filter(|address| is_present(*address)).collect();
    bind_all(if present.is_empty() { &both } else { &present }, port)
}

/// All addresses on one port.
pub(super) fn bind_all(addresses: &[IpAddr], port: u16) -> Result<Vec<Bound>, ListenError> {
    let Some(first) = addresses.first() else {
        let at = LocalAddress::Tcp((Ipv4Addr::UNSPECIFIED, port).into());
        return Err(ListenError { at, problem: ListenProblem::NoAddress });
    };
    if port != 0 {
        return addresses.iter().map(|address| bind_one((*address, port).into())).collect();
    }
    for _ in 0..ATTEMPTS {
        let first_bound = bind_one((*first, 0).into())?;
        let LocalAddress::Tcp(address) = first_bound.address else { continue };
        let chosen = address.port();
        let others: Result<Vec<Bound>, ListenError> =
            addresses.iter().skip(1).map(|address| bind_one((*address, chosen).into())).collect();
        match others {
            Ok(others) => return Ok(std::iter::once(first_bound).chain(others).collect()),
            Err(ListenError { problem: ListenProblem::InUse, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let at = LocalAddress::Tcp((*first, 0).into());
    Err(ListenError { at, problem: ListenProblem::NoCommonPort })
}

fn bind_one(address: SocketAddr) -> Result<Bound, ListenError> {
    let bound = socket(address).and_then(|socket| {
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let listener = TcpListener::from_std(socket.into())?;
        let address = LocalAddress::Tcp(listener.local_addr()?);
        Ok(Bound { listener: Listener::Tcp(listener), address })
    });
    bound.map_err(|error| ListenError { at: LocalAddress::Tcp(address), problem: ListenProblem::of(&error) })
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // An IPv6 wildcard must not take the port of IPv4 too, which may be another listener's.
        socket.set_only_v6(true)?;
    }
    // Lets a port be used again while connections of an earlier program are in TIME_WAIT; on Windows the same option
    // would let others take the port away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    #[cfg(windows)]
    super::windows::set_exclusive(&socket)?;
    Ok(socket)
}

/// Whether the computer has the address.
fn is_present(address: IpAddr) -> bool {
    let address = SocketAddr::from((address, 0));
    socket(address).and_then(|socket| socket.bind(&address.into())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(bound: &[Bound]) -> Vec<SocketAddr> {
        bound
            .iter()
            .map(|bound| match bound.address {
                LocalAddress::Tcp(address) => address,
                LocalAddress::Unix(_) => unreachable!("TCP only"),
            })
            .collect()
    }

    #[tokio::test]
    async fn loopback_is_one_port_on_both_families() {
        let bound = bind_loopback(0).unwrap();
        let addresses = addresses(&bound);
        assert_eq!(addresses[0].ip(), Ipv4Addr::LOCALHOST);
        assert!(addresses.iter().all(|a| a.port() == addresses[0].port() && a.port() != 0), "{addresses:?}");
        if is_present(Ipv6Addr::LOCALHOST.into()) {
            assert_eq!(addresses.len(), 2);
        }
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_and_nothing_stays_bound() {
        let other = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let list = [IpAddr::from([127, 0, 0, 3]), IpAddr::from([127, 0, 0, 2])];
        let error = bind_all(&list, port).unwrap_err();
        assert_eq!(error.problem, ListenProblem::InUse);
        assert_eq!(error.to_string(), format!("Cannot listen on 127.0.0.2:{port}: another program uses it"));
        std::net::TcpListener::bind(("127.0.0.3", port)).expect("given back");
    }

    #[tokio::test]
    async fn an_address_the_computer_has_not_is_named() {
        // TEST-NET-1 is never an interface's address.
        let error = bind_all(&[IpAddr::from([192, 0, 2, 1])], 0).unwrap_err();
        assert_eq!(error.problem, ListenProblem::NoSuchAddress);
        assert_eq!(bind_all(&[], 0).unwrap_err().problem, ListenProblem::NoAddress);
    }
}
