//! Forwards for as long as asked, under load, while a scenario disturbs what can be resumed and the node is booted
//! again. `cargo xtask soak --forwards --for 10m` runs it for that long; among the other tests it is short.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fleetline_simulator::{Scenario, SimulatorConfig};

use super::Lab;
use super::forwards::{Forwarding, forward};
use super::servers::{Server, answer, ask, run};

/// Everything that sessions must survive, all the time.
const RESUMABLE: &str = r#"
seed = 11
[[step]]
every = "900ms"
jitter = "600ms"
what = "cut_all"
[[step]]
every = "2300ms"
what = "expire_tokens"
[[step]]
every = "3s"
jitter = "1s"
what = "throttle"
calls = 2
[[step]]
every = "4s"
what = "stall"
for = "800ms"
"#;

/// Without `FLEETLINE_SOAK_SECONDS`.
const SHORT: Duration = Duration::from_secs(8);
/// Load between two boots.
const ROUND: Duration = Duration::from_secs(45);
/// How long the node is away.
const DOWN: Duration = Duration::from_secs(3);
/// How long after the node's return a new connection may take.
const RETURN: Duration = Duration::from_secs(5);

/// How long the load runs in all.
fn asked() -> Duration {
    let seconds = std::env::var("FLEETLINE_SOAK_SECONDS").ok();
    seconds.map_or(SHORT, |text| Duration::from_secs(text.parse().expect("a number of seconds")))
}

/// A forward with its log.
struct Watched {
    forwarding: Forwarding,
    port: String,
    log: std::path::PathBuf,
}

impl Watched {
    /// To a host beyond the node, as databases mostly are.
    fn start(lab: &Lab, node: &fleetline_simulator::NodeView, remote: u16) -> Self {
        let log = lab.directory.path().join(format!("forward-{remote}.log"));
        let mut command = forward(lab, node, &[&format!("0:localhost:{remote}")]);
        command.stderr(File::create(&log).unwrap());
        let mut forwarding = Forwarding::started(command);
        let port = forwarding.line().rsplit(':').next().unwrap().to_owned();
        Self { forwarding, port, log }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(format!("127.0.0.1:{}", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }
}

/// Connects again and again to ports that must always take it.
struct Prober {
    stop: Arc<AtomicBool>,
    task: JoinHandle<u64>,
}

impl Prober {
    fn start(ports: Vec<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = std::thread::spawn(move || {
            let mut connections = 0;
            while !stopped.load(Ordering::Relaxed) {
                for port in &ports {
                    let connected = TcpStream::connect(format!("127.0.0.1:{port}"));
                    connected.unwrap_or_else(|error| panic!("port {port} was closed: {error}"));
                    connections += 1;
                }
                std::thread::sleep(Duration::from_millis(150));
            }
            connections
        });
        Self { stop, task }
    }

    /// How often it connected.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.join().unwrap()
    }
}

/// Both load programs at once; gives the transactions and the requests, none of which failed.
fn load(database: &str, web: &str, time: Duration) -> (u64, u64) {
    let seconds = time.as_secs().max(1).to_string();
    let mut wrk = Command::new("wrk");
    wrk.args(["-t", "1", "-c", "40", "-d", &seconds, "--timeout", "60"]);
    wrk.arg(format!("http://127.0.0.1:{web}/page"));
    let requesting = std::thread::spawn(move || run(&mut wrk));
    let mut pgbench = Command::new("pgbench");
    pgbench.args(["-h", "127.0.0.1", "-p", database, "-U", "postgres", "-n"]);
    pgbench.args(["-c", "10", "-j", "1", "-T", &seconds, "postgres"]);
    let ran = run(&mut pgbench);
    assert!(ran.out.contains("number of failed transactions: 0"), "{ran:?}");
    assert!(!ran.err.contains("aborted"), "{ran:?}");
    let transactions = number(&ran.out, "number of transactions actually processed: ");
    let ran = requesting.join().unwrap();
    assert!(!ran.out.contains("Socket errors") && !ran.out.contains("Non-2xx"), "{ran:?}");
    let requests = ran.out.lines().find(|line| line.contains("requests in"));
    let requests = requests.and_then(|line| line.split_whitespace().next()).unwrap().parse().unwrap();
    (transactions, requests)
}

fn number(text: &str, before: &str) -> u64 {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// Whether the database answers a request for TLS, which needs no session: one byte, no.
fn greets(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47])?;
    let mut said = [0];
    stream.read_exact(&mut said)?;
    assert_eq!(&said, b"N");
    Ok(())
}

/// Whether the web server gives its page.
fn page(mut stream: TcpStream) -> std::io::Result<()> {
    write!(stream, "GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all)?;
    assert!(all.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&all));
    Ok(())
}

/// Tries until it works, and says how long after `from` that was.
fn works_after(from: Instant, mut attempt: impl FnMut() -> std::io::Result<()>) -> Duration {
    loop {
        match attempt() {
            Ok(()) => return from.elapsed(),
            Err(error) => assert!(from.elapsed() < RETURN, "not after {:?}: {error}", from.elapsed()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pgbench_and_wrk_lose_nothing_that_can_be_resumed_and_listeners_outlive_the_node() {
    let (database, web) = (Server::postgres(), Server::nginx());
    let scenario = Scenario::parse(RESUMABLE).unwrap();
    let lab = Lab::new(SimulatorConfig {
        demo_denials: false,
        scenario: Some(scenario),
        ..SimulatorConfig::default()
    })
    .await;
    let node = lab.linux();
    let forwards = Arc::new([database.port, web.port].map(|port| Watched::start(&lab, &node, port)));
    let ports = || forwards.iter().map(|one| one.port.clone()).collect::<Vec<_>>();
    let [to_database, to_web] = [&forwards[0], &forwards[1]].map(|one| one.port.clone());
    let mut prepare = Command::new("pgbench");
    prepare.args([
        "-h",
        "127.0.0.1",
        "-p",
        &to_database,
        "-U",
        "postgres",
        "-i",
        "-q",
        "-s",
        "1",
        "postgres",
    ]);
    tokio::task::spawn_blocking(move || run(&mut prepare)).await.unwrap();

    let prober = Prober::start(ports());
    let (mut left, mut rounds) = (asked(), 0);
    let done = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let mut slowest = Duration::ZERO;
    while !left.is_zero() {
        let time = left.min(ROUND);
        left -= time;
        rounds += 1;
        let (database, web, done) = (to_database.clone(), to_web.clone(), done.clone());
        tokio::task::spawn_blocking(move || {
            let (transactions, requests) = load(&database, &web, time);
            done[0].fetch_add(transactions, Ordering::Relaxed);
            done[1].fetch_add(requests, Ordering::Relaxed);
        })
        .await
        .unwrap();
        let watched = forwards.clone();
        let held = tokio::task::spawn_blocking(move || {
            let databases: Vec<TcpStream> = (0..4).map(|_| watched[0].connect()).collect();
            databases.iter().for_each(|stream| greets(stream).unwrap());
            let webs: Vec<TcpStream> = (0..4).map(|_| watched[1].connect()).collect();
            for stream in &webs {
                ask(stream, "/page");
                answer(stream, 2000, b'p');
            }
            [databases, webs]
        })
        .await
        .unwrap();
        lab.simulator.control().reboot_node(&node.id, DOWN).await.unwrap();
        let back = Instant::now() + DOWN;
        let watched = forwards.clone();
        let took = tokio::task::spawn_blocking(move || {
            let ends = held.map(|streams| streams.into_iter().map(lost).collect::<Vec<String>>());
            std::thread::sleep(back.saturating_duration_since(Instant::now()));
            // Nobody waits for the other: each forward is asked as soon as the node is back.
            let (database, web) = std::thread::scope(|scope| {
                let database = scope.spawn(|| works_after(back, || greets(&watched[0].connect())));
                let web = works_after(back, || page(watched[1].connect()));
                (database.join().unwrap(), web)
            });
            for (watched, addresses) in watched.iter().zip(&ends) {
                let log = std::fs::read_to_string(&watched.log).unwrap();
                for address in addresses {
                    let cause =
                        format!("of {address} ended: The session that carried the connection is over.");
                    assert!(log.contains(&cause), "no cause for {address} in {log}");
                }
            }
            database.max(web)
        })
        .await
        .unwrap();
        slowest = slowest.max(took);
        println!("boot {rounds}: back {took:?} after the node");
    }
    let connections = tokio::task::spawn_blocking(move || prober.stop()).await.unwrap();
    let sessions = lab.simulator.control().sessions();
    let sockets: u64 = sessions.iter().map(|session| session.client_sockets).sum();
    println!(
        "{:?} of load, {rounds} boots: {} transactions and {} requests, none failed; {connections} connections, \
         none refused; {} sessions over {sockets} sockets; back {slowest:?} after the node",
        asked(),
        done[0].load(Ordering::Relaxed),
        done[1].load(Ordering::Relaxed),
        sessions.len(),
    );
    // How long it takes says something only where a long run was asked for, on a machine of its own.
    assert!(
        asked() == SHORT || slowest < RETURN,
        "a new connection took {slowest:?} after the node's return"
    );
    assert!(sockets > sessions.len() as u64, "sockets were cut and replaced");
    let forwards = Arc::into_inner(forwards).expect("nobody else has them");
    for watched in forwards {
        tokio::task::spawn_blocking(move || watched.forwarding.interrupt()).await.unwrap();
    }
    lab.end().await;
}

/// Reads a connection that is being cut: never an orderly end, which could be taken for the answer's. Gives its address.
fn lost(mut stream: TcpStream) -> String {
    let address = stream.local_addr().unwrap().to_string();
    let error = stream.read(&mut [0; 64]).expect_err("it is cut");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{address}: {error}");
    address
}
