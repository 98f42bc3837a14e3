//! `fleetline sessions events`.

use clap::Args as ClapArgs;
use fleetline_app::session_log::Reader;
use serde_json::{Value, json};

use super::one::{One, one};
use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write};
use crate::failure::Failure;
use crate::fleet::now_ms;
use crate::timestamp::time;
use crate::{scope, table};

#[derive(Debug, ClapArgs)]
pub(super) struct EventsArgs {
    /// Id of the session, active or past
    #[arg(value_name = "SESSION")]
    session: String,
    /// Print a JSON array with the whole records
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(super) async fn run(args: EventsArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let One { scope, record } = one(&sources, &scopes, &args.session).await?;
    let reader = Reader::open(&sources, &sources, &scope.source, &scope.region)
        .map_err(|error| scope.failed(&error))?;
    let found = reader.events(&record, now_ms()).await.map_err(|error| scope.failed(&error))?;
    if args.json {
        let records: Vec<Value> =
            found.events.iter().filter_map(|event| serde_json::from_str(&event.record).ok()).collect();
        write(&json!(records).to_string())?;
    } else if found.events.is_empty() {
        tell("CloudTrail has no call of this session. It may take 15 minutes, and keeps 90 days.");
    } else {
        let cells: Vec<Vec<String>> = found
            .events
            .iter()
            .map(|event| {
                let at = time(Some(event.at_ms / 1000 * 1000)).unwrap_or_default();
                let result = if event.error.is_empty() { "ok" } else { &event.error };
                let cells = [&*at, &event.name, result, &event.caller, &event.source_ip, &event.user_agent];
                cells.into_iter().map(harmless).collect()
            })
            .collect();
        for line in table::lines(&["TIME", "CALL", "RESULT", "CALLER", "ADDRESS", "PROGRAM"], &cells) {
            write(&line)?;
        }
    }
    if found.cut {
        tell("There are more calls in this account and Region than are read, so some may be missing.");
    }
    Ok(0)
}
