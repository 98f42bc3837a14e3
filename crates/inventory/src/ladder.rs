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
    /// What to do next, as a sentence; empty where nothing is to be done.
    pub action: String,
}

/// What is known about the node's way to Session Manager besides the agent's heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelProof {
    /// Nothing: nobody asked.
    #[default]
    NotAsked,
    /// AWS says that the node is connected (GetConnectionStatus). It can still refuse.
    Connected,
    /// AWS says that it is not.
    NotConnected,
    /// AWS took no session to it, again and again: online but not yet connectable.
    NotConnectable {
        /// How often it was tried.
        tries: u32,
    },
    /// A session was started and its channel opened.
    Opened {
        /// From asking AWS until the node spoke, in milliseconds.
        after_ms: u64,
    },
    /// AWS allowed a session, but its channel did not open.
    NotOpened,
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
    /// What is known about the channel otherwise.
    pub channel: ChannelProof,
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
        channel(node, proof, now_ms),
    ];
    let stopped = steps.iter().position(|s| matches!(s.state, StepState::Stopped | StepState::Lost));
    if let Some(at) = stopped {
        for step in &mut steps[at + 1..] {
            *step = Step {
                state: StepState::NotReached,
                fact: "not reached".to_owned(),
                ..Step::new(step.label)
            };
        }
    }
    steps
}

impl Step {
    fn new(label: &'static str) -> Self {
        Self {
            label,
            state: StepState::NotChecked,
            fact: String::new(),
            cause: String::new(),
            action: String::new(),
        }
    }

    fn todo(mut self, action: impl Into<String>) -> Self {
        self.action = action.into();
        self
    }
}

fn step(label: &'static str, state: StepState, fact: impl Into<String>, cause: impl Into<String>) -> Step {
    Step { state, fact: fact.into(), cause: cause.into(), ..Step::new(label) }
}

fn registered(node: &ManagedNode, now_ms: i64) -> Step {
    let fact = node.registered_ms.map(|then| format!("{} ago", age_text(now_ms, then))).unwrap_or_default();
    step("Registered", StepState::Passed, fact, "")
}

fn agent(node: &ManagedNode, verdict: Verdict, now_ms: i64) -> Step {
    let fact =
        node.last_ping_ms.map(|then| format!("ping {} ago", age_text(now_ms, then))).unwrap_or_default();
    let label = "Agent online";
    let region = &node.account_region.region;
    match (verdict, node.ping) {
        (Verdict::NotRunning, _) => step(label, StepState::Lost, fact, verdict.sentence(node, now_ms))
            .todo("Start the instance, then check again."),
        (Verdict::AgentLost, _) => step(label, StepState::Lost, fact, verdict.sentence(node, now_ms)).todo(format!(
            "Check that the agent runs on the node and reaches the ssm and ssmmessages endpoints of {region}."
        )),
        (_, PingStatus::Unknown) => {
            step(label, StepState::NotChecked, fact, "AWS has not reported a heartbeat yet.")
                .todo("Check again in a minute.")
        }
        _ => match Verdict::of_agent(&node.agent_version) {
            Some(limit) => {
                step(label, StepState::Limited, fact, limit.sentence(node, now_ms)).todo("Update the agent on the node.")
            }
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
        InstanceTier::Standard => step(
            label,
            StepState::Stopped,
            "Standard",
            Verdict::StandardTier.sentence(node, now_ms),
        )
        .todo(format!(
            "Check that {} is the right Region, then review the change to the advanced tier and its cost.",
            node.account_region.region
        )),
        InstanceTier::Pending => {
            step(label, StepState::Stopped, "changing", Verdict::TierPending.sentence(node, now_ms))
                .todo("Wait until the change has settled, then check again.")
        }
        InstanceTier::Unknown if verdict == Verdict::Checking => {
            step(label, StepState::Running, "checking", "")
        }
        InstanceTier::Unknown => {
            step(label, StepState::NotChecked, "not known", Verdict::TierUnknown.sentence(node, now_ms))
                .todo("Allow ssm:GetServiceSetting on the tier setting to see it.")
        }
    }
}

fn iam(proof: SessionProof, now_ms: i64) -> Step {
    let label = "IAM";
    match proof {
        SessionProof { denied: true, .. } => {
            step(label, StepState::Stopped, "refused", "AWS refused the last session to this node by policy.")
                .todo("Change the policy that refused, then check again.")
        }
        SessionProof { allowed_ms: Some(then), .. } => step(
            label,
            StepState::Passed,
            format!("allowed {} ago", age_text(now_ms, then)),
            "AWS allowed a session to this node.",
        ),
        SessionProof { .. } => {
            step(label, StepState::NotChecked, "not checked", "AWS says only when a session is started.")
                .todo("Start a session to find out.")
        }
    }
}

fn channel(node: &ManagedNode, proof: SessionProof, now_ms: i64) -> Step {
    let label = "Session channel";
    if proof.open {
        return step(label, StepState::Passed, "open", "");
    }
    let heard = match node.last_ping_ms {
        Some(then) => format!("the agent was heard {} ago", age_text(now_ms, then)),
        None => "the agent is online".to_owned(),
    };
    let wait = "Wait a minute after a boot or a registration, then check again; if it lasts, check that the node reaches \
                the ssmmessages endpoint.";
    match proof.channel {
        ChannelProof::NotAsked => step(label, StepState::NotChecked, "no session", ""),
        ChannelProof::Connected => step(
            label,
            StepState::NotChecked,
            "connected",
            "AWS says that the node is connected; no session was tried.",
        ),
        ChannelProof::NotConnected => step(
            label,
            StepState::Stopped,
            "not connected",
            format!("AWS says that the node is not connected to Session Manager, although {heard}."),
        )
        .todo(wait),
        ChannelProof::NotConnectable { tries } => step(
            label,
            StepState::Stopped,
            "not connectable yet",
            format!("AWS took no session to the node in {tries} tries, although {heard}."),
        )
        .todo(wait),
        ChannelProof::Opened { after_ms } => step(
            label,
            StepState::Passed,
            format!("opened in {after_ms} ms"),
            "A session was opened and ended again.",
        ),
        ChannelProof::NotOpened => step(
            label,
            StepState::Stopped,
            "not opened",
            "AWS allowed a session, but its channel did not open.",
        )
        .todo("The failure's own text says more."),
    }
}
