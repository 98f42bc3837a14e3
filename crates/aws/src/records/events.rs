//! Events of CloudWatch Logs.

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_history::{EventWindow, LogEvent, StreamPlace};
use serde::Deserialize;
use serde_json::json;

use super::endpoint;
use super::signed::{Call, CallFailed};
use crate::access::Access;
use crate::error::before_call;

const SERVICE: &str = "logs";
const GET: &str = "GetLogEvents";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<Event>,
    next_forward_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Event {
    timestamp: Option<i64>,
    message: Option<String>,
}

/// A window of a stream; `None` if group or stream are not there.
pub(super) async fn read(
    access: &Access,
    place: &StreamPlace,
    next: Option<&str>,
) -> Result<Option<EventWindow>, ApiError> {
    let mut ask = json!({
        "logGroupName": place.group,
        "logStreamName": place.stream,
        "startFromHead": true,
    });
    if let Some(next) = next {
        ask["nextToken"] = json!(next);
    }
    let call = Call {
        service: SERVICE,
        operation: GET,
        region: access.region.clone(),
        method: "POST",
        endpoint: endpoint(&access.endpoints, access.endpoints.logs.as_deref(), SERVICE, &access.region),
        path: "/".to_owned(),
        headers: vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("Logs_20140328.{GET}")),
        ],
        body: ask.to_string().into_bytes(),
    };
    let made = access
        .queue(GET)
        .make(|| async {
            match call.send(access).await {
                Ok(answer) => Ok(answer),
                Err(CallFailed::Failed(error)) => Err(error),
                Err(CallFailed::Elsewhere(region)) => {
                    Err(before_call(GET, ApiErrorKind::Service, format!("The answer is about {region}.")))
                }
            }
        })
        .await;
    let answer = match made {
        Ok(answer) => answer,
        Err(error) if error.code.as_deref() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(error),
    };
    let page: Page = serde_json::from_slice(&answer.body).map_err(|_| {
        before_call(
            GET,
            ApiErrorKind::Service,
            "CloudWatch Logs answered with something that is no page of events.",
        )
    })?;
    let events: Vec<LogEvent> = page
        .events
        .into_iter()
        .map(|event| LogEvent {
            at_ms: event.timestamp.unwrap_or(0),
            message: event.message.unwrap_or_default(),
        })
        .collect();
    // A page may be empty before the end; the end gives back the token it was asked with.
    let token = page.next_forward_token.unwrap_or_default();
    let is_end = token.is_empty() || next == Some(token.as_str());
    Ok(Some(EventWindow { events, next: token, is_end }))
}
