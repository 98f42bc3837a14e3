//! `fleetline documents show` and `diff`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use fleetline_app::ApiError;
use fleetline_documents::{
    ComparedLine, DocumentError, DocumentText, DocumentVersion, Effects, LineChange, RunAs, SessionDocument,
    VersionChoice, compare,
};
use serde::Serialize;
use serde_json::Value;

use super::{Place, file, version};
use crate::args::ScopeArgs;
use crate::console::{harmless, write, write_json};
use crate::failure::Failure;
use crate::timestamp::time;

#[derive(Debug, ClapArgs)]
pub(super) struct ShowArgs {
    /// Name, or ARN of one that another account shares
    name: String,
    /// A number, `default` or `latest`
    #[arg(long, default_value = "default", value_parser = version)]
    version: VersionChoice,
    /// Print only the content
    #[arg(long)]
    content: bool,
    /// Print everything as one JSON object
    #[arg(long, conflicts_with = "content")]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a str,
    owner_id: &'a str,
    version: &'a str,
    default_version: &'a str,
    latest_version: &'a str,
    hash: &'a str,
    created: Option<String>,
    session_type: Option<String>,
    versions: Vec<VersionJson<'a>>,
    content: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionJson<'a> {
    version: &'a str,
    is_default: bool,
    created: Option<String>,
}

pub(super) async fn run(args: ShowArgs) -> Result<u8, Failure> {
    let place = Place::single(&args.scope)?;
    let failed = place.failed(&args.name);
    let text = place.calls.content(args.name.clone(), args.version.clone()).await.map_err(&failed)?;
    if args.content {
        return write(&shown(text.trim_end())).map(|()| 0);
    }
    let facts = place.calls.facts(args.name.clone(), args.version).await.map_err(&failed)?;
    let versions = versions(&place, &args.name).await.map_err(&failed)?;
    let document = DocumentText::parse(text.as_str()).ok();
    let form = document.as_ref().map(SessionDocument::read);
    if args.json {
        let content = document.as_ref().map_or(Value::String(text.clone()), DocumentText::value);
        write_json(&Shown {
            name: &facts.name,
            owner_id: &facts.owner_id,
            version: &facts.version,
            default_version: &facts.default_version,
            latest_version: &facts.latest_version,
            hash: &facts.hash,
            created: time(facts.created_ms),
            session_type: form.and_then(|form| form.session_type).map(|kind| kind.to_string()),
            versions: versions
                .iter()
                .map(|version| VersionJson {
                    version: &version.number,
                    is_default: version.is_default,
                    created: time(version.created_ms),
                })
                .collect(),
            content,
        })?;
        return Ok(0);
    }
    write(&harmless(&format!("Document  {}", facts.name)))?;
    write(&harmless(&format!("Owner     {}", facts.owner_id)))?;
    write(&harmless(&format!(
        "Version   {} of {}, default {}",
        facts.version, facts.latest_version, facts.default_version
    )))?;
    write(&format!("Hash      {}", harmless(&facts.hash)))?;
    if let Some(form) = &form {
        for line in effects(form) {
            write(&harmless(&line))?;
        }
    }
    write("")?;
    write(&shown(text.trim_end()))?;
    Ok(0)
}

/// What a document does to a session, a line each.
fn effects(form: &SessionDocument) -> Vec<String> {
    let effects = Effects::of(form);
    let mut lines = Vec::new();
    if let Some(kind) = form.session_type {
        lines.push(format!("Type      {kind}"));
    }
    let mut logs = Vec::new();
    if let Some(s3) = &effects.s3 {
        logs.push(format!("S3 {}/{}", s3.bucket, s3.prefix.as_deref().unwrap_or_default()));
    }
    if let Some(group) = &effects.cloudwatch {
        logs.push(format!("CloudWatch {}{}", group.group, if group.streams { ", streamed" } else { "" }));
    }
    lines.push(match (effects.content_can_be_logged, logs.is_empty()) {
        (false, _) => "Recorded  never: AWS does not log the content of port sessions".to_owned(),
        (true, true) => "Recorded  not".to_owned(),
        (true, false) => format!("Recorded  in {}", logs.join(" and ")),
    });
    if let Some(key) = &effects.sealed_with {
        lines.push(format!("Sealed    with KMS key {key}"));
    }
    lines.push(match &effects.run_as {
        RunAs::AgentUser { name } => format!("Runs as   {name}"),
        RunAs::Elevated => "Runs as   root or the administrator".to_owned(),
        RunAs::Named { otherwise: Some(user) } => {
            format!("Runs as   the user the caller's SSMSessionRunAs tag names, else {user}")
        }
        RunAs::Named { otherwise: None } => {
            "Runs as   the user the caller's SSMSessionRunAs tag names, else it is refused".to_owned()
        }
        RunAs::Nobody => "Runs as   nobody: bytes go to a port".to_owned(),
    });
    let longest = effects.max_minutes.map(|minutes| format!(", {minutes} min at most")).unwrap_or_default();
    lines.push(format!("Ends      after {} min without activity{longest}", effects.idle_minutes));
    lines
}

/// Every version, as the service lists them.
pub(super) async fn versions(
    place: &Place,
    name: &str,
) -> Result<Vec<DocumentVersion>, DocumentError<ApiError>> {
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let page = place.calls.versions(name.to_owned(), next).await?;
        found.extend(page.items);
        next = page.next;
        if next.is_none() {
            return Ok(found);
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(super) struct DiffArgs {
    /// Name, or ARN of one that another account shares
    name: String,
    /// The older side: a number, `default` or `latest`
    #[arg(long, default_value = "default", value_parser = version)]
    from: VersionChoice,
    /// The newer side
    #[arg(long, default_value = "latest", value_parser = version, conflicts_with = "file")]
    to: VersionChoice,
    /// Compare with this file instead, JSON or YAML; `-` is standard input
    #[arg(long)]
    file: Option<PathBuf>,
    /// Print a JSON array of lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Serialize)]
struct LineJson<'a> {
    change: &'static str,
    old: Option<usize>,
    new: Option<usize>,
    text: &'a str,
}

/// Status 0 when both are the same, 1 when they differ, as `diff` has it.
pub(super) async fn diff(args: DiffArgs) -> Result<u8, Failure> {
    let place = Place::single(&args.scope)?;
    let failed = place.failed(&args.name);
    let old = place.calls.content(args.name.clone(), args.from).await.map_err(&failed)?;
    let new = match &args.file {
        Some(path) => file::read(path)?
            .map_err(|error| Failure::usage(format!("{} is no document. {error}", path.display())))?
            .as_str()
            .to_owned(),
        None => place.calls.content(args.name.clone(), args.to).await.map_err(&failed)?,
    };
    let lines = compare(&laid_out(&old), &laid_out(&new));
    let differ = lines.iter().any(|line| line.change != LineChange::Same);
    if args.json {
        let rows: Vec<LineJson<'_>> = lines
            .iter()
            .map(|line| LineJson { change: word(line), old: line.old, new: line.new, text: &line.text })
            .collect();
        write_json(&rows)?;
    } else if differ {
        for line in &lines {
            let mark = match line.change {
                LineChange::Same => ' ',
                LineChange::Removed => '-',
                LineChange::Added => '+',
            };
            write(&shown(&format!("{mark}{}", line.text)))?;
        }
    }
    Ok(u8::from(differ))
}

fn word(line: &ComparedLine) -> &'static str {
    match line.change {
        LineChange::Same => "same",
        LineChange::Removed => "removed",
        LineChange::Added => "added",
    }
}

/// Layout is no difference.
fn laid_out(text: &str) -> String {
    DocumentText::parse(text).map_or_else(|_| text.to_owned(), |text| text.formatted().as_str().to_owned())
}

/// A content as it is, but not for a terminal: there it could drive it.
fn shown(text: &str) -> String {
    if std::io::stdout().is_terminal() { harmless(text) } else { text.to_owned() }
}
