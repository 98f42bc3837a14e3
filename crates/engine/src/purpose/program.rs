//! Shells and commands.

use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{DataStream, SessionKind, TerminalSize};
use tokio::sync::watch;

use super::{FULL_MESSAGE_BYTES, Io, Started, Unusable};
use crate::input::InputReceiver;
use crate::output::{OutputChunk, OutputSender};
use crate::state::{EndReason, SessionState};

/// How long the service may take to close the channel of a command that has exited.
const LINGER: Duration = Duration::from_secs(5);

/// A program on the node, with input, output and perhaps a terminal.
pub(crate) struct Program {
    input: InputReceiver,
    /// Gone once the command has exited: nothing follows its exit status.
    output: Option<OutputSender>,
    size: watch::Receiver<TerminalSize>,
    lingers_until: Option<Duration>,
}

impl Program {
    pub(crate) fn new(
        input: InputReceiver,
        output: OutputSender,
        size: watch::Receiver<TerminalSize>,
    ) -> Self {
        Self { input, output: Some(output), size, lingers_until: None }
    }

    /// Bytes of connections are nothing to show: a forward's are frames of many.
    pub(super) fn started(started: &Started) -> Result<(), Unusable> {
        match started.kind {
            SessionKind::Port => Err(Unusable(format!(
                "its document makes a {} session, which is for forwards and SSH",
                started.kind
            ))),
            _ => Ok(()),
        }
    }

    pub(super) fn data(&mut self, io: &mut Io<'_>, stream: DataStream, bytes: Bytes) {
        match &self.output {
            Some(output) => output.push(OutputChunk { stream, bytes }),
            None => io.channel.consumed(io.now, bytes.len()),
        }
    }

    pub(super) fn exit_code(&mut self, io: &mut Io<'_>, code: i32) {
        io.shared.history.note(format!("The command exited with status {code}"));
        // An exit status is the last thing a command session has to say.
        if io.shared.exit_code.set(code).is_ok() {
            self.lingers_until = Some(io.elapsed() + LINGER);
            self.output = None;
            io.shared.set(SessionState::Ended(EndReason::Exited { code }));
        }
    }

    pub(super) fn step(&mut self, io: &mut Io<'_>) {
        return_credit(self.output.as_ref(), io);
        if self.size.has_changed().unwrap_or(false) {
            let size = *self.size.borrow_and_update();
            io.channel.resize(io.now, size);
        }
        offer_input(&mut self.input, io);
    }

    pub(super) async fn wake(&mut self, has_room: bool) {
        tokio::select! {
            () = self.input.ready(), if has_room => {}
            () = credit_changed(self.output.as_ref()) => {}
            Ok(()) = size_changed(&mut self.size) => {}
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.lingers_until
    }

    pub(super) fn is_fulfilled(&self) -> bool {
        self.lingers_until.is_some()
    }
}

/// Tells the channel what the consumer took; returns how much that was.
pub(super) fn return_credit(output: Option<&OutputSender>, io: &mut Io<'_>) -> usize {
    let taken = output.map_or(0, OutputSender::take_credit);
    if taken > 0 {
        io.channel.consumed(io.now, taken);
    }
    taken
}

/// Sends what waits, as far as the window allows.
pub(super) fn offer_input(input: &mut InputReceiver, io: &mut Io<'_>) {
    loop {
        let room = io.channel.send_capacity();
        let waiting = input.waiting();
        // Less than a full message waits for more room, so that a full window is not refilled byte by byte.
        if waiting.is_empty() || room < waiting.len().min(FULL_MESSAGE_BYTES) {
            return;
        }
        let taken = io.send(waiting);
        input.consume(taken);
        if taken == 0 {
            return;
        }
    }
}

pub(super) async fn credit_changed(output: Option<&OutputSender>) {
    match output {
        Some(output) => output.credit_changed().await,
        None => std::future::pending().await,
    }
}

/// Waits for a change without marking it as seen.
async fn size_changed(size: &mut watch::Receiver<TerminalSize>) -> Result<(), watch::error::RecvError> {
    size.changed().await?;
    size.mark_changed();
    Ok(())
}
