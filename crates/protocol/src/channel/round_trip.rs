//! Round trip time and retransmission time-out (protocol.md 6.1).

use std::time::Duration;

const INITIAL_RTO: Duration = Duration::from_millis(200);
/// What the official peers never exceed.
const OFFICIAL_MAX_RTO: Duration = Duration::from_secs(1);
/// What is never exceeded however long the round trip.
const MAX_RTO: Duration = Duration::from_secs(15);
/// The time-out may be so many round trips. Over a socket hardly anything is lost, while a full buffer on the way
/// makes round trips of seconds; a time-out below them would fill it further.
const MAX_ROUND_TRIPS: u32 = 4;
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
        self.rto = Duration::from_nanos(rto_ns as u64);
        self.backoff = 0;
    }

    pub(super) fn timed_out(&mut self) {
        self.backoff = self.backoff.saturating_add(1);
    }

    pub(super) fn smoothed(&self) -> Duration {
        Duration::from_nanos(self.smoothed_ns as u64)
    }

    /// The current time-out: at most 1 s, or four round trips where those are longer, and never more than 15 s.
    pub(super) fn rto(&self) -> Duration {
        let most = self.smoothed().saturating_mul(MAX_ROUND_TRIPS).clamp(OFFICIAL_MAX_RTO, MAX_RTO);
        self.rto.saturating_mul(2u32.saturating_pow(self.backoff)).min(most)
    }

    /// The time-out of the official peers: at most 1 s, and not doubled.
    pub(super) fn official_rto(&self) -> Duration {
        self.rto.min(OFFICIAL_MAX_RTO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_give_the_time_outs_of_the_official_peers() {
        let mut round_trip = RoundTrip::new();
        assert_eq!(round_trip.rto(), Duration::from_millis(200));
        let expected = [
            (50, 143_750_000),
            (120, 160_781_250),
            (400, 485_683_593),
            (900, 1_000_000_000),
            (30, 1_000_000_000),
        ];
        for (sample_ms, rto_ns) in expected {
            round_trip.sample(Duration::from_millis(sample_ms));
            assert_eq!(round_trip.rto(), Duration::from_nanos(rto_ns), "after {sample_ms} ms");
            assert_eq!(round_trip.official_rto(), round_trip.rto());
        }
    }

    #[test]
    fn time_outs_grow_with_long_round_trips_up_to_fifteen_seconds() {
        let mut round_trip = RoundTrip::new();
        for (sample_s, above_s, below_s) in [(3, 3, 12), (60, 14, 16)] {
            (0..40).for_each(|_| round_trip.sample(Duration::from_secs(sample_s)));
            let rto = round_trip.rto().as_secs();
            assert!((above_s..below_s).contains(&rto), "{rto} s after samples of {sample_s} s");
            assert_eq!(round_trip.official_rto(), Duration::from_secs(1));
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
