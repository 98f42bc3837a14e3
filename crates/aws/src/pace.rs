//! One pace for each account and Region, whatever the sources that reach it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fleetline_engine::Pacing;

use crate::call_queue::CallQueue;

/// Account, Region and operation.
type QueueKey = (String, String, &'static str);

/// The paces of all accounts and Regions in use. Outlives changes of the configuration: AWS goes on counting.
#[derive(Debug, Default)]
pub(crate) struct Paces {
    sessions: Mutex<HashMap<(String, String), Arc<Pacing>>>,
    queues: Mutex<HashMap<QueueKey, Arc<CallQueue>>>,
}

impl Paces {
    /// The pace of the session calls of an account, or of a source whose account is not known yet, in a Region.
    pub(crate) fn of(&self, account: &str, region: &str) -> Arc<Pacing> {
        let key = (account.to_owned(), region.to_owned());
        let mut paces = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(paces.entry(key).or_default())
    }

    /// The queue of an inventory call in the same place.
    pub(crate) fn queue(&self, account: &str, region: &str, operation: &'static str) -> Arc<CallQueue> {
        let key = (account.to_owned(), region.to_owned(), operation);
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(key).or_default())
    }
}
