//! Commands without a terminal.

use std::sync::Arc;

use bytes::Bytes;
use fleetline_protocol::SessionId;
use tokio::sync::watch;

use crate::history::HistoryEntry;
use crate::input::SendError;
use crate::output::OutputChunk;
use crate::ports::{ControlPlane, StartSession};
use crate::session::{self, CloseError, SessionHandle, SessionOptions};
use crate::state::{EndReason, SessionState, StartError};
use crate::stats::SessionStats;

/// Runs a command and keeps standard output, standard error and exit status apart (protocol.md 7.7).
pub const NON_INTERACTIVE_DOCUMENT: &str = "AWS-StartNonInteractiveCommand";

/// A command to run on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunCommand {
    /// Node id or other target string.
    pub target: String,
    /// The command line. The agent splits it with shell quoting rules and runs it without a shell: pipes and `&&`
    /// need a `sh -c '…'` of their own.
    pub command: String,
    /// Document to use instead of [`NON_INTERACTIVE_DOCUMENT`].
    pub document: Option<String>,
    /// All parameters of the document. `None` gives it the command line as `command`, and `separateOutputStream`, which
    /// [`NON_INTERACTIVE_DOCUMENT`] takes.
    pub parameters: Option<Vec<(String, Vec<String>)>>,
    /// Reason shown to auditors.
    pub reason: Option<String>,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub enum CommandEnd {
    /// It ran; -1 when a signal killed it, and 1 when it could not be started (protocol.md 7.7).
    Exited(i32),
    /// The session ended without an exit status.
    Ended(EndReason),
    /// The session never opened.
    Failed(StartError),
}

/// A running command. Dropping it terminates its session.
#[derive(Debug)]
pub struct CommandSession {
    handle: SessionHandle,
}

/// Begins a command and returns at once.
///
/// # Panics
/// Outside a tokio runtime.
pub fn run_command(
    control: Arc<dyn ControlPlane>,
    run: RunCommand,
    options: SessionOptions,
) -> CommandSession {
    let request = StartSession {
        target: run.target,
        document: Some(run.document.unwrap_or_else(|| NON_INTERACTIVE_DOCUMENT.to_owned())),
        parameters: run.parameters.unwrap_or_else(|| {
            vec![
                ("command".to_owned(), vec![run.command]),
                // Without it there is neither an exit status nor output before the end.
                ("separateOutputStream".to_owned(), vec!["true".to_owned()]),
            ]
        }),
        reason: run.reason,
    };
    CommandSession { handle: session::open(control, request, None, options) }
}

impl CommandSession {
    /// What the session is doing.
    pub fn state(&self) -> watch::Receiver<SessionState> {
        self.handle.state()
    }

    /// The session's id once AWS granted it.
    pub fn session_id(&self) -> Option<SessionId> {
        self.handle.session_id()
    }

    /// The next output of either stream; `None` once the command or its session has ended and all was taken.
    /// Cancel safe.
    pub async fn recv(&self) -> Option<OutputChunk> {
        self.handle.recv().await
    }

    /// Sends SIGINT to the command. Its standard input is not connected; the agent looks for this byte only.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn interrupt(&self) -> Result<(), SendError> {
        self.handle.send(Bytes::from_static(b"\x03")).await
    }

    /// Waits for the end. Output must be taken by [`recv`](Self::recv) meanwhile, or the command may be held up.
    pub async fn end(&self) -> CommandEnd {
        let state = self.handle.ended().await;
        match (self.handle.exit_code(), state) {
            (Some(code), _) => CommandEnd::Exited(code),
            (None, SessionState::Failed(error)) => CommandEnd::Failed(error),
            (None, SessionState::Ended(reason)) => CommandEnd::Ended(reason),
            (None, _) => CommandEnd::Ended(EndReason::Defect),
        }
    }

    /// What the session has counted so far.
    pub fn stats(&self) -> SessionStats {
        self.handle.stats()
    }

    /// While reconnecting: tries now.
    pub fn retry_now(&self) {
        self.handle.retry_now();
    }

    /// Ends the session, with the command if it still runs, and waits until AWS has confirmed it, 10 s at most. After
    /// an exit status it waits for the service to close the session by itself.
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
