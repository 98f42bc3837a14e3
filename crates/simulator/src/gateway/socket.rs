//! One socket: the open message, then frames both ways until one side ends it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{OpenMessage, Opener};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::faults::Frame;
use super::outside::session::Event;
use super::outside::{Door, control};
use super::pipe::{PipeReceiver, PipeSender, pipe};
use super::relay::{Attachment, RelayCommand, SocketCut, SocketEnd};
use super::upgrade::Channel;
use crate::http::wire::WireFaults;
use crate::shared::Shared;

/// Messages may have this many bytes, fragments put together.
const MAX_MESSAGE: usize = 1024 * 1024;

/// Bytes on their way between socket and relay, for each direction.
const PIPE_BYTES: usize = 512 * 1024;

/// How long a fresh socket may wait with its open message.
const OPEN_WAIT: Duration = Duration::from_secs(15);

/// How long the other side may take to answer a close.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Serves a socket until it ends.
pub(super) async fn serve<S>(shared: Arc<Shared>, stream: S, wire: WireFaults, channel: Channel)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        // Every message is written at once: a terminal must not wait for a fuller buffer.
        .write_buffer_size(0)
        .max_write_buffer_size(2 * MAX_MESSAGE)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let mut web_socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let opened = tokio::select! {
        opened = tokio::time::timeout(OPEN_WAIT, open(&shared, &mut web_socket, &channel)) => opened,
        () = shared.stop.cancelled() => return,
    };
    let side = match opened {
        Ok(Ok(side)) => side,
        Ok(Err(reason)) => {
            tracing::debug!(?channel, reason, "channel refused");
            return close(&mut web_socket, CloseCode::Policy, reason).await;
        }
        Err(_) => return close(&mut web_socket, CloseCode::Policy, "No open message.").await,
    };
    let (to_relay, from_socket) = pipe(PIPE_BYTES);
    let (to_socket, from_relay) = pipe(PIPE_BYTES);
    let (end, ended) = oneshot::channel();
    let attachment = Attachment { inbound: from_socket, outbound: to_socket, end };
    let is_attached = match side {
        Side::Client(relay) => relay.send(RelayCommand::Attach(attachment)).await.is_ok(),
        Side::Agent(session) => session.send(Event::Attach(attachment)).await.is_ok(),
        Side::Control(node_id) => return control::serve(shared, web_socket, node_id).await,
    };
    if !is_attached {
        return close(&mut web_socket, CloseCode::Normal, "").await;
    }
    Serving { web_socket, wire, to_relay, from_relay, ended }.run().await;
}

/// Who came through a socket, and where it leads.
enum Side {
    Client(mpsc::Sender<RelayCommand>),
    Agent(mpsc::Sender<Event>),
    Control(String),
}

/// Waits for the open message and redeems its token.
async fn open<S>(
    shared: &Shared,
    web_socket: &mut WebSocketStream<S>,
    channel: &Channel,
) -> Result<Side, &'static str>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let text = loop {
        match web_socket.next().await {
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(_)) => return Err("The first message must be the open message."),
            Some(Err(_)) | None => return Err("The socket ended."),
        }
    };
    let session_id = match channel {
        Channel::Data(session_id) => session_id,
        Channel::Control(node_id) => {
            control::admit(shared, node_id, text.as_str())?;
            return Ok(Side::Control(node_id.clone()));
        }
    };
    let message = OpenMessage::decode(text.as_str()).map_err(|_| "The open message cannot be read.")?;
    let side = match message.opener {
        Opener::Client { .. } => shared.registry.redeem(session_id, &message.token).map(Side::Client),
        Opener::Agent { .. } => {
            let opens = shared.outside.redeem(&Door::Data(session_id.clone()), &message.token);
            shared.outside.session(session_id).filter(|_| opens).map(Side::Agent)
        }
    };
    side.ok_or("The token is not valid.")
}

/// An open socket that belongs to a session.
struct Serving<S> {
    web_socket: WebSocketStream<S>,
    wire: WireFaults,
    to_relay: PipeSender<Bytes>,
    from_relay: PipeReceiver<Frame>,
    ended: oneshot::Receiver<SocketEnd>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Serving<S> {
    async fn run(mut self) {
        // A frame that waits for room on its way to the relay. Meanwhile nothing more is read: that is the
        // back-pressure.
        let mut waiting: Option<Bytes> = None;
        let end = loop {
            tokio::select! {
                biased;
                end = &mut self.ended => break end.unwrap_or(over()),
                room = self.to_relay.reserve(waiting.as_ref().map_or(0, Bytes::len)), if waiting.is_some() => {
                    let (Ok(room), Some(frame)) = (room, waiting.take()) else { break over() };
                    if self.to_relay.put(room, frame).is_err() {
                        break over();
                    }
                }
                frame = self.from_relay.take() => match frame {
                    Some(frame) => {
                        let message = match frame {
                            Frame::Binary(bytes) => Message::Binary(bytes),
                            Frame::Text(text) => Message::Text(text),
                        };
                        // A full TCP window must not keep a cut from happening.
                        let sent = tokio::select! {
                            sent = self.web_socket.send(message) => sent.is_ok(),
                            end = &mut self.ended => break end.unwrap_or(over()),
                        };
                        if !sent {
                            return;
                        }
                    }
                    // The relay has nothing more to say: the session is over.
                    None => break over(),
                },
                message = self.web_socket.next(), if waiting.is_none() => match message {
                    Some(Ok(Message::Binary(frame))) => waiting = Some(frame),
                    // Text after the open message means nothing; pings are answered by the library.
                    Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                },
            }
        };
        match end {
            SocketEnd::Cut(SocketCut::Fin) => {}
            SocketEnd::Cut(SocketCut::Reset) => self.wire.reset(),
            SocketEnd::Cut(SocketCut::Close { code, reason }) => {
                close(&mut self.web_socket, CloseCode::from(code), &reason).await;
            }
            // Everything is kept as it is, and nothing is looked at.
            SocketEnd::HalfOpen(until) => {
                until.await.ok();
            }
        }
    }
}

/// The end of a socket whose session is over.
fn over() -> SocketEnd {
    SocketEnd::Cut(SocketCut::Close { code: 1000, reason: String::new() })
}

/// Sends a close frame and gives the other side a moment to answer it.
async fn close<S>(web_socket: &mut WebSocketStream<S>, code: CloseCode, reason: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const MOST: usize = 123;
    let reason = &reason[..reason.floor_char_boundary(MOST)];
    let closing = async {
        web_socket.close(Some(CloseFrame { code, reason: Utf8Bytes::from(reason) })).await.ok();
        while let Some(Ok(_)) = web_socket.next().await {}
    };
    tokio::time::timeout(CLOSE_WAIT, closing).await.ok();
}
