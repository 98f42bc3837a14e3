//! A command without terminal (protocol.md 7.7).

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::PayloadType;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::home::Home;
use super::platform::{self, Interrupt};
use super::program::Chunk;
use super::words;

/// Bytes of one message, separator prefix included.
const READ_BYTES: usize = 1024;

/// How long a killed command's output may take to end.
const KILL_WAIT: Duration = Duration::from_secs(2);

/// A running command.
#[derive(Debug)]
pub(super) struct RunningCommand {
    leader: Option<u32>,
    /// Bytes of input that were looked at. Bounded by the channel's receive budget.
    take: mpsc::UnboundedSender<usize>,
    taken: mpsc::UnboundedReceiver<usize>,
    kill: CancellationToken,
    task: JoinHandle<()>,
}

impl RunningCommand {
    /// Starts `command`. That it cannot be started is told as its output, as the real agent does.
    pub(super) fn start(
        command: &str,
        separate: bool,
        prefixes: [String; 2],
        home: &Home,
        chunks: mpsc::Sender<Chunk>,
    ) -> Self {
        let kill = CancellationToken::new();
        let started = spawn(command, separate, home);
        let leader = started.as_ref().ok().and_then(|(child, _)| child.id());
        let killed = kill.clone();
        let task = tokio::spawn(async move {
            let Output { chunks, .. } = match started {
                Ok((child, file)) => {
                    let output = Output { chunks, prefixes };
                    match file {
                        Some(file) => output.joined(child, file, &killed).await,
                        None => output.separate(child, &killed).await,
                    }
                }
                Err(text) => {
                    let output = Output { chunks, prefixes };
                    output.send(PayloadType::StdErr, text.into_bytes()).await;
                    if separate {
                        output.send(PayloadType::ExitCode, b"EXIT_CODE: 1".to_vec()).await;
                    }
                    output
                }
            };
            drop(chunks);
        });
        let (take, taken) = mpsc::unbounded_channel();
        Self { leader, take, taken, kill, task }
    }

    /// Only two bytes mean something: interrupt and quit, the first of them.
    pub(super) fn input(&self, bytes: &[u8]) {
        let signal = bytes.iter().find_map(|byte| match byte {
            0x03 => Some(Interrupt::Interrupt),
            0x1c => Some(Interrupt::Quit),
            _ => None,
        });
        if let (Some(signal), Some(leader), false) = (signal, self.leader, self.task.is_finished()) {
            platform::interrupt(leader, signal);
        }
        self.take.send(bytes.len()).ok();
    }

    pub(super) async fn consumed(&mut self) -> usize {
        match self.taken.recv().await {
            Some(count) => count,
            None => std::future::pending().await,
        }
    }

    pub(super) async fn end(self) {
        if let Some(leader) = self.leader {
            platform::kill_tree(leader);
        }
        self.kill.cancel();
        let abort = self.task.abort_handle();
        if tokio::time::timeout(KILL_WAIT, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// Where both outputs of a joined command are collected.
type OutputFile = std::fs::File;

fn spawn(command: &str, separate: bool, home: &Home) -> Result<(Child, Option<OutputFile>), String> {
    let words = words::split(command).map_err(|error| error.to_string())?;
    let (program, args) = words.split_first().ok_or("the command is empty")?;
    let mut command = Command::new(program);
    command.args(args).current_dir(home.path()).env_clear().envs(home.environment());
    command.stdin(Stdio::null()).kill_on_drop(true);
    platform::own_group(&mut command);
    let file = if separate {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        None
    } else {
        let file = tempfile::tempfile_in(home.path()).map_err(|error| error.to_string())?;
        let clone = || file.try_clone().map_err(|error| error.to_string());
        command.stdout(clone()?).stderr(clone()?);
        Some(file)
    };
    let child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    Ok((child, file))
}

/// Where output goes.
struct Output {
    chunks: mpsc::Sender<Chunk>,
    prefixes: [String; 2],
}

impl Output {
    /// Both outputs in one file, sent after the end.
    async fn joined(self, mut child: Child, file: OutputFile, killed: &CancellationToken) -> Self {
        tokio::select! {
            waited = child.wait() => if let Err(error) = waited {
                tracing::warn!(%error, "cannot wait for a command");
            },
            () = killed.cancelled() => return self,
        }
        let mut file = file;
        let rewound = std::io::Seek::rewind(&mut file);
        let mut file = tokio::fs::File::from_std(file);
        if rewound.is_ok() {
            self.pump(&mut file, PayloadType::Output, "").await;
        }
        self
    }

    /// Both outputs streamed apart, then the exit status.
    async fn separate(self, mut child: Child, killed: &CancellationToken) -> Self {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let [out_prefix, err_prefix] = &self.prefixes;
        let pumps = async {
            tokio::join!(
                async {
                    if let Some(mut stdout) = stdout {
                        self.pump(&mut stdout, PayloadType::Output, out_prefix).await;
                    }
                },
                async {
                    if let Some(mut stderr) = stderr {
                        self.pump(&mut stderr, PayloadType::StdErr, err_prefix).await;
                    }
                }
            );
            child.wait().await
        };
        let status = tokio::select! {
            status = pumps => status,
            () = killed.cancelled() => return self,
        };
        // Without a code it was a signal.
        let code = status.ok().and_then(|status| status.code()).unwrap_or(-1);
        self.send(PayloadType::ExitCode, format!("EXIT_CODE: {code}").into_bytes()).await;
        self
    }

    /// Sends what `source` says; `prefix` goes before the first read and after each read that ended a line.
    async fn pump(&self, source: &mut (impl AsyncRead + Unpin), payload_type: PayloadType, prefix: &str) {
        let mut at_line_start = true;
        let mut buffer = vec![0; READ_BYTES - prefix.len()];
        loop {
            let count = match source.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(count) => count,
            };
            let mut bytes = Vec::with_capacity(prefix.len() + count);
            if at_line_start {
                bytes.extend_from_slice(prefix.as_bytes());
            }
            bytes.extend_from_slice(&buffer[..count]);
            at_line_start = bytes.last() == Some(&b'\n');
            if !self.send(payload_type, bytes).await {
                return;
            }
        }
    }

    async fn send(&self, payload_type: PayloadType, bytes: Vec<u8>) -> bool {
        self.chunks.send(Chunk { payload_type, bytes: Bytes::from(bytes) }).await.is_ok()
    }
}
