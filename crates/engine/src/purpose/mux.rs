//! A lane that carries many flows at a time (protocol.md 8.5).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    MuxConfig, MuxEvent, MuxFinish, MuxKeepAlive, MuxOpenError, MuxResetReason, MuxSession, MuxStreamId,
    client_keeps_mux_alive,
};

use super::lane::Ends;
use super::meter::Meter;
use super::{FULL_MESSAGE_BYTES, Io};
use crate::forward::{DownEnd, FlowEnd, FlowLimits, Load, Pipe, UpEnd};

/// Flag of the agent: a connection to the target failed (protocol.md 4.3).
const CONNECT_TO_PORT_ERROR: u32 = 3;
/// How long after the end of a stream the flag may come that makes it a refusal: flag and FIN are written by
/// different writers of the agent (protocol.md 8.5).
const FLAG_WITHIN: Duration = Duration::from_millis(250);
/// Bytes taken of the mux session at once, so that flows take turns.
const TRANSMIT_BYTES: usize = 64 * 1024;
/// What the mux session may hold beyond the lane's own bound, so that the lane decides who is cut, and not it.
const HEADROOM: usize = 256 * 1024;
/// A flow that had no traffic for longer does not mind that the lane is held back.
const NEEDS_LANE: Duration = Duration::from_secs(5);
/// After that long without being held back, a lane's flows have forgotten it.
const FORGIVES: Duration = Duration::from_secs(10);
/// Waiting bytes of one flow that make a lane a bad place for others.
const BACKLOG_BYTES: usize = 1024 * 1024;

/// One flow on the lane.
struct Flow {
    pipe: Arc<Pipe>,
    /// Whether the target sent anything.
    has_received: bool,
    /// Nothing more goes either way on the wire.
    is_over: bool,
    is_finished: bool,
    /// Woken at the end of the step.
    is_touched: bool,
    active: Duration,
    is_busy: bool,
}

/// The mux session of a lane and its flows, by stream.
pub(super) struct MuxLane {
    mux: MuxSession,
    flows: BTreeMap<MuxStreamId, Flow>,
    touched: Vec<MuxStreamId>,
    /// Received and not handed to the mux session, because a flow has filled it.
    held: VecDeque<Bytes>,
    hold: Hold,
    refusals: Refusals,
    meter: Meter,
}

/// How long the lane has been held back, and for whom.
#[derive(Debug, Default)]
struct Hold {
    /// Since when; `None` while it is not.
    since: Option<Duration>,
    unconsumed: usize,
    progress: Duration,
    /// How long other flows that need the lane had to wait.
    others: Duration,
    seen: Duration,
    others_need: bool,
    /// When to look again.
    deadline: Option<Duration>,
}

/// Which streams that ended without a byte were refused by the target.
#[derive(Debug, Default)]
struct Refusals {
    /// Flags whose stream has not ended yet.
    flags: usize,
    /// Streams that ended without a flag yet: until when it may come, and what was not sent.
    suspects: VecDeque<(MuxStreamId, Duration, u64)>,
}

impl MuxLane {
    pub(super) fn new(io: &Io<'_>, agent_version: &str, limits: &FlowLimits) -> Self {
        let config = MuxConfig {
            keep_alive: client_keeps_mux_alive(agent_version).then(MuxKeepAlive::default),
            finish: MuxFinish::AfterPeer { idle_grace: limits.half_close_grace },
            max_streams: limits.flows.saturating_mul(2).max(16),
            session_budget_bytes: limits.down_bytes.saturating_add(HEADROOM),
            ..MuxConfig::client()
        };
        Self {
            mux: MuxSession::new(io.now, config),
            flows: BTreeMap::new(),
            touched: Vec::new(),
            held: VecDeque::new(),
            hold: Hold::default(),
            refusals: Refusals::default(),
            meter: Meter::default(),
        }
    }

    pub(super) fn data(&mut self, io: &mut Io<'_>, bytes: Bytes) {
        self.meter.down(io.elapsed(), bytes.len());
        self.held.push_back(bytes);
        self.feed(io);
    }

    pub(super) fn flag(&mut self, io: &mut Io<'_>, flag: u32) {
        if flag != CONNECT_TO_PORT_ERROR {
            return;
        }
        io.shared.history.note("The node could not connect to the target");
        // FIN and flag come in either order.
        while let Some((id, ..)) = self.refusals.suspects.pop_front() {
            if let Some(flow) = self.flows.get(&id) {
                flow.pipe.end_down(DownEnd::cut(FlowEnd::Refused));
                return;
            }
        }
        self.refusals.flags += 1;
    }

    /// What can be done without waiting; gives the load when it was measured.
    pub(super) fn step(
        &mut self,
        io: &mut Io<'_>,
        ends: &Ends,
        arrivals: &mut VecDeque<Arc<Pipe>>,
        slots: &[u32],
    ) -> Option<Load> {
        while let Some(pipe) = arrivals.pop_front() {
            if !self.open(io, ends, &pipe) {
                arrivals.push_front(pipe);
                break;
            }
        }
        for slot in slots {
            self.look(io, MuxStreamId(*slot));
        }
        self.feed(io);
        self.bear_with_the_slow(io, &ends.limits);
        if self.mux.poll_timeout().is_some_and(|at| at <= io.elapsed()) {
            self.mux.handle_timeout(io.now);
        }
        loop {
            self.take_events(io);
            if !self.transmit(io) {
                break;
            }
        }
        self.clear_suspects(io.elapsed());
        for id in self.touched.drain(..) {
            if let Some(flow) = self.flows.get_mut(&id) {
                flow.is_touched = false;
                flow.pipe.wake_flow();
            }
        }
        self.meter.poll(io.elapsed()).map(|load| self.with_flows(load))
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let suspect = self.refusals.suspects.front().map(|(_, until, _)| *until);
        [self.mux.poll_timeout(), suspect, self.hold.deadline].into_iter().flatten().min()
    }

    /// Whether a local program that does not read holds the lane back, or soon will.
    pub(super) fn is_held(&self) -> bool {
        !self.held.is_empty() || self.flows.keys().any(|id| self.mux.unconsumed_bytes(*id) > BACKLOG_BYTES)
    }

    pub(super) fn take_flows(&mut self) -> Vec<Arc<Pipe>> {
        std::mem::take(&mut self.flows).into_values().map(|flow| flow.pipe).collect()
    }

    /// False when the flow must wait until streams have ended.
    fn open(&mut self, io: &mut Io<'_>, ends: &Ends, pipe: &Arc<Pipe>) -> bool {
        if pipe.is_over() {
            return true;
        }
        let id = match self.mux.open(io.now) {
            Ok(id) => id,
            Err(MuxOpenError::TooManyStreams { .. }) => return false,
            Err(error) => {
                io.give_up(error.to_string());
                return false;
            }
        };
        pipe.attach(ends.id, ends.inbox.clone(), id.0);
        let flow = Flow {
            pipe: pipe.clone(),
            has_received: false,
            is_over: false,
            is_finished: false,
            is_touched: false,
            active: io.elapsed(),
            is_busy: true,
        };
        self.flows.insert(id, flow);
        self.look(io, id);
        true
    }

    /// Something happened on the local side of a flow.
    fn look(&mut self, io: &mut Io<'_>, id: MuxStreamId) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        flow.pipe.clear_signal();
        if flow.pipe.is_over() {
            self.mux.reset(id);
            self.mux.consumed(io.now, id, usize::MAX);
            self.flows.remove(&id);
            return;
        }
        let written = flow.pipe.take_written(self.hold.since.is_some());
        if written > 0 {
            flow.active = io.elapsed();
            self.mux.consumed(io.now, id, written);
        }
        self.take_up(io, id);
    }

    /// Hands bytes of the local program to the mux session, as many as it takes.
    fn take_up(&mut self, io: &mut Io<'_>, id: MuxStreamId) {
        let Some(flow) = self.flows.get_mut(&id).filter(|flow| !flow.is_over) else { return };
        let (mux, now) = (&mut self.mux, io.now);
        let mut moved = 0;
        let end = flow.pipe.drain_up(|bytes| {
            // A stream that is over on the wire takes nothing; its end is on its way.
            let taken = mux.write(now, id, bytes).unwrap_or(0);
            moved += taken;
            taken
        });
        if moved > 0 {
            flow.active = now.elapsed;
            flow.is_busy = true;
            self.meter.up(now.elapsed, moved);
        }
        if end == UpEnd::Finished && !flow.is_finished {
            flow.is_finished = true;
            self.mux.finish(now, id);
        }
    }

    /// Hands what was received to the mux session while there is room in it, or while nobody holds anything.
    fn feed(&mut self, io: &mut Io<'_>) {
        while let Some(first) = self.held.front() {
            let room = self.mux.receive_room().saturating_sub(HEADROOM);
            if room < first.len() && self.flows.keys().any(|id| self.mux.unconsumed_bytes(*id) > 0) {
                return;
            }
            let Some(bytes) = self.held.pop_front() else { return };
            io.channel.consumed(io.now, bytes.len());
            self.mux.handle_bytes(io.now, bytes);
            self.take_events(io);
        }
    }

    fn take_events(&mut self, io: &mut Io<'_>) {
        while let Some(event) = self.mux.poll_event() {
            match event {
                MuxEvent::Data { id, bytes } => self.take_data(io, id, bytes),
                MuxEvent::Writable(id) => self.take_up(io, id),
                MuxEvent::Finished { id, unsent_bytes } => {
                    self.target_finished(io.elapsed(), id, unsent_bytes as u64);
                }
                MuxEvent::Reset { id, reason } => {
                    if let Some(flow) = self.flows.get_mut(&id) {
                        flow.is_over = true;
                        flow.pipe.end_down(DownEnd::cut(match reason {
                            MuxResetReason::Overrun { unconsumed_bytes } => FlowEnd::TooSlow {
                                waiting_bytes: unconsumed_bytes as u64,
                                held: Duration::ZERO,
                            },
                            _ => FlowEnd::SilentAfterFinish,
                        }));
                    }
                }
                MuxEvent::Closed(reason) => io.give_up(reason.to_string()),
                other => tracing::debug!(?other, "event of no use to a client"),
            }
        }
    }

    fn take_data(&mut self, io: &mut Io<'_>, id: MuxStreamId, bytes: Bytes) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return self.mux.consumed(io.now, id, usize::MAX);
        };
        flow.has_received = true;
        flow.is_busy = true;
        flow.active = io.elapsed();
        if !flow.is_touched {
            flow.is_touched = true;
            self.touched.push(id);
        }
        let written = flow.pipe.push_down(bytes);
        if written > 0 {
            self.mux.consumed(io.now, id, written);
        }
    }

    fn target_finished(&mut self, now: Duration, id: MuxStreamId, undelivered: u64) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        flow.is_over = true;
        if flow.has_received {
            flow.pipe.end_down(DownEnd::Finished { undelivered });
        } else if self.refusals.flags > 0 {
            self.refusals.flags -= 1;
            flow.pipe.end_down(DownEnd::cut(FlowEnd::Refused));
        } else {
            self.refusals.suspects.push_back((id, now + FLAG_WITHIN, undelivered));
        }
        let may_be_refused = |flow: &Flow| !flow.has_received && !flow.is_over;
        if self.refusals.flags > 0 && !self.flows.values().any(may_be_refused) {
            self.refusals.flags = 0;
        }
    }

    /// Streams for which no flag came ended as targets do that close without a word.
    fn clear_suspects(&mut self, now: Duration) {
        while let Some((id, until, undelivered)) = self.refusals.suspects.front().copied()
            && until <= now
        {
            self.refusals.suspects.pop_front();
            if let Some(flow) = self.flows.get(&id) {
                flow.pipe.end_down(DownEnd::Finished { undelivered });
            }
        }
    }

    /// Gives bytes to the channel while it takes full messages; false when there was nothing to give.
    fn transmit(&mut self, io: &mut Io<'_>) -> bool {
        let mut has_sent = false;
        while self.mux.wants_transmit() {
            let room = io.channel.send_capacity();
            if room < FULL_MESSAGE_BYTES {
                break;
            }
            let Some(bytes) = self.mux.poll_transmit(io.now, room.min(TRANSMIT_BYTES)) else { break };
            has_sent = true;
            if io.send(&bytes) < bytes.len() {
                // Bytes missing from the mux stream would be taken for others.
                io.give_up("the channel took less than it had room for".to_owned());
                return false;
            }
        }
        has_sent
    }

    /// While a flow fills the lane: how long that may go on, and who is cut then.
    fn bear_with_the_slow(&mut self, io: &mut Io<'_>, limits: &FlowLimits) {
        let now = io.elapsed();
        if self.held.is_empty() {
            if let Some(since) = self.hold.since.take() {
                tracing::debug!(lasted = ?(now - since), "the lane goes on");
            }
            self.hold.deadline = None;
            if now >= self.hold.seen + FORGIVES {
                self.hold.others = Duration::ZERO;
            }
            return;
        }
        // From here on every flow tells at once what it has written.
        let ids: Vec<MuxStreamId> = self.flows.keys().copied().collect();
        for id in &ids {
            self.look(io, *id);
        }
        let unconsumed: usize = ids.iter().map(|id| self.mux.unconsumed_bytes(*id)).sum();
        let worst = ids.iter().copied().max_by_key(|id| self.mux.unconsumed_bytes(*id));
        let since = *self.hold.since.get_or_insert_with(|| {
            self.hold.progress = now;
            self.hold.seen = now;
            self.hold.others_need = false;
            now
        });
        if unconsumed < self.hold.unconsumed {
            self.hold.progress = now;
        }
        self.hold.unconsumed = unconsumed;
        if self.hold.others_need {
            self.hold.others += now - self.hold.seen;
        }
        self.hold.seen = now;
        let share = MuxConfig::client().stream_budget_bytes;
        self.hold.others_need = self.flows.iter().any(|(id, flow)| {
            Some(*id) != worst
                && !flow.is_over
                && self.mux.unconsumed_bytes(*id) < share
                && now < flow.active + NEEDS_LANE
        });
        let ends = self.hold.progress + limits.stall_patience;
        if self.hold.others < limits.share_patience && now < ends {
            let left = limits.share_patience - self.hold.others;
            let others = if self.hold.others_need { now + left } else { ends };
            self.hold.deadline = Some(ends.min(others));
        } else if let Some(id) = worst {
            let waiting_bytes = self.mux.unconsumed_bytes(id) as u64;
            self.mux.reset(id);
            if let Some(flow) = self.flows.get_mut(&id) {
                flow.is_over = true;
                io.shared
                    .history
                    .note(format!("A connection whose program left {waiting_bytes} bytes waiting was cut"));
                flow.pipe.cut(FlowEnd::TooSlow { waiting_bytes, held: now - since });
            }
            self.hold = Hold { seen: now, ..Hold::default() };
        }
        self.feed(io);
        if self.held.is_empty() {
            self.hold.since = None;
            self.hold.deadline = None;
        } else if self.hold.since.is_none() {
            // Others fill it too: looked at again at once.
            self.hold.deadline = Some(now);
        }
    }

    fn with_flows(&mut self, load: Load) -> Load {
        let busy_flows =
            self.flows.values_mut().filter_map(|flow| std::mem::take(&mut flow.is_busy).then_some(()));
        let busy_flows = busy_flows.count();
        Load { busy_flows, ..load }
    }
}
