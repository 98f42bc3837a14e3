//! One pace for each account and Region, whatever the sources that reach it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fleetline_engine::Pacing;

/// The paces of all accounts and Regions in use. Outlives changes of the configuration: AWS goes on counting.
#[derive(Debug, Default)]
pub(crate) struct Paces(Mutex<HashMap<(String, String), Arc<Pacing>>>);

impl Paces {
    /// The pace of an account, or of a source whose account is not known yet, in a Region.
    pub(crate) fn of(&self, account: &str, region: &str) -> Arc<Pacing> {
        let key = (account.to_owned(), region.to_owned());
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(paces.entry(key).or_default())
    }
}
