//! CLOCK_MONOTONIC stands still in suspend, CLOCK_BOOTTIME does not.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

use super::Sample;

pub(in crate::wake) fn sample() -> Sample {
    Sample {
        awake: duration(clock_gettime(ClockId::Monotonic)),
        total: duration(clock_gettime(ClockId::Boottime)),
    }
}

fn duration(time: Timespec) -> Duration {
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
