//! What asks the program to end.

use std::io;

/// A request to end, with the number its exit status is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndSignal {
    /// Ctrl-C while the terminal is not raw, or SIGINT from another program.
    Interrupt,
    /// SIGTERM; on Windows the console is being closed.
    Terminate,
    /// The terminal went away.
    HangUp,
}

impl EndSignal {
    /// The signal's number on Unix.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }
}

/// The signals that end the program, caught from now on.
#[derive(Debug)]
pub(crate) struct EndSignals(platform::Streams);

impl EndSignals {
    /// Begins to catch them.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn catch() -> io::Result<Self> {
        platform::Streams::open().map(Self)
    }

    /// Waits for the next one. Cancel safe.
    pub(crate) async fn next(&mut self) -> EndSignal {
        self.0.next().await
    }
}

#[cfg(unix)]
mod platform {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::EndSignal;

    #[derive(Debug)]
    pub(super) struct Streams {
        interrupt: Signal,
        terminate: Signal,
        hang_up: Signal,
    }

    impl Streams {
        pub(super) fn open() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
            })
        }

        pub(super) async fn next(&mut self) -> EndSignal {
            tokio::select! {
                _ = self.interrupt.recv() => EndSignal::Interrupt,
                _ = self.terminate.recv() => EndSignal::Terminate,
                _ = self.hang_up.recv() => EndSignal::HangUp,
            }
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::io;

    use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};

    use super::EndSignal;

    #[derive(Debug)]
    pub(super) struct Streams {
        interrupt: CtrlC,
        terminate: CtrlBreak,
        hang_up: CtrlClose,
    }

    impl Streams {
        pub(super) fn open() -> io::Result<Self> {
            Ok(Self { interrupt: ctrl_c()?, terminate: ctrl_break()?, hang_up: ctrl_close()? })
        }

        pub(super) async fn next(&mut self) -> EndSignal {
            tokio::select! {
                _ = self.interrupt.recv() => EndSignal::Interrupt,
                _ = self.terminate.recv() => EndSignal::Terminate,
                _ = self.hang_up.recv() => EndSignal::HangUp,
            }
        }
    }
}
