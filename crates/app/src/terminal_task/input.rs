//! Bytes on their way to the node: keys at once or not at all, pastes in order and bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use fleetline_engine::TrySendError;
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::sync::mpsc;

use super::line::Line;

/// Bytes that may wait for a node that takes them slowly, beside the engine's own queue: one paste of the largest
/// size and what is typed after it.
const WAITING_LIMIT: usize = 2 * 1024 * 1024;

/// Sends input in order. What the engine cannot take at once waits in a task of its own, so that the terminal goes
/// on painting.
pub(super) struct Input {
    line: Arc<Line>,
    queue: mpsc::UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

impl Input {
    pub(super) fn new(line: Arc<Line>) -> Self {
        let (queue, mut queued) = mpsc::unbounded_channel::<Bytes>();
        let waiting = Arc::new(AtomicUsize::new(0));
        tokio::spawn({
            let (line, waiting) = (line.clone(), waiting.clone());
            async move {
                while let Some(bytes) = queued.recv().await {
                    let len = bytes.len();
                    let sent = line.send(bytes).await;
                    waiting.fetch_sub(len, Ordering::Relaxed);
                    if sent.is_err() {
                        // The state of the session says why; what still waits has nowhere to go.
                        break;
                    }
                }
            }
        });
        Self { line, queue, waiting }
    }

    /// Takes all of the bytes or none of them.
    pub(super) fn send(&self, bytes: Vec<u8>) -> Result<(), CommandError> {
        let bytes = Bytes::from(bytes);
        if self.waiting.load(Ordering::Relaxed) == 0 {
            match self.line.try_send(bytes.clone()) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
        let len = bytes.len();
        if self.waiting.fetch_add(len, Ordering::Relaxed).saturating_add(len) > WAITING_LIMIT {
            self.waiting.fetch_sub(len, Ordering::Relaxed);
            return Err(CommandError::new(
                ErrorCode::Throttled,
                "The node does not take input: 2 MiB are waiting, so this was not sent.",
            ));
        }
        self.queue.send(bytes).map_err(|_| refusal(TrySendError::Ended))
    }
}

fn refusal(error: TrySendError) -> CommandError {
    match error {
        TrySendError::NotConnected => CommandError::new(
            ErrorCode::NetworkUnreachable,
            "The session is not connected right now, so what you type is not sent.",
        ),
        TrySendError::Full => {
            CommandError::new(ErrorCode::Throttled, "The node does not take input right now.")
        }
        TrySendError::Ended => over(),
    }
}

/// There is no session to send to.
pub(super) fn over() -> CommandError {
    CommandError {
        hint: Some("Start a new session in this tab.".to_owned()),
        ..CommandError::new(ErrorCode::SessionEnded, "The session is over, so what you type is not sent.")
    }
}
