//! Round trip time and retransmission time-out (protocol.md 6.1).

use std::time::Duration;

const INITIAL_RTO: Duration = Duration::from_millis(200);
const MAX_RTO: Duration = Duration::from_secs(1);
const GRANULARITY_NS: f64 = 10e6;

/// Smoothed round trip time and its variation, in nanoseconds as the official peers keep them.
#[derive(Debug)]
pub(super) struct RoundTrip {
    smoothed_ns: f64,
    variation_ns: f64,
    rto: Duration,
    /// Doublings of the time-out since the last sample: without samples a time-out below the true round trip
    /// would never grow, because retransmitted messages give none (Karn).
    backoff: u32,
}

impl RoundTrip {
    pub(super) fn new() -> Self {
        Self { smoothed_ns: 100e6, variation_ns: 0.0, rto: INITIAL_RTO, backoff: 0 }
    }

    /// A message that was sent once was acknowledged after `sample`.
    pub(super) fn sample(&mut self, sample: Duration) {
        let sample_ns = sample.as_nanos() as f64;
        self.variation_ns = 0.75 * self.variation_ns + 0.25 * (self.smoothed_ns - sample_ns).abs();
        self.smoothed_ns = 0.875 * self.smoothed_ns + 0.125 * sample_ns;
        let rto_ns = self.smoothed_ns + GRANULARITY_NS.max(4.0 * self.variation_ns);
        self.rto = Duration::from_nanos(rto_ns as u64).min(MAX_RTO);
        self.backoff = 0;
    }

    pub(super) fn timed_out(&mut self) {
        self.backoff = self.backoff.saturating_add(1);
    }

    pub(super) fn smoothed(&self) -> Duration {
        Duration::from_nanos(self.smoothed_ns as u64)
    }

    /// The current time-out, at most 1 s.
    pub(super) fn rto(&self) -> Duration {
        self.rto.saturating_mul(2u32.saturating_pow(self.backoff)).min(MAX_RTO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_give_the_time_outs_of_the_official_peers() {
        let mut round_trip = RoundTrip::new();
        assert_eq!(round_trip.rto(), Duration::from_millis(200));
        let expected = [(50, 143_750_000), (120, 160_781_250), (400, 485_683_593), (900, 1_000_000_000)];
        for (sample_ms, rto_ns) in expected {
            round_trip.sample(Duration::from_millis(sample_ms));
            assert_eq!(round_trip.rto(), Duration::from_nanos(rto_ns), "after {sample_ms} ms");
        }
    }

    #[test]
    fn time_outs_double_up_to_a_second_until_the_next_sample() {
        let mut round_trip = RoundTrip::new();
        let mut seen = Vec::new();
        for _ in 0..4 {
            round_trip.timed_out();
            seen.push(round_trip.rto().as_millis());
        }
        assert_eq!(seen, [400, 800, 1000, 1000]);
        round_trip.sample(Duration::from_millis(50));
        assert_eq!(round_trip.rto(), Duration::from_nanos(143_750_000));
    }
}
