//! What was typed, as far as it was shown.

use std::collections::VecDeque;

/// Most characters that wait to be shown.
const WAITING: usize = 4096;

/// Keeps of what is typed only what the node shows at once, so that a password typed at a prompt that shows nothing is never
/// kept. What is sent with Enter before it was shown counts as not shown; the Enter itself is kept.
#[derive(Clone, Debug, Default)]
pub struct Echo {
    /// Characters typed on this line and not shown yet.
    waiting: VecDeque<char>,
    shown: String,
}

impl Echo {
    /// Takes in what was typed.
    pub fn typed(&mut self, bytes: &[u8]) {
        for c in String::from_utf8_lossy(bytes).chars() {
            match c {
                '\r' | '\n' => {
                    self.waiting.clear();
                    self.shown.push('\r');
                }
                // Keys that are no characters; a line that is edited is shown as it is edited, not as it was typed.
                c if c.is_control() => self.waiting.clear(),
                c if self.waiting.len() < WAITING => self.waiting.push_back(c),
                _ => self.waiting.clear(),
            }
        }
    }

    /// Takes in what the node printed, and gives what was typed and is now shown.
    pub fn printed(&mut self, bytes: &[u8]) -> Option<String> {
        for c in String::from_utf8_lossy(bytes).chars() {
            if self.waiting.front() != Some(&c) {
                break;
            }
            self.waiting.pop_front();
            self.shown.push(c);
        }
        Some(std::mem::take(&mut self.shown)).filter(|shown| !shown.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_kept_and_a_password_is_not() {
        let mut echo = Echo::default();
        let mut kept = String::new();
        for key in ["l", "s"] {
            echo.typed(key.as_bytes());
            kept.extend(echo.printed(key.as_bytes()));
        }
        echo.typed(b"\r");
        kept.extend(echo.printed(b"\r\nfile\r\nPassword: "));
        for key in ["s", "e", "c", "r", "e", "t"] {
            echo.typed(key.as_bytes());
        }
        echo.typed(b"\r");
        kept.extend(echo.printed(b"\r\nsecret files are here\r\n$ "));
        assert_eq!(kept, "ls\r\r");
        echo.typed(b"pasted at once\r");
        kept.clear();
        kept.extend(echo.printed(b"pasted at once\r\n"));
        assert_eq!(kept, "\r", "nobody can tell it from a password");
        echo.typed(&vec![b'x'; 2 * WAITING]);
        assert!(echo.waiting.len() <= WAITING);
    }
}
