//! Sessions past and present.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::history::{HistoryEnded, HistoryFormat, HistoryQuery, HistorySummary, HistoryWindow};
use tauri::State;

/// Somebody looks at the sessions, or no longer.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_watch(
    app: State<'_, AppHandle>,
    on: bool,
) -> Result<HistorySummary, CommandError> {
    app.history_watch(on).await
}

/// Lists the sessions of the whole scope again.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_refresh(app: State<'_, AppHandle>) -> Result<(), CommandError> {
    app.history_refresh().await
}

/// At most 200 rows from `offset`; fewer at the end.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_window(
    app: State<'_, AppHandle>,
    query: HistoryQuery,
    offset: u32,
    len: u32,
) -> Result<HistoryWindow, CommandError> {
    app.history_window(query, offset, len).await
}

/// Keys of the active sessions of an owner, by ARN.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_of_owner(
    app: State<'_, AppHandle>,
    owner: String,
) -> Result<Vec<String>, CommandError> {
    app.history_of_owner(owner).await
}

/// Ends sessions by their keys and says what became of each.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_end(
    app: State<'_, AppHandle>,
    keys: Vec<String>,
) -> Result<Vec<HistoryEnded>, CommandError> {
    app.history_end(keys).await
}

/// Writes what the query shows into a new file and returns its path.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_export(
    app: State<'_, AppHandle>,
    query: HistoryQuery,
    format: HistoryFormat,
) -> Result<String, CommandError> {
    app.history_export(query, format).await
}
