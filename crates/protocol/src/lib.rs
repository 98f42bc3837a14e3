//! The Session Manager data channel.

mod secret;

pub use secret::{SessionId, StreamToken};
