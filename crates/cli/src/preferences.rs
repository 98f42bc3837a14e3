//! `fleetline preferences`: the session preferences of accounts and Regions.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use fleetline_app::problem::describe_save;
use fleetline_documents::{
    DocumentErrorKind, DocumentText, LineChange, PREFERENCES, PreferencesSaved, VersionChoice, compare,
    save_preferences,
};
use serde::Serialize;
use serde_json::Value;

use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write, write_json};
use crate::documents::{Place, file};
use crate::failure::Failure;
use crate::scope;

#[derive(Debug, ClapArgs)]
pub(crate) struct PreferencesArgs {
    #[command(subcommand)]
    command: PreferencesCommand,
}

#[derive(Debug, Subcommand)]
enum PreferencesCommand {
    /// Show the preferences of accounts and Regions
    Show(ShowArgs),
    /// Make the preferences of accounts and Regions say what a file says; without --yes only shows the differences
    Apply(ApplyArgs),
}

#[derive(Debug, ClapArgs)]
struct ShowArgs {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
struct ApplyArgs {
    /// The preferences, JSON or YAML; `-` is standard input
    file: PathBuf,
    /// Save them
    #[arg(long)]
    yes: bool,
    /// Print a JSON array of what became of each account and Region
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    source: &'a str,
    region: &'a str,
    /// `null` where nobody ever saved any: AWS's own settings apply.
    content: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Applied<'a> {
    source: &'a str,
    region: &'a str,
    /// `created`, `updated`, `unchanged`, or `null` when it failed.
    outcome: Option<&'static str>,
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) async fn run(args: PreferencesArgs) -> Result<u8, Failure> {
    match args.command {
        PreferencesCommand::Show(args) => show(args).await,
        PreferencesCommand::Apply(args) => apply(args).await,
    }
}

fn places(args: &ScopeArgs) -> Result<Vec<Place>, Failure> {
    let sources = scope::sources();
    scope::chosen(&sources, args)?.into_iter().map(|scope| Place::open(&sources, scope)).collect()
}

/// The default version; `None` where nobody ever saved any.
async fn current(place: &Place) -> Result<Option<String>, Failure> {
    match place.calls.content(PREFERENCES.to_owned(), VersionChoice::Default).await {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind == DocumentErrorKind::Missing => Ok(None),
        Err(error) => Err(place.failed(PREFERENCES)(error)),
    }
}

async fn show(args: ShowArgs) -> Result<u8, Failure> {
    let places = places(&args.scope)?;
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for place in &places {
        match current(place).await {
            Ok(text) => {
                let value = |text: String| match DocumentText::parse(text.as_str()) {
                    Ok(document) => document.value(),
                    Err(_) => Value::String(text),
                };
                if !args.json {
                    write(&format!("{} {}", place.scope.source, place.scope.region))?;
                    write(&harmless(
                        text.as_deref().map_or("not saved yet: AWS's own settings apply", str::trim),
                    ))?;
                }
                rows.push(Shown {
                    source: &place.scope.source,
                    region: &place.scope.region,
                    content: text.map(value),
                });
            }
            Err(failure) => failures.push(failure),
        }
    }
    if args.json {
        write_json(&rows)?;
    }
    ended(&failures)
}

async fn apply(args: ApplyArgs) -> Result<u8, Failure> {
    let text = file::good(&args.file, false)?;
    let places = places(&args.scope)?;
    if !args.yes {
        for place in &places {
            let now = current(place).await?;
            tell(&format!("{} {}:", place.scope.source, place.scope.region));
            let laid_out = |text: &str| {
                DocumentText::parse(text)
                    .map_or_else(|_| text.to_owned(), |text| text.formatted().as_str().to_owned())
            };
            let lines = compare(&laid_out(now.as_deref().unwrap_or_default()), &laid_out(text.as_str()));
            for line in lines {
                let mark = match line.change {
                    LineChange::Same => continue,
                    LineChange::Removed => '-',
                    LineChange::Added => '+',
                };
                write(&harmless(&format!("{mark}{}", line.text)))?;
            }
        }
        return Err(Failure::usage("Nothing was saved.").with_hint("Add --yes to save."));
    }
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for place in &places {
        let saved = save_preferences(place.calls.as_ref(), text.as_str().to_owned()).await;
        let (outcome, version, failure) = match saved {
            Ok((PreferencesSaved::Created, version)) => (Some("created"), Some(version), None),
            Ok((PreferencesSaved::Updated, version)) => (Some("updated"), Some(version), None),
            Ok((PreferencesSaved::Unchanged, version)) => (Some("unchanged"), Some(version), None),
            Err(error) => {
                let described = describe_save(&error, PREFERENCES, &place.scope.context());
                (None, None, Some(Failure::from(described)))
            }
        };
        let error = failure.as_ref().map(ToString::to_string);
        if !args.json {
            let said = match (&outcome, &version) {
                (Some(outcome), Some(version)) => format!("{outcome}, version {version}"),
                _ => error.clone().unwrap_or_default(),
            };
            write(&harmless(&format!("{} {}: {said}", place.scope.source, place.scope.region)))?;
        }
        failures.extend(failure);
        rows.push(Applied {
            source: &place.scope.source,
            region: &place.scope.region,
            outcome,
            version,
            error,
        });
    }
    if args.json {
        write_json(&rows)?;
    }
    ended(&failures)
}

fn ended(failures: &[Failure]) -> Result<u8, Failure> {
    match failures.split_last() {
        None => Ok(0),
        Some((last, others)) => {
            others.iter().for_each(Failure::tell);
            Err(last.clone())
        }
    }
}
