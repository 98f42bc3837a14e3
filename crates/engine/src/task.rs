//! One session from StartSession to TerminateSession.

use std::sync::Arc;
use std::time::Duration;

use fleetline_protocol::{CloseReason, SessionId, StreamToken};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::cause::{ReconnectCause, SocketLoss};
use crate::clock::Clock;
use crate::credentials::CredentialsGate;
use crate::dial::{DataSocket, Dialer};
use crate::driver::{Driver, SocketEnd};
use crate::journal::JournalScope;
use crate::pacing::PacedCall;
use crate::ports::{ApiError, ApiErrorKind, ControlPlane, ResumeOutcome, SessionGrant, StartSession};
use crate::resume::{Next, Outage, ResumePolicy};
use crate::shared::Shared;
use crate::start::{Begun, Start};
use crate::state::{EndReason, ServiceCause, SessionState, StartError, StartStep};
use crate::terminate::{OwnedSession, no_answer};
use crate::wake::{Listener, Wakeups};

/// ResumeSession and signing, which may have to renew credentials first.
const CALL_WITHIN: Duration = Duration::from_secs(30);
/// The longest wait after a wake-up.
const SPREAD: Duration = Duration::from_millis(400);
/// How long an attempt runs undisturbed by `retry_now`.
const ATTEMPT_HEAD_START: Duration = Duration::from_millis(1500);

/// The task of a session.
pub(crate) struct SessionTask {
    control: Arc<dyn ControlPlane>,
    request: StartSession,
    dialer: Dialer,
    policy: ResumePolicy,
    journal: Option<JournalScope>,
    wakeups: Wakeups,
    clock: Clock,
    shared: Arc<Shared>,
    rng: SmallRng,
}

/// How a session ended, and thereby who ends it at AWS.
enum Verdict {
    ByUser,
    Exited,
    Closed(CloseReason),
    Gone(ReconnectCause),
    Exhausted { lasted: Duration, cause: ReconnectCause },
    Refused(ReconnectCause),
}

/// One attempt to open a socket.
enum Attempt {
    Connected(Box<DataSocket>, StreamToken),
    Failed(ReconnectCause),
    Gone,
    /// There was reason for a new attempt while a long one was running.
    Restarted(String),
}

impl SessionTask {
    #[expect(clippy::too_many_arguments, reason = "each comes from another part of the options")]
    pub(crate) fn new(
        control: Arc<dyn ControlPlane>,
        request: StartSession,
        dialer: Dialer,
        policy: ResumePolicy,
        journal: Option<JournalScope>,
        wakeups: Wakeups,
        clock: Clock,
        shared: Arc<Shared>,
    ) -> Self {
        let rng = SmallRng::seed_from_u64(rand::random());
        Self { control, request, dialer, policy, journal, wakeups, clock, shared, rng }
    }

    /// Lives the session to its end. The error is that of TerminateSession.
    pub(crate) async fn run(mut self, mut driver: Driver) -> Result<(), ApiError> {
        let start = Start { control: &self.control, shared: &self.shared, rng: &mut self.rng };
        let grant = match start.run(self.request.clone()).await {
            Begun::Granted(grant) => grant,
            Begun::Failed(error) => {
                self.shared.set(SessionState::Failed(error));
                return Ok(());
            }
            Begun::Closed => return Ok(()),
        };
        if let Some(journal) = &self.journal {
            journal.granted(&grant.session_id, &self.request.target);
        }
        let owned = OwnedSession::new(
            self.control.clone(),
            self.shared.history.clone(),
            self.journal.take(),
            grant.session_id.clone(),
        );
        self.shared.history.note(format!("AWS granted session {}", grant.session_id));
        // Set once: only here.
        let _ = self.shared.session_id.set(grant.session_id.clone());

        driver.granted(&grant.session_id, &self.request.target);

        let verdict = self.live(&mut driver, grant).await;
        let ended_by_service =
            matches!(verdict, Verdict::Closed(CloseReason::ByService { .. }) | Verdict::Gone(_));
        let state = verdict.unsealed(&driver).unwrap_or_else(|| verdict.state(driver.has_started()));
        self.shared.set(state);
        drop(driver);
        if ended_by_service {
            owned.release();
            return Ok(());
        }
        owned.terminate().await
    }

    /// Keeps a data channel open until the session is over.
    async fn live(&mut self, driver: &mut Driver, grant: SessionGrant) -> Verdict {
        let close = self.shared.close.clone();
        let session = grant.session_id.clone();
        // Cannot be resumed, so its one grant serves until a socket has opened with it.
        let presigned = grant.url.is_presigned().then(|| grant.clone());
        let mut grant = Some(grant);
        let mut woken = self.wakeups.listen();
        let mut outage = self.outage(false);
        // Named by `Gone`, which can follow a failure only.
        let mut cause = ReconnectCause::Lost(SocketLoss::Closed { code: None, reason: String::new() });
        self.shared.set(SessionState::Starting { step: StartStep::Connecting });
        loop {
            let attempt = tokio::select! {
                attempt = self.attempt(&session, grant.take().or_else(|| presigned.clone())) => attempt,
                () = close.cancelled() => return Verdict::ByUser,
                why = self.impatience(&mut woken) => Attempt::Restarted(why),
            };
            let latest = match attempt {
                Attempt::Gone => return Verdict::Gone(cause),
                Attempt::Restarted(why) => {
                    self.shared.history.note(format!("The attempt was given up for a new one: {why}"));
                    outage.retry_now(self.clock.elapsed());
                    continue;
                }
                Attempt::Failed(cause) => cause,
                Attempt::Connected(socket, token) => {
                    match driver.run(*socket, &token, outage.began()).await {
                        SocketEnd::ByUser => return Verdict::ByUser,
                        SocketEnd::Exited => return Verdict::Exited,
                        SocketEnd::Closed(reason) => return Verdict::Closed(reason),
                        SocketEnd::Lost { .. } if driver.has_exited() => return Verdict::Exited,
                        SocketEnd::Lost { loss, proven } => {
                            if proven {
                                outage = self.outage(driver.has_started());
                            }
                            match &presigned {
                                Some(_) => ReconnectCause::Presigned(loss),
                                None => ReconnectCause::Lost(loss),
                            }
                        }
                    }
                }
            };
            self.shared.stats.lost(&latest);
            if woken.was_disturbed() {
                // Time in which the program did not run, or had no network, is not time in which it tried.
                outage.retry_now(self.clock.elapsed());
            }
            let next = outage.failed(self.clock.elapsed(), &latest);
            let wait = match next {
                Next::TryAt(at) => Some(at),
                Next::AwaitRetry => None,
                Next::Refused => return Verdict::Refused(latest),
                Next::Exhausted => {
                    return Verdict::Exhausted {
                        lasted: self.clock.elapsed() - outage.began(),
                        cause: latest,
                    };
                }
            };
            self.announce(driver, &outage, &latest, wait, next == Next::AwaitRetry);
            let gate = match next {
                Next::AwaitRetry if latest.needs_credentials() => self.control.credentials_gate(),
                _ => None,
            };
            tokio::select! {
                () = close.cancelled() => return Verdict::ByUser,
                () = self.shared.retry.notified() => outage.retry_now(self.clock.elapsed()),
                disturbance = woken.disturbed(), if next != Next::AwaitRetry => {
                    self.shared.history.note(disturbance.to_string());
                    sleep(Self::spread()).await;
                    outage.retry_now(self.clock.elapsed());
                }
                () = until(wait.map(|at| self.clock.instant(at))) => {}
                () = renewed(gate.as_ref()) => {
                    self.shared.history.note("There are new credentials");
                    outage.retry_now(self.clock.elapsed());
                }
            }
            self.announce(driver, &outage, &latest, None, false);
            cause = latest;
        }
    }

    fn outage(&mut self, opened_before: bool) -> Outage {
        Outage::begin(self.policy, opened_before, self.clock.elapsed(), rand::random())
    }

    /// Opens a socket with the grant of StartSession, or with one of ResumeSession: new token, new URL.
    async fn attempt(&self, session: &SessionId, grant: Option<SessionGrant>) -> Attempt {
        let grant = match grant {
            Some(grant) => grant,
            None => match self.resume(session).await {
                Ok(ResumeOutcome::Granted(grant)) => grant,
                Ok(ResumeOutcome::Gone) => return Attempt::Gone,
                Err(error) => return Attempt::Failed(ReconnectCause::Api(error)),
            },
        };
        let headers = match self.call("OpenDataChannel", self.control.sign_upgrade(grant.url.clone())).await {
            Ok(headers) => headers,
            Err(error) => return Attempt::Failed(ReconnectCause::Api(error)),
        };
        match self.dialer.dial(&grant.url, &headers).await {
            Ok(socket) => Attempt::Connected(Box::new(socket), grant.token),
            Err(error) => Attempt::Failed(ReconnectCause::Dial(error)),
        }
    }

    /// ResumeSession, when it is its turn.
    async fn resume(&self, session: &SessionId) -> Result<ResumeOutcome, ApiError> {
        let pacing = self.control.pacing();
        if let Some(pacing) = &pacing {
            pacing.turn(PacedCall::ResumeSession, self.shared.priority(), |_| {}).await;
        }
        let outcome = self.call("ResumeSession", self.control.resume_session(session.clone())).await;
        if let Some(pacing) = &pacing {
            let throttled = matches!(&outcome, Err(error) if error.kind == ApiErrorKind::Throttled);
            pacing.answered(PacedCall::ResumeSession, throttled);
        }
        outcome
    }

    /// The user asks for an attempt now, and the running one has had its time: a connection begun while the network
    /// was away may take long to notice that it is back. So may one that was running when the computer slept or the
    /// network changed.
    async fn impatience(&self, woken: &mut Listener) -> String {
        let asked = async {
            sleep(ATTEMPT_HEAD_START).await;
            self.shared.retry.notified().await;
        };
        tokio::select! {
            () = asked => "the user asked for it".to_owned(),
            disturbance = woken.disturbed() => {
                sleep(Self::spread()).await;
                disturbance.to_string()
            }
        }
    }

    /// Sessions that wake for the same reason go on at different moments.
    fn spread() -> Duration {
        SPREAD.mul_f64(rand::random_range(0.0..=1.0))
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        timeout(CALL_WITHIN, call).await.unwrap_or_else(|_| Err(no_answer(operation, CALL_WITHIN)))
    }

    fn announce(
        &self,
        driver: &Driver,
        outage: &Outage,
        cause: &ReconnectCause,
        next_try: Option<Duration>,
        awaits_retry: bool,
    ) {
        self.shared.set(if driver.has_started() {
            SessionState::Reconnecting {
                cause: cause.clone(),
                since: self.clock.wall(outage.began()),
                attempt: outage.attempt(),
                next_try: next_try.map(|at| self.clock.wall(at)),
                awaits_retry,
            }
        } else {
            let step = StartStep::ConnectingAgain { cause: cause.clone(), attempt: outage.attempt() + 1 };
            SessionState::Starting { step }
        });
    }
}

impl Verdict {
    /// The end of a session that was to be sealed and is not, for the want of a key on either side.
    fn unsealed(&self, driver: &Driver) -> Option<SessionState> {
        let Self::Closed(reason) = self else { return None };
        let error = match (driver.key_refused(), driver.key_given(), reason) {
            (Some((key_id, error)), ..) => {
                StartError::DataKey { key_id: key_id.to_owned(), error: error.clone() }
            }
            (None, Some(key_id), CloseReason::ByService { output }) if !driver.has_started() => {
                StartError::KeyNotOpened { key_id: key_id.to_owned(), text: output.clone() }
            }
            _ => return None,
        };
        Some(SessionState::Failed(error))
    }

    fn state(self, started: bool) -> SessionState {
        let end = match self {
            Self::ByUser => EndReason::ClosedByUser,
            // The final state, with the exit status, was set when the status arrived.
            Self::Exited => EndReason::Finished,
            Self::Closed(CloseReason::ByService { output }) if started && output.is_empty() => {
                EndReason::Finished
            }
            Self::Closed(CloseReason::ByService { output }) => {
                let cause = ServiceCause::of(&output);
                if !started {
                    return SessionState::Failed(StartError::ByService { cause, text: output });
                }
                EndReason::ByService { cause, text: output }
            }
            Self::Closed(reason) if started => EndReason::Channel(reason),
            Self::Closed(reason) => return SessionState::Failed(StartError::Channel(reason)),
            Self::Gone(cause) if started => EndReason::Gone { cause },
            Self::Gone(cause) => return SessionState::Failed(StartError::Gone { cause }),
            Self::Exhausted { lasted, cause } if started => EndReason::ResumeExhausted { lasted, cause },
            Self::Exhausted { lasted, cause } => {
                return SessionState::Failed(StartError::Unreachable { lasted, cause });
            }
            Self::Refused(cause) if started => EndReason::ResumeRefused { cause },
            Self::Refused(cause) => return SessionState::Failed(StartError::Refused { cause }),
        };
        SessionState::Ended(end)
    }
}

async fn renewed(gate: Option<&CredentialsGate>) {
    match gate {
        Some(gate) => gate.wait().await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
