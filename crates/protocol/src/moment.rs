//! Time, as callers pass it in.

use std::time::Duration;

/// A point in time. The crate never reads a clock: every call that depends on time takes one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Time since any fixed start. Must never go back between calls on one channel.
    pub elapsed: Duration,
    /// Wall clock, milliseconds since the Unix epoch. Only stamped into message headers (protocol.md 3).
    pub unix_ms: u64,
}

impl Moment {
    /// A moment from its two parts.
    pub const fn new(elapsed: Duration, unix_ms: u64) -> Self {
        Self { elapsed, unix_ms }
    }
}
