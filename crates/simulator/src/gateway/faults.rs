//! One direction of a link that delays, loses, repeats, swaps and damages frames, by seed. It knows no clock: time
//! comes in with the frames, and frames come out when they are due.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::messages;
use crate::link_faults::FrameFaults;
use crate::random::Seeded;

/// Bytes on the way, beyond which nothing more is taken.
const IN_FLIGHT: usize = 4 * 1024 * 1024;

/// A frame that waits to be overtaken goes on after this time.
const REORDER_WAIT: Duration = Duration::from_millis(50);

/// Which way frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toward {
    Client,
    Agent,
}

/// What travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A frame of the data channel.
    Binary(Bytes),
    /// A text message, which no peer sends once the channel is open.
    Text(Utf8Bytes),
}

impl Frame {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Binary(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }
}

/// One direction of a link.
#[derive(Debug)]
pub(super) struct FaultyLink {
    toward: Toward,
    faults: FrameFaults,
    rng: Seeded,
    /// Frames on their way with the time each is due, in order.
    flying: VecDeque<(Duration, Frame)>,
    /// Bytes of `flying`.
    bytes: usize,
    /// A frame that waits for the next one to overtake it, and until when.
    held: Option<(Duration, Bytes)>,
    /// When the line has passed on all it was given, under a rate limit.
    idle_at: Duration,
    /// Nothing is delivered before.
    stalled_until: Duration,
}

impl FaultyLink {
    pub(super) fn new(toward: Toward, faults: FrameFaults, seed: u64) -> Self {
        Self {
            toward,
            faults,
            rng: Seeded::new(seed),
            flying: VecDeque::new(),
            bytes: 0,
            held: None,
            idle_at: Duration::ZERO,
            stalled_until: Duration::ZERO,
        }
    }

    /// From now on the link does this. What is on its way stays as it is.
    pub(super) fn set_faults(&mut self, faults: FrameFaults) {
        self.faults = faults;
    }

    /// Delivers nothing before `until`. Frames are still taken, as many as fit.
    pub(super) fn stall(&mut self, until: Duration) {
        self.stalled_until = self.stalled_until.max(until);
    }

    /// Whether another frame can be put in: nothing is due already and there is room.
    pub(super) fn has_room(&self, now: Duration) -> bool {
        self.bytes < IN_FLIGHT && self.next_due().is_none_or(|due| due > now)
    }

    /// Puts a frame in.
    pub(super) fn push(&mut self, now: Duration, frame: Bytes) {
        self.release_held(now);
        self.add_noise(now);
        if self.chance(self.faults.drop_per_mille) {
            return;
        }
        if self.held.is_none() && self.chance(self.faults.reorder_per_mille) {
            self.held = Some((now + REORDER_WAIT, frame));
            return;
        }
        let frame = self.damaged(frame);
        if self.chance(self.faults.duplicate_per_mille) {
            self.launch(now, Frame::Binary(frame.clone()));
        }
        self.launch(now, Frame::Binary(frame));
        if let Some((_, overtaken)) = self.held.take() {
            self.launch(now, Frame::Binary(overtaken));
        }
    }

    /// Puts in a message of the gateway's own, which no fault but time touches.
    pub(super) fn push_own(&mut self, now: Duration, frame: Bytes) {
        self.release_held(now);
        let due = self.flying.back().map_or(now, |(due, _)| (*due).max(now));
        self.bytes += frame.len();
        self.flying.push_back((due, Frame::Binary(frame)));
    }

    /// The next frame that is due, without taking it.
    pub(super) fn peek(&mut self, now: Duration) -> Option<&Frame> {
        self.release_held(now);
        if now < self.stalled_until {
            return None;
        }
        self.flying.front().filter(|(due, _)| *due <= now).map(|(_, frame)| frame)
    }

    /// Takes the frame [`peek`](Self::peek) showed.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        let (_, frame) = self.flying.pop_front()?;
        self.bytes -= frame.len();
        Some(frame)
    }

    /// When there is something to be taken, if nothing more is put in.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let flying = self.flying.front().map(|(due, _)| (*due).max(self.stalled_until));
        let held = self.held.as_ref().map(|(until, _)| (*until).max(self.stalled_until));
        // The held frame goes behind what flies, so it is next only if nothing does.
        flying.or(held)
    }

    /// Frames on their way.
    pub(super) fn len(&self) -> usize {
        self.flying.len() + usize::from(self.held.is_some())
    }

    /// Forgets everything that is on its way.
    pub(super) fn clear(&mut self) {
        self.flying.clear();
        self.bytes = 0;
        self.held = None;
    }

    /// Everything on its way, at once and in order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Frame> {
        self.bytes = 0;
        let held = self.held.take().map(|(_, frame)| Frame::Binary(frame));
        std::mem::take(&mut self.flying).into_iter().map(|(_, frame)| frame).chain(held)
    }

    fn release_held(&mut self, now: Duration) {
        if self.held.as_ref().is_some_and(|(until, _)| *until <= now)
            && let Some((until, frame)) = self.held.take()
        {
            self.launch(until, Frame::Binary(frame));
        }
    }

    fn launch(&mut self, now: Duration, frame: Frame) {
        let mut due = now;
        if self.faults.bytes_per_second > 0 {
            let seconds = frame.len() as f64 / f64::from(self.faults.bytes_per_second);
            self.idle_at = self.idle_at.max(now) + Duration::from_secs_f64(seconds);
            due = self.idle_at;
        }
        due += self.faults.delay + self.part_of(self.faults.jitter);
        // A link is a stream: what was sent first arrives first.
        let due = self.flying.back().map_or(due, |(before, _)| due.max(*before));
        self.bytes += frame.len();
        self.flying.push_back((due, frame));
    }

    fn add_noise(&mut self, now: Duration) {
        if self.chance(self.faults.unknown_per_mille) {
            self.launch(now, Frame::Binary(messages::unknown()));
        }
        if self.toward == Toward::Agent {
            return;
        }
        if self.chance(self.faults.text_per_mille) {
            self.launch(now, Frame::Text(Utf8Bytes::from_static("{\"Simulated\":\"noise\"}")));
        }
        if self.chance(self.faults.padded_per_mille) {
            self.launch(now, Frame::Binary(messages::padded_pause()));
        }
    }

    fn damaged(&mut self, frame: Bytes) -> Bytes {
        if self.chance(self.faults.truncate_per_mille) {
            let left = self.rng.below(frame.len());
            return frame.slice(..left);
        }
        if self.chance(self.faults.corrupt_per_mille) {
            return self.corrupted(frame);
        }
        frame
    }

    fn corrupted(&mut self, frame: Bytes) -> Bytes {
        const PAYLOAD: usize = 120;
        let (header, covered): (&[(usize, usize)], bool) = match self.toward {
            // All but SequenceNumber and PayloadType.
            Toward::Client => (&[(0, 48), (56, 112), (116, 120)], true),
            // HeaderLength, MessageType, MessageId, PayloadLength.
            Toward::Agent => (&[(0, 36), (64, 80), (116, 120)], false),
        };
        let payload = frame.len().saturating_sub(PAYLOAD);
        let place = if covered && payload > 0 && self.rng.below(2) == 0 {
            PAYLOAD + self.rng.below(payload)
        } else {
            let mut nth = self.rng.below(header.iter().map(|(from, to)| to - from).sum());
            header
                .iter()
                .find_map(|(from, to)| {
                    let fits = nth < to - from;
                    let place = from + nth;
                    nth = nth.saturating_sub(to - from);
                    fits.then_some(place)
                })
                .unwrap_or(0)
        };
        let bit = self.rng.below(8);
        let mut frame = BytesMut::from(frame.as_ref());
        if let Some(byte) = frame.get_mut(place) {
            *byte ^= 1 << bit;
        }
        frame.freeze()
    }

    fn part_of(&mut self, whole: Duration) -> Duration {
        let whole = usize::try_from(whole.as_micros()).unwrap_or(usize::MAX);
        Duration::from_micros(self.rng.below(whole.saturating_add(1)) as u64)
    }

    /// Draws only where there is something to decide, so that one fault's rate does not move another's.
    fn chance(&mut self, per_mille: u16) -> bool {
        per_mille > 0 && self.rng.below(1000) < usize::from(per_mille)
    }
}
