//! Counters of one channel.

use std::time::Duration;

use crate::channel::LargeMessages;
use crate::frame::DecodeError;

/// What a channel has counted since it was made; never reset by a new socket. For diagnosis, not for decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Frames handed in, good or bad.
    pub frames_in: u64,
    /// Frames given out, retransmissions included, the open message not.
    pub frames_out: u64,
    /// Of these, how many good ones the other end made: data and acknowledgements, as opposed to the gateway's own.
    /// Clients only.
    pub agent_frames_in: u64,
    /// Bytes of the frames handed in.
    pub bytes_in: u64,
    /// Bytes of the frames given out.
    pub bytes_out: u64,
    /// Acknowledgements given out.
    pub acks_out: u64,
    /// Of these, how many were given again on a new socket.
    pub acks_repeated: u64,
    /// Acknowledgements not made because too many already waited for the socket.
    pub acks_withheld: u64,
    /// Acknowledgements that named a message in flight.
    pub acks_in: u64,
    /// Acknowledgements of messages that were not in flight (any more).
    pub unknown_acks: u64,
    /// Messages sent again, for whatever reason.
    pub retransmits: u64,
    /// Times the retransmission timer ran out.
    pub timeouts: u64,
    /// Messages received again after they had been taken or parked.
    pub duplicates: u64,
    /// Messages that arrived before one that precedes them.
    pub reordered: u64,
    /// Messages dropped unacknowledged because the reorder buffer was full.
    pub overflowed: u64,
    /// Messages kept back unacknowledged because the receive budget was used up.
    pub over_budget: u64,
    /// Messages dropped unacknowledged because nothing could take them yet.
    pub not_ready: u64,
    /// Messages of a type this role has no use for, and payloads of a type nobody knows.
    pub ignored: u64,
    /// Messages received but never delivered when the channel closed, because one before them was missing.
    pub undelivered: u64,
    /// Frames refused.
    pub rejected: Rejected,
    /// Smoothed round trip of a message and its acknowledgement.
    pub rtt: Duration,
    /// Current retransmission time-out.
    pub rto: Duration,
    /// Most payload bytes in the next message.
    pub payload_bytes: usize,
    /// Whether the peer takes messages above 1024 bytes of payload.
    pub large_messages: LargeMessages,
    /// Probes for large messages sent.
    pub probes: u64,
}

/// Frames refused, by the first rule they broke (protocol.md 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// Shorter than a header.
    pub too_short: u64,
    /// HeaderLength is not 116.
    pub header_length: u64,
    /// MessageType empty or unreadable.
    pub message_type: u64,
    /// CreatedDate zero.
    pub created_date: u64,
    /// PayloadLength and frame disagree.
    pub payload_length: u64,
    /// Digest wrong.
    pub digest: u64,
    /// Sequence number negative.
    pub sequence: u64,
    /// Payload that cannot be read: acknowledgements, sizes, flags, exit codes.
    pub payload: u64,
    /// Sealed input that an agent cannot open.
    pub sealed: u64,
}

impl Rejected {
    pub(crate) fn count(&mut self, error: DecodeError) {
        let counter = match error {
            DecodeError::TooShort(_) => &mut self.too_short,
            DecodeError::HeaderLength(_) => &mut self.header_length,
            DecodeError::MessageType => &mut self.message_type,
            DecodeError::CreatedDate => &mut self.created_date,
            DecodeError::PayloadLength { .. } => &mut self.payload_length,
            DecodeError::Digest => &mut self.digest,
        };
        *counter += 1;
    }

    /// All refused frames.
    pub fn total(&self) -> u64 {
        let Self {
            too_short,
            header_length,
            message_type,
            created_date,
            payload_length,
            digest,
            sequence,
            payload,
            sealed,
        } = *self;
        too_short
            + header_length
            + message_type
            + created_date
            + payload_length
            + digest
            + sequence
            + payload
            + sealed
    }
}
