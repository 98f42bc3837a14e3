//! A program on a pty. Reading, writing and waiting block, so each has a thread; all three end with the program.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{PayloadType, TerminalSize};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::home::Home;
use super::platform;
use super::program::{Activity, Chunk, StartError};
use super::shell::CommandLine;
use super::utf8_cut::cut;

/// Bytes of one read, as the real agent.
const READ_BYTES: usize = 1024;

/// How long output may still come after the program's end: something it left behind may hold the terminal open.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// How long a killed program may take to be gone.
const KILL_WAIT: Duration = Duration::from_secs(2);

/// A program on a pty.
pub(super) struct RunningPty {
    /// `None` once it is closed.
    master: Option<Box<dyn MasterPty + Send>>,
    /// Bounded by the channel's receive budget: input is acknowledged only after it was written.
    input: mpsc::UnboundedSender<Bytes>,
    written: mpsc::UnboundedReceiver<usize>,
    exited: CancellationToken,
    /// Whether the program has ended.
    is_over: bool,
    /// When it last said something.
    quiet_since: Instant,
    leader: Option<u32>,
}

impl std::fmt::Debug for RunningPty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningPty").field("leader", &self.leader).finish_non_exhaustive()
    }
}

impl RunningPty {
    pub(super) fn start(
        line: &CommandLine,
        home: &Home,
        chunks: mpsc::Sender<Chunk>,
    ) -> Result<Self, StartError> {
        let failed =
            |error: &dyn std::fmt::Display| StartError(format!("Unable to start the shell: {error}"));
        // The real agent leaves the size at zero until the client tells it (protocol.md 7.2).
        let size = PtySize { rows: 0, cols: 0, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(if cfg!(windows) { PtySize::default() } else { size });
        let pair = pair.map_err(|error| failed(&error))?;
        let mut command = CommandBuilder::new(&line.program);
        command.args(&line.args);
        command.cwd(home.path());
        command.env_clear();
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        let mut child = pair.slave.spawn_command(command).map_err(|error| failed(&error))?;
        // While this process holds the slave, the end of the program is not seen as the end of its output.
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().map_err(|error| failed(&error))?;
        let writer = pair.master.take_writer().map_err(|error| failed(&error))?;
        let leader = child.process_id();
        let (input, to_write) = mpsc::unbounded_channel();
        let (report, written) = mpsc::unbounded_channel();
        let exited = CancellationToken::new();
        let exit = exited.clone();
        spawn("pty-read", move || read(reader, &chunks))?;
        spawn("pty-write", move || write(writer, to_write, &report))?;
        spawn("pty-wait", move || {
            if let Err(error) = child.wait() {
                tracing::warn!(%error, "cannot wait for a shell");
            }
            exit.cancel();
        })?;
        Ok(Self {
            master: Some(pair.master),
            input,
            written,
            exited,
            is_over: false,
            quiet_since: Instant::now(),
            leader,
        })
    }

    pub(super) fn input(&self, bytes: Bytes) {
        // The writer is gone when the terminal is; then nobody is left to read.
        self.input.send(bytes).ok();
    }

    /// Waits for the next thing the program does; output is taken only when `reading`.
    pub(super) async fn next(&mut self, output: &mut mpsc::Receiver<Chunk>, reading: bool) -> Activity {
        loop {
            tokio::select! {
                biased;
                chunk = output.recv(), if reading => {
                    self.quiet_since = Instant::now();
                    return Activity::Output(chunk);
                }
                Some(count) = self.written.recv() => return Activity::Consumed(count),
                () = self.exited.cancelled(), if !self.is_over => {
                    self.is_over = true;
                    self.quiet_since = Instant::now();
                    if cfg!(windows) {
                        // A pseudo console ends its output only when it is closed.
                        self.master = None;
                    }
                }
                () = tokio::time::sleep_until(self.quiet_since + LAST_OUTPUT), if self.is_over && reading => {
                    return Activity::Output(None);
                }
                else => return std::future::pending().await,
            }
        }
    }

    pub(super) fn resize(&self, size: TerminalSize) {
        let size = PtySize { rows: size.rows, cols: size.cols, pixel_width: 0, pixel_height: 0 };
        if let Some(Err(error)) = self.master.as_ref().map(|master| master.resize(size)) {
            tracing::debug!(%error, "cannot resize a pty");
        }
    }

    pub(super) async fn end(mut self) {
        // The leader's number may belong to somebody else once it has been waited for, but a session or group keeps
        // its number as long as anything is in it.
        if let Some(leader) = self.leader {
            platform::kill_tree(leader);
        }
        self.master = None;
        if tokio::time::timeout(KILL_WAIT, self.exited.cancelled()).await.is_err() {
            tracing::warn!(leader = self.leader, "a killed shell is not gone yet");
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(|error| StartError(format!("Unable to start the shell: {error}")))
}

fn read(mut reader: Box<dyn Read + Send>, chunks: &mpsc::Sender<Chunk>) {
    let send = |bytes: &[u8]| {
        let chunk = Chunk { payload_type: PayloadType::Output, bytes: Bytes::copy_from_slice(bytes) };
        chunks.blocking_send(chunk).is_ok()
    };
    let mut buffer = [0; READ_BYTES];
    let mut held = 0;
    loop {
        // An error is how Linux says that the other end of a pty is closed.
        let count = match reader.read(&mut buffer[held..]) {
            Ok(0) | Err(_) => break,
            Ok(count) => held + count,
        };
        let sendable = cut(&buffer[..count]);
        if sendable > 0 && !send(&buffer[..sendable]) {
            return;
        }
        buffer.copy_within(sendable..count, 0);
        held = count - sendable;
    }
    if held > 0 {
        send(&buffer[..held]);
    }
}

fn write(
    mut writer: Box<dyn Write + Send>,
    mut input: mpsc::UnboundedReceiver<Bytes>,
    written: &mpsc::UnboundedSender<usize>,
) {
    while let Some(bytes) = input.blocking_recv() {
        if writer.write_all(&bytes).and_then(|()| writer.flush()).is_err() {
            return;
        }
        if written.send(bytes.len()).is_err() {
            return;
        }
    }
}
