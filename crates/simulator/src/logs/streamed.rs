//! The structured form in which agents stream a session.

use jiff::Timestamp;
use serde_json::json;

use super::store::LogEvent;
use crate::agent::plain;

/// What is the same in every event of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamedEvent<'a> {
    pub(crate) region: &'a str,
    pub(crate) target: &'a str,
    /// ARN of the caller.
    pub(crate) owner: &'a str,
    pub(crate) run_as: &'a str,
    pub(crate) session_id: &'a str,
}

impl StreamedEvent<'_> {
    /// The event of some output, made as the real agent makes it: control sequences and carriage returns are left out, a
    /// tab becomes a space, and each line is a text of its own.
    pub(crate) fn of(&self, output: &[u8], at_ms: i64) -> LogEvent {
        let text = String::from_utf8_lossy(&plain(output)).replace('\t', " ").replace('\r', "");
        let mut lines: Vec<&str> = text.split('\n').collect();
        if lines.last() == Some(&"") {
            lines.pop();
        }
        let time = Timestamp::from_second(at_ms.div_euclid(1000)).unwrap_or_default();
        let message = json!({
            "eventVersion": "1.0",
            "eventTime": time.to_string(),
            "awsRegion": self.region,
            "target": { "id": self.target },
            "userIdentity": { "arn": self.owner },
            "runAsUser": self.run_as,
            "sessionId": self.session_id,
            "sessionData": lines,
        });
        LogEvent { at_ms, taken_ms: at_ms, message: message.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_becomes_lines_without_what_only_terminals_understand() {
        let event = StreamedEvent {
            region: "eu-west-1",
            target: "i-1",
            owner: "arn:aws:sts::1:assumed-role/R/a",
            run_as: "ssm-user",
            session_id: "a-1",
        };
        let made =
            event.of("\x1b[1;32m$\x1b[0m ls\r\na\tb\r\n\x1b]0;title\x07é".as_bytes(), 1_600_000_000_250);
        let value: serde_json::Value = serde_json::from_str(&made.message).unwrap();
        assert_eq!(value["sessionData"], json!(["$ ls", "a b", "é"]));
        assert_eq!(value["eventTime"], "2020-09-13T12:26:40Z");
        assert_eq!((made.at_ms, &value["sessionId"]), (1_600_000_000_250, &json!("a-1")));
    }
}
