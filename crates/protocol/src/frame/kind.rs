//! Message types and payload types (protocol.md 4.1 and 4.3).

use std::fmt;

/// Width of the MessageType field.
pub(super) const TYPE_BYTES: usize = 32;

/// What a frame is. Written padded with spaces; read with NULs, then white space, trimmed from both ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// `input_stream_data`: client to agent, in sequence.
    InputStreamData,
    /// `output_stream_data`: agent to client, in sequence.
    OutputStreamData,
    /// `acknowledge`: both ways, never acknowledged itself.
    Acknowledge,
    /// `channel_closed`: the gateway ended the session.
    ChannelClosed,
    /// `start_publication`: the other side is attached.
    StartPublication,
    /// `pause_publication`: the other side is gone or congested.
    PausePublication,
    /// `agent_session_state`: agent to gateway.
    AgentSessionState,
    /// `interactive_shell`: gateway to agent on the control channel, starts a session.
    InteractiveShell,
    /// `agent_task_complete`: agent to gateway on the control channel.
    AgentTaskComplete,
    /// `agent_task_acknowledge`: gateway to agent on the control channel.
    AgentTaskAcknowledge,
    /// Any other name. Ignored by both roles.
    Other(OtherType),
}

/// Name of a message type this crate does not know: 1 to 32 printable ASCII characters, none of the known names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherType(String);

impl OtherType {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const OUTPUT_FIELD: &[u8; TYPE_BYTES] = b"output_stream_data              ";
const INPUT_FIELD: &[u8; TYPE_BYTES] = b"input_stream_data               ";
const ACKNOWLEDGE_FIELD: &[u8; TYPE_BYTES] = b"acknowledge                     ";

const KNOWN: [(MessageType, &str); 10] = [
    (MessageType::InputStreamData, "input_stream_data"),
    (MessageType::OutputStreamData, "output_stream_data"),
    (MessageType::Acknowledge, "acknowledge"),
    (MessageType::ChannelClosed, "channel_closed"),
    (MessageType::StartPublication, "start_publication"),
    (MessageType::PausePublication, "pause_publication"),
    (MessageType::AgentSessionState, "agent_session_state"),
    (MessageType::InteractiveShell, "interactive_shell"),
    (MessageType::AgentTaskComplete, "agent_task_complete"),
    (MessageType::AgentTaskAcknowledge, "agent_task_acknowledge"),
];

impl MessageType {
    /// The type of that name; `None` unless it is 1 to 32 printable ASCII characters without spaces around them.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some((known, _)) = KNOWN.iter().find(|(_, text)| *text == name) {
            return Some(known.clone());
        }
        let printable = name.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        let fits = !name.is_empty() && name.len() <= TYPE_BYTES && name.trim() == name;
        (printable && fits).then(|| Self::Other(OtherType(name.to_owned())))
    }

    /// The name on the wire, without padding.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(other) => other.as_str(),
            known => KNOWN.iter().find(|(k, _)| k == known).map_or("", |(_, name)| name),
        }
    }

    pub(super) fn to_wire(&self) -> [u8; TYPE_BYTES] {
        match self {
            Self::OutputStreamData => return *OUTPUT_FIELD,
            Self::InputStreamData => return *INPUT_FIELD,
            Self::Acknowledge => return *ACKNOWLEDGE_FIELD,
            _ => {}
        }
        let mut field = [b' '; TYPE_BYTES];
        for (slot, byte) in field.iter_mut().zip(self.as_str().bytes()) {
            *slot = byte;
        }
        field
    }

    pub(super) fn from_wire(field: &[u8; TYPE_BYTES]) -> Option<Self> {
        // All but a few messages are one of these, padded as the peers pad.
        match field {
            OUTPUT_FIELD => return Some(Self::OutputStreamData),
            INPUT_FIELD => return Some(Self::InputStreamData),
            ACKNOWLEDGE_FIELD => return Some(Self::Acknowledge),
            _ => {}
        }
        let text = std::str::from_utf8(field).ok()?;
        Self::from_name(text.trim_matches('\0').trim())
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a payload is (protocol.md 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayloadType {
    /// 0: messages outside the sequence.
    Unset,
    /// 1: terminal, TCP or mux bytes, both ways.
    Output,
    /// 2: text; no known peer sends it.
    Error,
    /// 3: terminal size, client to agent.
    Size,
    /// 4: no known peer sends it.
    Parameter,
    /// 5: agent to client.
    HandshakeRequest,
    /// 6: client to agent.
    HandshakeResponse,
    /// 7: agent to client.
    HandshakeComplete,
    /// 8: agent to client, sealed sessions only.
    EncChallengeRequest,
    /// 9: client to agent, sealed sessions only.
    EncChallengeResponse,
    /// 10: a `u32`, both ways.
    Flag,
    /// 11: standard error of a command, agent to client.
    StdErr,
    /// 12: `EXIT_CODE: n`, agent to client.
    ExitCode,
    /// Any other number: acknowledged, counted and skipped.
    Other(u32),
}

impl PayloadType {
    /// The type of that number. Never gives `Other` for a number that has a name.
    pub fn from_wire(number: u32) -> Self {
        match number {
            0 => Self::Unset,
            1 => Self::Output,
            2 => Self::Error,
            3 => Self::Size,
            4 => Self::Parameter,
            5 => Self::HandshakeRequest,
            6 => Self::HandshakeResponse,
            7 => Self::HandshakeComplete,
            8 => Self::EncChallengeRequest,
            9 => Self::EncChallengeResponse,
            10 => Self::Flag,
            11 => Self::StdErr,
            12 => Self::ExitCode,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub fn to_wire(self) -> u32 {
        match self {
            Self::Unset => 0,
            Self::Output => 1,
            Self::Error => 2,
            Self::Size => 3,
            Self::Parameter => 4,
            Self::HandshakeRequest => 5,
            Self::HandshakeResponse => 6,
            Self::HandshakeComplete => 7,
            Self::EncChallengeRequest => 8,
            Self::EncChallengeResponse => 9,
            Self::Flag => 10,
            Self::StdErr => 11,
            Self::ExitCode => 12,
            Self::Other(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_the_field_are_refused() {
        assert_eq!(MessageType::from_name(""), None);
        assert_eq!(MessageType::from_name(&"x".repeat(33)), None);
        assert_eq!(MessageType::from_name("a\u{7f}b"), None);
        assert_eq!(MessageType::from_name("agent_job").map(|t| t.to_string()).as_deref(), Some("agent_job"));
    }

    #[test]
    fn every_payload_number_round_trips() {
        for number in 0..40 {
            assert_eq!(PayloadType::from_wire(number).to_wire(), number);
        }
        assert_eq!(PayloadType::from_wire(u32::MAX), PayloadType::Other(u32::MAX));
    }
}
