//! The browser guard of `fleetline forward`: curl as a browser of a foreign page, and as a program that is none.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::forwards::{Forwarding, echo, forward};
use super::socks::web;
use super::{Lab, Ran};

/// The status a request through the forward got; 0 when the connection was cut.
fn status(address: &str, headers: &[&str]) -> u32 {
    let mut command = Command::new("curl");
    command.args([
        "-q",
        "--silent",
        "--max-time",
        "30",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
    ]);
    for header in headers {
        command.args(["--header", header]);
    }
    command.arg(format!("http://{address}/page")).stdin(Stdio::null());
    Ran::of(command.output().unwrap()).out.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_and_forged_hosts_are_refused_and_programs_are_not() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let server = web("127.0.0.1:0").port();
    let spec = format!("0:{server}");
    let guarded = ["--browser-guard", "on", "--host-alias", "tool.example", "-q", &spec];
    let mut forwarding = Forwarding::start(forward(&lab, &node, &guarded));
    let address = forwarding.line();
    let port = address.rsplit(':').next().unwrap().to_owned();
    let checked = tokio::task::spawn_blocking(move || {
        let own = format!("Origin: http://localhost:{port}");
        for (headers, wanted) in [
            (vec![], 200),
            (vec!["Host: evil.example"], 421),
            (vec!["Host: tool.example"], 200),
            (vec!["Origin: https://evil.example"], 403),
            (vec!["Sec-Fetch-Site: cross-site"], 403),
            (vec!["Sec-Fetch-Site: same-origin", own.as_str()], 200),
            (vec!["Sec-Fetch-Site: none"], 200),
        ] {
            assert_eq!(status(&address, &headers), wanted, "{headers:?}");
        }
        forwarding.interrupt()
    });
    checked.await.unwrap();

    // Switched off, everything passes; so does what programs send to a port that is not known as a web server's.
    for options in [&["--browser-guard", "off", "-q", &spec][..], &["-q", &spec][..]] {
        let mut forwarding = Forwarding::start(forward(&lab, &node, options));
        let address = forwarding.line();
        let passed = tokio::task::spawn_blocking(move || {
            assert_eq!(status(&address, &["Host: evil.example"]), 200);
            forwarding.interrupt()
        });
        passed.await.unwrap();
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_http_pass_a_guarded_forward_untouched() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let remote = echo();
    let spec = format!("0:{remote}");
    let mut forwarding = Forwarding::start(forward(&lab, &node, &["--browser-guard", "on", "-q", &spec]));
    let address = forwarding.line();
    let passed = tokio::task::spawn_blocking(move || {
        let sent: Vec<u8> =
            (0..2_000_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert!(super::forwards::exchanged(&address, &sent) == sent, "the bytes differ");
        // A request of a program that is no browser, in two pieces, and its end.
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
        let (first, second) = request.split_at(20);
        stream.write_all(first).unwrap();
        stream.write_all(second).unwrap();
        let mut back = vec![0; request.len()];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, request);
        forwarding.interrupt()
    });
    passed.await.unwrap();
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_never_reaches_the_server() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let spec = format!("0:{}", listener.local_addr().unwrap().port());
    // The first request that arrives, whichever that is, and nothing after it.
    let seen = std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut bytes) = (stream.unwrap(), [0; 4096]);
            // A refused connection may be reset.
            if let Ok(count @ 1..) = stream.read(&mut bytes) {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .unwrap();
                return String::from_utf8_lossy(&bytes[..count]).into_owned();
            }
        }
        unreachable!("a listener has no end");
    });
    let mut forwarding = Forwarding::start(forward(&lab, &node, &["--browser-guard", "on", "-q", &spec]));
    let address = forwarding.line();
    let asked = tokio::task::spawn_blocking(move || {
        assert_eq!(status(&address, &["Sec-Fetch-Site: cross-site"]), 403);
        assert_eq!(status(&address, &["X-Which: second"]), 200);
        forwarding.interrupt()
    });
    asked.await.unwrap();
    let seen = seen.join().unwrap();
    assert!(seen.contains("X-Which: second") && !seen.contains("cross-site"), "{seen}");
    lab.end().await;
}
