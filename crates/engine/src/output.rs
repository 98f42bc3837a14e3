//! From the data channel to the consumer. What waits here is bounded by the receive budget of the protocol: bytes
//! the consumer has not taken are not `consumed`, and a full budget stops acknowledging, which pushes the agent back
//! (protocol.md 6.3) while acks of input, pongs and typing go on.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use fleetline_protocol::DataStream;
use tokio::sync::{Mutex, Notify, mpsc};

/// Most bytes handed out at once when small chunks are joined.
const JOINED_BYTES: usize = 64 * 1024;

/// Bytes from the node, in order. `Debug` shows their number only.
#[derive(Clone, PartialEq, Eq)]
pub struct OutputChunk {
    /// Output or standard error; shells have only the first.
    pub stream: DataStream,
    /// At least one byte. Adjacent messages of one stream are joined up to 64 KiB.
    pub bytes: Bytes,
}

impl fmt::Debug for OutputChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutputChunk({:?}, {} bytes)", self.stream, self.bytes.len())
    }
}

#[derive(Debug, Default)]
struct Credit {
    taken: AtomicUsize,
    changed: Notify,
}

/// Driver side.
#[derive(Debug)]
pub(crate) struct OutputSender {
    chunks: mpsc::UnboundedSender<OutputChunk>,
    credit: Arc<Credit>,
}

/// Consumer side.
#[derive(Debug)]
pub(crate) struct OutputReceiver {
    reader: Mutex<Reader>,
    credit: Arc<Credit>,
}

#[derive(Debug)]
struct Reader {
    chunks: mpsc::UnboundedReceiver<OutputChunk>,
    ahead: Option<OutputChunk>,
}

pub(crate) fn output_queue() -> (OutputSender, OutputReceiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let credit = Arc::new(Credit::default());
    let reader = Mutex::new(Reader { chunks: receiver, ahead: None });
    (OutputSender { chunks: sender, credit: credit.clone() }, OutputReceiver { reader, credit })
}

impl OutputSender {
    /// Hands a chunk over; the caller keeps within the receive budget.
    pub(crate) fn push(&self, chunk: OutputChunk) {
        let bytes = chunk.bytes.len();
        if self.chunks.send(chunk).is_err() {
            // Nobody will read again: the session is being closed, and the agent need not wait for it.
            self.credit.give(bytes);
        }
    }

    /// Bytes the consumer took since the last call.
    pub(crate) fn take_credit(&self) -> usize {
        self.credit.taken.swap(0, Ordering::AcqRel)
    }

    /// Waits until there may be new credit. Cancel safe.
    pub(crate) async fn credit_changed(&self) {
        self.credit.changed.notified().await;
    }
}

impl OutputReceiver {
    /// The next chunk; `None` once the session is over and everything was taken. Cancel safe.
    pub(crate) async fn recv(&self) -> Option<OutputChunk> {
        let mut reader = self.reader.lock().await;
        let first = match reader.ahead.take() {
            Some(chunk) => chunk,
            None => reader.chunks.recv().await?,
        };
        let chunk = reader.join(first);
        self.credit.give(chunk.bytes.len());
        Some(chunk)
    }
}

impl Reader {
    fn join(&mut self, first: OutputChunk) -> OutputChunk {
        let mut joined: Option<BytesMut> = None;
        let mut length = first.bytes.len();
        while length < JOINED_BYTES {
            let Ok(next) = self.chunks.try_recv() else { break };
            if next.stream != first.stream || length + next.bytes.len() > JOINED_BYTES {
                self.ahead = Some(next);
                break;
            }
            length += next.bytes.len();
            joined.get_or_insert_with(|| BytesMut::from(&first.bytes[..])).extend_from_slice(&next.bytes);
        }
        match joined {
            Some(bytes) => OutputChunk { stream: first.stream, bytes: bytes.freeze() },
            None => first,
        }
    }
}

impl Credit {
    fn give(&self, bytes: usize) {
        self.taken.fetch_add(bytes, Ordering::AcqRel);
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(stream: DataStream, bytes: &'static [u8]) -> OutputChunk {
        OutputChunk { stream, bytes: Bytes::from_static(bytes) }
    }

    #[tokio::test]
    async fn neighbours_of_one_stream_join_and_streams_stay_apart() {
        let (sender, receiver) = output_queue();
        for (stream, bytes) in [
            (DataStream::Output, &b"ab"[..]),
            (DataStream::Output, b"c"),
            (DataStream::StdErr, b"x"),
            (DataStream::Output, b"d"),
        ] {
            sender.push(chunk(stream, bytes));
        }
        drop(sender);
        assert_eq!(receiver.recv().await, Some(chunk(DataStream::Output, b"abc")));
        assert_eq!(receiver.recv().await, Some(chunk(DataStream::StdErr, b"x")));
        assert_eq!(receiver.recv().await, Some(chunk(DataStream::Output, b"d")));
        assert_eq!(receiver.recv().await, None);
    }

    #[tokio::test]
    async fn credit_is_returned_for_what_was_taken_only() {
        let (sender, receiver) = output_queue();
        sender.push(chunk(DataStream::Output, b"abc"));
        assert_eq!(sender.take_credit(), 0);
        receiver.recv().await;
        sender.credit_changed().await;
        assert_eq!(sender.take_credit(), 3);
        assert_eq!(sender.take_credit(), 0);
    }
}
