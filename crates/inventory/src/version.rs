//! Agent versions and what old ones lack.

use std::fmt;

/// A version of up to four numbers; missing ones are 0. Ordered component by component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentVersion([u32; 4]);

/// First agent whose port sessions carry several connections (protocol.md 10, "TCP multiplexing").
pub const MUX_SINCE: AgentVersion = AgentVersion([3, 0, 196, 0]);

/// First agent that takes forwards to a remote host (protocol.md 1.5, `AWS-StartPortForwardingSessionToRemoteHost`).
pub const REMOTE_HOST_SINCE: AgentVersion = AgentVersion([3, 1, 1374, 0]);

/// Something that older agents do not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Sessions at all.
    Sessions,
    /// SSH through a session.
    Ssh,
    /// Several connections over one port session.
    Multiplexing,
    /// Forwards to other hosts.
    RemoteHosts,
}

impl Gate {
    /// All of them, the oldest first.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::Ssh, Self::Multiplexing, Self::RemoteHosts];

    /// First agent that does it (anchors.md 4, protocol.md 1.5 and 10).
    pub fn since(self) -> AgentVersion {
        match self {
            Self::Sessions => AgentVersion([2, 3, 68, 0]),
            Self::Ssh => AgentVersion([2, 3, 672, 0]),
            Self::Multiplexing => MUX_SINCE,
            Self::RemoteHosts => REMOTE_HOST_SINCE,
        }
    }

    /// What an agent of this version does not do; nothing is said about versions that cannot be read.
    pub fn closed_to(version: &str) -> Vec<Self> {
        let Some(version) = AgentVersion::parse(version) else { return Vec::new() };
        Self::ALL.into_iter().filter(|gate| version < gate.since()).collect()
    }

    /// What it costs, as a sentence.
    pub fn cost(self) -> String {
        let since = self.since();
        match self {
            Self::Sessions => format!("Sessions need {since} or later."),
            Self::Ssh => format!("SSH needs {since} or later."),
            Self::Multiplexing => format!("A forward carries one connection at a time before {since}."),
            Self::RemoteHosts => format!("Forwards to remote hosts need {since} or later."),
        }
    }
}

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
    fn old_agents_are_told_what_each_gate_costs() {
        assert_eq!(Gate::closed_to("3.3.2746.0"), []);
        assert_eq!(Gate::closed_to("3.1.1188.0"), [Gate::RemoteHosts]);
        assert_eq!(Gate::closed_to("3.0.161.0"), [Gate::Multiplexing, Gate::RemoteHosts]);
        assert_eq!(Gate::closed_to("2.3.50.0"), Gate::ALL);
        assert_eq!(Gate::closed_to("unknown"), [], "nothing is guessed");
        let mut since = Gate::ALL.map(Gate::since);
        since.sort();
        assert_eq!(since, Gate::ALL.map(Gate::since), "the oldest first");
    }

    #[test]
    fn anything_but_one_to_four_numbers_is_no_version() {
        for text in ["", "3.", ".3", "3.a", "+3.1", "1.2.3.4.5", "99999999999", "3..1", "３.1"] {
            assert_eq!(AgentVersion::parse(text), None, "{text:?}");
        }
    }
}
