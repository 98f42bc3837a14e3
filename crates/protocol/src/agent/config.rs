use serde_json::Value;

use crate::channel::Repeats;
use crate::json::RequestedAction;
use crate::sealing::SealingOffer;
use crate::secret::SessionId;
use crate::session_kind::SessionKind;

/// How an agent's channel behaves. Made by [`AgentConfig::new`], then changed field by field.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// Id of the node, for the open message.
    pub instance_id: String,
    /// The session, for session states.
    pub session_id: SessionId,
    /// Version announced in a handshake. Default `3.3.987.0`.
    pub agent_version: String,
    /// Seeds every id the channel makes.
    pub seed: [u8; 32],
    /// The handshake to begin with, or none (protocol.md 5.1). Default none.
    pub handshake: Option<HandshakeOffer>,
    /// Demands sealing in the handshake; without effect when there is none. Default none.
    pub sealing: Option<SealingOffer>,
    /// Actions to ask for after the session type and sealing, to play agents that want more than this crate offers.
    /// Default none.
    pub extra_actions: Vec<RequestedAction>,
    /// Text of HandshakeComplete for the person. Default empty.
    pub customer_message: String,
    /// Whether `agent_session_state` Terminating is sent at the end; the real port plugin sends none (protocol.md
    /// 8.4). Default true.
    pub announces_end: bool,
    /// Most payload bytes in one message. Default 1024, as the real agent.
    pub payload_bytes: usize,
    /// Unacknowledged bytes, headers included, beyond which [`send`](super::AgentChannel::send) takes no more.
    /// Default 1 MiB.
    pub send_window_bytes: usize,
    /// Which messages are repeated. Default each by its own time-out, which heals cuts fast; the real agent repeats
    /// [only its oldest](Repeats::Oldest).
    pub repeats: Repeats,
    /// Input bytes delivered but not yet [`consumed`](super::AgentChannel::consumed) beyond which input is neither
    /// acknowledged nor delivered. Default none: the caller takes input as fast as it comes.
    pub receive_budget_bytes: Option<usize>,
    /// Bytes of messages parked for lack of an earlier one. Default 4 MiB.
    pub reorder_bytes: usize,
    /// Messages parked for lack of an earlier one. Default 100,000, as the real agent.
    pub reorder_messages: usize,
}

impl AgentConfig {
    /// The defaults, for one session of one node.
    pub fn new(instance_id: impl Into<String>, session_id: SessionId, seed: [u8; 32]) -> Self {
        Self {
            instance_id: instance_id.into(),
            session_id,
            agent_version: "3.3.987.0".to_owned(),
            seed,
            handshake: None,
            sealing: None,
            extra_actions: Vec::new(),
            customer_message: String::new(),
            announces_end: true,
            payload_bytes: 1024,
            send_window_bytes: 1024 * 1024,
            repeats: Repeats::Each,
            receive_budget_bytes: None,
            reorder_bytes: 4 * 1024 * 1024,
            reorder_messages: 100_000,
        }
    }
}

/// The session type an agent announces in its handshake (protocol.md 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeOffer {
    /// What the session runs.
    pub session_type: SessionKind,
    /// Resolved document properties for `Port`, null otherwise.
    pub properties: Value,
}
