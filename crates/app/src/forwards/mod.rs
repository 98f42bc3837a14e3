//! Forwards: which there are, which run, and what is told of them.
//!
//! They are saved profiles ([`fleetline_store::profiles`]). After a restart they are listed as they were and switched
//! off: nothing is started at AWS that nobody asked for. Those of the demo fleet are kept in a folder of their own and
//! only listed there.

mod alarm;
mod desktop;
mod guard;
mod local;
mod log;
mod order;
mod proxy;
mod quit;
mod rates;
mod reload;
mod row;
mod same;
mod saved;
mod spec;
mod start;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fleetline_engine::SessionOptions;
use fleetline_engine::forward::{FlowId, Forward};
use fleetline_engine::ports::ControlPlane;
use fleetline_inventory::{Entry, Fleet, Query};
use fleetline_ipc::forward::{ForwardDetail, ForwardRow, ForwardSpec, Forwards};
use fleetline_ipc::system::QuitSummary;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::{Edit, FolderPath, ProfileId, ProfileTarget, Profiles, SavedProfile};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::clock::now_ms;
use crate::problem::Context;
use crate::request::Reply;
use log::Past;
pub(crate) use log::Why;
use rates::Rates;

use alarm::Alarmed;
pub use guard::web_guard;
pub(crate) use local::client_names;
pub use local::{PortInUse, SameUser};
pub use proxy::Socks;
pub(crate) use quit::with_clients;

/// Forwards listed at most.
const LIMIT: usize = 2000;
/// Least time between two looks at one forward, so that a busy one is told of ten times a second.
const CALM: Duration = Duration::from_millis(100);

/// What the tasks around running forwards tell the controller.
pub(crate) enum News {
    /// A forward changed. `run` tells starts of the same forward apart.
    Changed { id: String, run: u64 },
    /// The listeners of an earlier run are closed.
    Unbound { id: String },
    /// What quitting would end, with the programs behind connections.
    QuitAsked { summary: QuitSummary },
    /// The programs behind connections, and who asked for them.
    Clients { id: String, run: u64, names: Vec<(FlowId, String)>, reply: Reply<ForwardDetail> },
}

/// Where a forward goes through, as the fleet has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    key: String,
    node_id: String,
    node_name: String,
    account_name: String,
    source: String,
    region: String,
}

/// A forward that listens.
pub(crate) struct Run {
    number: u64,
    pub(crate) forward: Forward,
    pub(crate) context: Context,
    rates: Rates,
    since: SystemTime,
    begun: Instant,
    /// The connection that was refused and that the user has seen to.
    forgiven: Option<FlowId>,
    clients: BTreeMap<FlowId, String>,
}

/// Why a forward that is switched on does not listen.
#[derive(Clone, Debug)]
enum Blocked {
    PortInUse(PortInUse),
    /// It would let other computers in at this address, and nobody has confirmed that since it was switched on.
    Exposes(IpAddr),
    Problem(CommandError),
}

struct Kept {
    saved: SavedProfile,
    spec: ForwardSpec,
    place: Option<Place>,
    on: bool,
    /// The address that other computers may come in by, as confirmed since it was switched on.
    confirmed: Option<IpAddr>,
    run: Option<Run>,
    blocked: Option<Blocked>,
    /// Earlier runs whose listeners are not closed yet.
    closing: usize,
    /// What is remembered of earlier runs.
    past: Past,
    /// As it was told last.
    told: Option<ForwardRow>,
    /// Those who are told of every change.
    followers: Vec<watch::Sender<ForwardRow>>,
}

impl Kept {
    fn id(&self) -> &str {
        self.saved.id.as_str()
    }

    /// Takes what runs, and remembers what it went through.
    fn end(&mut self, why: Why) -> Option<Run> {
        let run = self.run.take()?;
        self.past.remember(&run, why);
        Some(run)
    }

    /// When it has run for as long as it may.
    fn ends(&self) -> Option<Instant> {
        let minutes = Some(self.spec.limits.time_limit_minutes).filter(|minutes| *minutes > 0)?;
        Some(self.run.as_ref()?.begun + Duration::from_secs(u64::from(minutes) * 60))
    }

    fn new(saved: SavedProfile, spec: ForwardSpec) -> Self {
        Self {
            saved,
            spec,
            place: None,
            on: false,
            confirmed: None,
            run: None,
            blocked: None,
            closing: 0,
            past: Past::default(),
            told: None,
            followers: Vec::new(),
        }
    }

    fn tell_followers(&mut self, row: &ForwardRow) {
        self.followers.retain(|follower| follower.send(row.clone()).is_ok());
    }
}

/// The way to the node of a forward.
pub(crate) struct Way {
    pub(crate) control: Arc<dyn ControlPlane>,
    pub(crate) options: SessionOptions,
    pub(crate) context: Context,
}

/// The one owner of all forwards.
pub(crate) struct ForwardDesk {
    kept: Vec<Kept>,
    profiles: Profiles,
    /// Bundles of the profile file as they are now.
    bundles: Vec<SavedProfile>,
    demo: bool,
    paused: bool,
    alarmed: Alarmed,
    runs: u64,
    news: mpsc::Sender<News>,
}

impl ForwardDesk {
    pub(crate) fn new(news: mpsc::Sender<News>) -> Self {
        Self {
            kept: Vec::new(),
            profiles: Profiles::default(),
            bundles: Vec::new(),
            demo: false,
            paused: false,
            alarmed: Alarmed::default(),
            runs: 0,
            news,
        }
    }

    /// Lists the saved forwards of the demo fleet or of AWS, all switched off.
    pub(crate) fn point_at(&mut self, profiles: Profiles, demo: bool) {
        self.demo = demo;
        self.paused = false;
        self.kept.clear();
        self.bundles = saved::bundles(&profiles);
        for profile in profiles.iter() {
            let is_here = saved::is_of_demo(&profile.folder) == demo;
            let bundle = saved::bundle_of(&self.bundles, &profile.id).map(|bundle| bundle.name.clone());
            let read = spec::of_saved(profile, &profiles.effective(profile), bundle, String::new());
            if let Some(spec) = read.filter(|_| is_here && self.kept.len() < LIMIT) {
                self.kept.push(Kept::new(profile.clone(), spec));
            }
        }
        self.profiles = profiles;
        self.sort();
    }

    /// Forgets all, and gives out what runs, to be stopped.
    pub(crate) fn leave(&mut self) -> Vec<(String, Run)> {
        let runs = self.kept.iter_mut().filter_map(|kept| {
            let run = kept.run.take()?;
            Some((kept.id().to_owned(), run))
        });
        let runs = runs.collect();
        self.kept.clear();
        self.bundles.clear();
        self.paused = false;
        runs
    }

    /// Finds the nodes of forwards anew. Returns whether any row looks different.
    pub(crate) fn find_nodes(&mut self, fleet: &Fleet) -> bool {
        let mut changed = false;
        if self.kept.is_empty() {
            return false;
        }
        let mut by_id: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
        for kept in &self.kept {
            if let Some(ProfileTarget::Node(id)) = kept.saved.kind.target() {
                by_id.entry(id.clone()).or_default();
            }
        }
        for entry in fleet.entries() {
            if let Some(entries) = by_id.get_mut(entry.node().node_id.as_str()) {
                entries.push(entry);
            }
        }
        for kept in &mut self.kept {
            let effective = self.profiles.effective(&kept.saved);
            let fits = |entry: &&&Entry| {
                let node = entry.node();
                effective.source.value.as_ref().is_none_or(|source| *source == node.source)
                    && effective
                        .region
                        .value
                        .as_ref()
                        .is_none_or(|region| *region == node.account_region.region)
            };
            let found = match kept.saved.kind.target() {
                Some(ProfileTarget::Node(id)) => {
                    by_id.get(id).and_then(|entries| entries.iter().find(fits)).copied()
                }
                Some(ProfileTarget::Query(text)) => only_match(fleet, text),
                None => None,
            };
            let place = found.map(|entry| place(fleet, entry));
            // A node that is listed no more keeps its name here; starting through it is refused by AWS if it is gone.
            if place.is_some() && place != kept.place {
                kept.spec.node_key = place.as_ref().map(|place| place.key.clone()).unwrap_or_default();
                kept.place = place;
                changed = true;
            }
        }
        changed
    }

    /// Adds a forward, switched off. Returns its id and what is to be written.
    pub(crate) fn create(
        &mut self,
        spec: ForwardSpec,
        fleet: &Fleet,
    ) -> Result<(String, Vec<Edit>), CommandError> {
        spec::check(&spec)?;
        if self.kept.len() >= LIMIT {
            let message = format!("There are {LIMIT} forwards; remove one first.");
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
        let place = fleet.get(&spec.node_key).map(|entry| place(fleet, entry)).ok_or_else(no_node)?;
        let taken = |id: &ProfileId| {
            self.profiles.get(id).is_some()
                || self.kept.iter().any(|kept| kept.saved.id == *id)
                || self.bundles.iter().any(|bundle| bundle.id == *id)
        };
        let id = ProfileId::for_name(&spec.name, taken);
        let folder = if self.demo { saved::demo_folder() } else { FolderPath::default() };
        let saved = saved::empty(id, folder);
        self.kept.push(Kept { place: Some(place), ..Kept::new(saved, spec.clone()) });
        let at = self.kept.len() - 1;
        let id = self.kept[at].id().to_owned();
        let edits = self.put(at, spec, true);
        self.sort();
        Ok((id, edits))
    }

    /// Changes a forward. Returns what is to be written, and whether it must be started anew.
    pub(crate) fn edit(
        &mut self,
        id: &str,
        spec: ForwardSpec,
        fleet: &Fleet,
    ) -> Result<(Vec<Edit>, bool), CommandError> {
        spec::check(&spec)?;
        let at = self.at(id)?;
        let has_moved = spec.node_key != self.kept[at].spec.node_key;
        if has_moved || self.kept[at].place.is_none() {
            let entry = fleet.get(&spec.node_key).ok_or_else(no_node)?;
            self.kept[at].place = Some(place(fleet, entry));
        }
        let restart = spec::needs_restart(&self.kept[at].spec, &spec);
        let edits = self.put(at, spec, has_moved);
        self.sort();
        Ok((edits, restart))
    }

    /// Takes a description over, and says what that changes on disk.
    fn put(&mut self, at: usize, spec: ForwardSpec, has_moved: bool) -> Vec<Edit> {
        let kept = &mut self.kept[at];
        let target = match (&kept.place, kept.saved.kind.target()) {
            (Some(place), _) if has_moved => {
                kept.saved.settings.source = Some(place.source.clone());
                kept.saved.settings.region = Some(place.region.clone());
                ProfileTarget::Node(place.node_id.clone())
            }
            (_, Some(target)) => target.clone(),
            (_, None) => ProfileTarget::Node(String::new()),
        };
        let effective = self.profiles.effective(&kept.saved);
        spec::into_saved(&spec, target, &effective, &mut kept.saved);
        let before = std::mem::replace(&mut kept.spec, spec).bundle;
        let (saved, after) = (kept.saved.clone(), kept.spec.bundle.clone());
        let mut edits = vec![Edit::Put(saved.clone())];
        let in_file = saved::bundle_of(&self.bundles, &saved.id).is_some();
        if before != after || in_file != after.is_some() {
            let taken = |id: &ProfileId| {
                self.profiles.get(id).is_some() || self.kept.iter().any(|kept| kept.saved.id == *id)
            };
            edits.extend(saved::move_member(&mut self.bundles, &saved, after.as_deref(), taken));
        }
        edits
    }

    /// Removes a forward. Gives out what runs, to be stopped, and what is to be written.
    pub(crate) fn remove(&mut self, id: &str) -> Result<(Option<Run>, Vec<Edit>), CommandError> {
        let at = self.at(id)?;
        let kept = self.kept.remove(at);
        let mut edits = saved::move_member(&mut self.bundles, &kept.saved, None, |_| false);
        edits.push(Edit::Remove(kept.saved.id));
        Ok((kept.run, edits))
    }

    /// Moves the switch. Gives out what runs and shall not any more, to be stopped.
    pub(crate) fn switch(&mut self, id: &str, on: bool) -> Result<Option<Run>, CommandError> {
        let at = self.at(id)?;
        let kept = &mut self.kept[at];
        if !on || !kept.on {
            // Each start is confirmed anew (SEC-20).
            kept.confirmed = None;
        }
        kept.on = on;
        kept.blocked = None;
        Ok(if on { None } else { kept.end(Why::SwitchedOff) })
    }

    /// Switches on what lets other computers in, after its address was typed.
    ///
    /// # Errors
    /// When it lets nobody in, or something else was typed.
    pub(crate) fn expose(&mut self, id: &str, typed: &str) -> Result<(), CommandError> {
        let wrong = |message: String| Err(CommandError::new(ErrorCode::InvalidInput, message));
        let at = self.at(id)?;
        let kept = &mut self.kept[at];
        let Some(address) = spec::exposed(&kept.spec) else {
            return wrong("This forward lets no other computers in.".to_owned());
        };
        if typed.trim() != address.to_string() {
            return wrong(format!("Type {address} to let other computers in."));
        }
        kept.confirmed = Some(address);
        kept.on = true;
        kept.blocked = None;
        Ok(())
    }

    /// Switches off what has run for as long as it may. Gives out what ran, to be stopped.
    pub(crate) fn end_overdue(&mut self, now: Instant) -> Vec<(String, Run)> {
        let overdue = self.kept.iter_mut().filter(|kept| kept.ends().is_some_and(|at| at <= now));
        let ended = overdue.filter_map(|kept| {
            kept.on = false;
            kept.confirmed = None;
            let minutes = kept.spec.limits.time_limit_minutes;
            Some((kept.id().to_owned(), kept.end(Why::TimeLimit { minutes })?))
        });
        ended.collect()
    }

    /// When the next one has run for as long as it may.
    pub(crate) fn overdue_at(&self) -> Option<Instant> {
        self.kept.iter().filter_map(Kept::ends).min()
    }

    /// Ids of a bundle's forwards; `None` are those in no bundle.
    pub(crate) fn members(&self, bundle: Option<&str>) -> Vec<String> {
        let members = self.kept.iter().filter(|kept| kept.spec.bundle.as_deref() == bundle);
        members.map(|kept| kept.id().to_owned()).collect()
    }

    /// All ids.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.kept.iter().map(|kept| kept.id().to_owned()).collect()
    }

    /// Ids of those that are switched on.
    pub(crate) fn ids_on(&self) -> Vec<String> {
        self.kept.iter().filter(|kept| kept.on).map(|kept| kept.id().to_owned()).collect()
    }

    /// Pauses all, or ends the pause. Gives out what ran, to be stopped.
    pub(crate) fn pause(&mut self, paused: bool) -> Vec<(String, Run)> {
        self.paused = paused;
        if !paused {
            return Vec::new();
        }
        let runs = self.kept.iter_mut().filter_map(|kept| {
            kept.blocked = None;
            kept.confirmed = None;
            Some((kept.id().to_owned(), kept.end(Why::Paused)?))
        });
        runs.collect()
    }

    /// Takes what runs, to be started anew.
    pub(crate) fn take_run(&mut self, id: &str) -> Option<Run> {
        let kept = self.kept.iter_mut().find(|kept| kept.id() == id)?;
        kept.confirmed = None;
        kept.end(Why::Changed)
    }

    /// The listeners of a run are being closed.
    pub(crate) fn closing(&mut self, id: &str) {
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.id() == id) {
            kept.closing += 1;
        }
    }

    /// The listeners of a run are closed.
    pub(crate) fn unbound(&mut self, id: &str) {
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.id() == id) {
            kept.closing = kept.closing.saturating_sub(1);
        }
    }

    /// Whether it should listen and does not, with nothing in its way.
    pub(crate) fn wants_start(&self, id: &str) -> bool {
        let Ok(at) = self.at(id) else { return false };
        let kept = &self.kept[at];
        kept.on && !self.paused && kept.run.is_none() && kept.closing == 0 && kept.blocked.is_none()
    }

    /// The key of the node it goes through.
    pub(crate) fn node_key(&self, id: &str) -> Option<String> {
        let kept = self.kept.iter().find(|kept| kept.id() == id)?;
        kept.place.as_ref().map(|place| place.key.clone())
    }

    /// Tries again now what failed or waits.
    pub(crate) fn retry(&mut self, id: &str) -> Result<(), CommandError> {
        let at = self.at(id)?;
        let kept = &mut self.kept[at];
        kept.blocked = None;
        if let Some(run) = &mut kept.run {
            run.forgiven = run.forward.snapshot().ended.last().map(|ended| ended.flow.id);
            run.forward.retry_now();
        }
        Ok(())
    }

    /// Cuts one connection, or all.
    pub(crate) fn disconnect(&self, id: &str, connection: Option<f64>) -> Result<(), CommandError> {
        let kept = &self.kept[self.at(id)?];
        if let Some(run) = &kept.run {
            // Numbers come back as they were given, see `ConnectionRow::number`.
            run.forward.reset(connection.map(|number| FlowId(number.max(0.0) as u64)));
        }
        Ok(())
    }

    /// Whether news of this run are still of interest.
    pub(crate) fn is_current(&self, id: &str, run: u64) -> bool {
        self.kept.iter().any(|kept| kept.id() == id && kept.run.as_ref().is_some_and(|r| r.number == run))
    }

    /// When figures are to be looked at again; `None` while nothing moves.
    pub(crate) fn sample_due(&self) -> Option<Instant> {
        self.kept.iter().filter_map(|kept| kept.run.as_ref()?.rates.due()).min()
    }

    /// Takes a sample of all that move. Returns their ids.
    pub(crate) fn sample(&mut self, now: Instant) -> Vec<String> {
        let mut sampled = Vec::new();
        for kept in &mut self.kept {
            let id = kept.saved.id.as_str();
            if let Some(run) = kept.run.as_mut().filter(|run| run.rates.due().is_some_and(|due| due <= now)) {
                let snapshot = run.forward.snapshot();
                run.rates.sample(&snapshot.totals, snapshot.flows.len(), now);
                sampled.push(id.to_owned());
            }
        }
        sampled
    }

    /// The row of a forward, when it is not as it was told last.
    pub(crate) fn news_of(&mut self, id: &str) -> Option<ForwardRow> {
        let at = self.at(id).ok()?;
        if let Some(run) = &mut self.kept[at].run {
            let snapshot = run.forward.snapshot();
            run.rates.look(&snapshot.totals, snapshot.flows.len(), Instant::now());
        }
        let row = self.row_at(at);
        let kept = &mut self.kept[at];
        if kept.told.as_ref() == Some(&row) {
            return None;
        }
        kept.told = Some(row.clone());
        kept.tell_followers(&row);
        Some(row)
    }

    /// Tells of every change of a forward until the forward is forgotten or nobody listens.
    pub(crate) fn follow(&mut self, id: &str) -> Result<watch::Receiver<ForwardRow>, CommandError> {
        let at = self.at(id)?;
        let (sender, receiver) = watch::channel(self.row_at(at));
        self.kept[at].followers.push(sender);
        Ok(receiver)
    }

    /// The row of a forward as it is.
    pub(crate) fn row(&self, id: &str) -> Result<ForwardRow, CommandError> {
        Ok(self.row_at(self.at(id)?))
    }

    /// All of them, to be told.
    pub(crate) fn all(&mut self) -> Forwards {
        let rows: Vec<ForwardRow> = (0..self.kept.len()).map(|at| self.row_at(at)).collect();
        for (kept, row) in self.kept.iter_mut().zip(&rows) {
            if kept.told.as_ref() != Some(row) {
                kept.tell_followers(row);
            }
            kept.told = Some(row.clone());
        }
        Forwards { rows, paused: self.paused }
    }

    /// Whether any listens.
    pub(crate) fn has_running(&self) -> bool {
        self.kept.iter().any(|kept| kept.run.is_some())
    }

    fn at(&self, id: &str) -> Result<usize, CommandError> {
        let found = self.kept.iter().position(|kept| kept.id() == id);
        found.ok_or_else(|| CommandError::new(ErrorCode::NotFound, "This forward does not exist any more."))
    }
}

fn place(fleet: &Fleet, entry: &Entry) -> Place {
    let node = entry.node();
    Place {
        key: entry.key().to_owned(),
        node_id: node.node_id.to_string(),
        node_name: node.display_name().to_owned(),
        account_name: fleet.listing_of(entry).account_name.clone(),
        source: node.source.to_string(),
        region: node.account_region.region.clone(),
    }
}

fn only_match<'a>(fleet: &'a Fleet, text: &str) -> Option<&'a Entry> {
    let query = Query::parse(text);
    if query.is_unfiltered() || !query.issues().is_empty() {
        return None;
    }
    let now = now_ms();
    let mut found = fleet.entries().filter(|entry| query.matches(fleet, entry, now));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn no_node() -> CommandError {
    CommandError {
        hint: Some("Refresh the fleet, or choose another node for it.".to_owned()),
        ..CommandError::new(ErrorCode::NotFound, "The node of this forward is not in the fleet.")
    }
}
