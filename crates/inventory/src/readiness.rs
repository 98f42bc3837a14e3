//! Whether a node can take a session, and if not, why.

use crate::age::age_text;
use crate::fleet::{Listing, ListingState};
use crate::node::{InstanceTier, ManagedNode, PingStatus};
use crate::version::{AgentVersion, MUX_SINCE, REMOTE_HOST_SINCE};

/// The ladder folded into one word: its first step that does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Readiness {
    /// Can take sessions as far as is known.
    Ready,
    /// Being found out.
    Checking,
    /// Can take sessions, with something missing or not known.
    Limited,
    /// The agent is not heard.
    Lost,
    /// Cannot take sessions whatever the agent does.
    Blocked,
}

/// The word with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No reason needed.
    Ready,
    /// The heartbeat was not reported, or the tier is being asked.
    Checking,
    /// Agent before [`REMOTE_HOST_SINCE`].
    NoRemoteHosts,
    /// Agent before [`MUX_SINCE`].
    NoMux,
    /// Hybrid, and the tier may not be asked.
    TierUnknown,
    /// The service lost the agent.
    AgentLost,
    /// An EC2 instance that is not running.
    NotRunning,
    /// Hybrid on the standard tier.
    StandardTier,
    /// Hybrid while the tier changes.
    TierPending,
}

impl Verdict {
    /// The verdict over a node of a listing.
    pub(crate) fn of(node: &ManagedNode, listing: &Listing) -> Self {
        Self::with_version(node, AgentVersion::parse(&node.agent_version), listing)
    }

    /// The verdict, for a caller that has read the agent's version already.
    pub(crate) fn with_version(node: &ManagedNode, version: Option<AgentVersion>, listing: &Listing) -> Self {
        if !node.instance_state.is_empty() && node.instance_state != "running" {
            return Self::NotRunning;
        }
        match node.ping {
            PingStatus::ConnectionLost | PingStatus::Inactive => return Self::AgentLost,
            PingStatus::Unknown => return Self::Checking,
            PingStatus::Online => {}
        }
        if node.kind.is_hybrid() {
            match listing.tier {
                InstanceTier::Standard => return Self::StandardTier,
                InstanceTier::Pending => return Self::TierPending,
                InstanceTier::Unknown
                    if matches!(listing.state, ListingState::Waiting | ListingState::Loading) =>
                {
                    return Self::Checking;
                }
                InstanceTier::Unknown => return Self::TierUnknown,
                InstanceTier::Advanced => {}
            }
        }
        version.and_then(Self::of_version).unwrap_or(Self::Ready)
    }

    /// What an agent of this version lacks; nothing is said about versions that cannot be read.
    pub fn of_agent(version: &str) -> Option<Self> {
        AgentVersion::parse(version).and_then(Self::of_version)
    }

    fn of_version(version: AgentVersion) -> Option<Self> {
        if version < MUX_SINCE {
            return Some(Self::NoMux);
        }
        (version < REMOTE_HOST_SINCE).then_some(Self::NoRemoteHosts)
    }

    /// The word.
    pub fn readiness(self) -> Readiness {
        match self {
            Self::Ready => Readiness::Ready,
            Self::Checking => Readiness::Checking,
            Self::NoRemoteHosts | Self::NoMux | Self::TierUnknown => Readiness::Limited,
            Self::AgentLost | Self::NotRunning => Readiness::Lost,
            Self::StandardTier | Self::TierPending => Readiness::Blocked,
        }
    }

    /// The reason in one sentence; empty when ready.
    pub fn sentence(self, node: &ManagedNode, now_ms: i64) -> String {
        match self {
            Self::Ready => String::new(),
            Self::Checking if node.ping == PingStatus::Unknown => "AWS has not reported a heartbeat yet.".to_owned(),
            Self::Checking => "The tier of this account and Region is being checked.".to_owned(),
            Self::NoRemoteHosts => format!(
                "Agent {} is old: forwards to remote hosts need {REMOTE_HOST_SINCE} or later.",
                node.agent_version
            ),
            Self::NoMux => format!(
                "Agent {} is old: a forward carries one connection at a time before {MUX_SINCE}.",
                node.agent_version
            ),
            Self::TierUnknown => {
                "AWS did not say which tier this account and Region are on, so a session may be refused.".to_owned()
            }
            Self::AgentLost => match node.last_ping_ms {
                Some(then) => format!("Connection lost: AWS last heard the agent {} ago.", age_text(now_ms, then)),
                None => "Connection lost: AWS no longer hears the agent.".to_owned(),
            },
            Self::NotRunning => format!("The instance is {}, so its agent does not run.", node.instance_state),
            Self::StandardTier => {
                "This account and Region are on the standard tier, which takes no sessions to hybrid nodes.".to_owned()
            }
            Self::TierPending => {
                "The tier of this account and Region is being changed; sessions to hybrid nodes may be refused \
                 until it is done."
                    .to_owned()
            }
        }
    }
}
