//! The way into the application: one async method per command.

use fleetline_ipc::book::{BookChange, ExportForm, Exported, FleetBook};
use fleetline_ipc::fleet::{Completions, FleetQuery, FleetViewState, FleetWindow, NodeDetail};
use fleetline_ipc::forward::{ForwardDetail, ForwardRow, ForwardSpec, ForwardTexts};
use fleetline_ipc::session::TabRow;
use fleetline_ipc::settings::Settings;
use fleetline_ipc::system::{AppSnapshot, StartChoice};
use fleetline_ipc::terminal::{
    KeyPress, MouseInput, PasteOutcome, ScrollTo, SearchRequest, SearchState, SelectionInput, TerminalSize,
};
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use crate::ports::FrameSink;
use crate::request::{ForwardRequest, Reply, Request, TerminalRequest};
use crate::tray::TrayAction;

/// A cloneable way to ask the running application. Every method fails with [`ErrorCode::Cancelled`] once the
/// application has ended. Requests are handled in the order in which they were sent.
#[derive(Clone, Debug)]
pub struct AppHandle {
    requests: mpsc::Sender<Request>,
}

impl AppHandle {
    pub(crate) fn new(requests: mpsc::Sender<Request>) -> Self {
        Self { requests }
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| ending())?;
        answer.await.map_err(|_| ending())?
    }

    async fn terminal<T>(
        &self,
        tab: String,
        request: impl FnOnce(Reply<T>) -> TerminalRequest,
    ) -> Result<T, CommandError> {
        self.ask(|reply| Request::Terminal { tab, request: request(reply) }).await
    }

    async fn forward<T>(&self, request: impl FnOnce(Reply<T>) -> ForwardRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::Forward(request(reply))).await
    }

    /// Tells the application something that has no answer.
    async fn tell(&self, request: Request) {
        // An application that has ended needs no telling.
        drop(self.requests.send(request).await);
    }

    /// The state as of the event version it names.
    pub async fn app_snapshot(&self) -> Result<AppSnapshot, CommandError> {
        self.ask(|reply| Request::Snapshot { reply }).await
    }

    /// The first-run choice, or a later switch. Refused with [`ErrorCode::InvalidInput`] while sessions live.
    pub async fn app_start(&self, choice: StartChoice) -> Result<(), CommandError> {
        self.ask(|reply| Request::Start { choice, reply }).await
    }

    /// Back to the first-run page. Refused with [`ErrorCode::InvalidInput`] while sessions live.
    pub async fn app_leave(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::Leave { reply }).await
    }

    /// Terminates every session, then ends the program. Answers when all is terminated or has had its time.
    pub async fn app_quit(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::Quit { reply }).await
    }

    /// Hides the window; sessions go on.
    pub async fn app_hide(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::Hide { reply }).await
    }

    /// The user closed the window: quits when nothing runs, else the interface is asked to ask.
    pub async fn close_requested(&self) {
        self.tell(Request::CloseRequested).await;
    }

    /// Another start of the program, or a click on the tray icon: shows the window.
    pub async fn activated(&self) {
        self.tell(Request::Activated).await;
    }

    /// An item of the tray menu was chosen.
    pub async fn tray_chosen(&self, action: TrayAction) {
        self.tell(Request::Tray { action }).await;
    }

    /// Lists the whole scope again. A refresh under way is replaced.
    pub async fn fleet_refresh(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::FleetRefresh { reply }).await
    }

    /// Lists one account-Region of the scope again. One that is being listed goes on.
    pub async fn fleet_refresh_one(&self, source: String, region: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::FleetRefreshOne { source, region, reply }).await
    }

    /// Stops the refresh; what has been listed stays.
    pub async fn fleet_cancel(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::FleetCancel { reply }).await
    }

    /// Opens a view; at most 16 are open at a time.
    pub async fn fleet_view_open(&self, query: FleetQuery) -> Result<FleetViewState, CommandError> {
        self.ask(|reply| Request::ViewOpen { query, reply }).await
    }

    /// Changes what a view shows.
    pub async fn fleet_view_query(
        &self,
        view: String,
        query: FleetQuery,
    ) -> Result<FleetViewState, CommandError> {
        self.ask(|reply| Request::ViewQuery { view, query, reply }).await
    }

    /// At most 200 rows from `offset`; fewer at the end.
    pub async fn fleet_view_window(
        &self,
        view: String,
        offset: u32,
        len: u32,
    ) -> Result<FleetWindow, CommandError> {
        self.ask(|reply| Request::ViewWindow { view, offset, len, reply }).await
    }

    /// Forgets a view.
    pub async fn fleet_view_close(&self, view: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::ViewClose { view, reply }).await
    }

    /// Index of a node in a view, `None` when the view does not show it.
    pub async fn fleet_view_find(&self, view: String, key: String) -> Result<Option<u32>, CommandError> {
        self.ask(|reply| Request::ViewFind { view, key, reply }).await
    }

    /// Index of the first row at or after `from`, wrapping, whose name begins with `prefix`.
    pub async fn fleet_view_type_ahead(
        &self,
        view: String,
        prefix: String,
        from: u32,
    ) -> Result<Option<u32>, CommandError> {
        self.ask(|reply| Request::ViewTypeAhead { view, prefix, from, reply }).await
    }

    /// Completions of a query at a place, given in UTF-16 code units.
    pub async fn fleet_complete(&self, text: String, cursor: u32) -> Result<Completions, CommandError> {
        self.ask(|reply| Request::Complete { text, cursor, reply }).await
    }

    /// Changes saved views, groups or favourites; returns all of them as they now are.
    pub async fn fleet_book(&self, change: BookChange) -> Result<FleetBook, CommandError> {
        self.ask(|reply| Request::Book { change, reply }).await
    }

    /// Writes what a view shows to a new file in the user's folder for downloads.
    pub async fn fleet_export(&self, view: String, form: ExportForm) -> Result<Exported, CommandError> {
        self.ask(|reply| Request::Export { view, form, reply }).await
    }

    /// Everything about a node.
    pub async fn fleet_node(&self, key: String) -> Result<NodeDetail, CommandError> {
        self.ask(|reply| Request::Node { key, reply }).await
    }

    /// Opens a shell in a new tab, in state Connecting; never waits for AWS.
    pub async fn shell_open(
        &self,
        node_key: String,
        document: Option<String>,
        reason: Option<String>,
    ) -> Result<TabRow, CommandError> {
        self.ask(|reply| Request::ShellOpen { node_key, document, reason, reply }).await
    }

    /// Brings a tab to the front.
    pub async fn tab_activate(&self, tab: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::TabActivate { tab, reply }).await
    }

    /// Moves a tab; the Fleet tab stays first.
    pub async fn tab_move(&self, tab: String, index: u32) -> Result<(), CommandError> {
        self.ask(|reply| Request::TabMove { tab, index, reply }).await
    }

    /// Closes a tab and terminates its session.
    pub async fn tab_close(&self, tab: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::TabClose { tab, reply }).await
    }

    /// A new session in a tab whose session ended or failed.
    pub async fn tab_restart(&self, tab: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::TabRestart { tab, reply }).await
    }

    /// Begins the next resume attempt now.
    pub async fn session_retry(&self, tab: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::SessionRetry { tab, reply }).await
    }

    /// Shows a terminal; the first frame is a full one. Replaces an earlier sink.
    pub async fn terminal_attach(&self, tab: String, frames: Box<dyn FrameSink>) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Attach { frames, reply }).await
    }

    /// Stops sending frames.
    pub async fn terminal_detach(&self, tab: String) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Detach { reply }).await
    }

    /// The frame with this number was painted; the next may come.
    pub async fn terminal_ack(&self, tab: String, seq: u32) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Ack { seq, reply }).await
    }

    /// Sets the size: at once in the terminal, 100 ms after the last change at the node.
    pub async fn terminal_resize(&self, tab: String, size: TerminalSize) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Resize { size, reply }).await
    }

    /// Sends a key press; `false` when nothing is encoded for it.
    pub async fn terminal_key(&self, tab: String, key: KeyPress) -> Result<bool, CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Key { key, reply }).await
    }

    /// Sends committed text.
    pub async fn terminal_text(&self, tab: String, text: String) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Text { text, reply }).await
    }

    /// Pastes text, at most 1 MiB; risky text is held back until confirmed.
    pub async fn terminal_paste(
        &self,
        tab: String,
        text: String,
        confirmed: bool,
    ) -> Result<PasteOutcome, CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Paste { text, confirmed, reply }).await
    }

    /// Pastes the clipboard, read here and not by the web view.
    pub async fn terminal_paste_clipboard(
        &self,
        tab: String,
        confirmed: bool,
    ) -> Result<PasteOutcome, CommandError> {
        self.terminal(tab, |reply| TerminalRequest::PasteClipboard { confirmed, reply }).await
    }

    /// Sends a mouse event, if the program asked for the mouse.
    pub async fn terminal_mouse(&self, tab: String, mouse: MouseInput) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Mouse { mouse, reply }).await
    }

    /// The terminal got or lost the keyboard.
    pub async fn terminal_focus(&self, tab: String, focused: bool) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Focus { focused, reply }).await
    }

    /// Moves the visible part of the scrollback.
    pub async fn terminal_scroll(&self, tab: String, to: ScrollTo) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Scroll { to, reply }).await
    }

    /// A step of selecting.
    pub async fn terminal_select(&self, tab: String, input: SelectionInput) -> Result<(), CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Select { input, reply }).await
    }

    /// Copies the selection to the clipboard and returns it; an empty selection leaves the clipboard alone.
    pub async fn terminal_copy(&self, tab: String) -> Result<String, CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Copy { reply }).await
    }

    /// Finds text in the terminal and its scrollback.
    pub async fn terminal_search(
        &self,
        tab: String,
        request: SearchRequest,
    ) -> Result<SearchState, CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Search { request, reply }).await
    }

    /// The visible rows as plain text.
    pub async fn terminal_mirror(&self, tab: String) -> Result<Vec<String>, CommandError> {
        self.terminal(tab, |reply| TerminalRequest::Mirror { reply }).await
    }

    /// Saves a forward and switches it on. A local end that cannot be had is no failure: the row says so.
    pub async fn forward_create(&self, spec: ForwardSpec) -> Result<ForwardRow, CommandError> {
        self.forward(|reply| ForwardRequest::Create { spec, reply }).await
    }

    /// Changes a forward. One that runs is started anew when it leads elsewhere or listens elsewhere now.
    pub async fn forward_edit(&self, id: String, spec: ForwardSpec) -> Result<ForwardRow, CommandError> {
        self.forward(|reply| ForwardRequest::Edit { id, spec, reply }).await
    }

    /// Stops a forward and forgets it.
    pub async fn forward_remove(&self, id: String) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Remove { id, reply }).await
    }

    /// Switches a forward on or off.
    pub async fn forward_switch(&self, id: String, on: bool) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Switch { id, on, reply }).await
    }

    /// Switches all forwards of a bundle; `None` is what is in no bundle.
    pub async fn forward_bundle(&self, bundle: Option<String>, on: bool) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Bundle { bundle, on, reply }).await
    }

    /// Stops all forwards and remembers which were on, or starts those again.
    pub async fn forwards_pause(&self, paused: bool) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Pause { paused, reply }).await
    }

    /// Tries now what failed or waits.
    pub async fn forward_retry(&self, id: String) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Retry { id, reply }).await
    }

    /// Resets one connection by its number, or all of a forward.
    pub async fn forward_disconnect(&self, id: String, connection: Option<f64>) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Disconnect { id, connection, reply }).await
    }

    /// Everything about a forward.
    pub async fn forward_detail(&self, id: String) -> Result<ForwardDetail, CommandError> {
        self.forward(|reply| ForwardRequest::Detail { id, reply }).await
    }

    /// Texts to copy for using a forward elsewhere.
    pub async fn forward_texts(&self, id: String) -> Result<ForwardTexts, CommandError> {
        self.forward(|reply| ForwardRequest::Texts { id, reply }).await
    }

    /// Checks, stores and puts settings into force; returns them as they now are.
    pub async fn settings_apply(&self, settings: Settings) -> Result<Settings, CommandError> {
        self.ask(|reply| Request::SettingsApply { settings, reply }).await
    }

    /// Puts text on the clipboard, at most 1 MiB.
    pub async fn clipboard_write(&self, text: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::ClipboardWrite { text, reply }).await
    }

    /// Opens an `https` address, or the address of a running forward, in the browser; anything else is refused.
    pub async fn system_open_url(&self, url: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::OpenUrl { url, reply }).await
    }
}

fn ending() -> CommandError {
    CommandError::new(ErrorCode::Cancelled, "Fleetline is ending.")
}
