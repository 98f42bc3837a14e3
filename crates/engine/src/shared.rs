//! What the task of a session and its handle both see.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use fleetline_protocol::SessionId;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::history::History;
use crate::pacing::Priority;
use crate::state::{EndReason, SessionState, StartStep};
use crate::stats::StatsCell;

#[derive(Debug)]
pub(crate) struct Shared {
    state: watch::Sender<SessionState>,
    pub(crate) history: Arc<History>,
    pub(crate) session_id: OnceLock<SessionId>,
    pub(crate) exit_code: OnceLock<i32>,
    /// The agent's notice at the end of a handshake.
    pub(crate) notice: OnceLock<String>,
    /// The KMS key the session is sealed with, once it is.
    pub(crate) sealed_with: OnceLock<String>,
    pub(crate) stats: StatsCell,
    background: AtomicBool,
    /// Cancelled when the session is to be terminated.
    pub(crate) close: CancellationToken,
    /// The user wants an attempt now.
    pub(crate) retry: Notify,
}

impl Shared {
    pub(crate) fn new(priority: Priority) -> Self {
        let (state, _) = watch::channel(SessionState::Starting { step: StartStep::Requesting });
        Self {
            state,
            history: Arc::default(),
            session_id: OnceLock::new(),
            exit_code: OnceLock::new(),
            notice: OnceLock::new(),
            sealed_with: OnceLock::new(),
            stats: StatsCell::default(),
            background: AtomicBool::new(priority == Priority::Background),
            close: CancellationToken::new(),
            retry: Notify::new(),
        }
    }

    pub(crate) fn priority(&self) -> Priority {
        if self.background.load(Ordering::Relaxed) { Priority::Background } else { Priority::Foreground }
    }

    pub(crate) fn set_priority(&self, priority: Priority) {
        self.background.store(priority == Priority::Background, Ordering::Relaxed);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<SessionState> {
        self.state.subscribe()
    }

    /// The session does something else now. A final state stays; one that is a failure is logged with what led to it.
    pub(crate) fn set(&self, state: SessionState) {
        let mut failed = false;
        self.state.send_if_modified(|current| {
            if current.is_final() {
                return false;
            }
            self.history.note(summary(&state));
            failed = is_failure(&state);
            *current = state;
            true
        });
        if failed {
            let session = self.session_id.get().map_or("none", SessionId::as_str);
            tracing::warn!(session, "a session failed:{}", self.history.dump());
        }
    }

    pub(crate) fn is_final(&self) -> bool {
        self.state.borrow().is_final()
    }
}

/// Sets the final state if the task that holds it ends without one, as a panic does.
pub(crate) struct FinalState(pub(crate) Arc<Shared>);

impl Drop for FinalState {
    fn drop(&mut self) {
        self.0.set(SessionState::Ended(EndReason::Defect));
    }
}

fn is_failure(state: &SessionState) -> bool {
    match state {
        SessionState::Ended(reason) => !reason.is_normal(),
        SessionState::Failed(_) => true,
        _ => false,
    }
}

fn summary(state: &SessionState) -> String {
    match state {
        SessionState::Starting { step } => step.to_string(),
        SessionState::Open { unanswered_since: None, .. } => "Open".to_owned(),
        SessionState::Open { .. } => "Open; the node leaves input unacknowledged".to_owned(),
        SessionState::Reconnecting { cause, attempt, next_try, awaits_retry, .. } => {
            let when = match (next_try, awaits_retry) {
                (_, true) => "waits for the user",
                (Some(_), false) => "waits",
                (None, false) => "runs",
            };
            format!("Reconnecting, attempt {attempt} {when}: {cause}")
        }
        SessionState::Ended(reason) => reason.to_string(),
        SessionState::Failed(error) => error.to_string(),
    }
}
