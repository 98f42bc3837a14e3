//! What a session went through, for diagnosis.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Entries kept per session; older ones go first.
pub const HISTORY_LENGTH: usize = 256;

/// One step of a session's life. Holds no payload and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: SystemTime,
    /// What, in a sentence.
    pub text: String,
}

/// The last [`HISTORY_LENGTH`] steps.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<VecDeque<HistoryEntry>>);

impl History {
    pub(crate) fn note(&self, text: impl Into<String>) {
        let entry = HistoryEntry { at: SystemTime::now(), text: text.into() };
        tracing::debug!(text = entry.text, "session");
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == HISTORY_LENGTH {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Vec<HistoryEntry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_steps_are_kept_in_order() {
        let history = History::default();
        for i in 0..HISTORY_LENGTH + 3 {
            history.note(i.to_string());
        }
        let entries = history.entries();
        assert_eq!(entries.len(), HISTORY_LENGTH);
        assert_eq!(entries[0].text, "3");
        assert_eq!(entries[HISTORY_LENGTH - 1].text, (HISTORY_LENGTH + 2).to_string());
    }
}
