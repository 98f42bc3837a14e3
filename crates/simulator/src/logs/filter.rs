//! FilterLogEvents: words in the events of a group.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{LogEvent, MOST_EVENTS, ask, fitting, no_group, of_stream, place};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;
use crate::ssm::permit;
use crate::ssm::validation::Violations;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FilterRequest {
    log_group_name: Option<String>,
    #[serde(default)]
    log_stream_names: Vec<String>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn filter(shared: &Shared, caller: &Caller, request: &FilterRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("logGroupName", request.log_group_name.as_ref());
    violations.range("limit", request.limit, 1, MOST_EVENTS);
    violations.check()?;
    let group = request.log_group_name.as_deref().unwrap_or_default();
    let resource = format!("{}:log-group:{group}:log-stream:", place(shared, caller));
    permit(shared, caller, &[ask("logs:FilterLogEvents", resource)])?;
    if !request.log_stream_names.is_empty() && request.log_stream_name_prefix.is_some() {
        return Err(ApiFailure::new(
            "InvalidParameterException",
            "LogStreamNamePrefix and LogStreamNames are mutually exclusive.",
        ));
    }
    let terms = terms(request.filter_pattern.as_deref().unwrap_or_default())?;
    let names = match request.log_stream_names.as_slice() {
        [] => shared.log_groups.look(caller.account, &caller.region, |groups| {
            let group = groups.and_then(|groups| groups.get(group)).ok_or_else(no_group)?;
            let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
            let names = group.streams.keys().filter(|name| name.starts_with(prefix));
            Ok::<_, ApiFailure>(names.cloned().collect::<Vec<_>>())
        })?,
        names => names.to_vec(),
    };
    let mut found: Vec<(String, LogEvent)> = Vec::new();
    for name in names {
        let events = of_stream(shared, caller, group, &name)?;
        let wanted = events.into_iter().filter(|event| {
            request.start_time.is_none_or(|start| event.at_ms >= start)
                && request.end_time.is_none_or(|end| event.at_ms < end)
                && terms.iter().all(|term| event.message.contains(term.as_str()))
        });
        found.extend(wanted.map(|event| (name.clone(), event)));
    }
    found.sort_by_key(|(_, event)| event.at_ms);
    let scope =
        json!(["FilterLogEvents", caller.account, caller.region, group, request.filter_pattern]).to_string();
    let from = match request.next_token.as_deref().filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => {
            shared.pages.read(&scope, token).ok().and_then(|from| usize::try_from(from).ok()).ok_or_else(
                || ApiFailure::new("InvalidParameterException", "The specified nextToken is invalid."),
            )?
        }
    };
    let most = usize::try_from(request.limit.unwrap_or(MOST_EVENTS)).unwrap_or(1);
    let rest = found.get(from..).unwrap_or_default();
    let count = fitting(rest.iter().map(|(_, event)| event), most);
    let events: Vec<Value> = rest[..count]
        .iter()
        .zip(from..)
        .map(|((stream, event), number)| {
            json!({
                "logStreamName": stream,
                "timestamp": event.at_ms,
                "message": event.message,
                "ingestionTime": event.taken_ms,
                "eventId": format!("{:020}{number:06}", event.at_ms),
            })
        })
        .collect();
    let mut answer = json!({ "events": events, "searchedLogStreams": [] });
    if from + count < found.len() {
        let next = u64::try_from(from + count).unwrap_or(0);
        answer["nextToken"] = json!(shared.pages.make(&scope, next));
    }
    Ok(answer)
}

/// The words of a pattern, all of which an event must have. Other patterns are refused, so that none is misread.
fn terms(pattern: &str) -> Result<Vec<String>, ApiFailure> {
    let pattern = pattern.trim();
    if let Some(quoted) = pattern.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && !quoted.contains('"')
    {
        return Ok(vec![quoted.to_owned()]);
    }
    if pattern.contains(['{', '[', '?', '-', '%', '"']) {
        return Err(ApiFailure::new(
            "InvalidParameterException",
            format!("This simulator reads patterns of words only, not {pattern}"),
        ));
    }
    Ok(pattern.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::terms;

    #[test]
    fn patterns_are_words_or_one_phrase() {
        assert_eq!(terms("a  b").unwrap(), ["a", "b"]);
        assert_eq!(terms("\"a b\"").unwrap(), ["a b"]);
        assert!(terms("").unwrap().is_empty());
        for other in ["{ $.a = 1 }", "[a, b]", "?a ?b", "-a", "\"a\" \"b\""] {
            assert_eq!(terms(other).unwrap_err().code, "InvalidParameterException", "{other}");
        }
    }
}
