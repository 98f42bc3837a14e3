//! Fewer wake-ups for a steady stream. An agent sends full messages of 1 KB one at a time, and each by itself would cost
//! a wake-up, a read, an acknowledgement in a write of its own, and a write to the local program. So while a stream has
//! been steady for a while, what comes is left in the socket until several messages are there, or for a short time.
//!
//! Short messages, which is how answers and echoes come, and anything that is sent to the node end the steadiness. So
//! only the end of a burst waits, and no longer than the bound. This is a state machine without a clock; times are durations since any
//! fixed start.

use std::time::Duration;

use fleetline_protocol::HEADER_BYTES;

/// A frame with at least that much payload belongs to a stream. Agents cut shells' output at whole characters, which
/// takes up to 3 of the 1024 bytes (protocol.md 7.6).
const FULL_FRAME: usize = HEADER_BYTES + 1000;
/// Bytes of a WebSocket header before a frame of that size, without a mask.
const WEBSOCKET_BYTES: usize = 4;
/// Full messages in a row that make a stream steady: 46 ms of a paced agent's.
const STEADY: u32 = 32;
/// What one short message takes from a row: agents cut streams at their own boundaries now and then.
const SHORT_COSTS: u32 = 16;
/// Rows are not counted beyond that, so that a stream which ends is no longer steady soon.
const LONGEST_ROW: u32 = 48;
/// How long messages are gathered when they go on as before.
const GATHER: Duration = Duration::from_millis(14);
/// How long they are at most, when they do not.
const AT_MOST: Duration = Duration::from_millis(20);
/// Most messages waited for, which are read with one call.
const MOST: usize = 16;

/// Whether received messages are worth waiting for more.
#[derive(Debug, Default)]
pub(crate) struct Coalescing {
    /// Full messages in a row.
    row: u32,
    /// When the last message of a row came.
    last: Duration,
    /// Until when is waited at most, while it is.
    until: Option<Duration>,
}

impl Coalescing {
    /// Frames of these sizes were received at once. Bytes that the socket should have before it is read again, or the
    /// time of [`deadline`](Self::deadline) has come; `None` to read whatever comes.
    pub(crate) fn received(&mut self, now: Duration, frames: impl Iterator<Item = usize>) -> Option<usize> {
        let (mut count, mut bytes) = (0, 0);
        for frame in frames {
            count += 1;
            bytes += frame + WEBSOCKET_BYTES;
            self.row = if frame >= FULL_FRAME {
                (self.row + 1).min(LONGEST_ROW)
            } else {
                self.row.saturating_sub(SHORT_COSTS)
            };
        }
        let took = now.saturating_sub(std::mem::replace(&mut self.last, now));
        self.until = None;
        if count == 0 || self.row < STEADY {
            return None;
        }
        // As many as come in the time for gathering at the rate of these.
        let expected = GATHER.as_nanos().saturating_mul(count as u128) / took.as_nanos().max(1);
        let expected = usize::try_from(expected).unwrap_or(MOST).min(MOST);
        if expected < 2 {
            return None;
        }
        self.until = Some(now + AT_MOST);
        Some(bytes / count * expected)
    }

    /// Something was sent to the node, whose answer is not to wait.
    pub(crate) fn asked(&mut self) {
        self.row = 0;
        self.until = None;
    }

    /// When to read whatever is there; `None` while nothing is waited for.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.until
    }

    /// True when the time is over: what is there is to be read now.
    pub(crate) fn is_over(&mut self, now: Duration) -> bool {
        let is_over = self.until.is_some_and(|until| until <= now);
        if is_over {
            // The stream is slower than it was, or has ended.
            self.asked();
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: usize = HEADER_BYTES + 1024;

    fn us(time: u64) -> Duration {
        Duration::from_micros(time)
    }

    /// A stream that sends a message each `every`, read as it is asked for; how many were read at once at last.
    fn stream(coalescing: &mut Coalescing, from: Duration, every: Duration, messages: usize) -> usize {
        let (mut there, mut wanted, mut last) = (0, 1, 0);
        for message in 1..=messages {
            let now = from + every * u32::try_from(message).unwrap();
            there += 1;
            if there < wanted && !coalescing.is_over(now) {
                continue;
            }
            last = there;
            let mark = coalescing.received(now, std::iter::repeat_n(FULL, there));
            wanted = mark.map_or(1, |mark| mark.div_ceil(FULL + WEBSOCKET_BYTES));
            there = 0;
        }
        last
    }

    #[test]
    fn a_paced_stream_is_read_several_messages_at_a_time_once_it_is_steady() {
        let mut coalescing = Coalescing::default();
        assert_eq!(stream(&mut coalescing, us(0), us(1450), 31), 1);
        assert_eq!(coalescing.deadline(), None);
        assert_eq!(stream(&mut coalescing, us(50_000), us(1450), 200), 9);
        assert!(coalescing.deadline().is_some());
    }

    #[test]
    fn a_fast_stream_is_read_up_to_the_bound_and_a_slow_one_as_it_comes() {
        let mut coalescing = Coalescing::default();
        assert_eq!(stream(&mut coalescing, us(0), us(40), 1000), MOST);
        let mut coalescing = Coalescing::default();
        assert_eq!(stream(&mut coalescing, us(0), us(8000), 1000), 1);
        assert_eq!(coalescing.deadline(), None);
    }

    #[test]
    fn what_is_asked_is_not_answered_late() {
        let mut coalescing = Coalescing::default();
        stream(&mut coalescing, us(0), us(1450), 64);
        assert!(coalescing.deadline().is_some());
        coalescing.asked();
        assert_eq!(coalescing.deadline(), None);
        assert_eq!(coalescing.received(us(200_000), std::iter::once(FULL)), None);
    }

    #[test]
    fn short_messages_in_a_row_end_the_waiting_and_one_alone_does_not_for_long() {
        let mut coalescing = Coalescing::default();
        stream(&mut coalescing, us(0), us(1000), 64);
        assert!(coalescing.received(us(65_000), [FULL, HEADER_BYTES + 8].into_iter()).is_some());
        assert_eq!(coalescing.received(us(66_000), std::iter::once(HEADER_BYTES + 1)), None);
        assert_eq!(stream(&mut coalescing, us(66_000), us(1000), 17), 1);
        assert!(coalescing.deadline().is_some());
    }

    #[test]
    fn a_stream_that_stops_is_waited_for_no_longer_than_the_bound() {
        let mut coalescing = Coalescing::default();
        stream(&mut coalescing, us(0), us(1000), 64);
        let until = coalescing.deadline().unwrap();
        assert!(until <= us(64_000) + AT_MOST);
        assert!(!coalescing.is_over(until - us(1)));
        assert!(coalescing.is_over(until));
        assert_eq!((coalescing.deadline(), coalescing.is_over(until)), (None, false));
        assert_eq!(coalescing.received(until, std::iter::once(FULL)), None);
    }
}
