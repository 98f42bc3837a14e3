//! What the handle, the listeners, the flows and the task of a forward all see.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::FlowHandle;
use super::end::{FlowEnd, LaneEnd};
use super::filter::Screen;
use super::flow::{LocalStream, Pump};
use super::goal::Goal;
use super::lanes::Load;
use super::listen::LocalAddress;
use super::negotiation::Negotiator;
use super::opening::Opening;
use super::pipe::Pipe;
use super::request::{Destination, FlowLimits};
use super::snapshot::{
    ENDED_FLOWS, EndedFlow, FlowId, FlowSnapshot, ForwardSnapshot, ForwardState, ForwardTotals, LaneId,
    LaneMode, LaneSnapshot,
};
use super::task::Event;
use crate::history::{History, HistoryEntry};
use crate::session::SessionCore;

/// How long a half-closed flow must have been quiet to make room for another.
const QUIET_ENOUGH: Duration = Duration::from_millis(500);

/// Destinations remembered beyond those in use.
const GOALS: usize = 256;

/// How local programs are met.
#[derive(Clone, Debug, Default)]
pub(super) struct Manners {
    /// Asks them where they go.
    pub(super) negotiator: Option<Arc<dyn Negotiator>>,
    /// Looks at what they send.
    pub(super) screen: Option<Arc<dyn Screen>>,
}

/// Shared by everything that belongs to one forward.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(super) history: History,
    /// Cancelled when the forward is to stop.
    pub(super) stop: CancellationToken,
    state: watch::Sender<ForwardState>,
    changes: watch::Sender<u64>,
    events: mpsc::UnboundedSender<Event>,
    listeners: Vec<LocalAddress>,
    limits: FlowLimits,
    room: Arc<Semaphore>,
    next_flow: AtomicU64,
    failed_lanes: AtomicU64,
    manners: Manners,
    /// Where flows go that choose nothing.
    goal: Arc<Goal>,
    goals: Mutex<BTreeMap<Destination, Arc<Goal>>>,
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    flows: BTreeMap<FlowId, FlowEntry>,
    lanes: BTreeMap<LaneId, LaneEntry>,
    ended: VecDeque<EndedFlow>,
    totals: ForwardTotals,
}

#[derive(Debug)]
struct FlowEntry {
    pipe: Arc<Pipe>,
    label: String,
    listener: Option<LocalAddress>,
    destination: Option<Destination>,
    opened: SystemTime,
}

/// A lane as snapshots show it.
#[derive(Debug)]
pub(super) struct LaneEntry {
    pub(super) core: Arc<SessionCore>,
    /// Where it leads, when connections choose that.
    pub(super) destination: Option<Destination>,
    pub(super) mode: Option<LaneMode>,
    pub(super) load: Load,
    /// When `load` was measured.
    pub(super) measured: Option<SystemTime>,
    pub(super) is_saturated: bool,
    pub(super) is_held: bool,
}

impl Registry {
    pub(super) fn new(
        listeners: Vec<LocalAddress>,
        destination: Destination,
        limits: FlowLimits,
        manners: Manners,
        events: mpsc::UnboundedSender<Event>,
    ) -> Self {
        Self {
            history: History::default(),
            stop: CancellationToken::new(),
            state: watch::channel(ForwardState::Idle { last: None }).0,
            changes: watch::channel(0).0,
            events,
            listeners,
            limits,
            room: Arc::new(Semaphore::new(limits.flows.clamp(1, Semaphore::MAX_PERMITS))),
            next_flow: AtomicU64::new(0),
            failed_lanes: AtomicU64::new(0),
            manners,
            goal: Arc::new(Goal::new(destination)),
            goals: Mutex::default(),
            content: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> watch::Receiver<ForwardState> {
        self.state.subscribe()
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn set_state(&self, state: ForwardState) {
        let is_new = self.state.send_if_modified(|current| {
            // The text tells two states apart; causes have no equality of their own.
            let is_new =
                format!("{current:?}") != format!("{state:?}") && !matches!(current, ForwardState::Stopped);
            if is_new {
                *current = state;
            }
            is_new
        });
        if is_new {
            self.changed();
        }
    }

    pub(super) fn events(&self) -> mpsc::UnboundedSender<Event> {
        self.events.clone()
    }

    /// Something in the snapshot changed.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|version| *version += 1);
    }

    /// Waits for room for a flow; `None` once the forward stops. While there is none, flows whose programs have finished
    /// sending and that have been quiet for a while make room: most of those programs are gone, which does not show.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let mut room = pin!(self.room.clone().acquire_owned());
        loop {
            match timeout(QUIET_ENOUGH, room.as_mut()).await {
                Ok(room) => return room.ok(),
                Err(_) => self.end_a_quiet_flow(),
            }
        }
    }

    fn end_a_quiet_flow(&self) {
        let content = self.content();
        let quiet = content.flows.values().filter_map(|flow| Some((flow.pipe.quiet_since()?, &flow.pipe)));
        if let Some((since, pipe)) = quiet.min_by_key(|(since, _)| *since)
            && since.elapsed() >= QUIET_ENOUGH
        {
            pipe.cut(FlowEnd::SilentAfterFinish);
        }
    }

    /// No flow begins any more, and those that are there are cut.
    pub(super) fn close(&self) {
        self.room.close();
        for flow in self.content().flows.values() {
            flow.pipe.cut(FlowEnd::ForwardStopped);
        }
    }

    /// Cuts one flow, or all of them.
    pub(super) fn reset(&self, flow: Option<FlowId>) {
        let content = self.content();
        for (id, entry) in &content.flows {
            if flow.is_none_or(|wanted| wanted == *id) {
                entry.pipe.cut(FlowEnd::Reset);
            }
        }
    }

    pub(super) fn not_admitted(&self, text: String) {
        self.history.note(text);
        self.content().totals.not_admitted += 1;
        self.changed();
    }

    /// Begins a flow in a task of its own.
    pub(super) fn begin_flow(
        self: &Arc<Self>,
        stream: Box<dyn LocalStream>,
        label: String,
        listener: Option<LocalAddress>,
        room: OwnedSemaphorePermit,
    ) -> FlowHandle {
        let id = FlowId(self.next_flow.fetch_add(1, Ordering::Relaxed));
        let pipe = Pipe::new(id, self.limits.up_bytes);
        let entry =
            FlowEntry { pipe: pipe.clone(), label, listener, destination: None, opened: SystemTime::now() };
        {
            let mut content = self.content();
            content.totals.flows += 1;
            content.flows.insert(id, entry);
            if self.room.is_closed() {
                // Stopped in between: the flow must not be left behind.
                pipe.cut(FlowEnd::ForwardStopped);
            }
        }
        let opening = self
            .manners
            .negotiator
            .as_ref()
            .map(|negotiator| Opening { negotiation: negotiator.begin(), registry: self.clone() });
        if opening.is_none() {
            // Without a task the forward was stopped, and the flow was cut.
            let _ = self.events.send(Event::Arrived(pipe.clone(), self.goal.clone()));
        }
        let filter = self.manners.screen.as_ref().map(|screen| screen.begin());
        let pump = Pump::new(stream, pipe.clone(), opening, filter);
        let (sender, ended) = watch::channel(None);
        tokio::spawn({
            let registry = self.clone();
            async move {
                let end = pump.run().await;
                registry.flow_ended(id, &end);
                let _ = registry.events.send(Event::FlowEnded(id));
                sender.send_replace(Some(end));
                drop(room);
            }
        });
        self.changed();
        FlowHandle { pipe, ended }
    }

    /// Where flows go that choose nothing.
    pub(super) fn goal(&self) -> Arc<Goal> {
        self.goal.clone()
    }

    /// A flow has said where it goes.
    pub(super) fn arrived(&self, pipe: &Arc<Pipe>, host: String, port: u16) -> Arc<Goal> {
        let destination = Destination::named(host, port);
        let goal = self.goal_of(destination.clone());
        if let Some(flow) = self.content().flows.get_mut(&pipe.id) {
            flow.destination = Some(destination);
        }
        // As in `begin_flow`.
        let _ = self.events.send(Event::Arrived(pipe.clone(), goal.clone()));
        self.changed();
        goal
    }

    fn goal_of(&self, destination: Destination) -> Arc<Goal> {
        let mut goals = self.goals.lock().unwrap_or_else(PoisonError::into_inner);
        if goals.len() >= GOALS {
            goals.retain(|_, goal| Arc::strong_count(goal) > 1);
        }
        goals.entry(destination).or_insert_with_key(|key| Arc::new(Goal::new(key.clone()))).clone()
    }

    fn flow_ended(&self, id: FlowId, end: &FlowEnd) {
        let mut content = self.content();
        let Some(entry) = content.flows.remove(&id) else { return };
        let flow = entry.snapshot();
        content.totals.bytes_up += flow.bytes_up;
        content.totals.bytes_down += flow.bytes_down;
        content.totals.flows_cut += u64::from(!end.is_orderly());
        if !end.is_orderly() {
            let to = flow.destination.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
            self.history.note(format!("Connection {id} of {}{to} ended: {end}", flow.label));
        }
        if content.ended.len() == ENDED_FLOWS {
            content.ended.pop_front();
        }
        content.ended.push_back(EndedFlow { flow, end: end.clone(), at: SystemTime::now() });
        drop(content);
        self.changed();
    }

    pub(super) fn lane_started(&self, id: LaneId, entry: LaneEntry) {
        let mut content = self.content();
        content.totals.lanes += 1;
        content.lanes.insert(id, entry);
        drop(content);
        self.changed();
    }

    pub(super) fn update_lane(&self, id: LaneId, update: impl FnOnce(&mut LaneEntry)) {
        if let Some(entry) = self.content().lanes.get_mut(&id) {
            update(entry);
        }
    }

    pub(super) fn lane_ended(&self, id: LaneId, end: &LaneEnd, failed: bool) {
        self.content().lanes.remove(&id);
        self.failed_lanes.fetch_add(u64::from(failed), Ordering::Relaxed);
        self.history.note(format!("Lane {id} is over: {end}"));
        self.changed();
    }

    /// How many lanes have failed so far.
    pub(super) fn failed_lanes(&self) -> u64 {
        self.failed_lanes.load(Ordering::Relaxed)
    }

    pub(super) fn lane_history(&self, id: LaneId) -> Option<Vec<HistoryEntry>> {
        self.content().lanes.get(&id).map(|lane| lane.core.history())
    }

    pub(super) fn snapshot(&self) -> ForwardSnapshot {
        let state = self.state.borrow().clone();
        let content = self.content();
        let flows: Vec<FlowSnapshot> = content.flows.values().map(FlowEntry::snapshot).collect();
        let mut totals = content.totals;
        totals.bytes_up += flows.iter().map(|flow| flow.bytes_up).sum::<u64>();
        totals.bytes_down += flows.iter().map(|flow| flow.bytes_down).sum::<u64>();
        let lanes = content.lanes.iter().map(|(id, lane)| lane.snapshot(*id, &flows)).collect();
        ForwardSnapshot {
            state,
            listeners: self.listeners.clone(),
            lanes,
            flows,
            ended: content.ended.iter().cloned().collect(),
            totals,
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FlowEntry {
    fn snapshot(&self) -> FlowSnapshot {
        FlowSnapshot {
            id: self.pipe.id,
            label: self.label.clone(),
            listener: self.listener.clone(),
            lane: self.pipe.lane(),
            destination: self.destination.clone(),
            opened: self.opened,
            bytes_up: self.pipe.bytes_up.load(Ordering::Relaxed),
            bytes_down: self.pipe.bytes_down.load(Ordering::Relaxed),
            waiting_down: self.pipe.waiting_down.load(Ordering::Relaxed),
        }
    }
}

impl LaneEntry {
    fn snapshot(&self, id: LaneId, flows: &[FlowSnapshot]) -> LaneSnapshot {
        let is_fresh = self.measured.and_then(|at| at.elapsed().ok()).is_some_and(|age| age.as_secs() < 1);
        let load = if is_fresh { self.load } else { Load::default() };
        LaneSnapshot {
            id,
            session_id: self.core.session_id(),
            state: self.core.state().borrow().clone(),
            mode: self.mode,
            destination: self.destination.clone(),
            flows: flows.iter().filter(|flow| flow.lane == Some(id)).count(),
            is_saturated: is_fresh && self.is_saturated,
            is_held: self.is_held,
            rate_up: load.rate_up,
            rate_down: load.rate_down,
            stats: self.core.stats(),
        }
    }
}
