use fleetline_protocol::{AgentEvent, ClientEvent, DataStream, PayloadType, TerminalSize};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;

use super::unexpected;
use crate::link::{Ends, Workload};

/// Random bytes, from one up to so many.
pub(crate) fn random_bytes(rng: &mut ChaCha12Rng, most: u32) -> Vec<u8> {
    let mut bytes = vec![0; (rng.next_u32() % most.max(1) + 1) as usize];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A shell or an interactive command: bytes both ways, a reader that is slow at times, and a window that is resized.
#[derive(Debug)]
pub(crate) struct ByteStreams {
    to_agent: Vec<u8>,
    to_client: Vec<u8>,
    pub(crate) at_agent: Vec<u8>,
    pub(crate) at_client: Vec<u8>,
    sent_to_agent: usize,
    sent_to_client: usize,
    unconsumed: usize,
    is_started: bool,
    resizes_left: u32,
    size: Option<TerminalSize>,
    size_at_agent: Option<TerminalSize>,
    pub(crate) handshakes: u32,
}

impl ByteStreams {
    pub(crate) fn new(to_agent: Vec<u8>, to_client: Vec<u8>) -> Self {
        Self {
            to_agent,
            to_client,
            at_agent: Vec::new(),
            at_client: Vec::new(),
            sent_to_agent: 0,
            sent_to_client: 0,
            unconsumed: 0,
            is_started: false,
            resizes_left: 0,
            size: None,
            size_at_agent: None,
            handshakes: 0,
        }
    }

    /// So many sizes, of which the last must reach the agent in the end.
    pub(crate) fn with_resizes(mut self, resizes: u32) -> Self {
        self.resizes_left = resizes;
        self
    }

    pub(crate) fn assert_exact(&self, what: &str) {
        assert!(self.at_agent == self.to_agent, "{what}: agent got {} bytes", self.at_agent.len());
        assert!(self.at_client == self.to_client, "{what}: client got {} bytes", self.at_client.len());
        assert_eq!(self.size_at_agent, self.size, "{what}: terminal size");
    }
}

impl Workload for ByteStreams {
    fn work(&mut self, ends: &mut Ends) {
        let moment = ends.moment();
        ends.agent.ready(moment);
        let take = 1 + ends.below(8192) as usize;
        let rest = &self.to_client[self.sent_to_client..];
        self.sent_to_client += ends.agent.send(moment, PayloadType::Output, &rest[..rest.len().min(take)]);
        if self.is_started {
            let rest = &self.to_agent[self.sent_to_agent..];
            self.sent_to_agent += ends.client.send(moment, &rest[..rest.len().min(take)]);
        }
        if self.resizes_left > 0 && ends.below(4) == 0 {
            self.resizes_left -= 1;
            let size = TerminalSize { cols: 1 + ends.below(300) as u16, rows: 1 + ends.below(90) as u16 };
            self.size = Some(size);
            ends.client.resize(moment, size);
        }
        let consumed = self.unconsumed.min(take);
        self.unconsumed -= consumed;
        ends.client.consumed(moment, consumed);
    }

    fn at_client(&mut self, _: &mut Ends, event: ClientEvent) {
        match event {
            ClientEvent::Data { stream: DataStream::Output, bytes } => {
                self.unconsumed += bytes.len();
                self.at_client.extend_from_slice(&bytes);
            }
            ClientEvent::Started { .. } => {
                assert!(!std::mem::replace(&mut self.is_started, true), "started twice");
            }
            ClientEvent::Writable | ClientEvent::Publication(_) => {}
            other => unexpected(&other),
        }
    }

    fn at_agent(&mut self, _: &mut Ends, event: AgentEvent) {
        match event {
            AgentEvent::Data(bytes) => self.at_agent.extend_from_slice(&bytes),
            AgentEvent::HandshakeComplete { .. } => self.handshakes += 1,
            AgentEvent::Resize(size) => self.size_at_agent = Some(size),
            AgentEvent::Writable => {}
            other => panic!("unexpected {other:?}"),
        }
    }

    fn is_done(&self, _: &Ends) -> bool {
        self.at_agent.len() >= self.to_agent.len()
            && self.at_client.len() >= self.to_client.len()
            && self.resizes_left == 0
            && self.size_at_agent == self.size
    }
}
