//! Sessions as CSV and JSON.

use jiff::Timestamp;
use serde::Serialize;

use crate::session::{SessionRecord, without_mark};

/// Heads of the columns, in order. Columns are added at the end, never renamed.
pub const COLUMNS: [&str; 17] = [
    "session_id",
    "account",
    "region",
    "node",
    "target",
    "owner",
    "kind",
    "document",
    "reason",
    "status",
    "start",
    "end",
    "duration_s",
    "details",
    "s3_url",
    "cloudwatch_url",
    "access",
];

/// A session with where it was.
pub type Exported<'a> = (&'a str, &'a str, &'a str, &'a SessionRecord);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    session_id: &'a str,
    account: &'a str,
    region: &'a str,
    node: &'a str,
    target: &'a str,
    owner: &'a str,
    kind: &'static str,
    document: &'a str,
    reason: &'a str,
    status: &'static str,
    start: Option<String>,
    end: Option<String>,
    duration_s: Option<i64>,
    details: &'a str,
    s3_url: &'a str,
    cloudwatch_url: &'a str,
    access: &'static str,
    content_logged_by_aws: bool,
}

impl<'a> Row<'a> {
    fn of((account, region, node, record): Exported<'a>, now_ms: i64) -> Self {
        Self {
            session_id: &record.session_id,
            account,
            region,
            node,
            target: &record.target,
            owner: &record.owner,
            kind: record.kind().word(),
            document: &record.document,
            reason: without_mark(&record.reason),
            status: record.status.wire_name(),
            start: time(record.start_ms),
            end: time(record.end_ms),
            duration_s: record.duration_ms(now_ms).map(|ms| ms / 1000),
            details: &record.details,
            s3_url: &record.s3_url,
            cloudwatch_url: &record.cloudwatch_url,
            access: record.access.wire_name(),
            content_logged_by_aws: !record.kind().content_is_never_logged() && record.has_log(),
        }
    }
}

/// RFC 3339 in UTC.
fn time(ms: Option<i64>) -> Option<String> {
    Timestamp::from_millisecond(ms?).ok().map(|time| time.to_string())
}

/// A JSON array. `contentLoggedByAws` is whether a log is said to be somewhere.
pub fn json<'a>(sessions: impl IntoIterator<Item = Exported<'a>>, now_ms: i64) -> String {
    let rows: Vec<Row<'_>> = sessions.into_iter().map(|one| Row::of(one, now_ms)).collect();
    serde_json::to_string_pretty(&rows).unwrap_or_default()
}

/// CSV (RFC 4180, with a head). A cell that a spreadsheet would take for a formula begins with an apostrophe: reasons
/// come from whoever starts sessions.
pub fn csv<'a>(sessions: impl IntoIterator<Item = Exported<'a>>, now_ms: i64) -> String {
    let mut out = COLUMNS.join(",");
    out.push_str("\r\n");
    for one in sessions {
        let row = Row::of(one, now_ms);
        let (start, end) = (row.start.unwrap_or_default(), row.end.unwrap_or_default());
        let duration = row.duration_s.map(|s| s.to_string()).unwrap_or_default();
        let cells = [
            row.session_id,
            row.account,
            row.region,
            row.node,
            row.target,
            row.owner,
            row.kind,
            row.document,
            row.reason,
            row.status,
            &start,
            &end,
            &duration,
            row.details,
            row.s3_url,
            row.cloudwatch_url,
            row.access,
        ];
        for (place, cell) in cells.into_iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            push_cell(&mut out, cell);
        }
        out.push_str("\r\n");
    }
    out
}

fn push_cell(out: &mut String, cell: &str) {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted =
        formula || cell.contains([',', '"', '\r', '\n', ';']) || cell.starts_with(' ') || cell.ends_with(' ');
    if !quoted {
        return out.push_str(cell);
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    out.push_str(&cell.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::session::tests::session;

    #[test]
    fn both_forms_tell_the_same_and_no_cell_is_a_formula() {
        let one =
            SessionRecord { reason: "=cmd(\"x\"), y (fleetline 0a1b2c3d)".to_owned(), ..session("s-1") };
        let exported: Exported<'_> = ("prod", "eu-west-1", "web-1", &one);
        let table = csv([exported], 0);
        let line = table.lines().nth(1).unwrap();
        assert_eq!(table.lines().next().unwrap().split(',').count(), COLUMNS.len());
        assert!(line.contains(",\"'=cmd(\"\"x\"\"), y\","), "{line}");
        assert!(line.starts_with("s-1,prod,eu-west-1,web-1,i-1,arn:"), "{line}");
        let value: Value = serde_json::from_str(&json([exported], 0)).unwrap();
        assert_eq!(value[0]["reason"], "=cmd(\"x\"), y");
        assert_eq!(
            (&value[0]["durationS"], &value[0]["start"]),
            (&Value::from(60), &Value::from("1970-01-01T00:00:01Z"))
        );
        assert_eq!(value[0]["contentLoggedByAws"], false);
    }
}
