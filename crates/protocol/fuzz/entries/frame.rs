//! What the fuzz target `frame` does with its input. The tests of fleetline-protocol replay the corpus through it.

use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    AcknowledgeContent, AgentChannel, AgentConfig, AgentMessage, AgentSessionState, ChannelClosed,
    ClientChannel, ClientConfig, Decoder, HandshakeComplete, HandshakeRequest, HandshakeResponse, Moment,
    SessionId, StreamToken, TerminalSize,
};

/// Enough calls that a channel which never stops giving out is noticed.
const MANY: usize = 10_000;

/// Any bytes as a frame: into the codec, the readers of its payload, and both roles.
pub(crate) fn run(data: &[u8]) {
    let frame = Bytes::copy_from_slice(data);
    if let Ok(message) = AgentMessage::decode(frame.clone()) {
        round_trip(&message);
    }
    drive(frame.clone());
    // Fuzzers cannot find digests, so the same frame is tried with the right one.
    if let Ok(message) = AgentMessage::decode_as(Decoder::Agent, frame) {
        round_trip(&message);
        bodies(&message.payload);
        drive(message.encode());
    }
}

fn round_trip(message: &AgentMessage) {
    if message.created_ms != 0 {
        assert_eq!(AgentMessage::decode(message.encode()).as_ref(), Ok(message));
    }
}

fn bodies(payload: &[u8]) {
    if let Ok(body) = AcknowledgeContent::decode(payload) {
        assert_eq!(AcknowledgeContent::decode(body.encode().as_bytes()), Ok(body));
    }
    if let Ok(body) = ChannelClosed::decode(payload) {
        assert_eq!(ChannelClosed::decode(body.encode().as_bytes()), Ok(body));
    }
    if let Ok(body) = AgentSessionState::decode(payload) {
        assert_eq!(AgentSessionState::decode(body.encode().as_bytes()), Ok(body));
    }
    if let Ok(body) = HandshakeRequest::decode(payload) {
        assert_eq!(HandshakeRequest::decode(body.encode().as_bytes()), Ok(body));
    }
    if let Ok(body) = HandshakeResponse::decode(payload) {
        assert_eq!(HandshakeResponse::decode(body.encode().as_bytes()), Ok(body));
    }
    if let Ok(body) = HandshakeComplete::decode(payload) {
        assert_eq!(HandshakeComplete::decode(body.encode().as_bytes()), Ok(body));
    }
    if let Ok(body) = TerminalSize::decode(payload) {
        assert_eq!(TerminalSize::decode(body.encode().as_bytes()), Ok(body));
    }
}

fn drive(frame: Bytes) {
    let mut client = ClientChannel::new(ClientConfig::new([0; 32]));
    let mut agent = AgentChannel::new(AgentConfig::new("i-1", SessionId::new("s-1"), [1; 32]));
    let token = StreamToken::new("T");
    client.socket_opened(at(0), &token);
    agent.socket_opened(at(0), &token);
    agent.ready(at(0));
    for ms in [1, 2] {
        client.handle_binary(at(ms), frame.clone());
        agent.handle_binary(at(ms), frame.clone());
        quiet(|| client.poll_output().is_some());
        quiet(|| agent.poll_output().is_some());
        client.handle_timeout(at(ms * 1000));
        agent.handle_timeout(at(ms * 1000));
    }
    client.socket_closed(at(2000));
    client.socket_opened(at(3000), &token);
    quiet(|| client.poll_output().is_some());
}

fn quiet(mut has_more: impl FnMut() -> bool) {
    assert!((0..MANY).any(|_| !has_more()), "a channel never stops giving out");
}

fn at(ms: u64) -> Moment {
    Moment::new(Duration::from_millis(ms), 1_700_000_000_000)
}
