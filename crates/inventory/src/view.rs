//! A live view: a query and an order over the fleet.

use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::column::Column;
use crate::entry::Entry;
use crate::fleet::Fleet;
use crate::natural;
use crate::node::{InstanceTier, ManagedNode, NodeKind};
use crate::query::{Issue, Query};

/// Slots a thread looks at before it takes the next.
const PIECE: usize = 8192;

/// Threads that look at a large fleet together.
const LOOKERS: usize = 4;

/// Which rows a view shows, in which order. Ties stand in order of name, then of key, and nodes without a value last,
/// whatever the direction. Indices are right until the next [`View::update`].
#[derive(Clone, Debug, Default)]
pub struct View {
    query: Query,
    sort: Column,
    descending: bool,
    rows: Vec<u32>,
    fleet_version: Option<u64>,
    version: u64,
}

impl View {
    /// A view that shows nothing until it is updated.
    pub fn new(query: Query, sort: Column, descending: bool) -> Self {
        Self { query, sort, descending, ..Self::default() }
    }

    /// Changes what is shown; takes effect with the next update.
    pub fn set(&mut self, query: Query, sort: Column, descending: bool) {
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
            // Nodes are looked at as they lie in memory; the order by name is there already.
            let matching = self.matching(fleet, now_ms);
            self.rows.extend(fleet.order().iter().filter(|slot| matching[**slot as usize]));
        }
        match (self.sort, text_of(self.sort)) {
            (Column::Name, _) if self.descending => self.rows.reverse(),
            (Column::Name, _) => {}
            (_, Some(text)) => self.sort_by_text(fleet, text),
            (_, None) => self.sort_rows(fleet),
        }
        self.fleet_version = Some(fleet.version());
        self.version += 1;
        true
    }

    /// Which slots of the fleet match. Large fleets are looked at by several threads, each taking the next piece.
    fn matching(&self, fleet: &Fleet, now_ms: i64) -> Vec<bool> {
        let slots = fleet.slots();
        let mut matching = vec![false; slots.len()];
        let pieces = Mutex::new(slots.chunks(PIECE).zip(matching.chunks_mut(PIECE)));
        let look = || {
            let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((slots, matching)) = next() {
                for (slot, matches) in slots.iter().zip(matching) {
                    let entry = slot.as_deref();
                    *matches = entry.is_some_and(|entry| self.query.matches(fleet, entry, now_ms));
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..slots.len().div_ceil(PIECE).min(LOOKERS) {
                // Where no thread is to be had, this one does all of it.
                drop(thread::Builder::new().spawn_scoped(scope, look));
            }
            look();
        });
        matching
    }

    fn sort_by_text(&mut self, fleet: &Fleet, text: fn(&ManagedNode) -> &str) {
        let mut keyed: Vec<(bool, Box<[u8]>, u32, u32)> = self
            .rows
            .iter()
            .map(|slot| {
                let text = fleet.slot(*slot).map_or("", |entry| text(entry.node()));
                (text.is_empty(), natural::name_key(text), fleet.rank(*slot), *slot)
            })
            .collect();
        keyed.sort_unstable_by(|a, b| {
            let order = a.1.cmp(&b.1);
            let order = if self.descending { order.reverse() } else { order };
            a.0.cmp(&b.0).then(order).then(a.2.cmp(&b.2))
        });
        self.rows.clear();
        self.rows.extend(keyed.into_iter().map(|(.., slot)| slot));
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
        if self.sort == Column::NodeId {
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
    fn of(sort: Column, fleet: &Fleet) -> Self {
        match sort {
            Column::Platform => Self { platforms: fleet.platform_ranks(), ..Self::default() },
            Column::Account => Self { accounts: account_ranks(fleet), ..Self::default() },
            _ => Self::default(),
        }
    }
}

fn column_key(sort: Column, fleet: &Fleet, entry: &Entry, ranks: &Ranks) -> (u8, u128) {
    let node = entry.node();
    let plain = |key: u128| (0, key);
    match sort {
        Column::Name => plain(0),
        Column::Readiness => plain(fleet.verdict(entry).readiness() as u128),
        Column::NodeId => plain(entry.id_prefix),
        Column::Kind => plain(match node.kind {
            NodeKind::Ec2 => 0,
            NodeKind::OnPrem => 1,
            NodeKind::Azure => 2,
            NodeKind::Gcp => 3,
            NodeKind::Edge => 4,
        }),
        Column::Platform => match ranks.platforms.get(entry.platform_id as usize) {
            Some(Some(rank)) => plain(u128::from(*rank)),
            _ => MISSING,
        },
        Column::Account => plain(ranks.accounts.get(entry.listing().0).copied().map_or(0, u128::from)),
        Column::Ip => entry.address.unwrap_or(MISSING),
        Column::Agent => entry.version.map_or(MISSING, |version| plain(version.rank())),
        Column::Tier => match fleet.tier(entry) {
            None => MISSING,
            Some(InstanceTier::Standard) => plain(0),
            Some(InstanceTier::Pending) => plain(1),
            Some(InstanceTier::Advanced) => plain(2),
            Some(InstanceTier::Unknown) => plain(3),
        },
        Column::PublicIp => natural::address_key(&node.public_ip).unwrap_or(MISSING),
        Column::Ping | Column::LastPing => latest(node.last_ping_ms),
        Column::Registered => latest(node.registered_ms),
        Column::Used => latest(fleet.marks().used(entry.key())),
        Column::Tags => match node.tags.is_empty() {
            true => MISSING,
            // By the number of tags: most first.
            false => plain(u128::MAX - node.tags.len() as u128),
        },
        // By their text: `text_of`.
        _ => plain(0),
    }
}

/// The latest time stands first.
fn latest(ms: Option<i64>) -> (u8, u128) {
    ms.map_or(MISSING, |then| (0, u128::from(u64::MAX - then.max(0).unsigned_abs())))
}

/// The text a column is ordered by, digits as numbers; `None` for columns with an order of their own.
fn text_of(column: Column) -> Option<fn(&ManagedNode) -> &str> {
    Some(match column {
        Column::ComputerName => |node| &node.computer_name,
        Column::InstanceState => |node| &node.instance_state,
        Column::InstanceType => |node| &node.instance_type,
        Column::AvailabilityZone => |node| &node.availability_zone,
        Column::VpcId => |node| &node.vpc_id,
        Column::IamRole => |node| &node.iam_role,
        Column::Source => |node| &node.source,
        Column::AccountId => |node| &node.account_region.account_id,
        Column::Region => |node| &node.account_region.region,
        _ => return None,
    })
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
