//! The task of a forward: starts and ends lanes, and gives them flows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use fleetline_protocol::LargeMessages;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::end::{FlowEnd, LaneEnd};
use super::goal::Goal;
use super::group::{Group, Waiting};
use super::lanes::{Action, Lanes, Load, Placement};
use super::pipe::{DownEnd, Inbox, Pipe};
use super::registry::{LaneEntry, Registry};
use super::request::{Destination, ForwardOptions, ForwardRequest, LanePolicy, LaneStart};
use super::snapshot::{FlowId, ForwardState, LaneId, LaneMode};
use crate::clock::Clock;
use crate::ports::ControlPlane;
use crate::purpose::{Lane, LaneReport, Purpose};
use crate::session::{self, CloseError, PortMessages, SessionCore, SessionOptions};
use crate::state::{EndReason, ServiceCause, SessionState, StartError};

/// What happens to a forward.
#[derive(Debug)]
pub(crate) enum Event {
    /// A flow wants a lane to there.
    Arrived(Arc<Pipe>, Arc<Goal>),
    /// A flow is over.
    FlowEnded(FlowId),
    /// A session of a lane has another state.
    LaneChanged(LaneId),
    /// A person wants a lane.
    Wanted,
    /// A person wants an attempt now.
    RetryNow,
}

/// Groups remembered beyond those in use.
const GROUPS: usize = 64;

struct LaneHandle {
    goal: Arc<Goal>,
    core: Arc<SessionCore>,
    inbox: Arc<Inbox>,
    mode: Option<LaneMode>,
    /// It was told to make room.
    is_leaving: bool,
}

pub(super) struct ForwardTask {
    control: Arc<dyn ControlPlane>,
    request: ForwardRequest,
    options: ForwardOptions,
    registry: Arc<Registry>,
    clock: Clock,
    /// By destination; one only, unless connections choose theirs.
    groups: BTreeMap<Destination, Group>,
    lane_names: Arc<AtomicU32>,
    handles: BTreeMap<LaneId, LaneHandle>,
    placed: BTreeMap<FlowId, LaneId>,
    events: mpsc::UnboundedSender<Event>,
    reports: mpsc::UnboundedSender<LaneReport>,
    incoming_reports: mpsc::UnboundedReceiver<LaneReport>,
}

impl ForwardTask {
    pub(super) fn new(
        control: Arc<dyn ControlPlane>,
        request: ForwardRequest,
        options: ForwardOptions,
        registry: Arc<Registry>,
    ) -> Self {
        let (reports, incoming_reports) = mpsc::unbounded_channel();
        let events = registry.events();
        let mut task = Self {
            control,
            request,
            options,
            registry,
            clock: Clock::start(),
            groups: BTreeMap::new(),
            lane_names: Arc::default(),
            handles: BTreeMap::new(),
            placed: BTreeMap::new(),
            events,
            reports,
            incoming_reports,
        };
        if task.request.destination != Destination::Chosen {
            let goal = task.registry.goal();
            task.group(&goal);
        }
        task
    }

    fn is_choosing(&self) -> bool {
        self.request.destination == Destination::Chosen
    }

    /// The lanes to a destination.
    fn group(&mut self, goal: &Arc<Goal>) -> &mut Group {
        let (options, names) = (&self.options, &self.lane_names);
        let is_choosing = self.request.destination == Destination::Chosen;
        self.groups.entry(goal.destination.clone()).or_insert_with(|| {
            let lanes = if is_choosing {
                // Nothing is known before a connection comes, and no destination keeps a session it does not use.
                let policy = LanePolicy { min: 0, ..options.lanes };
                Lanes::named_by(names.clone(), policy, false, false)
            } else {
                let policy = LanePolicy { min: options.lanes.min.max(1), ..options.lanes };
                let is_wanted = options.start != LaneStart::OnDemand;
                Lanes::named_by(names.clone(), policy, is_wanted, options.start == LaneStart::Always)
            };
            Group::new(goal.clone(), lanes)
        })
    }

    fn group_of(&mut self, lane: LaneId) -> Option<&mut Group> {
        let goal = &self.handles.get(&lane)?.goal;
        self.groups.get_mut(&goal.destination)
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
        let mut started = Vec::new();
        let (patience, limit) = (self.options.limits.lane_patience, self.limit());
        for group in self.groups.values_mut() {
            group.lanes.set_waiting(now, group.waiting.len());
            place(group, &self.handles, &mut self.placed, now, patience);
            group.lanes.set_waiting(now, group.waiting.len());
            while let Some(action) = group.lanes.poll_within(now, self.handles.len() + started.len() < limit)
            {
                match action {
                    Action::Start(id) => started.push((id, group.goal.clone())),
                    Action::Retire(id) => {
                        self.registry.history.note(format!("Lane {id} is not needed any more"));
                        retire(&self.handles, id);
                    }
                }
            }
        }
        for (id, goal) in started {
            self.start_lane(id, goal);
        }
        if self.handles.len() >= limit {
            self.make_room(now);
        }
        if self.is_choosing() && self.groups.len() > GROUPS {
            self.groups.retain(|_, group| !group.lanes.is_forgettable(now));
        }
        self.publish(now);
    }

    /// Most lanes at a time.
    fn limit(&self) -> usize {
        if self.is_choosing() { self.options.chosen_lanes.max(1) } else { usize::MAX }
    }

    /// While destinations wait that have no lane, those that are not used any more give up theirs.
    fn make_room(&mut self, now: Duration) {
        let waiting = self.groups.values().filter(|group| group.needs_lane(now)).count();
        let leaving = self.handles.values().filter(|handle| handle.is_leaving).count();
        for _ in leaving..waiting {
            let idle = self.groups.values_mut().filter(|group| group.lanes.idle_since().is_some());
            let longest = idle.min_by_key(|group| group.lanes.idle_since());
            let Some(id) = longest.and_then(|group| group.lanes.give_up_idle()) else { return };
            self.registry.history.note(format!("Lane {id} makes room for another destination"));
            retire(&self.handles, id);
            if let Some(handle) = self.handles.get_mut(&id) {
                handle.is_leaving = true;
            }
        }
    }

    fn start_lane(&mut self, id: LaneId, goal: Arc<Goal>) {
        let destination = self.is_choosing().then(|| goal.destination.clone());
        let request = self.request.start_session_to(&goal.destination);
        let inbox = Arc::new(Inbox::default());
        let (reports, limits) = (self.reports.clone(), self.options.limits);
        let options = SessionOptions { port_messages: self.port_messages(), ..self.options.session.clone() };
        let core = session::begin(self.control.clone(), request, None, options, |shared| {
            Purpose::Lane(Box::new(Lane::new(id, inbox.clone(), limits, reports, shared.clone())))
        });
        let core = Arc::new(core);
        let to = destination.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
        self.registry.history.note(format!("Lane {id}{to} is started"));
        self.registry.lane_started(
            id,
            LaneEntry {
                core: core.clone(),
                destination,
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
        self.handles.insert(id, LaneHandle { goal, core, inbox, mode: None, is_leaving: false });
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
                    if let Some(group) = self.group_of(id) {
                        group.is_failing = false;
                        group.lanes.opened(now, id, mode);
                    }
                    self.registry.update_lane(id, |lane| lane.mode = Some(mode));
                    self.registry.history.note(format!("Lane {id} is open"));
                    self.registry.changed();
                }
            }
            LaneReport::Held(id, is_held) => {
                if let Some(group) = self.group_of(id) {
                    group.lanes.held(id, is_held);
                }
                self.registry.update_lane(id, |lane| lane.is_held = is_held);
                self.registry.changed();
            }
            LaneReport::Measured(id, load) => {
                let Some(group) = self.group_of(id) else { return };
                group.lanes.measured(now, id, load);
                let is_saturated = group.lanes.is_saturated(now, id);
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
            Event::Arrived(pipe, goal) => {
                self.group(&goal).waiting.push_back(Waiting { pipe, since: now });
            }
            Event::FlowEnded(id) => match self.placed.remove(&id) {
                Some(lane) => {
                    if let Some(group) = self.group_of(lane) {
                        group.lanes.flow_ended(now, lane);
                    }
                }
                None => {
                    for group in self.groups.values_mut() {
                        group.waiting.retain(|flow| flow.pipe.id != id);
                    }
                }
            },
            Event::LaneChanged(id) => self.lane_changed(now, id),
            Event::Wanted => self.of_all(Lanes::want),
            Event::RetryNow => {
                self.of_all(Lanes::retry_now);
                for handle in self.handles.values() {
                    handle.core.retry_now();
                }
            }
        }
    }

    /// Does something to the lanes a person asks for: where connections choose, only they do.
    fn of_all(&mut self, act: impl Fn(&mut Lanes)) {
        let is_choosing = self.is_choosing();
        for group in self.groups.values_mut().filter(|group| !is_choosing || !group.waiting.is_empty()) {
            act(&mut group.lanes);
        }
    }

    fn lane_changed(&mut self, now: Duration, id: LaneId) {
        let Some(handle) = self.handles.get(&id) else { return };
        let state = handle.core.state().borrow().clone();
        // The state of the forward tells nothing of a lane beside others.
        self.registry.changed();
        match &state {
            SessionState::Open { unanswered_since, .. } => {
                let is_unanswered = unanswered_since.is_some();
                if let Some(mode) = handle.mode
                    && let Some(group) = self.group_of(id)
                {
                    group.lanes.opened(now, id, mode);
                    group.lanes.unanswered(id, is_unanswered);
                }
            }
            SessionState::Reconnecting { .. } => {
                if let Some(group) = self.group_of(id) {
                    group.lanes.away(now, id);
                }
            }
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
        let Some(handle) = self.handles.remove(&id) else { return };
        learn(&mut self.options.session.port_messages, handle.core.stats().large_messages);
        self.registry.lane_ended(id, &end, failed);
        let is_last = self.handles.values().all(|other| !Arc::ptr_eq(&other.goal, &handle.goal));
        let Some(group) = self.groups.get_mut(&handle.goal.destination) else { return };
        group.lanes.ended(now, id, failed);
        group.is_failing = failed && is_last;
        // What was refused to one is not asked for again for each.
        if group.is_failing && matches!(end, LaneEnd::Failed(_)) {
            group.give_up(&end);
        }
        group.last_end = Some(end);
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
        let unanswered = unanswered.map(|since| ForwardState::Unanswered { since });
        let state = unanswered.or(reconnecting).or(starting);
        self.registry.set_state(state.unwrap_or_else(|| self.without_lanes(now)));
    }

    fn without_lanes(&self, now: Duration) -> ForwardState {
        // A destination that is refused says nothing of the others.
        let counts = |group: &&Group| {
            group.is_failing
                && (!self.is_choosing()
                    || matches!(group.last_end, Some(LaneEnd::Failed(StartError::Api(_)))))
        };
        let failing = self.groups.values().filter(counts).find_map(|group| {
            let next_try = group.lanes.next_try(now).map(|at| self.clock.wall(at));
            Some(ForwardState::Failing { cause: group.last_end.clone()?, next_try })
        });
        let last = || match self.is_choosing() {
            true => None,
            false => self.groups.values().find_map(|group| group.last_end.clone()),
        };
        failing.unwrap_or_else(|| ForwardState::Idle { last: last() })
    }

    fn deadline(&self) -> Option<Duration> {
        let now = self.clock.elapsed();
        let limits = &self.options.limits;
        let of_group = |group: &Group| {
            let place = group.waiting.iter().map(|flow| {
                let soon = flow.since + self.options.lanes.wait_for_lane;
                if soon > now { soon } else { flow.since + limits.lane_patience }
            });
            place.chain(group.lanes.deadline(now)).min()
        };
        self.groups.values().filter_map(of_group).min()
    }
}

/// Gives lanes to what waits for them, and an end to what has waited too long.
fn place(
    group: &mut Group,
    handles: &BTreeMap<LaneId, LaneHandle>,
    placed: &mut BTreeMap<FlowId, LaneId>,
    now: Duration,
    patience: Duration,
) {
    for _ in 0..group.waiting.len() {
        let Some(flow) = group.waiting.pop_front() else { return };
        if flow.pipe.is_over() {
            continue;
        }
        let waited = now.saturating_sub(flow.since);
        match group.lanes.place(now, waited) {
            Placement::Lane(id)
                if handles.get(&id).is_some_and(|lane| lane.inbox.arrive(flow.pipe.clone())) =>
            {
                group.lanes.placed(id);
                placed.insert(flow.pipe.id, id);
            }
            Placement::Lane(_) | Placement::Wait if waited >= patience => {
                flow.pipe.end_down(DownEnd::cut(FlowEnd::LaneTimeout { waited }));
            }
            Placement::Lane(_) | Placement::Wait => group.waiting.push_back(flow),
        }
    }
}

fn retire(handles: &BTreeMap<LaneId, LaneHandle>, id: LaneId) {
    if let Some(handle) = handles.get(&id) {
        handle.core.begin_close();
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
