//! Port sessions against scripted agents that dial real sockets: forwards, lanes, and standard input and output.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod basic;
mod flows;
mod lives;
mod stdio;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::forward::{FlowEnd, Forward, ForwardOptions, ForwardRequest, LocalAddress};
use fleetline_engine::{ResumePolicy, SessionOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use world::World;

fn options() -> ForwardOptions {
    let mut options = ForwardOptions::default();
    options.session.resume = ResumePolicy {
        first_delay: Duration::from_millis(5),
        max_delay: Duration::from_millis(20),
        ..ResumePolicy::default()
    };
    options
}

fn session_options() -> SessionOptions {
    options().session
}

fn forward(world: &Arc<World>, port: u16, options: ForwardOptions) -> Forward {
    Forward::start(world.clone(), ForwardRequest::to_port("i-0123456789abcdef0", port), options).unwrap()
}

fn address(forward: &Forward) -> SocketAddr {
    match &forward.listeners()[0] {
        LocalAddress::Tcp(address) => *address,
        other => panic!("{other}"),
    }
}

async fn connect(forward: &Forward) -> TcpStream {
    TcpStream::connect(address(forward)).await.unwrap()
}

/// Waits until a flow has ended for a reason that is wanted, and returns all that ended.
async fn ended(forward: &Forward, wanted: impl Fn(&FlowEnd) -> bool) -> Vec<FlowEnd> {
    let mut changes = forward.changes();
    loop {
        changes.borrow_and_update();
        let ends: Vec<FlowEnd> = forward.snapshot().ended.into_iter().map(|ended| ended.end).collect();
        if ends.iter().any(&wanted) {
            return ends;
        }
        changes.changed().await.unwrap();
    }
}

/// A target that gives back what it gets, until its end.
async fn echo() -> u16 {
    target(|mut stream| async move {
        let (mut reader, mut writer) = stream.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
        let _ = writer.shutdown().await;
    })
    .await
}

/// A target that does something with each connection.
async fn target<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(serve(stream));
        }
    });
    port
}

/// A port nobody listens on.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn pattern(length: usize, salt: usize) -> Vec<u8> {
    (0..length).map(|i| ((i + salt).wrapping_mul(31) >> 3) as u8).collect()
}

/// Sends and takes back, both at once, and compares.
async fn round_trip(stream: &mut TcpStream, sent: Vec<u8>) {
    let (mut reader, mut writer) = stream.split();
    let mut received = vec![0; sent.len()];
    let (sending, receiving) = tokio::join!(writer.write_all(&sent), reader.read_exact(&mut received));
    sending.unwrap();
    receiving.unwrap();
    assert!(received == sent, "{} bytes came back otherwise", sent.len());
}
