//! Listing the scope into a fleet in memory.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fleetline_app::problem::{Context, describe};
use fleetline_app::{ApiError, ApiErrorKind, NodeListing, Sources};
use fleetline_aws::AwsSources;
use fleetline_inventory::node::{InstanceTier, ManagedNode};
use fleetline_inventory::ports::NodePage;
use fleetline_inventory::{Fleet, ListingId};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::scope::Scope;

/// Listings at the same time. Quotas count per account and Region.
const AT_ONCE: usize = 8;

/// Pauses after AWS asked to slow down, beyond the ones the SDK makes.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];

/// How much to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Ids and what the listing call says.
    Ids,
    /// Also names and tags of EC2, and the tier.
    Facts,
}

/// What became of listing a scope.
pub(crate) struct Listed {
    /// The nodes, partial where a listing failed.
    pub(crate) fleet: Fleet,
    /// Failed listings, in the order of the scope.
    pub(crate) failures: Vec<Failure>,
    /// What is missing although the listing itself is complete.
    pub(crate) gaps: Vec<Failure>,
    /// Listings in all.
    pub(crate) listings: usize,
    /// Listings that are complete.
    pub(crate) succeeded: usize,
}

enum Step {
    Account(String),
    Tier(InstanceTier),
    Page(Vec<ManagedNode>),
    Enriched(Vec<ManagedNode>),
    Gap(ApiError),
    End(Result<(), ApiError>),
}

/// Lists everything in `scopes`. With `until`, stops as soon as a node of this id is found.
pub(crate) async fn list(
    sources: &AwsSources,
    scopes: &[Scope],
    depth: Depth,
    until: Option<&str>,
) -> Listed {
    let mut fleet = Fleet::new();
    let (sender, mut steps) = mpsc::channel::<(usize, Step)>(64);
    let permits = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut ids: Vec<ListingId> = Vec::with_capacity(scopes.len());
    let mut tasks = JoinSet::new();
    for (place, scope) in scopes.iter().enumerate() {
        let id = fleet.declare(&scope.source, &scope.region, &scope.source);
        fleet.begin(id);
        ids.push(id);
        let opened = sources.listing(&scope.source, &scope.region);
        let (sender, permits) = (sender.clone(), Arc::clone(&permits));
        tasks.spawn(async move {
            // The semaphore is never closed.
            let Ok(_permit) = permits.acquire().await else { return };
            let end = match opened {
                Ok(listing) => list_one(place, listing.as_ref(), depth, &sender).await,
                Err(error) => Err(error),
            };
            drop(sender.send((place, Step::End(end))).await);
        });
    }
    drop(sender);
    let context = |place: usize| match scopes.get(place) {
        Some(scope) => {
            Context { source: scope.source.clone(), region: scope.region.clone(), ..Context::default() }
        }
        None => Context::default(),
    };
    let mut failures: Vec<(usize, Failure)> = Vec::new();
    let mut gaps = Vec::new();
    let mut succeeded = 0;
    while let Some((place, step)) = steps.recv().await {
        let Some(&id) = ids.get(place) else { continue };
        match step {
            Step::Account(account) => fleet.identify(id, &account),
            Step::Tier(tier) => fleet.set_tier(id, tier),
            Step::Page(nodes) => {
                let found = until.is_some_and(|wanted| nodes.iter().any(|node| node.node_id == wanted));
                fleet.merge_page(id, nodes);
                if found {
                    break;
                }
            }
            Step::Enriched(nodes) => fleet.merge_enriched(id, nodes),
            Step::Gap(error) => gaps.push(Failure::from(describe(&error, &context(place)))),
            Step::End(Ok(())) => {
                succeeded += 1;
                fleet.complete(id, now_ms());
            }
            Step::End(Err(error)) => {
                fleet.fail(id, error.kind == ApiErrorKind::AccessDenied);
                failures.push((place, Failure::from(describe(&error, &context(place)))));
            }
        }
    }
    tasks.abort_all();
    failures.sort_by_key(|(place, _)| *place);
    let failures = failures.into_iter().map(|(_, failure)| failure).collect();
    Listed { fleet, failures, gaps, listings: scopes.len(), succeeded }
}

async fn list_one(
    place: usize,
    listing: &dyn NodeListing<ApiError>,
    depth: Depth,
    steps: &mpsc::Sender<(usize, Step)>,
) -> Result<(), ApiError> {
    // The receiver is gone only when nobody wants the rest.
    let tell = async |step| drop(steps.send((place, step)).await);
    tell(Step::Account(listing.identity().await?.account_id)).await;
    if depth == Depth::Facts {
        // Without the permission the tier stays unknown, which is shown as such.
        let tier = listing.tier().await.unwrap_or(InstanceTier::Unknown);
        tell(Step::Tier(tier)).await;
    }
    let mut next = None;
    let mut enriching = depth == Depth::Facts;
    loop {
        let page = page(listing, next).await?;
        tell(Step::Page(page.nodes.clone())).await;
        if enriching && page.nodes.iter().any(|node| !node.kind.is_hybrid()) {
            match listing.enrich(page.nodes).await {
                Ok(nodes) => tell(Step::Enriched(nodes)).await,
                Err(error) => {
                    enriching = false;
                    tell(Step::Gap(error)).await;
                }
            }
        }
        match page.next {
            Some(token) => next = Some(token),
            None => return Ok(()),
        }
    }
}

async fn page(listing: &dyn NodeListing<ApiError>, next: Option<String>) -> Result<NodePage, ApiError> {
    for pause in PAUSES {
        match listing.page(next.clone()).await {
            Err(error) if error.kind == ApiErrorKind::Throttled => tokio::time::sleep(pause).await,
            answer => return answer,
        }
    }
    listing.page(next).await
}

/// Now, in milliseconds of the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
