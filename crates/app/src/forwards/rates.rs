//! How fast a forward moves bytes, second by second.

use std::collections::VecDeque;
use std::time::Duration;

use fleetline_engine::forward::ForwardTotals;
use tokio::time::Instant;

/// Seconds remembered.
const REMEMBERED: usize = 60;
/// One sample.
const STEP: Duration = Duration::from_secs(1);

/// Bytes per second of the last minute. Nothing is sampled while nothing moves.
#[derive(Debug)]
pub(super) struct Rates {
    down: u64,
    up: u64,
    /// When the last sample was taken; `None` while nothing is sampled.
    at: Option<Instant>,
    recent: VecDeque<(f64, f64)>,
}

impl Rates {
    pub(super) fn new() -> Self {
        Self { down: 0, up: 0, at: None, recent: VecDeque::new() }
    }

    /// Begins to sample when there is something to be seen.
    pub(super) fn look(&mut self, totals: &ForwardTotals, flows: usize, now: Instant) {
        let has_moved = (totals.bytes_down, totals.bytes_up) != (self.down, self.up);
        if self.at.is_none() && (flows > 0 || has_moved) {
            self.at = Some(now);
        }
    }

    /// When the next sample is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.at.map(|at| at + STEP)
    }

    pub(super) fn sample(&mut self, totals: &ForwardTotals, flows: usize, now: Instant) {
        let Some(at) = self.at else { return };
        let seconds = now.duration_since(at).as_secs_f64().max(0.001);
        let rate = |new: u64, old: u64| new.saturating_sub(old) as f64 / seconds;
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((rate(totals.bytes_down, self.down), rate(totals.bytes_up, self.up)));
        (self.down, self.up, self.at) = (totals.bytes_down, totals.bytes_up, Some(now));
        if flows == 0 && self.recent.iter().all(|(down, up)| *down == 0.0 && *up == 0.0) {
            self.recent.clear();
            self.at = None;
        }
    }

    pub(super) fn last(&self) -> (f64, f64) {
        self.recent.back().copied().unwrap_or_default()
    }

    pub(super) fn recent_down(&self) -> Vec<f64> {
        self.recent.iter().map(|(down, _)| *down).collect()
    }

    pub(super) fn recent_up(&self) -> Vec<f64> {
        self.recent.iter().map(|(_, up)| *up).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(bytes_down: u64, bytes_up: u64) -> ForwardTotals {
        ForwardTotals { bytes_down, bytes_up, ..ForwardTotals::default() }
    }

    #[test]
    fn a_minute_is_remembered_and_then_nothing_is_sampled() {
        let mut rates = Rates::new();
        let mut now = Instant::now();
        rates.look(&totals(0, 0), 0, now);
        assert_eq!(rates.due(), None);
        rates.look(&totals(500, 20), 0, now);
        assert_eq!(rates.due(), Some(now + STEP));
        now += STEP;
        rates.sample(&totals(1000, 20), 0, now);
        assert_eq!(rates.last(), (1000.0, 20.0));
        for _ in 0..REMEMBERED {
            assert!(rates.due().is_some());
            now += STEP;
            rates.sample(&totals(1000, 20), 0, now);
        }
        assert_eq!((rates.due(), rates.recent_down().len(), rates.last()), (None, 0, (0.0, 0.0)));
    }

    #[test]
    fn an_open_connection_that_moves_nothing_is_still_watched() {
        let mut rates = Rates::new();
        let now = Instant::now();
        rates.look(&totals(0, 0), 1, now);
        rates.sample(&totals(0, 0), 1, now + STEP);
        assert_eq!(rates.due(), Some(now + STEP + STEP));
        assert_eq!(rates.recent_up(), [0.0]);
    }
}
