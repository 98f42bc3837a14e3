//! Many byte streams over one data channel: smux version 1 (protocol.md 8.5).

mod config;
mod event;
mod frame;
mod gates;
mod receiving;
mod sending;
mod stats;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use bytes::BytesMut;

use crate::moment::Moment;

pub use config::{MuxConfig, MuxFinish, MuxKeepAlive, MuxRole};
pub use event::{MuxCloseReason, MuxEvent, MuxOpenError, MuxResetReason, MuxWriteError};
pub use frame::{
    MUX_HEADER_BYTES, MUX_MAX_DATA_BYTES, MuxDecoder, MuxFrame, MuxFrameError, MuxPart, MuxStreamId,
};
pub use gates::{
    agent_keeps_mux_alive, agent_runs_mux, client_keeps_mux_alive, client_runs_mux,
    client_sends_terminate_flag,
};
pub use stats::MuxStats;

use stream::{Phase, Stream};

/// The id before the first one a client uses.
const BEFORE_FIRST_ID: u32 = 1;

/// One end of a mux session, sans-IO. Bytes of the peer go into [`handle_bytes`](Self::handle_bytes) as they come,
/// cut anywhere; bytes for the peer come from [`poll_transmit`](Self::poll_transmit).
///
/// After every call: take events until `None`, transmit while the carrier has room, and re-arm the timer.
///
/// # Sending
/// Each stream has a send budget; [`write`](Self::write) takes what fits and the event `Writable` says when to go on.
/// Streams with something to send take turns of one frame each. New streams and ends go first.
///
/// # Receiving
/// smux has no flow control: a peer sends until the carrier stops it, and that stops all streams. So that one slow
/// reader does not stop the others, data is always taken, within budgets:
///
/// - While all streams together leave less than the session budget unconsumed, a stream may have as much of it as it
///   likes.
/// - Beyond that, the stream that is furthest beyond its own budget is reset, with the reason
///   [`Overrun`](MuxResetReason::Overrun): its `Data` events that were not taken are dropped and FIN tells the peer.
///   Never does such a stream look as if the peer had finished.
/// - A stream within its own budget is never reset, so at most `max_streams` stream budgets and one session budget
///   are held.
///
/// Who would rather slow the peer down than lose a stream, for one with a single bulk transfer, stops handing in
/// bytes while [`receive_room`](Self::receive_room) is 0.
///
/// # Ends
/// [`finish`](Self::finish) follows [`MuxFinish`]. FIN of the peer ends a stream in both directions. All reasons a
/// stream or the session can end for are events with a name.
pub struct MuxSession {
    config: MuxConfig,
    decoder: MuxDecoder,
    streams: BTreeMap<MuxStreamId, Stream>,
    last_id: u32,
    /// Streams that this side has finished and that are not over.
    finishing: usize,
    /// Sum of what all streams hold.
    unconsumed: usize,
    events: VecDeque<MuxEvent>,
    /// Frames without data, to send before all data.
    control: VecDeque<Control>,
    /// Streams with something to send, each once, in order of turn.
    ready: VecDeque<MuxStreamId>,
    /// Encoded and not given out.
    outbox: BytesMut,
    next_nop: Option<Duration>,
    dead_at: Option<Duration>,
    closed: Option<MuxCloseReason>,
    stats: MuxStats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Syn(MuxStreamId),
    Fin(MuxStreamId),
    Nop,
}

impl fmt::Debug for MuxSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MuxSession")
            .field("role", &self.config.role)
            .field("streams", &self.streams.len())
            .field("unconsumed_bytes", &self.unconsumed)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl MuxSession {
    /// A session without streams. The timers of a keep-alive start now.
    pub fn new(now: Moment, config: MuxConfig) -> Self {
        let keep_alive = config.keep_alive;
        Self {
            config,
            decoder: MuxDecoder::new(),
            streams: BTreeMap::new(),
            last_id: BEFORE_FIRST_ID,
            finishing: 0,
            unconsumed: 0,
            events: VecDeque::new(),
            control: VecDeque::new(),
            ready: VecDeque::new(),
            outbox: BytesMut::new(),
            next_nop: keep_alive.map(|k| now.elapsed + k.interval),
            dead_at: keep_alive.map(|k| now.elapsed + k.timeout),
            closed: None,
            stats: MuxStats::default(),
        }
    }

    /// Opens a stream. Data may follow at once: smux has no answer to an open.
    ///
    /// # Errors
    /// When the session is over or not a client's, or streams or ids are used up.
    pub fn open(&mut self, now: Moment) -> Result<MuxStreamId, MuxOpenError> {
        if self.closed.is_some() {
            return Err(MuxOpenError::Closed);
        }
        if self.config.role == MuxRole::Server {
            return Err(MuxOpenError::NotAClient);
        }
        let limit = self.config.max_streams;
        if self.streams.len() >= limit || self.control.len() >= limit.saturating_mul(2) {
            return Err(MuxOpenError::TooManyStreams { limit });
        }
        self.last_id = self.last_id.checked_add(2).ok_or(MuxOpenError::IdsExhausted)?;
        let id = MuxStreamId(self.last_id);
        self.streams.insert(id, Stream::new(now.elapsed));
        self.stats.streams_opened += 1;
        self.push_control(Control::Syn(id));
        Ok(id)
    }

    /// Ends a stream at once: what was written and not sent is dropped, what the peer sends is not taken, and FIN
    /// goes out. No event follows. Streams that are over or unknown are left alone.
    pub fn reset(&mut self, id: MuxStreamId) {
        if self.end(id) {
            self.drop_events_of(id);
            self.stats.streams_reset += 1;
            self.push_control(Control::Fin(id));
        }
    }

    /// Ends the session and with it all streams. smux has no frame for that: the carrier must be ended too.
    pub fn close(&mut self) {
        self.close_for(MuxCloseReason::ByOwner);
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<MuxEvent> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, as [`Moment::elapsed`]. Changes with every
    /// call.
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.closed.is_some() {
            return None;
        }
        let idle = self.idle_grace().filter(|_| self.finishing > 0).and_then(|grace| {
            let waiting = self.streams.values().filter(|stream| stream.is_waiting_for_peer());
            waiting.map(|stream| stream.active_at.saturating_add(grace)).min()
        });
        [self.next_nop, self.dead_at, idle].into_iter().flatten().min()
    }

    /// Does what is due: keep-alives, the end of a silent session, FIN of streams whose idle grace is over.
    pub fn handle_timeout(&mut self, now: Moment) {
        if self.closed.is_some() {
            return;
        }
        if let Some(keep_alive) = self.config.keep_alive {
            self.check_peer(now.elapsed, keep_alive);
            if self.next_nop.is_some_and(|at| at <= now.elapsed) {
                self.next_nop = Some(now.elapsed + keep_alive.interval);
                if !self.control.contains(&Control::Nop) {
                    self.push_control(Control::Nop);
                    self.stats.nops_out += 1;
                }
            }
        }
        let Some(grace) = self.idle_grace().filter(|_| self.finishing > 0) else { return };
        let is_idle = |stream: &Stream| {
            stream.is_waiting_for_peer() && stream.active_at.saturating_add(grace) <= now.elapsed
        };
        let idle: Vec<MuxStreamId> =
            self.streams.iter().filter(|(_, stream)| is_idle(stream)).map(|(id, _)| *id).collect();
        for id in idle {
            self.reset_for(id, MuxResetReason::IdleAfterFinish);
        }
    }

    /// A silent peer is dead, unless it may be silent because this side takes nothing.
    fn check_peer(&mut self, now: Duration, keep_alive: MuxKeepAlive) {
        if self.dead_at.is_some_and(|at| at <= now) {
            if self.receive_room() > 0 {
                self.close_for(MuxCloseReason::PeerSilent);
            } else {
                self.dead_at = Some(now + keep_alive.timeout);
            }
        }
    }

    /// Why the session is over; `None` while it is not.
    pub fn closed(&self) -> Option<MuxCloseReason> {
        self.closed
    }

    /// Streams that are not over.
    pub fn open_streams(&self) -> usize {
        self.streams.values().filter(|stream| stream.phase != Phase::Over).count()
    }

    /// What was counted so far.
    pub fn stats(&self) -> MuxStats {
        self.stats
    }

    fn idle_grace(&self) -> Option<Duration> {
        match self.config.finish {
            MuxFinish::AtOnce => None,
            MuxFinish::AfterPeer { idle_grace } => Some(idle_grace),
        }
    }

    /// Queues a frame without data. [`open`](Self::open) leaves room for one more of each stream, so that a full queue
    /// is the peer's doing.
    fn push_control(&mut self, control: Control) {
        if self.control.len() > 4 * self.config.max_streams.saturating_add(4) {
            self.close_for(MuxCloseReason::Flooded);
        } else if self.closed.is_none() {
            self.control.push_back(control);
        }
    }

    fn reset_for(&mut self, id: MuxStreamId, reason: MuxResetReason) {
        if self.end(id) {
            if matches!(reason, MuxResetReason::Overrun { .. }) {
                self.drop_events_of(id);
            }
            self.stats.streams_reset += 1;
            self.events.push_back(MuxEvent::Reset { id, reason });
            self.push_control(Control::Fin(id));
        }
    }

    /// Takes a stream off the wire; false if it was not on it.
    fn end(&mut self, id: MuxStreamId) -> bool {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.phase != Phase::Over) else {
            return false;
        };
        if std::mem::replace(&mut stream.phase, Phase::Over) == Phase::Finishing {
            self.finishing -= 1;
        }
        stream.is_writer_blocked = false;
        if !std::mem::take(&mut stream.unsent).is_empty() {
            self.ready.retain(|ready| *ready != id);
        }
        self.forget_if_consumed(id);
        true
    }

    /// Drops what the owner has not taken yet of a stream that is reset, and forgets what it has taken.
    fn drop_events_of(&mut self, id: MuxStreamId) {
        self.events.retain(|event| match event {
            MuxEvent::Data { id: of, .. } | MuxEvent::Writable(of) => *of != id,
            _ => true,
        });
        if let Some(stream) = self.streams.remove(&id) {
            self.unconsumed -= stream.unconsumed;
        }
    }

    fn forget_if_consumed(&mut self, id: MuxStreamId) {
        if self.streams.get(&id).is_some_and(|stream| stream.phase == Phase::Over && stream.unconsumed == 0) {
            self.streams.remove(&id);
        }
    }

    fn close_for(&mut self, reason: MuxCloseReason) {
        if self.closed.is_none() {
            self.closed = Some(reason);
            self.streams.clear();
            self.finishing = 0;
            self.unconsumed = 0;
            self.control.clear();
            self.ready.clear();
            self.outbox = BytesMut::new();
            self.events.push_back(MuxEvent::Closed(reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stream_is_opened_when_the_ids_are_used_up() {
        let mut client = MuxSession::new(Moment::default(), MuxConfig::client());
        client.last_id = u32::MAX - 2;
        assert_eq!(client.open(Moment::default()), Ok(MuxStreamId(u32::MAX)));
        for _ in 0..2 {
            assert_eq!(client.open(Moment::default()), Err(MuxOpenError::IdsExhausted));
        }
    }
}
