//! CloudTrail: the event history of an account-Region (LookupEvents), and the trails of an account.
//!
//! Recorded are StartSession, ResumeSession and TerminateSession, and changes of documents, refused ones included.

mod record;
mod store;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::Ask;
use crate::shared::Shared;
use crate::ssm::validation::Violations;
use crate::ssm::{parse, permit};

pub(crate) use record::note;
pub use store::TrailState;
pub(crate) use store::{Trail, TrailEvent};

/// Prefixes of `X-Amz-Target`: SDKs write either.
pub(crate) const TARGET_PREFIXES: [&str; 2] =
    ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "CloudTrail_20131101."];

/// Where an account's trail was made.
const HOME: &str = "eu-central-1";
const NAME: &str = "fleet-trail";

/// How long the event history goes back.
const KEPT_MS: i64 = 90 * 86_400_000;

/// Answers an operation.
pub(crate) fn call(
    shared: &Shared,
    caller: &Caller,
    operation: &str,
    body: &[u8],
) -> Result<String, ApiFailure> {
    let answer = match operation {
        "LookupEvents" => lookup(shared, caller, &parse(body)?),
        "DescribeTrails" => trails(shared, caller),
        "GetTrailStatus" => status(shared, caller, &parse(body)?),
        _ => Err(ApiFailure::new("UnknownOperationException", "")),
    };
    answer.map(|answer| answer.to_string())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LookupRequest {
    #[serde(default)]
    lookup_attributes: Vec<Attribute>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_key: Option<String>,
    attribute_value: Option<String>,
}

const KEYS: [&str; 8] = [
    "EventId",
    "EventName",
    "ReadOnly",
    "Username",
    "ResourceType",
    "ResourceName",
    "EventSource",
    "AccessKeyId",
];

fn lookup(shared: &Shared, caller: &Caller, request: &LookupRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.range("maxResults", request.max_results, 1, 50);
    for attribute in &request.lookup_attributes {
        violations.required("attributeKey", attribute.attribute_key.as_ref());
        violations.required("attributeValue", attribute.attribute_value.as_ref());
        violations.one_of("attributeKey", attribute.attribute_key.as_deref(), &KEYS);
    }
    violations.check()?;
    permit(shared, caller, &[everything("cloudtrail:LookupEvents")])?;
    if request.lookup_attributes.len() > 1 {
        return Err(ApiFailure::new(
            "InvalidLookupAttributesException",
            "You can only specify one lookup attribute.",
        ));
    }
    let scope = json!(["LookupEvents", caller.account, caller.region, request.lookup_attributes]).to_string();
    let skip = match request.next_token.as_deref().filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => shared
            .pages
            .read(&scope, token)
            .ok()
            .and_then(|skip| usize::try_from(skip).ok())
            .ok_or_else(|| ApiFailure::new("InvalidNextTokenException", "Invalid token."))?,
    };
    let most = usize::try_from(request.max_results.unwrap_or(50)).unwrap_or(1);
    let ms = |seconds: Option<f64>| seconds.map(|seconds| (seconds * 1000.0) as i64);
    let delay = i64::try_from(shared.config.trail_delay.as_millis()).unwrap_or(i64::MAX);
    let now_ms = shared.now_ms();
    let (start, end) = (ms(request.start_time).unwrap_or(now_ms - KEPT_MS), ms(request.end_time));
    let attribute = request.lookup_attributes.first();
    let wanted = |event: &TrailEvent| {
        event.at_ms >= start
            && end.is_none_or(|end| event.at_ms <= end)
            && event.at_ms <= now_ms.saturating_sub(delay)
            && attribute.is_none_or(|attribute| attribute.fits(event))
    };
    let mut found = shared.trail.page(caller.account, &caller.region, wanted, skip, most + 1);
    let more = found.len() > most;
    found.truncate(most);
    let events: Vec<Value> = found
        .iter()
        .map(|event| {
            let resources: Vec<Value> = event
                .resources
                .iter()
                .map(|(kind, name)| json!({ "ResourceType": kind, "ResourceName": name }))
                .collect();
            json!({
                "EventId": event.id,
                "EventName": event.name,
                "ReadOnly": "false",
                "AccessKeyId": event.access_key,
                "EventTime": event.at_ms.div_euclid(1000),
                "EventSource": "ssm.amazonaws.com",
                "Username": event.user,
                "Resources": resources,
                "CloudTrailEvent": event.record,
            })
        })
        .collect();
    let mut answer = json!({ "Events": events });
    if more {
        let next = u64::try_from(skip + most).unwrap_or(0);
        answer["NextToken"] = json!(shared.pages.make(&scope, next));
    }
    Ok(answer)
}

impl Attribute {
    fn fits(&self, event: &TrailEvent) -> bool {
        let value = self.attribute_value.as_deref().unwrap_or_default();
        match self.attribute_key.as_deref().unwrap_or_default() {
            "EventId" => event.id == value,
            "EventName" => event.name == value,
            "ReadOnly" => value == "false",
            "Username" => event.user == value,
            "ResourceType" => event.resources.iter().any(|(kind, _)| *kind == value),
            "ResourceName" => event.resources.iter().any(|(_, name)| name == value),
            "EventSource" => value == "ssm.amazonaws.com",
            _ => event.access_key == value,
        }
    }
}

fn arn(shared: &Shared, caller: &Caller) -> String {
    format!("arn:aws:cloudtrail:{HOME}:{}:trail/{NAME}", caller.account(shared).plan.id)
}

fn trails(shared: &Shared, caller: &Caller) -> Result<Value, ApiFailure> {
    permit(shared, caller, &[everything("cloudtrail:DescribeTrails")])?;
    let name = caller.account(shared).plan.name;
    let list = match shared.trail.state(caller.account) {
        TrailState::Missing => Vec::new(),
        TrailState::Logging | TrailState::Stopped => vec![json!({
            "Name": NAME,
            "S3BucketName": format!("{name}-audit"),
            "IncludeGlobalServiceEvents": true,
            "IsMultiRegionTrail": true,
            "HomeRegion": HOME,
            "TrailARN": arn(shared, caller),
            "LogFileValidationEnabled": true,
            "HasCustomEventSelectors": false,
            "IsOrganizationTrail": false,
        })],
    };
    Ok(json!({ "trailList": list }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatusRequest {
    name: Option<String>,
}

fn status(shared: &Shared, caller: &Caller, request: &StatusRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("name", request.name.as_ref());
    violations.check()?;
    let (name, arn) = (request.name.as_deref().unwrap_or_default(), arn(shared, caller));
    let ask = Ask { action: "cloudtrail:GetTrailStatus", resource: arn.clone(), named: true };
    permit(shared, caller, &[ask])?;
    let state = shared.trail.state(caller.account);
    if state == TrailState::Missing || (name != NAME && name != arn) {
        return Err(ApiFailure::new("TrailNotFoundException", format!("Unknown trail: {name}")));
    }
    Ok(json!({ "IsLogging": state == TrailState::Logging }))
}

/// These calls know no resource.
fn everything(action: &str) -> Ask<'_> {
    Ask { action, resource: "*".to_owned(), named: true }
}
