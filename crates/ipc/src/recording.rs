//! Recordings of shells on this computer.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;

/// The recording of a session that goes on, as its tab shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RecordingMark {
    /// Since when, in milliseconds of the Unix epoch.
    pub since_ms: f64,
    /// Whether what is typed and shown is recorded as well.
    pub input: bool,
}

/// A recording that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RecordingRow {
    /// Its id.
    pub id: String,
    /// Whether it can be opened; if not, what it is of is unknown.
    pub readable: bool,
    /// Name of the node.
    pub node: String,
    /// Id of the node, or another target.
    pub target: String,
    /// Name of the source.
    pub source: String,
    /// Region.
    pub region: String,
    /// Id of the session.
    pub session: Option<String>,
    /// When it began, in milliseconds of the Unix epoch.
    pub started_ms: f64,
    /// How long it was written to, in milliseconds.
    pub duration_ms: f64,
    /// Size of the file.
    pub bytes: f64,
    /// Whether what was typed and shown is in it.
    pub input: bool,
}

/// All recordings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RecordingList {
    /// Newest first.
    pub rows: Vec<RecordingRow>,
    /// Why none can be opened or made now.
    pub problem: Option<CommandError>,
}
