use super::JsonError;
use super::fields::Fields;
use super::writer::ObjectWriter;
use crate::frame::{AgentMessage, MessageType};

/// Payload of an `acknowledge` message (protocol.md 4.2). Only the sequence number matters to the receiver; type and
/// id are filled for peers that match by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcknowledgeContent {
    /// Type of the acknowledged message, as text.
    pub message_type: String,
    /// Id of the acknowledged message, as text.
    pub message_id: String,
    /// Sequence number of the acknowledged message.
    pub seq: i64,
    /// Always true in what the known peers write.
    pub is_sequential: bool,
}

impl AcknowledgeContent {
    /// Acknowledges `message`.
    pub fn of(message: &AgentMessage) -> Self {
        Self::of_parts(&message.message_type, message.id.to_string(), message.seq)
    }

    pub(crate) fn of_parts(message_type: &MessageType, message_id: String, seq: i64) -> Self {
        Self { message_type: message_type.as_str().to_owned(), message_id, seq, is_sequential: true }
    }

    /// The payload.
    pub fn encode(&self) -> String {
        ObjectWriter::new()
            .string("AcknowledgedMessageType", &self.message_type)
            .string("AcknowledgedMessageId", &self.message_id)
            .raw("AcknowledgedMessageSequenceNumber", &self.seq.to_string())
            .raw("IsSequentialMessage", if self.is_sequential { "true" } else { "false" })
            .finish()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// When it is no object or has no sequence number.
    pub fn decode(payload: &[u8]) -> Result<Self, JsonError> {
        let fields = Fields::parse(payload)?;
        Ok(Self {
            message_type: fields.text("AcknowledgedMessageType")?,
            message_id: fields.text("AcknowledgedMessageId")?,
            seq: fields.integer("AcknowledgedMessageSequenceNumber")?,
            is_sequential: fields.value("IsSequentialMessage").as_bool().unwrap_or(false),
        })
    }
}

/// What matters of an acknowledgement, in the exact form the known peers write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledged<'a> {
    pub(crate) seq: i64,
    pub(crate) message_id: &'a str,
}

const TYPE: &[u8] = b"{\"AcknowledgedMessageType\":\"";
const ID: &[u8] = b"\",\"AcknowledgedMessageId\":\"";
const SEQ: &[u8] = b"\",\"AcknowledgedMessageSequenceNumber\":";
const END: &[u8] = b",\"IsSequentialMessage\":true}";

impl<'a> Acknowledged<'a> {
    /// Appends the body to `out`. Neither `message_type` nor the id may hold what JSON escapes.
    pub(crate) fn write(&self, message_type: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(TYPE);
        out.extend_from_slice(message_type.as_bytes());
        out.extend_from_slice(ID);
        out.extend_from_slice(self.message_id.as_bytes());
        out.extend_from_slice(SEQ);
        let mut digits = [0; 20];
        let mut rest = self.seq.unsigned_abs();
        let mut count = 0;
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + (rest % 10) as u8;
            rest /= 10;
            count += 1;
            if rest == 0 {
                break;
            }
        }
        if self.seq < 0 {
            out.push(b'-');
        }
        out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
        out.extend_from_slice(END);
    }

    /// Reads a body of exactly that form; `None` for all others, which may still be good JSON.
    pub(crate) fn read(payload: &'a [u8]) -> Option<Self> {
        let (_, rest) = until_quote(payload.strip_prefix(TYPE)?)?;
        let (message_id, rest) = until_quote(rest.strip_prefix(ID)?)?;
        let digits = rest.strip_prefix(SEQ)?.strip_suffix(END)?;
        let is_plain =
            digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || digits.first() != Some(&b'0'));
        let seq = std::str::from_utf8(digits).ok().filter(|_| is_plain)?.parse().ok()?;
        Some(Self { seq, message_id })
    }
}

/// The plain text up to the next quote, and what follows from that quote on.
fn until_quote(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let length = bytes.iter().position(|byte| !matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'))?;
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_writes_and_reads_what_the_long_way_does() {
        for seq in [0, 1, 9, 10, 7_000_000_001, i64::MAX, -1, i64::MIN] {
            let mut content = AcknowledgeContent {
                message_type: "output_stream_data".to_owned(),
                message_id: "dd01e56b-ff48-483e-a508-b5f073f31b16".to_owned(),
                seq,
                is_sequential: true,
            };
            let short = Acknowledged { seq, message_id: &content.message_id };
            let mut out = Vec::new();
            short.write(&content.message_type, &mut out);
            assert_eq!(out, content.encode().into_bytes());
            assert_eq!(Acknowledged::read(&out), (seq >= 0).then_some(short));
            content.is_sequential = false;
            assert_eq!(Acknowledged::read(content.encode().as_bytes()), None);
        }
    }

    #[test]
    fn the_short_way_reads_nothing_that_the_long_way_reads_differently() {
        let good = "{\"AcknowledgedMessageType\":\"t\",\"AcknowledgedMessageId\":\"i\",\"AcknowledgedMessageSequenceNumber\":42,\"IsSequentialMessage\":true}";
        assert!(Acknowledged::read(good.as_bytes()).is_some());
        for position in 0..good.len() {
            for byte in (0..=255).chain([b'\\', b'"', b'0', b'-', b'.', b'e', b',']) {
                let mut bytes = good.as_bytes().to_vec();
                if let Some(slot) = bytes.get_mut(position) {
                    *slot = byte;
                }
                if let Some(short) = Acknowledged::read(&bytes) {
                    let long = AcknowledgeContent::decode(&bytes).map(|long| (long.seq, long.message_id));
                    assert_eq!(long, Ok((short.seq, short.message_id.to_owned())), "{position} {byte}");
                }
            }
            assert_eq!(Acknowledged::read(good.get(..position).unwrap_or_default().as_bytes()), None);
        }
    }
}
