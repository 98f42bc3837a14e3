//! A client and an agent that agree on sealing, on a perfect link.

use std::sync::Arc;

use bytes::Bytes;
use fleetline_protocol::{
    Aead, AgentChannel, AgentConfig, AgentEvent, ClientChannel, ClientConfig, ClientEvent, ClientSealing,
    CloseReason, HandshakeOffer, PayloadType, SealingOffer, SessionId, SessionKind,
};
use serde_json::Value;

use crate::cipher::{Gcm, blob, data_key};
use crate::peer::{agent_config, agent_given, at, client_given, config, token};

pub(crate) const NODE: &str = "i-0abcdef1234567890";
pub(crate) const SESSION: &str = "alice-0123456789abcdef0";
pub(crate) const KEY_ID: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

pub(crate) fn sealing_client_config(aead: Arc<dyn Aead>) -> ClientConfig {
    let mut config = config();
    config.sealing = Some(ClientSealing::new(aead, SessionId::new(SESSION), NODE));
    config
}

pub(crate) fn sealing_agent_config() -> AgentConfig {
    let mut config = agent_config();
    config.handshake = Some(HandshakeOffer { session_type: SessionKind::Shell, properties: Value::Null });
    config.sealing = Some(SealingOffer::new(Arc::new(Gcm), KEY_ID));
    config
}

/// A client and an agent on a perfect link.
pub(crate) struct Pair {
    pub(crate) client: ClientChannel,
    pub(crate) agent: AgentChannel,
    pub(crate) at_client: Vec<ClientEvent>,
    pub(crate) at_agent: Vec<AgentEvent>,
    /// Payloads of everything in sequence, by who sent it.
    pub(crate) from_client: Vec<(PayloadType, Bytes)>,
    pub(crate) from_agent: Vec<(PayloadType, Bytes)>,
    pub(crate) frames: Vec<Bytes>,
}

impl Pair {
    pub(crate) fn new(client: ClientConfig, agent: AgentConfig) -> Self {
        let mut pair = Self {
            client: ClientChannel::new(client),
            agent: AgentChannel::new(agent),
            at_client: Vec::new(),
            at_agent: Vec::new(),
            from_client: Vec::new(),
            from_agent: Vec::new(),
            frames: Vec::new(),
        };
        pair.client.socket_opened(at(0), &token("C"));
        pair.agent.socket_opened(at(0), &token("A"));
        pair.settle(0);
        pair
    }

    pub(crate) fn sealing() -> Self {
        Self::new(sealing_client_config(Arc::new(Gcm)), sealing_agent_config())
    }

    /// A pair whose handshake is over.
    pub(crate) fn running(mut self) -> Self {
        self.client.provide_data_key(at(1), &blob(&data_key(1)), data_key(1));
        self.settle(1);
        self.agent.provide_data_key(at(2), &data_key(1));
        self.settle(2);
        self.agent.ready(at(2));
        self.at_client.retain(|event| *event != ClientEvent::Writable);
        assert!(matches!(self.at_client[..], [ClientEvent::DataKeyNeeded(_), ClientEvent::Started { .. }]));
        self.at_client.clear();
        self.at_agent.clear();
        self
    }

    /// Carries frames until there are none.
    pub(crate) fn settle(&mut self, ms: u64) {
        loop {
            let from_client = client_given(&mut self.client);
            let from_agent = agent_given(&mut self.agent);
            let is_quiet = from_client.raw.is_empty() && from_agent.raw.is_empty();
            let owned = |data: Vec<(i64, PayloadType, &[u8])>| -> Vec<_> {
                data.into_iter().map(|(_, kind, payload)| (kind, Bytes::copy_from_slice(payload))).collect()
            };
            self.from_client.extend(owned(from_client.data()));
            self.from_agent.extend(owned(from_agent.data()));
            self.at_client.extend(from_client.events);
            self.at_agent.extend(from_agent.events);
            for frame in from_client.raw {
                self.frames.push(frame.clone());
                self.agent.handle_binary(at(ms), frame);
            }
            for frame in from_agent.raw {
                self.frames.push(frame.clone());
                self.client.handle_binary(at(ms), frame);
            }
            if is_quiet {
                return;
            }
        }
    }

    pub(crate) fn next_from_agent(&self) -> i64 {
        self.from_agent.len() as i64
    }

    pub(crate) fn shows(&self, plain: &[u8]) -> bool {
        self.frames.iter().any(|frame| frame.windows(plain.len()).any(|window| window == plain))
    }

    pub(crate) fn closed(&self) -> CloseReason {
        match self.at_client.last() {
            Some(ClientEvent::Closed(reason)) => reason.clone(),
            other => panic!("{other:?}"),
        }
    }
}
