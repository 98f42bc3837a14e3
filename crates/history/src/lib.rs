//! Sessions past and present (aws-security-reliability.md A.3), of all accounts and Regions, in memory: a query over
//! them, their order, windows of rows, and export.
//!
//! AWS keeps sessions for 30 days. What is asked of it are traits, [`SessionCalls`] and [`RecordCalls`], which reads what
//! sessions left behind: logs in S3 and CloudWatch Logs, and the calls CloudTrail keeps. Nothing here calls AWS, touches a
//! disk or knows a clock.

mod book;
mod calls;
mod export;
mod place;
mod query;
mod records;
mod session;
mod transcript;

pub use book::{Counts, HistoryBook, PlaceId, Show, SortKey, Wanted};
pub use calls::{BoxFuture, HistorySources, Page, SessionCalls, SessionFilter, SessionState};
pub use export::{COLUMNS, Exported, csv, json};
pub use query::{Issue, Query};
pub use records::{
    EventWindow, LogEvent, ObjectPlace, ObjectWindow, RecordCalls, RecordSources, StreamPlace, TrailAsk,
    TrailEvent, TrailFacts, TrailPage,
};
pub use session::{AccessType, SessionKind, SessionRecord, SessionStatus, without_mark};
pub use transcript::{plain_text, unfinished};
