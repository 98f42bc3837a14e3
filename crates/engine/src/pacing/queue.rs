//! The queue of one kind of call.

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::Priority;

/// As many calls as the quota allows may begin within this time, a little more than the second AWS counts by, since
/// calls do not all travel equally long.
pub(super) const WINDOW: Duration = Duration::from_millis(1050);
/// The longest a window becomes while AWS says "slow down".
const MAX_STRETCH: u32 = 4;
/// The longest rest after a "slow down", in windows. What keeps many calls apart is the longer window; a call that is
/// alone loses no more than this.
const LONGEST_REST: u32 = 2;
/// Calls answered well in a row before a stretched window shrinks.
const SHRINKS_AFTER: u32 = 4;

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It may be made, now. The ticket is used up.
    Turn,
    /// That many go first; the next look is due then, or after any change when there is no time.
    Waits { ahead: usize, until: Option<Duration> },
}

/// Calls of one kind that wait, and when the latest ones began. Times are durations since any fixed start.
#[derive(Debug)]
pub(super) struct CallQueue {
    per_window: usize,
    window: Duration,
    /// When the latest calls began, at most `per_window`.
    began: VecDeque<Duration>,
    foreground: VecDeque<Ticket>,
    background: VecDeque<Ticket>,
    tickets: u64,
    /// The window is that many times as long, after AWS said "slow down".
    stretch: u32,
    /// When AWS said it last. Calls that began before keep the plain window: the longer one is for what follows.
    slowed_at: Duration,
    /// Since when AWS has not said it, or the window was halved last.
    calm_since: Duration,
    /// No call begins before.
    rests_until: Duration,
    answered_well: u32,
    rng: SmallRng,
}

impl CallQueue {
    pub(super) fn new(per_window: usize, window: Duration, seed: u64) -> Self {
        Self {
            per_window,
            window,
            began: VecDeque::new(),
            foreground: VecDeque::new(),
            background: VecDeque::new(),
            tickets: 0,
            stretch: 1,
            slowed_at: Duration::ZERO,
            calm_since: Duration::ZERO,
            rests_until: Duration::ZERO,
            answered_well: 0,
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    /// Takes a place at the end of those of the same priority.
    pub(super) fn join(&mut self, priority: Priority) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        match priority {
            Priority::Foreground => self.foreground.push_back(ticket),
            Priority::Background => self.background.push_back(ticket),
        }
        ticket
    }

    /// Gives a place up.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.foreground.retain(|waiting| *waiting != ticket);
        self.background.retain(|waiting| *waiting != ticket);
    }

    /// How far the call with that ticket is. A ticket that is not in the queue never has its turn.
    pub(super) fn look(&mut self, now: Duration, ticket: Ticket) -> Place {
        let place = self.foreground.iter().chain(&self.background).position(|waiting| *waiting == ticket);
        let Some(ahead) = place else { return Place::Waits { ahead: 0, until: None } };
        if ahead > 0 {
            return Place::Waits { ahead, until: None };
        }
        self.calm_down(now);
        let free_at = self.free_at();
        if now < free_at {
            // A shorter window lets it begin sooner.
            let calmer_at = self.calmer_at().map_or(free_at, |at| at.max(self.rests_until));
            return Place::Waits { ahead, until: Some(free_at.min(calmer_at)) };
        }
        self.leave(ticket);
        if self.began.len() == self.per_window {
            self.began.pop_front();
        }
        self.began.push_back(now);
        Place::Turn
    }

    /// AWS answered a call. "Slow down" lets everybody rest for a random time (full jitter) and doubles the window; good
    /// answers undo it step by step, and so does time: calls may be rare, and what AWS allows is refilled by the second.
    /// What AWS says during the rest answers calls that began before it, and says nothing new.
    pub(super) fn answered(&mut self, now: Duration, throttled: bool) {
        self.calm_down(now);
        if throttled && now < self.rests_until {
            return;
        }
        if throttled {
            let rest =
                (self.window * self.stretch.min(LONGEST_REST)).mul_f64(self.rng.random_range(0.0..=1.0));
            self.stretch = (self.stretch * 2).min(MAX_STRETCH);
            self.answered_well = 0;
            self.slowed_at = now;
            self.rests_until = now + rest;
            self.calm_since = self.rests_until;
            return;
        }
        self.answered_well += 1;
        if self.answered_well >= SHRINKS_AFTER && self.stretch > 1 {
            self.stretch /= 2;
            self.answered_well = 0;
            self.calm_since = self.calm_since.max(now);
        }
    }

    /// Halves a stretched window for each plain one that has passed without a "slow down".
    fn calm_down(&mut self, now: Duration) {
        while let Some(at) = self.calmer_at().filter(|at| *at <= now) {
            self.calm_since = at;
            self.stretch /= 2;
        }
    }

    /// When a stretched window is halved if AWS does not say "slow down" until then.
    fn calmer_at(&self) -> Option<Duration> {
        (self.stretch > 1).then(|| self.calm_since + self.window)
    }

    /// No call begins before that.
    #[cfg(test)]
    pub(super) fn rest(&mut self, until: Duration) {
        self.rests_until = until;
    }

    /// When the next call may begin.
    fn free_at(&self) -> Duration {
        let by_quota = match self.began.front() {
            Some(first) if self.began.len() == self.per_window => {
                let stretch = if *first < self.slowed_at { 1 } else { self.stretch };
                *first + self.window * stretch
            }
            _ => Duration::ZERO,
        };
        by_quota.max(self.rests_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets every waiting call go as soon as it may; gives the times.
    fn drain(queue: &mut CallQueue, mut now: Duration, throttles: impl Fn(usize) -> bool) -> Vec<Duration> {
        let mut began = Vec::new();
        while let Some(ticket) = queue.foreground.front().or(queue.background.front()).copied() {
            match queue.look(now, ticket) {
                Place::Turn => {
                    queue.answered(now, throttles(began.len()));
                    began.push(now);
                }
                Place::Waits { until, .. } => now = until.expect("the first in the queue has a time"),
            }
        }
        began
    }

    #[test]
    fn never_more_than_the_quota_in_any_second() {
        let mut queue = CallQueue::new(3, WINDOW, 1);
        for _ in 0..50 {
            queue.join(Priority::Foreground);
        }
        let began = drain(&mut queue, Duration::ZERO, |_| false);
        assert_eq!(began[..3], [Duration::ZERO; 3], "a few at once do not wait");
        for window in began.windows(4) {
            assert!(window[3] - window[0] > Duration::from_secs(1), "{window:?}");
        }
        assert!(began[49] <= Duration::from_millis(16 * 1050), "{:?}", began[49]);
    }

    #[test]
    fn three_hundred_resumes_after_an_outage_are_made_within_a_minute() {
        let mut queue = CallQueue::new(6, WINDOW, 1);
        for _ in 0..300 {
            queue.join(Priority::Background);
        }
        let began = drain(&mut queue, Duration::ZERO, |_| false);
        assert!(began[299] < Duration::from_secs(60), "{:?}", began[299]);
    }

    #[test]
    fn the_foreground_goes_first_and_each_priority_in_order() {
        let mut queue = CallQueue::new(1, WINDOW, 1);
        let back = [queue.join(Priority::Background), queue.join(Priority::Background)];
        let front = [queue.join(Priority::Foreground), queue.join(Priority::Foreground)];
        let now = Duration::ZERO;
        assert_eq!(queue.look(now, back[0]), Place::Waits { ahead: 2, until: None });
        assert_eq!(queue.look(now, front[1]), Place::Waits { ahead: 1, until: None });
        assert_eq!(queue.look(now, front[0]), Place::Turn);
        assert_eq!(queue.look(now, front[1]), Place::Waits { ahead: 0, until: Some(WINDOW) });
        queue.leave(front[1]);
        assert_eq!(queue.look(WINDOW, back[0]), Place::Turn);
        assert_eq!(queue.look(WINDOW * 2, back[1]), Place::Turn);
    }

    #[test]
    fn being_throttled_slows_everybody_and_good_answers_undo_it() {
        let mut queue = CallQueue::new(6, WINDOW, 1);
        for _ in 0..300 {
            queue.join(Priority::Background);
        }
        // The first 20 calls are refused, as when another tool uses the quota up.
        let began = drain(&mut queue, Duration::ZERO, |number| number < 20);
        assert!(began[20] > WINDOW * 5, "slowed down: {:?}", began[20]);
        assert_eq!(queue.stretch, 1);
        let pace = began[299] - began[200];
        assert!(pace <= WINDOW * 17, "back at full speed: {pace:?}");
    }

    #[test]
    fn one_slow_down_costs_at_most_a_window_however_many_calls_it_answers() {
        for seed in 0..100 {
            let mut queue = CallQueue::new(6, WINDOW, seed);
            let tickets: Vec<_> = (0..6).map(|_| queue.join(Priority::Background)).collect();
            for ticket in tickets {
                assert_eq!(queue.look(Duration::ZERO, ticket), Place::Turn);
            }
            (0..6).for_each(|_| queue.answered(Duration::ZERO, true));
            assert!((queue.stretch, queue.rests_until <= WINDOW) == (2, true), "{queue:?}");
        }
    }

    #[test]
    fn a_slow_down_of_long_ago_is_forgotten_though_no_call_was_made_since() {
        let mut queue = CallQueue::new(3, WINDOW, 1);
        for _ in 0..4 {
            queue.answered(queue.rests_until, true);
        }
        assert_eq!(queue.stretch, MAX_STRETCH);
        let tickets: Vec<_> = (0..4).map(|_| queue.join(Priority::Foreground)).collect();
        let began = queue.rests_until;
        for ticket in &tickets[..3] {
            assert_eq!(queue.look(began, *ticket), Place::Turn);
        }
        // The fourth begins when the window, which shrinks while it waits, is over.
        let mut now = began;
        while let Place::Waits { until, .. } = queue.look(now, tickets[3]) {
            assert!(until.is_some_and(|at| at > now), "the first in the queue has a time");
            now = until.unwrap_or_default();
        }
        assert_eq!(
            (now - began, queue.stretch),
            (WINDOW * 2, 1),
            "no answer has come, so that only time counts"
        );
    }

    #[test]
    fn a_lone_call_that_is_refused_twice_waits_for_its_rests_alone() {
        for seed in 0..500 {
            let mut queue = CallQueue::new(3, WINDOW, seed);
            // A node that is away was asked for once a second, and AWS had said "slow down" shortly before.
            queue.answered(Duration::ZERO, true);
            queue.answered(queue.rests_until, true);
            let mut now = queue.rests_until;
            let begins = |queue: &mut CallQueue, now: &mut Duration| {
                let ticket = queue.join(Priority::Background);
                while let Place::Waits { until, .. } = queue.look(*now, ticket) {
                    *now = until.expect("the first in the queue has a time");
                }
            };
            for _ in 0..3 {
                begins(&mut queue, &mut now);
                queue.answered(now, false);
                now += Duration::from_secs(1);
            }
            let asked = now;
            for _ in 0..2 {
                begins(&mut queue, &mut now);
                queue.answered(now, true);
            }
            begins(&mut queue, &mut now);
            assert!(now - asked <= WINDOW * 3, "seed {seed}: {:?}", now - asked);
        }
    }
}
