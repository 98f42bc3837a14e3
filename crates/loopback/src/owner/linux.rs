//! Linux: the kernel is asked for the one socket; where it does not answer such questions, its tables are read.

use std::io;
use std::net::SocketAddr;

use super::{Owner, Process, procfs, sock_diag};

/// Sockets of all users are found.
pub(super) const HIDES_OTHERS: bool = false;

/// A socket as the kernel describes it.
pub(super) struct Entry {
    pub(super) state: u8,
    pub(super) uid: u32,
    pub(super) inode: u64,
}

/// States in which no program has the socket: the kernel says uid 0 then, which is nobody.
const TIME_WAIT: u8 = 6;

impl Entry {
    fn owner(self) -> Option<Owner> {
        if self.state == TIME_WAIT || self.inode == 0 {
            return None;
        }
        let mine = self.uid == rustix::process::geteuid().as_raw();
        Some(Owner { mine, uid: Some(self.uid), key: self.inode })
    }
}

pub(super) fn of_connection(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Owner>> {
    // The program's own end: its address is what we see as remote.
    let found = sock_diag::connection(remote, local).or_else(|_| procfs::connection(remote, local))?;
    Ok(found.and_then(Entry::owner))
}

pub(super) fn of_listener(address: SocketAddr) -> io::Result<Option<Owner>> {
    Ok(procfs::listener(address)?.and_then(Entry::owner))
}

pub(super) fn process(owner: &Owner) -> Option<Process> {
    procfs::process(owner.key)
}
