//! The relay of one session: it owns both sides' attachments, forwards frames unmodified and never acknowledges.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::faults::FaultyLink;
use super::messages;
use super::pipe::{PipeReceiver, PipeSender};
use crate::agent::link::{FromAgent, RelayEnd, ToAgent};
use crate::registry::SessionStatus;
use crate::shared::Shared;

/// What a relay can be told.
#[derive(Debug)]
pub(crate) enum RelayCommand {
    /// A client's socket has shown a good token. It replaces the one before.
    Attach(Attachment),
    /// End the session with this text in `channel_closed`.
    Terminate {
        /// The text; empty for an ordinary end.
        output: String,
    },
    /// Drop the client's connection without a word.
    CutClient,
    /// Close the client's socket with 1000 `Bye`.
    Bye,
    /// The agent's connection goes away or comes back.
    AgentLink {
        /// Whether it is there.
        up: bool,
    },
    /// The agent's computer goes away for good.
    StopAgent,
}

/// A client's socket, as the relay sees it.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) inbound: PipeReceiver<Bytes>,
    pub(crate) outbound: PipeSender<Bytes>,
    pub(crate) end: oneshot::Sender<SocketEnd>,
}

/// How a socket is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketEnd {
    /// Dropped without a close frame.
    Cut,
    /// Closed with 1000 and this reason.
    Close(&'static str),
}

/// What AWS says when nothing has moved for too long.
const IDLE_TEXT: &str = "Your session timed out due to inactivity.";

/// What is said when the client never came.
const UNOPENED_TEXT: &str = "The data channel was not opened in time.";

/// How long a client may take to read what is left when its session ends.
const FLUSH_WAIT: Duration = Duration::from_secs(2);

/// The relay of one session.
pub(super) struct Relay {
    shared: Arc<Shared>,
    session_id: String,
    target: String,
    client: Option<Client>,
    link: RelayEnd,
    agent: JoinHandle<()>,
    /// Stops the agent.
    stop: CancellationToken,
    /// Whether the agent's connection is up.
    agent_up: bool,
    to_agent: Direction,
    to_client: Direction,
    last_activity: Instant,
    began: Instant,
    attached_once: bool,
}

struct Client {
    attachment: Attachment,
    since: Instant,
}

/// Frames on their way in one direction.
struct Direction {
    faults: FaultyLink,
    /// Frames that wait for room; at most those one frame turned into.
    waiting: std::collections::VecDeque<Bytes>,
}

impl Direction {
    fn push(&mut self, frame: Bytes) {
        let frames = self.faults.pass(frame);
        self.waiting.extend(frames);
    }
}

/// Why a session ends.
struct Ending {
    output: String,
    status: SessionStatus,
}

impl Relay {
    pub(super) fn new(
        shared: Arc<Shared>,
        session_id: String,
        target: String,
        link: RelayEnd,
        agent: JoinHandle<()>,
        stop: CancellationToken,
    ) -> Self {
        let direction = |salt: u64| Direction {
            faults: FaultyLink::new(shared.config.link_faults, shared.config.seed.wrapping_add(salt)),
            waiting: std::collections::VecDeque::new(),
        };
        Self {
            to_agent: direction(1),
            to_client: direction(2),
            client: None,
            link,
            agent,
            stop,
            agent_up: true,
            last_activity: Instant::now(),
            began: Instant::now(),
            attached_once: false,
            shared,
            session_id,
            target,
        }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<RelayCommand>) {
        let ending = loop {
            if let Some(ending) = self.step(&mut commands).await {
                break ending;
            }
        };
        // From here on nobody can attach any more.
        drop(commands);
        self.end(ending).await;
    }

    /// Waits for one thing to happen and deals with it.
    async fn step(&mut self, commands: &mut mpsc::Receiver<RelayCommand>) -> Option<Ending> {
        let (deadline, due) = self.deadline();
        let stop = self.shared.stop.clone();
        let client = self.client.as_mut();
        let (inbound, outbound) = match client {
            Some(client) => (Some(&mut client.attachment.inbound), Some(&client.attachment.outbound)),
            None => (None, None),
        };
        let (to_client, to_agent) = (self.to_client.waiting.front(), self.to_agent.waiting.front());
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => self.command(command),
                None => Some(Ending { output: String::new(), status: SessionStatus::Terminated }),
            },
            () = stop.cancelled() => Some(Ending { output: String::new(), status: SessionStatus::Terminated }),
            frame = take(inbound), if to_agent.is_none() => {
                match frame {
                    Some(frame) => self.take_from_client(frame),
                    None => self.detach(None),
                }
                None
            }
            room = reserve(outbound, to_client), if to_client.is_some() && outbound.is_some() => {
                if let (Ok(room), Some(frame), Some(client)) =
                    (room, self.to_client.waiting.pop_front(), &self.client)
                {
                    // A socket that has ended is noticed by its inbound side.
                    client.attachment.outbound.put(room, frame).ok();
                } else {
                    self.detach(None);
                }
                None
            }
            room = self.link.sender.reserve(to_agent.map_or(0, Bytes::len)), if to_agent.is_some() => {
                if let (Ok(room), Some(frame)) = (room, self.to_agent.waiting.pop_front()) {
                    self.link.sender.put(room, ToAgent::Frame(frame)).ok();
                } else {
                    self.to_agent.waiting.clear();
                }
                None
            }
            item = self.link.receiver.take(), if to_client.is_none() && self.link.open => self.take_from_agent(item),
            () = tokio::time::sleep_until(deadline) => self.due(due),
        }
    }

    fn command(&mut self, command: RelayCommand) -> Option<Ending> {
        match command {
            RelayCommand::Attach(attachment) => self.attach(attachment),
            RelayCommand::Terminate { output } => {
                return Some(Ending { output, status: SessionStatus::Terminated });
            }
            RelayCommand::CutClient => self.detach(Some(SocketEnd::Cut)),
            RelayCommand::Bye => self.detach(Some(SocketEnd::Close("Bye"))),
            RelayCommand::AgentLink { up } => self.set_agent_link(up),
            RelayCommand::StopAgent => {
                self.agent_up = false;
                self.to_agent.waiting.clear();
                self.stop.cancel();
            }
        }
        None
    }

    fn attach(&mut self, attachment: Attachment) {
        if let Some(before) = self.client.take() {
            before.attachment.end.send(SocketEnd::Close("Replaced")).ok();
        }
        self.to_client.waiting.clear();
        self.last_activity = Instant::now();
        self.attached_once = true;
        self.client = Some(Client { attachment, since: Instant::now() });
        if self.agent_up {
            self.to_client.waiting.push_back(messages::start_publication());
            self.tell_agent(messages::start_publication());
        } else {
            self.to_client.waiting.push_back(messages::pause_publication());
        }
        self.shared.update_session(&self.session_id, |view| {
            view.status = SessionStatus::Connected;
            view.client_sockets += 1;
        });
    }

    /// Lets go of the client's socket; `end` says how, `None` if it has ended by itself.
    fn detach(&mut self, end: Option<SocketEnd>) {
        let Some(client) = self.client.take() else { return };
        if let Some(end) = end {
            client.attachment.end.send(end).ok();
        }
        let lost = self.to_client.waiting.len() as u64;
        self.to_client.waiting.clear();
        self.shared.update_session(&self.session_id, |view| {
            view.status = SessionStatus::Disconnected;
            view.dropped_frames += lost;
        });
        self.tell_agent(messages::pause_publication());
    }

    fn set_agent_link(&mut self, up: bool) {
        if self.agent_up == up || !self.link.open {
            return;
        }
        self.agent_up = up;
        self.to_agent.waiting.clear();
        let event = if up { ToAgent::LinkUp } else { ToAgent::LinkDown };
        if let Some(room) = self.link.sender.try_reserve(1) {
            self.link.sender.put(room, event).ok();
        }
        if self.client.is_some() {
            let message = if up { messages::start_publication() } else { messages::pause_publication() };
            self.to_client.waiting.push_back(message);
            if up {
                self.tell_agent(messages::start_publication());
            }
        }
    }

    /// Sends a message of the gateway's own to the agent, if its connection is up. Without room it is left out:
    /// the agent then has frames to read that say as much.
    fn tell_agent(&mut self, frame: Bytes) {
        if self.agent_up
            && self.link.open
            && let Some(room) = self.link.sender.try_reserve(frame.len())
        {
            self.link.sender.put(room, ToAgent::Frame(frame)).ok();
        }
    }

    fn take_from_client(&mut self, frame: Bytes) {
        if messages::is_stream_data(&frame) {
            self.last_activity = Instant::now();
        }
        if self.agent_up && self.link.open {
            self.to_agent.push(frame);
            return;
        }
        // Nobody is there to take it: the peer sends it again. One pause for each frame is what was observed.
        self.shared.update_session(&self.session_id, |view| view.dropped_frames += 1);
        if self.to_client.waiting.is_empty() {
            self.to_client.waiting.push_back(messages::pause_publication());
        }
    }

    fn take_from_agent(&mut self, item: Option<FromAgent>) -> Option<Ending> {
        match item {
            Some(FromAgent::Frame(frame)) => {
                // States are for the gateway, not for the client.
                if !self.agent_up || messages::is_session_state(&frame) {
                    return None;
                }
                if messages::is_stream_data(&frame) {
                    self.last_activity = Instant::now();
                }
                if self.client.is_some() {
                    self.to_client.push(frame);
                } else {
                    self.shared.update_session(&self.session_id, |view| view.dropped_frames += 1);
                }
                None
            }
            Some(FromAgent::Done { output, failed }) => {
                let status = if failed { SessionStatus::Failed } else { SessionStatus::Terminated };
                Some(Ending { output, status })
            }
            // The agent is gone without a word; only the service's time-outs end the session now.
            None => {
                self.link.open = false;
                self.agent_up = false;
                if self.client.is_some() {
                    self.to_client.waiting.push_back(messages::pause_publication());
                }
                None
            }
        }
    }

    /// The next deadline and what it means.
    fn deadline(&self) -> (Instant, Due) {
        let config = &self.shared.config;
        let mut next = (self.last_activity + config.idle_timeout, Due::Idle);
        let mut consider = |at: Instant, due| {
            if at < next.0 {
                next = (at, due);
            }
        };
        if !self.attached_once {
            consider(self.began + config.token_ttl, Due::Unopened);
        }
        if let (Some(client), Some(age)) = (&self.client, config.bye_after) {
            consider(client.since + age, Due::Bye);
        }
        next
    }

    fn due(&mut self, due: Due) -> Option<Ending> {
        match due {
            Due::Idle => Some(Ending { output: IDLE_TEXT.to_owned(), status: SessionStatus::Terminated }),
            Due::Unopened => {
                Some(Ending { output: UNOPENED_TEXT.to_owned(), status: SessionStatus::Terminated })
            }
            Due::Bye => {
                self.detach(Some(SocketEnd::Close("Bye")));
                None
            }
        }
    }

    /// Tells both sides, waits for the agent to clean up, and records the end.
    async fn end(mut self, ending: Ending) {
        let closed = messages::channel_closed(&self.session_id, &self.target, &ending.output);
        self.tell_agent(closed.clone());
        if let Some(client) = self.client.take() {
            let Attachment { mut inbound, outbound, end } = client.attachment;
            let mut waiting = std::mem::take(&mut self.to_client.waiting);
            waiting.push_back(closed);
            let flush = async {
                for frame in waiting {
                    let Ok(room) = outbound.reserve(frame.len()).await else { return };
                    if outbound.put(room, frame).is_err() {
                        return;
                    }
                }
                // The socket closes when it has sent the last frame; what it still says is of no interest.
                drop(outbound);
                while inbound.take().await.is_some() {}
            };
            if tokio::time::timeout(FLUSH_WAIT, flush).await.is_err() {
                end.send(SocketEnd::Cut).ok();
            }
        }
        self.stop.cancel();
        if let Err(error) = self.agent.await {
            tracing::warn!(session_id = self.session_id, %error, "agent ended badly");
        }
        let end_ms = self.shared.now_ms();
        self.shared.update_session(&self.session_id, |view| {
            view.status = ending.status;
            view.end_ms = Some(end_ms);
            view.details = ending.output;
        });
    }
}

/// What a deadline means.
#[derive(Clone, Copy, Debug)]
enum Due {
    Idle,
    Unopened,
    Bye,
}

async fn take(inbound: Option<&mut PipeReceiver<Bytes>>) -> Option<Bytes> {
    match inbound {
        Some(inbound) => inbound.take().await,
        None => std::future::pending().await,
    }
}

async fn reserve(
    outbound: Option<&PipeSender<Bytes>>,
    frame: Option<&Bytes>,
) -> Result<super::pipe::Room, super::pipe::Closed> {
    match (outbound, frame) {
        (Some(outbound), Some(frame)) => outbound.reserve(frame.len()).await,
        _ => std::future::pending().await,
    }
}
