//! Calls about tabs: shells, terminals, recordings and replays.

use fleetline_ipc::CommandError;
use fleetline_ipc::recording::RecordingList;
use fleetline_ipc::replay::ReplayControl;
use fleetline_ipc::session::TabRow;
use fleetline_ipc::ssh::SshOptions;
use fleetline_ipc::terminal::{
    KeyPress, MouseInput, PasteOutcome, ScrollTo, SearchRequest, SearchState, SelectionInput, TerminalSize,
};
use fleetline_recording::Content;

use super::AppHandle;
use crate::controller::RecordingRequest;
use crate::ports::FrameSink;
use crate::request::{Reply, Request, SshRequest, TerminalRequest};

impl AppHandle {
    async fn terminal<T>(
        &self,
        tab: String,
        request: impl FnOnce(Reply<T>) -> TerminalRequest,
    ) -> Result<T, CommandError> {
        self.ask(|reply| Request::Terminal { tab, request: request(reply) }).await
    }

    /// Opens the system's `ssh` to a node in a new tab.
    pub async fn ssh_open(&self, node_key: String, options: SshOptions) -> Result<TabRow, CommandError> {
        self.ask(|reply| Request::Ssh(SshRequest::Open { node_key, options, reply })).await
    }

    /// Starts VS Code on a node, over SSH.
    pub async fn editor_open(&self, node_key: String, options: SshOptions) -> Result<(), CommandError> {
        self.ask(|reply| Request::Ssh(SshRequest::Editor { node_key, options, reply })).await
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
}
