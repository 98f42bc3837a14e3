//! The loop of one session: frames, program, timers.

use bytes::Bytes;
use fleetline_protocol::{
    AgentChannel, AgentConfig, AgentEvent, AgentOutput, DataKeyRequest, HandshakeOffer, SessionId,
    SessionKind, StreamToken, TerminalSize,
};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::Job;
use super::link::{AgentEnd, FromAgent, ToAgent};
use super::pace::{self, Pause};
use super::program::{Activity, Chunk, Running};
use super::recorder::Recorder;
use super::sealing;
use crate::documents::Program;
use crate::gateway::messages;
use crate::kms;
use crate::shared::Shared;

/// Output that is not acknowledged, beyond which the program is not read.
const SEND_WINDOW: usize = 256 * 1024;

/// The same for ports: more than any client lets pass unacknowledged on a link with some delay.
const PORT_SEND_WINDOW: usize = 4 * 1024 * 1024;

/// Bytes of one message, as the real agent.
const MESSAGE_BYTES: usize = 1024;

/// Input the program has not read, beyond which no more is acknowledged.
const RECEIVE_BUDGET: usize = 256 * 1024;

/// Bytes of frames that wait for the relay, beyond which nothing is taken from it.
const OUT_LIMIT: usize = 1024 * 1024;

/// What is said when output cannot be sealed.
const SEALING_TEXT: &str = "Unable to encrypt the output of the session.";

/// How a session ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The gateway is told.
    Done { output: String, failed: bool },
    /// It was ended from outside; nobody needs to be told.
    Silent,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    job: Job,
    end: AgentEnd,
    channel: AgentChannel,
    /// Frames that wait for room on the link.
    frames: VecDeque<Bytes>,
    frame_bytes: usize,
    program: Option<Running>,
    recorder: Recorder,
    /// Output the channel did not take yet.
    rest: Option<Chunk>,
    /// Size the client told before there was a program.
    size: Option<TerminalSize>,
    /// Whether the program starts only after a handshake.
    handshakes: bool,
    /// No output is read during it.
    pause: Option<Pause>,
    /// Input is neither taken nor acknowledged.
    ignores_input: bool,
    /// Set when everything was delivered: the session is over when the frames are out.
    drained: bool,
    output_over: bool,
    /// Why the program could not go on. Reported after all it has said.
    failure: Option<String>,
}

/// What the loop woke up for.
enum Woken {
    Link(Option<ToAgent>),
    Room(bool),
    Program(Activity),
    LinesDue,
    PauseOver,
    Timer,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, job: Job, end: AgentEnd) -> Self {
        let session_id = SessionId::new(job.session_id.clone());
        let mut config = AgentConfig::new(job.origin.node_id.clone(), session_id, rand::random());
        config.agent_version.clone_from(&job.origin.agent_version);
        config.payload_bytes = MESSAGE_BYTES;
        config.send_window_bytes = SEND_WINDOW;
        config.receive_budget_bytes = Some(RECEIVE_BUDGET);
        let offer = |session_type, properties| HandshakeOffer { session_type, properties };
        config.sealing = job.session_key.as_ref().map(sealing::offer);
        let is_sealed = config.sealing.is_some();
        config.handshake = match &job.program {
            Program::Shell => is_sealed.then(|| offer(SessionKind::Shell, Value::Null)),
            Program::InteractiveCommand(_) => {
                is_sealed.then(|| offer(SessionKind::InteractiveCommands, Value::Null))
            }
            Program::NonInteractiveCommand { .. } => {
                Some(offer(SessionKind::NonInteractiveCommands, Value::Null))
            }
            Program::Unsupported => None,
            Program::Port(port) => {
                config.send_window_bytes = PORT_SEND_WINDOW;
                // The real port plugin ends without a word (protocol.md 8.4).
                config.announces_end = false;
                // Connections have their own (protocol.md 8.7).
                config.sealing = None;
                Some(offer(SessionKind::Port, port.properties.clone()))
            }
        };
        let handshakes = config.handshake.is_some();
        let mut channel = AgentChannel::new(config);
        channel.socket_opened(shared.moment(), &link_token());
        Self {
            recorder: Recorder::new(&job),
            shared,
            job,
            end,
            channel,
            frames: VecDeque::new(),
            frame_bytes: 0,
            program: None,
            rest: None,
            size: None,
            handshakes,
            pause: None,
            ignores_input: false,
            drained: false,
            output_over: false,
            failure: None,
        }
    }

    pub(super) async fn drive(&mut self) -> Outcome {
        loop {
            if let Some(outcome) = self.poll() {
                return outcome;
            }
            if !self.flush() {
                return Outcome::Silent;
            }
            if self.drained && self.frames.is_empty() {
                let failed = self.failure.is_some();
                return Outcome::Done { output: self.failure.take().unwrap_or_default(), failed };
            }
            let woken = self.wait().await;
            if let Some(outcome) = self.handle(woken) {
                return outcome;
            }
        }
    }

    /// Gives the gateway the last word, unless it no longer listens.
    pub(super) async fn report(&mut self, done: FromAgent, stop: &CancellationToken) {
        let sender = &self.end.sender;
        tokio::select! {
            room = sender.reserve(1) => if let Ok(room) = room {
                sender.put(room, done).ok();
            },
            () = stop.cancelled() => {}
        }
    }

    /// Ends the program and writes down what is left of the log.
    pub(super) async fn clean_up(mut self) {
        self.recorder.finish(&self.shared, &self.job);
        if let Some(program) = self.program {
            program.end().await;
        }
    }

    /// Takes what the channel has to say.
    fn poll(&mut self) -> Option<Outcome> {
        while let Some(output) = self.channel.poll_output() {
            match output {
                // The link needs no token: it is there only for this session.
                AgentOutput::Text(_) => {}
                AgentOutput::Binary(frame) => {
                    self.frame_bytes += frame.len();
                    self.frames.push_back(frame);
                }
                AgentOutput::Event(event) => {
                    if let Some(outcome) = self.event(event) {
                        return Some(outcome);
                    }
                }
            }
        }
        None
    }

    /// Passes on the frames there is room for; false when the relay is gone.
    fn flush(&mut self) -> bool {
        while let Some(frame) = self.frames.front()
            && let Some(room) = self.end.sender.try_reserve(frame.len())
            && let Some(frame) = self.frames.pop_front()
        {
            self.frame_bytes -= frame.len();
            if self.end.sender.put(room, FromAgent::Frame(frame)).is_err() {
                return false;
            }
        }
        true
    }

    fn event(&mut self, event: AgentEvent) -> Option<Outcome> {
        match event {
            AgentEvent::DataKeyReceived { request, cipher_text_blob } => {
                return self.open_data_key(request, &cipher_text_blob);
            }
            AgentEvent::SealingFailed => {
                return Some(Outcome::Done { output: SEALING_TEXT.to_owned(), failed: true });
            }
            AgentEvent::HandshakeComplete { client_version } => self.start(&client_version),
            AgentEvent::Data(bytes) => {
                if let Some(program) = &mut self.program {
                    program.input(bytes);
                }
            }
            AgentEvent::Resize(size) => {
                self.size = Some(size);
                if let Some(program) = &self.program {
                    program.resize(size);
                }
            }
            AgentEvent::Writable => self.send_rest(),
            AgentEvent::Drained => self.drained = true,
            AgentEvent::Cancelled => return Some(Outcome::Silent),
            AgentEvent::HandshakeFailed(output) => return Some(Outcome::Done { output, failed: true }),
            AgentEvent::Flag(flag) => {
                if let Some(program) = &mut self.program {
                    program.flag(flag);
                }
            }
            _ => {}
        }
        None
    }

    /// Has KMS open the client's data key. When it refuses, the session ends and the client is not told why: the
    /// agent has no way to report it (aws-security-reliability.md A.11).
    fn open_data_key(&mut self, request: DataKeyRequest, blob: &[u8]) -> Option<Outcome> {
        let Job { account, region, role_arn, session_id, .. } = &self.job;
        match kms::open_data_key(&self.shared, *account, region, role_arn, request, blob) {
            Ok(key) => {
                self.channel.provide_data_key(self.shared.moment(), &key);
                None
            }
            Err(error) => {
                tracing::warn!(session_id, error, "Fetching data key failed");
                Some(Outcome::Done { output: String::new(), failed: true })
            }
        }
    }

    fn start(&mut self, client_version: &str) {
        match Running::start(&self.shared, &self.job, client_version) {
            Ok(program) => {
                if let Some(size) = self.size {
                    program.resize(size);
                }
                if program.is_ready() {
                    self.pause = self.job.pacing.then(Pause::first);
                    self.channel.ready(self.shared.moment());
                }
                self.program = Some(program);
                self.type_profile();
            }
            Err(error) => self.fail(error.to_string()),
        }
    }

    /// Types the shell profile of the preferences, as a person would (protocol.md 7.6).
    fn type_profile(&mut self) {
        if let (Program::Shell, Some(program)) = (&self.job.program, &mut self.program)
            && !self.job.shell_profile.is_empty()
        {
            program.input(Bytes::from(format!("{}\n", self.job.shell_profile)));
        }
    }

    /// Ends the session with this text, once what was said before has arrived.
    fn fail(&mut self, text: String) {
        self.failure = Some(text);
        self.output_is_over();
    }

    fn output_is_over(&mut self) {
        self.output_over = true;
        if self.rest.is_none() {
            self.channel.finish(self.shared.moment());
        }
    }

    /// Bytes of output that can be sent now. The real agent reads no more than one message at a time.
    fn room(&self) -> usize {
        if self.rest.is_some() || self.output_over || self.pause.is_some() {
            return 0;
        }
        match self.channel.send_capacity() {
            ..MESSAGE_BYTES => 0,
            _ if self.job.pacing => MESSAGE_BYTES,
            capacity => capacity,
        }
    }

    async fn wait(&mut self) -> Woken {
        let timer = self.channel.poll_timeout().map(|at| self.shared.began + at);
        let room = self.room();
        let taking = self.frame_bytes < OUT_LIMIT;
        let first = self.frames.front().map(Bytes::len);
        tokio::select! {
            item = self.end.receiver.take(), if taking => Woken::Link(item),
            room = self.end.sender.reserve(first.unwrap_or(0)), if first.is_some() => {
                let (Ok(room), Some(frame)) = (room, self.frames.pop_front()) else { return Woken::Room(false) };
                self.frame_bytes -= frame.len();
                Woken::Room(self.end.sender.put(room, FromAgent::Frame(frame)).is_ok())
            }
            activity = next_from(&mut self.program, room) => Woken::Program(activity),
            () = sleep_until(self.recorder.due().map(Into::into)) => Woken::LinesDue,
            () = pace::over(&mut self.pause) => Woken::PauseOver,
            () = sleep_until(timer) => Woken::Timer,
        }
    }

    fn handle(&mut self, woken: Woken) -> Option<Outcome> {
        let now = self.shared.moment();
        match woken {
            Woken::Link(Some(ToAgent::IgnoreInput(ignores))) => self.ignores_input = ignores,
            Woken::Link(Some(ToAgent::Frame(frame)))
                if self.ignores_input && messages::is_stream_data(&frame) => {}
            Woken::Link(Some(ToAgent::Frame(frame))) => {
                // The first frame says that the client is there. What begins with a handshake waits for its end.
                if self.program.is_none() && !self.handshakes && !self.output_over {
                    self.start("");
                }
                self.channel.handle_binary(now, frame);
            }
            Woken::Link(Some(ToAgent::LinkDown)) => self.channel.socket_closed(now),
            Woken::Link(Some(ToAgent::LinkUp)) => self.channel.socket_opened(now, &link_token()),
            // The relay is gone: so is the session.
            Woken::Link(None) | Woken::Room(false) => return Some(Outcome::Silent),
            Woken::Room(true) => {}
            Woken::Program(Activity::Output(Some(chunk))) => {
                self.recorder.take(&chunk.bytes, &self.job.session_id);
                self.rest = Some(chunk);
                self.send_rest();
                self.pause = self.job.pacing.then(Pause::after_read);
            }
            Woken::Program(Activity::Output(None)) => self.output_is_over(),
            Woken::Program(Activity::Failed(text)) => self.fail(text),
            Woken::Program(Activity::Terminated) => {
                self.rest = None;
                self.output_is_over();
            }
            Woken::Program(Activity::Ready) => self.channel.ready(now),
            Woken::Program(Activity::Consumed(bytes)) => self.channel.consumed(now, bytes),
            Woken::LinesDue => self.recorder.stream(&self.shared, &self.job),
            Woken::PauseOver => {}
            Woken::Timer => self.channel.handle_timeout(now),
        }
        None
    }

    fn send_rest(&mut self) {
        let Some(mut chunk) = self.rest.take() else { return };
        let now = self.shared.moment();
        let taken = self.channel.send(now, chunk.payload_type, &chunk.bytes);
        if taken < chunk.bytes.len() {
            chunk.bytes = chunk.bytes.slice(taken..);
            self.rest = Some(chunk);
        } else if self.output_over {
            self.channel.finish(now);
        }
    }
}

/// The next thing a program does.
async fn next_from(program: &mut Option<Running>, room: usize) -> Activity {
    match program {
        Some(program) => program.next(room).await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<std::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The link between agent and relay is made for one session; its token is never looked at.
fn link_token() -> StreamToken {
    StreamToken::new("in-memory")
}
