//! `fleetline nodes`.

use std::io::{self, ErrorKind, Write};

use fleetline_inventory::export::write_csv;
use fleetline_inventory::{Entry, Fleet, Query, Sort, View};

use crate::args::NodesArgs;
use crate::console::harmless;
use crate::failure::Failure;
use crate::fleet::{self, Depth, now_ms};
use crate::json::NodeJson;
use crate::{scope, table, words};

const HEAD: [&str; 10] =
    ["NAME", "NODE ID", "KIND", "PLATFORM", "SOURCE", "REGION", "ADDRESS", "AGENT", "PING", "READINESS"];

/// Lists nodes. A listing that failed is told on standard error and decides the exit status; the others are printed.
pub(crate) async fn run(args: NodesArgs) -> Result<u8, Failure> {
    let query = Query::parse(&args.query.join(" "));
    if let Some(issue) = query.issues().first() {
        return Err(Failure::usage(format!("The query is not valid: {}", issue.message)));
    }
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let mut listed = fleet::list(&sources, &scopes, Depth::Facts, None).await;
    // Several Regions often fail for one reason, which is said once.
    listed.failures.dedup();
    if listed.listings > 0 && listed.succeeded == 0 {
        return told(&listed.failures);
    }
    let mut view = View::new(query, Sort::Name, false);
    view.update(&mut listed.fleet, now_ms());
    let entries: Vec<&Entry> = view.window(&listed.fleet, 0, usize::MAX).collect();
    let written = match (args.json, args.csv) {
        (true, _) => json(&listed.fleet, &entries),
        (false, true) => csv(&listed.fleet, &entries),
        (false, false) => text(&listed.fleet, &entries),
    };
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Failure::local("The list could not be written", &error));
        }
        _ => {}
    }
    listed.gaps.iter().for_each(Failure::tell);
    told(&listed.failures)
}

/// Tells of every failure but the last, which `main` tells; its status is the program's.
fn told(failures: &[Failure]) -> Result<u8, Failure> {
    let Some((last, others)) = failures.split_last() else { return Ok(0) };
    others.iter().for_each(Failure::tell);
    Err(last.clone())
}

fn text(fleet: &Fleet, entries: &[&Entry]) -> io::Result<()> {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let node = entry.node();
            let address = if node.ip.is_empty() { &node.public_ip } else { &node.ip };
            let cells = [
                node.display_name(),
                &node.node_id,
                words::kind(node.kind),
                entry.platform_text(),
                &node.source,
                &node.account_region.region,
                address,
                &node.agent_version,
                words::ping(node.ping),
                words::readiness(fleet.verdict(entry)),
            ];
            cells.into_iter().map(|cell| harmless(cell).replace(['\n', '\t'], " ")).collect()
        })
        .collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in table::lines(&HEAD, &rows) {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

fn csv(fleet: &Fleet, entries: &[&Entry]) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write_csv(&mut out, fleet, entries.iter().copied())?;
    out.flush()
}

fn json(fleet: &Fleet, entries: &[&Entry]) -> io::Result<()> {
    let now = now_ms();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut before = "[\n";
    for entry in entries {
        out.write_all(before.as_bytes())?;
        serde_json::to_writer(&mut out, &NodeJson::new(fleet, entry, now))?;
        before = ",\n";
    }
    out.write_all(if entries.is_empty() { b"[]\n" } else { b"\n]\n" })?;
    out.flush()
}
