//! The SSM operations: AWS JSON 1.1 (aws-security-reliability.md A.1 to A.4).

mod activations;
mod documents;
mod entry;
mod fields;
mod filters;
mod information;
mod properties;
pub(crate) mod sessions;
mod settings;
mod tags;
pub(crate) mod validation;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::Ask;
use crate::shared::Shared;

/// Prefix of `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "AmazonSSM.";

/// Answers an operation.
pub(crate) async fn call(
    shared: &Arc<Shared>,
    caller: &Caller,
    operation: &str,
    body: &[u8],
) -> Result<String, ApiFailure> {
    let answer = match operation {
        "DescribeInstanceInformation" => return information::describe(shared, caller, &parse(body)?),
        "DescribeInstanceProperties" => return properties::describe(shared, caller, &parse(body)?),
        "GetConnectionStatus" => sessions::connection_status(shared, caller, &parse(body)?),
        "StartSession" => sessions::start(shared, caller, parse(body)?),
        "ResumeSession" => sessions::resume(shared, caller, &parse(body)?),
        "TerminateSession" => sessions::terminate(shared, caller, &parse(body)?).await,
        "DescribeSessions" => sessions::describe(shared, caller, &parse(body)?),
        "GetServiceSetting" => settings::get(shared, caller, &parse(body)?),
        "UpdateServiceSetting" => settings::update(shared, caller, &parse(body)?),
        "ResetServiceSetting" => settings::reset(shared, caller, &parse(body)?),
        "CreateActivation" => activations::create(shared, caller, parse(body)?),
        "DescribeActivations" => activations::describe(shared, caller, &parse(body)?),
        "DeleteActivation" => activations::delete(shared, caller, &parse(body)?),
        "DeregisterManagedInstance" => activations::deregister(shared, caller, &parse(body)?),
        "ListDocuments" => documents::list(shared, caller, &parse(body)?),
        "ListDocumentVersions" => documents::versions(shared, caller, &parse(body)?),
        "GetDocument" => documents::get(shared, caller, &parse(body)?),
        "DescribeDocument" => documents::describe(shared, caller, &parse(body)?),
        "CreateDocument" => documents::create(shared, caller, &parse(body)?),
        "UpdateDocument" => documents::update(shared, caller, &parse(body)?),
        "UpdateDocumentDefaultVersion" => documents::set_default(shared, caller, &parse(body)?),
        "DeleteDocument" => documents::delete(shared, caller, &parse(body)?),
        "DescribeDocumentPermission" => documents::describe_permission(shared, caller, &parse(body)?),
        "ModifyDocumentPermission" => documents::modify_permission(shared, caller, &parse(body)?),
        "ListTagsForResource" => tags::list(shared, caller, &parse(body)?),
        _ => Err(ApiFailure::new("UnknownOperationException", "")),
    };
    answer.map(|answer| answer.to_string())
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiFailure> {
    let body = if body.is_empty() { b"{}".as_slice() } else { body };
    serde_json::from_slice(body).map_err(|error| {
        // The position would name a column of a body the caller never sees.
        let kind =
            if error.is_data() { "Unexpected value in the request" } else { "The request is not JSON" };
        ApiFailure::new("SerializationException", format!("{kind}: {error}"))
    })
}

/// Refuses the call if a rule denies one of `asks`.
pub(crate) fn permit(shared: &Shared, caller: &Caller, asks: &[Ask<'_>]) -> Result<(), ApiFailure> {
    match shared.refusal(caller.account(shared), asks) {
        Some(text) => Err(ApiFailure::new("AccessDeniedException", text)),
        None => Ok(()),
    }
}

/// The question whether the caller may list things of this Region.
fn listing<'a>(shared: &Shared, caller: &Caller, action: &'a str) -> Ask<'a> {
    let resource = format!("arn:aws:ssm:{}:{}:*", caller.region, caller.account(shared).plan.id);
    Ask { action, resource, named: true }
}

/// Epoch seconds with fraction, as AWS JSON 1.1 writes times.
fn seconds(epoch_ms: i64) -> Value {
    Value::from(epoch_ms as f64 / 1000.0)
}
