//! What a forward looks like from outside.

use std::fmt;
use std::time::SystemTime;

use fleetline_protocol::SessionId;

use super::end::{FlowEnd, LaneEnd};
use super::listen::LocalAddress;
use super::request::Destination;
use crate::cause::ReconnectCause;
use crate::state::{SessionState, StartStep};
use crate::stats::SessionStats;

/// What a forward is doing.
#[derive(Clone, Debug)]
pub enum ForwardState {
    /// Listening; there is no session, and none is needed until something connects.
    Idle {
        /// How the last lane ended, if there was one.
        last: Option<LaneEnd>,
    },
    /// The first session is being started.
    Starting {
        /// What it waits for.
        step: StartStep,
    },
    /// At least one lane is open.
    Open,
    /// Every open lane has waited for an answer of the node for 5 s or more. Flows are kept; those that come now get
    /// another lane if one can be had.
    Unanswered {
        /// Since when the lane that was heard of last has waited.
        since: SystemTime,
    },
    /// No lane is open, and at least one is being resumed; its flows are kept.
    Reconnecting {
        /// Why.
        cause: ReconnectCause,
        /// Whether nothing happens until `retry_now` is called, because other credentials or permissions are needed.
        awaits_retry: bool,
    },
    /// There is no session and the last attempt to have one failed.
    Failing {
        /// How.
        cause: LaneEnd,
        /// When the next attempt begins by itself; `None` when only a new connection or `retry_now` begins one.
        next_try: Option<SystemTime>,
    },
    /// [`Forward::stop`](super::Forward::stop) was called or the forward dropped. Final.
    Stopped,
}

/// Names a lane of a forward; never used twice in one forward. `Display` counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub u32);

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.saturating_add(1).fmt(f)
    }
}

/// Names a flow of a forward; never used twice in one forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a lane carries flows (protocol.md 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneMode {
    /// Many flows at a time.
    Mux,
    /// One flow at a time: agents up to 3.0.196.0, and documents that do not multiplex.
    Basic,
}

/// One lane.
#[derive(Clone, Debug)]
pub struct LaneSnapshot {
    /// Its name.
    pub id: LaneId,
    /// Its session, once AWS granted it.
    pub session_id: Option<SessionId>,
    /// What the session is doing.
    pub state: SessionState,
    /// How it carries flows, once it has opened.
    pub mode: Option<LaneMode>,
    /// Where it leads, when connections choose that.
    pub destination: Option<Destination>,
    /// Flows on it.
    pub flows: usize,
    /// Whether the agent sends about as much as it can.
    pub is_saturated: bool,
    /// Whether a local program that does not read holds it back.
    pub is_held: bool,
    /// Payload bytes per second to and from the node, measured while there is traffic; 0 when there was none in the
    /// last second.
    pub rate_up: u64,
    /// See `rate_up`.
    pub rate_down: u64,
    /// What its session has counted: round trips, bytes, unacknowledged, retransmissions, resumes.
    pub stats: SessionStats,
}

/// One flow.
#[derive(Clone, Debug)]
pub struct FlowSnapshot {
    /// Its name.
    pub id: FlowId,
    /// Who connected: an address, or the label given to [`Forward::connect`](super::Forward::connect).
    pub label: String,
    /// The listener it came to.
    pub listener: Option<LocalAddress>,
    /// The lane that carries it; `None` while it waits for one.
    pub lane: Option<LaneId>,
    /// Where it goes, when its program chose that and has said so.
    pub destination: Option<Destination>,
    /// When it came.
    pub opened: SystemTime,
    /// Bytes the lane took of the local program.
    pub bytes_up: u64,
    /// Bytes written to the local program.
    pub bytes_down: u64,
    /// Bytes that wait to be written to the local program.
    pub waiting_down: usize,
}

/// A flow that is over.
#[derive(Clone, Debug)]
pub struct EndedFlow {
    /// Its last figures.
    pub flow: FlowSnapshot,
    /// Why it ended.
    pub end: FlowEnd,
    /// When.
    pub at: SystemTime,
}

/// Sums over the life of a forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForwardTotals {
    /// Flows that came.
    pub flows: u64,
    /// Flows that ended other than in order.
    pub flows_cut: u64,
    /// Connections that were not admitted.
    pub not_admitted: u64,
    /// Bytes of local programs, of flows that ended and of those that live.
    pub bytes_up: u64,
    /// Bytes written to local programs.
    pub bytes_down: u64,
    /// Sessions asked for.
    pub lanes: u64,
}

/// A forward at one instant.
#[derive(Clone, Debug)]
pub struct ForwardSnapshot {
    /// What it is doing.
    pub state: ForwardState,
    /// Where it listens.
    pub listeners: Vec<LocalAddress>,
    /// Its lanes, oldest first.
    pub lanes: Vec<LaneSnapshot>,
    /// Its flows, oldest first.
    pub flows: Vec<FlowSnapshot>,
    /// The latest flows that ended, oldest first, [`ENDED_FLOWS`] at most.
    pub ended: Vec<EndedFlow>,
    /// Sums.
    pub totals: ForwardTotals,
}

/// How many flows that ended a forward remembers.
pub const ENDED_FLOWS: usize = 64;
