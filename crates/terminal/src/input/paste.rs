//! Pasting: what is sent, and when a person is asked first (SEC-14).

use std::fmt;

use alacritty_terminal::term::TermMode;

use crate::cleaning::{is_bidi_control, is_invisible};

/// Longest preview, in bytes.
const PREVIEW_LIMIT: usize = 4 << 10;

/// Text longer than this is shown before it is pasted into a program without bracketed paste, in bytes.
const LONG_PASTE: usize = 4 << 10;

/// Why a paste is shown before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasteReason {
    /// It has control characters. They are removed before sending.
    ControlCharacters,
    /// It has characters that hide or reorder text.
    InvisibleCharacters,
    /// It has several lines and the program would run them one by one.
    SeveralLines,
    /// It is long.
    Long,
}

impl fmt::Display for PasteReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlCharacters => "The text has control characters. They will be left out.",
            Self::InvisibleCharacters => "The text has characters that hide or reorder text.",
            Self::SeveralLines => "The text has several lines. The program may run each of them at once.",
            Self::Long => "The text is long.",
        })
    }
}

/// What to show before a paste is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasteReview {
    /// Lines of the text.
    pub lines: u32,
    /// The text with control, bidirectional and invisible characters made visible, at most 4 KiB.
    pub preview: String,
    /// The most important reason.
    pub reason: PasteReason,
}

/// Whether a paste has to be confirmed, and what to show then.
pub(crate) fn review(text: &str, mode: TermMode) -> Option<PasteReview> {
    let bracketed = mode.contains(TermMode::BRACKETED_PASTE);
    let reason = if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        PasteReason::ControlCharacters
    } else if bracketed {
        return None;
    } else if text.chars().any(|c| is_bidi_control(c) || is_invisible(c)) {
        PasteReason::InvisibleCharacters
    } else if text.contains(['\n', '\r']) {
        PasteReason::SeveralLines
    } else if text.len() > LONG_PASTE {
        PasteReason::Long
    } else {
        return None;
    };
    let lines = u32::try_from(text.lines().count().max(1)).unwrap_or(u32::MAX);
    Some(PasteReview { lines, preview: preview(text), reason })
}

fn preview(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let before = out.len();
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => out.push('␍'),
            '\0'..='\x1f' => out.extend(char::from_u32(0x2400 + c as u32)),
            '\x7f' => out.push('␡'),
            c if c.is_control() || is_bidi_control(c) || is_invisible(c) => {
                out.push_str(&format!("<U+{:04X}>", c as u32));
            }
            c => out.push(c),
        }
        if out.len() > PREVIEW_LIMIT {
            out.truncate(before);
            break;
        }
    }
    out
}

/// The bytes of a paste: control characters other than tab and line ends are removed, and with them the rest of a
/// paste bracket, so that the text cannot end the bracket it is sent in. Without bracketed paste lines end in CR, as
/// the Enter key sends it.
pub(crate) fn encode_paste(text: &str, mode: TermMode) -> Vec<u8> {
    let bracketed = mode.contains(TermMode::BRACKETED_PASTE);
    let newline = if bracketed { '\n' } else { '\r' };
    let mut out = String::with_capacity(text.len() + 12);
    if bracketed {
        out.push_str("\x1b[200~");
    }
    push_clean(text, newline, &mut out);
    if bracketed {
        out.push_str("\x1b[201~");
    }
    out.into_bytes()
}

/// The bytes of text a person typed through an input method.
pub(crate) fn encode_text(text: &str) -> Vec<u8> {
    let mut out = String::with_capacity(text.len());
    push_clean(text, '\r', &mut out);
    out.into_bytes()
}

fn push_clean(text: &str, newline: char, out: &mut String) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\r' => {
                rest = rest.strip_prefix('\n').unwrap_or(rest);
                out.push(newline);
            }
            '\n' => out.push(newline),
            '\t' => out.push('\t'),
            '\x1b' | '\u{9b}' => {
                let body = if c == '\x1b' { rest.strip_prefix('[').unwrap_or(rest) } else { rest };
                for bracket in ["200~", "201~"] {
                    rest = body.strip_prefix(bracket).unwrap_or(rest);
                }
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BRACKETED: TermMode = TermMode::BRACKETED_PASTE;

    fn pasted(text: &str, mode: TermMode) -> String {
        String::from_utf8(encode_paste(text, mode)).unwrap_or_default()
    }

    #[test]
    fn lines_end_in_cr_outside_brackets_and_stay_inside() {
        assert_eq!(pasted("a\nb\r\nc\rd", TermMode::empty()), "a\rb\rc\rd");
        assert_eq!(pasted("a\nb\r\nc", BRACKETED), "\x1b[200~a\nb\nc\x1b[201~");
    }

    #[test]
    fn text_cannot_leave_its_bracket() {
        assert_eq!(pasted("a\x1b[201~rm -rf\n", BRACKETED), "\x1b[200~arm -rf\n\x1b[201~");
        assert_eq!(pasted("a\u{9b}201~b", BRACKETED), "\x1b[200~ab\x1b[201~");
        assert_eq!(pasted("\x1b[20\x1b[201~1~", BRACKETED), "\x1b[200~[201~\x1b[201~");
        assert_eq!(pasted("a\x03\x00\x7fb\tc", BRACKETED), "\x1b[200~ab\tc\x1b[201~");
    }

    #[test]
    fn a_large_plain_paste_arrives_intact() {
        let text = "0123456789abcdef".repeat(64 << 10);
        assert_eq!(pasted(&text, TermMode::empty()), text);
    }

    #[test]
    fn review_asks_for_what_could_surprise() {
        let reason = |text: &str, mode| review(text, mode).map(|review| review.reason);
        let plain = TermMode::empty();
        assert_eq!(reason("ls -l", plain), None);
        assert_eq!(reason("ls\n", plain), Some(PasteReason::SeveralLines));
        assert_eq!(reason("ls\nid\n", BRACKETED), None);
        assert_eq!(reason("ls\x1b[201~", BRACKETED), Some(PasteReason::ControlCharacters));
        assert_eq!(reason("a\u{202e}b", plain), Some(PasteReason::InvisibleCharacters));
        assert_eq!(reason("a\u{200b}b", plain), Some(PasteReason::InvisibleCharacters));
        assert_eq!(reason(&"x".repeat(LONG_PASTE + 1), plain), Some(PasteReason::Long));
    }

    #[test]
    fn the_preview_shows_what_is_invisible_and_is_short() {
        let shown = review("a\x1b[31m\u{202e}b\u{9b}\nc", TermMode::empty());
        assert_eq!(shown.as_ref().map(|review| review.preview.as_str()), Some("a␛[31m<U+202E>b<U+009B>\nc"));
        assert_eq!(shown.map(|review| review.lines), Some(2));
        let long = review(&"日\n".repeat(100_000), TermMode::empty());
        assert!(long.is_some_and(|review| review.preview.len() <= PREVIEW_LIMIT && review.lines == 100_000));
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent_and_leaves_no_introducer(text in "(\\PC|\x1b|\u{9b}|\\[|2|0|1|~|\n|\r){0,40}") {
            let once = pasted(&text, TermMode::empty());
            let clean = !once.contains(['\x1b', '\u{9b}', '\n']);
            prop_assert!(clean);
            prop_assert_eq!(pasted(&once, TermMode::empty()), once);
            let bracketed = pasted(&text, BRACKETED);
            prop_assert_eq!(bracketed.matches("\x1b[201~").count(), 1);
            prop_assert!(bracketed.ends_with("\x1b[201~"));
        }
    }
}
