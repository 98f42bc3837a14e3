//! `fleetline socks` with curl: names beyond the node, many hosts, both families, and why a destination is not reached.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use fleetline_simulator::{NodeView, PortRoute, PortTarget};

use super::forwards::Forwarding;
use super::{Lab, Ran, at};

/// A web server that answers every request with the host and path it asked for.
pub(super) fn web(listen: &str) -> SocketAddr {
    let listener = TcpListener::bind(listen).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") {
                    if !matches!(stream.read(&mut byte), Ok(1)) {
                        return;
                    }
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let host = head.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap_or_default();
                let body = format!("{host}{path}\n");
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).ok();
            });
        }
    });
    address
}

pub(super) fn route(lab: &Lab, node: &NodeView, host: &str, port: Option<u16>, target: PortTarget) {
    let route =
        PortRoute { node: node.id.clone(), host: host.to_owned(), port, target, delay: Duration::ZERO };
    lab.simulator.control().add_port_route(route).unwrap();
}

pub(super) fn socks(lab: &Lab, node: &NodeView, rest: &[&str]) -> Command {
    let mut args = vec!["socks"];
    args.extend(at(node));
    args.push(&node.id);
    args.extend(rest);
    lab.command(&args)
}

/// curl through the proxy; its exit status and what it printed.
fn curl(proxy: &str, rest: &[&str]) -> Ran {
    let mut command = Command::new("curl");
    command.args(["-q", "--silent", "--show-error", "--max-time", "60", "--noproxy", ""]);
    command.args(["--socks5-hostname", proxy]).args(rest).stdin(Stdio::null());
    Ran::of(command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_reaches_many_hosts_of_both_families_by_the_names_of_the_nodes_side() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let web_address = web("127.0.0.1:0");
    let hosts: Vec<String> = (0..6).map(|n| format!("assets-{n}.internal")).collect();
    for host in hosts.iter().map(String::as_str).chain(["10.20.30.40", "fd00:1234::5"]) {
        route(&lab, &node, host, Some(80), PortTarget::Address(web_address));
    }
    let mut proxy = Forwarding::start(socks(&lab, &node, &["0", "-q"]));
    let address = proxy.line();
    let simulator = lab.simulator.control();
    let checked = tokio::task::spawn_blocking(move || {
        for (url, body) in [
            ("http://assets-0.internal/by-name", "assets-0.internal/by-name"),
            ("http://10.20.30.40/v4", "10.20.30.40/v4"),
            ("http://[fd00:1234::5]/v6", "[fd00:1234::5]/v6"),
        ] {
            let ran = curl(&address, &[url]);
            assert_eq!((ran.code, ran.out.trim_end()), (Some(0), body), "{ran:?}");
        }
        // The loopback of the node, by name and by both families.
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("http://{host}:{}/self", web_address.port());
            assert_eq!(curl(&address, &[&url]).code, Some(0), "{url}");
        }
        // A page with 60 assets of six hosts, all at once.
        let urls: Vec<String> =
            (0..60).map(|n| format!("http://{}/asset-{n}", hosts[n % hosts.len()])).collect();
        let mut args = vec!["--parallel", "--parallel-max", "60"];
        args.extend(urls.iter().map(String::as_str));
        let ran = curl(&address, &args);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let wanted: BTreeSet<String> =
            urls.iter().map(|url| url.trim_start_matches("http://").to_owned()).collect();
        let got: BTreeSet<String> = ran.out.lines().map(str::to_owned).collect();
        assert_eq!(got, wanted);
        let status = proxy.interrupt();
        assert_eq!(status, Some(130));
    });
    checked.await.unwrap();
    // One session for each destination, whatever the number of connections to it.
    let sessions = simulator.sessions();
    assert!(sessions.len() >= 9 && sessions.len() <= 16, "{}", sessions.len());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_is_told_why_a_destination_is_not_reached() {
    let lab = Lab::open().await;
    let node = lab.linux();
    route(&lab, &node, "closed.internal", None, PortTarget::Refused);
    route(&lab, &node, "fd00:1234::6", None, PortTarget::Refused);
    let mut proxy = Forwarding::start(socks(&lab, &node, &["0", "-q"]));
    let address = proxy.line();
    let failed = tokio::task::spawn_blocking(move || {
        // curl's status 97 is a refusal of the proxy; it prints the code of the reply.
        for (url, code) in [
            ("http://closed.internal/", "(5)"),
            ("http://[fd00:1234::6]/", "(5)"),
            ("http://nowhere.internal/", "(5)"),
            ("http://169.254.169.254/latest/meta-data/", "(2)"),
        ] {
            let ran = curl(&address, &[url]);
            assert_eq!(ran.code, Some(97), "{url} {ran:?}");
            assert!(ran.err.contains(code), "{url} {ran:?}");
        }
        (proxy, address)
    });
    let (proxy, address) = failed.await.unwrap();
    lab.simulator.control().disconnect_node(&node.id).await.unwrap();
    let gone = tokio::task::spawn_blocking(move || {
        let ran = curl(&address, &["http://other.internal/"]);
        assert_eq!(ran.code, Some(97), "{ran:?}");
        assert!(ran.err.contains("(3)"), "{ran:?}");
        // What is no SOCKS5 is sent away.
        let ran = Ran::of(
            Command::new("curl")
                .args(["-q", "--silent", "--max-time", "20", "--proxy"])
                .args([&format!("http://{address}"), "http://web.internal/"])
                .output()
                .unwrap(),
        );
        assert_ne!(ran.code, Some(0), "{ran:?}");
        proxy.interrupt()
    });
    gone.await.unwrap();
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn destinations_beyond_the_limit_wait_until_another_is_not_used_any_more() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let web_address = web("127.0.0.1:0");
    for n in 0..4 {
        route(&lab, &node, &format!("h{n}.internal"), None, PortTarget::Address(web_address));
    }
    let mut proxy = Forwarding::start(socks(&lab, &node, &["0", "-q", "--sessions", "2"]));
    let address = proxy.line();
    let control = lab.simulator.control();
    let done = tokio::task::spawn_blocking(move || {
        for n in [0, 1, 2, 3, 0] {
            let url = format!("http://h{n}.internal/");
            let ran = curl(&address, &[&url]);
            assert_eq!(ran.code, Some(0), "{url} {ran:?}");
            let open = control.sessions().iter().filter(|session| !session.status.is_over()).count();
            assert!(open <= 2, "{open} sessions");
        }
        proxy.interrupt()
    });
    done.await.unwrap();
    lab.end().await;
}
