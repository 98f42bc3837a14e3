//! What a terminal is connected with: a session on a node, a program of this computer, or a replay.

use bytes::Bytes;
use fleetline_engine::{
    CloseError, OutputChunk, Priority, SendError, SessionState, ShellSession, TerminalSize, TrySendError,
};
use tokio::sync::watch;

use super::local::LocalProgram;
use super::replay::Replay;

/// The other end of a terminal.
pub(super) enum Line {
    /// A session.
    Session(ShellSession),
    /// A program.
    Local(LocalProgram),
    /// What was printed before.
    Replay(Replay),
}

impl Line {
    pub(super) fn state(&self) -> watch::Receiver<SessionState> {
        match self {
            Self::Session(session) => session.state(),
            Self::Local(program) => program.state(),
            Self::Replay(replay) => replay.state(),
        }
    }

    /// The session's id; a program has none.
    pub(super) fn session_id(&self) -> Option<String> {
        match self {
            Self::Session(session) => session.session_id().map(|id| id.as_str().to_owned()),
            Self::Local(_) | Self::Replay(_) => None,
        }
    }

    pub(super) async fn recv(&self) -> Option<OutputChunk> {
        match self {
            Self::Session(session) => session.recv().await,
            Self::Local(program) => program.recv().await,
            Self::Replay(replay) => replay.recv().await,
        }
    }

    pub(super) fn try_send(&self, bytes: Bytes) -> Result<(), TrySendError> {
        match self {
            Self::Session(session) => session.try_send(bytes),
            Self::Local(program) => program.try_send(bytes),
            // Nobody is there who could read it.
            Self::Replay(_) => Ok(()),
        }
    }

    pub(super) async fn send(&self, bytes: Bytes) -> Result<(), SendError> {
        match self {
            Self::Session(session) => session.send(bytes).await,
            Self::Local(program) => program.send(bytes).await,
            Self::Replay(_) => Ok(()),
        }
    }

    pub(super) fn resize(&self, size: TerminalSize) {
        match self {
            Self::Session(session) => session.resize(size),
            Self::Local(program) => program.resize(size),
            Self::Replay(_) => {}
        }
    }

    /// A program sees to its own connection.
    pub(super) fn retry_now(&self) {
        if let Self::Session(session) = self {
            session.retry_now();
        }
    }

    pub(super) fn set_priority(&self, priority: Priority) {
        if let Self::Session(session) = self {
            session.set_priority(priority);
        }
    }

    /// The replay, if it is one.
    pub(super) fn replay(&self) -> Option<&Replay> {
        match self {
            Self::Replay(replay) => Some(replay),
            Self::Session(_) | Self::Local(_) => None,
        }
    }

    /// Ends it, and waits until AWS has confirmed that.
    pub(super) async fn close(&self) -> Result<(), CloseError> {
        match self {
            Self::Session(session) => session.close().await,
            Self::Local(program) => {
                program.kill();
                Ok(())
            }
            Self::Replay(_) => Ok(()),
        }
    }
}
