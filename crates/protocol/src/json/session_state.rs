use super::JsonError;
use super::fields::Fields;
use super::writer::ObjectWriter;

/// Payload of `agent_session_state` (protocol.md 4.2): the agent tells the gateway where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSessionState {
    /// Where the agent stands.
    pub state: SessionState,
    /// The session.
    pub session_id: String,
}

/// Where the agent stands with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Its data channel is open.
    Connected,
    /// The program has ended and the output was delivered, or two seconds were up.
    Terminating,
}

impl AgentSessionState {
    /// The payload.
    pub fn encode(&self) -> String {
        let state = match self.state {
            SessionState::Connected => "Connected",
            SessionState::Terminating => "Terminating",
        };
        ObjectWriter::new()
            .raw("SchemaVersion", "1")
            .string("SessionState", state)
            .string("SessionId", &self.session_id)
            .finish()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// When it is no object or names another state.
    pub fn decode(payload: &[u8]) -> Result<Self, JsonError> {
        let fields = Fields::parse(payload)?;
        let state = match fields.text("SessionState")?.as_str() {
            "Connected" => SessionState::Connected,
            "Terminating" => SessionState::Terminating,
            _ => return Err(JsonError::Member("SessionState")),
        };
        Ok(Self { state, session_id: fields.text("SessionId")? })
    }
}
