//! The gateway's end of data channels, played by a test socket by socket.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit};
use bytes::Bytes;
use fleetline_engine::SessionId;
use fleetline_protocol::{
    Aead, AeadError, AgentChannel, AgentConfig, AgentEvent, AgentMessage, AgentOutput, ChannelClosed, Flags,
    HandshakeOffer, MessageId, MessageType, Moment, NONCE_BYTES, OpenMessage, PayloadType, SealingKey,
    SealingOffer, SessionKind, StreamToken,
};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use crate::aws::data_key;

/// Listens on loopback.
pub struct Gateway {
    pub url: String,
    sockets: mpsc::UnboundedReceiver<Peer>,
    refusals: Arc<Mutex<VecDeque<u16>>>,
}

/// One accepted socket, its open message read.
pub struct Peer {
    socket: WebSocketStream<TcpStream>,
    pub token: String,
    pub client_version: String,
    pub authorization: Option<String>,
    /// Every binary message in either direction, one after the other.
    pub wire: Vec<u8>,
    pub pings: usize,
}

impl Gateway {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let port = listener.local_addr().expect("address").port();
        let (sender, sockets) = mpsc::unbounded_channel();
        let refusals: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        tokio::spawn({
            let refusals = refusals.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (sender, refusals) = (sender.clone(), refusals.clone());
                    tokio::spawn(async move {
                        if let Some(peer) = Peer::accept(stream, &refusals).await {
                            let _ = sender.send(peer);
                        }
                    });
                }
            }
        });
        let url = format!("ws://127.0.0.1:{port}/v1/data-channel/s?role=publish_subscribe");
        Self { url, sockets, refusals }
    }

    /// The next upgrades are answered with these statuses.
    pub fn refuse(&self, statuses: impl IntoIterator<Item = u16>) {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).extend(statuses);
    }

    pub async fn accept(&mut self) -> Peer {
        self.sockets.recv().await.expect("listening")
    }
}

impl Peer {
    async fn accept(stream: TcpStream, refusals: &Mutex<VecDeque<u16>>) -> Option<Self> {
        let mut authorization = None;
        #[expect(clippy::result_large_err, reason = "the signature is the library's")]
        let callback = |request: &Request, response: Response| {
            authorization =
                request.headers().get("authorization").and_then(|v| v.to_str().ok()).map(str::to_owned);
            match refusals.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                None => Ok(response),
                Some(status) => {
                    let mut refusal = ErrorResponse::new(Some("refused by the test".to_owned()));
                    *refusal.status_mut() = status.try_into().expect("status");
                    Err(refusal)
                }
            }
        };
        let mut socket = accept_hdr_async(stream, callback).await.ok()?;
        let Some(Ok(Message::Text(text))) = socket.next().await else {
            panic!("the first message is no text")
        };
        let open = OpenMessage::decode(&text).expect("open message");
        let client_version = match open.opener {
            fleetline_protocol::Opener::Client { client_version, .. } => client_version.expect("version"),
            other => panic!("{other:?}"),
        };
        Some(Self {
            socket,
            token: open.token.expose().to_owned(),
            client_version,
            authorization,
            wire: Vec::new(),
            pings: 0,
        })
    }

    /// Closes as the gateway does about once an hour.
    pub async fn bye(mut self) {
        let frame = CloseFrame { code: 1000.into(), reason: "Bye".into() };
        let _ = self.socket.close(Some(frame)).await;
    }

    /// Ends the session from the service's side, then closes.
    pub async fn close_channel(mut self, output: &str) {
        let body = ChannelClosed { output: output.to_owned(), ..ChannelClosed::default() };
        let message = AgentMessage {
            message_type: MessageType::ChannelClosed,
            schema_version: 1,
            created_ms: 1,
            seq: 0,
            flags: Flags::NONE,
            id: MessageId::from_random([7; 16]),
            payload_type: PayloadType::Unset,
            payload: Bytes::from(body.encode()),
        };
        self.socket.send(Message::Binary(message.encode())).await.expect("sent");
        let _ = self.socket.close(None).await;
    }

    /// Waits until the client is gone.
    pub async fn gone(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    /// Sends anything.
    pub async fn send_raw(&mut self, frame: Bytes) {
        let _ = self.socket.send(Message::Binary(frame)).await;
    }
}

/// The agent's cipher: another library than the engine's.
struct AgentAead;

impl Aead for AgentAead {
    fn seal(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Result<Vec<u8>, AeadError> {
        Aes256Gcm::new(key.expose().into()).encrypt(nonce.into(), plain).map_err(|_| AeadError)
    }

    fn open(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], sealed: &[u8]) -> Result<Vec<u8>, AeadError> {
        Aes256Gcm::new(key.expose().into()).decrypt(nonce.into(), sealed).map_err(|_| AeadError)
    }
}

/// An agent's side of a session, over as many sockets as the test likes.
pub struct TestAgent {
    channel: AgentChannel,
    start: Instant,
    output: Vec<(PayloadType, Vec<u8>)>,
    /// Everything typed.
    pub typed: Vec<u8>,
    /// Every size received.
    pub sizes: Vec<(u16, u16)>,
}

impl TestAgent {
    /// A plain shell: no handshake.
    pub fn shell() -> Self {
        Self::new(None, None)
    }

    /// A command without a terminal.
    pub fn command() -> Self {
        Self::new(Some(SessionKind::NonInteractiveCommands), None)
    }

    /// A session that must be sealed with the KMS key.
    pub fn sealed(kind: SessionKind, key_id: &str) -> Self {
        Self::new(Some(kind), Some(SealingOffer::new(Arc::new(AgentAead), key_id)))
    }

    fn new(kind: Option<SessionKind>, sealing: Option<SealingOffer>) -> Self {
        let mut config = AgentConfig::new("i-0123456789abcdef0", SessionId::new("s"), [3; 32]);
        config.handshake =
            kind.map(|session_type| HandshakeOffer { session_type, properties: serde_json::Value::Null });
        config.sealing = sealing;
        Self {
            channel: AgentChannel::new(config),
            start: Instant::now(),
            output: Vec::new(),
            typed: Vec::new(),
            sizes: Vec::new(),
        }
    }

    pub fn print(&mut self, payload_type: PayloadType, bytes: impl Into<Vec<u8>>) {
        self.output.push((payload_type, bytes.into()));
    }

    /// Output that was not acknowledged yet.
    pub fn unacked(&self) -> usize {
        self.channel.unacked_bytes() + self.output.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    fn now(&self) -> Moment {
        Moment::new(self.start.elapsed(), 1)
    }

    /// A socket of the agent's own is open.
    pub fn attach(&mut self) {
        let now = self.now();
        self.channel.socket_opened(now, &StreamToken::new("agent"));
        self.channel.ready(now);
    }

    /// The gateway dropped the session's sockets.
    pub fn detach(&mut self) {
        let now = self.now();
        self.channel.socket_closed(now);
    }

    /// Runs over `peer` until `until` is true or the client is gone; false when it is gone.
    pub async fn serve(&mut self, peer: &mut Peer, mut until: impl FnMut(&Self) -> bool) -> bool {
        self.serve_while(peer, |agent, _| !until(agent)).await
    }

    /// The same, until `until` is true of the gateway's side of the socket.
    pub async fn serve_until(&mut self, peer: &mut Peer, mut until: impl FnMut(&Peer) -> bool) -> bool {
        self.serve_while(peer, |_, peer| !until(peer)).await
    }

    async fn serve_while(&mut self, peer: &mut Peer, mut goes_on: impl FnMut(&Self, &Peer) -> bool) -> bool {
        loop {
            self.pump();
            while let Some(output) = self.channel.poll_output() {
                match output {
                    // The agent's own open message goes to the gateway, not to the client.
                    AgentOutput::Text(_) => {}
                    AgentOutput::Binary(frame) => {
                        peer.wire.extend_from_slice(&frame);
                        if peer.socket.send(Message::Binary(frame)).await.is_err() {
                            return false;
                        }
                    }
                    AgentOutput::Event(AgentEvent::Data(bytes)) => self.typed.extend_from_slice(&bytes),
                    AgentOutput::Event(AgentEvent::Resize(size)) => self.sizes.push((size.cols, size.rows)),
                    AgentOutput::Event(AgentEvent::DataKeyReceived { cipher_text_blob, .. }) => {
                        assert_eq!(&cipher_text_blob[..], b"sealed");
                        let now = self.now();
                        self.channel.provide_data_key(now, &data_key());
                    }
                    AgentOutput::Event(_) => self.pump(),
                }
            }
            if !goes_on(self, peer) {
                return true;
            }
            let pause = self.channel.poll_timeout().map(|at| at.saturating_sub(self.start.elapsed()));
            tokio::select! {
                received = peer.socket.next() => match received {
                    Some(Ok(Message::Binary(frame))) => {
                        peer.wire.extend_from_slice(&frame);
                        let now = self.now();
                        self.channel.handle_binary(now, frame);
                    }
                    Some(Ok(Message::Ping(_))) => peer.pings += 1,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return false,
                },
                () = tokio::time::sleep(pause.unwrap_or(Duration::from_secs(3600))) => {
                    let now = self.now();
                    self.channel.handle_timeout(now);
                }
            }
        }
    }

    fn pump(&mut self) {
        let now = self.now();
        while let Some((payload_type, bytes)) = self.output.first_mut() {
            let taken = self.channel.send(now, *payload_type, bytes);
            bytes.drain(..taken);
            if !bytes.is_empty() {
                return;
            }
            self.output.remove(0);
        }
    }
}
