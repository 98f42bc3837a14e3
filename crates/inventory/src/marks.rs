//! What a person marked.

use std::collections::{HashMap, HashSet};

/// Favourites, recently used nodes and groups, by key (`account/region/node id`). Marks of nodes that are not listed
/// stay and do nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    favourites: HashSet<String>,
    used: HashMap<String, i64>,
    groups: Vec<(String, HashSet<String>)>,
}

impl Marks {
    /// Marks nodes as favourites.
    pub fn with_favourites(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.favourites.extend(keys);
        self
    }

    /// Adds nodes that were used, with the time in epoch milliseconds.
    pub fn with_used(mut self, used: impl IntoIterator<Item = (String, i64)>) -> Self {
        self.used.extend(used);
        self
    }

    /// Adds a group. Groups are told apart without regard to case.
    pub fn with_group(mut self, name: &str, keys: impl IntoIterator<Item = String>) -> Self {
        self.groups.push((name.to_owned(), keys.into_iter().collect()));
        self
    }

    /// Whether a node is a favourite.
    pub fn is_favourite(&self, key: &str) -> bool {
        self.favourites.contains(key)
    }

    /// When a node was used last, if it is remembered.
    pub fn used(&self, key: &str) -> Option<i64> {
        self.used.get(key).copied()
    }

    /// Names of the groups a node is in, in the person's order.
    pub fn groups_of(&self, key: &str) -> impl Iterator<Item = &str> {
        self.groups.iter().filter(move |(_, keys)| keys.contains(key)).map(|(name, _)| name.as_str())
    }
}
