//! A session that carries flows of a forward.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{DataStream, SessionKind};
use tokio::sync::mpsc;

use super::basic::BasicLane;
use super::mux::MuxLane;
use super::stdio::{runs_mux, takes_terminate_flag};
use super::{Io, Started, Unusable};
use crate::forward::{DownEnd, FlowEnd, FlowLimits, Inbox, Items, LaneEnd, LaneId, LaneMode, Load, Pipe};
use crate::shared::Shared;
use crate::state::EndReason;

/// How long the service may take to close the channel when the forward ends the lane.
const GOODBYE: Duration = Duration::from_secs(1);

/// What a lane tells its forward.
#[derive(Debug)]
pub(crate) enum LaneReport {
    /// It carries flows from now on.
    Opened(LaneId, LaneMode),
    /// What it carries.
    Measured(LaneId, Load),
    /// Whether a local program that does not read holds it back.
    Held(LaneId, bool),
}

/// What every flow of a lane is attached to.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) id: LaneId,
    pub(super) inbox: Arc<Inbox>,
    pub(super) limits: FlowLimits,
}

/// The lane's end of its flows.
pub(crate) struct Lane {
    ends: Ends,
    reports: mpsc::UnboundedSender<LaneReport>,
    shared: Arc<Shared>,
    items: Items,
    /// Flows given to it before it knows how to carry them.
    early: VecDeque<Arc<Pipe>>,
    mode: Mode,
    takes_flag: bool,
    is_held: bool,
}

enum Mode {
    Unknown,
    Mux(Box<MuxLane>),
    Basic(BasicLane),
}

impl Lane {
    pub(crate) fn new(
        id: LaneId,
        inbox: Arc<Inbox>,
        limits: FlowLimits,
        reports: mpsc::UnboundedSender<LaneReport>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            ends: Ends { id, inbox, limits },
            reports,
            shared,
            items: Items::default(),
            early: VecDeque::new(),
            mode: Mode::Unknown,
            takes_flag: false,
            is_held: false,
        }
    }

    pub(super) fn started(&mut self, io: &mut Io<'_>, started: &Started) -> Result<(), Unusable> {
        if started.kind != SessionKind::Port {
            return Err(Unusable(format!(
                "its document makes a {} session, not a port session",
                started.kind
            )));
        }
        self.takes_flag = takes_terminate_flag(started);
        let mode = if runs_mux(started) {
            let version = started.agent_version.as_deref().unwrap_or_default();
            self.mode = Mode::Mux(Box::new(MuxLane::new(io, version, &self.ends.limits)));
            LaneMode::Mux
        } else {
            self.mode = Mode::Basic(BasicLane::new());
            LaneMode::Basic
        };
        self.report(LaneReport::Opened(self.ends.id, mode));
        Ok(())
    }

    pub(super) fn data(&mut self, io: &mut Io<'_>, stream: DataStream, bytes: Bytes) {
        if stream != DataStream::Output {
            // No agent sends any, and no flow may get them.
            io.shared.history.note(format!("{} bytes of another stream were left out", bytes.len()));
            io.channel.consumed(io.now, bytes.len());
            return;
        }
        match &mut self.mode {
            Mode::Unknown => io.channel.consumed(io.now, bytes.len()),
            Mode::Mux(mux) => mux.data(io, bytes),
            Mode::Basic(basic) => basic.data(io, bytes),
        }
    }

    pub(super) fn flag(&mut self, io: &mut Io<'_>, flag: u32) {
        match &mut self.mode {
            Mode::Mux(mux) => mux.flag(io, flag),
            Mode::Unknown | Mode::Basic(_) => tracing::debug!(flag, "flag of no use to this lane"),
        }
    }

    pub(super) fn step(&mut self, io: &mut Io<'_>) {
        self.ends.inbox.take(&mut self.items);
        self.early.extend(self.items.arrivals.drain(..));
        let load = match &mut self.mode {
            Mode::Unknown => None,
            Mode::Mux(mux) => mux.step(io, &self.ends, &mut self.early, &self.items.slots),
            Mode::Basic(basic) => basic.step(io, &self.ends, &mut self.early),
        };
        self.items.slots.clear();
        if let Some(load) = load {
            self.report(LaneReport::Measured(self.ends.id, load));
        }
        let is_held = matches!(&self.mode, Mode::Mux(mux) if mux.is_held());
        if std::mem::replace(&mut self.is_held, is_held) != is_held {
            self.report(LaneReport::Held(self.ends.id, is_held));
        }
    }

    pub(super) async fn wake(&mut self, _has_room: bool) {
        let inbox = &self.ends.inbox;
        poll_fn(|cx| if inbox.poll(cx.waker()) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match &self.mode {
            Mode::Unknown => None,
            Mode::Mux(mux) => mux.deadline(),
            Mode::Basic(basic) => basic.deadline(),
        }
    }

    /// A lane ends when its forward says so.
    #[expect(clippy::unused_self, reason = "all purposes are asked")]
    pub(super) fn is_fulfilled(&self) -> bool {
        false
    }

    pub(super) fn say_goodbye(&mut self, io: &mut Io<'_>) -> Option<Duration> {
        self.takes_flag.then(|| {
            io.channel.terminate_flag(io.now);
            GOODBYE
        })
    }

    fn report(&self, report: LaneReport) {
        // A forward that is gone needs no reports.
        let _ = self.reports.send(report);
    }
}

impl Drop for Lane {
    /// The session is over, and its state says why: every flow learns of it.
    fn drop(&mut self) {
        let end = LaneEnd::of(&self.shared.subscribe().borrow()).unwrap_or(LaneEnd::Ended(EndReason::Defect));
        let left = self.ends.inbox.close();
        let carried = match &mut self.mode {
            Mode::Unknown => Vec::new(),
            Mode::Mux(mux) => mux.take_flows(),
            Mode::Basic(basic) => basic.take_flow().into_iter().collect(),
        };
        for pipe in left.arrivals.into_iter().chain(self.early.drain(..)).chain(carried) {
            pipe.end_down(DownEnd::cut(FlowEnd::LaneLost(end.clone())));
        }
    }
}
