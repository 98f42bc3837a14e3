//! Linux and macOS.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::agent::home::Home;
use crate::agent::shell::CommandLine;

/// Endings of executable files.
pub(in crate::agent) const PROGRAM_SUFFIXES: &[&str] = &[""];

/// A signal a client can send to a command without terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Interrupt {
    Interrupt,
    Quit,
}

pub(in crate::agent) fn shell(home: &Home) -> CommandLine {
    let bash = PathBuf::from("/bin/bash");
    if bash.exists() {
        let rc_file = home.path().join(".bashrc").display().to_string();
        let args = ["--noprofile".to_owned(), "--rcfile".to_owned(), rc_file, "-i".to_owned()];
        return CommandLine { program: bash, args: args.to_vec() };
    }
    CommandLine { program: "/bin/sh".into(), args: vec!["-i".to_owned()] }
}

pub(in crate::agent) fn one_command(command: &str) -> CommandLine {
    CommandLine { program: "/bin/sh".into(), args: vec!["-c".to_owned(), command.to_owned()] }
}

/// Puts a command into a process group of its own, so that all of it can be signalled.
pub(in crate::agent) fn own_group(command: &mut tokio::process::Command) {
    command.process_group(0);
}

/// Signals a command's group.
pub(in crate::agent) fn interrupt(leader: u32, interrupt: Interrupt) {
    let signal = match interrupt {
        Interrupt::Interrupt => Signal::INT,
        Interrupt::Quit => Signal::QUIT,
    };
    send(leader, signal);
}

/// Kills the process group of `leader` and, on Linux, whatever else runs in the session it leads: a shell gives each
/// job a group of its own.
pub(in crate::agent) fn kill_tree(leader: u32) {
    for group in groups_of_session(leader) {
        send(group, Signal::KILL);
    }
    send(leader, Signal::KILL);
}

fn send(group: u32, signal: Signal) {
    let Some(pid) = i32::try_from(group).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw) else { return };
    if let Err(error) = kill_process_group(pid, signal) {
        // Most often there is nobody left.
        tracing::trace!(group, ?signal, %error, "signal not delivered");
    }
}

/// Process groups in the session that `leader` leads; empty where there is no `/proc`.
fn groups_of_session(leader: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(Path::new("/proc")) else { return Vec::new() };
    let mut groups: Vec<u32> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()))
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|stat| {
            // pid (name) state parent group session …; the name may hold anything, so count from its end.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(2);
            let group: u32 = fields.next()?.parse().ok()?;
            let session: u32 = fields.next()?.parse().ok()?;
            (session == leader).then_some(group)
        })
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}
