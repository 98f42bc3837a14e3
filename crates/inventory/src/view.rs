//! A live view: a query and an order over the fleet.

use std::collections::HashMap;

use crate::entry::Entry;
use crate::fleet::Fleet;
use crate::natural;
use crate::node::{InstanceTier, NodeKind};
use crate::query::{Issue, Query};

/// What a view is ordered by. Ties stand in order of name, then of key, whatever the direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Verdict: ready, checking, limited, lost, blocked.
    Readiness,
    /// Name, with digits as numbers.
    #[default]
    Name,
    /// Node id.
    NodeId,
    /// Kind.
    Kind,
    /// Platform text.
    Platform,
    /// Account name, then Region.
    Account,
    /// Address as a number, IPv4 before IPv6; nodes without one last.
    Ip,
    /// Agent version, component by component; nodes without one last.
    Agent,
    /// Tier: standard, pending, advanced, unknown; EC2 last.
    Tier,
    /// Age of the last ping, youngest first; never heard last.
    Ping,
}

/// Which rows a view shows, in which order. Indices are right until the next [`View::update`].
#[derive(Clone, Debug, Default)]
pub struct View {
    query: Query,
    sort: Sort,
    descending: bool,
    rows: Vec<u32>,
    fleet_version: Option<u64>,
    version: u64,
}

impl View {
    /// A view that shows nothing until it is updated.
    pub fn new(query: Query, sort: Sort, descending: bool) -> Self {
        Self { query, sort, descending, ..Self::default() }
    }

    /// Changes what is shown; takes effect with the next update.
    pub fn set(&mut self, query: Query, sort: Sort, descending: bool) {
        (self.query, self.sort, self.descending) = (query, sort, descending);
        self.fleet_version = None;
    }

    /// Filters and sorts anew if the fleet or the view changed. Returns whether it did.
    pub fn update(&mut self, fleet: &mut Fleet, now_ms: i64) -> bool {
        if self.fleet_version == Some(fleet.version()) {
            return false;
        }
        fleet.settle();
        let matching =
            |slot: &u32| fleet.slot(*slot).is_some_and(|entry| self.query.matches(fleet, entry, now_ms));
        // In order of name already, so a stable sort by the column is all that is left.
        self.rows = fleet.order().iter().copied().filter(matching).collect();
        match (self.sort, self.descending) {
            (Sort::Name, false) => {}
            (Sort::Name, true) => self.rows.reverse(),
            _ => self.sort_rows(fleet),
        }
        self.fleet_version = Some(fleet.version());
        self.version += 1;
        true
    }

    fn sort_rows(&mut self, fleet: &Fleet) {
        let texts = match self.sort {
            Sort::Platform => text_ranks(fleet, Entry::platform_text),
            _ => HashMap::new(),
        };
        let accounts = account_ranks(fleet);
        let mut keyed: Vec<(u8, u128, u32, u32)> = (0..)
            .zip(&self.rows)
            .map(|(place, slot)| {
                let (class, key) = match fleet.slot(*slot) {
                    Some(entry) => column_key(self.sort, fleet, entry, &texts, &accounts),
                    None => MISSING,
                };
                let reversed = self.descending && class != MISSING.0;
                if reversed { (LAST_CLASS - class, !key, place, *slot) } else { (class, key, place, *slot) }
            })
            .collect();
        if self.sort == Sort::NodeId {
            // Ids do not fit into a number: the first bytes decide, the rest is compared where they are equal.
            keyed.sort_unstable_by(|a, b| {
                let rest = || {
                    let id = |slot| fleet.slot(slot).map(|entry| entry.node().node_id.as_str());
                    let order = id(a.3).cmp(&id(b.3));
                    if self.descending { order.reverse() } else { order }
                };
                (a.0, a.1).cmp(&(b.0, b.1)).then_with(rest).then(a.2.cmp(&b.2))
            });
        } else {
            keyed.sort_unstable();
        }
        self.rows.clear();
        self.rows.extend(keyed.into_iter().map(|(.., slot)| slot));
    }

    /// Grows whenever what is shown may have changed.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Rows that match.
    pub fn matched(&self) -> usize {
        self.rows.len()
    }

    /// What could not be understood in the query.
    pub fn issues(&self) -> &[Issue] {
        self.query.issues()
    }

    /// Rows from `offset`, at most `len`; fewer or none at the end.
    pub fn window<'a>(
        &'a self,
        fleet: &'a Fleet,
        offset: usize,
        len: usize,
    ) -> impl Iterator<Item = &'a Entry> {
        self.rows.iter().skip(offset).take(len).filter_map(|slot| fleet.slot(*slot))
    }

    /// Where a node stands; `None` when it is not shown.
    pub fn index_of(&self, fleet: &Fleet, key: &str) -> Option<usize> {
        self.rows.iter().position(|slot| fleet.slot(*slot).is_some_and(|entry| entry.key() == key))
    }

    /// The first row at or after `from`, going round at the end, whose name begins with `prefix` in any case.
    pub fn type_ahead(&self, fleet: &Fleet, prefix: &str, from: usize) -> Option<usize> {
        let prefix = prefix.to_lowercase();
        let begins = |at: &usize| {
            let entry = self.rows.get(*at).and_then(|slot| fleet.slot(*slot));
            entry.is_some_and(|entry| entry.node().display_name().to_lowercase().starts_with(&prefix))
        };
        let from = if from < self.rows.len() { from } else { 0 };
        (from..self.rows.len()).chain(0..from).find(begins)
    }
}

/// Class and key of a value that is not there: last in either direction.
const MISSING: (u8, u128) = (u8::MAX, 0);

/// Largest class of values that are there.
const LAST_CLASS: u8 = 1;

fn column_key(
    sort: Sort,
    fleet: &Fleet,
    entry: &Entry,
    texts: &HashMap<&str, u32>,
    accounts: &[u32],
) -> (u8, u128) {
    let node = entry.node();
    let plain = |key: u128| (0, key);
    match sort {
        Sort::Name => plain(0),
        Sort::Readiness => plain(fleet.verdict(entry).readiness() as u128),
        Sort::NodeId => plain(first_bytes(&node.node_id)),
        Sort::Kind => plain(match node.kind {
            NodeKind::Ec2 => 0,
            NodeKind::OnPrem => 1,
            NodeKind::Azure => 2,
            NodeKind::Gcp => 3,
            NodeKind::Edge => 4,
        }),
        Sort::Platform => match texts.get(entry.platform_text()) {
            Some(rank) if !entry.platform_text().is_empty() => plain(u128::from(*rank)),
            _ => MISSING,
        },
        Sort::Account => plain(accounts.get(entry.listing().0).copied().map_or(0, u128::from)),
        Sort::Ip => entry.address.unwrap_or(MISSING),
        Sort::Agent => entry.version.map_or(MISSING, |version| plain(version.rank())),
        Sort::Tier => match fleet.tier(entry) {
            None => MISSING,
            Some(InstanceTier::Standard) => plain(0),
            Some(InstanceTier::Pending) => plain(1),
            Some(InstanceTier::Advanced) => plain(2),
            Some(InstanceTier::Unknown) => plain(3),
        },
        // The youngest ping is the latest time.
        Sort::Ping => {
            node.last_ping_ms.map_or(MISSING, |then| plain(u128::from(u64::MAX - then.max(0).unsigned_abs())))
        }
    }
}

fn first_bytes(text: &str) -> u128 {
    let mut bytes = [0; 16];
    let len = text.len().min(16);
    bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
    u128::from_be_bytes(bytes)
}

/// Ranks of the distinct texts of a column, in natural order.
fn text_ranks<'a>(fleet: &'a Fleet, text: fn(&'a Entry) -> &'a str) -> HashMap<&'a str, u32> {
    let mut ranks: HashMap<&str, u32> = fleet.entries().map(|entry| (text(entry), 0)).collect();
    let mut order: Vec<_> = ranks.keys().map(|text| (natural::name_key(text), *text)).collect();
    order.sort_unstable();
    for (rank, (_, text)) in (0..).zip(order) {
        ranks.insert(text, rank);
    }
    ranks
}

/// Ranks of the listings by account name, then Region; equal pairs share a rank.
fn account_ranks(fleet: &Fleet) -> Vec<u32> {
    let keys: Vec<_> =
        fleet.listings().map(|(_, l)| (natural::name_key(&l.account_name), &l.region)).collect();
    let mut distinct: Vec<_> = keys.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let rank =
        |key| distinct.binary_search(&key).ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX);
    keys.iter().map(rank).collect()
}
