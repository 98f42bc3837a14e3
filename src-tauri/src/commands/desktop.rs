//! Remote desktops.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::desktop::{DesktopInfo, DesktopOpen, DesktopOutcome};
use tauri::State;

/// What there is to choose for a node's desktop.
#[tauri::command]
#[specta::specta]
pub(crate) async fn desktop_info(
    app: State<'_, AppHandle>,
    node_key: String,
) -> Result<DesktopInfo, CommandError> {
    app.desktop_info(node_key).await
}

/// Opens a node's desktop.
#[tauri::command]
#[specta::specta]
pub(crate) async fn desktop_open(
    app: State<'_, AppHandle>,
    open: DesktopOpen,
) -> Result<DesktopOutcome, CommandError> {
    app.desktop_open(open).await
}

/// Copies the password no client could be handed, once.
#[tauri::command]
#[specta::specta]
pub(crate) async fn desktop_copy_password(
    app: State<'_, AppHandle>,
    forward: String,
) -> Result<(), CommandError> {
    app.desktop_copy_password(forward).await
}
