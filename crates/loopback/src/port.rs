//! Local ports that are taken, and what to do about it.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use crate::owner::{self, Process};

/// Who keeps a listener from having its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A program that may be seen, with whether it runs for this user.
    Program {
        /// Which.
        process: Process,
        /// Whether it is this user's.
        mine: bool,
    },
    /// A program that may not be seen: another user's.
    Hidden,
    /// Nobody any more, or nobody that listens: the port may be reserved, or still be closing.
    Nobody,
}

/// Who holds the port of an address that could not be listened at.
pub fn holder(address: SocketAddr) -> Holder {
    match owner::of_listener(address) {
        Ok(Some(found)) => match owner::process(&found) {
            Some(process) => Holder::Program { process, mine: found.mine },
            None => Holder::Hidden,
        },
        Ok(None) => Holder::Nobody,
        Err(_) => Holder::Hidden,
    }
}

/// Ports tried before the system is asked for any.
const TRIES: u16 = 200;

/// The next port above `taken` at which all the addresses can be listened at, or any free one. It is free now; whoever
/// listens next has it.
pub fn next_free(addresses: &[IpAddr], taken: u16) -> io::Result<u16> {
    let above = taken.saturating_add(1).max(1024);
    for port in (above..=u16::MAX).take(usize::from(TRIES)) {
        if is_free(addresses, port) {
            return Ok(port);
        }
    }
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for _ in 0..TRIES {
        let first = addresses.first().copied().unwrap_or(IpAddr::from([127, 0, 0, 1]));
        match TcpListener::bind((first, 0)).and_then(|listener| listener.local_addr()) {
            Ok(found) if is_free(addresses, found.port()) => return Ok(found.port()),
            Ok(_) => {}
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn is_free(addresses: &[IpAddr], port: u16) -> bool {
    // Held until all are tried, so that two of them that overlap are noticed.
    let listeners: Vec<_> = addresses.iter().map(|address| TcpListener::bind((*address, port))).collect();
    listeners.iter().all(|listener| match listener {
        Ok(_) => true,
        // A family this computer does not have is in nobody's way.
        Err(error) => matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported),
    })
}
