//! A local connection whose input passes a guard.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep, sleep_until};

use super::admission::{Guard, Guarded, Refused};
use super::flow::LocalStream;

/// Read at once.
const READ: usize = 16 * 1024;
/// How long a refused program may go on sending. Closing with unread input would reset the connection, and it could
/// lose the answer.
const LINGER: Duration = Duration::from_secs(2);

/// A guard ended the connection; the error that reading then gives.
#[derive(Debug)]
pub(super) struct NotAllowed {
    pub(super) reason: String,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for NotAllowed {}

enum Phase {
    /// What the program sends goes through the guard.
    Open,
    /// The program has sent its last byte, and what is left is passed on.
    Finished,
    /// The answer is being written.
    Refusing { answer: Bytes, reason: String },
    /// The answer is written; the rest of the program's input is dropped.
    Lingering { reason: String, until: Pin<Box<Sleep>> },
    /// It is over.
    Over { reason: String },
}

/// Writes pass as they are.
pub(super) struct Guarding {
    stream: Box<dyn LocalStream>,
    guard: Box<dyn Guard>,
    phase: Phase,
    /// Passed by the guard and not read yet.
    passed: Bytes,
    wake: Option<(Instant, Pin<Box<Sleep>>)>,
    scratch: Vec<u8>,
}

impl Guarding {
    pub(super) fn new(stream: Box<dyn LocalStream>, guard: Box<dyn Guard>) -> Self {
        Self { stream, guard, phase: Phase::Open, passed: Bytes::new(), wake: None, scratch: vec![0; READ] }
    }

    fn take(&mut self, guarded: Guarded) {
        self.passed = guarded.bytes.into();
        if let Some(Refused { answer, reason }) = guarded.refused {
            // What came before in the same read is dropped too: the node shall see no part of it.
            self.passed = Bytes::new();
            self.phase = Phase::Refusing { answer: answer.into(), reason };
        }
    }

    /// One step towards something to read.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.phase {
            Phase::Open => self.listen(cx),
            Phase::Finished => Poll::Ready(Ok(())),
            Phase::Refusing { answer, reason } => {
                while answer.has_remaining() {
                    let written = ready!(Pin::new(&mut self.stream).poll_write(cx, answer))?;
                    if written == 0 {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    answer.advance(written);
                }
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                let reason = std::mem::take(reason);
                self.phase = Phase::Lingering { reason, until: Box::pin(sleep(LINGER)) };
                Poll::Ready(Ok(()))
            }
            Phase::Lingering { reason, until } => {
                let mut dropped = ReadBuf::new(&mut self.scratch);
                let is_over = match Pin::new(&mut self.stream).poll_read(cx, &mut dropped) {
                    Poll::Ready(Ok(())) => dropped.filled().is_empty(),
                    Poll::Ready(Err(_)) => true,
                    Poll::Pending => {
                        ready!(until.as_mut().poll(cx));
                        true
                    }
                };
                if is_over {
                    self.phase = Phase::Over { reason: std::mem::take(reason) };
                }
                Poll::Ready(Ok(()))
            }
            Phase::Over { reason } => {
                Poll::Ready(Err(io::Error::other(NotAllowed { reason: reason.clone() })))
            }
        }
    }

    fn listen(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let deadline = self.guard.deadline();
        if self.wake.as_ref().map(|(at, _)| *at) != deadline {
            self.wake = deadline.map(|at| (at, Box::pin(sleep_until(at.into()))));
        }
        if let Some((_, wake)) = &mut self.wake
            && wake.as_mut().poll(cx).is_ready()
        {
            self.wake = None;
            let guarded = self.guard.timeout(Instant::now());
            self.take(guarded);
            return Poll::Ready(Ok(()));
        }
        let mut read = ReadBuf::new(&mut self.scratch);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        let guarded = if read.filled().is_empty() {
            self.phase = Phase::Finished;
            self.guard.finish()
        } else {
            self.guard.input(Instant::now(), read.filled())
        };
        self.take(guarded);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Guarding {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.passed.has_remaining() {
                let length = self.passed.len().min(buf.remaining());
                buf.put_slice(&self.passed[..length]);
                self.passed.advance(length);
                return Poll::Ready(Ok(()));
            }
            if matches!(self.phase, Phase::Finished) {
                return Poll::Ready(Ok(()));
            }
            ready!(self.step(cx))?;
        }
    }
}

impl AsyncWrite for Guarding {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl LocalStream for Guarding {
    /// A refused program shall read why: a reset could take that away.
    fn prepare_reset(&self) {
        if matches!(self.phase, Phase::Open | Phase::Finished) {
            self.stream.prepare_reset();
        }
    }
}
