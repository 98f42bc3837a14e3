//! How many lanes a forward has and which of them takes a flow: decisions without clock, session or socket. Times are
//! durations since any fixed start.

mod lane;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::request::LanePolicy;
use super::snapshot::{LaneId, LaneMode};

pub(crate) use lane::Load;
use lane::{Lane, Phase};

/// How long all lanes may be away until another one is started beside them.
const AWAY_PATIENCE: Duration = Duration::from_secs(3);
/// Pause after a lane that failed, doubling with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

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
            self.lanes.insert(id, Lane::starting(now));
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
