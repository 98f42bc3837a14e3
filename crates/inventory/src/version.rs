//! Agent versions and what old ones lack.

use std::fmt;

/// A version of up to four numbers; missing ones are 0. Ordered component by component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentVersion([u32; 4]);

/// First agent whose port sessions carry several connections (protocol.md 10, "TCP multiplexing").
pub const MUX_SINCE: AgentVersion = AgentVersion([3, 0, 196, 0]);

/// First agent that takes forwards to a remote host (protocol.md 1.5, `AWS-StartPortForwardingSessionToRemoteHost`).
pub const REMOTE_HOST_SINCE: AgentVersion = AgentVersion([3, 1, 1374, 0]);

impl AgentVersion {
    /// Parses one to four numbers with dots between; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_parts(text).map(|(version, _)| version)
    }

    /// Like [`Self::parse`], with the number of components that were given.
    pub(crate) fn parse_parts(text: &str) -> Option<(Self, usize)> {
        let mut parts = [0; 4];
        let mut count = 0;
        for part in text.split('.') {
            // `parse` alone would take a sign.
            if !part.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            *parts.get_mut(count)? = part.parse().ok()?;
            count += 1;
        }
        Some((Self(parts), count))
    }

    /// Whether the first `count` components are those of `other`.
    pub(crate) fn begins_with(self, other: Self, count: usize) -> bool {
        self.0.iter().zip(other.0).take(count).all(|(a, b)| *a == b)
    }

    /// The components as one number, for sorting.
    pub(crate) fn rank(self) -> u128 {
        self.0.iter().fold(0, |sum, part| sum << 32 | u128::from(*part))
    }
}

impl fmt::Display for AgentVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a}.{b}.{c}.{d}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number_not_by_text() {
        assert!(AgentVersion::parse("3.1.1374.0") < AgentVersion::parse("3.3.2746.0"));
        assert!(AgentVersion::parse("3.0.1390.0") > AgentVersion::parse("3.0.196.0"));
        assert_eq!(AgentVersion::parse("3.1"), AgentVersion::parse("3.1.0.0"));
    }

    #[test]
    fn anything_but_one_to_four_numbers_is_no_version() {
        for text in ["", "3.", ".3", "3.a", "+3.1", "1.2.3.4.5", "99999999999", "3..1", "３.1"] {
            assert_eq!(AgentVersion::parse(text), None, "{text:?}");
        }
    }
}
