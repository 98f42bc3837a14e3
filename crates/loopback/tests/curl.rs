//! curl through a small proxy driven by the state machine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::net::SocketAddr;
use std::sync::Arc;

use fleetline_loopback::socks::{Credentials, DestinationHost, Output, Socks5, Unreachable};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// A web server that says what was asked of it.
async fn web(listen: &str) -> SocketAddr {
    let listener = TcpListener::bind(listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let line = String::from_utf8(head).unwrap().lines().next().unwrap().to_owned();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    address
}

/// A proxy that knows the name `web.internal` and the addresses of loopback.
async fn proxy(credentials: Option<Credentials>, web: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let credentials = Arc::new(credentials);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, Socks5::new(credentials.as_ref().clone()), web));
        }
    });
    address
}

async fn serve(mut client: TcpStream, mut socks: Socks5, web: SocketAddr) {
    let mut upstream = None;
    let mut buffer = [0; 1024];
    loop {
        while let Some(output) = socks.output() {
            match output {
                Output::Send(bytes) => client.write_all(&bytes).await.unwrap(),
                Output::Connect(to) => {
                    let address = match to.host {
                        DestinationHost::Address(ip) => Ok(SocketAddr::new(ip, to.port)),
                        DestinationHost::Name(name) if name == "web.internal" => Ok(web),
                        DestinationHost::Name(_) => Err(Unreachable::Host),
                    };
                    let connected = match address {
                        Ok(address) => TcpStream::connect(address).await.map_err(|_| Unreachable::Refused),
                        Err(why) => Err(why),
                    };
                    match connected {
                        Ok(stream) => {
                            socks.connected(stream.local_addr().ok());
                            upstream = Some(stream);
                        }
                        Err(why) => socks.unreachable(why),
                    }
                }
                Output::Established(early) => {
                    let mut upstream = upstream.take().unwrap();
                    upstream.write_all(&early).await.unwrap();
                    drop(copy_bidirectional(&mut client, &mut upstream).await);
                    return;
                }
                Output::Close(_) => return,
            }
        }
        match client.read(&mut buffer).await {
            Ok(0) | Err(_) => socks.finish(),
            Ok(count) => socks.input(&buffer[..count]),
        }
    }
}

/// curl's exit status and what it printed, `-w` included.
async fn curl(arguments: &[&str]) -> (i32, String) {
    let output = Command::new("curl")
        .args(["-q", "--silent", "--show-error", "--max-time", "20", "--noproxy", ""])
        .args(arguments)
        .output()
        .await
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn curl_reaches_names_and_addresses_of_both_families() {
    let (web, web6) = (web("127.0.0.1:0").await, web("[::1]:0").await);
    let proxy = proxy(None, web).await.to_string();
    let get = |url: String| {
        let proxy = proxy.clone();
        async move { curl(&["--socks5-hostname", &proxy, &url]).await }
    };
    assert_eq!(get("http://web.internal/by-name".into()).await, (0, "GET /by-name HTTP/1.1".into()));
    assert_eq!(get(format!("http://{web}/v4")).await, (0, "GET /v4 HTTP/1.1".into()));
    assert_eq!(get(format!("http://{web6}/v6")).await, (0, "GET /v6 HTTP/1.1".into()));
}

#[tokio::test]
async fn curl_is_told_why_a_destination_is_not_reached() {
    let web = web("127.0.0.1:0").await;
    let proxy = proxy(None, web).await.to_string();
    let (code, text) = curl(&["--socks5-hostname", &proxy, "http://nowhere.internal/"]).await;
    assert_eq!(code, 97, "{text}");
    assert!(text.contains("(4)"), "{text}");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (code, text) = curl(&["--socks5-hostname", &proxy, &format!("http://{closed}/")]).await;
    assert_eq!(code, 97, "{text}");
    assert!(text.contains("(5)"), "{text}");
}

#[tokio::test]
async fn curl_signs_in() {
    let web = web("127.0.0.1:0").await;
    let proxy = proxy(Credentials::new("ann", "s3cret"), web).await.to_string();
    let get = |user: &'static str| {
        let proxy = proxy.clone();
        async move { curl(&["--socks5-hostname", &proxy, "--proxy-user", user, "http://web.internal/in"]).await }
    };
    assert_eq!(get("ann:s3cret").await, (0, "GET /in HTTP/1.1".into()));
    assert_eq!(get("ann:wrong").await.0, 97);
    assert_eq!(curl(&["--socks5-hostname", &proxy, "http://web.internal/"]).await.0, 97);
}
