//! Listing the sessions of the scope, a few account-Regions at a time.

use std::collections::HashSet;
use std::sync::Arc;

use fleetline_engine::ports::ApiError;
use fleetline_history::{HistorySources, PlaceId, SessionCalls, SessionFilter, SessionRecord, SessionState};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::ports::Scope;

/// Listings that run at the same time. Quotas count per account and Region.
const AT_ONCE: usize = 8;

/// What a listing tells the controller, with its number, so that an earlier one is not heard any more.
pub(crate) struct News {
    pub(crate) listing: u64,
    pub(crate) step: Step,
}

/// A step of a listing.
pub(crate) enum Step {
    /// A caller, who owns its sessions.
    Caller(String),
    /// Sessions.
    Page(PlaceId, Vec<SessionRecord>),
    /// Ids of all sessions that are active in a place.
    Active(PlaceId, HashSet<String>),
    /// A place is done, or failed.
    Done(PlaceId, Option<ApiError>),
    /// Everything is done.
    Finished,
}

/// Lists what is active, and the past since `since_ms`; without it only the newest page of the past, which holds what
/// ended since the last look. Dropping the future stops all of it.
pub(crate) async fn run(
    listing: u64,
    sources: Arc<dyn HistorySources<ApiError>>,
    places: Vec<(PlaceId, Scope)>,
    since_ms: Option<i64>,
    news: mpsc::Sender<News>,
) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (id, scope) in places {
        let told = Told { listing, news: news.clone() };
        let (sources, permits) = (sources.clone(), permits.clone());
        tasks.spawn(async move {
            // The semaphore is never closed.
            let Ok(_permit) = permits.acquire().await else { return };
            let end = match sources.history(&scope.source, &scope.region) {
                Ok(calls) => list(&told, id, calls.as_ref(), since_ms).await,
                Err(error) => Err(error),
            };
            told.tell(Step::Done(id, end.err())).await;
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a listing of sessions ended by a defect");
        }
    }
    Told { listing, news }.tell(Step::Finished).await;
}

struct Told {
    listing: u64,
    news: mpsc::Sender<News>,
}

impl Told {
    async fn tell(&self, step: Step) {
        // The controller is gone when this fails.
        drop(self.news.send(News { listing: self.listing, step }).await);
    }
}

async fn list(
    told: &Told,
    id: PlaceId,
    calls: &dyn SessionCalls<ApiError>,
    since_ms: Option<i64>,
) -> Result<(), ApiError> {
    if since_ms.is_some() {
        told.tell(Step::Caller(calls.caller_arn().await?)).await;
    }
    let mut active = HashSet::new();
    let mut next = None;
    loop {
        let page = calls.sessions(SessionState::Active, SessionFilter::default(), next).await?;
        active.extend(page.sessions.iter().map(|session| session.session_id.clone()));
        told.tell(Step::Page(id, page.sessions)).await;
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let filter = SessionFilter { after_ms: since_ms, ..SessionFilter::default() };
    loop {
        let page = calls.sessions(SessionState::History, filter.clone(), next).await?;
        told.tell(Step::Page(id, page.sessions)).await;
        next = page.next;
        if next.is_none() || since_ms.is_none() {
            break;
        }
    }
    told.tell(Step::Active(id, active)).await;
    Ok(())
}
