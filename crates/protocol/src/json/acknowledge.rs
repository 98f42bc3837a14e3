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
