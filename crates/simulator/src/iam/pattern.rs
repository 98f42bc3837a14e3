//! Patterns of policies: `*`, `?` and variables.

use super::Situation;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    /// `?`.
    One,
    /// `*`.
    Any,
    /// `${name}`.
    Variable(String),
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    /// Reads a text of a policy. `${*}`, `${?}` and `${$}` stand for the characters themselves.
    pub(super) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some((name, after)) = rest.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
                pieces.push(match name {
                    "*" | "?" | "$" => Piece::Char(name.chars().next().unwrap_or('$')),
                    _ => Piece::Variable(name.to_ascii_lowercase()),
                });
                rest = after;
                continue;
            }
            pieces.push(match c {
                '*' => Piece::Any,
                '?' => Piece::One,
                c => Piece::Char(c),
            });
            rest = &rest[c.len_utf8()..];
        }
        Self(pieces)
    }

    /// Whether the text matches. A variable that has no value here matches nothing at all.
    pub(super) fn matches(&self, text: &str, situation: &Situation<'_>, ignore_case: bool) -> bool {
        let mut flat = Vec::with_capacity(self.0.len());
        for piece in &self.0 {
            match piece {
                Piece::Variable(name) => match situation.key(name) {
                    Some(value) => flat.extend(value.chars().map(Piece::Char)),
                    None => return false,
                },
                piece => flat.push(piece.clone()),
            }
        }
        let text: Vec<char> = text.chars().collect();
        let same = |a: char, b: char| if ignore_case { a.eq_ignore_ascii_case(&b) } else { a == b };
        let (mut p, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match flat.get(p) {
                Some(Piece::Any) => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(Piece::One) => (p, t) = (p + 1, t + 1),
                Some(Piece::Char(c)) if same(*c, text[t]) => (p, t) = (p + 1, t + 1),
                _ => match star {
                    // The last star takes one character more.
                    Some((at, taken)) => {
                        star = Some((at, taken + 1));
                        (p, t) = (at + 1, taken + 1);
                    }
                    None => return false,
                },
            }
        }
        flat[p..].iter().all(|piece| *piece == Piece::Any)
    }

    /// The text this is, with variables put in and nothing standing for anything else.
    pub(super) fn literal(&self, situation: &Situation<'_>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Char(c) => text.push(*c),
                Piece::One => text.push('?'),
                Piece::Any => text.push('*'),
                Piece::Variable(name) => text.push_str(situation.key(name)?),
            }
        }
        Some(text)
    }
}
