//! What a session left behind.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;
use crate::access::Denied;

/// What a log is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum LogStore {
    /// An object in S3.
    S3,
    /// A stream in CloudWatch Logs.
    CloudWatch,
}

/// Where a log is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LogSpot {
    /// What it is written to.
    pub store: LogStore,
    /// Bucket and key, or group and stream, as people write them.
    pub name: String,
    /// The document that names it as it is now; `None`: AWS names it with the session.
    pub document: Option<String>,
    /// Whether it is written while the session runs.
    pub streams: bool,
}

/// How the log of a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum LogState {
    /// There is text.
    Text,
    /// AWS never logs what passes.
    NeverLogged,
    /// The document names no place.
    NotRecorded,
    /// Nothing there yet; it may come.
    NotYet,
    /// Nothing there, and nothing will come.
    Missing,
    /// Not permitted, or not reached: `problem` says why.
    Failed,
}

/// What part of a log is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LogAsk {
    /// Key of the session, see `HistoryRow::key`.
    pub key: String,
    /// What it was written to; `None` is the best place.
    pub store: Option<LogStore>,
    /// `SessionLog::next` of the part before; `None` begins.
    pub at: Option<String>,
}

/// A part of the log of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SessionLog {
    /// How it stands.
    pub state: LogState,
    /// Where it is recorded; the one that was read is `store`.
    pub spots: Vec<LogSpot>,
    /// Which of them was read.
    pub store: Option<LogStore>,
    /// The document that records nothing, in `NotRecorded`.
    pub document: Option<String>,
    /// Whether that document does not exist: nobody saved session preferences.
    pub document_missing: bool,
    /// Text without control sequences, at most 1 MiB.
    pub text: String,
    /// Continues behind it; at the end of a log that may still grow it asks for what came since.
    pub next: Option<String>,
    /// Whether nothing was behind it.
    pub is_end: bool,
    /// Bytes of the whole log, where that is known.
    pub size: Option<f64>,
    /// Whether the session runs.
    pub running: bool,
    /// Why it cannot be read, in `Failed`.
    pub problem: Option<CommandError>,
    /// Its parts, where a policy refused.
    pub denied: Option<Box<Denied>>,
}

/// A call CloudTrail kept of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SessionEventRow {
    /// CloudTrail's id.
    pub id: String,
    /// Name of the operation.
    pub name: String,
    /// When.
    pub at_ms: f64,
    /// ARN of the caller.
    pub caller: String,
    /// Address the call came from.
    pub source_ip: String,
    /// The program that called.
    pub user_agent: String,
    /// Code of the refusal; empty if it succeeded.
    pub error: String,
    /// The whole record as JSON.
    pub record: String,
}

/// The calls CloudTrail kept of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SessionEventList {
    /// Oldest first.
    pub events: Vec<SessionEventRow>,
    /// Whether calls may be missing, because there was more than is read.
    pub cut: bool,
    /// Why they cannot be looked up.
    pub problem: Option<CommandError>,
    /// Its parts, where a policy refused.
    pub denied: Option<Box<Denied>>,
}
