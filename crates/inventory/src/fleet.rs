//! All nodes of all account-Regions, and how far each listing has come.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::entry::Entry;
use crate::facts::NodeFacts;
use crate::marks::Marks;
use crate::natural::name_key;
use crate::node::{AccountRegion, InstanceTier, ManagedNode, PingStatus};
use crate::readiness::{Readiness, Verdict};

/// Names a listing of a [`Fleet`]; given by [`Fleet::declare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListingId(pub(crate) usize);

/// How far a listing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListingState {
    /// Not begun.
    Waiting,
    /// Pages are coming in.
    Loading,
    /// Complete.
    Loaded,
    /// Refused by a policy.
    Denied,
    /// Ended by something else; what was known stays, stale.
    Failed,
}

/// One source in one Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The AWS profile it is reached through.
    pub source: String,
    /// Region.
    pub region: String,
    /// Account id; empty until known.
    pub account_id: String,
    /// What to call the account.
    pub account_name: String,
    /// How far.
    pub state: ListingState,
    /// Tier setting.
    pub tier: InstanceTier,
    /// When it was last complete, in epoch milliseconds.
    pub updated_ms: Option<i64>,
    pass: u64,
}

/// Totals over everything loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// All nodes.
    pub total: u32,
    /// Nodes whose agent is heard.
    pub online: u32,
    /// Hybrid nodes.
    pub hybrid: u32,
    /// Nodes that cannot take a session: lost or blocked.
    pub not_connectable: u32,
    /// Nodes that were not confirmed since they came from the cache or their listing failed.
    pub stale: u32,
    /// Distinct accounts.
    pub accounts: u32,
    /// Distinct Regions.
    pub regions: u32,
}

/// Nodes of one listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListingCounts {
    /// All of them.
    pub nodes: u32,
    /// Hybrid ones.
    pub hybrid: u32,
}

/// The fleet. A node is known by its key; when two listings bring the same one, the later owns it.
#[derive(Debug, Default)]
pub struct Fleet {
    slots: Vec<Option<Box<Entry>>>,
    free: Vec<u32>,
    by_key: HashMap<Arc<str>, u32>,
    /// Distinct platform texts that were ever seen, a few hundred at most in practice.
    platforms: HashMap<String, u32>,
    shared: Shared,
    listings: Vec<Listing>,
    marks: Marks,
    version: u64,
    /// Slots in order of name, and the place of each slot in it; right when `ranked` is `version`.
    order: Vec<u32>,
    ranks: Vec<u32>,
    ranked: Option<u64>,
}

impl Fleet {
    /// An empty fleet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another fleet in place of this one, with its marks. Its versions go on from there, so that views notice.
    pub fn followed_by(&self, other: Self) -> Self {
        let version = self.version + other.version + 1;
        Self { version, ranked: None, marks: self.marks.clone(), ..other }
    }

    /// What a person marked, from now on.
    pub fn set_marks(&mut self, marks: Marks) {
        if marks != self.marks {
            self.marks = marks;
            self.version += 1;
        }
    }

    /// What a person marked.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Adds a listing in state Waiting, or finds the one of this source and Region.
    pub fn declare(&mut self, source: &str, region: &str, account_name: &str) -> ListingId {
        let found = self.listings.iter().position(|l| l.source == source && l.region == region);
        if let Some(at) = found {
            return ListingId(at);
        }
        self.version += 1;
        self.listings.push(Listing {
            source: source.to_owned(),
            region: region.to_owned(),
            account_id: String::new(),
            account_name: account_name.to_owned(),
            state: ListingState::Waiting,
            tier: InstanceTier::Unknown,
            updated_ms: None,
            pass: 0,
        });
        ListingId(self.listings.len() - 1)
    }

    /// Puts in what was cached, marked stale. Ignored for nodes that are known already.
    pub fn restore(&mut self, id: ListingId, nodes: Vec<ManagedNode>, tier: InstanceTier, saved_ms: i64) {
        let Some(listing) = self.listings.get_mut(id.0) else { return };
        listing.updated_ms = listing.updated_ms.or(Some(saved_ms));
        if listing.tier == InstanceTier::Unknown {
            listing.tier = tier;
        }
        if let (true, Some(first)) = (listing.account_id.is_empty(), nodes.first()) {
            listing.account_id.clone_from(&first.account_region.account_id);
        }
        let pass = listing.pass;
        for mut node in nodes {
            self.shared.share(&mut node);
            let entry = Entry::new(node, id, pass, true);
            if !self.by_key.contains_key(&entry.key) {
                self.insert(entry);
            }
        }
        self.version += 1;
    }

    /// A refresh of a listing begins.
    pub fn begin(&mut self, id: ListingId) {
        if let Some(listing) = self.listings.get_mut(id.0) {
            listing.state = ListingState::Loading;
            listing.pass += 1;
            self.version += 1;
        }
    }

    /// The account of a listing is known.
    pub fn identify(&mut self, id: ListingId, account_id: &str) {
        if let Some(listing) = self.listings.get_mut(id.0) {
            account_id.clone_into(&mut listing.account_id);
            self.version += 1;
        }
    }

    /// The tier of a listing is known.
    pub fn set_tier(&mut self, id: ListingId, tier: InstanceTier) {
        if let Some(listing) = self.listings.get_mut(id.0) {
            listing.tier = tier;
            self.version += 1;
        }
    }

    /// A page of the running refresh. Facts that only EC2 tells (tags, VPC) are kept from before where a node comes
    /// without them, so that a row does not lose them between its page and its facts.
    pub fn merge_page(&mut self, id: ListingId, nodes: Vec<ManagedNode>) {
        self.merge(id, nodes, keep_facts);
    }

    /// Facts of nodes that a page of the running refresh brought; those of nodes that are gone meanwhile are dropped. Only
    /// after [`Self::identify`].
    pub fn merge_facts(&mut self, id: ListingId, facts: Vec<NodeFacts>) {
        let Some(listing) = self.listings.get(id.0) else { return };
        let place = format!("{}/{}", listing.account_id, listing.region);
        let told = facts.into_iter().filter_map(|facts| {
            let mut node = self.get(&format!("{place}/{}", facts.node_id))?.node().clone();
            facts.add_to(&mut node);
            Some(node)
        });
        let nodes = told.collect();
        self.merge(id, nodes, |_, _| {});
    }

    fn merge(&mut self, id: ListingId, nodes: Vec<ManagedNode>, keep: fn(&mut ManagedNode, &ManagedNode)) {
        let Some(pass) = self.listings.get(id.0).map(|l| l.pass) else { return };
        let mut changed = false;
        for mut node in nodes {
            self.shared.share(&mut node);
            let slot = self.by_key.get(node.key().as_str()).copied();
            let Some(known) =
                slot.and_then(|s| self.slots.get_mut(s as usize)).and_then(Option::as_deref_mut)
            else {
                self.insert(Entry::new(node, id, pass, false));
                changed = true;
                continue;
            };
            keep(&mut node, &known.node);
            if known.node == node {
                changed |= known.stale || known.listing != id;
                (known.listing, known.pass, known.stale) = (id, pass, false);
            } else if known.take(&mut node) {
                (known.listing, known.pass, known.stale) = (id, pass, false);
                changed = true;
            } else {
                let mut entry = Entry::new(node, id, pass, false);
                entry.platform_id = intern(&mut self.platforms, &entry.platform_text);
                entry.key = Arc::clone(&known.key);
                *known = entry;
                changed = true;
            }
        }
        if changed {
            self.version += 1;
        }
    }

    /// The refresh saw everything: nodes it did not see are gone.
    pub fn complete(&mut self, id: ListingId, now_ms: i64) {
        let Some(listing) = self.listings.get_mut(id.0) else { return };
        listing.state = ListingState::Loaded;
        listing.updated_ms = Some(now_ms);
        let pass = listing.pass;
        self.remove_where(|entry| entry.listing == id && entry.pass != pass);
        self.shared.bound(self.by_key.len());
        self.version += 1;
    }

    /// The refresh ended early: what it did not confirm stays and is stale.
    pub fn fail(&mut self, id: ListingId, denied: bool) {
        let Some(listing) = self.listings.get_mut(id.0) else { return };
        listing.state = if denied { ListingState::Denied } else { ListingState::Failed };
        self.mark_unconfirmed(id);
    }

    /// The refresh was cancelled: as if it had failed, but back to what it was before it began.
    pub fn cancel(&mut self, id: ListingId) {
        let Some(listing) = self.listings.get_mut(id.0) else { return };
        listing.state =
            if listing.updated_ms.is_some() { ListingState::Loaded } else { ListingState::Waiting };
        self.mark_unconfirmed(id);
    }

    fn mark_unconfirmed(&mut self, id: ListingId) {
        let Some(pass) = self.listings.get(id.0).map(|l| l.pass) else { return };
        for entry in self.slots.iter_mut().flatten().filter(|e| e.listing == id && e.pass != pass) {
            entry.stale = true;
        }
        self.version += 1;
    }

    /// A node is known to be gone.
    pub fn remove(&mut self, key: &str) {
        if self.by_key.contains_key(key) {
            self.remove_where(|entry| &*entry.key == key);
            self.version += 1;
        }
    }

    /// Grows with each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// A node by its key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.by_key.get(key).and_then(|slot| self.slot(*slot))
    }

    /// All nodes, in no particular order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().flatten().map(Box::as_ref)
    }

    /// All listings with their ids, in order of declaration.
    pub fn listings(&self) -> impl Iterator<Item = (ListingId, &Listing)> {
        self.listings.iter().enumerate().map(|(at, listing)| (ListingId(at), listing))
    }

    /// A listing. Ids of another fleet find nothing.
    pub fn listing(&self, id: ListingId) -> Option<&Listing> {
        self.listings.get(id.0)
    }

    /// The listing that brought a node.
    pub fn listing_of(&self, entry: &Entry) -> &Listing {
        // An entry is only made with the id of a declared listing, and listings are never removed.
        &self.listings[entry.listing.0]
    }

    /// Whether a node can take sessions.
    pub fn verdict(&self, entry: &Entry) -> Verdict {
        Verdict::with_version(&entry.node, entry.version, self.listing_of(entry))
    }

    /// Tier of a node; `None` for EC2, which has none.
    pub fn tier(&self, entry: &Entry) -> Option<InstanceTier> {
        entry.node.kind.is_hybrid().then(|| self.listing_of(entry).tier)
    }

    /// Totals.
    pub fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        for entry in self.entries() {
            counters.total += 1;
            counters.online += u32::from(entry.node.ping == PingStatus::Online);
            counters.hybrid += u32::from(entry.node.kind.is_hybrid());
            counters.stale += u32::from(entry.stale);
            let readiness = self.verdict(entry).readiness();
            counters.not_connectable += u32::from(matches!(readiness, Readiness::Lost | Readiness::Blocked));
        }
        let count = |of: fn(&Listing) -> &str| {
            let distinct: HashSet<&str> =
                self.listings.iter().map(of).filter(|text| !text.is_empty()).collect();
            u32::try_from(distinct.len()).unwrap_or(u32::MAX)
        };
        counters.accounts = count(|l| &l.account_id);
        counters.regions = count(|l| &l.region);
        counters
    }

    /// Nodes per listing, in order of declaration.
    pub fn listing_counts(&self) -> Vec<ListingCounts> {
        let mut counts = vec![ListingCounts::default(); self.listings.len()];
        for entry in self.entries() {
            let count = &mut counts[entry.listing.0];
            count.nodes += 1;
            count.hybrid += u32::from(entry.node.kind.is_hybrid());
        }
        counts
    }

    pub(crate) fn slot(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize).and_then(Option::as_deref)
    }

    /// Brings the order by name up to date. Cheap when nothing changed since.
    pub(crate) fn settle(&mut self) {
        if self.ranked == Some(self.version) {
            return;
        }
        let mut placed = vec![false; self.slots.len()];
        let slots = &self.slots;
        // Most nodes keep their place, and the sort is fast on what is nearly sorted.
        self.order.retain(|slot| {
            slots[*slot as usize].is_some() && !std::mem::replace(&mut placed[*slot as usize], true)
        });
        for (at, slot) in (0_u32..).zip(slots) {
            if slot.is_some() && !placed[at as usize] {
                self.order.push(at);
            }
        }
        // The beginnings of the keys decide most comparisons without a look at the nodes.
        let prefixed =
            |slot: &u32| (slots[*slot as usize].as_ref().map_or(0, |entry| entry.name_prefix), *slot);
        let mut keyed: Vec<(u128, u32)> = self.order.iter().map(prefixed).collect();
        keyed.sort_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| match (&slots[a.1 as usize], &slots[b.1 as usize]) {
                (Some(a), Some(b)) => a.name_key.cmp(&b.name_key).then_with(|| a.key.cmp(&b.key)),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
        });
        self.order.clear();
        self.order.extend(keyed.into_iter().map(|(_, slot)| slot));
        self.ranks.clear();
        self.ranks.resize(slots.len(), 0);
        for (rank, slot) in (0_u32..).zip(&self.order) {
            self.ranks[*slot as usize] = rank;
        }
        self.ranked = Some(self.version);
    }

    /// All slots, in order of memory.
    pub(crate) fn slots(&self) -> &[Option<Box<Entry>>] {
        &self.slots
    }

    /// Slots in order of name. Only after [`Self::settle`].
    pub(crate) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The place of a slot in the order by name. Only after [`Self::settle`].
    pub(crate) fn rank(&self, slot: u32) -> u32 {
        self.ranks.get(slot as usize).copied().unwrap_or(u32::MAX)
    }

    /// Ranks of the distinct platform texts in natural order, by their id; the empty text has none.
    pub(crate) fn platform_ranks(&self) -> Vec<Option<u32>> {
        let mut order: Vec<_> = self.platforms.iter().map(|(text, id)| (name_key(text), text, *id)).collect();
        order.sort_unstable();
        let mut ranks = vec![None; order.len()];
        for (rank, (_, text, id)) in (0..).zip(order) {
            if let Some(place) = ranks.get_mut(id as usize).filter(|_| !text.is_empty()) {
                *place = Some(rank);
            }
        }
        ranks
    }

    fn insert(&mut self, mut entry: Entry) {
        entry.platform_id = intern(&mut self.platforms, &entry.platform_text);
        let key = entry.key.clone();
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(Box::new(entry));
                slot
            }
            None => {
                self.slots.push(Some(Box::new(entry)));
                // Four billion nodes do not fit into memory.
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.by_key.insert(key, slot);
    }

    fn remove_where(&mut self, gone: impl Fn(&Entry) -> bool) {
        for (at, slot) in (0_u32..).zip(&mut self.slots) {
            if let Some(entry) = slot.take_if(|entry| gone(entry)) {
                self.by_key.remove(&entry.key);
                self.free.push(at);
            }
        }
    }
}

/// What many nodes have in common, held once.
#[derive(Debug, Default)]
struct Shared {
    places: HashSet<Arc<AccountRegion>>,
    /// Texts that do not fit into a node itself.
    texts: HashSet<SmolStr>,
}

impl Shared {
    /// Makes a node share what was seen before. Texts that are a node's own (names, addresses) are left out.
    fn share(&mut self, node: &mut ManagedNode) {
        match self.places.get(&node.account_region) {
            Some(known) => node.account_region = Arc::clone(known),
            None => drop(self.places.insert(Arc::clone(&node.account_region))),
        }
        let tags = node.tags.iter_mut().flat_map(|(key, value)| [key, value]);
        let facts = [
            &mut node.source,
            &mut node.platform_name,
            &mut node.platform_version,
            &mut node.iam_role,
            &mut node.availability_zone,
        ];
        for text in tags.chain(facts).filter(|text| text.is_heap_allocated()) {
            match self.texts.get(text.as_str()) {
                Some(known) => text.clone_from(known),
                None => drop(self.texts.insert(text.clone())),
            }
        }
    }

    /// Forgets the texts when there are more than nodes: most of them belong to no node any more, or to a single one.
    fn bound(&mut self, nodes: usize) {
        if self.texts.len() > nodes {
            self.texts = HashSet::new();
        }
    }
}

fn intern(texts: &mut HashMap<String, u32>, text: &str) -> u32 {
    if let Some(id) = texts.get(text) {
        return *id;
    }
    let id = u32::try_from(texts.len()).unwrap_or(u32::MAX);
    texts.insert(text.to_owned(), id);
    id
}

fn keep_facts(node: &mut ManagedNode, known: &ManagedNode) {
    if node.tags.is_empty() {
        node.tags.clone_from(&known.tags);
    }
    let texts = [
        (&mut node.vpc_id, &known.vpc_id),
        (&mut node.instance_type, &known.instance_type),
        (&mut node.availability_zone, &known.availability_zone),
        (&mut node.iam_role, &known.iam_role),
        (&mut node.name, &known.name),
    ];
    for (new, old) in texts {
        if new.is_empty() {
            new.clone_from(old);
        }
    }
}
