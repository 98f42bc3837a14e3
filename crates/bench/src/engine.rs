//! What is measured, in which order.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::client::PLACE;
use crate::peer::{ForwardProcess, Peer, ShellProcess, first_line};
use crate::table::{self, Figures, Row, say};
use crate::world::{self, World};
use crate::{load, process};

/// Bytes of a megabyte, as the anchors of the official client are given.
const MB: f64 = 1e6;

/// Options of `engine`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fewer rounds and bytes, and fewer idle forwards.
    #[arg(long)]
    quick: bool,
    /// Only the parts whose name contains this: unpaced, paced, shell, idle.
    #[arg(long)]
    only: Option<String>,
    /// Of the parts with agents that pause or do not, only this: upload, download, echo, parallel, prompt.
    #[arg(long)]
    measure: Option<String>,
}

struct Bench {
    peers: Vec<Peer>,
    rounds: usize,
    scale: u64,
    measure: Option<String>,
    rows: Vec<Row>,
}

pub(crate) async fn run(options: &Options) -> Result<()> {
    let official = match std::env::var_os("FLEETLINE_PEER_PLUGIN").map(PathBuf::from) {
        Some(path) if path.is_file() => Some(Peer::Official(path)),
        Some(path) => bail!("FLEETLINE_PEER_PLUGIN names {}, which is no file", path.display()),
        None => {
            say("the official client is skipped: FLEETLINE_PEER_PLUGIN does not name it");
            None
        }
    };
    let mut bench = Bench {
        peers: official.into_iter().collect(),
        rounds: if options.quick { 3 } else { 5 },
        scale: if options.quick { 1 } else { 4 },
        measure: options.measure.clone(),
        rows: Vec::new(),
    };
    let wanted = |part: &str| options.only.as_deref().is_none_or(|only| only == part);
    if wanted("unpaced") {
        bench.unpaced().await?;
    }
    if wanted("paced") {
        bench.paced().await?;
    }
    if wanted("shell") {
        bench.shells().await?;
    }
    if wanted("idle") {
        bench.idle(if options.quick { 100 } else { 1000 }).await?;
    }
    table::print(&bench.rows);
    Ok(())
}

/// Ours with that many lanes.
fn ours(lanes: usize) -> Peer {
    Peer::Ours { lanes, small: false }
}

impl Bench {
    fn note(&mut self, measure: &str, target: &'static str, peer: &Peer, figure: f64) {
        let at = self.rows.iter().position(|row| row.measure == measure).unwrap_or_else(|| {
            let (ours, official) = (Figures::default(), Figures::default());
            self.rows.push(Row { measure: measure.to_owned(), ours, official, target });
            self.rows.len() - 1
        });
        match peer {
            Peer::Ours { .. } => self.rows[at].ours.push(figure),
            Peer::Official(_) => self.rows[at].official.push(figure),
        }
    }

    fn wants(&self, measure: &str) -> bool {
        self.measure.as_deref().is_none_or(|wanted| wanted == measure)
    }

    /// Ours in this shape, then the official client.
    fn with_official(&self, ours: Peer) -> Vec<Peer> {
        std::iter::once(ours).chain(self.peers.iter().cloned()).collect()
    }

    async fn unpaced(&mut self) -> Result<()> {
        let world = World::start(&world::Options::default()).await?;
        for round in 1..=self.rounds {
            say(&format!("agents without pauses, round {round} of {}", self.rounds));
            for peer in self.with_official(ours(1)) {
                if self.wants("upload") {
                    self.upload(&world, &peer).await?;
                }
                if self.wants("download") {
                    self.download(&world, &peer).await?;
                }
                if self.wants("echo") {
                    self.echo(&world, &peer, "unpaced", "≤ 0.4").await?;
                }
                if self.wants("parallel") {
                    self.parallel(&world, &peer, "unpaced, one lane", "≤ 1/12 = 0.083").await?;
                }
            }
            if self.wants("upload") {
                self.upload(&world, &Peer::Ours { lanes: 1, small: true }).await?;
            }
        }
        // The official client has one size only.
        let official = self.rows.iter().find(|row| row.measure == UPLOAD).map(|row| row.official.clone());
        if let Some(row) = self.rows.iter_mut().find(|row| row.measure == UPLOAD_SMALL) {
            row.official = official.unwrap_or_default();
        }
        world.stop().await.map(|_| ())
    }

    async fn upload(&mut self, world: &World, peer: &Peer) -> Result<()> {
        let (measure, target, bytes) = match peer {
            Peer::Ours { small: false, .. } => (UPLOAD, "≥ 100", 64_000_000 * self.scale),
            Peer::Ours { small: true, .. } => (UPLOAD_SMALL, "≥ 20", 16_000_000 * self.scale),
            // It takes a second for 0.7 MB.
            Peer::Official(_) => (UPLOAD, "≥ 100", 2_000_000),
        };
        let client = ForwardProcess::start(peer, world, world.place.sink).await?;
        // The first connection finds out what the node takes.
        load::upload(client.port, 100_000).await?;
        let (took, cpu) = timed(&client, load::upload(client.port, bytes)).await?;
        self.note(measure, target, peer, bytes as f64 / MB / took.as_secs_f64());
        if !matches!(peer, Peer::Ours { small: true, .. }) {
            self.note_cpu("client CPU s per GB up", "ours ≤ 3 s", peer, cpu, bytes);
        }
        client.stop().await
    }

    async fn download(&mut self, world: &World, peer: &Peer) -> Result<()> {
        let bytes = 32_000_000 * self.scale;
        let client = ForwardProcess::start(peer, world, world.place.source).await?;
        load::download(client.port, 100_000, 1).await?;
        let (took, cpu) = timed(&client, load::download(client.port, bytes, 1)).await?;
        let rate = bytes as f64 / MB / took.as_secs_f64();
        self.note("download unpaced, one lane, MB/s", "≥ 0.98", peer, rate);
        self.note_cpu("client CPU s per GB down, unpaced", "≤ 1/6 = 0.167", peer, cpu, bytes);
        client.stop().await
    }

    fn note_cpu(
        &mut self,
        measure: &str,
        target: &'static str,
        peer: &Peer,
        cpu: Option<Duration>,
        bytes: u64,
    ) {
        if let Some(cpu) = cpu {
            self.note(measure, target, peer, cpu.as_secs_f64() / (bytes as f64 / 1e9));
        }
    }

    async fn echo(&mut self, world: &World, peer: &Peer, agents: &str, target: &'static str) -> Result<()> {
        let client = ForwardProcess::start(peer, world, world.place.echo).await?;
        let at = |took: &[Duration], share: f64| {
            took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
        };
        let took = load::echo(client.port, 500, Duration::ZERO).await?;
        self.note(&format!("1-byte echo p50 {agents}, ms"), target, peer, at(&took, 0.5));
        self.note(&format!("1-byte echo p99 {agents}, ms"), "–", peer, at(&took, 0.99));
        // Each byte as soon as the last one is back meets the pause after it; a person's keys do not.
        let took = load::echo(client.port, 100, Duration::from_millis(10)).await?;
        let measure = format!("1-byte echo p50 {agents}, 10 ms between, ms");
        self.note(&measure, "–", peer, at(&took, 0.5));
        client.stop().await
    }

    async fn parallel(
        &mut self,
        world: &World,
        peer: &Peer,
        agents: &str,
        target: &'static str,
    ) -> Result<()> {
        let client = ForwardProcess::start(peer, world, world.place.echo).await?;
        let took = load::parallel(client.port, 50).await?;
        self.note(&format!("50 connections × 20 kB {agents}, s"), target, peer, took.as_secs_f64());
        client.stop().await
    }

    async fn paced(&mut self) -> Result<()> {
        let world = World::start(&world::Options { paced: true, ..world::Options::default() }).await?;
        for round in 1..=self.rounds {
            say(&format!("agents that pause as real ones, round {round} of {}", self.rounds));
            if self.wants("download") {
                for (lanes, target) in [(1, "≥ 0.98"), (4, "≥ 3.6"), (8, "≥ 7")] {
                    for peer in self.with_official(ours(lanes)) {
                        self.download_paced(&world, &peer, lanes, target).await?;
                    }
                }
            }
            if self.wants("echo") {
                for peer in self.with_official(ours(1)) {
                    self.echo(&world, &peer, "paced", "≤ 0.75").await?;
                }
            }
            if self.wants("parallel") {
                for lanes in [4, 8] {
                    for peer in self.with_official(ours(lanes)) {
                        self.parallel(&world, &peer, &format!("paced, {lanes} lanes"), "≤ 1/2").await?;
                    }
                }
            }
            if self.wants("prompt") {
                for peer in self.with_official(ours(1)) {
                    let mut shell = ShellProcess::start(&peer, &world).await?;
                    shell.until("$ ").await?;
                    let took = shell.begun.elapsed().as_secs_f64();
                    self.note("session start to first prompt, paced, s", "≤ 1", &peer, took);
                }
            }
        }
        world.stop().await.map(|_| ())
    }

    async fn download_paced(
        &mut self,
        world: &World,
        peer: &Peer,
        lanes: usize,
        target: &'static str,
    ) -> Result<()> {
        // Processor time is told in steps of 10 ms.
        let each = if lanes == 1 { 4_800_000 } else { 1_600_000 };
        let bytes = if matches!(peer, Peer::Ours { .. }) { each * lanes as u64 } else { each };
        let client = ForwardProcess::start(peer, world, world.place.source).await?;
        let (took, cpu) = timed(&client, load::download(client.port, bytes, lanes)).await?;
        let rate = bytes as f64 / MB / took.as_secs_f64();
        self.note(&format!("download paced, {lanes} flows on {lanes} lanes, MB/s"), target, peer, rate);
        if lanes == 1 {
            self.note_cpu("client CPU s per GB down, paced", "≤ 1/6 = 0.167", peer, cpu, bytes);
        }
        client.stop().await
    }

    async fn shells(&mut self) -> Result<()> {
        const FLOOD: &str = "stty -onlcr; yes 01234567890123456789012345678901234567890123456789012345678901234567890 \
                             | head -c 50000000; echo END-$((40+2))\n";
        let world = World::start(&world::Options::default()).await?;
        for round in 1..=self.rounds {
            say(&format!("50 MB through a shell, round {round} of {}", self.rounds));
            for peer in self.with_official(ours(1)) {
                let mut shell = ShellProcess::start(&peer, &world).await?;
                shell.until("$ ").await?;
                let took = shell.begun.elapsed().as_secs_f64();
                self.note("session start to first prompt, unpaced, s", "≤ 1", &peer, took);
                let (cpu, begun) = (process::cpu(shell.pid()?), Instant::now());
                shell.type_in(FLOOD)?;
                let bytes = shell.until("END-42").await?;
                anyhow::ensure!(bytes >= 50_000_000, "only {bytes} bytes were printed");
                let took = begun.elapsed().as_secs_f64();
                let used = process::cpu(shell.pid()?).zip(cpu).map(|(now, then)| now.saturating_sub(then));
                self.note("50 MB through a shell, s", "the agent alone", &peer, took);
                if let Some(used) = used {
                    self.note("50 MB through a shell, client CPU s", "≤ 1/4", &peer, used.as_secs_f64());
                }
            }
        }
        world.stop().await.map(|_| ())
    }

    async fn idle(&mut self, count: usize) -> Result<()> {
        const WATCHED: Duration = Duration::from_secs(10);
        for (open, what) in [(false, "listening"), (true, "each with a session")] {
            let world = World::start(&world::Options::default()).await?;
            say(&format!("{count} idle forwards, {what}"));
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("client").arg("idle").arg(count.to_string()).env(PLACE, world.told.to_string());
            if open {
                command.arg("--open");
            }
            command.stderr(Stdio::inherit());
            let (mut client, _) = first_line(command, |line| line == "ready").await?;
            let pid = client.id().context("the client has ended")?;
            // What starting them left to do is not idling.
            tokio::time::sleep(Duration::from_secs(2)).await;
            let before = process::cpu(pid);
            tokio::time::sleep(WATCHED).await;
            let used = process::cpu(pid).zip(before).map(|(now, then)| now.saturating_sub(then));
            let peer = ours(1);
            if let Some(bytes) = process::resident(pid) {
                let measure = format!("{count} idle forwards, {what}, MB");
                self.note(&measure, "1,000: ours ≤ 150", &peer, bytes as f64 / MB);
            }
            if let Some(used) = used {
                let measure = format!("{count} idle forwards, {what}, % of a core");
                let share = used.as_secs_f64() / WATCHED.as_secs_f64() * 100.0;
                self.note(&measure, "1,000: ours < 1", &peer, share);
            }
            client.kill().await?;
            world.stop().await?;
        }
        Ok(())
    }
}

const UPLOAD: &str = "upload, large messages, MB/s";
const UPLOAD_SMALL: &str = "upload, messages of 1024 bytes, MB/s";

/// How long it took, and the processor time the client used meanwhile.
async fn timed(
    client: &ForwardProcess,
    work: impl Future<Output = Result<Duration>>,
) -> Result<(Duration, Option<Duration>)> {
    let pid = client.pid()?;
    let before = process::cpu(pid);
    let took = work.await?;
    let used = process::cpu(pid).zip(before).map(|(now, then)| now.saturating_sub(then));
    Ok((took, used))
}
