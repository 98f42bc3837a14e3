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
const MAX_STRETCH: u32 = 8;
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
        let free_at = self.free_at();
        if now < free_at {
            return Place::Waits { ahead, until: Some(free_at) };
        }
        self.leave(ticket);
        if self.began.len() == self.per_window {
            self.began.pop_front();
        }
        self.began.push_back(now);
        Place::Turn
    }

    /// AWS answered a call. "Slow down" doubles the window and lets everybody rest for a random time (full jitter);
    /// good answers undo it step by step.
    pub(super) fn answered(&mut self, now: Duration, throttled: bool) {
        if throttled {
            self.stretch = (self.stretch * 2).min(MAX_STRETCH);
            self.answered_well = 0;
            let rest = (self.window * self.stretch).mul_f64(self.rng.random_range(0.0..=1.0));
            self.rests_until = self.rests_until.max(now + rest);
            return;
        }
        self.answered_well += 1;
        if self.answered_well >= SHRINKS_AFTER && self.stretch > 1 {
            self.stretch /= 2;
            self.answered_well = 0;
        }
    }

    /// No call begins before that.
    #[cfg(test)]
    pub(super) fn rest(&mut self, until: Duration) {
        self.rests_until = until;
    }

    /// When the next call may begin.
    fn free_at(&self) -> Duration {
        let window = self.window * self.stretch;
        let by_quota = match self.began.front() {
            Some(first) if self.began.len() == self.per_window => *first + window,
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
        assert!(began[20] > WINDOW * 8, "slowed down: {:?}", began[20]);
        assert_eq!(queue.stretch, 1);
        let pace = began[299] - began[200];
        assert!(pace <= WINDOW * 17, "back at full speed: {pace:?}");
    }
}
