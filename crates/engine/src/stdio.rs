//! One connection to a port of a node as standard input and output: what an SSH ProxyCommand is.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::SessionId;
use tokio::sync::watch;

use crate::history::HistoryEntry;
use crate::input::{InputSender, SendError, input_queue};
use crate::output::{OutputReceiver, output_queue};
use crate::ports::{ControlPlane, StartSession};
use crate::purpose::{Purpose, Stdio};
use crate::session::{self, CloseError, SessionCore, SessionLimits, SessionOptions};
use crate::state::SessionState;
use crate::stats::SessionStats;

/// Connects to a port of the node, by default that of SSH (protocol.md 1.8).
pub const SSH_DOCUMENT: &str = "AWS-StartSSHSession";

/// A request for a session with a port of the node, as [`open_stdio`] takes it.
pub fn ssh_session(target: impl Into<String>, port: u16, reason: Option<String>) -> StartSession {
    StartSession {
        target: target.into(),
        document: Some(SSH_DOCUMENT.to_owned()),
        parameters: vec![("portNumber".to_owned(), vec![port.to_string()])],
        reason,
    }
}

/// How a stdio session is opened.
#[derive(Clone, Debug)]
pub struct StdioOptions {
    /// What every session has. `limits` are larger by default than those of shells: 256 KiB of input, 1 MiB sent and
    /// not acknowledged, 4 MiB of output.
    pub session: SessionOptions,
    /// How long nothing may come from the node after all input has arrived, until the agent is asked to end the
    /// session. Default 1 s. The protocol has no half-close, so that a target that waits for the end of its input
    /// never sees one (protocol.md 8.4).
    pub finish_grace: Duration,
    /// How long the service may then take to close the channel until the session is terminated by a call. Default 2 s.
    pub end_within: Duration,
}

impl Default for StdioOptions {
    fn default() -> Self {
        let limits = SessionLimits {
            input_bytes: 256 * 1024,
            send_window_bytes: 1024 * 1024,
            output_bytes: 4 * 1024 * 1024,
        };
        Self {
            session: SessionOptions { limits, ..SessionOptions::default() },
            finish_grace: Duration::from_secs(1),
            end_within: Duration::from_secs(2),
        }
    }
}

/// One connection to a port of the node, from StartSession on. It survives any number of sockets; every end has a
/// reason. Bytes pass unchanged, and nothing but the target's bytes comes out.
///
/// All methods take `&self`, so that one task may read while another writes. Dropping the session terminates it in
/// the background; to be sure of it before the program exits, await [`close`](Self::close).
#[derive(Debug)]
pub struct StdioSession {
    core: SessionCore,
    input: InputSender,
    output: OutputReceiver,
}

/// Begins a stdio session and returns at once; [`StdioSession::state`] tells how it goes. The document must be one
/// whose sessions are of the type `Port` and do not multiplex, as those without a property `type`
/// (protocol.md 8.1): with others the session ends with [`Unusable`](crate::EndReason::Unusable).
///
/// # Panics
/// Outside a tokio runtime.
pub fn open_stdio(
    control: Arc<dyn ControlPlane>,
    request: StartSession,
    options: StdioOptions,
) -> StdioSession {
    let (input, input_receiver) = input_queue(options.session.limits.input_bytes);
    let (output_sender, output) = output_queue();
    let stdio = Stdio::new(input_receiver, output_sender, options.finish_grace, options.end_within);
    let core = session::begin(control, request, None, options.session, |_| Purpose::Stdio(stdio));
    StdioSession { core, input, output }
}

impl StdioSession {
    /// What the session is doing. The last value is final (`Ended` or `Failed`).
    pub fn state(&self) -> watch::Receiver<SessionState> {
        self.core.state()
    }

    /// The session's id once AWS granted it.
    pub fn session_id(&self) -> Option<SessionId> {
        self.core.session_id()
    }

    /// Queues input, waiting for room; in any state but a final one. It is held back until the session is open.
    /// Inputs of several callers never interleave. Dropping the future may leave a first part of the input queued.
    ///
    /// # Errors
    /// When the session is over or its input was finished.
    pub async fn send(&self, bytes: impl Into<Bytes>) -> Result<(), SendError> {
        if self.core.state().borrow().is_final() {
            return Err(SendError::Ended);
        }
        self.input.send(bytes.into()).await
    }

    /// There is no more input. When all of it has arrived and the node has been quiet for `finish_grace`, the agent is
    /// asked to end the session; when the service has not closed it within `end_within`, the session is terminated.
    /// Output goes on until then. Returns at once when nobody is sending; `recv` and `ended` tell of the end.
    pub async fn finish_input(&self) {
        self.input.finish().await;
    }

    /// The next bytes of the target, in order; `None` once the session is over and all was taken. What is not taken
    /// pushes the agent back once `output_bytes` wait. Cancel safe.
    pub async fn recv(&self) -> Option<Bytes> {
        self.output.recv().await.map(|chunk| chunk.bytes)
    }

    /// Waits for a final state. `Finished` is the end of the connection, by either side.
    pub async fn ended(&self) -> SessionState {
        self.core.ended().await
    }

    /// While reconnecting: tries now, with back-off and time budget afresh. While open: asks the gateway for a sign of
    /// life, for use after sleep or a change of network.
    pub fn retry_now(&self) {
        self.core.retry_now();
    }

    /// Ends the session without waiting for input to arrive and waits until AWS has confirmed it, 10 s at most. Does
    /// nothing more for a session that is over.
    ///
    /// # Errors
    /// When the session may still be open at AWS.
    pub async fn close(&self) -> Result<(), CloseError> {
        self.core.close().await
    }

    /// The latest steps of the session's life, oldest first.
    pub fn history(&self) -> Vec<HistoryEntry> {
        self.core.history()
    }

    /// What the session has counted so far.
    pub fn stats(&self) -> SessionStats {
        self.core.stats()
    }
}
