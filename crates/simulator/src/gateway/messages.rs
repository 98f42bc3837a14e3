//! The messages the gateway makes itself (protocol.md 2.3 and 4.2).

use bytes::{Bytes, BytesMut};
use fleetline_protocol::{
    AgentMessage, ChannelClosed, Flags, HEADER_BYTES, MessageId, MessageType, PayloadType,
};

use serde_json::{Value, json};

use crate::shared::unix_ms;

/// `channel_closed` with this text.
pub(super) fn channel_closed(session_id: &str, target: &str, output: &str) -> Bytes {
    let (id, created_ms) = (MessageId::from_random(rand::random()), unix_ms());
    let payload = ChannelClosed {
        message_id: id.to_string(),
        created_date: created_ms.to_string(),
        destination_id: target.to_owned(),
        session_id: session_id.to_owned(),
        output: output.to_owned(),
    };
    frame(MessageType::ChannelClosed, id, created_ms, Bytes::from(payload.encode()))
}

/// `start_publication`: the other side is attached.
pub(super) fn start_publication() -> Bytes {
    frame(MessageType::StartPublication, MessageId::from_random(rand::random()), unix_ms(), Bytes::new())
}

/// `pause_publication`: the other side is gone.
pub(super) fn pause_publication() -> Bytes {
    frame(MessageType::PausePublication, MessageId::from_random(rand::random()), unix_ms(), Bytes::new())
}

/// A frame of a type nobody knows.
pub(super) fn unknown() -> Bytes {
    let Some(message_type) = MessageType::from_name("simulated_unknown") else { return Bytes::new() };
    let id = MessageId::from_random(rand::random());
    frame(message_type, id, unix_ms(), Bytes::from_static(b"{}"))
}

/// `pause_publication` as the real gateway was seen to send it: padded with NULs, without date and digest
/// (protocol.md 3.3).
pub(super) fn padded_pause() -> Bytes {
    const NAME: &[u8] = b"pause_publication";
    let mut frame = BytesMut::zeroed(HEADER_BYTES + 16);
    frame[..4].copy_from_slice(&116_u32.to_be_bytes());
    frame[4..4 + NAME.len()].copy_from_slice(NAME);
    frame.freeze()
}

fn frame(message_type: MessageType, id: MessageId, created_ms: i64, payload: Bytes) -> Bytes {
    AgentMessage {
        message_type,
        schema_version: 1,
        created_ms: u64::try_from(created_ms).unwrap_or(1),
        seq: 0,
        flags: Flags::NONE,
        id,
        payload_type: PayloadType::Unset,
        payload,
    }
    .encode()
}

/// Begins a session at an agent (protocol.md 9.5): `content` says what is to be run.
pub(super) fn interactive_shell(session_id: &str, content: &Value) -> Bytes {
    let payload = json!({
        "Content": content.to_string(), "TaskId": session_id, "Topic": MessageType::InteractiveShell.as_str(),
        "SchemaVersion": 1,
    });
    own(MessageType::InteractiveShell, &payload)
}

/// Confirms the end of a session (protocol.md 9.6), or the agent tells it again.
pub(super) fn task_acknowledge(message_id: &str, session_id: &str) -> Bytes {
    let payload = json!({
        "SchemaVersion": 1, "MessageId": message_id, "TaskId": session_id,
        "Topic": MessageType::AgentTaskComplete.as_str(),
    });
    own(MessageType::AgentTaskAcknowledge, &payload)
}

fn own(message_type: MessageType, payload: &Value) -> Bytes {
    frame(message_type, MessageId::from_random(rand::random()), unix_ms(), Bytes::from(payload.to_string()))
}

/// Whether a frame carries session data, as opposed to acknowledgements and states.
pub(crate) fn is_stream_data(frame: &[u8]) -> bool {
    let kind = frame.get(4..36).unwrap_or_default();
    kind.starts_with(b"input_stream_data") || kind.starts_with(b"output_stream_data")
}

/// Sequence number of a frame with session data (protocol.md 3).
pub(super) fn stream_seq(frame: &[u8]) -> Option<i64> {
    let seq: &[u8; 8] = frame.get(48..56)?.try_into().ok()?;
    is_stream_data(frame).then(|| i64::from_be_bytes(*seq))
}

/// Whether a frame is an agent's `agent_session_state`.
pub(super) fn is_session_state(frame: &[u8]) -> bool {
    frame.get(4..36).is_some_and(|kind| kind.starts_with(b"agent_session_state"))
}
