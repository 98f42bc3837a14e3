//! ListTagsForResource: tags of hybrid nodes (aws-security-reliability.md A.5).

use serde::Deserialize;
use serde_json::{Value, json};

use super::permit;
use super::validation::Violations;
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::Ask;
use crate::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    resource_type: Option<String>,
    resource_id: Option<String>,
}

const RESOURCE_TYPES: &[&str] = &[
    "Document",
    "ManagedInstance",
    "MaintenanceWindow",
    "Parameter",
    "PatchBaseline",
    "OpsItem",
    "OpsMetadata",
    "Automation",
    "Association",
];

pub(super) fn list(shared: &Shared, caller: &Caller, request: &Request) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("resourceType", request.resource_type.as_ref());
    violations.required("resourceId", request.resource_id.as_ref());
    violations.one_of("resourceType", request.resource_type.as_deref(), RESOURCE_TYPES);
    violations.check()?;
    if request.resource_type.as_deref() != Some("ManagedInstance") {
        return Err(ApiFailure::new(
            "InvalidResourceType",
            "This simulator keeps tags of managed instances only.",
        ));
    }
    let id = request.resource_id.as_deref().unwrap_or_default();
    let account = caller.account(shared);
    let resource = format!("arn:aws:ssm:{}:{}:managed-instance/{id}", caller.region, account.plan.id);
    permit(shared, caller, &[Ask { action: "ssm:ListTagsForResource", resource, named: true }])?;
    let node = account
        .find(&caller.region, id)
        .filter(|node| node.kind.is_hybrid() && shared.live.is_registered(&node.id));
    let Some(node) = node else {
        return Err(ApiFailure::new("InvalidResourceId", format!("The resource ID {id} is not valid.")));
    };
    let tags: Vec<Value> =
        node.tags().into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "TagList": tags }))
}
