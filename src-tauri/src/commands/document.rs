//! Session documents.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::document::{
    DocumentDetail, DocumentEdit, DocumentLine, DocumentPlace, DocumentReading, DocumentRow, DocumentSave,
    DocumentSaved, DocumentSessionType, DocumentTypeRow, PreferencesOutcome,
};
use tauri::State;

/// The session documents of an account-Region.
#[tauri::command]
#[specta::specta]
pub(crate) async fn documents_list(
    app: State<'_, AppHandle>,
    place: DocumentPlace,
) -> Result<Vec<DocumentRow>, CommandError> {
    app.documents_list(place).await
}

/// Session types of documents, at most 50.
#[tauri::command]
#[specta::specta]
pub(crate) async fn documents_types(
    app: State<'_, AppHandle>,
    place: DocumentPlace,
    names: Vec<String>,
) -> Result<Vec<DocumentTypeRow>, CommandError> {
    app.documents_types(place, names).await
}

/// A document at a version; without one at the default.
#[tauri::command]
#[specta::specta]
pub(crate) async fn document_open(
    app: State<'_, AppHandle>,
    place: DocumentPlace,
    name: String,
    version: Option<String>,
) -> Result<DocumentDetail, CommandError> {
    app.document_open(place, name, version).await
}

/// Saves a new document, or a new version.
#[tauri::command]
#[specta::specta]
pub(crate) async fn document_save(
    app: State<'_, AppHandle>,
    place: DocumentPlace,
    save: DocumentSave,
) -> Result<DocumentSaved, CommandError> {
    app.document_save(place, save).await
}

/// Makes a version the one sessions use.
#[tauri::command]
#[specta::specta]
pub(crate) async fn document_set_default(
    app: State<'_, AppHandle>,
    place: DocumentPlace,
    name: String,
    version: String,
) -> Result<(), CommandError> {
    app.document_set_default(place, name, version).await
}

/// Deletes a version; without one all of the document.
#[tauri::command]
#[specta::specta]
pub(crate) async fn document_delete(
    app: State<'_, AppHandle>,
    place: DocumentPlace,
    name: String,
    version: Option<String>,
) -> Result<(), CommandError> {
    app.document_delete(place, name, version).await
}

/// A text to begin a new document with.
#[tauri::command]
#[specta::specta]
pub(crate) async fn document_template(
    app: State<'_, AppHandle>,
    kind: DocumentSessionType,
) -> Result<DocumentReading, CommandError> {
    app.document_template(kind).await
}

/// A text with its form and what is wrong with it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn document_read(
    app: State<'_, AppHandle>,
    text: String,
) -> Result<DocumentReading, CommandError> {
    app.document_read(text).await
}

/// An edit of the form, made in the text.
#[tauri::command]
#[specta::specta]
pub(crate) async fn document_edit(
    app: State<'_, AppHandle>,
    text: String,
    edit: DocumentEdit,
) -> Result<DocumentReading, CommandError> {
    app.document_edit(text, edit).await
}

/// Two texts line by line.
#[tauri::command]
#[specta::specta]
pub(crate) async fn document_compare(
    app: State<'_, AppHandle>,
    before: String,
    after: String,
) -> Result<Vec<DocumentLine>, CommandError> {
    app.document_compare(before, after).await
}

/// Saves session preferences in several account-Regions and says what became of each.
#[tauri::command]
#[specta::specta]
pub(crate) async fn preferences_apply(
    app: State<'_, AppHandle>,
    places: Vec<DocumentPlace>,
    text: String,
) -> Result<Vec<PreferencesOutcome>, CommandError> {
    app.preferences_apply(places, text).await
}
