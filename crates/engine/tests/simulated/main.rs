//! Sessions with real shells, over signed HTTP and the gateway of a simulator.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod aws;
mod commands;
mod faults;
mod shells;

use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::StartSession;
use fleetline_engine::{
    ResumePolicy, SessionOptions, SessionState, ShellOptions, ShellSession, TerminalSize, open_shell,
};
use fleetline_simulator::{Control, Simulator, SimulatorConfig, UpgradeSigning};

use tokio::time::timeout;

use aws::SimulatedAws;

/// How long a test waits for output that must come.
const PATIENCE: Duration = Duration::from_secs(60);
const NODE: &str = "pay-api-03";

/// A running simulator and the way to one of its nodes.
struct World {
    simulator: Simulator,
    control: Control,
    aws: Arc<SimulatedAws>,
    node_id: String,
}

impl World {
    async fn new(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let mut config = SimulatorConfig {
            nodes: 200,
            demo_denials: false,
            upgrade_signing: UpgradeSigning::Required,
            ..SimulatorConfig::default()
        };
        change(&mut config);
        let simulator = Simulator::start(config).await.unwrap();
        let control = simulator.control();
        let node = control.node(NODE).unwrap();
        let aws = SimulatedAws::new(&simulator, &node);
        Self { simulator, control, aws, node_id: node.id }
    }

    fn open(&self) -> Shell {
        self.open_with(options())
    }

    fn open_with(&self, options: ShellOptions) -> Shell {
        let request = StartSession { target: self.node_id.clone(), ..StartSession::default() };
        Shell { session: open_shell(self.aws.clone(), request, options), seen: Vec::new() }
    }

    fn calls(&self, operation: &str) -> u64 {
        self.control.calls().get(operation).copied().unwrap_or_default()
    }

    /// Waits until AWS has no live session.
    async fn is_clean(&self) {
        self.control.wait_for(|sessions| sessions.iter().all(|s| s.status.is_over())).await.unwrap();
    }
}

fn options() -> ShellOptions {
    ShellOptions {
        size: TerminalSize { cols: 132, rows: 43 },
        session: SessionOptions {
            resume: ResumePolicy { first_delay: Duration::from_millis(20), ..ResumePolicy::default() },
            ..SessionOptions::default()
        },
    }
}

/// A session and what it has printed.
struct Shell {
    session: ShellSession,
    seen: Vec<u8>,
}

impl Shell {
    async fn type_in(&self, text: impl Into<Vec<u8>>) {
        self.session.send(text.into()).await.unwrap();
    }

    /// Reads until `text` was printed and returns all before it, taking both from what was seen.
    async fn until(&mut self, text: &str) -> Vec<u8> {
        let mut from = 0;
        loop {
            if let Some(at) = find(&self.seen[from..], text.as_bytes()) {
                let mut before: Vec<u8> = self.seen.drain(..from + at + text.len()).collect();
                before.truncate(from + at);
                return before;
            }
            from = self.seen.len().saturating_sub(text.len());
            match timeout(PATIENCE, self.session.recv()).await {
                Ok(Some(chunk)) => self.seen.extend_from_slice(&chunk.bytes),
                ended => {
                    let seen = String::from_utf8_lossy(&self.seen);
                    let seen: String =
                        seen.chars().rev().take(500).collect::<Vec<_>>().into_iter().rev().collect();
                    panic!("no {text:?}, {ended:?}, last seen {seen:?}, {:#?}", self.session.history());
                }
            }
        }
    }

    async fn prompt(&mut self) {
        self.until("~$ ").await;
    }

    async fn reach(&self, wanted: impl FnMut(&SessionState) -> bool) -> SessionState {
        let mut state = self.session.state();
        state.wait_for(wanted).await.unwrap().clone()
    }

    fn id(&self) -> String {
        self.session.session_id().unwrap().as_str().to_owned()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
