//! The relay of one session: it owns both sides' attachments, forwards frames unmodified and never acknowledges.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::faults::{FaultyLink, Frame, Toward};
use super::messages;
use super::pipe::{PipeReceiver, PipeSender};
use crate::agent::link::{FromAgent, RelayEnd, ToAgent};
use crate::link_faults::LinkFaults;
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
    /// End the client's connection in this way.
    Cut(SocketCut),
    /// Leave the client's connection open, and neither read nor write it any more, not even pongs.
    HalfOpen,
    /// Deliver nothing in either direction for this time; then all of it.
    Stall(Duration),
    /// Send the client this many `pause_publication` at once.
    Pause {
        /// How many.
        frames: u32,
    },
    /// From now on the link does this.
    SetFaults(LinkFaults),
    /// The agent's connection goes away or comes back.
    AgentLink {
        /// Whether it is there.
        up: bool,
    },
    /// The agent ignores what the client sends, or takes it again.
    IgnoreInput(bool),
    /// The agent's computer goes away for good.
    StopAgent,
    /// The session's worker is dead and the service knows: the session is over, and nobody says so to anyone.
    Lose,
}

/// A client's socket, as the relay sees it.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) inbound: PipeReceiver<Bytes>,
    pub(crate) outbound: PipeSender<Frame>,
    pub(crate) end: oneshot::Sender<SocketEnd>,
}

/// How a client's WebSocket is cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SocketCut {
    /// TCP ends in order, without a close frame before.
    #[default]
    Fin,
    /// TCP is reset.
    Reset,
    /// With a close frame.
    Close {
        /// Close code; the service uses 1000.
        code: u16,
        /// Reason; cut to the 123 bytes that fit.
        reason: String,
    },
}

impl SocketCut {
    /// As the service closes sockets every hour (protocol.md 2.3).
    pub fn bye() -> Self {
        Self::Close { code: 1000, reason: "Bye".to_owned() }
    }
}

/// What a socket is told at last.
#[derive(Debug)]
pub(crate) enum SocketEnd {
    /// End.
    Cut(SocketCut),
    /// Stay open and dead until this resolves.
    HalfOpen(oneshot::Receiver<()>),
}

/// After what time the service ends a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Without input or output.
    pub(super) idle: Duration,
    /// Since its start, if there is such a limit.
    pub(super) longest: Option<Duration>,
}

/// What AWS says when nothing has moved for too long.
const IDLE_TEXT: &str = "Your session timed out due to inactivity.";

/// What is recorded of a session whose worker is gone. No peer is told.
const LOST_TEXT: &str = "The agent no longer runs this session.";

/// What is said when a session has lasted as long as its document lets it.
const LONGEST_TEXT: &str = "Your session reached its maximum duration.";

/// What is said when the client never came.
const UNOPENED_TEXT: &str = "The data channel was not opened in time.";

/// How long a client may take to read what is left when its session ends.
const FLUSH_WAIT: Duration = Duration::from_secs(2);

/// The relay of one session.
pub(super) struct Relay {
    shared: Arc<Shared>,
    session_id: String,
    target: String,
    limits: Limits,
    client: Option<Client>,
    link: RelayEnd,
    agent: JoinHandle<()>,
    /// Stops the agent.
    stop: CancellationToken,
    /// Whether the agent's connection is up.
    agent_up: bool,
    to_agent: FaultyLink,
    to_client: FaultyLink,
    last_activity: Instant,
    /// Highest sequence number of session data from the client.
    client_seq: Option<i64>,
    /// The same from the agent.
    agent_seq: Option<i64>,
    began: Instant,
    attached_once: bool,
}

struct Client {
    inbound: PipeReceiver<Bytes>,
    outbound: PipeSender<Frame>,
    end: ClientEnd,
    since: Instant,
}

/// How to end a client's socket.
enum ClientEnd {
    Live(oneshot::Sender<SocketEnd>),
    /// It is half open, until this is dropped.
    HalfOpen(#[expect(dead_code, reason = "dropping it is its use")] oneshot::Sender<()>),
}

impl ClientEnd {
    fn cut(self, cut: SocketCut) {
        match self {
            Self::Live(end) => {
                end.send(SocketEnd::Cut(cut)).ok();
            }
            // Its other side thinks it is alive; whatever was sent would be read.
            Self::HalfOpen(_) => {}
        }
    }
}

/// Why a session ends.
struct Ending {
    output: String,
    status: SessionStatus,
    /// Whether both sides are told.
    told: bool,
}

impl Ending {
    fn told(output: impl Into<String>, status: SessionStatus) -> Self {
        Self { output: output.into(), status, told: true }
    }
}

impl Relay {
    pub(super) fn new(
        shared: Arc<Shared>,
        session_id: String,
        target: String,
        limits: Limits,
        link: RelayEnd,
        agent: JoinHandle<()>,
        stop: CancellationToken,
    ) -> Self {
        let faults = shared.live.link_faults();
        // Every session has its own dice.
        let seed = shared.config.seed.wrapping_add(shared.registry.started() << 8);
        Self {
            to_agent: FaultyLink::new(Toward::Agent, faults.to_agent, seed.wrapping_add(1)),
            to_client: FaultyLink::new(Toward::Client, faults.to_client, seed.wrapping_add(2)),
            client: None,
            link,
            agent,
            stop,
            agent_up: true,
            last_activity: Instant::now(),
            client_seq: None,
            agent_seq: None,
            began: Instant::now(),
            attached_once: false,
            shared,
            session_id,
            target,
            limits,
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
        let now = self.now();
        let (to_client, to_agent) =
            (self.to_client.peek(now).map(Frame::len), self.to_agent.peek(now).map(Frame::len));
        let (client_room, agent_room) = (self.to_client.has_room(now), self.to_agent.has_room(now));
        let in_flight = [(&self.to_client, to_client), (&self.to_agent, to_agent)];
        // What is due already waits for room, not for time.
        let arrival =
            in_flight.iter().filter(|(_, ready)| ready.is_none()).filter_map(|(l, _)| l.next_due()).min();
        let arrival = arrival.map(|due| self.began + due);
        let (inbound, outbound) = match &mut self.client {
            Some(client) => (Some(&mut client.inbound), Some(&client.outbound)),
            None => (None, None),
        };
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => self.command(command),
                None => Some(Ending::told("", SessionStatus::Terminated)),
            },
            () = stop.cancelled() => Some(Ending::told("", SessionStatus::Terminated)),
            frame = take(inbound), if agent_room => {
                match frame {
                    Some(frame) => self.take_from_client(frame),
                    None => self.detach(None),
                }
                None
            }
            room = reserve(outbound, to_client), if to_client.is_some() && outbound.is_some() => {
                if let (Ok(room), Some(frame), Some(client)) = (room, self.to_client.pop(), &self.client) {
                    // A socket that has ended is noticed by its inbound side.
                    client.outbound.put(room, frame).ok();
                } else {
                    self.detach(None);
                }
                None
            }
            room = self.link.sender.reserve(to_agent.unwrap_or(0)), if to_agent.is_some() => {
                if let (Ok(room), Some(Frame::Binary(frame))) = (room, self.to_agent.pop()) {
                    self.link.sender.put(room, ToAgent::Frame(frame)).ok();
                } else {
                    self.to_agent.clear();
                }
                None
            }
            item = self.link.receiver.take(), if client_room && self.link.open => self.take_from_agent(item),
            () = sleep_until(arrival) => None,
            () = tokio::time::sleep_until(deadline) => self.due(due),
        }
    }

    /// The time of the links.
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn command(&mut self, command: RelayCommand) -> Option<Ending> {
        match command {
            RelayCommand::Attach(attachment) => self.attach(attachment),
            RelayCommand::Terminate { output } => {
                return Some(Ending::told(output, SessionStatus::Terminated));
            }
            RelayCommand::Lose => {
                let output = LOST_TEXT.to_owned();
                return Some(Ending { output, status: SessionStatus::Terminated, told: false });
            }
            RelayCommand::Cut(cut) => self.detach(Some(cut)),
            RelayCommand::HalfOpen => self.half_open(),
            RelayCommand::Stall(time) => {
                let until = self.now() + time;
                self.to_client.stall(until);
                self.to_agent.stall(until);
            }
            RelayCommand::Pause { frames } => {
                if self.client.is_some() {
                    for _ in 0..frames {
                        self.to_client.push_own(self.now(), messages::pause_publication());
                    }
                }
            }
            RelayCommand::SetFaults(faults) => {
                self.to_client.set_faults(faults.to_client);
                self.to_agent.set_faults(faults.to_agent);
            }
            RelayCommand::AgentLink { up } => self.set_agent_link(up),
            RelayCommand::IgnoreInput(ignores) => self.push_to_agent(ToAgent::IgnoreInput(ignores)),
            RelayCommand::StopAgent => {
                self.agent_up = false;
                self.to_agent.clear();
                self.stop.cancel();
            }
        }
        None
    }

    fn attach(&mut self, attachment: Attachment) {
        if let Some(before) = self.client.take() {
            before.end.cut(SocketCut::Close { code: 1000, reason: "Replaced".to_owned() });
        }
        self.to_client.clear();
        self.last_activity = Instant::now();
        self.attached_once = true;
        let Attachment { inbound, outbound, end } = attachment;
        let end = ClientEnd::Live(end);
        self.client = Some(Client { inbound, outbound, end, since: Instant::now() });
        if self.agent_up {
            self.to_client.push_own(self.now(), messages::start_publication());
            self.tell_agent(messages::start_publication());
        } else {
            self.to_client.push_own(self.now(), messages::pause_publication());
        }
        self.shared.update_session(&self.session_id, |view| {
            view.status = SessionStatus::Connected;
            view.client_sockets += 1;
        });
    }

    /// Lets go of the client's socket; `end` says how, `None` if it has ended by itself.
    fn detach(&mut self, cut: Option<SocketCut>) {
        let Some(client) = self.client.take() else { return };
        if let Some(cut) = cut {
            client.end.cut(cut);
        }
        let lost = self.to_client.len() as u64;
        self.to_client.clear();
        self.shared.update_session(&self.session_id, |view| {
            view.status = SessionStatus::Disconnected;
            view.dropped_frames += lost;
        });
        self.tell_agent(messages::pause_publication());
    }

    /// The client's socket stays, and nothing moves through it any more. To the gateway it is still attached.
    fn half_open(&mut self) {
        let Some(client) = &mut self.client else { return };
        let (guard, until) = oneshot::channel();
        if let ClientEnd::Live(end) = std::mem::replace(&mut client.end, ClientEnd::HalfOpen(guard)) {
            end.send(SocketEnd::HalfOpen(until)).ok();
        }
    }

    fn set_agent_link(&mut self, up: bool) {
        if self.agent_up == up || !self.link.open {
            return;
        }
        self.agent_up = up;
        self.to_agent.clear();
        self.push_to_agent(if up { ToAgent::LinkUp } else { ToAgent::LinkDown });
        if self.client.is_some() {
            let message = if up { messages::start_publication() } else { messages::pause_publication() };
            self.to_client.push_own(self.now(), message);
            if up {
                self.tell_agent(messages::start_publication());
            }
        }
    }

    /// Tells the agent what is no frame. An agent that is gone need not know.
    fn push_to_agent(&mut self, event: ToAgent) {
        self.link.sender.put_free(event).ok();
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
        if is_new(&mut self.client_seq, &frame) {
            self.last_activity = Instant::now();
        }
        if self.agent_up && self.link.open {
            self.to_agent.push(self.now(), frame);
            return;
        }
        // Nobody is there to take it: the peer sends it again. One pause for each frame is what was observed.
        self.shared.update_session(&self.session_id, |view| view.dropped_frames += 1);
        if self.to_client.len() == 0 {
            self.to_client.push_own(self.now(), messages::pause_publication());
        }
    }

    fn take_from_agent(&mut self, item: Option<FromAgent>) -> Option<Ending> {
        match item {
            Some(FromAgent::Frame(frame)) => {
                // States are for the gateway, not for the client.
                if !self.agent_up || messages::is_session_state(&frame) {
                    return None;
                }
                if is_new(&mut self.agent_seq, &frame) {
                    self.last_activity = Instant::now();
                }
                if self.client.is_some() {
                    self.to_client.push(self.now(), frame);
                } else {
                    self.shared.update_session(&self.session_id, |view| view.dropped_frames += 1);
                }
                None
            }
            Some(FromAgent::Done { output, failed }) => {
                let status = if failed { SessionStatus::Failed } else { SessionStatus::Terminated };
                Some(Ending::told(output, status))
            }
            // The agent is gone without a word; only the service's time-outs end the session now.
            None => {
                self.link.open = false;
                self.agent_up = false;
                if self.client.is_some() {
                    self.to_client.push_own(self.now(), messages::pause_publication());
                }
                None
            }
        }
    }

    /// The next deadline and what it means.
    fn deadline(&self) -> (Instant, Due) {
        let config = &self.shared.config;
        let mut next = (self.last_activity + self.limits.idle, Due::Idle);
        let mut consider = |at: Instant, due| {
            if at < next.0 {
                next = (at, due);
            }
        };
        if let Some(longest) = self.limits.longest {
            consider(self.began + longest, Due::Longest);
        }
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
            Due::Idle => Some(Ending::told(IDLE_TEXT, SessionStatus::Terminated)),
            Due::Longest => Some(Ending::told(LONGEST_TEXT, SessionStatus::Terminated)),
            Due::Unopened => Some(Ending::told(UNOPENED_TEXT, SessionStatus::Terminated)),
            Due::Bye => {
                self.detach(Some(SocketCut::bye()));
                None
            }
        }
    }

    /// Tells both sides if they are told, waits for the agent to clean up, and records the end.
    async fn end(mut self, ending: Ending) {
        if ending.told {
            self.tell(&ending).await;
        } else if let Some(client) = self.client.take() {
            client.end.cut(SocketCut::Fin);
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

    async fn tell(&mut self, ending: &Ending) {
        let closed = messages::channel_closed(&self.session_id, &self.target, &ending.output);
        self.tell_agent(closed.clone());
        if let Some(client) = self.client.take() {
            let Client { mut inbound, outbound, end, .. } = client;
            // Nothing of the program's output may be lost behind the last word, however long its way.
            let waiting = self.to_client.drain().chain([Frame::Binary(closed)]);
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
                end.cut(SocketCut::Fin);
            }
        }
    }
}

/// What a deadline means.
#[derive(Clone, Copy, Debug)]
enum Due {
    Idle,
    Longest,
    Unopened,
    Bye,
}

/// Whether a frame brings session data beyond what was seen: nothing happens in a session whose sides only repeat
/// themselves.
fn is_new(highest: &mut Option<i64>, frame: &[u8]) -> bool {
    match messages::stream_seq(frame) {
        Some(seq) if highest.is_none_or(|highest| seq > highest) => {
            *highest = Some(seq);
            true
        }
        _ => false,
    }
}

pub(super) async fn take(inbound: Option<&mut PipeReceiver<Bytes>>) -> Option<Bytes> {
    match inbound {
        Some(inbound) => inbound.take().await,
        None => std::future::pending().await,
    }
}

pub(super) async fn reserve(
    outbound: Option<&PipeSender<Frame>>,
    bytes: Option<usize>,
) -> Result<super::pipe::Room, super::pipe::Closed> {
    match (outbound, bytes) {
        (Some(outbound), Some(bytes)) => outbound.reserve(bytes).await,
        _ => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
