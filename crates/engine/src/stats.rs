//! What a session has counted, for diagnosis.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fleetline_protocol::{LargeMessages, Stats};

use crate::cause::ReconnectCause;

/// What a session has counted since it was begun, over all its sockets. Holds no payload and no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// Smoothed time between a message to the agent and its acknowledgement; `None` before the first one.
    pub node_round_trip: Option<Duration>,
    /// Time between the latest answered ping to the gateway and its answer; `None` before the first one.
    pub gateway_round_trip: Option<Duration>,
    /// Bytes of frames received, headers and repetitions included.
    pub bytes_in: u64,
    /// Bytes of frames given to a socket, headers and repetitions included.
    pub bytes_out: u64,
    /// Bytes sent and not acknowledged by the agent, headers included.
    pub unacked_bytes: usize,
    /// What is known of the node's taking messages above 1024 bytes of payload.
    pub large_messages: LargeMessages,
    /// Messages sent again, for whatever reason.
    pub retransmits: u64,
    /// Messages received again after they had been taken.
    pub duplicates: u64,
    /// Frames that could not be read.
    pub rejected: u64,
    /// Sockets that replaced a lost one and on which the gateway spoke.
    pub resumes: u32,
    /// Sockets lost. Failed attempts to open one do not count.
    pub losses: u32,
    /// Why the session had no socket the last time; `None` while it never lost one.
    pub last_loss: Option<ReconnectCause>,
}

/// The latest counts, written by the session's task and read by its handle.
#[derive(Debug, Default)]
pub(crate) struct StatsCell(Mutex<SessionStats>);

impl StatsCell {
    pub(crate) fn read(&self) -> SessionStats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The channel has counted this much.
    pub(crate) fn channel(&self, counted: &Stats, unacked_bytes: usize) {
        let mut stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stats.node_round_trip = (counted.acks_in > 0).then_some(counted.rtt);
        stats.bytes_in = counted.bytes_in;
        stats.bytes_out = counted.bytes_out;
        stats.unacked_bytes = unacked_bytes;
        stats.large_messages = counted.large_messages;
        stats.retransmits = counted.retransmits;
        stats.duplicates = counted.duplicates;
        stats.rejected = counted.rejected.total();
    }

    /// The gateway answered a ping.
    pub(crate) fn gateway_answered(&self, after: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).gateway_round_trip = Some(after);
    }

    /// The gateway spoke on a socket that replaced a lost one.
    pub(crate) fn resumed(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).resumes += 1;
    }

    /// A socket was lost, or a lost one could not be replaced.
    pub(crate) fn lost(&self, cause: &ReconnectCause) {
        let mut stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(cause, ReconnectCause::Lost(_) | ReconnectCause::Presigned(_)) {
            stats.losses += 1;
        }
        stats.last_loss = Some(cause.clone());
    }
}
