//! Mux mode: every stream of the client is a connection of its own (protocol.md 8.5).

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use fleetline_protocol::{Moment, MuxConfig, MuxEvent, MuxKeepAlive, MuxSession, MuxStreamId, PayloadType};
use tokio::sync::mpsc;

use super::destination::{Connection, Destination};
use super::flow::{Flow, FlowEvent};
use super::{Dial, dial};
use crate::agent::program::{Activity, Chunk};
use crate::config::PortErrorOrder;
use crate::shared::Shared;

/// Flag: a connection could not be made. It does not say which.
const CONNECT_TO_PORT_ERROR: u32 = 3;

/// Bytes of one message.
const MESSAGE_BYTES: usize = 1024;

/// Messages made ahead of their turn beyond which no further connection is tried.
const MOST_MADE: usize = 64;

/// A port session in mux mode.
pub(super) struct MuxPort {
    shared: Arc<Shared>,
    destination: Arc<Destination>,
    mux: MuxSession,
    legs: HashMap<MuxStreamId, Leg>,
    /// Streams whose connection was not tried yet. One is made after the other, as in the accept loop of the real
    /// agent: a slow one holds up all that follow.
    accepted: VecDeque<MuxStreamId>,
    dialling: Option<(MuxStreamId, Dial)>,
    events: mpsc::UnboundedReceiver<(MuxStreamId, FlowEvent)>,
    report: mpsc::UnboundedSender<(MuxStreamId, FlowEvent)>,
    /// Bytes of the client that the mux session has no room for: one slow stream stops them all.
    inbox: VecDeque<Bytes>,
    /// Output that goes before what the mux session has to say.
    made: VecDeque<Chunk>,
    activities: VecDeque<Activity>,
    is_over: bool,
}

/// The server's side of a stream.
enum Leg {
    /// Not connected; what the client said waits.
    Waiting { data: Vec<Bytes>, is_finished: bool },
    Open {
        flow: Flow,
        /// What the server said and the stream had no room for.
        rest: Bytes,
        /// The server says no more.
        has_ended: bool,
    },
}

impl fmt::Debug for MuxPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MuxPort")
            .field("mux", &self.mux)
            .field("legs", &self.legs.len())
            .finish_non_exhaustive()
    }
}

impl MuxPort {
    pub(super) fn new(shared: Arc<Shared>, destination: Arc<Destination>, keeps_alive: bool) -> Self {
        let mut config = MuxConfig::server();
        config.keep_alive = keeps_alive.then(MuxKeepAlive::default);
        // What the real agent's copier reads at once is one frame.
        config.frame_bytes = 32 * 1024;
        let (report, events) = mpsc::unbounded_channel();
        Self {
            mux: MuxSession::new(shared.moment(), config),
            shared,
            destination,
            legs: HashMap::new(),
            accepted: VecDeque::new(),
            dialling: None,
            events,
            report,
            inbox: VecDeque::new(),
            made: VecDeque::new(),
            activities: VecDeque::from([Activity::Ready]),
            is_over: false,
        }
    }

    pub(super) fn input(&mut self, bytes: Bytes) {
        self.inbox.push_back(bytes);
        self.feed();
    }

    pub(super) fn terminate(&mut self) {
        self.is_over = true;
        self.legs.clear();
        self.activities.push_back(Activity::Terminated);
    }

    pub(super) async fn next(&mut self, room: usize) -> Activity {
        loop {
            if let Some(activity) = self.activities.pop_front() {
                return activity;
            }
            if self.is_over {
                return std::future::pending().await;
            }
            if room > 0
                && let Some(chunk) = self.transmit(room)
            {
                return Activity::Output(Some(chunk));
            }
            let timer = self.mux.poll_timeout().map(|at| self.shared.began + at);
            tokio::select! {
                Some((id, event)) = self.events.recv() => {
                    self.flow_event(id, event);
                    // What has piled up meanwhile makes for fuller messages.
                    while let Ok((id, event)) = self.events.try_recv() {
                        self.flow_event(id, event);
                    }
                }
                (id, dialled) = dialled(&mut self.dialling) => self.dialled(id, dialled),
                () = sleep_until(timer) => self.mux.handle_timeout(self.shared.moment()),
            }
            self.follow_up();
        }
    }

    fn transmit(&mut self, room: usize) -> Option<Chunk> {
        if let Some(chunk) = self.made.pop_front() {
            self.dial_next();
            return Some(chunk);
        }
        let bytes = self.mux.poll_transmit(self.shared.moment(), room)?;
        // Sending makes room in streams and ends those that have finished.
        self.follow_up();
        Some(output(bytes))
    }

    /// Hands the client's bytes to the mux session as far as it has room for their data.
    fn feed(&mut self) {
        let now = self.shared.moment();
        while let Some(front) = self.inbox.front_mut() {
            let room = self.mux.receive_room();
            if room == 0 {
                break;
            }
            let bytes = front.split_to(front.len().min(room));
            if front.is_empty() {
                self.inbox.pop_front();
            }
            match self.activities.back_mut() {
                Some(Activity::Consumed(count)) => *count += bytes.len(),
                _ => self.activities.push_back(Activity::Consumed(bytes.len())),
            }
            self.mux.handle_bytes(now, bytes);
            self.take_events(now);
        }
    }

    /// After anything that can have made events or room.
    fn follow_up(&mut self) {
        self.take_events(self.shared.moment());
        self.feed();
    }

    fn take_events(&mut self, now: Moment) {
        while let Some(event) = self.mux.poll_event() {
            match event {
                MuxEvent::Opened(id) => {
                    self.legs.insert(id, Leg::Waiting { data: Vec::new(), is_finished: false });
                    self.accepted.push_back(id);
                    self.dial_next();
                }
                MuxEvent::Data { id, bytes } => match self.legs.get_mut(&id) {
                    Some(Leg::Waiting { data, .. }) => data.push(bytes),
                    Some(Leg::Open { flow, .. }) => flow.write(bytes),
                    None => self.mux.consumed(now, id, bytes.len()),
                },
                MuxEvent::Writable(id) => self.send_rest(now, id),
                MuxEvent::Finished { id, .. } => match self.legs.get_mut(&id) {
                    Some(Leg::Waiting { is_finished, .. }) => *is_finished = true,
                    // What the client sent is still written; then the connection is closed both ways.
                    Some(Leg::Open { flow, .. }) => flow.finish(),
                    None => {}
                },
                MuxEvent::Released(id) | MuxEvent::Reset { id, .. } => self.forget(now, id),
                MuxEvent::Closed(reason) => {
                    tracing::debug!(%reason, "a mux session is over");
                    self.is_over = true;
                    self.legs.clear();
                    self.dialling = None;
                    self.activities.push_back(Activity::Failed(String::new()));
                }
                _ => {}
            }
        }
    }

    fn flow_event(&mut self, id: MuxStreamId, event: FlowEvent) {
        let now = self.shared.moment();
        if let FlowEvent::Written(bytes) = event {
            self.mux.consumed(now, id, bytes);
        }
        let Some(Leg::Open { rest, has_ended, .. }) = self.legs.get_mut(&id) else { return };
        match event {
            FlowEvent::Read(bytes) => {
                *rest = bytes;
                self.send_rest(now, id);
            }
            FlowEvent::ReadEnded(_) => {
                *has_ended = true;
                self.send_rest(now, id);
            }
            FlowEvent::Written(_) => {}
            FlowEvent::WriteEnded => self.forget(now, id),
            FlowEvent::WriteFailed => {
                self.mux.finish(now, id);
                self.forget(now, id);
            }
        }
    }

    /// Gives the stream what the server said, and FIN after the last of it.
    fn send_rest(&mut self, now: Moment, id: MuxStreamId) {
        let Some(Leg::Open { flow, rest, has_ended }) = self.legs.get_mut(&id) else { return };
        if !rest.is_empty() {
            match self.mux.write(now, id, rest) {
                Ok(taken) => {
                    let _ = rest.split_to(taken);
                    if !rest.is_empty() {
                        return;
                    }
                    flow.taken();
                }
                // The client has closed the stream: nobody takes what the server says.
                Err(_) => {
                    rest.clear();
                    flow.taken();
                }
            }
        }
        if *has_ended {
            self.mux.finish(now, id);
            self.forget(now, id);
        }
    }

    /// Closes the server's side of a stream; what was not written is dropped.
    fn forget(&mut self, now: Moment, id: MuxStreamId) {
        self.legs.remove(&id);
        self.mux.consumed(now, id, usize::MAX);
    }

    fn dial_next(&mut self) {
        if self.dialling.is_none()
            && self.made.len() < MOST_MADE
            && let Some(id) = self.accepted.pop_front()
        {
            self.dialling = Some((id, dial(&self.destination)));
        }
    }

    fn dialled(&mut self, id: MuxStreamId, dialled: Result<Connection, String>) {
        self.dialling = None;
        let now = self.shared.moment();
        match dialled {
            Ok(connection) => {
                if let Some(Leg::Waiting { data, is_finished }) = self.legs.remove(&id) {
                    let mut flow = Flow::start(&self.shared.tasks, id, connection, &self.report);
                    data.into_iter().for_each(|bytes| flow.write(bytes));
                    if is_finished {
                        flow.finish();
                    }
                    self.legs.insert(id, Leg::Open { flow, rest: Bytes::new(), has_ended: false });
                }
            }
            Err(text) => {
                tracing::debug!(text, "a port cannot be connected to");
                self.refuse(now, id);
            }
        }
        self.dial_next();
    }

    /// Says that a stream has no connection: a flag, and FIN.
    fn refuse(&mut self, now: Moment, id: MuxStreamId) {
        let flag = Bytes::copy_from_slice(&CONNECT_TO_PORT_ERROR.to_be_bytes());
        let flag = Chunk { payload_type: PayloadType::Flag, bytes: flag };
        self.mux.reset(id);
        self.forget(now, id);
        match self.shared.config.port_error_order {
            PortErrorOrder::FlagFirst => self.made.push_back(flag),
            PortErrorOrder::FinFirst => {
                // Ends go before data, so FIN is among the next bytes.
                while let Some(bytes) = self.mux.poll_transmit(now, MESSAGE_BYTES) {
                    self.made.push_back(output(bytes));
                    if self.made.len() >= MOST_MADE {
                        break;
                    }
                }
                self.made.push_back(flag);
            }
        }
    }
}

fn output(bytes: Bytes) -> Chunk {
    Chunk { payload_type: PayloadType::Output, bytes }
}

async fn dialled(dialling: &mut Option<(MuxStreamId, Dial)>) -> (MuxStreamId, Result<Connection, String>) {
    match dialling {
        Some((id, dial)) => (*id, dial.await),
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<std::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
