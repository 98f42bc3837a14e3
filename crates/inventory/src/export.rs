//! The fleet as a table for other programs.

use std::io::{self, Write};

use crate::entry::Entry;
use crate::fleet::Fleet;
use crate::node::{InstanceTier, NodeKind, PingStatus};
use crate::readiness::Readiness;

/// Heads of the columns, in order. Columns are added at the end, never renamed.
pub const COLUMNS: [&str; 20] = [
    "node_id",
    "name",
    "computer_name",
    "kind",
    "platform",
    "source",
    "account_id",
    "region",
    "ip",
    "public_ip",
    "agent_version",
    "ping",
    "last_ping_ms",
    "instance_state",
    "instance_type",
    "availability_zone",
    "vpc_id",
    "tier",
    "readiness",
    "tags",
];

/// Writes nodes as CSV (RFC 4180, with a head). A cell that a spreadsheet would take for a formula begins with an
/// apostrophe: names and tags come from whoever may set them.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_csv<'a>(
    out: &mut impl Write,
    fleet: &Fleet,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> io::Result<()> {
    out.write_all(COLUMNS.join(",").as_bytes())?;
    out.write_all(b"\r\n")?;
    let mut line = String::new();
    for entry in entries {
        line.clear();
        for (place, cell) in cells(fleet, entry).iter().enumerate() {
            if place > 0 {
                line.push(',');
            }
            push_cell(&mut line, cell);
        }
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

fn cells(fleet: &Fleet, entry: &Entry) -> [String; COLUMNS.len()] {
    let node = entry.node();
    let tags: Vec<String> = node.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    [
        node.node_id.clone(),
        node.name.clone(),
        node.computer_name.clone(),
        kind(node.kind).to_owned(),
        entry.platform_text().to_owned(),
        node.source.clone(),
        node.account_region.account_id.clone(),
        node.account_region.region.clone(),
        node.ip.clone(),
        node.public_ip.clone(),
        node.agent_version.clone(),
        ping(node.ping).to_owned(),
        node.last_ping_ms.map(|ms| ms.to_string()).unwrap_or_default(),
        node.instance_state.clone(),
        node.instance_type.clone(),
        node.availability_zone.clone(),
        node.vpc_id.clone(),
        fleet.tier(entry).map(tier).unwrap_or_default().to_owned(),
        readiness(fleet.verdict(entry).readiness()).to_owned(),
        tags.join(";"),
    ]
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

fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Ec2 => "ec2",
        NodeKind::OnPrem => "on-prem",
        NodeKind::Azure => "azure",
        NodeKind::Gcp => "gcp",
        NodeKind::Edge => "edge",
    }
}

fn ping(ping: PingStatus) -> &'static str {
    match ping {
        PingStatus::Online => "online",
        PingStatus::ConnectionLost => "lost",
        PingStatus::Inactive => "inactive",
        PingStatus::Unknown => "unknown",
    }
}

fn tier(tier: InstanceTier) -> &'static str {
    match tier {
        InstanceTier::Standard => "standard",
        InstanceTier::Advanced => "advanced",
        InstanceTier::Pending => "pending",
        InstanceTier::Unknown => "unknown",
    }
}

fn readiness(readiness: Readiness) -> &'static str {
    match readiness {
        Readiness::Ready => "ready",
        Readiness::Checking => "checking",
        Readiness::Limited => "limited",
        Readiness::Lost => "lost",
        Readiness::Blocked => "blocked",
    }
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
        evil.name = "=HYPERLINK(\"https://evil\")".to_owned();
        evil.tags = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())];
        fleet.merge_page(id, vec![evil, node("mi-2")]);
        let mut out = Vec::new();
        let mut entries: Vec<&Entry> = fleet.entries().collect();
        entries.sort_by_key(|entry| entry.key().to_owned());
        write_csv(&mut out, &fleet, entries).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].contains("\"'=HYPERLINK(\"\"https://evil\"\")\""), "{}", lines[1]);
        assert!(lines[1].ends_with("\"a=1;b=2\""), "{}", lines[1]);
        assert_eq!(lines[2].split(',').count(), COLUMNS.len(), "{}", lines[2]);
    }
}
