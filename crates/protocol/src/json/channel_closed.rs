use super::JsonError;
use super::fields::Fields;
use super::writer::ObjectWriter;

/// Payload of `channel_closed` (protocol.md 4.2): the service ended the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelClosed {
    /// Id of the message, as text.
    pub message_id: String,
    /// Milliseconds since the Unix epoch, as text.
    pub created_date: String,
    /// Target of the session.
    pub destination_id: String,
    /// The session.
    pub session_id: String,
    /// What the service or the agent has to say; often empty. Shown as it is.
    pub output: String,
}

impl ChannelClosed {
    /// The payload.
    pub fn encode(&self) -> String {
        ObjectWriter::new()
            .string("MessageId", &self.message_id)
            .string("CreatedDate", &self.created_date)
            .string("DestinationId", &self.destination_id)
            .string("SessionId", &self.session_id)
            .string("MessageType", "channel_closed")
            .raw("SchemaVersion", "1")
            .string("Output", &self.output)
            .finish()
    }

    /// Reads a payload. A member of the wrong kind reads as empty.
    ///
    /// # Errors
    /// When it is no object. The session has ended all the same.
    pub fn decode(payload: &[u8]) -> Result<Self, JsonError> {
        let fields = Fields::parse(payload)?;
        let text = |name| fields.text(name).unwrap_or_default();
        Ok(Self {
            message_id: text("MessageId"),
            created_date: text("CreatedDate"),
            destination_id: text("DestinationId"),
            session_id: text("SessionId"),
            output: text("Output"),
        })
    }
}
