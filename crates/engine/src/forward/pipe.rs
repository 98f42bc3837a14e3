//! The bytes between a local connection and its lane, both ways. Each side belongs to one task: the flow's, which
//! reads and writes the local connection, and the lane's, which owns the mux session. Neither waits for the other;
//! they wake each other when there is something to do.
//!
//! What waits on the way up is bounded by the flow itself, which reads no more; what waits on the way down by the lane,
//! which is told what was written.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::end::FlowEnd;
use super::snapshot::{FlowId, LaneId};

/// Written bytes of which the lane is told without having asked.
const CREDIT_BYTES: usize = 128 * 1024;

/// One flow's bytes.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) id: FlowId,
    up: Mutex<Up>,
    down: Mutex<Down>,
    /// Wakes the task of the flow.
    flow: AtomicWaker,
    lane: OnceLock<Attachment>,
    /// Whether the lane knows that it should look at this flow.
    is_signalled: AtomicBool,
    capacity: usize,
    pub(crate) bytes_up: AtomicU64,
    pub(crate) bytes_down: AtomicU64,
    /// Mirrors what waits on the way down, for snapshots.
    pub(crate) waiting_down: AtomicUsize,
}

#[derive(Debug)]
struct Attachment {
    lane: LaneId,
    inbox: Arc<Inbox>,
    slot: AtomicU32,
}

#[derive(Debug, Default)]
struct Up {
    chunks: VecDeque<Bytes>,
    bytes: usize,
    end: UpEnd,
    /// When the local program finished sending, or was last written to after that.
    quiet_since: Option<Instant>,
}

/// How the way up goes on after what waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UpEnd {
    /// More may come.
    #[default]
    Open,
    /// The local program has finished sending.
    Finished,
    /// The flow is over; nothing of it is of use any more.
    Over,
}

#[derive(Debug, Default)]
struct Down {
    chunks: VecDeque<Bytes>,
    /// Written and not yet told to the lane.
    written: usize,
    end: Option<DownEnd>,
    /// The lane waits for what is written.
    is_awaited: bool,
}

/// How the way down ends.
#[derive(Clone, Debug)]
pub(crate) enum DownEnd {
    /// After what waits, in order: the target has closed the connection.
    Finished {
        /// What the target can not have taken.
        undelivered: u64,
    },
    /// At once.
    Cut(Box<FlowEnd>),
}

impl DownEnd {
    /// At once, for that reason.
    pub(crate) fn cut(end: FlowEnd) -> Self {
        Self::Cut(Box::new(end))
    }
}

/// What a flow finds on its way down.
pub(crate) enum Waiting {
    /// Bytes, at least one chunk.
    Chunks,
    /// Nothing yet.
    Nothing,
    /// The end.
    End(DownEnd),
}

impl Pipe {
    /// `capacity`: bytes that may wait on the way up.
    pub(crate) fn new(id: FlowId, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            id,
            up: Mutex::default(),
            down: Mutex::default(),
            flow: AtomicWaker::new(),
            lane: OnceLock::new(),
            is_signalled: AtomicBool::new(false),
            capacity: capacity.max(1),
            bytes_up: AtomicU64::new(0),
            bytes_down: AtomicU64::new(0),
            waiting_down: AtomicUsize::new(0),
        })
    }

    /// The lane that carries the flow.
    pub(crate) fn lane(&self) -> Option<LaneId> {
        self.lane.get().map(|attachment| attachment.lane)
    }

    // The flow's side.

    pub(crate) fn register(&self, cx: &Context<'_>) {
        self.flow.register(cx.waker());
    }

    /// Bytes that may be read of the local connection now; none until half of what may wait is gone.
    pub(crate) fn up_room(&self) -> usize {
        let waiting = self.up().bytes;
        if waiting > self.capacity / 2 { 0 } else { self.capacity - waiting }
    }

    /// Bytes of the local program, within the room.
    pub(crate) fn push_up(&self, chunk: Bytes) {
        let mut up = self.up();
        up.bytes += chunk.len();
        up.chunks.push_back(chunk);
        drop(up);
        self.signal();
    }

    /// The local program has finished, or the flow is over. `Over` drops what waits.
    pub(crate) fn end_up(&self, end: UpEnd) {
        let mut up = self.up();
        up.end = end;
        up.quiet_since = (end == UpEnd::Finished).then(Instant::now);
        if end == UpEnd::Over {
            up.chunks.clear();
            up.bytes = 0;
        }
        drop(up);
        self.signal();
    }

    /// Why the flow is to end at once, if it is.
    pub(crate) fn cut_end(&self) -> Option<FlowEnd> {
        match &self.down().end {
            Some(DownEnd::Cut(end)) => Some((**end).clone()),
            _ => None,
        }
    }

    /// Whether the target has said anything, or has ended.
    pub(crate) fn has_down(&self) -> bool {
        let down = self.down();
        !down.chunks.is_empty() || down.end.is_some()
    }

    /// Moves the first chunks on the way down into `into`, which keeps what was not written yet.
    pub(crate) fn take_down(&self, into: &mut VecDeque<Bytes>) -> Waiting {
        let mut down = self.down();
        if let Some(DownEnd::Cut(end)) = &down.end {
            return Waiting::End(DownEnd::Cut(end.clone()));
        }
        into.append(&mut down.chunks);
        if !into.is_empty() {
            return Waiting::Chunks;
        }
        match &down.end {
            Some(end) => Waiting::End(end.clone()),
            None => Waiting::Nothing,
        }
    }

    /// That many bytes were written to the local program, which has or has not finished sending.
    pub(crate) fn written(&self, bytes: usize, is_finishing: bool) {
        self.bytes_down.fetch_add(bytes as u64, Ordering::Relaxed);
        if is_finishing {
            self.up().quiet_since = Some(Instant::now());
        }
        let waiting = self.waiting_down.fetch_sub(bytes, Ordering::Relaxed) - bytes;
        let mut down = self.down();
        down.written += bytes;
        // The half-close grace begins when nothing waits any more.
        let tells = down.is_awaited || down.written >= CREDIT_BYTES || (waiting == 0 && is_finishing);
        drop(down);
        if tells {
            self.signal();
        }
    }

    // The lane's side.

    /// The flow belongs to this lane from now on, for good.
    pub(crate) fn attach(&self, lane: LaneId, inbox: Arc<Inbox>, slot: u32) {
        // A flow is given to one lane only, and does not move.
        let _ = self.lane.set(Attachment { lane, inbox, slot: AtomicU32::new(slot) });
        self.flow.wake();
    }

    /// The lane looks at the flow now; what happens from here on is signalled again.
    pub(crate) fn clear_signal(&self) {
        self.is_signalled.store(false, Ordering::SeqCst);
    }

    /// Gives `take` the chunks on the way up, one after the other, until it takes less than all of one; says how the
    /// way goes on once nothing waits.
    pub(crate) fn drain_up(&self, mut take: impl FnMut(&[u8]) -> usize) -> UpEnd {
        let mut up = self.up();
        let was_full = up.bytes > self.capacity / 2;
        let mut moved = 0;
        while let Some(chunk) = up.chunks.front_mut() {
            let taken = take(chunk).min(chunk.len());
            moved += taken;
            if taken < chunk.len() {
                bytes::Buf::advance(chunk, taken);
                break;
            }
            up.chunks.pop_front();
        }
        up.bytes -= moved.min(up.bytes);
        let end = if up.chunks.is_empty() { up.end } else { UpEnd::Open };
        let has_room = up.bytes <= self.capacity / 2;
        drop(up);
        self.bytes_up.fetch_add(moved as u64, Ordering::Relaxed);
        if was_full && has_room {
            self.flow.wake();
        }
        end
    }

    /// Bytes that wait on the way up.
    pub(crate) fn waiting_up(&self) -> usize {
        self.up().bytes
    }

    /// Bytes for the local program. Returns how many were written since the last call. The flow is not woken: see
    /// [`Self::wake_flow`].
    pub(crate) fn push_down(&self, chunk: Bytes) -> usize {
        self.waiting_down.fetch_add(chunk.len(), Ordering::Relaxed);
        let mut down = self.down();
        down.chunks.push_back(chunk);
        std::mem::take(&mut down.written)
    }

    pub(crate) fn wake_flow(&self) {
        self.flow.wake();
    }

    /// Bytes written since the last call. `awaits`: more of them are signalled at once.
    pub(crate) fn take_written(&self, awaits: bool) -> usize {
        let mut down = self.down();
        down.is_awaited = awaits;
        std::mem::take(&mut down.written)
    }

    /// The way down ends after what waits, or at once; the first end counts.
    pub(crate) fn end_down(&self, end: DownEnd) {
        self.down().end.get_or_insert(end);
        self.flow.wake();
    }

    /// Ends the flow at once, even while it ends in order.
    pub(crate) fn cut(&self, end: FlowEnd) {
        self.down().end = Some(DownEnd::cut(end));
        self.flow.wake();
    }

    /// Since when the local program, which has finished sending, has not been written to. `None` while it may send, and
    /// while something waits for it.
    pub(crate) fn quiet_since(&self) -> Option<Instant> {
        let since = self.up().quiet_since?;
        (self.waiting_down.load(Ordering::Relaxed) == 0).then_some(since)
    }

    /// Whether the flow's task is done with it.
    pub(crate) fn is_over(&self) -> bool {
        self.up().end == UpEnd::Over
    }

    fn signal(&self) {
        if let Some(attachment) = self.lane.get()
            && !self.is_signalled.swap(true, Ordering::SeqCst)
        {
            attachment.inbox.signal(attachment.slot.load(Ordering::Relaxed));
        }
    }

    fn up(&self) -> MutexGuard<'_, Up> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn down(&self) -> MutexGuard<'_, Down> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a lane is asked to look at.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    items: Mutex<Items>,
    lane: AtomicWaker,
}

#[derive(Debug, Default)]
pub(crate) struct Items {
    /// Flows to carry.
    pub(crate) arrivals: Vec<Arc<Pipe>>,
    /// Slots of flows on which something happened.
    pub(crate) slots: Vec<u32>,
    is_closed: bool,
}

impl Items {
    fn is_empty(&self) -> bool {
        self.arrivals.is_empty() && self.slots.is_empty()
    }
}

impl Inbox {
    /// Gives the lane a flow; false when the lane is over.
    pub(crate) fn arrive(&self, pipe: Arc<Pipe>) -> bool {
        let mut items = self.items();
        if items.is_closed {
            return false;
        }
        items.arrivals.push(pipe);
        drop(items);
        self.lane.wake();
        true
    }

    /// The lane is over; gives what it has not looked at.
    pub(crate) fn close(&self) -> Items {
        let mut items = self.items();
        std::mem::replace(&mut *items, Items { is_closed: true, ..Items::default() })
    }

    fn signal(&self, slot: u32) {
        let mut items = self.items();
        let was_empty = items.is_empty();
        items.slots.push(slot);
        drop(items);
        if was_empty {
            self.lane.wake();
        }
    }

    /// Takes everything into `into`, which is empty.
    pub(crate) fn take(&self, into: &mut Items) {
        std::mem::swap(&mut *self.items(), into);
    }

    /// Registers for the next item; true when there is one already.
    pub(crate) fn poll(&self, waker: &Waker) -> bool {
        self.lane.register(waker);
        !self.items().is_empty()
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
