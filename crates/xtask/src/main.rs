//! Repository chores, one word each: `cargo xtask setup|demo|test|fuzz|bench|soak|platforms|bindings`.
//!
//! Every word installs what it needs and says what it installs. The commands of CI and of the README are these.

mod bench;
mod demo;
mod display;
mod fuzz;
mod platforms;
mod process;
mod setup;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Repository chores of Fleetline")]
struct Arguments {
    #[command(subcommand)]
    word: Word,
}

#[derive(Subcommand)]
enum Word {
    /// Install what building needs: system libraries, interface packages.
    Setup,
    /// Build and open the app on the demo fleet; without a display, run it under Xvfb and take pictures.
    Demo(demo::Options),
    /// Everything that must hold: formatting, lints, interface, unit, integration and window tests.
    Test(test::Options),
    /// Feed random input to the decoders.
    Fuzz(fuzz::Options),
    /// Measure the session engine.
    Bench(bench::Options),
    /// Compare every byte of sessions whose sockets are cut, stalled and garbled.
    Soak(bench::Soak),
    /// Type-check the whole workspace for Windows and macOS.
    Platforms(platforms::Options),
    /// Write the TypeScript bindings of the interface anew.
    Bindings,
}

fn main() -> Result<()> {
    match Arguments::parse().word {
        Word::Setup => setup::all(),
        Word::Demo(options) => demo::run(&options),
        Word::Test(options) => test::run(&options),
        Word::Fuzz(options) => fuzz::run(&options),
        Word::Bench(options) => bench::run(&options),
        Word::Soak(options) => bench::soak(&options),
        Word::Platforms(options) => platforms::run(&options),
        Word::Bindings => test::write_bindings(),
    }
}
