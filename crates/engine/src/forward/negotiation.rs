//! Asking a local program where it wants to go, as proxies do: what the engine needs of such a protocol.

use std::fmt;

/// A protocol in which local programs name their destinations, such as SOCKS5.
pub trait Negotiator: fmt::Debug + Send + Sync + 'static {
    /// The state of a new connection.
    fn begin(&self) -> Box<dyn Negotiation>;
}

/// One connection's negotiation: bytes go in, [`Negotiated`] comes out. After a [`Negotiated::Reach`] nothing is read of
/// the program until [`reached`](Self::reached) or [`unreached`](Self::unreached) was called.
pub trait Negotiation: Send {
    /// Takes what the program has sent.
    fn input(&mut self, bytes: &[u8]);
    /// The program has sent its last byte.
    fn finish(&mut self);
    /// What to do next; `None`: nothing until there is more input.
    fn output(&mut self) -> Option<Negotiated>;
    /// The destination is reached, as far as can be known.
    fn reached(&mut self);
    /// The destination is not reached.
    fn unreached(&mut self, why: Unreached);
}

/// What a negotiation wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Negotiated {
    /// Write this to the program.
    Send(Vec<u8>),
    /// Connect to this host, which the node's side resolves, and port.
    Reach {
        /// Name or address without brackets.
        host: String,
        /// Port, not 0.
        port: u16,
    },
    /// From here on bytes are copied both ways, these first towards the destination.
    Established(Vec<u8>),
    /// Close the connection after what was to be written. Why, without a final stop.
    Refused(String),
}

/// Why a destination is not reached, as far as the node and AWS tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreached {
    /// The node could not connect at once: nobody listens there, or the name is unknown. Agents do not say which
    /// (protocol.md 8.5).
    Refused,
    /// The node tried for long and got no connection.
    NoAnswer,
    /// A policy of AWS or a rule of the agent forbids it.
    NotAllowed,
    /// There is no way to the node.
    NoNode,
    /// No session was open in the time allowed.
    TimedOut,
    /// Anything else.
    Other,
}
