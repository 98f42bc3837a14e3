//! The agent role.

mod config;
mod event;
mod sealing;
mod session;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::channel::{Channel, ChannelConfig, Wire};
use crate::frame::{Decoder, Flags, MessageType, PayloadType};
use crate::json::{AgentSessionState, OpenMessage, Opener, SessionState};
use crate::moment::Moment;
use crate::sealing::DataKey;
use crate::secret::StreamToken;
use crate::stats::Stats;

pub use config::{AgentConfig, HandshakeOffer};
pub use event::{AgentEvent, AgentOutput};

use session::Session;

/// How long the end of a session waits for the client to acknowledge the output (protocol.md 6.1).
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// The agent's side of one session: sans-IO, outliving any number of sockets, and as particular as the real agent
/// (protocol.md 9.9). The simulator runs it.
///
/// Driven like [`ClientChannel`](crate::ClientChannel): call in when something happens, then poll outputs until
/// `None`, then re-arm the timer. The course of a session:
///
/// 1. [`socket_opened`](Self::socket_opened): open message, session state Connected, and the handshake request if the
///    configuration has one. Without a handshake the session begins at once. If it demands sealing, `DataKeyReceived`
///    asks for the opened data key.
/// 2. During the handshake all input but the response is acknowledged and thrown away. The event
///    `HandshakeComplete` says that the program may start; `HandshakeFailed` ends the session.
/// 3. Until [`ready`](Self::ready), input is neither acknowledged nor kept, so that the client repeats it.
/// 4. [`send`](Self::send) output, take `Data`, `Resize` and `Flag`.
/// 5. [`finish`](Self::finish) when the program has ended: at most two seconds later session state Terminating and
///    the event `Drained`. Or `Cancelled` when `channel_closed` arrives.
pub struct AgentChannel {
    channel: Channel,
    session: Session,
    has_been_open: bool,
    /// When draining ends, whatever is unacknowledged.
    draining_until: Option<Duration>,
    has_drained: bool,
}

impl fmt::Debug for AgentChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentChannel").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl AgentChannel {
    /// A channel that waits for its first socket.
    pub fn new(config: AgentConfig) -> Self {
        let channel = Channel::new(ChannelConfig {
            decoder: Decoder::Agent,
            sends: MessageType::OutputStreamData,
            receives: MessageType::InputStreamData,
            first_flags: Flags::SYN,
            seed: config.seed,
            payload_bytes: config.payload_bytes,
            send_window_bytes: config.send_window_bytes,
            receive_budget_bytes: config.receive_budget_bytes,
            reorder_bytes: config.reorder_bytes,
            reorder_messages: config.reorder_messages,
            transmission_limit: None,
            repeats: config.repeats,
            repeated_acks: 0,
        });
        Self {
            channel,
            session: Session::new(config),
            has_been_open: false,
            draining_until: None,
            has_drained: false,
        }
    }

    /// A socket is open. Ends a pause (protocol.md 2.5).
    pub fn socket_opened(&mut self, now: Moment, token: &StreamToken) {
        self.channel.tick(now);
        let open = OpenMessage {
            request_id: self.channel.new_id().to_string(),
            token: token.clone(),
            opener: Opener::Agent { instance_id: self.session.config().instance_id.clone() },
        };
        // Agents send small messages only, so that they never lose hope.
        let _ = self.channel.socket_opened(&open);
        if !std::mem::replace(&mut self.has_been_open, true) && !self.channel.is_shut() {
            self.announce(SessionState::Connected);
            self.session.first_opened(&mut self.channel);
        }
    }

    /// The socket is gone. Nothing is reset.
    pub fn socket_closed(&mut self, now: Moment) {
        self.channel.tick(now);
        let _ = self.channel.socket_closed();
    }

    /// A binary message arrived.
    pub fn handle_binary(&mut self, now: Moment, frame: Bytes) {
        self.channel.tick(now);
        if self.channel.is_shut() {
            return;
        }
        let Some(message) = self.channel.decode(frame) else { return };
        match &message.message_type {
            MessageType::InputStreamData => {
                self.channel.set_paused(false);
                self.channel.receive(&mut self.session, message);
            }
            MessageType::Acknowledge => {
                self.channel.set_paused(false);
                self.channel.handle_acknowledge(&message.payload);
            }
            MessageType::StartPublication => self.channel.set_paused(false),
            MessageType::PausePublication => self.channel.set_paused(true),
            MessageType::ChannelClosed => self.session.end(&mut self.channel, AgentEvent::Cancelled),
            _ => self.channel.stats_mut().ignored += 1,
        }
        if self.channel.becomes_writable() && self.draining_until.is_none() {
            self.session.events.push_back(AgentEvent::Writable);
        }
        self.check_drained();
    }

    /// A text message arrived. Treated like a binary one.
    pub fn handle_text(&mut self, now: Moment, text: &str) {
        self.handle_binary(now, Bytes::copy_from_slice(text.as_bytes()));
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Harmless when called early.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.channel.tick(now);
        // Agents repeat for ever (protocol.md 6.1), so nothing is ever exhausted.
        let _ = self.channel.handle_timeout();
        self.session.handle_timeout(&mut self.channel);
        self.check_drained();
    }

    /// The program can take input: its pty exists, its port is connected.
    pub fn ready(&mut self, now: Moment) {
        self.channel.tick(now);
        self.session.is_ready = true;
        if !self.channel.is_shut() {
            self.channel.resume(&mut self.session);
        }
    }

    /// Takes output as messages of that type; returns how many bytes were taken. None before the session runs and
    /// after [`finish`](Self::finish); as many as fit while the window is full, then `Writable` tells when to go on.
    pub fn send(&mut self, now: Moment, payload_type: PayloadType, bytes: &[u8]) -> usize {
        self.channel.tick(now);
        if !self.session.is_running() || self.draining_until.is_some() {
            return 0;
        }
        match self.channel.send(payload_type, bytes) {
            Ok(taken) => taken,
            Err(_) => {
                self.session.end(&mut self.channel, AgentEvent::SealingFailed);
                0
            }
        }
    }

    /// The answer to `DataKeyReceived`: the data key in plain. The client is challenged to prove that it has it too.
    /// Does nothing unless a key is awaited.
    pub fn provide_data_key(&mut self, now: Moment, key: &DataKey) {
        self.channel.tick(now);
        self.session.key_provided(&mut self.channel, key);
    }

    /// The other answer to `DataKeyReceived`: it cannot be opened. Fails the handshake with that text. Does nothing
    /// unless a key is awaited.
    pub fn refuse_data_key(&mut self, now: Moment, reason: impl Into<String>) {
        self.channel.tick(now);
        self.session.key_refused(&mut self.channel, reason.into());
    }

    /// The consumer took that many bytes of `Data`. Only needed with a receive budget.
    pub fn consumed(&mut self, now: Moment, bytes: usize) {
        self.channel.tick(now);
        if self.channel.consumed(bytes) {
            self.channel.resume(&mut self.session);
        }
    }

    /// The program has ended: no more input is taken, output is repeated until acknowledged or for two seconds, then
    /// comes `Drained`. Does nothing before the session runs.
    pub fn finish(&mut self, now: Moment) {
        self.channel.tick(now);
        if self.session.is_running() && self.draining_until.is_none() {
            self.session.is_ready = false;
            self.draining_until = Some(self.channel.elapsed().saturating_add(DRAIN_LIMIT));
            self.check_drained();
        }
    }

    /// What to do next; `None` when there is nothing until something happens.
    pub fn poll_output(&mut self) -> Option<AgentOutput> {
        if let Some(wire) = self.channel.poll_unsequenced() {
            return Some(match wire {
                Wire::Text(text) => AgentOutput::Text(text),
                Wire::Binary(frame) => AgentOutput::Binary(frame),
            });
        }
        if let Some(event) = self.session.events.pop_front() {
            return Some(AgentOutput::Event(event));
        }
        self.channel.poll_sequenced().map(AgentOutput::Binary)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on the axis of [`Moment::elapsed`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        let draining = self.draining_until.filter(|_| !self.has_drained && !self.session.has_ended());
        [self.channel.poll_timeout(), self.session.deadline(), draining].into_iter().flatten().min()
    }

    /// Bytes [`send`](Self::send) would take now.
    pub fn send_capacity(&self) -> usize {
        let sends = self.session.is_running() && self.draining_until.is_none();
        if sends { self.channel.send_capacity() } else { 0 }
    }

    /// Bytes of messages that are not acknowledged, headers included.
    pub fn unacked_bytes(&self) -> usize {
        self.channel.unacked_bytes()
    }

    /// Whether output is held back by `pause_publication`. Any input, acknowledgement, `start_publication` or new
    /// socket ends it.
    pub fn is_paused(&self) -> bool {
        self.channel.is_paused()
    }

    /// Counters since the channel was made.
    pub fn stats(&self) -> Stats {
        self.channel.stats()
    }

    fn check_drained(&mut self) {
        let Some(until) = self.draining_until.filter(|_| !self.has_drained && !self.session.has_ended())
        else {
            return;
        };
        if self.channel.unacked_bytes() == 0 || until <= self.channel.elapsed() {
            self.has_drained = true;
            if self.session.config().announces_end {
                self.announce(SessionState::Terminating);
            }
            self.session.events.push_back(AgentEvent::Drained);
        }
    }

    fn announce(&mut self, state: SessionState) {
        let session_id = self.session.config().session_id.as_str().to_owned();
        let body = AgentSessionState { state, session_id }.encode();
        self.channel.queue_unsequenced(&MessageType::AgentSessionState, body.as_bytes());
    }
}
