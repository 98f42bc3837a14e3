//! What a session left behind: where its log is, windows of it, and the calls CloudTrail kept. Shared by the desktop app
//! and the CLI.

mod answers;
mod events;
mod window;

use std::sync::Arc;

use fleetline_documents::{
    DocumentCalls, DocumentError, DocumentErrorKind, DocumentSources, DocumentText, Effects, PREFERENCES,
    SessionDocument, SessionType, VersionChoice, managed_session_type, short_name,
};
use fleetline_engine::ports::ApiError;
use fleetline_history::{ObjectPlace, RecordCalls, RecordSources, SessionRecord, StreamPlace};

pub(crate) use answers::{events, log, replay, save};
pub use events::{Kept, SessionEvents};
pub use window::{Cursor, Piece, Window};

/// Where a log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Written at the end of the session.
    Object(ObjectPlace),
    /// Written while it runs, or at its end.
    Stream(StreamPlace),
}

impl Place {
    /// As people write it.
    pub fn words(&self) -> String {
        match self {
            Self::Object(place) => place.words(),
            Self::Stream(place) => place.words(),
        }
    }
}

/// A place with how it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The place.
    pub place: Place,
    /// The document that names it as it is now; `None`: AWS names it with the session.
    pub document: Option<String>,
    /// Whether the log is written while the session runs.
    pub streams: bool,
}

/// What is known about the log of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// AWS never logs what passes (protocol.md 8.7).
    NeverLogged,
    /// Nothing is recorded: this document names no place, as it is now.
    NotRecorded {
        /// Name of the document.
        document: String,
        /// Whether nobody ever saved it: the preferences of an account-Region.
        missing: bool,
    },
    /// Recorded here; the first one is read unless another is asked for. Never empty.
    At(Vec<Spot>),
}

/// Reads what sessions of one account-Region left behind.
#[derive(Clone, Debug)]
pub struct Reader {
    records: Arc<dyn RecordCalls<ApiError>>,
    documents: Arc<dyn DocumentCalls<ApiError>>,
}

impl Reader {
    /// Opens it; never calls AWS.
    ///
    /// # Errors
    /// If the source cannot be used.
    pub fn open(
        records: &dyn RecordSources<ApiError>,
        documents: &dyn DocumentSources<ApiError>,
        source: &str,
        region: &str,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            records: records.records(source, region)?,
            documents: documents.documents(source, region)?,
        })
    }

    /// Where the log of a session is. AWS seldom says so with the session; then its document is asked, which may have
    /// been changed since.
    ///
    /// # Errors
    /// If the document cannot be read.
    pub async fn whereabouts(&self, record: &SessionRecord) -> Result<Whereabouts, DocumentError<ApiError>> {
        let kind = record.kind();
        if kind.content_is_never_logged() {
            return Ok(Whereabouts::NeverLogged);
        }
        let object = ObjectPlace::of_url(&record.s3_url).map(Place::Object);
        let stream = StreamPlace::of_url(&record.cloudwatch_url).map(Place::Stream);
        let named: Vec<Spot> = [object, stream]
            .into_iter()
            .flatten()
            .map(|place| Spot { streams: matches!(place, Place::Stream(_)), place, document: None })
            .collect();
        if !named.is_empty() {
            return Ok(Whereabouts::At(best_first(record, named)));
        }
        let name = match record.document.as_str() {
            "" => PREFERENCES.to_owned(),
            name => name.to_owned(),
        };
        let text = match self.documents.content(name.clone(), VersionChoice::Default).await {
            Ok(text) => text,
            Err(error) if error.kind == DocumentErrorKind::Missing => {
                return Ok(Whereabouts::NotRecorded { document: name, missing: true });
            }
            Err(error) => return Err(error),
        };
        Ok(by_document(record, &name, &text))
    }
}

/// Where the log of a session goes by the text of its document.
fn by_document(record: &SessionRecord, name: &str, text: &str) -> Whereabouts {
    let not_recorded = || Whereabouts::NotRecorded { document: name.to_owned(), missing: false };
    let Ok(text) = DocumentText::parse(text) else { return not_recorded() };
    let document = SessionDocument::read(&text);
    let is_port = document.session_type == Some(SessionType::Port)
        || managed_session_type(short_name(name)) == Some(SessionType::Port);
    if is_port {
        return Whereabouts::NeverLogged;
    }
    let effects = Effects::of(&document);
    let spot = |place, streams| Spot { place, document: Some(short_name(name).to_owned()), streams };
    let mut spots = Vec::new();
    if let Some(target) = effects.s3 {
        let prefix = target.prefix.unwrap_or_default();
        let place = ObjectPlace::of_session(&target.bucket, &prefix, &record.session_id);
        spots.push(spot(Place::Object(place), false));
    }
    if let Some(target) = effects.cloudwatch {
        let place = StreamPlace::of_session(&target.group, &record.session_id);
        spots.push(spot(Place::Stream(place), target.streams));
    }
    match spots.is_empty() {
        true => not_recorded(),
        false => Whereabouts::At(best_first(record, spots)),
    }
}

/// While the session runs the one that is written meanwhile is first; afterwards the one that holds every byte.
fn best_first(record: &SessionRecord, mut spots: Vec<Spot>) -> Vec<Spot> {
    let runs = !record.status.is_over();
    spots.sort_by_key(|spot| match &spot.place {
        _ if runs && spot.streams => 0,
        Place::Object(_) => 1,
        Place::Stream(_) => 2,
    });
    spots
}

/// Whether a log that is not there yet may still come: the session runs, or has ended only just now.
pub fn may_still_come(record: &SessionRecord, now_ms: i64) -> bool {
    /// How long an agent may take to write a log down after the end.
    const WRITING_MS: i64 = 5 * 60_000;
    !record.status.is_over() || record.end_ms.is_some_and(|end| now_ms - end < WRITING_MS)
}

#[cfg(test)]
mod tests {
    use fleetline_history::{AccessType, SessionStatus};
    use serde_json::{Value, json};

    use super::*;

    fn record(status: SessionStatus) -> SessionRecord {
        SessionRecord {
            session_id: "a-1".into(),
            target: "i-1".into(),
            status,
            start_ms: Some(0),
            end_ms: status.is_over().then_some(60_000),
            document: PREFERENCES.into(),
            owner: String::new(),
            reason: String::new(),
            details: String::new(),
            s3_url: String::new(),
            cloudwatch_url: String::new(),
            max_minutes: None,
            access: AccessType::Standard,
        }
    }

    fn found(status: SessionStatus, kind: &str, inputs: &Value) -> Whereabouts {
        let text = json!({ "schemaVersion": "1.0", "sessionType": kind, "inputs": inputs }).to_string();
        by_document(&record(status), "Corp-Shell", &text)
    }

    #[test]
    fn a_document_names_the_places_and_the_one_that_can_be_read_now_is_first() {
        let inputs = json!({
            "s3BucketName": "logs", "s3KeyPrefix": "ssm/", "cloudWatchLogGroupName": "/g",
            "cloudWatchStreamingEnabled": true,
        });
        let places = |status| match found(status, "Standard_Stream", &inputs) {
            Whereabouts::At(spots) => {
                assert!(spots.iter().all(|spot| spot.document.as_deref() == Some("Corp-Shell")));
                spots.iter().map(|spot| spot.place.words()).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        // Only an object holds every byte; while the session runs there is none yet.
        assert_eq!(places(SessionStatus::Terminated), ["s3://logs/ssm/a-1.log", "/g · a-1"]);
        assert_eq!(places(SessionStatus::Connected), ["/g · a-1", "s3://logs/ssm/a-1.log"]);
    }

    #[test]
    fn a_document_without_a_place_is_named_and_ports_are_never_logged() {
        let nothing = found(SessionStatus::Terminated, "Standard_Stream", &json!({}));
        assert_eq!(nothing, Whereabouts::NotRecorded { document: "Corp-Shell".into(), missing: false });
        let port = found(SessionStatus::Terminated, "Port", &json!({ "s3BucketName": "logs" }));
        assert_eq!(port, Whereabouts::NeverLogged);
    }

    #[test]
    fn a_log_may_come_while_the_session_runs_and_shortly_after() {
        assert!(may_still_come(&record(SessionStatus::Connected), 9_999_999));
        assert!(may_still_come(&record(SessionStatus::Terminated), 120_000));
        assert!(!may_still_come(&record(SessionStatus::Terminated), 9_999_999));
    }
}
