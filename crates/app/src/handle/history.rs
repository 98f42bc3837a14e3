//! Calls about sessions past and present, their logs and the audit.

use fleetline_ipc::CommandError;
use fleetline_ipc::audit::AuditReport;
use fleetline_ipc::document::DocumentPlace;
use fleetline_ipc::history::{HistoryEnded, HistoryFormat, HistoryQuery, HistorySummary, HistoryWindow};
use fleetline_ipc::session::TabRow;
use fleetline_ipc::session_log::{LogAsk, LogStore, SessionEventList, SessionLog};

use super::AppHandle;
use crate::history::HistoryRequest;
use crate::request::{Reply, Request};

impl AppHandle {
    /// Whether sessions of an account-Region are recorded, sealed and bounded.
    pub async fn audit_read(&self, place: DocumentPlace) -> Result<AuditReport, CommandError> {
        self.ask(|reply| Request::Audit { place, reply }).await
    }

    /// Reads the whole log of a session and replays it in a new tab.
    pub async fn session_log_replay(
        &self,
        key: String,
        store: Option<LogStore>,
    ) -> Result<TabRow, CommandError> {
        let content = self.history(|reply| HistoryRequest::ReplayOf { key, store, reply }).await?;
        self.replay_open(content).await
    }

    /// A part of the log of a session, read where it was recorded.
    pub async fn session_log(&self, ask: LogAsk) -> Result<SessionLog, CommandError> {
        self.history(|reply| HistoryRequest::Log { ask, reply }).await
    }

    /// Writes the whole log of a session into a new file, as it was recorded, and returns its path.
    pub async fn session_log_save(
        &self,
        key: String,
        store: Option<LogStore>,
    ) -> Result<String, CommandError> {
        self.history(|reply| HistoryRequest::SaveLog { key, store, reply }).await
    }

    /// The calls CloudTrail kept of a session.
    pub async fn session_events(&self, key: String) -> Result<SessionEventList, CommandError> {
        self.history(|reply| HistoryRequest::Events { key, reply }).await
    }

    async fn history<T>(&self, request: impl FnOnce(Reply<T>) -> HistoryRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::History(request(reply))).await
    }

    /// Somebody looks at the sessions, which keeps the active ones fresh, or no longer.
    pub async fn history_watch(&self, on: bool) -> Result<HistorySummary, CommandError> {
        self.history(|reply| HistoryRequest::Watch { on, reply }).await
    }

    /// Lists the sessions of the whole scope and of 30 days again.
    pub async fn history_refresh(&self) -> Result<(), CommandError> {
        self.history(|reply| HistoryRequest::Refresh { reply }).await
    }

    /// At most 200 rows from `offset`; fewer at the end.
    pub async fn history_window(
        &self,
        query: HistoryQuery,
        offset: u32,
        len: u32,
    ) -> Result<HistoryWindow, CommandError> {
        self.history(|reply| HistoryRequest::Window { query, offset, len, reply }).await
    }

    /// Keys of the active sessions of an owner, by ARN.
    pub async fn history_of_owner(&self, owner: String) -> Result<Vec<String>, CommandError> {
        self.history(|reply| HistoryRequest::OfOwner { owner, reply }).await
    }

    /// Ends sessions by their keys, at most 500, and says what became of each.
    pub async fn history_end(&self, keys: Vec<String>) -> Result<Vec<HistoryEnded>, CommandError> {
        self.history(|reply| HistoryRequest::End { keys, reply }).await
    }

    /// Writes what the query shows into a new file and returns its path.
    pub async fn history_export(
        &self,
        query: HistoryQuery,
        format: HistoryFormat,
    ) -> Result<String, CommandError> {
        self.history(|reply| HistoryRequest::Export { query, format, reply }).await
    }
}
