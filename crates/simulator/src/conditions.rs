//! Conditions under which calls are answered: throttled, failing, slow, or with the answer lost. They know no clock:
//! the time comes in with each call.

use std::time::{Duration, Instant};

use crate::policy::glob;

/// Which calls a condition meets, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    operation: String,
    times: Option<u64>,
    lasting: Option<Duration>,
}

impl Calls {
    /// Every API call, and where upgrades are refused every upgrade, until conditions are cleared.
    pub fn all() -> Self {
        Self::of("*")
    }

    /// Calls of this operation: "StartSession", "DescribeInstances", or "Describe*" for several. The upgrade of a
    /// WebSocket is "OpenDataChannel"; other conditions than refusals of upgrades meet it only by this name.
    pub fn of(operation: impl Into<String>) -> Self {
        Self { operation: operation.into(), times: None, lasting: None }
    }

    /// Only the next `times` of them.
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only those within `time` from now.
    pub fn lasting(self, time: Duration) -> Self {
        Self { lasting: Some(time), ..self }
    }
}

/// What happens to calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Refused as too many: `ThrottlingException`, EC2's `RequestLimitExceeded`, STS's `Throttling`, 429 for an
    /// upgrade.
    Throttled,
    /// Refused with this.
    Failing(ApiError),
    /// Performed, but the connection ends before the answer: the caller cannot know what happened.
    AnswerLost,
    /// Late. The time before is waited before anything is done; a caller that gives up meanwhile has done nothing.
    /// The time after is waited when all is done.
    Slow {
        /// Waited first.
        before: Duration,
        /// Waited last.
        after: Duration,
    },
    /// An upgrade is refused like this. API calls are not concerned.
    UpgradeRefused(UpgradeRefusal),
}

/// A refusal of the API in its own form: JSON for SSM, XML for EC2 and STS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status: 400 for most, 500 for `InternalServerError`.
    pub status: u16,
    /// Code: "InternalServerError".
    pub code: String,
    /// Text.
    pub message: String,
}

impl ApiError {
    /// An error of this status, code and text.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// What a wrong signature or a middlebox looks like in a vendor's logs (aws-security-reliability.md A.11).
    pub fn server_authentication() -> Self {
        Self::new(
            403,
            "403",
            "Server authentication failed: <UnauthorizedRequest><message>Forbidden.</message></UnauthorizedRequest>",
        )
    }
}

/// How a WebSocket upgrade is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeRefusal {
    /// With this HTTP status: 401, 403, 503 and so on. The body is the gateway's.
    Status(u16),
    /// With 200 and a page, as a captive portal does.
    Page,
    /// With 101 and a wrong `Sec-WebSocket-Accept`.
    WrongAccept,
    /// With bytes that are no HTTP.
    Noise,
}

impl UpgradeRefusal {
    /// The refusal by its name: a status as "403", "page", "wrong_accept" or "noise".
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "page" => Self::Page,
            "wrong_accept" => Self::WrongAccept,
            "noise" => Self::Noise,
            status => Self::Status(status.parse().ok().filter(|status| (400..600).contains(status))?),
        })
    }
}

/// What a call meets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// To be waited before anything is done.
    pub(crate) before: Duration,
    /// Set if the call is refused.
    pub(crate) refusal: Option<Refusal>,
    /// To be waited before the answer is given.
    pub(crate) after: Duration,
    /// Whether the connection ends instead of the answer.
    pub(crate) answer_lost: bool,
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Throttled,
    Failing(ApiError),
    Upgrade(UpgradeRefusal),
}

/// The conditions in force.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    operation: String,
    left: Option<u64>,
    until: Option<Instant>,
    condition: Condition,
}

/// Name of the upgrade among the operations.
pub(crate) const UPGRADE: &str = "OpenDataChannel";

impl Conditions {
    pub(crate) fn impose(&mut self, now: Instant, calls: Calls, condition: Condition) {
        let Calls { operation, times, lasting } = calls;
        let until = lasting.and_then(|time| now.checked_add(time));
        self.rules.push(Rule { operation, left: times, until, condition });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Ends throttling, whatever it was limited to.
    pub(crate) fn clear_throttling(&mut self) {
        self.rules.retain(|rule| rule.condition != Condition::Throttled);
    }

    /// What a call of `operation` meets now. A refused call uses up only the condition that refuses it, the first one
    /// imposed.
    pub(crate) fn judge(&mut self, now: Instant, operation: &str) -> Verdict {
        self.rules.retain(|rule| rule.until.is_none_or(|until| now < until) && rule.left != Some(0));
        let mut verdict = Verdict::default();
        let is_upgrade = operation == UPGRADE;
        for rule in self.rules.iter_mut().filter(|rule| glob(&rule.operation, operation)) {
            match &rule.condition {
                Condition::UpgradeRefused(_) if !is_upgrade => continue,
                Condition::UpgradeRefused(_) => {}
                // What is said of all calls is said of the API.
                _ if is_upgrade && rule.operation == "*" => continue,
                _ => {}
            }
            match &rule.condition {
                Condition::Throttled | Condition::Failing(_) | Condition::UpgradeRefused(_)
                    if verdict.refusal.is_some() =>
                {
                    continue;
                }
                Condition::Throttled => verdict.refusal = Some(Refusal::Throttled),
                Condition::Failing(error) => verdict.refusal = Some(Refusal::Failing(error.clone())),
                Condition::UpgradeRefused(how) => verdict.refusal = Some(Refusal::Upgrade(*how)),
                Condition::AnswerLost => verdict.answer_lost = true,
                Condition::Slow { before, after } => {
                    verdict.before += *before;
                    verdict.after += *after;
                }
            }
            if let Some(left) = &mut rule.left {
                *left -= 1;
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{ApiError, Calls, Condition, Conditions, Refusal, UpgradeRefusal, Verdict};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn conditions_meet_their_operation_as_often_and_as_long_as_they_say() {
        let now = Instant::now();
        let mut conditions = Conditions::default();
        conditions.impose(now, Calls::of("StartSession").times(2), Condition::Throttled);
        conditions.impose(now, Calls::of("Describe*").lasting(10 * SECOND), Condition::AnswerLost);
        assert_eq!(conditions.judge(now, "ResumeSession"), Verdict::default());
        for _ in 0..2 {
            assert_eq!(conditions.judge(now, "StartSession").refusal, Some(Refusal::Throttled));
        }
        assert_eq!(conditions.judge(now, "StartSession"), Verdict::default());
        assert!(conditions.judge(now + 9 * SECOND, "DescribeSessions").answer_lost);
        assert_eq!(conditions.judge(now + 10 * SECOND, "DescribeSessions"), Verdict::default());
    }

    #[test]
    fn the_first_refusal_counts_and_waits_add_up() {
        let now = Instant::now();
        let mut conditions = Conditions::default();
        let error = ApiError::new(500, "InternalServerError", "sorry");
        let slow = |before, after| Condition::Slow { before, after };
        conditions.impose(now, Calls::all(), slow(SECOND, Duration::ZERO));
        conditions.impose(now, Calls::of("X").times(1), Condition::Failing(error.clone()));
        conditions.impose(now, Calls::all().times(1), Condition::Throttled);
        conditions.impose(now, Calls::of("X"), slow(SECOND, 3 * SECOND));
        let first = conditions.judge(now, "X");
        assert_eq!((first.before, first.after), (2 * SECOND, 3 * SECOND));
        assert_eq!(first.refusal, Some(Refusal::Failing(error)));
        assert_eq!(conditions.judge(now, "X").refusal, Some(Refusal::Throttled), "was not used up before");
        assert_eq!(conditions.judge(now, "X").refusal, None);
        conditions.clear();
        assert_eq!(conditions.judge(now, "X"), Verdict::default());
    }

    #[test]
    fn refusals_of_upgrades_leave_calls_alone_and_the_other_way_round() {
        let now = Instant::now();
        let mut conditions = Conditions::default();
        conditions.impose(now, Calls::all(), Condition::AnswerLost);
        assert_eq!(conditions.judge(now, "OpenDataChannel"), Verdict::default());
        conditions.clear();
        let refusal = UpgradeRefusal::from_name("403").unwrap();
        conditions.impose(now, Calls::all().times(1), Condition::UpgradeRefused(refusal));
        assert_eq!(conditions.judge(now, "StartSession"), Verdict::default());
        assert_eq!(conditions.judge(now, "OpenDataChannel").refusal, Some(Refusal::Upgrade(refusal)));
        assert_eq!(conditions.judge(now, "OpenDataChannel"), Verdict::default());
        for bad in ["", "200", "teapot"] {
            assert_eq!(UpgradeRefusal::from_name(bad), None, "{bad}");
        }
    }
}
