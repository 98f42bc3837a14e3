//! The agent's half of agreeing on a data key (protocol.md 5.5 and 5.6).

use std::time::Duration;

use super::event::AgentEvent;
use super::session::{Phase, Session};
use crate::channel::{Channel, Disposition};
use crate::frame::PayloadType;
use crate::json::{ActionResult, EncChallenge, HandshakeResponse};
use crate::sealing::{
    Challenge, DataKey, DataKeyRequest, Nonces, Sealer, from_base64, same_bytes, to_base64,
};

impl Session {
    /// A response whose every action succeeded: it must hold the sealed data key.
    pub(super) fn key_received(
        &mut self,
        channel: &mut Channel,
        since: Duration,
        challenge: Option<String>,
        response: HandshakeResponse,
    ) -> Disposition {
        let Some(offer) = &self.config.sealing else { return Disposition::NotReady };
        let given = response.actions.iter().find_map(|action| match &action.result {
            ActionResult::KmsCipherText { key, acknowledges_challenge } => {
                Some((from_base64(key)?, *acknowledges_challenge))
            }
            _ => None,
        });
        let Some((cipher_text_blob, is_acknowledged)) = given else {
            return self
                .fail(channel, "The client gave no data key for the session's encryption.".to_owned());
        };
        if offer.requires_acknowledgement && !is_acknowledged {
            return self.fail(channel, "The client did not acknowledge the encryption challenge.".to_owned());
        }
        let acknowledged = challenge.as_deref().filter(|_| is_acknowledged);
        let config = &self.config;
        let request =
            DataKeyRequest::new(&offer.key_id, &config.session_id, &config.instance_id, acknowledged);
        self.events.push_back(AgentEvent::DataKeyReceived { request, cipher_text_blob });
        self.phase = Phase::AwaitingKey { since, client_version: response.client_version };
        Disposition::Taken
    }

    /// The owner opened the data key: the client is challenged.
    pub(super) fn key_provided(&mut self, channel: &mut Channel, key: &DataKey) {
        let (Phase::AwaitingKey { since, client_version }, Some(offer)) = (&self.phase, &self.config.sealing)
        else {
            return;
        };
        let mut sealer = Sealer {
            aead: offer.aead.clone(),
            seals_with: key.agent_to_client().clone(),
            opens_with: key.client_to_agent().clone(),
            nonces: Nonces::Counter(channel.random()),
        };
        let challenge = Challenge::new(channel.random());
        let Ok(sealed) = sealer.seal(challenge.as_slice()) else {
            return self.end(channel, AgentEvent::SealingFailed);
        };
        let body = EncChallenge { challenge: to_base64(&sealed) }.encode();
        let (since, client_version) = (*since, client_version.clone());
        channel.seal_data(sealer);
        channel.queue(PayloadType::EncChallengeRequest, body.as_bytes());
        self.phase = Phase::Challenging { since, challenged: channel.elapsed(), client_version, challenge };
    }

    /// The owner cannot open the data key.
    pub(super) fn key_refused(&mut self, channel: &mut Channel, reason: String) {
        if matches!(self.phase, Phase::AwaitingKey { .. }) {
            self.fail(channel, reason);
        }
    }

    /// A wrong answer is not told apart from none: the real agent lets its timer run out (protocol.md 5.5).
    pub(super) fn challenge_response(&mut self, channel: &mut Channel, payload: &[u8]) -> Disposition {
        let Phase::Challenging { since, client_version, challenge, .. } = &self.phase else {
            return Disposition::NotReady;
        };
        let wire = EncChallenge::decode(payload).ok().and_then(|body| from_base64(&body.challenge));
        let opened = channel.sealer_mut().and_then(|sealer| sealer.open(&wire?).ok());
        if opened.is_some_and(|opened| same_bytes(&opened, challenge.as_slice())) {
            let (since, client_version) = (*since, client_version.clone());
            return self.complete(channel, since, client_version);
        }
        channel.stats_mut().rejected.sealed += 1;
        Disposition::Taken
    }
}
