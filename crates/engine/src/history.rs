//! What a session went through, for diagnosis.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Entries kept per session; older ones go first.
pub const HISTORY_LENGTH: usize = 256;
/// Most bytes of a dump.
const DUMP_BYTES: usize = 16 * 1024;

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

    /// The latest steps as lines, at most 16 KiB, with the seconds from the first of them.
    pub(crate) fn dump(&self) -> String {
        let entries = self.entries();
        let mut lines = VecDeque::new();
        let mut bytes = 0;
        let first = entries.first().map_or(SystemTime::UNIX_EPOCH, |entry| entry.at);
        for entry in entries.iter().rev() {
            let seconds = entry.at.duration_since(first).unwrap_or_default().as_secs_f64();
            let line = format!("\n  +{seconds:.3} {}", entry.text);
            bytes += line.len();
            if bytes > DUMP_BYTES {
                break;
            }
            lines.push_front(line);
        }
        lines.into_iter().collect()
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

    #[test]
    fn a_dump_is_bounded_and_keeps_the_latest_steps() {
        let history = History::default();
        history.note("first");
        assert_eq!(history.dump(), "\n  +0.000 first");
        for _ in 0..HISTORY_LENGTH {
            history.note("x".repeat(1000));
        }
        history.note("last");
        let dump = history.dump();
        assert!(dump.len() <= DUMP_BYTES && dump.len() > DUMP_BYTES - 1100, "{}", dump.len());
        assert!(dump.ends_with(" last") && !dump.contains("first"));
    }
}
