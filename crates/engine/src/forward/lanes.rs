//! How many lanes a forward has and which of them takes a flow: decisions without clock, session or socket. Times are
//! durations since any fixed start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::request::LanePolicy;
use super::snapshot::{LaneId, LaneMode};

/// What a lane measured is not believed for longer.
const FRESH: Duration = Duration::from_secs(1);
/// How long all lanes may be away until another one is started beside them.
const AWAY_PATIENCE: Duration = Duration::from_secs(3);
/// Pause after a lane that failed, doubling with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a lane measured lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Messages of the agent per second.
    pub(crate) messages_per_s: u32,
    /// Payload bytes per second.
    pub(crate) rate_up: u64,
    pub(crate) rate_down: u64,
    /// Flows that had traffic.
    pub(crate) busy_flows: usize,
}

/// Where a flow goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// To this lane.
    Lane(LaneId),
    /// It waits for a lane.
    Wait,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start a lane of that name.
    Start(LaneId),
    /// End this lane, which has no flows.
    Retire(LaneId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Open {
        mode: LaneMode,
    },
    /// Being resumed since then.
    Away {
        mode: LaneMode,
        since: Duration,
    },
    /// No flow is given to it any more.
    Leaving,
}

#[derive(Debug)]
struct Lane {
    phase: Phase,
    flows: usize,
    idle_since: Duration,
    load: Load,
    measured: Option<Duration>,
    /// A local program that does not read holds it back, or soon will.
    is_held: bool,
    /// The node has owed it an answer for a while.
    is_unanswered: bool,
    /// Flows given to it since it was measured: busy until proven otherwise.
    fresh_flows: usize,
}

/// The lanes of a forward.
#[derive(Debug)]
pub(crate) struct Lanes {
    policy: LanePolicy,
    lanes: BTreeMap<LaneId, Lane>,
    /// The next name; shared by all lanes of a forward.
    names: Arc<AtomicU32>,
    /// Whether lanes are wanted without a flow that waits.
    is_wanted: bool,
    /// Whether lanes that end are replaced at once.
    is_kept: bool,
    waiting: usize,
    failures: u32,
    /// No lane is started before.
    not_before: Duration,
    /// When one was started last.
    started: Option<Duration>,
}

impl Lanes {
    #[cfg(test)]
    pub(crate) fn new(policy: LanePolicy, is_wanted: bool, is_kept: bool) -> Self {
        Self::named_by(Arc::default(), policy, is_wanted, is_kept)
    }

    /// No lanes yet; those to come are named by `names`.
    pub(crate) fn named_by(
        names: Arc<AtomicU32>,
        policy: LanePolicy,
        is_wanted: bool,
        is_kept: bool,
    ) -> Self {
        let policy = LanePolicy { max: policy.max.max(policy.min).max(1), ..policy };
        Self {
            policy,
            lanes: BTreeMap::new(),
            names,
            is_wanted: is_wanted || is_kept,
            is_kept,
            waiting: 0,
            failures: 0,
            not_before: Duration::ZERO,
            started: None,
        }
    }

    /// Somebody wants a lane: a flow, or a person.
    pub(crate) fn want(&mut self) {
        self.is_wanted = true;
    }

    /// A person wants an attempt now.
    pub(crate) fn retry_now(&mut self) {
        self.is_wanted = true;
        self.failures = 0;
        self.not_before = Duration::ZERO;
    }

    /// How many flows wait for a lane. A new one makes an attempt worth while even during a pause, once a second.
    pub(crate) fn set_waiting(&mut self, now: Duration, waiting: usize) {
        if waiting > self.waiting {
            let soonest = self.started.map_or(Duration::ZERO, |at| at + FIRST_PAUSE);
            self.not_before = self.not_before.min(soonest.max(now.min(self.not_before)));
        }
        self.waiting = waiting;
    }

    /// Where a flow that has waited for `waited` goes now.
    pub(crate) fn place(&self, now: Duration, waited: Duration) -> Placement {
        let best = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.takes_flows())
            .min_by_key(|(id, lane)| (lane.cost(&self.policy, now), **id));
        let Some((id, lane)) = best else { return Placement::Wait };
        let is_starting = self.lanes.values().any(|lane| lane.phase == Phase::Starting);
        if lane.is_unanswered && (is_starting || self.wants_more(now)) {
            // Its node may be dead, and a flow does not move.
            return Placement::Wait;
        }
        let is_poor = lane.is_saturated(&self.policy, now) || lane.flows >= self.policy.flows_per_lane;
        if is_poor && (is_starting || self.wants_more(now)) && waited < self.policy.wait_for_lane {
            return Placement::Wait;
        }
        Placement::Lane(*id)
    }

    /// A flow was given to a lane.
    pub(crate) fn placed(&mut self, id: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.flows += 1;
            lane.fresh_flows += 1;
        }
    }

    /// A flow of a lane is over.
    pub(crate) fn flow_ended(&mut self, now: Duration, id: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.flows = lane.flows.saturating_sub(1);
            lane.fresh_flows = lane.fresh_flows.min(lane.flows);
            lane.idle_since = now;
        }
    }

    /// A lane runs, for the first time or again.
    pub(crate) fn opened(&mut self, now: Duration, id: LaneId, mode: LaneMode) {
        self.failures = 0;
        self.not_before = Duration::ZERO;
        if let Some(lane) = self.lanes.get_mut(&id).filter(|lane| lane.phase != Phase::Leaving) {
            lane.phase = Phase::Open { mode };
            lane.idle_since = lane.idle_since.max(now);
        }
    }

    /// A lane has lost its socket and is being resumed.
    pub(crate) fn away(&mut self, now: Duration, id: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&id)
            && let Phase::Open { mode } = lane.phase
        {
            lane.phase = Phase::Away { mode, since: now };
        }
    }

    /// A lane is over. `failed`: other than by its idle time-out or by being retired.
    pub(crate) fn ended(&mut self, now: Duration, id: LaneId, failed: bool) {
        self.lanes.remove(&id);
        if failed {
            let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
            self.failures = self.failures.saturating_add(1);
            self.not_before = now + pause;
        }
        self.is_wanted = self.is_kept || (self.is_wanted && self.waiting > 0);
    }

    /// A lane has measured itself.
    pub(crate) fn measured(&mut self, now: Duration, id: LaneId, load: Load) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.load = load;
            lane.measured = Some(now);
            lane.fresh_flows = 0;
        }
    }

    /// A lane is held back by a local program that does not read, or is not any more.
    pub(crate) fn held(&mut self, id: LaneId, is_held: bool) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.is_held = is_held;
        }
    }

    /// The node has owed a lane an answer for a while, or has answered.
    pub(crate) fn unanswered(&mut self, id: LaneId, is_unanswered: bool) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.is_unanswered = is_unanswered;
        }
    }

    /// Whether a lane would be started now.
    pub(crate) fn wants_start(&self, now: Duration) -> bool {
        now >= self.not_before && self.wants_more(now)
    }

    /// Since when the lane that has been idle for longest has had no flow.
    pub(crate) fn idle_since(&self) -> Option<Duration> {
        self.lanes.values().filter_map(|lane| lane.retires_at(Duration::ZERO)).min()
    }

    /// Gives up the lane that has been idle for longest, to be retired.
    pub(crate) fn give_up_idle(&mut self) -> Option<LaneId> {
        let idle = self.lanes.iter_mut().filter(|(_, lane)| lane.retires_at(Duration::ZERO).is_some());
        let (id, lane) = idle.min_by_key(|(_, lane)| lane.idle_since)?;
        lane.phase = Phase::Leaving;
        Some(*id)
    }

    /// Whether nothing would be lost by forgetting these lanes: there is none, none is wanted, and no pause runs.
    pub(crate) fn is_forgettable(&self, now: Duration) -> bool {
        self.lanes.is_empty() && self.waiting == 0 && !self.is_wanted && now >= self.not_before
    }

    /// What is to be done now. Call until `None`.
    #[cfg(test)]
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Action> {
        self.poll_within(now, true)
    }

    /// What is to be done now, without starting a lane unless there is room for one. Call until `None`.
    pub(crate) fn poll_within(&mut self, now: Duration, has_room: bool) -> Option<Action> {
        if has_room && self.wants_start(now) {
            let id = LaneId(self.names.fetch_add(1, Ordering::Relaxed));
            let lane = Lane {
                phase: Phase::Starting,
                flows: 0,
                idle_since: now,
                load: Load::default(),
                measured: None,
                is_held: false,
                is_unanswered: false,
                fresh_flows: 0,
            };
            self.lanes.insert(id, lane);
            self.started = Some(now);
            return Some(Action::Start(id));
        }
        let retire_after = self.retire_after()?;
        // The newest go first: the oldest has proven itself.
        let (id, lane) = self
            .lanes
            .iter_mut()
            .rev()
            .find(|(_, lane)| lane.retires_at(retire_after).is_some_and(|at| at <= now))?;
        lane.phase = Phase::Leaving;
        let id = *id;
        if self.present() < self.policy.min {
            self.is_wanted = false;
        }
        Some(Action::Retire(id))
    }

    /// When to poll again at the latest.
    pub(crate) fn deadline(&self, now: Duration) -> Option<Duration> {
        let start = (now < self.not_before && self.wants_more(now)).then_some(self.not_before);
        let after = self.retire_after();
        let retire = self.lanes.values().filter_map(|lane| lane.retires_at(after?)).min();
        let beside = self
            .lanes
            .values()
            .filter(|_| self.waiting > 0)
            .filter_map(|lane| match lane.phase {
                Phase::Away { since, .. } => Some(since + AWAY_PATIENCE).filter(|at| *at > now),
                _ => None,
            })
            .min();
        [start, retire, beside].into_iter().flatten().min()
    }

    /// How long a lane may be idle now until it is retired; `None` when none is.
    fn retire_after(&self) -> Option<Duration> {
        if self.waiting > 0 {
            return None;
        }
        if self.present() > self.policy.min {
            return Some(self.policy.retire_after);
        }
        self.policy.retire_last_after.filter(|_| !self.is_kept)
    }

    /// When the next attempt begins, if a pause holds it back.
    pub(crate) fn next_try(&self, now: Duration) -> Option<Duration> {
        (now < self.not_before && self.wants_more(now)).then_some(self.not_before)
    }

    pub(crate) fn is_saturated(&self, now: Duration, id: LaneId) -> bool {
        self.lanes.get(&id).is_some_and(|lane| lane.is_saturated(&self.policy, now))
    }

    fn present(&self) -> usize {
        self.lanes.values().filter(|lane| lane.phase != Phase::Leaving).count()
    }

    fn wants_more(&self, now: Duration) -> bool {
        let present = self.present();
        if present >= self.policy.max {
            return false;
        }
        let flows: usize = self.lanes.values().map(|lane| lane.flows).sum::<usize>() + self.waiting;
        if present < self.policy.min.max(1) {
            return self.is_wanted || flows > 0;
        }
        let is_starting = self.lanes.values().any(|lane| lane.phase == Phase::Starting);
        let is_basic = |lane: &&Lane| {
            matches!(
                lane.phase,
                Phase::Open { mode: LaneMode::Basic } | Phase::Away { mode: LaneMode::Basic, .. }
            )
        };
        if self.waiting > 0 && !is_starting && self.lanes.values().any(|lane| is_basic(&lane)) {
            // One flow a lane: what waits needs another one.
            return true;
        }
        if flows > present.saturating_mul(self.policy.flows_per_lane.max(1)) {
            return true;
        }
        let all_away = !is_starting
            && self.lanes.values().all(|lane| match lane.phase {
                Phase::Away { since, .. } => now >= since + AWAY_PATIENCE,
                Phase::Open { .. } => lane.is_unanswered,
                Phase::Starting => false,
                Phase::Leaving => true,
            });
        if self.waiting > 0 && all_away {
            return true;
        }
        let open: Vec<&Lane> = self.lanes.values().filter(|lane| lane.takes_flows()).collect();
        let busy: usize = open.iter().map(|lane| lane.busy(now)).sum::<usize>() + self.waiting;
        !is_starting
            && !open.is_empty()
            && busy > present
            && open.iter().all(|lane| lane.is_saturated(&self.policy, now) || lane.is_held)
    }
}

impl Lane {
    fn takes_flows(&self) -> bool {
        match self.phase {
            Phase::Open { mode: LaneMode::Mux } => true,
            Phase::Open { mode: LaneMode::Basic } => self.flows == 0,
            Phase::Starting | Phase::Away { .. } | Phase::Leaving => false,
        }
    }

    fn is_fresh(&self, now: Duration) -> bool {
        self.measured.is_some_and(|at| now.saturating_sub(at) <= FRESH)
    }

    fn is_saturated(&self, policy: &LanePolicy, now: Duration) -> bool {
        self.is_fresh(now) && self.load.messages_per_s >= policy.saturated_at
    }

    fn busy(&self, now: Duration) -> usize {
        let measured = if self.is_fresh(now) { self.load.busy_flows } else { 0 };
        (measured + self.fresh_flows).min(self.flows)
    }

    /// Least first.
    fn cost(&self, policy: &LanePolicy, now: Duration) -> (bool, bool, bool, usize, usize) {
        (self.is_unanswered, self.is_held, self.is_saturated(policy, now), self.busy(now), self.flows)
    }

    fn retires_at(&self, after: Duration) -> Option<Duration> {
        let is_idle = self.flows == 0 && matches!(self.phase, Phase::Open { .. } | Phase::Away { .. });
        is_idle.then(|| self.idle_since + after)
    }
}

#[cfg(test)]
mod tests {
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
}
