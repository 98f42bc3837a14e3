//! What is done to a forwarded port, whoever forwards it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

async fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Bytes to the node, until the node has all of them.
pub(crate) async fn upload(port: u16, bytes: u64) -> Result<Duration> {
    let mut stream = connect(port).await?;
    let chunk = vec![b'u'; 64 * 1024];
    let begun = Instant::now();
    stream.write_u64(bytes).await?;
    let mut left = bytes;
    while left > 0 {
        let now = usize::try_from(left)?.min(chunk.len());
        stream.write_all(&chunk[..now]).await?;
        left -= now as u64;
    }
    stream.read_u8().await?;
    Ok(begun.elapsed())
}

/// Bytes from the node, over this many connections at a time.
pub(crate) async fn download(port: u16, bytes: u64, flows: usize) -> Result<Duration> {
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..flows {
        all.spawn(async move {
            let mut stream = connect(port).await?;
            let share = bytes / flows as u64;
            stream.write_u64(share).await?;
            let (mut buffer, mut left) = (vec![0; 64 * 1024], share);
            while left > 0 {
                let read = stream.read(&mut buffer).await?;
                ensure!(read > 0, "the connection ended {left} bytes early");
                left -= read as u64;
            }
            Ok(())
        });
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    Ok(begun.elapsed())
}

/// Round trips of one byte, sorted, with a pause before each.
pub(crate) async fn echo(port: u16, times: usize, pause: Duration) -> Result<Vec<Duration>> {
    let mut stream = connect(port).await?;
    let mut took = Vec::with_capacity(times);
    // The first ones find everything cold.
    for round in 0..times + 20 {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let begun = Instant::now();
        stream.write_u8(b'e').await?;
        stream.read_u8().await?;
        if round >= 20 {
            took.push(begun.elapsed());
        }
    }
    took.sort_unstable();
    Ok(took)
}

/// Connections at once, each of which sends 20 kB and waits for them to come back.
pub(crate) async fn parallel(port: u16, connections: usize) -> Result<Duration> {
    const BYTES: usize = 20_000;
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for number in 0..connections {
        all.spawn(async move {
            let mut stream = connect(port).await?;
            let sent: Vec<u8> = (0..BYTES).map(|at| (at * 31 + number) as u8).collect();
            let mut got = vec![0; BYTES];
            let (mut reader, mut writer) = stream.split();
            tokio::try_join!(writer.write_all(&sent), reader.read_exact(&mut got))?;
            ensure!(sent == got, "other bytes came back");
            Ok(())
        });
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    Ok(begun.elapsed())
}
