//! The one place of a session that reads clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleetline_protocol::Moment;
use tokio::time::Instant;

/// A session's time axis: durations since it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn moment(&self) -> Moment {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment::new(self.elapsed(), u64::try_from(unix.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn instant(&self, at: Duration) -> Instant {
        self.start + at
    }

    /// The wall clock at a point of the axis, as the wall clock goes now.
    pub(crate) fn wall(&self, at: Duration) -> SystemTime {
        let (now, wall) = (self.elapsed(), SystemTime::now());
        if at >= now { wall + (at - now) } else { wall.checked_sub(now - at).unwrap_or(UNIX_EPOCH) }
    }
}
