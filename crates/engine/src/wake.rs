//! Sleep, and changes of the network: what gives every session reason to doubt its socket at once.
//!
//! A socket that was open before a sleep or a change of network may be dead without a sign of it. [`Wakeups`] tells all
//! sessions that share it, each of which asks its gateway for a sign of life at a slightly different moment, and goes
//! on or resumes. It finds sleep out by itself; the program's surroundings may know better and earlier.

mod os;
mod watch;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch as signal;
use tokio::time::{MissedTickBehavior, interval};

use watch::{SleepWatch, TICK};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// The computer slept or the program was stopped, for about that long.
    Slept(Duration),
    /// The network is another one.
    NetworkChanged,
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slept(lasted) => write!(f, "The computer slept for {} s", lasted.as_secs()),
            Self::NetworkChanged => f.write_str("The network changed"),
        }
    }
}

/// Wakes sessions. Clones are one: give all sessions clones of one, and tell it what the operating system tells.
#[derive(Clone)]
pub struct Wakeups(Arc<Inner>);

struct Inner {
    signal: signal::Sender<Option<Disturbance>>,
    clocks: fn() -> os::Sample,
    /// The clocks as they were seen last. `None` until a session listens.
    watch: Mutex<Option<SleepWatch>>,
}

impl Default for Wakeups {
    fn default() -> Self {
        Self::new()
    }
}

impl Wakeups {
    /// One that nobody has been told of anything.
    pub fn new() -> Self {
        Self::with_clocks(os::sample)
    }

    fn with_clocks(clocks: fn() -> os::Sample) -> Self {
        let (signal, _) = signal::channel(None);
        Self(Arc::new(Inner { signal, clocks, watch: Mutex::new(None) }))
    }

    /// The computer woke up after about that time.
    pub fn slept(&self, lasted: Duration) {
        self.0.tell(Disturbance::Slept(lasted));
    }

    /// The network changed: another route, address, VPN or Wi-Fi.
    pub fn network_changed(&self) {
        self.0.tell(Disturbance::NetworkChanged);
    }

    /// Listens. The first listener starts the task that looks for sleep, every 5 s until all clones are gone.
    pub(crate) fn listen(&self) -> Listener {
        let mut watch = self.0.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if watch.is_none() {
            *watch = Some(SleepWatch::new((self.0.clocks)()));
            tokio::spawn(look(Arc::downgrade(&self.0)));
        }
        Listener { wakeups: self.clone(), signal: self.0.signal.subscribe() }
    }
}

impl Inner {
    fn tell(&self, disturbance: Disturbance) {
        tracing::info!(%disturbance, "sessions doubt their sockets");
        self.signal.send_replace(Some(disturbance));
    }

    /// Compares the clocks now.
    fn look(&self) {
        let slept = self
            .watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .and_then(|watch| watch.look((self.clocks)()));
        if let Some(lasted) = slept {
            self.tell(Disturbance::Slept(lasted));
        }
    }
}

async fn look(wakeups: Weak<Inner>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(wakeups) = wakeups.upgrade() else { return };
        wakeups.look();
    }
}

impl fmt::Debug for Wakeups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wakeups")
    }
}

/// One session's ear.
pub(crate) struct Listener {
    wakeups: Wakeups,
    signal: signal::Receiver<Option<Disturbance>>,
}

impl Listener {
    /// Waits for the next disturbance. Cancel safe: one that was not returned is not lost.
    pub(crate) async fn disturbed(&mut self) -> Disturbance {
        loop {
            if self.signal.changed().await.is_err() {
                // Not while `wakeups` lives.
                return std::future::pending().await;
            }
            if let Some(disturbance) = *self.signal.borrow_and_update() {
                return disturbance;
            }
        }
    }

    /// Whether there was a disturbance that was not waited for, looking at the clocks now.
    pub(crate) fn was_disturbed(&mut self) -> bool {
        self.wakeups.0.look();
        self.signal.has_changed().unwrap_or(false) && self.signal.borrow_and_update().is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[tokio::test]
    async fn every_listener_hears_once_of_what_happened() {
        let wakeups = Wakeups::new();
        let (mut one, mut two) = (wakeups.listen(), wakeups.listen());
        assert!(!one.was_disturbed());
        wakeups.network_changed();
        assert_eq!(one.disturbed().await, Disturbance::NetworkChanged);
        assert!(two.was_disturbed() && !two.was_disturbed() && !one.was_disturbed());
        wakeups.slept(Duration::from_secs(60));
        assert_eq!(two.disturbed().await, Disturbance::Slept(Duration::from_secs(60)));
    }

    /// Seconds the test's computer has slept.
    static ASLEEP: AtomicU64 = AtomicU64::new(0);

    fn test_clocks() -> os::Sample {
        let awake = os::sample();
        let asleep = Duration::from_secs(ASLEEP.load(Ordering::SeqCst));
        os::Sample { awake: awake.awake, total: awake.total + asleep }
    }

    #[tokio::test]
    async fn sleep_is_found_by_comparing_the_clocks() {
        let wakeups = Wakeups::with_clocks(test_clocks);
        let mut listener = wakeups.listen();
        assert!(!listener.was_disturbed());
        ASLEEP.store(1800, Ordering::SeqCst);
        wakeups.0.look();
        let Disturbance::Slept(lasted) = listener.disturbed().await else { panic!("the network") };
        // The two clocks are not read at one instant.
        assert_eq!(lasted.as_secs_f64().round(), 1800.0);
        assert!(!listener.was_disturbed(), "told once");
    }
}
