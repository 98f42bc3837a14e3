//! The JSON of a node. Members are added, never renamed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::entry::Entry;
use crate::fleet::Fleet;
use crate::words::{self, time};

/// A node as it is exported and as `fleetline nodes --json` prints it. Empty text means that the service did not say; times are RFC 3339 in UTC.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeJson<'a> {
    node_id: &'a str,
    name: &'a str,
    computer_name: &'a str,
    kind: &'static str,
    platform: &'static str,
    platform_name: &'a str,
    platform_version: &'a str,
    source: &'a str,
    account_id: &'a str,
    region: &'a str,
    ip: &'a str,
    public_ip: &'a str,
    agent_version: &'a str,
    ping: &'static str,
    last_ping: Option<String>,
    registered: Option<String>,
    instance_state: &'a str,
    instance_type: &'a str,
    availability_zone: &'a str,
    vpc_id: &'a str,
    iam_role: &'a str,
    tier: Option<&'static str>,
    readiness: &'static str,
    reason: String,
    tags: BTreeMap<&'a str, &'a str>,
    favourite: bool,
    used: Option<String>,
    groups: Vec<&'a str>,
}

impl<'a> NodeJson<'a> {
    pub(crate) fn new(fleet: &'a Fleet, entry: &'a Entry, now_ms: i64) -> Self {
        let node = entry.node();
        let verdict = fleet.verdict(entry);
        Self {
            node_id: &node.node_id,
            name: &node.name,
            computer_name: &node.computer_name,
            kind: words::kind(node.kind),
            platform: words::platform(node.platform),
            platform_name: &node.platform_name,
            platform_version: &node.platform_version,
            source: &node.source,
            account_id: &node.account_region.account_id,
            region: &node.account_region.region,
            ip: &node.ip,
            public_ip: &node.public_ip,
            agent_version: &node.agent_version,
            ping: words::ping(node.ping),
            last_ping: time(node.last_ping_ms),
            registered: time(node.registered_ms),
            instance_state: &node.instance_state,
            instance_type: &node.instance_type,
            availability_zone: &node.availability_zone,
            vpc_id: &node.vpc_id,
            iam_role: &node.iam_role,
            tier: words::tier(fleet.tier(entry)),
            readiness: words::readiness(verdict),
            reason: verdict.sentence(node, now_ms),
            tags: node.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            favourite: fleet.marks().is_favourite(entry.key()),
            used: time(fleet.marks().used(entry.key())),
            groups: fleet.marks().groups_of(entry.key()).collect(),
        }
    }
}
