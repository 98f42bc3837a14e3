//! All kinds of sessions while their sockets are cut, stalled and garbled: every byte is compared.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use fleetline_engine::forward::{FlowEnd, Forward, ForwardOptions, ForwardRequest};
use fleetline_engine::ports::StartSession;
use fleetline_engine::{
    CommandEnd, DataStream, RunCommand, SessionOptions, ShellOptions, ShellSession, StdioOptions, open_shell,
    open_stdio, run_command, ssh_session,
};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::aws::Aws;
use crate::memory::Memory;
use crate::world::{self, Place, World};

/// What a round may take. Resuming takes seconds; a round that hangs is a fault of ours.
const PATIENCE: Duration = Duration::from_secs(240);
/// Options of `soak`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long: `90s`, `10m`, `8h`.
    #[arg(long = "for", default_value = "10m", value_parser = span)]
    time: Duration,
    /// Seed of the faults; default by chance.
    #[arg(long)]
    seed: Option<u64>,
}

fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is no time such as 90s, 10m or 8h");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// How a round went.
enum Round {
    /// So many bytes came as they were sent.
    Equal(u64),
    /// It ended early and said why; nothing wrong came before.
    Ended(String),
}

/// Counts of one kind of session.
#[derive(Debug, Default)]
struct Counts {
    rounds: AtomicU64,
    bytes: AtomicU64,
    ended: AtomicU64,
    mismatches: AtomicU64,
}

type Work = fn(Arc<Ground>, u64) -> Pin<Box<dyn Future<Output = Result<Round>> + Send>>;

/// What all rounds share.
struct Ground {
    aws: Arc<Aws>,
    place: Place,
    session: SessionOptions,
    forward: Forward,
    old_forward: Forward,
}

const KINDS: [(&str, Work); 6] = [
    ("shell", |ground, seed| Box::pin(shell(ground, seed))),
    ("interactive command", |ground, seed| Box::pin(interactive(ground, seed))),
    ("command", |ground, seed| Box::pin(command(ground, seed))),
    ("ssh", |ground, seed| Box::pin(stdio(ground, seed))),
    ("forward, mux", |ground, seed| Box::pin(mux(ground, seed))),
    ("forward, basic", |ground, seed| Box::pin(basic(ground, seed))),
];

/// Runs all kinds at once until the time is over. Fails when a byte differed or memory keeps growing.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let seed = options.seed.unwrap_or_else(rand::random);
    say(&format!("seed {seed}, for {:?}", options.time));
    let world = World::start(&world::Options { faults: Some(seed), ..world::Options::default() }).await?;
    let place = world.place.clone();
    let aws = Arc::new(Aws::new(place.clone()));
    let forward = |node: &str| {
        Forward::start(
            aws.clone(),
            ForwardRequest::to_port(node, place.echo),
            ForwardOptions { listen: Vec::new(), ..ForwardOptions::default() },
        )
    };
    let ground = Arc::new(Ground {
        forward: forward(&place.node)?,
        old_forward: forward(&place.old_node)?,
        aws,
        place: place.clone(),
        session: SessionOptions::default(),
    });
    let counts: Arc<[Counts; KINDS.len()]> = Arc::default();
    let until = Instant::now() + options.time;
    let mut tasks = Vec::new();
    for (kind, (name, work)) in KINDS.into_iter().enumerate() {
        let (ground, counts) = (ground.clone(), counts.clone());
        tasks.push(tokio::spawn(async move {
            let mut seed = seed.wrapping_add(kind as u64);
            while Instant::now() < until {
                seed = seed.wrapping_add(KINDS.len() as u64);
                one(name, &counts[kind], work, ground.clone(), seed).await;
            }
        }));
    }
    let memory = Memory::watch(until).await;
    for task in tasks {
        task.await?;
    }
    // A session that a fault has just cut off may not confirm its end in time.
    for forward in [&ground.forward, &ground.old_forward] {
        if let Err(error) = forward.stop().await {
            say(&format!("at the end: {error}"));
        }
    }
    let end = world.stop().await?;
    report(&counts, &memory, &end, seed)
}

async fn one(name: &str, counts: &Counts, work: Work, ground: Arc<Ground>, seed: u64) {
    let round = timeout(PATIENCE, work(ground, seed)).await;
    counts.rounds.fetch_add(1, Ordering::Relaxed);
    match round {
        Ok(Ok(Round::Equal(bytes))) => {
            counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(Ok(Round::Ended(why))) => {
            counts.ended.fetch_add(1, Ordering::Relaxed);
            say(&format!("{name}, round {seed}: ended: {why}"));
            // What ends at once must not spin.
            sleep(Duration::from_secs(1)).await;
        }
        Ok(Err(error)) => {
            counts.mismatches.fetch_add(1, Ordering::Relaxed);
            say(&format!("{name}, round {seed}: WRONG: {error:#}"));
        }
        Err(_) => {
            counts.mismatches.fetch_add(1, Ordering::Relaxed);
            say(&format!("{name}, round {seed}: WRONG: it hangs since {PATIENCE:?}"));
        }
    }
}

#[expect(clippy::print_stdout, reason = "the result")]
fn report(counts: &[Counts; KINDS.len()], memory: &Memory, end: &serde_json::Value, seed: u64) -> Result<()> {
    let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!("{:<22} {:>8} {:>14} {:>12} {:>8}", "kind", "rounds", "bytes equal", "named ends", "wrong");
    for ((name, _), counts) in KINDS.iter().zip(counts) {
        let Counts { rounds, bytes, ended, mismatches } = counts;
        println!(
            "{name:<22} {:>8} {:>14} {:>12} {:>8}",
            get(rounds),
            get(bytes),
            get(ended),
            get(mismatches)
        );
    }
    println!("faults: {}, calls: {}", end["faults"], end["calls"]);
    println!("allocated: {}", memory.allocated);
    println!("resident:  {}", memory.resident);
    let wrong: u64 = counts.iter().map(|counts| get(&counts.mismatches)).sum();
    if wrong > 0 {
        bail!("{wrong} rounds went wrong; seed {seed}");
    }
    if memory.allocated.grows() {
        bail!("what is allocated keeps growing; seed {seed}");
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "soaking takes hours")]
fn say(text: &str) {
    eprintln!("soak: {text}");
}

/// Bytes that tell where they belong.
fn bytes_of(seed: u64, length: usize) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut bytes = vec![0; length];
    random.fill(&mut bytes[..]);
    bytes
}

/// Where two texts part, for a message.
fn compare(expected: &[u8], got: &[u8]) -> Result<Round> {
    if expected == got {
        return Ok(Round::Equal(got.len() as u64));
    }
    let at = expected.iter().zip(got).position(|(a, b)| a != b).unwrap_or(expected.len().min(got.len()));
    let show = |bytes: &[u8]| {
        String::from_utf8_lossy(&bytes[at.saturating_sub(20).min(bytes.len())..(at + 40).min(bytes.len())])
            .into_owned()
    };
    bail!(
        "{} bytes came, {} were expected; they part at {at}: {:?} for {:?}",
        got.len(),
        expected.len(),
        show(got),
        show(expected)
    );
}

/// Reads a shell until a text came; gives all before it, or how the session ended.
async fn until(session: &ShellSession, seen: &mut Vec<u8>, text: &str) -> Result<Vec<u8>, String> {
    let mut from = 0;
    loop {
        if let Some(at) = seen[from..].windows(text.len()).position(|window| window == text.as_bytes()) {
            let mut before: Vec<u8> = seen.drain(..from + at + text.len()).collect();
            before.truncate(from + at);
            return Ok(before);
        }
        from = seen.len().saturating_sub(text.len());
        match session.recv().await {
            Some(chunk) => seen.extend_from_slice(&chunk.bytes),
            None => return Err(format!("{:?}", session.ended().await)),
        }
    }
}

/// Lines of numbers as a terminal shows them.
fn numbers(from: u64, to: u64) -> Vec<u8> {
    (from..=to).flat_map(|number| format!("{number}\r\n").into_bytes()).collect()
}

async fn shell(ground: Arc<Ground>, seed: u64) -> Result<Round> {
    let request = StartSession { target: ground.place.node.clone(), ..StartSession::default() };
    let options = ShellOptions { session: ground.session.clone(), ..ShellOptions::default() };
    let session = open_shell(ground.aws.clone(), request, options);
    let (mut seen, mut total) = (Vec::new(), 0);
    if let Err(why) = until(&session, &mut seen, "~$ ").await {
        return Ok(Round::Ended(why));
    }
    for turn in 0..10 {
        let (from, to) = (seed % 100_000 + turn, seed % 100_000 + turn + 8000);
        let typed = format!("echo BEGIN-$((1)); seq {from} {to}; echo END-$((1))\r");
        if session.send(typed.into_bytes()).await.is_err() {
            return Ok(Round::Ended(format!("{:?}", session.ended().await)));
        }
        for (text, expected) in [("BEGIN-1\r\n", None), ("END-1\r\n", Some(numbers(from, to)))] {
            match (until(&session, &mut seen, text).await, expected) {
                (Err(why), _) => return Ok(Round::Ended(why)),
                (Ok(before), Some(expected)) => {
                    compare(&expected, &before)?;
                    total += before.len() as u64;
                }
                (Ok(_), None) => {}
            }
        }
        sleep(Duration::from_millis(200)).await;
    }
    // What cannot be confirmed while a fault lasts goes on in the background.
    session.close().await.ok();
    Ok(Round::Equal(total))
}

async fn interactive(ground: Arc<Ground>, seed: u64) -> Result<Round> {
    let (from, to) = (seed % 100_000, seed % 100_000 + 20_000);
    let request = StartSession {
        target: ground.place.node.clone(),
        document: Some("AWS-StartInteractiveCommand".to_owned()),
        parameters: vec![(
            "command".to_owned(),
            vec![format!("sh -c 'echo ready; read x; seq {from} {to}; echo got-$x; read y'")],
        )],
        reason: None,
    };
    let options = ShellOptions { session: ground.session.clone(), ..ShellOptions::default() };
    let session = open_shell(ground.aws.clone(), request, options);
    let mut seen = Vec::new();
    if let Err(why) = until(&session, &mut seen, "ready\r\n").await {
        return Ok(Round::Ended(why));
    }
    if session.send(b"hello\r".to_vec()).await.is_err() {
        return Ok(Round::Ended(format!("{:?}", session.ended().await)));
    }
    let outcome = match until(&session, &mut seen, "got-hello").await {
        Err(why) => Ok(Round::Ended(why)),
        // The terminal echoes what was typed.
        Ok(before) => {
            let echoed: &[u8] = b"hello\r\n";
            compare(&numbers(from, to), before.strip_prefix(echoed).unwrap_or(&before))
        }
    };
    session.close().await.ok();
    outcome
}

async fn command(ground: Arc<Ground>, seed: u64) -> Result<Round> {
    let (code, to) = (seed % 100, seed % 1000 + 40_000);
    let run = RunCommand {
        target: ground.place.node.clone(),
        command: format!("sh -c 'seq 1 {to}; seq {to} {} >&2; exit {code}'", to + 5000),
        ..RunCommand::default()
    };
    let session = run_command(ground.aws.clone(), run, ground.session.clone());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(chunk) = session.recv().await {
        match chunk.stream {
            DataStream::StdErr => err.extend_from_slice(&chunk.bytes),
            _ => out.extend_from_slice(&chunk.bytes),
        }
    }
    let end = session.end().await;
    let plain = |from, to| (from..=to).flat_map(|n: u64| format!("{n}\n").into_bytes()).collect::<Vec<u8>>();
    match end {
        CommandEnd::Exited(got) if got as u64 == code => {
            compare(&plain(1, to), &out)?;
            compare(&plain(to, to + 5000), &err)?;
            Ok(Round::Equal((out.len() + err.len()) as u64))
        }
        CommandEnd::Exited(got) => bail!("exit status {got} in place of {code}"),
        other => Ok(Round::Ended(format!("{other:?}"))),
    }
}

async fn stdio(ground: Arc<Ground>, seed: u64) -> Result<Round> {
    let request = ssh_session(ground.place.node.clone(), ground.place.echo, None);
    let options = StdioOptions::default();
    let session = open_stdio(ground.aws.clone(), request, options);
    let sent = bytes_of(seed, 2_000_000);
    let mut got = Vec::with_capacity(sent.len());
    let send = async {
        for chunk in sent.chunks(30_000) {
            if session.send(chunk.to_vec()).await.is_err() {
                return;
            }
        }
    };
    let receive = async {
        while got.len() < sent.len() {
            match session.recv().await {
                Some(bytes) => got.extend_from_slice(&bytes),
                None => return,
            }
        }
    };
    tokio::join!(send, receive);
    if got.len() < sent.len() {
        compare(&sent[..got.len()], &got)?;
        return Ok(Round::Ended(format!("{:?}", session.ended().await)));
    }
    session.close().await.ok();
    compare(&sent, &got)
}

async fn mux(ground: Arc<Ground>, seed: u64) -> Result<Round> {
    let flows = (0..5).map(|flow| echo_flow(&ground.forward, seed.wrapping_mul(31) + flow, 1_000_000));
    let mut total = 0;
    for round in join_all(flows).await {
        match round? {
            Round::Equal(bytes) => total += bytes,
            ended @ Round::Ended(_) => return Ok(ended),
        }
    }
    Ok(Round::Equal(total))
}

async fn basic(ground: Arc<Ground>, seed: u64) -> Result<Round> {
    echo_flow(&ground.old_forward, seed, 1_000_000).await
}

/// One connection whose bytes must come back.
async fn echo_flow(forward: &Forward, seed: u64, length: usize) -> Result<Round> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr()?), listener.accept());
    let (near, (far, _)) = (near?, far?);
    let flow = forward.connect_tcp(far, "soak").await.context("the forward is there")?;
    let sent = bytes_of(seed, length);
    let mut got = vec![0; length];
    let (mut reader, mut writer) = near.into_split();
    let mut filled = 0;
    let send = async { writer.write_all(&sent).await.is_ok() };
    let receive = async {
        while filled < length {
            match reader.read(&mut got[filled..]).await {
                Ok(read) if read > 0 => filled += read,
                _ => return,
            }
        }
    };
    tokio::join!(send, receive);
    compare(&sent[..filled], &got[..filled])?;
    if filled < length {
        return match timeout(Duration::from_secs(5), flow.ended()).await {
            Ok(FlowEnd::Finished { .. }) => {
                bail!("a clean end after {filled} of {length} bytes")
            }
            Ok(end) => Ok(Round::Ended(end.to_string())),
            Err(_) => bail!("its connection ended after {filled} of {length} bytes, the flow did not"),
        };
    }
    Ok(Round::Equal(length as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(span("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(
            (span("10m"), span("8h")),
            (Ok(Duration::from_secs(600)), Ok(Duration::from_secs(28_800)))
        );
        assert!(span("10").is_err() && span("").is_err() && span("m").is_err());
    }

    #[test]
    fn a_difference_is_told_with_its_place() {
        assert!(matches!(compare(b"abc", b"abc"), Ok(Round::Equal(3))));
        let error = compare(b"abcdef", b"abXdef").err().map(|error| error.to_string());
        assert!(error.is_some_and(|text| text.contains("part at 2")));
    }
}
