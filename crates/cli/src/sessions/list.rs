//! `fleetline sessions list`.

use std::collections::HashMap;

use clap::Args as ClapArgs;
use fleetline_history::{Query, SessionFilter, SessionState, Show, Wanted, csv, json, without_mark};

use super::listed;
use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write};
use crate::failure::Failure;
use crate::fleet::{self, Depth, now_ms};
use crate::timestamp::time;
use crate::{scope, table};

#[derive(Debug, ClapArgs)]
pub(super) struct ListArgs {
    /// Filter: words and key:value terms, `-` in front negates; keys are account, region, node, target, owner, document,
    /// reason, status, kind, session, access, details, after and before; write `--` before a term that begins with `-`
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    /// Only sessions that are not over
    #[arg(long, conflicts_with = "ended")]
    active: bool,
    /// Only sessions that are over
    #[arg(long)]
    ended: bool,
    /// How far back, as in 24h or 7d; AWS keeps 30 days
    #[arg(long, default_value = "24h", value_name = "AGE")]
    since: String,
    /// Print at most this many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Look the nodes' names up
    #[arg(long)]
    names: bool,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    /// Print CSV with a head
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(super) async fn run(args: ListArgs) -> Result<u8, Failure> {
    let now = now_ms();
    let since_ms = age(&args.since).map(|age| now - age)?;
    let query = Query::parse(&args.query.join(" "), now);
    if let Some(issue) = query.issues().first() {
        return Err(Failure::usage(format!("“{}”: {}", issue.word, issue.message)));
    }
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let mut names: HashMap<(String, String), String> = HashMap::new();
    if args.names {
        let fleet = fleet::list(&sources, &scopes, Depth::Facts, None).await;
        fleet.failures.iter().for_each(Failure::tell);
        for entry in fleet.fleet.entries() {
            let node = entry.node();
            let place = (node.account_region.region.clone(), node.node_id.to_string());
            names.insert(place, node.display_name().to_owned());
        }
    }
    let show = match (args.active, args.ended) {
        (true, _) => Show::Active,
        (_, true) => Show::Ended,
        _ => Show::All,
    };
    let states: &[SessionState] = match show {
        Show::Active => &[SessionState::Active],
        Show::Ended => &[SessionState::History],
        Show::All => &[SessionState::Active, SessionState::History],
    };
    // Active sessions are shown whenever they began, so only the history is cut short by the service.
    let filter =
        SessionFilter { after_ms: (show == Show::Ended).then_some(since_ms), ..SessionFilter::default() };
    let name =
        |scope: &scope::Scope, target: &str| names.get(&(scope.region.clone(), target.to_owned())).cloned();
    let mut found = listed(&sources, &scopes, states, &filter, name).await;
    let wanted = Wanted { show, since_ms: Some(since_ms), query, descending: true, ..Wanted::default() };
    let most = args.limit.unwrap_or(usize::MAX);
    let places: HashMap<_, _> = found.places.iter().map(|(id, scope)| (*id, scope.clone())).collect();
    let rows = found.book.window(&wanted, 0, most, now);
    let exported = rows.iter().filter_map(|(place, record, node)| {
        let scope = places.get(place)?;
        Some((scope.source.as_str(), scope.region.as_str(), *node, *record))
    });
    if args.json {
        write(&json(exported, now))?;
    } else if args.csv {
        write(csv(exported, now).trim_end())?;
    } else {
        let cells: Vec<Vec<String>> = exported
            .map(|(source, region, node, record)| {
                let minutes = record.duration_ms(now).map(duration).unwrap_or_default();
                let cells = [
                    record.status.wire_name(),
                    node,
                    record.owner_name(),
                    &record.document,
                    without_mark(&record.reason),
                    &time(record.start_ms.map(|ms| ms / 1000 * 1000)).unwrap_or_default(),
                    &minutes,
                    source,
                    region,
                    &record.session_id,
                ];
                cells.into_iter().map(harmless).collect()
            })
            .collect();
        if !cells.is_empty() {
            let head = [
                "STATUS", "NODE", "OWNER", "DOCUMENT", "REASON", "START", "LASTED", "SOURCE", "REGION",
                "SESSION",
            ];
            for line in table::lines(&head, &cells) {
                write(&line)?;
            }
        }
        let shown = cells.len();
        let (_, all) = found.book.count(&wanted, now);
        if shown < all {
            tell(&format!("{shown} of {all} sessions; --limit shows more."));
        }
    }
    match found.failures.split_last() {
        None => Ok(0),
        Some((last, others)) => {
            others.iter().for_each(Failure::tell);
            Err(last.clone())
        }
    }
}

fn duration(ms: i64) -> String {
    match ms / 1000 {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// An age as 30m, 24h or 7d, in milliseconds.
fn age(text: &str) -> Result<i64, Failure> {
    let wrong = || Failure::usage(format!("{text:?} is no age.")).with_hint("Write it as 30m, 24h or 7d.");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let count: i64 = number.parse().ok().filter(|count| (1..=100_000).contains(count)).ok_or_else(wrong)?;
    match unit {
        "m" => Ok(count * 60_000),
        "h" => Ok(count * 3_600_000),
        "d" => Ok(count * 86_400_000),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(age("24h").ok(), Some(86_400_000));
        for wrong in ["", "24", "h", "0d", "-1h", "1y", "é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
