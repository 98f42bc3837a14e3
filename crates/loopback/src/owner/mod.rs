//! Whose program is at the other end of a local connection, and who listens on a port (SEC-21).
//!
//! Best effort by nature: a program can hand its socket to another one, and one that is gone cannot be named. What
//! cannot be found is never taken for one's own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod os;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod os;
#[cfg(windows)]
#[path = "windows.rs"]
mod os;

#[cfg(target_os = "linux")]
mod procfs;
#[cfg(target_os = "linux")]
mod sock_diag;

/// Who has a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Whether it belongs to the user this program runs as. Nobody else counts, root neither.
    pub mine: bool,
    /// The user's number, where the system has numbers.
    pub uid: Option<u32>,
    /// What the system identifies the socket or its program by.
    pub(crate) key: u64,
}

/// A program that has a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name without a path.
    pub name: String,
    /// How long it has been running.
    pub age: Option<Duration>,
}

/// The owner of the program that has connected from `remote` to our `local` end: the accepted socket's own address, or
/// its listener's. `None` when this computer has no such program: the peer is another computer, or the program is gone already.
///
/// Takes some 10 µs on Linux, and up to milliseconds elsewhere, where all sockets are listed.
pub fn of_connection(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Owner>> {
    let (local, remote) = (plain(local), plain(remote));
    let mut met = local;
    if met.ip().is_unspecified() {
        // A program of this computer comes from the address it has connected to.
        met.set_ip(remote.ip());
    }
    let found = os::of_connection(met, remote)?;
    let hidden = os::HIDES_OTHERS && is_own(local.ip(), remote.ip());
    Ok(found.or_else(|| hidden.then_some(Owner { mine: false, uid: None, key: 0 })))
}

/// The owner of a listener that keeps others from listening at this address. `None` when there is none to be seen.
pub fn of_listener(address: SocketAddr) -> io::Result<Option<Owner>> {
    os::of_listener(plain(address))
}

/// The program behind an owner, for lists and messages. `None` when it may not be seen: programs of other users
/// mostly may not. Looks through all processes, so it takes milliseconds; not for the way of every connection.
pub fn process(owner: &Owner) -> Option<Process> {
    os::process(owner)
}

/// Why a connection is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// A program of another user.
    #[error("a program of another user of this computer{} tried to connect", .uid.map(|uid| format!(" (uid {uid})")).unwrap_or_default())]
    OtherUser {
        /// Whose.
        uid: Option<u32>,
    },
    /// The program is gone, or cannot be seen.
    #[error("the program that connected could not be found")]
    Unknown,
    /// The system did not say.
    #[error("the system does not say whose program connected: {0}")]
    Unanswered(String),
}

/// Lets in programs of this user, and other computers where the listener's address makes them possible: that such an
/// address is used was confirmed when it was chosen (SEC-20).
pub fn admit(local: SocketAddr, remote: SocketAddr) -> Result<(), Stranger> {
    match of_connection(local, remote) {
        Ok(Some(owner)) if owner.mine => Ok(()),
        Ok(Some(owner)) => Err(Stranger::OtherUser { uid: owner.uid }),
        Ok(None) if !is_own(plain(local).ip(), plain(remote).ip()) => Ok(()),
        Ok(None) => Err(Stranger::Unknown),
        Err(error) => Err(Stranger::Unanswered(error.to_string())),
    }
}

/// Whether a peer's address is this computer's: loopback, or the address it has connected to.
fn is_own(local: IpAddr, remote: IpAddr) -> bool {
    remote.is_loopback() || remote == local
}

/// IPv4 in IPv6 as IPv4, as the socket tables have it.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_computers_may_stay_unknown() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(is_own(ip("127.0.0.1"), ip("127.0.0.1")));
        assert!(is_own(ip("::1"), ip("::1")));
        assert!(is_own(ip("10.0.0.5"), ip("10.0.0.5")));
        assert!(!is_own(ip("10.0.0.5"), ip("10.0.0.6")));
    }
}
