//! The desktop around the window.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use tauri::State;

/// Puts text on the clipboard, at most 1 MiB.
#[tauri::command]
#[specta::specta]
pub(crate) async fn clipboard_write(app: State<'_, AppHandle>, text: String) -> Result<(), CommandError> {
    app.clipboard_write(text).await
}

/// Opens an `https` address in the browser; anything else is refused.
#[tauri::command]
#[specta::specta]
pub(crate) async fn system_open_url(app: State<'_, AppHandle>, url: String) -> Result<(), CommandError> {
    app.system_open_url(url).await
}
