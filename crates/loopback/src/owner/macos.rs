//! macOS: the sockets of all processes this user may look into. A socket that is in none of them is another user's.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libproc::bsd_info::BSDInfo;
use libproc::file_info::{ListFDs, ProcFDType, pidfdinfo};
use libproc::net_info::{InSockInfo, SocketFDInfo, SocketInfoKind, TcpSIState};
use libproc::proc_pid::{listpidinfo, name, pidinfo};
use libproc::processes::{ProcFilter, pids_by_type};

use super::{Owner, Process};

/// Programs of other users cannot be looked into: what is not found is theirs.
pub(super) const HIDES_OTHERS: bool = true;

/// The flag of `insi_vflag` for IPv4.
const IPV4: u8 = 1;

pub(super) fn of_connection(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Owner>> {
    // The program's own end: its address is what we see as remote.
    let found = find(|socket| !socket.listens && socket.own == remote && socket.peer == local)?;
    // Programs of other users cannot be looked into, but they are the only other ones on this computer.
    let hidden =
        || super::is_own(local.ip(), remote.ip()).then_some(Owner { mine: false, uid: None, key: 0 });
    Ok(found.or_else(hidden))
}

pub(super) fn of_listener(address: SocketAddr) -> io::Result<Option<Owner>> {
    find(|socket| {
        let own = socket.own.ip();
        socket.listens
            && socket.own.port() == address.port()
            && (own == address.ip() || own.is_unspecified() || address.ip().is_unspecified())
    })
}

pub(super) fn process(owner: &Owner) -> Option<Process> {
    let pid = i32::try_from(owner.key).ok().filter(|pid| *pid > 0)?;
    let info = pidinfo::<BSDInfo>(pid, 0).ok();
    let age = info.and_then(|info| {
        let started = UNIX_EPOCH + Duration::from_secs(info.pbi_start_tvsec);
        SystemTime::now().duration_since(started).ok()
    });
    Some(Process { pid: u32::try_from(pid).ok()?, name: name(pid).ok()?, age })
}

struct Socket {
    own: SocketAddr,
    peer: SocketAddr,
    listens: bool,
}

fn find(wanted: impl Fn(&Socket) -> bool) -> io::Result<Option<Owner>> {
    let me = rustix::process::geteuid().as_raw();
    for pid in pids_by_type(ProcFilter::All)? {
        let Ok(number) = i32::try_from(pid) else { continue };
        // Processes that end meanwhile or belong to others say nothing.
        let Ok(info) = pidinfo::<BSDInfo>(number, 0) else { continue };
        let Ok(files) = listpidinfo::<ListFDs>(number, usize::try_from(info.pbi_nfiles).unwrap_or_default())
        else {
            continue;
        };
        let sockets = files.iter().filter(|file| matches!(file.proc_fdtype.into(), ProcFDType::Socket));
        for file in sockets {
            let Ok(socket) = pidfdinfo::<SocketFDInfo>(number, file.proc_fd) else { continue };
            if read(&socket).as_ref().is_some_and(&wanted) {
                return Ok(Some(Owner {
                    mine: info.pbi_uid == me,
                    uid: Some(info.pbi_uid),
                    key: u64::from(pid),
                }));
            }
        }
    }
    Ok(None)
}

#[expect(unsafe_code, reason = "the system's structures have unions, told apart by the fields read first")]
fn read(socket: &SocketFDInfo) -> Option<Socket> {
    if !matches!(socket.psi.soi_kind.into(), SocketInfoKind::Tcp) {
        return None;
    }
    // SAFETY: the kind says that the TCP member is the one that was filled in.
    let tcp = unsafe { socket.psi.soi_proto.pri_tcp };
    let ends = tcp.tcpsi_ini;
    Some(Socket {
        own: SocketAddr::new(address(&ends, true), port(ends.insi_lport)),
        peer: SocketAddr::new(address(&ends, false), port(ends.insi_fport)),
        listens: matches!(tcp.tcpsi_state.into(), TcpSIState::Listen),
    })
}

#[expect(unsafe_code, reason = "the system's structures have unions, told apart by the fields read first")]
fn address(ends: &InSockInfo, own: bool) -> IpAddr {
    // SAFETY: every bit pattern is a valid address, and the flag says which one was filled in.
    unsafe {
        if ends.insi_vflag & IPV4 != 0 {
            let address = if own { ends.insi_laddr.ina_46 } else { ends.insi_faddr.ina_46 };
            IpAddr::V4(Ipv4Addr::from(address.i46a_addr4.s_addr.to_ne_bytes()))
        } else {
            let address = if own { ends.insi_laddr.ina_6 } else { ends.insi_faddr.ina_6 };
            IpAddr::V6(Ipv6Addr::from(address.s6_addr)).to_canonical()
        }
    }
}

/// Ports stand in network order in the low half of an integer.
fn port(field: i32) -> u16 {
    u16::from_be(field.cast_unsigned() as u16)
}
