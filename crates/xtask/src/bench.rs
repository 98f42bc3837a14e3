//! `cargo xtask bench` and `cargo xtask soak`: the engine measured, and worn out, optimised.

use anyhow::Result;

use crate::process::{cargo, execute};

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Sessions through a simulator, beside the official client where FLEETLINE_PEER_PLUGIN names it.
    Engine {
        /// Fewer rounds and bytes.
        #[arg(long)]
        quick: bool,
        /// Only this part: unpaced, paced, shell, idle.
        #[arg(long)]
        only: Option<String>,
    },
    /// The application over 100,000 nodes in 42 account-Regions.
    Fleet {
        /// Factor on the allowed call rates.
        #[arg(long, default_value_t = 1.0)]
        rate: f64,
    },
}

/// Options of `soak`.
#[derive(clap::Args)]
pub(crate) struct Soak {
    /// How long: `90s`, `10m`, `8h`.
    #[arg(long = "for", default_value = "10m")]
    time: String,
    /// Seed of the faults; default by chance.
    #[arg(long)]
    seed: Option<u64>,
}

/// Builds a program of measurements alone: that of the engine needs neither an AWS SDK nor a window.
fn program(package: &str, arguments: &[String]) -> Result<()> {
    execute(cargo().args(["run", "--locked", "--release", "--package", package, "--"]).args(arguments))
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.what {
        What::Engine { quick, only } => {
            let mut arguments = vec!["engine".to_owned()];
            if *quick {
                arguments.push("--quick".to_owned());
            }
            if let Some(only) = only {
                arguments.extend(["--only".to_owned(), only.clone()]);
            }
            program("fleetline-bench", &arguments)
        }
        What::Fleet { rate } => {
            program("fleetline-fleet-bench", &["fleet".to_owned(), format!("--rate={rate}")])
        }
    }
}

pub(crate) fn soak(options: &Soak) -> Result<()> {
    let mut arguments = vec!["soak".to_owned(), "--for".to_owned(), options.time.clone()];
    if let Some(seed) = options.seed {
        arguments.extend(["--seed".to_owned(), seed.to_string()]);
    }
    program("fleetline-bench", &arguments)
}
