//! Which terminal modes the programs on the node have switched on, so that they can be switched off again when the
//! session ends in the middle of one.

use std::collections::BTreeSet;

/// Private modes that are off by default and would be a nuisance if left on: application cursor keys, alternate
/// screens, mouse reporting, focus reporting, bracketed paste, synchronized output.
const OFF_BY_DEFAULT: [u16; 14] =
    [1, 47, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1047, 1049, 2004, 2026];

/// The cursor is visible by default.
const CURSOR: u16 = 25;

/// Alternate screens.
const SCREENS: [u16; 3] = [47, 1047, 1049];

/// Numbers in one sequence at most; more are ignored.
const NUMBERS: usize = 16;

/// Follows the output for `CSI ? … h`, `CSI ? … l`, `ESC =`, `ESC >` and `ESC c`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modes {
    on: BTreeSet<u16>,
    cursor_hidden: bool,
    keypad: bool,
    state: State,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    Bracket,
    Private {
        numbers: Vec<u16>,
        current: u16,
    },
}

impl Modes {
    /// Takes output in any pieces.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.step(byte);
        }
    }

    /// Whether a program has the alternate screen, where a line of ours would spoil the picture.
    pub(crate) fn alternate_screen(&self) -> bool {
        SCREENS.iter().any(|mode| self.on.contains(mode))
    }

    /// What switches everything off again; empty when nothing is on.
    pub(crate) fn undo(&self) -> Vec<u8> {
        let mut undo = Vec::new();
        for mode in self.on.iter().rev() {
            undo.extend_from_slice(format!("\x1b[?{mode}l").as_bytes());
        }
        if self.cursor_hidden {
            undo.extend_from_slice(b"\x1b[?25h");
        }
        if self.keypad {
            undo.extend_from_slice(b"\x1b>");
        }
        if !undo.is_empty() {
            undo.extend_from_slice(b"\x1b[0m");
        }
        undo
    }

    fn step(&mut self, byte: u8) {
        let state = std::mem::take(&mut self.state);
        self.state = match (state, byte) {
            (_, 0x1b) => State::Escape,
            (State::Escape, b'[') => State::Bracket,
            (State::Escape, b'=') => {
                self.keypad = true;
                State::Ground
            }
            (State::Escape, b'>') => {
                self.keypad = false;
                State::Ground
            }
            (State::Escape, b'c') => {
                *self = Self::default();
                State::Ground
            }
            (State::Bracket, b'?') => State::Private { numbers: Vec::new(), current: 0 },
            (State::Private { numbers, current }, b'0'..=b'9') => {
                let current = current.saturating_mul(10).saturating_add(u16::from(byte - b'0'));
                State::Private { numbers, current }
            }
            (State::Private { mut numbers, current }, b';') => {
                if numbers.len() < NUMBERS {
                    numbers.push(current);
                }
                State::Private { numbers, current: 0 }
            }
            (State::Private { mut numbers, current }, b'h' | b'l') => {
                numbers.push(current);
                for mode in numbers {
                    self.set(mode, byte == b'h');
                }
                State::Ground
            }
            _ => State::Ground,
        };
    }

    fn set(&mut self, mode: u16, on: bool) {
        if mode == CURSOR {
            self.cursor_hidden = !on;
        } else if OFF_BY_DEFAULT.contains(&mode) {
            if on {
                self.on.insert(mode);
            } else {
                self.on.remove(&mode);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_switched_on_is_switched_off_and_nothing_else() {
        let mut modes = Modes::default();
        assert!(modes.undo().is_empty());
        modes.feed(b"text\x1b[?1049h\x1b[?1;2004h\x1b[?25l\x1b=\x1b[?7h\x1b[31m");
        assert!(modes.alternate_screen());
        assert_eq!(modes.undo(), b"\x1b[?2004l\x1b[?1049l\x1b[?1l\x1b[?25h\x1b>\x1b[0m");
        modes.feed(b"\x1b[?1049l\x1b[?2004l\x1b[?1l\x1b[?25h\x1b>");
        assert!(!modes.alternate_screen() && modes.undo().is_empty());
    }

    #[test]
    fn sequences_may_be_cut_anywhere() {
        let mut modes = Modes::default();
        for byte in b"\x1b[?1000;1006h" {
            modes.feed(&[*byte]);
        }
        assert_eq!(modes.undo(), b"\x1b[?1006l\x1b[?1000l\x1b[0m");
        modes.feed(b"\x1bc");
        assert!(modes.undo().is_empty());
    }

    #[test]
    fn endless_numbers_are_bounded() {
        let mut modes = Modes::default();
        modes.feed(b"\x1b[?");
        for _ in 0..100_000 {
            modes.feed(b"99999;");
        }
        let State::Private { numbers, .. } = &modes.state else { panic!("not in the sequence") };
        assert_eq!(numbers.len(), NUMBERS);
    }
}
