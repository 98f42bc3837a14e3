//! One lane among those of a forward: how far it is, what it carries, and what a flow would find on it.

use std::time::Duration;

use super::super::request::LanePolicy;
use super::super::snapshot::LaneMode;

/// What a lane measured is not believed for longer.
const FRESH: Duration = Duration::from_secs(1);

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

/// How far a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
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

/// What is known of a lane.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) phase: Phase,
    pub(super) flows: usize,
    pub(super) idle_since: Duration,
    pub(super) load: Load,
    pub(super) measured: Option<Duration>,
    /// A local program that does not read holds it back, or soon will.
    pub(super) is_held: bool,
    /// The node has owed it an answer for a while.
    pub(super) is_unanswered: bool,
    /// Flows given to it since it was measured: busy until proven otherwise.
    pub(super) fresh_flows: usize,
}

impl Lane {
    /// One that is started now.
    pub(super) fn starting(now: Duration) -> Self {
        Self {
            phase: Phase::Starting,
            flows: 0,
            idle_since: now,
            load: Load::default(),
            measured: None,
            is_held: false,
            is_unanswered: false,
            fresh_flows: 0,
        }
    }

    pub(super) fn takes_flows(&self) -> bool {
        match self.phase {
            Phase::Open { mode: LaneMode::Mux } => true,
            Phase::Open { mode: LaneMode::Basic } => self.flows == 0,
            Phase::Starting | Phase::Away { .. } | Phase::Leaving => false,
        }
    }

    pub(super) fn is_fresh(&self, now: Duration) -> bool {
        self.measured.is_some_and(|at| now.saturating_sub(at) <= FRESH)
    }

    pub(super) fn is_saturated(&self, policy: &LanePolicy, now: Duration) -> bool {
        self.is_fresh(now) && self.load.messages_per_s >= policy.saturated_at
    }

    pub(super) fn busy(&self, now: Duration) -> usize {
        let measured = if self.is_fresh(now) { self.load.busy_flows } else { 0 };
        (measured + self.fresh_flows).min(self.flows)
    }

    /// Least first.
    pub(super) fn cost(&self, policy: &LanePolicy, now: Duration) -> (bool, bool, bool, usize, usize) {
        (self.is_unanswered, self.is_held, self.is_saturated(policy, now), self.busy(now), self.flows)
    }

    pub(super) fn retires_at(&self, after: Duration) -> Option<Duration> {
        let is_idle = self.flows == 0 && matches!(self.phase, Phase::Open { .. } | Phase::Away { .. });
        is_idle.then(|| self.idle_since + after)
    }
}
