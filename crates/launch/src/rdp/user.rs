//! Names of users and domains that can be handed to any client.

use std::fmt;

/// A user or domain name: 1 to 256 characters, no control characters and quotes, not beginning with `-` or `/`, so that
/// no client takes it for an option (SEC-60).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

impl UserName {
    /// `None` when the text is no such name.
    pub fn new(text: &str) -> Option<Self> {
        let bad = |c: char| c.is_control() || matches!(c, '"' | '\'' | '`' | '\u{2028}' | '\u{2029}');
        let fits = (1..=256).contains(&text.chars().count())
            && !text.starts_with(['-', '/', '+', '@'])
            && text.trim() == text
            && !text.contains(bad);
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
