//! One line of the journal: JSON, so that unknown members of later versions are passed over.

use serde::{Deserialize, Serialize};

use super::JournalEntry;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// AWS granted a session to the program of that run.
    Granted {
        run: String,
        #[serde(flatten)]
        entry: JournalEntry,
    },
    /// A session is over.
    Ended { session: String },
}

impl Line {
    /// The line with its end.
    pub(super) fn encode(&self) -> Option<String> {
        serde_json::to_string(self).ok().map(|text| text + "\n")
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
