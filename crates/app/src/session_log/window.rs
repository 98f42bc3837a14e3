//! Windows of a log.

use std::fmt;

use fleetline_engine::ports::ApiError;
use fleetline_history::unfinished;

use super::{Place, Reader};

/// Bytes of an object read at once.
const OBJECT_BYTES: u32 = 256 * 1024;

/// Where a window begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// At this byte of an object.
    Byte(u64),
    /// Where CloudWatch Logs says.
    Token(String),
}

impl Cursor {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("b", number) => number.parse().ok().map(Self::Byte),
            ("t", token) if !token.is_empty() => Some(Self::Token(token.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(byte) => write!(f, "b:{byte}"),
            Self::Token(token) => write!(f, "t:{token}"),
        }
    }
}

/// Output of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// When it was written, in epoch milliseconds, where the place knows.
    pub at_ms: Option<i64>,
    /// The output.
    pub output: Vec<u8>,
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// In order. Neither a character nor a control sequence is cut.
    pub pieces: Vec<Piece>,
    /// Continues behind it; for a stream also at its end, where more may come.
    pub next: Option<Cursor>,
    /// Whether nothing was behind it.
    pub is_end: bool,
    /// Bytes of the whole log, where the place knows.
    pub size: Option<u64>,
}

impl Window {
    /// All output of it.
    pub fn output(&self) -> Vec<u8> {
        self.pieces.iter().flat_map(|piece| piece.output.iter().copied()).collect()
    }
}

impl Reader {
    /// A part of the log at `place`, at most 256 KiB of an object or 1 MiB of events; `None` if there is no such log. Pass
    /// no cursor to begin.
    ///
    /// # Errors
    /// What the calls of S3 and CloudWatch Logs can meet.
    pub async fn window(&self, place: &Place, at: Option<&Cursor>) -> Result<Option<Window>, ApiError> {
        match place {
            Place::Object(place) => {
                let from = match at {
                    Some(Cursor::Byte(byte)) => *byte,
                    _ => 0,
                };
                let Some(mut read) = self.records.object(place.clone(), from, OBJECT_BYTES).await? else {
                    return Ok(None);
                };
                let held = u64::try_from(read.bytes.len()).unwrap_or(0);
                let is_end = held == 0 || from.saturating_add(held) >= read.size;
                if !is_end {
                    let left = unfinished(&read.bytes);
                    if left < read.bytes.len() {
                        read.bytes.truncate(read.bytes.len() - left);
                    }
                }
                let taken = u64::try_from(read.bytes.len()).unwrap_or(0);
                Ok(Some(Window {
                    pieces: vec![Piece { at_ms: None, output: read.bytes }],
                    next: (!is_end).then(|| Cursor::Byte(from.saturating_add(taken))),
                    is_end,
                    size: Some(read.size),
                }))
            }
            Place::Stream(place) => {
                let next = match at {
                    Some(Cursor::Token(token)) => Some(token.clone()),
                    _ => None,
                };
                let Some(read) = self.records.events(place.clone(), next).await? else { return Ok(None) };
                let pieces = read
                    .events
                    .iter()
                    .map(|event| Piece { at_ms: Some(event.at_ms), output: event.output() });
                Ok(Some(Window {
                    pieces: pieces.collect(),
                    next: Some(read.next).filter(|token| !token.is_empty()).map(Cursor::Token),
                    is_end: read.is_end,
                    size: None,
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn cursors_are_read_as_they_were_written() {
        for cursor in [Cursor::Byte(0), Cursor::Byte(u64::MAX), Cursor::Token("f/3:4".into())] {
            assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }
        for wrong in ["", "b:", "b:-1", "t:", "x:1", "b"] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }
}
