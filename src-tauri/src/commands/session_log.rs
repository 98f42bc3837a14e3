//! What sessions left behind.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::audit::AuditReport;
use fleetline_ipc::document::DocumentPlace;
use fleetline_ipc::session::TabRow;
use fleetline_ipc::session_log::{LogAsk, LogStore, SessionEventList, SessionLog};
use tauri::State;

/// A part of the log of a session, read where it was recorded.
#[tauri::command]
#[specta::specta]
pub(crate) async fn session_log(app: State<'_, AppHandle>, ask: LogAsk) -> Result<SessionLog, CommandError> {
    app.session_log(ask).await
}

/// Writes the whole log of a session into a new file and returns its path.
#[tauri::command]
#[specta::specta]
pub(crate) async fn session_log_save(
    app: State<'_, AppHandle>,
    key: String,
    store: Option<LogStore>,
) -> Result<String, CommandError> {
    app.session_log_save(key, store).await
}

/// Reads the whole log of a session and replays it in a new tab.
#[tauri::command]
#[specta::specta]
pub(crate) async fn session_log_replay(
    app: State<'_, AppHandle>,
    key: String,
    store: Option<LogStore>,
) -> Result<TabRow, CommandError> {
    app.session_log_replay(key, store).await
}

/// Whether sessions of an account-Region are recorded, sealed and bounded.
#[tauri::command]
#[specta::specta]
pub(crate) async fn audit_read(
    app: State<'_, AppHandle>,
    place: DocumentPlace,
) -> Result<AuditReport, CommandError> {
    app.audit_read(place).await
}

/// The calls CloudTrail kept of a session.
#[tauri::command]
#[specta::specta]
pub(crate) async fn session_events(
    app: State<'_, AppHandle>,
    key: String,
) -> Result<SessionEventList, CommandError> {
    app.session_events(key).await
}
