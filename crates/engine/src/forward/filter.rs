//! Looking at what local programs send before it reaches the node: what the engine needs of such a filter.

use std::fmt;
use std::time::Instant;

/// Makes the filters of a forward's connections.
pub trait Screen: fmt::Debug + Send + Sync + 'static {
    /// The filter of a new connection.
    fn begin(&self) -> Box<dyn FlowFilter>;
}

/// The filter of one connection: it passes bytes on, holds them, or ends the connection. It must hold a bounded number
/// of bytes. What the node sends is not its business.
pub trait FlowFilter: Send {
    /// Takes what the program has sent.
    fn input(&mut self, now: Instant, bytes: &[u8]) -> Filtered;
    /// When [`timeout`](Self::timeout) is to be called, if nothing comes before.
    fn deadline(&self) -> Option<Instant>;
    /// The deadline has passed.
    fn timeout(&mut self, now: Instant) -> Filtered;
    /// The program has sent its last byte.
    fn finish(&mut self) -> Filtered;
}

/// What a filter lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filtered {
    /// These bytes go on to the node.
    pub bytes: Vec<u8>,
    /// The connection ends here, and nothing more goes to the node.
    pub refused: Option<FilterRefusal>,
}

/// A connection that a filter ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRefusal {
    /// Why, without a final stop.
    pub reason: String,
    /// What the program is told before the connection is closed; `None`: it is reset.
    pub answer: Option<Vec<u8>>,
}
