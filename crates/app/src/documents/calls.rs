//! Asking AWS about documents, beside the controller.

use std::sync::Arc;

use fleetline_documents::{
    DocumentCalls, DocumentError, DocumentErrorKind, DocumentSources, DocumentText, Owner, PREFERENCES,
    PreferencesSaved, Save, SaveError, SessionDocument, VersionChoice, check_name, managed_session_type,
    save, save_preferences, short_name,
};
use fleetline_engine::ports::ApiError;
use fleetline_ipc::document::{
    DocumentDetail, DocumentEffects, DocumentOwner, DocumentPlace, DocumentRow, DocumentSave, DocumentSaved,
    DocumentTypeRow, DocumentVersionRow, PreferencesChange, PreferencesOutcome,
};
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::task::JoinSet;

use super::{DocumentAsk, reading};
use crate::problem::{Context, describe, describe_document, describe_save};
use crate::rows;

/// Documents whose types are read at the same time.
const AT_ONCE: usize = 4;
/// Documents whose types are asked for at most with one request.
const TYPES_LIMIT: usize = 50;
/// Versions listed at most.
const VERSIONS_LIMIT: usize = 1_000;

type Calls = Arc<dyn DocumentCalls<ApiError>>;

/// Answers what was asked. Runs in a task of its own.
pub(crate) async fn answer(calls: Calls, context: Context, ask: DocumentAsk) {
    // A caller that has gone away no longer needs the answer.
    match ask {
        DocumentAsk::List { reply } => drop(reply.send(list(&calls, &context).await)),
        DocumentAsk::Types { names, reply } => drop(reply.send(types(&calls, names).await)),
        DocumentAsk::Open { name, version, reply } => {
            drop(reply.send(open(&calls, &context, name, version).await));
        }
        DocumentAsk::Save { save, reply } => drop(reply.send(saved(&calls, &context, save).await)),
        DocumentAsk::SetDefault { name, version, reply } => {
            let done = calls.set_default(name.clone(), version).await;
            drop(reply.send(done.map_err(|error| describe_document(&error, &name, &context))));
        }
        DocumentAsk::Delete { name, version, reply } => {
            let done = calls.delete(name.clone(), version).await;
            drop(reply.send(done.map_err(|error| describe_document(&error, &name, &context))));
        }
    }
}

async fn list(calls: &Calls, context: &Context) -> Result<Vec<DocumentRow>, CommandError> {
    let mut found = Vec::new();
    for owner in Owner::ALL {
        let mut next = None;
        loop {
            let page =
                calls.list(owner, next).await.map_err(|error| describe_document(&error, "", context))?;
            found.extend(page.items.into_iter().map(|document| DocumentRow {
                title: document.short_name().to_owned(),
                preferences: document.name == PREFERENCES,
                owner: match owner {
                    Owner::Mine => DocumentOwner::Mine,
                    Owner::Shared => DocumentOwner::Shared,
                    Owner::Aws => DocumentOwner::Aws,
                },
                session_type: managed_session_type(&document.name).map(reading::session_type),
                default_version: document.default_version,
                name: document.name,
            }));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// Reads documents for their types; one that cannot be read has none.
async fn types(calls: &Calls, names: Vec<String>) -> Result<Vec<DocumentTypeRow>, CommandError> {
    if names.len() > TYPES_LIMIT {
        let message = format!("At most {TYPES_LIMIT} documents are read at a time, not {}.", names.len());
        return Err(CommandError::new(ErrorCode::InvalidInput, message));
    }
    let mut waiting = names.into_iter();
    let mut reading = JoinSet::new();
    let mut found = Vec::new();
    let start = |reading: &mut JoinSet<DocumentTypeRow>, name: String| {
        let calls = Arc::clone(calls);
        reading.spawn(async move {
            let text = calls.content(name.clone(), VersionChoice::Default).await;
            let document = text.ok().and_then(|text| DocumentText::parse(text).ok());
            let kind = document.and_then(|document| SessionDocument::read(&document).session_type);
            DocumentTypeRow { name, session_type: kind.map(reading::session_type) }
        });
    };
    for name in waiting.by_ref().take(AT_ONCE) {
        start(&mut reading, name);
    }
    while let Some(row) = reading.join_next().await {
        found.extend(row.ok());
        if let Some(name) = waiting.next() {
            start(&mut reading, name);
        }
    }
    Ok(found)
}

async fn open(
    calls: &Calls,
    context: &Context,
    name: String,
    version: Option<String>,
) -> Result<DocumentDetail, CommandError> {
    let failed = |error: DocumentError<ApiError>| describe_document(&error, &name, context);
    let asked = version.map_or(VersionChoice::Default, VersionChoice::Number);
    let facts = calls.facts(name.clone(), asked.clone()).await.map_err(failed)?;
    let latest = calls.facts(name.clone(), VersionChoice::Latest).await.map_err(failed)?;
    let text = calls.content(name.clone(), asked).await.map_err(failed)?;
    let (mut versions, mut next) = (Vec::new(), None);
    loop {
        let page = calls.versions(name.clone(), next).await.map_err(failed)?;
        versions.extend(page.items.into_iter().map(|version| DocumentVersionRow {
            number: version.number,
            is_default: version.is_default,
            created_ms: version.created_ms.map(rows::millis),
        }));
        next = page.next;
        if next.is_none() || versions.len() >= VERSIONS_LIMIT {
            break;
        }
    }
    versions.sort_by_key(|version| std::cmp::Reverse(version.number.parse::<u64>().unwrap_or(0)));
    Ok(DocumentDetail {
        title: short_name(&name).to_owned(),
        owner_id: facts.owner_id,
        version: facts.version,
        default_version: facts.default_version,
        latest_version: latest.version,
        latest_hash: latest.hash,
        versions,
        reading: reading::of(text),
        name,
    })
}

async fn saved(calls: &Calls, context: &Context, asked: DocumentSave) -> Result<DocumentSaved, CommandError> {
    let DocumentSave { name, text, base_hash, make_default } = asked;
    if base_hash.is_none() {
        check_name(&name).map_err(|error| CommandError::new(ErrorCode::InvalidInput, error.to_string()))?;
    }
    let reading = super::read(text)?;
    let errors = reading.problems.iter().filter(|problem| problem.error).count();
    if reading.syntax.is_some() || errors > 0 {
        return Err(CommandError::new(
            ErrorCode::InvalidInput,
            "The document has errors that AWS would refuse; nothing was saved.",
        ));
    }
    let save_as = Save { name: name.clone(), content: reading.text, base: base_hash, make_default };
    match save(calls.as_ref(), save_as).await {
        Ok(saved) => Ok(DocumentSaved {
            version: saved.facts.version,
            default_version: saved.facts.default_version,
            is_new: saved.is_new,
        }),
        Err(SaveError::Call(error)) if error.kind == DocumentErrorKind::Exists && name == PREFERENCES => {
            Err(CommandError {
                hint: Some("Open them again and make your change there.".to_owned()),
                ..CommandError::new(
                    ErrorCode::Conflict,
                    "Somebody saved the session preferences for the first time meanwhile; nothing was saved.",
                )
            })
        }
        Err(error) => Err(describe_save(&error, &name, context)),
    }
}

/// Saves session preferences in several account-Regions, each by itself; one that fails leaves the others.
pub(crate) async fn apply_preferences(
    sources: Arc<dyn DocumentSources<ApiError>>,
    places: Vec<DocumentPlace>,
    text: String,
) -> Result<Vec<PreferencesOutcome>, CommandError> {
    let reading = super::read(text)?;
    if reading.syntax.is_some() || reading.problems.iter().any(|problem| problem.error) {
        return Err(CommandError::new(
            ErrorCode::InvalidInput,
            "The preferences have errors that AWS would refuse; nothing was saved.",
        ));
    }
    let mut tasks = JoinSet::new();
    for (number, place) in places.into_iter().enumerate() {
        let (sources, text) = (sources.clone(), reading.text.clone());
        tasks.spawn(async move {
            let context =
                Context { source: place.source.clone(), region: place.region.clone(), ..Context::default() };
            let saved = match sources.documents(&place.source, &place.region) {
                Ok(calls) => save_preferences(calls.as_ref(), text)
                    .await
                    .map_err(|error| describe_save(&error, PREFERENCES, &context)),
                Err(error) => Err(describe(&error, &context)),
            };
            let outcome = match saved {
                Ok((saved, version)) => PreferencesOutcome {
                    place,
                    change: Some(match saved {
                        PreferencesSaved::Created => PreferencesChange::Created,
                        PreferencesSaved::Updated => PreferencesChange::Updated,
                        PreferencesSaved::Unchanged => PreferencesChange::Unchanged,
                    }),
                    version: Some(version),
                    problem: None,
                },
                Err(problem) => {
                    PreferencesOutcome { place, change: None, version: None, problem: Some(problem) }
                }
            };
            (number, outcome)
        });
    }
    let mut outcomes = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        outcomes.extend(ended.ok());
    }
    outcomes.sort_by_key(|(number, _)| *number);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// What a document does to its sessions; `None` when it may not be read. Without saved preferences a plain shell is as
/// AWS has it.
pub(crate) async fn effects_of(
    calls: &dyn DocumentCalls<ApiError>,
    document: String,
) -> Option<DocumentEffects> {
    let is_plain = document == PREFERENCES;
    match calls.content(document, VersionChoice::Default).await {
        Ok(text) => {
            DocumentText::parse(text).ok().map(|text| reading::effects(&SessionDocument::read(&text)))
        }
        Err(error) if is_plain && error.kind == DocumentErrorKind::Missing => {
            Some(reading::effects(&SessionDocument::default()))
        }
        Err(error) => {
            tracing::debug!(%error, "the document of a session was not read");
            None
        }
    }
}
