use fleetline_protocol::{AgentEvent, ClientEvent, DataStream, PayloadType, SessionKind};

use super::{assert_closed_by_service, unexpected};
use crate::link::{Ends, Workload};

/// A port session as a pipe: bytes both ways at once, end of input at the client, drain, terminate flag, end.
#[derive(Debug)]
pub(crate) struct Stdio {
    to_agent: Vec<u8>,
    to_client: Vec<u8>,
    at_agent: Vec<u8>,
    at_client: Vec<u8>,
    sent_to_agent: usize,
    sent_to_client: usize,
    unconsumed: usize,
    is_started: bool,
    has_asked_for_end: bool,
    was_asked_for_end: bool,
    has_finished: bool,
    is_closed: bool,
}

impl Stdio {
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
            has_asked_for_end: false,
            was_asked_for_end: false,
            has_finished: false,
            is_closed: false,
        }
    }

    pub(crate) fn assert_exact(&self, what: &str) {
        assert!(self.at_agent == self.to_agent, "{what}: agent got {} bytes", self.at_agent.len());
        assert!(self.at_client == self.to_client, "{what}: client got {} bytes", self.at_client.len());
        assert!(self.is_closed, "{what}: not closed");
    }
}

impl Workload for Stdio {
    fn work(&mut self, ends: &mut Ends) {
        let moment = ends.moment();
        ends.agent.ready(moment);
        let take = 1 + ends.below(16_384) as usize;
        let rest = &self.to_client[self.sent_to_client..];
        self.sent_to_client += ends.agent.send(moment, PayloadType::Output, &rest[..rest.len().min(take)]);
        if self.is_started && !self.has_asked_for_end {
            let rest = &self.to_agent[self.sent_to_agent..];
            self.sent_to_agent += ends.client.send(moment, &rest[..rest.len().min(take)]);
            if self.sent_to_agent == self.to_agent.len() {
                self.has_asked_for_end = true;
                ends.client.terminate_flag(moment);
            }
        }
        let has_said_all = self.sent_to_client == self.to_client.len() && ends.agent.unacked_bytes() == 0;
        if self.was_asked_for_end && has_said_all && !self.has_finished {
            self.has_finished = true;
            ends.agent.finish(moment);
        }
        let consumed = self.unconsumed.min(take);
        self.unconsumed -= consumed;
        ends.client.consumed(moment, consumed);
    }

    fn at_client(&mut self, _: &mut Ends, event: ClientEvent) {
        assert!(!self.is_closed, "{event:?} after the end");
        match event {
            ClientEvent::Data { stream: DataStream::Output, bytes } => {
                self.unconsumed += bytes.len();
                self.at_client.extend_from_slice(&bytes);
            }
            ClientEvent::Started { kind: SessionKind::Port, .. } => {
                assert!(!std::mem::replace(&mut self.is_started, true), "started twice");
            }
            ClientEvent::Closed(reason) => {
                assert_closed_by_service(&reason, "");
                self.is_closed = true;
            }
            ClientEvent::Writable | ClientEvent::Publication(_) => {}
            other => unexpected(&other),
        }
    }

    fn at_agent(&mut self, ends: &mut Ends, event: AgentEvent) {
        match event {
            AgentEvent::Data(bytes) => {
                assert!(!self.was_asked_for_end, "data behind the flag");
                self.at_agent.extend_from_slice(&bytes);
            }
            AgentEvent::Flag(2) => {
                assert_eq!(self.at_agent.len(), self.to_agent.len(), "the flag came before the data");
                self.was_asked_for_end = true;
            }
            AgentEvent::Drained => ends.closes_with = Some(String::new()),
            AgentEvent::HandshakeComplete { .. } | AgentEvent::Writable => {}
            other => panic!("unexpected {other:?}"),
        }
    }

    fn is_done(&self, _: &Ends) -> bool {
        self.is_closed
    }
}
