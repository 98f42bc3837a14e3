//! The pauses with which the real agent slows itself down (protocol.md 6.4 and 7.6).

use std::thread;
use std::time::Duration;

use tokio::task::JoinHandle;

/// Before the first read of a program's output.
const BEFORE_FIRST_READ: Duration = Duration::from_secs(1);

/// After each read. The real agent sleeps 1 ms and spends the rest otherwise: it sends 0.63 to 0.76 MB/s in messages of
/// 1024 bytes.
const AFTER_READ: Duration = Duration::from_micros(1250);

/// A pause in reading.
#[derive(Debug)]
pub(super) enum Pause {
    /// Until then.
    Until(tokio::time::Instant),
    /// Until a thread has slept. The runtime's own timers know whole milliseconds only, which would halve the rate.
    Asleep(JoinHandle<()>),
}

impl Pause {
    /// The pause before the first read.
    pub(super) fn first() -> Self {
        Self::Until(tokio::time::Instant::now() + BEFORE_FIRST_READ)
    }

    /// The pause after a read.
    pub(super) fn after_read() -> Self {
        Self::Asleep(tokio::task::spawn_blocking(|| thread::sleep(AFTER_READ)))
    }
}

/// Waits until the pause is over, and forgets it. Never ends when there is none.
pub(super) async fn over(pause: &mut Option<Pause>) {
    match pause {
        Some(Pause::Until(at)) => tokio::time::sleep_until(*at).await,
        // A sleep has nothing that could fail; a runtime that shuts down ends this task as well.
        Some(Pause::Asleep(sleep)) => drop(sleep.await),
        None => std::future::pending().await,
    }
    *pause = None;
}
