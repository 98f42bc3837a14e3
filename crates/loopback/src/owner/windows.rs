//! Windows: the table of TCP connections with their processes, and the users of those.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use netstat2::{
    AddressFamilyFlags, ProtocolFlags, ProtocolSocketInfo, TcpSocketInfo, TcpState, iterate_sockets_info,
};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, get_current_pid};

use super::{Owner, Process};

/// Sockets of all users are found.
pub(super) const HIDES_OTHERS: bool = false;

pub(super) fn of_connection(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Owner>> {
    // The program's own end: its address is what we see as remote.
    find(|tcp| {
        tcp.state != TcpState::Listen
            && (tcp.local_addr.to_canonical(), tcp.local_port) == (remote.ip(), remote.port())
            && (tcp.remote_addr.to_canonical(), tcp.remote_port) == (local.ip(), local.port())
    })
}

pub(super) fn of_listener(address: SocketAddr) -> io::Result<Option<Owner>> {
    find(|tcp| {
        let own = tcp.local_addr.to_canonical();
        tcp.state == TcpState::Listen
            && tcp.local_port == address.port()
            && (own == address.ip() || own.is_unspecified() || address.ip().is_unspecified())
    })
}

pub(super) fn process(owner: &Owner) -> Option<Process> {
    let pid = u32::try_from(owner.key).ok()?;
    let system = look(&[Pid::from_u32(pid)])?;
    let process = system.process(Pid::from_u32(pid))?;
    let name = process.name().to_string_lossy().into_owned();
    Some(Process { pid, name, age: Some(Duration::from_secs(process.run_time())) })
}

fn find(wanted: impl Fn(&TcpSocketInfo) -> bool) -> io::Result<Option<Owner>> {
    let families = AddressFamilyFlags::IPV4 | AddressFamilyFlags::IPV6;
    let sockets = iterate_sockets_info(families, ProtocolFlags::TCP).map_err(io::Error::other)?;
    for socket in sockets {
        let socket = socket.map_err(io::Error::other)?;
        let ProtocolSocketInfo::Tcp(tcp) = &socket.protocol_socket_info else { continue };
        if wanted(tcp) {
            // Number 0 stands for connections no process has any more.
            let pid = socket.associated_pids.first().copied().filter(|pid| *pid != 0);
            return Ok(pid.map(owner));
        }
    }
    Ok(None)
}

fn owner(pid: u32) -> Owner {
    let other = Pid::from_u32(pid);
    let mine = get_current_pid().is_ok_and(|me| {
        let Some(system) = look(&[me, other]) else { return false };
        let user = |pid| system.process(pid).and_then(|process| process.user_id()).cloned();
        // The user of a process one may not look into is not told.
        user(me).is_some() && user(me) == user(other)
    });
    Owner { mine, uid: None, key: u64::from(pid) }
}

fn look(pids: &[Pid]) -> Option<System> {
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_user(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(pids), true, what);
    Some(system)
}
