//! When to try again, as a state machine without clock, socket or AWS.
//!
//! An [`Outage`] begins when a data channel has no socket and ends when a new socket has proven itself. Times are
//! durations since any fixed start.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::cause::ReconnectCause;
use crate::ports::{ApiError, ApiErrorKind};

/// Consecutive 401 or 403 answers to an upgrade after which the identity itself is refused. The first may be an
/// expired token, the second a token that expired while the network was slow.
const MAX_REFUSALS: u32 = 3;

/// How long and how often a session tries to get its data channel back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePolicy {
    /// First back-off delay; the very first attempt after a loss comes sooner. Default 100 ms.
    pub first_delay: Duration,
    /// Longest back-off delay. Default 5 s.
    pub max_delay: Duration,
    /// How long a session that was open is tried. Waiting for the user does not count. Default 5 min.
    pub budget: Duration,
    /// How long a session that never opened is tried. Default 1 min.
    pub open_budget: Duration,
    /// Whether a session that was open waits, without limit, for `retry_now` when resuming needs other credentials
    /// or permissions, so that a sign-in can save it. Without it such a session is tried like any other, or ended.
    /// Default true.
    pub awaits_user: bool,
}

impl Default for ResumePolicy {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(5),
            budget: Duration::from_secs(300),
            open_budget: Duration::from_secs(60),
            awaits_user: true,
        }
    }
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again then.
    TryAt(Duration),
    /// Wait until the user asks for a retry.
    AwaitRetry,
    /// The time is used up.
    Exhausted,
    /// Trying again cannot help.
    Refused,
}

/// One stretch of time without a proven socket.
#[derive(Debug)]
pub(crate) struct Outage {
    policy: ResumePolicy,
    opened_before: bool,
    began: Duration,
    budget_from: Duration,
    attempt: u32,
    backoff: u32,
    refusals: u32,
    rng: SmallRng,
}

impl Outage {
    /// `opened_before`: the node has spoken in this session.
    pub(crate) fn begin(policy: ResumePolicy, opened_before: bool, now: Duration, seed: u64) -> Self {
        Self {
            policy,
            opened_before,
            began: now,
            budget_from: now,
            attempt: 0,
            backoff: 0,
            refusals: 0,
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    /// When the outage began.
    pub(crate) fn began(&self) -> Duration {
        self.began
    }

    /// Number of the attempt that runs or comes next, from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// A loss or a failed attempt: what next.
    pub(crate) fn failed(&mut self, now: Duration, cause: &ReconnectCause) -> Next {
        match cause {
            ReconnectCause::Presigned(_) => return Next::Refused,
            ReconnectCause::Dial(error) if error.is_permanent() => return Next::Refused,
            ReconnectCause::Dial(error) if error.is_settled() && !self.opened_before => return Next::Refused,
            ReconnectCause::Dial(error) if error.is_refusal() => {
                self.refusals += 1;
                if self.refusals >= MAX_REFUSALS {
                    return Next::Refused;
                }
            }
            ReconnectCause::Api(ApiError { kind: ApiErrorKind::AccessDenied, .. }) => {
                return self.await_user().unwrap_or(Next::Refused);
            }
            _ if cause.needs_credentials() => {
                if !self.opened_before {
                    return Next::Refused;
                }
                if let Some(next) = self.await_user() {
                    return next;
                }
            }
            _ => {}
        }
        let budget = if self.opened_before { self.policy.budget } else { self.policy.open_budget };
        let ends = self.budget_from + budget;
        if now >= ends {
            return Next::Exhausted;
        }
        self.attempt += 1;
        Next::TryAt((now + self.delay()).min(ends))
    }

    fn await_user(&mut self) -> Option<Next> {
        if !(self.opened_before && self.policy.awaits_user) {
            return None;
        }
        self.attempt += 1;
        Some(Next::AwaitRetry)
    }

    /// The user asked for an attempt now: back-off and budget start afresh.
    pub(crate) fn retry_now(&mut self, now: Duration) {
        self.budget_from = now;
        self.backoff = 0;
        self.refusals = 0;
    }

    /// Up to `first_delay` at first, so that many sessions cut at once do not come back in one instant; then the
    /// upper half of a doubling interval.
    fn delay(&mut self) -> Duration {
        let doubled = self.policy.first_delay.saturating_mul(1 << self.backoff.saturating_sub(1).min(16));
        let most = doubled.min(self.policy.max_delay);
        let least = if self.backoff == 0 { Duration::ZERO } else { most / 2 };
        self.backoff = self.backoff.saturating_add(1);
        least + (most - least).mul_f64(self.rng.random_range(0.0..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::SocketLoss;
    use crate::dial::DialError;

    fn outage(opened_before: bool) -> Outage {
        Outage::begin(ResumePolicy::default(), opened_before, Duration::from_secs(1000), 7)
    }

    fn unattended() -> Outage {
        let policy = ResumePolicy { awaits_user: false, ..ResumePolicy::default() };
        Outage::begin(policy, true, Duration::from_secs(1000), 7)
    }

    fn api(kind: ApiErrorKind) -> ReconnectCause {
        ReconnectCause::Api(ApiError {
            operation: "ResumeSession",
            kind,
            code: None,
            message: "said no".into(),
            request_id: None,
            never_sent: false,
        })
    }

    fn bye() -> ReconnectCause {
        ReconnectCause::Lost(SocketLoss::Closed { code: Some(1000), reason: "Bye".into() })
    }

    fn refusal() -> ReconnectCause {
        ReconnectCause::Dial(DialError::Upgrade { status: 403, body: String::new() })
    }

    /// Lets every attempt fail at once until the outage gives up: the delays and the end.
    fn run_down(outage: &mut Outage, cause: &ReconnectCause) -> (Vec<Duration>, Next, Duration) {
        let mut now = outage.began();
        let mut delays = Vec::new();
        loop {
            match outage.failed(now, cause) {
                Next::TryAt(at) => {
                    delays.push(at - now);
                    now = at;
                }
                end => return (delays, end, now - outage.began()),
            }
        }
    }

    #[test]
    fn delays_double_with_jitter_up_to_the_limit_within_the_budget() {
        let (delays, end, lasted) = run_down(&mut outage(true), &api(ApiErrorKind::Network));
        assert_eq!(end, Next::Exhausted);
        assert_eq!(lasted, Duration::from_secs(300));
        assert!(delays[0] <= Duration::from_millis(100));
        let ms = |n| Duration::from_millis(n);
        for (i, (least, most)) in
            [(50, 100), (100, 200), (200, 400), (400, 800), (800, 1600)].into_iter().enumerate()
        {
            assert!((ms(least)..=ms(most)).contains(&delays[i + 1]), "{i}: {delays:?}");
        }
        let steady = &delays[7..delays.len() - 1];
        assert!(steady.iter().all(|d| (ms(2500)..=ms(5000)).contains(d)), "{delays:?}");
        assert!(steady.iter().any(|d| *d != steady[0]), "no jitter");
    }

    #[test]
    fn a_session_that_never_opened_is_tried_for_a_shorter_time() {
        let (_, end, lasted) = run_down(&mut outage(false), &bye());
        assert_eq!((end, lasted), (Next::Exhausted, Duration::from_secs(60)));
    }

    #[test]
    fn credentials_wait_for_the_user_and_do_not_use_up_the_budget() {
        let mut outage = outage(true);
        let mut now = outage.began();
        assert!(matches!(outage.failed(now, &bye()), Next::TryAt(_)));
        assert_eq!(outage.failed(now, &api(ApiErrorKind::CredentialsExpired)), Next::AwaitRetry);
        now += Duration::from_secs(3600);
        outage.retry_now(now);
        let Next::TryAt(at) = outage.failed(now, &api(ApiErrorKind::Network)) else { panic!("gave up") };
        assert!(at - now <= Duration::from_millis(100), "back-off starts afresh");
        assert_eq!(outage.attempt(), 3);
    }

    #[test]
    fn before_the_first_opening_missing_credentials_end_the_start() {
        assert_eq!(
            outage(false).failed(Duration::from_secs(1000), &api(ApiErrorKind::NoCredentials)),
            Next::Refused
        );
    }

    #[test]
    fn one_refused_token_is_replaced_but_a_refused_identity_is_not_asked_for_ever() {
        let mut outage = outage(false);
        let now = outage.began();
        assert!(matches!(outage.failed(now, &refusal()), Next::TryAt(_)));
        assert!(matches!(outage.failed(now, &refusal()), Next::TryAt(_)));
        assert_eq!(outage.failed(now, &refusal()), Next::Refused);
    }

    #[test]
    fn a_denied_resume_waits_for_the_user_where_there_is_one() {
        let denied = api(ApiErrorKind::AccessDenied);
        let now = Duration::from_secs(1000);
        assert_eq!(outage(true).failed(now, &denied), Next::AwaitRetry);
        assert_eq!(outage(false).failed(now, &denied), Next::Refused);
        assert_eq!(unattended().failed(now, &denied), Next::Refused);
    }

    #[test]
    fn nobody_waits_for_credentials_in_an_unattended_session() {
        let (delays, end, lasted) = run_down(&mut unattended(), &api(ApiErrorKind::CredentialsExpired));
        assert!(delays.len() > 10);
        assert_eq!((end, lasted), (Next::Exhausted, Duration::from_secs(300)));
    }

    #[test]
    fn what_somebody_must_change_first_ends_a_start_but_not_an_outage() {
        let (host, message) = ("gateway".to_owned(), String::new());
        let refused = |status| DialError::ProxyRefused {
            proxy: "proxy:3128".to_owned(),
            host: host.clone(),
            status,
            had_credentials: false,
            offers: Vec::new(),
            reason: String::new(),
        };
        let now = Duration::from_secs(1000);
        for settled in [
            DialError::Tls { host: host.clone(), message: message.clone(), untrusted: true },
            DialError::Resolve { host: host.clone(), message: message.clone() },
            refused(403),
            refused(407),
        ] {
            let cause = ReconnectCause::Dial(settled);
            assert_eq!(outage(false).failed(now, &cause), Next::Refused, "{cause}");
            assert!(matches!(outage(true).failed(now, &cause), Next::TryAt(_)), "{cause}");
        }
        for passing in [
            DialError::Tls { host: host.clone(), message: message.clone(), untrusted: false },
            DialError::Connect { host: host.clone(), message },
            refused(503),
        ] {
            let cause = ReconnectCause::Dial(passing);
            assert!(matches!(outage(false).failed(now, &cause), Next::TryAt(_)), "{cause}");
        }
    }
}
