//! Hand-made frames and a way to look at everything a channel gives out.

use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    AcknowledgeContent, AgentChannel, AgentConfig, AgentEvent, AgentMessage, AgentOutput, ClientChannel,
    ClientConfig, ClientEvent, ClientOutput, Decoder, Flags, HandshakeRequest, MessageId, MessageType,
    Moment, PayloadType, RequestedAction, SessionId, StreamToken, TerminalSize,
};
use serde_json::Value;

pub(crate) const SIZE: TerminalSize = TerminalSize { cols: 80, rows: 24 };

/// A moment that many milliseconds after the start.
pub(crate) fn at(ms: u64) -> Moment {
    Moment::new(Duration::from_millis(ms), 1_700_000_000_000 + ms)
}

pub(crate) fn token(text: &str) -> StreamToken {
    StreamToken::new(text)
}

pub(crate) fn message(
    message_type: MessageType,
    seq: i64,
    payload_type: PayloadType,
    payload: &[u8],
) -> AgentMessage {
    let mut id = [7; 16];
    id[15] = seq as u8;
    AgentMessage {
        message_type,
        schema_version: 1,
        created_ms: 1_700_000_000_000,
        seq,
        flags: Flags::NONE,
        id: MessageId::from_random(id),
        payload_type,
        payload: Bytes::copy_from_slice(payload),
    }
}

/// A sequenced message of an agent.
pub(crate) fn from_agent(seq: i64, payload_type: PayloadType, payload: impl AsRef<[u8]>) -> Bytes {
    message(MessageType::OutputStreamData, seq, payload_type, payload.as_ref()).encode()
}

pub(crate) fn output(seq: i64, payload: impl AsRef<[u8]>) -> Bytes {
    from_agent(seq, PayloadType::Output, payload)
}

/// A sequenced message of a client.
pub(crate) fn from_client(seq: i64, payload_type: PayloadType, payload: impl AsRef<[u8]>) -> Bytes {
    message(MessageType::InputStreamData, seq, payload_type, payload.as_ref()).encode()
}

/// An acknowledgement of that number in the other side's stream.
pub(crate) fn ack(seq: i64) -> Bytes {
    let content = AcknowledgeContent {
        message_type: String::new(),
        message_id: String::new(),
        seq,
        is_sequential: true,
    };
    message(MessageType::Acknowledge, 0, PayloadType::Unset, content.encode().as_bytes()).encode()
}

/// The acknowledgement of that message.
pub(crate) fn ack_of(message: &AgentMessage) -> Bytes {
    let body = AcknowledgeContent::of(message).encode();
    self::message(MessageType::Acknowledge, 0, PayloadType::Unset, body.as_bytes()).encode()
}

pub(crate) fn from_gateway(message_type: MessageType, payload: &[u8]) -> Bytes {
    message(message_type, 0, PayloadType::Unset, payload).encode()
}

pub(crate) fn request(actions: Vec<RequestedAction>) -> String {
    HandshakeRequest { agent_version: "3.3.987.0".to_owned(), actions }.encode()
}

pub(crate) fn session_type(name: &str) -> RequestedAction {
    RequestedAction::SessionType { session_type: name.to_owned(), properties: Value::Null }
}

/// Everything a channel gave out since it was last looked at.
#[derive(Debug)]
pub(crate) struct Given<E> {
    pub(crate) texts: Vec<String>,
    /// Frames as bytes, in order.
    pub(crate) raw: Vec<Bytes>,
    pub(crate) frames: Vec<AgentMessage>,
    pub(crate) events: Vec<E>,
}

impl<E> Given<E> {
    fn new() -> Self {
        Self { texts: Vec::new(), raw: Vec::new(), frames: Vec::new(), events: Vec::new() }
    }

    fn frame(&mut self, frame: Bytes) {
        self.raw.push(frame.clone());
        self.frames
            .push(AgentMessage::decode_as(Decoder::Client, frame).expect("channels give out good frames"));
    }

    /// Sequence numbers acknowledged, in order.
    pub(crate) fn acks(&self) -> Vec<i64> {
        let acks = self.frames.iter().filter(|f| f.message_type == MessageType::Acknowledge);
        acks.map(|f| AcknowledgeContent::decode(&f.payload).expect("acks can be read").seq).collect()
    }

    /// Sequenced messages, in order.
    pub(crate) fn data(&self) -> Vec<(i64, PayloadType, &[u8])> {
        let sequenced = |f: &&AgentMessage| {
            matches!(f.message_type, MessageType::InputStreamData | MessageType::OutputStreamData)
        };
        self.frames.iter().filter(sequenced).map(|f| (f.seq, f.payload_type, f.payload.as_ref())).collect()
    }

    pub(crate) fn seqs(&self) -> Vec<i64> {
        self.data().into_iter().map(|(seq, ..)| seq).collect()
    }
}

pub(crate) fn client_given(client: &mut ClientChannel) -> Given<ClientEvent> {
    let mut given = Given::new();
    while let Some(output) = client.poll_output() {
        match output {
            ClientOutput::Text(text) => given.texts.push(text.to_string()),
            ClientOutput::Binary(frame) => given.frame(frame),
            ClientOutput::Event(event) => given.events.push(event),
        }
    }
    given
}

pub(crate) fn agent_given(agent: &mut AgentChannel) -> Given<AgentEvent> {
    let mut given = Given::new();
    while let Some(output) = agent.poll_output() {
        match output {
            AgentOutput::Text(text) => given.texts.push(text.to_string()),
            AgentOutput::Binary(frame) => given.frame(frame),
            AgentOutput::Event(event) => given.events.push(event),
        }
    }
    given
}

pub(crate) fn config() -> ClientConfig {
    ClientConfig::new([1; 32])
}

/// A client with an open socket whose first outputs were taken.
pub(crate) fn open_client(config: ClientConfig) -> ClientChannel {
    let mut client = ClientChannel::new(config);
    client.socket_opened(at(0), &token("T"));
    client_given(&mut client);
    client
}

/// A client in a shell without a handshake, after the first output "$ ".
pub(crate) fn running_client(config: ClientConfig) -> ClientChannel {
    let mut client = open_client(config);
    client.handle_binary(at(0), output(0, "$ "));
    client_given(&mut client);
    client.consumed(at(0), 2);
    client
}

pub(crate) fn agent_config() -> AgentConfig {
    AgentConfig::new("i-0abcdef1234567890", SessionId::new("alice-0123456789abcdef0"), [2; 32])
}

/// An agent with an open socket, without a handshake, whose first outputs were taken.
pub(crate) fn open_agent(config: AgentConfig) -> AgentChannel {
    let mut agent = AgentChannel::new(config);
    agent.socket_opened(at(0), &token("T"));
    agent_given(&mut agent);
    agent
}

/// An agent in a shell without a handshake that takes input.
pub(crate) fn running_agent() -> AgentChannel {
    let mut agent = open_agent(agent_config());
    agent.ready(at(0));
    agent
}
