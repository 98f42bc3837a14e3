//! A running program, whatever it is: chunks of output come out, input goes in.

use std::sync::Arc;

use bytes::Bytes;
use fleetline_protocol::{PayloadType, TerminalSize};
use tokio::sync::mpsc;

use super::command::RunningCommand;
use super::home::{Home, USER};
use super::port::RunningPort;
use super::pty::RunningPty;
use super::{Job, shell};
use crate::documents::Program;
use crate::shared::Shared;

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) payload_type: PayloadType,
    pub(super) bytes: Bytes,
}

/// What a program does.
#[derive(Debug)]
pub(super) enum Activity {
    /// It can take input. Only programs that [wait](Running::is_ready) say so.
    Ready,
    /// It said something; `None` when it will say nothing more.
    Output(Option<Chunk>),
    /// It took this many bytes of input.
    Consumed(usize),
    /// The client has ended it: what it still had to say is of no interest.
    Terminated,
    /// It cannot go on. The text is for the client.
    Failed(String),
}

/// Chunks that wait to be sent, besides those the channel holds.
pub(super) const CHUNKS: usize = 16;

/// A program that was started.
#[derive(Debug)]
pub(super) enum Running {
    /// On this computer, in a home of its own.
    Process(Process),
    /// Connections.
    Port(RunningPort),
}

/// A process on a pty or without one.
#[derive(Debug)]
pub(super) struct Process {
    /// Output in order; it ends when the program has ended and all was read.
    output: mpsc::Receiver<Chunk>,
    kind: Kind,
    home: Home,
}

#[derive(Debug)]
enum Kind {
    Pty(RunningPty),
    Command(RunningCommand),
}

/// A program that cannot be started. The text is for the client.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct StartError(pub(super) String);

impl Running {
    /// Starts the program of a session. `client_version` is what the handshake told, if there was one.
    pub(super) fn start(shared: &Arc<Shared>, job: &Job, client_version: &str) -> Result<Self, StartError> {
        match &job.program {
            Program::Port(port) => RunningPort::start(shared, job, port, client_version).map(Self::Port),
            _ => Process::start(job).map(Self::Process),
        }
    }

    /// Whether it takes input from its start; otherwise [`Activity::Ready`] comes.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self, Self::Process(_))
    }

    /// Gives input to the program. Nothing is lost: what it has not read yet is bounded by what it has consumed.
    pub(super) fn input(&mut self, bytes: Bytes) {
        match self {
            Self::Process(process) => match &mut process.kind {
                Kind::Pty(pty) => pty.input(bytes),
                Kind::Command(command) => command.input(&bytes),
            },
            Self::Port(port) => port.input(bytes),
        }
    }

    /// A flag of the client. Shell plugins ignore them (protocol.md 4.3).
    pub(super) fn flag(&mut self, flag: u32) {
        if let Self::Port(port) = self {
            port.flag(flag);
        }
    }

    /// Waits for the next thing the program does; output is taken only when there is `room` for a message, and then
    /// has at most that many bytes.
    pub(super) async fn next(&mut self, room: usize) -> Activity {
        match self {
            Self::Process(process) => process.next(room > 0).await,
            Self::Port(port) => port.next(room).await,
        }
    }

    pub(super) fn resize(&self, size: TerminalSize) {
        if let Self::Process(Process { kind: Kind::Pty(pty), .. }) = self {
            pty.resize(size);
        }
    }

    /// Ends the program with all it started and waits for it.
    pub(super) async fn end(self) {
        match self {
            Self::Process(process) => process.end().await,
            Self::Port(port) => drop(port),
        }
    }
}

impl Process {
    fn start(job: &Job) -> Result<Self, StartError> {
        if job.program == Program::Unsupported {
            return Err(StartError("The document has no commands for the platform of this node.".to_owned()));
        }
        if let Some(user) = job.run_as.as_deref().filter(|user| *user != USER) {
            return Err(StartError(format!("failed to start pty since RunAs user {user} does not exist")));
        }
        let name = &job.origin.node_name;
        let home = Home::new(name).map_err(|error| {
            StartError(format!("Unable to make a home directory for the session: {error}"))
        })?;
        let (chunks, output) = mpsc::channel(CHUNKS);
        let kind = match &job.program {
            Program::InteractiveCommand(command) => {
                let line =
                    if job.is_container { shell::words(command)? } else { shell::one_command(command) };
                Kind::Pty(RunningPty::start(&line, &home, chunks)?)
            }
            Program::NonInteractiveCommand { command, separate, stdout_prefix, stderr_prefix } => {
                let prefixes = [stdout_prefix.clone(), stderr_prefix.clone()];
                Kind::Command(RunningCommand::start(command, *separate, prefixes, &home, chunks))
            }
            Program::Shell | Program::Port(_) | Program::Unsupported => {
                let line = shell::interactive(&job.shell, job.platform, &home, name);
                Kind::Pty(RunningPty::start(&line, &home, chunks)?)
            }
        };
        Ok(Self { output, kind, home })
    }

    async fn next(&mut self, reading: bool) -> Activity {
        match &mut self.kind {
            Kind::Pty(pty) => pty.next(&mut self.output, reading).await,
            Kind::Command(command) => tokio::select! {
                chunk = self.output.recv(), if reading => Activity::Output(chunk),
                bytes = command.consumed() => Activity::Consumed(bytes),
            },
        }
    }

    /// Kills the program with all it started, waits for its end and removes its home.
    async fn end(self) {
        drop(self.output);
        match self.kind {
            Kind::Pty(pty) => pty.end().await,
            Kind::Command(command) => command.end().await,
        }
        let home = self.home;
        if let Err(error) = tokio::task::spawn_blocking(move || home.remove()).await {
            tracing::warn!(%error, "a session's home may be left behind");
        }
    }
}
