//! DescribeInstanceProperties.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::Seen;
use super::filters::{KeyFilter, StringFilter, checked};
use super::information::{Page, common};
use super::validation::Violations;
use super::{listing, permit, seconds};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    filters_with_operator: Vec<StringFilter>,
    #[serde(default)]
    instance_property_filter_list: Vec<KeyFilter>,
}

const KEYS: &[&str] = &[
    "InstanceIds",
    "AgentVersion",
    "PingStatus",
    "PlatformTypes",
    "ActivationIds",
    "IamRole",
    "ResourceType",
    "AssociationStatus",
    "SourceIds",
    "SourceTypes",
];

/// Filters in a request, and values in a filter, at most.
const MOST: usize = 40;

pub(super) fn describe(shared: &Shared, caller: &Caller, request: &Request) -> Result<Value, ApiFailure> {
    const ACTION: &str = "ssm:DescribeInstanceProperties";
    permit(shared, caller, &[listing(shared, caller, ACTION)])?;
    let mut violations = Violations::default();
    violations.range("maxResults", request.max_results, 5, 1000);
    for (field, count) in [
        ("filtersWithOperator", request.filters_with_operator.len()),
        ("instancePropertyFilterList", request.instance_property_filter_list.len()),
    ] {
        if count > MOST {
            violations.add(
                &format!("'{count} filters'"),
                field,
                "Member must have length less than or equal to 40",
            );
        }
    }
    violations.check()?;
    let filters = checked(
        &request.instance_property_filter_list,
        &request.filters_with_operator,
        ("instancePropertyFilterList", "filtersWithOperator"),
        KEYS,
        MOST,
        "InvalidInstancePropertyFilterValue",
    )?;
    let page = Page {
        token_scope: json!([
            ACTION,
            caller.account,
            caller.region,
            request.filters_with_operator,
            request.instance_property_filter_list
        ])
        .to_string(),
        size: request.max_results.unwrap_or(10) as usize,
        next: request.next_token.as_deref(),
        filters: &filters,
    };
    page.answer(shared, caller, "InstanceProperties", |seen| Some(properties(seen, &caller.region)))
}

fn properties(seen: &Seen<'_>, region: &str) -> Map<String, Value> {
    let node = seen.node;
    let mut entry = common(seen);
    entry.insert("Name".into(), json!(node.name));
    if let Some(state) = seen.instance_state() {
        let mut put = |key: &str, value: Value| {
            entry.insert(key.to_owned(), value);
        };
        put("InstanceType", json!(node.instance_type));
        put("InstanceRole", json!(node.role()));
        put("KeyName", json!("fleet-ops"));
        put("InstanceState", json!(state));
        put("Architecture", json!(node.os.architecture));
        put("LaunchTime", seconds(node.registered_s * 1000));
        put("AvailabilityZone", json!(format!("{region}{}", char::from(b'a' + node.zone))));
    }
    entry
}
