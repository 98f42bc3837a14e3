//! Text from a node that is shown outside the cells, or goes to the clipboard, is cleaned here (SEC-11, SEC-13).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest title, in characters.
pub(crate) const TITLE_LIMIT: usize = 128;

/// Longest text a program may offer to the clipboard, in bytes after decoding.
pub(crate) const CLIPBOARD_LIMIT: usize = 64 << 10;

/// Whether a character changes the direction of text (bidirectional controls).
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character takes no room and could hide in a name: zero-width ones, joiners, invisible operators, tags,
/// line and paragraph separators.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00ad}'
            | '\u{034f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A title without control, bidirectional and invisible characters, at most 128 characters.
pub(crate) fn clean_title(title: &str) -> String {
    let kept = title.chars().filter(|c| !c.is_control() && !is_bidi_control(*c) && !is_invisible(*c));
    let short: String = kept.take(TITLE_LIMIT).collect();
    short.trim().to_owned()
}

/// Decodes an OSC 52 payload: `None` when it is not base64 of UTF-8 text of at most 64 KiB, or empty. Control
/// characters other than tab and newline are removed.
pub(crate) fn decode_clipboard(payload: &[u8]) -> Option<String> {
    if payload.len() > CLIPBOARD_LIMIT.div_ceil(3) * 4 {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(payload).ok()?).ok()?;
    let clean: String = text.chars().filter(|c| matches!(c, '\t' | '\n') || !c.is_control()).collect();
    (!clean.is_empty() && clean.len() <= CLIPBOARD_LIMIT).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_lose_what_could_deceive_and_are_short() {
        assert_eq!(clean_title(" a\u{202e}b\u{200b}c\x1b[31m\u{9b}d\u{2066} "), "abc[31md");
        assert_eq!(clean_title(&"é".repeat(1_000)).chars().count(), TITLE_LIMIT);
    }

    #[test]
    fn clipboard_text_is_decoded_capped_and_freed_of_controls() {
        let encode = |text: &str| STANDARD.encode(text).into_bytes();
        assert_eq!(decode_clipboard(&encode("a\tb\nc\x1b[0m\x07")).as_deref(), Some("a\tb\nc[0m"));
        assert_eq!(decode_clipboard(b"not base64!"), None);
        assert_eq!(decode_clipboard(&encode("")), None);
        assert_eq!(
            decode_clipboard(&encode(&"x".repeat(CLIPBOARD_LIMIT))).map(|t| t.len()),
            Some(CLIPBOARD_LIMIT)
        );
        assert_eq!(decode_clipboard(&encode(&"x".repeat(CLIPBOARD_LIMIT + 1))), None);
    }
}
