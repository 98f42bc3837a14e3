//! The Session Manager data channel as sans-IO state machines, for both roles.
//!
//! [`ClientChannel`] is what the engine drives; [`AgentChannel`] is what the simulator drives. Both sit on the same
//! reliable channel: one sequence counter for each direction, exact acknowledgements, retransmission, ordering, a
//! byte-bounded send window and a byte-bounded receive budget. [`AgentMessage`] is the frame codec and
//! [`OpenMessage`] the one text message; gateways use these two alone.
//!
//! Nothing here reads a clock, opens a socket, spawns a task or asks the system for randomness: time comes in as
//! [`Moment`], ids come from a seed in the configuration. Facts about the wire are from the protocol reference, cited
//! as "protocol.md" with the section.
//!
//! # Tests
//!
//! `TESTS.md` beside the manifest maps every invariant of protocol.md 11.2, and every known pain of the official client
//! (protocol.md 10), to the tests that hold it, in whatever crate they are. `tests/suite/mapping.rs` checks that they
//! exist.

mod agent;
mod channel;
mod client;
mod frame;
mod json;
mod moment;
mod mux;
mod output;
mod sealing;
mod secret;
mod session_kind;
mod stats;

pub use agent::{AgentChannel, AgentConfig, AgentEvent, AgentOutput, HandshakeOffer};
pub use channel::{LargeMessages, Repeats};
pub use client::{
    ClientChannel, ClientConfig, ClientEvent, ClientOutput, CloseReason, DataStream, HandshakeFailure,
    Misbehaviour, Publication,
};
pub use frame::{
    AgentMessage, DecodeError, Decoder, Flags, HEADER_BYTES, MessageId, MessageType, OtherType,
    ParseMessageIdError, PayloadType,
};
pub use json::{
    AcknowledgeContent, ActionResult, ActionStatus, AgentSessionState, ChannelClosed, EncChallenge,
    HandshakeComplete, HandshakeRequest, HandshakeResponse, JsonError, OpenMessage, Opener, ProcessedAction,
    RequestedAction, SessionState, TerminalSize,
};
pub use moment::Moment;
pub use mux::{
    MUX_HEADER_BYTES, MUX_MAX_DATA_BYTES, MuxCloseReason, MuxConfig, MuxDecoder, MuxEvent, MuxFinish,
    MuxFrame, MuxFrameError, MuxKeepAlive, MuxOpenError, MuxPart, MuxResetReason, MuxRole, MuxSession,
    MuxStats, MuxStreamId, MuxWriteError, agent_keeps_mux_alive, agent_runs_mux, client_keeps_mux_alive,
    client_runs_mux, client_sends_terminate_flag,
};
pub use output::Output;
pub use sealing::{
    Aead, AeadError, ClientSealing, DATA_KEY_BYTES, DataKey, DataKeyError, DataKeyRequest, NONCE_BYTES,
    SEALING_OVERHEAD, SealingKey, SealingOffer, TAG_BYTES,
};
pub use secret::{SessionId, StreamToken};
pub use session_kind::SessionKind;
pub use stats::{Rejected, Stats};
