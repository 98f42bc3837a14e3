//! Listing one account-Region: identity, pages, tier, EC2 facts and tags, each told as soon as it is known.

use std::collections::{HashSet, VecDeque};

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::node::{InstanceTier, ManagedNode};
use fleetline_inventory::ports::{CallerIdentity, NodeListing};
use fleetline_inventory::{NodeFacts, SmolStr};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

/// EC2 nodes that are completed together: as many as one call takes.
const EC2_CHUNK: usize = 200;
/// Calls for facts that are asked for at a time. The queue of each call decides how many are under way.
const AT_ONCE: usize = 4;
/// Pages that may wait for their EC2 facts; beyond it paging waits.
const WAITING_PAGES: usize = 4;
/// Hybrid nodes whose tags are told together.
const TAGGED: usize = 50;

/// How much to ask for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Whether to ask for the tier and for what EC2 knows.
    pub facts: bool,
    /// Whose tags to ask for among the hybrid nodes, which takes a call for each.
    pub tags: WantedTags,
}

/// Hybrid nodes whose tags are wanted.
#[derive(Clone, Debug, Default)]
pub enum WantedTags {
    /// Nobody's.
    #[default]
    None,
    /// Everybody's but of these node ids, whose tags are known.
    Except(HashSet<String>),
}

/// What a listing tells.
#[derive(Clone, Debug)]
pub enum Told {
    /// Who the source is.
    Identity(CallerIdentity),
    /// A page, as the listing call gives it.
    Page(Vec<ManagedNode>),
    /// More facts of nodes that a page brought, and which.
    Facts(Missing, Vec<NodeFacts>),
    /// Facts are missing; the listing goes on.
    Missing(Missing, ApiError),
    /// The tier, or why it is not known.
    Tier(Result<InstanceTier, ApiError>),
    /// All pages are in, with what EC2 knows; tags of hybrid nodes may follow.
    Complete,
}

/// Facts that a listing can lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// What EC2 knows: tags, VPC, state.
    Ec2,
    /// Tags of hybrid nodes.
    Tags,
}

/// Lists one account-Region and sends what it finds. Whoever receives may stop it by dropping it.
///
/// # Errors
/// When the identity or a page could not be had. What was told before stays true.
pub async fn list<T: Send>(
    listing: &dyn NodeListing<ApiError>,
    caller: Result<CallerIdentity, ApiError>,
    wanted: Wanted,
    told: &mpsc::Sender<T>,
    as_message: impl Fn(Told) -> T + Sync,
) -> Result<(), ApiError> {
    let teller = Teller { told, as_message };
    teller.tell(Told::Identity(caller?)).await;
    let (to_complete, ec2) = mpsc::channel(WAITING_PAGES);
    let (to_tag, hybrid) = mpsc::channel(WAITING_PAGES);
    let Wanted { facts, tags: wanted_tags } = wanted;
    let tier = async {
        if facts {
            teller.tell(Told::Tier(listing.tier().await)).await;
        }
        Ok(())
    };
    let listed = async {
        // Pages that are in are completed even when a later one fails.
        let (paged, ()) = tokio::join!(
            paging(listing, to_complete, to_tag, &teller),
            completing(listing, ec2, facts, &teller),
        );
        paged?;
        teller.tell(Told::Complete).await;
        Ok(())
    };
    let tagged = async {
        tagging(listing, hybrid, wanted_tags, &teller).await;
        Ok(())
    };
    tokio::try_join!(tier, listed, tagged).map(|_| ())
}

/// Where a listing tells things.
struct Teller<'a, T, F> {
    told: &'a mpsc::Sender<T>,
    as_message: F,
}

impl<T: Send, F: Fn(Told) -> T + Sync> Teller<'_, T, F> {
    async fn tell(&self, news: Told) {
        // The receiver is gone only when nobody wants the rest.
        drop(self.told.send((self.as_message)(news)).await);
    }
}

/// Fetches every page, tells it, and passes its node ids on. Ends the work of the others with its own.
async fn paging<T: Send, F: Fn(Told) -> T + Sync>(
    listing: &dyn NodeListing<ApiError>,
    to_complete: mpsc::Sender<Vec<SmolStr>>,
    to_tag: mpsc::Sender<Vec<SmolStr>>,
    teller: &Teller<'_, T, F>,
) -> Result<(), ApiError> {
    let mut next = None;
    loop {
        let page = listing.page(next.clone()).await?;
        // What waits for its facts waits as an id: copies of all nodes would take as much memory as the fleet.
        let ids = |hybrid: bool| {
            let some = page.nodes.iter().filter(|node| node.kind.is_hybrid() == hybrid);
            some.map(|node| node.node_id.clone()).collect::<Vec<_>>()
        };
        let (hybrid, ec2) = (ids(true), ids(false));
        teller.tell(Told::Page(page.nodes)).await;
        // Whoever was refused once no longer listens.
        drop(to_complete.send(ec2).await);
        drop(to_tag.send(hybrid).await);
        match page.next {
            None => return Ok(()),
            Some(token) if next.as_ref() == Some(&token) => return Err(repeated_token()),
            Some(token) => next = Some(token),
        }
    }
}

/// Adds to EC2 nodes what EC2 knows, until it refuses.
async fn completing<T: Send, F: Fn(Told) -> T + Sync>(
    listing: &dyn NodeListing<ApiError>,
    mut pages: mpsc::Receiver<Vec<SmolStr>>,
    wanted: bool,
    teller: &Teller<'_, T, F>,
) {
    if !wanted {
        return;
    }
    let mut calls = FuturesUnordered::new();
    let mut open = true;
    while open || !calls.is_empty() {
        tokio::select! {
            page = pages.recv(), if open && calls.len() < AT_ONCE => match page {
                None => open = false,
                Some(page) => calls.extend(chunks(page).into_iter().map(|ids| listing.facts(ids))),
            },
            Some(answer) = calls.next() => match answer {
                Ok(facts) => teller.tell(Told::Facts(Missing::Ec2, facts)).await,
                Err(error) => return teller.tell(Told::Missing(Missing::Ec2, error)).await,
            },
        }
    }
}

/// Asks for the tags of hybrid nodes one by one, until that is refused, and tells them in groups.
async fn tagging<T: Send, F: Fn(Told) -> T + Sync>(
    listing: &dyn NodeListing<ApiError>,
    mut pages: mpsc::Receiver<Vec<SmolStr>>,
    wanted: WantedTags,
    teller: &Teller<'_, T, F>,
) {
    let WantedTags::Except(known) = wanted else { return };
    let asked = async |node_id: SmolStr| {
        let tags = listing.tags(node_id.to_string()).await?.into_iter();
        let tags = tags.map(|(key, value)| (key.into(), value.into())).collect();
        Ok::<_, ApiError>(NodeFacts { node_id, tags, ..NodeFacts::default() })
    };
    // What waits here is in memory anyway, and paging must not wait for one call a node.
    let mut waiting = VecDeque::new();
    let mut calls = FuturesUnordered::new();
    let mut tagged = Vec::with_capacity(TAGGED);
    let mut open = true;
    while open || !calls.is_empty() {
        let answer: Option<Result<NodeFacts, ApiError>> = tokio::select! {
            page = pages.recv(), if open => {
                match page {
                    None => open = false,
                    Some(page) => waiting.extend(page.into_iter().filter(|id| !known.contains(id.as_str()))),
                }
                None
            },
            answer = calls.next(), if !calls.is_empty() => answer,
        };
        match answer {
            Some(Ok(facts)) => tagged.push(facts),
            // Removed since it was listed.
            Some(Err(error)) if error.kind == ApiErrorKind::UnknownNode => {}
            Some(Err(error)) => {
                teller.tell(Told::Facts(Missing::Tags, tagged)).await;
                return teller.tell(Told::Missing(Missing::Tags, error)).await;
            }
            None => {}
        }
        while calls.len() < AT_ONCE
            && let Some(id) = waiting.pop_front()
        {
            calls.push(asked(id));
        }
        let last = !open && calls.is_empty() && !tagged.is_empty();
        if tagged.len() == TAGGED || last {
            let tagged = std::mem::replace(&mut tagged, Vec::with_capacity(TAGGED));
            teller.tell(Told::Facts(Missing::Tags, tagged)).await;
        }
    }
}

/// Each with no more room than it needs: they wait for a long time where calls are slow.
fn chunks(ids: Vec<SmolStr>) -> Vec<Vec<SmolStr>> {
    ids.chunks(EC2_CHUNK).map(<[SmolStr]>::to_vec).collect()
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
