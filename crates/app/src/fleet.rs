//! The fleet on the controller's side: the inventory, the views over it, and the refresh that feeds it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::node::InstanceTier;
use fleetline_inventory::ports::Sources;
use fleetline_inventory::{self as inventory, Entry, Fleet, ListingId, Marks, Query, View};
use fleetline_ipc::fleet::{Completions, FleetQuery, FleetSummary, FleetViewState, FleetWindow};
use fleetline_ipc::system::IdentityRow;
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::clock::now_ms;
use crate::listing::{Missing, Told, WantedTags};
use crate::listing_cache::{self, ToCache};
use crate::ports::Scope;
use crate::problem::{Context, describe};
use crate::refresh::{self, Progress, Step, Task};
use crate::rows;

/// Longest query, in bytes.
const QUERY_LIMIT: usize = 4_096;
/// Views open at a time.
const VIEW_LIMIT: usize = 16;
/// Rows of one window.
const WINDOW_LIMIT: u32 = 200;
/// Shortest time between two announcements: four a second.
const SPACING: Duration = Duration::from_millis(250);

/// What a step of a refresh asks the controller to do besides announcing the fleet.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The identities changed.
    pub(crate) identities: bool,
    /// A notice: id and problem; no problem takes it back.
    pub(crate) notice: Option<(String, Option<CommandError>)>,
    /// A listing is complete and [`FleetDesk::next_to_cache`] has it.
    pub(crate) cache: bool,
    /// Where the tier is being changed.
    pub(crate) tier_pending: Option<Scope>,
}

/// Whose tags a refresh asks for among the hybrid nodes, which takes a call for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefreshTags {
    /// Of all: somebody asked for the refresh.
    All,
    /// Of those without tags so far.
    Unknown,
}

/// A refresh that runs.
struct Run {
    task: AbortHandle,
    listings: Vec<ListingId>,
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
    /// Refreshes that run, by their numbers.
    runs: BTreeMap<u64, Run>,
    runs_begun: u64,
    cached: bool,
    /// Complete listings that are not in the cache yet.
    uncached: BTreeSet<ListingId>,
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
            runs: BTreeMap::new(),
            runs_begun: 0,
            cached: false,
            uncached: BTreeSet::new(),
            dirty: false,
            quiet_until: Instant::now(),
        }
    }

    /// Points it at another scope. Views stay open. `cached`: what was saved of the scope; `None` switches the cache off.
    pub(crate) fn point_at(&mut self, scope: Vec<Scope>, cached: Option<Fleet>) {
        self.stop();
        self.cached = cached.is_some();
        self.fleet = self.fleet.followed_by(cached.unwrap_or_default());
        self.uncached.clear();
        self.problems.clear();
        self.identities.clear();
        let declare = |scope: Scope| (self.fleet.declare(&scope.source, &scope.region, &scope.source), scope);
        self.scope = scope.into_iter().map(declare).collect();
        self.dirty = true;
    }

    /// Lists everything again; a refresh under way is replaced.
    pub(crate) fn refresh(
        &mut self,
        sources: &Arc<dyn Sources<ApiError>>,
        progress: &mpsc::Sender<Progress>,
        tags: RefreshTags,
    ) {
        self.stop();
        if !self.scope.is_empty() {
            self.run(self.scope.clone(), sources, progress, tags);
        }
    }

    /// Lists one account-Region again; one that is being listed goes on.
    ///
    /// # Errors
    /// When it is not in the scope.
    pub(crate) fn refresh_one(
        &mut self,
        source: &str,
        region: &str,
        sources: &Arc<dyn Sources<ApiError>>,
        progress: &mpsc::Sender<Progress>,
    ) -> Result<(), CommandError> {
        let found = self.scope.iter().find(|(_, scope)| scope.source == source && scope.region == region);
        let Some(one) = found.cloned() else {
            let message = format!("{source} in {region} is not part of this list.");
            return Err(CommandError::new(ErrorCode::NotFound, message));
        };
        if !self.runs.values().any(|run| run.listings.contains(&one.0)) || !self.is_listing(one.0) {
            self.run(vec![one], sources, progress, RefreshTags::All);
        }
        Ok(())
    }

    fn run(
        &mut self,
        scope: Vec<(ListingId, Scope)>,
        sources: &Arc<dyn Sources<ApiError>>,
        progress: &mpsc::Sender<Progress>,
        tags: RefreshTags,
    ) {
        self.runs_begun += 1;
        let listings = scope.iter().map(|(id, _)| *id).collect();
        let mut known = match tags {
            RefreshTags::All => HashMap::new(),
            RefreshTags::Unknown => self.tagged_hybrid(),
        };
        let tasks = scope.into_iter().map(|(id, scope)| {
            let tags = WantedTags::Except(known.remove(&id).unwrap_or_default());
            Task { id, scope, tags }
        });
        let run = refresh::run(self.runs_begun, sources.clone(), tasks.collect(), progress.clone());
        self.runs.insert(self.runs_begun, Run { task: tokio::spawn(run).abort_handle(), listings });
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
        if !self.runs.is_empty() {
            return self.refresh(sources, progress, RefreshTags::Unknown);
        }
        let part: Vec<_> =
            self.scope.iter().filter(|(_, scope)| names.contains(&scope.source)).cloned().collect();
        if !part.is_empty() {
            self.run(part, sources, progress, RefreshTags::Unknown);
        }
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

    /// Ids of the hybrid nodes of each listing whose tags are known.
    fn tagged_hybrid(&self) -> HashMap<ListingId, HashSet<String>> {
        let mut known = HashMap::<_, HashSet<String>>::new();
        for entry in self.fleet.entries() {
            let node = entry.node();
            if node.kind.is_hybrid() && !node.tags.is_empty() {
                known.entry(entry.listing()).or_default().insert(node.node_id.to_string());
            }
        }
        known
    }

    fn is_listing(&self, id: ListingId) -> bool {
        use inventory::ListingState::{Loading, Waiting};
        self.fleet.listing(id).is_some_and(|listing| matches!(listing.state, Waiting | Loading))
    }

    /// Ends all refreshes; what was listed stays. Returns whether there was one.
    pub(crate) fn stop(&mut self) -> bool {
        if self.runs.is_empty() {
            return false;
        }
        for run in std::mem::take(&mut self.runs).into_values() {
            run.task.abort();
        }
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
        if !self.runs.contains_key(&progress.refresh) {
            return outcome;
        }
        self.dirty = true;
        match progress.step {
            Step::Begun(id) => {
                self.problems.remove(&id);
                self.fleet.begin(id);
            }
            Step::Told(id, told) => self.told(id, told, &mut outcome),
            // The tags are in.
            Step::Ended(id) => outcome.cache = self.note_uncached(id),
            Step::Failed(id, error) => {
                let denied = error.kind == ApiErrorKind::AccessDenied;
                self.problems.insert(id, describe(&error, &self.context(id)));
                self.fleet.fail(id, denied);
            }
            Step::Finished => self.finished(progress.refresh),
        }
        outcome
    }

    fn told(&mut self, id: ListingId, told: Told, outcome: &mut Outcome) {
        match told {
            Told::Identity(caller) => {
                self.fleet.identify(id, &caller.account_id);
                if let Some(listing) = self.fleet.listing(id) {
                    let row = rows::identity(&listing.source, &caller);
                    outcome.identities = self.identities.get(&listing.source) != Some(&row);
                    self.identities.insert(listing.source.clone(), row);
                }
            }
            Told::Page(nodes) => self.fleet.merge_page(id, nodes),
            Told::Facts(kind, facts) => {
                self.fleet.merge_facts(id, facts);
                outcome.notice = Some((self.missing_notice(id, kind), None));
            }
            Told::Missing(missing, error) => {
                let problem = describe(&error, &self.context(id));
                let (name, region) = self.names(id);
                let what = match missing {
                    Missing::Ec2 => "EC2 facts (tags, VPC)",
                    Missing::Tags => "Tags of hybrid nodes",
                };
                let message = format!("{what} of {name} in {region} are missing: {}", problem.message);
                let notice = CommandError { message, ..problem };
                outcome.notice = Some((self.missing_notice(id, missing), Some(notice)));
            }
            Told::Tier(tier) => {
                let tier = tier.unwrap_or(InstanceTier::Unknown);
                self.fleet.set_tier(id, tier);
                let (source, region) = self.names(id);
                outcome.tier_pending = (tier == InstanceTier::Pending).then_some(Scope { source, region });
            }
            Told::Complete => {
                self.fleet.complete(id, now_ms());
                outcome.cache = self.note_uncached(id);
            }
        }
    }

    fn note_uncached(&mut self, id: ListingId) -> bool {
        self.cached && self.uncached.insert(id)
    }

    fn finished(&mut self, number: u64) {
        let Some(run) = self.runs.remove(&number) else { return };
        let unfinished = |fleet: &Fleet, id| {
            fleet.listing(id).is_some_and(|listing| listing.state == inventory::ListingState::Loading)
        };
        for id in &run.listings {
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

    fn missing_notice(&self, id: ListingId, missing: Missing) -> String {
        let (source, region) = self.names(id);
        let kind = match missing {
            Missing::Ec2 => "ec2",
            Missing::Tags => "tags",
        };
        format!("missing:{kind}:{source}/{region}")
    }

    /// A complete listing that is to be written to the cache next. They are asked for one after the other, because a
    /// copy of all of them would take as much memory as the fleet itself.
    pub(crate) fn next_to_cache(&mut self) -> Option<ToCache> {
        std::iter::from_fn(|| self.uncached.pop_first()).find_map(|id| listing_cache::of(&self.fleet, id))
    }

    /// What the user marked, from now on.
    pub(crate) fn set_marks(&mut self, marks: Marks) {
        self.fleet.set_marks(marks);
        self.dirty = true;
    }

    /// Everything a view shows, or of that the nodes with these keys, in its order, as `write` puts it; with the number
    /// of nodes.
    pub(crate) fn export(
        &mut self,
        id: &str,
        now: i64,
        keys: Option<&HashSet<String>>,
        write: impl FnOnce(&Fleet, &mut dyn Iterator<Item = &Entry>) -> std::io::Result<Vec<u8>>,
    ) -> Result<(u32, Vec<u8>), CommandError> {
        let (fleet, view) = self.current(id, now)?;
        let mut nodes = 0;
        let shown = view.window(fleet, 0, usize::MAX);
        let wanted = shown.filter(|entry| keys.is_none_or(|keys| keys.contains(entry.key())));
        match write(fleet, &mut wanted.inspect(|_| nodes += 1)) {
            Ok(bytes) => Ok((nodes, bytes)),
            Err(error) => Err(CommandError::new(ErrorCode::Internal, error.to_string())),
        }
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
            refreshing: !self.runs.is_empty(),
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
