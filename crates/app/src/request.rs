//! What can be asked of the controller. One variant per command, each with the place its answer goes.

use fleetline_ipc::CommandError;
use fleetline_ipc::book::{BookChange, ExportForm, Exported, FleetBook};
use fleetline_ipc::fleet::{Completions, FleetQuery, FleetViewState, FleetWindow, NodeDetail};
use fleetline_ipc::forward::{ForwardDetail, ForwardRow, ForwardSpec, ForwardTexts};
use fleetline_ipc::session::TabRow;
use fleetline_ipc::settings::Settings;
use fleetline_ipc::system::{AppSnapshot, StartChoice};
use fleetline_ipc::terminal::{
    KeyPress, MouseInput, PasteOutcome, ScrollTo, SearchRequest, SearchState, SelectionInput, TerminalSize,
};
use tokio::sync::oneshot;

use crate::ports::FrameSink;
use crate::tray::TrayAction;

/// Where an answer goes. Dropping it answers "Fleetline is ending".
pub(crate) type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

/// A request to the application.
pub(crate) enum Request {
    Snapshot { reply: Reply<AppSnapshot> },
    Start { choice: StartChoice, reply: Reply<()> },
    Leave { reply: Reply<()> },
    Quit { reply: Reply<()> },
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
    Export { view: String, form: ExportForm, reply: Reply<Exported> },
    Node { key: String, reply: Reply<NodeDetail> },
    ShellOpen { node_key: String, document: Option<String>, reason: Option<String>, reply: Reply<TabRow> },
    TabActivate { tab: String, reply: Reply<()> },
    TabMove { tab: String, index: u32, reply: Reply<()> },
    TabClose { tab: String, reply: Reply<()> },
    TabRestart { tab: String, reply: Reply<()> },
    SessionRetry { tab: String, reply: Reply<()> },
    Terminal { tab: String, request: TerminalRequest },
    Forward(ForwardRequest),
    SettingsApply { settings: Settings, reply: Reply<Settings> },
    ClipboardWrite { text: String, reply: Reply<()> },
    OpenUrl { url: String, reply: Reply<()> },
}

/// A request about forwards.
pub(crate) enum ForwardRequest {
    Create { spec: ForwardSpec, reply: Reply<ForwardRow> },
    Edit { id: String, spec: ForwardSpec, reply: Reply<ForwardRow> },
    Remove { id: String, reply: Reply<()> },
    Switch { id: String, on: bool, reply: Reply<()> },
    Bundle { bundle: Option<String>, on: bool, reply: Reply<()> },
    Pause { paused: bool, reply: Reply<()> },
    Retry { id: String, reply: Reply<()> },
    Disconnect { id: String, connection: Option<f64>, reply: Reply<()> },
    Detail { id: String, reply: Reply<ForwardDetail> },
    Texts { id: String, reply: Reply<ForwardTexts> },
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
