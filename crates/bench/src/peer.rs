//! A client's process, ours or the official one, and what it is asked for.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use fleetline_engine::forward::ForwardRequest;
use fleetline_engine::ports::StartSession;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::aws::{Aws, start_for_plugin};
use crate::client::PLACE;
use crate::world::{Place, World};

/// How long anything may take that should take seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which client.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// The engine, with this many lanes.
    Ours { lanes: usize, small: bool },
    /// The official client.
    Official(PathBuf),
}

/// A client that forwards a local port. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct ForwardProcess {
    process: Child,
    pub(crate) port: u16,
}

impl ForwardProcess {
    /// Starts it and waits until its local port is open.
    pub(crate) async fn start(peer: &Peer, world: &World, port: u16) -> Result<Self> {
        match peer {
            Peer::Ours { lanes, small } => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("client").arg("forward").arg(port.to_string());
                command.arg("--lanes").arg(lanes.to_string()).env(PLACE, world.told.to_string());
                if *small {
                    command.arg("--small");
                }
                let (process, line) = first_line(command, |_| true).await?;
                let address: std::net::SocketAddr = line.parse().with_context(|| line.clone())?;
                Ok(Self { process, port: address.port() })
            }
            Peer::Official(plugin) => {
                let local = free_port()?;
                let request = ForwardRequest {
                    parameters: vec![("localPortNumber".to_owned(), vec![local.to_string()])],
                    ..ForwardRequest::to_port(world.place.node.clone(), port)
                };
                let arguments = official(world, &request.start_session()).await?;
                let mut command = Command::new(plugin);
                command.args(arguments).envs(official_environment(world));
                let (process, _) = first_line(command, |line| line.contains("Waiting for")).await?;
                Ok(Self { process, port: local })
            }
        }
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.process.id().context("the client has ended")
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        self.process.kill().await.context("ending a client")
    }
}

/// Starts a process and waits for a line of its output.
pub(crate) async fn first_line(
    mut command: Command,
    wanted: impl Fn(&str) -> bool,
) -> Result<(Child, String)> {
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
    let line = timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await? {
            if wanted(&line) {
                return Ok(line);
            }
        }
        bail!("a client ended before it was ready")
    });
    let line = line.await.context("a client that does not begin")??;
    // What it says later must not block it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((process, line))
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Arguments of the official client, for a session that is started here.
async fn official(world: &World, request: &StartSession) -> Result<Vec<String>> {
    let aws = Aws::new(world.place.clone());
    let (answer, body) = start_for_plugin(&aws, request).await?;
    let Place { region, account, host, .. } = &world.place;
    Ok(vec![
        answer.to_string(),
        region.clone(),
        "StartSession".to_owned(),
        account.clone(),
        body.to_string(),
        format!("http://{host}"),
    ])
}

fn official_environment(world: &World) -> Vec<(&'static str, PathBuf)> {
    let directory: &Path = world.directory.path();
    vec![
        ("AWS_CONFIG_FILE", directory.join("config")),
        ("AWS_SHARED_CREDENTIALS_FILE", directory.join("credentials")),
        ("AWS_PROFILE", PathBuf::from(&world.place.account)),
    ]
}

/// A client's shell on a terminal.
pub(crate) struct ShellProcess {
    process: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn std::io::Write + Send>,
    output: mpsc::Receiver<Vec<u8>>,
    seen: Vec<u8>,
    /// When its session was asked for.
    pub(crate) begun: Instant,
    _terminal: Box<dyn portable_pty::MasterPty + Send>,
}

impl Drop for ShellProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl ShellProcess {
    pub(crate) async fn start(peer: &Peer, world: &World) -> Result<Self> {
        let begun = Instant::now();
        let mut command = match peer {
            Peer::Ours { .. } => {
                let mut command = CommandBuilder::new(std::env::current_exe()?);
                command.args(["client", "shell"]);
                command.env(PLACE, world.told.to_string());
                command
            }
            Peer::Official(plugin) => {
                let request = StartSession { target: world.place.node.clone(), ..StartSession::default() };
                let mut command = CommandBuilder::new(plugin);
                command.args(official(world, &request).await?);
                for (name, value) in official_environment(world) {
                    command.env(name, value);
                }
                command
            }
        };
        command.cwd(world.directory.path());
        let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() })?;
        let process = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let (mut reader, writer) = (pair.master.try_clone_reader()?, pair.master.take_writer()?);
        let (sender, output) = mpsc::channel(64);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read) = reader.read(&mut buffer)
                && read > 0
                && sender.blocking_send(buffer[..read].to_vec()).is_ok()
            {}
        });
        Ok(Self { process, writer, output, seen: Vec::new(), begun, _terminal: pair.master })
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.process.process_id().context("the client has ended")
    }

    pub(crate) fn type_in(&mut self, text: &str) -> Result<()> {
        self.writer.write_all(text.as_bytes())?;
        Ok(self.writer.flush()?)
    }

    /// Reads until a text was printed; gives the bytes up to its end.
    pub(crate) async fn until(&mut self, text: &str) -> Result<usize> {
        let mut total = 0;
        loop {
            if let Some(at) = self.seen.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.seen.drain(..at + text.len());
                return Ok(total + at + text.len());
            }
            let passed = self.seen.len().saturating_sub(text.len());
            self.seen.drain(..passed);
            total += passed;
            match timeout(PATIENCE, self.output.recv()).await.context("a shell that prints nothing")? {
                Some(bytes) => self.seen.extend(bytes),
                None => bail!("the shell ended, last {:?}", String::from_utf8_lossy(&self.seen)),
            }
        }
    }
}
