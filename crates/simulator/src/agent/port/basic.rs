//! Basic mode: one connection at a time, without any sign of where one ends (protocol.md 8.3, 8.4).

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use fleetline_protocol::PayloadType;
use tokio::sync::mpsc;

use super::destination::{Connection, Destination};
use super::flow::{Flow, FlowEvent};
use super::{Dial, dial};
use crate::agent::program::{Activity, Chunk};
use crate::shared::Shared;

/// A port session in basic mode.
pub(super) struct BasicPort {
    shared: Arc<Shared>,
    destination: Arc<Destination>,
    /// Whether the client listens, so that one connection follows another; otherwise the session ends with its only
    /// one.
    is_forwarding: bool,
    state: State,
    /// Tells the events of one connection from those of the one before.
    turn: u64,
    events: mpsc::UnboundedReceiver<(u64, FlowEvent)>,
    report: mpsc::UnboundedSender<(u64, FlowEvent)>,
    /// Input that was not handed to the server. The first piece is being written while `is_writing`.
    to_write: VecDeque<Bytes>,
    is_writing: bool,
    /// Output that was read and not passed on.
    read: VecDeque<Bytes>,
    /// How the session ends once all that was read is passed on.
    end: Option<Activity>,
    activities: VecDeque<Activity>,
}

enum State {
    /// The connection the session starts with is being made.
    First(Dial),
    Open(Flow),
    /// The next input makes a connection.
    Waiting,
    Again(Dial),
    Over,
}

impl fmt::Debug for BasicPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicPort").field("turn", &self.turn).finish_non_exhaustive()
    }
}

impl BasicPort {
    pub(super) fn new(shared: Arc<Shared>, destination: Arc<Destination>, is_forwarding: bool) -> Self {
        let (report, events) = mpsc::unbounded_channel();
        Self {
            state: State::First(dial(&destination)),
            shared,
            destination,
            is_forwarding,
            turn: 0,
            events,
            report,
            to_write: VecDeque::new(),
            is_writing: false,
            read: VecDeque::new(),
            end: None,
            activities: VecDeque::new(),
        }
    }

    pub(super) fn input(&mut self, bytes: Bytes) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.to_write.push_back(bytes);
        if matches!(self.state, State::Waiting) {
            self.state = State::Again(dial(&self.destination));
        }
        self.write();
    }

    /// The client's local connection has ended. What the server said meanwhile is lost with the connection.
    pub(super) fn disconnect(&mut self) {
        match self.state {
            State::Open(_) if self.is_forwarding => {
                self.read.clear();
                self.close();
            }
            // Without a listener there is no other connection to come.
            State::Open(_) => self.finish(Activity::Failed(String::new())),
            _ => {}
        }
    }

    pub(super) fn terminate(&mut self) {
        self.read.clear();
        self.finish(Activity::Terminated);
    }

    pub(super) async fn next(&mut self, room: usize) -> Activity {
        loop {
            if let Some(activity) = self.activities.pop_front() {
                return activity;
            }
            if room > 0
                && let Some(chunk) = self.take_read(room)
            {
                return Activity::Output(Some(chunk));
            }
            if self.read.is_empty()
                && let Some(end) = self.end.take()
            {
                self.state = State::Over;
                return end;
            }
            tokio::select! {
                Some((turn, event)) = self.events.recv() => if turn == self.turn {
                    self.event(event);
                },
                dialled = dialled(&mut self.state) => self.dialled(dialled),
            }
        }
    }

    fn take_read(&mut self, room: usize) -> Option<Chunk> {
        let front = self.read.front_mut()?;
        let bytes = front.split_to(front.len().min(room));
        if front.is_empty() {
            self.read.pop_front();
            if let State::Open(flow) = &self.state {
                flow.taken();
            }
        }
        Some(Chunk { payload_type: PayloadType::Output, bytes })
    }

    fn dialled(&mut self, dialled: Result<Connection, String>) {
        let is_first = matches!(self.state, State::First(_));
        match dialled {
            Ok(connection) => {
                self.turn += 1;
                self.state =
                    State::Open(Flow::start(&self.shared.tasks, self.turn, connection, &self.report));
                if is_first {
                    self.activities.push_back(Activity::Ready);
                }
                self.write();
            }
            Err(text) if is_first => {
                self.finish(Activity::Failed(format!("Unable to connect to specified port: {text}")));
            }
            Err(text) => {
                tracing::debug!(text, "a port cannot be connected to again");
                self.finish(Activity::Failed(String::new()));
            }
        }
    }

    fn event(&mut self, event: FlowEvent) {
        match event {
            FlowEvent::Read(bytes) => self.read.push_back(bytes),
            FlowEvent::Written(bytes) => {
                self.to_write.pop_front();
                self.is_writing = false;
                self.activities.push_back(Activity::Consumed(bytes));
                self.write();
            }
            FlowEvent::ReadEnded(error) => match error {
                // The client is not told; it learns nothing until it sends something.
                _ if self.is_forwarding => self.close(),
                None => self.finish(Activity::Output(None)),
                Some(_) => self.finish(Activity::Failed(String::new())),
            },
            // The reading half tells what comes of it.
            FlowEvent::WriteEnded | FlowEvent::WriteFailed => {}
        }
    }

    /// Hands the next piece of input to the server: one at a time, so that the rest is there for the connection that
    /// comes after this one.
    fn write(&mut self) {
        if let (State::Open(flow), false, Some(bytes)) = (&self.state, self.is_writing, self.to_write.front())
        {
            flow.write(bytes.clone());
            self.is_writing = true;
        }
    }

    /// Closes the connection; input makes another.
    fn close(&mut self) {
        if std::mem::take(&mut self.is_writing)
            && let Some(bytes) = self.to_write.pop_front()
        {
            self.activities.push_back(Activity::Consumed(bytes.len()));
        }
        // Events that are still to come belong to a connection that is no more.
        self.turn += 1;
        self.state =
            if self.to_write.is_empty() { State::Waiting } else { State::Again(dial(&self.destination)) };
    }

    fn finish(&mut self, end: Activity) {
        self.turn += 1;
        self.state = State::Over;
        self.to_write.clear();
        self.end = Some(end);
    }
}

async fn dialled(state: &mut State) -> Result<Connection, String> {
    match state {
        State::First(dial) | State::Again(dial) => dial.await,
        State::Open(_) | State::Waiting | State::Over => std::future::pending().await,
    }
}
