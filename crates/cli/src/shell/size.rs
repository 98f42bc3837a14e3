//! The size of the terminal, and changes of it.

use std::io;
use std::time::Duration;

use fleetline_engine::{ShellSession, TerminalSize};

use super::recording::Recording;

/// A window being dragged sends many changes; only the last one within this time counts (protocol.md 7.2).
const SETTLED: Duration = Duration::from_millis(50);

/// The size now; 80 by 24 without a terminal.
pub(crate) fn current() -> TerminalSize {
    match crossterm::terminal::size() {
        Ok((cols, rows)) if cols > 0 && rows > 0 => TerminalSize { cols, rows },
        _ => TerminalSize { cols: 80, rows: 24 },
    }
}

/// Watches the terminal's size.
#[derive(Debug)]
pub(crate) struct Resizes(platform::Changes);

impl Resizes {
    /// Begins to watch, so that no change is missed from now on.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn watch() -> io::Result<Self> {
        platform::Changes::watch().map(Self)
    }

    /// Passes every settled change on to the session; never returns.
    pub(crate) async fn forward(mut self, session: &ShellSession, recorder: Option<&Recording>) {
        // The size may have changed between opening the session and now.
        session.resize(current());
        loop {
            self.0.next().await;
            while tokio::time::timeout(SETTLED, self.0.next()).await.is_ok() {}
            let size = current();
            session.resize(size);
            if let Some(recorder) = recorder {
                recorder.resized(size).await;
            }
        }
    }
}

#[cfg(unix)]
mod platform {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    #[derive(Debug)]
    pub(super) struct Changes(Signal);

    impl Changes {
        pub(super) fn watch() -> io::Result<Self> {
            signal(SignalKind::window_change()).map(Self)
        }

        pub(super) async fn next(&mut self) {
            if self.0.recv().await.is_none() {
                std::future::pending().await
            }
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::io;
    use std::time::Duration;

    use super::current;
    use fleetline_engine::TerminalSize;

    /// With terminal sequences as input the console reports no size events, so it is asked.
    const ASKED_EVERY: Duration = Duration::from_millis(250);

    #[derive(Debug)]
    pub(super) struct Changes(TerminalSize);

    impl Changes {
        #[expect(clippy::unnecessary_wraps, reason = "Unix can refuse the signal")]
        pub(super) fn watch() -> io::Result<Self> {
            Ok(Self(current()))
        }

        pub(super) async fn next(&mut self) {
            loop {
                tokio::time::sleep(ASKED_EVERY).await;
                let now = current();
                if now != self.0 {
                    self.0 = now;
                    return;
                }
            }
        }
    }
}
