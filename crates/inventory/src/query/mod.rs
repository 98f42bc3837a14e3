//! The query language of the fleet.
//!
//! A query is words with spaces between; a node must match all of them. `OR` between words separates alternatives and
//! binds weaker than a space: `a b OR c` is (`a` and `b`) or `c`. A leading `-` negates one word.
//!
//! - Free text is looked for in name, host name, node id and addresses, without regard to case. `"two words"` in quotes
//!   is one piece of text; `\"` is a quote inside quotes.
//! - `key:value` filters one fact; commas separate values of which one must match: `platform:windows,macos`. Texts match
//!   anywhere; with `*` in them they match as a whole (`name:pay-*`). An `ip` matches by whole parts (`ip:10.20`).
//! - `tag:k` asks for a tag, `tag:k=v` for its value.
//! - `is:favourite`, `is:recent` and `group:name` ask for what the user marked, `is:stale` for rows that were not
//!   confirmed yet.
//! - `agent` and `ping` also compare: `agent:<3.1`, `agent:>=3.2.1000`, `ping:>5m` (units s, m, h, d, w). Missing
//!   components of a version count as 0 in a comparison and are free otherwise (`agent:3.1` is any 3.1).
//!
//! A part that cannot be understood is reported with its place and does not filter. Parsing never fails.

mod complete;
mod key;
mod matching;
mod parse;
mod pattern;
mod text;

pub use complete::{Completion, Completions};
pub use key::Key;
pub use parse::Issue;
use parse::{Term, Test};

/// A parsed query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Never empty inside; none at all lets every node through.
    alternatives: Vec<Vec<Term>>,
    issues: Vec<Issue>,
}

impl Query {
    /// Parses any text.
    pub fn parse(text: &str) -> Self {
        parse::parse(text)
    }

    /// What could not be understood, in order of place.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// Whether tags decide what matches.
    pub fn asks_for_tags(&self) -> bool {
        let mut terms = self.alternatives.iter().flatten();
        terms.any(|term| term.tests.iter().any(|test| matches!(test, Test::Tag(_) | Test::TagValue(..))))
    }

    /// Whether it lets every node through.
    pub fn is_unfiltered(&self) -> bool {
        self.alternatives.is_empty()
    }
}

#[cfg(test)]
mod tests;
