//! What CloudTrail keeps: calls that change something, by account and Region.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Events of an account-Region that are remembered; older ones are forgotten.
const MOST: usize = 10_000;

/// A call that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrailEvent {
    pub(crate) id: String,
    /// Name of the operation.
    pub(crate) name: String,
    /// When, in milliseconds of the Unix epoch.
    pub(crate) at_ms: i64,
    /// Role session name of the caller.
    pub(crate) user: String,
    pub(crate) access_key: String,
    /// Types and names.
    pub(crate) resources: Vec<(&'static str, String)>,
    /// The whole record, as JSON.
    pub(crate) record: String,
}

/// Whether an account has a trail of its own besides the event history, which every account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailState {
    /// A trail over all Regions that is logging.
    #[default]
    Logging,
    /// A trail that was stopped.
    Stopped,
    /// None.
    Missing,
}

#[derive(Debug, Default)]
struct Table {
    events: HashMap<(usize, String), VecDeque<TrailEvent>>,
    states: HashMap<usize, TrailState>,
}

/// All events. Locks are short: no await happens under them.
#[derive(Debug, Default)]
pub(crate) struct Trail(Mutex<Table>);

impl Trail {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, account: usize, region: &str, event: TrailEvent) {
        let mut table = self.lock();
        let events = table.events.entry((account, region.to_owned())).or_default();
        if events.len() == MOST {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Events of an account-Region that are wanted, newest first, from the `skip`th on, `most` at most.
    pub(crate) fn page(
        &self,
        account: usize,
        region: &str,
        wanted: impl Fn(&TrailEvent) -> bool,
        skip: usize,
        most: usize,
    ) -> Vec<TrailEvent> {
        let table = self.lock();
        let events = table.events.get(&(account, region.to_owned())).into_iter().flatten().rev();
        events.filter(|event| wanted(event)).skip(skip).take(most).cloned().collect()
    }

    pub(crate) fn state(&self, account: usize) -> TrailState {
        self.lock().states.get(&account).copied().unwrap_or_default()
    }

    pub(crate) fn set_state(&self, account: usize, state: TrailState) {
        self.lock().states.insert(account, state);
    }
}
