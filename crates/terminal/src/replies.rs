//! Answers to a program's questions: the allow-list of SEC-10 and its rate limit.
//!
//! This is the only place that writes bytes towards the node on a program's request. Every answer is built from the
//! terminal's own numbers; nothing a program printed is ever part of one. Not answered, on purpose: title and icon
//! reports, DECRQSS, XTGETTCAP, XTVERSION, DECRQCRA, OSC 50 and OSC 52 reads, ENQ, DA3, and the size in pixels, which
//! this crate does not know.

use std::time::Duration;

use alacritty_terminal::vte::ansi::NamedColor;

use crate::options::{Palette, Rgb};

/// Answers allowed per second; as many may come at once after a quiet second.
const PER_SECOND: u64 = 100;

/// Most bytes kept until they are taken.
const PENDING_LIMIT: usize = 16 << 10;

/// State of a mode in a DECRQM answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModeState {
    Unknown = 0,
    Set = 1,
    Reset = 2,
}

impl From<bool> for ModeState {
    fn from(set: bool) -> Self {
        if set { Self::Set } else { Self::Reset }
    }
}

/// Answers not yet taken, and what may still be said.
#[derive(Debug)]
pub(crate) struct Replies {
    pending: Vec<u8>,
    /// Thousandths of an answer that may be given.
    credit: u64,
    now: Duration,
    dropped: u64,
}

impl Replies {
    pub(crate) fn new() -> Self {
        Self { pending: Vec::new(), credit: PER_SECOND * 1_000, now: Duration::ZERO, dropped: 0 }
    }

    /// Sets the time; earlier times than before count as the same moment.
    pub(crate) fn set_now(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.now);
        let earned = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).saturating_mul(PER_SECOND);
        if earned > 0 {
            self.credit = self.credit.saturating_add(earned).min(PER_SECOND * 1_000);
            self.now = now;
        }
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pending)
    }

    /// Answers not given because there were too many.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn say(&mut self, text: &str) {
        if self.credit < 1_000 || self.pending.len() + text.len() > PENDING_LIMIT {
            self.dropped += 1;
            return;
        }
        self.credit -= 1_000;
        self.pending.extend_from_slice(text.as_bytes());
    }

    /// DA1: a VT102, like the terminal model this crate embeds.
    pub(crate) fn primary_attributes(&mut self) {
        self.say("\x1b[?6c");
    }

    /// DA2: terminal type 0, and the version the embedded model gives itself. Vim and others turn SGR mouse reports
    /// on from version 277 of xterm, so it has to be above that.
    pub(crate) fn secondary_attributes(&mut self) {
        self.say("\x1b[>0;2600;1c");
    }

    /// DSR 5: ready.
    pub(crate) fn ready(&mut self) {
        self.say("\x1b[0n");
    }

    /// DSR 6: where the cursor is, both from 1.
    pub(crate) fn cursor_position(&mut self, row: usize, col: usize) {
        self.say(&format!("\x1b[{row};{col}R"));
    }

    /// DECRQM for ANSI modes.
    pub(crate) fn mode(&mut self, mode: u16, state: ModeState) {
        self.say(&format!("\x1b[{mode};{}$y", state as u8));
    }

    /// DECRQM for private modes.
    pub(crate) fn private_mode(&mut self, mode: u16, state: ModeState) {
        self.say(&format!("\x1b[?{mode};{}$y", state as u8));
    }

    /// XTWINOPS 18: the size in cells.
    pub(crate) fn size(&mut self, rows: usize, cols: usize) {
        self.say(&format!("\x1b[8;{rows};{cols}t"));
    }

    /// OSC 4, 10, 11 and 12 with `?`. `index` is the palette index, or one of the special indexes from 256.
    pub(crate) fn colour(&mut self, index: usize, set: Option<Rgb>, palette: &Palette, bell: bool) {
        let (number, themed) = match index {
            0..=255 => (format!("4;{index}"), palette.indexed(index as u8)),
            i if i == NamedColor::Foreground as usize => ("10".to_owned(), palette.foreground),
            i if i == NamedColor::Background as usize => ("11".to_owned(), palette.background),
            i if i == NamedColor::Cursor as usize => ("12".to_owned(), palette.cursor),
            _ => return,
        };
        let Rgb { r, g, b } = set.unwrap_or(themed);
        let end = if bell { "\x07" } else { "\x1b\\" };
        self.say(&format!("\x1b]{number};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{end}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_questions_gets_a_hundred_answers_a_second() {
        let mut replies = Replies::new();
        for _ in 0..1_000 {
            replies.ready();
        }
        assert_eq!(replies.take().len(), 100 * 4);
        assert_eq!(replies.dropped(), 900);
        replies.set_now(Duration::from_millis(500));
        for _ in 0..1_000 {
            replies.ready();
        }
        assert_eq!(replies.take().len(), 50 * 4);
    }

    #[test]
    fn frequent_clock_updates_earn_the_same_credit_as_rare_ones() {
        let mut replies = Replies::new();
        for _ in 0..100 {
            replies.ready();
        }
        for step in 1..=4_000u64 {
            replies.set_now(Duration::from_micros(step * 250));
        }
        replies.take();
        for _ in 0..200 {
            replies.ready();
        }
        assert_eq!(replies.take().len(), 100 * 4);
    }

    #[test]
    fn colour_answers_name_the_colour_set_or_the_theme() {
        let mut replies = Replies::new();
        let palette = Palette::dark();
        replies.colour(NamedColor::Background as usize, None, &palette, true);
        replies.colour(3, Some(Rgb { r: 1, g: 2, b: 255 }), &palette, false);
        assert_eq!(replies.take(), b"\x1b]11;rgb:0f0f/1111/1414\x07\x1b]4;3;rgb:0101/0202/ffff\x1b\\");
    }
}
