//! Output of a node on its way to a terminal that is not ours: it may paint, and nothing else.

/// Longest control sequence kept, in bytes; longer ones are dropped.
const SEQUENCE: usize = 64;

/// Lets through text, colours and movements of the cursor, and drops all that asks the terminal a question, sets its title
/// or clipboard, shows links or pictures, or changes how it reports keys and the mouse. The result does not depend on how
/// the stream is cut.
#[derive(Clone, Debug, Default)]
pub struct Quiet {
    state: State,
    sequence: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After the first byte of what may be a control of 8 bits in UTF-8.
    MaybeControl,
    Escape,
    /// After ESC and an intermediate: a character set.
    Intermediate,
    Csi,
    /// OSC, DCS, SOS, PM, APC: dropped to the terminator.
    String,
    /// After ESC inside such a string.
    StringEscape,
}

impl Quiet {
    /// What of these bytes may go to the terminal.
    pub fn filter(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            self.byte(*byte, &mut passed);
        }
        passed
    }

    fn byte(&mut self, byte: u8, passed: &mut Vec<u8>) {
        if self.state == State::MaybeControl {
            self.state = State::Text;
            if matches!(byte, 0x80..=0x9f) {
                return;
            }
            passed.push(0xc2);
        }
        match (self.state, byte) {
            (State::String, 0x07 | 0x18 | 0x1a) => self.state = State::Text,
            (State::String, 0x1b) => self.state = State::StringEscape,
            (State::String, _) => {}
            (State::StringEscape, b'\\') => self.state = State::Text,
            // Any other ESC ends the string and begins something new.
            (_, 0x1b) => self.begin(),
            (State::StringEscape | State::Escape, _) => self.escape(byte, passed),
            (_, 0x18 | 0x1a) => self.state = State::Text,
            // Controls act in the middle of a sequence as well. Others than these, the answerback's ENQ among them, are dropped.
            (_, 0x00..=0x1f | 0x7f) => {
                if matches!(byte, 0x07..=0x0d) {
                    passed.push(byte);
                }
            }
            (State::MaybeControl, _) => {}
            (State::Text, 0xc2) => self.state = State::MaybeControl,
            (State::Text, _) => passed.push(byte),
            (State::Intermediate, 0x20..=0x2f) => self.keep(byte),
            (State::Intermediate, _) => {
                self.keep(byte);
                let charset = matches!(self.sequence.get(1), Some(b'(' | b')' | b'*' | b'+'));
                self.end(charset, passed);
            }
            (State::Csi, 0x40..=0x7e) => {
                self.keep(byte);
                let paints = self.paints();
                self.end(paints, passed);
            }
            (State::Csi, _) => self.keep(byte),
        }
    }

    fn begin(&mut self) {
        self.sequence = vec![0x1b];
        self.state = State::Escape;
    }

    fn escape(&mut self, byte: u8, passed: &mut Vec<u8>) {
        if self.state == State::StringEscape {
            self.begin();
        }
        self.keep(byte);
        match byte {
            b'[' => self.state = State::Csi,
            b']' | b'P' | b'X' | b'^' | b'_' => self.state = State::String,
            0x20..=0x2f => self.state = State::Intermediate,
            // Save and restore the cursor, index, next line, tab stop, reverse index, reset, keypad modes.
            _ => {
                self.end(matches!(byte, b'7' | b'8' | b'D' | b'E' | b'H' | b'M' | b'c' | b'=' | b'>'), passed)
            }
        }
    }

    fn keep(&mut self, byte: u8) {
        // One more than fits marks a sequence as too long.
        if self.sequence.len() <= SEQUENCE {
            self.sequence.push(byte);
        }
    }

    fn end(&mut self, passes: bool, passed: &mut Vec<u8>) {
        if passes && self.sequence.len() <= SEQUENCE {
            passed.extend_from_slice(&self.sequence);
        }
        self.sequence.clear();
        self.state = State::Text;
    }

    /// Whether a whole CSI sequence only paints.
    fn paints(&self) -> bool {
        let Some((last, rest)) = self.sequence.get(2..).and_then(|rest| rest.split_last()) else {
            return false;
        };
        if !rest.iter().all(|byte| matches!(byte, 0x20..=0x3f)) {
            return false;
        }
        let private = rest.first().is_some_and(|first| matches!(first, b'<'..=b'?'));
        if rest.iter().any(|byte| matches!(byte, 0x20..=0x2f)) {
            // The shape of the cursor.
            return *last == b'q' && rest.last() == Some(&b' ');
        }
        match last {
            b'A'..=b'M'
            | b'P'
            | b'S'
            | b'T'
            | b'X'
            | b'Z'
            | b'@'
            | b'`'
            | b'a'
            | b'd'
            | b'e'
            | b'f'
            | b'g'
            | b'm'
            | b'r'
            | b's'
            | b'u' => !private,
            // Cursor keys, columns, wrapping, origin, the cursor, the alternate screen. Not the mouse, focus, pastes.
            b'h' | b'l' => {
                let modes = if private { rest.get(1..).unwrap_or_default() } else { rest };
                let known: &[&[u8]] = if private {
                    &[b"3", b"5", b"6", b"7", b"12", b"25", b"47", b"1047", b"1048", b"1049", b"2026"]
                } else {
                    &[b"4", b"20"]
                };
                (!private || rest.first() == Some(&b'?'))
                    && modes.split(|byte| *byte == b';').all(|mode| known.contains(&mode))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filtered(text: &str) -> String {
        String::from_utf8(Quiet::default().filter(text.as_bytes())).unwrap()
    }

    #[test]
    fn what_paints_passes_unchanged() {
        for text in [
            "plain ü€ text\r\n\tx\x08",
            "\x1b[1;38;5;12mred\x1b[0m\x1b[2J\x1b[10;20H\x1b[K\x1b[3A\x1b[?25l\x1b[?1049h\x1b[4 q",
            "\x1b7\x1b8\x1b(0lqk\x1b(B\x1bM\x1b[2;20r",
        ] {
            assert_eq!(filtered(text), text);
        }
    }

    #[test]
    fn what_asks_sets_or_opens_is_dropped() {
        for hostile in [
            "\x05",
            "\x1b[c",
            "\x1b[>c",
            "\x1b[=c",
            "\x1b[5n",
            "\x1b[6n",
            "\x1b[?6n",
            "\x1b[18t",
            "\x1b[21t",
            "\x1bZ",
            "\x1b[x",
            "\x1b[?1$p",
            "\x1b]52;c;ZXZpbA==\x07",
            "\x1b]0;title\x1b\\",
            "\x1b]8;;http://x\x1b\\",
            "\x1b]11;?\x07",
            "\x1bP+q544e\x1b\\",
            "\x1bP$qm\x1b\\",
            "\x1b_Gi=1;AAAA\x1b\\",
            "\x1b^pm\x1b\\",
            "\x1b[?1000h",
            "\x1b[?1006h",
            "\x1b[?1004h",
            "\x1b[?2004h",
            "\x1b[>1u",
            "\x1b[?u",
            "\x1b[>4;2m",
            "\x1b[?25;1000h",
            "\u{9b}",
            "\u{90}",
            "\x1b[\u{e9}m",
            "\x1b[>q",
            "\x1b[0i",
            "\x1b[4i",
            "\x1b[!p",
        ] {
            assert_eq!(filtered(&format!("a{hostile}b")), "ab", "{hostile:?}");
        }
        let long = format!("a\x1b[{}mb", "1;".repeat(60));
        assert_eq!(filtered(&long), "ab");
        assert_eq!(filtered("a\x1b]52;c;never ended"), "a");
        assert_eq!(filtered("a\x1b]0;t\x1b[31mb"), "a\x1b[31mb", "a new sequence ends a string");
    }

    proptest! {
        #[test]
        fn the_result_does_not_depend_on_how_the_stream_is_cut(bytes: Vec<u8>, cut in 0usize..64) {
            let cut = cut.min(bytes.len());
            let whole = Quiet::default().filter(&bytes);
            let mut parts = Quiet::default();
            let mut pieces = parts.filter(&bytes[..cut]);
            pieces.extend(parts.filter(&bytes[cut..]));
            prop_assert_eq!(pieces, whole);
        }
    }
}
