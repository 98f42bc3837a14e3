//! A lane that carries one flow at a time: agents that cannot multiplex, and documents that do not (protocol.md 8.3).
//!
//! # Bytes of one connection never reach the next
//!
//! The agent connects when the session starts, and after a disconnect flag again when the next input comes. Nothing
//! marks where the bytes of one of its connections end and those of the next begin. So after the flag the lane waits
//! until the agent has acknowledged it, and then until nothing has come for longer than a retransmission takes. What
//! comes until then, or before the next connection has sent anything, is of the earlier one: it is dropped, and its
//! length is noted. A lane on which bytes come after that time is given up.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::lane::Ends;
use super::meter::Meter;
use super::{FULL_MESSAGE_BYTES, Io};
use crate::forward::{DownEnd, Load, Pipe, UpEnd};

/// Longer than the agent's longest retransmission time-out, 1 s, and the 100 ms after which it looks
/// (protocol.md 6.1).
const QUIET: Duration = Duration::from_millis(1200);
/// How long nothing may come for a program that has finished sending, before the connection is ended. The agent does
/// not tell that the target has closed.
const FINISH_GRACE: Duration = Duration::from_secs(2);

/// The one flow of a lane, if there is one.
pub(super) struct BasicLane {
    phase: Phase,
    /// Bytes of the target's that came before anybody connected.
    greeting: VecDeque<Bytes>,
    meter: Meter,
}

enum Phase {
    /// The agent has connected by itself, and nobody has used the connection.
    Fresh,
    Carrying(Carried),
    /// The agent was told to disconnect and has not acknowledged it.
    Disconnecting,
    /// It has; what comes now is late.
    Quiet {
        until: Duration,
    },
    /// The next input makes the agent connect again.
    Clean,
}

struct Carried {
    pipe: Arc<Pipe>,
    /// Whether the agent has been made to connect for it.
    has_connection: bool,
    /// Given to the flow and not returned to the channel.
    unreturned: usize,
    /// Since when nothing happened; counts once the program has finished.
    quiet_since: Duration,
    is_finished: bool,
}

impl BasicLane {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Fresh, greeting: VecDeque::new(), meter: Meter::default() }
    }

    pub(super) fn data(&mut self, io: &mut Io<'_>, bytes: Bytes) {
        let now = io.elapsed();
        self.meter.down(now, bytes.len());
        match &mut self.phase {
            Phase::Fresh => self.greeting.push_back(bytes),
            Phase::Carrying(carried) if carried.has_connection => carried.give(io, bytes),
            Phase::Carrying(_) | Phase::Clean => {
                let length = bytes.len();
                io.channel.consumed(io.now, length);
                io.give_up(format!("{length} bytes of an earlier connection came too late to be told apart"));
            }
            Phase::Disconnecting => drop_late(io, &bytes),
            Phase::Quiet { until } => {
                *until = now + QUIET;
                drop_late(io, &bytes);
            }
        }
    }

    pub(super) fn step(
        &mut self,
        io: &mut Io<'_>,
        ends: &Ends,
        arrivals: &mut VecDeque<Arc<Pipe>>,
    ) -> Option<Load> {
        let now = io.elapsed();
        match self.phase {
            Phase::Disconnecting if io.channel.unacked_bytes() == 0 => {
                self.phase = Phase::Quiet { until: now + QUIET };
            }
            Phase::Quiet { until } if until <= now => self.phase = Phase::Clean,
            _ => {}
        }
        self.attach(io, ends, arrivals);
        if let Phase::Carrying(carried) = &mut self.phase
            && carried.step(io, &mut self.meter)
        {
            let end = DownEnd::Finished { undelivered: 0 };
            carried.pipe.end_down(end);
            io.channel.consumed(io.now, std::mem::take(&mut carried.unreturned));
            io.channel.disconnect_flag(io.now);
            self.phase = Phase::Disconnecting;
        }
        let busy_flows = usize::from(matches!(self.phase, Phase::Carrying(_)));
        self.meter.poll(now).map(|load| Load { busy_flows, ..load })
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Quiet { until } => Some(*until),
            Phase::Carrying(carried) if carried.is_finished => Some(carried.quiet_since + FINISH_GRACE),
            _ => None,
        }
    }

    pub(super) fn take_flow(&mut self) -> Option<Arc<Pipe>> {
        match std::mem::replace(&mut self.phase, Phase::Clean) {
            Phase::Carrying(carried) => Some(carried.pipe),
            _ => None,
        }
    }

    fn attach(&mut self, io: &mut Io<'_>, ends: &Ends, arrivals: &mut VecDeque<Arc<Pipe>>) {
        while matches!(self.phase, Phase::Fresh | Phase::Clean) {
            let Some(pipe) = arrivals.pop_front() else { return };
            if pipe.is_over() {
                continue;
            }
            pipe.attach(ends.id, ends.inbox.clone(), 1);
            let mut carried = Carried {
                pipe,
                has_connection: matches!(self.phase, Phase::Fresh),
                unreturned: 0,
                quiet_since: io.elapsed(),
                is_finished: false,
            };
            for bytes in self.greeting.drain(..) {
                carried.give(io, bytes);
            }
            self.phase = Phase::Carrying(carried);
        }
    }
}

impl Carried {
    fn give(&mut self, io: &mut Io<'_>, bytes: Bytes) {
        self.quiet_since = io.elapsed();
        self.unreturned += bytes.len();
        let written = self.pipe.push_down(bytes);
        self.give_back(io, written);
        self.pipe.wake_flow();
    }

    fn give_back(&mut self, io: &mut Io<'_>, written: usize) {
        let written = written.min(self.unreturned);
        if written > 0 {
            self.unreturned -= written;
            io.channel.consumed(io.now, written);
        }
    }

    /// True when the flow is over.
    fn step(&mut self, io: &mut Io<'_>, meter: &mut Meter) -> bool {
        self.pipe.clear_signal();
        let written = self.pipe.take_written(true);
        if written > 0 {
            self.quiet_since = io.elapsed();
        }
        self.give_back(io, written);
        if self.pipe.is_over() {
            return true;
        }
        let pipe = self.pipe.clone();
        let mut moved = 0;
        let end = pipe.drain_up(|bytes| {
            let room = io.channel.send_capacity();
            // A full window is not refilled byte by byte.
            let taken = if room < bytes.len().min(FULL_MESSAGE_BYTES) { 0 } else { io.send(bytes) };
            moved += taken;
            taken
        });
        if moved > 0 {
            self.has_connection = true;
            self.quiet_since = io.elapsed();
            meter.up(io.elapsed(), moved);
        }
        if end == UpEnd::Finished && io.channel.unacked_bytes() == 0 && self.unreturned == 0 {
            if !std::mem::replace(&mut self.is_finished, true) {
                self.quiet_since = io.elapsed();
            }
            return io.elapsed() >= self.quiet_since + FINISH_GRACE;
        }
        self.is_finished = false;
        false
    }
}

fn drop_late(io: &mut Io<'_>, bytes: &Bytes) {
    io.shared
        .history
        .note(format!("{} bytes came after their connection was over and were dropped", bytes.len()));
    io.channel.consumed(io.now, bytes.len());
}
