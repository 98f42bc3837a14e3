//! A running program, whatever it is: chunks of output come out, input goes in.

use bytes::Bytes;
use fleetline_protocol::{PayloadType, TerminalSize};
use tokio::sync::mpsc;

use super::command::RunningCommand;
use super::home::Home;
use super::pty::RunningPty;
use super::{Job, shell};
use crate::documents::Program;

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) payload_type: PayloadType,
    pub(super) bytes: Bytes,
}

/// What a program does.
#[derive(Debug)]
pub(super) enum Activity {
    /// It said something; `None` when it will say nothing more.
    Output(Option<Chunk>),
    /// It took this many bytes of input.
    Consumed(usize),
}

/// Chunks that wait to be sent, besides those the channel holds.
pub(super) const CHUNKS: usize = 16;

/// A program that was started.
#[derive(Debug)]
pub(super) struct Running {
    /// Output in order; it ends when the program has ended and all was read.
    pub(super) output: mpsc::Receiver<Chunk>,
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
    pub(super) fn start(job: &Job) -> Result<Self, StartError> {
        let home = Home::new(&job.node_name).map_err(|error| {
            StartError(format!("Unable to make a home directory for the session: {error}"))
        })?;
        let (chunks, output) = mpsc::channel(CHUNKS);
        let kind = match &job.program {
            Program::Shell => {
                let line = shell::interactive(&job.shell, job.platform, &home, &job.node_name);
                Kind::Pty(RunningPty::start(&line, &home, chunks)?)
            }
            Program::InteractiveCommand(command) => {
                Kind::Pty(RunningPty::start(&shell::one_command(command), &home, chunks)?)
            }
            Program::NonInteractiveCommand { command, separate, stdout_prefix, stderr_prefix } => {
                let prefixes = [stdout_prefix.clone(), stderr_prefix.clone()];
                Kind::Command(RunningCommand::start(command, *separate, prefixes, &home, chunks))
            }
        };
        Ok(Self { output, kind, home })
    }

    /// Gives input to the program. Nothing is lost: what it has not read yet is bounded by what it has consumed.
    pub(super) fn input(&mut self, bytes: Bytes) {
        match &mut self.kind {
            Kind::Pty(pty) => pty.input(bytes),
            Kind::Command(command) => command.input(&bytes),
        }
    }

    /// Waits for the next thing the program does; output is taken only when `reading`.
    pub(super) async fn next(&mut self, reading: bool) -> Activity {
        match &mut self.kind {
            Kind::Pty(pty) => pty.next(&mut self.output, reading).await,
            Kind::Command(command) => tokio::select! {
                chunk = self.output.recv(), if reading => Activity::Output(chunk),
                bytes = command.consumed() => Activity::Consumed(bytes),
            },
        }
    }

    pub(super) fn resize(&self, size: TerminalSize) {
        if let Kind::Pty(pty) = &self.kind {
            pty.resize(size);
        }
    }

    /// Kills the program with all it started, waits for its end and removes its home.
    pub(super) async fn end(self) {
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
