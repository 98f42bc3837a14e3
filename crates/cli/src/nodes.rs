//! `fleetline nodes`.

use std::io::{self, ErrorKind, Write};

use fleetline_inventory::export::{COLUMNS as COLUMNS_OF_EXPORT, write_csv, write_json};
use fleetline_inventory::{Column, Entry, Fleet, Query, View};

use crate::args::NodesArgs;
use crate::console::harmless;
use crate::failure::Failure;
use crate::fleet::{self, Depth, now_ms};
use crate::{book, scope, table};

/// Columns of a list that names none.
const COLUMNS: [Column; 10] = [
    Column::Name,
    Column::NodeId,
    Column::Kind,
    Column::Platform,
    Column::Source,
    Column::Region,
    Column::Ip,
    Column::Agent,
    Column::Ping,
    Column::Readiness,
];

/// What is listed, and how.
struct Look {
    /// All of them must match.
    queries: Vec<Query>,
    sort: Column,
    descending: bool,
    /// Empty: the default of the form.
    columns: Vec<Column>,
}

/// Lists nodes. A listing that failed is told on standard error and decides the exit status; the others are printed.
pub(crate) async fn run(args: NodesArgs) -> Result<u8, Failure> {
    let look = look(&args)?;
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    // Tags of hybrid nodes cost a call each, so they are asked for only where they matter.
    let tagged = args.json
        || (args.csv && look.columns.is_empty())
        || look.columns.contains(&Column::Tags)
        || look.queries.iter().any(Query::asks_for_tags);
    let depth = if tagged { Depth::Tags } else { Depth::Facts };
    let mut listed = fleet::list(&sources, &scopes, depth, None).await;
    // Several Regions often fail for one reason, which is said once.
    listed.failures.dedup();
    if listed.listings > 0 && listed.succeeded == 0 {
        return told(&listed.failures);
    }
    let now = now_ms();
    let mut view = View::new(Query::default(), look.sort, look.descending);
    view.update(&mut listed.fleet, now);
    let wanted = |entry: &&Entry| look.queries.iter().all(|query| query.matches(&listed.fleet, entry, now));
    let entries: Vec<&Entry> = view.window(&listed.fleet, 0, usize::MAX).filter(wanted).collect();
    let written = match (args.json, args.csv) {
        (true, _) => json(&listed.fleet, &entries, now),
        (false, true) => csv(&listed.fleet, &look.columns, &entries),
        (false, false) => text(&listed.fleet, &look.columns, &entries),
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

/// The view that is named, changed by the options.
fn look(args: &NodesArgs) -> Result<Look, Failure> {
    let mut look = Look {
        queries: Vec::new(),
        sort: Column::Name,
        descending: false,
        columns: args.look.columns.clone(),
    };
    let mut texts = vec![args.query.join(" ")];
    if let Some(name) = &args.view {
        let book = book::load()?;
        let view = book.view(name).ok_or_else(|| {
            let names: Vec<&str> = book.views.iter().map(|view| view.name.as_str()).collect();
            let hint = match names.as_slice() {
                [] => "Save one with `fleetline views save`.".to_owned(),
                names => format!("Saved views: {}.", names.join(", ")),
            };
            Failure::usage(format!("There is no saved view {name}.")).with_hint(hint)
        })?;
        texts.push(view.query.clone());
        look.sort = Column::from_name(&view.sort).unwrap_or_default();
        look.descending = view.descending;
        if look.columns.is_empty() {
            look.columns = book::columns_of(&view.layout.columns);
        }
    }
    for text in texts {
        let query = Query::parse(&text);
        if let Some(issue) = query.issues().first() {
            return Err(Failure::usage(format!("The query is not valid: {}", issue.message)));
        }
        look.queries.push(query);
    }
    if let Some(sort) = args.look.sort {
        (look.sort, look.descending) = (sort, false);
    }
    look.descending ^= args.look.descending;
    Ok(look)
}

/// Tells of every failure but the last, which `main` tells; its status is the program's.
fn told(failures: &[Failure]) -> Result<u8, Failure> {
    let Some((last, others)) = failures.split_last() else { return Ok(0) };
    others.iter().for_each(Failure::tell);
    Err(last.clone())
}

fn text(fleet: &Fleet, columns: &[Column], entries: &[&Entry]) -> io::Result<()> {
    let columns = if columns.is_empty() { &COLUMNS } else { columns };
    let cell = |column: Column, entry: &Entry| {
        let node = entry.node();
        let cell = match column {
            Column::Name => node.display_name().to_owned(),
            Column::Ip if node.ip.is_empty() => node.public_ip.to_string(),
            _ => column.cell(fleet, entry),
        };
        harmless(&cell).replace(['\n', '\t'], " ")
    };
    let rows: Vec<Vec<String>> =
        entries.iter().map(|entry| columns.iter().map(|column| cell(*column, entry)).collect()).collect();
    let head: Vec<String> = columns.iter().map(|column| head(*column)).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in table::lines(&head, &rows) {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

fn head(column: Column) -> String {
    match column {
        Column::Ip => "ADDRESS".to_owned(),
        Column::Agent => "AGENT".to_owned(),
        other => other.name().to_uppercase().replace('_', " "),
    }
}

fn csv(fleet: &Fleet, columns: &[Column], entries: &[&Entry]) -> io::Result<()> {
    let columns = if columns.is_empty() { &COLUMNS_OF_EXPORT } else { columns };
    let mut out = io::BufWriter::new(io::stdout().lock());
    write_csv(&mut out, fleet, columns, entries.iter().copied())?;
    out.flush()
}

fn json(fleet: &Fleet, entries: &[&Entry], now: i64) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write_json(&mut out, fleet, entries.iter().copied(), now)?;
    out.flush()
}
