//! Request rates: a bucket for each operation, account and Region (aws-security-reliability.md 0.6 and A.7).

use std::collections::HashMap;
use std::time::Instant;

use crate::config::CallRate;

/// How fast an operation may be called.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    per_second: f64,
    /// Calls at once, after a pause.
    burst: f64,
}

const fn rate(per_second: f64) -> Rate {
    Rate { per_second, burst: per_second }
}

/// Published rates of session calls; a bucket holds one second of them.
const PUBLISHED: &[(&str, Rate)] = &[
    ("StartSession", rate(3.0)),
    ("ResumeSession", rate(6.0)),
    ("TerminateSession", rate(6.0)),
    ("DescribeSessions", rate(6.0)),
    ("GetConnectionStatus", rate(50.0)),
    ("LookupEvents", rate(2.0)),
];

/// Rates that nobody publishes for these calls. They are ours, low enough to show a client that does not pace itself.
const ASSUMED: &[(&str, Rate)] = &[
    ("DescribeInstances", Rate { per_second: 20.0, burst: 100.0 }),
    ("GetCallerIdentity", rate(50.0)),
    ("UpdateServiceSetting", rate(1.0)),
    ("ResetServiceSetting", rate(1.0)),
];

/// Rate of every other call, assumed as well: the inventory calls are among them.
const OTHER: Rate = rate(10.0);

/// The buckets.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    /// Rates that are other than the published and assumed ones.
    own: Vec<CallRate>,
    buckets: HashMap<(usize, String, String), Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// Buckets at most; operations and Regions are names from outside.
const MOST: usize = 4096;

impl Quotas {
    /// With these rates instead of the published and assumed ones.
    pub(crate) fn new(own: Vec<CallRate>) -> Self {
        Self { own, ..Self::default() }
    }

    /// Whether the call is within its rate; if so it counts.
    pub(crate) fn admit(&mut self, now: Instant, account: usize, region: &str, operation: &str) -> bool {
        let known = PUBLISHED.iter().chain(ASSUMED).find(|(name, _)| *name == operation);
        let own = self.own.iter().find(|rate| rate.operation == operation);
        let rate = match own {
            Some(own) => Rate { per_second: own.per_second, burst: own.burst },
            None => known.map_or(OTHER, |(_, rate)| *rate),
        };
        if self.buckets.len() >= MOST {
            self.buckets.retain(|_, bucket| now.saturating_duration_since(bucket.filled).as_secs() < 60);
        }
        let key = (account, region.to_owned(), operation.to_owned());
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: rate.burst, filled: now });
        let earned = now.saturating_duration_since(bucket.filled).as_secs_f64() * rate.per_second;
        bucket.tokens = (bucket.tokens + earned).min(rate.burst);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Quotas;

    /// Calls admitted of one every millisecond for `seconds`.
    fn admitted(operation: &str, seconds: u64) -> u64 {
        let began = Instant::now();
        let mut quotas = Quotas::default();
        (0..seconds * 1000)
            .filter(|ms| quotas.admit(began + Duration::from_millis(*ms), 0, "eu-west-1", operation))
            .count() as u64
    }

    #[test]
    fn operations_have_their_published_rates() {
        for (operation, per_second) in [
            ("StartSession", 3),
            ("ResumeSession", 6),
            ("TerminateSession", 6),
            ("DescribeSessions", 6),
            ("GetConnectionStatus", 50),
            ("DescribeInstanceInformation", 10),
        ] {
            let count = admitted(operation, 10);
            assert!(count.abs_diff(per_second * 11) <= 1, "{operation}: {count} in ten seconds");
        }
        assert!(admitted("DescribeInstances", 10).abs_diff(300) <= 1, "100 at once and 20 a second");
    }

    #[test]
    fn accounts_regions_and_operations_have_buckets_of_their_own() {
        let now = Instant::now();
        let mut quotas = Quotas::default();
        while quotas.admit(now, 0, "eu-west-1", "StartSession") {}
        assert!(quotas.admit(now, 1, "eu-west-1", "StartSession"));
        assert!(quotas.admit(now, 0, "eu-west-2", "StartSession"));
        assert!(quotas.admit(now, 0, "eu-west-1", "ResumeSession"));
    }

    #[test]
    fn made_up_names_do_not_pile_up() {
        let began = Instant::now();
        let mut quotas = Quotas::default();
        for n in 0..20_000_u64 {
            let now = began + Duration::from_millis(n * 20);
            assert!(quotas.admit(now, 0, "eu-west-1", &n.to_string()));
        }
        assert!(quotas.buckets.len() <= super::MOST + 1);
    }
}
