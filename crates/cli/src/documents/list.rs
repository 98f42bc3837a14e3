//! `fleetline documents list`.

use clap::{Args as ClapArgs, ValueEnum};
use fleetline_app::ApiError;
use fleetline_documents::{DocumentCalls, DocumentError, ListedDocument, Owner};
use serde::Serialize;

use super::Place;
use crate::args::ScopeArgs;
use crate::console::{harmless, write, write_json};
use crate::failure::Failure;
use crate::scope::{self, Scope};
use crate::table;
use crate::timestamp::time;

#[derive(Debug, ClapArgs)]
pub(super) struct ListArgs {
    /// Whose documents. May be repeated. Default: all
    #[arg(long, value_enum)]
    owner: Vec<Whose>,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Whose {
    /// The account's own
    Mine,
    /// Those other accounts share with it
    Shared,
    /// Those AWS gives every account
    Aws,
}

/// The word for an owner, in tables and JSON.
pub(super) fn owner_word(owner: Owner) -> &'static str {
    match owner {
        Owner::Mine => "mine",
        Owner::Shared => "shared",
        Owner::Aws => "aws",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    name: &'a str,
    owner: &'static str,
    owner_id: &'a str,
    default_version: &'a str,
    created: Option<String>,
    source: &'a str,
    region: &'a str,
}

pub(super) async fn run(args: ListArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let owners: Vec<Owner> = Owner::ALL
        .into_iter()
        .filter(|owner| args.owner.is_empty() || args.owner.iter().any(|asked| owner_of(*asked) == *owner))
        .collect();
    let mut found: Vec<(Scope, ListedDocument)> = Vec::new();
    let mut failures = Vec::new();
    for scope in scopes {
        let place = Place::open(&sources, scope)?;
        for owner in &owners {
            match all(place.calls.as_ref(), *owner).await {
                Ok(documents) => found.extend(documents.into_iter().map(|one| (place.scope.clone(), one))),
                Err(error) => {
                    failures.push(place.failed("")(error));
                    break;
                }
            }
        }
    }
    if args.json {
        let rows: Vec<Row<'_>> = found.iter().map(|(scope, document)| row(scope, document)).collect();
        write_json(&rows)?;
    } else if !found.is_empty() {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|(scope, document)| {
                let cells = [
                    document.name.as_str(),
                    owner_word(document.owner),
                    &document.default_version,
                    &scope.source,
                    &scope.region,
                ];
                cells.into_iter().map(harmless).collect()
            })
            .collect();
        for line in table::lines(&["NAME", "OWNER", "DEFAULT", "SOURCE", "REGION"], &rows) {
            write(&line)?;
        }
    }
    match failures.split_last() {
        None => Ok(0),
        Some((last, others)) => {
            others.iter().for_each(Failure::tell);
            Err(last.clone())
        }
    }
}

/// Every page of a listing.
pub(super) async fn all(
    calls: &dyn DocumentCalls<ApiError>,
    owner: Owner,
) -> Result<Vec<ListedDocument>, DocumentError<ApiError>> {
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let page = calls.list(owner, next).await?;
        found.extend(page.items);
        next = page.next;
        if next.is_none() {
            return Ok(found);
        }
    }
}

fn owner_of(whose: Whose) -> Owner {
    match whose {
        Whose::Mine => Owner::Mine,
        Whose::Shared => Owner::Shared,
        Whose::Aws => Owner::Aws,
    }
}

fn row<'a>(scope: &'a Scope, document: &'a ListedDocument) -> Row<'a> {
    Row {
        name: &document.name,
        owner: owner_word(document.owner),
        owner_id: &document.owner_id,
        default_version: &document.default_version,
        created: time(document.created_ms),
        source: &scope.source,
        region: &scope.region,
    }
}
