//! What the client makes of messages whose turn has come.

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::Value;

use super::event::{ClientEvent, CloseReason, DataStream, HandshakeFailure, Misbehaviour, Publication};
use super::handshake;
use super::terminal::TerminalSync;
use crate::channel::{Channel, Disposition, Receiver};
use crate::frame::{AgentMessage, PayloadType};
use crate::json::{HandshakeComplete, HandshakeRequest};
use crate::session_kind::SessionKind;

/// Events that may wait to be polled. Beyond it messages are held back like beyond the receive budget.
const MAX_EVENTS: usize = 16_384;

/// Where the session stands, above the reliable channel.
#[derive(Debug)]
pub(super) struct Session {
    client_version: String,
    phase: Phase,
    pub(super) terminal: TerminalSync,
    pub(super) events: VecDeque<ClientEvent>,
    pub(super) closed: Option<CloseReason>,
}

#[derive(Debug)]
enum Phase {
    /// The agent decides how the session begins (protocol.md 5.1).
    Undecided,
    /// A request was answered; the agent's word is awaited.
    Handshaking { agent_version: String, session: Option<(SessionKind, Value)> },
    /// The session takes input.
    Running,
}

impl Session {
    pub(super) fn new(client_version: String, terminal: TerminalSync) -> Self {
        Self { client_version, phase: Phase::Undecided, terminal, events: VecDeque::new(), closed: None }
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
        let answer = handshake::answer(&request, &self.client_version);
        channel.queue(PayloadType::HandshakeResponse, answer.response.encode().as_bytes());
        self.terminal.handshake_began();
        self.phase = Phase::Handshaking { agent_version: request.agent_version, session: answer.session };
        if let Some(why) = answer.failure {
            self.close(channel, CloseReason::HandshakeFailed { why });
        }
    }

    fn handshake_complete(&mut self, channel: &mut Channel, payload: &[u8]) {
        let Phase::Handshaking { agent_version, session } =
            std::mem::replace(&mut self.phase, Phase::Running)
        else {
            return;
        };
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

    fn data(&mut self, channel: &mut Channel, stream: DataStream, bytes: &Bytes) -> Disposition {
        if !channel.has_room(bytes.len()) {
            return Disposition::NoRoom;
        }
        match self.phase {
            Phase::Undecided => self.start(channel, SessionKind::Shell, Value::Null, None),
            Phase::Handshaking { .. } => {
                let what = Misbehaviour::DataDuringHandshake;
                self.close(channel, CloseReason::PeerMisbehaved { what });
                return Disposition::Taken;
            }
            Phase::Running => {}
        }
        if !bytes.is_empty() {
            channel.delivered(bytes.len());
            self.events.push_back(ClientEvent::Data { stream, bytes: bytes.clone() });
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
            (PayloadType::HandshakeRequest, Phase::Undecided | Phase::Handshaking { .. }) => {
                self.handshake_request(channel, payload);
            }
            (PayloadType::HandshakeComplete, Phase::Handshaking { .. }) => {
                self.handshake_complete(channel, payload)
            }
            (PayloadType::Output, _) => return self.data(channel, DataStream::Output, payload),
            (PayloadType::StdErr | PayloadType::Error, _) => {
                return self.data(channel, DataStream::StdErr, payload);
            }
            (PayloadType::ExitCode, Phase::Running) => match exit_code(payload) {
                Some(code) => self.events.push_back(ClientEvent::ExitCode(code)),
                None => channel.stats_mut().rejected.payload += 1,
            },
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
