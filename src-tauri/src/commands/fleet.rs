//! The fleet: refreshing, views, completions, the inspector.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::book::{BookChange, ExportForm, Exported, FleetBook};
use fleetline_ipc::fleet::{Completions, FleetQuery, FleetViewState, FleetWindow, NodeDetail};
use tauri::State;

/// Lists the whole scope again. A refresh under way is replaced.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_refresh(app: State<'_, AppHandle>) -> Result<(), CommandError> {
    app.fleet_refresh().await
}

/// Lists one account-Region of the scope again. One that is being listed goes on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_refresh_one(
    app: State<'_, AppHandle>,
    source: String,
    region: String,
) -> Result<(), CommandError> {
    app.fleet_refresh_one(source, region).await
}

/// Changes saved views, groups or favourites; returns all of them as they now are.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_book(
    app: State<'_, AppHandle>,
    change: BookChange,
) -> Result<FleetBook, CommandError> {
    app.fleet_book(change).await
}

/// Writes what a view shows, or of that the nodes with these keys, to a new file in the user's folder for downloads.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_export(
    app: State<'_, AppHandle>,
    view: String,
    form: ExportForm,
    keys: Option<Vec<String>>,
) -> Result<Exported, CommandError> {
    app.fleet_export(view, form, keys).await
}

/// Stops the refresh; what has been listed stays.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_cancel(app: State<'_, AppHandle>) -> Result<(), CommandError> {
    app.fleet_cancel().await
}

/// Opens a view; at most 16 are open at a time.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_view_open(
    app: State<'_, AppHandle>,
    query: FleetQuery,
) -> Result<FleetViewState, CommandError> {
    app.fleet_view_open(query).await
}

/// Changes what a view shows.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_view_query(
    app: State<'_, AppHandle>,
    view: String,
    query: FleetQuery,
) -> Result<FleetViewState, CommandError> {
    app.fleet_view_query(view, query).await
}

/// At most 200 rows from `offset`; fewer at the end.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_view_window(
    app: State<'_, AppHandle>,
    view: String,
    offset: u32,
    len: u32,
) -> Result<FleetWindow, CommandError> {
    app.fleet_view_window(view, offset, len).await
}

/// Forgets a view.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_view_close(app: State<'_, AppHandle>, view: String) -> Result<(), CommandError> {
    app.fleet_view_close(view).await
}

/// Index of a node in a view, `None` when the view does not show it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_view_find(
    app: State<'_, AppHandle>,
    view: String,
    key: String,
) -> Result<Option<u32>, CommandError> {
    app.fleet_view_find(view, key).await
}

/// Index of the first row at or after `from`, wrapping, whose name begins with `prefix`.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_view_type_ahead(
    app: State<'_, AppHandle>,
    view: String,
    prefix: String,
    from: u32,
) -> Result<Option<u32>, CommandError> {
    app.fleet_view_type_ahead(view, prefix, from).await
}

/// Completions of a query at a place, given in UTF-16 code units.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_complete(
    app: State<'_, AppHandle>,
    text: String,
    cursor: u32,
) -> Result<Completions, CommandError> {
    app.fleet_complete(text, cursor).await
}

/// Everything about a node.
#[tauri::command]
#[specta::specta]
pub(crate) async fn fleet_node(app: State<'_, AppHandle>, key: String) -> Result<NodeDetail, CommandError> {
    app.fleet_node(key).await
}
