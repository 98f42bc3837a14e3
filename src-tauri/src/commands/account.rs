//! Sources, sign-ins and codes.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::account::{AccountPick, OpenAccount, SignInMethod};
use tauri::State;

/// Asks AWS who a source is, or all that can be asked without a person.
#[tauri::command]
#[specta::specta]
pub(crate) async fn accounts_check(
    app: State<'_, AppHandle>,
    source: Option<String>,
) -> Result<(), CommandError> {
    app.accounts_check(source).await
}

/// Begins to sign in.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_in(
    app: State<'_, AppHandle>,
    name: String,
    method: SignInMethod,
) -> Result<String, CommandError> {
    app.sign_in(name, method).await
}

/// Adds a sign-in by its start URL and begins it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_in_add(
    app: State<'_, AppHandle>,
    start_url: String,
    region: String,
    method: SignInMethod,
) -> Result<String, CommandError> {
    app.sign_in_add(start_url, region, method).await
}

/// Opens the page of a sign-in once more, or copies its address.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_in_page(
    app: State<'_, AppHandle>,
    label: String,
    copy: bool,
) -> Result<(), CommandError> {
    app.sign_in_page(label, copy).await
}

/// Gives a sign-in up.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_in_cancel(app: State<'_, AppHandle>, label: String) -> Result<(), CommandError> {
    app.sign_in_cancel(label).await
}

/// Signs out.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_out(app: State<'_, AppHandle>, name: String) -> Result<(), CommandError> {
    app.sign_out(name).await
}

/// All accounts and roles a sign-in opens.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_in_accounts(
    app: State<'_, AppHandle>,
    label: String,
) -> Result<Vec<OpenAccount>, CommandError> {
    app.sign_in_accounts(label).await
}

/// Makes sources of roles and lists the fleet through them.
#[tauri::command]
#[specta::specta]
pub(crate) async fn accounts_use_roles(
    app: State<'_, AppHandle>,
    label: String,
    region: String,
    picks: Vec<AccountPick>,
) -> Result<Vec<String>, CommandError> {
    app.accounts_use_roles(label, region, picks).await
}

/// Lists the fleet through these sources as well, or no longer.
#[tauri::command]
#[specta::specta]
pub(crate) async fn accounts_use(
    app: State<'_, AppHandle>,
    sources: Vec<String>,
    in_use: bool,
) -> Result<(), CommandError> {
    app.accounts_use(sources, in_use).await
}

/// Forgets a source or a sign-in that was added here.
#[tauri::command]
#[specta::specta]
pub(crate) async fn account_remove(app: State<'_, AppHandle>, name: String) -> Result<(), CommandError> {
    app.account_remove(name).await
}

/// Gives the code of an MFA device.
#[tauri::command]
#[specta::specta]
pub(crate) async fn mfa_answer(
    app: State<'_, AppHandle>,
    source: String,
    code: String,
) -> Result<(), CommandError> {
    app.mfa_answer(source, code).await
}

/// Gives no code.
#[tauri::command]
#[specta::specta]
pub(crate) async fn mfa_decline(app: State<'_, AppHandle>, source: String) -> Result<(), CommandError> {
    app.mfa_decline(source).await
}
