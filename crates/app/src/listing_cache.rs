//! What is kept of each listing, so that the list is there at the next start.

use fleetline_inventory::node::{InstanceTier, ManagedNode};
use fleetline_inventory::{Fleet, ListingId};
use fleetline_store::Store;
use serde::{Deserialize, Serialize};

use crate::ports::Scope;

/// What is cached of one listing.
#[derive(Serialize, Deserialize)]
pub(crate) struct CachedListing {
    pub(crate) tier: InstanceTier,
    pub(crate) nodes: Vec<ManagedNode>,
}

/// A listing to be written to the cache.
pub(crate) struct ToCache {
    pub(crate) key: String,
    pub(crate) saved_ms: i64,
    pub(crate) listing: CachedListing,
}

/// The listing as it is to be kept; `None` for one that was never complete.
pub(crate) fn of(fleet: &Fleet, id: ListingId) -> Option<ToCache> {
    let listing = fleet.listing(id)?;
    let nodes = fleet.entries().filter(|e| e.listing() == id).map(|e| e.node().clone()).collect();
    Some(ToCache {
        key: key(&listing.source, &listing.region),
        saved_ms: listing.updated_ms?,
        listing: CachedListing { tier: listing.tier, nodes },
    })
}

/// A fleet of what is cached for each part of the scope, one after the other, so that nothing is in memory twice. Blocks.
pub(crate) fn read(store: &Store, scope: &[Scope]) -> Fleet {
    let mut fleet = Fleet::new();
    for scope in scope {
        let id = fleet.declare(&scope.source, &scope.region, &scope.source);
        if let Some(found) = store.cached::<CachedListing>(&key(&scope.source, &scope.region)) {
            fleet.restore(id, found.value.nodes, found.value.tier, found.saved_ms);
        }
    }
    fleet
}

fn key(source: &str, region: &str) -> String {
    format!("{source}/{region}")
}
