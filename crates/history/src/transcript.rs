//! Logs as bytes and as text that can be shown and searched.

use serde_json::Value;

use crate::records::LogEvent;

impl LogEvent {
    /// The output in the event: the lines of the structured form in which agents stream, each with its end; of any other
    /// message the message itself, which agents give without its last line feed.
    pub fn output(&self) -> Vec<u8> {
        let structured = serde_json::from_str::<Value>(&self.message).ok();
        let lines = structured.as_ref().and_then(|value| value.get("sessionData")).and_then(Value::as_array);
        let mut output = Vec::with_capacity(self.message.len());
        match lines {
            Some(lines) => {
                for line in lines.iter().filter_map(Value::as_str) {
                    output.extend_from_slice(line.as_bytes());
                    output.push(b'\n');
                }
            }
            None => {
                output.extend_from_slice(self.message.as_bytes());
                output.push(b'\n');
            }
        }
        output
    }
}

/// How many of the last bytes of a window begin something that the next window ends: a character, or a control sequence.
/// At most 4 KiB; a sequence that is longer is cut.
pub fn unfinished(bytes: &[u8]) -> usize {
    const LONGEST: usize = 4 * 1024;
    let from = bytes.len().saturating_sub(LONGEST);
    if let Some(at) = bytes[from..].iter().rposition(|byte| *byte == 0x1b) {
        let sequence = &bytes[from + at..];
        if sequence_length(sequence).is_none() {
            return sequence.len();
        }
    }
    for back in 1..=bytes.len().min(3) {
        let length = match bytes[bytes.len() - back] {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if length > back { back } else { 0 };
    }
    0
}

/// Bytes of the control sequence at the start of `bytes` (ECMA-48); `None` if it does not end there.
fn sequence_length(bytes: &[u8]) -> Option<usize> {
    let second = *bytes.get(1)?;
    match second {
        b'[' => bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|at| at + 3),
        b']' | b'P' | b'X' | b'^' | b'_' => {
            let at = bytes[2..].iter().position(|byte| matches!(byte, 0x07 | 0x1b))? + 2;
            if bytes[at] == 0x07 { Some(at + 1) } else { bytes.get(at + 1).map(|_| at + 2) }
        }
        b' '..=b'/' => bytes.get(2).map(|_| 3),
        _ => Some(2),
    }
}

/// The text of output: without control sequences, with line feeds for line ends, and without any other control character
/// but the tab. A backspace takes a character of the same line back, as on a terminal.
pub fn plain_text(output: &[u8]) -> String {
    let mut kept = Vec::with_capacity(output.len());
    let mut at = 0;
    while at < output.len() {
        match output[at] {
            0x1b => {
                at += sequence_length(&output[at..]).unwrap_or(output.len() - at);
                continue;
            }
            byte => kept.push(byte),
        }
        at += 1;
    }
    let text = String::from_utf8_lossy(&kept);
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\t' => plain.push(letter),
            '\u{8}' => {
                if plain.chars().next_back().is_some_and(|last| last != '\n') {
                    plain.pop();
                }
            }
            letter if letter.is_control() => {}
            letter => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(message: &str) -> LogEvent {
        LogEvent { at_ms: 0, message: message.to_owned() }
    }

    #[test]
    fn structured_events_are_their_lines_and_others_their_message() {
        let structured = event(r#"{"eventVersion":"1.0","sessionData":["$ ls","","é"],"sessionId":"a"}"#);
        assert_eq!(structured.output(), "$ ls\n\né\n".as_bytes());
        assert_eq!(event("plain\ntext").output(), b"plain\ntext\n");
        assert_eq!(event(r#"{"other":1}"#).output(), b"{\"other\":1}\n");
    }

    #[test]
    fn text_has_no_control_sequence_and_keeps_its_lines() {
        for (output, text) in [
            ("\x1b[?2004h\x1b[1;32m$\x1b[0m ls\r\na\tb\r\n", "$ ls\na\tb\n"),
            ("\x1b]0;evil\x07x\x1b]8;;http://x\x1b\\y", "xy"),
            ("abd\x08c\r\n\x08x", "abc\nx"),
            ("a\x07b\x00\u{9b}31mc", "ab31mc"),
            ("cut \x1b[1;3", "cut "),
            ("progress 1%\rprogress 2%", "progress 1%progress 2%"),
        ] {
            assert_eq!(plain_text(output.as_bytes()), text, "{output:?}");
        }
    }

    #[test]
    fn what_a_window_cuts_is_left_to_the_next() {
        for (bytes, left) in [
            (&b"abc"[..], 0),
            (b"abc\xc3", 1),
            ("€".as_bytes(), 0),
            (b"x\xe2\x82", 2),
            (b"x\x1b", 1),
            (b"x\x1b[1;", 4),
            (b"x\x1b[1m", 0),
            (b"x\x1b]0;title", 9),
            (b"x\x1b]0;t\x1b", 1),
        ] {
            assert_eq!(unfinished(bytes), left, "{bytes:x?}");
        }
        assert_eq!(unfinished(&[[0x1b, b']'].as_slice(), &[b'x'; 8192]].concat()), 0);
    }

    proptest! {
        #[test]
        fn windows_of_any_size_give_the_text_of_the_whole(
            parts in proptest::collection::vec(prop_oneof![
                Just("\x1b[1;31m"), Just("\x1b]0;title\x07"), Just("\x1b(B"), Just("é€😀"), Just("line"), Just("\r\n"), Just("\t"),
            ], 0..60),
            size in 1_usize..40,
        ) {
            let whole = parts.concat();
            let (mut held, mut text) = (Vec::new(), Vec::new());
            for window in whole.as_bytes().chunks(size) {
                held.extend_from_slice(window);
                let rest = held.split_off(held.len() - unfinished(&held));
                text.extend(plain_text(&held).into_bytes());
                held = rest;
            }
            text.extend(plain_text(&held).into_bytes());
            // A window may end between the two characters of a line end.
            let joined = String::from_utf8(text).unwrap();
            prop_assert_eq!(joined, plain_text(whole.as_bytes()));
        }

        #[test]
        fn no_output_brings_a_control_character_into_the_text(output in proptest::collection::vec(any::<u8>(), 0..400)) {
            let text = plain_text(&output);
            prop_assert!(text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
            prop_assert!(unfinished(&output) <= output.len());
        }
    }
}
