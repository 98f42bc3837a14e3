//! DescribeInstanceInformation, and what it shares with DescribeInstanceProperties.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::{ASSOCIATION_STATUS, Seen};
use super::filters::{Filter, KeyFilter, StringFilter, checked};
use super::validation::Violations;
use super::{listing, permit, seconds};
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

pub(super) fn describe(shared: &Shared, caller: &Caller, request: &Request) -> Result<Value, ApiFailure> {
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
    page.answer(shared, caller, "InstanceInformationList", |seen| {
        // Stopped instances are not listed by this call.
        (!matches!(seen.state, NodeState::Stopped { .. })).then(|| information(seen))
    })
}

fn information(seen: &Seen<'_>) -> Map<String, Value> {
    let node = seen.node;
    let mut entry = common(seen);
    if node.kind.is_hybrid() {
        entry.insert("Name".into(), json!(node.name));
    }
    // The flag has a meaning for Linux only.
    let latest = node.os.platform == PlatformType::Linux && node.agent_version == LATEST_AGENT;
    entry.insert("IsLatestVersion".into(), json!(latest));
    entry
}

/// What both inventory calls say about a node.
pub(super) fn common(seen: &Seen<'_>) -> Map<String, Value> {
    let node = seen.node;
    let ran_ms = seen.last_ping_ms() / 1_800_000 * 1_800_000;
    let mut entry = Map::new();
    let mut put = |key: &str, value: Value| {
        entry.insert(key.to_owned(), value);
    };
    put("InstanceId", json!(node.id));
    put("PingStatus", json!(seen.ping_status()));
    put("LastPingDateTime", seconds(seen.last_ping_ms()));
    put("AgentVersion", json!(node.agent_version));
    put("PlatformType", json!(node.os.platform.as_str()));
    put("PlatformName", json!(node.os.name));
    put("PlatformVersion", json!(node.os.version));
    put("ResourceType", json!(node.kind.resource_type()));
    // The address the agent reports: a private one.
    put("IPAddress", json!(node.ip.to_string()));
    put("ComputerName", json!(node.computer_name()));
    put("AssociationStatus", json!(ASSOCIATION_STATUS));
    put("LastAssociationExecutionDate", seconds(ran_ms));
    put("LastSuccessfulAssociationExecutionDate", seconds(ran_ms));
    put(
        "AssociationOverview",
        json!({ "DetailedStatus": ASSOCIATION_STATUS, "InstanceAssociationStatusAggregatedCount": { "Success": 1 } }),
    );
    put("SourceId", json!(node.source_id()));
    put("SourceType", json!(node.kind.source_type()));
    if let Some(activation) = node.activation_id() {
        put("ActivationId", json!(activation));
        put("IamRole", json!(node.role()));
        put("RegistrationDate", seconds(node.registered_s * 1000));
    }
    entry
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
    /// Fills the list called `list` with what `write` makes of matching nodes; it skips those it gives nothing for.
    pub(super) fn answer(
        &self,
        shared: &Shared,
        caller: &Caller,
        list: &str,
        write: impl Fn(&Seen<'_>) -> Option<Map<String, Value>>,
    ) -> Result<Value, ApiFailure> {
        let account = caller.account(shared);
        for id in self.filters.iter().filter_map(Filter::ids).flatten() {
            if account.find(&caller.region, id).is_none() {
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
        let mut found = Vec::with_capacity(self.size.min(nodes.len()));
        let mut next = None;
        let first = usize::try_from(start).unwrap_or(usize::MAX).min(nodes.len());
        for (index, node) in nodes.iter().enumerate().skip(first) {
            let seen = Seen::new(shared, node, shared.now_ms());
            if !self.filters.iter().all(|f| f.matches(&seen)) {
                continue;
            }
            let Some(entry) = write(&seen) else { continue };
            if found.len() == self.size {
                next = Some(shared.pages.make(&self.token_scope, index as u64));
                break;
            }
            found.push(Value::Object(entry));
        }
        let mut answer = Map::new();
        answer.insert(list.to_owned(), Value::Array(found));
        if let Some(token) = next {
            answer.insert("NextToken".into(), Value::String(token));
        }
        Ok(Value::Object(answer))
    }
}
