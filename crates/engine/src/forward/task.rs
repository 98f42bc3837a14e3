//! The task of a forward: starts and ends lanes, and gives them flows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use fleetline_protocol::LargeMessages;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::end::{FlowEnd, LaneEnd};
use super::lanes::{Action, Lanes, Load, Placement};
use super::pipe::{DownEnd, Inbox, Pipe};
use super::registry::{LaneEntry, Registry};
use super::request::{ForwardOptions, LaneStart};
use super::snapshot::{FlowId, ForwardState, LaneId, LaneMode};
use crate::clock::Clock;
use crate::ports::{ControlPlane, StartSession};
use crate::purpose::{Lane, LaneReport, Purpose};
use crate::session::{self, CloseError, PortMessages, SessionCore, SessionOptions};
use crate::state::{EndReason, ServiceCause, SessionState};

/// What happens to a forward.
#[derive(Debug)]
pub(crate) enum Event {
    /// A flow wants a lane.
    Arrived(Arc<Pipe>),
    /// A flow is over.
    FlowEnded(FlowId),
    /// A session of a lane has another state.
    LaneChanged(LaneId),
    /// A person wants a lane.
    Wanted,
    /// A person wants an attempt now.
    RetryNow,
}

struct LaneHandle {
    core: Arc<SessionCore>,
    inbox: Arc<Inbox>,
    mode: Option<LaneMode>,
}

struct Waiting {
    pipe: Arc<Pipe>,
    since: Duration,
}

pub(super) struct ForwardTask {
    control: Arc<dyn ControlPlane>,
    request: StartSession,
    options: ForwardOptions,
    registry: Arc<Registry>,
    clock: Clock,
    lanes: Lanes,
    handles: BTreeMap<LaneId, LaneHandle>,
    placed: BTreeMap<FlowId, LaneId>,
    waiting: VecDeque<Waiting>,
    last_end: Option<LaneEnd>,
    /// Whether the last lane failed and none has opened since.
    is_failing: bool,
    events: mpsc::UnboundedSender<Event>,
    reports: mpsc::UnboundedSender<LaneReport>,
    incoming_reports: mpsc::UnboundedReceiver<LaneReport>,
}

impl ForwardTask {
    pub(super) fn new(
        control: Arc<dyn ControlPlane>,
        request: StartSession,
        options: ForwardOptions,
        registry: Arc<Registry>,
    ) -> Self {
        let (reports, incoming_reports) = mpsc::unbounded_channel();
        let is_wanted = options.start != LaneStart::OnDemand;
        let lanes = Lanes::new(options.lanes, is_wanted, options.start == LaneStart::Always);
        let events = registry.events();
        Self {
            control,
            request,
            options,
            registry,
            clock: Clock::start(),
            lanes,
            handles: BTreeMap::new(),
            placed: BTreeMap::new(),
            waiting: VecDeque::new(),
            last_end: None,
            is_failing: false,
            events,
            reports,
            incoming_reports,
        }
    }

    /// Lives until the forward is stopped, then ends its sessions.
    pub(super) async fn run(mut self, mut events: mpsc::UnboundedReceiver<Event>) -> Result<(), CloseError> {
        let stop = self.registry.stop.clone();
        loop {
            self.act();
            let deadline = self.deadline();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(report) = self.incoming_reports.recv() => {
                    self.take_report(report);
                    while let Ok(report) = self.incoming_reports.try_recv() {
                        self.take_report(report);
                    }
                }
                Some(event) = events.recv() => {
                    self.take(event);
                    while let Ok(event) = events.try_recv() {
                        self.take(event);
                    }
                }
                () = until(deadline.map(|at| self.clock.instant(at))) => {}
            }
        }
        self.registry.history.note("The forward is stopped");
        self.registry.close();
        self.registry.set_state(ForwardState::Stopped);
        let closes = self.handles.values().map(|handle| handle.core.close());
        join_all(closes).await.into_iter().collect()
    }

    fn act(&mut self) {
        let now = self.clock.elapsed();
        self.lanes.set_waiting(now, self.waiting.len());
        self.place(now);
        self.lanes.set_waiting(now, self.waiting.len());
        while let Some(action) = self.lanes.poll(now) {
            match action {
                Action::Start(id) => self.start_lane(id),
                Action::Retire(id) => {
                    self.registry.history.note(format!("Lane {id} is not needed any more"));
                    if let Some(handle) = self.handles.get(&id) {
                        handle.core.begin_close();
                    }
                }
            }
        }
        self.publish(now);
    }

    fn place(&mut self, now: Duration) {
        let patience = self.options.limits.lane_patience;
        for _ in 0..self.waiting.len() {
            let Some(flow) = self.waiting.pop_front() else { return };
            if flow.pipe.is_over() {
                continue;
            }
            let waited = now.saturating_sub(flow.since);
            match self.lanes.place(now, waited) {
                Placement::Lane(id)
                    if self.handles.get(&id).is_some_and(|lane| lane.inbox.arrive(flow.pipe.clone())) =>
                {
                    self.lanes.placed(id);
                    self.placed.insert(flow.pipe.id, id);
                }
                Placement::Lane(_) | Placement::Wait if waited >= patience => {
                    flow.pipe.end_down(DownEnd::cut(FlowEnd::LaneTimeout { waited }));
                }
                Placement::Lane(_) | Placement::Wait => self.waiting.push_back(flow),
            }
        }
    }

    fn start_lane(&mut self, id: LaneId) {
        let inbox = Arc::new(Inbox::default());
        let (reports, limits) = (self.reports.clone(), self.options.limits);
        let options = SessionOptions { port_messages: self.port_messages(), ..self.options.session.clone() };
        let core = session::begin(self.control.clone(), self.request.clone(), None, options, |shared| {
            Purpose::Lane(Box::new(Lane::new(id, inbox.clone(), limits, reports, shared.clone())))
        });
        let core = Arc::new(core);
        self.registry.history.note(format!("Lane {id} is started"));
        self.registry.lane_started(
            id,
            LaneEntry {
                core: core.clone(),
                mode: None,
                load: Load::default(),
                measured: None,
                is_saturated: false,
                is_held: false,
            },
        );
        let (mut state, events) = (core.state(), self.events.clone());
        tokio::spawn(async move {
            loop {
                let is_final = state.borrow_and_update().is_final();
                if events.send(Event::LaneChanged(id)).is_err() || is_final || state.changed().await.is_err()
                {
                    return;
                }
            }
        });
        self.handles.insert(id, LaneHandle { core, inbox, mode: None });
    }

    /// What the lanes so far have shown of the node: it need not be found out by each.
    fn port_messages(&mut self) -> PortMessages {
        let live = self.handles.values().map(|handle| handle.core.stats().large_messages);
        for known in live {
            learn(&mut self.options.session.port_messages, known);
        }
        self.options.session.port_messages
    }

    fn take_report(&mut self, report: LaneReport) {
        let now = self.clock.elapsed();
        match report {
            LaneReport::Opened(id, mode) => {
                if let Some(handle) = self.handles.get_mut(&id) {
                    handle.mode = Some(mode);
                    self.is_failing = false;
                    self.lanes.opened(now, id, mode);
                    self.registry.update_lane(id, |lane| lane.mode = Some(mode));
                    self.registry.history.note(format!("Lane {id} is open"));
                    self.registry.changed();
                }
            }
            LaneReport::Held(id, is_held) => {
                self.lanes.held(id, is_held);
                self.registry.update_lane(id, |lane| lane.is_held = is_held);
                self.registry.changed();
            }
            LaneReport::Measured(id, load) => {
                self.lanes.measured(now, id, load);
                let is_saturated = self.lanes.is_saturated(now, id);
                self.registry.update_lane(id, |lane| {
                    lane.load = load;
                    lane.measured = Some(std::time::SystemTime::now());
                    lane.is_saturated = is_saturated;
                });
            }
        }
    }

    fn take(&mut self, event: Event) {
        let now = self.clock.elapsed();
        match event {
            Event::Arrived(pipe) => self.waiting.push_back(Waiting { pipe, since: now }),
            Event::FlowEnded(id) => {
                if let Some(lane) = self.placed.remove(&id) {
                    self.lanes.flow_ended(now, lane);
                }
                self.waiting.retain(|flow| flow.pipe.id != id);
            }
            Event::LaneChanged(id) => self.lane_changed(now, id),
            Event::Wanted => self.lanes.want(),
            Event::RetryNow => {
                self.lanes.retry_now();
                for handle in self.handles.values() {
                    handle.core.retry_now();
                }
            }
        }
    }

    fn lane_changed(&mut self, now: Duration, id: LaneId) {
        let Some(handle) = self.handles.get(&id) else { return };
        let state = handle.core.state().borrow().clone();
        // The state of the forward tells nothing of a lane beside others.
        self.registry.changed();
        match &state {
            SessionState::Open { unanswered_since, .. } => {
                if let Some(mode) = handle.mode {
                    self.lanes.opened(now, id, mode);
                    self.lanes.unanswered(id, unanswered_since.is_some());
                }
            }
            SessionState::Reconnecting { .. } => self.lanes.away(now, id),
            SessionState::Starting { .. } => {}
            SessionState::Ended(_) | SessionState::Failed(_) => {
                let Some(end) = LaneEnd::of(&state) else { return };
                self.lane_ended(now, id, end);
            }
        }
    }

    fn lane_ended(&mut self, now: Duration, id: LaneId, end: LaneEnd) {
        let failed = !matches!(
            &end,
            LaneEnd::Ended(
                EndReason::ClosedByUser
                    | EndReason::ByService {
                        cause: ServiceCause::IdleTimeout | ServiceCause::MaxDuration,
                        ..
                    }
            )
        );
        // Its session may still be ending at AWS; the task of the session sees to that.
        if let Some(handle) = self.handles.remove(&id) {
            learn(&mut self.options.session.port_messages, handle.core.stats().large_messages);
        }
        self.lanes.ended(now, id, failed);
        self.registry.lane_ended(id, &end, failed);
        self.is_failing = failed && self.handles.is_empty();
        if self.is_failing && matches!(end, LaneEnd::Failed(_)) {
            // What was refused to one is not asked for again for each.
            for flow in self.waiting.drain(..) {
                flow.pipe.end_down(DownEnd::cut(FlowEnd::NoLane(end.clone())));
            }
        }
        self.last_end = Some(end);
    }

    fn publish(&self, now: Duration) {
        let mut starting = None;
        let mut reconnecting = None;
        let mut unanswered: Option<std::time::SystemTime> = None;
        for handle in self.handles.values() {
            match &*handle.core.state().borrow() {
                SessionState::Open { unanswered_since: None, .. } => {
                    return self.registry.set_state(ForwardState::Open);
                }
                SessionState::Open { unanswered_since: Some(since), .. } => {
                    unanswered = unanswered.max(Some(*since));
                }
                SessionState::Reconnecting { cause, awaits_retry, .. } => {
                    reconnecting = Some(ForwardState::Reconnecting {
                        cause: cause.clone(),
                        awaits_retry: *awaits_retry,
                    });
                }
                SessionState::Starting { step } => {
                    starting = Some(ForwardState::Starting { step: step.clone() });
                }
                SessionState::Ended(_) | SessionState::Failed(_) => {}
            }
        }
        let none = match &self.last_end {
            Some(cause) if self.is_failing => ForwardState::Failing {
                cause: cause.clone(),
                next_try: self.lanes.next_try(now).map(|at| self.clock.wall(at)),
            },
            last => ForwardState::Idle { last: last.clone() },
        };
        let unanswered = unanswered.map(|since| ForwardState::Unanswered { since });
        self.registry.set_state(unanswered.or(reconnecting).or(starting).unwrap_or(none));
    }

    fn deadline(&self) -> Option<Duration> {
        let now = self.clock.elapsed();
        let limits = &self.options.limits;
        let place = self.waiting.iter().map(|flow| {
            let soon = flow.since + self.options.lanes.wait_for_lane;
            if soon > now { soon } else { flow.since + limits.lane_patience }
        });
        place.chain(self.lanes.deadline(now)).min()
    }
}

/// Takes what a session knew. A refusal is never taken back: a large message that is not taken can end a session.
fn learn(port_messages: &mut PortMessages, known: LargeMessages) {
    match (known, *port_messages) {
        (LargeMessages::Refused, _) => *port_messages = PortMessages::Small,
        (LargeMessages::Proven, PortMessages::Probed) => *port_messages = PortMessages::Proven,
        _ => {}
    }
}

async fn until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_pass_on_what_the_node_takes_and_a_refusal_stays() {
        let mut port_messages = PortMessages::default();
        for known in [LargeMessages::Unused, LargeMessages::Untested] {
            learn(&mut port_messages, known);
            assert_eq!(port_messages, PortMessages::Probed);
        }
        learn(&mut port_messages, LargeMessages::Proven);
        assert_eq!(port_messages, PortMessages::Proven);
        learn(&mut port_messages, LargeMessages::Refused);
        assert_eq!(port_messages, PortMessages::Small);
        learn(&mut port_messages, LargeMessages::Proven);
        assert_eq!(port_messages, PortMessages::Small);
    }
}
