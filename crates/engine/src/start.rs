//! StartSession, at most one session for one wish.
//!
//! The call has no idempotency token, so it is made again only when nothing can have happened at AWS (REL-07): the
//! request was never sent, or AWS throttled it. After any other failure without a clear answer the session may exist
//! all the same. It is then looked for by a mark in its `Reason`, and adopted or ended.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fleetline_protocol::SessionId;
use rand::RngExt;
use rand::rngs::SmallRng;
use tokio::time::{Instant, sleep, timeout_at};

use crate::pacing::{PacedCall, Priority};
use crate::ports::{
    ApiError, ApiErrorKind, ControlPlane, LiveSession, ResumeOutcome, SessionGrant, SessionQuery,
    StartSession,
};
use crate::shared::Shared;
use crate::state::{EndReason, LostStart, SessionState, StartError, StartStep};
use crate::terminate::terminate;

/// Calls that never left are made that often.
const ATTEMPTS: u32 = 6;
/// Throttled calls are made that often. Where calls have a pace, that makes the pauses; half a minute in all is usual.
const THROTTLED_ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(400);
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// How long a session of a call without an answer is looked for. AWS lists a session within moments of its start, and
/// the network may be away for a while.
const LOOKS_FOR: Duration = Duration::from_secs(20);
/// The same for a call that AWS answered with a failure of its own.
const LOOKS_AFTER_FAILURE_FOR: Duration = Duration::from_secs(8);
/// A session is looked for again after these pauses, the last one repeated.
const LOOK_PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// Sessions older than the call by this much are not it, whatever the clocks of AWS and this computer say.
const CLOCKS_DIFFER_BY: Duration = Duration::from_secs(300);
/// Longest reason AWS takes, in characters (protocol.md 1.2).
const REASON_CHARS: usize = 256;

/// What came of the wish for a session.
pub(crate) enum Begun {
    /// AWS granted it.
    Granted(SessionGrant),
    /// There is none.
    Failed(StartError),
    /// The user closed it before AWS was asked.
    Closed,
}

/// One wish for a session.
pub(crate) struct Start<'a> {
    pub(crate) control: &'a Arc<dyn ControlPlane>,
    pub(crate) shared: &'a Shared,
    pub(crate) rng: &'a mut SmallRng,
}

impl Start<'_> {
    /// Calls StartSession until it is granted or refused. A call in flight is never abandoned, because its session
    /// would be orphaned; closing shows at once all the same.
    pub(crate) async fn run(mut self, mut request: StartSession) -> Begun {
        let close = self.shared.close.clone();
        mark(&mut request, self.rng.random());
        let mut attempt = 1;
        loop {
            tokio::select! {
                () = self.turn() => {}
                () = close.cancelled() => return self.closed(),
            }
            let asked = SystemTime::now();
            let mut call = self.control.start_session(request.clone());
            let early = tokio::select! {
                outcome = &mut call => Some(outcome),
                () = close.cancelled() => None,
            };
            let outcome = match early {
                Some(outcome) => outcome,
                None => {
                    self.shared.set(SessionState::Ended(EndReason::ClosedByUser));
                    call.await
                }
            };
            let throttled = matches!(&outcome, Err(error) if error.kind == ApiErrorKind::Throttled);
            if let Some(pacing) = self.control.pacing() {
                pacing.answered(PacedCall::StartSession, throttled);
            }
            let error = match outcome {
                Ok(grant) => return Begun::Granted(grant),
                Err(error) if is_ambiguous(&error) => return self.look_for(&request, asked, error).await,
                Err(error) => error,
            };
            let Some(pause) = pause_before_retry(attempt, &error, self.rng) else {
                return Begun::Failed(StartError::Api(error));
            };
            attempt += 1;
            self.shared.set(SessionState::Starting { step: StartStep::RequestingAgain { error } });
            if throttled && self.control.pacing().is_some() {
                continue;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = close.cancelled() => return self.closed(),
            }
        }
    }

    fn closed(&self) -> Begun {
        self.shared.set(SessionState::Ended(EndReason::ClosedByUser));
        Begun::Closed
    }

    async fn turn(&self) {
        let Some(pacing) = self.control.pacing() else { return };
        let shows = |ahead| self.shared.set(SessionState::Starting { step: StartStep::Queued { ahead } });
        pacing.turn(PacedCall::StartSession, self.shared.priority(), shows).await;
    }

    /// The call was sent and got no clear answer: finds out whether it began a session.
    async fn look_for(&mut self, request: &StartSession, asked: SystemTime, error: ApiError) -> Begun {
        self.shared.history.note(format!("StartSession got no clear answer: {error}"));
        self.shared
            .set(SessionState::Starting { step: StartStep::LookingForSession { error: error.clone() } });
        let looks_for = match error.kind {
            ApiErrorKind::Service => LOOKS_AFTER_FAILURE_FOR,
            _ => LOOKS_FOR,
        };
        let found = match self.find(request, asked, looks_for).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.shared.history.note("AWS began no session");
                return Begun::Failed(StartError::Lost { error, what: LostStart::NoneBegan });
            }
            Err(lookup) => {
                self.shared.history.note(format!("Whether AWS began a session is unknown: {lookup}"));
                return Begun::Failed(StartError::Lost { error, what: LostStart::Unknown(lookup) });
            }
        };
        self.shared.history.note(format!("AWS had begun session {found}"));
        let what = match self.control.resume_session(found.clone()).await {
            Ok(ResumeOutcome::Granted(grant)) => {
                self.shared.history.note("The session was adopted");
                return Begun::Granted(grant);
            }
            Ok(ResumeOutcome::Gone) => LostStart::Ended(found),
            // It cannot be had, so it must not go on.
            Err(_) => match terminate(&**self.control, &self.shared.history, &found).await {
                Ok(()) => LostStart::Ended(found),
                Err(error) => LostStart::NotEnded(found, error),
            },
        };
        Begun::Failed(StartError::Lost { error, what })
    }

    /// The session the call began. Looks several times, since a listing may lag behind.
    async fn find(
        &mut self,
        request: &StartSession,
        asked: SystemTime,
        looks_for: Duration,
    ) -> Result<Option<SessionId>, ApiError> {
        let deadline = Instant::now() + looks_for;
        let query = SessionQuery {
            target: Some(request.target.clone()),
            invoked_after: asked.checked_sub(CLOCKS_DIFFER_BY),
        };
        let mut pauses = LOOK_PAUSES.into_iter();
        let mut pause = LOOK_PAUSES[0];
        let mut last = Ok(None);
        loop {
            let looked = timeout_at(deadline, async {
                if let Some(pacing) = self.control.pacing() {
                    pacing.turn(PacedCall::DescribeSessions, Priority::Foreground, |_| {}).await;
                }
                self.control.live_sessions(query.clone()).await
            });
            match looked.await {
                Ok(Ok(sessions)) => match began_by(request, &sessions) {
                    Some(session) => return Ok(Some(session)),
                    None => last = Ok(None),
                },
                Ok(Err(error)) if error.kind == ApiErrorKind::AccessDenied => return Err(error),
                Ok(Err(error)) => last = Err(error),
                Err(_elapsed) => return last,
            }
            pause = pauses.next().unwrap_or(pause);
            if Instant::now() + pause >= deadline {
                return last;
            }
            sleep(pause).await;
        }
    }
}

/// Makes the session of this call recognisable among others to the same node. The mark is visible to auditors; the
/// user's own reason stays in front of it. A reason that leaves no room for the mark has to be mark enough.
fn mark(request: &mut StartSession, number: u32) {
    let mark = format!("fleetline {number:08x}");
    let marked = match &request.reason {
        Some(reason) => format!("{reason} ({mark})"),
        None => mark,
    };
    if marked.chars().count() <= REASON_CHARS {
        request.reason = Some(marked);
    }
}

/// The one session with the reason of the request. Two cannot be told apart, so neither is it.
fn began_by(request: &StartSession, sessions: &[LiveSession]) -> Option<SessionId> {
    let mut same = sessions.iter().filter(|session| session.reason == request.reason);
    match (same.next(), same.next()) {
        (Some(session), None) => Some(session.session_id.clone()),
        _ => None,
    }
}

/// Whether a session may exist although the call failed: it was sent, and AWS gave no answer or failed itself.
fn is_ambiguous(error: &ApiError) -> bool {
    !error.never_sent && matches!(error.kind, ApiErrorKind::Network | ApiErrorKind::Service)
}

/// How long to wait before calling StartSession again after `error`; `None` when it must not be called again.
/// `attempt` counts the calls made, from 1.
fn pause_before_retry(attempt: u32, error: &ApiError, rng: &mut SmallRng) -> Option<Duration> {
    let attempts = if error.kind == ApiErrorKind::Throttled {
        THROTTLED_ATTEMPTS
    } else if error.never_sent && error.kind == ApiErrorKind::Network {
        ATTEMPTS
    } else {
        return None;
    };
    if attempt >= attempts {
        return None;
    }
    let most = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(16)).min(MAX_PAUSE);
    Some(most.mul_f64(rng.random_range(0.5..=1.0)))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn error(kind: ApiErrorKind, never_sent: bool) -> ApiError {
        ApiError {
            operation: "StartSession",
            kind,
            code: None,
            message: String::new(),
            request_id: None,
            never_sent,
        }
    }

    #[test]
    fn only_calls_that_had_no_effect_are_repeated() {
        let mut rng = SmallRng::seed_from_u64(1);
        for (error, again) in [
            (error(ApiErrorKind::Network, true), true),
            (error(ApiErrorKind::Throttled, false), true),
            (error(ApiErrorKind::Network, false), false),
            (error(ApiErrorKind::Service, false), false),
            (error(ApiErrorKind::TargetNotConnected, false), false),
            (error(ApiErrorKind::AccessDenied, false), false),
            (error(ApiErrorKind::InvalidRequest, true), false),
        ] {
            assert_eq!(pause_before_retry(1, &error, &mut rng).is_some(), again, "{error:?}");
        }
    }

    #[test]
    fn repeats_are_bounded_in_number_and_time() {
        let mut rng = SmallRng::seed_from_u64(2);
        for (error, count, longest) in
            [(error(ApiErrorKind::Network, true), 5, 13), (error(ApiErrorKind::Throttled, false), 7, 23)]
        {
            let pauses: Vec<_> = (1..100).map_while(|n| pause_before_retry(n, &error, &mut rng)).collect();
            assert_eq!(pauses.len(), count);
            assert!(pauses.iter().sum::<Duration>() < Duration::from_secs(longest), "{pauses:?}");
        }
    }

    #[test]
    fn a_mark_follows_the_users_reason_within_the_limit_of_aws() {
        let marked = |reason: Option<String>| {
            let mut request = StartSession { reason, ..StartSession::default() };
            mark(&mut request, 0xab);
            request.reason.unwrap_or_default()
        };
        assert_eq!(marked(None), "fleetline 000000ab");
        assert_eq!(marked(Some("INC-7 é".to_owned())), "INC-7 é (fleetline 000000ab)");
        let longest = "é".repeat(REASON_CHARS - 21);
        assert_eq!(marked(Some(longest.clone())).chars().count(), REASON_CHARS);
        assert_eq!(marked(Some(format!("{longest}x"))), format!("{longest}x"), "kept whole, without a mark");
    }

    #[test]
    fn the_session_of_a_call_is_the_only_one_with_its_reason() {
        let request = StartSession { reason: Some("a".to_owned()), ..StartSession::default() };
        let session = |id: &str, reason: &str| LiveSession {
            session_id: SessionId::new(id),
            target: String::new(),
            reason: Some(reason.to_owned()),
        };
        assert_eq!(began_by(&request, &[]), None);
        assert_eq!(began_by(&request, &[session("1", "b"), session("2", "a")]), Some(SessionId::new("2")));
        assert_eq!(began_by(&request, &[session("1", "a"), session("2", "a")]), None);
    }
}
