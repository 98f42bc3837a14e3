//! The client role.

mod config;
mod event;
mod handshake;
mod session;
mod terminal;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::channel::{Bulk, Channel, ChannelConfig, Hopeless, Repeats, Wire};
use crate::frame::{AgentMessage, Decoder, Flags, MessageType, PayloadType};
use crate::json::{ChannelClosed, OpenMessage, Opener, TerminalSize};
use crate::moment::Moment;
use crate::sealing::{ClientSealing, DataKey};
use crate::secret::StreamToken;
use crate::stats::Stats;

pub use config::ClientConfig;
pub use event::{
    ClientEvent, ClientOutput, CloseReason, DataStream, HandshakeFailure, Misbehaviour, Publication,
};

use session::Session;
use terminal::TerminalSync;

/// Acknowledgements that are given again on a new socket: as many as a paced agent sends in a second, which is more
/// than a round trip.
const REPEATED_ACKS: usize = 1024;

/// Flag that tells the agent of a basic port session that the local connection is over (protocol.md 4.3).
const DISCONNECT_TO_PORT: u32 = 1;

/// Flag that asks the agent to end a port session (protocol.md 4.3).
const TERMINATE_SESSION: u32 = 2;

/// The client's side of one session: sans-IO, one for each session, outliving any number of sockets.
///
/// # Driving it
///
/// The owner holds the socket and the clock. It calls in when something happens and afterwards does what the channel
/// asks for:
///
/// * a socket is open (upgrade answered): [`socket_opened`](Self::socket_opened) with the token that belongs to it;
/// * the socket ended, for whatever reason: [`socket_closed`](Self::socket_closed). Nothing is reset: the next socket
///   goes on where the last one stopped, with the same sequence numbers and no second handshake (protocol.md 2.4);
/// * a message arrived: [`handle_binary`](Self::handle_binary) or [`handle_text`](Self::handle_text);
/// * the person typed: [`send`](Self::send), [`resize`](Self::resize);
/// * `Data` was passed on: [`consumed`](Self::consumed);
/// * the clock reached [`poll_timeout`](Self::poll_timeout): [`handle_timeout`](Self::handle_timeout).
///
/// After **every** call: [`poll_output`](Self::poll_output) until it returns `None`, doing each output in order, then
/// [`poll_timeout`](Self::poll_timeout) and re-arm the one timer, as any call may have moved it.
/// A message counts as sent when it is polled; an owner whose socket cannot take more should therefore stop polling,
/// not queue.
///
/// # What it promises
///
/// * Events come in order; `Data` is exactly what the agent sent, once, in order. `Closed` comes once and last.
/// * Nothing is dropped silently: `send` says how much it took and `Writable` says when to go on; received data that
///   the owner does not consume is left unacknowledged, so that the agent keeps it.
/// * Acknowledgements are always processed, also while the receive budget is used up.
/// * No call panics, whatever arrives. What breaks the rules is dropped and counted in [`stats`](Self::stats).
pub struct ClientChannel {
    channel: Channel,
    session: Session,
    client_id: String,
    client_version: String,
    has_been_open: bool,
    has_told_end: bool,
}

impl fmt::Debug for ClientChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientChannel").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl ClientChannel {
    /// A channel that waits for its first socket.
    pub fn new(config: ClientConfig) -> Self {
        let mut channel = Channel::new(ChannelConfig {
            decoder: Decoder::Client,
            sends: MessageType::InputStreamData,
            receives: MessageType::OutputStreamData,
            first_flags: Flags::NONE,
            seed: config.seed,
            payload_bytes: config.payload_bytes,
            send_window_bytes: config.send_window_bytes,
            receive_budget_bytes: Some(config.receive_budget_bytes),
            reorder_bytes: config.reorder_bytes,
            reorder_messages: config.reorder_messages,
            transmission_limit: Some(config.transmission_limit),
            repeats: Repeats::Each,
            repeated_acks: REPEATED_ACKS,
        });
        let client_id = channel.new_id().to_string();
        Self {
            channel,
            session: Session::new(
                config.client_version.clone(),
                config.sealing,
                TerminalSync::new(config.terminal),
                Bulk {
                    payload_bytes: config.port_payload_bytes,
                    is_proven: config.port_payload_is_proven,
                    send_window_bytes: config.port_send_window_bytes,
                    unsent_bytes: config.port_unsent_bytes,
                },
            ),
            client_id,
            client_version: config.client_version,
            has_been_open: false,
            has_told_end: false,
        }
    }

    /// Lets the session be sealed, in place of what the configuration said. Before the first socket only: an id that
    /// AWS gives with the session may not be known when the channel is made.
    pub fn seal_with(&mut self, sealing: ClientSealing) {
        if !self.has_been_open {
            self.session.seal_with(sealing);
        }
    }

    /// A socket is open. Gives out the open message, then whatever is unacknowledged, a few messages at first and
    /// more as acknowledgements arrive. Replaces a socket that was not reported closed. Does nothing on a closed
    /// channel.
    pub fn socket_opened(&mut self, now: Moment, token: &StreamToken) {
        self.channel.tick(now);
        let open = OpenMessage {
            request_id: self.channel.new_id().to_string(),
            token: token.clone(),
            opener: Opener::Client {
                client_id: self.client_id.clone(),
                client_version: Some(self.client_version.clone()),
            },
        };
        let outcome = self.channel.socket_opened(&open);
        self.judge(outcome);
        if !std::mem::replace(&mut self.has_been_open, true) {
            self.session.terminal.first_opened(&mut self.channel);
        }
    }

    /// The socket is gone. Outputs for it that were not polled are forgotten; messages are repeated on the next one.
    pub fn socket_closed(&mut self, now: Moment) {
        self.channel.tick(now);
        let outcome = self.channel.socket_closed();
        self.judge(outcome);
    }

    /// A binary message arrived. One of an earlier socket is as good: what was on its way when a socket is replaced
    /// should still be handed in, since the real agent takes 100 ms to repeat each lost message (protocol.md 6.1).
    pub fn handle_binary(&mut self, now: Moment, frame: Bytes) {
        self.channel.tick(now);
        if self.channel.is_shut() {
            return;
        }
        let Some(message) = self.channel.decode(frame) else { return };
        if matches!(message.message_type, MessageType::OutputStreamData | MessageType::Acknowledge) {
            self.channel.stats_mut().agent_frames_in += 1;
        }
        match &message.message_type {
            MessageType::OutputStreamData => self.channel.receive(&mut self.session, message),
            MessageType::Acknowledge => {
                self.channel.handle_acknowledge(&message.payload);
                self.session.terminal.update(&mut self.channel);
            }
            MessageType::ChannelClosed => self.channel_closed(&message),
            MessageType::StartPublication => self.session.publication(&mut self.channel, Publication::Start),
            MessageType::PausePublication => self.session.publication(&mut self.channel, Publication::Pause),
            _ => self.channel.stats_mut().ignored += 1,
        }
        self.tell_writable();
    }

    /// A text message arrived. Treated like a binary one, as the official client does (protocol.md 2.1).
    pub fn handle_text(&mut self, now: Moment, text: &str) {
        self.handle_binary(now, Bytes::copy_from_slice(text.as_bytes()));
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Harmless when called early.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.channel.tick(now);
        let outcome = self.channel.handle_timeout();
        self.judge(outcome);
    }

    fn judge(&mut self, outcome: Result<(), Hopeless>) {
        let reason = match outcome {
            Ok(()) => return,
            Err(Hopeless::Exhausted(exhausted)) => CloseReason::RetransmitsExhausted {
                seq: exhausted.seq,
                transmissions: exhausted.transmissions,
            },
            Err(Hopeless::LargeMessages) => CloseReason::LargeMessagesRefused,
        };
        self.session.close(&mut self.channel, reason);
    }

    /// Takes input for the program; returns how many bytes were taken. None before `Started` and after `Closed`;
    /// as many as fit while the window is full. When less than all was taken, `Writable` tells when to go on.
    /// Input is kept while there is no socket.
    pub fn send(&mut self, now: Moment, bytes: &[u8]) -> usize {
        self.channel.tick(now);
        if !self.session.is_running() {
            self.channel.wants_room();
            return 0;
        }
        match self.channel.send(PayloadType::Output, bytes) {
            Ok(taken) => taken,
            Err(_) => {
                self.session.close(&mut self.channel, CloseReason::SealingFailed);
                0
            }
        }
    }

    /// The answer to `DataKeyNeeded`: the data key in plain and, as KMS gave it, sealed. The handshake goes on and
    /// all data is sealed from here on. Does nothing unless a key is asked for.
    pub fn provide_data_key(&mut self, now: Moment, cipher_text_blob: &[u8], key: DataKey) {
        self.channel.tick(now);
        self.session.key_provided(&mut self.channel, cipher_text_blob, &key);
    }

    /// The other answer to `DataKeyNeeded`: there is no key. The agent is told `reason`, which must hold no secret,
    /// and the channel closes with [`DataKeyRefused`](HandshakeFailure::DataKeyRefused); the session never runs in
    /// the clear. Does nothing unless a key is asked for.
    pub fn refuse_data_key(&mut self, now: Moment, reason: impl Into<String>) {
        self.channel.tick(now);
        self.session.key_refused(&mut self.channel, reason.into());
    }

    /// The terminal has another size. It is kept and told to the agent when that makes sense: also speculatively
    /// before the session runs, again when it runs and after its first output (protocol.md 5.7 and 7.2). Callers
    /// debounce.
    pub fn resize(&mut self, now: Moment, size: TerminalSize) {
        self.channel.tick(now);
        if !self.channel.is_shut() {
            self.session.terminal.resize(&mut self.channel, size);
        }
    }

    /// Asks the agent of a running port session to end it; other sessions ignore it. Does nothing before `Started`.
    pub fn terminate_flag(&mut self, now: Moment) {
        self.send_flag(now, TERMINATE_SESSION);
    }

    /// Tells the agent of a basic port session that the local connection is over: it closes its own and connects
    /// again when more data comes (protocol.md 8.3). Other sessions ignore it. Does nothing before `Started`.
    pub fn disconnect_flag(&mut self, now: Moment) {
        self.send_flag(now, DISCONNECT_TO_PORT);
    }

    fn send_flag(&mut self, now: Moment, flag: u32) {
        self.channel.tick(now);
        if self.session.is_running() {
            self.channel.queue(PayloadType::Flag, &flag.to_be_bytes());
        }
    }

    /// The consumer took that many bytes of `Data`. Opens the receive budget again, and delivers and acknowledges
    /// what was kept back for it.
    pub fn consumed(&mut self, now: Moment, bytes: usize) {
        self.channel.tick(now);
        if self.channel.consumed(bytes) {
            self.channel.resume(&mut self.session);
        }
    }

    /// Ends the channel from this side. Nothing is sent: terminating the session is an API call.
    pub fn close(&mut self, now: Moment) {
        self.channel.tick(now);
        self.session.close(&mut self.channel, CloseReason::ByOwner);
    }

    /// What to do next; `None` when there is nothing until something happens.
    pub fn poll_output(&mut self) -> Option<ClientOutput> {
        // What was polled may have made room.
        self.tell_writable();
        if let Some(wire) = self.channel.poll_unsequenced() {
            return Some(match wire {
                Wire::Text(text) => ClientOutput::Text(text),
                Wire::Binary(frame) => ClientOutput::Binary(frame),
            });
        }
        if let Some((event, was_last)) = self.session.next_event() {
            if was_last && self.channel.is_held() {
                self.channel.resume(&mut self.session);
            }
            return Some(ClientOutput::Event(event));
        }
        if let Some(frame) = self.channel.poll_sequenced() {
            return Some(ClientOutput::Binary(frame));
        }
        let reason = self.session.closed.as_ref().filter(|_| !self.has_told_end)?.clone();
        self.has_told_end = true;
        self.channel.shut(false);
        Some(ClientOutput::Event(ClientEvent::Closed(reason)))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on the axis of [`Moment::elapsed`]; `None` when nothing
    /// is timed.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.channel.poll_timeout()
    }

    /// Bytes [`send`](Self::send) would take now.
    pub fn send_capacity(&self) -> usize {
        if self.session.is_running() { self.channel.send_capacity() } else { 0 }
    }

    /// Bytes of messages that are not acknowledged, headers included; 0 when the agent has everything.
    pub fn unacked_bytes(&self) -> usize {
        self.channel.unacked_bytes()
    }

    /// Bytes of messages that [`send`](Self::send) took and [`poll_output`](Self::poll_output) has not given out yet,
    /// headers included. An owner with several sources, of which some are urgent, keeps this small; in port sessions
    /// [`port_unsent_bytes`](ClientConfig::port_unsent_bytes) does.
    pub fn unsent_bytes(&self) -> usize {
        self.channel.unsent_bytes()
    }

    /// Why the channel closed, if it did.
    pub fn is_closed(&self) -> Option<&CloseReason> {
        self.session.closed.as_ref()
    }

    /// Counters since the channel was made.
    pub fn stats(&self) -> Stats {
        self.channel.stats()
    }

    fn channel_closed(&mut self, message: &AgentMessage) {
        // What is here in order is delivered, however slow the consumer: no one will send it again.
        self.channel.lift_budget();
        self.channel.resume(&mut self.session);
        // A body that cannot be read ends the session all the same (protocol.md 4.2).
        let closed = ChannelClosed::decode(&message.payload).unwrap_or_else(|_| {
            self.channel.stats_mut().rejected.payload += 1;
            ChannelClosed::default()
        });
        self.session.close(&mut self.channel, CloseReason::ByService { output: closed.output });
    }

    fn tell_writable(&mut self) {
        if self.session.is_running() && self.channel.becomes_writable() {
            self.session.events.push_back(ClientEvent::Writable);
        }
    }
}
