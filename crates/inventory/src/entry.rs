//! A node in the fleet with what filtering and sorting need, worked out once.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::fleet::ListingId;
use crate::natural;
use crate::node::ManagedNode;
use crate::platform::platform_text;
use crate::version::AgentVersion;

/// A node of the fleet.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) node: ManagedNode,
    /// Shared with the fleet's index.
    pub(crate) key: Arc<str>,
    pub(crate) listing: ListingId,
    /// The pass of the listing that confirmed it last.
    pub(crate) pass: u64,
    pub(crate) stale: bool,
    /// What free text is looked for in: lower case, one field per line.
    pub(crate) haystack: Box<str>,
    pub(crate) platform_text: SmolStr,
    /// Names the platform text among the fleet's distinct ones; given by the fleet.
    pub(crate) platform_id: u32,
    pub(crate) name_key: Box<[u8]>,
    /// The first bytes of `name_key` as a number of the same order.
    pub(crate) name_prefix: u128,
    /// The first bytes of the node id as a number of the same order.
    pub(crate) id_prefix: u128,
    pub(crate) version: Option<AgentVersion>,
    pub(crate) address: Option<(u8, u128)>,
}

impl Entry {
    pub(crate) fn new(mut node: ManagedNode, listing: ListingId, pass: u64, stale: bool) -> Self {
        node.tags.shrink_to_fit();
        let fields = [&node.name, &node.computer_name, &node.node_id, &node.ip, &node.public_ip];
        let mut haystack = String::with_capacity(fields.iter().map(|f| f.len() + 1).sum());
        for field in fields {
            haystack.push_str(&field.to_lowercase());
            haystack.push('\n');
        }
        let name_key = natural::name_key(node.display_name());
        Self {
            key: node.key().into(),
            name_prefix: natural::prefix(&name_key),
            id_prefix: natural::prefix(node.node_id.as_bytes()),
            platform_text: platform_text(&node).into(),
            platform_id: 0,
            name_key,
            version: AgentVersion::parse(&node.agent_version),
            address: natural::address_key(&node.ip),
            haystack: haystack.into(),
            node,
            listing,
            pass,
            stale,
        }
    }

    /// Takes another state of the node. `false`, and nothing is taken, where it is called or found otherwise than before:
    /// what was worked out of it would be wrong. Most refreshes change no more than the last ping.
    pub(crate) fn take(&mut self, node: &mut ManagedNode) -> bool {
        let known = &mut self.node;
        let texts = [
            (&known.name, &node.name),
            (&known.computer_name, &node.computer_name),
            (&known.ip, &node.ip),
            (&known.public_ip, &node.public_ip),
            (&known.agent_version, &node.agent_version),
            (&known.platform_name, &node.platform_name),
            (&known.platform_version, &node.platform_version),
        ];
        let alike = known.platform == node.platform && texts.iter().all(|(known, told)| known == told);
        if alike {
            node.tags.shrink_to_fit();
            std::mem::swap(known, node);
        }
        alike
    }

    /// The node.
    pub fn node(&self) -> &ManagedNode {
        &self.node
    }

    /// `account/region/node id`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The listing that brought it.
    pub fn listing(&self) -> ListingId {
        self.listing
    }

    /// Whether it was not confirmed since it came from the cache or its listing failed.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Short platform text: "Windows 2022".
    pub fn platform_text(&self) -> &str {
        &self.platform_text
    }
}
