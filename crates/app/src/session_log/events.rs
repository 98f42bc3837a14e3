//! The calls CloudTrail kept of a session.

use fleetline_engine::ports::ApiError;
use fleetline_history::{SessionRecord, TrailAsk, TrailEvent};
use serde_json::Value;

use super::Reader;

/// Pages of one name that are read at most: CloudTrail gives two pages a second.
const PAGES: usize = 20;

/// How far the clocks of CloudTrail and of the session list may be apart, in milliseconds.
const SLACK_MS: i64 = 2 * 60_000;
/// How long after its end a session may still be terminated by somebody: it succeeds then as well (protocol.md 1.4).
const AFTER_MS: i64 = 15 * 60_000;

/// A call of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// CloudTrail's id of it.
    pub id: String,
    /// Name of the operation.
    pub name: String,
    /// When, in epoch milliseconds.
    pub at_ms: i64,
    /// ARN of the caller, or what CloudTrail calls it.
    pub caller: String,
    /// Address the call came from.
    pub source_ip: String,
    /// The program that called.
    pub user_agent: String,
    /// Code of the refusal; empty if it succeeded.
    pub error: String,
    /// The whole record as JSON, indented.
    pub record: String,
}

/// The calls of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionEvents {
    /// Oldest first.
    pub events: Vec<Kept>,
    /// Whether there was more than is read of a busy account-Region, so that calls may be missing.
    pub cut: bool,
}

impl Reader {
    /// StartSession, ResumeSession and TerminateSession of a session. CloudTrail may take 15 minutes to give them.
    ///
    /// # Errors
    /// What LookupEvents can meet.
    pub async fn events(&self, record: &SessionRecord, now_ms: i64) -> Result<SessionEvents, ApiError> {
        let Some(start) = record.start_ms else { return Ok(SessionEvents::default()) };
        let end = record.end_ms.unwrap_or(now_ms);
        let asks = [
            TrailAsk { name: "StartSession", from_ms: start - SLACK_MS, to_ms: start + SLACK_MS },
            TrailAsk { name: "ResumeSession", from_ms: start - SLACK_MS, to_ms: end + SLACK_MS },
            TrailAsk { name: "TerminateSession", from_ms: start - SLACK_MS, to_ms: end + AFTER_MS },
        ];
        let mut found = SessionEvents::default();
        for ask in asks {
            let mut next = None;
            for page in 0.. {
                if page == PAGES {
                    found.cut = true;
                    break;
                }
                let read = self.records.lookup(ask.clone(), next).await?;
                let of_session = read.events.into_iter().filter_map(|event| kept(event, &record.session_id));
                found.events.extend(of_session);
                next = read.next;
                if next.is_none() {
                    break;
                }
            }
        }
        found.events.sort_by_key(|event| event.at_ms);
        Ok(found)
    }
}

/// The call, if it is about this session.
fn kept(event: TrailEvent, session_id: &str) -> Option<Kept> {
    let record: Value = serde_json::from_str(&event.record).ok()?;
    let about = |part: &str| record[part]["sessionId"].as_str() == Some(session_id);
    if !about("requestParameters") && !about("responseElements") {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let caller = record["userIdentity"]["arn"].as_str().map_or(event.user, str::to_owned);
    Some(Kept {
        id: event.id,
        name: event.name,
        at_ms: event.at_ms,
        caller,
        source_ip: text(&record["sourceIPAddress"]),
        user_agent: text(&record["userAgent"]),
        error: text(&record["errorCode"]),
        record: serde_json::to_string_pretty(&record).unwrap_or(event.record),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_of_the_session_are_kept() {
        let event = |record: &str| TrailEvent {
            id: "1".into(),
            name: "StartSession".into(),
            at_ms: 5,
            user: "a".into(),
            record: record.into(),
        };
        let started = event(
            r#"{"userIdentity":{"arn":"arn:x"},"responseElements":{"sessionId":"a-1"},"sourceIPAddress":"10.0.0.1"}"#,
        );
        let found = kept(started, "a-1").unwrap();
        assert_eq!((found.caller.as_str(), found.source_ip.as_str(), found.at_ms), ("arn:x", "10.0.0.1", 5));
        let denied = event(r#"{"requestParameters":{"sessionId":"a-1"},"errorCode":"AccessDenied"}"#);
        let found = kept(denied, "a-1").unwrap();
        assert_eq!((found.caller.as_str(), found.error.as_str()), ("a", "AccessDenied"));
        for other in [r#"{"requestParameters":{"sessionId":"a-10"}}"#, r#"{"requestParameters":null}"#, "x"] {
            assert_eq!(kept(event(other), "a-1"), None, "{other}");
        }
    }
}
