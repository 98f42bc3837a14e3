//! Tabs and the sessions in them.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;
use crate::access::Denied;
use crate::document::DocumentEffects;
use crate::recording::RecordingMark;
use crate::replay::ReplayRow;

/// What a session is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SessionState {
    /// StartSession, dialling or waiting for the node's first words.
    Connecting {
        /// What is being waited for, as a sentence.
        step: String,
    },
    /// Bytes flow.
    Connected,
    /// The channel is gone and is being resumed; the screen is frozen.
    Reconnecting {
        /// Why the channel went, in a sentence.
        cause: String,
        /// When it went.
        since_ms: f64,
        /// Attempts so far, from 1.
        attempt: u32,
        /// When the next attempt begins; `None` while one runs.
        next_try_ms: Option<f64>,
    },
    /// Over.
    Ended {
        /// When.
        at_ms: f64,
        /// Why, in a sentence.
        cause: String,
        /// Whether this is how a session should end (exit, closed by the user).
        normal: bool,
    },
    /// Never began.
    Failed {
        /// Why.
        problem: CommandError,
    },
}

/// A session as its tab shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SessionRow {
    /// Session id once AWS gave one.
    pub session_id: Option<String>,
    /// Node key, see `NodeRow::key`.
    pub node_key: String,
    /// Node id.
    pub node_id: String,
    /// Node name.
    pub node_name: String,
    /// Account name.
    pub account_name: String,
    /// Region.
    pub region: String,
    /// Session document.
    pub document: String,
    /// Begun when.
    pub started_ms: f64,
    /// State.
    pub state: SessionState,
    /// The refusal that keeps it from beginning. It stays while the session is asked for again, until one begins or fails
    /// in another way.
    pub denied: Option<Box<Denied>>,
    /// Whether the node has said nothing for 10 s since the session opened.
    pub silent: bool,
    /// How long the last resume took, in milliseconds, if there was one.
    pub resumed_after_ms: Option<f64>,
    /// Whether the session is a demo shell on this computer.
    pub demo: bool,
    /// What its document does to it; `None` while that is not known.
    pub effects: Option<DocumentEffects>,
    /// When something was typed or came last, to a few seconds.
    pub active_ms: f64,
    /// Its recording, while it goes on.
    pub recording: Option<RecordingMark>,
}

/// What a tab shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TabKind {
    /// The fleet table; there is exactly one.
    Fleet,
    /// A shell.
    Shell,
    /// The replay of a recording or a log.
    Replay,
}

/// A tab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TabRow {
    /// `fleet` or an opaque id.
    pub id: String,
    /// What it shows.
    pub kind: TabKind,
    /// The node's name, never the title a program set.
    pub title: String,
    /// The title a program set, cleaned (SEC-13); empty if none.
    pub program_title: String,
    /// The session of a shell tab.
    pub session: Option<SessionRow>,
    /// How the replay of a replay tab stands.
    pub replay: Option<ReplayRow>,
    /// Output arrived while another tab was in front.
    pub unseen: bool,
    /// The bell rang while another tab was in front.
    pub bell: bool,
}
