//! Which calls are recorded, and what is written of them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::TrailEvent;
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;
use crate::world::Account;

/// What CloudTrail writes in place of a secret.
const HIDDEN: &str = "Value hidden due to security reasons.";

/// Calls that change something around sessions.
const RECORDED: [&str; 8] = [
    "StartSession",
    "ResumeSession",
    "TerminateSession",
    "CreateDocument",
    "UpdateDocument",
    "UpdateDocumentDefaultVersion",
    "DeleteDocument",
    "ModifyDocumentPermission",
];

/// Records a call to Systems Manager, if it is one of those that are.
pub(crate) fn note(
    shared: &Shared,
    caller: &Caller,
    operation: &str,
    body: &[u8],
    answer: Result<&str, &ApiFailure>,
    user_agent: &str,
) {
    if !RECORDED.contains(&operation) {
        return;
    }
    let account = caller.account(shared);
    let at_ms = shared.now_ms();
    let id = uuid::Uuid::new_v4().to_string();
    let request = lowered(&serde_json::from_slice(body).unwrap_or_default());
    let answered = answer.ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    let answered = lowered(&answered);
    let resources = resources(&request, &answered);
    let arn = caller.arn(shared);
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": account.user_id(),
            "arn": arn,
            "accountId": account.plan.id,
            "accessKeyId": account.access_key,
        },
        "eventTime": Timestamp::from_second(at_ms.div_euclid(1000)).unwrap_or_default().to_string(),
        "eventSource": "ssm.amazonaws.com",
        "eventName": operation,
        "awsRegion": caller.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": user_agent,
        "requestParameters": request,
        "responseElements": answered,
        "eventID": id,
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account.plan.id,
        "eventCategory": "Management",
    });
    if let Err(failure) = answer {
        record["errorCode"] = json!(failure.code.trim_end_matches("Exception"));
        record["errorMessage"] = json!(failure.message);
    }
    let event = TrailEvent {
        id,
        name: operation.to_owned(),
        at_ms,
        user: Account::SESSION_NAME.to_owned(),
        access_key: account.access_key.clone(),
        resources,
        record: record.to_string(),
    };
    shared.trail.add(caller.account, &caller.region, event);
}

/// Members under the names records have, without what is secret or long.
fn lowered(value: &Value) -> Value {
    let Value::Object(members) = value else { return Value::Null };
    let members = members.iter().map(|(name, value)| {
        let mut letters = name.chars();
        let name: String =
            letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect();
        let value = match name.as_str() {
            "tokenValue" | "content" => json!(HIDDEN),
            _ => value.clone(),
        };
        (name, value)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

fn resources(request: &Value, answered: &Value) -> Vec<(&'static str, String)> {
    let of = |kind, value: &Value| value.as_str().map(|name| (kind, name.to_owned()));
    let session = of("AWS::SSM::Session", &answered["sessionId"])
        .or_else(|| of("AWS::SSM::Session", &request["sessionId"]));
    let all = [
        of("AWS::SSM::ManagedInstance", &request["target"]),
        of("AWS::SSM::Document", &request["name"]),
        of("AWS::SSM::Document", &request["documentName"]),
        session,
    ];
    all.into_iter().flatten().collect()
}
