//! The engine as a client's process: a forward with lanes that are open, a shell on a terminal, or many forwards.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fleetline_engine::forward::{Forward, ForwardOptions, ForwardRequest, LanePolicy, LaneStart};
use fleetline_engine::ports::StartSession;
use fleetline_engine::{PortMessages, SessionState, ShellOptions, open_shell};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::aws::Aws;
use crate::world::Place;

/// Variable that holds a simulator's place as JSON.
pub(crate) const PLACE: &str = "FLEETLINE_BENCH_PLACE";

/// How long a forward may take to open.
const PATIENCE: Duration = Duration::from_secs(15);

/// Forwards that open at once.
const TOGETHER: usize = 50;

/// Options of the word that is a client's process.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// One forward; tells its local port in a line, ends with its input.
    Forward {
        /// Port of the node.
        port: u16,
        /// Lanes, all open before the port is told.
        #[arg(long, default_value_t = 1)]
        lanes: usize,
        /// Messages of 1024 bytes at most.
        #[arg(long)]
        small: bool,
    },
    /// A shell between this terminal and the node.
    Shell,
    /// Many forwards; tells a line when all are ready, ends with its input.
    Idle {
        /// How many.
        count: usize,
        /// Each with an open session.
        #[arg(long)]
        open: bool,
    },
    /// The application with saved forwards; tells what its start took in a line, switches all of them on at a line of
    /// input and tells what that took, and ends with its input.
    App {
        /// How many.
        count: usize,
    },
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let told = std::env::var(PLACE).context(PLACE)?;
    let place = Place::read(&serde_json::from_str(&told)?)?;
    match options.role {
        Role::Forward { port, lanes, small } => forward(place, port, lanes, small).await,
        Role::Shell => shell(place).await,
        Role::Idle { count, open } => idle(place, count, open).await,
        Role::App { count } => crate::saved::application(place, count).await,
    }
}

pub(crate) async fn tell(line: &str) -> Result<()> {
    let mut output = tokio::io::stdout();
    output.write_all(format!("{line}\n").as_bytes()).await?;
    Ok(output.flush().await?)
}

pub(crate) async fn until_input_ends() -> Result<()> {
    let _ = tokio::io::stdin().read(&mut [0; 1]).await?;
    Ok(())
}

async fn forward(place: Place, port: u16, lanes: usize, small: bool) -> Result<()> {
    let mut options = ForwardOptions {
        start: LaneStart::AtOnce,
        lanes: LanePolicy { min: lanes, max: lanes, ..LanePolicy::default() },
        ..ForwardOptions::default()
    };
    if small {
        options.session.port_messages = PortMessages::Small;
    }
    let request = ForwardRequest::to_port(place.node.clone(), port);
    let forward = Forward::start(Arc::new(Aws::new(place)), request, options)?;
    open_lanes(&forward, lanes).await?;
    let listener = forward.listeners().first().context("no listener")?;
    tell(&listener.to_string()).await?;
    until_input_ends().await?;
    Ok(forward.stop().await?)
}

/// Waits until that many lanes are open.
async fn open_lanes(forward: &Forward, lanes: usize) -> Result<()> {
    forward.ready().await.map_err(|end| anyhow::anyhow!("{end}"))?;
    let mut changes = forward.changes();
    loop {
        changes.borrow_and_update();
        let snapshot = forward.snapshot();
        let is_open = |lane: &&fleetline_engine::forward::LaneSnapshot| {
            lane.mode.is_some() && matches!(lane.state, SessionState::Open { .. })
        };
        if snapshot.lanes.iter().filter(is_open).count() >= lanes {
            return Ok(());
        }
        changes.changed().await?;
    }
}

async fn shell(place: Place) -> Result<()> {
    let terminal = std::io::stdin();
    let mut modes = rustix::termios::tcgetattr(&terminal)?;
    modes.make_raw();
    rustix::termios::tcsetattr(&terminal, rustix::termios::OptionalActions::Now, &modes)?;
    let request = StartSession { target: place.node.clone(), ..StartSession::default() };
    let session = open_shell(Arc::new(Aws::new(place)), request, ShellOptions::default());
    let typing = async {
        let (mut input, mut buffer) = (tokio::io::stdin(), vec![0; 4096]);
        loop {
            let read = input.read(&mut buffer).await?;
            if read == 0 || session.send(buffer[..read].to_vec()).await.is_err() {
                return anyhow::Ok(());
            }
        }
    };
    let printing = async {
        // The handle of the library looks for line ends, and that of the runtime copies to another thread.
        let mut output = std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
        while let Some(chunk) = session.recv().await {
            tokio::task::block_in_place(|| output.write_all(&chunk.bytes))?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        done = typing => done?,
        done = printing => done?,
    }
    session.close().await?;
    // A read of standard input cannot be given up.
    std::process::exit(0)
}

async fn idle(place: Place, count: usize, open: bool) -> Result<()> {
    let aws = Arc::new(Aws::new(place.clone()));
    let start = if open { LaneStart::AtOnce } else { LaneStart::OnDemand };
    // One dialer and one clock of sleep for all, as programs with many sessions have.
    let options = ForwardOptions { start, ..ForwardOptions::default() };
    let mut forwards = Vec::with_capacity(count);
    while forwards.len() < count {
        let first = forwards.len();
        // Together, since each waits for its agent's second attempt: nobody keeps the first message for a client that is
        // on its way.
        for _ in first..count.min(first + TOGETHER) {
            let request = ForwardRequest::to_port(place.node.clone(), place.echo);
            forwards.push(Forward::start(aws.clone(), request, options.clone())?);
        }
        for (number, forward) in forwards.iter().enumerate().skip(first).filter(|_| open) {
            match timeout(PATIENCE, forward.ready()).await {
                Ok(Ok(())) => {}
                Ok(Err(end)) => bail!("forward {number}: {end}"),
                Err(_) => bail!("forward {number} does not open: {:#?}", forward.snapshot()),
            }
        }
    }
    tell("ready").await?;
    until_input_ends().await?;
    // The simulator ends with us; a thousand orderly ends prove nothing here.
    std::process::exit(0)
}
