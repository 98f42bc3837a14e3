//! Answers for the interface, each worked out in a task of its own: AWS may take its time.

use fleetline_documents::DocumentError;
use fleetline_engine::ports::ApiError;
use fleetline_history::{SessionRecord, plain_text};
use fleetline_ipc::CommandError;
use fleetline_ipc::session_log::{
    LogAsk, LogSpot, LogState, LogStore, SessionEventList, SessionEventRow, SessionLog,
};
use fleetline_store::Store;

use super::{Cursor, Place, Reader, Spot, Whereabouts, may_still_come};
use crate::clock::now_ms;
use crate::problem::{Context, denied_call, describe, describe_document, describe_store};
use crate::rows;

/// Bytes of a log that is written to a file at most.
const SAVED_BYTES: usize = 256 * 1024 * 1024;

fn store_of(place: &Place) -> LogStore {
    match place {
        Place::Object(_) => LogStore::S3,
        Place::Stream(_) => LogStore::CloudWatch,
    }
}

fn spot(spot: &Spot) -> LogSpot {
    LogSpot {
        store: store_of(&spot.place),
        name: spot.place.words(),
        document: spot.document.clone(),
        streams: spot.streams,
    }
}

fn empty(record: &SessionRecord, state: LogState) -> SessionLog {
    SessionLog {
        state,
        spots: Vec::new(),
        store: None,
        document: None,
        document_missing: false,
        text: String::new(),
        next: None,
        is_end: true,
        size: None,
        running: !record.status.is_over(),
        problem: None,
        denied: None,
    }
}

fn failed(log: SessionLog, error: &ApiError, context: &Context) -> SessionLog {
    SessionLog {
        state: LogState::Failed,
        problem: Some(describe(error, context)),
        denied: denied_call(error, context).map(Box::new),
        ..log
    }
}

fn document_failed(
    log: SessionLog,
    error: &DocumentError<ApiError>,
    document: &str,
    context: &Context,
) -> SessionLog {
    SessionLog {
        state: LogState::Failed,
        problem: Some(describe_document(error, document, context)),
        denied: denied_call(&error.source, context).map(Box::new),
        ..log
    }
}

/// A part of a session's log.
pub(crate) async fn log(
    reader: &Reader,
    context: &Context,
    record: &SessionRecord,
    ask: &LogAsk,
) -> SessionLog {
    let spots = match reader.whereabouts(record).await {
        Ok(Whereabouts::NeverLogged) => return empty(record, LogState::NeverLogged),
        Ok(Whereabouts::NotRecorded { document, missing }) => {
            let log = empty(record, LogState::NotRecorded);
            return SessionLog { document: Some(document), document_missing: missing, ..log };
        }
        Ok(Whereabouts::At(spots)) => spots,
        Err(error) => {
            return document_failed(empty(record, LogState::Failed), &error, &record.document, context);
        }
    };
    let chosen = spots.iter().find(|spot| ask.store == Some(store_of(&spot.place)));
    let Some(chosen) = chosen.or_else(|| spots.first()) else { return empty(record, LogState::Missing) };
    let log = SessionLog {
        spots: spots.iter().map(spot).collect(),
        store: Some(store_of(&chosen.place)),
        ..empty(record, LogState::Text)
    };
    let cursor = ask.at.as_deref().and_then(Cursor::parse);
    match reader.window(&chosen.place, cursor.as_ref()).await {
        Ok(Some(window)) => SessionLog {
            text: plain_text(&window.output()),
            next: window.next.map(|next| next.to_string()),
            is_end: window.is_end,
            size: window.size.map(|size| size as f64),
            ..log
        },
        Ok(None) => {
            let state = if may_still_come(record, now_ms()) { LogState::NotYet } else { LogState::Missing };
            SessionLog { state, ..log }
        }
        Err(error) => failed(log, &error, context),
    }
}

/// Writes the whole log into a new file, as it was recorded, and gives its path.
pub(crate) async fn save(
    reader: &Reader,
    context: &Context,
    record: &SessionRecord,
    store: Option<LogStore>,
    files: Store,
) -> Result<String, CommandError> {
    let missing = || {
        let message = "There is no log to save yet.".to_owned();
        CommandError::new(fleetline_ipc::ErrorCode::NotFound, message)
    };
    let found = reader
        .whereabouts(record)
        .await
        .map_err(|error| describe_document(&error, &record.document, context))?;
    let Whereabouts::At(spots) = found else { return Err(missing()) };
    let chosen = spots.iter().find(|spot| store == Some(store_of(&spot.place))).or_else(|| spots.first());
    let chosen = chosen.ok_or_else(missing)?;
    let mut output = Vec::new();
    let mut at = None;
    loop {
        let window = reader
            .window(&chosen.place, at.as_ref())
            .await
            .map_err(|error| describe(&error, context))?
            .ok_or_else(missing)?;
        output.extend(window.output());
        if output.len() > SAVED_BYTES {
            let message = "The log has more than 256 MiB; nothing was written.".to_owned();
            let problem = CommandError::new(fleetline_ipc::ErrorCode::InvalidInput, message);
            let hint = Some("Fetch it with the AWS CLI.".to_owned());
            return Err(CommandError { hint, ..problem });
        }
        at = match window.next {
            Some(next) if !window.is_end => Some(next),
            _ => break,
        };
    }
    let name = format!("session-{}", record.session_id);
    let written = tokio::task::spawn_blocking(move || files.export(&name, "log", &output)).await;
    match written {
        Ok(Ok(path)) => Ok(path.display().to_string()),
        Ok(Err(error)) => Err(CommandError { hint: None, ..describe_store(&error) }),
        Err(error) => Err(CommandError::new(fleetline_ipc::ErrorCode::Internal, error.to_string())),
    }
}

/// The calls CloudTrail kept of a session.
pub(crate) async fn events(reader: &Reader, context: &Context, record: &SessionRecord) -> SessionEventList {
    match reader.events(record, now_ms()).await {
        Ok(found) => SessionEventList {
            events: found
                .events
                .into_iter()
                .map(|event| SessionEventRow {
                    id: event.id,
                    name: event.name,
                    at_ms: rows::millis(event.at_ms),
                    caller: event.caller,
                    source_ip: event.source_ip,
                    user_agent: event.user_agent,
                    error: event.error,
                    record: event.record,
                })
                .collect(),
            cut: found.cut,
            problem: None,
            denied: None,
        },
        Err(error) => SessionEventList {
            events: Vec::new(),
            cut: false,
            problem: Some(describe(&error, context)),
            denied: denied_call(&error, context).map(Box::new),
        },
    }
}
