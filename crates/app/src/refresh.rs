//! Listing the scope, many account-Regions at a time.

use std::collections::HashMap;
use std::sync::Arc;

use fleetline_engine::ports::ApiError;
use fleetline_inventory::ListingId;
use fleetline_inventory::ports::{CallerIdentity, Sources};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::listing::{self, Told, Wanted, WantedTags};
use crate::ports::Scope;

/// Listings that run at the same time. Quotas count per account and Region, so they do not slow each other down; the
/// limit is for the memory that answers take.
const AT_ONCE: usize = 64;

/// What a refresh tells the controller, with its number, so that a cancelled one is not heard any more.
pub(crate) struct Progress {
    pub(crate) refresh: u64,
    pub(crate) step: Step,
}

/// A step of a refresh.
pub(crate) enum Step {
    /// A listing begins.
    Begun(ListingId),
    /// A listing has found something.
    Told(ListingId, Told),
    /// A listing has nothing more to tell.
    Ended(ListingId),
    /// A listing ended early.
    Failed(ListingId, ApiError),
    /// Everything is done.
    Finished,
}

/// What is to be listed.
pub(crate) struct Task {
    pub(crate) id: ListingId,
    pub(crate) scope: Scope,
    pub(crate) tags: WantedTags,
}

/// Identities asked for in one refresh: once per source, however many Regions it has.
type Identities = HashMap<String, Arc<Mutex<Option<Result<CallerIdentity, ApiError>>>>>;

/// Lists everything in `tasks`. Dropping the future stops all of it.
pub(crate) async fn run(
    refresh: u64,
    sources: Arc<dyn Sources<ApiError>>,
    tasks: Vec<Task>,
    progress: mpsc::Sender<Progress>,
) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let identities: Identities =
        tasks.iter().map(|task| (task.scope.source.clone(), Arc::default())).collect();
    let mut running = JoinSet::new();
    for Task { id, scope, tags } in tasks {
        let identity = identities.get(&scope.source).cloned().unwrap_or_default();
        let (sources, permits, progress) = (sources.clone(), permits.clone(), progress.clone());
        running.spawn(async move {
            // The controller is gone when this fails.
            let tell = async |step| drop(progress.send(Progress { refresh, step }).await);
            let ended = match sources.listing(&scope.source, &scope.region) {
                Ok(listing) => {
                    // Without a permit: it may wait for a person, and no other source shall wait with it.
                    let caller = {
                        let mut known = identity.lock().await;
                        match &*known {
                            Some(result) => result.clone(),
                            None => known.insert(listing.identity().await).clone(),
                        }
                    };
                    match caller {
                        Ok(caller) => {
                            // The semaphore is never closed.
                            let Ok(_permit) = permits.acquire().await else { return };
                            tell(Step::Begun(id)).await;
                            let wanted = Wanted { facts: true, tags };
                            let as_step = |told| Progress { refresh, step: Step::Told(id, told) };
                            listing::list(listing.as_ref(), Ok(caller), wanted, &progress, as_step).await
                        }
                        Err(error) => Err(error),
                    }
                }
                Err(error) => Err(error),
            };
            tell(ended.map_or_else(|error| Step::Failed(id, error), |()| Step::Ended(id))).await;
        });
    }
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a listing ended by a defect");
        }
    }
    drop(progress.send(Progress { refresh, step: Step::Finished }).await);
}
