//! One question to the kernel's socket monitor (netlink, `NETLINK_SOCK_DIAG`; layouts of `linux/inet_diag.h`).

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use super::os::Entry;

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;
const TCP: u8 = 6;
const LISTEN: u8 = 10;
/// A netlink header and `inet_diag_req_v2`.
const QUESTION: usize = 16 + 56;
/// A netlink header and `inet_diag_msg`.
const ANSWER: usize = 16 + 72;

/// The socket with these two ends. `None` when there is none.
pub(super) fn connection(own: SocketAddr, peer: SocketAddr) -> io::Result<Option<Entry>> {
    let flags = SocketFlags::CLOEXEC;
    let monitor = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(netlink::SOCK_DIAG))?;
    let question = question(own, peer);
    send(&monitor, &question, SendFlags::empty())?;
    let mut answer = [0_u8; 4096];
    let (_, length) = loop {
        match recv(&monitor, &mut answer[..], RecvFlags::empty()) {
            Err(Errno::INTR) => {}
            received => break received?,
        }
    };
    read(answer.get(..length).unwrap_or_default(), own.port(), peer.port())
}

fn question(own: SocketAddr, peer: SocketAddr) -> [u8; QUESTION] {
    let mut question = [0_u8; QUESTION];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        question[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(&u32::try_from(QUESTION).unwrap_or_default().to_ne_bytes());
    put(&BY_FAMILY.to_ne_bytes());
    put(&REQUEST.to_ne_bytes());
    put(&[0; 8]);
    let family = if own.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    put(&[u8::try_from(family.as_raw()).unwrap_or_default(), TCP, 0, 0]);
    // All states.
    put(&u32::MAX.to_ne_bytes());
    put(&own.port().to_be_bytes());
    put(&peer.port().to_be_bytes());
    for address in [own.ip(), peer.ip()] {
        let mut field = [0_u8; 16];
        match address {
            IpAddr::V4(address) => field[..4].copy_from_slice(&address.octets()),
            IpAddr::V6(address) => field = address.octets(),
        }
        put(&field);
    }
    // Any interface; no cookie.
    put(&0_u32.to_ne_bytes());
    put(&[0xff; 8]);
    question
}

fn read(answer: &[u8], own_port: u16, peer_port: u16) -> io::Result<Option<Entry>> {
    let short = || io::Error::new(io::ErrorKind::InvalidData, "a short answer of the socket monitor");
    let u16_at = |at: usize| answer.get(at..at + 2)?.try_into().ok();
    let u32_at = |at: usize| answer.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let kind = u16_at(4).map(u16::from_ne_bytes).ok_or_else(short)?;
    if kind == ERROR {
        let code = u32_at(16).ok_or_else(short)?.cast_signed();
        let error = io::Error::from_raw_os_error(-code);
        return if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) };
    }
    if kind != BY_FAMILY || answer.len() < ANSWER {
        return Err(short());
    }
    let state = answer[17];
    let ports = (u16_at(20).map(u16::from_be_bytes), u16_at(22).map(u16::from_be_bytes));
    // Without an exact match the kernel answers with a listener of that port.
    if state == LISTEN || ports != (Some(own_port), Some(peer_port)) {
        return Ok(None);
    }
    let uid = u32_at(16 + 64).ok_or_else(short)?;
    let inode = u32_at(16 + 68).ok_or_else(short)?;
    Ok(Some(Entry { state, uid, inode: u64::from(inode) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_are_cut_or_say_no_are_told_apart() {
        let mut answer = vec![0_u8; ANSWER];
        answer[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
        answer[17] = 1;
        answer[20..24].copy_from_slice(&[0, 7, 0, 9]);
        answer[80..84].copy_from_slice(&1000_u32.to_ne_bytes());
        answer[84..88].copy_from_slice(&5_u32.to_ne_bytes());
        let entry = read(&answer, 7, 9).unwrap().unwrap();
        assert_eq!((entry.uid, entry.inode, entry.state), (1000, 5, 1));
        assert!(read(&answer, 7, 8).unwrap().is_none(), "another connection");
        for cut in 0..answer.len() {
            assert!(read(&answer[..cut], 7, 9).is_err(), "{cut}");
        }
        let mut refused = vec![0_u8; 36];
        refused[4..6].copy_from_slice(&ERROR.to_ne_bytes());
        refused[16..20].copy_from_slice(&(-2_i32).to_ne_bytes());
        assert!(read(&refused, 7, 9).unwrap().is_none());
        refused[16..20].copy_from_slice(&(-1_i32).to_ne_bytes());
        assert_eq!(read(&refused, 7, 9).err().map(|e| e.kind()), Some(io::ErrorKind::PermissionDenied));
    }
}
