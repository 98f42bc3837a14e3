//! Local ends: bound before any session is asked for, so that what is wrong shows at once (protocol.md 10, row 46).

mod tcp;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;

use super::request::Listen;

/// Where a listener is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LocalAddress {
    /// Address and port.
    Tcp(SocketAddr),
    /// Path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A local end that cannot be had. No session was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Cannot listen on {at}: {problem}")]
pub struct ListenError {
    /// Where.
    pub at: LocalAddress,
    /// Why.
    pub problem: ListenProblem,
}

/// Why a local end cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenProblem {
    /// Another program listens there.
    #[error("another program uses it")]
    InUse,
    /// The system keeps the port for privileged programs or for itself.
    #[error("the system does not let this program use it")]
    NotAllowed,
    /// The computer does not have the address.
    #[error("this computer does not have that address")]
    NoSuchAddress,
    /// No address was given.
    #[error("no address was given")]
    NoAddress,
    /// No port was free on all the addresses.
    #[error("no port is free on all the addresses")]
    NoCommonPort,
    /// Something that is no socket is in the place of a Unix socket.
    #[error("there is a file of that name which is no socket")]
    NotASocket,
    /// The directory of a Unix socket lets others in.
    #[error("its directory lets other users in (mode {mode:03o}, wanted 700)")]
    DirectoryNotPrivate {
        /// Permission bits of the directory.
        mode: u32,
    },
    /// The path of a Unix socket is longer than the system allows.
    #[error("the path is too long for a socket")]
    PathTooLong,
    /// The system has no such local ends.
    #[error("this system has no Unix sockets")]
    Unsupported,
    /// Anything else.
    #[error("{0}")]
    Io(String),
}

impl ListenProblem {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::InUse,
            io::ErrorKind::PermissionDenied => Self::NotAllowed,
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress,
            _ => Self::Io(error.to_string()),
        }
    }
}

/// A bound local end.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(unix::SocketFile),
}

/// A bound local end and where it is.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) listener: Listener,
    pub(super) address: LocalAddress,
}

/// Binds all local ends or none.
pub(super) fn bind(listen: &[Listen]) -> Result<Vec<Bound>, ListenError> {
    let mut bound = Vec::new();
    for listen in listen {
        match listen {
            Listen::Loopback { port } => bound.extend(tcp::bind_loopback(*port)?),
            Listen::Addresses { addresses, port } => bound.extend(tcp::bind_all(addresses, *port)?),
            #[cfg(unix)]
            Listen::Unix { path } => bound.push(unix::bind(path)?),
            #[cfg(not(unix))]
            Listen::Unix { path } => {
                return Err(ListenError {
                    at: LocalAddress::Unix(path.clone()),
                    problem: ListenProblem::Unsupported,
                });
            }
        }
    }
    Ok(bound)
}
