//! What is asked of AWS about sessions, as a trait the `aws` crate implements.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::session::{SessionRecord, SessionStatus};

/// A boxed future, so that the port can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which sessions a listing is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Those that are not over, connected or not.
    Active,
    /// Those that are over, for 30 days.
    History,
}

/// What the service itself leaves out (aws-security-reliability.md A.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Begun after, in epoch milliseconds.
    pub after_ms: Option<i64>,
    /// Begun before, in epoch milliseconds.
    pub before_ms: Option<i64>,
    /// Only of this target.
    pub target: Option<String>,
    /// Only of this owner's ARN.
    pub owner: Option<String>,
    /// Only with this status.
    pub status: Option<SessionStatus>,
    /// Only this session.
    pub session_id: Option<String>,
}

/// A page of sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub sessions: Vec<SessionRecord>,
    /// Continues the listing; `None` is the end.
    pub next: Option<String>,
}

/// The listing of sessions of one identity in one Region. `E` is the port error of the implementation.
pub trait SessionCalls<E>: fmt::Debug + Send + Sync + 'static {
    /// A page of DescribeSessions, at most 200, at the pace of the account and Region. Pass `None` to begin.
    fn sessions(
        &self,
        state: SessionState,
        filter: SessionFilter,
        next: Option<String>,
    ) -> BoxFuture<'_, Result<Page, E>>;

    /// The caller's ARN, which owns its sessions.
    fn caller_arn(&self) -> BoxFuture<'_, Result<String, E>>;
}

/// Gives the listing of a source and Region.
pub trait HistorySources<E>: Send + Sync + 'static {
    /// Opening never calls AWS.
    fn history(&self, source: &str, region: &str) -> Result<Arc<dyn SessionCalls<E>>, E>;
}
