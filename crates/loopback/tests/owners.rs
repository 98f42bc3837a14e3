//! Owners of real sockets.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use fleetline_loopback::owner::{self, Stranger};
use fleetline_loopback::port::{Holder, holder, next_free};

const NOBODY: u32 = 65534;

fn am_root() -> bool {
    rustix_uid() == 0
}

fn rustix_uid() -> u32 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("Uid:")).unwrap();
    line.split_whitespace().nth(2).unwrap().parse().unwrap()
}

/// Another program, and if `uid` is given another user's, that connects and stays.
fn connect_from(uid: Option<u32>, to: SocketAddr) -> Child {
    let mut command = Command::new("bash");
    let script = format!("exec 3<>/dev/tcp/{}/{}; echo up; read", to.ip(), to.port());
    command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    child
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn connections_of_this_user_are_let_in_over_both_families() {
    for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let child = connect_from(None, listener.local_addr().unwrap());
        let (accepted, remote) = listener.accept().unwrap();
        let local = accepted.local_addr().unwrap();
        assert_eq!(owner::admit(local, remote), Ok(()));
        let owner = owner::of_connection(local, remote).unwrap().unwrap();
        assert_eq!(owner.uid, Some(rustix_uid()));
        let process = owner::process(&owner).unwrap();
        assert_eq!((process.pid, process.name.as_str()), (child.id(), "bash"));
        assert!(process.age.unwrap().as_secs() < 3600);
        end(child);
    }
}

#[test]
fn an_ipv4_client_of_an_ipv6_listener_is_found() {
    let listener = TcpListener::bind("[::]:0").unwrap();
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, listener.local_addr().unwrap().port()));
    let _client = TcpStream::connect(to).unwrap();
    let (accepted, remote) = listener.accept().unwrap();
    assert!(remote.is_ipv6());
    assert_eq!(owner::admit(accepted.local_addr().unwrap(), remote), Ok(()));
}

#[test]
fn the_address_of_a_listener_at_every_address_is_enough() {
    for (any, to) in [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "::1"), ("[::]:0", "127.0.0.1")] {
        let listener = TcpListener::bind(any).unwrap();
        let local = listener.local_addr().unwrap();
        let client = TcpStream::connect((to, local.port())).unwrap();
        let (_accepted, remote) = listener.accept().unwrap();
        assert_eq!(owner::admit(local, remote), Ok(()), "{any} {to}");
        drop(client);
        assert_eq!(owner::admit(local, remote), Err(Stranger::Unknown), "{any} {to}");
    }
    // Another computer's address is nobody's here.
    let local = "0.0.0.0:5432".parse().unwrap();
    assert_eq!(owner::admit(local, "192.0.2.7:4000".parse().unwrap()), Ok(()));
}

#[test]
fn another_users_program_is_refused_and_named() {
    if !am_root() {
        println!("skipped: only root can start programs of other users");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let child = connect_from(Some(NOBODY), listener.local_addr().unwrap());
    let (accepted, remote) = listener.accept().unwrap();
    let local = accepted.local_addr().unwrap();
    let refused = owner::admit(local, remote).unwrap_err();
    assert_eq!(refused, Stranger::OtherUser { uid: Some(NOBODY) });
    assert_eq!(
        refused.to_string(),
        "a program of another user of this computer (uid 65534) tried to connect"
    );
    end(child);
}

#[test]
fn a_program_that_is_gone_is_not_taken_for_ones_own() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, remote) = listener.accept().unwrap();
    let local = accepted.local_addr().unwrap();
    drop(client);
    assert_eq!(owner::admit(local, remote), Err(Stranger::Unknown));
    drop(accepted);
    assert_eq!(owner::admit(local, remote), Err(Stranger::Unknown));
}

#[test]
fn the_holder_of_a_port_is_named() {
    let mut child = Command::new("python3")
        .args(["-c", "import socket,sys\ns=socket.create_server(('0.0.0.0',0))\nprint(s.getsockname()[1],flush=True)\nsys.stdin.read()"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port: u16 = line.trim().parse().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    assert!(TcpListener::bind(address).is_err());
    let Holder::Program { process, mine } = holder(address) else { panic!("{:?}", holder(address)) };
    assert_eq!((process.pid, mine), (child.id(), true));
    assert!(process.name.starts_with("python3"), "{process:?}");
    end(child);
    assert_eq!(holder(address), Holder::Nobody);
}

#[test]
fn the_next_free_port_is_free_in_both_families() {
    let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = first.local_addr().unwrap().port();
    // The next one is taken in the other family only.
    let second = TcpListener::bind((Ipv6Addr::LOCALHOST, taken.wrapping_add(1).max(1024)));
    let found = next_free(&both, taken).unwrap();
    assert_ne!(found, taken);
    if let Ok(second) = &second {
        assert_ne!(found, second.local_addr().unwrap().port());
    }
    for ip in both {
        TcpListener::bind((ip, found)).unwrap();
    }
    assert!(next_free(&both, u16::MAX).unwrap() > 0);
}
