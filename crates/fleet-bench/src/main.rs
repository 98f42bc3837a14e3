//! The application over a simulated fleet of 42 account-Regions with 2,400 nodes each: how soon rows are there, how
//! close a refresh comes to the time that the allowed call rate dictates, how fast a filter answers, how much memory
//! it takes. `cargo xtask bench fleet` starts it, optimised.
//!
//! Simulator and application run in processes of their own, so that memory and processor time are those of the
//! application alone.

mod client;
mod ideal;
mod process;
mod report;
mod world;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// The desktop program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(clap::Parser)]
#[command(name = "fleetline-fleet-bench", about = "Measures the application over 100,000 nodes")]
enum Word {
    /// Measure.
    Fleet(world::Options),
    /// The simulator's process.
    #[command(hide = true)]
    Simulator(world::Options),
    /// The application's process.
    #[command(hide = true)]
    Client(client::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    match clap::Parser::parse() {
        Word::Fleet(options) => fleet(&options).await,
        Word::Simulator(options) => world::serve(&options).await,
        Word::Client(options) => client::run(&options).await,
    }
}

/// A first run without a cache, then a start with one.
async fn fleet(options: &world::Options) -> Result<()> {
    let directory = tempfile::Builder::new().prefix("fleetline-bench-").tempdir()?;
    let options = world::Options { directory: Some(directory.path().to_owned()), ..options.clone() };
    let mut simulator = Part::start("simulator", &options.arguments())?;
    let told = simulator.line().await.context("the simulator did not start")?;
    let mut runs = Vec::new();
    for name in ["without a cache", "with a cache"] {
        report::say(&format!("a start {name}"));
        let arguments = [directory.path().display().to_string(), told["accounts"].to_string()];
        let mut client = Part::start("client", &arguments)?;
        runs.push(client.line().await.with_context(|| format!("the start {name} failed"))?);
        client.process.wait().await?;
    }
    let calls = simulator.stop().await?;
    report::print(&options, &runs, &calls);
    Ok(())
}

/// A process of this program that tells things in lines of JSON.
struct Part {
    process: Child,
    output: BufReader<tokio::process::ChildStdout>,
}

impl Part {
    fn start(word: &str, arguments: &[String]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(word).args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let output = process.stdout.take().context("no output")?;
        Ok(Self { process, output: BufReader::new(output) })
    }

    async fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line).await?;
        serde_json::from_str(&line).with_context(|| format!("not JSON: {line:?}"))
    }

    /// Ends it with its input; gives what it says at its end.
    async fn stop(mut self) -> Result<Value> {
        drop(self.process.stdin.take());
        let line = self.line().await?;
        self.process.wait().await?;
        Ok(line)
    }
}

/// A line for the process that started this one.
async fn tell(line: &Value) -> Result<()> {
    let mut output = tokio::io::stdout();
    output.write_all(format!("{line}\n").as_bytes()).await?;
    Ok(output.flush().await?)
}
