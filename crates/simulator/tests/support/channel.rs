//! A client of the data channel: the protocol machine on a WebSocket, as small as it can be.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fleetline_protocol::{
    ClientChannel, ClientConfig, ClientEvent, ClientOutput, ClientSealing, CloseReason, DataKey,
    DataKeyRequest, DataStream, Moment, Publication, StreamToken, TerminalSize,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

/// A raw WebSocket.
pub type Socket = WebSocketStream<TcpStream>;

/// Dials a stream URL, with extra headers.
pub async fn dial(url: &str, headers: &[(String, String)]) -> Result<Socket, Error> {
    let uri: http::Uri = url.parse().unwrap();
    let stream = TcpStream::connect(uri.authority().unwrap().as_str()).await.unwrap();
    dial_over(stream, url, headers).await
}

/// Upgrades a connection to a WebSocket for a stream URL, with extra headers.
pub async fn dial_over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    url: &str,
    headers: &[(String, String)],
) -> Result<WebSocketStream<S>, Error> {
    let uri: http::Uri = url.parse().unwrap();
    let host = uri.authority().unwrap().to_string();
    let mut request = http::Request::builder()
        .uri(url)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    if !headers.iter().any(|(name, _)| name == "host") {
        request = request.header("host", &host);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let (socket, _) = tokio_tungstenite::client_async(request.body(()).unwrap(), stream).await?;
    Ok(socket)
}

/// Url and token of a StartSession or ResumeSession answer.
pub fn grant(answer: &Value) -> (String, StreamToken) {
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("StreamUrl"), StreamToken::new(text("TokenValue")))
}

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a close frame: code and reason.
    Closed(u16, String),
    /// Without one.
    Dropped,
}

/// A client of one session.
pub struct Client<S = TcpStream> {
    channel: ClientChannel,
    socket: Option<WebSocketStream<S>>,
    began: Instant,
    pub output: Vec<u8>,
    pub errors: Vec<u8>,
    pub exit_code: Option<i32>,
    pub closed: Option<CloseReason>,
    pub started: bool,
    /// Flags of the agent, in order.
    pub flags: Vec<u32>,
    /// How often the gateway said that the agent is gone.
    pub pauses: usize,
    /// Document properties the agent announced.
    pub properties: Value,
    /// The data key the agent wants, until it has one.
    pub key_wanted: Option<DataKeyRequest>,
    /// How the last socket ended, once it has.
    pub ended: Option<Ended>,
}

impl Client {
    /// Opens the session's data channel, or opens it again.
    pub async fn open(&mut self, answer: &Value) {
        let (url, token) = grant(answer);
        self.attach(dial(&url, &[]).await.unwrap(), &token).await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub fn new(size: Option<TerminalSize>) -> Self {
        Self::sealing(size, None)
    }

    /// One that can seal.
    pub fn sealing(size: Option<TerminalSize>, sealing: Option<ClientSealing>) -> Self {
        let mut config = ClientConfig::new([9; 32]);
        config.terminal = size;
        config.sealing = sealing;
        Self {
            channel: ClientChannel::new(config),
            socket: None,
            began: Instant::now(),
            output: Vec::new(),
            errors: Vec::new(),
            exit_code: None,
            closed: None,
            started: false,
            flags: Vec::new(),
            pauses: 0,
            properties: Value::Null,
            key_wanted: None,
            ended: None,
        }
    }

    fn now(&self) -> Moment {
        Moment::new(self.began.elapsed(), u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap())
    }

    pub async fn attach(&mut self, socket: WebSocketStream<S>, token: &StreamToken) {
        self.socket = Some(socket);
        self.ended = None;
        let now = self.now();
        self.channel.socket_opened(now, token);
        self.flush().await;
    }

    /// Sends all of `bytes`, waiting for the window where needed.
    pub async fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let now = self.now();
            let taken = self.channel.send(now, bytes);
            bytes = &bytes[taken..];
            self.flush().await;
            if taken == 0 {
                self.step().await;
            }
        }
    }

    pub async fn resize(&mut self, cols: u16, rows: u16) {
        let now = self.now();
        self.channel.resize(now, TerminalSize { cols, rows });
        self.flush().await;
    }

    /// Gives the agent a data key, as KMS made it.
    pub async fn provide_key(&mut self, cipher_text_blob: &[u8], plain: &[u8]) {
        let (now, key) = (self.now(), DataKey::from_plain(plain).unwrap());
        self.key_wanted = None;
        self.channel.provide_data_key(now, cipher_text_blob, key);
        self.flush().await;
    }

    /// Tells the agent of a basic port session that the local connection is over.
    pub async fn disconnect(&mut self) {
        let now = self.now();
        self.channel.disconnect_flag(now);
        self.flush().await;
    }

    /// Asks the agent to end the port session.
    pub async fn terminate(&mut self) {
        let now = self.now();
        self.channel.terminate_flag(now);
        self.flush().await;
    }

    /// Drops the connection without a word.
    pub fn drop_socket(&mut self) {
        self.socket = None;
        let now = self.now();
        self.channel.socket_closed(now);
    }

    /// Runs until `done`, at most half a minute.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let limit = Duration::from_secs(30);
        let began = Instant::now();
        while !done(self) {
            let left = limit.saturating_sub(began.elapsed());
            if tokio::time::timeout(left, self.step()).await.is_err() {
                let last = &self.output[self.output.len().saturating_sub(2000)..];
                panic!("no {what}; the last of the output: {:?}", String::from_utf8_lossy(last));
            }
        }
    }

    /// Runs until the output ends with or contains `text`.
    pub async fn until_output(&mut self, text: &str) {
        self.until(text, |client| String::from_utf8_lossy(&client.output).contains(text)).await;
    }

    /// Bytes the agent has not acknowledged.
    pub fn unacked(&self) -> usize {
        self.channel.unacked_bytes()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// Waits for one thing to happen.
    pub async fn step(&mut self) {
        let timer = self.channel.poll_timeout().map(|at| self.began + at);
        let sleep = async {
            match timer {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let message = async {
            match &mut self.socket {
                Some(socket) => socket.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = message => self.message(message),
            () = sleep => {
                let now = self.now();
                self.channel.handle_timeout(now);
            }
        }
        self.flush().await;
    }

    fn message(&mut self, message: Option<Result<Message, Error>>) {
        let now = self.now();
        match message {
            Some(Ok(Message::Binary(frame))) => self.channel.handle_binary(now, frame),
            Some(Ok(Message::Text(text))) => self.channel.handle_text(now, text.as_str()),
            Some(Ok(Message::Close(frame))) => {
                let CloseFrame { code, reason } = frame.unwrap();
                self.ended = Some(Ended::Closed(code.into(), reason.as_str().to_owned()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                self.ended.get_or_insert(Ended::Dropped);
                self.drop_socket();
            }
        }
    }

    async fn flush(&mut self) {
        while let Some(output) = self.channel.poll_output() {
            match output {
                ClientOutput::Text(text) => self.write(Message::text(text.as_str())).await,
                ClientOutput::Binary(frame) => self.write(Message::Binary(frame)).await,
                ClientOutput::Event(event) => self.event(event),
            }
        }
    }

    async fn write(&mut self, message: Message) {
        if let Some(socket) = &mut self.socket {
            // A failure is seen by the next read as well.
            socket.send(message).await.ok();
        }
    }

    fn event(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Started { properties, .. } => {
                self.started = true;
                self.properties = properties;
            }
            ClientEvent::DataKeyNeeded(request) => self.key_wanted = Some(request),
            ClientEvent::Flag(flag) => self.flags.push(flag),
            ClientEvent::Publication(Publication::Pause) => self.pauses += 1,
            ClientEvent::Data { stream, bytes } => {
                match stream {
                    DataStream::Output => self.output.extend_from_slice(&bytes),
                    DataStream::StdErr => self.errors.extend_from_slice(&bytes),
                }
                let now = self.now();
                self.channel.consumed(now, bytes.len());
            }
            ClientEvent::ExitCode(code) => self.exit_code = Some(code),
            ClientEvent::Closed(reason) => self.closed = Some(reason),
            _ => {}
        }
    }
}

/// Sends a text and reports how the socket ended, with no protocol machine in between.
pub async fn speak(mut socket: Socket, messages: Vec<Message>) -> Ended {
    for message in messages {
        socket.send(message).await.unwrap();
    }
    ended(&mut socket).await
}

/// Reads until the socket ends.
pub async fn ended(socket: &mut Socket) -> Ended {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => {
                return Ended::Closed(frame.code.into(), frame.reason.as_str().to_owned());
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Ended::Dropped,
        }
    }
}

/// The next binary message.
pub async fn binary(socket: &mut Socket) -> Bytes {
    loop {
        if let Message::Binary(frame) = socket.next().await.unwrap().unwrap() {
            return frame;
        }
    }
}
