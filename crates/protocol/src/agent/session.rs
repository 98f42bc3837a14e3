//! What the agent makes of messages whose turn has come.

use std::collections::VecDeque;
use std::time::Duration;

use super::config::AgentConfig;
use super::event::AgentEvent;
use crate::channel::{Channel, Disposition, Receiver};
use crate::frame::{AgentMessage, PayloadType};
use crate::json::{
    ActionStatus, HandshakeComplete, HandshakeRequest, HandshakeResponse, RequestedAction, TerminalSize,
};

/// How long a client may take to answer a handshake request (protocol.md 5.2).
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(15);

/// Where the session stands, above the reliable channel.
#[derive(Debug)]
pub(super) struct Session {
    config: AgentConfig,
    phase: Phase,
    /// Whether the program can take input.
    pub(super) is_ready: bool,
    pub(super) events: VecDeque<AgentEvent>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// No socket was open yet.
    Waiting,
    Handshaking {
        since: Duration,
    },
    Running,
    Ended,
}

impl Session {
    pub(super) fn new(config: AgentConfig) -> Self {
        Self { config, phase: Phase::Waiting, is_ready: false, events: VecDeque::new() }
    }

    pub(super) fn config(&self) -> &AgentConfig {
        &self.config
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// The first socket is open: the agent speaks first, if it has anything to ask.
    pub(super) fn first_opened(&mut self, channel: &mut Channel) {
        let Some(offer) = &self.config.handshake else {
            self.phase = Phase::Running;
            return;
        };
        let session_type = RequestedAction::SessionType {
            session_type: offer.session_type.wire_name().to_owned(),
            properties: offer.properties.clone(),
        };
        let request = HandshakeRequest {
            agent_version: self.config.agent_version.clone(),
            actions: std::iter::once(session_type).chain(self.config.extra_actions.iter().cloned()).collect(),
        };
        channel.queue(PayloadType::HandshakeRequest, request.encode().as_bytes());
        self.phase = Phase::Handshaking { since: channel.elapsed() };
    }

    /// When the handshake has taken too long.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Handshaking { since } => Some(since.saturating_add(HANDSHAKE_LIMIT)),
            _ => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, channel: &mut Channel) {
        if self.deadline().is_some_and(|at| at <= channel.elapsed()) {
            let text = "The client did not answer the handshake within 15 seconds.".to_owned();
            self.end(channel, AgentEvent::HandshakeFailed(text));
        }
    }

    /// Ends the session with its last event.
    pub(super) fn end(&mut self, channel: &mut Channel, event: AgentEvent) {
        if !self.has_ended() {
            self.phase = Phase::Ended;
            channel.shut(false);
            self.events.push_back(event);
        }
    }

    fn handshake_response(&mut self, channel: &mut Channel, since: Duration, payload: &[u8]) -> Disposition {
        let Ok(response) = HandshakeResponse::decode(payload) else {
            let text = "The client's handshake response cannot be read.".to_owned();
            self.end(channel, AgentEvent::HandshakeFailed(text));
            return Disposition::NotReady;
        };
        let failed: Vec<_> = response.actions.iter().filter(|a| a.status != ActionStatus::Success).collect();
        if !failed.is_empty() {
            let texts: Vec<_> = failed
                .iter()
                .map(|action| match action.error.as_str() {
                    "" => format!("Failed to process action {}", action.action_type),
                    error => error.to_owned(),
                })
                .collect();
            self.end(channel, AgentEvent::HandshakeFailed(texts.join(". ")));
            return Disposition::NotReady;
        }
        let complete = HandshakeComplete {
            time_to_complete: channel.elapsed().saturating_sub(since),
            customer_message: self.config.customer_message.clone(),
        };
        channel.queue(PayloadType::HandshakeComplete, complete.encode().as_bytes());
        self.phase = Phase::Running;
        self.events.push_back(AgentEvent::HandshakeComplete { client_version: response.client_version });
        Disposition::Taken
    }

    fn input(&mut self, channel: &mut Channel, message: &AgentMessage) -> Disposition {
        let payload = &message.payload;
        match message.payload_type {
            PayloadType::Output if !channel.has_room(payload.len()) => return Disposition::NoRoom,
            PayloadType::Output if !payload.is_empty() => {
                channel.delivered(payload.len());
                self.events.push_back(AgentEvent::Data(payload.clone()));
            }
            PayloadType::Output => {}
            PayloadType::Size => match TerminalSize::decode(payload) {
                Ok(size) => self.events.push_back(AgentEvent::Resize(size)),
                Err(_) => channel.stats_mut().rejected.payload += 1,
            },
            PayloadType::Flag => match payload.first_chunk::<4>() {
                Some(flag) if payload.len() == 4 => {
                    self.events.push_back(AgentEvent::Flag(u32::from_be_bytes(*flag)));
                }
                _ => channel.stats_mut().rejected.payload += 1,
            },
            _ => channel.stats_mut().ignored += 1,
        }
        Disposition::Taken
    }
}

impl Receiver for Session {
    fn take(&mut self, channel: &mut Channel, message: &AgentMessage) -> Disposition {
        match self.phase {
            Phase::Handshaking { since } if message.payload_type == PayloadType::HandshakeResponse => {
                self.handshake_response(channel, since, &message.payload)
            }
            // Acknowledged and thrown away, as the real agent does (protocol.md 5.7).
            Phase::Handshaking { .. } => {
                channel.stats_mut().ignored += 1;
                Disposition::Taken
            }
            Phase::Running if self.is_ready => self.input(channel, message),
            Phase::Waiting | Phase::Running | Phase::Ended => Disposition::NotReady,
        }
    }
}
