//! Port forwards: listeners that outlive sessions.
//!
//! A [`Forward`] accepts local connections, the *flows*, and carries them over one or several sessions, the *lanes*.
//! It ends only when it is stopped: a lane that is cut is resumed with its flows, a lane that is lost ends its flows
//! with a named cause and is replaced when something connects again.
//!
//! # Policies
//!
//! * **A slow local program** stalls itself only. What waits for it counts against the lane's `down_bytes`; beyond
//!   them the lane is held back while no other flow needs it, and then the flow with the most is cut with a reset,
//!   never with an end that looks like the target's.
//! * **Half-close**: the protocol has none (protocol.md 8.5). When the local program finishes sending, the target is
//!   not told until it finishes too, or until nothing happened for the half-close grace.
//! * **Refused by the target**: exactly the one local connection is reset, as [`FlowEnd::Refused`].
//! * **Programs that choose**, as those of a proxy do: each destination has lanes of its own, and all of them together
//!   are bounded. A program is told that its destination is reached once that says something, or has had half a second
//!   to refuse: agents tell of failures only.
//! * **Agents that cannot multiplex** carry one flow for each lane; bytes of one connection never reach the next: what
//!   cannot be told apart ends the lane.

mod accept;
mod admission;
mod end;
mod filter;
mod flow;
mod goal;
mod group;
mod lanes;
mod listen;
mod negotiation;
mod opening;
mod pipe;
mod registry;
mod request;
mod snapshot;
mod task;

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::history::HistoryEntry;
use crate::ports::ControlPlane;
use crate::session::CloseError;

use flow::{LocalStream, Plain};
use registry::{Manners, Registry};
use task::{Event, ForwardTask};

pub use admission::{Admission, AdmitAll, Arrival};
pub use end::{FlowEnd, LaneEnd};
pub use filter::{FilterRefusal, Filtered, FlowFilter, Screen};
pub use listen::{ListenError, ListenProblem, LocalAddress};
pub use negotiation::{Negotiated, Negotiation, Negotiator, Unreached};
pub use request::{
    Destination, FlowLimits, ForwardOptions, ForwardRequest, LanePolicy, LaneStart, Listen,
    PORT_FORWARDING_DOCUMENT, REMOTE_HOST_DOCUMENT, SOCKET_DOCUMENT,
};
pub use snapshot::{
    ENDED_FLOWS, EndedFlow, FlowId, FlowSnapshot, ForwardSnapshot, ForwardState, ForwardTotals, LaneId,
    LaneMode, LaneSnapshot,
};

pub(crate) use lanes::Load;
pub(crate) use pipe::{DownEnd, Inbox, Items, Pipe, UpEnd};

/// The forward was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The forward was stopped")]
pub struct ForwardStopped;

/// A running forward. Dropping it stops it in the background; to be sure that its sessions are terminated before the
/// program exits, await [`stop`](Self::stop).
#[derive(Debug)]
pub struct Forward {
    registry: Arc<Registry>,
    events: mpsc::UnboundedSender<Event>,
    listeners: Vec<LocalAddress>,
    accepting: TaskTracker,
    stopped: watch::Receiver<Option<Result<(), CloseError>>>,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.registry.stop.cancel();
    }
}

impl Forward {
    /// Binds the local ends and begins to accept; sessions follow by [`ForwardOptions::start`].
    ///
    /// # Errors
    /// When a local end cannot be had. Then none stays bound, and AWS was not asked for a session.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        control: Arc<dyn ControlPlane>,
        request: ForwardRequest,
        options: ForwardOptions,
    ) -> Result<Self, ListenError> {
        let bound = listen::bind(&options.listen)?;
        let listeners: Vec<LocalAddress> = bound.iter().map(|bound| bound.address.clone()).collect();
        let (events, receiver) = mpsc::unbounded_channel();
        let manners = Manners {
            // Of no use to a forward that leads to one place.
            negotiator: options.negotiator.clone().filter(|_| request.destination == Destination::Chosen),
            screen: options.screen.clone(),
        };
        let registry = Arc::new(Registry::new(
            listeners.clone(),
            request.destination.clone(),
            options.limits,
            manners,
            events.clone(),
        ));
        let accepting = TaskTracker::new();
        for bound in bound {
            accepting.spawn(accept::run(bound, registry.clone(), options.admission.clone()));
        }
        accepting.close();
        let (outcome, stopped) = watch::channel(None);
        let task = ForwardTask::new(control, request, options, registry.clone());
        tokio::spawn(async move {
            let ended = task.run(receiver).await;
            outcome.send_replace(Some(ended));
        });
        Ok(Self { registry, events, listeners, accepting, stopped })
    }

    /// Where it listens, with the ports that were picked.
    pub fn listeners(&self) -> &[LocalAddress] {
        &self.listeners
    }

    /// What it is doing. The last value is `Stopped`.
    pub fn state(&self) -> watch::Receiver<ForwardState> {
        self.registry.state()
    }

    /// A number that grows whenever state, lanes or flows change, but not with their counters. Ask for a
    /// [`snapshot`](Self::snapshot) then.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.registry.changes()
    }

    /// Everything about it now.
    pub fn snapshot(&self) -> ForwardSnapshot {
        self.registry.snapshot()
    }

    /// Carries a stream as a flow, whatever it is. Waits while `limits.flows` are there. A flow that is cut drops the
    /// stream; use [`connect_tcp`](Self::connect_tcp) for TCP, which can be reset.
    ///
    /// # Errors
    /// When the forward was stopped.
    pub async fn connect<S>(&self, stream: S, label: impl Into<String>) -> Result<FlowHandle, ForwardStopped>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.carry(Box::new(Plain(stream)), label.into()).await
    }

    /// As [`connect`](Self::connect), for TCP connections.
    ///
    /// # Errors
    /// When the forward was stopped.
    pub async fn connect_tcp(
        &self,
        stream: TcpStream,
        label: impl Into<String>,
    ) -> Result<FlowHandle, ForwardStopped> {
        accept::tune(&stream);
        self.carry(Box::new(stream), label.into()).await
    }

    async fn carry(&self, stream: Box<dyn LocalStream>, label: String) -> Result<FlowHandle, ForwardStopped> {
        let room = self.registry.room().await.ok_or(ForwardStopped)?;
        Ok(self.registry.begin_flow(stream, label, None, room))
    }

    /// Starts a lane if there is none, and waits until one is open.
    ///
    /// # Errors
    /// How the attempt failed, or that the forward was stopped.
    pub async fn ready(&self) -> Result<(), LaneEnd> {
        let mut state = self.state();
        let attempts = self.registry.failed_lanes();
        // A task that is gone has set its last state.
        let _ = self.events.send(Event::Wanted);
        loop {
            let now = state.borrow_and_update().clone();
            match now {
                ForwardState::Open => return Ok(()),
                ForwardState::Stopped => return Err(LaneEnd::Ended(crate::EndReason::ClosedByUser)),
                ForwardState::Failing { cause, .. } if self.registry.failed_lanes() > attempts => {
                    return Err(cause);
                }
                _ => {}
            }
            if state.changed().await.is_err() {
                return Err(LaneEnd::Ended(crate::EndReason::Defect));
            }
        }
    }

    /// Tries now what waits for a pause or for the user: lanes that are being resumed, and the next lane. Asks open
    /// lanes for a sign of life.
    pub fn retry_now(&self) {
        let _ = self.events.send(Event::RetryNow);
    }

    /// The latest steps of its life, oldest first. Lanes have histories of their own.
    pub fn history(&self) -> Vec<HistoryEntry> {
        self.registry.history.entries()
    }

    /// The latest steps of a lane's life, oldest first; `None` when it is gone.
    pub fn lane_history(&self, lane: LaneId) -> Option<Vec<HistoryEntry>> {
        self.registry.lane_history(lane)
    }

    /// Resets one connection, or all of them. One that is over already is left alone.
    pub fn reset(&self, flow: Option<FlowId>) {
        self.registry.reset(flow);
    }

    /// Stops it as [`stop`](Self::stop) does, and waits only until its local ends are free for another listener.
    pub async fn unbound(&self) {
        self.registry.stop.cancel();
        self.accepting.wait().await;
    }

    /// Closes the listeners, resets the flows, terminates the sessions and waits until AWS has confirmed it, 10 s at
    /// most.
    ///
    /// # Errors
    /// When a session may still be open at AWS.
    pub async fn stop(&self) -> Result<(), CloseError> {
        self.registry.stop.cancel();
        let mut stopped = self.stopped.clone();
        match stopped.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
            // The task panicked; the guards of its sessions terminate them.
            Err(_) => Ok(()),
        }
    }
}

/// A flow that was pushed into a forward. Dropping the handle leaves the flow alone.
#[derive(Debug)]
pub struct FlowHandle {
    pipe: Arc<Pipe>,
    ended: watch::Receiver<Option<FlowEnd>>,
}

impl FlowHandle {
    /// Its name.
    pub fn id(&self) -> FlowId {
        self.pipe.id
    }

    /// Waits for its end.
    pub async fn ended(&self) -> FlowEnd {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(FlowEnd::ForwardStopped),
            Err(_) => FlowEnd::ForwardStopped,
        }
    }

    /// Ends it at once.
    pub fn reset(&self) {
        self.pipe.cut(FlowEnd::Reset);
    }
}
