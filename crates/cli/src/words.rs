//! Words for what nodes are, in tables and JSON.

use fleetline_inventory::node::{InstanceTier, NodeKind, PingStatus, PlatformFamily};
use fleetline_inventory::{Readiness, Verdict};

/// The kind, as the query language spells it.
pub(crate) fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Ec2 => "ec2",
        NodeKind::OnPrem => "on-prem",
        NodeKind::Azure => "azure",
        NodeKind::Gcp => "gcp",
        NodeKind::Edge => "edge",
    }
}

/// The platform.
pub(crate) fn platform(platform: PlatformFamily) -> &'static str {
    match platform {
        PlatformFamily::Linux => "linux",
        PlatformFamily::Windows => "windows",
        PlatformFamily::MacOs => "macos",
        PlatformFamily::Unknown => "unknown",
    }
}

/// The heartbeat.
pub(crate) fn ping(ping: PingStatus) -> &'static str {
    match ping {
        PingStatus::Online => "online",
        PingStatus::ConnectionLost => "lost",
        PingStatus::Inactive => "inactive",
        PingStatus::Unknown => "unknown",
    }
}

/// The tier; EC2 has none.
pub(crate) fn tier(tier: Option<InstanceTier>) -> Option<&'static str> {
    Some(match tier? {
        InstanceTier::Standard => "standard",
        InstanceTier::Advanced => "advanced",
        InstanceTier::Pending => "pending",
        InstanceTier::Unknown => "unknown",
    })
}

/// The verdict in one word.
pub(crate) fn readiness(verdict: Verdict) -> &'static str {
    match verdict.readiness() {
        Readiness::Ready => "ready",
        Readiness::Checking => "checking",
        Readiness::Limited => "limited",
        Readiness::Lost => "lost",
        Readiness::Blocked => "blocked",
    }
}
