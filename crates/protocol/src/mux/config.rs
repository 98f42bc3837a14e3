//! How a mux session behaves.

use std::time::Duration;

/// Which end of the data channel a mux session is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MuxRole {
    /// Opens streams: the client of Session Manager.
    Client,
    /// Accepts streams: the agent.
    Server,
}

/// NOP frames and the time-out that goes with them (protocol.md 8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MuxKeepAlive {
    /// Time between two NOP frames. Default 10 s.
    pub interval: Duration,
    /// Time without any frame of the peer after which the session is dead. Default 30 s.
    pub timeout: Duration,
}

impl Default for MuxKeepAlive {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), timeout: Duration::from_secs(30) }
    }
}

/// What [`finish`](super::MuxSession::finish) does. There is no half-close in smux: the sender of FIN no longer takes
/// data, and its receiver closes both directions (protocol.md 8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MuxFinish {
    /// FIN follows the last byte, and what the peer sends after that is lost. What the official peers do.
    AtOnce,
    /// FIN waits until the peer has finished, so that its answer arrives. The peer does not learn of the half-close.
    AfterPeer {
        /// How long nothing may be sent, received or consumed on the stream before FIN is sent all the same.
        idle_grace: Duration,
    },
}

/// How a mux session behaves. Made by [`MuxConfig::client`] or [`MuxConfig::server`], then changed field by field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MuxConfig {
    /// Which end this is.
    pub role: MuxRole,
    /// Keep-alives, or none. Both ends must agree: see [`client_keeps_mux_alive`](crate::client_keeps_mux_alive) and
    /// [`agent_keeps_mux_alive`](crate::agent_keeps_mux_alive). Default none, as all current peers.
    pub keep_alive: Option<MuxKeepAlive>,
    /// When FIN is sent. Default for clients: after the peer, with 30 s of idle grace; for servers: at once.
    pub finish: MuxFinish,
    /// Most streams at a time, counting those that are over but whose data is not all consumed. Default 1024.
    pub max_streams: usize,
    /// Most data bytes in one frame written; the share of a stream before it is another's turn. At most 65,535.
    /// Default 4096, so that a keystroke does not wait behind much.
    pub frame_bytes: usize,
    /// Bytes of one stream written but not sent yet beyond which [`write`](super::MuxSession::write) takes no more.
    /// Default 64 KiB.
    pub send_budget_bytes: usize,
    /// Received bytes that each stream may always leave unconsumed. Default 64 KiB.
    pub stream_budget_bytes: usize,
    /// Received bytes that all streams together may leave unconsumed before those beyond their own budget are reset.
    /// Default 4 MiB, as the official peers.
    pub session_budget_bytes: usize,
}

impl MuxConfig {
    /// The defaults of a client.
    pub fn client() -> Self {
        Self {
            role: MuxRole::Client,
            keep_alive: None,
            finish: MuxFinish::AfterPeer { idle_grace: Duration::from_secs(30) },
            max_streams: 1024,
            frame_bytes: 4096,
            send_budget_bytes: 64 * 1024,
            stream_budget_bytes: 64 * 1024,
            session_budget_bytes: 4 * 1024 * 1024,
        }
    }

    /// The defaults of a server.
    pub fn server() -> Self {
        Self { role: MuxRole::Server, finish: MuxFinish::AtOnce, ..Self::client() }
    }
}
