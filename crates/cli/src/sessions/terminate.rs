//! `fleetline sessions terminate`.

use clap::Args as ClapArgs;
use fleetline_app::{ApiError, ControlPlanes};
use fleetline_aws::AwsSources;
use fleetline_engine::{SessionId, terminate_session};
use fleetline_history::{SessionFilter, SessionRecord, SessionState, without_mark};
use serde::Serialize;
use tokio::task::JoinSet;

use super::listed;
use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;
use crate::scope::{self, Scope};

#[derive(Debug, ClapArgs)]
pub(super) struct TerminateArgs {
    /// Ids of active sessions
    #[arg(value_name = "SESSION", required_unless_present = "owner", conflicts_with = "owner")]
    sessions: Vec<String>,
    /// End all active sessions of this owner: an ARN, or its last part
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// End them; without it only says which sessions would end
    #[arg(long)]
    yes: bool,
    /// Print a JSON array of what became of each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    session_id: String,
    target: String,
    owner: String,
    terminated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn run(args: TerminateArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let found =
        listed(&sources, &scopes, &[SessionState::Active], &SessionFilter::default(), |_, _| None).await;
    found.failures.iter().for_each(Failure::tell);
    let chosen = choose(&args, &found)?;
    if !args.yes {
        for (scope, record) in &chosen {
            tell(&harmless(&line(scope, record)));
        }
        let count = chosen.len();
        let what = if count == 1 { "1 session".to_owned() } else { format!("{count} sessions") };
        return Err(Failure::usage(format!(
            "{what} would end at once. Their owners are not told why; AWS keeps the record under your name."
        ))
        .with_hint("Add --yes to end them."));
    }
    let outcomes = terminate(&sources, chosen).await;
    let wrong = outcomes.iter().filter(|outcome| !outcome.terminated).count();
    if args.json {
        write_json(&outcomes)?;
    } else {
        for outcome in &outcomes {
            let said = outcome.error.as_deref().unwrap_or("terminated");
            write(&harmless(&format!("{} {}: {said}", outcome.session_id, outcome.target)))?;
        }
    }
    Ok(u8::from(wrong > 0))
}

fn choose(args: &TerminateArgs, found: &super::Listed) -> Result<Vec<(Scope, SessionRecord)>, Failure> {
    let all = || {
        found.places.iter().flat_map(|(place, scope)| {
            let records = found.book.active(*place);
            records.into_iter().map(move |record| (scope.clone(), record.clone()))
        })
    };
    if let Some(owner) = &args.owner {
        let theirs: Vec<_> =
            all().filter(|(_, record)| record.owner == *owner || record.owner_name() == owner).collect();
        return if theirs.is_empty() {
            Err(Failure::usage(format!("{owner} has no active session in scope.")))
        } else {
            Ok(theirs)
        };
    }
    let mut chosen = Vec::new();
    for id in &args.sessions {
        match all().find(|(_, record)| record.session_id == *id) {
            Some(one) => chosen.push(one),
            None => {
                return Err(Failure::usage(format!(
                    "There is no active session {id} in scope; nothing was ended."
                ))
                .with_hint("Look with `fleetline sessions list --active`."));
            }
        }
    }
    Ok(chosen)
}

/// Ends all at the pace of their accounts and Regions, and tells what became of each in the order given.
async fn terminate(sources: &AwsSources, chosen: Vec<(Scope, SessionRecord)>) -> Vec<Outcome> {
    let mut tasks = JoinSet::new();
    let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
    for (number, (scope, record)) in chosen.into_iter().enumerate() {
        let control = sources.control_plane(&scope.source, &scope.region);
        tasks.spawn(async move {
            let ended: Result<(), ApiError> = match control {
                Ok(control) => {
                    terminate_session(control.as_ref(), &SessionId::new(record.session_id.as_str())).await
                }
                Err(error) => Err(error),
            };
            let error = ended.err().map(|error| scope.failed(&error).to_string());
            let outcome = Outcome {
                session_id: record.session_id,
                target: record.target,
                owner: record.owner,
                terminated: error.is_none(),
                error,
            };
            (number, outcome)
        });
    }
    while let Some(ended) = tasks.join_next().await {
        outcomes.extend(ended.ok());
    }
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn line(scope: &Scope, record: &SessionRecord) -> String {
    format!(
        "{}  {}  {}  {}  {}  {} {}",
        record.session_id,
        record.target,
        record.owner_name(),
        record.document,
        without_mark(&record.reason),
        scope.source,
        scope.region
    )
}
