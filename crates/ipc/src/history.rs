//! Sessions past and present.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;

/// Which sessions a window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum HistoryShow {
    /// Active ones, then ended ones.
    All,
    /// Those that are not over.
    Active,
    /// Those that are over.
    Ended,
}

/// What rows are ordered by. Active ones stay before ended ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum HistorySort {
    /// When it began.
    Start,
    /// How long it lasted.
    Duration,
    /// The node's name.
    Node,
    /// Owner.
    Owner,
    /// Kind.
    Kind,
    /// Document.
    Document,
}

/// What a window of sessions asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HistoryQuery {
    /// Words and `key:value` terms.
    pub text: String,
    /// Which ones.
    pub show: HistoryShow,
    /// Hours back; `None` is all of the 30 days AWS keeps. Active ones are shown whenever they began.
    pub hours: Option<u32>,
    /// The order.
    pub sort: HistorySort,
    /// Largest first.
    pub descending: bool,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum HistoryStatus {
    /// The client is attached.
    Connected,
    /// Nobody attached yet.
    Connecting,
    /// The client is gone.
    Disconnected,
    /// Ended.
    Ended,
    /// Ended because nobody used it.
    TimedOut,
    /// Being ended.
    Terminating,
    /// It never worked.
    Failed,
    /// Something this program does not know.
    Unknown,
}

/// What a session is, as far as its document's name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// A shell.
    Shell,
    /// A command.
    Command,
    /// A forward.
    Forward,
    /// SSH.
    Ssh,
    /// Of a document of an account.
    Document,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    /// Account name, Region and session id, which tell it apart.
    pub key: String,
    /// Its id.
    pub session_id: String,
    /// Account name.
    pub account_name: String,
    /// Region.
    pub region: String,
    /// Node id or other target.
    pub target: String,
    /// The node's name where it is known, else the target.
    pub node_name: String,
    /// The last part of the owner's ARN.
    pub owner: String,
    /// The owner's ARN.
    pub owner_arn: String,
    /// Whether the owner is this user.
    pub mine: bool,
    /// What it is.
    pub kind: HistoryKind,
    /// Its document.
    pub document: String,
    /// Why, without this program's mark.
    pub reason: String,
    /// Where it stands.
    pub status: HistoryStatus,
    /// What AWS says of its end.
    pub details: String,
    /// Begun.
    pub start_ms: Option<f64>,
    /// Ended.
    pub end_ms: Option<f64>,
    /// Whether AWS never logs what passes.
    pub never_logged: bool,
    /// Page of its log in the S3 console.
    pub s3_url: Option<String>,
    /// Page of its log in the CloudWatch console.
    pub cloud_watch_url: Option<String>,
    /// The tab that shows it, if it is one of ours.
    pub tab: Option<String>,
    /// Whether access was had by an approved request.
    pub just_in_time: bool,
}

/// Rows of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HistoryWindow {
    /// Version of the sessions the rows are of.
    pub version: f64,
    /// Index of the first row.
    pub offset: u32,
    /// The rows.
    pub rows: Vec<HistoryRow>,
    /// Rows there are in all.
    pub matched: u32,
    /// Active ones among what the query leaves, whatever is shown.
    pub active: u32,
    /// Ended ones.
    pub ended: u32,
    /// Parts of the query that were not understood, each as a sentence.
    pub issues: Vec<String>,
}

/// An account-Region whose sessions could not be listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HistoryGap {
    /// Account name.
    pub account_name: String,
    /// Region.
    pub region: String,
    /// Why.
    pub problem: CommandError,
}

/// How the listing of sessions stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HistorySummary {
    /// Grows when a window may have changed.
    pub version: f64,
    /// Account-Regions.
    pub places: u32,
    /// Account-Regions whose listing is not done.
    pub loading: u32,
    /// Sessions known.
    pub sessions: u32,
    /// Account-Regions that are missing.
    pub gaps: Vec<HistoryGap>,
    /// When the active ones were last asked for; `None` never.
    pub updated_ms: Option<f64>,
}

/// What became of ending a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEnded {
    /// Key of the session.
    pub key: String,
    /// Why it is not over; `None` it is.
    pub problem: Option<CommandError>,
}

/// A form of exported sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum HistoryFormat {
    /// A table.
    Csv,
    /// A JSON array.
    Json,
}
