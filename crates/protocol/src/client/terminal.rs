//! When the terminal's size is told to the agent (protocol.md 5.7 and 7.2).

use crate::channel::Channel;
use crate::frame::PayloadType;
use crate::json::TerminalSize;
use crate::session_kind::SessionKind;

/// Keeps the agent's idea of the terminal size right.
///
/// A size goes out right after the first open (an agent without a handshake leaves it unacknowledged until the pty
/// exists and applies it before the first prompt), again after HandshakeComplete (a handshaking agent acknowledges
/// earlier ones and throws them away), and once more after the first output (an agent may throw away what comes in
/// the very moment of HandshakeComplete). Between these, only changes go out, one unacknowledged message at a time,
/// so that dragging a window against an unresponsive agent queues nothing.
#[derive(Debug)]
pub(super) struct TerminalSync {
    wanted: Option<TerminalSize>,
    sent: Option<Sent>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    seq: i64,
    size: TerminalSize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No socket yet, or a handshake runs, or the session has no terminal.
    Silent,
    /// Before the session type is known.
    Speculative,
    /// The session runs and has printed nothing.
    BeforeOutput,
    /// The session has printed something.
    Settled,
}

impl TerminalSync {
    pub(super) fn new(wanted: Option<TerminalSize>) -> Self {
        Self { wanted, sent: None, stage: Stage::Silent }
    }

    /// The first socket is open.
    pub(super) fn first_opened(&mut self, channel: &mut Channel) {
        self.stage = Stage::Speculative;
        self.update(channel);
    }

    /// The agent began a handshake.
    pub(super) fn handshake_began(&mut self) {
        self.stage = Stage::Silent;
    }

    /// The session runs.
    pub(super) fn started(&mut self, channel: &mut Channel, kind: SessionKind, had_handshake: bool) {
        self.stage = if kind.has_terminal() { Stage::BeforeOutput } else { Stage::Silent };
        if had_handshake {
            self.repeat(channel);
        }
    }

    /// The session printed something.
    pub(super) fn printed(&mut self, channel: &mut Channel) {
        if self.stage == Stage::BeforeOutput {
            self.stage = Stage::Settled;
            self.repeat(channel);
        }
    }

    pub(super) fn resize(&mut self, channel: &mut Channel, size: TerminalSize) {
        self.wanted = Some(size);
        self.update(channel);
    }

    /// Sends the wanted size unless the agent has been told, or is still to acknowledge another one.
    pub(super) fn update(&mut self, channel: &mut Channel) {
        let is_known = self.sent.map(|sent| sent.size) == self.wanted;
        let is_waiting = self.sent.is_some_and(|sent| channel.is_unacked(sent.seq));
        if !is_known && !is_waiting {
            self.repeat(channel);
        }
    }

    fn repeat(&mut self, channel: &mut Channel) {
        if let Some(size) = self.wanted.filter(|_| self.stage != Stage::Silent) {
            let seq = channel.queue(PayloadType::Size, size.encode().as_bytes());
            self.sent = Some(Sent { seq, size });
        }
    }
}
