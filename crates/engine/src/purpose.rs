//! What a session is for: where its input comes from and where its output goes. One driver serves all purposes.

mod basic;
mod lane;
mod meter;
mod mux;
mod program;
mod stdio;

use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{ClientChannel, DataStream, Moment, SessionKind};

use crate::shared::Shared;
use crate::state::{EndReason, SessionState};

pub(crate) use lane::{Lane, LaneReport};
pub(crate) use program::Program;
pub(crate) use stdio::Stdio;

/// What the client put into one message at least: with less room than that the window is left to open further, so
/// that it is not refilled byte by byte.
pub(crate) const FULL_MESSAGE_BYTES: usize = 1024;

/// What a purpose may use while it is called.
pub(crate) struct Io<'a> {
    pub(crate) channel: &'a mut ClientChannel,
    pub(crate) shared: &'a Shared,
    pub(crate) now: Moment,
    /// Set when something was sent that the node should answer.
    pub(crate) has_asked: &'a mut bool,
}

impl Io<'_> {
    /// What the session carried broke: it ends with that cause.
    pub(crate) fn give_up(&mut self, why: String) {
        self.shared.set(SessionState::Ended(EndReason::Unusable { why }));
        self.channel.close(self.now);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now.elapsed
    }

    /// Sends as much as the window takes and says how much that was.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> usize {
        *self.has_asked = true;
        self.channel.send(self.now, bytes)
    }
}

/// What the agent said when the session started.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) kind: SessionKind,
    /// Unknown without a handshake.
    pub(crate) agent_version: Option<String>,
    /// Document properties of port sessions; null otherwise.
    pub(crate) properties: serde_json::Value,
}

/// A session is of no use to its purpose: why, in words that go on after "the session cannot be used:".
pub(crate) struct Unusable(pub(crate) String);

/// The purposes of sessions.
pub(crate) enum Purpose {
    /// A program with terminal or streams: shells and commands.
    Program(Program),
    /// One connection on standard input and output.
    Stdio(Stdio),
    /// Flows of a forward.
    Lane(Box<Lane>),
}

macro_rules! each {
    ($self:expr, $purpose:ident => $call:expr) => {
        match $self {
            Purpose::Program($purpose) => $call,
            Purpose::Stdio($purpose) => $call,
            Purpose::Lane($purpose) => $call,
        }
    };
}

impl Purpose {
    /// The session runs.
    pub(crate) fn started(&mut self, io: &mut Io<'_>, started: &Started) -> Result<(), Unusable> {
        match self {
            Self::Program(_) => Program::started(started),
            Self::Stdio(stdio) => stdio.started(io, started),
            Self::Lane(lane) => lane.started(io, started),
        }
    }

    /// Bytes from the node, in order. To be `consumed` by the channel when they are passed on.
    pub(crate) fn data(&mut self, io: &mut Io<'_>, stream: DataStream, bytes: Bytes) {
        each!(self, purpose => purpose.data(io, stream, bytes));
    }

    /// The command exited.
    pub(crate) fn exit_code(&mut self, io: &mut Io<'_>, code: i32) {
        match self {
            Self::Program(program) => program.exit_code(io, code),
            Self::Stdio(_) | Self::Lane(_) => {
                tracing::debug!(code, "exit status of a session that has no command")
            }
        }
    }

    /// A flag of the agent.
    pub(crate) fn flag(&mut self, io: &mut Io<'_>, flag: u32) {
        match self {
            Self::Lane(lane) => lane.flag(io, flag),
            Self::Program(_) | Self::Stdio(_) => tracing::debug!(flag, "flag of no use to this session"),
        }
    }

    /// Moves what can be moved without waiting.
    pub(crate) fn step(&mut self, io: &mut Io<'_>) {
        each!(self, purpose => purpose.step(io));
    }

    /// Waits until [`Self::step`] may have something to do. `has_room`: the channel takes a full message. Cancel safe.
    pub(crate) async fn wake(&mut self, has_room: bool) {
        each!(self, purpose => purpose.wake(has_room).await);
    }

    /// When [`Self::step`] must be called at the latest.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        each!(self, purpose => purpose.deadline())
    }

    /// Whether it has all it wanted, so that a lost socket need not be replaced.
    pub(crate) fn is_fulfilled(&self) -> bool {
        each!(self, purpose => purpose.is_fulfilled())
    }

    /// Whether the service has had its time to close the channel of a session that has fulfilled its purpose.
    pub(crate) fn is_over(&self, now: Duration) -> bool {
        self.is_fulfilled() && self.deadline().is_some_and(|at| at <= now)
    }

    /// Whether another session can take its place, so that one whose node is dead is of no use.
    pub(crate) fn is_replaceable(&self) -> bool {
        matches!(self, Self::Lane(_))
    }

    /// The user ends the session: what may be said to the agent is said now. How long the service may take to close
    /// the channel in answer; `None` when none is awaited.
    pub(crate) fn say_goodbye(&mut self, io: &mut Io<'_>) -> Option<Duration> {
        match self {
            Self::Program(_) => None,
            Self::Stdio(stdio) => stdio.say_goodbye(io),
            Self::Lane(lane) => lane.say_goodbye(io),
        }
    }
}
