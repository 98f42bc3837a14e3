//! One connection of a port session: a task for each direction, so that neither waits for the other.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use super::destination::Connection;

/// Bytes of one read from the server, as the real agent's copier.
const READ_BYTES: usize = 32 * 1024;

/// Below this much room a new buffer is made.
const LEAST_ROOM: usize = 4 * 1024;

/// What happens on a connection.
#[derive(Debug)]
pub(super) enum FlowEvent {
    /// The server said this. No more is read until [`Flow::taken`].
    Read(Bytes),
    /// The server says no more; with the error if it did not end properly.
    ReadEnded(Option<io::Error>),
    /// The server took this many bytes.
    Written(usize),
    /// Everything was written and nothing more will be.
    WriteEnded,
    /// The server takes no more.
    WriteFailed,
}

/// An open connection. Dropping it closes both directions.
#[derive(Debug)]
pub(super) struct Flow {
    /// Bounded by who writes: bytes count as unconsumed until they are `Written`.
    to_write: Option<mpsc::UnboundedSender<Bytes>>,
    credit: Arc<Semaphore>,
    tasks: [AbortHandle; 2],
}

impl Flow {
    /// Serves `connection`; its events carry `key`.
    pub(super) fn start<K: Copy + Send + 'static>(
        tasks: &TaskTracker,
        key: K,
        connection: Connection,
        events: &mpsc::UnboundedSender<(K, FlowEvent)>,
    ) -> Self {
        let Connection { reader, writer } = connection;
        let credit = Arc::new(Semaphore::new(1));
        let (to_write, chunks) = mpsc::unbounded_channel();
        let reading = read(reader, Arc::clone(&credit), key, events.clone());
        let writing = write(writer, chunks, key, events.clone());
        let tasks = [tasks.spawn(reading).abort_handle(), tasks.spawn(writing).abort_handle()];
        Self { to_write: Some(to_write), credit, tasks }
    }

    /// Gives bytes to the server. After [`finish`](Self::finish) and after a failure they are dropped.
    pub(super) fn write(&self, bytes: Bytes) {
        if let Some(to_write) = &self.to_write {
            to_write.send(bytes).ok();
        }
    }

    /// The bytes of the last `Read` were taken.
    pub(super) fn taken(&self) {
        self.credit.add_permits(1);
    }

    /// Nothing more will be written: `WriteEnded` follows the last byte.
    pub(super) fn finish(&mut self) {
        self.to_write = None;
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn read<K: Copy>(
    mut reader: impl AsyncRead + Unpin,
    credit: Arc<Semaphore>,
    key: K,
    events: mpsc::UnboundedSender<(K, FlowEvent)>,
) {
    let mut buffer = BytesMut::with_capacity(READ_BYTES);
    loop {
        let Ok(permit) = credit.acquire().await else { return };
        permit.forget();
        if buffer.capacity() - buffer.len() < LEAST_ROOM {
            buffer.reserve(READ_BYTES);
        }
        let event = match reader.read_buf(&mut buffer).await {
            Ok(0) => FlowEvent::ReadEnded(None),
            Ok(_) => FlowEvent::Read(buffer.split().freeze()),
            Err(error) => FlowEvent::ReadEnded(Some(error)),
        };
        let is_over = matches!(event, FlowEvent::ReadEnded(_));
        if events.send((key, event)).is_err() || is_over {
            return;
        }
    }
}

async fn write<K: Copy>(
    mut writer: impl AsyncWrite + Unpin,
    mut chunks: mpsc::UnboundedReceiver<Bytes>,
    key: K,
    events: mpsc::UnboundedSender<(K, FlowEvent)>,
) {
    while let Some(bytes) = chunks.recv().await {
        let event = match writer.write_all(&bytes).await {
            Ok(()) => FlowEvent::Written(bytes.len()),
            Err(error) => {
                tracing::debug!(%error, "a server takes no more");
                events.send((key, FlowEvent::WriteFailed)).ok();
                return;
            }
        };
        if events.send((key, event)).is_err() {
            return;
        }
    }
    events.send((key, FlowEvent::WriteEnded)).ok();
    // Closing the writing half alone would be a half-close, which agents never do: it closes with the connection.
    std::future::pending().await
}
