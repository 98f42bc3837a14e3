//! `cargo xtask bench` and `cargo xtask soak`: the engine measured, and worn out, optimised.

use anyhow::{Result, bail};

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
    /// The application with saved forwards that listen, some of them under wrk.
    Forwards {
        /// Saved forwards.
        #[arg(long, default_value_t = 1000)]
        saved: usize,
        /// Those under load.
        #[arg(long, default_value_t = 200)]
        active: usize,
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
    /// Forwards under pgbench and wrk in place of the engine's sessions: what can be resumed must lose nothing, and
    /// the node is booted again and again.
    #[arg(long, conflicts_with = "seed")]
    forwards: bool,
}

/// Builds a program of measurements alone: that of the engine needs neither an AWS SDK nor a window.
fn program(package: &str, arguments: &[String]) -> Result<()> {
    execute(cargo().args(["run", "--locked", "--release", "--package", package, "--"]).args(arguments))
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut arguments = Vec::new();
    match &options.what {
        What::Engine { quick, only, measure } => {
            arguments.push("engine".to_owned());
            if *quick {
                arguments.push("--quick".to_owned());
            }
            for (option, value) in [("--only", only), ("--measure", measure)] {
                if let Some(value) = value {
                    arguments.extend([option.to_owned(), value.clone()]);
                }
            }
        }
        What::Forwards { saved, active } => {
            crate::setup::tests()?;
            arguments.push("forwards".to_owned());
            arguments.extend([
                "--saved".to_owned(),
                saved.to_string(),
                "--active".to_owned(),
                active.to_string(),
            ]);
        }
        What::Fleet { rate } => {
            return program("fleetline-fleet-bench", &["fleet".to_owned(), format!("--rate={rate}")]);
        }
    }
    program("fleetline-bench", &arguments)
}

pub(crate) fn soak(options: &Soak) -> Result<()> {
    if options.forwards {
        return forwards(&options.time);
    }
    let mut arguments = vec!["soak".to_owned(), "--for".to_owned(), options.time.clone()];
    if let Some(seed) = options.seed {
        arguments.extend(["--seed".to_owned(), seed.to_string()]);
    }
    program("fleetline-bench", &arguments)
}

/// The test of long runs, for as long as asked.
fn forwards(time: &str) -> Result<()> {
    crate::setup::tests()?;
    let mut test = cargo();
    test.args([
        "nextest",
        "run",
        "--locked",
        "--profile",
        "soak",
        "--package",
        "fleetline-cli",
        "--no-capture",
    ]);
    test.args(["--filterset", "test(/long_runs::/)"])
        .env("FLEETLINE_SOAK_SECONDS", seconds(time)?.to_string());
    execute(&mut test)
}

fn seconds(text: &str) -> Result<u64> {
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).unwrap_or_default();
    let by = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => 0,
    };
    match number.parse::<u64>() {
        Ok(number) if by > 0 => Ok(number.saturating_mul(by)),
        _ => bail!("{text} is no time such as 90s, 10m or 8h"),
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read_with_their_unit() {
        let read = |text| seconds(text).ok();
        assert_eq!(["90s", "10m", "8h"].map(read), [Some(90), Some(600), Some(28_800)]);
        assert_eq!(["", "10", "m", "1d", "ä"].map(read), [None; 5]);
    }
}
