//! Answers for the interface, each worked out in a task of its own: AWS may take its time.

use std::time::Duration;

use bytes::Bytes;
use fleetline_documents::DocumentError;
use fleetline_engine::ports::ApiError;
use fleetline_history::{SessionRecord, plain_text};
use fleetline_ipc::session_log::{
    LogAsk, LogSpot, LogState, LogStore, SessionEventList, SessionEventRow, SessionLog,
};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::Content;
use fleetline_store::Store;

use super::{Cursor, Piece, Place, Reader, Spot, Whereabouts, may_still_come};
use crate::clock::now_ms;
use crate::problem::{Context, denied_call, describe, describe_document, describe_store};
use crate::rows;

/// Bytes of a log that is read whole at most.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Time between two lines of a log without times.
const LINE_PAUSE: Duration = Duration::from_millis(120);

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

/// The whole log, as it was recorded, with the place it was read from.
async fn whole(
    reader: &Reader,
    context: &Context,
    record: &SessionRecord,
    store: Option<LogStore>,
) -> Result<(Spot, Vec<Piece>), CommandError> {
    let missing = || CommandError::new(ErrorCode::NotFound, "There is no log of this session yet.");
    let found = reader
        .whereabouts(record)
        .await
        .map_err(|error| describe_document(&error, &record.document, context))?;
    let Whereabouts::At(spots) = found else { return Err(missing()) };
    let chosen = spots.iter().find(|spot| store == Some(store_of(&spot.place))).or_else(|| spots.first());
    let chosen = chosen.ok_or_else(missing)?;
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    let mut at = None;
    loop {
        let window = reader
            .window(&chosen.place, at.as_ref())
            .await
            .map_err(|error| describe(&error, context))?
            .ok_or_else(missing)?;
        bytes += window.pieces.iter().map(|piece| piece.output.len()).sum::<usize>();
        if bytes > MOST_BYTES {
            let message = "The log has more than 256 MiB, which is more than is read at once.";
            let hint = Some("Fetch it with the AWS CLI.".to_owned());
            return Err(CommandError { hint, ..CommandError::new(ErrorCode::InvalidInput, message) });
        }
        pieces.extend(window.pieces);
        at = match window.next {
            Some(next) if !window.is_end => Some(next),
            _ => return Ok((chosen.clone(), pieces)),
        };
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
    let (_, pieces) = whole(reader, context, record, store).await?;
    let output = pieces.into_iter().flat_map(|piece| piece.output).collect::<Vec<_>>();
    let name = format!("session-{}", record.session_id);
    let written = tokio::task::spawn_blocking(move || files.export(&name, "log", &output)).await;
    match written {
        Ok(Ok(path)) => Ok(path.display().to_string()),
        Ok(Err(error)) => Err(CommandError { hint: None, ..describe_store(&error) }),
        Err(error) => Err(CommandError::new(ErrorCode::Internal, error.to_string())),
    }
}

/// The whole log, to be replayed: by the times of its events, or where there are none a line after the other.
pub(crate) async fn replay(
    reader: &Reader,
    context: &Context,
    record: &SessionRecord,
    store: Option<LogStore>,
) -> Result<Content, CommandError> {
    let (spot, pieces) = whole(reader, context, record, store).await?;
    let title = format!("{}, {}", record.owner_name(), record.target);
    Ok(match spot.place {
        Place::Stream(_) => Content::of_stream(title, by_event(pieces)),
        Place::Object(_) => {
            let content = Content::of_stream(title, by_line(&pieces));
            let note = Some("The log in S3 holds no times: its lines follow one another evenly.".to_owned());
            Content { note, ..content }
        }
    })
}

/// Output by the times of its events, since the first. Lines of streamed logs end in a line feed alone, which on a
/// terminal does not return to the first column.
fn by_event(pieces: Vec<Piece>) -> Vec<(Duration, Bytes)> {
    let first = pieces.iter().find_map(|piece| piece.at_ms).unwrap_or(0);
    let timed = pieces.into_iter().map(|piece| {
        let since = piece.at_ms.unwrap_or(first).saturating_sub(first);
        let mut output = Vec::with_capacity(piece.output.len());
        for byte in piece.output {
            if byte == b'\n' && output.last() != Some(&b'\r') {
                output.push(b'\r');
            }
            output.push(byte);
        }
        (Duration::from_millis(u64::try_from(since).unwrap_or(0)), Bytes::from(output))
    });
    timed.collect()
}

/// Output a line at a time.
fn by_line(pieces: &[Piece]) -> Vec<(Duration, Bytes)> {
    let output: Vec<u8> = pieces.iter().flat_map(|piece| piece.output.iter().copied()).collect();
    let lines = output.split_inclusive(|byte| *byte == b'\n').zip(0_u32..);
    lines.map(|(line, number)| (LINE_PAUSE * number, Bytes::copy_from_slice(line))).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_replayed_by_their_times_and_return_to_the_first_column() {
        let piece = |at_ms, text: &str| Piece { at_ms: Some(at_ms), output: text.as_bytes().to_vec() };
        let timed = by_event(vec![piece(1_000, "a\nb\r\n"), piece(3_500, "c\n"), piece(900, "d")]);
        let seen: Vec<(u64, &[u8])> = timed
            .iter()
            .map(|(at, bytes)| (u64::try_from(at.as_millis()).unwrap(), bytes.as_ref()))
            .collect();
        assert_eq!(seen, [(0, &b"a\r\nb\r\n"[..]), (2_500, b"c\r\n"), (0, b"d")]);
    }

    #[test]
    fn a_log_without_times_is_replayed_a_line_at_a_time() {
        let pieces = [b"one\ntw".to_vec(), b"o\nend".to_vec()].map(|output| Piece { at_ms: None, output });
        let timed = by_line(&pieces);
        let lines: Vec<&[u8]> = timed.iter().map(|(_, line)| line.as_ref()).collect();
        assert_eq!(lines, [&b"one\n"[..], b"two\n", b"end"]);
        assert!(timed[0].0.is_zero() && timed[2].0 == LINE_PAUSE * 2);
    }
}
