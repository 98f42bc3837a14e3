//! Tabs and the sessions in them.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::replay::ReplayControl;
use fleetline_ipc::session::TabRow;
use fleetline_ipc::ssh::SshOptions;
use tauri::State;

/// Opens a shell in a new tab, in state Connecting; never waits for AWS.
#[tauri::command]
#[specta::specta]
pub(crate) async fn shell_open(
    app: State<'_, AppHandle>,
    node_key: String,
    document: Option<String>,
    reason: Option<String>,
) -> Result<TabRow, CommandError> {
    app.shell_open(node_key, document, reason).await
}

/// Brings a tab to the front.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tab_activate(app: State<'_, AppHandle>, tab: String) -> Result<(), CommandError> {
    app.tab_activate(tab).await
}

/// Moves a tab; the Fleet tab stays first.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tab_move(app: State<'_, AppHandle>, tab: String, index: u32) -> Result<(), CommandError> {
    app.tab_move(tab, index).await
}

/// Closes a tab and terminates its session.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tab_close(app: State<'_, AppHandle>, tab: String) -> Result<(), CommandError> {
    app.tab_close(tab).await
}

/// A new session in a tab whose session ended or failed.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tab_restart(app: State<'_, AppHandle>, tab: String) -> Result<(), CommandError> {
    app.tab_restart(tab).await
}

/// Begins the next resume attempt now.
#[tauri::command]
#[specta::specta]
pub(crate) async fn session_retry(app: State<'_, AppHandle>, tab: String) -> Result<(), CommandError> {
    app.session_retry(tab).await
}

/// Opens the system's `ssh` to a node in a new tab.
#[tauri::command]
#[specta::specta]
pub(crate) async fn ssh_open(
    app: State<'_, AppHandle>,
    node_key: String,
    options: SshOptions,
) -> Result<TabRow, CommandError> {
    app.ssh_open(node_key, options).await
}

/// Starts VS Code on a node, over SSH.
#[tauri::command]
#[specta::specta]
pub(crate) async fn editor_open(
    app: State<'_, AppHandle>,
    node_key: String,
    options: SshOptions,
) -> Result<(), CommandError> {
    app.editor_open(node_key, options).await
}

/// Plays, pauses, moves or speeds up a replay.
#[tauri::command]
#[specta::specta]
pub(crate) async fn replay_control(
    app: State<'_, AppHandle>,
    tab: String,
    control: ReplayControl,
) -> Result<(), CommandError> {
    app.replay_control(tab, control).await
}
