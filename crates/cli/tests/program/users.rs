//! Two users of one computer, and pages of other sites: a forward is its user's alone, unless that user says otherwise.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::forwards::{Forwarding, echo, exchanged, forward};
use super::servers::{Server, is_root};
use super::{Lab, Ran};

/// A user every system has, who owns nothing.
const OTHER: &str = "nobody";

/// Asks a web server for its page, as this user or as the other one. Gives the status and what was answered.
fn page(address: &str, other: bool) -> (Option<i32>, String) {
    let mut command = if other {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", OTHER, "--clear-groups", "--", "curl"]);
        command
    } else {
        Command::new("curl")
    };
    command.args(["--silent", "--noproxy", "*", "--max-time", "30", "--write-out", "%{http_code}"]);
    command.args(["--output", "/dev/null", &format!("http://{address}/page")]).stdin(Stdio::null());
    let ran = Ran::of(command.output().unwrap());
    (ran.code, ran.out)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_is_refused_and_named_unless_the_switch_lets_everybody_in() {
    if !is_root() {
        println!("skipped: only root may become another user");
        return;
    }
    let server = Server::nginx();
    let lab = Lab::open().await;
    let node = lab.linux();
    let spec = format!("0:{}", server.port);
    let start = |rest: &[&str]| {
        let mut args = vec![spec.as_str()];
        args.extend(rest);
        let mut command = forward(&lab, &node, &args);
        command.stderr(Stdio::piped());
        Forwarding::started(command)
    };
    let both = |address: &str| {
        let port = address.rsplit(':').next().unwrap().to_owned();
        [format!("127.0.0.1:{port}"), format!("[::1]:{port}")]
    };

    let mut own = start(&[]);
    for address in both(&own.line()) {
        assert_eq!(page(&address, false), (Some(0), "200".to_owned()), "its own user at {address}");
        let (code, status) = page(&address, true);
        // 56: the connection was reset; 52: it ended without an answer; 7: reset before curl had looked at it.
        assert!(matches!(code, Some(7 | 52 | 56)) && status == "000", "{address}: {code:?} {status}");
    }
    let mut told = own.errors();
    assert_eq!(tokio::task::spawn_blocking(move || own.interrupt()).await.unwrap(), Some(130));
    let mut log = String::new();
    told.read_to_string(&mut log).unwrap();
    let uid = Ran::of(Command::new("id").args(["-u", OTHER]).output().unwrap()).out;
    let cause = format!("a program of another user of this computer (uid {}) tried to connect", uid.trim());
    assert_eq!(log.matches(&cause).count(), 2, "each refusal is told: {log}");

    let mut open = start(&["--any-user"]);
    for address in both(&open.line()) {
        for other in [false, true] {
            assert_eq!(page(&address, other), (Some(0), "200".to_owned()), "{address}, other: {other}");
        }
    }
    assert_eq!(tokio::task::spawn_blocking(move || open.interrupt()).await.unwrap(), Some(130));
    // Nothing that was refused reached the node.
    tokio::time::timeout(Duration::from_secs(30), lab.end()).await.unwrap();
}

/// Asks with a head a browser would send; the status of the answer.
fn asked(address: &str, head: &str) -> String {
    let mut command = Command::new("curl");
    command.args(["--silent", "--noproxy", "*", "--max-time", "30", "--write-out", "%{http_code}"]);
    command.args(["--user-agent", "Mozilla/5.0 (X11; Linux x86_64)"]);
    command.args(["--output", "/dev/null", "--header", head, &format!("http://{address}/page")]);
    let ran = Ran::of(command.stdin(Stdio::null()).output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.out
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_get_421_or_403_and_never_reach_the_node() {
    let server = Server::nginx();
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut command = forward(&lab, &node, &[&format!("0:{}", server.port)]);
    command.stderr(Stdio::piped());
    let mut forwarding = Forwarding::started(command);
    let address = forwarding.line();
    for (head, status) in [
        ("Host: evil.example", "421"),
        ("Host: 127.0.0.1.evil.example:80", "421"),
        ("Origin: https://evil.example", "403"),
        ("Sec-Fetch-Site: cross-site", "403"),
        ("Sec-Fetch-Site: same-origin", "200"),
        ("Host: localhost:8080", "200"),
        ("Host: app.localhost", "200"),
    ] {
        assert_eq!(asked(&address, head), status, "{head}");
    }
    let mut told = forwarding.errors();
    assert_eq!(tokio::task::spawn_blocking(move || forwarding.interrupt()).await.unwrap(), Some(130));
    let mut log = String::new();
    told.read_to_string(&mut log).unwrap();
    for reason in
        ["a request named a host that is not this computer", "a page of another site sent a request"]
    {
        assert_eq!(log.matches(reason).count(), 2, "{reason}: {log}");
    }
    // An echo would come back if a byte of it had reached the node; what is no HTTP comes back as it was.
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&format!("0:{}", echo()), "-q"]));
    let address = forwarding.line();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream
        .write_all(b"GET /secret HTTP/1.1\r\nHost: evil.example\r\nUser-Agent: Mozilla/5.0\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421 ") && !answer.contains("secret"), "{answer}");
    let bytes: Vec<u8> = b"GET".iter().copied().chain((0..=255).cycle().take(100_000)).collect();
    assert!(exchanged(&address, &bytes) == bytes, "other bytes were touched");
    assert_eq!(tokio::task::spawn_blocking(move || forwarding.interrupt()).await.unwrap(), Some(130));
    lab.end().await;
}
