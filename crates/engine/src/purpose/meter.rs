//! How much a lane carries, measured while there is traffic: nothing here is timed when there is none.

use std::time::Duration;

use crate::forward::Load;

const WINDOW: Duration = Duration::from_millis(250);

/// Counts of the running window.
#[derive(Debug, Default)]
pub(super) struct Meter {
    began: Duration,
    messages: u32,
    up: u64,
    down: u64,
}

impl Meter {
    /// A message of the agent with that many payload bytes.
    pub(super) fn down(&mut self, now: Duration, bytes: usize) {
        self.begin(now);
        self.messages = self.messages.saturating_add(1);
        self.down += bytes as u64;
    }

    /// Payload bytes for the agent.
    pub(super) fn up(&mut self, now: Duration, bytes: usize) {
        self.begin(now);
        self.up += bytes as u64;
    }

    fn begin(&mut self, now: Duration) {
        if self.messages == 0 && self.up == 0 {
            self.began = now;
        }
    }

    /// The load, once a window with traffic is over.
    pub(super) fn poll(&mut self, now: Duration) -> Option<Load> {
        let lasted = now.saturating_sub(self.began);
        if (self.messages == 0 && self.up == 0) || lasted < WINDOW {
            return None;
        }
        let per_second = |count: u64| (count as f64 / lasted.as_secs_f64()) as u64;
        let load = Load {
            messages_per_s: u32::try_from(per_second(self.messages.into())).unwrap_or(u32::MAX),
            rate_up: per_second(self.up),
            rate_down: per_second(self.down),
            busy_flows: 0,
        };
        *self = Self::default();
        Some(load)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_with_traffic_and_gives_rates() {
        let ms = Duration::from_millis;
        let mut meter = Meter::default();
        assert_eq!(meter.poll(ms(5000)), None);
        for i in 0..200 {
            meter.down(ms(10_000 + i), 1000);
        }
        assert_eq!(meter.poll(ms(10_199)), None);
        let load = meter.poll(ms(10_250)).unwrap();
        assert_eq!((load.messages_per_s, load.rate_down, load.rate_up), (800, 800_000, 0));
        assert_eq!(meter.poll(ms(20_000)), None);
    }
}
