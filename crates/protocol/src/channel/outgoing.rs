//! Messages sent and not yet acknowledged.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::round_trip::RoundTrip;

/// A message counts as lost when this many messages sent after it were acknowledged before it.
const LOSS_THRESHOLD: u64 = 3;
/// Messages sent at once after a new socket or a time-out, before acknowledgements show that the peer is there.
const RECOVERY_WINDOW: usize = 4;
/// The recovery window never shrinks below this.
const MIN_WINDOW: usize = 2;
/// How often the real agent looks whether its oldest message is due (protocol.md 6.1).
const HEAD_CHECK: Duration = Duration::from_millis(100);
/// Repeated messages that are remembered after their acknowledgement, to tell needless repeats.
const MAX_REPEATED: usize = 64;

/// Which messages are repeated, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// Each message by its own time-out, or once when later ones were acknowledged. After a new socket or a time-out
    /// the number of repeated messages in flight starts small and grows with each acknowledgement, so that a backlog
    /// neither floods a peer that is still catching up nor waits one round trip per message.
    #[default]
    Each,
    /// Only the oldest, looked at every 100 ms, as the official peers do (protocol.md 6.1). What was to be sent
    /// while there was no socket, or in a pause, counts as sent.
    Oldest,
}

/// The sender's half of one direction (protocol.md 6.2): one counter for all payload types, exact acknowledgements,
/// byte-identical retransmission.
#[derive(Debug)]
pub(super) struct Outgoing {
    repeats: Repeats,
    /// Number of the first slot.
    base_seq: i64,
    /// One slot for each number up to the next; empty once acknowledged. The first is never empty.
    slots: VecDeque<Option<Unacked>>,
    unacked: usize,
    unacked_bytes: usize,
    /// Bytes of messages that were never sent.
    unsent_bytes: usize,
    /// Messages from here on were never sent.
    next_unsent: i64,
    /// Messages to send again, lowest first; every other unacknowledged message that was sent is in flight.
    due: BTreeSet<i64>,
    /// In order of time. Entries whose message was acknowledged or sent again are stale; the first never is.
    flights: VecDeque<Flight>,
    next_number: u64,
    highest_acked: Option<u64>,
    /// Transmissions before this number were looked at when they were overtaken.
    examined: u64,
    /// Messages that were acknowledged after they had been repeated on this socket, and how long after they were
    /// first sent on it.
    repeated: VecDeque<(i64, Duration)>,
    next_head_check: Duration,
    recovery: Option<Recovery>,
    round_trip: RoundTrip,
    transmission_limit: Option<u32>,
}

#[derive(Debug)]
struct Unacked {
    frame: Bytes,
    transmissions: u32,
    on_this_socket: u32,
    /// When it was first sent on this socket.
    first_at: Duration,
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
    pub(super) fn new(repeats: Repeats, transmission_limit: Option<u32>) -> Self {
        Self {
            repeats,
            base_seq: 0,
            slots: VecDeque::new(),
            unacked: 0,
            unacked_bytes: 0,
            unsent_bytes: 0,
            next_unsent: 0,
            due: BTreeSet::new(),
            flights: VecDeque::new(),
            next_number: 0,
            highest_acked: None,
            examined: 0,
            repeated: VecDeque::new(),
            next_head_check: Duration::ZERO,
            recovery: None,
            round_trip: RoundTrip::new(),
            transmission_limit,
        }
    }

    pub(super) fn next_seq(&self) -> i64 {
        self.base_seq + self.slots.len() as i64
    }

    /// Numbers from the oldest unacknowledged message to the newest message.
    pub(super) fn span(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn unacked_bytes(&self) -> usize {
        self.unacked_bytes
    }

    /// Bytes of messages that were pushed and never polled.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.unsent_bytes
    }

    pub(super) fn is_unacked(&self, seq: i64) -> bool {
        self.message(seq).is_some()
    }

    pub(super) fn round_trip(&self) -> &RoundTrip {
        &self.round_trip
    }

    /// Current time-out.
    pub(super) fn rto(&self) -> Duration {
        match self.repeats {
            Repeats::Each => self.round_trip.rto(),
            Repeats::Oldest => self.round_trip.official_rto(),
        }
    }

    /// Adds the frame that carries [`next_seq`](Self::next_seq). `now` is when it goes out at once or never, if there
    /// is no way out and messages are not kept for the next.
    pub(super) fn push(&mut self, frame: Bytes, is_carried: bool, now: Duration) {
        let length = frame.len();
        self.unacked += 1;
        self.unacked_bytes += length;
        let message = Unacked { frame, transmissions: 0, on_this_socket: 0, first_at: now, flight: None };
        self.slots.push_back(Some(message));
        self.unsent_bytes += length;
        if self.repeats == Repeats::Oldest && !is_carried {
            let _ = self.transmit_unsent(now);
        }
    }

    /// The next frame to put on the wire, counted as sent at `now`.
    pub(super) fn poll(&mut self, now: Duration) -> Option<Transmission> {
        if self.recovery.as_ref().is_some_and(|recovery| recovery.in_flight >= recovery.window) {
            return None;
        }
        match self.due.pop_first() {
            Some(seq) => self.transmit(seq, now),
            None => self.transmit_unsent(now),
        }
    }

    fn transmit_unsent(&mut self, now: Duration) -> Option<Transmission> {
        while self.next_unsent < self.next_seq() {
            let seq = self.next_unsent;
            self.next_unsent += 1;
            // A peer may acknowledge what was never sent.
            if let Some(transmission) = self.transmit(seq, now) {
                return Some(transmission);
            }
        }
        None
    }

    fn transmit(&mut self, seq: i64, now: Duration) -> Option<Transmission> {
        let number = self.next_number;
        let message = self.message_mut(seq)?;
        let is_repeated = message.transmissions > 0;
        let length = message.frame.len();
        message.transmissions = message.transmissions.saturating_add(1);
        if message.on_this_socket == 0 {
            message.first_at = now;
        }
        message.on_this_socket = message.on_this_socket.saturating_add(1);
        message.flight = Some(number);
        let frame = message.frame.clone();
        if !is_repeated {
            self.unsent_bytes -= length;
        }
        self.next_number += 1;
        self.flights.push_back(Flight { number, seq, at: now });
        if let Some(recovery) = &mut self.recovery {
            recovery.in_flight += 1;
        }
        Some(Transmission { frame, is_repeated })
    }

    /// Exactly this message arrived: the length of its frame, or none when it is not unacknowledged.
    pub(super) fn acknowledge(&mut self, seq: i64, now: Duration) -> Option<usize> {
        let Some(message) = self.take(seq) else {
            self.acknowledged_again(seq);
            return None;
        };
        let frame_bytes = message.frame.len();
        if message.transmissions == 0 {
            self.unsent_bytes -= frame_bytes;
        }
        self.due.remove(&seq);
        if let Some(number) = message.flight {
            // Which transmission of several was acknowledged cannot be told (Karn). The official peers do not mind.
            if (message.transmissions == 1 || self.repeats == Repeats::Oldest)
                && let Some(flight) = self.flight(number)
            {
                self.round_trip.sample(now.saturating_sub(flight.at));
            }
            if message.on_this_socket > 1 {
                if self.repeated.len() >= MAX_REPEATED {
                    self.repeated.pop_front();
                }
                self.repeated.push_back((seq, now.saturating_sub(message.first_at)));
            }
            self.landed(number);
            if let Some(recovery) = self.recovery.as_mut().filter(|r| number >= r.from_number) {
                recovery.window = recovery.window.saturating_add(1);
            }
            self.highest_acked = self.highest_acked.max(Some(number));
            if self.repeats == Repeats::Each {
                self.find_lost();
            }
        }
        if self.recovery.as_ref().is_some_and(|r| self.slots.is_empty() || self.base_seq > r.until_seq) {
            self.recovery = None;
        }
        self.prune();
        Some(frame_bytes)
    }

    /// A second acknowledgement of a message that was repeated shows that the repeat was needless: the first
    /// transmission had arrived, after longer than the time-out. Without this a round trip above the time-out would
    /// never be learnt, as every message would be repeated and give no sample.
    fn acknowledged_again(&mut self, seq: i64) {
        if let Some(position) = self.repeated.iter().position(|(of, _)| *of == seq)
            && let Some((_, took)) = self.repeated.remove(position)
        {
            // After an absence of the peer the first transmission may really have been lost.
            self.round_trip.sample(took.min(self.rto().saturating_mul(2)));
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let due = self.flights.front().map(|flight| flight.at.saturating_add(self.rto()))?;
        match self.repeats {
            Repeats::Each => Some(due),
            Repeats::Oldest if self.due.is_empty() => Some(self.head_due()?.max(self.next_head_check)),
            Repeats::Oldest => None,
        }
    }

    fn head_due(&self) -> Option<Duration> {
        let number = self.slots.front()?.as_ref()?.flight?;
        Some(self.flight(number)?.at.saturating_add(self.rto()))
    }

    /// Marks what timed out for sending again; returns the length of the largest of those frames.
    pub(super) fn handle_timeout(&mut self, now: Duration) -> Result<Option<usize>, Exhausted> {
        match self.repeats {
            Repeats::Each => self.each_timed_out(now),
            Repeats::Oldest => Ok(self.check_head(now)),
        }
    }

    fn each_timed_out(&mut self, now: Duration) -> Result<Option<usize>, Exhausted> {
        let rto = self.rto();
        let mut expired = None;
        while let Some(flight) = self.flights.front().copied() {
            if self.is_current(flight) {
                if flight.at.saturating_add(rto) > now {
                    break;
                }
                expired = expired.max(self.message(flight.seq).map(|message| message.frame.len()));
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

    fn check_head(&mut self, now: Duration) -> Option<usize> {
        if self.head_due().is_none_or(|due| due > now) || self.next_head_check > now {
            return None;
        }
        self.next_head_check = now.saturating_add(HEAD_CHECK);
        self.due.insert(self.base_seq);
        self.message(self.base_seq).map(|message| message.frame.len())
    }

    /// The socket is gone: nothing is in flight any more, everything unacknowledged is due again.
    pub(super) fn socket_lost(&mut self) {
        self.repeated.clear();
        if self.repeats == Repeats::Oldest {
            return self.due.clear();
        }
        self.flights.clear();
        self.examined = self.next_number;
        let mut has_sent = false;
        for (seq, slot) in (self.base_seq..).zip(&mut self.slots) {
            if let Some(message) = slot.as_mut().filter(|message| message.transmissions > 0) {
                has_sent = true;
                message.flight = None;
                message.on_this_socket = 0;
                self.due.insert(seq);
            }
        }
        self.recovery = has_sent.then(|| self.new_recovery());
    }

    /// Forgets everything that is unacknowledged.
    pub(super) fn clear(&mut self) {
        self.base_seq = self.next_seq();
        self.next_unsent = self.base_seq;
        self.slots.clear();
        self.unacked = 0;
        self.unacked_bytes = 0;
        self.unsent_bytes = 0;
        self.due.clear();
        self.flights.clear();
        self.repeated.clear();
        self.recovery = None;
    }

    fn new_recovery(&self) -> Recovery {
        Recovery {
            window: RECOVERY_WINDOW,
            in_flight: 0,
            from_number: self.next_number,
            until_seq: self.next_unsent.saturating_sub(1),
        }
    }

    /// Repeats messages that were overtaken, once for each socket: a peer that refuses a message without saying so
    /// must not be flooded with it.
    fn find_lost(&mut self) {
        let Some(highest) = self.highest_acked else { return };
        let until = (highest + 1).saturating_sub(LOSS_THRESHOLD);
        if until <= self.examined {
            return;
        }
        let mut position = self.flights.partition_point(|flight| flight.number < self.examined);
        self.examined = until;
        while let Some(flight) = self.flights.get(position).copied().filter(|flight| flight.number < until) {
            position += 1;
            let is_first = self.message(flight.seq).is_some_and(|m| m.on_this_socket == 1);
            if is_first && self.is_current(flight) {
                // Only the timer gives up on a message.
                let _ = self.lose(flight);
            }
        }
    }

    fn lose(&mut self, flight: Flight) -> Result<(), Exhausted> {
        let Some(message) = self.message_mut(flight.seq) else { return Ok(()) };
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

    fn position(&self, seq: i64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.base_seq)?).ok()
    }

    fn message(&self, seq: i64) -> Option<&Unacked> {
        self.slots.get(self.position(seq)?)?.as_ref()
    }

    fn message_mut(&mut self, seq: i64) -> Option<&mut Unacked> {
        let position = self.position(seq)?;
        self.slots.get_mut(position)?.as_mut()
    }

    /// Takes a message out, and the empty slots at the front with it.
    fn take(&mut self, seq: i64) -> Option<Unacked> {
        let position = self.position(seq)?;
        let message = self.slots.get_mut(position)?.take()?;
        self.unacked -= 1;
        self.unacked_bytes -= message.frame.len();
        while self.slots.front().is_some_and(Option::is_none) {
            self.slots.pop_front();
            self.base_seq += 1;
        }
        self.next_unsent = self.next_unsent.max(self.base_seq);
        Some(message)
    }

    fn is_current(&self, flight: Flight) -> bool {
        self.message(flight.seq).is_some_and(|message| message.flight == Some(flight.number))
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
        if self.flights.len() > 2 * self.unacked + 64 {
            let flights = std::mem::take(&mut self.flights);
            self.flights = flights.into_iter().filter(|flight| self.is_current(*flight)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn push(outgoing: &mut Outgoing) {
        outgoing.push(Bytes::from_static(b"x"), true, START);
    }

    fn polled(outgoing: &mut Outgoing, now: Duration) -> usize {
        std::iter::from_fn(|| outgoing.poll(now)).count()
    }

    #[test]
    fn a_message_nobody_acknowledges_keeps_no_trace_of_those_that_were() {
        let mut outgoing = Outgoing::new(Repeats::Each, None);
        for seq in 0..10_000 {
            push(&mut outgoing);
            polled(&mut outgoing, START);
            if seq > 0 {
                assert!(outgoing.acknowledge(seq, START).is_some());
            }
        }
        assert_eq!((outgoing.unacked_bytes(), outgoing.span()), (1, 10_000));
        assert!(outgoing.flights.len() < 100, "{}", outgoing.flights.len());
    }

    #[test]
    fn acknowledgements_of_what_was_never_sent_are_survived() {
        let mut outgoing = Outgoing::new(Repeats::Each, None);
        (0..3).for_each(|_| push(&mut outgoing));
        assert!(outgoing.acknowledge(1, START).is_some() && outgoing.acknowledge(9, START).is_none());
        assert_eq!((polled(&mut outgoing, START), outgoing.unsent_bytes()), (2, 0));
        for seq in [2, 0] {
            assert!(outgoing.acknowledge(seq, START).is_some());
        }
        assert_eq!((outgoing.unacked_bytes(), outgoing.span(), outgoing.next_seq()), (0, 0, 3));
    }

    #[test]
    fn a_round_trip_far_above_the_time_out_is_learnt_from_needless_repeats() {
        // A link with so much buffered that each message is acknowledged after three seconds.
        let mut outgoing = Outgoing::new(Repeats::Each, None);
        let mut arriving: VecDeque<(Duration, i64)> = VecDeque::new();
        let (mut now, mut repeats) = (START, [0; 2]);
        for tick in 0..600 {
            now = at(tick * 100);
            push(&mut outgoing);
            while arriving.front().is_some_and(|(when, _)| *when <= now) {
                let (_, seq) = arriving.pop_front().unwrap_or_default();
                outgoing.acknowledge(seq, now);
            }
            let _ = outgoing.handle_timeout(now);
            while let Some(transmission) = outgoing.poll(now) {
                repeats[usize::from(tick > 300)] += u32::from(transmission.is_repeated);
                let seq = outgoing.flights.back().map_or(0, |flight| flight.seq);
                arriving.push_back((now + at(3000), seq));
            }
        }
        assert!(outgoing.rto() > at(3000) && outgoing.rto() < at(10_000), "{:?}", outgoing.rto());
        assert_eq!(repeats[1], 0, "{repeats:?} repeats before and after half a minute, now {now:?}");
    }

    #[test]
    fn an_absence_of_the_peer_is_not_taken_for_its_round_trip() {
        let mut outgoing = Outgoing::new(Repeats::Each, None);
        push(&mut outgoing);
        let mut now = START;
        for _ in 0..100 {
            polled(&mut outgoing, now);
            now = outgoing.poll_timeout().unwrap_or(now);
            assert!(outgoing.handle_timeout(now).is_ok());
        }
        assert!(now > at(60_000));
        assert!(outgoing.acknowledge(0, now).is_some() && outgoing.acknowledge(0, now).is_none());
        assert!(outgoing.rto() <= at(2000), "{:?}", outgoing.rto());
    }

    #[test]
    fn the_real_agent_repeats_its_oldest_message_ten_times_a_second_at_most() {
        let mut outgoing = Outgoing::new(Repeats::Oldest, None);
        (0..50).for_each(|_| push(&mut outgoing));
        assert_eq!(polled(&mut outgoing, START), 50);
        outgoing.socket_lost();
        assert_eq!(polled(&mut outgoing, at(1)), 0, "a new socket changes nothing");
        outgoing.push(Bytes::from_static(b"x"), false, at(1));
        assert_eq!(polled(&mut outgoing, at(1)), 0, "written into the void");
        let mut now = START;
        for seq in 0..51 {
            let due = outgoing.poll_timeout().unwrap_or_default();
            assert!(seq == 0 || due >= now + HEAD_CHECK, "{due:?}");
            now = due;
            assert!(outgoing.handle_timeout(now).is_ok());
            assert_eq!(polled(&mut outgoing, now), 1);
            assert!(outgoing.acknowledge(seq, now + at(20)).is_some());
        }
        assert!(now >= at(50 * 100), "{now:?}");
    }
}
