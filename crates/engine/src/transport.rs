//! One open socket: writes what is queued, reads what has come, neither waiting for the other.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::cause::SocketLoss;
use crate::dial::{ByteStream, DataSocket};

/// Queued bytes above which the channel is not asked for more: what it has not handed out is not yet in flight, so
/// that its round-trip times stay true.
const CONGESTED_BYTES: usize = 32 * 1024;
/// Bytes still read while congested, so that two peers that both wait to write do not wait for ever.
const READ_WHILE_CONGESTED_BYTES: usize = 1024 * 1024;
/// Messages handed over at once, so that acks of a burst leave in one write.
const BATCH: usize = 64;
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

/// Something received.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message, reassembled.
    Binary(Bytes),
    /// A ping.
    Ping,
    /// The answer to a ping.
    Pong,
}

impl Incoming {
    /// Bytes of a frame; `None` for what is none.
    pub(crate) fn frame_bytes(&self) -> Option<usize> {
        match self {
            Self::Binary(frame) => Some(frame.len()),
            Self::Text(text) => Some(text.len()),
            Self::Ping | Self::Pong => None,
        }
    }
}

pub(crate) struct Transport {
    socket: DataSocket,
    outgoing: VecDeque<Message>,
    backlog: usize,
    read_while_congested: usize,
    unflushed: bool,
    write_failed: Option<SocketLoss>,
    lost: Option<SocketLoss>,
    /// Bytes the system waits for before it says that there is something to read.
    low_water: usize,
    /// Whether the system does wait for them.
    is_marked: bool,
    /// Nothing is read, since the system says so of any byte.
    holds_back: bool,
}

impl Transport {
    pub(crate) fn new(socket: DataSocket) -> Self {
        Self {
            socket,
            outgoing: VecDeque::new(),
            backlog: 0,
            read_while_congested: 0,
            unflushed: false,
            write_failed: None,
            lost: None,
            low_water: 1,
            is_marked: false,
            holds_back: false,
        }
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        self.push(Message::Text(text.into()));
    }

    pub(crate) fn push_binary(&mut self, frame: Bytes) {
        self.push(Message::Binary(frame));
    }

    pub(crate) fn push_ping(&mut self) {
        self.push(Message::Ping(Bytes::from_static(b"keepalive")));
    }

    fn push(&mut self, message: Message) {
        self.backlog += message.len();
        self.outgoing.push_back(message);
    }

    /// Whether nothing more should be pushed until [`Self::exchange`] returns.
    pub(crate) fn is_congested(&self) -> bool {
        self.backlog > CONGESTED_BYTES
    }

    /// Leaves what comes in the socket until about that many bytes are there or this is called again, which must be soon:
    /// where the system cannot wait for bytes, only that ends it. `None` to take whatever comes.
    pub(crate) fn wait_for(&mut self, bytes: Option<usize>) {
        let low_water = bytes.unwrap_or(1);
        if low_water != self.low_water {
            self.low_water = low_water;
            self.is_marked = self.socket.get_ref().set_low_water(low_water);
        }
        self.holds_back = bytes.is_some() && !self.is_marked;
    }

    /// Writes, and waits until something was received or congestion is over. Cancel safe. After an error the socket
    /// is of no more use; everything received before it has been handed over.
    pub(crate) async fn exchange(&mut self, received: &mut Vec<Incoming>) -> Result<(), SocketLoss> {
        let was_congested = self.is_congested();
        poll_fn(|cx| self.poll_exchange(cx, received, was_congested)).await
    }

    fn poll_exchange(
        &mut self,
        cx: &mut Context<'_>,
        received: &mut Vec<Incoming>,
        was_congested: bool,
    ) -> Poll<Result<(), SocketLoss>> {
        if self.write_failed.is_none()
            && let Err(error) = self.poll_write(cx)
        {
            // What the gateway sent before it closed, `channel_closed` above all, can still be read.
            self.write_failed = Some(loss_of(&error));
        }
        if !self.is_congested() {
            self.read_while_congested = 0;
        }
        if self.read_while_congested <= READ_WHILE_CONGESTED_BYTES || self.write_failed.is_some() {
            self.poll_read(cx, received);
        }
        if !received.is_empty() || (was_congested && !self.is_congested()) {
            return Poll::Ready(Ok(()));
        }
        match self.lost.take().or_else(|| self.write_failed.take()) {
            Some(loss) => Poll::Ready(Err(loss)),
            None => Poll::Pending,
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        while let Some(message) = self.outgoing.front() {
            let Poll::Ready(ready) = Pin::new(&mut self.socket).poll_ready(cx) else { return Ok(()) };
            ready?;
            self.backlog -= message.len();
            if let Some(message) = self.outgoing.pop_front() {
                self.unflushed = true;
                Pin::new(&mut self.socket).start_send(message)?;
            }
        }
        if self.unflushed
            && let Poll::Ready(flushed) = Pin::new(&mut self.socket).poll_flush(cx)
        {
            flushed?;
            self.unflushed = false;
        }
        Ok(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, received: &mut Vec<Incoming>) {
        if self.holds_back {
            return;
        }
        while received.len() < BATCH && self.lost.is_none() {
            let Poll::Ready(next) = Pin::new(&mut self.socket).poll_next(cx) else { return };
            if let Some(Ok(message)) = &next
                && self.is_congested()
            {
                self.read_while_congested += message.len();
            }
            match next {
                Some(Ok(Message::Binary(frame))) => received.push(Incoming::Binary(frame)),
                Some(Ok(Message::Text(text))) => received.push(Incoming::Text(text)),
                Some(Ok(Message::Ping(_))) => {
                    // The answer is queued inside the socket.
                    self.unflushed = true;
                    received.push(Incoming::Ping);
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => received.push(Incoming::Pong),
                Some(Ok(Message::Close(frame))) => self.lost = Some(loss_of_close(frame)),
                Some(Err(error)) => self.lost = Some(loss_of(&error)),
                None => self.lost = Some(SocketLoss::Closed { code: None, reason: String::new() }),
            }
        }
    }

    /// Sends what is queued and says goodbye, for half a second at most.
    pub(crate) async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::from_static("") };
        let goodbye = async {
            while let Some(message) = self.outgoing.pop_front() {
                self.socket.feed(message).await?;
            }
            self.socket.send(Message::Close(Some(frame))).await
        };
        match timeout(CLOSE_WITHIN, goodbye).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the socket took no close frame"),
            Err(_) => tracing::debug!("the socket took no close frame in time"),
        }
    }
}

fn loss_of_close(frame: Option<CloseFrame>) -> SocketLoss {
    match frame {
        Some(frame) => SocketLoss::Closed {
            code: Some(frame.code.into()),
            reason: frame.reason.chars().filter(|c| !c.is_control()).collect(),
        },
        None => SocketLoss::Closed { code: None, reason: String::new() },
    }
}

fn loss_of(error: &Error) -> SocketLoss {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => {
            SocketLoss::Closed { code: None, reason: String::new() }
        }
        error => SocketLoss::Broken { message: error.to_string() },
    }
}
