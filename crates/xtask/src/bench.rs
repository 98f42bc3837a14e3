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
        /// Of the parts with agents that pause or do not, only this: upload, download, echo, parallel, prompt.
        #[arg(long)]
        measure: Option<String>,
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

/// Builds the program of measurements alone, so that neither an AWS SDK nor a window is built for it.
fn program(arguments: &[String]) -> Result<()> {
    execute(
        cargo().args(["run", "--locked", "--release", "--package", "fleetline-bench", "--"]).args(arguments),
    )
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let What::Engine { quick, only, measure } = &options.what;
    let mut arguments = vec!["engine".to_owned()];
    if *quick {
        arguments.push("--quick".to_owned());
    }
    for (option, value) in [("--only", only), ("--measure", measure)] {
        if let Some(value) = value {
            arguments.extend([option.to_owned(), value.clone()]);
        }
    }
    program(&arguments)
}

pub(crate) fn soak(options: &Soak) -> Result<()> {
    let mut arguments = vec!["soak".to_owned(), "--for".to_owned(), options.time.clone()];
    if let Some(seed) = options.seed {
        arguments.extend(["--seed".to_owned(), seed.to_string()]);
    }
    program(&arguments)
}
