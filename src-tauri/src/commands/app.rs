//! The application as a whole: first run, quitting, settings.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::link::{LinkDone, LinkStatus};
use fleetline_ipc::settings::Settings;
use fleetline_ipc::system::{AppSnapshot, Language, StartChoice};
use tauri::State;

/// The state as of the event version it names.
#[tauri::command]
#[specta::specta]
pub(crate) async fn app_snapshot(app: State<'_, AppHandle>) -> Result<AppSnapshot, CommandError> {
    app.app_snapshot().await
}

/// The first-run choice, or a later switch. Refused with `invalid_input` while sessions live.
#[tauri::command]
#[specta::specta]
pub(crate) async fn app_start(app: State<'_, AppHandle>, choice: StartChoice) -> Result<(), CommandError> {
    app.app_start(choice).await
}

/// Back to the first-run page. Refused with `invalid_input` while sessions live.
#[tauri::command]
#[specta::specta]
pub(crate) async fn app_leave(app: State<'_, AppHandle>) -> Result<(), CommandError> {
    app.app_leave().await
}

/// Terminates every session, then ends the program. Answers when all is terminated or has had its time.
#[tauri::command]
#[specta::specta]
pub(crate) async fn app_quit(app: State<'_, AppHandle>) -> Result<(), CommandError> {
    app.app_quit().await
}

/// Quits when nothing runs; else `quit_requested` tells what would end.
#[tauri::command]
#[specta::specta]
pub(crate) async fn app_close(app: State<'_, AppHandle>) -> Result<(), CommandError> {
    app.close_requested().await;
    Ok(())
}

/// Hides the window; sessions go on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn app_hide(app: State<'_, AppHandle>) -> Result<(), CommandError> {
    app.app_hide().await
}

/// Checks, stores and puts settings into force; returns them as they now are.
#[tauri::command]
#[specta::specta]
pub(crate) async fn settings_apply(
    app: State<'_, AppHandle>,
    settings: Settings,
) -> Result<Settings, CommandError> {
    app.settings_apply(settings).await
}

/// Opens again what was open when the app ended, or forgets it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn app_restore(app: State<'_, AppHandle>, accept: bool) -> Result<(), CommandError> {
    app.app_restore(accept).await
}

/// The language the window speaks; the tray and notifications speak it as well.
#[tauri::command]
#[specta::specta]
pub(crate) async fn app_language(app: State<'_, AppHandle>, language: Language) -> Result<(), CommandError> {
    app.app_language(language).await
}

/// Whether links are followed, and who gets them.
#[tauri::command]
#[specta::specta]
pub(crate) async fn link_status(app: State<'_, AppHandle>) -> Result<LinkStatus, CommandError> {
    app.link_status().await
}

/// The user's answer to a link.
#[tauri::command]
#[specta::specta]
pub(crate) async fn link_answer(
    app: State<'_, AppHandle>,
    number: u32,
    accept: bool,
) -> Result<LinkDone, CommandError> {
    app.link_answer(number, accept).await
}
