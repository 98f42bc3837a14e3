//! Synchronized updates (mode 2026): a program may hold frames back while it draws, within limits (SEC-15).

use std::time::Duration;

/// Longest time frames are held back.
const HOLD_TIME: Duration = Duration::from_millis(150);

/// Most bytes that may come while frames are held back.
const HOLD_BYTES: u64 = 2 << 20;

/// Whether frames are held back.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    begun: bool,
    /// Time and bytes when frames were first held back since the last one. Kept from one update to the next until a
    /// frame was sent, or a program that always has one in progress would never be seen.
    first: Option<(Duration, u64)>,
    now: Duration,
    bytes: u64,
}

impl Hold {
    /// Counts bytes about to be parsed at `now`.
    pub(crate) fn arriving(&mut self, bytes: usize, now: Duration) {
        self.now = self.now.max(now);
        self.bytes += bytes as u64;
    }

    /// The program begins an update.
    pub(crate) fn begin(&mut self) {
        self.begun = true;
        self.first.get_or_insert((self.now, self.bytes));
    }

    /// The program ended its update.
    pub(crate) fn end(&mut self) {
        self.begun = false;
    }

    /// Whether an update is in progress.
    pub(crate) fn is_begun(&self) -> bool {
        self.begun
    }

    /// Until when frames are held back, if they are.
    pub(crate) fn until(&self) -> Option<Duration> {
        let (since, bytes) = self.first.filter(|_| self.begun)?;
        (self.bytes.saturating_sub(bytes) <= HOLD_BYTES).then_some(since.saturating_add(HOLD_TIME))
    }

    /// Whether frames are held back at `now`; an update that took too long counts as ended.
    pub(crate) fn is_active(&mut self, now: Duration) -> bool {
        self.now = self.now.max(now);
        self.begun = self.until().is_some_and(|until| self.now < until);
        self.begun
    }

    /// A frame was sent.
    pub(crate) fn frame_sent(&mut self) {
        self.first = None;
    }
}
