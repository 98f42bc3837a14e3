//! A session that runs at an agent outside this program: what stands between its relay and the agent's data channel.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::link::{AgentEnd, FromAgent, ToAgent};
use crate::gateway::faults::Frame;
use crate::gateway::messages;
use crate::gateway::relay::{Attachment, SocketCut, SocketEnd, reserve, take};
use crate::shared::Shared;

/// How long an agent may take to read the last word.
const FLUSH_WAIT: Duration = Duration::from_secs(2);

/// What happens to such a session.
#[derive(Debug)]
pub(crate) enum Event {
    /// The agent's socket has shown a good token. It replaces the one before.
    Attach(Attachment),
    /// The agent says that the session is over.
    Complete {
        /// Text for the client.
        output: String,
        /// Whether it did not succeed.
        failed: bool,
    },
}

/// What a session begins with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) session_id: String,
    /// The way to the agent.
    pub(crate) control: mpsc::Sender<Bytes>,
    /// `interactive_shell`.
    pub(crate) message: Bytes,
}

struct Session {
    end: AgentEnd,
    socket: Option<Attachment>,
    /// A frame that waits for room on its way to the client, and one on its way to the agent.
    to_client: Option<Bytes>,
    to_agent: Option<Bytes>,
    ignores_input: bool,
}

/// Has the agent run a session, until it is over or `stop` says so.
pub(crate) async fn run(shared: Arc<Shared>, start: Start, end: AgentEnd, stop: CancellationToken) {
    let mut events = shared.outside.begin(&start.session_id);
    let mut session = Session { end, socket: None, to_client: None, to_agent: None, ignores_input: false };
    let done = match start.control.send(start.message).await {
        Ok(()) => tokio::select! {
            done = session.drive(&mut events) => done,
            () = stop.cancelled() => None,
        },
        Err(_) => Some(FromAgent::Done { output: String::new(), failed: true }),
    };
    if let Some(done) = done {
        session.report(done, &stop).await;
        stop.cancelled().await;
    }
    shared.outside.end(&start.session_id);
    tokio::time::timeout(FLUSH_WAIT, session.part()).await.ok();
}

impl Session {
    /// Passes frames both ways; gives what the agent says at last, or `None` when the relay is gone.
    async fn drive(&mut self, events: &mut mpsc::Receiver<Event>) -> Option<FromAgent> {
        loop {
            let is_attached = self.socket.is_some();
            let (inbound, outbound) = match &mut self.socket {
                Some(socket) => (Some(&mut socket.inbound), Some(&socket.outbound)),
                None => (None, None),
            };
            let (up, down) =
                (self.to_client.as_ref().map(Bytes::len), self.to_agent.as_ref().map(Bytes::len));
            tokio::select! {
                event = events.recv() => match event? {
                    Event::Attach(attachment) => {
                        let replaced = SocketCut::Close { code: 1000, reason: "Replaced".to_owned() };
                        self.cut(replaced);
                        self.socket = Some(attachment);
                    }
                    Event::Complete { output, failed } => return Some(FromAgent::Done { output, failed }),
                },
                frame = take(inbound), if up.is_none() => match frame {
                    Some(frame) => self.to_client = Some(frame),
                    None => self.socket = None,
                },
                room = self.end.sender.reserve(up.unwrap_or(0)), if up.is_some() => {
                    let (Ok(room), Some(frame)) = (room, self.to_client.take()) else { return None };
                    self.end.sender.put(room, FromAgent::Frame(frame)).ok()?;
                }
                room = reserve(outbound, down), if down.is_some() && is_attached => {
                    // A socket that has ended is noticed by its inbound side.
                    if let (Ok(room), Some(frame), Some(socket)) = (room, self.to_agent.take(), &self.socket) {
                        socket.outbound.put(room, Frame::Binary(frame)).ok();
                    }
                }
                // Without a socket everything waits where it is bounded.
                item = self.end.receiver.take(), if down.is_none() && is_attached => match item? {
                    ToAgent::Frame(frame) if self.ignores_input && messages::is_stream_data(&frame) => {}
                    ToAgent::Frame(frame) => self.to_agent = Some(frame),
                    ToAgent::LinkDown => self.cut(SocketCut::Reset),
                    ToAgent::LinkUp => {}
                    ToAgent::IgnoreInput(ignores) => self.ignores_input = ignores,
                },
            }
        }
    }

    fn cut(&mut self, cut: SocketCut) {
        if let Some(socket) = self.socket.take() {
            socket.end.send(SocketEnd::Cut(cut)).ok();
        }
    }

    /// Gives the relay what the agent has sent, then its last word.
    async fn report(&mut self, done: FromAgent, stop: &CancellationToken) {
        let mut frames: Vec<Bytes> = self.to_client.take().into_iter().collect();
        while let Some(socket) = &mut self.socket
            && let Some(Some(frame)) = socket.inbound.take().now_or_never()
        {
            frames.push(frame);
        }
        let sender = &self.end.sender;
        let telling = async {
            for frame in frames {
                let Ok(room) = sender.reserve(frame.len()).await else { return };
                sender.put(room, FromAgent::Frame(frame)).ok();
            }
            if let Ok(room) = sender.reserve(1).await {
                sender.put(room, done).ok();
            }
        };
        tokio::select! {
            () = telling => {}
            () = stop.cancelled() => {}
        }
    }

    /// Gives the agent what the relay has said, the end included, and lets its socket go.
    async fn part(mut self) {
        let Some(socket) = &self.socket else { return };
        let mut next = self.to_agent.take();
        loop {
            let frame = match next.take() {
                Some(frame) => frame,
                None => match self.end.receiver.take().now_or_never().flatten() {
                    Some(ToAgent::Frame(frame)) => frame,
                    Some(_) => continue,
                    None => return,
                },
            };
            let Ok(room) = socket.outbound.reserve(frame.len()).await else { return };
            socket.outbound.put(room, Frame::Binary(frame)).ok();
        }
    }
}
