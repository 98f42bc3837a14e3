//! Shell sessions.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use fleetline_protocol::{SessionId, TerminalSize};
use tokio::sync::watch;

use crate::history::HistoryEntry;
use crate::input::{SendError, TrySendError};
use crate::output::OutputChunk;
use crate::pacing::Priority;
use crate::ports::{ControlPlane, StartSession};
use crate::session::{self, CloseError, SessionHandle, SessionOptions};
use crate::state::SessionState;
use crate::stats::SessionStats;

/// How a shell is opened.
#[derive(Clone, Debug)]
pub struct ShellOptions {
    /// Size of the terminal now. Default 80 columns, 24 rows.
    pub size: TerminalSize,
    /// What every session has.
    pub session: SessionOptions,
}

impl Default for ShellOptions {
    fn default() -> Self {
        Self { size: TerminalSize { cols: 80, rows: 24 }, session: SessionOptions::default() }
    }
}

/// A shell session, from StartSession on. It survives any number of sockets; every end has a reason.
///
/// All methods take `&self`, so that one task may read while others write. Dropping the session terminates it in
/// the background; to be sure of it before the program exits, await [`close`](Self::close).
#[derive(Debug)]
pub struct ShellSession {
    handle: SessionHandle,
    opened: SystemTime,
}

/// Begins a shell session and returns at once; [`ShellSession::state`] tells how it goes. `request.document` may name
/// any document with an interactive kind.
///
/// # Panics
/// Outside a tokio runtime.
pub fn open_shell(
    control: Arc<dyn ControlPlane>,
    request: StartSession,
    options: ShellOptions,
) -> ShellSession {
    let handle = session::open(control, request, Some(options.size), options.session);
    ShellSession { handle, opened: SystemTime::now() }
}

impl ShellSession {
    /// What the session is doing. The last value is final (`Ended` or `Failed`).
    pub fn state(&self) -> watch::Receiver<SessionState> {
        self.handle.state()
    }

    /// The session's id once AWS granted it.
    pub fn session_id(&self) -> Option<SessionId> {
        self.handle.session_id()
    }

    /// When [`open_shell`] was called.
    pub fn opened_at(&self) -> SystemTime {
        self.opened
    }

    /// Queues input, waiting for room; in any state but a final one. At most `input_bytes` wait while the session is
    /// not connected or the node is slow. Inputs of several callers never interleave. Dropping the future may leave
    /// a first part of the input queued.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn send(&self, bytes: impl Into<Bytes>) -> Result<(), SendError> {
        self.handle.send(bytes.into()).await
    }

    /// Queues all of the input at once or nothing of it; for keys, which must not be typed into a session that is
    /// away.
    ///
    /// # Errors
    /// When the session is not open, is over, or has no room.
    pub fn try_send(&self, bytes: impl Into<Bytes>) -> Result<(), TrySendError> {
        self.handle.try_send(bytes.into())
    }

    /// The terminal has another size. Only the latest counts; it is sent when the node can use it.
    pub fn resize(&self, size: TerminalSize) {
        self.handle.resize(size);
    }

    /// The next output, in order; `None` once the session is over and all was taken. What is not taken pushes the
    /// agent back once `output_bytes` wait. Cancel safe.
    pub async fn recv(&self) -> Option<OutputChunk> {
        self.handle.recv().await
    }

    /// Exit status, where the session's kind reports one. Plain shells do not (protocol.md 7.6).
    pub fn exit_code(&self) -> Option<i32> {
        self.handle.exit_code()
    }

    /// The agent's notice at the end of a handshake, such as "this session is encrypted".
    pub fn notice(&self) -> Option<String> {
        self.handle.notice()
    }

    /// Id or ARN of the KMS key the session is encrypted with between this program and the agent, beyond TLS; `None`
    /// before it opened and for sessions that are not.
    pub fn sealed_with(&self) -> Option<String> {
        self.handle.sealed_with()
    }

    /// What the session has counted so far.
    pub fn stats(&self) -> SessionStats {
        self.handle.stats()
    }

    /// While reconnecting: tries now, with back-off and time budget afresh. While open: asks the gateway for a sign of
    /// life, for use after sleep or a change of network.
    pub fn retry_now(&self) {
        self.handle.retry_now();
    }

    /// Changes who goes first, from the next call on: a tab that is hidden can wait.
    pub fn set_priority(&self, priority: Priority) {
        self.handle.set_priority(priority);
    }

    /// Waits for a final state.
    pub async fn ended(&self) -> SessionState {
        self.handle.ended().await
    }

    /// Terminates the session and waits until AWS has confirmed it, 10 s at most. Does nothing more for a session that
    /// is over.
    ///
    /// # Errors
    /// When the session may still be open at AWS.
    pub async fn close(&self) -> Result<(), CloseError> {
        self.handle.close().await
    }

    /// The latest steps of the session's life, oldest first.
    pub fn history(&self) -> Vec<HistoryEntry> {
        self.handle.history()
    }
}
