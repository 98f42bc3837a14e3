//! Messages received ahead of their turn.

use std::collections::BTreeMap;

use crate::frame::AgentMessage;

/// The receiver's half of one direction: what comes next, and what is parked until its turn, within bounds.
#[derive(Debug)]
pub(super) struct Incoming {
    expected: i64,
    parked: BTreeMap<i64, Parked>,
    parked_bytes: usize,
    max_bytes: usize,
    max_messages: usize,
}

/// A message that waits, and whether its sender knows that it is here.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) message: AgentMessage,
    pub(super) is_acked: bool,
}

/// Where a message stands in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Past,
    Next,
    Ahead,
    /// Here already.
    Parked {
        is_acked: bool,
    },
}

impl Incoming {
    pub(super) fn new(max_bytes: usize, max_messages: usize) -> Self {
        Self { expected: 0, parked: BTreeMap::new(), parked_bytes: 0, max_bytes, max_messages }
    }

    pub(super) fn place(&self, seq: i64) -> Place {
        if seq < self.expected {
            Place::Past
        } else if let Some(parked) = self.parked.get(&seq) {
            Place::Parked { is_acked: parked.is_acked }
        } else if seq == self.expected {
            Place::Next
        } else {
            Place::Ahead
        }
    }

    /// Parks a message that is not here yet. False when there is no room.
    pub(super) fn park(&mut self, message: AgentMessage, is_acked: bool) -> bool {
        let cost = cost(&message);
        if self.parked.len() >= self.max_messages || self.parked_bytes.saturating_add(cost) > self.max_bytes {
            return false;
        }
        self.put_back(message, is_acked);
        true
    }

    /// Parks a message that was parked before, without looking at the bounds.
    pub(super) fn put_back(&mut self, message: AgentMessage, is_acked: bool) {
        self.parked_bytes += cost(&message);
        self.parked.insert(message.seq, Parked { message, is_acked });
    }

    /// Takes the parked message whose turn it is.
    pub(super) fn take_next(&mut self) -> Option<Parked> {
        let parked = self.parked.remove(&self.expected)?;
        self.parked_bytes -= cost(&parked.message);
        Some(parked)
    }

    /// The expected message was delivered.
    pub(super) fn advance(&mut self) {
        self.expected += 1;
    }

    /// Marks every parked message as acknowledged and gives those that were not.
    pub(super) fn owed_acks(&mut self) -> impl Iterator<Item = &AgentMessage> {
        self.parked.values_mut().filter(|parked| !parked.is_acked).map(|parked| {
            parked.is_acked = true;
            &parked.message
        })
    }

    /// Drops what is parked; returns how many messages that were.
    pub(super) fn clear(&mut self) -> usize {
        self.parked_bytes = 0;
        std::mem::take(&mut self.parked).len()
    }
}

fn cost(message: &AgentMessage) -> usize {
    crate::frame::HEADER_BYTES + message.payload.len()
}
