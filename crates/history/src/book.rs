//! All sessions that were listed, and windows of them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use crate::query::{Fact, Query};
use crate::session::{SessionRecord, SessionStatus, without_mark};

/// Number of an account-Region in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaceId(usize);

/// Which sessions a window shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Show {
    /// Active ones first, then ended ones.
    #[default]
    All,
    /// Those that are not over.
    Active,
    /// Those that are over.
    Ended,
}

/// What rows are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// When it began.
    #[default]
    Start,
    /// How long it lasted.
    Duration,
    /// Name of the node.
    Node,
    /// Owner.
    Owner,
    /// Kind.
    Kind,
    /// Document.
    Document,
}

/// What a window asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Which ones.
    pub show: Show,
    /// Begun at or after this, in epoch milliseconds; those that are active are shown whenever they began.
    pub since_ms: Option<i64>,
    /// The query.
    pub query: Query,
    /// The order. Active ones stay before ended ones.
    pub sort: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not over.
    pub active: usize,
    /// Over.
    pub ended: usize,
}

#[derive(Debug)]
struct Place {
    account: String,
    region: String,
}

#[derive(Debug)]
struct Entry {
    record: SessionRecord,
    place: PlaceId,
    node_name: String,
    /// All that free text is looked for in, in lower case.
    text: String,
}

/// Sessions of one scope. Sessions are told apart by place and id.
#[derive(Debug, Default)]
pub struct HistoryBook {
    places: Vec<Place>,
    entries: Vec<Entry>,
    by_id: HashMap<(PlaceId, String), usize>,
    version: u64,
    /// The rows of the last window's question, for the version they were worked out at.
    rows: Option<(u64, Wanted, Vec<usize>, Counts)>,
}

impl HistoryBook {
    /// An empty book whose version goes on after another's.
    pub fn after(version: u64) -> Self {
        Self { version: version + 1, ..Self::default() }
    }

    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Adds an account-Region.
    pub fn declare(&mut self, account: &str, region: &str) -> PlaceId {
        self.places.push(Place { account: account.to_owned(), region: region.to_owned() });
        PlaceId(self.places.len() - 1)
    }

    /// Takes in sessions of a page. `name`: the node's name for a target, where the fleet knows it.
    pub fn merge(
        &mut self,
        place: PlaceId,
        records: Vec<SessionRecord>,
        name: impl Fn(&str) -> Option<String>,
    ) {
        for record in records {
            let node_name = name(&record.target).unwrap_or_else(|| record.target.clone());
            let key = (place, record.session_id.clone());
            let text = searched(&record, &node_name);
            match self.by_id.get(&key).and_then(|at| self.entries.get_mut(*at)) {
                // An answer that was under way while the session ended revives nothing.
                Some(entry) if entry.record.status.is_over() && !record.status.is_over() => {}
                Some(entry) if entry.record == record && entry.node_name == node_name => {}
                Some(entry) => {
                    (entry.record, entry.node_name, entry.text) = (record, node_name, text);
                    self.version += 1;
                }
                None => {
                    self.by_id.insert(key, self.entries.len());
                    self.entries.push(Entry { record, place, node_name, text });
                    self.version += 1;
                }
            }
        }
    }

    /// Sessions of a place that are not over.
    pub fn active(&self, place: PlaceId) -> Vec<&SessionRecord> {
        self.vanished(place, &HashSet::new())
    }

    /// Sessions of a place that are active here and not among `active`: they ended meanwhile.
    pub fn vanished(&self, place: PlaceId, active: &HashSet<String>) -> Vec<&SessionRecord> {
        let records = self.entries.iter().filter(|entry| entry.place == place).map(|entry| &entry.record);
        records.filter(|r| !r.status.is_over() && !active.contains(&r.session_id)).collect()
    }

    /// Notes that a session is over although its history does not tell of it yet.
    pub fn end(&mut self, place: PlaceId, session_id: &str, end_ms: i64) {
        let at = self.by_id.get(&(place, session_id.to_owned()));
        if let Some(entry) = at.and_then(|at| self.entries.get_mut(*at))
            && !entry.record.status.is_over()
        {
            entry.record.status = SessionStatus::Terminated;
            entry.record.end_ms = Some(end_ms);
            self.version += 1;
        }
    }

    /// A session with its place and the node's name.
    pub fn get(&self, place: PlaceId, session_id: &str) -> Option<(&SessionRecord, &str)> {
        let at = self.by_id.get(&(place, session_id.to_owned()))?;
        self.entries.get(*at).map(|entry| (&entry.record, entry.node_name.as_str()))
    }

    /// Every session there is.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many of what is wanted there are, whatever `show` says, and how many rows that makes.
    pub fn count(&mut self, wanted: &Wanted, now_ms: i64) -> (Counts, usize) {
        self.work_out(wanted, now_ms);
        self.rows.as_ref().map(|(_, _, rows, counts)| (*counts, rows.len())).unwrap_or_default()
    }

    /// Rows from `offset`, `len` at most, each with its place and the node's name.
    pub fn window(
        &mut self,
        wanted: &Wanted,
        offset: usize,
        len: usize,
        now_ms: i64,
    ) -> Vec<(PlaceId, &SessionRecord, &str)> {
        self.work_out(wanted, now_ms);
        let rows = self.rows.as_ref().map(|(_, _, rows, _)| rows.as_slice()).unwrap_or_default();
        let shown = rows.iter().skip(offset).take(len).filter_map(|at| self.entries.get(*at));
        shown.map(|entry| (entry.place, &entry.record, entry.node_name.as_str())).collect()
    }

    /// Account name and Region of a place.
    pub fn place(&self, place: PlaceId) -> (&str, &str) {
        self.places.get(place.0).map_or(("", ""), |place| (&place.account, &place.region))
    }

    fn work_out(&mut self, wanted: &Wanted, now_ms: i64) {
        if self.rows.as_ref().is_some_and(|(version, known, ..)| *version == self.version && known == wanted)
        {
            return;
        }
        let mut counts = Counts::default();
        let mut rows: Vec<usize> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let is_over = entry.record.status.is_over();
            let recent = !is_over || wanted.since_ms.is_none_or(|since| entry.record.start_ms >= Some(since));
            if !recent || !self.accepts(wanted, entry) {
                continue;
            }
            if is_over {
                counts.ended += 1;
            } else {
                counts.active += 1;
            }
            let shown = match wanted.show {
                Show::All => true,
                Show::Active => !is_over,
                Show::Ended => is_over,
            };
            if shown {
                rows.push(at);
            }
        }
        let entries = &self.entries;
        rows.sort_by(|a, b| match (entries.get(*a), entries.get(*b)) {
            (Some(a), Some(b)) => order(a, b, wanted, now_ms),
            _ => Ordering::Equal,
        });
        self.rows = Some((self.version, wanted.clone(), rows, counts));
    }

    fn accepts(&self, wanted: &Wanted, entry: &Entry) -> bool {
        let record = &entry.record;
        wanted.query.accepts(record.start_ms, &entry.text, |fact| {
            let lower = |text: &str| Cow::Owned(text.to_lowercase());
            match fact {
                Fact::Account => lower(self.place(entry.place).0),
                Fact::Region => lower(self.place(entry.place).1),
                Fact::Node => lower(&entry.node_name),
                Fact::Target => lower(&record.target),
                Fact::Owner => lower(&record.owner),
                Fact::Document => lower(&record.document),
                Fact::Reason => lower(&record.reason),
                Fact::Status => lower(record.status.wire_name()),
                Fact::Kind => Cow::Borrowed(record.kind().word()),
                Fact::Session => lower(&record.session_id),
                Fact::Access => lower(record.access.wire_name()),
                Fact::Details => lower(&record.details),
            }
        })
    }
}

fn searched(record: &SessionRecord, node_name: &str) -> String {
    [
        node_name,
        &record.target,
        &record.owner,
        &record.document,
        without_mark(&record.reason),
        &record.session_id,
        &record.details,
    ]
    .join("\n")
    .to_lowercase()
}

/// Active ones first; within both by the key, and the newest first where the key does not tell.
fn order(a: &Entry, b: &Entry, wanted: &Wanted, now_ms: i64) -> Ordering {
    let (x, y) = (&a.record, &b.record);
    let by_key = match wanted.sort {
        SortKey::Start => x.start_ms.cmp(&y.start_ms),
        SortKey::Duration => x.duration_ms(now_ms).cmp(&y.duration_ms(now_ms)),
        SortKey::Node => a.node_name.cmp(&b.node_name),
        SortKey::Owner => x.owner_name().cmp(y.owner_name()),
        SortKey::Kind => x.kind().cmp(&y.kind()),
        SortKey::Document => x.document.cmp(&y.document),
    };
    let by_key = if wanted.descending { by_key.reverse() } else { by_key };
    x.status
        .is_over()
        .cmp(&y.status.is_over())
        .then(by_key)
        .then_with(|| y.start_ms.cmp(&x.start_ms))
        .then_with(|| x.session_id.cmp(&y.session_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::session;

    fn ids(book: &mut HistoryBook, wanted: &Wanted) -> Vec<String> {
        book.window(wanted, 0, 100, 0).into_iter().map(|(_, record, _)| record.session_id.clone()).collect()
    }

    fn newest() -> Wanted {
        Wanted { descending: true, ..Wanted::default() }
    }

    #[test]
    fn active_ones_stand_before_ended_ones_and_both_are_counted() {
        let mut book = HistoryBook::default();
        let place = book.declare("prod", "eu-west-1");
        let live = SessionRecord {
            status: SessionStatus::Connected,
            end_ms: None,
            start_ms: Some(1),
            ..session("live")
        };
        let old = SessionRecord { start_ms: Some(5), ..session("old") };
        let new = SessionRecord { start_ms: Some(9), target: "i-2".into(), ..session("new") };
        book.merge(place, vec![old, live, new], |target| (target == "i-2").then(|| "web-2".to_owned()));
        assert_eq!(ids(&mut book, &newest()), ["live", "new", "old"]);
        let web = Wanted { query: Query::parse("web-2", 0), ..newest() };
        assert_eq!(ids(&mut book, &web), ["new"]);
        let recent = Wanted { since_ms: Some(6), ..newest() };
        assert_eq!(ids(&mut book, &recent), ["live", "new"], "an active one is shown whenever it began");
        let ended = Wanted { show: Show::Ended, ..newest() };
        assert_eq!(book.count(&ended, 0), (Counts { active: 1, ended: 2 }, 2));
        assert_eq!(book.window(&newest(), 1, 1, 0).len(), 1);
    }

    #[test]
    fn what_vanished_from_the_active_ones_ends_and_is_not_revived() {
        let mut book = HistoryBook::default();
        let (one, two) = (book.declare("prod", "eu-west-1"), book.declare("prod", "us-east-1"));
        let live = |id: &str| SessionRecord { status: SessionStatus::Connected, end_ms: None, ..session(id) };
        book.merge(one, vec![live("a"), live("b")], |_| None);
        book.merge(two, vec![live("a")], |_| None);
        assert_eq!(book.len(), 3, "ids are told apart by place");
        let gone: Vec<_> = book
            .vanished(one, &HashSet::from(["b".to_owned()]))
            .iter()
            .map(|r| r.session_id.clone())
            .collect();
        assert_eq!(gone, ["a"]);
        let before = book.version();
        book.end(one, "a", 99);
        assert!(book.version() > before);
        book.merge(one, vec![live("a")], |_| None);
        assert_eq!(
            book.get(one, "a").map(|(r, _)| (r.status, r.end_ms)),
            Some((SessionStatus::Terminated, Some(99)))
        );
        let told = SessionRecord { end_ms: Some(77), ..session("a") };
        book.merge(one, vec![told], |_| None);
        assert_eq!(book.get(one, "a").and_then(|(r, _)| r.end_ms), Some(77), "AWS knows better");
    }

    #[test]
    fn fifty_thousand_sessions_of_twelve_places_come_in_pages_and_are_all_exported() {
        const ALL: i64 = 50_000;
        let mut book = HistoryBook::default();
        let places: Vec<PlaceId> = (0..12)
            .map(|number| book.declare(&format!("account-{}", number / 4), &format!("r-{number}")))
            .collect();
        for (number, place) in (0..ALL).zip(places.iter().cycle()) {
            let record = SessionRecord {
                start_ms: Some(number * 1_000),
                end_ms: Some(number * 1_000 + 60_000),
                reason: if number % 10 == 0 { "weekly, \"check\"".to_owned() } else { String::new() },
                ..session(&format!("s-{number}"))
            };
            book.merge(*place, vec![record], |_| None);
        }
        let now = ALL * 1_000 + 100_000;
        let wanted = newest();
        assert_eq!(book.count(&wanted, now).1, 50_000);
        let mut next = ALL;
        for offset in (0..50_000).step_by(200) {
            for (_, record, _) in book.window(&wanted, offset, 200, now) {
                next -= 1;
                assert_eq!(record.session_id, format!("s-{next}"));
            }
        }
        assert_eq!(next, 0, "every session has its place on one page");
        let filtered = Wanted { query: Query::parse("reason:check region:r-0", now), ..newest() };
        // Every tenth and every twelfth: every sixtieth.
        assert_eq!(book.count(&filtered, now).1, 834);
        let rows = book.window(&wanted, 0, usize::MAX, now);
        let exported = || {
            rows.iter().map(|(place, record, node)| {
                let at = places.iter().position(|one| one == place).unwrap_or(0);
                (["account-0", "account-1", "account-2"][at / 4], "r", *node, *record)
            })
        };
        assert_eq!(crate::csv(exported(), now).lines().count(), 50_001);
        let json: Vec<serde_json::Value> = serde_json::from_str(&crate::json(exported(), now)).unwrap();
        assert_eq!(json.len(), 50_000);
    }
}
