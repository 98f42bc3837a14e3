//! Windows.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::agent::home::Home;
use crate::agent::shell::CommandLine;

/// Endings of executable files.
pub(in crate::agent) const PROGRAM_SUFFIXES: &[&str] = &[".exe"];

/// A signal a client can send to a command without terminal. Either kills it here (protocol.md 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Interrupt {
    Interrupt,
    Quit,
}

pub(in crate::agent) fn shell(_home: &Home) -> CommandLine {
    CommandLine { program: command_processor(), args: Vec::new() }
}

pub(in crate::agent) fn one_command(command: &str) -> CommandLine {
    CommandLine { program: command_processor(), args: vec!["/C".to_owned(), command.to_owned()] }
}

fn command_processor() -> PathBuf {
    std::env::var_os("ComSpec").map_or_else(|| PathBuf::from("cmd.exe"), PathBuf::from)
}

/// Process trees are found by their parent here; nothing has to be prepared.
pub(in crate::agent) fn own_group(_command: &mut tokio::process::Command) {}

pub(in crate::agent) fn interrupt(leader: u32, _interrupt: Interrupt) {
    kill_tree(leader);
}

/// Kills a process and all it started.
pub(in crate::agent) fn kill_tree(leader: u32) {
    let killed = Command::new("taskkill")
        .args(["/T", "/F", "/PID", &leader.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = killed {
        tracing::warn!(leader, %error, "cannot end a program");
    }
}
