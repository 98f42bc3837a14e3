//! Names to addresses, and the first address that answers.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Looks `host` up afresh, so that a resume follows a changed answer. Families alternate, in the resolver's order of
/// preference (RFC 8305 4).
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found: Vec<_> =
        tokio::net::lookup_host((host, port)).await.map_err(|error| error.to_string())?.collect();
    if found.is_empty() {
        return Err("the name has no address".to_owned());
    }
    Ok(alternate(found))
}

fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

/// Lets TCP itself find a dead peer, as a backstop: pings find it earlier while the program runs.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
/// How long sent bytes may stay unacknowledged by the peer's TCP.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKED_FOR: Duration = Duration::from_secs(60);

/// Options of every socket: no delay of small writes, and the backstops.
pub(super) fn prepare(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    let outcome = stream.set_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let outcome = outcome.and_then(|()| socket.set_tcp_user_timeout(Some(UNACKED_FOR)));
    if let Err(error) = outcome {
        tracing::debug!(%error, "an option of a socket could not be set");
    }
}

/// Connects to whichever address answers first. Each one gets a head start of `stagger` over the next; one that fails
/// hands over at once. The error lists what each address said.
pub(super) async fn connect_first(addresses: &[SocketAddr], stagger: Duration) -> Result<TcpStream, String> {
    let mut waiting = addresses.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut problems: Vec<String> = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            attempts.push(async move { (address, TcpStream::connect(address).await) });
        } else if attempts.is_empty() {
            return Err(problems.join("; "));
        }
        tokio::select! {
            Some((address, outcome)) = attempts.next() => match outcome {
                Ok(stream) => return Ok(stream),
                Err(error) => problems.push(format!("{address}: {error}")),
            },
            () = sleep(stagger), if waiting.len() > 0 => {}
            else => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|a| a.parse().expect("address")).collect()
    }

    #[test]
    fn families_alternate_in_the_resolvers_order() {
        let found = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
        assert_eq!(alternate(found), addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
        let found = addresses(&["1.1.1.1:1", "1.1.1.2:1", "[::1]:1"]);
        assert_eq!(alternate(found), addresses(&["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn sockets_have_the_backstops_of_the_system() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let stream = TcpStream::connect(listener.local_addr().expect("address")).await.expect("connected");
        prepare(&stream);
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_user_timeout().ok().flatten(), Some(UNACKED_FOR));
        assert_eq!(socket.tcp_keepalive_time().ok(), Some(KEEPALIVE_AFTER));
        assert!(socket.keepalive().expect("read") && stream.nodelay().expect("read"));
    }

    #[tokio::test]
    async fn a_refusing_address_hands_over_at_once() {
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let refusing = gone.local_addr().expect("address");
        drop(gone);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let good = listener.local_addr().expect("address");
        // The head start is longer than any test run: only the refusal can move on to the second address.
        let stream = connect_first(&[refusing, good], Duration::from_secs(3600)).await.expect("connected");
        assert_eq!(stream.peer_addr().ok(), Some(good));
        let error =
            connect_first(&[refusing, refusing], Duration::from_secs(3600)).await.expect_err("refused");
        assert_eq!(error.matches(&refusing.to_string()).count(), 2, "{error}");
    }
}
