//! Nodes for tests.

use crate::node::{AccountRegion, ManagedNode, NodeKind, PingStatus, PlatformFamily};

/// An online EC2 Linux node with this id.
pub(crate) fn node(node_id: &str) -> ManagedNode {
    ManagedNode {
        account_region: AccountRegion { account_id: "111122223333".into(), region: "eu-central-1".into() },
        source: "prod".into(),
        node_id: node_id.into(),
        name: String::new(),
        computer_name: String::new(),
        kind: if node_id.starts_with("mi-") { NodeKind::OnPrem } else { NodeKind::Ec2 },
        platform: PlatformFamily::Linux,
        platform_name: "Ubuntu".into(),
        platform_version: "24.04".into(),
        ip: String::new(),
        public_ip: String::new(),
        agent_version: "3.3.2746.0".into(),
        ping: PingStatus::Online,
        last_ping_ms: None,
        registered_ms: None,
        instance_state: String::new(),
        instance_type: String::new(),
        availability_zone: String::new(),
        vpc_id: String::new(),
        iam_role: String::new(),
        tags: Vec::new(),
    }
}

/// Like [`node`], with a name.
pub(crate) fn named(node_id: &str, name: &str) -> ManagedNode {
    ManagedNode { name: name.into(), ..node(node_id) }
}
