//! The receiving half of a channel: order, acknowledgements and the receive budget (protocol.md 6.3).

use bytes::Bytes;

use super::incoming::Place;
use super::{Channel, MAX_UNSEQUENCED};
use crate::frame::{AgentMessage, HEADER_BYTES, MessageId, MessageType};
use crate::json::{AcknowledgeContent, Acknowledged};

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

impl Channel {
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
        // What the known peers write is read without a JSON reader; anything else with one.
        if let Some(Acknowledged { seq, message_id }) = Acknowledged::read(payload) {
            self.acknowledged(seq, message_id);
        } else if let Ok(content) = AcknowledgeContent::decode(payload) {
            self.acknowledged(content.seq, &content.message_id);
        } else {
            self.stats.rejected.payload += 1;
        }
    }

    fn acknowledged(&mut self, seq: i64, message_id: &str) {
        match self.outgoing.acknowledge(seq, self.now.elapsed) {
            Some(frame_bytes) => {
                self.stats.acks_in += 1;
                self.message_size.acknowledged(frame_bytes.saturating_sub(HEADER_BYTES));
            }
            None if self.message_size.is_probe(message_id) => self.message_size.probe_acknowledged(),
            None => self.stats.unknown_acks += 1,
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
            let owed: Vec<_> = self.incoming.owed_acks().map(|message| (message.seq, message.id)).collect();
            for (seq, id) in owed {
                self.queue_ack(seq, id);
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
        self.queue_ack(message.seq, message.id);
    }

    fn queue_ack(&mut self, seq: i64, id: MessageId) {
        if self.config.repeated_acks > 0 {
            if self.recent_acks.len() >= self.config.repeated_acks {
                self.recent_acks.pop_front();
            }
            self.recent_acks.push_back((seq, id));
        }
        self.write_ack(seq, id);
    }

    fn write_ack(&mut self, seq: i64, id: MessageId) {
        if self.unsequenced.len() >= MAX_UNSEQUENCED {
            self.stats.acks_withheld += 1;
        } else if self.is_connected {
            self.stats.acks_out += 1;
            let mut body = std::mem::take(&mut self.ack_body);
            body.clear();
            Acknowledged { seq, message_id: id.write(&mut [0; MessageId::TEXT_BYTES]) }
                .write(self.config.receives.as_str(), &mut body);
            self.queue_unsequenced(&MessageType::Acknowledge, &body);
            self.ack_body = body;
        }
    }

    /// Gives the latest acknowledgements once more, on a new socket: the last one may have lost them. The real agent
    /// repeats only its oldest message, ten times a second, so that each lost acknowledgement would hold up everything
    /// else for that long (performance.md). Needless ones are ignored.
    pub(super) fn acknowledge_again(&mut self) {
        let recent = std::mem::take(&mut self.recent_acks);
        for (seq, id) in &recent {
            self.stats.acks_repeated += 1;
            self.write_ack(*seq, *id);
        }
        self.recent_acks = recent;
    }

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
