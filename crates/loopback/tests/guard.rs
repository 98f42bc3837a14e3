//! The guard between curl and a web server, driven as a forward drives it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use fleetline_loopback::guard::{BrowserGuard, GuardPolicy, Passed};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// A guarded forward to `upstream`.
async fn forward(upstream: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, upstream));
        }
    });
    address
}

async fn carry(mut client: TcpStream, upstream: SocketAddr) {
    let mut upstream = TcpStream::connect(upstream).await.unwrap();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_node, mut to_node) = upstream.split();
    let mut guard = BrowserGuard::new(GuardPolicy::default());
    let mut buffer = vec![0; 16 * 1024];
    let up = async {
        loop {
            let patience = guard.deadline().map(tokio::time::Instant::from_std);
            let passed = tokio::select! {
                read = from_client.read(&mut buffer) => match read {
                    Ok(count) if count > 0 => guard.input(Instant::now(), &buffer[..count]),
                    _ => {
                        drop(to_node.write_all(&guard.finish().bytes).await);
                        drop(to_node.shutdown().await);
                        return None;
                    }
                },
                () = tokio::time::sleep_until(patience.unwrap_or_else(tokio::time::Instant::now)),
                    if patience.is_some() => guard.timeout(Instant::now()),
            };
            let Passed { bytes, refused } = passed;
            to_node.write_all(&bytes).await.unwrap();
            if refused.is_some() {
                return refused;
            }
        }
    };
    let mut up = std::pin::pin!(up);
    let refused = {
        let down = copy(&mut from_node, &mut to_client);
        let mut down = std::pin::pin!(down);
        tokio::select! {
            refused = &mut up => match refused {
                None => {
                    drop(down.await);
                    None
                }
                refused => refused,
            },
            _ = &mut down => None,
        }
    };
    if let Some(refused) = refused.filter(|refused| refused.answer) {
        drop(to_client.write_all(&refused.refusal.response()).await);
    }
    drop(to_client.shutdown().await);
}

/// A web server that keeps connections and counts the requests that reach it.
struct Web {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

async fn web() -> Web {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    head.push(byte);
                    if !head.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    counted.fetch_add(1, Ordering::Relaxed);
                    let text = String::from_utf8(std::mem::take(&mut head)).unwrap().to_lowercase();
                    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
                    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                    stream.read_exact(&mut body).await.unwrap();
                    let answer =
                        format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{:03}", body.len() % 1000);
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    Web { address, requests }
}

/// The statuses curl saw, one for each address, over as few connections as it likes.
async fn statuses(arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args([
            "-q",
            "--silent",
            "--max-time",
            "20",
            "--noproxy",
            "*",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} ",
        ])
        .args(arguments)
        .output()
        .await
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn forged_hosts_and_foreign_pages_do_not_reach_the_server() {
    let web = web().await;
    let forward = forward(web.address).await;
    let url = format!("http://{forward}/");
    assert_eq!(statuses(&["-H", "Host: evil.example", &url]).await, "421 ");
    assert_eq!(statuses(&["-H", "Origin: https://evil.example", &url]).await, "403 ");
    assert_eq!(statuses(&["-H", "Sec-Fetch-Site: cross-site", &url]).await, "403 ");
    // What a name that was made to resolve to loopback looks like.
    let resolved = format!("evil.example:{}:127.0.0.1", forward.port());
    let rebound = format!("http://evil.example:{}/", forward.port());
    assert_eq!(statuses(&["--resolve", &resolved, &rebound]).await, "421 ");
    assert_eq!(web.requests.load(Ordering::Relaxed), 0);
    let local = format!("http://localhost:{}/", forward.port());
    assert_eq!(statuses(&["-4", &local]).await, "200 ");
    assert_eq!(web.requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_kept_connection_is_judged_request_by_request() {
    let web = web().await;
    let url = format!("http://{}/", forward(web.address).await);
    let body = "x".repeat(100_000);
    let post = ["-H", "Expect:", "--data", body.as_str(), url.as_str()];
    let plain = ["--next", "-o", "/dev/null", "-w", "%{http_code} ", url.as_str()];
    let forged =
        ["--next", "-o", "/dev/null", "-w", "%{http_code} ", "-H", "Host: evil.example", url.as_str()];
    let said = statuses(&[&post[..], &plain[..], &forged[..]].concat()).await;
    assert_eq!(said, "200 200 421 ");
    assert_eq!(web.requests.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn bytes_that_are_not_http_come_out_as_they_went_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forward = forward(listener.local_addr().unwrap()).await;
    for start in [&b"\x16\x03\x01"[..], b"PING\r\n", b"HELO a", b"SSH-2.0-x\r\n", b"\0"] {
        let mut sent = start.to_vec();
        sent.extend((0..300_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_be_bytes()));
        let expected = sent.clone();
        let mut client = TcpStream::connect(forward).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let sending = tokio::spawn(async move {
            client.write_all(&sent).await.unwrap();
            client.shutdown().await.unwrap();
            client
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert!(received == expected, "{start:?}: {} of {} bytes", received.len(), expected.len());
        drop(sending.await.unwrap());
    }
}

#[tokio::test]
async fn a_client_that_begins_with_a_word_and_waits_is_not_kept_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forward = forward(listener.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(forward).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(b"HELO there").await.unwrap();
    let mut received = [0; 10];
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"HELO there");
    server.write_all(b"ok").await.unwrap();
    let mut answer = [0; 2];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"ok");
}
