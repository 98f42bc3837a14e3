//! Consumers that never read. In a program of its own, because the memory is the process's; that of the simulator is
//! counted too.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code, reason = "tests")]

#[path = "simulated/aws.rs"]
mod aws;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetline_engine::forward::{Forward, ForwardOptions, ForwardRequest, LocalAddress};
use fleetline_engine::ports::StartSession;
use fleetline_engine::{SessionState, ShellOptions, ShellSession, open_shell};
use fleetline_simulator::{Simulator, SimulatorConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use aws::SimulatedAws;

const PATIENCE: Duration = Duration::from_secs(60);
/// How long nothing is read.
const FROZEN: Duration = Duration::from_secs(5);
const MOST_GROWTH: u64 = 32 * 1024 * 1024;

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A server that sends without end.
async fn endless() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move { while stream.write_all(&[b'z'; 16 * 1024]).await.is_ok() {} });
        }
    });
    port
}

async fn until(shell: &ShellSession, text: &str) {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        seen.extend(timeout(PATIENCE, shell.recv()).await.unwrap().unwrap().bytes);
    }
}

/// A simulator and a session beside the frozen one.
struct World {
    simulator: Simulator,
    aws: Arc<SimulatedAws>,
    node: String,
    other: ShellSession,
}

impl World {
    async fn new() -> Self {
        let config = SimulatorConfig { nodes: 200, demo_denials: false, ..SimulatorConfig::default() };
        let simulator = Simulator::start(config).await.unwrap();
        let node = simulator.control().node("pay-api-03").unwrap();
        let aws = SimulatedAws::new(&simulator, &node);
        let other = shell(&aws, &node.id);
        until(&other, "~$ ").await;
        Self { simulator, aws, node: node.id, other }
    }

    /// Talks with the other session for a while, and watches the memory.
    #[expect(clippy::print_stderr, reason = "timings are told, not judged")]
    async fn go_on_beside(&self, what: &str, before: u64) {
        let (begun, mut most, mut took) = (Instant::now(), 0, Vec::new());
        while begun.elapsed() < FROZEN {
            let typed = Instant::now();
            self.other.send(format!("echo n-$(({}+1))\r", took.len())).await.unwrap();
            until(&self.other, &format!("n-{}\r\n", took.len() + 1)).await;
            took.push(typed.elapsed());
            most = most.max(resident());
        }
        took.sort_unstable();
        let growth = most.saturating_sub(before);
        eprintln!(
            "{what}: grew by {:.1} MB; {} answers of another session, median {:?}, slowest {:?}",
            growth as f64 / 1e6,
            took.len(),
            took[took.len() / 2],
            took[took.len() - 1]
        );
        assert!(growth <= MOST_GROWTH, "{growth} bytes more");
    }

    async fn end(self) {
        self.other.close().await.unwrap();
        self.simulator.shutdown().await;
    }
}

fn shell(aws: &Arc<SimulatedAws>, node: &str) -> ShellSession {
    let request = StartSession { target: node.to_owned(), ..StartSession::default() };
    open_shell(aws.clone(), request, ShellOptions::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_into_a_shell_nobody_reads_costs_little_memory_and_holds_up_no_other_session() {
    let world = World::new().await;
    let frozen = shell(&world.aws, &world.node);
    until(&frozen, "~$ ").await;
    let before = resident();
    frozen.send(&b"yes\r"[..]).await.unwrap();
    world.go_on_beside("yes", before).await;
    // It was not cut, and goes on once it is read.
    assert!(matches!(*frozen.state().borrow(), SessionState::Open { .. }));
    until(&frozen, "y\r\ny\r\n").await;
    frozen.close().await.unwrap();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_whose_program_never_reads_costs_little_memory_and_holds_up_no_other_session() {
    let world = World::new().await;
    let request = ForwardRequest::to_port(world.node.clone(), endless().await);
    let forward = Forward::start(world.aws.clone(), request, ForwardOptions::default()).unwrap();
    let LocalAddress::Tcp(address) = forward.listeners()[0].clone() else { panic!("no TCP") };
    let before = resident();
    let mut unread = TcpStream::connect(address).await.unwrap();
    let mut changes = forward.changes();
    while !forward.snapshot().lanes.iter().any(|lane| lane.is_held) {
        timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    }
    world.go_on_beside("a forward", before).await;
    // It was not cut, and every byte that waited is there.
    let mut bytes = vec![0; 8 * 1024 * 1024];
    timeout(PATIENCE, unread.read_exact(&mut bytes)).await.unwrap().unwrap();
    assert!(bytes.iter().all(|byte| *byte == b'z'));
    forward.stop().await.unwrap();
    world.end().await;
}

/// Bytes that are sent to an agent which takes none.
const SENT: usize = 48 * 1024 * 1024;

fn byte_at(place: usize) -> u8 {
    (place.wrapping_mul(2_654_435_761) >> 13) as u8
}

/// A server that answers the first byte at once, and `SENT` more with how many of them are as they should be.
async fn auditor() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let first = stream.read_u8().await?;
                stream.write_u8(first).await?;
                let (mut piece, mut place, mut right) = (vec![0; 64 * 1024], 0, 0);
                while place < SENT {
                    let read @ 1.. = stream.read(&mut piece).await? else { break };
                    right += (0..read).filter(|i| piece[*i] == byte_at(place + i)).count();
                    place += read;
                }
                stream.write_u64(right as u64).await
            });
        }
    });
    port
}

fn is_unanswered(state: &SessionState) -> bool {
    matches!(state, SessionState::Open { unanswered_since: Some(_), .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_never_acknowledges_costs_little_memory_is_named_and_loses_nothing() {
    let world = World::new().await;
    let control = world.simulator.control();
    let typed_into = shell(&world.aws, &world.node);
    until(&typed_into, "~$ ").await;
    let pasted: usize = 4 * 1024 * 1024;
    typed_into.send(format!("stty raw -echo; echo re''ady; head -c {pasted} | md5sum\r")).await.unwrap();
    until(&typed_into, "ready\n").await;

    let request = ForwardRequest::to_port(world.node.clone(), auditor().await);
    let forward = Forward::start(world.aws.clone(), request, ForwardOptions::default()).unwrap();
    let LocalAddress::Tcp(address) = forward.listeners()[0].clone() else { panic!("no TCP") };
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_u8(1).await.unwrap();
    assert_eq!(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap(), 1);
    let lane = forward.snapshot().lanes[0].session_id.clone().unwrap();

    for session in [typed_into.session_id().unwrap(), lane] {
        control.ignore_input(session.as_str(), true).await.unwrap();
    }
    let sent: Vec<u8> = (0..SENT).map(byte_at).collect();
    let before = resident();
    let (mut reader, mut writer) = stream.into_split();
    let bytes = bytes::Bytes::from(sent);
    let writing = tokio::spawn({
        let bytes = bytes.clone();
        async move { writer.write_all(&bytes).await.map(|()| writer) }
    });
    let typed_into = Arc::new(typed_into);
    let typing = tokio::spawn({
        let (shell, paste) = (Arc::clone(&typed_into), bytes.slice(..pasted));
        async move { shell.send(paste).await }
    });
    world.go_on_beside("an agent that never acknowledges", before).await;
    assert!(!writing.is_finished() && !typing.is_finished(), "somebody kept it all");

    // Both say what they wait for, and neither is cut.
    timeout(PATIENCE, typed_into.state().wait_for(is_unanswered)).await.unwrap().unwrap();
    let mut changes = forward.changes();
    while !is_unanswered(&forward.snapshot().lanes[0].state) {
        timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    }

    assert_eq!(control.ignore_input_all(false).await, 3);
    let _writer = timeout(PATIENCE, writing).await.unwrap().unwrap().unwrap();
    assert_eq!(timeout(PATIENCE, reader.read_u64()).await.unwrap().unwrap(), SENT as u64);
    timeout(PATIENCE, typing).await.unwrap().unwrap().unwrap();
    until(&typed_into, &md5sum(&bytes[..pasted])).await;
    forward.stop().await.unwrap();
    typed_into.close().await.unwrap();
    world.end().await;
}

/// What the program of that name says of these bytes.
fn md5sum(bytes: &[u8]) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new("md5sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}
