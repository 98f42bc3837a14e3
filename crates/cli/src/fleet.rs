//! Listing the scope into a fleet in memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use fleetline_app::listing::{self, Missing, Told, Wanted, WantedTags};
use fleetline_app::problem::{Context, describe};
use fleetline_app::{ApiError, ApiErrorKind, Sources};
use fleetline_aws::AwsSources;
use fleetline_inventory::node::InstanceTier;
use fleetline_inventory::{Fleet, ListingId};
use fleetline_ipc::CommandError;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::book;
use crate::failure::Failure;
use crate::scope::Scope;

/// Listings at the same time. Quotas count per account and Region; the limit is for the memory that answers take.
const AT_ONCE: usize = 64;

/// How much to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Ids and what the listing call says.
    Ids,
    /// Also names and tags of EC2, and the tier.
    Facts,
    /// Also tags of hybrid nodes, which takes a call for each.
    Tags,
}

impl Depth {
    fn wanted(self) -> Wanted {
        let tags = match self {
            Self::Tags => WantedTags::Except(HashSet::new()),
            Self::Ids | Self::Facts => WantedTags::None,
        };
        Wanted { facts: self != Self::Ids, tags }
    }
}

/// What a listing task sends, with its place in the scope.
enum Step {
    Told(Told),
    End(Result<(), ApiError>),
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

/// Lists everything in `scopes`. With `until`, stops as soon as a node of this id is found.
pub(crate) async fn list(
    sources: &AwsSources,
    scopes: &[Scope],
    depth: Depth,
    until: Option<&str>,
) -> Listed {
    let mut fleet = Fleet::new();
    fleet.set_marks(book::marks());
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
                Ok(listing) => {
                    let caller = listing.identity().await;
                    let as_step = |told| (place, Step::Told(told));
                    listing::list(listing.as_ref(), caller, depth.wanted(), &sender, as_step).await
                }
                Err(error) => Err(error),
            };
            drop(sender.send((place, Step::End(end))).await);
        });
    }
    drop(sender);
    let context = |place: usize| match scopes.get(place) {
        Some(scope) => scope.context(),
        None => Context::default(),
    };
    let mut failures: Vec<(usize, Failure)> = Vec::new();
    let mut gaps = Vec::new();
    let mut succeeded = 0;
    while let Some((place, step)) = steps.recv().await {
        let Some(&id) = ids.get(place) else { continue };
        match step {
            Step::Told(Told::Identity(caller)) => fleet.identify(id, &caller.account_id),
            // Without the permission the tier stays unknown, which is shown as such.
            Step::Told(Told::Tier(tier)) => fleet.set_tier(id, tier.unwrap_or(InstanceTier::Unknown)),
            Step::Told(Told::Page(nodes)) => {
                let found = until.is_some_and(|wanted| nodes.iter().any(|node| node.node_id == wanted));
                fleet.merge_page(id, nodes);
                if found {
                    break;
                }
            }
            Step::Told(Told::Facts(_, facts)) => fleet.merge_facts(id, facts),
            Step::Told(Told::Missing(missing, error)) => {
                let problem = describe(&error, &context(place));
                let message = match missing {
                    Missing::Ec2 => problem.message,
                    Missing::Tags => format!("Tags of hybrid nodes are missing: {}", problem.message),
                };
                gaps.push(Failure::from(CommandError { message, ..problem }));
            }
            Step::Told(Told::Complete) => fleet.complete(id, now_ms()),
            Step::End(Ok(())) => succeeded += 1,
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

/// Now, in milliseconds of the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
