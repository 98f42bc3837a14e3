//! Drives one data channel over one socket after another. One task owns the protocol state; nothing else touches it.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use fleetline_protocol::{
    ClientChannel, ClientEvent, ClientOutput, ClientSealing, CloseReason, DataKeyRequest, Moment, SessionId,
    StreamToken,
};
use tokio::time::{sleep_until, timeout};

use crate::cause::SocketLoss;
use crate::clock::Clock;
use crate::coalesce::Coalescing;
use crate::dial::DataSocket;
use crate::liveness::{GatewayPulse, LivenessTimes, NodePulse, NodeSigns, Pulse};
use crate::ports::{ApiError, BoxFuture, ControlPlane, SealedDataKey};
use crate::purpose::{FULL_MESSAGE_BYTES, Io, Purpose, Started, Unusable};
use crate::sealing;
use crate::shared::Shared;
use crate::state::{EndReason, SessionState, StartStep};
use crate::terminate::no_answer;
use crate::transport::{Incoming, Transport};
use crate::wake::Listener;

/// Unreadable frames on one socket after which the socket is given up.
const MAX_REJECTED: u64 = 16;
/// Sessions that doubt their sockets for the same reason ask at different moments within this time.
const SPREAD: Duration = Duration::from_millis(400);
/// How long KMS may take: a second less than the agent waits (protocol.md 5.2), so that our own cause comes first.
const KEY_WITHIN: Duration = Duration::from_secs(14);
/// Never reached; stands for "no deadline".
const FAR: Duration = Duration::from_secs(24 * 3600);

/// Why a socket is not driven any more.
#[derive(Debug)]
pub(crate) enum SocketEnd {
    /// It was lost; the session lives on.
    Lost {
        loss: SocketLoss,
        /// Whether it had shown to be good, so that the loss is a new one and not a failed attempt.
        proven: bool,
    },
    /// The channel is closed for good.
    Closed(CloseReason),
    /// The user wants to end the session.
    ByUser,
    /// The session has fulfilled its purpose and the service took too long to close the channel.
    Exited,
}

/// One data channel and its ends.
pub(crate) struct Driver {
    control: Arc<dyn ControlPlane>,
    channel: ClientChannel,
    clock: Clock,
    shared: Arc<Shared>,
    purpose: Purpose,
    times: LivenessTimes,
    woken: Listener,
    started: Option<Started>,
    resumed_after: Option<Duration>,
    /// How long the service may still take to close the channel that the user ended.
    leaves_at: Option<Duration>,
    key: KeyCall,
}

/// How far the session is with its data key.
enum KeyCall {
    /// None was asked for.
    Unneeded,
    /// KMS is being asked. Goes on without a socket.
    Running { key_id: String, call: BoxFuture<'static, Result<SealedDataKey, ApiError>> },
    /// It was given to the channel.
    Given { key_id: String },
    /// There is none.
    Refused { key_id: String, error: ApiError },
}

/// What the channel had to say.
enum Drained {
    /// Nothing, or nothing but messages.
    Quiet,
    /// Something happened.
    Events,
    /// The session is over.
    Ended(SocketEnd),
}

/// What is known about the socket being driven.
struct Link {
    transport: Transport,
    coalescing: Coalescing,
    gateway: GatewayPulse,
    node: NodePulse,
    heard_gateway: bool,
    heard_node: bool,
    node_spoke: bool,
    silence_shown: bool,
    announced: bool,
}

impl Driver {
    pub(crate) fn new(
        control: Arc<dyn ControlPlane>,
        channel: ClientChannel,
        clock: Clock,
        shared: Arc<Shared>,
        purpose: Purpose,
        times: LivenessTimes,
        woken: Listener,
    ) -> Self {
        Self {
            control,
            channel,
            clock,
            shared,
            purpose,
            times,
            woken,
            started: None,
            resumed_after: None,
            leaves_at: None,
            key: KeyCall::Unneeded,
        }
    }

    /// AWS granted the session, which may be sealed from here on. Before the first socket.
    pub(crate) fn granted(&mut self, session: &SessionId, target: &str) {
        self.channel.seal_with(ClientSealing::new(sealing::aead(), session.clone(), target));
    }

    /// The KMS key that gave no data key, and why; this ended the session.
    pub(crate) fn key_refused(&self) -> Option<(&str, &ApiError)> {
        match &self.key {
            KeyCall::Refused { key_id, error } => Some((key_id, error)),
            _ => None,
        }
    }

    /// The KMS key whose data key was given to the node.
    pub(crate) fn key_given(&self) -> Option<&str> {
        match &self.key {
            KeyCall::Given { key_id } => Some(key_id),
            _ => None,
        }
    }

    /// Whether the session ever opened.
    pub(crate) fn has_started(&self) -> bool {
        self.started.is_some()
    }

    /// Whether the session has fulfilled its purpose.
    pub(crate) fn has_exited(&self) -> bool {
        self.purpose.is_fulfilled()
    }

    /// Drives the channel until the socket or the session ends. `outage_began` is when the last socket was lost.
    pub(crate) async fn run(
        &mut self,
        socket: DataSocket,
        token: &StreamToken,
        outage_began: Duration,
    ) -> SocketEnd {
        let now = self.clock.moment();
        let mut link = Link::new(socket, self.times, self.signs(), now.elapsed);
        if self.started.is_none() {
            link.node.await_first_words(now.elapsed);
            self.shared.set(SessionState::Starting { step: StartStep::WaitingForNode });
        }
        let rejected_before = self.channel.stats().rejected.total();
        self.channel.socket_opened(now, token);

        let end = match self.exchange(&mut link, outage_began, rejected_before).await {
            lost @ SocketEnd::Lost { .. } => self.lose(&mut link).unwrap_or(lost),
            end => end,
        };
        match &end {
            SocketEnd::Lost { .. } => {}
            SocketEnd::ByUser => {
                self.shared.set(SessionState::Ended(EndReason::ClosedByUser));
                link.transport.close().await;
            }
            SocketEnd::Closed(_) | SocketEnd::Exited => link.transport.close().await,
        }
        end
    }

    async fn exchange(&mut self, link: &mut Link, outage_began: Duration, rejected_before: u64) -> SocketEnd {
        let mut received = Vec::new();
        let mut wake = pin!(sleep_until(self.clock.instant(self.clock.elapsed())));
        loop {
            let now = self.clock.moment();
            if let Some(end) = self.step(link, now) {
                return end;
            }
            if link.heard_gateway && !link.announced && self.started.is_some() {
                self.announce_open(link, Some(now.elapsed - outage_began));
            }
            if self.channel.stats().rejected.total() - rejected_before > MAX_REJECTED {
                return link.lost(
                    now.elapsed,
                    SocketLoss::Broken { message: "it delivers messages that cannot be read".to_owned() },
                );
            }

            self.shared.stats.channel(&self.channel.stats(), self.channel.unacked_bytes());
            let deadline = self.clock.instant(self.deadline(link));
            if wake.deadline() != deadline {
                wake.as_mut().reset(deadline);
            }
            tokio::select! {
                outcome = link.transport.exchange(&mut received) => {
                    let now = self.clock.moment();
                    match outcome {
                        Ok(()) => self.receive(link, now, &mut received),
                        Err(loss) => return link.lost(now.elapsed, loss),
                    }
                }
                () = self.purpose.wake(self.channel.send_capacity() >= FULL_MESSAGE_BYTES) => {}
                outcome = key_answered(&mut self.key) => self.take_key(outcome),
                () = &mut wake => {}
                () = self.shared.close.cancelled(), if self.leaves_at.is_none() && !self.purpose.is_fulfilled() => {
                    if !self.begin_to_leave() {
                        return SocketEnd::ByUser;
                    }
                }
                disturbance = self.woken.disturbed() => {
                    self.shared.history.note(disturbance.to_string());
                    let spread = SPREAD.mul_f64(rand::random_range(0.0..=1.0));
                    link.gateway.doubt(self.clock.elapsed() + spread);
                }
                () = self.shared.retry.notified() => link.gateway.doubt(self.clock.elapsed()),
            }
        }
    }

    /// Everything that can be done without waiting.
    fn step(&mut self, link: &mut Link, now: Moment) -> Option<SocketEnd> {
        if self.channel.poll_timeout().is_some_and(|at| at <= now.elapsed) {
            self.channel.handle_timeout(now);
        }
        loop {
            self.with_purpose(link, now, |purpose, io| purpose.step(io));
            match self.drain(link, now) {
                Drained::Quiet => break,
                // What came may be answered at once.
                Drained::Events => {}
                Drained::Ended(end) => return Some(end),
            }
        }
        if self.watch_node(link, now) {
            return Some(SocketEnd::Closed(CloseReason::ByOwner));
        }
        if link.coalescing.is_over(now.elapsed) {
            link.transport.wait_for(None);
        }
        while let Some(pulse) = link.gateway.poll(now.elapsed) {
            match pulse {
                Pulse::Ping => link.transport.push_ping(),
                Pulse::Dead(lasted) => return Some(link.lost(now.elapsed, SocketLoss::Silent { lasted })),
            }
        }
        if self.leaves_at.is_some_and(|at| at <= now.elapsed) {
            return Some(SocketEnd::ByUser);
        }
        self.purpose.is_over(now.elapsed).then_some(SocketEnd::Exited)
    }

    /// Does what the channel asks for, unless the socket has enough to write.
    fn drain(&mut self, link: &mut Link, now: Moment) -> Drained {
        let mut drained = Drained::Quiet;
        while !link.transport.is_congested() {
            match self.channel.poll_output() {
                None => break,
                Some(ClientOutput::Text(text)) => link.transport.push_text(&text),
                Some(ClientOutput::Binary(frame)) => link.transport.push_binary(frame),
                Some(ClientOutput::Event(event)) => {
                    if let Some(end) = self.handle_event(link, now, event) {
                        return Drained::Ended(end);
                    }
                    drained = Drained::Events;
                }
            }
        }
        drained
    }

    fn with_purpose<T>(
        &mut self,
        link: &mut Link,
        now: Moment,
        call: impl FnOnce(&mut Purpose, &mut Io<'_>) -> T,
    ) -> T {
        let mut has_asked = false;
        let mut io = Io { channel: &mut self.channel, shared: &self.shared, now, has_asked: &mut has_asked };
        let outcome = call(&mut self.purpose, &mut io);
        if has_asked {
            link.asked(now.elapsed);
        }
        outcome
    }

    /// The user ends the session. Whether the service is given time to close the channel itself.
    fn begin_to_leave(&mut self) -> bool {
        self.shared.set(SessionState::Ended(EndReason::ClosedByUser));
        let now = self.clock.moment();
        let mut io = Io { channel: &mut self.channel, shared: &self.shared, now, has_asked: &mut false };
        self.leaves_at = self.purpose.say_goodbye(&mut io).map(|patience| now.elapsed + patience);
        self.leaves_at.is_some()
    }

    /// The socket is gone: what it still delivered counts, `channel_closed` above all.
    fn lose(&mut self, link: &mut Link) -> Option<SocketEnd> {
        let now = self.clock.moment();
        self.channel.socket_closed(now);
        while let Some(output) = self.channel.poll_output() {
            if let ClientOutput::Event(event) = output
                && let Some(end) = self.handle_event(link, now, event)
            {
                return Some(end);
            }
        }
        None
    }

    fn receive(&mut self, link: &mut Link, now: Moment, received: &mut Vec<Incoming>) {
        link.gateway.heard(now.elapsed);
        link.heard_gateway = true;
        let frames = received.iter().filter_map(Incoming::frame_bytes);
        link.transport.wait_for(link.coalescing.received(now.elapsed, frames));
        for incoming in received.drain(..) {
            match incoming {
                Incoming::Binary(frame) => {
                    link.heard_node = true;
                    self.channel.handle_binary(now, frame);
                }
                Incoming::Text(text) => self.channel.handle_text(now, &text),
                Incoming::Ping => {}
                Incoming::Pong => {
                    if let Some(after) = link.gateway.answered(now.elapsed) {
                        self.shared.stats.gateway_answered(after);
                    }
                }
            }
        }
    }

    /// Asks KMS, without holding up the channel.
    fn ask_for_key(&mut self, request: DataKeyRequest) {
        let key_id = request.key_id.clone();
        self.shared.history.note(format!("The session must be encrypted with KMS key {key_id}"));
        let control = self.control.clone();
        let call = Box::pin(async move {
            let asked = timeout(KEY_WITHIN, control.generate_data_key(request)).await;
            asked.unwrap_or_else(|_| Err(no_answer("GenerateDataKey", KEY_WITHIN)))
        });
        self.key = KeyCall::Running { key_id, call };
    }

    fn take_key(&mut self, outcome: Result<SealedDataKey, ApiError>) {
        let now = self.clock.moment();
        let KeyCall::Running { key_id, .. } = std::mem::replace(&mut self.key, KeyCall::Unneeded) else {
            return;
        };
        self.key = match outcome {
            Ok(SealedDataKey { plain, cipher_text_blob }) => {
                self.channel.provide_data_key(now, &cipher_text_blob, plain);
                KeyCall::Given { key_id }
            }
            Err(error) => {
                self.channel.refuse_data_key(now, sealing::refusal(&error));
                KeyCall::Refused { key_id, error }
            }
        };
    }

    fn handle_event(&mut self, link: &mut Link, now: Moment, event: ClientEvent) -> Option<SocketEnd> {
        match event {
            ClientEvent::Started { kind, agent_version, properties, handshake } => {
                self.shared.history.note(format!(
                    "{kind} started, agent {}, {} handshake",
                    agent_version.as_deref().unwrap_or("version unknown"),
                    if handshake { "with" } else { "without" }
                ));
                if let KeyCall::Given { key_id } = &self.key {
                    // Set once: only here.
                    let _ = self.shared.sealed_with.set(key_id.clone());
                }
                let started = Started { kind, agent_version, properties };
                link.node_spoke = true;
                let usable = self.with_purpose(link, now, |purpose, io| purpose.started(io, &started));
                self.started = Some(started);
                match usable {
                    Ok(()) => self.announce_open(link, None),
                    Err(Unusable(why)) => {
                        self.shared.set(SessionState::Ended(EndReason::Unusable { why }));
                        self.channel.close(now);
                    }
                }
            }
            ClientEvent::Data { stream, bytes } => {
                link.node_spoke = true;
                self.with_purpose(link, now, |purpose, io| purpose.data(io, stream, bytes));
            }
            ClientEvent::ExitCode(code) => {
                self.with_purpose(link, now, |purpose, io| purpose.exit_code(io, code));
            }
            ClientEvent::Flag(flag) => {
                self.with_purpose(link, now, |purpose, io| purpose.flag(io, flag));
            }
            ClientEvent::DataKeyNeeded(request) => self.ask_for_key(request),
            ClientEvent::Message(text) => {
                self.shared.history.note("The agent sent a notice");
                // One per handshake, and there is one handshake.
                let _ = self.shared.notice.set(text);
            }
            // Room is looked for after every event.
            ClientEvent::Writable => {}
            ClientEvent::Publication(publication) => tracing::debug!(?publication, "gateway"),
            ClientEvent::Closed(reason) => return Some(SocketEnd::Closed(reason)),
            other => tracing::debug!(?other, "event of no use to this session"),
        }
        None
    }

    fn signs(&self) -> NodeSigns {
        let stats = self.channel.stats();
        NodeSigns {
            unacked: self.channel.unacked_bytes(),
            acks: stats.acks_in,
            frames: stats.agent_frames_in,
        }
    }

    /// Shows whether the node answers. True when the session was given up because it does not.
    fn watch_node(&mut self, link: &mut Link, now: Moment) -> bool {
        if self.started.is_some() {
            link.node.look(now.elapsed, self.signs(), link.node_spoke);
            link.node_spoke = false;
        }
        if self.purpose.is_replaceable()
            && let Some(lasted) = link.node.dead_for(now.elapsed)
        {
            self.shared.set(SessionState::Ended(EndReason::NodeSilent { lasted }));
            self.channel.close(now);
            return true;
        }
        if let Some(since) = link.node.poll(now.elapsed) {
            link.silence_shown = true;
            if let Some(started) = &self.started {
                self.shared.set(started.open(self.resumed_after, Some(self.clock.wall(since))));
            } else {
                let lasted = now.elapsed - since;
                self.shared.set(SessionState::Starting { step: StartStep::NodeSilent { lasted } });
            }
        } else if link.silence_shown && !link.node.is_silent() {
            link.silence_shown = false;
            if let Some(started) = &self.started {
                self.shared.set(started.open(self.resumed_after, None));
            }
        }
        false
    }

    fn announce_open(&mut self, link: &mut Link, resumed_after: Option<Duration>) {
        let Some(started) = &self.started else { return };
        link.announced = true;
        if let Some(lasted) = resumed_after {
            self.shared.history.note(format!("Resumed after {} ms", lasted.as_millis()));
            self.shared.stats.resumed();
            self.resumed_after = Some(lasted);
        }
        link.silence_shown = false;
        self.shared.set(started.open(self.resumed_after, None));
    }

    fn deadline(&self, link: &Link) -> Duration {
        [
            Some(link.gateway.deadline()),
            link.coalescing.deadline(),
            link.node.deadline(),
            link.node.dead_at().filter(|_| self.purpose.is_replaceable()),
            self.channel.poll_timeout(),
            self.purpose.deadline(),
            self.leaves_at,
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(FAR)
    }
}

impl Started {
    fn open(
        &self,
        resumed_after: Option<Duration>,
        unanswered_since: Option<std::time::SystemTime>,
    ) -> SessionState {
        SessionState::Open {
            kind: self.kind,
            agent_version: self.agent_version.clone(),
            resumed_after,
            unanswered_since,
        }
    }
}

impl Link {
    fn new(socket: DataSocket, times: LivenessTimes, signs: NodeSigns, now: Duration) -> Self {
        Self {
            transport: Transport::new(socket),
            coalescing: Coalescing::default(),
            gateway: GatewayPulse::new(times, now),
            node: NodePulse::new(times, signs, now),
            heard_gateway: false,
            heard_node: false,
            node_spoke: false,
            silence_shown: false,
            announced: false,
        }
    }

    /// Something was sent that the node should answer.
    fn asked(&mut self, now: Duration) {
        self.gateway.asked(now);
        self.coalescing.asked();
        self.transport.wait_for(None);
    }

    fn lost(&self, now: Duration, loss: SocketLoss) -> SocketEnd {
        SocketEnd::Lost { loss, proven: self.heard_node || self.gateway.has_lasted(now) }
    }
}

/// Cancel safe: a call that was not answered goes on at the next poll.
async fn key_answered(key: &mut KeyCall) -> Result<SealedDataKey, ApiError> {
    std::future::poll_fn(|cx| match key {
        KeyCall::Running { call, .. } => call.as_mut().poll(cx),
        _ => Poll::Pending,
    })
    .await
}
