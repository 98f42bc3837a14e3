//! The time until the session is open.

use std::mem::{Discriminant, discriminant};

use fleetline_app::problem::Context;
use fleetline_engine::{SessionState, ShellSession, StartStep};
use fleetline_ipc::{CommandError, ErrorCode};

use super::close;
use crate::console::{harmless, tell};
use crate::failure::Failure;
use crate::signals::EndSignals;

/// Waits until the session is open. `tells`: says what it waits for when that is not as usual.
///
/// # Errors
/// When it never will be open, or a signal came first.
pub(super) async fn opened(
    session: &ShellSession,
    signals: &mut EndSignals,
    context: &Context,
    tells: bool,
) -> Result<(), Failure> {
    let reached = tokio::select! {
        reached = reached(session, tells) => reached,
        signal = signals.next() => {
            close(session, context).await;
            return Err(Failure::signal(signal.number()));
        }
    };
    match reached {
        Some(SessionState::Failed(error)) => {
            close(session, context).await;
            Err(Failure::not_started(&error, context))
        }
        Some(_) => Ok(()),
        None => Err(Failure::from(CommandError::new(ErrorCode::Internal, "The session's task is gone."))),
    }
}

/// The first state that is not one of starting; `None` if there is none.
async fn reached(session: &ShellSession, tells: bool) -> Option<SessionState> {
    let mut state = session.state();
    let mut told: Option<Discriminant<StartStep>> = None;
    loop {
        let current = state.borrow_and_update().clone();
        let SessionState::Starting { step } = &current else { return Some(current) };
        if tells && is_worth_telling(step) && told.replace(discriminant(step)) != Some(discriminant(step)) {
            tell(&format!("fleetline: {}.", harmless(&step.to_string())));
        }
        state.changed().await.ok()?;
    }
}

/// Whether somebody who waits should know.
fn is_worth_telling(step: &StartStep) -> bool {
    match step {
        StartStep::RequestingAgain { .. }
        | StartStep::LookingForSession { .. }
        | StartStep::ConnectingAgain { .. }
        | StartStep::NodeSilent { .. } => true,
        StartStep::Requesting
        | StartStep::Queued { .. }
        | StartStep::Connecting
        | StartStep::WaitingForNode => false,
    }
}
