use bytes::Bytes;
use serde_json::Value;

use crate::output::Output;
use crate::sealing::DataKeyRequest;
use crate::session_kind::SessionKind;

/// What a client channel wants done; see [`ClientChannel`](super::ClientChannel).
pub type ClientOutput = Output<ClientEvent>;

/// What happened in a session, in order. The first is `DataKeyNeeded`, `Started`
/// or `Closed`; `Closed` comes once, as the last. `Publication` may come at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The session runs and takes input.
    Started {
        /// What it runs. `Shell` where the agent skipped the handshake (protocol.md 5.1).
        kind: SessionKind,
        /// Version of the agent; unknown without a handshake.
        agent_version: Option<String>,
        /// Document properties of a `Port` session; null otherwise.
        properties: Value,
        /// Whether there was a handshake.
        handshake: bool,
    },
    /// The agent wants the session sealed. Ask KMS for a data key and answer with
    /// [`provide_data_key`](super::ClientChannel::provide_data_key) or
    /// [`refuse_data_key`](super::ClientChannel::refuse_data_key), within the 15 s the agent waits. Comes at most
    /// once, and only when [`ClientConfig::sealing`](super::ClientConfig::sealing) is set.
    DataKeyNeeded(DataKeyRequest),
    /// A notice of the agent for the person, at the end of the handshake. Never empty.
    Message(String),
    /// Bytes from the node. Counts against the receive budget until
    /// [`consumed`](super::ClientChannel::consumed).
    Data {
        /// Which stream they belong to.
        stream: DataStream,
        /// The bytes; never empty.
        bytes: Bytes,
    },
    /// Exit status of the command, from `NonInteractiveCommands` with separated output: -1 when a signal ended it.
    ExitCode(i32),
    /// A flag of the agent; 3 means that a connection to the target port failed (protocol.md 4.3).
    Flag(u32),
    /// The gateway says whether the agent is attached. For information: nothing needs to be done.
    Publication(Publication),
    /// [`send`](super::ClientChannel::send) took less than it was given; now there is room for at least one full
    /// message again, unless a terminal size took it since.
    Writable,
    /// The session is over for this channel, and why.
    Closed(CloseReason),
}

/// Which of the program's streams bytes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataStream {
    /// Terminal, TCP or mux bytes, or standard output.
    Output,
    /// Standard error of a command, where the session keeps it apart.
    StdErr,
}

/// The gateway's flow signal (protocol.md 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Publication {
    /// The other side is attached.
    Start,
    /// The other side is gone or congested.
    Pause,
}

/// Why a channel closed. The first reason wins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The service sent `channel_closed`: program ended, session terminated, idle or duration limit.
    #[error("the service closed the session{}{output}", if output.is_empty() { "" } else { ": " })]
    ByService {
        /// What the service or the agent said, unchanged; often empty.
        output: String,
    },
    /// The owner called [`close`](super::ClientChannel::close).
    #[error("closed here")]
    ByOwner,
    /// The handshake cannot succeed. Nothing was sent in the clear that the agent wanted sealed.
    #[error("handshake failed: {why}")]
    HandshakeFailed {
        /// What was wrong.
        why: HandshakeFailure,
    },
    /// The agent broke the protocol in a way that leaves no safe way on.
    #[error("the agent broke the protocol: {what}")]
    PeerMisbehaved {
        /// How.
        what: Misbehaviour,
    },
    /// The cipher refused to seal data, which was therefore not sent.
    #[error("data could not be encrypted and was not sent")]
    SealingFailed,
    /// One message was sent as often as allowed and never acknowledged.
    #[error("message {seq} was sent {transmissions} times and never acknowledged")]
    RetransmitsExhausted {
        /// Its sequence number.
        seq: i64,
        /// How often it was sent.
        transmissions: u32,
    },
    /// Large messages, which an earlier part of the session had proven, do not arrive any more, and what was sent in
    /// them cannot be sent otherwise. A new session should set
    /// [`port_payload_bytes`](super::ClientConfig::port_payload_bytes) to 1024.
    #[error("messages of more than 1024 bytes do not arrive any more")]
    LargeMessagesRefused,
}

/// Why a handshake cannot succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// The request cannot be read.
    #[error("the agent's request cannot be read")]
    Malformed,
    /// The session's encryption with a KMS key is asked for, and this client cannot seal.
    #[error("the session must be encrypted with KMS key {key_id}, which this client cannot do")]
    SealingUnsupported {
        /// Key id or ARN from the request.
        key_id: String,
    },
    /// The owner got no data key for the session. The agent was told.
    #[error("no data key of KMS key {key_id}: {reason}")]
    DataKeyRefused {
        /// Key id or ARN from the request.
        key_id: String,
        /// What the owner said.
        reason: String,
    },
    /// The agent's challenge cannot be read or opened: the two sides hold different data keys, or it was changed.
    #[error("the agent's encryption challenge cannot be opened")]
    ChallengeUnreadable,
    /// A session type that this client does not know.
    #[error("session type {session_type:?} is unknown")]
    UnknownSessionType {
        /// Its name.
        session_type: String,
    },
}

/// How an agent broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// Session data in the middle of a handshake.
    #[error("session data before the handshake was complete")]
    DataDuringHandshake,
    /// Another handshake request after one that asked for sealing.
    #[error("another handshake request after one that asked for encryption")]
    SecondRequest,
    /// HandshakeComplete before the data key was proven with a challenge.
    #[error("handshake complete before the encryption was proven")]
    SealingSkipped,
    /// Data without encryption in a sealed session: too short to be sealed, or of a type that never is.
    #[error("unencrypted data in an encrypted session")]
    UnsealedData,
    /// Data in a sealed session that cannot be opened: changed, sealed with another key, or not sealed.
    #[error("data that cannot be decrypted in an encrypted session")]
    UnopenableData,
    /// HandshakeComplete for a request that named no session type.
    #[error("handshake without a session type")]
    NoSessionType,
}
