//! The list of nodes: refreshing it, and what is told of it.

use std::sync::Arc;

use fleetline_engine::ports::ApiError;
use fleetline_inventory::node::InstanceTier;
use fleetline_inventory::ports::Sources;
use fleetline_ipc::event::Change;
use fleetline_ipc::fleet::{FleetSummary, NodeDetail};
use fleetline_ipc::system::NoticeLevel;
use fleetline_ipc::{CommandError, ErrorCode};

use super::{Controller, no_node};
use crate::clock::now_ms;
use crate::fleet::RefreshTags;
use crate::notices;
use crate::refresh::Progress;
use crate::rows;
use crate::rungs;

impl Controller {
    pub(super) fn summary(&self) -> FleetSummary {
        let mut summary = self.desk.summary();
        for row in &mut summary.account_regions {
            row.tier_change = self.tiers.row(&row.source, &row.region);
        }
        FleetSummary { refreshing: summary.refreshing || self.launching.is_some(), ..summary }
    }

    pub(super) fn node(&self, key: &str) -> Result<NodeDetail, CommandError> {
        let fleet = self.desk.fleet();
        let entry = fleet.get(key).ok_or_else(no_node)?;
        let now = now_ms();
        let steps = fleetline_inventory::ladder(entry.node(), fleet.listing_of(entry), self.proof_of(key));
        Ok(NodeDetail {
            row: rows::node_row(fleet, entry, now),
            ladder: rungs::ladder(steps),
            facts: rows::facts(entry.node()),
            tags: rows::tags(entry.node()),
            groups: fleet.marks().groups_of(key).map(str::to_owned).collect(),
            sessions: self.tabs.sessions_on(key),
            check: self.checks.row(key).cloned(),
        })
    }

    pub(super) fn refresh(&mut self) -> Result<(), CommandError> {
        let sources = self.open_sources()?;
        // The command line program may have changed it.
        self.read_book();
        self.desk.refresh(&sources, &self.progress, RefreshTags::All);
        Ok(())
    }

    pub(super) fn refresh_one(&mut self, source: &str, region: &str) -> Result<(), CommandError> {
        let sources = self.open_sources()?;
        self.desk.refresh_one(source, region, &sources, &self.progress)
    }

    /// The sources of the fleet that is open.
    pub(super) fn open_sources(&self) -> Result<Arc<dyn Sources<ApiError>>, CommandError> {
        let Some(backend) = &self.backend else {
            let message = match self.launching {
                Some(_) => "The fleet is being opened; it is listed when that is done.",
                None => "No fleet is open; choose the demo fleet or an AWS profile first.",
            };
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        };
        Ok(backend.sources.clone())
    }

    pub(super) fn progressed(&mut self, progress: Progress) {
        self.learn_of_sources(&progress);
        let outcome = self.desk.progress(progress);
        if outcome.identities {
            self.emit_mode();
        }
        if let Some((id, problem)) = outcome.notice {
            let changed = match problem {
                Some(problem) => self.notices.raise(notices::of_problem(id, NoticeLevel::Info, &problem)),
                None => self.notices.take_down(&id),
            };
            self.notices_changed(changed);
        }
        if let Some(scope) = outcome.tier_pending.filter(|scope| !self.tiers.is_watched(scope))
            && let Err(problem) = self.tier_watch(scope, InstanceTier::Unknown)
        {
            tracing::warn!(message = problem.message, "a change of the tier is not looked at");
        }
        if outcome.cache && !self.caching {
            self.cache_next();
        }
    }

    /// Writes the next complete listing to the cache.
    pub(super) fn cache_next(&mut self) {
        let next = self.desk.next_to_cache();
        self.caching =
            next.is_some_and(|cache| self.disk.save_cached(cache.key, cache.saved_ms, cache.listing));
    }

    pub(super) fn announce(&mut self) {
        let (_, views) = self.desk.announce();
        let summary = self.summary();
        self.emit(Change::Fleet { summary });
        for view in views {
            self.emit(Change::View { view });
        }
        if self.forwards.find_nodes(self.desk.fleet()) {
            self.emit_forwards();
        }
        self.restore_waiting();
    }
}
