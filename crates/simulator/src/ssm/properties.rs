//! DescribeInstanceProperties.

use serde::Deserialize;
use serde_json::json;

use super::entry::Entry;
use super::fields::Seen;
use super::filters::{KeyFilter, StringFilter, checked};
use super::information::{Page, common};
use super::validation::Violations;
use super::{listing, permit};
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

pub(super) fn describe(shared: &Shared, caller: &Caller, request: &Request) -> Result<String, ApiFailure> {
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
    page.answer(
        shared,
        caller,
        "InstanceProperties",
        |_| true,
        |seen, entry| {
            properties(seen, &caller.region, entry);
        },
    )
}

fn properties(seen: &Seen<'_>, region: &str, entry: &mut Entry<'_>) {
    let node = seen.node;
    common(seen, entry);
    entry.text("Name", &node.name);
    if let Some(state) = seen.instance_state() {
        entry.text("InstanceType", node.instance_type);
        entry.text("InstanceRole", node.role());
        entry.text("KeyName", "fleet-ops");
        entry.text("InstanceState", state);
        entry.text("Architecture", node.os.architecture);
        entry.time("LaunchTime", node.registered_s * 1000);
        entry.text("AvailabilityZone", &format!("{region}{}", char::from(b'a' + node.zone)));
    }
}
