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
use crate::sealing::{Challenge, to_base64};

/// How long a client may take to answer a handshake request (protocol.md 5.2).
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(15);

/// Where the session stands, above the reliable channel.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) config: AgentConfig,
    pub(super) phase: Phase,
    /// Whether the program can take input.
    pub(super) is_ready: bool,
    pub(super) events: VecDeque<AgentEvent>,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// No socket was open yet.
    Waiting,
    /// The response is awaited.
    Handshaking {
        since: Duration,
        /// The challenge of the request, if it has one.
        challenge: Option<String>,
    },
    /// The owner is to open the data key.
    AwaitingKey {
        since: Duration,
        client_version: String,
    },
    /// The client is to prove that it has the data key.
    Challenging {
        since: Duration,
        /// When the challenge went out.
        challenged: Duration,
        client_version: String,
        challenge: Challenge,
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
        let challenge = self
            .config
            .sealing
            .as_ref()
            .filter(|sealing| sealing.has_challenge)
            .map(|_| to_base64(&channel.random::<16>()));
        let sealing = self.config.sealing.as_ref().map(|sealing| RequestedAction::KmsEncryption {
            key_id: sealing.key_id.clone(),
            challenge: challenge.clone(),
        });
        let extra = self.config.extra_actions.iter().cloned();
        let request = HandshakeRequest {
            agent_version: self.config.agent_version.clone(),
            actions: std::iter::once(session_type).chain(sealing).chain(extra).collect(),
        };
        channel.queue(PayloadType::HandshakeRequest, request.encode().as_bytes());
        self.phase = Phase::Handshaking { since: channel.elapsed(), challenge };
    }

    /// When the handshake has taken too long.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Handshaking { since, .. } => Some(since.saturating_add(HANDSHAKE_LIMIT)),
            Phase::Challenging { challenged, .. } => Some(challenged.saturating_add(HANDSHAKE_LIMIT)),
            _ => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, channel: &mut Channel) {
        if self.deadline().is_some_and(|at| at <= channel.elapsed()) {
            let what = match self.phase {
                Phase::Challenging { .. } => "encryption challenge",
                _ => "handshake",
            };
            self.fail(channel, format!("The client did not answer the {what} within 15 seconds."));
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

    /// Ends the session for that reason.
    pub(super) fn fail(&mut self, channel: &mut Channel, text: String) -> Disposition {
        self.end(channel, AgentEvent::HandshakeFailed(text));
        Disposition::NotReady
    }

    fn handshake_response(
        &mut self,
        channel: &mut Channel,
        since: Duration,
        challenge: Option<String>,
        payload: &[u8],
    ) -> Disposition {
        let Ok(response) = HandshakeResponse::decode(payload) else {
            return self.fail(channel, "The client's handshake response cannot be read.".to_owned());
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
            return self.fail(channel, texts.join(". "));
        }
        if self.config.sealing.is_some() {
            return self.key_received(channel, since, challenge, response);
        }
        self.complete(channel, since, response.client_version)
    }

    /// The handshake is over and the session runs.
    pub(super) fn complete(
        &mut self,
        channel: &mut Channel,
        since: Duration,
        client_version: String,
    ) -> Disposition {
        let complete = HandshakeComplete {
            time_to_complete: channel.elapsed().saturating_sub(since),
            customer_message: self.config.customer_message.clone(),
        };
        channel.queue(PayloadType::HandshakeComplete, complete.encode().as_bytes());
        self.phase = Phase::Running;
        self.events.push_back(AgentEvent::HandshakeComplete { client_version });
        Disposition::Taken
    }

    fn input(&mut self, channel: &mut Channel, message: &AgentMessage) -> Disposition {
        let payload = &message.payload;
        match message.payload_type {
            PayloadType::Output if !channel.has_room(channel.data_bytes(payload).unwrap_or(0)) => {
                return Disposition::NoRoom;
            }
            PayloadType::Output => match channel.open_data(payload) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    channel.delivered(bytes.len());
                    self.events.push_back(AgentEvent::Data(bytes));
                }
                // Left unacknowledged, as the real agent does (protocol.md 5.6).
                Err(_) => {
                    channel.stats_mut().rejected.sealed += 1;
                    return Disposition::NotReady;
                }
            },
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
        let payload = &message.payload;
        match (&self.phase, message.payload_type) {
            (Phase::Handshaking { since, challenge }, PayloadType::HandshakeResponse) => {
                let (since, challenge) = (*since, challenge.clone());
                self.handshake_response(channel, since, challenge, payload)
            }
            (Phase::Challenging { .. }, PayloadType::EncChallengeResponse) => {
                self.challenge_response(channel, payload)
            }
            // A sealing agent cannot open these before there is a key (protocol.md 5.6).
            (
                Phase::Handshaking { .. } | Phase::AwaitingKey { .. } | Phase::Challenging { .. },
                PayloadType::Output,
            ) if self.config.sealing.is_some() => {
                channel.stats_mut().rejected.sealed += 1;
                Disposition::NotReady
            }
            // Acknowledged and thrown away, as the real agent does (protocol.md 5.7).
            (Phase::Handshaking { .. } | Phase::AwaitingKey { .. } | Phase::Challenging { .. }, _) => {
                channel.stats_mut().ignored += 1;
                Disposition::Taken
            }
            (Phase::Running, _) if self.is_ready => self.input(channel, message),
            (Phase::Waiting | Phase::Running | Phase::Ended, _) => Disposition::NotReady,
        }
    }
}
