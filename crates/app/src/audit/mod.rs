//! The audit of an account-Region: what is read for it, and the findings in words. Shared by the desktop app and the CLI.

mod rows;
mod words;

use std::sync::Arc;

use fleetline_documents::audit::{Finding, Known, Read, Sources, Trail, audit};
use fleetline_documents::{
    DocumentCalls, DocumentErrorKind, DocumentSources, Owner, PREFERENCES, VersionChoice,
};
use fleetline_engine::ports::ApiError;
use fleetline_history::{RecordCalls, RecordSources};
use tokio::task::JoinSet;

use crate::problem::{Context, describe, describe_document};

pub(crate) use rows::report;
pub use words::{fact_words, setting_words, topic_words};

/// Documents that are read at the same time.
const AT_ONCE: usize = 4;

type Documents = Arc<dyn DocumentCalls<ApiError>>;

/// Judges an account-Region. What may not be read is a finding that says so.
///
/// # Errors
/// If the source cannot be used at all.
pub async fn place(
    documents: &dyn DocumentSources<ApiError>,
    records: &dyn RecordSources<ApiError>,
    source: &str,
    region: &str,
) -> Result<Vec<Finding>, ApiError> {
    let context = Context { source: source.to_owned(), region: region.to_owned(), ..Context::default() };
    let documents = documents.documents(source, region)?;
    let records = records.records(source, region)?;
    let (preferences, own, shared, trails) = tokio::join!(
        preferences(&documents, &context),
        own(&documents, &context),
        shared(&documents, &context),
        trails(records.as_ref(), &context),
    );
    Ok(audit(&Sources { preferences, own, shared, trails }))
}

async fn preferences(calls: &Documents, context: &Context) -> Known<Option<Read>> {
    match read(calls, PREFERENCES).await {
        Ok(read) => Known::Yes(Some(read)),
        Err(error) if error.kind == DocumentErrorKind::Missing => Known::Yes(None),
        Err(error) => Known::No(describe_document(&error, PREFERENCES, context).message),
    }
}

async fn own(calls: &Documents, context: &Context) -> Known<Vec<Read>> {
    let names = match listed(calls, Owner::Mine).await {
        Ok(names) => names,
        Err(error) => return Known::No(describe_document(&error, "", context).message),
    };
    let mut waiting = names.into_iter().filter(|name| name != PREFERENCES);
    let mut tasks = JoinSet::new();
    let mut found = Vec::new();
    loop {
        while tasks.len() < AT_ONCE
            && let Some(name) = waiting.next()
        {
            let calls = Arc::clone(calls);
            tasks.spawn(async move {
                let read = read(&calls, &name).await;
                (name, read)
            });
        }
        match tasks.join_next().await {
            None => break,
            Some(Ok((_, Ok(read)))) => found.push(read),
            // Deleted between the two calls.
            Some(Ok((_, Err(error)))) if error.kind == DocumentErrorKind::Missing => {}
            Some(Ok((name, Err(error)))) => {
                return Known::No(describe_document(&error, &name, context).message);
            }
            Some(Err(error)) => return Known::No(error.to_string()),
        }
    }
    found.sort_by(|one: &Read, other| one.name.cmp(&other.name));
    Known::Yes(found)
}

async fn shared(calls: &Documents, context: &Context) -> Known<Vec<String>> {
    match listed(calls, Owner::Shared).await {
        Ok(names) => Known::Yes(names),
        Err(error) => Known::No(describe_document(&error, "", context).message),
    }
}

async fn trails(calls: &dyn RecordCalls<ApiError>, context: &Context) -> Known<Vec<Trail>> {
    match calls.trails().await {
        Ok(trails) => Known::Yes(
            trails.into_iter().map(|trail| Trail { name: trail.name, logging: trail.logging }).collect(),
        ),
        Err(error) => Known::No(describe(&error, context).message),
    }
}

type Failure = fleetline_documents::DocumentError<ApiError>;

async fn read(calls: &Documents, name: &str) -> Result<Read, Failure> {
    let facts = calls.facts(name.to_owned(), VersionChoice::Default).await?;
    let text = calls.content(name.to_owned(), VersionChoice::Default).await?;
    Ok(Read { name: name.to_owned(), version: facts.version, text })
}

async fn listed(calls: &Documents, owner: Owner) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut next = None;
    loop {
        let page = calls.list(owner, next).await?;
        names.extend(page.items.into_iter().map(|document| document.name));
        next = page.next;
        if next.is_none() {
            return Ok(names);
        }
    }
}
