//! A managed node as the fleet knows it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Account and Region: the unit AWS lists, throttles and sets the tier by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountRegion {
    /// Twelve digits.
    pub account_id: String,
    /// "eu-central-1".
    pub region: String,
}

/// What a managed node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NodeKind {
    /// EC2 instance.
    Ec2,
    /// Hybrid, in a data centre.
    OnPrem,
    /// Hybrid, source type `Microsoft.Compute/virtualMachines`.
    Azure,
    /// Hybrid, source type `compute.googleapis.com/Instance`.
    Gcp,
    /// Hybrid, source type `AWS::IoT::Thing`.
    Edge,
}

impl NodeKind {
    /// Whether the account's instance tier applies to it.
    pub fn is_hybrid(self) -> bool {
        self != Self::Ec2
    }
}

/// Operating system family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PlatformFamily {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
    /// Not reported.
    Unknown,
}

/// Heartbeat as the service reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PingStatus {
    /// Heard recently.
    Online,
    /// Not heard.
    ConnectionLost,
    /// Deprecated value.
    Inactive,
    /// Not reported.
    Unknown,
}

/// Registration tier of an account-Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InstanceTier {
    /// Hybrid nodes take no sessions.
    Standard,
    /// Hybrid nodes take sessions.
    Advanced,
    /// Being changed.
    Pending,
    /// Not known: not asked, or not allowed to ask.
    Unknown,
}

/// A node. Text fields are empty where the service said nothing. Times are milliseconds of the Unix epoch. There may be
/// a hundred thousand: short texts stand in the node itself, copies of it share the long ones, and a [`Fleet`](crate::Fleet)
/// holds each long text once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManagedNode {
    /// Where it is registered; shared by the nodes of a listing.
    #[serde(with = "shared")]
    pub account_region: Arc<AccountRegion>,
    /// The AWS profile it was listed through.
    pub source: SmolStr,
    /// `i-…`, `mi-…`; opaque, 1 to 400 characters.
    pub node_id: SmolStr,
    /// EC2 Name tag, or the hybrid node's name.
    pub name: SmolStr,
    /// Host name the agent reports.
    pub computer_name: SmolStr,
    /// Kind.
    pub kind: NodeKind,
    /// Family.
    pub platform: PlatformFamily,
    /// "Microsoft Windows Server 2022 Datacenter", "Ubuntu".
    pub platform_name: SmolStr,
    /// "10.0.20348", "24.04".
    pub platform_version: SmolStr,
    /// Private address.
    pub ip: SmolStr,
    /// Public address.
    pub public_ip: SmolStr,
    /// "3.3.2746.0".
    pub agent_version: SmolStr,
    /// Heartbeat.
    pub ping: PingStatus,
    /// When last heard.
    pub last_ping_ms: Option<i64>,
    /// When registered (hybrid) or launched (EC2).
    pub registered_ms: Option<i64>,
    /// EC2 state name, else empty.
    pub instance_state: SmolStr,
    /// EC2 instance type, else empty.
    pub instance_type: SmolStr,
    /// Availability zone.
    pub availability_zone: SmolStr,
    /// VPC id.
    pub vpc_id: SmolStr,
    /// IAM role or instance profile.
    pub iam_role: SmolStr,
    /// Tags, sorted by key.
    pub tags: Vec<(SmolStr, SmolStr)>,
}

impl ManagedNode {
    /// `account/region/node id`, unique over the whole fleet.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.account_region.account_id, self.account_region.region, self.node_id)
    }

    /// What to call it: name, else computer name, else node id.
    pub fn display_name(&self) -> &str {
        [&self.name, &self.computer_name].into_iter().find(|s| !s.is_empty()).unwrap_or(&self.node_id)
    }
}

/// A shared value, written as the value itself.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, to: S) -> Result<S::Ok, S::Error> {
        T::serialize(value, to)
    }

    pub(super) fn deserialize<'a, T: Deserialize<'a>, D: Deserializer<'a>>(
        from: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}
