//! A simulator in a process of its own, with servers on loopback for its nodes' ports, so that what it costs is not
//! counted as a client's.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use fleetline_simulator::{Control, Simulator, SimulatorConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::faults;

/// A node that runs Linux, by the name it has in every simulated world.
const NODE: &str = "pay-api-03";
/// Another one of the same account; its agent is too old to multiplex.
const OLD_NODE: &str = "pay-api-02";
const OLD_VERSION: &str = "3.0.196.0";

/// Options of the word that is the simulator's process.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Agents pause as real ones do.
    #[arg(long)]
    pub(crate) paced: bool,
    /// Disturb all sessions, by this seed.
    #[arg(long)]
    pub(crate) faults: Option<u64>,
    /// Where to write the configuration the official client reads.
    #[arg(long)]
    pub(crate) directory: Option<PathBuf>,
}

/// Where a simulator is and what it offers.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
    pub(crate) node: String,
    pub(crate) old_node: String,
    /// Answers each byte with itself.
    pub(crate) echo: u16,
    /// Takes 8 bytes of length, big-endian, and that many bytes, then answers one byte.
    pub(crate) sink: u16,
    /// Takes 8 bytes of length, big-endian, and sends that many bytes.
    pub(crate) source: u16,
    /// Answers each HTTP request with a small page.
    pub(crate) web: u16,
}

impl Place {
    pub(crate) fn read(told: &Value) -> Result<Self> {
        let text = |name: &str| told[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let port = |name: &str| {
            let number = told[name].as_u64().and_then(|port| u16::try_from(port).ok());
            number.with_context(|| format!("no {name}"))
        };
        Ok(Self {
            host: text("host")?,
            account: text("account")?,
            region: text("region")?,
            access_key_id: text("access_key_id")?,
            secret_access_key: text("secret_access_key")?,
            session_token: text("session_token")?,
            node: text("node")?,
            old_node: text("old_node")?,
            echo: port("echo")?,
            sink: port("sink")?,
            source: port("source")?,
            web: port("web")?,
        })
    }
}

/// A running simulator process. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct World {
    process: Child,
    output: BufReader<tokio::process::ChildStdout>,
    pub(crate) told: Value,
    pub(crate) place: Place,
    pub(crate) directory: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("fleetline-bench-").tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("simulator").arg("--directory").arg(directory.path());
        if options.paced {
            command.arg("--paced");
        }
        if let Some(seed) = options.faults {
            command.arg("--faults").arg(seed.to_string());
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let output = process.stdout.take().context("no output")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).await?;
        let told: Value = serde_json::from_str(&line).context("the simulator did not start")?;
        let place = Place::read(&told)?;
        Ok(Self { process, output, told, place, directory })
    }

    /// Ends it in order; gives what it says at its end.
    pub(crate) async fn stop(mut self) -> Result<Value> {
        drop(self.process.stdin.take());
        let mut line = String::new();
        self.output.read_line(&mut line).await?;
        self.process.wait().await?;
        serde_json::from_str(&line).context("the simulator said nothing at its end")
    }
}

/// The simulator's process: tells its place in one line, serves until its input ends, and tells what it did.
pub(crate) async fn serve(options: &Options) -> Result<()> {
    let config = SimulatorConfig {
        nodes: 200,
        demo_denials: false,
        agent_pacing: options.paced,
        bye_after: None,
        max_sessions: 4096,
        max_connections: 8192,
        ..SimulatorConfig::default()
    };
    let simulator = Simulator::start(config).await?;
    if let Some(directory) = &options.directory {
        simulator.write_aws_config(directory).context("writing the configuration")?;
    }
    let control = simulator.control();
    control.set_agent_version(OLD_NODE, OLD_VERSION)?;
    let told = told(&simulator, &control).await?;
    say(&told).await?;

    let mut input = tokio::io::stdin();
    let mut ends = [0; 1];
    let faults = AtomicU64::new(0);
    let disturb = async {
        match options.faults {
            Some(seed) => faults::disturb(&control, seed, &faults).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = disturb => {}
        _ = input.read(&mut ends) => {}
    }
    say(&json!({ "faults": faults.load(Ordering::Relaxed), "calls": control.calls() })).await?;
    simulator.shutdown().await;
    Ok(())
}

async fn told(simulator: &Simulator, control: &Control) -> Result<Value> {
    let (node, old) = (control.node(NODE).context("no node")?, control.node(OLD_NODE).context("no node")?);
    let account = simulator.accounts().into_iter().find(|account| account.name == node.account);
    let account = account.context("no account")?;
    anyhow::ensure!(
        old.account == node.account && old.region == node.region,
        "the nodes are not of one Region"
    );
    Ok(json!({
        "host": simulator.endpoint().trim_start_matches("http://"),
        "account": account.name,
        "region": node.region,
        "access_key_id": account.access_key_id,
        "secret_access_key": account.secret_access_key,
        "session_token": account.session_token,
        "node": node.id,
        "old_node": old.id,
        "echo": listen(echo).await?,
        "sink": listen(sink).await?,
        "source": listen(source).await?,
        "web": listen(web).await?,
    }))
}

async fn say(line: &Value) -> Result<()> {
    let mut output = tokio::io::stdout();
    output.write_all(format!("{line}\n").as_bytes()).await?;
    Ok(output.flush().await?)
}

async fn listen<F>(serve: fn(TcpStream) -> F) -> Result<u16>
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    stream.set_nodelay(true).ok();
                    // A connection that breaks is its client's affair.
                    tokio::spawn(async move { serve(stream).await.ok() });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    });
    Ok(port)
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut reader, mut writer) = stream.split();
    tokio::io::copy(&mut reader, &mut writer).await.map(|_| ())
}

async fn sink(mut stream: TcpStream) -> std::io::Result<()> {
    let mut left = stream.read_u64().await?;
    let mut buffer = vec![0; 256 * 1024];
    while left > 0 {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        left = left.saturating_sub(read as u64);
    }
    stream.write_all(b"k").await?;
    // The client closes, or the byte might be lost with the connection.
    stream.read(&mut buffer).await.map(|_| ())
}

async fn source(mut stream: TcpStream) -> std::io::Result<()> {
    let mut left = stream.read_u64().await?;
    let chunk: Vec<u8> = (0..64 * 1024_u32).map(|at| (at % 251) as u8).collect();
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        stream.write_all(&chunk[..now]).await?;
        left -= now as u64;
    }
    let mut end = [0];
    stream.read(&mut end).await.map(|_| ())
}

/// Requests without a body, one after the other.
async fn web(mut stream: TcpStream) -> std::io::Result<()> {
    let page = [b'p'; 2000];
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", page.len());
    let answer = [head.as_bytes(), &page].concat();
    let (mut buffer, mut asked) = ([0; 4096], Vec::new());
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        asked.extend_from_slice(&buffer[..read]);
        while let Some(end) = asked.windows(4).position(|window| window == b"\r\n\r\n") {
            asked.drain(..end + 4);
            stream.write_all(&answer).await?;
        }
    }
}
