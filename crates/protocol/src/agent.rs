//! The agent role.

mod config;
mod event;

use std::time::Duration;

use bytes::Bytes;

use crate::frame::PayloadType;
use crate::moment::Moment;
use crate::secret::StreamToken;
use crate::stats::Stats;

pub use config::{AgentConfig, HandshakeOffer};
pub use event::{AgentEvent, AgentOutput};

/// The agent's side of one session; it outlives any number of sockets.
#[derive(Debug)]
pub struct AgentChannel {
    stats: Stats,
}

#[expect(unused_variables, reason = "signatures land ahead of the state machine")]
impl AgentChannel {
    /// A channel that waits for its first socket.
    pub fn new(config: AgentConfig) -> Self {
        Self { stats: Stats::default() }
    }
    /// A socket is open.
    pub fn socket_opened(&mut self, now: Moment, token: &StreamToken) {}
    /// The socket is gone. Nothing is reset.
    pub fn socket_closed(&mut self, now: Moment) {}
    /// A binary message arrived.
    pub fn handle_binary(&mut self, now: Moment, frame: Bytes) {}
    /// A text message arrived.
    pub fn handle_text(&mut self, now: Moment, text: &str) {}
    /// The time of [`poll_timeout`](Self::poll_timeout) has come.
    pub fn handle_timeout(&mut self, now: Moment) {}
    /// The program can take input.
    pub fn ready(&mut self, now: Moment) {}
    /// Takes output; returns how many bytes were taken.
    pub fn send(&mut self, now: Moment, payload_type: PayloadType, bytes: &[u8]) -> usize {
        0
    }
    /// The consumer took that many bytes of `Data`.
    pub fn consumed(&mut self, now: Moment, bytes: usize) {}
    /// The program has ended.
    pub fn finish(&mut self, now: Moment) {}
    /// What to do next.
    pub fn poll_output(&mut self) -> Option<AgentOutput> {
        None
    }
    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Duration> {
        None
    }
    /// Bytes [`send`](Self::send) would take now.
    pub fn send_capacity(&self) -> usize {
        0
    }
    /// Bytes sent and not acknowledged, headers included.
    pub fn unacked_bytes(&self) -> usize {
        0
    }
    /// Whether output is held back by `pause_publication`.
    pub fn is_paused(&self) -> bool {
        false
    }
    /// Counters.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
