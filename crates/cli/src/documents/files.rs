//! `fleetline documents export` and `import`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use fleetline_documents::{
    DocumentErrorKind, DocumentText, FileFormat, VersionChoice, check_name, short_name,
};
use serde::Serialize;

use super::{Place, change, file, version};
use crate::args::ScopeArgs;
use crate::console::{harmless, write, write_json};
use crate::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Yaml,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ExportArgs {
    /// Names, or ARNs of documents that other accounts share
    #[arg(required = true)]
    names: Vec<String>,
    /// A number, `default` or `latest`
    #[arg(long, default_value = "default", value_parser = version)]
    version: VersionChoice,
    /// How files are written
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// Directory for files named like the documents; files that are there stay. Default: one document to standard output
    #[arg(long, value_name = "DIRECTORY")]
    to: Option<PathBuf>,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(super) async fn export(args: ExportArgs) -> Result<u8, Failure> {
    if args.to.is_none() && args.names.len() > 1 {
        return Err(Failure::usage("Several documents need a directory to go to.").with_hint("Add --to."));
    }
    let place = Place::single(&args.scope)?;
    let format = match args.format {
        Format::Json => FileFormat::Json,
        Format::Yaml => FileFormat::Yaml,
    };
    for name in &args.names {
        let text = place.calls.content(name.clone(), args.version.clone()).await;
        let text = text.map_err(place.failed(name))?;
        let document = DocumentText::parse(text).map_err(|error| {
            Failure::usage(format!("The content of {} is no JSON document. {error}", harmless(name)))
        })?;
        let text = format.write(&document).map_err(|error| Failure::usage(error.to_string()))?;
        match &args.to {
            None => write(text.trim_end())?,
            Some(directory) => {
                let path = directory.join(file_name(name, format));
                std::fs::File::create_new(&path)
                    .and_then(|mut file| file.write_all(text.as_bytes()))
                    .map_err(|error| {
                        Failure::local(&format!("{} could not be written", path.display()), &error)
                    })?;
                write(&path.display().to_string())?;
            }
        }
    }
    Ok(0)
}

/// A name that stays inside its directory, whatever the service says a document is called.
fn file_name(name: &str, format: FileFormat) -> String {
    let plain: String = short_name(name)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .collect();
    let ending = match format {
        FileFormat::Json => "json",
        FileFormat::Yaml => "yaml",
    };
    format!("{plain}.{ending}")
}

#[derive(Debug, ClapArgs)]
pub(super) struct ImportArgs {
    /// JSON or YAML files; the document is called like the file without its ending
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Make new versions the default
    #[arg(long)]
    default: bool,
    /// Only say what would be made and updated
    #[arg(long)]
    dry_run: bool,
    /// Print a JSON array of what became of each file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Imported {
    file: String,
    name: String,
    /// `created`, `updated` or `unchanged`.
    outcome: &'static str,
    version: Option<String>,
}

/// All files are read and checked before the first call, so that a slip in one changes nothing.
pub(super) async fn import(args: ImportArgs) -> Result<u8, Failure> {
    let mut documents = Vec::new();
    for path in &args.files {
        let name = name_of(path)?;
        documents.push((path, name, file::good(path, false)?));
    }
    let place = Place::single(&args.scope)?;
    let mut done = Vec::new();
    for (path, name, text) in documents {
        let imported = one(&place, &args, path, name, &text).await?;
        if !args.json {
            let version = imported.version.as_deref().map(|v| format!(" version {v}")).unwrap_or_default();
            write(&harmless(&format!("{}{version}: {}", imported.name, imported.outcome)))?;
        }
        done.push(imported);
    }
    if args.json {
        write_json(&done)?;
    }
    Ok(0)
}

async fn one(
    place: &Place,
    args: &ImportArgs,
    path: &Path,
    name: String,
    text: &DocumentText,
) -> Result<Imported, Failure> {
    let latest = match place.calls.facts(name.clone(), VersionChoice::Latest).await {
        Ok(facts) => Some(facts),
        Err(error) if error.kind == DocumentErrorKind::Missing => None,
        Err(error) => return Err(place.failed(&name)(error)),
    };
    let made = |outcome, name: String, version| Imported {
        file: path.display().to_string(),
        name,
        outcome,
        version,
    };
    if args.dry_run {
        let outcome = match &latest {
            None => "created",
            Some(_) => {
                let now = place.calls.content(name.clone(), VersionChoice::Latest).await;
                let now = now.map_err(place.failed(&name))?;
                if DocumentText::parse(now).is_ok_and(|now| now.value() == text.value()) {
                    "unchanged"
                } else {
                    "updated"
                }
            }
        };
        return Ok(made(outcome, name, None));
    }
    let is_new = latest.is_none();
    let base = latest.map(|facts| facts.hash);
    let saved = change::saved(place, &name, text.as_str().to_owned(), base, args.default).await?;
    let outcome = match (is_new, saved.is_new) {
        (true, _) => "created",
        (false, true) => "updated",
        (false, false) => "unchanged",
    };
    Ok(made(outcome, name, Some(saved.facts.version)))
}

fn name_of(path: &Path) -> Result<String, Failure> {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    match check_name(&name) {
        Ok(()) => Ok(name),
        Err(error) => Err(Failure::usage(format!("{} names no document: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_in_their_directory() {
        assert_eq!(file_name("Corp-A", FileFormat::Json), "Corp-A.json");
        assert_eq!(file_name("arn:aws:ssm:x:1:document/Org-B", FileFormat::Yaml), "Org-B.yaml");
        assert_eq!(file_name("../../etc/x", FileFormat::Json), ".._.._etc_x.json");
    }

    #[test]
    fn documents_are_called_like_their_files() {
        assert_eq!(name_of(Path::new("docs/Corp-A.json")).ok(), Some("Corp-A".to_owned()));
        assert!(name_of(Path::new("docs/aws-x.yaml")).is_err());
        assert!(name_of(Path::new("-")).is_err());
    }
}
