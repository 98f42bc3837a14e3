//! From the user to the data channel: a queue bounded in bytes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};

/// Largest piece that takes room at once, so that a paste larger than the queue can pass through it.
const PIECE_BYTES: usize = 8 * 1024;

/// Why input was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The session is over, or its handle was closed.
    #[error("The session is over")]
    Ended,
    /// The input of the session was finished.
    #[error("The input of the session was finished")]
    Finished,
}

/// Why input was not taken at once. Nothing of it was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError {
    /// The session is starting or reconnecting.
    #[error("The session is not connected")]
    NotConnected,
    /// The node does not take input fast enough; the queue has no room for all of it.
    #[error("The node does not take input; 64 KiB are waiting")]
    Full,
    /// The session is over.
    #[error("The session is over")]
    Ended,
}

struct Piece {
    bytes: Bytes,
    room: OwnedSemaphorePermit,
}

/// Producer side.
#[derive(Clone, Debug)]
pub(crate) struct InputSender {
    // Held for the whole of one `send`, so that two inputs never interleave.
    pieces: Arc<Mutex<Option<mpsc::UnboundedSender<Piece>>>>,
    room: Arc<Semaphore>,
    piece_bytes: usize,
}

/// Consumer side.
pub(crate) struct InputReceiver {
    pieces: mpsc::UnboundedReceiver<Piece>,
    room: Arc<Semaphore>,
    waiting: BytesMut,
    held: Option<OwnedSemaphorePermit>,
    is_finished: bool,
}

/// A queue that holds at most `capacity` bytes, at least one.
pub(crate) fn input_queue(capacity: usize) -> (InputSender, InputReceiver) {
    let capacity = capacity.clamp(1, u32::MAX as usize >> 4);
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(capacity));
    let sender = InputSender {
        pieces: Arc::new(Mutex::new(Some(sender))),
        room: room.clone(),
        piece_bytes: PIECE_BYTES.min(capacity),
    };
    (
        sender,
        InputReceiver { pieces: receiver, room, waiting: BytesMut::new(), held: None, is_finished: false },
    )
}

impl InputSender {
    /// Queues all of `bytes`, waiting for room. Dropping the future may leave a first part queued.
    pub(crate) async fn send(&self, mut bytes: Bytes) -> Result<(), SendError> {
        let pieces = self.pieces.lock().await;
        let pieces = pieces.as_ref().ok_or(SendError::Finished)?;
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(self.piece_bytes));
            let permits = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            let room = self.room.clone().acquire_many_owned(permits).await.map_err(|_| SendError::Ended)?;
            pieces.send(Piece { bytes: piece, room }).map_err(|_| SendError::Ended)?;
        }
        Ok(())
    }

    /// Nothing more will be sent by any of the senders. Waits for those that are sending.
    pub(crate) async fn finish(&self) {
        *self.pieces.lock().await = None;
    }

    /// Queues all of `bytes` or nothing.
    pub(crate) fn try_send(&self, bytes: Bytes) -> Result<(), TrySendError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let Ok(pieces) = self.pieces.try_lock() else { return Err(TrySendError::Full) };
        let Some(pieces) = &*pieces else { return Err(TrySendError::Ended) };
        let permits = u32::try_from(bytes.len()).map_err(|_| TrySendError::Full)?;
        let room = match self.room.clone().try_acquire_many_owned(permits) {
            Ok(room) => room,
            Err(tokio::sync::TryAcquireError::Closed) => return Err(TrySendError::Ended),
            Err(tokio::sync::TryAcquireError::NoPermits) => return Err(TrySendError::Full),
        };
        pieces.send(Piece { bytes, room }).map_err(|_| TrySendError::Ended)
    }
}

impl InputReceiver {
    /// Waits until there is input to look at with [`Self::waiting`], or until the input is finished, unless that was
    /// noticed before. Cancel safe.
    pub(crate) async fn ready(&mut self) {
        if !self.waiting.is_empty() {
            return;
        }
        if self.is_finished {
            return std::future::pending().await;
        }
        match self.pieces.recv().await {
            Some(piece) => self.take(piece),
            None => self.is_finished = true,
        }
    }

    /// Whether all input was consumed and there will be no more: it was finished, or all senders are gone.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_finished && self.waiting.is_empty()
    }

    /// Input that was not consumed yet, adjacent pieces joined up to about 8 KiB.
    pub(crate) fn waiting(&mut self) -> &[u8] {
        while self.waiting.len() < PIECE_BYTES {
            match self.pieces.try_recv() {
                Ok(piece) => self.take(piece),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.is_finished = true;
                    break;
                }
            }
        }
        &self.waiting
    }

    /// The channel took the first `count` bytes of [`Self::waiting`]: gives their room back.
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.waiting.len());
        bytes::Buf::advance(&mut self.waiting, count);
        if let Some(held) = &mut self.held {
            drop(held.split(count));
        }
    }

    fn take(&mut self, piece: Piece) {
        self.waiting.extend_from_slice(&piece.bytes);
        match &mut self.held {
            Some(held) => held.merge(piece.room),
            None => self.held = Some(piece.room),
        }
    }
}

impl Drop for InputReceiver {
    fn drop(&mut self) {
        // Wakes producers that wait for room with `Ended`.
        self.room.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_pieces_join_and_their_room_returns() {
        let (sender, mut receiver) = input_queue(8);
        for byte in *b"abcdefgh" {
            assert_eq!(sender.try_send(Bytes::copy_from_slice(&[byte])), Ok(()));
        }
        assert_eq!(sender.try_send(Bytes::from_static(b"i")), Err(TrySendError::Full));
        receiver.ready().await;
        assert_eq!(receiver.waiting(), b"abcdefgh");
        receiver.consume(3);
        assert_eq!(receiver.waiting(), b"defgh");
        assert_eq!(sender.try_send(Bytes::from_static(b"ijkl")), Err(TrySendError::Full), "all or nothing");
        assert_eq!(sender.try_send(Bytes::from_static(b"ijk")), Ok(()));
        assert_eq!(receiver.waiting(), b"defghijk");
    }

    #[tokio::test]
    async fn more_than_the_queue_holds_passes_through_it_whole() {
        let (sender, mut receiver) = input_queue(1000);
        let paste: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
        let sending = tokio::spawn({
            let paste = Bytes::from(paste.clone());
            async move { sender.send(paste).await }
        });
        let mut received = Vec::new();
        while received.len() < paste.len() {
            receiver.ready().await;
            let piece = receiver.waiting().to_vec();
            assert!(piece.len() <= 1000);
            receiver.consume(piece.len());
            received.extend(piece);
        }
        assert!(received == paste);
        assert_eq!(sending.await.expect("task"), Ok(()));
    }

    #[tokio::test]
    async fn finished_input_is_finished_after_its_last_byte() {
        let (sender, mut receiver) = input_queue(8);
        sender.send(Bytes::from_static(b"last")).await.expect("room");
        sender.finish().await;
        assert_eq!(sender.send(Bytes::from_static(b"x")).await, Err(SendError::Finished));
        receiver.ready().await;
        assert_eq!(receiver.waiting(), b"last");
        assert!(!receiver.is_finished());
        receiver.consume(4);
        assert!(receiver.is_finished() && receiver.waiting().is_empty());
    }

    #[tokio::test]
    async fn producers_learn_that_the_session_is_over() {
        let (sender, receiver) = input_queue(4);
        let waiting = tokio::spawn({
            let sender = sender.clone();
            async move { sender.send(Bytes::from_static(b"more than four")).await }
        });
        tokio::task::yield_now().await;
        drop(receiver);
        assert_eq!(waiting.await.expect("task"), Err(SendError::Ended));
        assert_eq!(sender.try_send(Bytes::from_static(b"x")), Err(TrySendError::Ended));
    }
}
