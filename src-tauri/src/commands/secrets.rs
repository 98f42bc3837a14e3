//! Where secrets of ours are kept.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::secrets::{SecretsChoice, SecretsStatus};
use tauri::State;

/// How secrets are kept; with `ask` the keyring may ask a person to unlock it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn secrets_status(
    app: State<'_, AppHandle>,
    ask: bool,
) -> Result<SecretsStatus, CommandError> {
    app.secrets_status(ask).await
}

/// Forgets all secrets of ours.
#[tauri::command]
#[specta::specta]
pub(crate) async fn secrets_forget(app: State<'_, AppHandle>) -> Result<SecretsStatus, CommandError> {
    app.secrets_forget().await
}

/// Keeps secrets by something else, in every program of the user.
#[tauri::command]
#[specta::specta]
pub(crate) async fn secrets_keep(
    app: State<'_, AppHandle>,
    choice: SecretsChoice,
) -> Result<SecretsStatus, CommandError> {
    app.secrets_keep(choice).await
}
