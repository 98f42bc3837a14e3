//! The readiness ladder of one node: five steps, each with its evidence and its time.

use crate::fleet::Listing;
use crate::node::{InstanceTier, ManagedNode, PingStatus};
use crate::readiness::Verdict;
use crate::version::Gate;

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

/// Which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepName {
    /// The node is registered with Systems Manager.
    Registered,
    /// AWS hears its agent.
    AgentOnline,
    /// Its account-Region takes sessions to nodes of its kind.
    Tier,
    /// The identity may start a session to it.
    Iam,
    /// A session opens.
    Channel,
}

/// What a step goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// An earlier step stopped, so nothing is said.
    NotReached,
    /// AWS lists the node.
    Listed,
    /// The instance is in this state, so its agent does not run.
    NotRunning {
        /// As EC2 says it: "stopped".
        state: String,
    },
    /// AWS no longer hears the agent.
    AgentLost,
    /// AWS has reported no heartbeat yet.
    NoHeartbeat,
    /// The agent is heard.
    Heard,
    /// The agent is heard, and too old for something.
    OldAgent {
        /// Its version as AWS reports it.
        version: String,
        /// What it does not do, at least one.
        lacks: Vec<Gate>,
    },
    /// EC2 nodes need no tier.
    TierNotNeeded,
    /// Advanced.
    TierAdvanced,
    /// Standard, which takes no sessions to hybrid nodes.
    TierStandard,
    /// A change is on its way.
    TierChanging,
    /// It is being asked.
    TierChecking,
    /// AWS did not say.
    TierUnknown,
    /// Nobody asked AWS for a session, and AWS says it in no other way.
    IamNotAsked,
    /// AWS refused the last session by policy.
    IamDenied,
    /// AWS allowed a session.
    IamAllowed,
    /// A session is being tried.
    ChannelTrying {
        /// How often it was tried before; each time AWS said that the node is not connected.
        tries: u32,
    },
    /// A session is open now.
    ChannelOpen,
    /// No session was tried.
    ChannelNotTried,
    /// AWS says that the node is connected; no session was tried.
    ChannelConnected,
    /// AWS says that the node is not connected, although its agent is heard.
    ChannelNotConnected,
    /// AWS took no session to it, again and again, although its agent is heard: online but not yet connectable.
    ChannelNotConnectable {
        /// How often it was tried.
        tries: u32,
    },
    /// A session was started, opened and ended again.
    ChannelOpened {
        /// From asking AWS until the node spoke, in milliseconds.
        after_ms: u64,
    },
    /// AWS allowed a session, but its channel did not open.
    ChannelNotOpened,
}

/// One step. Its words are in `ladder_words`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// State.
    pub state: StepState,
    /// What it goes by.
    pub evidence: Evidence,
    /// When that was seen, in epoch milliseconds, if it is known.
    pub at_ms: Option<i64>,
}

/// What is known about the node's way to Session Manager besides the agent's heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelProof {
    /// Nothing: nobody asked.
    #[default]
    NotAsked,
    /// A session is being tried.
    Trying {
        /// How often AWS said before that the node is not connected.
        tries: u32,
    },
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
    /// When AWS refused it, in epoch milliseconds.
    pub denied_ms: Option<i64>,
    /// Whether a session channel is open now.
    pub open: bool,
    /// What is known about the channel otherwise.
    pub channel: ChannelProof,
    /// Since when that is known, in epoch milliseconds.
    pub channel_ms: Option<i64>,
}

/// The ladder, always five steps in order. Steps after the first that stops are not reached. IAM passes only
/// when AWS allowed a session.
pub fn ladder(node: &ManagedNode, listing: &Listing, proof: SessionProof) -> [Step; 5] {
    let verdict = Verdict::of(node, listing);
    let mut steps = [
        step(StepName::Registered, StepState::Passed, Evidence::Listed, node.registered_ms),
        agent(node, verdict),
        tier(node, listing, verdict),
        iam(proof),
        channel(proof),
    ];
    if let Some(at) = steps.iter().position(Step::stops) {
        for later in &mut steps[at + 1..] {
            *later = step(later.name, StepState::NotReached, Evidence::NotReached, None);
        }
    }
    steps
}

impl Step {
    /// Whether sessions stop here.
    pub fn stops(&self) -> bool {
        matches!(self.state, StepState::Stopped | StepState::Lost)
    }
}

fn step(name: StepName, state: StepState, evidence: Evidence, at_ms: Option<i64>) -> Step {
    Step { name, state, evidence, at_ms }
}

fn agent(node: &ManagedNode, verdict: Verdict) -> Step {
    let of = |state, evidence| step(StepName::AgentOnline, state, evidence, node.last_ping_ms);
    match (verdict, node.ping) {
        (Verdict::NotRunning, _) => {
            of(StepState::Lost, Evidence::NotRunning { state: node.instance_state.to_string() })
        }
        (Verdict::AgentLost, _) => of(StepState::Lost, Evidence::AgentLost),
        (_, PingStatus::Unknown) => of(StepState::NotChecked, Evidence::NoHeartbeat),
        _ => match Gate::closed_to(&node.agent_version) {
            lacks if lacks.is_empty() => of(StepState::Passed, Evidence::Heard),
            lacks => {
                of(StepState::Limited, Evidence::OldAgent { version: node.agent_version.to_string(), lacks })
            }
        },
    }
}

fn tier(node: &ManagedNode, listing: &Listing, verdict: Verdict) -> Step {
    let of = |state, evidence| step(StepName::Tier, state, evidence, listing.updated_ms);
    if !node.kind.is_hybrid() {
        return step(StepName::Tier, StepState::Passed, Evidence::TierNotNeeded, None);
    }
    match listing.tier {
        InstanceTier::Advanced => of(StepState::Passed, Evidence::TierAdvanced),
        InstanceTier::Standard => of(StepState::Stopped, Evidence::TierStandard),
        InstanceTier::Pending => of(StepState::Stopped, Evidence::TierChanging),
        InstanceTier::Unknown if verdict == Verdict::Checking => {
            of(StepState::Running, Evidence::TierChecking)
        }
        InstanceTier::Unknown => of(StepState::NotChecked, Evidence::TierUnknown),
    }
}

fn iam(proof: SessionProof) -> Step {
    let of = |state, evidence, at| step(StepName::Iam, state, evidence, at);
    match proof {
        SessionProof { denied: true, denied_ms, .. } => {
            of(StepState::Stopped, Evidence::IamDenied, denied_ms)
        }
        SessionProof { allowed_ms: Some(then), .. } => {
            of(StepState::Passed, Evidence::IamAllowed, Some(then))
        }
        SessionProof { .. } => of(StepState::NotChecked, Evidence::IamNotAsked, None),
    }
}

fn channel(proof: SessionProof) -> Step {
    let of = |state, evidence| step(StepName::Channel, state, evidence, proof.channel_ms);
    if proof.open {
        return step(StepName::Channel, StepState::Passed, Evidence::ChannelOpen, None);
    }
    match proof.channel {
        ChannelProof::NotAsked => of(StepState::NotChecked, Evidence::ChannelNotTried),
        ChannelProof::Trying { tries } => of(StepState::Running, Evidence::ChannelTrying { tries }),
        ChannelProof::Connected => of(StepState::NotChecked, Evidence::ChannelConnected),
        ChannelProof::NotConnected => of(StepState::Stopped, Evidence::ChannelNotConnected),
        ChannelProof::NotConnectable { tries } => {
            of(StepState::Stopped, Evidence::ChannelNotConnectable { tries })
        }
        ChannelProof::Opened { after_ms } => of(StepState::Passed, Evidence::ChannelOpened { after_ms }),
        ChannelProof::NotOpened => of(StepState::Stopped, Evidence::ChannelNotOpened),
    }
}
