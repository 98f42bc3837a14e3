//! What a visible terminal sends: frames asked for, input, scrolling, selection.

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::terminal::{
    KeyPress, MouseInput, PasteOutcome, ScrollTo, SearchRequest, SearchState, SelectionInput, TerminalSize,
};
use tauri::State;
use tauri::ipc::Channel;

use crate::frames::{self, TerminalFrame};

/// Shows a terminal; the first frame is a full one. Replaces an earlier sink.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_attach(
    app: State<'_, AppHandle>,
    tab: String,
    frames: Channel<TerminalFrame>,
) -> Result<(), CommandError> {
    app.terminal_attach(tab, frames::sink(frames)).await
}

/// Stops sending frames.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_detach(app: State<'_, AppHandle>, tab: String) -> Result<(), CommandError> {
    app.terminal_detach(tab).await
}

/// The frame with this number was painted; the next may come.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_ack(
    app: State<'_, AppHandle>,
    tab: String,
    seq: u32,
) -> Result<(), CommandError> {
    app.terminal_ack(tab, seq).await
}

/// Sets the size: at once in the terminal, 100 ms after the last change at the node.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_resize(
    app: State<'_, AppHandle>,
    tab: String,
    size: TerminalSize,
) -> Result<(), CommandError> {
    app.terminal_resize(tab, size).await
}

/// Sends a key press; `false` when nothing is encoded for it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_key(
    app: State<'_, AppHandle>,
    tab: String,
    key: KeyPress,
) -> Result<bool, CommandError> {
    app.terminal_key(tab, key).await
}

/// Sends committed text.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_text(
    app: State<'_, AppHandle>,
    tab: String,
    text: String,
) -> Result<(), CommandError> {
    app.terminal_text(tab, text).await
}

/// Pastes text, at most 1 MiB; risky text is held back until confirmed.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_paste(
    app: State<'_, AppHandle>,
    tab: String,
    text: String,
    confirmed: bool,
) -> Result<PasteOutcome, CommandError> {
    app.terminal_paste(tab, text, confirmed).await
}

/// Pastes the clipboard, read here and not by the web view.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_paste_clipboard(
    app: State<'_, AppHandle>,
    tab: String,
    confirmed: bool,
) -> Result<PasteOutcome, CommandError> {
    app.terminal_paste_clipboard(tab, confirmed).await
}

/// Sends a mouse event, if the program asked for the mouse.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_mouse(
    app: State<'_, AppHandle>,
    tab: String,
    mouse: MouseInput,
) -> Result<(), CommandError> {
    app.terminal_mouse(tab, mouse).await
}

/// The terminal got or lost the keyboard.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_focus(
    app: State<'_, AppHandle>,
    tab: String,
    focused: bool,
) -> Result<(), CommandError> {
    app.terminal_focus(tab, focused).await
}

/// Moves the visible part of the scrollback.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_scroll(
    app: State<'_, AppHandle>,
    tab: String,
    to: ScrollTo,
) -> Result<(), CommandError> {
    app.terminal_scroll(tab, to).await
}

/// A step of selecting.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_select(
    app: State<'_, AppHandle>,
    tab: String,
    input: SelectionInput,
) -> Result<(), CommandError> {
    app.terminal_select(tab, input).await
}

/// Copies the selection to the clipboard and returns it; an empty selection leaves the clipboard alone.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_copy(app: State<'_, AppHandle>, tab: String) -> Result<String, CommandError> {
    app.terminal_copy(tab).await
}

/// Finds text in the terminal and its scrollback.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_search(
    app: State<'_, AppHandle>,
    tab: String,
    request: SearchRequest,
) -> Result<SearchState, CommandError> {
    app.terminal_search(tab, request).await
}

/// The visible rows as plain text.
#[tauri::command]
#[specta::specta]
pub(crate) async fn terminal_mirror(
    app: State<'_, AppHandle>,
    tab: String,
) -> Result<Vec<String>, CommandError> {
    app.terminal_mirror(tab).await
}
