//! Replays: recordings and logs of sessions, printed again in a terminal that answers nobody.

use serde::{Deserialize, Serialize};
use specta::Type;

/// How a replay stands. While it plays the interface moves the position on by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReplayRow {
    /// Where it was at `at_ms`, in milliseconds since its beginning.
    pub position_ms: f64,
    /// When this was told, in milliseconds of the Unix epoch.
    pub at_ms: f64,
    /// How long it is in all, in milliseconds.
    pub duration_ms: f64,
    /// Whether it goes on by itself.
    pub playing: bool,
    /// How fast; 1 is as it was, 0.25 to 32.
    pub speed: f64,
    /// Whether pauses of more than a second are shortened to one.
    pub skip_pauses: bool,
    /// What is missing, as a sentence.
    pub note: Option<String>,
}

/// What a person does to a replay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "do", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ReplayControl {
    /// Go on; at the end, begin again.
    Play,
    /// Stay here.
    Pause,
    /// Go to a time, in milliseconds since the beginning.
    Seek {
        /// The time.
        ms: f64,
    },
    /// Go faster or slower.
    Speed {
        /// 0.25 to 32.
        speed: f64,
    },
    /// Shorten pauses, or do not.
    SkipPauses {
        /// Whether.
        on: bool,
    },
}
