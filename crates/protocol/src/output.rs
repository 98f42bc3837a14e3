//! What a channel of either role asks its owner to do.

use std::fmt;

use bytes::Bytes;
use zeroize::Zeroizing;

/// What a channel wants done, with the events `E` of its role.
#[derive(Clone, PartialEq, Eq)]
pub enum Output<E> {
    /// Send as a text message: the open message, with the token in it.
    Text(Zeroizing<String>),
    /// Send as a binary message.
    Binary(Bytes),
    /// Tell the owner of the session.
    Event(E),
}

/// Hides the token and shows only the size of a frame.
impl<E: fmt::Debug> fmt::Debug for Output<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Binary(frame) => write!(f, "Binary({} bytes)", frame.len()),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
        }
    }
}
