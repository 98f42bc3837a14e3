//! Lanes in virtual time.

use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn lanes(policy: LanePolicy) -> Lanes {
    Lanes::new(policy, false, false)
}

fn start(lanes: &mut Lanes, now: Duration) -> LaneId {
    match lanes.poll(now) {
        Some(Action::Start(id)) => id,
        other => panic!("{other:?}"),
    }
}

fn open(lanes: &mut Lanes, now: Duration) -> LaneId {
    let id = start(lanes, now);
    lanes.opened(now, id, LaneMode::Mux);
    id
}

fn busy(lanes: &mut Lanes, now: Duration, id: LaneId, busy_flows: usize) {
    let load = Load { messages_per_s: 700, busy_flows, ..Load::default() };
    lanes.measured(now, id, load);
}

fn give(lanes: &mut Lanes, now: Duration) -> LaneId {
    let Placement::Lane(id) = lanes.place(now, Duration::ZERO) else { panic!("no lane") };
    lanes.placed(id);
    id
}

#[test]
fn the_first_flow_starts_a_lane_and_an_idle_forward_has_none() {
    let mut lanes = lanes(LanePolicy::default());
    assert_eq!((lanes.poll(ms(0)), lanes.deadline(ms(0))), (None, None));
    lanes.set_waiting(ms(0), 1);
    let id = start(&mut lanes, ms(0));
    assert_eq!((lanes.poll(ms(0)), lanes.place(ms(0), ms(0))), (None, Placement::Wait));
    lanes.opened(ms(900), id, LaneMode::Mux);
    assert_eq!(lanes.place(ms(900), ms(900)), Placement::Lane(id));
}

#[test]
fn a_saturated_lane_with_several_busy_flows_gets_company_and_new_flows_go_there() {
    let mut lanes = lanes(LanePolicy::default());
    lanes.set_waiting(ms(0), 1);
    let first = open(&mut lanes, ms(0));
    lanes.set_waiting(ms(0), 0);
    give(&mut lanes, ms(0));
    busy(&mut lanes, ms(500), first, 1);
    assert_eq!(lanes.poll(ms(500)), None, "one flow gains nothing from a second lane");
    give(&mut lanes, ms(600));
    busy(&mut lanes, ms(750), first, 2);
    let second = start(&mut lanes, ms(750));
    assert_eq!(lanes.place(ms(760), ms(0)), Placement::Wait, "for the lane that is coming");
    assert_eq!(lanes.place(ms(760), ms(800)), Placement::Lane(first), "but not for long");
    lanes.opened(ms(900), second, LaneMode::Mux);
    busy(&mut lanes, ms(900), first, 2);
    assert_eq!(give(&mut lanes, ms(900)), second);
}

#[test]
fn measurements_grow_old() {
    let mut lanes = lanes(LanePolicy::default());
    lanes.set_waiting(ms(0), 1);
    let first = open(&mut lanes, ms(0));
    lanes.set_waiting(ms(0), 0);
    give(&mut lanes, ms(0));
    give(&mut lanes, ms(0));
    busy(&mut lanes, ms(500), first, 2);
    assert!(lanes.is_saturated(ms(1500), first) && !lanes.is_saturated(ms(1501), first));
    assert_eq!(lanes.poll(ms(2000)), None);
}

#[test]
fn many_flows_spread_over_lanes_up_to_the_limit() {
    let mut lanes = lanes(LanePolicy::default());
    lanes.set_waiting(ms(0), 100);
    let ids: Vec<_> = (0..4).map(|_| start(&mut lanes, ms(0))).collect();
    assert_eq!(lanes.poll(ms(0)), None);
    for id in &ids {
        lanes.opened(ms(900), *id, LaneMode::Mux);
    }
    let mut counts = BTreeMap::new();
    for _ in 0..100 {
        *counts.entry(give(&mut lanes, ms(900))).or_insert(0) += 1;
    }
    assert!(counts.len() == 4 && counts.values().all(|count| *count == 25), "{counts:?}");
}

#[test]
fn idle_lanes_beyond_the_least_are_retired_and_the_oldest_stays() {
    let mut lanes = lanes(LanePolicy { min: 1, max: 3, flows_per_lane: 1, ..LanePolicy::default() });
    lanes.set_waiting(ms(0), 3);
    let ids: Vec<_> = (0..3).map(|_| open(&mut lanes, ms(0))).collect();
    lanes.set_waiting(ms(0), 0);
    assert_eq!(lanes.poll(ms(59_999)), None);
    assert_eq!(lanes.deadline(ms(59_999)), Some(ms(60_000)));
    assert_eq!(lanes.poll(ms(60_000)), Some(Action::Retire(ids[2])));
    assert_eq!(lanes.poll(ms(60_000)), Some(Action::Retire(ids[1])));
    assert_eq!((lanes.poll(ms(99_999)), lanes.deadline(ms(99_999))), (None, None));
    lanes.ended(ms(99_999), ids[2], false);
    lanes.ended(ms(99_999), ids[1], false);
    assert_eq!(lanes.poll(ms(99_999)), None);
}

#[test]
fn the_last_lane_is_retired_when_it_may_be_and_the_next_flow_starts_another() {
    let policy = LanePolicy { retire_last_after: Some(ms(900_000)), ..LanePolicy::default() };
    let mut lanes = Lanes::new(policy, true, false);
    let id = open(&mut lanes, ms(0));
    give(&mut lanes, ms(10));
    assert_eq!(lanes.deadline(ms(10)), None, "a flow keeps it");
    lanes.flow_ended(ms(1000), id);
    assert_eq!((lanes.poll(ms(900_999)), lanes.deadline(ms(900_999))), (None, Some(ms(901_000))));
    assert_eq!(lanes.poll(ms(901_000)), Some(Action::Retire(id)));
    assert_eq!(lanes.poll(ms(901_000)), None, "it is not replaced");
    lanes.ended(ms(901_500), id, false);
    assert_eq!((lanes.poll(ms(901_500)), lanes.deadline(ms(901_500))), (None, None));
    lanes.set_waiting(ms(902_000), 1);
    start(&mut lanes, ms(902_000));

    let mut kept = Lanes::new(policy, true, true);
    open(&mut kept, ms(0));
    assert_eq!((kept.poll(ms(2_000_000)), kept.deadline(ms(2_000_000))), (None, None));
}

#[test]
fn failures_are_paused_after_and_a_new_flow_shortens_the_pause_to_a_second() {
    let mut lanes = Lanes::new(LanePolicy::default(), false, true);
    let mut now = ms(0);
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        let id = start(&mut lanes, now);
        lanes.ended(now, id, true);
        assert_eq!(lanes.poll(now), None);
        assert_eq!(lanes.next_try(now), Some(now + Duration::from_secs(pause)));
        now += Duration::from_secs(pause);
    }
    let id = start(&mut lanes, now);
    lanes.ended(now, id, true);
    lanes.set_waiting(now, 1);
    assert_eq!(lanes.next_try(now), Some(now + FIRST_PAUSE));
    lanes.retry_now();
    start(&mut lanes, now);
}

#[test]
fn a_lane_that_is_away_too_long_gets_a_neighbour_only_when_something_waits() {
    let mut lanes = lanes(LanePolicy::default());
    lanes.set_waiting(ms(0), 1);
    let id = open(&mut lanes, ms(0));
    lanes.set_waiting(ms(0), 0);
    lanes.away(ms(1000), id);
    assert_eq!(lanes.poll(ms(60_000)), None);
    lanes.away(ms(1000), id);
    lanes.set_waiting(ms(2000), 1);
    assert_eq!(lanes.place(ms(2000), ms(0)), Placement::Wait);
    assert_eq!((lanes.poll(ms(2000)), lanes.deadline(ms(2000))), (None, Some(ms(4000))));
    start(&mut lanes, ms(4000));
}

#[test]
fn a_lane_whose_node_owes_an_answer_takes_no_flow_while_another_can_be_had() {
    let mut lanes = lanes(LanePolicy { max: 2, ..LanePolicy::default() });
    lanes.set_waiting(ms(0), 1);
    let silent = open(&mut lanes, ms(0));
    give(&mut lanes, ms(0));
    lanes.set_waiting(ms(0), 0);
    lanes.unanswered(silent, true);
    assert_eq!(lanes.poll(ms(5000)), None, "nobody needs one");
    lanes.set_waiting(ms(6000), 1);
    assert_eq!(lanes.place(ms(6000), ms(0)), Placement::Wait);
    let second = start(&mut lanes, ms(6000));
    assert_eq!(lanes.place(ms(6000), ms(3000)), Placement::Wait, "for the one that starts");
    lanes.opened(ms(7000), second, LaneMode::Mux);
    assert_eq!(give(&mut lanes, ms(7000)), second);
    lanes.set_waiting(ms(7000), 0);
    // With no room for a third, the silent one is the last choice and better than none.
    lanes.unanswered(second, true);
    lanes.set_waiting(ms(8000), 1);
    assert_eq!(lanes.poll(ms(8000)), None);
    assert!(matches!(lanes.place(ms(8000), ms(0)), Placement::Lane(_)));
    lanes.unanswered(silent, false);
    assert_eq!(give(&mut lanes, ms(8000)), silent);
}

#[test]
fn a_basic_lane_takes_one_flow_and_the_next_gets_a_lane_of_its_own() {
    let mut lanes = lanes(LanePolicy { max: 2, ..LanePolicy::default() });
    lanes.set_waiting(ms(0), 1);
    let first = start(&mut lanes, ms(0));
    lanes.opened(ms(0), first, LaneMode::Basic);
    assert_eq!(give(&mut lanes, ms(0)), first);
    assert_eq!(lanes.place(ms(0), ms(0)), Placement::Wait);
    let second = start(&mut lanes, ms(0));
    lanes.opened(ms(10), second, LaneMode::Basic);
    assert_eq!(give(&mut lanes, ms(10)), second);
    lanes.set_waiting(ms(10), 1);
    assert_eq!(lanes.poll(ms(10)), None, "the limit");
    lanes.flow_ended(ms(20), first);
    assert_eq!(lanes.place(ms(20), ms(0)), Placement::Lane(first));
}

#[test]
fn a_lane_held_back_by_a_slow_program_is_the_last_choice() {
    let mut lanes = lanes(LanePolicy { min: 2, max: 2, ..LanePolicy::default() });
    lanes.set_waiting(ms(0), 1);
    let held = open(&mut lanes, ms(0));
    let other = open(&mut lanes, ms(0));
    lanes.set_waiting(ms(0), 0);
    lanes.held(held, true);
    for _ in 0..5 {
        assert_eq!(give(&mut lanes, ms(10)), other);
    }
}
