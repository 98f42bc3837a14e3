//! Port sessions of scripted agents, which dial real sockets: a control plane, a gateway and one agent for each session.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fleetline_engine::ports::{
    ApiError, ApiErrorKind, BoxFuture, ControlPlane, LiveSession, ResumeOutcome, SealedDataKey, SessionGrant,
    SessionQuery, SignedHeader, StartSession, StreamUrl,
};
use fleetline_protocol::{
    AgentChannel, AgentConfig, AgentEvent, AgentMessage, AgentOutput, ChannelClosed, DataKeyRequest, Flags,
    HandshakeOffer, MessageId, MessageType, Moment, MuxConfig, MuxEvent, MuxSession, MuxStreamId,
    PayloadType, SessionId, SessionKind, StreamToken,
};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

type Socket = WebSocketStream<TcpStream>;

/// How the agents behave.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub agent_version: &'static str,
    /// Property `type` of the document.
    pub document_type: Option<&'static str>,
    /// Whether a refusal's flag comes after its FIN.
    pub flag_after_fin: bool,
    /// Pause after each message to the client.
    pub pace: Option<Duration>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            agent_version: "3.3.987.0",
            document_type: Some("LocalPortForwarding"),
            flag_after_fin: false,
            pace: None,
        }
    }
}

/// What a test does to a session.
#[derive(Clone, Debug)]
enum Order {
    /// Drop the socket.
    Cut,
    /// End the session as the service does.
    Close(String),
    /// The agent is gone, and the gateway does not know.
    Die,
}

#[derive(Debug, Default)]
struct Sessions {
    agents: BTreeMap<String, (mpsc::UnboundedSender<Socket>, mpsc::UnboundedSender<Order>)>,
    gone: Vec<String>,
    refuse: Vec<ApiErrorKind>,
    next: u32,
}

/// The AWS side.
#[derive(Debug)]
pub struct World {
    url: String,
    behaviour: Behaviour,
    sessions: Mutex<Sessions>,
    calls: watch::Sender<Vec<(&'static str, String)>>,
}

impl World {
    pub async fn start(behaviour: Behaviour) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/v1/data-channel/", listener.local_addr().unwrap());
        let world = Arc::new(Self {
            url,
            behaviour,
            sessions: Mutex::default(),
            calls: watch::channel(Vec::new()).0,
        });
        tokio::spawn({
            let world = Arc::downgrade(&world);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let Some(world) = world.upgrade() else { return };
                    stream.set_nodelay(true).unwrap();
                    tokio::spawn(async move { world.socket(stream).await });
                }
            }
        });
        world
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn socket(&self, stream: TcpStream) {
        let mut path = String::new();
        #[expect(clippy::result_large_err, reason = "the signature is the library's")]
        let callback = |request: &Request, response: Response| {
            path = request.uri().path().to_owned();
            Ok(response)
        };
        let Ok(mut socket) = accept_hdr_async(stream, callback).await else { return };
        let Some(Ok(Message::Text(_))) = socket.next().await else { return };
        let id = path.rsplit('/').next().unwrap_or_default();
        if let Some((sockets, _)) = self.sessions().agents.get(id) {
            let _ = sockets.send(socket);
        }
    }

    /// The next StartSession fails so.
    pub fn refuse(&self, kind: ApiErrorKind) {
        self.sessions().refuse.push(kind);
    }

    /// Session ids that StartSession was answered with.
    pub fn granted(&self) -> Vec<String> {
        let calls = self.calls.borrow();
        calls.iter().filter(|(call, _)| *call == "StartSession").map(|(_, id)| id.clone()).collect()
    }

    pub fn count(&self, operation: &str) -> usize {
        self.calls.borrow().iter().filter(|(call, _)| *call == operation).count()
    }

    pub async fn called(&self, operation: &str, times: usize) {
        let mut calls = self.calls.subscribe();
        calls
            .wait_for(|calls| calls.iter().filter(|(call, _)| *call == operation).count() >= times)
            .await
            .unwrap();
    }

    /// Drops the sockets of all sessions.
    pub fn cut(&self) {
        for (_, orders) in self.sessions().agents.values() {
            let _ = orders.send(Order::Cut);
        }
    }

    /// Ends a session as the service does.
    pub fn close(&self, session: &str, output: &str) {
        if let Some((_, orders)) = self.sessions().agents.get(session) {
            let _ = orders.send(Order::Close(output.to_owned()));
        }
    }

    /// The agent of a session does nothing any more; its gateway still answers pings.
    pub fn die(&self, session: &str) {
        if let Some((_, orders)) = self.sessions().agents.get(session) {
            let _ = orders.send(Order::Die);
        }
    }

    fn grant(&self, id: &str) -> SessionGrant {
        SessionGrant {
            session_id: SessionId::new(id),
            token: StreamToken::new("t"),
            url: StreamUrl::new(format!("{}{id}", self.url)),
        }
    }

    fn note(&self, call: &'static str, id: &str) {
        self.calls.send_modify(|calls| calls.push((call, id.to_owned())));
    }
}

impl ControlPlane for World {
    fn start_session(&self, request: StartSession) -> BoxFuture<'_, Result<SessionGrant, ApiError>> {
        Box::pin(async move {
            let refusal = self.sessions().refuse.pop();
            if let Some(kind) = refusal {
                self.note("refused StartSession", "");
                return Err(ApiError {
                    operation: "StartSession",
                    kind,
                    code: None,
                    message: "as the test wants it".to_owned(),
                    request_id: None,
                    never_sent: false,
                });
            }
            let port = request.parameters.iter().find(|(name, _)| name == "portNumber").unwrap().1[0].clone();
            let (sockets, incoming) = mpsc::unbounded_channel();
            let (orders, orders_receiver) = mpsc::unbounded_channel();
            let id = {
                let mut sessions = self.sessions();
                sessions.next += 1;
                let id = format!("s-{}", sessions.next);
                sessions.agents.insert(id.clone(), (sockets, orders));
                id
            };
            let agent = Agent::new(&self.behaviour, &id, port.parse().unwrap());
            tokio::spawn(agent.run(incoming, orders_receiver));
            self.note("StartSession", &id);
            Ok(self.grant(&id))
        })
    }

    fn resume_session(&self, session: SessionId) -> BoxFuture<'_, Result<ResumeOutcome, ApiError>> {
        Box::pin(async move {
            self.note("ResumeSession", session.as_str());
            if self.sessions().gone.iter().any(|gone| gone == session.as_str()) {
                return Ok(ResumeOutcome::Gone);
            }
            Ok(ResumeOutcome::Granted(self.grant(session.as_str())))
        })
    }

    fn terminate_session(&self, session: SessionId) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(async move {
            self.note("TerminateSession", session.as_str());
            self.sessions().gone.push(session.as_str().to_owned());
            Ok(())
        })
    }

    fn sign_upgrade(&self, _: StreamUrl) -> BoxFuture<'_, Result<Vec<SignedHeader>, ApiError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn live_sessions(&self, _: SessionQuery) -> BoxFuture<'_, Result<Vec<LiveSession>, ApiError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn generate_data_key(&self, _: DataKeyRequest) -> BoxFuture<'_, Result<SealedDataKey, ApiError>> {
        unreachable!("port sessions are never sealed")
    }
}

/// What the targets say.
enum FromTarget {
    Connected(u32, mpsc::UnboundedSender<Bytes>),
    Failed(u32),
    Data(u32, Bytes),
    Ended(u32),
}

/// One session's agent.
struct Agent {
    behaviour: Behaviour,
    port: u16,
    start: Instant,
    channel: AgentChannel,
    mux: Option<MuxSession>,
    /// By stream; by number of the connection in basic mode.
    targets: BTreeMap<u32, mpsc::UnboundedSender<Bytes>>,
    early: BTreeMap<u32, Vec<Bytes>>,
    /// The connection of basic mode.
    current: u32,
    unsent: Vec<u8>,
    sender: mpsc::Sender<FromTarget>,
    receiver: mpsc::Receiver<FromTarget>,
    is_over: bool,
}

impl Agent {
    fn new(behaviour: &Behaviour, id: &str, port: u16) -> Self {
        let mut config = AgentConfig::new("i-0123456789abcdef0", SessionId::new(id), rand::random());
        config.agent_version = behaviour.agent_version.to_owned();
        let mut properties = serde_json::json!({ "portNumber": port.to_string() });
        if let Some(document_type) = behaviour.document_type {
            properties["type"] = document_type.into();
        }
        config.handshake = Some(HandshakeOffer { session_type: SessionKind::Port, properties });
        let (sender, receiver) = mpsc::channel(16);
        Self {
            behaviour: behaviour.clone(),
            port,
            start: Instant::now(),
            channel: AgentChannel::new(config),
            mux: None,
            targets: BTreeMap::new(),
            early: BTreeMap::new(),
            current: 0,
            unsent: Vec::new(),
            sender,
            receiver,
            is_over: false,
        }
    }

    fn now(&self) -> Moment {
        Moment::new(self.start.elapsed(), 1)
    }

    fn runs_mux(&self) -> bool {
        self.behaviour.document_type.is_some()
            && fleetline_protocol::client_runs_mux(self.behaviour.agent_version)
    }

    async fn run(
        mut self,
        mut sockets: mpsc::UnboundedReceiver<Socket>,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) {
        while let Some(mut socket) = sockets.recv().await {
            self.channel.socket_opened(self.now(), &StreamToken::new("agent"));
            self.serve(&mut socket, &mut orders).await;
            self.channel.socket_closed(self.now());
            if self.is_over {
                let _ = socket.close(None).await;
                return;
            }
        }
    }

    async fn serve(&mut self, socket: &mut Socket, orders: &mut mpsc::UnboundedReceiver<Order>) {
        loop {
            self.flush();
            while let Some(output) = self.channel.poll_output() {
                match output {
                    AgentOutput::Text(_) => {}
                    AgentOutput::Binary(frame) => {
                        if socket.send(Message::Binary(frame)).await.is_err() {
                            return;
                        }
                        if let Some(pace) = self.behaviour.pace {
                            tokio::time::sleep(pace).await;
                        }
                    }
                    AgentOutput::Event(event) => self.event(event),
                }
                self.flush();
            }
            if self.is_over {
                let _ = socket.send(closed("")).await;
                return;
            }
            let takes = self.unsent.len() < 64 * 1024;
            let pause = self.channel.poll_timeout().map(|at| at.saturating_sub(self.start.elapsed()));
            tokio::select! {
                received = socket.next() => match received {
                    Some(Ok(Message::Binary(frame))) => self.channel.handle_binary(self.now(), frame),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
                Some(said) = self.receiver.recv(), if takes => self.target_said(said),
                Some(order) = orders.recv() => match order {
                    Order::Cut => return,
                    // Reading answers pings.
                    Order::Die => while let Some(Ok(_)) = socket.next().await {},
                    Order::Close(output) => {
                        let _ = socket.send(closed(&output)).await;
                        self.is_over = true;
                        return;
                    }
                },
                () = tokio::time::sleep(pause.unwrap_or(Duration::from_secs(3600))) => {
                    self.channel.handle_timeout(self.now());
                }
            }
        }
    }

    fn event(&mut self, event: AgentEvent) {
        let now = self.now();
        match event {
            AgentEvent::HandshakeComplete { .. } => {
                if self.runs_mux() {
                    self.mux = Some(MuxSession::new(now, MuxConfig::server()));
                } else {
                    self.dial(0);
                }
                self.channel.ready(now);
            }
            AgentEvent::Data(bytes) => match &mut self.mux {
                Some(mux) => mux.handle_bytes(now, bytes),
                None => {
                    let current = self.current;
                    if !self.targets.contains_key(&current) && !self.early.contains_key(&current) {
                        self.dial(current);
                    }
                    self.give_target(current, bytes);
                }
            },
            AgentEvent::Flag(1) => {
                self.targets.remove(&self.current);
                self.early.remove(&self.current);
                self.current += 1;
            }
            AgentEvent::Flag(2) => self.is_over = true,
            _ => {}
        }
        self.mux_events();
    }

    fn mux_events(&mut self) {
        let now = self.now();
        while let Some(event) = self.mux.as_mut().and_then(MuxSession::poll_event) {
            match event {
                MuxEvent::Opened(id) => self.dial(id.0),
                MuxEvent::Data { id, bytes } => {
                    if let Some(mux) = &mut self.mux {
                        mux.consumed(now, id, bytes.len());
                    }
                    self.give_target(id.0, bytes);
                }
                MuxEvent::Finished { id, .. } => {
                    self.targets.remove(&id.0);
                    self.early.remove(&id.0);
                }
                _ => {}
            }
        }
    }

    fn give_target(&mut self, id: u32, bytes: Bytes) {
        if let Some(target) = self.targets.get(&id) {
            let _ = target.send(bytes);
        } else if let Some(early) = self.early.get_mut(&id) {
            early.push(bytes);
        }
    }

    fn dial(&mut self, id: u32) {
        self.early.insert(id, Vec::new());
        let (port, sender) = (self.port, self.sender.clone());
        tokio::spawn(async move {
            let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await else {
                let _ = sender.send(FromTarget::Failed(id)).await;
                return;
            };
            let _ = stream.set_nodelay(true);
            let (mut reader, mut writer) = stream.into_split();
            let (target, mut bytes) = mpsc::unbounded_channel::<Bytes>();
            let _ = sender.send(FromTarget::Connected(id, target)).await;
            let writing = tokio::spawn(async move {
                while let Some(bytes) = bytes.recv().await {
                    if writer.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
            });
            let reading = async {
                let mut buffer = vec![0; 1024];
                while let Ok(length @ 1..) = reader.read(&mut buffer).await {
                    let data = Bytes::copy_from_slice(&buffer[..length]);
                    if sender.send(FromTarget::Data(id, data)).await.is_err() {
                        break;
                    }
                }
            };
            // The agent closes its connection as a whole.
            tokio::select! {
                () = reading => {}
                _ = writing => {}
            }
            let _ = sender.send(FromTarget::Ended(id)).await;
        });
    }

    fn target_said(&mut self, said: FromTarget) {
        let now = self.now();
        match said {
            FromTarget::Connected(id, target) => {
                // A stream that ended meanwhile has no entry.
                if let Some(early) = self.early.remove(&id) {
                    for bytes in early {
                        let _ = target.send(bytes);
                    }
                    self.targets.insert(id, target);
                }
            }
            FromTarget::Failed(id) => {
                self.early.remove(&id);
                let Some(mux) = &mut self.mux else { return };
                mux.finish(now, MuxStreamId(id));
                if self.behaviour.flag_after_fin {
                    self.flush();
                    self.channel.send(now, PayloadType::Flag, &3u32.to_be_bytes());
                } else {
                    self.channel.send(now, PayloadType::Flag, &3u32.to_be_bytes());
                }
            }
            FromTarget::Data(id, bytes) => {
                if self.mux.is_none() {
                    if id == self.current {
                        self.unsent.extend_from_slice(&bytes);
                    }
                    return;
                }
                if let Some(mux) = &mut self.mux {
                    assert!(
                        matches!(mux.write(now, MuxStreamId(id), &bytes), Ok(length) if length == bytes.len())
                            || mux.write(now, MuxStreamId(id), &[]).is_err()
                    );
                }
                self.flush();
            }
            FromTarget::Ended(id) => {
                self.targets.remove(&id);
                if let Some(mux) = &mut self.mux {
                    mux.finish(now, MuxStreamId(id));
                }
            }
        }
    }

    /// Gives the channel what it takes.
    fn flush(&mut self) {
        let now = self.now();
        if let Some(mux) = &mut self.mux {
            while let Some(bytes) = mux.poll_transmit(now, 1024) {
                self.unsent.extend_from_slice(&bytes);
            }
        }
        let taken = self.channel.send(now, PayloadType::Output, &self.unsent);
        self.unsent.drain(..taken);
    }
}

fn closed(output: &str) -> Message {
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
    Message::Binary(message.encode())
}
