//! The fleet as a table for other programs.

use std::io::{self, Write};

use crate::column::Column;
use crate::entry::Entry;
use crate::fleet::Fleet;
use crate::json::NodeJson;

/// Columns of an export that names none, in order. Columns are added at the end.
pub const COLUMNS: [Column; 22] = [
    Column::NodeId,
    Column::Name,
    Column::ComputerName,
    Column::Kind,
    Column::Platform,
    Column::Source,
    Column::AccountId,
    Column::Region,
    Column::Ip,
    Column::PublicIp,
    Column::Agent,
    Column::Ping,
    Column::LastPing,
    Column::InstanceState,
    Column::InstanceType,
    Column::AvailabilityZone,
    Column::VpcId,
    Column::Tier,
    Column::Readiness,
    Column::Tags,
    Column::IamRole,
    Column::Registered,
];

/// Writes nodes as CSV (RFC 4180, with a head of the columns' names). A cell that a spreadsheet would take for a formula begins with an
/// apostrophe: names and tags come from whoever may set them.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_csv<'a>(
    out: &mut impl Write,
    fleet: &Fleet,
    columns: &[Column],
    entries: impl IntoIterator<Item = &'a Entry>,
) -> io::Result<()> {
    let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
    out.write_all(names.join(",").as_bytes())?;
    out.write_all(b"\r\n")?;
    let mut line = String::new();
    for entry in entries {
        line.clear();
        for (place, column) in columns.iter().enumerate() {
            if place > 0 {
                line.push(',');
            }
            push_cell(&mut line, &column.cell(fleet, entry));
        }
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Writes nodes as a JSON array, one node a line, with all that is known of each.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_json<'a>(
    out: &mut impl Write,
    fleet: &Fleet,
    entries: impl IntoIterator<Item = &'a Entry>,
    now_ms: i64,
) -> io::Result<()> {
    let mut before: &[u8] = b"[\n";
    for entry in entries {
        out.write_all(before)?;
        serde_json::to_writer(&mut *out, &NodeJson::new(fleet, entry, now_ms))?;
        before = b",\n";
    }
    out.write_all(if before == b"[\n" { b"[]\n" } else { b"\n]\n" })
}

fn push_cell(line: &mut String, cell: &str) {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted =
        formula || cell.contains([',', '"', '\r', '\n', ';']) || cell.starts_with(' ') || cell.ends_with(' ');
    if !quoted {
        return line.push_str(cell);
    }
    line.push('"');
    if formula {
        line.push('\'');
    }
    for c in cell.chars() {
        if c == '"' {
            line.push('"');
        }
        line.push(c);
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node;

    #[test]
    fn cells_that_are_formulas_or_hold_separators_are_quoted() {
        for (cell, written) in [
            ("plain", "plain"),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2+3", "\"'-2+3\""),
            ("+1", "\"'+1\""),
            ("\tx", "\"'\tx\""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("", ""),
        ] {
            let mut line = String::new();
            push_cell(&mut line, cell);
            assert_eq!(line, written, "{cell:?}");
        }
    }

    #[test]
    fn every_row_has_every_column() {
        let mut fleet = Fleet::new();
        let id = fleet.declare("prod", "eu-central-1", "prod");
        fleet.begin(id);
        let mut evil = node("i-1");
        evil.name = "=HYPERLINK(\"https://evil\")".into();
        evil.tags = vec![("a".into(), "1".into()), ("b".into(), "2".into())];
        fleet.merge_page(id, vec![evil, node("mi-2")]);
        let mut out = Vec::new();
        let mut entries: Vec<&Entry> = fleet.entries().collect();
        entries.sort_by_key(|entry| entry.key().to_owned());
        write_csv(&mut out, &fleet, &COLUMNS, entries.iter().copied()).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].contains("\"'=HYPERLINK(\"\"https://evil\"\")\""), "{}", lines[1]);
        assert!(lines[1].contains(",\"a=1;b=2\","), "{}", lines[1]);
        assert_eq!(lines[2].split(',').count(), COLUMNS.len(), "{}", lines[2]);
        let mut two = Vec::new();
        write_csv(&mut two, &fleet, &[Column::Ping, Column::NodeId], entries).unwrap();
        assert_eq!(String::from_utf8(two).unwrap(), "ping,node_id\r\nonline,i-1\r\nonline,mi-2\r\n");
    }

    #[test]
    fn json_is_an_array_even_without_nodes() {
        let mut fleet = Fleet::new();
        let id = fleet.declare("prod", "eu-central-1", "prod");
        fleet.begin(id);
        fleet.merge_page(id, vec![node("i-1"), node("i-2")]);
        for (count, id) in [(0, None), (2, Some("i-1"))] {
            let mut entries: Vec<&Entry> = fleet.entries().collect();
            entries.sort_by_key(|entry| entry.key());
            let mut out = Vec::new();
            write_json(&mut out, &fleet, entries.into_iter().take(count), 0).unwrap();
            let parsed: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
            assert_eq!(parsed.len(), count);
            assert_eq!(parsed.first().and_then(|node| node["nodeId"].as_str()), id);
        }
    }
}
