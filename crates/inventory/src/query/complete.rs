//! Completions of the query box.

use std::collections::HashMap;

use super::key::Key;
use super::text::{self, Place};
use crate::entry::Entry;
use crate::fleet::Fleet;
use crate::node::{InstanceTier, NodeKind, PingStatus, PlatformFamily};
use crate::readiness::Readiness;

/// One completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What to insert.
    pub text: String,
    /// What it is, in words; empty where the text says it.
    pub label: String,
    /// Nodes that have it; `None` for keys.
    pub count: Option<u32>,
}

/// Completions at a place, which is in UTF-16 code units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// First unit the insertion replaces.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// Best first, at most 20.
    pub items: Vec<Completion>,
}

/// Most completions given.
const LIMIT: usize = 20;

impl Completions {
    /// Completions for a cursor in a query: keys while no colon was typed, then values with the number of nodes that
    /// have them. Replaces the part of the word before the cursor that is being typed.
    pub fn at(fleet: &Fleet, query: &str, cursor_utf16: u32) -> Self {
        let cursor = text::byte_at(query, cursor_utf16);
        let before = &query[..cursor];
        let word = text::words(before)
            .pop()
            .filter(|w| w.end == cursor && !ends_outside(before))
            .unwrap_or(Place { start: cursor, end: cursor });
        let start = word.start + usize::from(word.of(before).starts_with('-'));
        let typed = Place { start, end: cursor };
        let (typed, items) = match text::find(typed.of(before), ':') {
            None => (typed, keys(typed.of(before))),
            Some(colon) => match Key::from_text(&before[start..start + colon]) {
                None => (typed, Vec::new()),
                Some(key) => values(fleet, before, key, Place { start: start + colon + 1, end: cursor }),
            },
        };
        Self { start: text::utf16_at(query, typed.start), end: text::utf16_at(query, cursor), items }
    }
}

/// Whether the text ends in a space that separates words.
fn ends_outside(text: &str) -> bool {
    text.ends_with(char::is_whitespace) && !text::is_open(text)
}

fn keys(typed: &str) -> Vec<Completion> {
    let typed = typed.to_ascii_lowercase();
    let keys = Key::ALL.into_iter().filter(|key| key.text().starts_with(&typed));
    keys.map(|key| Completion {
        text: format!("{}:", key.text()),
        label: key.label().to_owned(),
        count: None,
    })
    .collect()
}

/// The part of the value being typed, and what it could become.
fn values(fleet: &Fleet, query: &str, key: Key, value: Place) -> (Place, Vec<Completion>) {
    if key == Key::Tag {
        return tags(fleet, query, value);
    }
    let last = last_part(query, value);
    let counts = count(fleet, |entry, add| each_value(fleet, key, entry, add));
    (last, best(counts, &text::unquote(last.of(query)), ""))
}

fn tags(fleet: &Fleet, query: &str, value: Place) -> (Place, Vec<Completion>) {
    let typed = value.of(query);
    match text::find(typed, '=') {
        None => {
            let last = last_part(query, value);
            let counts = count(fleet, |entry, add| entry.node().tags.iter().for_each(|(k, _)| add(k)));
            // The equals sign leads on to the values.
            (last, best(counts, &text::unquote(last.of(query)), "="))
        }
        Some(equals) => {
            let key = text::unquote(&typed[..equals]).to_lowercase();
            let last = last_part(query, Place { start: value.start + equals + 1, end: value.end });
            let counts = count(fleet, |entry, add| {
                entry.node().tags.iter().filter(|(k, _)| k.to_lowercase() == key).for_each(|(_, v)| add(v));
            });
            (last, best(counts, &text::unquote(last.of(query)), ""))
        }
    }
}

fn last_part(query: &str, value: Place) -> Place {
    text::split(query, value, ',').pop().unwrap_or(value)
}

fn count(fleet: &Fleet, each: impl Fn(&Entry, &mut dyn FnMut(&str))) -> HashMap<String, u32> {
    let mut counts = HashMap::<String, u32>::new();
    for entry in fleet.entries() {
        each(entry, &mut |value| match counts.get_mut(value) {
            Some(count) => *count += 1,
            None => drop(counts.insert(value.to_owned(), 1)),
        });
    }
    counts
}

/// The values of one fact of a node, as they are written in a query.
fn each_value(fleet: &Fleet, key: Key, entry: &Entry, add: &mut dyn FnMut(&str)) {
    let node = entry.node();
    let mut add = |value: &str| {
        if !value.is_empty() {
            add(value);
        }
    };
    match key {
        Key::Name => add(node.display_name()),
        Key::Id => add(&node.node_id),
        Key::Kind => {
            add(match node.kind {
                NodeKind::Ec2 => "ec2",
                NodeKind::OnPrem => "onprem",
                NodeKind::Azure => "azure",
                NodeKind::Gcp => "gcp",
                NodeKind::Edge => "edge",
            });
            if node.kind.is_hybrid() {
                add("hybrid");
            }
        }
        Key::Platform => {
            add(match node.platform {
                PlatformFamily::Linux => "linux",
                PlatformFamily::Windows => "windows",
                PlatformFamily::MacOs => "macos",
                PlatformFamily::Unknown => "unknown",
            });
            add(entry.platform_text());
        }
        Key::Account => add(&fleet.listing_of(entry).account_name),
        Key::Region => add(&node.account_region.region),
        Key::Ip => add(&node.ip),
        Key::Agent => add(&node.agent_version),
        Key::Tier => add(match fleet.tier(entry) {
            None => "none",
            Some(InstanceTier::Standard) => "standard",
            Some(InstanceTier::Advanced) => "advanced",
            Some(InstanceTier::Pending) => "pending",
            Some(InstanceTier::Unknown) => "unknown",
        }),
        Key::Ping => add(match node.ping {
            PingStatus::Online => "online",
            PingStatus::ConnectionLost => "lost",
            PingStatus::Inactive => "inactive",
            PingStatus::Unknown => "unknown",
        }),
        Key::State => add(match fleet.verdict(entry).readiness() {
            Readiness::Ready => "ready",
            Readiness::Checking => "checking",
            Readiness::Limited => "limited",
            Readiness::Lost => "lost",
            Readiness::Blocked => "blocked",
        }),
        Key::Tag => node.tags.iter().for_each(|(k, _)| add(k)),
        Key::Vpc => add(&node.vpc_id),
        Key::Az => add(&node.availability_zone),
        Key::Type => add(&node.instance_type),
        Key::Is => {
            let marks = fleet.marks();
            let known = [
                ("favourite", marks.is_favourite(entry.key())),
                ("recent", marks.used(entry.key()).is_some()),
                ("stale", entry.is_stale()),
            ];
            known.iter().filter(|(_, is)| *is).for_each(|(word, _)| add(word));
        }
        Key::Group => fleet.marks().groups_of(entry.key()).for_each(&mut add),
    }
}

/// Values that contain what was typed: those that begin with it first, then by count, then by text.
fn best(counts: HashMap<String, u32>, typed: &str, suffix: &str) -> Vec<Completion> {
    let typed = typed.to_lowercase();
    let mut found: Vec<(bool, u32, String)> = counts
        .into_iter()
        .filter_map(|(value, count)| {
            let lower = value.to_lowercase();
            lower.contains(&typed).then(|| (!lower.starts_with(&typed), count, value))
        })
        .collect();
    let order = |a: &(bool, u32, String), b: &(bool, u32, String)| {
        a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then_with(|| a.2.cmp(&b.2))
    };
    if found.len() > LIMIT {
        found.select_nth_unstable_by(LIMIT, order);
        found.truncate(LIMIT);
    }
    found.sort_unstable_by(order);
    let completion = |(_, count, value): (bool, u32, String)| Completion {
        text: format!("{}{suffix}", text::quote(&value)),
        label: String::new(),
        count: Some(count),
    };
    found.into_iter().map(completion).collect()
}
