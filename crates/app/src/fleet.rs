//! The fleet on the controller's side: the inventory, the views over it, and the refresh that feeds it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::node::{InstanceTier, ManagedNode};
use fleetline_inventory::ports::Sources;
use fleetline_inventory::{self as inventory, Fleet, ListingId, Query, View};
use fleetline_ipc::fleet::{Completions, FleetQuery, FleetSummary, FleetViewState, FleetWindow};
use fleetline_ipc::system::IdentityRow;
use fleetline_ipc::{CommandError, ErrorCode};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::clock::now_ms;
use crate::ports::Scope;
use crate::problem::{Context, describe};
use crate::refresh::{self, Progress, Step};
use crate::rows;

/// Longest query, in bytes.
const QUERY_LIMIT: usize = 4_096;
/// Views open at a time.
const VIEW_LIMIT: usize = 16;
/// Rows of one window.
const WINDOW_LIMIT: u32 = 200;
/// Shortest time between two announcements: four a second.
const SPACING: Duration = Duration::from_millis(250);

/// What is cached of one listing.
#[derive(Serialize, Deserialize)]
pub(crate) struct CachedListing {
    tier: InstanceTier,
    nodes: Vec<ManagedNode>,
}

/// A listing to be written to the cache.
pub(crate) struct ToCache {
    pub(crate) key: String,
    pub(crate) saved_ms: i64,
    pub(crate) listing: CachedListing,
}

/// What a step of a refresh asks the controller to do besides announcing the fleet.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The identities changed.
    pub(crate) identities: bool,
    /// A notice: id and problem; no problem takes it back.
    pub(crate) notice: Option<(String, Option<CommandError>)>,
    /// To be written.
    pub(crate) cache: Option<ToCache>,
    /// Where the tier is being changed.
    pub(crate) tier_pending: Option<Scope>,
}

struct OpenView {
    view: View,
    announced: u64,
}

/// The fleet of one backend.
pub(crate) struct FleetDesk {
    fleet: Fleet,
    scope: Vec<(ListingId, Scope)>,
    problems: HashMap<ListingId, CommandError>,
    identities: BTreeMap<String, IdentityRow>,
    views: BTreeMap<String, OpenView>,
    views_opened: u64,
    refresh: u64,
    running: Option<AbortHandle>,
    cached: bool,
    dirty: bool,
    quiet_until: Instant,
}

impl FleetDesk {
    pub(crate) fn new() -> Self {
        Self {
            fleet: Fleet::new(),
            scope: Vec::new(),
            problems: HashMap::new(),
            identities: BTreeMap::new(),
            views: BTreeMap::new(),
            views_opened: 0,
            refresh: 0,
            running: None,
            cached: false,
            dirty: false,
            quiet_until: Instant::now(),
        }
    }

    /// Points it at another scope. Views stay open and empty. `cached`: what was saved of each listing, in the order
    /// of `scope`; `None` switches the cache off.
    pub(crate) fn point_at(
        &mut self,
        scope: Vec<Scope>,
        cached: Option<Vec<Option<inventory_cache::Found>>>,
    ) {
        self.stop();
        let version = self.fleet.version();
        self.fleet = Fleet::after(version);
        self.problems.clear();
        self.identities.clear();
        let declare = |scope: Scope| (self.fleet.declare(&scope.source, &scope.region, &scope.source), scope);
        self.scope = scope.into_iter().map(declare).collect();
        self.cached = cached.is_some();
        for ((id, _), found) in self.scope.iter().zip(cached.into_iter().flatten()) {
            if let Some(found) = found {
                self.fleet.restore(*id, found.value.nodes, found.value.tier, found.saved_ms);
            }
        }
        self.dirty = true;
    }

    /// Lists everything again; a refresh under way is replaced.
    pub(crate) fn refresh(
        &mut self,
        sources: &Arc<dyn Sources<ApiError>>,
        progress: &mpsc::Sender<Progress>,
    ) {
        self.stop();
        if self.scope.is_empty() {
            return;
        }
        let run = refresh::run(self.refresh, sources.clone(), self.scope.clone(), progress.clone());
        self.running = Some(tokio::spawn(run).abort_handle());
        self.dirty = true;
    }

    /// Lists more. What is listed already stays as it is.
    pub(crate) fn extend(&mut self, scope: Vec<Scope>) {
        for scope in scope {
            if self.scope.iter().all(|(_, known)| *known != scope) {
                let id = self.fleet.declare(&scope.source, &scope.region, &scope.source);
                self.scope.push((id, scope));
            }
        }
        self.dirty = true;
    }

    /// Lists again what these sources list; a refresh under way begins anew with everything.
    pub(crate) fn refresh_of(
        &mut self,
        names: &BTreeSet<String>,
        sources: &Arc<dyn Sources<ApiError>>,
        progress: &mpsc::Sender<Progress>,
    ) {
        if self.running.is_some() {
            return self.refresh(sources, progress);
        }
        let part: Vec<_> =
            self.scope.iter().filter(|(_, scope)| names.contains(&scope.source)).cloned().collect();
        if part.is_empty() {
            return;
        }
        self.stop();
        let run = refresh::run(self.refresh, sources.clone(), part, progress.clone());
        self.running = Some(tokio::spawn(run).abort_handle());
        self.dirty = true;
    }

    /// The sources that are listed.
    pub(crate) fn sources(&self) -> BTreeSet<String> {
        self.scope.iter().map(|(_, scope)| scope.source.clone()).collect()
    }

    /// Of the sources that are listed, those with a listing that could not be had.
    pub(crate) fn failed_sources(&self) -> BTreeSet<String> {
        let failed = self.scope.iter().filter(|(id, _)| self.problems.contains_key(id));
        failed.map(|(_, scope)| scope.source.clone()).collect()
    }

    /// The source of a listing, for a step of a running refresh.
    pub(crate) fn source_of(&self, id: ListingId) -> Option<&str> {
        self.fleet.listing(id).map(|listing| listing.source.as_str())
    }

    /// Ends the refresh; what was listed stays. Returns whether there was one.
    pub(crate) fn stop(&mut self) -> bool {
        self.refresh += 1;
        let Some(running) = self.running.take() else { return false };
        running.abort();
        for (id, _) in &self.scope {
            if self.fleet.listing(*id).is_some_and(|l| l.state == inventory::ListingState::Loading) {
                self.fleet.cancel(*id);
            }
        }
        self.dirty = true;
        true
    }

    /// Takes in a step of the running refresh; steps of earlier ones are ignored.
    pub(crate) fn progress(&mut self, progress: Progress) -> Outcome {
        let mut outcome = Outcome::default();
        if progress.refresh != self.refresh {
            return outcome;
        }
        self.dirty = true;
        match progress.step {
            Step::Begun(id) => {
                self.problems.remove(&id);
                self.fleet.begin(id);
            }
            Step::Identity(id, caller) => {
                self.fleet.identify(id, &caller.account_id);
                if let Some(listing) = self.fleet.listing(id) {
                    let row = rows::identity(&listing.source, &caller);
                    outcome.identities = self.identities.get(&listing.source) != Some(&row);
                    self.identities.insert(listing.source.clone(), row);
                }
            }
            Step::Page(id, nodes) => self.fleet.merge_page(id, nodes),
            Step::Enriched(id, nodes) => {
                self.fleet.merge_enriched(id, nodes);
                outcome.notice = Some((self.enrichment_notice(id), None));
            }
            Step::NotEnriched(id, error) => {
                let problem = describe(&error, &self.context(id));
                let (name, region) = self.names(id);
                let message =
                    format!("EC2 facts (tags, VPC) of {name} in {region} are missing: {}", problem.message);
                outcome.notice =
                    Some((self.enrichment_notice(id), Some(CommandError { message, ..problem })));
            }
            Step::Tier(id, tier) => {
                let tier = tier.unwrap_or(InstanceTier::Unknown);
                self.fleet.set_tier(id, tier);
                let (source, region) = self.names(id);
                outcome.tier_pending = (tier == InstanceTier::Pending).then_some(Scope { source, region });
            }
            Step::Complete(id) => {
                self.fleet.complete(id, now_ms());
                outcome.cache = self.cached.then(|| self.to_cache(id)).flatten();
            }
            Step::Failed(id, error) => {
                let denied = error.kind == ApiErrorKind::AccessDenied;
                self.problems.insert(id, describe(&error, &self.context(id)));
                self.fleet.fail(id, denied);
            }
            Step::Finished => self.finished(),
        }
        outcome
    }

    fn finished(&mut self) {
        self.running = None;
        let unfinished = |fleet: &Fleet, id| {
            fleet.listing(id).is_some_and(|listing| listing.state == inventory::ListingState::Loading)
        };
        for (id, _) in &self.scope {
            // Only a listing that ended by a defect has said nothing.
            if unfinished(&self.fleet, *id) {
                let problem =
                    CommandError::new(ErrorCode::Internal, "The listing ended by a defect of Fleetline.");
                self.problems.insert(*id, problem);
                self.fleet.fail(*id, false);
            }
        }
    }

    fn context(&self, id: ListingId) -> Context {
        let (source, region) = self.names(id);
        Context { source, region, ..Context::default() }
    }

    fn names(&self, id: ListingId) -> (String, String) {
        self.fleet.listing(id).map(|l| (l.source.clone(), l.region.clone())).unwrap_or_default()
    }

    fn enrichment_notice(&self, id: ListingId) -> String {
        let (source, region) = self.names(id);
        format!("enrichment:{source}/{region}")
    }

    fn to_cache(&self, id: ListingId) -> Option<ToCache> {
        let listing = self.fleet.listing(id)?;
        let nodes = self.fleet.entries().filter(|e| e.listing() == id).map(|e| e.node().clone()).collect();
        Some(ToCache {
            key: inventory_cache::key(&listing.source, &listing.region),
            saved_ms: listing.updated_ms?,
            listing: CachedListing { tier: listing.tier, nodes },
        })
    }

    /// The tier of an account in a Region is known, through whatever source. Returns whether that is news.
    pub(crate) fn learn_tier(&mut self, scope: &Scope, tier: InstanceTier) -> bool {
        let Some(place) = self.fleet.listings().map(|(_, l)| l).find(|l| is_of(l, scope)) else {
            return false;
        };
        let account = place.account_id.clone();
        let same = |listing: &inventory::Listing| {
            is_of(listing, scope)
                || (listing.region == scope.region && !account.is_empty() && listing.account_id == account)
        };
        let concerned: Vec<ListingId> = self
            .fleet
            .listings()
            .filter(|(_, listing)| same(listing) && listing.tier != tier)
            .map(|(id, _)| id)
            .collect();
        for id in &concerned {
            self.fleet.set_tier(*id, tier);
        }
        self.dirty |= !concerned.is_empty();
        !concerned.is_empty()
    }

    /// Takes a node out that is known to be gone.
    pub(crate) fn remove(&mut self, key: &str) {
        self.fleet.remove(key);
        self.dirty = true;
    }

    /// Something told beside the fleet changed, so that it is announced.
    pub(crate) fn touch(&mut self) {
        self.dirty = true;
    }

    /// The listing of a source and Region, with the number of its hybrid nodes.
    pub(crate) fn place(&self, scope: &Scope) -> Option<(&inventory::Listing, u32)> {
        let counts = self.fleet.listing_counts();
        let found = self.fleet.listings().zip(counts).find(|((_, listing), _)| is_of(listing, scope));
        found.map(|((_, listing), counts)| (listing, counts.hybrid))
    }

    /// What is listed, in order.
    pub(crate) fn scope(&self) -> impl Iterator<Item = &Scope> {
        self.scope.iter().map(|(_, scope)| scope)
    }

    pub(crate) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    pub(crate) fn identities(&self) -> Vec<IdentityRow> {
        self.identities.values().cloned().collect()
    }

    /// Counters and account-Regions.
    pub(crate) fn summary(&self) -> FleetSummary {
        let counts = self.fleet.listing_counts();
        let listings = self.fleet.listings().zip(counts);
        let account_regions = listings
            .map(|((id, listing), counts)| {
                rows::account_region(listing, counts, self.problems.get(&id).cloned())
            })
            .collect();
        // An account-Region that was never listed has no age; its own row says why.
        let updated = self.fleet.listings().filter_map(|(_, listing)| listing.updated_ms).min();
        FleetSummary {
            version: version(self.fleet.version()),
            account_regions,
            refreshing: self.running.is_some(),
            updated_ms: updated.map(rows::millis),
            ..rows::summary(self.fleet.counters())
        }
    }

    /// When the fleet is to be announced; `None` while nothing changed.
    pub(crate) fn announcement_due(&self) -> Option<Instant> {
        self.dirty.then_some(self.quiet_until)
    }

    /// What is to be announced now: the counters, and the views that changed.
    pub(crate) fn announce(&mut self) -> (FleetSummary, Vec<FleetViewState>) {
        self.dirty = false;
        self.quiet_until = Instant::now() + SPACING;
        let now = now_ms();
        let mut changed = Vec::new();
        for (id, open) in &mut self.views {
            open.view.update(&mut self.fleet, now);
            if open.announced != open.view.version() {
                open.announced = open.view.version();
                changed.push(view_state(id, &open.view, &self.fleet));
            }
        }
        (self.summary(), changed)
    }

    pub(crate) fn view_open(&mut self, query: &FleetQuery) -> Result<FleetViewState, CommandError> {
        let parsed = parse(query)?;
        if self.views.len() >= VIEW_LIMIT {
            let message = format!("{VIEW_LIMIT} views of the fleet are open; close one first.");
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
        self.views_opened += 1;
        let id = format!("view-{}", self.views_opened);
        let view = View::new(parsed, rows::sort(query), query.descending);
        self.views.insert(id.clone(), OpenView { view, announced: 0 });
        self.view_now(&id)
    }

    pub(crate) fn view_query(
        &mut self,
        id: &str,
        query: &FleetQuery,
    ) -> Result<FleetViewState, CommandError> {
        let parsed = parse(query)?;
        let open = self.views.get_mut(id).ok_or_else(no_view)?;
        open.view.set(parsed, rows::sort(query), query.descending);
        self.view_now(id)
    }

    fn view_now(&mut self, id: &str) -> Result<FleetViewState, CommandError> {
        let open = self.views.get_mut(id).ok_or_else(no_view)?;
        open.view.update(&mut self.fleet, now_ms());
        open.announced = open.view.version();
        Ok(view_state(id, &open.view, &self.fleet))
    }

    pub(crate) fn view_close(&mut self, id: &str) -> Result<(), CommandError> {
        self.views.remove(id).map(drop).ok_or_else(no_view)
    }

    pub(crate) fn window(&mut self, id: &str, offset: u32, len: u32) -> Result<FleetWindow, CommandError> {
        if len > WINDOW_LIMIT {
            let message = format!("A window has at most {WINDOW_LIMIT} rows, not {len}.");
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
        let now = now_ms();
        let (fleet, view) = self.current(id, now)?;
        let entries = view.window(fleet, offset as usize, len as usize);
        let rows = entries.map(|entry| rows::node_row(fleet, entry, now)).collect();
        Ok(FleetWindow { view: id.to_owned(), version: version(view.version()), offset, rows })
    }

    pub(crate) fn find(&mut self, id: &str, key: &str) -> Result<Option<u32>, CommandError> {
        let (fleet, view) = self.current(id, now_ms())?;
        Ok(view.index_of(fleet, key).map(count))
    }

    pub(crate) fn type_ahead(
        &mut self,
        id: &str,
        prefix: &str,
        from: u32,
    ) -> Result<Option<u32>, CommandError> {
        let (fleet, view) = self.current(id, now_ms())?;
        Ok(view.type_ahead(fleet, prefix, from as usize).map(count))
    }

    /// A view whose rows are those of the fleet as it now is.
    fn current(&mut self, id: &str, now: i64) -> Result<(&Fleet, &View), CommandError> {
        let open = self.views.get_mut(id).ok_or_else(no_view)?;
        if open.view.update(&mut self.fleet, now) {
            self.dirty = true;
        }
        Ok((&self.fleet, &open.view))
    }

    pub(crate) fn complete(&self, text: &str, cursor: u32) -> Result<Completions, CommandError> {
        within_limit(text)?;
        Ok(rows::completions(inventory::Completions::at(&self.fleet, text, cursor)))
    }
}

/// Names and reads what is cached of listings.
pub(crate) mod inventory_cache {
    use fleetline_store::{Cached, Store};

    use super::CachedListing;
    use crate::ports::Scope;

    /// What was saved of one listing.
    pub(crate) type Found = Cached<CachedListing>;

    pub(crate) fn key(source: &str, region: &str) -> String {
        format!("{source}/{region}")
    }

    /// Reads what is cached for each part of the scope. Blocks.
    pub(crate) fn read(store: &Store, scope: &[Scope]) -> Vec<Option<Found>> {
        scope.iter().map(|scope| store.cached(&key(&scope.source, &scope.region))).collect()
    }
}

fn is_of(listing: &inventory::Listing, scope: &Scope) -> bool {
    listing.source == scope.source && listing.region == scope.region
}

fn view_state(id: &str, view: &View, fleet: &Fleet) -> FleetViewState {
    FleetViewState {
        view: id.to_owned(),
        version: version(view.version()),
        matched: count(view.matched()),
        total: count(fleet.len()),
        issues: rows::issues(view.issues()),
    }
}

fn parse(query: &FleetQuery) -> Result<Query, CommandError> {
    within_limit(&query.text)?;
    Ok(Query::parse(&query.text))
}

fn within_limit(text: &str) -> Result<(), CommandError> {
    if text.len() <= QUERY_LIMIT {
        return Ok(());
    }
    let message = format!("The query has {} bytes; it may have {QUERY_LIMIT}.", text.len());
    Err(CommandError::new(ErrorCode::InvalidInput, message))
}

fn no_view() -> CommandError {
    CommandError::new(ErrorCode::NotFound, "This view of the fleet is not open any more.")
}

fn version(version: u64) -> f64 {
    version as f64
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
