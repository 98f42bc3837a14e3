//! What can be asked of the controller. One variant per command, each with the place its answer goes.

use fleetline_ipc::CommandError;
use fleetline_ipc::account::{AccountPick, OpenAccount, SignInMethod};
use fleetline_ipc::audit::AuditReport;
use fleetline_ipc::book::{BookChange, ExportForm, Exported, FleetBook};
use fleetline_ipc::connect::{ConnectCheck, ConnectRequest};
use fleetline_ipc::desktop::{DesktopInfo, DesktopOpen, DesktopOutcome};
use fleetline_ipc::document::{DocumentPlace, PreferencesOutcome};
use fleetline_ipc::fleet::{Completions, FleetQuery, FleetViewState, FleetWindow, NodeDetail};
use fleetline_ipc::forward::{Arrangement, ForwardDetail, ForwardRow, ForwardSpec, ForwardTexts};
use fleetline_ipc::hybrid::{
    ActivationSpec, ActivationText, Activations, CreatedActivation, RevealedCode, TierReview, TierTarget,
};
use fleetline_ipc::link::{LinkDone, LinkStatus};
use fleetline_ipc::replay::ReplayControl;
use fleetline_ipc::session::TabRow;
use fleetline_ipc::settings::Settings;
use fleetline_ipc::ssh::SshOptions;
use fleetline_ipc::system::{AppSnapshot, Language, StartChoice};
use fleetline_ipc::terminal::{
    KeyPress, MouseInput, PasteOutcome, ScrollTo, SearchRequest, SearchState, SelectionInput, TerminalSize,
};
use fleetline_recording::Content;
use tokio::sync::{oneshot, watch};
use zeroize::Zeroizing;

use crate::controller::RecordingRequest;
use crate::documents::DocumentRequest;
use crate::history::HistoryRequest;
use crate::ports::{FrameSink, Scope};
use crate::remote::Wanted;
use crate::secrets::SecretsRequest;
use crate::tray::TrayAction;

/// Where an answer goes. Dropping it answers "Fleetline is ending".
pub(crate) type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

/// A request to the application.
pub(crate) enum Request {
    Snapshot { reply: Reply<AppSnapshot> },
    Start { choice: StartChoice, reply: Reply<()> },
    Leave { reply: Reply<()> },
    Quit { reply: Reply<()> },
    Restore { accept: bool, reply: Reply<()> },
    Link { text: String },
    LinkAnswer { number: u32, accept: bool, reply: Reply<LinkDone> },
    Language { language: Language, reply: Reply<()> },
    LinkStatus { reply: Reply<LinkStatus> },
    Hide { reply: Reply<()> },
    CloseRequested,
    Activated,
    Tray { action: TrayAction },
    FleetRefresh { reply: Reply<()> },
    FleetRefreshOne { source: String, region: String, reply: Reply<()> },
    FleetCancel { reply: Reply<()> },
    ViewOpen { query: FleetQuery, reply: Reply<FleetViewState> },
    ViewQuery { view: String, query: FleetQuery, reply: Reply<FleetViewState> },
    ViewWindow { view: String, offset: u32, len: u32, reply: Reply<FleetWindow> },
    ViewClose { view: String, reply: Reply<()> },
    ViewFind { view: String, key: String, reply: Reply<Option<u32>> },
    ViewTypeAhead { view: String, prefix: String, from: u32, reply: Reply<Option<u32>> },
    Complete { text: String, cursor: u32, reply: Reply<Completions> },
    Book { change: BookChange, reply: Reply<FleetBook> },
    Export { view: String, form: ExportForm, keys: Option<Vec<String>>, reply: Reply<Exported> },
    Node { key: String, reply: Reply<NodeDetail> },
    ShellOpen { node_key: String, document: Option<String>, reason: Option<String>, reply: Reply<TabRow> },
    TabActivate { tab: String, reply: Reply<()> },
    TabMove { tab: String, index: u32, reply: Reply<()> },
    TabClose { tab: String, reply: Reply<()> },
    TabRestart { tab: String, reply: Reply<()> },
    SessionRetry { tab: String, reply: Reply<()> },
    ReplayOpen { content: Content, reply: Reply<TabRow> },
    ReplayControl { tab: String, control: ReplayControl, reply: Reply<()> },
    Terminal { tab: String, request: TerminalRequest },
    Forward(ForwardRequest),
    Access(AccessRequest),
    Desktop(DesktopRequest),
    Ssh(SshRequest),
    Account(AccountRequest),
    Document(DocumentRequest),
    Audit { place: DocumentPlace, reply: Reply<AuditReport> },
    PreferencesApply { places: Vec<DocumentPlace>, text: String, reply: Reply<Vec<PreferencesOutcome>> },
    ConnectCheck { request: ConnectRequest, text: Option<String>, reply: Reply<ConnectCheck> },
    ConnectLast { node_key: String, reply: Reply<Option<ConnectRequest>> },
    ConnectOpen { request: ConnectRequest, reply: Reply<TabRow> },
    History(HistoryRequest),
    Recording(RecordingRequest),
    Secrets(SecretsRequest),
    SettingsApply { settings: Settings, reply: Reply<Settings> },
    ClipboardWrite { text: String, reply: Reply<()> },
    OpenUrl { url: String, reply: Reply<()> },
}

/// A request about sources, sign-ins and codes.
pub(crate) enum AccountRequest {
    Check { source: Option<String>, reply: Reply<()> },
    SignIn { name: String, method: SignInMethod, reply: Reply<String> },
    AddSignIn { start_url: String, region: String, method: SignInMethod, reply: Reply<String> },
    Page { label: String, copy: bool, reply: Reply<()> },
    Cancel { label: String, reply: Reply<()> },
    SignOut { name: String, reply: Reply<()> },
    Opened { label: String, reply: Reply<Vec<OpenAccount>> },
    UseRoles { label: String, region: String, picks: Vec<AccountPick>, reply: Reply<Vec<String>> },
    Use { sources: Vec<String>, in_use: bool, reply: Reply<()> },
    Remove { name: String, reply: Reply<()> },
    GiveCode { source: String, code: Zeroizing<String>, reply: Reply<()> },
    DeclineCode { source: String, reply: Reply<()> },
}

/// A request about forwards.
pub(crate) enum ForwardRequest {
    Create { spec: ForwardSpec, reply: Reply<ForwardRow> },
    Edit { id: String, spec: ForwardSpec, reply: Reply<ForwardRow> },
    Remove { id: String, reply: Reply<()> },
    Switch { id: String, on: bool, reply: Reply<()> },
    Expose { id: String, address: String, reply: Reply<()> },
    Bundle { bundle: Option<String>, on: bool, reply: Reply<()> },
    Pause { paused: bool, reply: Reply<()> },
    Arrange { arrangement: Arrangement, reply: Reply<()> },
    Retry { id: String, reply: Reply<()> },
    Disconnect { id: String, connection: Option<f64>, reply: Reply<()> },
    Detail { id: String, reply: Reply<ForwardDetail> },
    Texts { id: String, reply: Reply<ForwardTexts> },
    Find { wanted: Wanted, reply: Reply<Option<String>> },
    BundleNamed { name: String, reply: Reply<Option<String>> },
    Follow { id: String, reply: Reply<watch::Receiver<ForwardRow>> },
}

/// A request about SSH.
pub(crate) enum SshRequest {
    Open { node_key: String, options: SshOptions, reply: Reply<TabRow> },
    Editor { node_key: String, options: SshOptions, reply: Reply<()> },
}

/// A request about remote desktops.
pub(crate) enum DesktopRequest {
    Info { node_key: String, reply: Reply<DesktopInfo> },
    Open { open: Box<DesktopOpen>, reply: Reply<DesktopOutcome> },
    CopyPassword { forward: String, reply: Reply<()> },
}

/// A request about the way to nodes.
pub(crate) enum AccessRequest {
    Check { node_key: String, reply: Reply<()> },
    CheckStop { node_key: String, reply: Reply<()> },
    TierReview { scope: Scope, to: TierTarget, reply: Reply<TierReview> },
    TierChange { scope: Scope, to: TierTarget, reply: Reply<()> },
    TierWatch { scope: Scope, reply: Reply<()> },
    Activations { reply: Reply<Vec<Activations>> },
    ActivationCreate { spec: ActivationSpec, reply: Reply<CreatedActivation> },
    ActivationDelete { scope: Scope, id: String, reply: Reply<()> },
    ActivationCopy { id: String, which: ActivationText, reply: Reply<()> },
    ActivationReveal { id: String, reply: Reply<RevealedCode> },
    ActivationForget { id: String, reply: Reply<()> },
    Deregister { node_key: String, reply: Reply<()> },
}

/// A request to one terminal, passed on by the controller to the terminal's own task.
pub(crate) enum TerminalRequest {
    Attach { frames: Box<dyn FrameSink>, reply: Reply<()> },
    Detach { reply: Reply<()> },
    Ack { seq: u32, reply: Reply<()> },
    Resize { size: TerminalSize, reply: Reply<()> },
    Key { key: KeyPress, reply: Reply<bool> },
    Text { text: String, reply: Reply<()> },
    Paste { text: String, confirmed: bool, reply: Reply<PasteOutcome> },
    PasteClipboard { confirmed: bool, reply: Reply<PasteOutcome> },
    Mouse { mouse: MouseInput, reply: Reply<()> },
    Focus { focused: bool, reply: Reply<()> },
    Scroll { to: ScrollTo, reply: Reply<()> },
    Select { input: SelectionInput, reply: Reply<()> },
    Copy { reply: Reply<String> },
    Search { request: SearchRequest, reply: Reply<SearchState> },
    Mirror { reply: Reply<Vec<String>> },
}

impl TerminalRequest {
    /// Answers with a failure, whatever was asked.
    pub(crate) fn refuse(self, problem: CommandError) {
        // A caller that has gone away no longer needs the answer.
        match self {
            Self::Attach { reply, .. }
            | Self::Detach { reply }
            | Self::Ack { reply, .. }
            | Self::Resize { reply, .. }
            | Self::Text { reply, .. }
            | Self::Mouse { reply, .. }
            | Self::Focus { reply, .. }
            | Self::Scroll { reply, .. }
            | Self::Select { reply, .. } => drop(reply.send(Err(problem))),
            Self::Key { reply, .. } => drop(reply.send(Err(problem))),
            Self::Paste { reply, .. } | Self::PasteClipboard { reply, .. } => drop(reply.send(Err(problem))),
            Self::Copy { reply } => drop(reply.send(Err(problem))),
            Self::Search { reply, .. } => drop(reply.send(Err(problem))),
            Self::Mirror { reply } => drop(reply.send(Err(problem))),
        }
    }
}
