//! How many payload bytes a message may carry (protocol.md 6.4).

use std::time::Duration;

use crate::frame::MessageId;

/// Payload bytes that every peer takes: what the official peers send.
pub(crate) const SMALL_PAYLOAD: usize = 1024;
/// A probe that was not answered for so long is not waited for.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);
/// Probes that went unanswered, after which no other is made.
const MAX_PROBES: u32 = 3;
/// Facts against large messages in a row, after which no new ones are made.
const MAX_TIMEOUTS: u32 = 3;
const MAX_CUTS: u32 = 3;
/// Facts against large messages in a row, after which those in flight are given up.
const HOPELESS_TIMEOUTS: u32 = 16;
const HOPELESS_CUTS: u32 = 10;

/// Whether the peer takes messages above 1024 bytes of payload, as far as a channel knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LargeMessages {
    /// None are wanted.
    #[default]
    Unused,
    /// Not known yet: nothing large was to be sent, or the answer to a probe is awaited.
    Untested,
    /// One was acknowledged, or the configuration says so.
    Proven,
    /// Several were not, so that this session sends none any more. The next session with this peer should start with
    /// small ones.
    Refused,
}

/// Decides from what a channel sees of acknowledgements, time-outs and lost sockets.
///
/// A large message that the peer or the gateway never takes cannot be cut into small ones, as its sequence number is
/// given, and it blocks all that follow. So the first large message is a probe: one with a sequence number that was
/// acknowledged before. Peers drop such a duplicate unread and acknowledge it again, naming its id (protocol.md
/// 6.3). When probes stay unanswered, nothing is lost and the session goes on with small messages.
///
/// Once large messages are proven they can still meet a gateway that takes none, after a new socket. Then new messages
/// become small, and when the large ones in flight never arrive although small ones do, or each socket is lost over
/// them, the session is hopeless.
#[derive(Debug)]
pub(super) struct MessageSize {
    small: usize,
    large: usize,
    state: State,
    unanswered_probes: u32,
    timeouts: u32,
    cuts: u32,
    socket: Socket,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unused,
    Untested,
    Probing { id: MessageId, since: Duration },
    Proven,
    Refused,
}

/// What was seen on the socket that is open.
#[derive(Clone, Copy, Debug, Default)]
struct Socket {
    is_large_out: bool,
    is_large_acked: bool,
    /// A small message was acknowledged since the last time-out of a large one, or since the probe.
    is_small_acked: bool,
}

impl MessageSize {
    /// Only messages of up to `small` payload bytes.
    pub(super) fn small(small: usize) -> Self {
        let small = small.max(1);
        Self {
            small,
            large: small,
            state: State::Unused,
            unanswered_probes: 0,
            timeouts: 0,
            cuts: 0,
            socket: Socket::default(),
        }
    }

    /// From now on up to `large`, once that is proven.
    pub(super) fn enlarge(&mut self, large: usize, is_proven: bool) {
        if large > self.small.max(SMALL_PAYLOAD) {
            self.large = large;
            self.state = if is_proven { State::Proven } else { State::Untested };
        }
    }

    /// Most payload bytes in any message of this session.
    pub(super) fn most(&self) -> usize {
        self.large.max(self.small)
    }

    /// Most payload bytes in the next message.
    pub(super) fn limit(&self) -> usize {
        if self.state == State::Proven { self.large } else { self.small }
    }

    pub(super) fn knowledge(&self) -> LargeMessages {
        match self.state {
            State::Unused => LargeMessages::Unused,
            State::Untested | State::Probing { .. } => LargeMessages::Untested,
            State::Proven => LargeMessages::Proven,
            State::Refused => LargeMessages::Refused,
        }
    }

    /// Payload bytes of the probe that should go out before `waiting` bytes are sent, if one should.
    pub(super) fn wanted_probe(&mut self, waiting: usize, now: Duration) -> Option<usize> {
        if waiting <= self.small {
            return None;
        }
        if let State::Probing { since, .. } = self.state
            && since.saturating_add(PROBE_PATIENCE) <= now
        {
            // A peer that answers nothing at all says nothing about sizes.
            self.probe_unanswered(self.socket.is_small_acked);
        }
        (self.state == State::Untested).then_some(self.large)
    }

    /// A probe with that id is on its way.
    pub(super) fn probing(&mut self, id: MessageId, now: Duration) {
        self.state = State::Probing { id, since: now };
        self.socket.is_small_acked = false;
    }

    /// Whether an acknowledgement of something that is not in flight answers the probe.
    pub(super) fn is_probe(&self, id: &str) -> bool {
        matches!(self.state, State::Probing { id: probe, .. } if probe.is_text(id))
    }

    /// The probe arrived.
    pub(super) fn probe_acknowledged(&mut self) {
        self.state = State::Proven;
    }

    /// A message with so much payload is on the wire.
    pub(super) fn sent(&mut self, payload_bytes: usize) {
        self.socket.is_large_out |= self.is_large(payload_bytes);
    }

    /// A message with so much payload was acknowledged.
    pub(super) fn acknowledged(&mut self, payload_bytes: usize) {
        if self.is_large(payload_bytes) {
            self.socket.is_large_acked = true;
            self.timeouts = 0;
            self.cuts = 0;
        } else {
            self.socket.is_small_acked = true;
        }
    }

    /// Messages timed out, the largest with so much payload. False when large ones are hopeless.
    #[must_use]
    pub(super) fn timed_out(&mut self, payload_bytes: usize) -> bool {
        if self.is_large(payload_bytes) && std::mem::take(&mut self.socket.is_small_acked) {
            self.timeouts += 1;
        }
        self.judge()
    }

    /// The socket is gone. False when large messages are hopeless.
    #[must_use]
    pub(super) fn socket_lost(&mut self) -> bool {
        let socket = std::mem::take(&mut self.socket);
        if matches!(self.state, State::Probing { .. }) {
            self.probe_unanswered(true);
        }
        if socket.is_large_out && !socket.is_large_acked {
            self.cuts += 1;
        }
        self.judge()
    }

    fn probe_unanswered(&mut self, counts: bool) {
        self.unanswered_probes += u32::from(counts);
        self.state = if self.unanswered_probes < MAX_PROBES { State::Untested } else { State::Refused };
    }

    fn judge(&mut self) -> bool {
        if self.state == State::Proven && (self.timeouts >= MAX_TIMEOUTS || self.cuts >= MAX_CUTS) {
            self.state = State::Refused;
        }
        self.timeouts < HOPELESS_TIMEOUTS && self.cuts < HOPELESS_CUTS
    }

    /// Only what is beyond both the small size and what every peer takes says anything.
    fn is_large(&self, payload_bytes: usize) -> bool {
        self.state != State::Unused && payload_bytes > self.small.max(SMALL_PAYLOAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 16 * 1024;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn id(number: u8) -> MessageId {
        MessageId::from_random([number; 16])
    }

    fn untested() -> MessageSize {
        let mut size = MessageSize::small(SMALL_PAYLOAD);
        size.enlarge(LARGE, false);
        size
    }

    fn proven() -> MessageSize {
        let mut size = MessageSize::small(SMALL_PAYLOAD);
        size.enlarge(LARGE, true);
        size
    }

    #[test]
    fn messages_are_small_until_a_probe_is_acknowledged() {
        let mut size = untested();
        assert_eq!(size.wanted_probe(SMALL_PAYLOAD, at(0)), None, "nothing large to send");
        assert_eq!(size.wanted_probe(SMALL_PAYLOAD + 1, at(0)), Some(LARGE));
        size.probing(id(1), at(0));
        assert_eq!((size.wanted_probe(LARGE, at(1)), size.limit()), (None, SMALL_PAYLOAD));
        assert!(
            !size.is_probe(&id(2).to_string()) && !size.is_probe("") && size.is_probe(&id(1).to_string())
        );
        size.probe_acknowledged();
        assert_eq!((size.limit(), size.knowledge()), (LARGE, LargeMessages::Proven));
        assert_eq!(size.wanted_probe(LARGE, at(100)), None);
    }

    #[test]
    fn sessions_that_want_none_never_probe() {
        let mut size = MessageSize::small(SMALL_PAYLOAD);
        size.enlarge(SMALL_PAYLOAD, false);
        assert_eq!((size.wanted_probe(LARGE, at(0)), size.knowledge()), (None, LargeMessages::Unused));
    }

    #[test]
    fn three_unanswered_probes_end_in_small_messages_and_nothing_worse() {
        let mut size = untested();
        for round in 0..3 {
            let now = at(round * 10);
            assert_eq!(size.wanted_probe(LARGE, now), Some(LARGE), "round {round}");
            size.probing(id(round as u8), now);
            if round == 1 {
                assert!(size.socket_lost());
            } else {
                size.acknowledged(10);
            }
        }
        assert_eq!(size.wanted_probe(LARGE, at(100)), None);
        assert_eq!((size.limit(), size.knowledge()), (SMALL_PAYLOAD, LargeMessages::Refused));
        assert!(size.timed_out(10) && size.socket_lost());
    }

    #[test]
    fn a_peer_that_answers_nothing_is_probed_on() {
        let mut size = untested();
        for round in 0..20 {
            assert_eq!(size.wanted_probe(LARGE, at(round * 10)), Some(LARGE));
            size.probing(id(0), at(round * 10));
        }
        assert_eq!(size.knowledge(), LargeMessages::Untested);
    }

    #[test]
    fn large_messages_that_time_out_while_small_ones_arrive_are_given_up_in_two_steps() {
        let mut size = proven();
        for _ in 0..100 {
            assert!(size.timed_out(LARGE), "nothing arrives at all: that is the link");
        }
        for round in 1..HOPELESS_TIMEOUTS {
            size.acknowledged(1);
            assert!(size.timed_out(LARGE));
            assert!(size.timed_out(LARGE), "counts once for each small one");
            let expected = if round < MAX_TIMEOUTS { LARGE } else { SMALL_PAYLOAD };
            assert_eq!(size.limit(), expected, "round {round}");
        }
        size.acknowledged(1);
        assert!(!size.timed_out(LARGE));
    }

    #[test]
    fn sockets_lost_over_large_messages_are_given_up_in_two_steps() {
        let mut size = proven();
        for round in 1..HOPELESS_CUTS {
            size.sent(LARGE);
            assert!(size.socket_lost());
            let expected = if round < MAX_CUTS { LARGE } else { SMALL_PAYLOAD };
            assert_eq!(size.limit(), expected, "round {round}");
        }
        assert!(size.socket_lost(), "nothing large was on this one");
        size.sent(LARGE);
        assert!(!size.socket_lost());
    }

    #[test]
    fn one_that_arrives_clears_all_suspicion() {
        let mut size = proven();
        for _ in 0..50 {
            for _ in 0..2 {
                size.sent(LARGE);
                size.acknowledged(1);
                assert!(size.timed_out(LARGE) && size.socket_lost());
            }
            size.acknowledged(LARGE);
            size.sent(LARGE);
            assert!(size.socket_lost());
        }
        assert_eq!(size.knowledge(), LargeMessages::Proven);
    }

    #[test]
    fn once_refused_a_session_stays_small_even_if_what_was_in_flight_arrives() {
        let mut size = proven();
        for _ in 0..MAX_CUTS {
            size.sent(LARGE);
            assert!(size.socket_lost());
        }
        size.acknowledged(LARGE);
        assert_eq!((size.limit(), size.knowledge()), (SMALL_PAYLOAD, LargeMessages::Refused));
        for _ in 1..HOPELESS_CUTS {
            size.sent(LARGE);
            assert!(size.socket_lost(), "suspicion begins anew");
        }
    }
}
