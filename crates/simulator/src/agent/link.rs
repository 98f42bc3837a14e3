//! The connection between an agent and the relay of its session, in memory and bounded in bytes.

use bytes::Bytes;

use crate::gateway::pipe::{PipeReceiver, PipeSender, pipe};

/// What reaches an agent.
#[derive(Debug)]
pub(crate) enum ToAgent {
    /// A frame.
    Frame(Bytes),
    /// Its connection is lost.
    LinkDown,
    /// Its connection is back.
    LinkUp,
    /// From now on it ignores what the client sends, or takes it again.
    IgnoreInput(bool),
}

/// What an agent says.
#[derive(Debug)]
pub(crate) enum FromAgent {
    /// A frame for the client.
    Frame(Bytes),
    /// The session's program has ended, as `agent_task_complete` reports it.
    Done {
        /// Text for the client; empty after an ordinary end.
        output: String,
        /// Whether the session could not be run.
        failed: bool,
    },
}

/// The relay's end.
#[derive(Debug)]
pub(crate) struct RelayEnd {
    pub(crate) sender: PipeSender<ToAgent>,
    pub(crate) receiver: PipeReceiver<FromAgent>,
    /// Whether the agent still lives.
    pub(crate) open: bool,
}

/// The agent's end.
#[derive(Debug)]
pub(crate) struct AgentEnd {
    pub(crate) sender: PipeSender<FromAgent>,
    pub(crate) receiver: PipeReceiver<ToAgent>,
}

/// Bytes on their way, for each direction.
const LINK_BYTES: usize = 128 * 1024;

pub(crate) fn link() -> (RelayEnd, AgentEnd) {
    let (to_agent, at_agent) = pipe(LINK_BYTES);
    let (to_relay, at_relay) = pipe(LINK_BYTES);
    (
        RelayEnd { sender: to_agent, receiver: at_relay, open: true },
        AgentEnd { sender: to_relay, receiver: at_agent },
    )
}
