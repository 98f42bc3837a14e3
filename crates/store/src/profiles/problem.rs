//! What is wrong in a profile file, and where.

use std::fmt;
use std::ops::Range;

/// How much a problem costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// What it stands in was not loaded.
    Refused,
    /// Only told: a key this program does not know. It is kept.
    Unknown,
}

/// A place in a profile file and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What it costs.
    pub severity: Severity,
    /// The profile, folder or table it stands in, as the file writes it: `profile.ledger`. Empty at the top.
    pub within: String,
    /// One sentence, naming what was expected and what was found.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// Turns byte offsets of a text into lines and columns.
pub(crate) struct Places<'a> {
    pub(crate) text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// Line and column of the start of a range; the end of the text when there is none.
    pub(crate) fn of(&self, span: Option<Range<usize>>) -> (usize, usize) {
        let mut offset = span.map_or(self.text.len(), |s| s.start).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        (line, self.text[start..offset].chars().count() + 1)
    }

    pub(crate) fn problem(
        &self,
        span: Option<Range<usize>>,
        severity: Severity,
        within: &str,
        message: impl Into<String>,
    ) -> Problem {
        let (line, column) = self.of(span);
        Problem { line, column, severity, within: within.to_owned(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines_and_columns_of_characters() {
        let places = Places::new("a = 1\nö = \"x\"\n");
        assert_eq!(places.of(Some(0..1)), (1, 1));
        assert_eq!(places.of(Some(5..6)), (1, 6));
        assert_eq!(places.of(Some(6..7)), (2, 1));
        assert_eq!(places.of(Some(8..9)), (2, 2));
        assert_eq!(places.of(Some(7..8)), (2, 1), "inside a character");
        assert_eq!(places.of(None), (3, 1));
        assert_eq!(places.of(Some(99..100)), (3, 1));
    }
}
