//! Words for what nodes are, in tables, exports and JSON. Never changed: scripts read them.

use crate::node::{InstanceTier, NodeKind, PingStatus, PlatformFamily};
use crate::readiness::{Readiness, Verdict};

/// The kind, as the query language spells it.
pub fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Ec2 => "ec2",
        NodeKind::OnPrem => "on-prem",
        NodeKind::Azure => "azure",
        NodeKind::Gcp => "gcp",
        NodeKind::Edge => "edge",
    }
}

/// The platform.
pub fn platform(platform: PlatformFamily) -> &'static str {
    match platform {
        PlatformFamily::Linux => "linux",
        PlatformFamily::Windows => "windows",
        PlatformFamily::MacOs => "macos",
        PlatformFamily::Unknown => "unknown",
    }
}

/// The heartbeat.
pub fn ping(ping: PingStatus) -> &'static str {
    match ping {
        PingStatus::Online => "online",
        PingStatus::ConnectionLost => "lost",
        PingStatus::Inactive => "inactive",
        PingStatus::Unknown => "unknown",
    }
}

/// The tier; EC2 has none.
pub fn tier(tier: Option<InstanceTier>) -> Option<&'static str> {
    Some(match tier? {
        InstanceTier::Standard => "standard",
        InstanceTier::Advanced => "advanced",
        InstanceTier::Pending => "pending",
        InstanceTier::Unknown => "unknown",
    })
}

/// The verdict in one word.
pub fn readiness(verdict: Verdict) -> &'static str {
    match verdict.readiness() {
        Readiness::Ready => "ready",
        Readiness::Checking => "checking",
        Readiness::Limited => "limited",
        Readiness::Lost => "lost",
        Readiness::Blocked => "blocked",
    }
}

/// RFC 3339 in UTC; `None` for no time and for one beyond the year 9999.
pub fn time(ms: Option<i64>) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms?).ok().map(|time| time.to_string())
}
