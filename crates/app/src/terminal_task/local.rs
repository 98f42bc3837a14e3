//! A program of this computer on a pty, in place of a session: the system's `ssh`.
//!
//! Reading, writing and waiting block, so each has a thread. All three end with the program.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use fleetline_engine::{
    DataStream, EndReason, OutputChunk, SendError, SessionKind, SessionState, TerminalSize, TrySendError,
};
use portable_pty::{ChildKiller, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;
/// Reads that wait for the terminal; the program waits beyond them.
const READS: usize = 8;
/// Pieces of input that wait for the program.
const WRITES: usize = 64;

/// A program to be started, as data. No argument is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalCommand {
    /// Absolute path.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
}

/// A running program.
pub(crate) struct LocalProgram {
    state: watch::Receiver<SessionState>,
    output: AsyncMutex<mpsc::Receiver<Bytes>>,
    input: mpsc::Sender<Bytes>,
    master: Mutex<Box<dyn MasterPty + Send>>,
    killer: Mutex<Box<dyn ChildKiller + Send + Sync>>,
}

impl LocalProgram {
    /// Starts it with this program's environment, a terminal of this size, and the user's home as its directory.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn start(command: &LocalCommand, size: TerminalSize) -> std::io::Result<Self> {
        // The pty library's errors have no type of their own.
        let failed = |error: &dyn std::fmt::Display| std::io::Error::other(error.to_string());
        let pair = native_pty_system().openpty(pty_size(size)).map_err(|error| failed(&error))?;
        let mut builder = CommandBuilder::new(&command.program);
        builder.args(&command.arguments);
        builder.env("TERM", "xterm-256color");
        if let Some(home) = std::env::home_dir() {
            builder.cwd(home);
        }
        let mut child = pair.slave.spawn_command(builder).map_err(|error| failed(&error))?;
        // While this process holds the slave, the end of the program is not seen as the end of its output.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().map_err(|error| failed(&error))?;
        let mut writer = pair.master.take_writer().map_err(|error| failed(&error))?;
        let killer = child.clone_killer();
        let (chunks, output) = mpsc::channel(READS);
        let (input, mut typed) = mpsc::channel::<Bytes>(WRITES);
        let open = SessionState::Open {
            kind: SessionKind::Shell,
            agent_version: None,
            resumed_after: None,
            unanswered_since: None,
        };
        let (told, state) = watch::channel(open);
        spawn("ssh-read", move || {
            let mut buffer = vec![0; READ_BYTES];
            // The end of a program's terminal is an error on some systems.
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                let bytes = Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default());
                if chunks.blocking_send(bytes).is_err() {
                    return;
                }
            }
        })?;
        spawn("ssh-write", move || {
            while let Some(bytes) = typed.blocking_recv() {
                if writer.write_all(&bytes).and_then(|()| writer.flush()).is_err() {
                    return;
                }
            }
        })?;
        spawn("ssh-wait", move || {
            let reason = match child.wait() {
                Ok(status) => EndReason::Exited { code: i32::try_from(status.exit_code()).unwrap_or(-1) },
                Err(error) => EndReason::Unusable { why: error.to_string() },
            };
            // Without a terminal nobody needs to know.
            drop(told.send(SessionState::Ended(reason)));
        })?;
        Ok(Self {
            state,
            output: AsyncMutex::new(output),
            input,
            master: Mutex::new(pair.master),
            killer: Mutex::new(killer),
        })
    }

    pub(crate) fn state(&self) -> watch::Receiver<SessionState> {
        self.state.clone()
    }

    pub(crate) async fn recv(&self) -> Option<OutputChunk> {
        let bytes = self.output.lock().await.recv().await?;
        Some(OutputChunk { stream: DataStream::Output, bytes })
    }

    pub(crate) fn try_send(&self, bytes: Bytes) -> Result<(), TrySendError> {
        self.input.try_send(bytes).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => TrySendError::Full,
            mpsc::error::TrySendError::Closed(_) => TrySendError::Ended,
        })
    }

    pub(crate) async fn send(&self, bytes: Bytes) -> Result<(), SendError> {
        self.input.send(bytes).await.map_err(|_| SendError::Ended)
    }

    pub(crate) fn resize(&self, size: TerminalSize) {
        let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = master.resize(pty_size(size)) {
            tracing::debug!(%error, "a program was not told its size");
        }
    }

    /// Ends it, if it has not ended.
    pub(crate) fn kill(&self) {
        // One that is gone cannot be killed.
        drop(self.killer.lock().unwrap_or_else(PoisonError::into_inner).kill());
    }
}

impl Drop for LocalProgram {
    fn drop(&mut self) {
        self.kill();
    }
}

fn pty_size(size: TerminalSize) -> PtySize {
    PtySize { rows: size.rows, cols: size.cols, pixel_width: 0, pixel_height: 0 }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> LocalProgram {
        let command = LocalCommand { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] };
        LocalProgram::start(&command, TerminalSize { cols: 81, rows: 25 }).unwrap()
    }

    async fn all(program: &LocalProgram) -> String {
        let mut text = Vec::new();
        while let Some(chunk) = program.recv().await {
            text.extend_from_slice(&chunk.bytes);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    #[tokio::test]
    async fn a_program_has_a_terminal_of_the_size_and_its_end_is_told() {
        let program = sh("stty size; read line; echo \"got $line\"; exit 7");
        program.send(Bytes::from_static(b"hello\r")).await.unwrap();
        let text = all(&program).await;
        assert!(text.contains("25 81") && text.contains("got hello"), "{text}");
        let mut state = program.state();
        let ended = state.wait_for(SessionState::is_final).await.unwrap().clone();
        assert!(matches!(ended, SessionState::Ended(EndReason::Exited { code: 7 })), "{ended:?}");
    }

    #[tokio::test]
    async fn a_program_ends_with_its_terminal() {
        let program = sh("exec sleep 600");
        let mut state = program.state();
        drop(program);
        assert!(state.wait_for(SessionState::is_final).await.is_ok());
    }
}
