//! Matching one text.

/// How a text is compared: anywhere in it, or as a whole where the pattern has `*`. Without regard to case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pattern {
    /// Lower-case text to be found anywhere.
    Contains(String),
    /// Lower-case text to be equal.
    Whole(String),
    /// Lower-case pieces between the stars.
    Glob(Vec<String>),
}

impl Pattern {
    /// `text` is unquoted; stars in `raw`, the text as it was written, count only outside quotes.
    pub(crate) fn new(raw: &str, text: &str) -> Self {
        let lower = text.to_lowercase();
        if raw.contains('"') || !lower.contains('*') {
            return Self::Contains(lower);
        }
        Self::Glob(lower.split('*').map(str::to_owned).collect())
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        // Almost every fact is ASCII, where no lower-case copy is needed.
        if text.is_ascii() {
            self.matches_ascii(text.as_bytes())
        } else {
            self.matches_lower(&text.to_lowercase())
        }
    }

    /// For a text that is lower case already.
    pub(crate) fn matches_lower(&self, text: &str) -> bool {
        match self {
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Whole(_) | Self::Glob(_) => self.matches_ascii(text.as_bytes()),
        }
    }

    fn matches_ascii(&self, text: &[u8]) -> bool {
        match self {
            Self::Contains(part) => find(text, part.as_bytes()).is_some(),
            Self::Whole(whole) => text.eq_ignore_ascii_case(whole.as_bytes()),
            Self::Glob(pieces) => glob(text, pieces),
        }
    }
}

/// Pieces in order, the first at the beginning and the last at the end. Taking each piece at its first place is enough,
/// because only stars stand between them.
fn glob(text: &[u8], pieces: &[String]) -> bool {
    let [first, middle @ .., last] = pieces else { return false };
    let (first, last) = (first.as_bytes(), last.as_bytes());
    if text.len() < first.len() + last.len()
        || !text[..first.len()].eq_ignore_ascii_case(first)
        || !text[text.len() - last.len()..].eq_ignore_ascii_case(last)
    {
        return false;
    }
    let mut rest = &text[first.len()..text.len() - last.len()];
    middle.iter().all(|piece| match find(rest, piece.as_bytes()) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

/// Where a lower-case part is found in a text of any case.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let Some((first, rest)) = part.split_first() else { return Some(0) };
    let last_start = text.len().checked_sub(part.len())?;
    (0..=last_start).find(|at| {
        text[*at].eq_ignore_ascii_case(first) && text[*at + 1..*at + part.len()].eq_ignore_ascii_case(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern, pattern).matches(text)
    }

    #[test]
    fn plain_text_matches_anywhere_in_any_case() {
        assert!(matches("WEB", "my-web-1") && matches("", "x"));
        assert!(matches("münchen", "MÜNCHEN-1"));
        assert!(!matches("web-2", "web-1"));
    }

    #[test]
    fn stars_match_the_whole_text() {
        assert!(matches("pay-*", "Pay-win-1") && !matches("pay-*", "x-pay-1"));
        assert!(matches("*-1", "a-1") && matches("a*b*c", "aXbYc") && !matches("a*b*c", "aXc"));
        assert!(!matches("ab*ba", "aba"), "ends may not overlap");
        assert!(matches("*", "") && matches("**", "x"));
        assert!(matches("ä*ö", "ÄxÖ"));
    }

    #[test]
    fn a_quoted_star_is_a_star() {
        assert!(Pattern::new("\"a*\"", "a*").matches("xa*y"));
    }
}
