//! `fleetline documents create`, `update`, `default` and `delete`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use fleetline_app::problem::describe_save;
use fleetline_documents::{DocumentFacts, PREFERENCES, Save, Saved, VersionChoice, check_name, save};
use serde::Serialize;

use super::{Place, file, number};
use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;

#[derive(Debug, ClapArgs)]
pub(super) struct CreateArgs {
    /// Name of the new document
    name: String,
    /// Its content, JSON or YAML; `-` is standard input
    file: PathBuf,
    /// Let AWS alone judge the content
    #[arg(long)]
    unchecked: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct UpdateArgs {
    /// Name of the document
    name: String,
    /// The new content, JSON or YAML; `-` is standard input
    file: PathBuf,
    /// Make the new version the default
    #[arg(long)]
    default: bool,
    /// Save only if the latest version still has this hash, which `show` prints
    #[arg(long, value_name = "HASH")]
    if_hash: Option<String>,
    /// Let AWS alone judge the content
    #[arg(long)]
    unchecked: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DefaultArgs {
    /// Name of the document
    name: String,
    /// Number of the version
    #[arg(value_parser = number)]
    version: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DeleteArgs {
    /// Name of the document
    name: String,
    /// Delete only this version
    #[arg(long, value_parser = number)]
    version: Option<String>,
    /// Delete; without it only says what would go
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SavedJson<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) default_version: &'a str,
    pub(super) hash: &'a str,
    /// Whether a version was made.
    pub(super) is_new: bool,
}

impl<'a> SavedJson<'a> {
    pub(super) fn of(saved: &'a Saved) -> Self {
        let DocumentFacts { name, version, default_version, hash, .. } = &saved.facts;
        Self { name, version, default_version, hash, is_new: saved.is_new }
    }
}

pub(super) async fn create(args: CreateArgs) -> Result<u8, Failure> {
    check_name(&args.name).map_err(|error| Failure::usage(error.to_string()))?;
    let text = file::good(&args.file, args.unchecked)?;
    let place = Place::single(&args.scope)?;
    let saved = saved(&place, &args.name, text.as_str().to_owned(), None, false).await?;
    told(&saved, args.json)
}

pub(super) async fn update(args: UpdateArgs) -> Result<u8, Failure> {
    let text = file::good(&args.file, args.unchecked)?;
    let place = Place::single(&args.scope)?;
    let base = match args.if_hash {
        Some(hash) => hash,
        None => latest(&place, &args.name).await?.hash,
    };
    let saved = saved(&place, &args.name, text.as_str().to_owned(), Some(base), args.default).await?;
    told(&saved, args.json)
}

pub(super) async fn latest(place: &Place, name: &str) -> Result<DocumentFacts, Failure> {
    place.calls.facts(name.to_owned(), VersionChoice::Latest).await.map_err(place.failed(name))
}

pub(super) async fn saved(
    place: &Place,
    name: &str,
    content: String,
    base: Option<String>,
    make_default: bool,
) -> Result<Saved, Failure> {
    let asked = Save { name: name.to_owned(), content, base, make_default };
    save(place.calls.as_ref(), asked)
        .await
        .map_err(|error| Failure::from(describe_save(&error, name, &place.scope.context())))
}

fn told(saved: &Saved, json: bool) -> Result<u8, Failure> {
    let facts = &saved.facts;
    if !saved.is_new {
        tell(&format!("The latest version, {}, has this content already.", harmless(&facts.version)));
    }
    if json {
        write_json(&SavedJson::of(saved))?;
    } else {
        write(&harmless(&format!(
            "{} version {}, default {}",
            facts.name, facts.version, facts.default_version
        )))?;
    }
    Ok(0)
}

pub(super) async fn set_default(args: DefaultArgs) -> Result<u8, Failure> {
    let place = Place::single(&args.scope)?;
    place
        .calls
        .set_default(args.name.clone(), args.version.clone())
        .await
        .map_err(place.failed(&args.name))?;
    write(&harmless(&format!("{} default {}", args.name, args.version))).map(|()| 0)
}

pub(super) async fn delete(args: DeleteArgs) -> Result<u8, Failure> {
    let place = Place::single(&args.scope)?;
    let facts = latest(&place, &args.name).await?;
    if !args.yes {
        let what = match &args.version {
            Some(version) => format!("Version {version} of {} would be deleted.", args.name),
            None if args.name == PREFERENCES => format!(
                "The session preferences of {} in {} would be deleted with all their versions; plain shells then run with AWS's own settings.",
                place.scope.source, place.scope.region
            ),
            None => format!(
                "{} would be deleted with all its versions, up to {}; sessions with it no longer start.",
                args.name, facts.latest_version
            ),
        };
        return Err(Failure::usage(harmless(&what)).with_hint("Add --yes to do it."));
    }
    place.calls.delete(args.name.clone(), args.version).await.map_err(place.failed(&args.name))?;
    Ok(0)
}
