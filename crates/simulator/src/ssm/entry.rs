//! Writing one node of a listing as JSON, straight into the answer: pages have up to a thousand of them.

use std::fmt::Write;

/// An object that is being written.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, is_empty: true }
    }

    /// A text member.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        push_text(self.out, value);
    }

    /// A member that is JSON already.
    pub(super) fn json(&mut self, key: &str, value: &str) {
        self.key(key);
        self.out.push_str(value);
    }

    /// A time: epoch seconds with fraction, as AWS JSON 1.1 writes them.
    pub(super) fn time(&mut self, key: &str, epoch_ms: i64) {
        self.key(key);
        let sign = if epoch_ms < 0 { "-" } else { "" };
        let ms = epoch_ms.unsigned_abs();
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{sign}{}.{:03}", ms / 1000, ms % 1000);
    }

    pub(super) fn end(self) {
        self.out.push('}');
    }

    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(',');
        }
        push_text(self.out, key);
        self.out.push(':');
    }
}

/// A JSON string.
pub(super) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if c < ' ' => {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Entry;

    #[test]
    fn entries_are_json() {
        let mut out = String::new();
        let mut entry = Entry::begin(&mut out);
        entry.text("a", "x \"y\" \\ \n é");
        entry.time("t", 1_700_000_000_007);
        entry.time("before", -1_500);
        entry.json("j", "{\"k\":[1]}");
        entry.end();
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            value,
            json!({ "a": "x \"y\" \\ \n é", "t": 1_700_000_000.007, "before": -1.5, "j": { "k": [1] } })
        );
        let mut out = String::new();
        Entry::begin(&mut out).end();
        assert_eq!(out, "{}");
    }
}
