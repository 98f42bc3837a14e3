//! `fleetline sessions`.

mod events;
mod list;
mod log;
mod one;
mod terminate;

use std::sync::Arc;

use clap::{Args as ClapArgs, Subcommand};
use fleetline_app::ApiError;
use fleetline_app::problem::describe_document;
use fleetline_aws::AwsSources;
use fleetline_documents::DocumentError;
use fleetline_history::{HistoryBook, HistorySources, PlaceId, SessionCalls, SessionFilter, SessionState};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::scope::Scope;

/// Listings at the same time. Quotas count per account and Region.
const AT_ONCE: usize = 8;

#[derive(Debug, ClapArgs)]
pub(crate) struct SessionsArgs {
    #[command(subcommand)]
    command: SessionsCommand,
}

#[derive(Debug, Subcommand)]
enum SessionsCommand {
    /// List sessions, active and past, of everybody whose sessions you may see
    List(list::ListArgs),
    /// Read the log of a session where it was recorded: S3 or CloudWatch Logs
    Log(log::LogArgs),
    /// List the calls CloudTrail kept of a session
    Events(events::EventsArgs),
    /// End sessions by their ids, or all of one owner
    Terminate(terminate::TerminateArgs),
}

pub(crate) async fn run(args: SessionsArgs) -> Result<u8, Failure> {
    match args.command {
        SessionsCommand::List(args) => list::run(args).await,
        SessionsCommand::Log(args) => log::run(args).await,
        SessionsCommand::Events(args) => events::run(args).await,
        SessionsCommand::Terminate(args) => terminate::run(args).await,
    }
}

/// Sessions of a scope.
struct Listed {
    book: HistoryBook,
    /// The scope of each place, by its number.
    places: Vec<(PlaceId, Scope)>,
    failures: Vec<Failure>,
}

/// Lists every place of the scope; one that fails leaves the others.
async fn listed(
    sources: &AwsSources,
    scopes: &[Scope],
    states: &[SessionState],
    filter: &SessionFilter,
    name: impl Fn(&Scope, &str) -> Option<String>,
) -> Listed {
    let mut book = HistoryBook::default();
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    let mut places = Vec::new();
    for scope in scopes {
        let place = book.declare(&scope.source, &scope.region);
        places.push((place, scope.clone()));
        let opened = sources.history(&scope.source, &scope.region);
        let (permits, states, filter) = (Arc::clone(&permits), states.to_vec(), filter.clone());
        tasks.spawn(async move {
            // The semaphore is never closed.
            let Ok(_permit) = permits.acquire().await else { return (place, Ok(Vec::new())) };
            let found = match opened {
                Ok(calls) => pages(calls.as_ref(), &states, &filter).await,
                Err(error) => Err(error),
            };
            (place, found)
        });
    }
    let mut failures = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let Ok((place, found)) = ended else { continue };
        let Some((_, scope)) = places.iter().find(|(id, _)| *id == place) else { continue };
        match found {
            Ok(records) => book.merge(place, records, |target| name(scope, target)),
            Err(error) => failures.push(scope.failed(&error)),
        }
    }
    Listed { book, places, failures }
}

async fn pages(
    calls: &dyn SessionCalls<ApiError>,
    states: &[SessionState],
    filter: &SessionFilter,
) -> Result<Vec<fleetline_history::SessionRecord>, ApiError> {
    let mut found = Vec::new();
    for state in states {
        let mut next = None;
        loop {
            let page = calls.sessions(*state, filter.clone(), next).await?;
            found.extend(page.sessions);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

fn document_failed(error: &DocumentError<ApiError>, document: &str, scope: &Scope) -> Failure {
    Failure::from(describe_document(error, document, &scope.context()))
}
