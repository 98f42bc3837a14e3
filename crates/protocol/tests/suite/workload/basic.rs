use std::collections::VecDeque;

use fleetline_protocol::{AgentEvent, ClientEvent, DataStream, PayloadType, SessionKind};

use super::unexpected;
use crate::link::{Ends, Workload};

/// A basic port session: local connections one after another, each with a request and an answer, told apart for the
/// agent by the disconnect flag alone.
#[derive(Debug)]
pub(crate) struct BasicPort {
    /// Requests and answers, by connection.
    exchanges: Vec<(Vec<u8>, Vec<u8>)>,
    is_started: bool,
    /// The connection at the client, what it has sent and received.
    at_client: usize,
    sent: usize,
    received: Vec<u8>,
    unconsumed: usize,
    /// The connection at the agent, what it has received, and what of the answers is to be sent.
    at_agent: usize,
    arrived: Vec<u8>,
    answering: VecDeque<u8>,
}

impl BasicPort {
    pub(crate) fn new(exchanges: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        Self {
            exchanges,
            is_started: false,
            at_client: 0,
            sent: 0,
            received: Vec::new(),
            unconsumed: 0,
            at_agent: 0,
            arrived: Vec::new(),
            answering: VecDeque::new(),
        }
    }

    pub(crate) fn assert_exact(&self, what: &str) {
        let all = self.exchanges.len();
        assert_eq!((self.at_client, self.at_agent), (all, all), "{what}: connections served");
        assert!(self.received.is_empty() && self.arrived.is_empty(), "{what}: bytes of no connection");
    }
}

impl Workload for BasicPort {
    fn work(&mut self, ends: &mut Ends) {
        let moment = ends.moment();
        ends.agent.ready(moment);
        let take = 1 + ends.below(4096) as usize;
        if let Some((request, _)) = self.exchanges.get(self.at_client).filter(|_| self.is_started) {
            let rest = &request[self.sent..];
            self.sent += ends.client.send(moment, &rest[..rest.len().min(take)]);
        }
        let part: Vec<u8> = self.answering.iter().take(take).copied().collect();
        let taken = ends.agent.send(moment, PayloadType::Output, &part);
        self.answering.drain(..taken);
        let consumed = self.unconsumed.min(take);
        self.unconsumed -= consumed;
        ends.client.consumed(moment, consumed);
    }

    fn at_client(&mut self, ends: &mut Ends, event: ClientEvent) {
        match event {
            ClientEvent::Data { stream: DataStream::Output, bytes } => {
                self.unconsumed += bytes.len();
                self.received.extend_from_slice(&bytes);
                let (_, answer) = &self.exchanges[self.at_client];
                assert!(
                    answer.starts_with(&self.received),
                    "connection {} got others' bytes",
                    self.at_client
                );
                if self.received.len() == answer.len() {
                    self.received.clear();
                    self.sent = 0;
                    self.at_client += 1;
                    let moment = ends.moment();
                    ends.client.disconnect_flag(moment);
                }
            }
            ClientEvent::Started { kind: SessionKind::Port, .. } => {
                assert!(!std::mem::replace(&mut self.is_started, true), "started twice");
            }
            ClientEvent::Writable | ClientEvent::Publication(_) => {}
            other => unexpected(&other),
        }
    }

    fn at_agent(&mut self, _: &mut Ends, event: AgentEvent) {
        match event {
            AgentEvent::Data(bytes) => {
                self.arrived.extend_from_slice(&bytes);
                let (request, answer) = &self.exchanges[self.at_agent];
                assert!(
                    request.starts_with(&self.arrived),
                    "connection {} sent others' bytes",
                    self.at_agent
                );
                if self.arrived.len() == request.len() {
                    self.answering.extend(answer);
                }
            }
            AgentEvent::Flag(1) => {
                assert_eq!(self.arrived.len(), self.exchanges[self.at_agent].0.len(), "cut off too early");
                self.arrived.clear();
                self.at_agent += 1;
            }
            AgentEvent::HandshakeComplete { .. } | AgentEvent::Writable => {}
            other => panic!("unexpected {other:?}"),
        }
    }

    fn is_done(&self, _: &Ends) -> bool {
        self.at_client == self.exchanges.len() && self.at_agent == self.exchanges.len()
    }
}
