//! The sending half of a mux session.

use bytes::{Buf, Bytes};

use crate::moment::Moment;

use super::config::MuxFinish;
use super::event::{MuxEvent, MuxWriteError};
use super::frame::{MUX_MAX_DATA_BYTES, MuxFrame, MuxStreamId};
use super::stream::Phase;
use super::{Control, MuxSession};

impl MuxSession {
    /// Takes as many of `bytes` as the stream's send budget has room for and says how many. Less than all of them
    /// means that `Writable` will come.
    ///
    /// # Errors
    /// When the stream is over or was finished here.
    pub fn write(&mut self, now: Moment, id: MuxStreamId, bytes: &[u8]) -> Result<usize, MuxWriteError> {
        let stream = self.streams.get_mut(&id).ok_or(MuxWriteError::Over)?;
        match stream.phase {
            Phase::Open => {}
            Phase::Finishing => return Err(MuxWriteError::Finished),
            Phase::Over => return Err(MuxWriteError::Over),
        }
        let room = self.config.send_budget_bytes.max(1).saturating_sub(stream.unsent.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        stream.is_writer_blocked |= taken.len() < bytes.len();
        if !taken.is_empty() {
            if stream.unsent.is_empty() {
                self.ready.push_back(id);
            }
            stream.unsent.extend_from_slice(taken);
            stream.active_at = now.elapsed;
        }
        Ok(taken.len())
    }

    /// Says that nothing more will be written to the stream. FIN follows by the rule in the configuration. Streams
    /// that are over, unknown or finished already are left alone.
    pub fn finish(&mut self, now: Moment, id: MuxStreamId) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.phase == Phase::Open) else {
            return;
        };
        stream.phase = Phase::Finishing;
        self.finishing += 1;
        stream.active_at = now.elapsed;
        if stream.unsent.is_empty() {
            self.release_if_due(id);
        }
    }

    /// The next bytes for the peer, at most `max` of them; `None` when there is nothing to send or `max` is 0.
    pub fn poll_transmit(&mut self, now: Moment, max: usize) -> Option<Bytes> {
        while self.outbox.len() < max && self.encode_next(now) {}
        let out = self.outbox.split_to(self.outbox.len().min(max)).freeze();
        self.stats.bytes_out += out.len() as u64;
        (!out.is_empty()).then_some(out)
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) has something to give.
    pub fn wants_transmit(&self) -> bool {
        !(self.outbox.is_empty() && self.control.is_empty() && self.ready.is_empty())
    }

    fn encode_next(&mut self, now: Moment) -> bool {
        if let Some(control) = self.control.pop_front() {
            let frame = match control {
                Control::Syn(id) => MuxFrame::Syn(id),
                Control::Fin(id) => MuxFrame::Fin(id),
                Control::Nop => MuxFrame::Nop,
            };
            frame.encode_into(&mut self.outbox);
            return true;
        }
        while let Some(id) = self.ready.pop_front() {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            let length = stream.unsent.len().min(self.config.frame_bytes.clamp(1, MUX_MAX_DATA_BYTES));
            let data = stream.unsent.get(..length).unwrap_or(&stream.unsent);
            MuxFrame::Data(id, data).encode_into(&mut self.outbox);
            stream.unsent.advance(length);
            stream.active_at = now.elapsed;
            self.stats.data_bytes_out += length as u64;
            if stream.is_writer_blocked && stream.unsent.len() <= self.config.send_budget_bytes / 2 {
                stream.is_writer_blocked = false;
                if stream.phase == Phase::Open {
                    self.events.push_back(MuxEvent::Writable(id));
                }
            }
            if stream.unsent.is_empty() {
                self.release_if_due(id);
            } else {
                self.ready.push_back(id);
            }
            return true;
        }
        false
    }

    /// FIN at once after the last byte, if that is the rule.
    fn release_if_due(&mut self, id: MuxStreamId) {
        let is_finishing = self.streams.get(&id).is_some_and(|stream| stream.phase == Phase::Finishing);
        if is_finishing && self.config.finish == MuxFinish::AtOnce && self.end(id) {
            self.events.push_back(MuxEvent::Released(id));
            self.push_control(Control::Fin(id));
        }
    }
}
