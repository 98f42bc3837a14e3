//! Exactly once, in order, whatever the link does.

use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::link::{Outcome, Scenario, Weather, run};

const CALM: Weather = Weather { loss: 0, duplication: 0, garbage: 0, delay_ms: 20, jitter_ms: 0, cuts: 0 };

fn random_bytes(rng: &mut ChaCha12Rng, most: u32) -> Vec<u8> {
    let mut bytes = vec![0; (rng.next_u32() % most + 1) as usize];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn scenario(seed: u64) -> Scenario {
    let mut rng = ChaCha12Rng::seed_from_u64(seed ^ 0x5eed);
    let mut percent = |limit| rng.next_u32() % limit;
    let weather = Weather {
        loss: percent(30),
        duplication: percent(30),
        garbage: percent(10),
        delay_ms: percent(150),
        jitter_ms: percent(200),
        cuts: percent(6),
    };
    Scenario {
        seed,
        weather,
        handshake: seed.is_multiple_of(2),
        sealed: false,
        watches_for: None,
        to_agent: random_bytes(&mut rng, 16_000),
        to_client: random_bytes(&mut rng, 16_000),
    }
}

fn check(scenario: Scenario) -> Outcome {
    let outcome = run(scenario.clone());
    let what = format!("seed {} {:?} took {:?}", scenario.seed, scenario.weather, outcome.took);
    assert!(outcome.at_agent == scenario.to_agent, "{what}: agent got {} bytes", outcome.at_agent.len());
    assert!(outcome.at_client == scenario.to_client, "{what}: client got {} bytes", outcome.at_client.len());
    assert_eq!(outcome.completions, u32::from(scenario.handshake), "{what}");
    outcome
}

#[test]
fn both_directions_arrive_once_and_in_order_over_500_bad_links() {
    let mut totals = [0; 5];
    let mut resumed = 0;
    for seed in 0..500 {
        let outcome = check(scenario(seed));
        for stats in [outcome.client, outcome.agent] {
            let seen =
                [stats.retransmits, stats.duplicates, stats.reordered, stats.over_budget, stats.overflowed];
            totals.iter_mut().zip(seen).for_each(|(total, count)| *total += count);
        }
        resumed += u32::from(outcome.opens > 1);
    }
    let is_bad = totals.iter().all(|total| *total > 0) && resumed > 100;
    assert!(is_bad, "the links were not bad enough: {totals:?}, {resumed} resumed");
}

#[test]
fn runs_repeat_exactly_from_their_seed() {
    let (first, second) = (check(scenario(7)), check(scenario(7)));
    assert_eq!((first.took, first.client, first.agent), (second.took, second.client, second.agent));
}

#[test]
fn a_calm_link_sees_no_retransmission() {
    let mut calm = scenario(11);
    calm.weather = CALM;
    let outcome = check(calm);
    // Before its first `ready` the agent refuses input, so only the agent's direction is free of repeats for sure.
    assert_eq!((outcome.agent.retransmits, outcome.client.duplicates), (0, 0));
}

#[test]
fn a_round_trip_above_the_first_time_out_is_learnt() {
    let mut slow = scenario(12);
    slow.weather = Weather { delay_ms: 300, ..CALM };
    slow.to_client = vec![b'x'; 20_000];
    let outcome = check(slow);
    assert!(outcome.agent.rtt > Duration::from_millis(150), "{:?}", outcome.agent);
    assert!(outcome.agent.retransmits < outcome.agent.acks_in, "{:?}", outcome.agent);
}
