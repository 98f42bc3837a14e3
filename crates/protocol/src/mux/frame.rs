//! The frames of smux version 1 (protocol.md 8.5): version, command, length and stream id in little-endian, data.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes before the data of every mux frame.
pub const MUX_HEADER_BYTES: usize = 8;

/// Most data bytes in one mux frame.
pub const MUX_MAX_DATA_BYTES: usize = u16::MAX as usize;

const VERSION: u8 = 1;
const SYN: u8 = 0;
const FIN: u8 = 1;
const PSH: u8 = 2;
const NOP: u8 = 3;
const UPD: u8 = 4;

/// What a version 1 receiver reads after the header of a window update, whatever its length field says.
const WINDOW_UPDATE_BYTES: usize = 8;

/// Names one stream of a mux session. Clients use 3, 5, 7 and so on; an id is not used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MuxStreamId(pub u32);

impl fmt::Debug for MuxStreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MuxStreamId({})", self.0)
    }
}

impl fmt::Display for MuxStreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One mux frame that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MuxFrame<'a> {
    /// Opens a stream.
    Syn(MuxStreamId),
    /// The sender is done with a stream, in both directions.
    Fin(MuxStreamId),
    /// Data of a stream. What is beyond [`MUX_MAX_DATA_BYTES`] is not sent.
    Data(MuxStreamId, &'a [u8]),
    /// Keeps the session alive.
    Nop,
}

impl MuxFrame<'_> {
    /// Appends the frame as it goes onto the wire. The length of all frames but data is 0: receivers do not skip
    /// what would follow.
    pub fn encode_into(&self, out: &mut BytesMut) {
        let (command, id, data): (u8, u32, &[u8]) = match *self {
            Self::Syn(id) => (SYN, id.0, &[]),
            Self::Fin(id) => (FIN, id.0, &[]),
            Self::Data(id, data) => (PSH, id.0, data),
            Self::Nop => (NOP, 0, &[]),
        };
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
        out.put_u8(VERSION);
        out.put_u8(command);
        out.put_u16_le(length);
        out.put_u32_le(id);
        out.put_slice(data.get(..usize::from(length)).unwrap_or(data));
    }

    /// The frame as it goes onto the wire.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        self.encode_into(&mut out);
        out.freeze()
    }
}

/// What a [`MuxDecoder`] found next.
#[derive(Clone, PartialEq, Eq)]
pub enum MuxPart {
    /// The peer opens a stream.
    Syn(MuxStreamId),
    /// The peer is done with a stream.
    Fin(MuxStreamId),
    /// Data of a stream: all that is there of one frame, never empty. A frame cut by its carrier gives several.
    Data(MuxStreamId, Bytes),
    /// A keep-alive.
    Nop,
    /// A window update of version 2, which means nothing here and was skipped.
    WindowUpdate,
}

impl fmt::Debug for MuxPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syn(id) => write!(f, "Syn({id})"),
            Self::Fin(id) => write!(f, "Fin({id})"),
            Self::Data(id, bytes) => write!(f, "Data({id}, {} bytes)", bytes.len()),
            Self::Nop => f.write_str("Nop"),
            Self::WindowUpdate => f.write_str("WindowUpdate"),
        }
    }
}

/// Why the bytes are no mux frame. There is no way to find the next frame, so the session is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MuxFrameError {
    /// The first byte of a frame is not 1.
    #[error("mux version {0} instead of 1")]
    Version(u8),
    /// The second byte is no command of smux.
    #[error("mux command {0} is unknown")]
    Command(u8),
    /// A frame that has no data announces some; peers disagree about whether it follows.
    #[error("mux command {command} announces {length} bytes of data")]
    Length {
        /// The command: 0, 1 or 3.
        command: u8,
        /// What it announces.
        length: u16,
    },
}

/// Finds the frames in a byte stream that was cut anywhere. Holds at most one header; data is given on as it comes.
#[derive(Debug, Default)]
pub struct MuxDecoder {
    header: [u8; MUX_HEADER_BYTES],
    header_filled: usize,
    data: Option<Remaining>,
    skip: usize,
    failed: Option<MuxFrameError>,
}

#[derive(Clone, Copy, Debug)]
struct Remaining {
    id: MuxStreamId,
    bytes: usize,
}

impl MuxDecoder {
    /// A decoder at the start of a byte stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what it can use from the front of `bytes` and gives the next part; `None` when all of `bytes` is used.
    ///
    /// # Errors
    /// The first frame that is none. From then on the same error for ever.
    pub fn next(&mut self, bytes: &mut Bytes) -> Result<Option<MuxPart>, MuxFrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                bytes.advance(skipped);
                self.skip -= skipped;
                if self.skip == 0 {
                    return Ok(Some(MuxPart::WindowUpdate));
                }
                continue;
            }
            if let Some(remaining) = self.data.take() {
                let part = bytes.split_to(remaining.bytes.min(bytes.len()));
                let bytes_left = remaining.bytes - part.len();
                if bytes_left > 0 {
                    self.data = Some(Remaining { bytes: bytes_left, ..remaining });
                }
                return Ok(Some(MuxPart::Data(remaining.id, part)));
            }
            let taken = bytes.split_to((MUX_HEADER_BYTES - self.header_filled).min(bytes.len()));
            for (slot, byte) in self.header.iter_mut().skip(self.header_filled).zip(&taken) {
                *slot = *byte;
            }
            self.header_filled += taken.len();
            if self.header_filled == MUX_HEADER_BYTES {
                self.header_filled = 0;
                match self.header_read() {
                    Ok(Some(part)) => return Ok(Some(part)),
                    Ok(None) => {}
                    Err(error) => {
                        self.failed = Some(error);
                        return Err(error);
                    }
                }
            }
        }
        Ok(None)
    }

    fn header_read(&mut self) -> Result<Option<MuxPart>, MuxFrameError> {
        let [version, command, length @ .., i0, i1, i2, i3] = self.header;
        let length = u16::from_le_bytes(length);
        let id = MuxStreamId(u32::from_le_bytes([i0, i1, i2, i3]));
        if version != VERSION {
            return Err(MuxFrameError::Version(version));
        }
        match command {
            SYN | FIN | NOP if length > 0 => Err(MuxFrameError::Length { command, length }),
            SYN => Ok(Some(MuxPart::Syn(id))),
            FIN => Ok(Some(MuxPart::Fin(id))),
            NOP => Ok(Some(MuxPart::Nop)),
            PSH => {
                self.data = (length > 0).then_some(Remaining { id, bytes: usize::from(length) });
                Ok(None)
            }
            UPD => {
                self.skip = WINDOW_UPDATE_BYTES;
                Ok(None)
            }
            other => Err(MuxFrameError::Command(other)),
        }
    }
}
