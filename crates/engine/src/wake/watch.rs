//! Whether the computer slept, from two readings of its clocks.

use std::time::Duration;

use super::os::Sample;

/// How often the clocks are compared.
pub(super) const TICK: Duration = Duration::from_secs(5);
/// Clocks that differ by less were read at slightly different moments.
const SLEPT_FROM: Duration = Duration::from_secs(2);
/// A comparison that is late by this much while the computer was awake: the program was stopped, or its computer's
/// clock counts sleep as well.
const STOPPED_FROM: Duration = Duration::from_secs(15);

/// The clocks as they were seen last.
#[derive(Debug)]
pub(super) struct SleepWatch {
    last: Sample,
}

impl SleepWatch {
    pub(super) fn new(now: Sample) -> Self {
        Self { last: now }
    }

    /// How long the program did not run since the last look, if it was long enough to matter.
    pub(super) fn look(&mut self, now: Sample) -> Option<Duration> {
        let awake = now.awake.saturating_sub(self.last.awake);
        let total = now.total.saturating_sub(self.last.total);
        self.last = now;
        let slept = total.saturating_sub(awake);
        let stopped = awake.saturating_sub(TICK);
        if slept < SLEPT_FROM && stopped < STOPPED_FROM {
            return None;
        }
        Some(slept.max(stopped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(awake: u64, total: u64) -> Sample {
        Sample { awake: Duration::from_secs(awake), total: Duration::from_secs(total) }
    }

    #[test]
    fn sleep_is_what_one_clock_has_and_the_other_has_not() {
        let mut watch = SleepWatch::new(sample(100, 500));
        assert_eq!(watch.look(sample(105, 505)), None);
        assert_eq!(watch.look(sample(110, 511)), None, "read at different moments");
        assert_eq!(watch.look(sample(111, 2311)), Some(Duration::from_secs(1799)));
        assert_eq!(watch.look(sample(116, 2316)), None);
    }

    #[test]
    fn a_stopped_program_counts_as_asleep_and_a_busy_one_does_not() {
        let mut watch = SleepWatch::new(sample(0, 0));
        assert_eq!(watch.look(sample(12, 12)), None);
        assert_eq!(watch.look(sample(1812, 1812)), Some(Duration::from_secs(1795)));
        assert_eq!(watch.look(sample(1813, 1813)), None);
    }

    #[test]
    fn clocks_that_go_back_are_no_sleep() {
        let mut watch = SleepWatch::new(sample(100, 100));
        assert_eq!(watch.look(sample(50, 40)), None);
    }
}
