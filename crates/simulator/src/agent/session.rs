//! The loop of one session: frames, program, timers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    AgentChannel, AgentConfig, AgentEvent, AgentOutput, HandshakeOffer, SessionId, SessionKind, StreamToken,
    TerminalSize,
};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Job;
use super::link::{AgentEnd, FromAgent, ToAgent};
use super::program::{Activity, Chunk, Running};
use crate::documents::Program;
use crate::shared::Shared;

/// Output that is not acknowledged, beyond which the program is not read.
const SEND_WINDOW: usize = 256 * 1024;

/// Input the program has not read, beyond which no more is acknowledged.
const RECEIVE_BUDGET: usize = 256 * 1024;

/// Bytes of frames that wait for the relay, beyond which nothing is taken from it.
const OUT_LIMIT: usize = 1024 * 1024;

/// The real agent's pause before its first read of a pty, and between reads.
const FIRST_READ: Duration = Duration::from_secs(1);
const PACE: Duration = Duration::from_millis(1);

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
    /// Output the channel did not take yet.
    rest: Option<Chunk>,
    /// Size the client told before there was a program.
    size: Option<TerminalSize>,
    /// No output is read before.
    next_read: Instant,
    /// Set when everything was delivered: the session is over when the frames are out.
    drained: bool,
    output_over: bool,
}

/// What the loop woke up for.
enum Woken {
    Link(Option<ToAgent>),
    Room(bool),
    Program(Activity),
    Timer,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, job: Job, end: AgentEnd) -> Self {
        let session_id = SessionId::new(job.session_id.clone());
        let mut config = AgentConfig::new(job.node_id.clone(), session_id, rand::random());
        config.agent_version = job.agent_version.to_owned();
        config.send_window_bytes = SEND_WINDOW;
        config.receive_budget_bytes = Some(RECEIVE_BUDGET);
        if matches!(job.program, Program::NonInteractiveCommand { .. }) {
            config.handshake = Some(HandshakeOffer {
                session_type: SessionKind::NonInteractiveCommands,
                properties: Value::Null,
            });
        }
        let mut channel = AgentChannel::new(config);
        channel.socket_opened(shared.moment(), &link_token());
        Self {
            shared,
            job,
            end,
            channel,
            frames: VecDeque::new(),
            frame_bytes: 0,
            program: None,
            rest: None,
            size: None,
            next_read: Instant::now(),
            drained: false,
            output_over: false,
        }
    }

    pub(super) async fn drive(&mut self) -> Outcome {
        loop {
            if let Some(outcome) = self.poll() {
                return outcome;
            }
            if self.drained && self.frames.is_empty() {
                return Outcome::Done { output: String::new(), failed: false };
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

    pub(super) async fn clean_up(self) {
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

    fn event(&mut self, event: AgentEvent) -> Option<Outcome> {
        match event {
            AgentEvent::HandshakeComplete { .. } => return self.start(),
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
            // Shell plugins ignore flags (protocol.md 4.3).
            _ => {}
        }
        None
    }

    fn start(&mut self) -> Option<Outcome> {
        match Running::start(&self.job) {
            Ok(program) => {
                if let Some(size) = self.size {
                    program.resize(size);
                }
                self.program = Some(program);
                if self.job.pacing {
                    self.next_read = Instant::now() + FIRST_READ;
                }
                self.channel.ready(self.shared.moment());
                None
            }
            Err(error) => Some(Outcome::Done { output: error.to_string(), failed: true }),
        }
    }

    async fn wait(&mut self) -> Woken {
        let timer = self.channel.poll_timeout().map(|at| self.shared.began + at);
        let reading = self.rest.is_none() && !self.output_over && self.channel.send_capacity() > 0;
        let next_read = self.next_read;
        let taking = self.frame_bytes < OUT_LIMIT;
        let first = self.frames.front().map(Bytes::len);
        tokio::select! {
            item = self.end.receiver.take(), if taking => Woken::Link(item),
            room = self.end.sender.reserve(first.unwrap_or(0)), if first.is_some() => {
                let (Ok(room), Some(frame)) = (room, self.frames.pop_front()) else { return Woken::Room(false) };
                self.frame_bytes -= frame.len();
                Woken::Room(self.end.sender.put(room, FromAgent::Frame(frame)).is_ok())
            }
            activity = next_from(&mut self.program, reading, next_read) => Woken::Program(activity),
            () = sleep_until(timer) => Woken::Timer,
        }
    }

    fn handle(&mut self, woken: Woken) -> Option<Outcome> {
        let now = self.shared.moment();
        match woken {
            Woken::Link(Some(ToAgent::Frame(frame))) => {
                // The first frame says that the client is there. A command without terminal waits for the handshake.
                let starts_now = self.program.is_none()
                    && !matches!(self.job.program, Program::NonInteractiveCommand { .. });
                let outcome = if starts_now { self.start() } else { None };
                self.channel.handle_binary(now, frame);
                return outcome;
            }
            Woken::Link(Some(ToAgent::LinkDown)) => self.channel.socket_closed(now),
            Woken::Link(Some(ToAgent::LinkUp)) => self.channel.socket_opened(now, &link_token()),
            // The relay is gone: so is the session.
            Woken::Link(None) | Woken::Room(false) => return Some(Outcome::Silent),
            Woken::Room(true) => {}
            Woken::Program(Activity::Output(Some(chunk))) => {
                self.rest = Some(chunk);
                self.send_rest();
                if self.job.pacing {
                    self.next_read = Instant::now() + PACE;
                }
            }
            Woken::Program(Activity::Output(None)) => {
                self.output_over = true;
                if self.rest.is_none() {
                    self.channel.finish(now);
                }
            }
            Woken::Program(Activity::Consumed(bytes)) => self.channel.consumed(now, bytes),
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

/// The next thing a program does; output only when `reading` and never before `next_read`.
async fn next_from(program: &mut Option<Running>, reading: bool, next_read: Instant) -> Activity {
    let Some(program) = program else { return std::future::pending().await };
    if reading && Instant::now() < next_read {
        tokio::select! {
            () = tokio::time::sleep_until(next_read) => {}
            activity = program.next(false) => return activity,
        }
    }
    program.next(reading).await
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
