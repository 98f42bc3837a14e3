//! Listing the scope: identity, pages, tier and EC2 facts of every source and Region, a few at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::ListingId;
use fleetline_inventory::node::{InstanceTier, ManagedNode};
use fleetline_inventory::ports::{CallerIdentity, NodeListing, NodePage, Sources};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::ports::Scope;

/// Listings that run at the same time. Quotas count per account and Region, so they do not slow each other down.
const AT_ONCE: usize = 8;

/// Pauses after AWS asked to slow down, beyond the ones the SDK makes; then the listing fails.
const THROTTLE_PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

/// What a refresh tells the controller, with its number, so that a cancelled one is not heard any more.
pub(crate) struct Progress {
    pub(crate) refresh: u64,
    pub(crate) step: Step,
}

/// A step of a refresh.
pub(crate) enum Step {
    /// A listing begins.
    Begun(ListingId),
    /// Who the source is.
    Identity(ListingId, CallerIdentity),
    /// A page.
    Page(ListingId, Vec<ManagedNode>),
    /// Nodes of a page with their EC2 facts.
    Enriched(ListingId, Vec<ManagedNode>),
    /// EC2 facts are missing; the listing goes on.
    NotEnriched(ListingId, ApiError),
    /// The tier, or why it is not known.
    Tier(ListingId, Result<InstanceTier, ApiError>),
    /// All pages are in.
    Complete(ListingId),
    /// The listing ended early.
    Failed(ListingId, ApiError),
    /// Everything is done.
    Finished,
}

/// Identities asked for in one refresh: once per source, however many Regions it has.
type Identities = HashMap<String, Arc<Mutex<Option<Result<CallerIdentity, ApiError>>>>>;

/// Lists everything in `scope`. Dropping the future stops all of it.
pub(crate) async fn run(
    refresh: u64,
    sources: Arc<dyn Sources<ApiError>>,
    scope: Vec<(ListingId, Scope)>,
    progress: mpsc::Sender<Progress>,
) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let identities: Identities = scope.iter().map(|(_, s)| (s.source.clone(), Arc::default())).collect();
    let mut tasks = JoinSet::new();
    for (id, scope) in scope {
        let report = Reporter { refresh, id, progress: progress.clone() };
        let identity = identities.get(&scope.source).cloned().unwrap_or_default();
        let (sources, permits) = (sources.clone(), permits.clone());
        tasks.spawn(async move {
            let end = match sources.listing(&scope.source, &scope.region) {
                Ok(listing) => list(&report, listing.as_ref(), &identity, &permits).await,
                Err(error) => Err(error),
            };
            report.tell(end.map_or_else(|error| Step::Failed(id, error), |()| Step::Complete(id))).await;
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a listing ended by a defect");
        }
    }
    // The controller is gone when this fails.
    drop(progress.send(Progress { refresh, step: Step::Finished }).await);
}

struct Reporter {
    refresh: u64,
    id: ListingId,
    progress: mpsc::Sender<Progress>,
}

impl Reporter {
    async fn tell(&self, step: Step) {
        drop(self.progress.send(Progress { refresh: self.refresh, step }).await);
    }
}

async fn list(
    report: &Reporter,
    listing: &dyn NodeListing<ApiError>,
    identity: &Mutex<Option<Result<CallerIdentity, ApiError>>>,
    permits: &Semaphore,
) -> Result<(), ApiError> {
    // Without a permit: it may wait for a person, and no other source shall wait with it.
    let caller = {
        let mut known = identity.lock().await;
        match &*known {
            Some(result) => result.clone(),
            None => known.insert(listing.identity().await).clone(),
        }
    };
    report.tell(Step::Identity(report.id, caller?)).await;
    // The semaphore is never closed.
    let _permit = permits.acquire().await;
    report.tell(Step::Begun(report.id)).await;
    let tier = async { report.tell(Step::Tier(report.id, listing.tier().await)).await };
    let ((), pages) = tokio::join!(tier, pages(report, listing));
    pages
}

/// Every page, each shown at once and completed by EC2's facts while the next one is on its way.
async fn pages(report: &Reporter, listing: &dyn NodeListing<ApiError>) -> Result<(), ApiError> {
    let mut next = None;
    let mut before: Option<Vec<ManagedNode>> = None;
    let mut enriching = true;
    loop {
        let nodes =
            before.take().filter(|nodes| enriching && nodes.iter().any(|node| !node.kind.is_hybrid()));
        let (page, enriched) = tokio::join!(page(listing, next.clone()), enrich(report, listing, nodes));
        enriching &= enriched;
        let page = page?;
        report.tell(Step::Page(report.id, page.nodes.clone())).await;
        before = Some(page.nodes);
        match page.next {
            None => break,
            Some(token) if next.as_ref() == Some(&token) => return Err(repeated_token()),
            Some(token) => next = Some(token),
        }
    }
    if enriching {
        enrich(report, listing, before).await;
    }
    Ok(())
}

async fn page(listing: &dyn NodeListing<ApiError>, next: Option<String>) -> Result<NodePage, ApiError> {
    for pause in THROTTLE_PAUSES {
        match listing.page(next.clone()).await {
            Err(error) if error.kind == ApiErrorKind::Throttled => sleep(pause).await,
            answer => return answer,
        }
    }
    listing.page(next).await
}

/// Whether EC2 may be asked again for the next page.
async fn enrich(
    report: &Reporter,
    listing: &dyn NodeListing<ApiError>,
    nodes: Option<Vec<ManagedNode>>,
) -> bool {
    let Some(nodes) = nodes else { return true };
    match listing.enrich(nodes).await {
        Ok(nodes) => {
            report.tell(Step::Enriched(report.id, nodes)).await;
            true
        }
        Err(error) => {
            report.tell(Step::NotEnriched(report.id, error)).await;
            false
        }
    }
}

fn repeated_token() -> ApiError {
    ApiError {
        operation: "DescribeInstanceProperties",
        kind: ApiErrorKind::Service,
        code: None,
        message: "AWS gave the same page token twice.".to_owned(),
        request_id: None,
        never_sent: false,
    }
}
