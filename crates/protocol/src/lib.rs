//! The Session Manager data channel.

mod agent;
mod channel;
mod client;
mod frame;
mod json;
mod moment;
mod secret;
mod session_kind;
mod stats;

pub use agent::{AgentChannel, AgentConfig, AgentEvent, AgentOutput, HandshakeOffer};
pub use client::{
    ClientChannel, ClientConfig, ClientEvent, ClientOutput, CloseReason, DataStream, HandshakeFailure,
    Misbehaviour, Publication,
};
pub use frame::{
    AgentMessage, DecodeError, Decoder, Flags, HEADER_BYTES, MessageId, MessageType, OtherType,
    ParseMessageIdError, PayloadType,
};
pub use json::{
    AcknowledgeContent, ActionResult, ActionStatus, AgentSessionState, ChannelClosed, HandshakeComplete,
    HandshakeRequest, HandshakeResponse, JsonError, OpenMessage, Opener, ProcessedAction, RequestedAction,
    SessionState, TerminalSize,
};
pub use moment::Moment;
pub use secret::{SessionId, StreamToken};
pub use session_kind::SessionKind;
pub use stats::{Rejected, Stats};
