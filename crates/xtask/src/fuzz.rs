//! `cargo xtask fuzz`: random input for every decoder, from the committed corpora on.

use anyhow::{Result, bail};

use crate::process::{answers, cargo, execute, target};

/// Crate folder and fuzz targets in it.
const TARGETS: [(&str, &[&str]); 2] =
    [("protocol", &["frame", "open_message"]), ("terminal", &["guard", "frame_decode"])];

/// Options of `fuzz`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target.
    target: Option<String>,
    /// Seconds per target.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
}

/// Runs the targets one after another. Uses the stable compiler with its nightly switches on, because libFuzzer's
/// instrumentation is one of them; address checking is left out, as the crates contain no unsafe code.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !answers("cargo-fuzz", "--version") {
        execute(cargo().args(["install", "--locked", "cargo-fuzz"]))?;
    }
    let mut ran = 0;
    for (folder, names) in TARGETS {
        for name in names.iter().filter(|name| options.target.as_deref().is_none_or(|only| only == **name)) {
            one(folder, name, options.seconds)?;
            ran += 1;
        }
    }
    if ran == 0 {
        bail!("there is no fuzz target named {:?}", options.target);
    }
    Ok(())
}

fn one(folder: &str, name: &str, seconds: u32) -> Result<()> {
    execute(
        cargo()
            .current_dir(crate::process::root().join("crates").join(folder))
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", target().join("fuzz"))
            .args(["fuzz", "run", "--sanitizer", "none", name, "--"])
            .arg(format!("-max_total_time={seconds}")),
    )
}
