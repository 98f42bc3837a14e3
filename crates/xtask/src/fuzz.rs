//! `cargo xtask fuzz`: random input for every decoder, from the committed corpora on.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{answers, cargo, execute, root, say, target};
use crate::setup;

/// Crate folder and fuzz targets in it.
const TARGETS: [(&str, &[&str]); 3] = [
    ("access", &["denial"]),
    ("protocol", &["frame", "mux_frame", "mux_operations", "open_message", "operations"]),
    ("terminal", &["guard", "frame_decode"]),
];

/// The only system whose stable compiler and libFuzzer were tried together.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What libFuzzer needs to see which branches an input takes. These are switches of the stable compiler; memory
/// checks are left out, as the crates contain no unsafe code.
const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Options of `fuzz`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target.
    target: Option<String>,
    /// Seconds per target.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
}

/// Builds the targets and runs them one after another. What they find interesting is kept in the target directory,
/// beside inputs that broke something; the committed corpora stay as they are.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("fuzzing runs on {TRIPLE} only");
    }
    if !answers("clang++", "--version") {
        setup::system(&["clang"])?;
    }
    let wanted = |name: &&&str| options.target.as_deref().is_none_or(|only| only == **name);
    let mut ran = 0;
    for (folder, names) in TARGETS {
        let names: Vec<&str> = names.iter().filter(wanted).copied().collect();
        if names.is_empty() {
            continue;
        }
        build(folder)?;
        for name in &names {
            fuzz(folder, name, options.seconds)?;
        }
        ran += names.len();
    }
    if ran == 0 {
        bail!("there is no fuzz target {:?}", options.target.as_deref().unwrap_or_default());
    }
    Ok(())
}

/// A triple of its own keeps the instrumentation out of build scripts.
fn build(folder: &str) -> Result<()> {
    execute(
        cargo()
            .current_dir(root().join("crates").join(folder).join("fuzz"))
            .env("CXX", "clang++")
            .env("RUSTFLAGS", INSTRUMENTATION)
            .env("CARGO_TARGET_DIR", target().join("fuzz"))
            .args(["build", "--bins", "--target", TRIPLE]),
    )
}

fn fuzz(folder: &str, name: &str, seconds: u32) -> Result<()> {
    let scratch = target().join("fuzz").join("found").join(name);
    let corpus = scratch.join("corpus");
    fs::create_dir_all(&corpus).with_context(|| format!("creating {}", corpus.display()))?;
    let program = target().join("fuzz").join(TRIPLE).join("debug").join(name);
    execute(
        Command::new(program)
            .current_dir(&scratch)
            .arg(&corpus)
            .arg(root().join("crates").join(folder).join("fuzz/corpus").join(name))
            .arg(format!("-max_total_time={seconds}"))
            .arg("-max_len=4096"),
    )?;
    say(&format!("{name}: nothing broke in {seconds} s"));
    Ok(())
}
