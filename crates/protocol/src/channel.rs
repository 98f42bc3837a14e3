//! The reliable channel both roles share (protocol.md 6): frames in and out, acknowledgements, retransmission,
//! ordering, window and budget, and the sealing of data once a role has agreed on it. It knows nothing of handshakes
//! and sessions.

mod incoming;
mod message_size;
mod outgoing;
mod receiving;
mod round_trip;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::frame::{Decoder, Envelope, Flags, HEADER_BYTES, MessageId, MessageType, PayloadType};
use crate::json::OpenMessage;
use crate::moment::Moment;
use crate::sealing::{AeadError, SEALING_OVERHEAD, Sealer, is_sealed};
use crate::stats::Stats;

use incoming::Incoming;
use message_size::MessageSize;
use outgoing::Outgoing;

pub use message_size::LargeMessages;
pub(crate) use outgoing::Exhausted;
pub use outgoing::Repeats;
pub(crate) use receiving::{Disposition, Receiver};

/// Acknowledgements and states that wait for the socket. Beyond it acknowledgements are not made: the peer repeats
/// the messages, and they are acknowledged then.
const MAX_UNSEQUENCED: usize = 16_384;

/// Size of the blocks that acknowledgements are written into.
const ARENA_BYTES: usize = 4096;

/// Sequence numbers from the oldest unacknowledged message to the newest one, beyond which no data is taken. Peers park
/// what comes after a missing message, and drop what is too much (protocol.md 6.1).
const MAX_SPAN: usize = 16_384;

/// What differs between the roles, and the bounds.
#[derive(Debug)]
pub(crate) struct ChannelConfig {
    pub(crate) decoder: Decoder,
    /// Type of the sequenced messages this role sends.
    pub(crate) sends: MessageType,
    /// Type of those it receives.
    pub(crate) receives: MessageType,
    /// Flags of the very first of them.
    pub(crate) first_flags: Flags,
    pub(crate) seed: [u8; 32],
    pub(crate) payload_bytes: usize,
    pub(crate) send_window_bytes: usize,
    pub(crate) receive_budget_bytes: Option<usize>,
    pub(crate) reorder_bytes: usize,
    pub(crate) reorder_messages: usize,
    pub(crate) transmission_limit: Option<u32>,
    pub(crate) repeats: Repeats,
    /// Latest acknowledgements that are given again on a new socket.
    pub(crate) repeated_acks: usize,
}

/// How a role sends from some point on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bulk {
    pub(crate) payload_bytes: usize,
    /// Whether the peer is known to take messages of that size.
    pub(crate) is_proven: bool,
    pub(crate) send_window_bytes: usize,
    /// Bytes taken and not polled beyond which no more are taken.
    pub(crate) unsent_bytes: usize,
}

/// Why a channel cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hopeless {
    /// A message was sent as often as allowed.
    Exhausted(Exhausted),
    /// Large messages do not arrive, and they cannot be sent otherwise.
    LargeMessages,
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
    /// Where they are written.
    arena: BytesMut,
    ack_body: Vec<u8>,
    /// The latest acknowledgements, oldest first.
    recent_acks: VecDeque<(i64, MessageId)>,
    outgoing: Outgoing,
    message_size: MessageSize,
    incoming: Incoming,
    /// Once set, data leaves sealed only.
    sealer: Option<Sealer>,
    /// Data delivered and not yet consumed.
    unconsumed: usize,
    /// The message whose turn it is waits for the consumer.
    is_held: bool,
    /// The sender wanted to send more than there was room for.
    is_blocked: bool,
    /// Bytes taken and not polled beyond which no more are taken.
    max_unsent: usize,
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
        let message_size = MessageSize::small(config.payload_bytes);
        config.send_window_bytes = config.send_window_bytes.max(HEADER_BYTES + message_size.limit());
        Self {
            ids: ChaCha12Rng::from_seed(config.seed),
            now: Moment::default(),
            is_connected: false,
            is_paused: false,
            is_shut: false,
            opening: None,
            unsequenced: VecDeque::new(),
            arena: BytesMut::new(),
            ack_body: Vec::new(),
            recent_acks: VecDeque::new(),
            outgoing: Outgoing::new(config.repeats, config.transmission_limit),
            message_size,
            incoming: Incoming::new(config.reorder_bytes, config.reorder_messages),
            sealer: None,
            unconsumed: 0,
            is_held: false,
            is_blocked: false,
            max_unsent: usize::MAX,
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
        MessageId::from_random(self.random())
    }

    pub(crate) fn stats(&self) -> Stats {
        let round_trip = self.outgoing.round_trip();
        Stats {
            rtt: round_trip.smoothed(),
            rto: self.outgoing.rto(),
            payload_bytes: self.message_size.limit(),
            large_messages: self.message_size.knowledge(),
            ..self.stats
        }
    }

    pub(crate) fn stats_mut(&mut self) -> &mut Stats {
        &mut self.stats
    }

    pub(crate) fn socket_opened(&mut self, open: &OpenMessage) -> Result<(), Hopeless> {
        let outcome = self.socket_closed();
        if !self.is_shut {
            self.is_connected = true;
            self.is_paused = false;
            self.opening = Some(open.encode());
            self.acknowledge_again();
        }
        outcome
    }

    pub(crate) fn socket_closed(&mut self) -> Result<(), Hopeless> {
        self.is_connected = false;
        self.opening = None;
        // Lost acknowledgements are given again on the next socket, or when the peer repeats the messages.
        self.unsequenced.clear();
        self.outgoing.socket_lost();
        if self.message_size.socket_lost() { Ok(()) } else { Err(Hopeless::LargeMessages) }
    }

    /// From now on this role sends in bulk: larger messages, if the peer takes them, and more of them at a time.
    pub(crate) fn enlarge(&mut self, bulk: Bulk) {
        self.message_size.enlarge(bulk.payload_bytes, bulk.is_proven);
        let full_message = HEADER_BYTES + self.message_size.most();
        self.config.send_window_bytes = bulk.send_window_bytes.max(full_message);
        self.max_unsent = bulk.unsent_bytes.max(full_message);
    }

    /// Ends the channel: nothing is taken in or sent any more, except what is queued here if `flushes`.
    pub(crate) fn shut(&mut self, flushes: bool) {
        self.is_shut = true;
        self.stats.undelivered += self.incoming.clear() as u64;
        self.recent_acks = VecDeque::new();
        if !flushes {
            self.outgoing.clear();
            self.unsequenced.clear();
            self.opening = None;
        }
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.is_shut
    }

    /// Payload bytes [`send`](Self::send) takes now.
    pub(crate) fn send_capacity(&self) -> usize {
        if self.is_shut {
            return 0;
        }
        let free = self.free_window();
        let overhead = HEADER_BYTES + self.sealing_overhead();
        let payload_bytes = self.message_size.limit();
        let full_message = overhead + payload_bytes;
        let full = (free / full_message).saturating_mul(payload_bytes);
        // In bulk only full messages are worth the wait: a short one for each bit of room would lead to more of them.
        let is_bulk = self.max_unsent < usize::MAX;
        let rest = if is_bulk { 0 } else { (free % full_message).saturating_sub(overhead) };
        let by_window = full.saturating_add(rest);
        let free_span = MAX_SPAN.saturating_sub(self.outgoing.span());
        by_window.min(free_span.saturating_mul(payload_bytes))
    }

    fn free_window(&self) -> usize {
        let unacked = self.config.send_window_bytes.saturating_sub(self.outgoing.unacked_bytes());
        unacked.min(self.max_unsent.saturating_sub(self.outgoing.unsent_bytes()))
    }

    /// Bytes that sealing adds to each message.
    fn sealing_overhead(&self) -> usize {
        if self.sealer.is_some() { SEALING_OVERHEAD } else { 0 }
    }

    /// From now on data is sealed both ways. For good: nothing takes it back.
    pub(crate) fn seal_data(&mut self, sealer: Sealer) {
        self.sealer = Some(sealer);
        let full_message = HEADER_BYTES + SEALING_OVERHEAD + self.message_size.limit();
        self.config.send_window_bytes = self.config.send_window_bytes.max(full_message);
    }

    /// Seals or opens something that is not data, or opens data; `None` when the session is not sealed.
    pub(crate) fn sealer_mut(&mut self) -> Option<&mut Sealer> {
        self.sealer.as_mut()
    }

    /// How many bytes of data a payload holds; `None` when it is too short to be sealed, but must be.
    pub(crate) fn data_bytes(&self, payload: &[u8]) -> Option<usize> {
        payload.len().checked_sub(self.sealing_overhead())
    }

    /// The data of a payload: opened when the session is sealed, as it is otherwise.
    pub(crate) fn open_data(&self, payload: &Bytes) -> Result<Bytes, AeadError> {
        match &self.sealer {
            Some(sealer) => sealer.open(payload),
            None => Ok(payload.clone()),
        }
    }

    /// Random bytes of the channel's own generator.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        random(&mut self.ids)
    }

    /// A generator of its own, seeded from the channel's.
    pub(crate) fn new_generator(&mut self) -> ChaCha12Rng {
        ChaCha12Rng::from_seed(self.random())
    }

    /// Queues bytes as messages of at most the configured size, as far as the window allows; sealed if the session
    /// is. What cannot be sealed is not queued: the caller must then close.
    pub(crate) fn send(&mut self, payload_type: PayloadType, bytes: &[u8]) -> Result<usize, AeadError> {
        if let Some(payload_bytes) = self.message_size.wanted_probe(bytes.len(), self.now.elapsed) {
            self.probe(payload_bytes);
        }
        let taken = bytes.len().min(self.send_capacity());
        let (now, later) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
        for chunk in now.chunks(self.message_size.limit()) {
            match self.sealer.as_mut().filter(|_| is_sealed(payload_type)) {
                Some(sealer) => {
                    let wire = sealer.seal(chunk)?;
                    self.queue(payload_type, &wire);
                }
                None => {
                    self.queue(payload_type, chunk);
                }
            }
        }
        self.is_blocked |= !later.is_empty();
        Ok(taken)
    }

    /// Remembers that the owner wants to send.
    pub(crate) fn wants_room(&mut self) {
        self.is_blocked = true;
    }

    /// Whether a blocked sender can go on; true once.
    pub(crate) fn becomes_writable(&mut self) -> bool {
        if !self.is_blocked {
            return false;
        }
        let full_message = HEADER_BYTES + self.sealing_overhead() + self.message_size.limit();
        let has_room = self.free_window() >= full_message && self.outgoing.span() < MAX_SPAN;
        let wakes = has_room && !self.is_shut;
        self.is_blocked &= !wakes;
        wakes
    }

    /// Queues one message as it is, regardless of the window, for what is few and small. Returns its sequence number.
    /// Never for data, which must pass [`send`](Self::send) to be sealed.
    pub(crate) fn queue(&mut self, payload_type: PayloadType, payload: &[u8]) -> i64 {
        let seq = self.outgoing.next_seq();
        let envelope = Envelope {
            message_type: &self.config.sends,
            created_ms: self.now.unix_ms.max(1),
            seq,
            flags: if seq == 0 { self.config.first_flags } else { Flags::NONE },
            id: MessageId::from_random(random(&mut self.ids)),
            payload_type,
        };
        let is_carried = self.is_connected && !self.is_paused;
        self.outgoing.push(envelope.encode(payload), is_carried, self.now.elapsed);
        seq
    }

    /// Asks the peer for an acknowledgement of a large message, with a sequence number it has seen: the first. Until
    /// that is acknowledged, and without a socket, not yet.
    fn probe(&mut self, payload_bytes: usize) {
        let is_first_acked = self.outgoing.next_seq() > 0 && !self.outgoing.is_unacked(0);
        if !self.is_connected || !is_first_acked {
            return;
        }
        let id = self.new_id();
        let envelope = Envelope {
            message_type: &self.config.sends,
            created_ms: self.now.unix_ms.max(1),
            seq: 0,
            flags: self.config.first_flags,
            id,
            payload_type: PayloadType::Output,
        };
        self.unsequenced.push_back(envelope.encode(&vec![0; payload_bytes]));
        self.message_size.probing(id, self.now.elapsed);
        self.stats.probes += 1;
    }

    /// Queues a message outside the sequence; lost when there is no socket.
    pub(crate) fn queue_unsequenced(&mut self, message_type: &MessageType, payload: &[u8]) {
        if !self.is_connected {
            return;
        }
        let envelope = Envelope {
            message_type,
            created_ms: self.now.unix_ms.max(1),
            seq: 0,
            flags: Flags::SYN_FIN,
            id: MessageId::from_random(random(&mut self.ids)),
            payload_type: PayloadType::Unset,
        };
        // Acknowledgements are many and small, so that several share one allocation.
        if self.arena.capacity() < HEADER_BYTES + payload.len() {
            self.arena.reserve(ARENA_BYTES.max(HEADER_BYTES + payload.len()));
        }
        envelope.encode_into(&mut self.arena, payload);
        self.unsequenced.push_back(self.arena.split().freeze());
    }

    pub(crate) fn unacked_bytes(&self) -> usize {
        self.outgoing.unacked_bytes()
    }

    pub(crate) fn unsent_bytes(&self) -> usize {
        self.outgoing.unsent_bytes()
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
        self.message_size.sent(payload_bytes(&transmission.frame));
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

    pub(crate) fn handle_timeout(&mut self) -> Result<(), Hopeless> {
        if self.poll_timeout().is_some_and(|at| at <= self.now.elapsed) {
            let expired = self.outgoing.handle_timeout(self.now.elapsed).map_err(Hopeless::Exhausted)?;
            if let Some(frame_bytes) = expired {
                self.stats.timeouts += 1;
                if !self.message_size.timed_out(frame_bytes.saturating_sub(HEADER_BYTES)) {
                    return Err(Hopeless::LargeMessages);
                }
            }
        }
        Ok(())
    }
}

fn random<const N: usize>(rng: &mut ChaCha12Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn payload_bytes(frame: &Bytes) -> usize {
    frame.len().saturating_sub(HEADER_BYTES)
}
