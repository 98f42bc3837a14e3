//! The way into the application: one async method per command.

use fleetline_ipc::account::{AccountPick, OpenAccount, SignInMethod};
use fleetline_ipc::audit::AuditReport;
use fleetline_ipc::book::{BookChange, ExportForm, Exported, FleetBook};
use fleetline_ipc::connect::{ConnectCheck, ConnectRequest};
use fleetline_ipc::desktop::{DesktopInfo, DesktopOpen, DesktopOutcome};
use fleetline_ipc::document::{
    DocumentDetail, DocumentEdit, DocumentLine, DocumentPlace, DocumentReading, DocumentRow, DocumentSave,
    DocumentSaved, DocumentSessionType, DocumentTypeRow, PreferencesOutcome,
};
use fleetline_ipc::fleet::{Completions, FleetQuery, FleetViewState, FleetWindow, NodeDetail};
use fleetline_ipc::forward::{Arrangement, ForwardDetail, ForwardRow, ForwardSpec, ForwardTexts};
use fleetline_ipc::history::{HistoryEnded, HistoryFormat, HistoryQuery, HistorySummary, HistoryWindow};
use fleetline_ipc::hybrid::{
    ActivationSpec, ActivationText, Activations, CreatedActivation, RevealedCode, TierReview, TierTarget,
};
use fleetline_ipc::link::{LinkDone, LinkStatus};
use fleetline_ipc::recording::RecordingList;
use fleetline_ipc::replay::ReplayControl;
use fleetline_ipc::secrets::{SecretsChoice, SecretsStatus};
use fleetline_ipc::session::TabRow;
use fleetline_ipc::session_log::{LogAsk, LogStore, SessionEventList, SessionLog};
use fleetline_ipc::settings::Settings;
use fleetline_ipc::ssh::SshOptions;
use fleetline_ipc::system::{AppSnapshot, Language, StartChoice};
use fleetline_ipc::terminal::{
    KeyPress, MouseInput, PasteOutcome, ScrollTo, SearchRequest, SearchState, SelectionInput, TerminalSize,
};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::Content;
use tokio::sync::{mpsc, oneshot, watch};
use zeroize::Zeroizing;

use crate::controller::RecordingRequest;
use crate::documents::{self, DocumentAsk, DocumentRequest};
use crate::history::HistoryRequest;
use crate::ports::{FrameSink, Scope};
use crate::remote::Wanted;
use crate::request::{
    AccessRequest, AccountRequest, DesktopRequest, ForwardRequest, Reply, Request, SshRequest,
    TerminalRequest,
};
use crate::secrets::SecretsRequest;
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

    async fn access<T>(&self, request: impl FnOnce(Reply<T>) -> AccessRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::Access(request(reply))).await
    }

    async fn desktop<T>(&self, request: impl FnOnce(Reply<T>) -> DesktopRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::Desktop(request(reply))).await
    }

    /// Opens the system's `ssh` to a node in a new tab.
    pub async fn ssh_open(&self, node_key: String, options: SshOptions) -> Result<TabRow, CommandError> {
        self.ask(|reply| Request::Ssh(SshRequest::Open { node_key, options, reply })).await
    }

    /// Starts VS Code on a node, over SSH.
    pub async fn editor_open(&self, node_key: String, options: SshOptions) -> Result<(), CommandError> {
        self.ask(|reply| Request::Ssh(SshRequest::Editor { node_key, options, reply })).await
    }

    /// What there is to choose for a node's desktop.
    pub async fn desktop_info(&self, node_key: String) -> Result<DesktopInfo, CommandError> {
        self.desktop(|reply| DesktopRequest::Info { node_key, reply }).await
    }

    /// Opens a node's desktop: switches its forward on, looks at the certificate, starts the client. Answers when the
    /// client was started, or nothing was.
    pub async fn desktop_open(&self, open: DesktopOpen) -> Result<DesktopOutcome, CommandError> {
        self.desktop(|reply| DesktopRequest::Open { open: Box::new(open), reply }).await
    }

    /// Copies the password no client could be handed, once; it leaves the clipboard after 30 s.
    pub async fn desktop_copy_password(&self, forward: String) -> Result<(), CommandError> {
        self.desktop(|reply| DesktopRequest::CopyPassword { forward, reply }).await
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

    /// Opens again what was open when the app ended, or forgets it.
    pub async fn app_restore(&self, accept: bool) -> Result<(), CommandError> {
        self.ask(|reply| Request::Restore { accept, reply }).await
    }

    /// A link into the app came from outside. Nothing is done with it before the user has agreed.
    pub async fn link_opened(&self, text: String) {
        self.tell(Request::Link { text }).await;
    }

    /// The user's answer to a link.
    pub async fn link_answer(&self, number: u32, accept: bool) -> Result<LinkDone, CommandError> {
        self.ask(|reply| Request::LinkAnswer { number, accept, reply }).await
    }

    /// The language the window speaks; the tray and notifications speak it as well.
    pub async fn app_language(&self, language: Language) -> Result<(), CommandError> {
        self.ask(|reply| Request::Language { language, reply }).await
    }

    /// Whether links are followed, and who gets them.
    pub async fn link_status(&self) -> Result<LinkStatus, CommandError> {
        self.ask(|reply| Request::LinkStatus { reply }).await
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

    /// Switches on a forward that lets other computers in; `address` is its address as the person typed it.
    pub async fn forward_expose(&self, id: String, address: String) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Expose { id, address, reply }).await
    }

    /// Switches all forwards of a bundle; `None` is what is in no bundle.
    pub async fn forward_bundle(&self, bundle: Option<String>, on: bool) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Bundle { bundle, on, reply }).await
    }

    /// Stops all forwards and remembers which were on, or starts those again.
    pub async fn forwards_pause(&self, paused: bool) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Pause { paused, reply }).await
    }

    /// Arranges the list anew: bundles, and the order of what is in them.
    pub async fn forwards_arrange(&self, arrangement: Arrangement) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Arrange { arrangement, reply }).await
    }

    /// Tries now what failed or waits.
    pub async fn forward_retry(&self, id: String) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Retry { id, reply }).await
    }

    /// Resets one connection by its number, or all of a forward.
    pub async fn forward_disconnect(&self, id: String, connection: Option<f64>) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Disconnect { id, connection, reply }).await
    }

    /// The forward that does what is wanted, if there is one.
    pub(crate) async fn forward_find(&self, wanted: Wanted) -> Result<Option<String>, CommandError> {
        self.forward(|reply| ForwardRequest::Find { wanted, reply }).await
    }

    /// The name of the bundle with this id or name.
    pub(crate) async fn bundle_named(&self, name: String) -> Result<Option<String>, CommandError> {
        self.forward(|reply| ForwardRequest::BundleNamed { name, reply }).await
    }

    /// The row of a forward with each change, the latest only; ends when the forward is forgotten.
    pub async fn forward_follow(&self, id: String) -> Result<watch::Receiver<ForwardRow>, CommandError> {
        self.forward(|reply| ForwardRequest::Follow { id, reply }).await
    }

    /// Everything about a forward.
    pub async fn forward_detail(&self, id: String) -> Result<ForwardDetail, CommandError> {
        self.forward(|reply| ForwardRequest::Detail { id, reply }).await
    }

    /// Texts to copy for using a forward elsewhere.
    pub async fn forward_texts(&self, id: String) -> Result<ForwardTexts, CommandError> {
        self.forward(|reply| ForwardRequest::Texts { id, reply }).await
    }

    /// Begins a check of a node's session channel: a real session that is opened and ended again. Its progress and end
    /// come as events. Refused while one of this node runs, or eight of others.
    pub async fn node_check(&self, node_key: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::Check { node_key, reply }).await
    }

    /// Stops a check; a session that was granted is ended.
    pub async fn node_check_stop(&self, node_key: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::CheckStop { node_key, reply }).await
    }

    /// Takes a hybrid node out of Systems Manager, for everybody.
    pub async fn node_deregister(&self, node_key: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::Deregister { node_key, reply }).await
    }

    /// What a change of the tier of an account-Region means. AWS is asked for the setting.
    pub async fn tier_review(&self, scope: Scope, to: TierTarget) -> Result<TierReview, CommandError> {
        self.access(|reply| AccessRequest::TierReview { scope, to, reply }).await
    }

    /// Makes the change. Answers when AWS took it; how it settles comes with the fleet's events.
    pub async fn tier_change(&self, scope: Scope, to: TierTarget) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::TierChange { scope, to, reply }).await
    }

    /// Looks again until a change has settled.
    pub async fn tier_watch(&self, scope: Scope) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::TierWatch { scope, reply }).await
    }

    /// The hybrid activations of every account-Region of the fleet, each with its own failure.
    pub async fn activations_list(&self) -> Result<Vec<Activations>, CommandError> {
        self.access(|reply| AccessRequest::Activations { reply }).await
    }

    /// Makes an activation. Its code stays in this process for 15 minutes.
    pub async fn activation_create(&self, spec: ActivationSpec) -> Result<CreatedActivation, CommandError> {
        self.access(|reply| AccessRequest::ActivationCreate { spec, reply }).await
    }

    /// Deletes an activation. Nodes it registered stay.
    pub async fn activation_delete(&self, scope: Scope, id: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::ActivationDelete { scope, id, reply }).await
    }

    /// Puts the code of a new activation, or commands with it, on the clipboard.
    pub async fn activation_copy(&self, id: String, which: ActivationText) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::ActivationCopy { id, which, reply }).await
    }

    /// The code of a new activation, for the eyes of whoever asks.
    pub async fn activation_reveal(&self, id: String) -> Result<RevealedCode, CommandError> {
        self.access(|reply| AccessRequest::ActivationReveal { id, reply }).await
    }

    /// Forgets the code of a new activation.
    pub async fn activation_forget(&self, id: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::ActivationForget { id, reply }).await
    }

    async fn account<T>(&self, request: impl FnOnce(Reply<T>) -> AccountRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::Account(request(reply))).await
    }

    /// Asks AWS who a source is; without one, all that can be asked without a person. The answers come as events. A
    /// source with an MFA device asks for its code.
    pub async fn accounts_check(&self, source: Option<String>) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Check { source, reply }).await
    }

    /// Begins to sign in, by the name of a source or of a sign-in, and opens the page. Returns the sign-in's label.
    pub async fn sign_in(&self, name: String, method: SignInMethod) -> Result<String, CommandError> {
        self.account(|reply| AccountRequest::SignIn { name, method, reply }).await
    }

    /// Adds a sign-in by its start URL and begins it. Returns its label.
    pub async fn sign_in_add(
        &self,
        start_url: String,
        region: String,
        method: SignInMethod,
    ) -> Result<String, CommandError> {
        self.account(|reply| AccountRequest::AddSignIn { start_url, region, method, reply }).await
    }

    /// Opens the page of a sign-in that waits once more, or copies its address.
    pub async fn sign_in_page(&self, label: String, copy: bool) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Page { label, copy, reply }).await
    }

    /// Gives a sign-in up, or takes the word of a failed one away.
    pub async fn sign_in_cancel(&self, label: String) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Cancel { label, reply }).await
    }

    /// Signs out, on this computer and at AWS.
    pub async fn sign_out(&self, name: String) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::SignOut { name, reply }).await
    }

    /// Replays something in a new tab: a recording, or a stream of times and bytes such as the log of a session
    /// ([`Content::of_stream`]). Its terminal answers nothing and opens nothing.
    pub async fn replay_open(&self, content: Content) -> Result<TabRow, CommandError> {
        self.ask(|reply| Request::ReplayOpen { content, reply }).await
    }

    /// Begins or ends the recording of a tab's session.
    pub async fn tab_record(&self, tab: String, on: bool) -> Result<(), CommandError> {
        self.ask(|reply| Request::Recording(RecordingRequest::Record { tab, on, reply })).await
    }

    /// All recordings of this computer.
    pub async fn recordings_list(&self) -> Result<RecordingList, CommandError> {
        self.ask(|reply| Request::Recording(RecordingRequest::List { reply })).await
    }

    /// Replays a recording in a new tab.
    pub async fn recording_play(&self, id: String) -> Result<TabRow, CommandError> {
        let content = self.ask(|reply| Request::Recording(RecordingRequest::Load { id, reply })).await?;
        self.replay_open(content).await
    }

    /// Writes a recording in clear where the user finds downloads; its path.
    pub async fn recording_export(&self, id: String) -> Result<String, CommandError> {
        self.ask(|reply| Request::Recording(RecordingRequest::Export { id, reply })).await
    }

    /// Deletes a recording.
    pub async fn recording_delete(&self, id: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::Recording(RecordingRequest::Delete { id, reply })).await
    }

    /// Plays, pauses, moves or speeds up the replay in a tab.
    pub async fn replay_control(&self, tab: String, control: ReplayControl) -> Result<(), CommandError> {
        self.ask(|reply| Request::ReplayControl { tab, control, reply }).await
    }

    /// How secrets of ours are kept. With `ask` the keyring may ask a person to unlock it, which takes two minutes at most;
    /// otherwise five seconds.
    pub async fn secrets_status(&self, ask: bool) -> Result<SecretsStatus, CommandError> {
        self.ask(|reply| Request::Secrets(SecretsRequest::Status { ask, reply })).await
    }

    /// Keeps secrets of ours by something else, in every program of the user.
    pub async fn secrets_keep(&self, choice: SecretsChoice) -> Result<SecretsStatus, CommandError> {
        self.ask(|reply| Request::Secrets(SecretsRequest::Keep { choice, reply })).await
    }

    /// Forgets all secrets of ours; a file that cannot be opened is kept aside.
    pub async fn secrets_forget(&self) -> Result<SecretsStatus, CommandError> {
        self.ask(|reply| Request::Secrets(SecretsRequest::Forget { reply })).await
    }

    /// All accounts and roles a sign-in opens.
    pub async fn sign_in_accounts(&self, label: String) -> Result<Vec<OpenAccount>, CommandError> {
        self.account(|reply| AccountRequest::Opened { label, reply }).await
    }

    /// Makes sources of roles and lists the fleet through them. Returns their names.
    pub async fn accounts_use_roles(
        &self,
        label: String,
        region: String,
        picks: Vec<AccountPick>,
    ) -> Result<Vec<String>, CommandError> {
        self.account(|reply| AccountRequest::UseRoles { label, region, picks, reply }).await
    }

    /// Lists the fleet through these sources as well, or no longer.
    pub async fn accounts_use(&self, sources: Vec<String>, in_use: bool) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Use { sources, in_use, reply }).await
    }

    /// Forgets a source or a sign-in that was added in Fleetline.
    pub async fn account_remove(&self, name: String) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Remove { name, reply }).await
    }

    /// Gives the code of an MFA device to the source that waits for it.
    pub async fn mfa_answer(&self, source: String, code: String) -> Result<(), CommandError> {
        let code = Zeroizing::new(code);
        self.account(|reply| AccountRequest::GiveCode { source, code, reply }).await
    }

    /// Gives no code: whoever waits for it fails.
    pub async fn mfa_decline(&self, source: String) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::DeclineCode { source, reply }).await
    }

    async fn document<T>(
        &self,
        place: DocumentPlace,
        ask: impl FnOnce(Reply<T>) -> DocumentAsk,
    ) -> Result<T, CommandError> {
        self.ask(|reply| Request::Document(DocumentRequest { place, ask: ask(reply) })).await
    }

    /// The session documents of an account-Region: its own, shared ones, those of AWS.
    pub async fn documents_list(&self, place: DocumentPlace) -> Result<Vec<DocumentRow>, CommandError> {
        self.document(place, |reply| DocumentAsk::List { reply }).await
    }

    /// Session types of documents, at most 50, which are read for it.
    pub async fn documents_types(
        &self,
        place: DocumentPlace,
        names: Vec<String>,
    ) -> Result<Vec<DocumentTypeRow>, CommandError> {
        self.document(place, |reply| DocumentAsk::Types { names, reply }).await
    }

    /// A document at a version; without one at the default.
    pub async fn document_open(
        &self,
        place: DocumentPlace,
        name: String,
        version: Option<String>,
    ) -> Result<DocumentDetail, CommandError> {
        self.document(place, |reply| DocumentAsk::Open { name, version, reply }).await
    }

    /// Saves a new document, or a new version. Refused with [`ErrorCode::InvalidInput`] while it has errors, and with
    /// [`ErrorCode::Conflict`] when somebody saved another version meanwhile.
    pub async fn document_save(
        &self,
        place: DocumentPlace,
        save: DocumentSave,
    ) -> Result<DocumentSaved, CommandError> {
        self.document(place, |reply| DocumentAsk::Save { save, reply }).await
    }

    /// Makes a version the one sessions use.
    pub async fn document_set_default(
        &self,
        place: DocumentPlace,
        name: String,
        version: String,
    ) -> Result<(), CommandError> {
        self.document(place, |reply| DocumentAsk::SetDefault { name, version, reply }).await
    }

    /// Deletes a version of a document; without one all of it.
    pub async fn document_delete(
        &self,
        place: DocumentPlace,
        name: String,
        version: Option<String>,
    ) -> Result<(), CommandError> {
        self.document(place, |reply| DocumentAsk::Delete { name, version, reply }).await
    }

    /// Saves session preferences in several account-Regions and says what became of each.
    pub async fn preferences_apply(
        &self,
        places: Vec<DocumentPlace>,
        text: String,
    ) -> Result<Vec<PreferencesOutcome>, CommandError> {
        self.ask(|reply| Request::PreferencesApply { places, text, reply }).await
    }

    /// A text to begin a new document of this type with.
    pub async fn document_template(
        &self,
        kind: DocumentSessionType,
    ) -> Result<DocumentReading, CommandError> {
        beside(move || Ok(documents::template(kind))).await
    }

    /// A text with its form and what is wrong with it; at most 256 KiB.
    pub async fn document_read(&self, text: String) -> Result<DocumentReading, CommandError> {
        beside(move || documents::read(text)).await
    }

    /// An edit of the form, made in the text.
    pub async fn document_edit(
        &self,
        text: String,
        edit: DocumentEdit,
    ) -> Result<DocumentReading, CommandError> {
        beside(move || documents::edit(text, &edit)).await
    }

    /// Two texts line by line; layout is no difference.
    pub async fn document_compare(
        &self,
        old: String,
        new: String,
    ) -> Result<Vec<DocumentLine>, CommandError> {
        beside(move || documents::lines(&old, &new)).await
    }

    /// Judges what is given for a document, whose text the caller has read, and tells the same as command lines.
    pub async fn connect_check(
        &self,
        request: ConnectRequest,
        text: Option<String>,
    ) -> Result<ConnectCheck, CommandError> {
        self.ask(|reply| Request::ConnectCheck { request, text, reply }).await
    }

    /// What was chosen last for a node.
    pub async fn connect_last(&self, node_key: String) -> Result<Option<ConnectRequest>, CommandError> {
        self.ask(|reply| Request::ConnectLast { node_key, reply }).await
    }

    /// Opens a session with a chosen document in a new tab, in state Connecting, and remembers the choice.
    pub async fn connect_open(&self, request: ConnectRequest) -> Result<TabRow, CommandError> {
        self.ask(|reply| Request::ConnectOpen { request, reply }).await
    }

    /// Whether sessions of an account-Region are recorded, sealed and bounded.
    pub async fn audit_read(&self, place: DocumentPlace) -> Result<AuditReport, CommandError> {
        self.ask(|reply| Request::Audit { place, reply }).await
    }

    /// Reads the whole log of a session and replays it in a new tab.
    pub async fn session_log_replay(
        &self,
        key: String,
        store: Option<LogStore>,
    ) -> Result<TabRow, CommandError> {
        let content = self.history(|reply| HistoryRequest::ReplayOf { key, store, reply }).await?;
        self.replay_open(content).await
    }

    /// A part of the log of a session, read where it was recorded.
    pub async fn session_log(&self, ask: LogAsk) -> Result<SessionLog, CommandError> {
        self.history(|reply| HistoryRequest::Log { ask, reply }).await
    }

    /// Writes the whole log of a session into a new file, as it was recorded, and returns its path.
    pub async fn session_log_save(
        &self,
        key: String,
        store: Option<LogStore>,
    ) -> Result<String, CommandError> {
        self.history(|reply| HistoryRequest::SaveLog { key, store, reply }).await
    }

    /// The calls CloudTrail kept of a session.
    pub async fn session_events(&self, key: String) -> Result<SessionEventList, CommandError> {
        self.history(|reply| HistoryRequest::Events { key, reply }).await
    }

    async fn history<T>(&self, request: impl FnOnce(Reply<T>) -> HistoryRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::History(request(reply))).await
    }

    /// Somebody looks at the sessions, which keeps the active ones fresh, or no longer.
    pub async fn history_watch(&self, on: bool) -> Result<HistorySummary, CommandError> {
        self.history(|reply| HistoryRequest::Watch { on, reply }).await
    }

    /// Lists the sessions of the whole scope and of 30 days again.
    pub async fn history_refresh(&self) -> Result<(), CommandError> {
        self.history(|reply| HistoryRequest::Refresh { reply }).await
    }

    /// At most 200 rows from `offset`; fewer at the end.
    pub async fn history_window(
        &self,
        query: HistoryQuery,
        offset: u32,
        len: u32,
    ) -> Result<HistoryWindow, CommandError> {
        self.history(|reply| HistoryRequest::Window { query, offset, len, reply }).await
    }

    /// Keys of the active sessions of an owner, by ARN.
    pub async fn history_of_owner(&self, owner: String) -> Result<Vec<String>, CommandError> {
        self.history(|reply| HistoryRequest::OfOwner { owner, reply }).await
    }

    /// Ends sessions by their keys, at most 500, and says what became of each.
    pub async fn history_end(&self, keys: Vec<String>) -> Result<Vec<HistoryEnded>, CommandError> {
        self.history(|reply| HistoryRequest::End { keys, reply }).await
    }

    /// Writes what the query shows into a new file and returns its path.
    pub async fn history_export(
        &self,
        query: HistoryQuery,
        format: HistoryFormat,
    ) -> Result<String, CommandError> {
        self.history(|reply| HistoryRequest::Export { query, format, reply }).await
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

/// Works something out beside the tasks that must answer soon.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) -> Result<T, CommandError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(ending()))
}

fn ending() -> CommandError {
    CommandError::new(ErrorCode::Cancelled, "Fleetline is ending.")
}
