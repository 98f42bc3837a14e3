//! Nodes for tests.

use smol_str::SmolStr;

use crate::node::{AccountRegion, ManagedNode, NodeKind, PingStatus, PlatformFamily};

/// An online EC2 Linux node with this id.
pub(crate) fn node(node_id: &str) -> ManagedNode {
    ManagedNode {
        account_region: AccountRegion { account_id: "111122223333".into(), region: "eu-central-1".into() }
            .into(),
        source: "prod".into(),
        node_id: node_id.into(),
        name: SmolStr::default(),
        computer_name: SmolStr::default(),
        kind: if node_id.starts_with("mi-") { NodeKind::OnPrem } else { NodeKind::Ec2 },
        platform: PlatformFamily::Linux,
        platform_name: "Ubuntu".into(),
        platform_version: "24.04".into(),
        ip: SmolStr::default(),
        public_ip: SmolStr::default(),
        agent_version: "3.3.2746.0".into(),
        ping: PingStatus::Online,
        last_ping_ms: None,
        registered_ms: None,
        instance_state: SmolStr::default(),
        instance_type: SmolStr::default(),
        availability_zone: SmolStr::default(),
        vpc_id: SmolStr::default(),
        iam_role: SmolStr::default(),
        tags: Vec::new(),
    }
}

/// Like [`node`], with a name.
pub(crate) fn named(node_id: &str, name: &str) -> ManagedNode {
    ManagedNode { name: name.into(), ..node(node_id) }
}
