//! The agents: one task for each session, driving the agent's side of the data channel and a real program
//! (protocol.md 7.6, 7.7 and 9.9).
//!
//! Two things differ from the real agent on purpose. Output held back to complete a UTF-8 character is sent at the
//! end instead of being lost, and U+FFFD passes unmangled. The program starts when the client attaches, not before,
//! so that a session nobody opens runs nothing.

mod command;
mod home;
pub(crate) mod link;
mod platform;
mod program;
mod pty;
mod session;
mod shell;
mod utf8_cut;
mod words;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::config::ShellChoice;
use crate::documents::Program;
use crate::registry::SessionView;
use crate::shared::Shared;
use crate::world::catalogue::PlatformType;
use crate::world::node::Node;
use link::{AgentEnd, FromAgent};
use session::{Outcome, Session};

/// What an agent is to run.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    session_id: String,
    node_id: String,
    node_name: String,
    platform: PlatformType,
    agent_version: &'static str,
    program: Program,
    shell: ShellChoice,
    pacing: bool,
}

impl Job {
    pub(crate) fn new(shared: &Shared, node: &Node, view: &SessionView, program: Program) -> Self {
        Self {
            session_id: view.session_id.clone(),
            node_id: node.id.to_string(),
            node_name: node.name.to_string(),
            platform: node.os.platform,
            agent_version: node.agent_version,
            program,
            shell: shared.config.shell.clone(),
            pacing: shared.config.agent_pacing,
        }
    }
}

/// Runs a session until its program ends or `stop` says so. Nothing of the program is left when this returns.
pub(crate) async fn run(shared: Arc<Shared>, job: Job, end: AgentEnd, stop: CancellationToken) {
    let session_id = job.session_id.clone();
    let mut session = Session::new(shared, job, end);
    let outcome = tokio::select! {
        outcome = session.drive() => outcome,
        () = stop.cancelled() => Outcome::Silent,
    };
    if let Outcome::Done { output, failed } = outcome {
        tracing::debug!(session_id, failed, output, "session program ended");
        session.report(FromAgent::Done { output, failed }, &stop).await;
    }
    session.clean_up().await;
}
