//! The reliable channel both roles share (protocol.md 6): frames in and out, acknowledgements, retransmission,
//! ordering, window and budget. It knows nothing of handshakes and sessions.

mod incoming;
mod outgoing;
mod round_trip;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::frame::{AgentMessage, Decoder, Flags, HEADER_BYTES, MessageId, MessageType, PayloadType};
use crate::json::{AcknowledgeContent, OpenMessage};
use crate::moment::Moment;
use crate::stats::Stats;

use incoming::{Incoming, Place};
use outgoing::Outgoing;

pub(crate) use outgoing::Exhausted;

/// Acknowledgements and states that wait for the socket. Beyond it acknowledgements are not made: the peer repeats
/// the messages, and they are acknowledged then.
const MAX_UNSEQUENCED: usize = 32_768;

/// What differs between the roles, and the bounds.
#[derive(Debug)]
pub(crate) struct ChannelConfig {
    pub(crate) decoder: Decoder,
    /// Type of the sequenced messages this role sends.
    pub(crate) sends: MessageType,
    /// Flags of the very first of them.
    pub(crate) first_flags: Flags,
    pub(crate) seed: [u8; 32],
    pub(crate) payload_bytes: usize,
    pub(crate) send_window_bytes: usize,
    pub(crate) receive_budget_bytes: Option<usize>,
    pub(crate) reorder_bytes: usize,
    pub(crate) reorder_messages: usize,
    pub(crate) transmission_limit: Option<u32>,
}

/// What a role makes of the message whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Done with: acknowledge it and go on.
    Taken,
    /// Nothing can take it yet: no acknowledgement, the sender will repeat it.
    NotReady,
    /// The receive budget is used up: keep it, acknowledge it when it is delivered.
    NoRoom,
}

/// The role above a channel: what takes messages in order.
pub(crate) trait Receiver {
    /// Looks at the message whose turn it is.
    fn take(&mut self, channel: &mut Channel, message: &AgentMessage) -> Disposition;
}

/// Something for the socket.
pub(crate) enum Wire {
    Text(Zeroizing<String>),
    Binary(Bytes),
}

/// One end of a data channel.
pub(crate) struct Channel {
    config: ChannelConfig,
    ids: ChaCha12Rng,
    now: Moment,
    is_connected: bool,
    /// Output and its retransmission are held back (agent, protocol.md 6.2).
    is_paused: bool,
    is_shut: bool,
    opening: Option<Zeroizing<String>>,
    /// Acknowledgements and states: outside the sequence, never repeated.
    unsequenced: VecDeque<Bytes>,
    outgoing: Outgoing,
    incoming: Incoming,
    /// Data delivered and not yet consumed.
    unconsumed: usize,
    /// The message whose turn it is waits for the consumer.
    is_held: bool,
    /// The sender wanted to send more than there was room for.
    is_blocked: bool,
    stats: Stats,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("is_connected", &self.is_connected)
            .field("is_paused", &self.is_paused)
            .field("next_seq", &self.outgoing.next_seq())
            .field("unacked_bytes", &self.outgoing.unacked_bytes())
            .field("unconsumed", &self.unconsumed)
            .finish_non_exhaustive()
    }
}

impl Channel {
    pub(crate) fn new(mut config: ChannelConfig) -> Self {
        config.payload_bytes = config.payload_bytes.max(1);
        config.send_window_bytes = config.send_window_bytes.max(HEADER_BYTES + config.payload_bytes);
        Self {
            ids: ChaCha12Rng::from_seed(config.seed),
            now: Moment::default(),
            is_connected: false,
            is_paused: false,
            is_shut: false,
            opening: None,
            unsequenced: VecDeque::new(),
            outgoing: Outgoing::new(config.transmission_limit),
            incoming: Incoming::new(config.reorder_bytes, config.reorder_messages),
            unconsumed: 0,
            is_held: false,
            is_blocked: false,
            stats: Stats::default(),
            config,
        }
    }

    /// Takes the time of a call. Time never goes back, whatever the caller says.
    pub(crate) fn tick(&mut self, now: Moment) {
        self.now = Moment { elapsed: self.now.elapsed.max(now.elapsed), unix_ms: now.unix_ms };
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now.elapsed
    }

    pub(crate) fn new_id(&mut self) -> MessageId {
        let mut bytes = [0; 16];
        self.ids.fill_bytes(&mut bytes);
        MessageId::from_random(bytes)
    }

    pub(crate) fn stats(&self) -> Stats {
        let round_trip = self.outgoing.round_trip();
        Stats { rtt: round_trip.smoothed(), rto: round_trip.rto(), ..self.stats }
    }

    pub(crate) fn stats_mut(&mut self) -> &mut Stats {
        &mut self.stats
    }

    // --- sockets -------------------------------------------------------------------------------------------------

    pub(crate) fn socket_opened(&mut self, open: &OpenMessage) {
        self.socket_closed();
        if !self.is_shut {
            self.is_connected = true;
            self.is_paused = false;
            self.opening = Some(open.encode());
        }
    }

    pub(crate) fn socket_closed(&mut self) {
        self.is_connected = false;
        self.opening = None;
        // Lost acknowledgements are made good when the peer repeats the messages.
        self.unsequenced.clear();
        self.outgoing.socket_lost();
    }

    /// Ends the channel: nothing is taken in or sent any more, except what is queued here if `flushes`.
    pub(crate) fn shut(&mut self, flushes: bool) {
        self.is_shut = true;
        self.stats.undelivered += self.incoming.clear() as u64;
        if !flushes {
            self.outgoing.clear();
            self.unsequenced.clear();
            self.opening = None;
        }
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.is_shut
    }

    // --- sending -------------------------------------------------------------------------------------------------

    /// Payload bytes [`send`](Self::send) takes now.
    pub(crate) fn send_capacity(&self) -> usize {
        if self.is_shut {
            return 0;
        }
        let free = self.free_window();
        let full_message = HEADER_BYTES + self.config.payload_bytes;
        let full = (free / full_message).saturating_mul(self.config.payload_bytes);
        full.saturating_add((free % full_message).saturating_sub(HEADER_BYTES))
    }

    fn free_window(&self) -> usize {
        self.config.send_window_bytes.saturating_sub(self.outgoing.unacked_bytes())
    }

    /// Queues bytes as messages of at most the configured size, as far as the window allows.
    pub(crate) fn send(&mut self, payload_type: PayloadType, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.send_capacity());
        let (now, later) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
        for chunk in now.chunks(self.config.payload_bytes) {
            self.queue(payload_type, chunk);
        }
        self.is_blocked |= !later.is_empty();
        taken
    }

    /// Remembers that the owner wants to send.
    pub(crate) fn wants_room(&mut self) {
        self.is_blocked = true;
    }

    /// Whether a blocked sender can go on; true once.
    pub(crate) fn becomes_writable(&mut self) -> bool {
        let has_room = self.free_window() >= HEADER_BYTES + self.config.payload_bytes;
        let wakes = self.is_blocked && has_room && !self.is_shut;
        self.is_blocked &= !wakes;
        wakes
    }

    /// Queues one message regardless of the window, for what is few and small. Returns its sequence number.
    pub(crate) fn queue(&mut self, payload_type: PayloadType, payload: &[u8]) -> i64 {
        let seq = self.outgoing.next_seq();
        let message = AgentMessage {
            message_type: self.config.sends.clone(),
            schema_version: 1,
            created_ms: self.now.unix_ms.max(1),
            seq,
            flags: if seq == 0 { self.config.first_flags } else { Flags::NONE },
            id: self.new_id(),
            payload_type,
            payload: Bytes::copy_from_slice(payload),
        };
        self.outgoing.push(message.encode());
        seq
    }

    /// Queues a message outside the sequence; lost when there is no socket.
    pub(crate) fn queue_unsequenced(&mut self, message_type: MessageType, payload: String) {
        if !self.is_connected {
            return;
        }
        let message = AgentMessage {
            message_type,
            schema_version: 1,
            created_ms: self.now.unix_ms.max(1),
            seq: 0,
            flags: Flags::SYN_FIN,
            id: self.new_id(),
            payload_type: PayloadType::Unset,
            payload: Bytes::from(payload),
        };
        self.unsequenced.push_back(message.encode());
    }

    pub(crate) fn unacked_bytes(&self) -> usize {
        self.outgoing.unacked_bytes()
    }

    pub(crate) fn is_unacked(&self, seq: i64) -> bool {
        self.outgoing.is_unacked(seq)
    }

    pub(crate) fn set_paused(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// The open message, acknowledgements and states, in that order.
    pub(crate) fn poll_unsequenced(&mut self) -> Option<Wire> {
        if let Some(text) = self.opening.take() {
            return Some(Wire::Text(text));
        }
        let frame = self.unsequenced.pop_front()?;
        self.count_out(&frame);
        Some(Wire::Binary(frame))
    }

    /// The next message of the sequence to send or repeat.
    pub(crate) fn poll_sequenced(&mut self) -> Option<Bytes> {
        if !self.is_connected || self.is_paused {
            return None;
        }
        let transmission = self.outgoing.poll(self.now.elapsed)?;
        self.stats.retransmits += u64::from(transmission.is_repeated);
        self.count_out(&transmission.frame);
        Some(transmission.frame)
    }

    fn count_out(&mut self, frame: &Bytes) {
        self.stats.frames_out += 1;
        self.stats.bytes_out += frame.len() as u64;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        if self.is_connected && !self.is_paused && !self.is_shut {
            self.outgoing.poll_timeout()
        } else {
            None
        }
    }

    pub(crate) fn handle_timeout(&mut self) -> Result<(), Exhausted> {
        if self.poll_timeout().is_some_and(|at| at <= self.now.elapsed) {
            self.stats.timeouts += u64::from(self.outgoing.handle_timeout(self.now.elapsed)?);
        }
        Ok(())
    }

    // --- receiving -----------------------------------------------------------------------------------------------

    /// Decodes a frame by the rules of the role; counts and drops what breaks them.
    pub(crate) fn decode(&mut self, frame: Bytes) -> Option<AgentMessage> {
        self.stats.frames_in += 1;
        self.stats.bytes_in += frame.len() as u64;
        match AgentMessage::decode_as(self.config.decoder, frame) {
            Ok(message) => Some(message),
            Err(error) => {
                self.stats.rejected.count(error);
                None
            }
        }
    }

    /// An `acknowledge` message.
    pub(crate) fn handle_acknowledge(&mut self, payload: &[u8]) {
        match AcknowledgeContent::decode(payload) {
            Ok(content) if self.outgoing.acknowledge(content.seq, self.now.elapsed) => {
                self.stats.acks_in += 1
            }
            Ok(_) => self.stats.unknown_acks += 1,
            Err(_) => self.stats.rejected.payload += 1,
        }
    }

    /// A sequenced message: delivers it and what it was in the way of, parks it, or acknowledges it again.
    pub(crate) fn receive(&mut self, receiver: &mut impl Receiver, message: AgentMessage) {
        if message.seq < 0 {
            self.stats.rejected.sequence += 1;
            return;
        }
        match self.incoming.place(message.seq) {
            Place::Next => self.deliver(receiver, message, false),
            // The official client does not acknowledge these again, and live-locks with an agent that lost the
            // first acknowledgement (protocol.md 6.3).
            Place::Past | Place::Parked { is_acked: true } => {
                self.stats.duplicates += 1;
                self.acknowledge(&message);
            }
            Place::Parked { is_acked: false } => self.stats.duplicates += 1,
            Place::Ahead => {
                self.stats.reordered += 1;
                let is_acked = !self.is_held;
                if self.incoming.park(message.clone(), is_acked) {
                    if is_acked {
                        self.acknowledge(&message);
                    }
                } else {
                    self.stats.overflowed += 1;
                }
            }
        }
    }

    /// Delivers parked messages whose turn has come, after the role became able to take them.
    pub(crate) fn resume(&mut self, receiver: &mut impl Receiver) {
        self.is_held = false;
        if let Some(parked) = self.incoming.take_next() {
            self.deliver(receiver, parked.message, parked.is_acked);
        }
        if !self.is_held && !self.is_shut {
            let owed: Vec<_> = self.incoming.owed_acks().map(AcknowledgeContent::of).collect();
            for content in owed {
                self.queue_ack(&content);
            }
        }
    }

    fn deliver(&mut self, receiver: &mut impl Receiver, message: AgentMessage, is_acked: bool) {
        let mut next = Some((message, is_acked));
        while let Some((message, is_acked)) = next {
            match receiver.take(self, &message) {
                Disposition::Taken => {
                    if !is_acked {
                        self.acknowledge(&message);
                    }
                    self.incoming.advance();
                }
                Disposition::NotReady => {
                    // Acknowledged once means kept for good: its sender has forgotten it.
                    if is_acked {
                        self.incoming.put_back(message, true);
                    } else {
                        self.stats.not_ready += 1;
                    }
                    return;
                }
                Disposition::NoRoom => {
                    self.stats.over_budget += 1;
                    self.is_held = true;
                    if is_acked {
                        self.incoming.put_back(message, true);
                    } else if !self.incoming.park(message, false) {
                        self.stats.overflowed += 1;
                    }
                    return;
                }
            }
            if self.is_shut {
                return;
            }
            next = self.incoming.take_next().map(|parked| (parked.message, parked.is_acked));
        }
    }

    fn acknowledge(&mut self, message: &AgentMessage) {
        self.queue_ack(&AcknowledgeContent::of(message));
    }

    fn queue_ack(&mut self, content: &AcknowledgeContent) {
        if self.unsequenced.len() >= MAX_UNSEQUENCED {
            self.stats.acks_withheld += 1;
        } else if self.is_connected {
            self.stats.acks_out += 1;
            self.queue_unsequenced(MessageType::Acknowledge, content.encode());
        }
    }

    // --- budget --------------------------------------------------------------------------------------------------

    /// Whether data of that many bytes may be delivered. One message always may when the consumer has nothing.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        match self.config.receive_budget_bytes {
            Some(budget) => self.unconsumed == 0 || self.unconsumed.saturating_add(bytes) <= budget,
            None => true,
        }
    }

    /// Data of that many bytes was delivered.
    pub(crate) fn delivered(&mut self, bytes: usize) {
        self.unconsumed = self.unconsumed.saturating_add(bytes);
    }

    /// The consumer took that many bytes. True when delivery should [`resume`](Self::resume).
    pub(crate) fn consumed(&mut self, bytes: usize) -> bool {
        self.unconsumed = self.unconsumed.saturating_sub(bytes);
        self.is_held()
    }

    /// Whether delivery stopped for lack of room.
    pub(crate) fn is_held(&self) -> bool {
        self.is_held && !self.is_shut
    }

    /// Lifts the budget, to deliver what is parked in order before the end.
    pub(crate) fn lift_budget(&mut self) {
        self.config.receive_budget_bytes = None;
    }
}
