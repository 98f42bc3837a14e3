//! The readiness ladder of a node: what each step goes by, without words.

use serde::{Deserialize, Serialize};
use specta::Type;

/// State of one rung of the readiness ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Proven.
    Passed,
    /// Passed with something missing.
    Limited,
    /// Stopped here.
    Stopped,
    /// Expired or lost.
    Lost,
    /// Running now.
    Running,
    /// Known not to be known: never asked.
    NotChecked,
    /// An earlier step stopped.
    NotReached,
}

/// Which rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Registered with Systems Manager.
    Registered,
    /// AWS hears the agent.
    AgentOnline,
    /// The account-Region takes sessions to nodes of this kind.
    Tier,
    /// The identity may start a session.
    Iam,
    /// A session opens.
    Channel,
}

/// Something that older agents do not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AgentGate {
    /// Sessions at all.
    Sessions,
    /// SSH through a session.
    Ssh,
    /// Several connections over one port session.
    Multiplexing,
    /// Forwards to other hosts.
    RemoteHosts,
}

/// A gate that is closed to a node's agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ClosedGate {
    /// What it does not do.
    pub gate: AgentGate,
    /// First version that does: "3.0.196.0".
    pub since: String,
}

/// What a rung goes by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Evidence {
    /// An earlier step stopped.
    NotReached,
    /// AWS lists the node.
    Listed,
    /// The instance does not run.
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
        /// Its version.
        version: String,
        /// What it does not do, at least one.
        lacks: Vec<ClosedGate>,
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
        /// How often AWS said before that the node is not connected.
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
    /// AWS took no session to it, again and again, although its agent is heard.
    ChannelNotConnectable {
        /// How often it was tried.
        tries: u32,
    },
    /// A session was started, opened and ended again.
    ChannelOpened {
        /// From asking AWS until the node spoke, in milliseconds.
        after_ms: f64,
    },
    /// AWS allowed a session, but its channel did not open.
    ChannelNotOpened,
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LadderStep {
    /// Which.
    pub name: StepName,
    /// State.
    pub state: StepState,
    /// What it goes by.
    pub evidence: Evidence,
    /// When that was seen, if it is known.
    pub at_ms: Option<f64>,
}
