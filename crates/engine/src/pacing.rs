//! How fast the session calls of one account and Region may be made, as a state machine without clock or tasks, and the
//! async turn-taking around it.
//!
//! AWS counts these calls per account, Region and operation (aws-security-reliability.md A.7). A [`Pacing`] is shared
//! by all sessions of one account and Region: calls wait for their turn, foreground before background and each in
//! order, so that 300 forwards that come back after an outage neither storm AWS nor hold up the shell that is looked
//! at. An answer that says "slow down" slows all of them.

mod queue;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use queue::{CallQueue, Place, Ticket, WINDOW};

/// Who goes first when calls must wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Somebody looks at the session. The default.
    #[default]
    Foreground,
    /// A forward, a lane, or a hidden tab.
    Background,
}

/// A call that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PacedCall {
    /// StartSession, 3 a second.
    StartSession,
    /// ResumeSession, 6 a second.
    ResumeSession,
    /// TerminateSession, 6 a second.
    TerminateSession,
    /// DescribeSessions, 6 a second.
    DescribeSessions,
}

impl PacedCall {
    /// Documented default quota, in calls a second.
    fn per_second(self) -> usize {
        match self {
            Self::StartSession => 3,
            Self::ResumeSession | Self::TerminateSession | Self::DescribeSessions => 6,
        }
    }
}

/// The pace of the calls of one account and Region. Shared by an `Arc`; calls of different kinds do not wait for each
/// other.
pub struct Pacing {
    start: Instant,
    queues: Mutex<[CallQueue; 4]>,
    changed: Notify,
}

impl Default for Pacing {
    fn default() -> Self {
        Self::new()
    }
}

impl Pacing {
    /// The documented default quotas.
    pub fn new() -> Self {
        Self::with_window(WINDOW)
    }

    fn with_window(window: Duration) -> Self {
        let calls = [
            PacedCall::StartSession,
            PacedCall::ResumeSession,
            PacedCall::TerminateSession,
            PacedCall::DescribeSessions,
        ];
        Self {
            start: Instant::now(),
            queues: Mutex::new(calls.map(|call| CallQueue::new(call.per_second(), window, rand::random()))),
            changed: Notify::new(),
        }
    }

    /// Waits until the call may be made. `waits` is told how many calls go first whenever that changes, and not at all
    /// when there is no wait. Dropping the future gives the place up.
    pub async fn turn(&self, call: PacedCall, priority: Priority, mut waits: impl FnMut(usize)) {
        let ticket = self.queues()[call as usize].join(priority);
        let mut place = Waiting { pacing: self, call, ticket: Some(ticket) };
        let mut told = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let looked = self.queues()[call as usize].look(self.start.elapsed(), ticket);
            let until = match looked {
                Place::Turn => {
                    place.ticket = None;
                    self.changed.notify_waiters();
                    return;
                }
                Place::Waits { ahead, until } => {
                    if told != Some(ahead) {
                        waits(ahead);
                        told = Some(ahead);
                    }
                    until
                }
            };
            match until {
                Some(until) => tokio::select! {
                    () = sleep_until(self.start + until) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    /// What came of a call whose turn it was: whether AWS said "slow down".
    pub fn answered(&self, call: PacedCall, throttled: bool) {
        let now = self.start.elapsed();
        self.queues()[call as usize].answered(now, throttled);
        self.changed.notify_waiters();
    }

    fn queues(&self) -> MutexGuard<'_, [CallQueue; 4]> {
        // A panic cannot leave a queue half changed: each change is its last step.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacing").finish_non_exhaustive()
    }
}

/// A place in a queue, left when dropped.
struct Waiting<'a> {
    pacing: &'a Pacing,
    call: PacedCall,
    ticket: Option<Ticket>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.pacing.queues()[self.call as usize].leave(ticket);
            self.pacing.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::mpsc;
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn calls_that_wait_are_made_one_by_one_the_foreground_first() {
        let pacing = Arc::new(Pacing::with_window(Duration::from_millis(5)));
        for _ in 0..6 {
            pacing.turn(PacedCall::ResumeSession, Priority::Background, |_| panic!("no wait")).await;
        }
        let order = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let (joined, mut joins) = mpsc::unbounded_channel();
        // Nobody has a turn before all of them wait.
        pacing.queues()[PacedCall::ResumeSession as usize].rest(Duration::from_secs(3600));
        for number in 0..60 {
            let (pacing, order, joined) = (pacing.clone(), order.clone(), joined.clone());
            let priority = if number >= 50 { Priority::Foreground } else { Priority::Background };
            tasks.spawn(async move {
                let mut joined = Some(joined);
                let waits =
                    |_| joined.take().into_iter().for_each(|joined| joined.send(()).expect("counted"));
                pacing.turn(PacedCall::ResumeSession, priority, waits).await;
                (priority, order.fetch_add(1, Ordering::SeqCst))
            });
        }
        for _ in 0..60 {
            joins.recv().await.expect("waiting");
        }
        pacing.queues()[PacedCall::ResumeSession as usize].rest(Duration::ZERO);
        pacing.changed.notify_waiters();
        let mut foreground: Vec<usize> = tasks
            .join_all()
            .await
            .into_iter()
            .filter(|(priority, _)| *priority == Priority::Foreground)
            .map(|(_, at)| at)
            .collect();
        foreground.sort_unstable();
        // Calls of one window run at the same time, so their order among each other is open.
        assert!(foreground.iter().all(|at| *at < 12), "{foreground:?}");
    }

    #[tokio::test]
    async fn the_place_in_the_queue_is_told_and_given_up_when_nobody_waits_any_more() {
        let pacing = Pacing::with_window(Duration::from_millis(100));
        for _ in 0..3 {
            pacing.turn(PacedCall::StartSession, Priority::Foreground, |_| panic!("no wait")).await;
        }
        let mut given_up = Box::pin(pacing.turn(PacedCall::StartSession, Priority::Foreground, |_| {}));
        assert!(futures_util::poll!(&mut given_up).is_pending());
        let mut told = Vec::new();
        {
            let mut next = Box::pin(
                pacing.turn(PacedCall::StartSession, Priority::Foreground, |ahead| told.push(ahead)),
            );
            assert!(futures_util::poll!(&mut next).is_pending());
            drop(given_up);
            next.await;
        }
        assert_eq!(told, [1, 0]);
        pacing.turn(PacedCall::ResumeSession, Priority::Background, |_| panic!("another kind")).await;
    }
}
