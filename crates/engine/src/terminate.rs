//! TerminateSession exactly once for every session that AWS granted and did not end itself.

use std::sync::Arc;
use std::time::Duration;

use fleetline_protocol::SessionId;
use tokio::time::{sleep, timeout};

use crate::history::History;
use crate::journal::JournalScope;
use crate::pacing::{PacedCall, Priority};
use crate::ports::{ApiError, ApiErrorKind, ControlPlane};

/// The call is safe to repeat: it succeeds for sessions that are gone (protocol.md 1.4).
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const ONE_CALL: Duration = Duration::from_secs(10);

/// A session that is ours to end. Dropping it without [`Self::terminate`] or [`Self::release`], as a panic does,
/// terminates it in a task of its own.
pub(crate) struct OwnedSession {
    control: Arc<dyn ControlPlane>,
    history: Arc<History>,
    journal: Option<JournalScope>,
    session: Option<SessionId>,
}

impl OwnedSession {
    pub(crate) fn new(
        control: Arc<dyn ControlPlane>,
        history: Arc<History>,
        journal: Option<JournalScope>,
        session: SessionId,
    ) -> Self {
        Self { control, history, journal, session: Some(session) }
    }

    /// The service has ended the session: nothing is left to terminate.
    pub(crate) fn release(mut self) {
        if let (Some(session), Some(scope)) = (self.session.take(), &self.journal) {
            scope.journal.ended(&session);
        }
    }

    /// Terminates the session. Repeats after throttling or a lost call, four times at most.
    pub(crate) async fn terminate(mut self) -> Result<(), ApiError> {
        match self.session.take() {
            Some(session) => end(&*self.control, &self.history, self.journal.as_ref(), &session).await,
            None => Ok(()),
        }
    }
}

impl Drop for OwnedSession {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let (control, history, journal) = (self.control.clone(), self.history.clone(), self.journal.take());
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move { end(&*control, &history, journal.as_ref(), &session).await });
            }
            Err(_) => history.note("The session could not be terminated: the runtime is gone"),
        }
    }
}

async fn end(
    control: &dyn ControlPlane,
    history: &History,
    journal: Option<&JournalScope>,
    session: &SessionId,
) -> Result<(), ApiError> {
    terminate(control, history, session).await?;
    if let Some(scope) = journal {
        scope.journal.ended(session);
    }
    Ok(())
}

/// Terminates a session that no task of this program owns, such as one that a crash left behind. Repeats the call after
/// throttling or without an answer, four times at most. Succeeds for sessions that are gone.
///
/// # Errors
/// When the session may still be open.
pub async fn terminate_session(control: &dyn ControlPlane, session: &SessionId) -> Result<(), ApiError> {
    terminate(control, &History::default(), session).await
}

/// Terminates a session, repeating the call where that can help.
pub(crate) async fn terminate(
    control: &dyn ControlPlane,
    history: &History,
    session: &SessionId,
) -> Result<(), ApiError> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        let pacing = control.pacing();
        if let Some(pacing) = &pacing {
            pacing.turn(PacedCall::TerminateSession, Priority::Foreground, |_| {}).await;
        }
        let outcome = timeout(ONE_CALL, control.terminate_session(session.clone()))
            .await
            .unwrap_or_else(|_| Err(no_answer("TerminateSession", ONE_CALL)));
        if let Some(pacing) = &pacing {
            let throttled = matches!(&outcome, Err(error) if error.kind == ApiErrorKind::Throttled);
            pacing.answered(PacedCall::TerminateSession, throttled);
        }
        let error = match outcome {
            Ok(()) => {
                history.note("The session was terminated");
                return Ok(());
            }
            Err(error) => error,
        };
        history.note(format!("The session could not be terminated: {error}"));
        let repeatable = error.kind.is_on_the_way()
            || matches!(error.kind, ApiErrorKind::Throttled | ApiErrorKind::Service);
        if !repeatable || attempt == ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
        sleep(pause).await;
        pause *= 2;
    }
}

/// The error of a call that AWS did not answer in time.
pub(crate) fn no_answer(operation: &'static str, waited: Duration) -> ApiError {
    ApiError {
        operation,
        kind: ApiErrorKind::Network,
        code: None,
        message: format!("no answer within {} s", waited.as_secs()),
        request_id: None,
        never_sent: false,
    }
}
