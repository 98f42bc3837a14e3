//! One local connection: read and written by a task of its own, so that only itself waits for it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::end::FlowEnd;
use super::filter::{Filtered, FlowFilter};
use super::goal::Goal;
use super::opening::{Opened, Opening};
use super::pipe::{DownEnd, Pipe, UpEnd, Waiting};

/// What is read at once, at first and at most: as long as reads fill the buffer it grows.
const FIRST_READ: usize = 4 * 1024;
const LARGEST_READ: usize = 64 * 1024;
/// Chunks written with one call.
const VECTORS: usize = 64;
/// How long a local program may go on sending after the target has closed. Closing with unread input would reset the
/// connection, and the program could lose the end of the answer.
const LINGER: Duration = Duration::from_secs(2);

/// A local connection.
pub(crate) trait LocalStream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Dropping it from now on resets the connection, where there is such a thing.
    fn prepare_reset(&self) {}
}

impl LocalStream for TcpStream {
    fn prepare_reset(&self) {
        if let Err(error) = self.set_zero_linger() {
            tracing::debug!(%error, "the connection cannot be reset");
        }
    }
}

/// Any other stream.
pub(crate) struct Plain<S>(pub(crate) S);

impl<S: AsyncRead + Unpin> AsyncRead for Plain<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Plain<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> LocalStream for Plain<S> {}

/// The task of a flow.
pub(crate) struct Pump {
    stream: Box<dyn LocalStream>,
    pipe: Arc<Pipe>,
    buffer: BytesMut,
    read_bytes: usize,
    /// Whether the local program may still send.
    is_up_open: bool,
    /// Taken of the pipe and not written.
    unwritten: VecDeque<bytes::Bytes>,
    is_unflushed: bool,
    closing: Option<Closing>,
    opening: Option<Opening>,
    /// Where it goes, until that has answered.
    goal: Option<Arc<Goal>>,
    filter: Option<Box<dyn FlowFilter>>,
    filter_timer: Option<Pin<Box<Sleep>>>,
    /// The local program knows that nothing more comes.
    is_told: bool,
}

/// The target has closed, or a filter has refused; the local connection is being closed.
struct Closing {
    undelivered: u64,
    /// The end, when a filter is the cause.
    refused: Option<FlowEnd>,
    is_shut: bool,
    /// Ends the wait for the local program.
    linger: Pin<Box<Sleep>>,
}

impl Pump {
    pub(crate) fn new(
        stream: Box<dyn LocalStream>,
        pipe: Arc<Pipe>,
        opening: Option<Opening>,
        filter: Option<Box<dyn FlowFilter>>,
    ) -> Self {
        Self {
            stream,
            pipe,
            buffer: BytesMut::new(),
            read_bytes: FIRST_READ,
            is_up_open: true,
            unwritten: VecDeque::new(),
            is_unflushed: false,
            closing: None,
            opening,
            goal: None,
            filter,
            filter_timer: None,
            is_told: false,
        }
    }

    /// Lives the flow to its end. The local connection is closed or reset by then.
    pub(crate) async fn run(mut self) -> FlowEnd {
        let end = match self.opening.take() {
            None => poll_fn(|cx| self.poll(cx)).await,
            Some(opening) => match opening.run(&mut *self.stream, &self.pipe).await {
                Opened::Established(goal, early) => {
                    self.goal = Some(goal);
                    if !early.is_empty() {
                        self.pipe.push_up(early);
                    }
                    poll_fn(|cx| self.poll(cx)).await
                }
                Opened::Told(end) => {
                    self.is_told = true;
                    end
                }
                Opened::Cut(end) => end,
            },
        };
        self.pipe.end_up(UpEnd::Over);
        if !end.is_orderly() && !self.is_told {
            self.stream.prepare_reset();
        }
        end
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<FlowEnd> {
        self.pipe.register(cx);
        if let Some(end) = self.poll_down(cx) {
            return Poll::Ready(end);
        }
        if self.closing.is_some() {
            return self.poll_closing(cx);
        }
        match self.poll_up(cx) {
            Some(end) => Poll::Ready(end),
            None => Poll::Pending,
        }
    }

    fn poll_down(&mut self, cx: &mut Context<'_>) -> Option<FlowEnd> {
        while self.closing.is_none() {
            match self.pipe.take_down(&mut self.unwritten) {
                Waiting::Chunks => {
                    if let Some(goal) = self.goal.take() {
                        goal.answered();
                    }
                }
                Waiting::Nothing => break,
                Waiting::End(DownEnd::Cut(end)) => return Some(*end),
                Waiting::End(DownEnd::Finished { undelivered }) => {
                    let undelivered = undelivered + self.pipe.waiting_up() as u64;
                    let linger = Box::pin(sleep(LINGER));
                    self.closing = Some(Closing { undelivered, refused: None, is_shut: false, linger });
                    break;
                }
            }
            match self.poll_write(cx) {
                Poll::Ready(Ok(written)) if written > 0 => {
                    self.is_unflushed = true;
                    self.forget(written);
                    self.pipe.written(written, !self.is_up_open);
                }
                Poll::Ready(Ok(_)) => return Some(self.broken("it takes no more bytes")),
                Poll::Ready(Err(error)) => return Some(self.broken(error)),
                Poll::Pending => return None,
            }
        }
        if self.is_unflushed
            && let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            if let Err(error) = flushed {
                return Some(self.broken(error));
            }
            self.is_unflushed = false;
        }
        None
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut slices = [io::IoSlice::new(&[]); VECTORS];
        let mut used = 0;
        for (slice, chunk) in slices.iter_mut().zip(&self.unwritten) {
            *slice = io::IoSlice::new(chunk);
            used += 1;
        }
        let slices = slices.get(..used).unwrap_or_default();
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn forget(&mut self, mut written: usize) {
        while let Some(first) = self.unwritten.front_mut() {
            if written < first.len() {
                first.advance(written);
                return;
            }
            written -= first.len();
            self.unwritten.pop_front();
        }
    }

    fn poll_up(&mut self, cx: &mut Context<'_>) -> Option<FlowEnd> {
        if let Some(end) = self.poll_filter(cx) {
            return Some(end);
        }
        while self.is_up_open && self.closing.is_none() {
            let room = self.pipe.up_room();
            if room == 0 {
                return None;
            }
            match self.poll_read(cx, room) {
                Poll::Ready(Ok(0)) => {
                    self.is_up_open = false;
                    self.buffer = BytesMut::new();
                    if let Some(filtered) = self.filter.as_mut().map(|filter| filter.finish())
                        && let Some(end) = self.pass(filtered, cx)
                    {
                        return Some(end);
                    }
                    if self.closing.is_none() {
                        self.pipe.end_up(UpEnd::Finished);
                    }
                }
                Poll::Ready(Ok(_)) => {
                    let read = self.buffer.split().freeze();
                    let now = std::time::Instant::now();
                    match self.filter.as_mut().map(|filter| filter.input(now, &read)) {
                        None => self.pipe.push_up(read),
                        Some(filtered) => {
                            if let Some(end) = self.pass(filtered, cx) {
                                return Some(end);
                            }
                        }
                    }
                }
                Poll::Ready(Err(error)) => return Some(self.broken(error)),
                Poll::Pending => return None,
            }
        }
        None
    }

    /// Lets the filter's time pass.
    fn poll_filter(&mut self, cx: &mut Context<'_>) -> Option<FlowEnd> {
        while self.closing.is_none()
            && self.filter_timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
        {
            self.filter_timer = None;
            let now = std::time::Instant::now();
            let filtered = self.filter.as_mut().map(|filter| filter.timeout(now))?;
            if let Some(end) = self.pass(filtered, cx) {
                return Some(end);
            }
        }
        None
    }

    /// Hands on what the filter lets through, or begins to close.
    fn pass(&mut self, filtered: Filtered, cx: &mut Context<'_>) -> Option<FlowEnd> {
        if !filtered.bytes.is_empty() {
            self.pipe.push_up(filtered.bytes.into());
        }
        let deadline = self.filter.as_ref().and_then(|filter| filter.deadline());
        self.filter_timer = deadline.map(|at| {
            let mut timer = Box::pin(sleep(at.saturating_duration_since(std::time::Instant::now())));
            // Registers for its end; one that is due already is seen at the next poll.
            if timer.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
            timer
        });
        let refused = filtered.refused?;
        let end = FlowEnd::Filtered { reason: refused.reason };
        let Some(answer) = refused.answer else { return Some(end) };
        // The node's side ends now; what it still sends is of no use.
        self.pipe.end_up(UpEnd::Over);
        self.unwritten.clear();
        self.unwritten.push_back(answer.into());
        self.is_told = true;
        self.closing = Some(Closing {
            undelivered: 0,
            refused: Some(end),
            is_shut: false,
            linger: Box::pin(sleep(LINGER)),
        });
        cx.waker().wake_by_ref();
        None
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        let most = self.read_bytes.min(room);
        self.buffer.reserve(most);
        let mut limited = bytes::BufMut::limit(&mut self.buffer, most);
        let outcome = pin!(self.stream.read_buf(&mut limited)).poll(cx);
        if let Poll::Ready(Ok(read)) = &outcome
            && *read == self.read_bytes
        {
            self.read_bytes = (self.read_bytes * 2).min(LARGEST_READ);
        }
        outcome
    }

    fn poll_closing(&mut self, cx: &mut Context<'_>) -> Poll<FlowEnd> {
        while !self.unwritten.is_empty() {
            match self.poll_write(cx) {
                Poll::Ready(Ok(written)) if written > 0 => self.forget(written),
                Poll::Ready(Ok(_)) => return Poll::Ready(self.broken("it takes no more bytes")),
                Poll::Ready(Err(error)) => return Poll::Ready(self.broken(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.closing.as_ref().is_some_and(|closing| !closing.is_shut) {
            match Pin::new(&mut self.stream).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => {
                    if let Some(closing) = &mut self.closing {
                        closing.is_shut = true;
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(self.broken(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if !self.is_up_open {
            let undelivered_bytes = self.closing.as_ref().map_or(0, |closing| closing.undelivered);
            if let Some(end) = self.closing.as_mut().and_then(|closing| closing.refused.take()) {
                return Poll::Ready(end);
            }
            return Poll::Ready(match undelivered_bytes {
                0 => FlowEnd::LocalClosed,
                _ => FlowEnd::Finished { undelivered_bytes },
            });
        }
        loop {
            let outcome = self.poll_read(cx, LARGEST_READ);
            let Some(closing) = &mut self.closing else { return Poll::Pending };
            match outcome {
                Poll::Ready(Ok(read)) if read > 0 => {
                    closing.undelivered += read as u64;
                    self.buffer.clear();
                }
                // The end of its input, or a reset in answer to ours: it is over either way.
                Poll::Ready(_) => return Poll::Ready(closing.end()),
                Poll::Pending => return closing.linger.as_mut().poll(cx).map(|()| closing.end()),
            }
        }
    }

    /// Nothing more can be read or written. A program that had closed before was not waiting for the answer.
    fn broken(&self, why: impl ToString) -> FlowEnd {
        if self.is_up_open { FlowEnd::LocalBroken { message: why.to_string() } } else { FlowEnd::LocalClosed }
    }
}

impl Closing {
    fn end(&mut self) -> FlowEnd {
        let finished = FlowEnd::Finished { undelivered_bytes: self.undelivered };
        self.refused.take().unwrap_or(finished)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::forward::pipe::Inbox;
    use crate::forward::snapshot::{FlowId, LaneId};

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    fn pump(stream: TcpStream) -> (Arc<Pipe>, tokio::task::JoinHandle<FlowEnd>) {
        let pipe = Pipe::new(FlowId(1), 64 * 1024);
        pipe.attach(LaneId(1), Arc::new(Inbox::default()), 1);
        let task = tokio::spawn(Pump::new(Box::new(stream), pipe.clone(), None, None).run());
        (pipe, task)
    }

    #[tokio::test]
    async fn an_end_in_order_follows_the_last_byte_and_a_cut_resets() {
        for cut in [false, true] {
            let (mut program, near) = pair().await;
            let (pipe, task) = pump(near);
            pipe.push_down(Bytes::from_static(b"answer"));
            pipe.wake_flow();
            let mut read = [0; 6];
            program.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"answer");
            if cut {
                pipe.end_down(DownEnd::cut(FlowEnd::Refused));
                let error = program.read(&mut read).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
                assert!(matches!(task.await.unwrap(), FlowEnd::Refused));
            } else {
                pipe.end_down(DownEnd::Finished { undelivered: 0 });
                assert_eq!(program.read(&mut read).await.unwrap(), 0);
                program.write_all(b"late").await.unwrap();
                drop(program);
                let end = task.await.unwrap();
                assert!(matches!(end, FlowEnd::Finished { undelivered_bytes: 4 }), "{end:?}");
            }
            assert!(pipe.is_over());
        }
    }

    #[tokio::test]
    async fn a_program_that_sends_faster_than_its_lane_takes_is_not_read() {
        let (mut program, near) = pair().await;
        let (pipe, _task) = pump(near);
        let sent = vec![7; 256 * 1024];
        let sending = tokio::spawn(async move {
            program.write_all(&sent).await.unwrap();
            program.shutdown().await.unwrap();
            program
        });
        let mut taken = 0;
        loop {
            assert!(pipe.waiting_up() <= 64 * 1024);
            let mut one = 0;
            let end = pipe.drain_up(|bytes| {
                one += bytes.len();
                bytes.len()
            });
            taken += one;
            if end == UpEnd::Finished {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(taken, 256 * 1024);
        sending.await.unwrap();
    }

    #[tokio::test]
    async fn a_local_reset_is_named() {
        let (program, near) = pair().await;
        let (pipe, task) = pump(near);
        program.set_zero_linger().unwrap();
        drop(program);
        let end = task.await.unwrap();
        assert!(matches!(end, FlowEnd::LocalBroken { .. }), "{end:?}");
        assert!(pipe.is_over());
    }
}
