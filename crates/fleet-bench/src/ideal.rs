//! The time that the allowed call rate dictates: what a client that knows the rates would take.

use std::time::Duration;

use crate::world::{HYBRID, LATENCY, NODES, Options};

/// Nodes in a page of DescribeInstanceProperties.
const PAGE: usize = 1_000;
/// Ids in one DescribeInstances.
const CHUNK: usize = 200;

/// What one account-Region takes at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ideal {
    /// Until every page is in and completed by EC2.
    pub(crate) listed: Duration,
    /// Until the tags of hybrid nodes are in as well.
    pub(crate) tagged: Duration,
}

/// When calls that are ready at these times may begin, in order, as a bucket lets them.
fn begins(ready: &[f64], per_second: f64, burst: f64) -> Vec<f64> {
    let (mut tokens, mut at) = (burst, 0.0_f64);
    ready
        .iter()
        .map(|ready| {
            let mut now = ready.max(at);
            tokens = (tokens + (now - at) * per_second).min(burst);
            if tokens < 1.0 {
                let wait = (1.0 - tokens) / per_second;
                now += wait;
                tokens = 1.0;
            }
            tokens -= 1.0;
            at = now;
            now
        })
        .collect()
}

/// Every call takes the latency; each page waits for the one before it.
pub(crate) fn ideal(options: &Options) -> Ideal {
    let [(_, page_rate, page_burst), (_, ec2_rate, ec2_burst), (_, tag_rate, tag_burst)] = options.rates();
    let latency = LATENCY.as_secs_f64();
    let nodes = (options.nodes / crate::world::PLACES).min(NODES);
    let hybrid = HYBRID * nodes / NODES;
    // The identity comes first.
    let mut ready = latency;
    let mut arrivals = Vec::new();
    let pages = nodes.div_ceil(PAGE);
    let mut begun: Vec<f64> = Vec::new();
    for page in 0..pages {
        begun.push(ready);
        ready = begins(&begun, page_rate, page_burst)[page] + latency;
        arrivals.push((ready, PAGE.min(nodes - page * PAGE)));
    }
    let share = |of: usize, count: usize| (of * count).div_ceil(nodes.max(1));
    let of_each = |per_call: usize, of: usize| -> Vec<f64> {
        let calls = |(at, count): &(f64, usize)| vec![*at; share(of, *count).div_ceil(per_call)];
        arrivals.iter().flat_map(calls).collect()
    };
    let last = |ready: &[f64], per_second, burst| {
        begins(ready, per_second, burst).last().map_or(0.0, |begin| begin + latency)
    };
    let listed = last(&of_each(CHUNK, nodes - hybrid), ec2_rate, ec2_burst).max(ready);
    let tagged = last(&of_each(1, hybrid), tag_rate, tag_burst).max(listed);
    Ideal { listed: Duration::from_secs_f64(listed), tagged: Duration::from_secs_f64(tagged) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_pass_and_then_its_rate() {
        assert_eq!(begins(&[0.0, 0.0, 0.0, 0.0], 2.0, 2.0), [0.0, 0.0, 0.5, 1.0]);
        assert_eq!(begins(&[0.0, 0.0, 0.0, 9.0], 2.0, 2.0), [0.0, 0.0, 0.5, 9.0]);
    }

    #[test]
    fn the_default_world_takes_what_its_rates_say() {
        let options = Options { nodes: NODES * crate::world::PLACES, rate: 1.0, directory: None };
        let Ideal { listed, tagged } = ideal(&options);
        // Three pages take a second; twelve DescribeInstances, two at once and two a second, from the first page on.
        assert!((listed.as_secs_f64() - (0.16 + 5.0 + 0.08)).abs() < 0.2, "{listed:?}");
        // 120 of them, ten at once and ten a second, from the first page on.
        assert!((tagged.as_secs_f64() - (0.16 + 11.0 + 0.08)).abs() < 0.2, "{tagged:?}");
    }
}
