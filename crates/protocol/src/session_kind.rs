//! Kinds of sessions (protocol.md 1.8 and 5.3).

use std::fmt;

/// What a session runs, as the agent announces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// `Standard_Stream`: a login shell on a pty.
    Shell,
    /// `InteractiveCommands`: a command on a pty.
    InteractiveCommands,
    /// `NonInteractiveCommands`: a command without a terminal; output and exit status apart on request.
    NonInteractiveCommands,
    /// `Port`: bytes of TCP connections.
    Port,
}

impl SessionKind {
    /// Name of the agent's plugin, as in `HandshakeRequest` and in session documents.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Shell => "Standard_Stream",
            Self::InteractiveCommands => "InteractiveCommands",
            Self::NonInteractiveCommands => "NonInteractiveCommands",
            Self::Port => "Port",
        }
    }

    /// The kind of that name, exactly spelled.
    pub fn from_wire_name(name: &str) -> Option<Self> {
        let all = [Self::Shell, Self::InteractiveCommands, Self::NonInteractiveCommands, Self::Port];
        all.into_iter().find(|kind| kind.wire_name() == name)
    }

    /// Whether the agent gives the session a pty, so that a terminal size means something to it.
    pub const fn has_terminal(self) -> bool {
        matches!(self, Self::Shell | Self::InteractiveCommands)
    }
}

impl fmt::Display for SessionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}
