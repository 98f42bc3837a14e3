use bytes::Bytes;

use crate::json::TerminalSize;
use crate::output::Output;
use crate::sealing::DataKeyRequest;

/// What an agent channel wants done; see [`AgentChannel`](super::AgentChannel).
pub type AgentOutput = Output<AgentEvent>;

/// What happened in a session, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AgentEvent {
    /// The client sent a sealed data key. Have KMS open it and answer with
    /// [`provide_data_key`](super::AgentChannel::provide_data_key) or
    /// [`refuse_data_key`](super::AgentChannel::refuse_data_key).
    DataKeyReceived {
        /// Key and encryption context to open it with.
        request: DataKeyRequest,
        /// The sealed data key, as KMS gave it to the client.
        cipher_text_blob: Vec<u8>,
    },
    /// The client accepted; the session program may start.
    HandshakeComplete {
        /// Version the client reports.
        client_version: String,
    },
    /// Input for the program; never empty.
    Data(Bytes),
    /// The client's terminal has this size.
    Resize(TerminalSize),
    /// A flag of the client: 1 disconnects from the port, 2 terminates the session (protocol.md 4.3).
    Flag(u32),
    /// [`send`](super::AgentChannel::send) took less than it was given; now there is room again.
    Writable,
    /// After [`finish`](super::AgentChannel::finish): all output was acknowledged, or two seconds were up.
    Drained,
    /// `channel_closed` came: the session was terminated from outside. The last event.
    Cancelled,
    /// The client refused, broke the handshake, or did not answer within 15 s; the text is for
    /// `agent_task_complete`. The last event.
    HandshakeFailed(String),
    /// The cipher refused to seal output, which was therefore not sent. The last event.
    SealingFailed,
}
