//! When a frame may go to the window: one unpainted frame at a time, at most 60 a second.

use std::time::Duration;

use fleetline_terminal::Terminal;
use tokio::time::Instant;

use crate::ports::FrameSink;

/// Shortest time between two frames: 60 a second. The first one after a pause goes at once.
const SPACING: Duration = Duration::from_micros(16_600);

/// Place of the sequence number in a frame (crates/terminal/src/frame/layout.rs).
const SEQ: std::ops::Range<usize> = 12..16;

/// The sending end of one terminal's frames.
pub(super) struct Painter {
    sink: Option<Box<dyn FrameSink>>,
    in_flight: Option<u32>,
    changed: bool,
    full: bool,
    earliest: Instant,
}

impl Painter {
    pub(super) fn new() -> Self {
        Self { sink: None, in_flight: None, changed: false, full: false, earliest: Instant::now() }
    }

    /// A window shows the terminal from now on; it has nothing yet.
    pub(super) fn attach(&mut self, sink: Box<dyn FrameSink>) {
        (self.sink, self.in_flight, self.full) = (Some(sink), None, true);
    }

    pub(super) fn detach(&mut self) {
        self.sink = None;
    }

    pub(super) fn is_attached(&self) -> bool {
        self.sink.is_some()
    }

    /// The terminal changed.
    pub(super) fn changed(&mut self) {
        self.changed = true;
    }

    /// Everything is to be painted anew.
    pub(super) fn start_over(&mut self) {
        self.full = true;
    }

    /// A frame was painted. Others than the one on its way are of an earlier window and count for nothing.
    pub(super) fn painted(&mut self, seq: u32) {
        if self.in_flight == Some(seq) {
            self.in_flight = None;
            // A frame that was cut goes on in the next.
            self.changed = true;
        }
    }

    /// When the next frame may go; `None` while there is nothing to paint, nobody to paint it or no credit.
    pub(super) fn due(&self, terminal: &Terminal, epoch: Instant) -> Option<Instant> {
        if self.sink.is_none() || self.in_flight.is_some() || !(self.changed || self.full) {
            return None;
        }
        let held = terminal.held_until().filter(|_| !self.full).map_or(epoch, |until| epoch + until);
        Some(self.earliest.max(held))
    }

    /// Sends what changed, if anything did.
    pub(super) fn paint(&mut self, terminal: &mut Terminal, epoch: Instant) {
        let Some(sink) = &self.sink else { return };
        let now = Instant::now();
        let frame = terminal.frame(self.full, now.duration_since(epoch));
        self.changed = false;
        let Some(frame) = frame else {
            // Held back in the moment it was asked for: asked again when it may be had.
            self.changed = terminal.held_until().is_some();
            return;
        };
        self.full = false;
        self.earliest = now + SPACING;
        self.in_flight = frame.get(SEQ).and_then(|seq| seq.try_into().ok()).map(u32::from_le_bytes);
        if sink.send(frame).is_err() {
            tracing::debug!("the window of a terminal is gone");
            self.detach();
        }
    }
}
