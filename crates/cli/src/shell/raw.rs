//! The terminal in raw mode, and back.

use std::io::{self, IsTerminal, Write};
use std::sync::Once;

use fleetline_engine::ShellSession;
pub(crate) use platform::Continued;

use super::size;

/// A terminal in raw mode: every byte goes through, Ctrl-C, Ctrl-Z and Ctrl-S included. Dropping it restores the
/// terminal; so does a panic anywhere in the program, before its message is printed.
#[derive(Debug)]
pub(crate) struct RawTerminal {
    _console: platform::Console,
}

impl RawTerminal {
    /// Makes the terminal raw.
    ///
    /// # Errors
    /// When standard input is no terminal or refuses.
    pub(crate) fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let next = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                next(panic);
            }));
        });
        let console = platform::Console::enter()?;
        // Should this fail, dropping the console undoes what it changed.
        crossterm::terminal::enable_raw_mode()?;
        Ok(Self { _console: console })
    }
}

impl RawTerminal {
    /// Makes the terminal raw again whenever the program goes on after it was stopped from outside: the shell that ran
    /// meanwhile has set the terminal for itself. Never returns.
    pub(crate) async fn renew(&self, mut continued: Continued, session: &ShellSession) {
        loop {
            continued.next().await;
            let again =
                crossterm::terminal::disable_raw_mode().and_then(|()| crossterm::terminal::enable_raw_mode());
            if let Err(error) = again {
                tracing::warn!(%error, "the terminal could not be made raw again");
            }
            session.resize(size::current());
        }
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if let Err(error) = crossterm::terminal::disable_raw_mode() {
        tracing::warn!(%error, "the terminal could not be restored");
    }
}

/// Writes what switches the node's terminal modes off, if standard output is the terminal.
pub(crate) fn write_undo(undo: &[u8]) {
    let mut out = io::stdout();
    if !undo.is_empty() && out.is_terminal() {
        drop(out.write_all(undo).and_then(|()| out.flush()));
    }
}

#[cfg(not(windows))]
mod platform {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// SIGCONT by number, for which tokio has no name.
    const SIGCONT: i32 = if cfg!(target_os = "linux") { 18 } else { 19 };

    /// The program goes on after it was stopped.
    #[derive(Debug)]
    pub(crate) struct Continued(Signal);

    impl Continued {
        /// Begins to watch.
        pub(crate) fn watch() -> io::Result<Self> {
            signal(SignalKind::from_raw(SIGCONT)).map(Self)
        }

        pub(super) async fn next(&mut self) {
            if self.0.recv().await.is_none() {
                std::future::pending().await
            }
        }
    }

    /// Unix needs no more than raw mode.
    #[derive(Debug)]
    pub(super) struct Console;

    impl Console {
        #[expect(clippy::unnecessary_wraps, reason = "the Windows console can refuse")]
        pub(super) fn enter() -> io::Result<Self> {
            Ok(Self)
        }
    }
}

#[cfg(windows)]
#[path = "raw_windows.rs"]
mod platform;
