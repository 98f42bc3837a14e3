//! What is asked of AWS about what a session left behind, as a trait the `aws` crate implements: windows of its log, and
//! the calls CloudTrail keeps.

use std::fmt;
use std::sync::Arc;

use crate::calls::BoxFuture;

/// An object in S3.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectPlace {
    /// Name of the bucket.
    pub bucket: String,
    /// Key in it.
    pub key: String,
}

/// A stream in CloudWatch Logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamPlace {
    /// Name of the log group.
    pub group: String,
    /// Name of the stream.
    pub stream: String,
}

/// Bytes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectWindow {
    /// The bytes; fewer than asked for only at the end.
    pub bytes: Vec<u8>,
    /// Bytes of the whole object.
    pub size: u64,
}

/// An event of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// When it happened, in epoch milliseconds.
    pub at_ms: i64,
    /// What the agent wrote.
    pub message: String,
}

/// Events of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventWindow {
    /// Oldest first.
    pub events: Vec<LogEvent>,
    /// Asks for what comes after, now or later: a stream has no end while its session runs.
    pub next: String,
    /// Whether there was nothing after these when they were read.
    pub is_end: bool,
}

/// Which calls CloudTrail is asked for: one name, in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailAsk {
    /// Name of the operation: `StartSession`.
    pub name: &'static str,
    /// Not before, in epoch milliseconds.
    pub from_ms: i64,
    /// Not after, in epoch milliseconds.
    pub to_ms: i64,
}

/// A call CloudTrail kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailEvent {
    /// Its id.
    pub id: String,
    /// Name of the operation.
    pub name: String,
    /// When, in epoch milliseconds.
    pub at_ms: i64,
    /// Who called, as CloudTrail names it.
    pub user: String,
    /// The whole record, as JSON.
    pub record: String,
}

/// Calls CloudTrail kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailPage {
    /// Newest first.
    pub events: Vec<TrailEvent>,
    /// Continues the lookup; `None` is the end.
    pub next: Option<String>,
}

/// A trail that covers a Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailFacts {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Bucket its files go to.
    pub bucket: String,
    /// Whether it covers every Region.
    pub all_regions: bool,
    /// Whether it is logging; `None` where that may not be asked.
    pub logging: Option<bool>,
}

/// The reading calls of one identity in one Region. `E` is the port error of the implementation. A place that does not
/// exist is no error: what is missing may come yet.
pub trait RecordCalls<E>: fmt::Debug + Send + Sync + 'static {
    /// At most `most` bytes of an object from `from` on (GetObject with a range); `None` if there is no such bucket or
    /// object. `most` is at least one.
    fn object(
        &self,
        place: ObjectPlace,
        from: u64,
        most: u32,
    ) -> BoxFuture<'_, Result<Option<ObjectWindow>, E>>;

    /// Events of a stream from its beginning on (GetLogEvents), at most 1 MiB of them; `None` if there is no such group
    /// or stream. Pass `None` to begin.
    fn events(
        &self,
        place: StreamPlace,
        next: Option<String>,
    ) -> BoxFuture<'_, Result<Option<EventWindow>, E>>;

    /// A page of LookupEvents, at most 50. Pass `None` to begin.
    fn lookup(&self, ask: TrailAsk, next: Option<String>) -> BoxFuture<'_, Result<TrailPage, E>>;

    /// DescribeTrails, with GetTrailStatus of each.
    fn trails(&self) -> BoxFuture<'_, Result<Vec<TrailFacts>, E>>;
}

/// Gives the reading calls of a source and Region.
pub trait RecordSources<E>: Send + Sync + 'static {
    /// Opening never calls AWS.
    fn records(&self, source: &str, region: &str) -> Result<Arc<dyn RecordCalls<E>>, E>;
}
