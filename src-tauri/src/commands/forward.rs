//! Forwards.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::forward::{Arrangement, ForwardDetail, ForwardRow, ForwardSpec, ForwardTexts};
use tauri::State;

/// Saves a forward and switches it on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_create(
    app: State<'_, AppHandle>,
    spec: ForwardSpec,
) -> Result<ForwardRow, CommandError> {
    app.forward_create(spec).await
}

/// Changes a forward.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_edit(
    app: State<'_, AppHandle>,
    id: String,
    spec: ForwardSpec,
) -> Result<ForwardRow, CommandError> {
    app.forward_edit(id, spec).await
}

/// Stops a forward and forgets it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_remove(app: State<'_, AppHandle>, id: String) -> Result<(), CommandError> {
    app.forward_remove(id).await
}

/// Switches a forward on or off.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_switch(
    app: State<'_, AppHandle>,
    id: String,
    on: bool,
) -> Result<(), CommandError> {
    app.forward_switch(id, on).await
}

/// Switches on a forward that lets other computers in; `address` is its address as the person typed it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_expose(
    app: State<'_, AppHandle>,
    id: String,
    address: String,
) -> Result<(), CommandError> {
    app.forward_expose(id, address).await
}

/// Switches all forwards of a bundle; without one, those in no bundle.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_bundle(
    app: State<'_, AppHandle>,
    bundle: Option<String>,
    on: bool,
) -> Result<(), CommandError> {
    app.forward_bundle(bundle, on).await
}

/// Pauses all forwards, or ends the pause.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forwards_pause(app: State<'_, AppHandle>, paused: bool) -> Result<(), CommandError> {
    app.forwards_pause(paused).await
}

/// Arranges the list anew.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forwards_arrange(
    app: State<'_, AppHandle>,
    arrangement: Arrangement,
) -> Result<(), CommandError> {
    app.forwards_arrange(arrangement).await
}

/// Tries now what failed or waits.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_retry(app: State<'_, AppHandle>, id: String) -> Result<(), CommandError> {
    app.forward_retry(id).await
}

/// Resets one connection, or all of a forward.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_disconnect(
    app: State<'_, AppHandle>,
    id: String,
    connection: Option<f64>,
) -> Result<(), CommandError> {
    app.forward_disconnect(id, connection).await
}

/// Everything about a forward.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_detail(
    app: State<'_, AppHandle>,
    id: String,
) -> Result<ForwardDetail, CommandError> {
    app.forward_detail(id).await
}

/// Texts to copy for using a forward elsewhere.
#[tauri::command]
#[specta::specta]
pub(crate) async fn forward_texts(
    app: State<'_, AppHandle>,
    id: String,
) -> Result<ForwardTexts, CommandError> {
    app.forward_texts(id).await
}
