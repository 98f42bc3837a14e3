//! DescribeInstanceInformation, and what it shares with DescribeInstanceProperties.

use serde::Deserialize;
use serde_json::json;

use super::entry::{Entry, push_text};
use super::fields::{ASSOCIATION_STATUS, Seen};
use super::filters::{Filter, KeyFilter, StringFilter, checked};
use super::validation::Violations;
use super::{listing, permit};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::NodeState;
use crate::shared::Shared;
use crate::world::catalogue::{LATEST_AGENT, PlatformType};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<StringFilter>,
    #[serde(default)]
    instance_information_filter_list: Vec<KeyFilter>,
}

const KEYS: &[&str] = &[
    "ActivationIds",
    "AgentVersion",
    "AssociationStatus",
    "IamRole",
    "InstanceIds",
    "PingStatus",
    "PlatformTypes",
    "ResourceType",
    "SourceIds",
    "SourceTypes",
];

pub(super) fn describe(shared: &Shared, caller: &Caller, request: &Request) -> Result<String, ApiFailure> {
    const ACTION: &str = "ssm:DescribeInstanceInformation";
    permit(shared, caller, &[listing(shared, caller, ACTION)])?;
    let mut violations = Violations::default();
    violations.range("maxResults", request.max_results, 5, 50);
    violations.check()?;
    let filters = checked(
        &request.instance_information_filter_list,
        &request.filters,
        ("instanceInformationFilterList", "filters"),
        KEYS,
        100,
        "InvalidInstanceInformationFilterValue",
    )?;
    let page = Page {
        token_scope: json!([
            ACTION,
            caller.account,
            caller.region,
            request.filters,
            request.instance_information_filter_list
        ])
        .to_string(),
        size: request.max_results.unwrap_or(10) as usize,
        next: request.next_token.as_deref(),
        filters: &filters,
    };
    // Stopped instances are not listed by this call.
    let listed = |seen: &Seen<'_>| !matches!(seen.state, NodeState::Stopped { .. });
    page.answer(shared, caller, "InstanceInformationList", listed, |seen, entry| {
        common(seen, entry);
        if seen.node.kind.is_hybrid() {
            entry.text("Name", &seen.node.name);
        }
        // The flag has a meaning for Linux only.
        let latest = seen.node.os.platform == PlatformType::Linux && seen.agent_version == LATEST_AGENT;
        entry.json("IsLatestVersion", if latest { "true" } else { "false" });
    })
}

/// What both inventory calls say about a node.
pub(super) fn common(seen: &Seen<'_>, entry: &mut Entry<'_>) {
    const HALF_HOUR_MS: i64 = 1_800_000;
    let node = seen.node;
    let ran_ms = seen.last_ping_ms() / HALF_HOUR_MS * HALF_HOUR_MS;
    entry.text("InstanceId", &node.id);
    entry.text("PingStatus", seen.ping_status());
    entry.time("LastPingDateTime", seen.last_ping_ms());
    entry.text("AgentVersion", &seen.agent_version);
    entry.text("PlatformType", node.os.platform.as_str());
    entry.text("PlatformName", node.os.name);
    entry.text("PlatformVersion", node.os.version);
    entry.text("ResourceType", node.kind.resource_type());
    // The address the agent reports: a private one.
    entry.text("IPAddress", &node.ip.to_string());
    entry.text("ComputerName", &node.computer_name());
    entry.text("AssociationStatus", ASSOCIATION_STATUS);
    entry.time("LastAssociationExecutionDate", ran_ms);
    entry.time("LastSuccessfulAssociationExecutionDate", ran_ms);
    entry.json(
        "AssociationOverview",
        "{\"DetailedStatus\":\"Success\",\"InstanceAssociationStatusAggregatedCount\":{\"Success\":1}}",
    );
    entry.text("SourceId", &node.source_id());
    entry.text("SourceType", node.kind.source_type());
    if let Some(activation) = node.activation_id() {
        entry.text("ActivationId", &activation);
        entry.text("IamRole", node.role());
        entry.time("RegistrationDate", node.registered_s * 1000);
    }
}

/// One page of nodes.
pub(super) struct Page<'a> {
    /// Names the request, so that a token works for it only.
    pub(super) token_scope: String,
    pub(super) size: usize,
    pub(super) next: Option<&'a str>,
    pub(super) filters: &'a [Filter],
}

impl Page<'_> {
    /// The answer: a list called `list` of what `write` says of the nodes that match and are `listed`.
    pub(super) fn answer(
        &self,
        shared: &Shared,
        caller: &Caller,
        list: &str,
        listed: impl Fn(&Seen<'_>) -> bool,
        write: impl Fn(&Seen<'_>, &mut Entry<'_>),
    ) -> Result<String, ApiFailure> {
        let account = caller.account(shared);
        for id in self.filters.iter().filter_map(Filter::ids).flatten() {
            if account.find(&caller.region, id).is_none_or(|node| !shared.live.is_registered(&node.id)) {
                return Err(ApiFailure::new(
                    "InvalidInstanceId",
                    format!(
                        "The instance ID {id} is not valid, or is not registered in this account and Region."
                    ),
                ));
            }
        }
        let start = match self.next.filter(|token| !token.is_empty()) {
            Some(token) => shared
                .pages
                .read(&self.token_scope, token)
                .map_err(|_| ApiFailure::new("InvalidNextToken", "The specified token is not valid."))?,
            None => 0,
        };
        let nodes = account.nodes(&caller.region);
        let mut out = format!("{{\"{list}\":[");
        let mut next = None;
        let mut count = 0;
        let now_ms = shared.now_ms();
        let first = usize::try_from(start).unwrap_or(usize::MAX);
        for (index, node) in nodes.iter().enumerate().skip(first) {
            let seen = Seen::new(shared, node, now_ms);
            if !listed(&seen)
                || !shared.live.is_registered(&node.id)
                || !self.filters.iter().all(|f| f.matches(&seen))
            {
                continue;
            }
            if count == self.size {
                next = Some(shared.pages.make(&self.token_scope, index as u64));
                break;
            }
            if count > 0 {
                out.push(',');
            }
            let mut entry = Entry::begin(&mut out);
            write(&seen, &mut entry);
            entry.end();
            count += 1;
        }
        out.push(']');
        if let Some(token) = next {
            out.push_str(",\"NextToken\":");
            push_text(&mut out, &token);
        }
        out.push('}');
        Ok(out)
    }
}
