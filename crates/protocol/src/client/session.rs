//! What the client makes of messages whose turn has come.

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::Value;

use super::event::{ClientEvent, CloseReason, DataStream, HandshakeFailure, Misbehaviour, Publication};
use super::handshake::{self, Answer};
use super::terminal::TerminalSync;
use crate::channel::{Bulk, Channel, Disposition, Receiver};
use crate::frame::{AgentMessage, PayloadType};
use crate::json::{EncChallenge, HandshakeComplete, HandshakeRequest};
use crate::sealing::{
    ClientSealing, DataKey, DataKeyRequest, Nonces, Sealer, from_base64, is_sealed, to_base64,
};
use crate::session_kind::SessionKind;

/// Events that may wait to be polled. Beyond it messages are held back like beyond the receive budget.
const MAX_EVENTS: usize = 16_384;

/// Where the session stands, above the reliable channel.
#[derive(Debug)]
pub(super) struct Session {
    client_version: String,
    sealing: Option<ClientSealing>,
    phase: Phase,
    pub(super) terminal: TerminalSync,
    /// How a port session sends.
    port: Bulk,
    pub(super) events: VecDeque<ClientEvent>,
    pub(super) closed: Option<CloseReason>,
}

#[derive(Debug)]
enum Phase {
    /// The agent decides how the session begins (protocol.md 5.1).
    Undecided,
    /// A request that wants sealing is answered when the owner has a data key.
    AwaitingKey { agent_version: String, answer: Answer },
    /// A request was answered; the agent's word is awaited.
    Handshaking { agent_version: String, session: Option<(SessionKind, Value)>, proof: Proof },
    /// The session takes input.
    Running,
}

/// Whether both sides are known to hold the same data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// The session is not sealed.
    NotWanted,
    /// The agent's challenge is awaited.
    Due,
    /// The challenge was opened and answered.
    Given,
}

impl Session {
    pub(super) fn new(
        client_version: String,
        sealing: Option<ClientSealing>,
        terminal: TerminalSync,
        port: Bulk,
    ) -> Self {
        Self {
            client_version,
            sealing,
            phase: Phase::Undecided,
            terminal,
            port,
            events: VecDeque::new(),
            closed: None,
        }
    }

    pub(super) fn seal_with(&mut self, sealing: ClientSealing) {
        self.sealing = Some(sealing);
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running) && self.closed.is_none()
    }

    /// Ends the session; the first reason stays.
    pub(super) fn close(&mut self, channel: &mut Channel, reason: CloseReason) {
        if self.closed.is_none() {
            // The refusal of a handshake must still reach the agent.
            channel.shut(matches!(reason, CloseReason::HandshakeFailed { .. }));
            self.closed = Some(reason);
        }
    }

    /// The next event, and whether held messages should be delivered now that none waits.
    pub(super) fn next_event(&mut self) -> Option<(ClientEvent, bool)> {
        let event = self.events.pop_front()?;
        Some((event, self.events.is_empty()))
    }

    /// The gateway's flow signal. For information only, so that those that find the queue full are not told.
    pub(super) fn publication(&mut self, channel: &mut Channel, publication: Publication) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(ClientEvent::Publication(publication));
        } else {
            channel.stats_mut().ignored += 1;
        }
    }

    fn start(
        &mut self,
        channel: &mut Channel,
        kind: SessionKind,
        properties: Value,
        handshake_with: Option<String>,
    ) {
        self.phase = Phase::Running;
        let had_handshake = handshake_with.is_some();
        self.terminal.started(channel, kind, had_handshake);
        if kind == SessionKind::Port {
            channel.enlarge(self.port);
        }
        self.events.push_back(ClientEvent::Started {
            kind,
            agent_version: handshake_with,
            properties,
            handshake: had_handshake,
        });
    }

    fn handshake_request(&mut self, channel: &mut Channel, payload: &[u8]) {
        let Ok(request) = HandshakeRequest::decode(payload) else {
            let why = HandshakeFailure::Malformed;
            return self.close(channel, CloseReason::HandshakeFailed { why });
        };
        // A second request must not take back the sealing the first one asked for.
        if matches!(self.phase, Phase::AwaitingKey { .. }) || channel.sealer_mut().is_some() {
            let what = Misbehaviour::SecondRequest;
            return self.close(channel, CloseReason::PeerMisbehaved { what });
        }
        let answer = handshake::answer(&request, &self.client_version, self.sealing.is_some());
        self.terminal.handshake_began();
        let agent_version = request.agent_version;
        match (&answer.key_wanted, &answer.failure, &self.sealing) {
            (Some(wanted), None, Some(sealing)) => {
                let challenge = wanted.challenge.as_deref().filter(|_| sealing.acknowledges_challenge);
                let request =
                    DataKeyRequest::new(&wanted.key_id, &sealing.session_id, &sealing.target, challenge);
                self.events.push_back(ClientEvent::DataKeyNeeded(request));
                self.phase = Phase::AwaitingKey { agent_version, answer };
            }
            _ => self.respond(channel, agent_version, answer, Proof::NotWanted),
        }
    }

    fn respond(&mut self, channel: &mut Channel, agent_version: String, answer: Answer, proof: Proof) {
        channel.queue(PayloadType::HandshakeResponse, answer.response.encode().as_bytes());
        self.phase = Phase::Handshaking { agent_version, session: answer.session, proof };
        if let Some(why) = answer.failure {
            self.close(channel, CloseReason::HandshakeFailed { why });
        }
    }

    /// The owner has a data key: the session is sealed from here on.
    pub(super) fn key_provided(&mut self, channel: &mut Channel, cipher_text_blob: &[u8], key: &DataKey) {
        let Some((agent_version, mut answer, sealing)) = self.awaiting_key() else { return };
        let is_challenged = answer.key_wanted.as_ref().is_some_and(|wanted| wanted.challenge.is_some());
        answer.key_given(to_base64(cipher_text_blob), is_challenged && sealing.acknowledges_challenge);
        let nonces = Nonces::Random(Box::new(channel.new_generator()));
        channel.seal_data(Sealer {
            aead: sealing.aead,
            seals_with: key.client_to_agent().clone(),
            opens_with: key.agent_to_client().clone(),
            nonces,
        });
        self.respond(channel, agent_version, answer, Proof::Due);
    }

    /// The owner gets no data key: the agent is told and the session is over.
    pub(super) fn key_refused(&mut self, channel: &mut Channel, reason: String) {
        let Some((agent_version, mut answer, _)) = self.awaiting_key() else { return };
        let key_id = answer.key_wanted.as_ref().map(|wanted| wanted.key_id.clone()).unwrap_or_default();
        answer.key_refused(reason.clone());
        answer.failure = Some(HandshakeFailure::DataKeyRefused { key_id, reason });
        self.respond(channel, agent_version, answer, Proof::Due);
    }

    /// What waits for the data key, if anything does. The caller puts the session into its next phase.
    fn awaiting_key(&mut self) -> Option<(String, Answer, ClientSealing)> {
        let sealing = self.sealing.clone().filter(|_| self.closed.is_none())?;
        if !matches!(self.phase, Phase::AwaitingKey { .. }) {
            return None;
        }
        match std::mem::replace(&mut self.phase, Phase::Undecided) {
            Phase::AwaitingKey { agent_version, answer } => Some((agent_version, answer, sealing)),
            _ => None,
        }
    }

    /// Opens the agent's challenge and gives it back sealed with the other half of the key.
    fn challenge(&mut self, channel: &mut Channel, payload: &[u8]) {
        let opened = EncChallenge::decode(payload).ok().and_then(|body| from_base64(&body.challenge));
        let sealed = channel.sealer_mut().and_then(|sealer| {
            let plain = sealer.open(&opened?).ok()?;
            sealer.seal(&plain).ok()
        });
        let Some(sealed) = sealed else {
            let why = HandshakeFailure::ChallengeUnreadable;
            return self.close(channel, CloseReason::HandshakeFailed { why });
        };
        let response = EncChallenge { challenge: to_base64(&sealed) };
        channel.queue(PayloadType::EncChallengeResponse, response.encode().as_bytes());
        if let Phase::Handshaking { proof, .. } = &mut self.phase {
            *proof = Proof::Given;
        }
    }

    fn handshake_complete(&mut self, channel: &mut Channel, payload: &[u8]) {
        let Phase::Handshaking { agent_version, session, proof } =
            std::mem::replace(&mut self.phase, Phase::Running)
        else {
            return;
        };
        if proof == Proof::Due {
            let what = Misbehaviour::SealingSkipped;
            return self.close(channel, CloseReason::PeerMisbehaved { what });
        }
        let Some((kind, properties)) = session else {
            let what = Misbehaviour::NoSessionType;
            return self.close(channel, CloseReason::PeerMisbehaved { what });
        };
        self.start(channel, kind, properties, Some(agent_version));
        // An unreadable body still completes: only the notice in it is lost.
        match HandshakeComplete::decode(payload) {
            Ok(complete) if !complete.customer_message.is_empty() => {
                self.events.push_back(ClientEvent::Message(complete.customer_message));
            }
            Ok(_) => {}
            Err(_) => channel.stats_mut().rejected.payload += 1,
        }
    }

    /// The data of a payload, opened if the session is sealed; otherwise the session is closed.
    fn open(&mut self, channel: &mut Channel, message: &AgentMessage) -> Option<Bytes> {
        let must_be_sealed = channel.sealer_mut().is_some();
        let what = if must_be_sealed && !is_sealed(message.payload_type) {
            Misbehaviour::UnsealedData
        } else {
            match channel.open_data(&message.payload) {
                Ok(bytes) => return Some(bytes),
                Err(_) if channel.data_bytes(&message.payload).is_none() => Misbehaviour::UnsealedData,
                Err(_) => Misbehaviour::UnopenableData,
            }
        };
        self.close(channel, CloseReason::PeerMisbehaved { what });
        None
    }

    fn data(&mut self, channel: &mut Channel, stream: DataStream, message: &AgentMessage) -> Disposition {
        if !channel.has_room(channel.data_bytes(&message.payload).unwrap_or(0)) {
            return Disposition::NoRoom;
        }
        match self.phase {
            Phase::Undecided => self.start(channel, SessionKind::Shell, Value::Null, None),
            Phase::AwaitingKey { .. } | Phase::Handshaking { .. } => {
                let what = Misbehaviour::DataDuringHandshake;
                self.close(channel, CloseReason::PeerMisbehaved { what });
                return Disposition::Taken;
            }
            Phase::Running => {}
        }
        let Some(bytes) = self.open(channel, message) else { return Disposition::Taken };
        if !bytes.is_empty() {
            channel.delivered(bytes.len());
            self.events.push_back(ClientEvent::Data { stream, bytes });
        }
        self.terminal.printed(channel);
        Disposition::Taken
    }
}

impl Receiver for Session {
    fn take(&mut self, channel: &mut Channel, message: &AgentMessage) -> Disposition {
        let payload = &message.payload;
        if self.events.len() >= MAX_EVENTS {
            return Disposition::NoRoom;
        }
        match (message.payload_type, &self.phase) {
            (
                PayloadType::HandshakeRequest,
                Phase::Undecided | Phase::AwaitingKey { .. } | Phase::Handshaking { .. },
            ) => {
                self.handshake_request(channel, payload);
            }
            (PayloadType::EncChallengeRequest, Phase::Handshaking { proof: Proof::Due, .. }) => {
                self.challenge(channel, payload);
            }
            (PayloadType::HandshakeComplete, Phase::Handshaking { .. }) => {
                self.handshake_complete(channel, payload)
            }
            (PayloadType::HandshakeComplete, Phase::AwaitingKey { .. }) => {
                let what = Misbehaviour::SealingSkipped;
                self.close(channel, CloseReason::PeerMisbehaved { what });
            }
            (PayloadType::Output, _) => return self.data(channel, DataStream::Output, message),
            (PayloadType::StdErr | PayloadType::Error, _) => {
                return self.data(channel, DataStream::StdErr, message);
            }
            (PayloadType::ExitCode, Phase::Running) => {
                match self.open(channel, message).as_deref().map(exit_code) {
                    Some(Some(code)) => self.events.push_back(ClientEvent::ExitCode(code)),
                    Some(None) => channel.stats_mut().rejected.payload += 1,
                    None => {}
                }
            }
            (PayloadType::Flag, Phase::Running) => match payload.first_chunk::<4>() {
                Some(flag) if payload.len() == 4 => {
                    self.events.push_back(ClientEvent::Flag(u32::from_be_bytes(*flag)));
                }
                _ => channel.stats_mut().rejected.payload += 1,
            },
            _ => channel.stats_mut().ignored += 1,
        }
        Disposition::Taken
    }
}

/// Reads `EXIT_CODE: n` (protocol.md 7.7).
fn exit_code(payload: &[u8]) -> Option<i32> {
    std::str::from_utf8(payload).ok()?.trim().strip_prefix("EXIT_CODE:")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_read_in_full_or_not_at_all() {
        assert_eq!(exit_code(b"EXIT_CODE: 3"), Some(3));
        assert_eq!(exit_code(b"EXIT_CODE: -1"), Some(-1));
        assert_eq!(exit_code(b"EXIT_CODE: 3221225786"), None);
        assert_eq!(exit_code(b"EXIT_CODE: 3x"), None);
        assert_eq!(exit_code(b"3"), None);
        assert_eq!(exit_code(b"\xff"), None);
    }
}
