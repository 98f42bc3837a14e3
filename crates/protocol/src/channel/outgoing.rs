//! Messages sent and not yet acknowledged.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::round_trip::RoundTrip;

/// A message counts as lost when this many messages sent after it were acknowledged before it.
const LOSS_THRESHOLD: u64 = 3;
/// Messages sent at once after a new socket or a time-out, before acknowledgements show that the peer is there.
const RECOVERY_WINDOW: usize = 4;
/// The recovery window never shrinks below this.
const MIN_WINDOW: usize = 2;

/// The sender's half of one direction (protocol.md 6.2): one counter for all payload types, exact acknowledgements,
/// byte-identical retransmission.
///
/// Unlike the official peers, which repeat only the oldest message every 100 ms, any message may be repeated: when
/// its own time-out is over, or once when later ones were acknowledged. After a new socket or a time-out the number
/// of repeated messages in flight starts small and grows with each acknowledgement, so that a backlog neither floods
/// a peer that is still catching up nor waits one round trip per message.
#[derive(Debug)]
pub(super) struct Outgoing {
    next_seq: i64,
    unacked: BTreeMap<i64, Unacked>,
    unacked_bytes: usize,
    /// Bytes of messages that were never sent.
    unsent_bytes: usize,
    /// Messages to send next, lowest first; every other unacknowledged message is in flight.
    due: BTreeSet<i64>,
    /// In order of time. Entries whose message was acknowledged or sent again are stale; the first never is.
    flights: VecDeque<Flight>,
    next_number: u64,
    highest_acked: Option<u64>,
    recovery: Option<Recovery>,
    round_trip: RoundTrip,
    transmission_limit: Option<u32>,
}

#[derive(Debug)]
struct Unacked {
    frame: Bytes,
    transmissions: u32,
    on_this_socket: u32,
    /// The latest transmission on this socket.
    flight: Option<u64>,
}

/// One transmission, numbered apart from the messages.
#[derive(Clone, Copy, Debug)]
struct Flight {
    number: u64,
    seq: i64,
    at: Duration,
}

#[derive(Debug)]
struct Recovery {
    window: usize,
    in_flight: usize,
    /// Transmissions from this number on count against the window.
    from_number: u64,
    /// Recovery is over when nothing up to this sequence number is unacknowledged.
    until_seq: i64,
}

/// A frame to put on the wire.
#[derive(Debug)]
pub(super) struct Transmission {
    pub(super) frame: Bytes,
    pub(super) is_repeated: bool,
}

/// A message was sent as often as allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    pub(crate) seq: i64,
    pub(crate) transmissions: u32,
}

impl Outgoing {
    pub(super) fn new(transmission_limit: Option<u32>) -> Self {
        Self {
            next_seq: 0,
            unacked: BTreeMap::new(),
            unacked_bytes: 0,
            unsent_bytes: 0,
            due: BTreeSet::new(),
            flights: VecDeque::new(),
            next_number: 0,
            highest_acked: None,
            recovery: None,
            round_trip: RoundTrip::new(),
            transmission_limit,
        }
    }

    pub(super) fn next_seq(&self) -> i64 {
        self.next_seq
    }

    pub(super) fn unacked_bytes(&self) -> usize {
        self.unacked_bytes
    }

    /// Bytes of messages that were pushed and never polled.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.unsent_bytes
    }

    pub(super) fn is_unacked(&self, seq: i64) -> bool {
        self.unacked.contains_key(&seq)
    }

    pub(super) fn round_trip(&self) -> &RoundTrip {
        &self.round_trip
    }

    /// Adds the frame that carries [`next_seq`](Self::next_seq).
    pub(super) fn push(&mut self, frame: Bytes) {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.unacked_bytes += frame.len();
        self.unsent_bytes += frame.len();
        self.unacked.insert(seq, Unacked { frame, transmissions: 0, on_this_socket: 0, flight: None });
        self.due.insert(seq);
    }

    /// The next frame to put on the wire, counted as sent at `now`.
    pub(super) fn poll(&mut self, now: Duration) -> Option<Transmission> {
        if self.recovery.as_ref().is_some_and(|recovery| recovery.in_flight >= recovery.window) {
            return None;
        }
        let seq = self.due.pop_first()?;
        let message = self.unacked.get_mut(&seq)?;
        let number = self.next_number;
        self.next_number += 1;
        let is_repeated = message.transmissions > 0;
        if !is_repeated {
            self.unsent_bytes -= message.frame.len();
        }
        message.transmissions = message.transmissions.saturating_add(1);
        message.on_this_socket = message.on_this_socket.saturating_add(1);
        message.flight = Some(number);
        self.flights.push_back(Flight { number, seq, at: now });
        if let Some(recovery) = &mut self.recovery {
            recovery.in_flight += 1;
        }
        Some(Transmission { frame: message.frame.clone(), is_repeated })
    }

    /// Exactly this message arrived: the length of its frame, or none when it is not unacknowledged.
    pub(super) fn acknowledge(&mut self, seq: i64, now: Duration) -> Option<usize> {
        let message = self.unacked.remove(&seq)?;
        let frame_bytes = message.frame.len();
        self.unacked_bytes -= frame_bytes;
        if message.transmissions == 0 {
            self.unsent_bytes -= frame_bytes;
        }
        self.due.remove(&seq);
        if let Some(number) = message.flight {
            if message.transmissions == 1
                && let Some(flight) = self.flight(number)
            {
                self.round_trip.sample(now.saturating_sub(flight.at));
            }
            self.landed(number);
            if let Some(recovery) = self.recovery.as_mut().filter(|r| number >= r.from_number) {
                recovery.window = recovery.window.saturating_add(1);
            }
            self.highest_acked = self.highest_acked.max(Some(number));
            self.find_lost();
        }
        if self.recovery.as_ref().is_some_and(|r| self.unacked.range(..=r.until_seq).next().is_none()) {
            self.recovery = None;
        }
        self.prune();
        Some(frame_bytes)
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.flights.front().map(|flight| flight.at.saturating_add(self.round_trip.rto()))
    }

    /// Marks what timed out for sending again; returns the length of the largest of those frames.
    pub(super) fn handle_timeout(&mut self, now: Duration) -> Result<Option<usize>, Exhausted> {
        let rto = self.round_trip.rto();
        let mut expired = None;
        while let Some(flight) = self.flights.front().copied() {
            if self.is_current(flight) {
                if flight.at.saturating_add(rto) > now {
                    break;
                }
                expired = expired.max(self.unacked.get(&flight.seq).map(|message| message.frame.len()));
                self.lose(flight)?;
            }
            self.flights.pop_front();
        }
        if expired.is_some() {
            self.round_trip.timed_out();
            match &mut self.recovery {
                Some(recovery) => recovery.window = (recovery.window / 2).max(MIN_WINDOW),
                None => self.recovery = Some(self.new_recovery()),
            }
        }
        Ok(expired)
    }

    /// The socket is gone: nothing is in flight any more, everything unacknowledged is due again.
    pub(super) fn socket_lost(&mut self) {
        self.flights.clear();
        for (seq, message) in &mut self.unacked {
            message.flight = None;
            message.on_this_socket = 0;
            self.due.insert(*seq);
        }
        let has_sent = self.unacked.values().any(|message| message.transmissions > 0);
        self.recovery = has_sent.then(|| self.new_recovery());
    }

    /// Forgets everything that is unacknowledged.
    pub(super) fn clear(&mut self) {
        self.unacked.clear();
        self.unacked_bytes = 0;
        self.unsent_bytes = 0;
        self.due.clear();
        self.flights.clear();
        self.recovery = None;
    }

    fn new_recovery(&self) -> Recovery {
        Recovery {
            window: RECOVERY_WINDOW,
            in_flight: 0,
            from_number: self.next_number,
            until_seq: self.next_seq.saturating_sub(1),
        }
    }

    /// Repeats messages that were overtaken, once for each socket: a peer that refuses a message without saying so
    /// must not be flooded with it.
    fn find_lost(&mut self) {
        let Some(highest) = self.highest_acked else { return };
        let overtaken: Vec<Flight> = self
            .flights
            .iter()
            .take_while(|flight| flight.number.saturating_add(LOSS_THRESHOLD) <= highest)
            .copied()
            .filter(|flight| self.is_current(*flight))
            .filter(|flight| self.unacked.get(&flight.seq).is_some_and(|m| m.on_this_socket == 1))
            .collect();
        for flight in overtaken {
            // Only the timer gives up on a message.
            let _ = self.lose(flight);
        }
    }

    fn lose(&mut self, flight: Flight) -> Result<(), Exhausted> {
        let Some(message) = self.unacked.get_mut(&flight.seq) else { return Ok(()) };
        let transmissions = message.transmissions;
        message.flight = None;
        self.due.insert(flight.seq);
        self.landed(flight.number);
        match self.transmission_limit {
            Some(limit) if transmissions >= limit => Err(Exhausted { seq: flight.seq, transmissions }),
            _ => Ok(()),
        }
    }

    /// A transmission no longer counts as in flight.
    fn landed(&mut self, number: u64) {
        if let Some(recovery) = self.recovery.as_mut().filter(|r| number >= r.from_number) {
            recovery.in_flight = recovery.in_flight.saturating_sub(1);
        }
    }

    fn is_current(&self, flight: Flight) -> bool {
        self.unacked.get(&flight.seq).is_some_and(|message| message.flight == Some(flight.number))
    }

    fn flight(&self, number: u64) -> Option<Flight> {
        let position = self.flights.binary_search_by_key(&number, |flight| flight.number).ok()?;
        self.flights.get(position).copied()
    }

    fn prune(&mut self) {
        while self.flights.front().is_some_and(|flight| !self.is_current(*flight)) {
            self.flights.pop_front();
        }
        // Stale entries behind a message that nobody acknowledges must not pile up.
        if self.flights.len() > 2 * self.unacked.len() + 64 {
            let flights = std::mem::take(&mut self.flights);
            self.flights = flights.into_iter().filter(|flight| self.is_current(*flight)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_nobody_acknowledges_keeps_no_trace_of_those_that_were() {
        let mut outgoing = Outgoing::new(None);
        for seq in 0..10_000 {
            outgoing.push(Bytes::from_static(b"x"));
            while outgoing.poll(Duration::ZERO).is_some() {}
            if seq > 0 {
                assert!(outgoing.acknowledge(seq, Duration::ZERO).is_some());
            }
        }
        assert_eq!(outgoing.unacked_bytes(), 1);
        assert!(outgoing.flights.len() < 100, "{}", outgoing.flights.len());
    }
}
