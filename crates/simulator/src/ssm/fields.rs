//! The values of a node under the names of the API.

use std::borrow::Cow;

use crate::live::NodeState;
use crate::shared::Shared;
use crate::world::node::Node;

/// A node as it is at one moment.
#[derive(Clone, Debug)]
pub(super) struct Seen<'a> {
    pub(super) node: &'a Node,
    pub(super) state: NodeState,
    pub(super) now_ms: i64,
    /// Version of its agent, as set or as generated.
    pub(super) agent_version: Cow<'a, str>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(shared: &Shared, node: &'a Node, now_ms: i64) -> Self {
        let agent_version = shared.live.agent_version(node);
        Self { node, state: shared.live.node_state(&shared.world, node), now_ms, agent_version }
    }

    pub(super) fn ping_status(&self) -> &'static str {
        match self.state {
            NodeState::Online => "Online",
            NodeState::Lost { .. } | NodeState::Stopped { .. } => "ConnectionLost",
        }
    }

    pub(super) fn last_ping_ms(&self) -> i64 {
        match self.state {
            NodeState::Online => self.node.fresh_ping_ms(self.now_ms),
            NodeState::Lost { since_ms } | NodeState::Stopped { since_ms } => since_ms,
        }
    }

    pub(super) fn instance_state(&self) -> Option<&'static str> {
        match (self.node.kind.is_hybrid(), self.state) {
            (true, _) => None,
            (false, NodeState::Stopped { .. }) => Some("stopped"),
            (false, NodeState::Online | NodeState::Lost { .. }) => Some("running"),
        }
    }

    /// The values a filter of this name compares with; `None` if there is no such filter.
    pub(super) fn filter_values(&self, key: &str) -> Option<Vec<String>> {
        let node = self.node;
        let one = |text: &str| vec![text.to_owned()];
        Some(match key {
            "InstanceIds" => one(&node.id),
            "AgentVersion" => one(&self.agent_version),
            "PingStatus" => one(self.ping_status()),
            "PlatformTypes" => one(node.os.platform.as_str()),
            "ActivationIds" => node.activation_id().into_iter().collect(),
            "IamRole" => {
                if node.kind.is_hybrid() {
                    one(node.role())
                } else {
                    Vec::new()
                }
            }
            "ResourceType" => one(node.kind.resource_type()),
            "AssociationStatus" => one(ASSOCIATION_STATUS),
            "SourceIds" => one(&node.source_id()),
            "SourceTypes" => one(node.kind.source_type()),
            "tag-key" => node.tags().into_iter().map(|(key, _)| key.to_owned()).collect(),
            _ => {
                let tag = key.strip_prefix("tag:").filter(|name| !name.is_empty())?;
                node.tags().into_iter().filter(|(key, _)| *key == tag).map(|(_, value)| value).collect()
            }
        })
    }
}

/// Every node runs the association that gathers inventory, and it succeeds.
pub(super) const ASSOCIATION_STATUS: &str = "Success";
