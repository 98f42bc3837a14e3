//! How fast one inventory call is made in one account and Region.
//!
//! AWS publishes no rates for these calls (aws-security-reliability.md A.7), so the rate is learned: a queue starts
//! without pauses, and once AWS says "slow down" it leaves as much time between two calls as it took from one success
//! to the next while AWS was saying so. It then goes a little faster than that and notices when it may.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// Calls of one queue that are under way at a time.
const AT_ONCE: usize = 4;
/// First pause after AWS said "slow down"; each further one in a row is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Shortest pause, where the rate is about known.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
/// "Slow down" answers in a row up to which what was learned counts for the pause.
const TRUSTED: u32 = 4;
/// Largest time between two calls that is learned.
const LARGEST_SPACING: Duration = Duration::from_secs(5);
/// Spacings below this are none.
const SMALLEST_SPACING: Duration = Duration::from_millis(10);
/// How long AWS may say "slow down" without a success between before a call gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Repeats after a failure that may pass: the network, or AWS itself.
const REPEATS: u32 = 3;

/// The pace, without clock and tasks. Times are since the queue began.
#[derive(Debug, Default)]
struct Pace {
    /// Time between the beginnings of two calls.
    spacing: Duration,
    /// When the next call may begin.
    next: Duration,
    /// "Slow down" answers since the last success.
    refused: u32,
    /// When AWS said so last.
    refused_at: Option<Duration>,
    /// When AWS began to say so without a success between.
    refused_since: Option<Duration>,
    last_success: Option<Duration>,
}

impl Pace {
    /// When a call that is ready now begins; the next one comes after it.
    fn turn(&mut self, now: Duration) -> Duration {
        let at = self.next.max(now);
        self.next = at + self.spacing;
        at
    }

    /// An answer that is not "slow down".
    fn passed(&mut self, now: Duration) {
        if self.refused > 0 {
            let gap = now.saturating_sub(self.last_success.or(self.refused_since).unwrap_or(now));
            let learned = if self.spacing.is_zero() { gap } else { (self.spacing + gap) / 2 };
            // Less than it took: the surplus shows as a refusal now and then, the missing would never show.
            self.spacing = (learned * 8 / 10).min(LARGEST_SPACING);
        } else {
            self.spacing = self.spacing * 9 / 10;
            if self.spacing < SMALLEST_SPACING {
                self.spacing = Duration::ZERO;
            }
        }
        (self.refused, self.refused_since, self.last_success) = (0, None, Some(now));
    }

    /// "Slow down" to a call that began then: nobody calls for a while. `part` is random, 0 to 1. Returns whether it is
    /// worth going on.
    fn refused(&mut self, began: Duration, now: Duration, part: f64) -> bool {
        let since = *self.refused_since.get_or_insert(now);
        // Calls that were under way together are refused for one reason, and AWS has not seen the pause yet.
        if self.refused_at.is_some_and(|at| began < at) {
            self.refused = self.refused.max(1);
            return now.saturating_sub(since) < PATIENCE;
        }
        self.refused_at = Some(now);
        let mut pause = FIRST_PAUSE.saturating_mul(1 << self.refused.min(6)).min(LONGEST_PAUSE);
        if self.refused < TRUSTED && !self.spacing.is_zero() {
            // The rate is about known: a call is allowed again within a spacing.
            pause = pause.min(SHORTEST_PAUSE.max(self.spacing / 2));
        }
        self.refused += 1;
        self.next = self.next.max(now + pause.mul_f64(0.5 + part / 2.0));
        now.saturating_sub(since) < PATIENCE
    }
}

/// The queue of one call in one account and Region.
#[derive(Debug)]
pub(crate) struct CallQueue {
    began: Instant,
    pace: Mutex<Pace>,
    places: Semaphore,
}

impl Default for CallQueue {
    fn default() -> Self {
        Self { began: Instant::now(), pace: Mutex::default(), places: Semaphore::new(AT_ONCE) }
    }
}

impl CallQueue {
    /// Makes a call that may be made any number of times, until it succeeds, fails for good, or patience ends. The
    /// SDK must not repeat it: this queue would not see that. Dropping the future gives the place up.
    pub(crate) async fn make<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let mut repeats = 0;
        loop {
            // The semaphore is never closed.
            let place = self.places.acquire().await.ok();
            let at = self.pace().turn(self.began.elapsed());
            sleep_until(self.began + at).await;
            let answer = call().await;
            drop(place);
            let now = self.began.elapsed();
            match &answer {
                Err(error) if error.kind == ApiErrorKind::Throttled => {
                    if !self.pace().refused(at, now, random()) {
                        return answer;
                    }
                }
                Err(error) if passes(error.kind) && repeats < REPEATS => {
                    repeats += 1;
                    let pause = FIRST_PAUSE.saturating_mul(1 << repeats);
                    tokio::time::sleep(pause.mul_f64(0.5 + random() / 2.0)).await;
                }
                _ => {
                    self.pace().passed(now);
                    return answer;
                }
            }
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // A panic cannot leave it half changed in a way that matters.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure may pass by itself.
fn passes(kind: ApiErrorKind) -> bool {
    matches!(kind, ApiErrorKind::Network | ApiErrorKind::Service)
}

/// A number from 0 to 1 that is another one each time, so that queues do not call in step.
fn random() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    /// A bucket as AWS keeps them.
    struct Bucket {
        per_second: f64,
        burst: f64,
        tokens: f64,
        at: Duration,
    }

    impl Bucket {
        fn admits(&mut self, now: Duration) -> bool {
            let earned = (now - self.at).as_secs_f64() * self.per_second;
            self.tokens = (self.tokens + earned).min(self.burst);
            self.at = now;
            let admitted = self.tokens >= 1.0;
            self.tokens -= f64::from(u8::from(admitted));
            admitted
        }
    }

    /// Time that `calls` take one after the other against a bucket, and how many were refused. Each takes 80 ms.
    fn took(calls: u32, per_second: f64, burst: f64) -> (Duration, u32) {
        let mut bucket = Bucket { per_second, burst, tokens: burst, at: Duration::ZERO };
        let (mut pace, mut now) = (Pace::default(), Duration::ZERO);
        let (mut made, mut refused) = (0, 0);
        while made < calls {
            now = pace.turn(now);
            let began = now;
            let admitted = bucket.admits(now);
            now += Duration::from_millis(80);
            if admitted {
                pace.passed(now);
                made += 1;
            } else {
                refused += 1;
                assert!(pace.refused(began, now, 0.5));
            }
        }
        (now, refused)
    }

    #[test]
    fn a_rate_is_learned_and_nearly_used_up() {
        for (per_second, burst) in [(1.0, 3.0), (2.0, 2.0), (5.0, 5.0), (10.0, 10.0)] {
            let calls = 60;
            let (time, refused) = took(calls, per_second, burst);
            let dictated =
                Duration::from_secs_f64((f64::from(calls) - burst) / per_second) + Duration::from_millis(80);
            let ratio = time.as_secs_f64() / dictated.max(Duration::from_millis(80 * 60)).as_secs_f64();
            assert!(ratio < 1.15, "{per_second}/s: {ratio:.3}");
            assert!(refused < calls / 2, "{per_second}/s: {refused} refused of {calls}");
        }
    }

    #[test]
    fn without_refusals_there_is_no_pause_and_one_that_ends_is_forgotten() {
        assert_eq!(took(20, 1000.0, 1000.0), (Duration::from_millis(1600), 0));
        let mut pace = Pace { spacing: Duration::from_secs(1), ..Pace::default() };
        for turn in 0..120 {
            pace.passed(Duration::from_secs(turn));
        }
        assert_eq!(pace.spacing, Duration::ZERO);
    }

    #[test]
    fn pauses_grow_and_patience_ends() {
        let mut pace = Pace::default();
        let mut now = Duration::ZERO;
        let mut pauses = Vec::new();
        while pace.refused(now, now, 1.0) {
            let next = pace.turn(now);
            pauses.push(next - now);
            now = next;
        }
        assert!(pauses.is_sorted() && pauses[0] == FIRST_PAUSE, "{pauses:?}");
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
        assert!(now >= PATIENCE && now < PATIENCE + 2 * LONGEST_PAUSE);
    }

    #[test]
    fn calls_that_were_under_way_together_pause_once() {
        let ms = Duration::from_millis;
        let mut pace = Pace::default();
        for answered in [80, 81, 82, 83] {
            assert!(pace.refused(ms(0), ms(answered), 1.0));
        }
        assert_eq!(pace.turn(ms(83)), ms(80) + FIRST_PAUSE);
        assert!(pace.refused(ms(180), ms(260), 1.0));
        assert_eq!(pace.turn(ms(260)), ms(260) + 2 * FIRST_PAUSE);
    }

    #[tokio::test]
    async fn failures_that_may_pass_are_repeated_and_others_are_not() {
        let failing = |kind| ApiError {
            operation: "DescribeInstances",
            kind,
            code: None,
            message: String::new(),
            request_id: None,
            never_sent: false,
        };
        let queue = CallQueue::default();
        for (kind, made) in [(ApiErrorKind::Network, 1 + REPEATS), (ApiErrorKind::AccessDenied, 1)] {
            let mut count = 0;
            let answer = queue
                .make(|| {
                    count += 1;
                    ready(Err::<(), _>(failing(kind)))
                })
                .await;
            assert_eq!((answer.map_err(|error| error.kind), count), (Err(kind), made));
        }
        let mut count = 0;
        let answer = queue
            .make(|| {
                count += 1;
                ready(if count < 3 { Err(failing(ApiErrorKind::Throttled)) } else { Ok(count) })
            })
            .await;
        assert_eq!(answer, Ok(3));
    }
}
