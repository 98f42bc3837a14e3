//! A queue bounded in bytes between two tasks.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// The receiving half is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// Puts items in.
#[derive(Debug)]
pub(crate) struct PipeSender<T> {
    items: mpsc::UnboundedSender<(T, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
    limit: usize,
}

/// Takes items out, in order.
#[derive(Debug)]
pub(crate) struct PipeReceiver<T> {
    items: mpsc::UnboundedReceiver<(T, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

/// A pipe that holds items of `limit` bytes together. A larger item passes alone.
pub(crate) fn pipe<T>(limit: usize) -> (PipeSender<T>, PipeReceiver<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(limit));
    (PipeSender { items: sender, room: Arc::clone(&room), limit }, PipeReceiver { items: receiver, room })
}

/// Room for one item.
#[derive(Debug)]
pub(crate) struct Room(OwnedSemaphorePermit);

impl<T> PipeSender<T> {
    /// Waits for room for an item of `bytes`. Dropping the future loses nothing.
    pub(crate) async fn reserve(&self, bytes: usize) -> Result<Room, Closed> {
        let wanted = u32::try_from(bytes.clamp(1, self.limit)).unwrap_or(u32::MAX);
        Arc::clone(&self.room).acquire_many_owned(wanted).await.map(Room).map_err(|_| Closed)
    }

    /// Room for an item of `bytes` if there is any now.
    pub(crate) fn try_reserve(&self, bytes: usize) -> Option<Room> {
        let wanted = u32::try_from(bytes.clamp(1, self.limit)).unwrap_or(u32::MAX);
        Arc::clone(&self.room).try_acquire_many_owned(wanted).ok().map(Room)
    }

    /// Puts an item in that takes no room, such as a rare order.
    pub(crate) fn put_free(&self, item: T) -> Result<(), Closed> {
        let room = Arc::clone(&self.room).try_acquire_many_owned(0).map_err(|_| Closed)?;
        self.put(Room(room), item)
    }

    /// Puts an item into reserved room.
    pub(crate) fn put(&self, room: Room, item: T) -> Result<(), Closed> {
        self.items.send((item, room.0)).map_err(|_| Closed)
    }
}

impl<T> PipeReceiver<T> {
    /// The next item; `None` when the sender is gone and all is taken.
    pub(crate) async fn take(&mut self) -> Option<T> {
        self.items.recv().await.map(|(item, _room)| item)
    }
}

impl<T> Drop for PipeReceiver<T> {
    fn drop(&mut self) {
        // Senders that wait for room learn that nobody will make any.
        self.room.close();
    }
}

#[cfg(test)]
mod tests {
    use super::{Closed, pipe};

    #[tokio::test]
    async fn senders_wait_for_room_and_large_items_pass_alone() {
        let (sender, mut receiver) = pipe::<&str>(4);
        let room = sender.reserve(3).await.unwrap();
        sender.put(room, "abc").unwrap();
        assert!(sender.try_reserve(2).is_none(), "only one byte is left");
        let last = sender.try_reserve(1).unwrap();
        sender.put_free("order").unwrap();
        assert_eq!(receiver.take().await, Some("abc"));
        assert_eq!(receiver.take().await, Some("order"));
        drop(last);
        let room = sender.reserve(100).await.unwrap();
        sender.put(room, "large").unwrap();
        assert!(sender.try_reserve(1).is_none());
        assert_eq!(receiver.take().await, Some("large"));
        drop(sender);
        assert_eq!(receiver.take().await, None);
    }

    #[tokio::test]
    async fn waiting_senders_learn_that_the_receiver_is_gone() {
        let (sender, receiver) = pipe::<()>(1);
        let _held = sender.reserve(1).await.unwrap();
        let waiting = sender.reserve(1);
        drop(receiver);
        assert_eq!(waiting.await.err(), Some(Closed));
    }
}
