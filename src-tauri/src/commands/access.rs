//! The way to nodes: checks of session channels, the tier, hybrid activations.

use fleetline_app::{AppHandle, Scope};
use fleetline_ipc::CommandError;
use fleetline_ipc::hybrid::{
    ActivationSpec, ActivationText, Activations, CreatedActivation, RevealedCode, TierReview, TierTarget,
};
use tauri::State;

/// Begins a check of a node's session channel: a real session that is opened and ended again. Its progress and end come as
/// events.
#[tauri::command]
#[specta::specta]
pub(crate) async fn node_check(app: State<'_, AppHandle>, key: String) -> Result<(), CommandError> {
    app.node_check(key).await
}

/// Stops a check; a session that was granted is ended.
#[tauri::command]
#[specta::specta]
pub(crate) async fn node_check_stop(app: State<'_, AppHandle>, key: String) -> Result<(), CommandError> {
    app.node_check_stop(key).await
}

/// Takes a hybrid node out of Systems Manager, for everybody.
#[tauri::command]
#[specta::specta]
pub(crate) async fn node_deregister(app: State<'_, AppHandle>, key: String) -> Result<(), CommandError> {
    app.node_deregister(key).await
}

/// What a change of the tier of an account-Region means. AWS is asked for the setting.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tier_review(
    app: State<'_, AppHandle>,
    source: String,
    region: String,
    to: TierTarget,
) -> Result<TierReview, CommandError> {
    app.tier_review(Scope { source, region }, to).await
}

/// Makes the change. Answers when AWS took it; how it settles comes with the fleet's events.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tier_change(
    app: State<'_, AppHandle>,
    source: String,
    region: String,
    to: TierTarget,
) -> Result<(), CommandError> {
    app.tier_change(Scope { source, region }, to).await
}

/// Looks again until a change has settled.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tier_watch(
    app: State<'_, AppHandle>,
    source: String,
    region: String,
) -> Result<(), CommandError> {
    app.tier_watch(Scope { source, region }).await
}

/// The hybrid activations of every account-Region of the fleet, each with its own failure.
#[tauri::command]
#[specta::specta]
pub(crate) async fn activations_list(app: State<'_, AppHandle>) -> Result<Vec<Activations>, CommandError> {
    app.activations_list().await
}

/// Makes an activation. Its code stays in the Rust process for 15 minutes.
#[tauri::command]
#[specta::specta]
pub(crate) async fn activation_create(
    app: State<'_, AppHandle>,
    spec: ActivationSpec,
) -> Result<CreatedActivation, CommandError> {
    app.activation_create(spec).await
}

/// Deletes an activation. Nodes it registered stay.
#[tauri::command]
#[specta::specta]
pub(crate) async fn activation_delete(
    app: State<'_, AppHandle>,
    source: String,
    region: String,
    id: String,
) -> Result<(), CommandError> {
    app.activation_delete(Scope { source, region }, id).await
}

/// Puts the code of a new activation, or commands with it, on the clipboard.
#[tauri::command]
#[specta::specta]
pub(crate) async fn activation_copy(
    app: State<'_, AppHandle>,
    id: String,
    which: ActivationText,
) -> Result<(), CommandError> {
    app.activation_copy(id, which).await
}

/// The code of a new activation, for the eyes of whoever asks.
#[tauri::command]
#[specta::specta]
pub(crate) async fn activation_reveal(
    app: State<'_, AppHandle>,
    id: String,
) -> Result<RevealedCode, CommandError> {
    app.activation_reveal(id).await
}

/// Forgets the code of a new activation.
#[tauri::command]
#[specta::specta]
pub(crate) async fn activation_forget(app: State<'_, AppHandle>, id: String) -> Result<(), CommandError> {
    app.activation_forget(id).await
}
