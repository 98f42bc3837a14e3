//! Identifiers and secrets of a session.

use std::fmt;

use zeroize::Zeroizing;

/// A session id as AWS gave it, at most 96 characters (protocol.md 1.2). Not a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// Wraps an id; the service's text is kept as it is.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What opens a data channel once. `Debug` hides it and it is wiped when dropped.
#[derive(Clone)]
pub struct StreamToken(Zeroizing<String>);

impl StreamToken {
    /// Wraps a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(Zeroizing::new(token.into()))
    }

    /// The token itself, for the open message only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StreamToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamToken(…)")
    }
}
