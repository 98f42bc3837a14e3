//! The agents: one task for each session, driving the agent's side of the data channel and a real program
//! (protocol.md 7.6, 7.7 and 9.9).
//!
//! Some things differ from the real agent on purpose. Output held back to complete a UTF-8 character is sent at the
//! end instead of being lost, and U+FFFD passes unmangled. The program starts when the client attaches, not before,
//! so that a session nobody opens runs nothing.

mod command;
mod home;
pub(crate) mod link;
mod pace;
mod platform;
mod port;
mod program;
mod pty;
mod recorder;
mod sealing;
mod session;
mod shell;
mod utf8_cut;
pub(crate) mod version;
mod words;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::config::ShellChoice;
use crate::documents::{LogGroupTarget, Plan, Program, S3Target};
use crate::kms::SessionKey;
use crate::registry::SessionView;
use crate::shared::Shared;
use crate::world::catalogue::PlatformType;
use crate::world::node::{Kind, Node};
use link::{AgentEnd, FromAgent};
use port::Origin;
pub(crate) use recorder::plain;
use session::{Outcome, Session};

/// What an agent is to run.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    session_id: String,
    origin: Origin,
    platform: PlatformType,
    /// Whether it runs in a container: then commands are run without a shell (protocol.md 7.6).
    is_container: bool,
    program: Program,
    shell: ShellChoice,
    pacing: bool,
    /// Whose agent it is.
    account: usize,
    region: String,
    /// The node's role session, as IAM names it.
    role_arn: String,
    /// Set when the session is to be sealed.
    session_key: Option<SessionKey>,
    /// Typed into a shell at its start; may be empty.
    shell_profile: String,
    /// The user that is to run the program, if not the agent's.
    run_as: Option<String>,
    /// ARN of the caller.
    owner: String,
    /// Where the log goes at the end.
    s3: Option<S3Target>,
    /// The log group the log goes to.
    log_group: Option<LogGroupTarget>,
}

impl Job {
    pub(crate) fn new(shared: &Shared, account: usize, node: &Node, view: &SessionView, plan: Plan) -> Self {
        Self {
            role_arn: format!("arn:aws:sts::{}:assumed-role/{}/{}", view.account_id, node.role(), node.id),
            session_key: plan
                .inputs
                .session_key
                .clone()
                .or_else(|| shared.live.session_key(account, &view.region)),
            shell_profile: plan.inputs.shell_profile(node.os.platform).to_owned(),
            run_as: plan.inputs.run_as,
            owner: view.owner.clone(),
            s3: plan.inputs.s3,
            log_group: plan.inputs.log_group,
            account,
            region: view.region.clone(),
            session_id: view.session_id.clone(),
            origin: Origin {
                node_id: node.id.to_string(),
                node_name: node.name.to_string(),
                agent_version: shared.live.agent_version(node).into_owned(),
                vpc_address: (!node.kind.is_hybrid()).then_some(node.ip),
            },
            platform: node.os.platform,
            is_container: node.kind == Kind::Task,
            program: plan.program,
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
