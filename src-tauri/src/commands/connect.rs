//! Connecting with a chosen document.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::connect::{ConnectCheck, ConnectRequest};
use fleetline_ipc::session::TabRow;
use tauri::State;

/// Judges what is given for a document and tells the same as command lines.
#[tauri::command]
#[specta::specta]
pub(crate) async fn connect_check(
    app: State<'_, AppHandle>,
    request: ConnectRequest,
    text: Option<String>,
) -> Result<ConnectCheck, CommandError> {
    app.connect_check(request, text).await
}

/// What was chosen last for a node.
#[tauri::command]
#[specta::specta]
pub(crate) async fn connect_last(
    app: State<'_, AppHandle>,
    node_key: String,
) -> Result<Option<ConnectRequest>, CommandError> {
    app.connect_last(node_key).await
}

/// Opens a session with a chosen document in a new tab.
#[tauri::command]
#[specta::specta]
pub(crate) async fn connect_open(
    app: State<'_, AppHandle>,
    request: ConnectRequest,
) -> Result<TabRow, CommandError> {
    app.connect_open(request).await
}
