//! StartSession. It has no idempotency token, so it is called again only when nothing can have happened at AWS
//! (REL-07): the request was never sent, or AWS throttled it.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;

use crate::ports::{ApiError, ApiErrorKind};

const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(400);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// How long to wait before calling StartSession again after `error`; `None` when it must not be called again.
/// `attempt` counts the calls made, from 1. About 10 s in all at most.
pub(crate) fn pause_before_retry(attempt: u32, error: &ApiError, rng: &mut SmallRng) -> Option<Duration> {
    let repeatable = error.never_sent || error.kind == ApiErrorKind::Throttled;
    if !repeatable || attempt >= ATTEMPTS {
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
        ] {
            assert_eq!(pause_before_retry(1, &error, &mut rng).is_some(), again, "{error:?}");
        }
    }

    #[test]
    fn repeats_are_bounded_in_number_and_time() {
        let mut rng = SmallRng::seed_from_u64(2);
        let error = error(ApiErrorKind::Throttled, false);
        let pauses: Vec<_> = (1..100).map_while(|n| pause_before_retry(n, &error, &mut rng)).collect();
        assert_eq!(pauses.len(), 5);
        assert!(pauses.iter().sum::<Duration>() < Duration::from_secs(13), "{pauses:?}");
    }
}
