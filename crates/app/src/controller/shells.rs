//! Shells in tabs.

use std::time::Duration;

use fleetline_engine::ports::StartSession;
use fleetline_ipc::connect::{ConnectCheck, ConnectRequest};
use fleetline_ipc::replay::ReplayControl;
use fleetline_ipc::session::{SessionRow, TabKind, TabRow};
use fleetline_ipc::settings::Theme;
use fleetline_ipc::ssh::SshOptions;
use fleetline_ipc::system::AppMode;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::{Content, Control};
use fleetline_terminal::{Options, Palette};
use tokio::sync::mpsc;

use super::{CONNECTIONS, Controller, no_node, no_tab};
use crate::clock::now_ms;
use crate::connect::{self, Target};
use crate::documents;
use crate::forwards::Way;
use crate::journal::journal_scope;
use crate::problem::{Context, describe};
use crate::request::TerminalRequest;
use crate::rows;
use crate::tabs::{FLEET, SHELL_LIMIT, ShellTab};
use crate::terminal_task::{self, Command, Opening, OpeningKind, Report};

/// The document AWS uses when none is named.
const DEFAULT_DOCUMENT: &str = "SSM-SessionManagerRunShell";

impl Controller {
    pub(super) fn shell_open(
        &mut self,
        node_key: &str,
        document: Option<String>,
        reason: Option<String>,
    ) -> Result<TabRow, CommandError> {
        self.shell_open_with(node_key, document, Vec::new(), reason)
    }

    /// Judges what is given for a document, without asking anybody.
    pub(super) fn connect_check(
        &self,
        request: &ConnectRequest,
        text: Option<&str>,
    ) -> Result<ConnectCheck, CommandError> {
        let entry = self.desk.fleet().get(&request.node_key).ok_or_else(no_node)?;
        let node = entry.node();
        let target =
            Target { node_id: &node.node_id, source: &node.source, region: &node.account_region.region };
        Ok(connect::check(request, text, &target))
    }

    /// Opens what the connect dialog asks for, and remembers it for the node.
    pub(super) fn connect_open(&mut self, request: ConnectRequest) -> Result<TabRow, CommandError> {
        let parameters = request.parameters.iter().map(|one| (one.name.clone(), one.values.clone()));
        let tab = self.shell_open_with(
            &request.node_key,
            request.document.clone(),
            parameters.collect(),
            request.reason.clone(),
        )?;
        self.last_choices.remember(request);
        self.disk.save(CONNECTIONS, self.last_choices.clone());
        Ok(tab)
    }

    fn shell_open_with(
        &mut self,
        node_key: &str,
        document: Option<String>,
        parameters: Vec<(String, Vec<String>)>,
        reason: Option<String>,
    ) -> Result<TabRow, CommandError> {
        self.may_open_tab()?;
        let document = document.filter(|document| !document.is_empty());
        let reason = reason.filter(|reason| !reason.is_empty());
        check(document.as_deref(), reason.as_deref())?;
        let (opening, session) =
            self.prepare_session(node_key, document.clone(), parameters.clone(), reason.clone())?;
        self.open_tab(opening, session, document, parameters, reason, None)
    }

    pub(super) fn may_open_tab(&self) -> Result<(), CommandError> {
        if self.quitting.is_some() {
            return Err(CommandError::new(ErrorCode::Cancelled, "Fleetline is ending."));
        }
        if self.tabs.len() >= SHELL_LIMIT {
            let message = format!("{SHELL_LIMIT} shells are open; close one first.");
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
        Ok(())
    }

    /// Opens a tab with a terminal that is connected with `opening`.
    pub(super) fn open_tab(
        &mut self,
        opening: Opening,
        session: SessionRow,
        document: Option<String>,
        parameters: Vec<(String, Vec<String>)>,
        reason: Option<String>,
        ssh: Option<SshOptions>,
    ) -> Result<TabRow, CommandError> {
        let (id, commands) = self.new_terminal();
        send(&commands, Command::Open(Box::new(opening)))?;
        let row = TabRow {
            id,
            kind: TabKind::Shell,
            title: session.node_name.clone(),
            program_title: String::new(),
            session: Some(session),
            replay: None,
            unseen: false,
            bell: false,
        };
        let node_key = row.session.as_ref().map(|session| session.node_key.clone()).unwrap_or_default();
        if ssh.is_none() {
            self.learn_effects(&row);
        }
        self.tabs.push(ShellTab { row: row.clone(), commands, document, parameters, reason, ssh });
        self.touch(&node_key);
        self.emit_tabs();
        self.draw_tray();
        Ok(row)
    }

    /// A terminal for a new tab.
    fn new_terminal(&mut self) -> (String, mpsc::Sender<Command>) {
        let id = self.tabs.new_id();
        let (commands, inbox) = mpsc::channel(terminal_task::WAITING_REQUESTS);
        self.terminals.spawn(terminal_task::run(
            id.clone(),
            self.terminal_size,
            Options { palette: self.palette(), ..Options::keeping(self.settings.scrollback_lines) },
            inbox,
            self.reports.clone(),
            self.ui.clone(),
        ));
        (id, commands)
    }

    /// Replays something in a new tab: a recording, or the log of a session.
    pub(super) fn replay_open(&mut self, content: Content) -> Result<TabRow, CommandError> {
        self.may_open_tab()?;
        let (id, commands) = self.new_terminal();
        let title = content.title.clone();
        let opening = Opening { kind: OpeningKind::Replay(content), context: Context::default() };
        send(&commands, Command::Open(Box::new(opening)))?;
        let row = TabRow {
            id,
            kind: TabKind::Replay,
            title,
            program_title: String::new(),
            session: None,
            replay: None,
            unseen: false,
            bell: false,
        };
        let (parameters, row_told) = (Vec::new(), row.clone());
        self.tabs.push(ShellTab { row, commands, document: None, parameters, reason: None, ssh: None });
        self.emit_tabs();
        Ok(row_told)
    }

    /// Passes what a person does to a replay on to its terminal.
    pub(super) fn replay_control(&self, tab: &str, control: ReplayControl) -> Result<(), CommandError> {
        let shell =
            self.tabs.get(tab).filter(|shell| shell.row.kind == TabKind::Replay).ok_or_else(no_tab)?;
        let control = match control {
            ReplayControl::Play => Control::Play,
            ReplayControl::Pause => Control::Pause,
            ReplayControl::Seek { ms } => {
                let to = Duration::try_from_secs_f64(ms / 1000.0).map_err(|_| {
                    CommandError::new(ErrorCode::InvalidInput, "That is no time since the beginning.")
                })?;
                Control::Seek(to)
            }
            ReplayControl::Speed { speed } => Control::Speed(speed),
            ReplayControl::SkipPauses { on } => Control::SkipPauses(on),
        };
        send(&shell.commands, Command::Replay(control))
    }

    fn prepare_session(
        &self,
        node_key: &str,
        document: Option<String>,
        parameters: Vec<(String, Vec<String>)>,
        reason: Option<String>,
    ) -> Result<(Opening, SessionRow), CommandError> {
        let fleet = self.desk.fleet();
        let entry = fleet.get(node_key).ok_or_else(no_node)?;
        let node = entry.node();
        let Way { control, options, context } = self.way_to(node_key, document.clone())?;
        let shown = document.clone().unwrap_or_else(|| DEFAULT_DOCUMENT.to_owned());
        let begun = rows::new_session(fleet, entry, shown, "Asking AWS for a session", now_ms());
        let session = SessionRow { demo: self.mode == AppMode::Demo, ..begun };
        let request = StartSession { target: node.node_id.to_string(), document, parameters, reason };
        let kind = OpeningKind::Session { control, request, options: Box::new(options) };
        Ok((Opening { kind, context }, session))
    }

    /// Reads the document of a tab's session for what it does, in a task of its own. What may not be read stays unknown.
    fn learn_effects(&self, row: &TabRow) {
        let (Some(backend), Some(session)) = (&self.backend, &row.session) else { return };
        let Some(entry) = self.desk.fleet().get(&session.node_key) else { return };
        let node = entry.node();
        let Ok(calls) = backend.documents.documents(&node.source, &node.account_region.region) else {
            return;
        };
        let (tab, document, reports) = (row.id.clone(), session.document.clone(), self.reports.clone());
        tokio::spawn(async move {
            if let Some(effects) = documents::effects_of(calls.as_ref(), document).await {
                // After the controller nobody shows them.
                drop(reports.send((tab, Report::Effects(Box::new(effects)))).await);
            }
        });
    }

    /// How sessions to a node are asked for and run.
    pub(super) fn way_to(&self, node_key: &str, document: Option<String>) -> Result<Way, CommandError> {
        let entry = self.desk.fleet().get(node_key).ok_or_else(no_node)?;
        let backend = self.backend.as_ref().ok_or_else(no_node)?;
        let node = entry.node();
        let context = Context {
            source: node.source.to_string(),
            region: node.account_region.region.clone(),
            node: Some(node.display_name().to_owned()),
            node_id: Some(node.node_id.to_string()),
            account_id: Some(node.account_region.account_id.clone()).filter(|id| !id.is_empty()),
            document,
        };
        let control = backend
            .control
            .control_plane(&node.source, &node.account_region.region)
            .map_err(|error| describe(&error, &context))?;
        let mut options = self.session_options.clone();
        if self.mode != AppMode::Demo {
            let dialer = self.launcher.dialer(&node.source).map_err(|error| describe(&error, &context))?;
            options.dialer = dialer.unwrap_or(options.dialer);
            options.journal = self
                .journal
                .as_ref()
                .map(|journal| journal_scope(journal, &node.source, &node.account_region.region));
        }
        Ok(Way { control, options, context })
    }

    pub(super) fn tab_activate(&mut self, tab: &str) -> Result<(), CommandError> {
        if !self.tabs.activate(tab) {
            return Err(no_tab());
        }
        self.emit_tabs();
        Ok(())
    }

    pub(super) fn tab_move(&mut self, tab: &str, index: u32) -> Result<(), CommandError> {
        if tab == FLEET {
            return Err(CommandError::new(ErrorCode::InvalidInput, "The Fleet tab stays first."));
        }
        if !self.tabs.move_to(tab, index as usize) {
            return Err(no_tab());
        }
        self.emit_tabs();
        Ok(())
    }

    pub(super) fn tab_close(&mut self, tab: &str) -> Result<(), CommandError> {
        if tab == FLEET {
            return Err(CommandError::new(ErrorCode::InvalidInput, "The Fleet tab cannot be closed."));
        }
        // Without its tab nobody can ask the terminal any more: it terminates the session and ends.
        drop(self.tabs.close(tab).ok_or_else(no_tab)?);
        self.emit_tabs();
        self.draw_tray();
        Ok(())
    }

    pub(super) fn tab_restart(&mut self, tab: &str) -> Result<(), CommandError> {
        let shell = self.tabs.get(tab).ok_or_else(no_tab)?;
        if shell.is_live() {
            return Err(CommandError::new(ErrorCode::InvalidInput, "The session in this tab has not ended."));
        }
        let node_key =
            shell.row.session.as_ref().map(|session| session.node_key.clone()).ok_or_else(no_tab)?;
        let (document, parameters, reason) =
            (shell.document.clone(), shell.parameters.clone(), shell.reason.clone());
        let denied = shell.row.session.as_ref().and_then(|session| session.denied.clone());
        let has_document = shell.ssh.is_none();
        let (opening, session) = match &shell.ssh {
            Some(options) => self.prepare_ssh(&node_key, options)?,
            None => self.prepare_session(&node_key, document, parameters, reason)?,
        };
        let session = SessionRow { denied, ..session };
        let shell = self.tabs.get_mut(tab).ok_or_else(no_tab)?;
        send(&shell.commands, Command::Open(Box::new(opening)))?;
        shell.row.program_title.clear();
        shell.row.session = Some(session);
        let row = shell.row.clone();
        if has_document {
            self.learn_effects(&row);
        }
        self.emit_tabs();
        self.draw_tray();
        Ok(())
    }

    pub(super) fn session_retry(&self, tab: &str) -> Result<(), CommandError> {
        send(&self.tabs.get(tab).ok_or_else(no_tab)?.commands, Command::Retry)
    }

    /// Passes a request on to the terminal's own task, which answers it.
    pub(super) fn terminal(&mut self, tab: &str, request: TerminalRequest) {
        if let TerminalRequest::Resize { size, .. } = &request {
            self.terminal_size = *size;
        }
        let Some(shell) = self.tabs.get(tab) else { return request.refuse(no_tab()) };
        if let Err(error) = shell.commands.try_send(Command::Ui(request))
            && let Command::Ui(request) = error.into_inner()
        {
            request.refuse(busy());
        }
    }

    pub(super) fn palette(&self) -> Palette {
        match self.settings.theme {
            Theme::Light => Palette::light(),
            Theme::Dark | Theme::System => Palette::dark(),
        }
    }
}

fn send(commands: &mpsc::Sender<Command>, command: Command) -> Result<(), CommandError> {
    commands.try_send(command).map_err(|_| busy())
}

fn busy() -> CommandError {
    CommandError::new(ErrorCode::Throttled, "The terminal has more requests than it can answer right now.")
}

/// The limits of StartSession (protocol.md 1.2).
fn check(document: Option<&str>, reason: Option<&str>) -> Result<(), CommandError> {
    let wrong = |message: &str| Err(CommandError::new(ErrorCode::InvalidInput, message));
    if let Some(document) = document {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b);
        if !(3..=400).contains(&document.len()) || !document.bytes().all(allowed) {
            return wrong("A document is named by 3 to 128 letters, digits, _, - and ., or by its ARN.");
        }
    }
    if reason.is_some_and(|reason| reason.chars().count() > 256 || reason.chars().any(char::is_control)) {
        return wrong("A reason has at most 256 characters in one line.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_reasons_have_the_limits_of_the_service() {
        assert!(check(None, None).is_ok());
        assert!(check(Some("SSM-SessionManagerRunShell"), Some("look at the logs")).is_ok());
        assert!(check(Some("arn:aws:ssm:eu-central-1:111122223333:document/Mine"), None).is_ok());
        for document in ["ab", "my document", "a;b;c", &"x".repeat(401)] {
            assert!(check(Some(document), None).is_err(), "{document}");
        }
        assert!(check(None, Some(&"é".repeat(256))).is_ok());
        assert!(check(None, Some(&"é".repeat(257))).is_err());
        assert!(check(None, Some("two\nlines")).is_err());
    }
}
