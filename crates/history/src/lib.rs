//! Sessions past and present (aws-security-reliability.md A.3), of all accounts and Regions, in memory: a query over
//! them, their order, windows of rows, and export.
//!
//! AWS keeps sessions for 30 days. What is asked of it is a trait, [`SessionCalls`]; nothing here calls AWS, touches a
//! disk or knows a clock.

mod book;
mod calls;
mod export;
mod query;
mod session;

pub use book::{Counts, HistoryBook, PlaceId, Show, SortKey, Wanted};
pub use calls::{BoxFuture, HistorySources, Page, SessionCalls, SessionFilter, SessionState};
pub use export::{COLUMNS, Exported, csv, json};
pub use query::{Issue, Query};
pub use session::{AccessType, SessionKind, SessionRecord, SessionStatus, without_mark};
