//! Whether a node matches.

use super::Query;
use super::parse::{AddressTest, IsTest, KindTest, Term, Test};
use crate::entry::Entry;
use crate::fleet::Fleet;

impl Query {
    /// Whether a node of the fleet matches at this time.
    pub fn matches(&self, fleet: &Fleet, entry: &Entry, now_ms: i64) -> bool {
        self.alternatives.is_empty()
            || self
                .alternatives
                .iter()
                .any(|terms| terms.iter().all(|term| term.matches(fleet, entry, now_ms)))
    }
}

impl Term {
    fn matches(&self, fleet: &Fleet, entry: &Entry, now_ms: i64) -> bool {
        self.tests.iter().any(|test| test.matches(fleet, entry, now_ms)) != self.negated
    }
}

impl Test {
    fn matches(&self, fleet: &Fleet, entry: &Entry, now_ms: i64) -> bool {
        let node = entry.node();
        match self {
            Self::Free(text) => entry.haystack.contains(text.as_str()),
            Self::Name(pattern) => {
                pattern.matches(node.display_name()) || pattern.matches(&node.computer_name)
            }
            Self::Id(pattern) => pattern.matches(&node.node_id),
            Self::Kind(KindTest::Hybrid) => node.kind.is_hybrid(),
            Self::Kind(KindTest::Exactly(kind)) => node.kind == *kind,
            Self::Family(family) => node.platform == *family,
            Self::PlatformText(pattern) => {
                pattern.matches(entry.platform_text()) || pattern.matches(&node.platform_name)
            }
            Self::Account(pattern) => {
                pattern.matches(&node.account_region.account_id)
                    || pattern.matches(&fleet.listing_of(entry).account_name)
            }
            Self::Region(pattern) => pattern.matches(&node.account_region.region),
            Self::Address(test) => test.matches(&node.ip) || test.matches(&node.public_ip),
            Self::Version(comparison, wanted) => {
                entry.version.is_some_and(|version| comparison.holds(&version, wanted))
            }
            Self::VersionPrefix(wanted, parts) => {
                entry.version.is_some_and(|version| version.begins_with(*wanted, *parts))
            }
            Self::Tier(tier) => fleet.tier(entry) == *tier,
            Self::Ping(ping) => node.ping == *ping,
            Self::PingAge(comparison, age) => {
                node.last_ping_ms.is_some_and(|then| comparison.holds(&now_ms.saturating_sub(then), age))
            }
            Self::State(readiness) => fleet.verdict(entry).readiness() == *readiness,
            Self::Tag(key) => node.tags.iter().any(|(k, _)| key.matches(k)),
            Self::TagValue(key, value) => node.tags.iter().any(|(k, v)| key.matches(k) && value.matches(v)),
            Self::Vpc(pattern) => pattern.matches(&node.vpc_id),
            Self::Az(pattern) => pattern.matches(&node.availability_zone),
            Self::Type(pattern) => pattern.matches(&node.instance_type),
            Self::Is(IsTest::Favourite) => fleet.marks().is_favourite(entry.key()),
            Self::Is(IsTest::Recent) => fleet.marks().used(entry.key()).is_some(),
            Self::Is(IsTest::Stale) => entry.is_stale(),
            Self::Group(pattern) => fleet.marks().groups_of(entry.key()).any(|group| pattern.matches(group)),
        }
    }
}

impl AddressTest {
    fn matches(&self, address: &str) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(address),
            Self::Parts(parts) => {
                let rest = address.get(..parts.len()).filter(|begin| begin.eq_ignore_ascii_case(parts));
                rest.is_some()
                    && (parts.ends_with(['.', ':'])
                        || address[parts.len()..].is_empty()
                        || address[parts.len()..].starts_with(['.', ':']))
            }
        }
    }
}
