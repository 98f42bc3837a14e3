//! A live view: a query and an order over the fleet.

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
        self.rows.clear();
        if self.query.is_unfiltered() {
            self.rows.extend(fleet.order());
        } else {
            let matching = fleet.occupied().filter(|(_, entry)| self.query.matches(fleet, entry, now_ms));
            self.rows.extend(matching.map(|(slot, _)| slot));
        }
        match (self.sort, self.descending) {
            (Sort::Name, false) if self.query.is_unfiltered() => {}
            (Sort::Name, true) if self.query.is_unfiltered() => self.rows.reverse(),
            (Sort::Name, false) => self.rows.sort_unstable_by_key(|slot| fleet.rank(*slot)),
            (Sort::Name, true) => {
                self.rows.sort_unstable_by_key(|slot| std::cmp::Reverse(fleet.rank(*slot)));
            }
            _ => self.sort_rows(fleet),
        }
        self.fleet_version = Some(fleet.version());
        self.version += 1;
        true
    }

    fn sort_rows(&mut self, fleet: &Fleet) {
        let ranks = Ranks::of(self.sort, fleet);
        // Ties stand in order of name, in either direction.
        let mut keyed: Vec<(u8, u128, u32, u32)> = self
            .rows
            .iter()
            .map(|slot| {
                let (class, key) = match fleet.slot(*slot) {
                    Some(entry) => column_key(self.sort, fleet, entry, &ranks),
                    None => MISSING,
                };
                let reversed = self.descending && class != MISSING.0;
                let (class, key) = if reversed { (LAST_CLASS - class, !key) } else { (class, key) };
                (class, key, fleet.rank(*slot), *slot)
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

/// Ranks of what a column compares by text.
#[derive(Default)]
struct Ranks {
    /// By platform id.
    platforms: Vec<Option<u32>>,
    /// By listing.
    accounts: Vec<u32>,
}

impl Ranks {
    fn of(sort: Sort, fleet: &Fleet) -> Self {
        match sort {
            Sort::Platform => Self { platforms: fleet.platform_ranks(), ..Self::default() },
            Sort::Account => Self { accounts: account_ranks(fleet), ..Self::default() },
            _ => Self::default(),
        }
    }
}

fn column_key(sort: Sort, fleet: &Fleet, entry: &Entry, ranks: &Ranks) -> (u8, u128) {
    let node = entry.node();
    let plain = |key: u128| (0, key);
    match sort {
        Sort::Name => plain(0),
        Sort::Readiness => plain(fleet.verdict(entry).readiness() as u128),
        Sort::NodeId => plain(entry.id_prefix),
        Sort::Kind => plain(match node.kind {
            NodeKind::Ec2 => 0,
            NodeKind::OnPrem => 1,
            NodeKind::Azure => 2,
            NodeKind::Gcp => 3,
            NodeKind::Edge => 4,
        }),
        Sort::Platform => match ranks.platforms.get(entry.platform_id as usize) {
            Some(Some(rank)) => plain(u128::from(*rank)),
            _ => MISSING,
        },
        Sort::Account => plain(ranks.accounts.get(entry.listing().0).copied().map_or(0, u128::from)),
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
