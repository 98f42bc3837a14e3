//! Hybrid activations, and deregistering what they registered (aws-security-reliability.md A.5).

use serde::Deserialize;
use serde_json::{Value, json};

use super::validation::Violations;
use super::{listing, permit, seconds};
use crate::activations::{Activation, Code};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::Ask;
use crate::shared::Shared;

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateRequest {
    description: Option<String>,
    default_instance_name: Option<String>,
    iam_role: Option<String>,
    registration_limit: Option<i64>,
    /// Epoch seconds.
    expiration_date: Option<f64>,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn create(shared: &Shared, caller: &Caller, request: CreateRequest) -> Result<Value, ApiFailure> {
    permit(shared, caller, &[listing(shared, caller, "ssm:CreateActivation")])?;
    let mut violations = Violations::default();
    violations.required("iamRole", request.iam_role.as_ref());
    violations.length("iamRole", request.iam_role.as_deref(), 0, 64);
    violations.length("description", request.description.as_deref(), 0, 256);
    violations.length("defaultInstanceName", request.default_instance_name.as_deref(), 0, 256);
    violations.range("registrationLimit", request.registration_limit, 1, 1000);
    if request.tags.len() > 1000 {
        violations.add("'tags'", "tags", "Member must have length less than or equal to 1000");
    }
    for tag in &request.tags {
        violations.length("tags.key", Some(&tag.key), 1, 128);
        violations.length("tags.value", Some(&tag.value), 0, 256);
    }
    violations.check()?;
    let now_ms = shared.now_ms();
    let expires_ms = request.expiration_date.map_or(now_ms + DAY_MS, |seconds| (seconds * 1000.0) as i64);
    if expires_ms <= now_ms || expires_ms > now_ms + 30 * DAY_MS {
        return Err(ApiFailure::new(
            "InvalidParameters",
            "The expiration date must be in the future and within the next 30 days.",
        ));
    }
    let id = uuid::Uuid::new_v4().to_string();
    let code = Code::new();
    let answer = json!({ "ActivationId": id, "ActivationCode": code.expose() });
    shared.live.add_activation(
        caller.account,
        &caller.region,
        Activation {
            id,
            description: request.description,
            name: request.default_instance_name,
            role: request.iam_role.unwrap_or_default(),
            limit: request.registration_limit.unwrap_or(1),
            created_ms: now_ms,
            expires_ms,
            tags: request.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            code,
        },
    );
    Ok(answer)
}

#[derive(Debug, Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct ActivationFilter {
    filter_key: Option<String>,
    #[serde(default)]
    filter_values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeRequest {
    #[serde(default)]
    filters: Vec<ActivationFilter>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn describe(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeRequest,
) -> Result<Value, ApiFailure> {
    const ACTION: &str = "ssm:DescribeActivations";
    permit(shared, caller, &[listing(shared, caller, ACTION)])?;
    let mut violations = Violations::default();
    violations.range("maxResults", request.max_results, 1, 50);
    for filter in &request.filters {
        let known = ["ActivationIds", "DefaultInstanceName", "IamRole"];
        violations.one_of("filters.filterKey", filter.filter_key.as_deref(), &known);
    }
    violations.check()?;
    let scope = json!([ACTION, caller.account, caller.region, request.filters]).to_string();
    let first = match request.next_token.as_deref().filter(|token| !token.is_empty()) {
        Some(token) => shared
            .pages
            .read(&scope, token)
            .map_err(|_| ApiFailure::new("InvalidNextToken", "The specified token is not valid."))?,
        None => 0,
    };
    let size = request.max_results.and_then(|size| usize::try_from(size).ok()).unwrap_or(50);
    let matching: Vec<Activation> = shared
        .live
        .activations(caller.account, &caller.region)
        .into_iter()
        .filter(|activation| request.filters.iter().all(|filter| filter.matches(activation)))
        .collect();
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let list: Vec<Value> =
        matching.iter().skip(first).take(size).map(|activation| write(activation, shared.now_ms())).collect();
    let mut answer = json!({ "ActivationList": list });
    let end = first.saturating_add(size);
    if end < matching.len() {
        answer["NextToken"] = Value::from(shared.pages.make(&scope, end as u64));
    }
    Ok(answer)
}

impl ActivationFilter {
    fn matches(&self, activation: &Activation) -> bool {
        let found = match self.filter_key.as_deref() {
            Some("ActivationIds") => &activation.id,
            Some("IamRole") => &activation.role,
            _ => activation.name.as_ref().unwrap_or(&activation.id),
        };
        self.filter_values.contains(found)
    }
}

fn write(activation: &Activation, now_ms: i64) -> Value {
    let mut value = json!({
        "ActivationId": activation.id,
        "IamRole": activation.role,
        "RegistrationLimit": activation.limit,
        "RegistrationsCount": 0,
        "ExpirationDate": seconds(activation.expires_ms),
        "Expired": now_ms >= activation.expires_ms,
        "CreatedDate": seconds(activation.created_ms),
    });
    if let Some(description) = &activation.description {
        value["Description"] = Value::from(description.clone());
    }
    if let Some(name) = &activation.name {
        value["DefaultInstanceName"] = Value::from(name.clone());
    }
    if !activation.tags.is_empty() {
        let tags = activation.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
        value["Tags"] = tags.collect();
    }
    value
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteRequest {
    activation_id: Option<String>,
}

pub(super) fn delete(shared: &Shared, caller: &Caller, request: &DeleteRequest) -> Result<Value, ApiFailure> {
    permit(shared, caller, &[listing(shared, caller, "ssm:DeleteActivation")])?;
    let mut violations = Violations::default();
    violations.required("activationId", request.activation_id.as_ref());
    violations.check()?;
    let id = request.activation_id.as_deref().unwrap_or_default();
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(ApiFailure::new("InvalidActivationId", format!("The activation ID {id} is not valid.")));
    }
    if !shared.live.delete_activation(caller.account, &caller.region, id) {
        return Err(ApiFailure::new("InvalidActivation", format!("There is no activation {id}.")));
    }
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeregisterRequest {
    instance_id: Option<String>,
}

pub(super) fn deregister(
    shared: &Shared,
    caller: &Caller,
    request: &DeregisterRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("instanceId", request.instance_id.as_ref());
    violations.check()?;
    let id = request.instance_id.as_deref().unwrap_or_default();
    let account = caller.account(shared);
    let resource = format!("arn:aws:ssm:{}:{}:managed-instance/{id}", caller.region, account.plan.id);
    permit(shared, caller, &[Ask { action: "ssm:DeregisterManagedInstance", resource, named: true }])?;
    let node = account.find(&caller.region, id).filter(|node| node.kind.is_hybrid());
    if node.is_none_or(|node| !shared.live.deregister(&node.id)) {
        return Err(ApiFailure::new(
            "InvalidInstanceId",
            format!("The instance ID {id} is not valid, or is not registered in this account and Region."),
        ));
    }
    Ok(json!({}))
}
