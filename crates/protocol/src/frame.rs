//! The binary envelope of the data channel: a fixed header of 120 bytes and a payload (protocol.md 3).

mod kind;
mod message_id;

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use sha2::{Digest, Sha256};

pub use kind::{MessageType, OtherType, PayloadType};
pub use message_id::{MessageId, ParseMessageIdError};

use kind::TYPE_BYTES;

/// Bytes before the payload of every frame.
pub const HEADER_BYTES: usize = 120;

/// What the HeaderLength field always holds: the offset of the PayloadLength field.
const HEADER_LENGTH_FIELD: u32 = 116;

/// The flag bits of a header. Nobody interprets them on reception (protocol.md 3.2).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u64);

impl Flags {
    /// No bit set: all client data, and agent data after the first frame.
    pub const NONE: Self = Self(0);
    /// First frame of the agent.
    pub const SYN: Self = Self(1);
    /// Last frame; never sent alone by the known peers.
    pub const FIN: Self = Self(2);
    /// Messages outside the sequence: acknowledgements and session states.
    pub const SYN_FIN: Self = Self(3);
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:#x})", self.0)
    }
}

/// Who decodes. The two official peers check different things (protocol.md 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// Header lengths and digest must be right; the two publication messages may have an empty header.
    Client,
    /// Header lengths must be right and every message needs a date; digests are not looked at.
    Agent,
}

/// One frame of the data channel, decoded. The digest is not kept: it is checked on the way in and computed on
/// the way out.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentMessage {
    /// What the frame is.
    pub message_type: MessageType,
    /// 1 in every known message; not checked on reception.
    pub schema_version: u32,
    /// When the sender made it, milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Position in the stream of its direction, from 0. Always 0 in messages outside the sequence.
    pub seq: i64,
    /// Flag bits.
    pub flags: Flags,
    /// Random id; repeated unchanged by retransmissions.
    pub id: MessageId,
    /// What the payload is, for messages in the sequence.
    pub payload_type: PayloadType,
    /// The payload. `Debug` shows its length only.
    pub payload: Bytes,
}

impl fmt::Debug for AgentMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentMessage")
            .field("message_type", &self.message_type)
            .field("seq", &self.seq)
            .field("flags", &self.flags)
            .field("id", &self.id)
            .field("payload_type", &self.payload_type)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

impl AgentMessage {
    /// The frame as it goes onto the wire. Payloads are at most `u32::MAX` bytes; what is beyond is not sent.
    pub fn encode(&self) -> Bytes {
        let envelope = Envelope {
            message_type: &self.message_type,
            created_ms: self.created_ms,
            seq: self.seq,
            flags: self.flags,
            id: self.id,
            payload_type: self.payload_type,
        };
        let mut out = BytesMut::with_capacity(HEADER_BYTES + self.payload.len());
        envelope.put(self.schema_version, &mut out, &self.payload);
        out.freeze()
    }

    /// Decodes a frame as a client must: strict, except for what the gateway is known to leave empty.
    ///
    /// # Errors
    /// The first rule the frame breaks (protocol.md 3.3). A rejected frame is dropped without an
    /// acknowledgement, so its sender repeats it.
    pub fn decode(frame: Bytes) -> Result<Self, DecodeError> {
        Self::decode_as(Decoder::Client, frame)
    }

    /// Decodes a frame by the rules of `decoder`.
    ///
    /// # Errors
    /// The first rule the frame breaks.
    pub fn decode_as(decoder: Decoder, mut frame: Bytes) -> Result<Self, DecodeError> {
        let mut header =
            Header { rest: frame.get(..HEADER_BYTES).ok_or(DecodeError::TooShort(frame.len()))? };
        let header_length = header.u32()?;
        if header_length != HEADER_LENGTH_FIELD {
            return Err(DecodeError::HeaderLength(header_length));
        }
        let message_type =
            MessageType::from_wire(&header.array::<TYPE_BYTES>()?).ok_or(DecodeError::MessageType)?;
        let schema_version = header.u32()?;
        let created_ms = header.u64()?;
        let seq = header.u64()?.cast_signed();
        let flags = Flags(header.u64()?);
        let id = MessageId::from_wire(header.array()?);
        let digest = header.array::<32>()?;
        let payload_type = PayloadType::from_wire(header.u32()?);
        let payload_length = header.u32()?;
        let payload = frame.split_off(HEADER_BYTES);

        let from_gateway =
            matches!(message_type, MessageType::StartPublication | MessageType::PausePublication);
        let checked = !(from_gateway && decoder == Decoder::Client);
        if checked && created_ms == 0 {
            return Err(DecodeError::CreatedDate);
        }
        if checked && payload.len() != payload_length as usize {
            return Err(DecodeError::PayloadLength { announced: payload_length, actual: payload.len() });
        }
        let digest_checked = checked && decoder == Decoder::Client && !payload.is_empty();
        if digest_checked && Sha256::digest(&payload).as_slice() != digest {
            return Err(DecodeError::Digest);
        }
        Ok(Self { message_type, schema_version, created_ms, seq, flags, id, payload_type, payload })
    }
}

/// All of a message but its payload, so that a payload is copied once, into the frame.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) message_type: &'a MessageType,
    pub(crate) created_ms: u64,
    pub(crate) seq: i64,
    pub(crate) flags: Flags,
    pub(crate) id: MessageId,
    pub(crate) payload_type: PayloadType,
}

impl Envelope<'_> {
    pub(crate) fn encode(&self, payload: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER_BYTES + payload.len());
        self.encode_into(&mut out, payload);
        out.freeze()
    }

    pub(crate) fn encode_into(&self, out: &mut BytesMut, payload: &[u8]) {
        self.put(1, out, payload);
    }

    fn put(&self, schema_version: u32, out: &mut BytesMut, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let payload = payload.get(..length as usize).unwrap_or(payload);
        out.put_u32(HEADER_LENGTH_FIELD);
        out.put_slice(&self.message_type.to_wire());
        out.put_u32(schema_version);
        out.put_u64(self.created_ms);
        out.put_i64(self.seq);
        out.put_u64(self.flags.0);
        out.put_slice(&self.id.to_wire());
        out.put_slice(&Sha256::digest(payload));
        out.put_u32(self.payload_type.to_wire());
        out.put_u32(length);
        out.put_slice(payload);
    }
}

/// Reads the fixed fields one after another.
struct Header<'a> {
    rest: &'a [u8],
}

impl Header<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (field, rest) =
            self.rest.split_first_chunk::<N>().ok_or(DecodeError::TooShort(self.rest.len()))?;
        self.rest = rest;
        Ok(*field)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }
}

/// Why a frame was refused (protocol.md 3.3). Such a frame is never acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than a header has.
    #[error("frame of {0} bytes is shorter than its header")]
    TooShort(usize),
    /// HeaderLength is not 116.
    #[error("header length {0} instead of 116")]
    HeaderLength(u32),
    /// MessageType is empty or no printable ASCII.
    #[error("message type is empty or unreadable")]
    MessageType,
    /// CreatedDate is 0.
    #[error("created date is zero")]
    CreatedDate,
    /// PayloadLength and the frame disagree.
    #[error("payload of {actual} bytes announced as {announced}")]
    PayloadLength {
        /// What the header says.
        announced: u32,
        /// What follows the header.
        actual: usize,
    },
    /// The SHA-256 of the payload is another.
    #[error("payload digest does not match")]
    Digest,
}
