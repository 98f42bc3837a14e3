//! The JSON bodies of the data channel (protocol.md 2.1, 2.2, 4.2 and 5.3 to 5.5).
//!
//! Written exactly as the official peers' encoder writes them: members in order, no spaces, `<`, `>`, `&`, U+2028
//! and U+2029 escaped, missing lists as `null`. Read tolerantly: member names match in any case, unknown members are
//! skipped, order does not matter.

mod acknowledge;
mod challenge;
mod channel_closed;
mod fields;
mod handshake;
mod open_message;
mod session_state;
mod terminal_size;
mod writer;

pub use acknowledge::AcknowledgeContent;
pub(crate) use acknowledge::Acknowledged;
pub use challenge::EncChallenge;
pub use channel_closed::ChannelClosed;
pub use handshake::{
    ActionResult, ActionStatus, HandshakeComplete, HandshakeRequest, HandshakeResponse, ProcessedAction,
    RequestedAction,
};
pub use open_message::{OpenMessage, Opener};
pub use session_state::{AgentSessionState, SessionState};
pub use terminal_size::TerminalSize;

/// Why a JSON body could not be read. Carries no content: bodies may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or not an object.
    #[error("not a JSON object")]
    Malformed,
    /// A member that is needed is missing or of another kind.
    #[error("member {0} is missing or of the wrong kind")]
    Member(&'static str),
    /// Longer than any such body may be.
    #[error("longer than {0} bytes")]
    TooLong(usize),
}
