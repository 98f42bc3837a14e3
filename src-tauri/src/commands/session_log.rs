//! What sessions left behind.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
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

/// The calls CloudTrail kept of a session.
#[tauri::command]
#[specta::specta]
pub(crate) async fn session_events(
    app: State<'_, AppHandle>,
    key: String,
) -> Result<SessionEventList, CommandError> {
    app.session_events(key).await
}
