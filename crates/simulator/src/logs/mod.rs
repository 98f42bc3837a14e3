//! CloudWatch Logs, as far as session logs need it: DescribeLogGroups, DescribeLogStreams, GetLogEvents and
//! FilterLogEvents in AWS JSON 1.1. Events are put by the simulated agents.

mod filter;
mod store;
mod streamed;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::kms;
use crate::live::Ask;
use crate::shared::Shared;
use crate::ssm::validation::Violations;
use crate::ssm::{parse, permit};
use crate::world::past_log;

pub(crate) use store::{LogEvent, LogGroups};
pub(crate) use streamed::StreamedEvent;

/// Prefix of `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "Logs_20140328.";

/// Events of a page at most.
const MOST_EVENTS: i64 = 10_000;
/// Bytes of the messages of a page at most; one event is always given.
const MOST_BYTES: usize = 1024 * 1024;

/// Answers an operation.
pub(crate) fn call(
    shared: &Shared,
    caller: &Caller,
    operation: &str,
    body: &[u8],
) -> Result<String, ApiFailure> {
    let answer = match operation {
        "DescribeLogGroups" => groups(shared, caller, &parse(body)?),
        "DescribeLogStreams" => streams(shared, caller, &parse(body)?),
        "GetLogEvents" => events(shared, caller, &parse(body)?),
        "FilterLogEvents" => filter::filter(shared, caller, &parse(body)?),
        _ => Err(ApiFailure::new("UnknownOperationException", "")),
    };
    answer.map(|answer| answer.to_string())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupsRequest {
    log_group_name_prefix: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

fn groups(shared: &Shared, caller: &Caller, request: &GroupsRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.range("limit", request.limit, 1, 50);
    violations.check()?;
    let place = place(shared, caller);
    permit(shared, caller, &[ask("logs:DescribeLogGroups", format!("{place}:log-group::log-stream:"))])?;
    let prefix = request.log_group_name_prefix.as_deref().unwrap_or_default();
    let after = request.next_token.as_deref().unwrap_or_default();
    let most = usize::try_from(request.limit.unwrap_or(50)).unwrap_or(50);
    let key = kms::arn(shared, caller.account(shared).plan.id, &caller.region);
    let found: Vec<Value> = shared.log_groups.look(caller.account, &caller.region, |groups| {
        let groups = groups.into_iter().flatten();
        groups
            .filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after)
            .take(most)
            .map(|(name, group)| {
                let bytes: usize =
                    group.streams.values().flat_map(|s| &s.events).map(|event| event.message.len()).sum();
                json!({
                    "logGroupName": name,
                    "creationTime": group.created_ms,
                    "storedBytes": bytes,
                    "kmsKeyId": key,
                    "arn": format!("{place}:log-group:{name}:*"),
                })
            })
            .collect()
    });
    let mut answer = json!({ "logGroups": found });
    if found.len() == most
        && let Some(last) = found.last()
    {
        answer["nextToken"] = last["logGroupName"].clone();
    }
    Ok(answer)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamsRequest {
    log_group_name: Option<String>,
    log_stream_name_prefix: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

fn streams(shared: &Shared, caller: &Caller, request: &StreamsRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("logGroupName", request.log_group_name.as_ref());
    violations.range("limit", request.limit, 1, 50);
    violations.check()?;
    let group = request.log_group_name.as_deref().unwrap_or_default();
    let place = place(shared, caller);
    permit(
        shared,
        caller,
        &[ask("logs:DescribeLogStreams", format!("{place}:log-group:{group}:log-stream:"))],
    )?;
    let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
    let after = request.next_token.as_deref().unwrap_or_default();
    let most = usize::try_from(request.limit.unwrap_or(50)).unwrap_or(50);
    let entry = |name: &str, created_ms: i64, events: &[LogEvent]| {
        let mut entry = json!({
            "logStreamName": name,
            "creationTime": created_ms,
            "arn": format!("{place}:log-group:{group}:log-stream:{name}"),
            "storedBytes": 0,
        });
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            entry["firstEventTimestamp"] = json!(first.at_ms);
            entry["lastEventTimestamp"] = json!(last.at_ms);
            entry["lastIngestionTime"] = json!(last.taken_ms);
        }
        entry
    };
    let found = shared.log_groups.look(caller.account, &caller.region, |groups| {
        let group = groups?.get(group)?;
        let streams = group.streams.iter();
        let fits = streams.filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after).take(most);
        Some(fits.map(|(name, stream)| entry(name, stream.created_ms, &stream.events)).collect::<Vec<_>>())
    });
    let past = past_log::events(shared, (caller.account, &caller.region), group, prefix);
    let found = match (found, past) {
        (Some(found), _) if !found.is_empty() => found,
        (_, Some(past)) => vec![entry(prefix, past.first().map_or(0, |event| event.at_ms), &past)],
        (Some(found), None) => found,
        (None, None) if group == past_log::GROUP => Vec::new(),
        (None, None) => return Err(no_group()),
    };
    let mut answer = json!({ "logStreams": found });
    if found.len() == most
        && let Some(last) = found.last()
    {
        answer["nextToken"] = last["logStreamName"].clone();
    }
    Ok(answer)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventsRequest {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    limit: Option<i64>,
    next_token: Option<String>,
    start_from_head: Option<bool>,
}

fn events(shared: &Shared, caller: &Caller, request: &EventsRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("logGroupName", request.log_group_name.as_ref());
    violations.required("logStreamName", request.log_stream_name.as_ref());
    violations.range("limit", request.limit, 1, MOST_EVENTS);
    violations.check()?;
    let group = request.log_group_name.as_deref().unwrap_or_default();
    let stream = request.log_stream_name.as_deref().unwrap_or_default();
    let resource = format!("{}:log-group:{group}:log-stream:{stream}", place(shared, caller));
    permit(shared, caller, &[ask("logs:GetLogEvents", resource)])?;
    let all = of_stream(shared, caller, group, stream)?;
    let within = |event: &LogEvent| {
        request.start_time.is_none_or(|start| event.at_ms >= start)
            && request.end_time.is_none_or(|end| event.at_ms < end)
    };
    let all: Vec<LogEvent> = all.into_iter().filter(within).collect();
    // A token is a direction and an index into the stream; a page at the end gives back the token it was asked with.
    let (forward, from) = match request.next_token.as_deref() {
        None if request.start_from_head == Some(true) => (true, 0),
        None => (false, all.len()),
        Some(token) => {
            let (direction, index) = token.split_once('/').unwrap_or_default();
            let index = index.parse::<usize>().ok().filter(|index| *index <= all.len());
            let wrong =
                || ApiFailure::new("InvalidParameterException", "The specified nextToken is invalid.");
            (direction == "f", index.filter(|_| matches!(direction, "f" | "b")).ok_or_else(wrong)?)
        }
    };
    let most = usize::try_from(request.limit.unwrap_or(MOST_EVENTS)).unwrap_or(1);
    let (first, last) = if forward {
        (from, from + fitting(all[from..].iter(), most))
    } else {
        (from - fitting(all[..from].iter().rev(), most), from)
    };
    let page: Vec<Value> = all[first..last]
        .iter()
        .map(|event| {
            json!({ "timestamp": event.at_ms, "message": event.message, "ingestionTime": event.taken_ms })
        })
        .collect();
    Ok(json!({
        "events": page,
        "nextForwardToken": format!("f/{last}"),
        "nextBackwardToken": format!("b/{first}"),
    }))
}

/// How many of these events are one page.
fn fitting<'a>(events: impl Iterator<Item = &'a LogEvent>, most: usize) -> usize {
    let mut bytes = 0;
    let mut count = 0;
    for event in events.take(most) {
        bytes += event.message.len() + 26;
        if count > 0 && bytes > MOST_BYTES {
            break;
        }
        count += 1;
    }
    count
}

/// All events of a stream.
fn of_stream(
    shared: &Shared,
    caller: &Caller,
    group: &str,
    stream: &str,
) -> Result<Vec<LogEvent>, ApiFailure> {
    if let Some(past) = past_log::events(shared, (caller.account, &caller.region), group, stream) {
        return Ok(past);
    }
    shared.log_groups.look(caller.account, &caller.region, |groups| {
        let group = groups.and_then(|groups| groups.get(group)).ok_or_else(no_group)?;
        let stream = group.streams.get(stream).ok_or_else(|| {
            ApiFailure::new("ResourceNotFoundException", "The specified log stream does not exist.")
        })?;
        Ok(stream.events.clone())
    })
}

fn no_group() -> ApiFailure {
    ApiFailure::new("ResourceNotFoundException", "The specified log group does not exist.")
}

/// The beginning of ARNs of the caller's log groups.
fn place(shared: &Shared, caller: &Caller) -> String {
    format!("arn:aws:logs:{}:{}", caller.region, caller.account(shared).plan.id)
}

fn ask(action: &str, resource: String) -> Ask<'_> {
    Ask { action, resource, named: true }
}
