//! The readiness ladder of one node: five steps, each with its evidence.

use crate::age::age_text;
use crate::fleet::Listing;
use crate::node::{InstanceTier, ManagedNode, PingStatus};
use crate::readiness::Verdict;

/// State of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Proven.
    Passed,
    /// Passed with something missing.
    Limited,
    /// Stopped here.
    Stopped,
    /// Lost or expired.
    Lost,
    /// Running now.
    Running,
    /// Never asked, so not known.
    NotChecked,
    /// An earlier step stopped.
    NotReached,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// "Registered", "Agent online", "Tier", "IAM", "Session channel".
    pub label: &'static str,
    /// State.
    pub state: StepState,
    /// Right-aligned fact, possibly empty.
    pub fact: String,
    /// A line of cause, possibly empty.
    pub cause: String,
}

/// What our own sessions have proven about a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionProof {
    /// When AWS last allowed a session to this node for this identity, in epoch milliseconds.
    pub allowed_ms: Option<i64>,
    /// Whether AWS refused the last one by policy, after any that was allowed.
    pub denied: bool,
    /// Whether a session channel is open now.
    pub open: bool,
}

/// The ladder, always five steps in order. Steps after the first that stops are not reached. IAM passes only
/// when AWS allowed a session.
pub fn ladder(node: &ManagedNode, listing: &Listing, proof: SessionProof, now_ms: i64) -> [Step; 5] {
    let verdict = Verdict::of(node, listing);
    let mut steps = [
        registered(node, now_ms),
        agent(node, verdict, now_ms),
        tier(node, listing, verdict, now_ms),
        iam(proof, now_ms),
        channel(proof),
    ];
    let stopped = steps.iter().position(|s| matches!(s.state, StepState::Stopped | StepState::Lost));
    if let Some(at) = stopped {
        for step in &mut steps[at + 1..] {
            (step.state, step.fact, step.cause) =
                (StepState::NotReached, "not reached".to_owned(), String::new());
        }
    }
    steps
}

fn step(label: &'static str, state: StepState, fact: impl Into<String>, cause: impl Into<String>) -> Step {
    Step { label, state, fact: fact.into(), cause: cause.into() }
}

fn registered(node: &ManagedNode, now_ms: i64) -> Step {
    let fact = node.registered_ms.map(|then| format!("{} ago", age_text(now_ms, then))).unwrap_or_default();
    step("Registered", StepState::Passed, fact, "")
}

fn agent(node: &ManagedNode, verdict: Verdict, now_ms: i64) -> Step {
    let fact =
        node.last_ping_ms.map(|then| format!("ping {} ago", age_text(now_ms, then))).unwrap_or_default();
    let label = "Agent online";
    match (verdict, node.ping) {
        (Verdict::NotRunning | Verdict::AgentLost, _) => {
            step(label, StepState::Lost, fact, verdict.sentence(node, now_ms))
        }
        (_, PingStatus::Unknown) => {
            step(label, StepState::NotChecked, fact, "AWS has not reported a heartbeat yet.")
        }
        _ => match Verdict::of_agent(&node.agent_version) {
            Some(limit) => step(label, StepState::Limited, fact, limit.sentence(node, now_ms)),
            None => step(label, StepState::Passed, fact, ""),
        },
    }
}

fn tier(node: &ManagedNode, listing: &Listing, verdict: Verdict, now_ms: i64) -> Step {
    let label = "Tier";
    if !node.kind.is_hybrid() {
        return step(label, StepState::Passed, "not needed for EC2", "");
    }
    match listing.tier {
        InstanceTier::Advanced => step(label, StepState::Passed, "Advanced", ""),
        InstanceTier::Standard => {
            step(label, StepState::Stopped, "Standard", Verdict::StandardTier.sentence(node, now_ms))
        }
        InstanceTier::Pending => {
            step(label, StepState::Stopped, "changing", Verdict::TierPending.sentence(node, now_ms))
        }
        InstanceTier::Unknown if verdict == Verdict::Checking => {
            step(label, StepState::Running, "checking", "")
        }
        InstanceTier::Unknown => {
            step(label, StepState::NotChecked, "not known", Verdict::TierUnknown.sentence(node, now_ms))
        }
    }
}

fn iam(proof: SessionProof, now_ms: i64) -> Step {
    let label = "IAM";
    match proof {
        SessionProof { denied: true, .. } => {
            step(label, StepState::Stopped, "refused", "AWS refused the last session to this node by policy.")
        }
        SessionProof { allowed_ms: Some(then), .. } => step(
            label,
            StepState::Passed,
            format!("allowed {} ago", age_text(now_ms, then)),
            "AWS allowed a session to this node.",
        ),
        SessionProof { .. } => {
            step(label, StepState::NotChecked, "not checked", "AWS says only when a session is started.")
        }
    }
}

fn channel(proof: SessionProof) -> Step {
    let label = "Session channel";
    if proof.open {
        step(label, StepState::Passed, "open", "")
    } else {
        step(label, StepState::NotChecked, "no session", "")
    }
}
