//! One accepted connection, plain or inside TLS, and what can be done to it from above.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Tells a connection how to end, from whoever it was handed to.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireFaults {
    flags: Arc<Flags>,
}

#[derive(Debug, Default)]
struct Flags {
    reset: AtomicBool,
    noise: AtomicBool,
}

impl WireFaults {
    /// Ends the connection with a TCP reset instead of an orderly end, once it is dropped.
    pub(crate) fn reset(&self) {
        self.flags.reset.store(true, Ordering::Relaxed);
    }

    /// Replaces everything written from now on by bytes that mean nothing.
    pub(crate) fn noise(&self) {
        self.flags.noise.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// An accepted connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    faults: WireFaults,
}

impl Wire {
    pub(crate) fn plain(stream: TcpStream) -> Self {
        Self { stream: Stream::Plain(stream), faults: WireFaults::default() }
    }

    pub(crate) fn secure(stream: TlsStream<TcpStream>) -> Self {
        Self { stream: Stream::Secure(Box::new(stream)), faults: WireFaults::default() }
    }

    pub(crate) fn faults(&self) -> WireFaults {
        self.faults.clone()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.faults.flags.reset.load(Ordering::Relaxed) {
            let tcp = match &self.stream {
                Stream::Plain(stream) => stream,
                Stream::Secure(stream) => stream.get_ref().0,
            };
            // Closing a socket that lingers for no time sends a reset.
            if let Err(error) = tcp.set_zero_linger() {
                tracing::warn!(%error, "the connection cannot be reset");
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Secure(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let noise: Vec<u8>;
        let buf = if self.faults.flags.noise.load(Ordering::Relaxed) {
            noise = buf.iter().map(|byte| !byte).collect();
            noise.as_slice()
        } else {
            buf
        };
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Secure(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
