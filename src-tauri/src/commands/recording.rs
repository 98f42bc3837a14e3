//! Recordings of shells on this computer.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::recording::RecordingList;
use fleetline_ipc::session::TabRow;
use tauri::State;

/// Begins or ends the recording of a tab's session.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tab_record(app: State<'_, AppHandle>, tab: String, on: bool) -> Result<(), CommandError> {
    app.tab_record(tab, on).await
}

/// All recordings.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recordings_list(app: State<'_, AppHandle>) -> Result<RecordingList, CommandError> {
    app.recordings_list().await
}

/// Replays a recording in a new tab.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recording_play(app: State<'_, AppHandle>, id: String) -> Result<TabRow, CommandError> {
    app.recording_play(id).await
}

/// Writes a recording in clear where the user finds downloads.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recording_export(app: State<'_, AppHandle>, id: String) -> Result<String, CommandError> {
    app.recording_export(id).await
}

/// Deletes a recording.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recording_delete(app: State<'_, AppHandle>, id: String) -> Result<(), CommandError> {
    app.recording_delete(id).await
}
