//! The client role.

mod config;
mod event;

use std::time::Duration;

use bytes::Bytes;

use crate::json::TerminalSize;
use crate::moment::Moment;
use crate::secret::StreamToken;
use crate::stats::Stats;

pub use config::ClientConfig;
pub use event::{
    ClientEvent, ClientOutput, CloseReason, DataStream, HandshakeFailure, Misbehaviour, Publication,
};

/// The client's side of one session; it outlives any number of sockets.
#[derive(Debug)]
pub struct ClientChannel {
    config: ClientConfig,
    closed: Option<CloseReason>,
    stats: Stats,
}

#[expect(unused_variables, reason = "signatures land ahead of the state machine")]
impl ClientChannel {
    /// A channel that waits for its first socket.
    pub fn new(config: ClientConfig) -> Self {
        Self { config, closed: None, stats: Stats::default() }
    }
    /// A socket is open: gives out the open message, then what is unacknowledged.
    pub fn socket_opened(&mut self, now: Moment, token: &StreamToken) {}
    /// The socket is gone. Nothing is reset.
    pub fn socket_closed(&mut self, now: Moment) {}
    /// A binary message arrived.
    pub fn handle_binary(&mut self, now: Moment, frame: Bytes) {}
    /// A text message arrived.
    pub fn handle_text(&mut self, now: Moment, text: &str) {}
    /// The time of [`poll_timeout`](Self::poll_timeout) has come.
    pub fn handle_timeout(&mut self, now: Moment) {}
    /// Takes input; returns how many bytes were taken.
    pub fn send(&mut self, now: Moment, bytes: &[u8]) -> usize {
        0
    }
    /// The terminal has another size.
    pub fn resize(&mut self, now: Moment, size: TerminalSize) {
        self.config.terminal = Some(size);
    }
    /// Asks the agent of a port session to end it.
    pub fn terminate_flag(&mut self, now: Moment) {}
    /// The consumer took that many bytes of `Data`.
    pub fn consumed(&mut self, now: Moment, bytes: usize) {}
    /// Ends the channel from this side.
    pub fn close(&mut self, now: Moment) {
        self.closed.get_or_insert(CloseReason::ByOwner);
    }
    /// What to do next.
    pub fn poll_output(&mut self) -> Option<ClientOutput> {
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
    /// Why the channel closed, if it did.
    pub fn is_closed(&self) -> Option<&CloseReason> {
        self.closed.as_ref()
    }
    /// Counters.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
