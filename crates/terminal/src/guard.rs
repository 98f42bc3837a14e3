//! The guard in front of the parser (SEC-15): it reads the byte stream, keeps string sequences bounded and hands
//! everything else on unchanged.
//!
//! It follows the states of the parser behind it closely enough to know where a string sequence begins and ends:
//!
//! - **OSC** is collected here and handed on whole at its terminator, so the parser never holds an unfinished one.
//!   Numbers the terminal does not implement are dropped at once; a known one that outgrows its limit is dropped to
//!   its terminator.
//! - **DCS, SOS, PM and APC** are dropped to their terminator: the terminal implements none of them, so their limit
//!   is zero and no memory is used for them.
//! - **UTF-8** characters are handed on whole: the parser behind loses text that follows a character cut in two.
//! - **REP** (`CSI n b`) is limited to one row, or eight bytes could print 65,535 characters.
//!
//! Only 7-bit introducers count, as in the parser: bytes from 0x80 belong to UTF-8 text. The result does not depend on
//! how the stream is cut into calls.

use memchr::{memchr, memchr3};

/// Longest OSC payload handed on, in bytes.
pub(crate) const OSC_LIMIT: usize = 64 << 10;
/// Longest OSC 52 (clipboard) payload handed on, in bytes.
pub(crate) const OSC_CLIPBOARD_LIMIT: usize = 128 << 10;

const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;

/// Capacity kept between OSC sequences.
const KEPT_CAPACITY: usize = 4 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    /// After ESC, which the parser has seen.
    Escape,
    /// After ESC and intermediates.
    EscapeIntermediate,
    /// Inside CSI.
    Csi,
    /// Inside OSC; the payload is in `osc`.
    Osc,
    /// Inside an OSC that will not be handed on.
    OscDropped,
    /// Inside DCS, SOS, PM or APC.
    StringDropped,
}

/// What the guard did not hand on, in sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuardCounters {
    /// OSC sequences over their limit.
    pub oversized: u64,
    /// OSC sequences of a number the terminal does not implement, cancelled ones, and all DCS, SOS, PM, APC.
    pub ignored: u64,
    /// REP sequences shortened.
    pub shortened: u64,
}

/// The first parameter of a CSI sequence, for REP.
#[derive(Clone, Copy, Debug, Default)]
struct CsiParams {
    first: u32,
    /// Whether the first parameter ended.
    done: bool,
    /// Whether a private marker or an intermediate was seen.
    marked: bool,
}

/// The guard of one stream.
#[derive(Debug)]
pub(crate) struct Guard {
    state: State,
    osc: Vec<u8>,
    csi: CsiParams,
    /// First bytes of a character of which the rest has not come yet.
    cut: Vec<u8>,
    repeat_limit: u32,
    counters: GuardCounters,
}

impl Guard {
    pub(crate) fn new(cols: u16) -> Self {
        Self {
            state: State::Ground,
            osc: Vec::new(),
            csi: CsiParams::default(),
            cut: Vec::with_capacity(4),
            repeat_limit: u32::from(cols),
            counters: GuardCounters::default(),
        }
    }

    /// Follows a resize: REP prints at most one row.
    pub(crate) fn set_cols(&mut self, cols: u16) {
        self.repeat_limit = u32::from(cols);
    }

    pub(crate) fn counters(&self) -> GuardCounters {
        self.counters
    }

    /// Bytes this guard holds on to.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.osc.capacity()
    }

    /// Reads `bytes` and gives `sink` what the parser may see, in order.
    pub(crate) fn filter(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8])) {
        // `bytes[from..i]` is what may be handed on and was not yet.
        let mut from = self.complete_cut(bytes, &mut sink);
        let mut i = from;
        while i < bytes.len() {
            match self.state {
                State::Ground => match memchr(ESC, &bytes[i..]) {
                    Some(offset) => {
                        i += offset + 1;
                        self.state = State::Escape;
                    }
                    None => i = bytes.len(),
                },
                State::Escape => {
                    let byte = bytes[i];
                    match byte {
                        b']' | b'P' | b'X' | b'^' | b'_' => {
                            hand_on(&bytes[from..i], &mut sink);
                            from = i + 1;
                            self.state = if byte == b']' { State::Osc } else { State::StringDropped };
                        }
                        b'[' => {
                            self.csi = CsiParams::default();
                            self.state = State::Csi;
                        }
                        0x20..=0x2f => self.state = State::EscapeIntermediate,
                        0x30..=0x7e | CAN | SUB => self.state = State::Ground,
                        _ => {}
                    }
                    i += 1;
                }
                State::EscapeIntermediate => {
                    match bytes[i] {
                        0x30..=0x7e | CAN | SUB => self.state = State::Ground,
                        ESC => self.state = State::Escape,
                        _ => {}
                    }
                    i += 1;
                }
                State::Csi => {
                    let byte = bytes[i];
                    if byte == b'b' && self.repeats_too_much() {
                        hand_on(&bytes[from..i], &mut sink);
                        // CAN ends the sequence the parser is in without effect.
                        sink(format!("\x18\x1b[{}b", self.repeat_limit).as_bytes());
                        self.counters.shortened += 1;
                        from = i + 1;
                    }
                    self.csi_byte(byte);
                    i += 1;
                }
                State::Osc => {
                    i = self.osc_bytes(bytes, i, &mut sink);
                    from = i;
                    if self.state == State::Escape {
                        // The ESC that ended it goes on with what follows.
                        from = i - 1;
                    }
                }
                State::OscDropped | State::StringDropped => match self.dropped_bytes(&bytes[i..]) {
                    Some(offset) => {
                        i += offset + 1;
                        from = i - 1;
                        if self.state == State::Ground {
                            // The parser still waits after the ESC of the introducer: CAN takes it back to text.
                            sink(&[CAN]);
                            from = i;
                        }
                    }
                    None => {
                        i = bytes.len();
                        from = i;
                    }
                },
            }
        }
        let whole = match self.state {
            State::Ground => bytes.len() - cut_len(&bytes[from..]),
            _ => bytes.len(),
        };
        hand_on(&bytes[from..whole], &mut sink);
        self.cut.extend_from_slice(&bytes[whole..]);
    }

    /// Hands on the character that was cut by the end of the last call; returns how many bytes that took.
    fn complete_cut(&mut self, bytes: &[u8], sink: &mut impl FnMut(&[u8])) -> usize {
        if self.cut.is_empty() {
            return 0;
        }
        let mut taken = 0;
        let mut character = std::mem::take(&mut self.cut);
        while let Err(error) = std::str::from_utf8(&character) {
            if error.error_len().is_some() {
                // The last byte belongs to what follows; without it the rest is an unfinished character.
                character.pop();
                taken -= 1;
                break;
            }
            let Some(byte) = bytes.get(taken) else {
                self.cut = character;
                return taken;
            };
            character.push(*byte);
            taken += 1;
        }
        sink(&character);
        taken
    }

    fn repeats_too_much(&self) -> bool {
        !self.csi.marked && self.csi.first > self.repeat_limit
    }

    fn csi_byte(&mut self, byte: u8) {
        match byte {
            b'0'..=b'9' if !self.csi.done => {
                self.csi.first = self.csi.first.saturating_mul(10).saturating_add(u32::from(byte - b'0'));
            }
            b':' | b';' => self.csi.done = true,
            0x3c..=0x3f | 0x20..=0x2f => self.csi.marked = true,
            0x40..=0x7e | CAN | SUB => self.state = State::Ground,
            ESC => self.state = State::Escape,
            _ => {}
        }
    }

    /// Reads OSC payload from `bytes[i..]` until it ends or the bytes do; returns the index after what was read.
    fn osc_bytes(&mut self, bytes: &[u8], i: usize, sink: &mut impl FnMut(&[u8])) -> usize {
        let rest = &bytes[i..];
        let end = rest.iter().position(|byte| matches!(*byte, BEL | CAN | SUB | ESC));
        let payload = &rest[..end.unwrap_or(rest.len())];
        if !self.collect(payload) {
            self.osc = Vec::new();
            self.state = State::OscDropped;
            return i + payload.len();
        }
        let Some(end) = end else { return bytes.len() };
        match rest[end] {
            BEL => {
                self.finish_osc(sink, true);
                self.state = State::Ground;
            }
            ESC => {
                self.finish_osc(sink, false);
                self.state = State::Escape;
            }
            _ => {
                self.osc.clear();
                self.counters.ignored += 1;
                sink(&[CAN]);
                self.state = State::Ground;
            }
        }
        i + end + 1
    }

    /// Adds to the payload; `false` when it must be dropped.
    fn collect(&mut self, payload: &[u8]) -> bool {
        if self.osc.len() + payload.len() > OSC_CLIPBOARD_LIMIT {
            self.counters.oversized += 1;
            return false;
        }
        self.osc.extend_from_slice(payload);
        let number = self.osc.iter().take(4).position(|byte| *byte == b';').map(|end| &self.osc[..end]);
        let known = match number {
            Some(number) => is_implemented(number),
            // Not complete yet: at most three digits.
            None => self.osc.len() <= 3,
        };
        if !known {
            self.counters.ignored += 1;
            return false;
        }
        if self.osc.len() > OSC_LIMIT && number != Some(b"52") {
            self.counters.oversized += 1;
            return false;
        }
        true
    }

    fn finish_osc(&mut self, sink: &mut impl FnMut(&[u8]), bell: bool) {
        let number = self.osc.split(|byte| *byte == b';').next().unwrap_or_default();
        if is_implemented(number) {
            sink(b"]");
            sink(&self.osc);
            if bell {
                sink(&[BEL]);
            }
        } else {
            self.counters.ignored += 1;
            if bell {
                sink(&[CAN]);
            }
        }
        self.osc.clear();
        self.osc.shrink_to(KEPT_CAPACITY);
    }

    /// Looks for the end of a dropped string; returns where its last byte is.
    fn dropped_bytes(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut end = memchr3(ESC, CAN, SUB, bytes);
        if self.state == State::OscDropped {
            let searched = end.unwrap_or(bytes.len());
            end = memchr(BEL, &bytes[..searched]).or(end);
        } else if end.is_some() {
            self.counters.ignored += 1;
        }
        let offset = end?;
        self.state = if bytes[offset] == ESC { State::Escape } else { State::Ground };
        Some(offset)
    }
}

/// OSC numbers the terminal acts upon: titles, palette, hyperlinks, dynamic colours, cursor shape, clipboard, resets.
fn is_implemented(number: &[u8]) -> bool {
    matches!(
        number,
        b"0" | b"2" | b"4" | b"8" | b"10" | b"11" | b"12" | b"50" | b"52" | b"104" | b"110" | b"111" | b"112"
    )
}

/// Length of an unfinished character at the end of text.
fn cut_len(text: &[u8]) -> usize {
    (1..=text.len().min(3))
        .find(|len| text[text.len() - len] >= 0xc2)
        .filter(|len| {
            let end = &text[text.len() - len..];
            std::str::from_utf8(end).is_err_and(|error| error.error_len().is_none())
        })
        .unwrap_or(0)
}

fn hand_on(bytes: &[u8], sink: &mut impl FnMut(&[u8])) {
    if !bytes.is_empty() {
        sink(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(chunks: &[&[u8]]) -> (Vec<u8>, Guard) {
        let mut guard = Guard::new(80);
        let mut out = Vec::new();
        for chunk in chunks {
            guard.filter(chunk, |bytes| out.extend_from_slice(bytes));
        }
        (out, guard)
    }

    #[test]
    fn text_and_ordinary_sequences_pass_unchanged() {
        let input =
            "héllo\r\n\x1b[1;31mred\x1b[0m\x1b(0lqk\x1b(B\x1b]0;title\x07\x1b]2;t\x1b\\\x1b[5b".as_bytes();
        assert_eq!(passed(&[input]).0, input);
    }

    #[test]
    fn an_endless_osc_is_dropped_and_holds_no_memory() {
        let mut guard = Guard::new(80);
        guard.filter(b"\x1b]0;", |_| {});
        for _ in 0..64 {
            guard.filter(&[b'x'; 64 << 10], |bytes| panic!("handed on {} bytes", bytes.len()));
        }
        assert!(guard.held_bytes() <= OSC_CLIPBOARD_LIMIT);
        assert_eq!(guard.counters().oversized, 1);
        let mut out = Vec::new();
        guard.filter(b"more\x07text", |bytes| out.extend_from_slice(bytes));
        assert_eq!(out, b"\x18text");
    }

    #[test]
    fn a_clipboard_osc_may_be_twice_as_long_as_another() {
        let sized = |number: &str, len: usize| {
            let mut input = format!("\x1b]{number};").into_bytes();
            input.resize(input.len() + len, b'A');
            input.push(BEL);
            passed(&[&input]).0.len()
        };
        assert!(sized("52;c", 100 << 10) > 100 << 10);
        assert!(sized("52;c", 200 << 10) < 10);
        assert!(sized("2", 60 << 10) > 60 << 10);
        assert!(sized("2", 100 << 10) < 10);
    }

    #[test]
    fn device_control_and_private_strings_are_dropped_to_their_end() {
        for introducer in ["P", "X", "^", "_"] {
            let input = format!("a\x1b{introducer}$q\"p\x07still inside\x1b\\b");
            assert_eq!(passed(&[input.as_bytes()]).0, b"a\x1b\x1b\\b", "{introducer}");
        }
    }

    #[test]
    fn a_repeat_longer_than_a_row_is_shortened() {
        assert_eq!(passed(&[b"x\x1b[65535b"]).0, b"x\x1b[65535\x18\x1b[80b");
        assert_eq!(passed(&[b"x\x1b[80b"]).0, b"x\x1b[80b");
    }

    #[test]
    fn cancelled_and_unknown_osc_leave_the_parser_in_text() {
        assert_eq!(passed(&[b"\x1b]0;ab\x18c"]).0, b"\x1b\x18c");
        assert_eq!(passed(&[b"\x1b]1337;File=x\x07c"]).0, b"\x1b\x18c");
        assert_eq!(passed(&[b"\x1b]7;file://h/\x1b\\c"]).0, b"\x1b\x1b\\c");
        assert_eq!(passed(&[b"\x1b]9\x07c"]).0, b"\x1b\x18c");
    }

    #[test]
    fn cutting_the_stream_anywhere_changes_nothing() {
        let input: &[u8] =
            b"a\x1b]0;t\x07b\x1bPq\x1b\\c\x1b[999b\x1b]7;x\x1b\\d\x1b]0;z\x18e\x1b(Bf\x1b]52;c;QQ==\x07\xc3\xa9a\xe6\x97\xa5\xf0\x9f\x8e\x89\xe6\x97\x1b[m\xf0\x9fz\xff\xc3\xc3\xa9";
        let whole = passed(&[input]).0;
        for cut in 0..input.len() {
            assert_eq!(passed(&[&input[..cut], &input[cut..]]).0, whole, "cut at {cut}");
        }
    }
}
