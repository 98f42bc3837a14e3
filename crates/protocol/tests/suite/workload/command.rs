use fleetline_protocol::{AgentEvent, ClientEvent, DataStream, PayloadType};

use super::{assert_closed_by_service, unexpected};
use crate::link::{Ends, Workload};

const FAREWELL: &str = "done";

/// A command without a terminal: standard output and standard error mixed in time, then its exit code, then the end
/// of the session.
#[derive(Debug)]
pub(crate) struct Command {
    output: Vec<u8>,
    error: Vec<u8>,
    exit_code: i32,
    sent: [usize; 2],
    has_said_code: bool,
    has_finished: bool,
    at_client: [Vec<u8>; 2],
    unconsumed: usize,
    codes: Vec<i32>,
    is_closed: bool,
}

impl Command {
    pub(crate) fn new(output: Vec<u8>, error: Vec<u8>, exit_code: i32) -> Self {
        Self {
            output,
            error,
            exit_code,
            sent: [0; 2],
            has_said_code: false,
            has_finished: false,
            at_client: [Vec::new(), Vec::new()],
            unconsumed: 0,
            codes: Vec::new(),
            is_closed: false,
        }
    }

    pub(crate) fn assert_exact(&self, what: &str) {
        assert!(self.at_client[0] == self.output, "{what}: output of {} bytes", self.at_client[0].len());
        assert!(self.at_client[1] == self.error, "{what}: errors of {} bytes", self.at_client[1].len());
        assert_eq!(self.codes, [self.exit_code], "{what}");
        assert!(self.is_closed, "{what}: not closed");
    }
}

impl Workload for Command {
    fn work(&mut self, ends: &mut Ends) {
        let moment = ends.moment();
        ends.agent.ready(moment);
        let take = 1 + ends.below(4096) as usize;
        let which = ends.below(2) as usize;
        let kind = [PayloadType::Output, PayloadType::StdErr][which];
        let rest = &[&self.output, &self.error][which][self.sent[which]..];
        self.sent[which] += ends.agent.send(moment, kind, &rest[..rest.len().min(take)]);
        let has_said_all = self.sent == [self.output.len(), self.error.len()];
        let text = format!("EXIT_CODE: {}", self.exit_code);
        if has_said_all && !self.has_said_code && ends.agent.send_capacity() >= text.len() {
            assert_eq!(ends.agent.send(moment, PayloadType::ExitCode, text.as_bytes()), text.len());
            self.has_said_code = true;
        }
        // The real agent waits two seconds and then gives up on what is not acknowledged; here nothing is to be lost.
        if self.has_said_code && !self.has_finished && ends.agent.unacked_bytes() == 0 {
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
            ClientEvent::Data { stream, bytes } => {
                self.unconsumed += bytes.len();
                self.at_client[usize::from(stream == DataStream::StdErr)].extend_from_slice(&bytes);
            }
            ClientEvent::ExitCode(code) => self.codes.push(code),
            ClientEvent::Closed(reason) => {
                assert_closed_by_service(&reason, FAREWELL);
                self.is_closed = true;
            }
            ClientEvent::Started { .. } | ClientEvent::Publication(_) => {}
            other => unexpected(&other),
        }
    }

    fn at_agent(&mut self, ends: &mut Ends, event: AgentEvent) {
        match event {
            AgentEvent::Drained => ends.closes_with = Some(FAREWELL.to_owned()),
            AgentEvent::HandshakeComplete { .. } | AgentEvent::Writable => {}
            other => panic!("unexpected {other:?}"),
        }
    }

    fn is_done(&self, _: &Ends) -> bool {
        self.is_closed
    }
}
