//! Local escapes: `Enter ~ .` leaves the session, `Enter ~ ?` shows help, `Enter ~ ~` sends one tilde.

/// What a piece of typed input turns into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Send these.
    Bytes(Vec<u8>),
    /// Show the help.
    Help,
    /// Leave.
    End,
}

/// Looks for escapes. Only single keys count: a tilde inside a longer piece is pasted text and is sent as it is.
#[derive(Debug)]
pub(crate) struct Escapes {
    line_start: bool,
    tilde_held: bool,
}

impl Default for Escapes {
    fn default() -> Self {
        Self { line_start: true, tilde_held: false }
    }
}

impl Escapes {
    /// Takes one read of the terminal; `None` when nothing is to be done yet.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Option<Typed> {
        if std::mem::take(&mut self.tilde_held) {
            return match piece {
                b"." => Some(Typed::End),
                b"?" => Some(Typed::Help),
                b"~" => {
                    self.line_start = false;
                    Some(Typed::Bytes(b"~".to_vec()))
                }
                piece => {
                    self.remember(piece);
                    Some(Typed::Bytes([b"~", piece].concat()))
                }
            };
        }
        if self.line_start && piece == b"~" {
            self.tilde_held = true;
            return None;
        }
        self.remember(piece);
        Some(Typed::Bytes(piece.to_vec()))
    }

    fn remember(&mut self, piece: &[u8]) {
        if let Some(last) = piece.last() {
            self.line_start = matches!(last, b'\r' | b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> Vec<Typed> {
        let mut escapes = Escapes::default();
        keys.iter().filter_map(|key| escapes.take(key.as_bytes())).collect()
    }

    fn bytes(text: &str) -> Typed {
        Typed::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn escapes_work_at_the_start_of_a_line_only() {
        assert_eq!(typed(&["~", "."]), [Typed::End]);
        assert_eq!(typed(&["\r", "~", "?"]), [bytes("\r"), Typed::Help]);
        assert_eq!(typed(&["a", "~", "."]), [bytes("a"), bytes("~"), bytes(".")]);
    }

    #[test]
    fn after_help_the_line_is_still_at_its_start() {
        assert_eq!(typed(&["\r", "~", "?", "~", "."]), [bytes("\r"), Typed::Help, Typed::End]);
    }

    #[test]
    fn two_tildes_send_one_and_any_other_key_is_sent_with_its_tilde() {
        assert_eq!(typed(&["\r", "~", "~", "."]), [bytes("\r"), bytes("~"), bytes(".")]);
        assert_eq!(typed(&["~", "x"]), [bytes("~x")]);
    }

    #[test]
    fn pasted_text_is_never_an_escape() {
        assert_eq!(typed(&["\r~.", "~.", "a\r"]), [bytes("\r~."), bytes("~."), bytes("a\r")]);
    }
}
