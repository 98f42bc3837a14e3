//! `fleetline profile`: saved profiles from the command line.

mod run;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use fleetline_store::profiles::{
    Edit, LoadedProfiles, ProfileId, ProfileTarget, SavedProfile, Severity, export_text, import_text,
};
use fleetline_store::{Paths, Store};
use serde::Serialize;

use crate::console::{harmless, print, tell, write, write_json};
use crate::failure::Failure;
use crate::forward::Told;
use crate::table;

#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// List saved profiles
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Open what a profile describes: a shell, a forward, a bundle of them, a proxy, a desktop or SSH
    Run {
        /// Id or name of the profile
        #[arg(value_name = "PROFILE")]
        profile: String,
        /// Allow addresses that let other computers in
        #[arg(long)]
        expose: bool,
        /// Print a JSON object for each forward instead of its address
        #[arg(long)]
        json: bool,
        /// Print no notices
        #[arg(long, short)]
        quiet: bool,
    },
    /// Print a profile's settings, and where each that it inherits comes from
    Show {
        /// Id or name of the profile
        #[arg(value_name = "PROFILE")]
        profile: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Remove profiles
    Remove {
        /// Ids of the profiles
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Print where the profile file is and what is wrong in it; status 2 when something was not loaded
    Check,
    /// Write profiles for somebody else: without paths, addresses and choices of this computer
    Export {
        /// Ids of the profiles; default: all
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// The file to write; default: standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Add the profiles of a file; what would decide what this computer opens or runs is left out
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only tell what would be added
        #[arg(long)]
        dry_run: bool,
    },
}

/// Does what is asked for.
pub(crate) async fn run(args: ProfileArgs) -> Result<u8, Failure> {
    match args.command {
        ProfileCommand::List { json } => list(json),
        ProfileCommand::Run { profile, expose, json, quiet } => {
            run::run(&profile, Told { json, quiet }, expose).await
        }
        ProfileCommand::Show { profile, json } => show(&profile, json),
        ProfileCommand::Remove { ids } => remove(&ids),
        ProfileCommand::Check => check(),
        ProfileCommand::Export { ids, output } => export(&ids, output.as_deref()),
        ProfileCommand::Import { file, dry_run } => import(&file, dry_run),
    }
}

fn store() -> Result<Store, Failure> {
    let open = || Store::open(Paths::resolve()?);
    open().map_err(|error| Failure::local("The saved profiles are not available", &error))
}

/// The saved profiles.
pub(crate) fn load() -> Result<LoadedProfiles, Failure> {
    let loaded = store()?.load_profiles();
    match loaded.unreadable {
        Some(error) => Err(Failure::local("The saved profiles could not be read", &error)),
        None => Ok(loaded),
    }
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'a str,
    folder: &'a str,
    favourite: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
}

/// A profile with what it comes to, each value with where it is from.
#[derive(Serialize)]
struct WithSettings<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    settings: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Row<'a> {
    fn of(profile: &'a SavedProfile) -> Self {
        let (node, query) = match profile.kind.target() {
            Some(ProfileTarget::Node(node)) => (Some(node.as_str()), None),
            Some(ProfileTarget::Query(query)) => (None, Some(query.as_str())),
            None => (None, None),
        };
        Self {
            id: profile.id.as_str(),
            name: &profile.name,
            kind: profile.kind.word(),
            folder: profile.folder.as_str(),
            favourite: profile.favourite,
            node,
            query,
        }
    }
}

fn list(json: bool) -> Result<u8, Failure> {
    let loaded = load()?;
    let rows: Vec<Row<'_>> = loaded.profiles.ordered().into_iter().map(Row::of).collect();
    if json {
        write_json(&rows)?;
    } else {
        let cells = |row: &Row<'_>| {
            let target = row.node.or(row.query).unwrap_or_default();
            [row.id, row.kind, row.name, row.folder, target].iter().map(|cell| harmless(cell)).collect()
        };
        let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
        for line in table::lines(&["ID", "KIND", "NAME", "FOLDER", "TARGET"], &rows) {
            write(&line)?;
        }
    }
    let refused = loaded.profiles.problems().iter().filter(|p| p.severity == Severity::Refused).count();
    if refused > 0 {
        tell(&format!("{refused} problems in the profile file; see `fleetline profile check`."));
    }
    Ok(0)
}

/// Every setting of a profile with its value and its origin.
fn show(wanted: &str, json: bool) -> Result<u8, Failure> {
    let loaded = load()?;
    let profile = run::find(&loaded.profiles, wanted)?;
    let entries = loaded.profiles.effective(profile).lines();
    if json {
        let settings: serde_json::Map<String, serde_json::Value> = entries
            .into_iter()
            .map(|entry| {
                let value = serde_json::json!({ "value": entry.value, "from": entry.origin.to_string() });
                (entry.key.to_owned(), value)
            })
            .collect();
        write_json(&WithSettings { row: Row::of(profile), settings })?;
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = entries
        .into_iter()
        .map(|entry| {
            let value = entry.value.unwrap_or_default();
            vec![entry.key.to_owned(), harmless(&value), harmless(&entry.origin.to_string())]
        })
        .collect();
    for line in table::lines(&["SETTING", "VALUE", "FROM"], &rows) {
        write(&line)?;
    }
    Ok(0)
}

fn remove(ids: &[String]) -> Result<u8, Failure> {
    let loaded = load()?;
    let edit = |id: &String| {
        let known = ProfileId::new(id).filter(|id| loaded.profiles.get(id).is_some());
        known.map(Edit::Remove).ok_or_else(|| Failure::usage(format!("There is no saved profile {id:?}.")))
    };
    let edits = ids.iter().map(edit).collect::<Result<Vec<_>, _>>()?;
    store()?
        .edit_profiles(&edits)
        .map_err(|error| Failure::local("The profiles were not removed", &error))?;
    Ok(0)
}

fn check() -> Result<u8, Failure> {
    let loaded = load()?;
    let path = loaded.path.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
    for problem in loaded.profiles.problems() {
        let (line, column) = (problem.line, problem.column);
        write(&format!("{path}:{line}:{column}: {}", harmless(&problem.message)))?;
    }
    let refused = loaded.profiles.problems().iter().any(|p| p.severity == Severity::Refused);
    tell(&format!("{path}: {} profiles", loaded.profiles.len()));
    Ok(if refused { 2 } else { 0 })
}

fn export(ids: &[String], output: Option<&std::path::Path>) -> Result<u8, Failure> {
    let loaded = load()?;
    let chosen: Vec<ProfileId> = if ids.is_empty() {
        loaded.profiles.iter().map(|profile| profile.id.clone()).collect()
    } else {
        let find = |id: &String| {
            let known = ProfileId::new(id).filter(|id| loaded.profiles.get(id).is_some());
            known.ok_or_else(|| Failure::usage(format!("There is no saved profile {id:?}.")))
        };
        ids.iter().map(find).collect::<Result<_, _>>()?
    };
    let text = export_text(&loaded.profiles, &chosen)
        .map_err(|error| Failure::local("The profiles could not be written", &error))?;
    let written = match output {
        None => print(text.trim_end()),
        // A file that is there stays.
        Some(path) => std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes())),
    };
    written.map_err(|error| Failure::local("The file could not be written", &error))?;
    Ok(0)
}

fn import(file: &std::path::Path, dry_run: bool) -> Result<u8, Failure> {
    let bytes = std::fs::read(file).map_err(|error| Failure::local("The file could not be read", &error))?;
    let import = import_text(&bytes, &load()?.profiles)
        .map_err(|error| Failure::usage(format!("Nothing was imported: {error}.")))?;
    for problem in &import.problems {
        let (line, column) = (problem.line, problem.column);
        tell(&format!("{}:{line}:{column}: {}", file.display(), harmless(&problem.message)));
    }
    for profile in &import.profiles {
        let (id, kind, name) = (&profile.id, profile.kind.word(), harmless(&profile.name));
        write(&format!("{id}: {kind}, {name}"))?;
    }
    if dry_run {
        return Ok(0);
    }
    store()?
        .edit_profiles(&import.edits())
        .map_err(|error| Failure::local("The profiles were not added", &error))?;
    Ok(0)
}
