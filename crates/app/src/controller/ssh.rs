//! SSH in a tab, and editors over SSH: the system's own programs, which reach nodes through the command line program.

use std::path::PathBuf;

use fleetline_ipc::session::{SessionRow, TabRow};
use fleetline_ipc::ssh::SshOptions;
use fleetline_ipc::system::AppMode;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_launch::rdp::{Environment, Here};
use fleetline_launch::ssh::SshConnection;
use fleetline_launch::ssh_config::{Alias, Dialect};

use super::{Controller, answer, no_node};
use crate::clock::now_ms;
use crate::forwards::Way;
use crate::request::{Reply, SshRequest};
use crate::rows;
use crate::ssh_key::may_push;
use crate::terminal_task::{LocalCommand, Opening, OpeningKind};

/// What stands for the document in an SSH tab.
const PROGRAM: &str = "OpenSSH";

impl Controller {
    pub(super) fn ssh_asked(&mut self, request: SshRequest) {
        match request {
            SshRequest::Open { node_key, options, reply } => answer(reply, self.ssh_open(&node_key, options)),
            SshRequest::Editor { node_key, options, reply } => self.editor_open(&node_key, &options, reply),
        }
    }

    pub(super) fn ssh_open(&mut self, node_key: &str, options: SshOptions) -> Result<TabRow, CommandError> {
        self.may_open_tab()?;
        let (opening, session) = self.prepare_ssh(node_key, &options)?;
        self.open_tab(opening, session, None, Vec::new(), None, Some(options))
    }

    pub(super) fn prepare_ssh(
        &self,
        node_key: &str,
        options: &SshOptions,
    ) -> Result<(Opening, SessionRow), CommandError> {
        let connection = self.ssh_connection(node_key, options)?;
        let program = Here.find("ssh").ok_or_else(|| CommandError {
            hint: Some("Install the OpenSSH client.".to_owned()),
            ..CommandError::new(ErrorCode::Unsupported, "There is no ssh on this computer.")
        })?;
        let arguments = connection.arguments(Dialect::HERE).map_err(|error| {
            CommandError::new(ErrorCode::InvalidInput, format!("SSH was not started: {error}."))
        })?;
        let fleet = self.desk.fleet();
        let entry = fleet.get(node_key).ok_or_else(no_node)?;
        let Way { context, .. } = self.way_to(node_key, None)?;
        let session = rows::new_session(fleet, entry, PROGRAM.to_owned(), "Starting ssh", now_ms());
        Ok((Opening { kind: OpeningKind::Local(LocalCommand { program, arguments }), context }, session))
    }

    fn ssh_connection(&self, node_key: &str, options: &SshOptions) -> Result<SshConnection, CommandError> {
        if self.mode == AppMode::Demo {
            let message = "Nodes of the demo fleet have no SSH server.";
            return Err(CommandError::new(ErrorCode::Unsupported, message));
        }
        if options.port == 0 {
            return Err(CommandError::new(ErrorCode::InvalidInput, "The port is a number from 1 to 65535."));
        }
        let entry = self.desk.fleet().get(node_key).ok_or_else(no_node)?;
        let node = entry.node();
        if options.push_key {
            may_push(&node.node_id, &options.user)?;
        }
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(SshConnection {
            proxy: command_line_program()?.display().to_string(),
            node: Alias::new(&node.node_id).ok_or_else(no_node)?,
            source: node.source.to_string(),
            region: node.account_region.region.clone(),
            port: options.port,
            user: text(&options.user),
            key_file: text(&options.key_file),
            push_key: options.push_key,
        })
    }

    /// Starts VS Code on a node. It uses the user's SSH configuration, in which nodes must be reachable by their ids.
    fn editor_open(&mut self, node_key: &str, options: &SshOptions, reply: Reply<()>) {
        let prepared = self.ssh_connection(node_key, options).and_then(|connection| {
            if options.push_key {
                return Err(CommandError {
                    hint: Some(
                        "Save the SSH connection with push-key, run `fleetline ssh-config install` and open that host."
                            .to_owned(),
                    ),
                    ..CommandError::new(
                        ErrorCode::Unsupported,
                        "VS Code connects by the SSH configuration, which pushes keys for saved connections only.",
                    )
                });
            }
            let program = Here.find("code").ok_or_else(|| CommandError {
                hint: Some(
                    "Install Visual Studio Code with its `code` command and the Remote - SSH extension."
                        .to_owned(),
                ),
                ..CommandError::new(ErrorCode::Unsupported, "There is no VS Code on this computer.")
            })?;
            Ok((program, connection))
        });
        let (program, connection) = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return answer(reply, Err(problem)),
        };
        tokio::task::spawn_blocking(move || answer(reply, start_editor(&program, &connection)));
    }
}

fn start_editor(program: &std::path::Path, connection: &SshConnection) -> Result<(), CommandError> {
    let is_installed = std::env::home_dir()
        .and_then(|home| fleetline_launch::ssh_config::SshConfig::new(&home.join(".ssh"), false).ok())
        .and_then(|config| config.is_installed().ok())
        .unwrap_or(false);
    if !is_installed {
        return Err(CommandError {
            hint: Some("Run `fleetline ssh-config install` once.".to_owned()),
            ..CommandError::new(
                ErrorCode::Unsupported,
                "VS Code reaches nodes through the SSH configuration, which does not know Fleetline yet.",
            )
        });
    }
    // The authority of its own kind of address; ids have nothing that would have to be encoded.
    let host = match &connection.user {
        Some(user) if user.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) => {
            format!("{user}@{}", connection.node)
        }
        _ => connection.node.to_string(),
    };
    let mut command = std::process::Command::new(program);
    command.args(["--remote", &format!("ssh-remote+{host}")]);
    let null = std::process::Stdio::null;
    let mut child =
        command.stdin(null()).stdout(null()).stderr(null()).spawn().map_err(|error| CommandError {
            detail: Some(error.to_string()),
            ..CommandError::new(ErrorCode::Unsupported, "VS Code could not be started.")
        })?;
    // It hands over to its running window and ends; nobody waits for the window.
    std::thread::spawn(move || drop(child.wait()));
    Ok(())
}

/// The `fleetline` program beside this one.
fn command_line_program() -> Result<PathBuf, CommandError> {
    let missing = |detail: String| CommandError {
        hint: Some("Install the command line program beside the app.".to_owned()),
        detail: Some(detail),
        ..CommandError::new(ErrorCode::Unsupported, "SSH needs the fleetline command line program.")
    };
    let own = std::env::current_exe().map_err(|error| missing(error.to_string()))?;
    let beside = own.with_file_name(format!("fleetline{}", std::env::consts::EXE_SUFFIX));
    if beside.is_file() { Ok(beside) } else { Err(missing(beside.display().to_string())) }
}
