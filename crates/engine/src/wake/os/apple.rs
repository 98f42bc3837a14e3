//! CLOCK_MONOTONIC goes on in sleep; the standard library's clock (CLOCK_UPTIME_RAW) does not.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::Sample;

pub(in crate::wake) fn sample() -> Sample {
    static START: OnceLock<Instant> = OnceLock::new();
    let total = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(total.tv_sec).unwrap_or(0);
    Sample {
        awake: START.get_or_init(Instant::now).elapsed(),
        total: Duration::new(seconds, u32::try_from(total.tv_nsec).unwrap_or(0)),
    }
}
