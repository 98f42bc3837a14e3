//! The lanes of one destination, and the flows that wait for them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::end::{FlowEnd, LaneEnd};
use super::goal::Goal;
use super::lanes::Lanes;
use super::pipe::{DownEnd, Pipe};

/// A flow without a lane.
pub(super) struct Waiting {
    pub(super) pipe: Arc<Pipe>,
    pub(super) since: Duration,
}

/// What carries the flows of one destination.
pub(super) struct Group {
    pub(super) goal: Arc<Goal>,
    pub(super) lanes: Lanes,
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) last_end: Option<LaneEnd>,
    /// Whether the last lane failed and none has opened since.
    pub(super) is_failing: bool,
}

impl Group {
    pub(super) fn new(goal: Arc<Goal>, lanes: Lanes) -> Self {
        Self { goal, lanes, waiting: VecDeque::new(), last_end: None, is_failing: false }
    }

    /// Cuts all that wait.
    pub(super) fn give_up(&mut self, end: &LaneEnd) {
        for flow in self.waiting.drain(..) {
            flow.pipe.end_down(DownEnd::cut(FlowEnd::NoLane(end.clone())));
        }
    }

    /// Whether a flow waits that only a new lane can carry.
    pub(super) fn needs_lane(&self, now: Duration) -> bool {
        !self.waiting.is_empty() && self.lanes.wants_start(now)
    }
}
