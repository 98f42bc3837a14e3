//! One stream of a mux session.

use std::time::Duration;

use bytes::BytesMut;

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Both directions.
    Open,
    /// The owner has finished; FIN has not been made.
    Finishing,
    /// Over on the wire; what was received waits to be consumed.
    Over,
}

/// A stream from its SYN until it is over and all its data is consumed.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) phase: Phase,
    /// Written and not yet in a frame.
    pub(super) unsent: BytesMut,
    /// A write took less than it was given.
    pub(super) is_writer_blocked: bool,
    /// Received and not yet consumed.
    pub(super) unconsumed: usize,
    /// When something last happened on it.
    pub(super) active_at: Duration,
}

impl Stream {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            phase: Phase::Open,
            unsent: BytesMut::new(),
            is_writer_blocked: false,
            unconsumed: 0,
            active_at: now,
        }
    }

    /// Whether only the peer can make something happen: this side has finished and has nothing left to do.
    pub(super) fn is_waiting_for_peer(&self) -> bool {
        self.phase == Phase::Finishing && self.unsent.is_empty() && self.unconsumed == 0
    }
}
