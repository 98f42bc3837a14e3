//! Whether the gateway and the node are still there, as state machines without a clock. Times are durations since any
//! fixed start.

use std::time::Duration;

/// How long a socket must last to count as good when the node has nothing to say.
const PROVEN_AFTER: Duration = Duration::from_secs(10);

/// A poll that comes this much too late finds nothing out about the gateway: the program was not running.
const LATE: Duration = Duration::from_secs(5);

/// How long silence is borne, and what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LivenessTimes {
    /// Time between pings. Default 25 s, below the idle limits of middleboxes (protocol.md 10, row 35).
    pub ping_every: Duration,
    /// A socket on which nothing at all was received for this long is dead. Default 40 s: a ping went unanswered
    /// for 15 s.
    pub dead_after: Duration,
    /// Input that nothing answered for this long makes us ask the gateway. Default 2 s.
    pub probe_after: Duration,
    /// A socket on which that question is not answered within this time is dead. Default 3 s.
    pub probe_patience: Duration,
    /// Silence of the node after the first opening that the user is told of. Default 10 s.
    pub first_words_within: Duration,
    /// Time that input may stay unacknowledged by the node until the user is told. Default 5 s.
    pub answer_within: Duration,
    /// Time without any sign of a node that owes one, after which a session that carries a forward is given up, so that
    /// its connections end and another session can be had. Sessions with a person in front are never given up.
    /// Default 125 s: an agent finds a dead connection of its own out within 114 s and opens another one within 6 s
    /// more (protocol.md 2.2 and 2.5), and then everything goes on.
    pub node_dead_after: Duration,
}

impl Default for LivenessTimes {
    fn default() -> Self {
        Self {
            ping_every: Duration::from_secs(25),
            dead_after: Duration::from_secs(40),
            probe_after: Duration::from_secs(2),
            probe_patience: Duration::from_secs(3),
            first_words_within: Duration::from_secs(10),
            answer_within: Duration::from_secs(5),
            node_dead_after: Duration::from_secs(125),
        }
    }
}

/// What the pulse of the gateway asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// Send a ping.
    Ping,
    /// The socket is dead: nothing was heard for that long.
    Dead(Duration),
}

/// One socket's life signs.
#[derive(Debug)]
pub(crate) struct GatewayPulse {
    times: LivenessTimes,
    opened: Duration,
    heard: Duration,
    next_ping: Duration,
    /// When the latest ping went out, until it is answered.
    pinged: Option<Duration>,
    /// When an extra ping is due because input went unanswered, until something is heard.
    probe_at: Option<Duration>,
    /// When an extra ping is due for a doubt. What is heard before it goes out may have been sent before the doubt.
    doubt_at: Option<Duration>,
    /// When an extra ping went out, until something is heard.
    probed: Option<Duration>,
}

impl GatewayPulse {
    /// The socket has just opened; the first ping is due at once.
    pub(crate) fn new(times: LivenessTimes, now: Duration) -> Self {
        Self {
            times,
            opened: now,
            heard: now,
            next_ping: now,
            pinged: None,
            probe_at: None,
            doubt_at: None,
            probed: None,
        }
    }

    /// Anything was received.
    pub(crate) fn heard(&mut self, now: Duration) {
        self.heard = now;
        self.probe_at = None;
        self.probed = None;
    }

    /// A ping was answered: how long it took.
    pub(crate) fn answered(&mut self, now: Duration) -> Option<Duration> {
        self.pinged.take().map(|at| now.saturating_sub(at))
    }

    /// Input was sent.
    pub(crate) fn asked(&mut self, now: Duration) {
        self.probe_at.get_or_insert(now + self.times.probe_after);
    }

    /// The user, the network or a wake-up gives reason to doubt the socket: a ping is due at that time.
    pub(crate) fn doubt(&mut self, at: Duration) {
        if self.probed.is_none() {
            self.doubt_at = Some(self.doubt_at.map_or(at, |earlier| earlier.min(at)));
        }
    }

    /// Whether the socket has lasted long enough to be good without a word from the node.
    pub(crate) fn has_lasted(&self, now: Duration) -> bool {
        now >= self.opened + PROVEN_AFTER
    }

    /// What is due now. Call until `None`.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Pulse> {
        if now >= self.deadline() + LATE {
            // What the gateway sent meanwhile was not read, so it gets the time to answer anew.
            self.heard = now;
            self.probed = None;
            self.doubt_at = Some(now);
        }
        let probe_unanswered = self.probed.is_some_and(|at| now >= at + self.times.probe_patience);
        if now >= self.heard + self.times.dead_after || probe_unanswered {
            return Some(Pulse::Dead(now - self.heard));
        }
        if self.probed.is_none() && self.extra_ping_at().is_some_and(|at| now >= at) {
            self.doubt_at = None;
            self.probed = Some(now);
            self.pinged = Some(now);
            self.next_ping = now + self.times.ping_every;
            return Some(Pulse::Ping);
        }
        if now >= self.next_ping {
            self.pinged = Some(now);
            self.next_ping = now + self.times.ping_every;
            return Some(Pulse::Ping);
        }
        None
    }

    fn extra_ping_at(&self) -> Option<Duration> {
        [self.probe_at, self.doubt_at].into_iter().flatten().min()
    }

    /// When to poll again.
    pub(crate) fn deadline(&self) -> Duration {
        let probe = match self.probed {
            Some(at) => Some(at + self.times.probe_patience),
            None => self.extra_ping_at(),
        };
        let regular = self.next_ping.min(self.heard + self.times.dead_after);
        probe.map_or(regular, |at| at.min(regular))
    }
}

/// Whether the node answers.
#[derive(Debug)]
pub(crate) struct NodePulse {
    times: LivenessTimes,
    waiting: Option<Waiting>,
    signs: NodeSigns,
    /// When the latest sign of the node came, or when it began to owe one.
    heard: Duration,
}

/// What has come of the node so far on all sockets, and what it owes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeSigns {
    /// Bytes of input it has not acknowledged.
    pub(crate) unacked: usize,
    /// Messages of ours that it acknowledged.
    pub(crate) acks: u64,
    /// Everything it sent, what it repeated included.
    pub(crate) frames: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    since: Duration,
    patience: Duration,
    unacked: usize,
    told: bool,
}

impl NodePulse {
    /// `signs`: what had come before this socket opened.
    pub(crate) fn new(times: LivenessTimes, signs: NodeSigns, now: Duration) -> Self {
        Self { times, waiting: None, signs, heard: now }
    }

    /// The socket is open and the node has not spoken in this session.
    pub(crate) fn await_first_words(&mut self, now: Duration) {
        self.waiting =
            Some(Waiting { since: now, patience: self.times.first_words_within, unacked: 0, told: false });
    }

    /// What has come by now. `spoke`: with something new of its own.
    pub(crate) fn look(&mut self, now: Duration, signs: NodeSigns, spoke: bool) {
        let before = std::mem::replace(&mut self.signs, signs);
        let bytes = signs.unacked;
        if signs.frames != before.frames || self.waiting.is_none() {
            self.heard = now;
        }
        let progress =
            spoke || signs.acks != before.acks || self.waiting.is_none_or(|waiting| bytes < waiting.unacked);
        if bytes == 0 {
            self.waiting = None;
        } else if progress {
            self.waiting =
                Some(Waiting { since: now, patience: self.times.answer_within, unacked: bytes, told: false });
        } else if let Some(waiting) = &mut self.waiting {
            waiting.unacked = bytes;
        }
    }

    /// Since when the node has been silent, once patience is over; `Some` only once per silence.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Duration> {
        let waiting = self.waiting.as_mut()?;
        if waiting.told || now < waiting.since + waiting.patience {
            return None;
        }
        waiting.told = true;
        Some(waiting.since)
    }

    /// Whether a silence was reported and still lasts.
    pub(crate) fn is_silent(&self) -> bool {
        self.waiting.is_some_and(|w| w.told)
    }

    /// For how long there was no sign at all of a node that owes one, once that is longer than any node that lives.
    pub(crate) fn dead_for(&self, now: Duration) -> Option<Duration> {
        self.dead_at().filter(|at| *at <= now).map(|_| now - self.heard)
    }

    /// When a node that owes a sign counts as dead.
    pub(crate) fn dead_at(&self) -> Option<Duration> {
        self.waiting.map(|_| self.heard + self.times.node_dead_after)
    }

    /// When to poll again.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.waiting.filter(|w| !w.told).map(|w| w.since + w.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_idle_socket_is_pinged_and_dies_when_nothing_answers() {
        let mut pulse = GatewayPulse::new(LivenessTimes::default(), s(100));
        assert_eq!(pulse.poll(s(100)), Some(Pulse::Ping));
        assert_eq!(pulse.poll(s(100)), None);
        pulse.heard(s(100));
        assert_eq!(pulse.deadline(), s(125));
        assert_eq!(pulse.poll(s(125)), Some(Pulse::Ping));
        assert_eq!(pulse.deadline(), s(140));
        assert_eq!(pulse.poll(s(139)), None);
        assert_eq!(pulse.poll(s(140)), Some(Pulse::Dead(s(40))));
    }

    #[test]
    fn answered_pings_keep_a_socket_for_ever() {
        let mut pulse = GatewayPulse::new(LivenessTimes::default(), s(0));
        let mut pings = 0;
        while pings < 1000 {
            let now = pulse.deadline();
            match pulse.poll(now) {
                Some(Pulse::Ping) => pings += 1,
                other => panic!("{other:?} at {now:?}"),
            }
            pulse.heard(now + Duration::from_millis(80));
        }
    }

    #[test]
    fn unanswered_typing_finds_a_dead_socket_within_five_seconds() {
        let mut pulse = GatewayPulse::new(LivenessTimes::default(), s(0));
        pulse.poll(s(0));
        pulse.heard(s(1));
        pulse.asked(s(10));
        pulse.asked(s(11));
        assert_eq!(pulse.deadline(), s(12));
        assert_eq!(pulse.poll(s(12)), Some(Pulse::Ping));
        assert_eq!(pulse.deadline(), s(15));
        assert_eq!(pulse.poll(s(15)), Some(Pulse::Dead(s(14))));
    }

    #[test]
    fn any_answer_ends_a_doubt() {
        let mut pulse = GatewayPulse::new(LivenessTimes::default(), s(0));
        pulse.poll(s(0));
        pulse.heard(s(1));
        pulse.doubt(s(5));
        assert_eq!(pulse.poll(s(5)), Some(Pulse::Ping));
        pulse.heard(s(6));
        assert_eq!(pulse.poll(s(29)), None);
    }

    #[test]
    fn a_program_that_was_not_running_asks_before_it_gives_a_socket_up() {
        let mut pulse = GatewayPulse::new(LivenessTimes::default(), s(0));
        pulse.poll(s(0));
        pulse.heard(s(1));
        // Half an hour asleep, on a clock that counts it.
        assert_eq!(pulse.poll(s(1800)), Some(Pulse::Ping));
        assert_eq!(pulse.poll(s(1800)), None);
        assert_eq!(pulse.deadline(), s(1803));
        assert_eq!(pulse.poll(s(1803)), Some(Pulse::Dead(s(3))));
        // A probe that was out when the program stopped counts for nothing either.
        let mut pulse = GatewayPulse::new(LivenessTimes::default(), s(0));
        pulse.poll(s(0));
        pulse.heard(s(1));
        pulse.doubt(s(2));
        assert_eq!(pulse.poll(s(2)), Some(Pulse::Ping));
        assert_eq!(pulse.poll(s(600)), Some(Pulse::Ping));
        pulse.heard(s(601));
        assert_eq!(pulse.poll(s(601)), None);
    }

    #[test]
    fn a_doubt_may_be_for_a_little_later() {
        let mut pulse = GatewayPulse::new(LivenessTimes::default(), s(0));
        pulse.poll(s(0));
        pulse.heard(s(1));
        pulse.doubt(s(4));
        // Read late, sent before the doubt.
        pulse.heard(s(3));
        assert_eq!((pulse.poll(s(3)), pulse.deadline()), (None, s(4)));
        assert_eq!(pulse.poll(s(4)), Some(Pulse::Ping));
    }

    fn signs(unacked: usize, acks: u64, frames: u64) -> NodeSigns {
        NodeSigns { unacked, acks, frames }
    }

    fn node() -> NodePulse {
        NodePulse::new(LivenessTimes::default(), NodeSigns::default(), s(0))
    }

    #[test]
    fn silence_of_the_node_is_told_once_and_ends_with_progress() {
        let mut node = node();
        node.await_first_words(s(0));
        assert_eq!(node.deadline(), Some(s(10)));
        assert_eq!(node.poll(s(9)), None);
        assert_eq!(node.poll(s(10)), Some(s(0)));
        assert_eq!(node.poll(s(11)), None);
        node.look(s(12), signs(0, 0, 1), true);
        assert!(!node.is_silent());

        node.look(s(20), signs(10, 0, 1), false);
        node.look(s(22), signs(30, 0, 1), false);
        assert_eq!(node.poll(s(25)), Some(s(20)));
        assert!(node.is_silent());
        node.look(s(26), signs(20, 0, 1), false);
        assert!(!node.is_silent(), "an ack is an answer");
        assert_eq!(node.poll(s(31)), Some(s(26)));
    }

    #[test]
    fn a_window_that_is_filled_as_fast_as_it_is_acknowledged_is_no_silence() {
        let mut node = node();
        for second in 1..60 {
            node.look(s(second), signs(1_000_000, second, second), false);
            assert_eq!((node.poll(s(second)), node.dead_for(s(second))), (None, None));
        }
    }

    #[test]
    fn a_node_is_dead_after_a_time_without_any_sign_that_it_owed() {
        let mut node = node();
        node.look(s(500), signs(0, 0, 7), true);
        assert_eq!((node.dead_at(), node.dead_for(s(10_000))), (None, None), "it owes nothing");
        node.look(s(1000), signs(10, 0, 7), false);
        assert_eq!(node.dead_at(), Some(s(1125)));
        node.look(s(1060), signs(20, 0, 7), false);
        assert_eq!((node.dead_for(s(1124)), node.dead_for(s(1125))), (None, Some(s(125))));
        // It repeats itself, which is no answer and a sign of life.
        node.look(s(1100), signs(20, 0, 8), false);
        assert_eq!((node.dead_for(s(1224)), node.dead_for(s(1225))), (None, Some(s(125))));
        assert_eq!(node.poll(s(1100)), Some(s(1000)), "shown long before");
    }

    #[test]
    fn a_node_that_never_spoke_is_dead_after_that_time_too() {
        let mut node = NodePulse::new(LivenessTimes::default(), NodeSigns::default(), s(50));
        node.await_first_words(s(50));
        assert_eq!((node.dead_for(s(174)), node.dead_for(s(175))), (None, Some(s(125))));
    }
}
