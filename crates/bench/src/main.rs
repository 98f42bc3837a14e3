//! The session engine against the official client in one run (`engine`), the application with many forwards
//! (`forwards`), and the engine under faults for as long as asked (`soak`). `cargo xtask bench` and `cargo xtask soak` start
//! it, optimised.
//!
//! Simulator and clients run in processes of their own, so that processor time and memory are those of a client alone.

#[cfg(unix)]
mod aws;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod engine;
#[cfg(unix)]
mod faults;
#[cfg(unix)]
mod forwards;
#[cfg(unix)]
mod load;
#[cfg(unix)]
mod memory;
#[cfg(unix)]
mod peer;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod saved;
#[cfg(unix)]
mod soak;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod world;

#[cfg(unix)]
#[derive(clap::Parser)]
#[command(name = "fleetline-bench", about = "Measures the session engine")]
enum Word {
    /// Measure, beside the official client where FLEETLINE_PEER_PLUGIN names it.
    Engine(engine::Options),
    /// Measure the application with a thousand saved forwards, 200 of them under wrk.
    Forwards(forwards::Options),
    /// Compare every byte of all kinds of sessions while sockets are cut, stalled and garbled.
    Soak(soak::Options),
    /// The simulator's process.
    #[command(hide = true)]
    Simulator(world::Options),
    /// A client's process.
    #[command(hide = true)]
    Client(client::Options),
}

#[cfg(unix)]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match clap::Parser::parse() {
        Word::Engine(options) => engine::run(&options).await,
        Word::Forwards(options) => forwards::run(&options).await,
        Word::Soak(options) => soak::run(&options).await,
        Word::Simulator(options) => world::serve(&options).await,
        Word::Client(options) => client::run(options).await,
    }
}

#[cfg(not(unix))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("measures on Unix only")
}
