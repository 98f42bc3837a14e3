//! Where an event's text ends up.

use std::io::{self, Stderr, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::file::LogFile;
use super::redact::redact;

/// Takes one event, hides what looks like a secret, and writes the rest to the error stream and the log file.
pub(super) struct Redacting {
    stream: Stderr,
    file: Option<Arc<Mutex<LogFile>>>,
}

impl Redacting {
    pub(super) fn new(stream: Stderr, file: Option<Arc<Mutex<LogFile>>>) -> Self {
        Self { stream, file }
    }
}

impl Write for Redacting {
    /// The formatter hands over each event in one piece, so no secret is split between two calls.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = redact(&text);
        // A closed error stream (a desktop start) or a full disk must not end the program that logs.
        drop(self.stream.write_all(text.as_bytes()));
        if let Some(file) = &self.file {
            drop(file.lock().unwrap_or_else(PoisonError::into_inner).append(text.as_bytes()));
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
