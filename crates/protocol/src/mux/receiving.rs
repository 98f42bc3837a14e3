//! The receiving half of a mux session.

use bytes::Bytes;

use crate::moment::Moment;

use super::config::MuxRole;
use super::event::{MuxCloseReason, MuxEvent, MuxResetReason};
use super::frame::{MuxPart, MuxStreamId};
use super::stream::{Phase, Stream};
use super::{Control, MuxSession};

impl MuxSession {
    /// Takes bytes of the peer, in order and cut anywhere. After the session is over they are ignored.
    pub fn handle_bytes(&mut self, now: Moment, mut bytes: Bytes) {
        if self.closed.is_some() {
            return;
        }
        self.stats.bytes_in += bytes.len() as u64;
        while self.closed.is_none() {
            match self.decoder.next(&mut bytes) {
                Ok(Some(part)) => {
                    self.dead_at = self.config.keep_alive.map(|k| now.elapsed + k.timeout);
                    self.handle_part(now, part);
                }
                Ok(None) => return,
                Err(error) => self.close_for(MuxCloseReason::Frame(error)),
            }
        }
    }

    /// The owner is done with that many data bytes of a stream, which may be over. More than it has count as all.
    pub fn consumed(&mut self, now: Moment, id: MuxStreamId, bytes: usize) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let freed = stream.unconsumed.min(bytes);
        stream.unconsumed -= freed;
        stream.active_at = now.elapsed;
        self.unconsumed -= freed;
        self.forget_if_consumed(id);
    }

    /// How many data bytes may come before a slow stream can be reset.
    pub fn receive_room(&self) -> usize {
        self.config.session_budget_bytes.saturating_sub(self.unconsumed)
    }

    /// Received bytes of a stream that are not consumed; 0 for unknown ones.
    pub fn unconsumed_bytes(&self, id: MuxStreamId) -> usize {
        self.streams.get(&id).map_or(0, |stream| stream.unconsumed)
    }

    fn handle_part(&mut self, now: Moment, part: MuxPart) {
        match part {
            MuxPart::Syn(id) => self.handle_syn(now, id),
            MuxPart::Fin(id) => self.handle_fin(id),
            MuxPart::Data(id, bytes) => self.handle_data(now, id, bytes),
            MuxPart::Nop => self.stats.nops_in += 1,
            MuxPart::WindowUpdate => self.stats.window_updates_in += 1,
        }
    }

    /// A stream that exists is left as it is, as the official peers do (protocol.md 8.5). Refused ones get FIN, so
    /// that nobody waits for them.
    fn handle_syn(&mut self, now: Moment, id: MuxStreamId) {
        if self.streams.contains_key(&id) {
            return;
        }
        if self.config.role == MuxRole::Client || self.streams.len() >= self.config.max_streams {
            self.stats.streams_refused += 1;
            self.push_control(Control::Fin(id));
            return;
        }
        self.streams.insert(id, Stream::new(now.elapsed));
        self.stats.streams_opened += 1;
        self.events.push_back(MuxEvent::Opened(id));
    }

    /// The peer has forgotten the stream, so what is unsent is of no use; FIN is the answer the peers give.
    fn handle_fin(&mut self, id: MuxStreamId) {
        let unsent_bytes = self.streams.get(&id).map_or(0, |stream| stream.unsent.len());
        if self.end(id) {
            self.stats.streams_finished += 1;
            self.events.push_back(MuxEvent::Finished { id, unsent_bytes });
            self.push_control(Control::Fin(id));
        }
    }

    fn handle_data(&mut self, now: Moment, id: MuxStreamId, bytes: Bytes) {
        let length = bytes.len();
        if !self.is_on_wire(id) || !self.make_room(id, length) {
            self.stats.stray_bytes += length as u64;
            return;
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.unconsumed += length;
            stream.active_at = now.elapsed;
            self.unconsumed += length;
            self.stats.data_bytes_in += length as u64;
            self.events.push_back(MuxEvent::Data { id, bytes });
        }
    }

    fn is_on_wire(&self, id: MuxStreamId) -> bool {
        self.streams.get(&id).is_some_and(|stream| stream.phase != Phase::Over)
    }

    /// Resets streams that are beyond their budget, the worst first, until `coming` more bytes of a stream fit or
    /// none is left. False if that stream was among them.
    fn make_room(&mut self, id: MuxStreamId, coming: usize) -> bool {
        while self.unconsumed.saturating_add(coming) > self.config.session_budget_bytes {
            let held =
                self.streams.iter().filter(|(_, stream)| stream.phase != Phase::Over).map(|(of, stream)| {
                    let more = if *of == id { coming } else { 0 };
                    (stream.unconsumed.saturating_add(more), *of)
                });
            let Some((unconsumed_bytes, worst)) =
                held.filter(|(bytes, _)| *bytes > self.config.stream_budget_bytes).max()
            else {
                return true;
            };
            self.reset_for(worst, MuxResetReason::Overrun { unconsumed_bytes });
            if worst == id {
                return false;
            }
        }
        true
    }
}
