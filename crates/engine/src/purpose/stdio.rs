//! One connection to a port of the node as a pair of byte streams (protocol.md 8.4).

use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{DataStream, SessionKind, client_runs_mux, client_sends_terminate_flag};

use super::program::{credit_changed, offer_input, return_credit};
use super::{Io, Started, Unusable};
use crate::input::InputReceiver;
use crate::output::{OutputChunk, OutputSender};

/// How long the service may take to close the channel when the user ends the session.
const GOODBYE: Duration = Duration::from_secs(1);
/// Property of documents whose sessions multiplex, when the agent can (protocol.md 8.1).
const LISTENER_TYPE: &str = "LocalPortForwarding";

/// Whether the agent speaks smux on a session with these properties (protocol.md 8.1).
pub(crate) fn runs_mux(started: &Started) -> bool {
    let property = |name: &str| started.properties.get(name).and_then(|value| value.as_str());
    property("type") == Some(LISTENER_TYPE) && started.agent_version.as_deref().is_some_and(client_runs_mux)
}

/// Whether the agent ends a port session when it is told to by a flag (protocol.md 5.8).
pub(crate) fn takes_terminate_flag(started: &Started) -> bool {
    started.agent_version.as_deref().is_some_and(client_sends_terminate_flag)
}

/// Standard input and output of a port session.
pub(crate) struct Stdio {
    input: InputReceiver,
    output: OutputSender,
    /// Output the consumer has not taken.
    untaken: usize,
    finish_grace: Duration,
    end_within: Duration,
    takes_flag: bool,
    phase: Phase,
}

/// How far the end is that [`finish_input`](crate::StdioSession::finish_input) begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// More input may come, or not all of it has arrived.
    Flowing,
    /// All input has arrived, and nothing came from the node since then.
    Quiet { since: Duration },
    /// The agent was asked to end the session, or need not be.
    Asked { until: Duration },
}

impl Stdio {
    pub(crate) fn new(
        input: InputReceiver,
        output: OutputSender,
        finish_grace: Duration,
        end_within: Duration,
    ) -> Self {
        Self { input, output, untaken: 0, finish_grace, end_within, takes_flag: false, phase: Phase::Flowing }
    }

    pub(super) fn started(&mut self, _: &mut Io<'_>, started: &Started) -> Result<(), Unusable> {
        if started.kind != SessionKind::Port {
            return Err(Unusable(format!(
                "its document makes a {} session, not a port session",
                started.kind
            )));
        }
        if runs_mux(started) {
            return Err(Unusable(
                "its document is one for forwards, which carry many connections".to_owned(),
            ));
        }
        self.takes_flag = takes_terminate_flag(started);
        Ok(())
    }

    pub(super) fn data(&mut self, io: &mut Io<'_>, stream: DataStream, bytes: Bytes) {
        if stream != DataStream::Output {
            // No agent sends any; standard output must stay clean of it.
            io.shared.history.note(format!("{} bytes of another stream were left out", bytes.len()));
            io.channel.consumed(io.now, bytes.len());
            return;
        }
        if let Phase::Quiet { since } = &mut self.phase {
            *since = io.now.elapsed;
        }
        self.untaken += bytes.len();
        self.output.push(OutputChunk { stream, bytes });
    }

    pub(super) fn step(&mut self, io: &mut Io<'_>) {
        self.untaken = self.untaken.saturating_sub(return_credit(Some(&self.output), io));
        offer_input(&mut self.input, io);
        let now = io.elapsed();
        let has_arrived = self.input.is_finished() && io.channel.unacked_bytes() == 0;
        match self.phase {
            Phase::Flowing if has_arrived && self.untaken == 0 => self.phase = Phase::Quiet { since: now },
            // What the consumer has not taken may hold more back.
            Phase::Quiet { .. } if self.untaken > 0 => self.phase = Phase::Flowing,
            Phase::Quiet { since } if now >= since + self.finish_grace => {
                let until = if self.takes_flag {
                    io.shared.history.note("All input has arrived; the agent was asked to end the session");
                    io.channel.terminate_flag(io.now);
                    now + self.end_within
                } else {
                    now
                };
                self.phase = Phase::Asked { until };
            }
            Phase::Flowing | Phase::Quiet { .. } | Phase::Asked { .. } => {}
        }
    }

    pub(super) async fn wake(&mut self, has_room: bool) {
        tokio::select! {
            () = self.input.ready(), if has_room => {}
            () = credit_changed(Some(&self.output)) => {}
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Flowing => None,
            Phase::Quiet { since } => Some(since + self.finish_grace),
            Phase::Asked { until } => Some(until),
        }
    }

    pub(super) fn is_fulfilled(&self) -> bool {
        matches!(self.phase, Phase::Asked { .. })
    }

    pub(super) fn say_goodbye(&mut self, io: &mut Io<'_>) -> Option<Duration> {
        self.takes_flag.then(|| {
            io.channel.terminate_flag(io.now);
            GOODBYE
        })
    }
}
