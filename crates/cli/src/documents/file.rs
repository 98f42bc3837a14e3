//! Reading files as documents, and saying what is wrong with them.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use fleetline_documents::{DocumentText, FileError, FileFormat, Severity, check};
use serde::Serialize;

use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;

#[derive(Debug, ClapArgs)]
pub(super) struct CheckArgs {
    /// JSON or YAML; `-` is standard input
    file: PathBuf,
    /// Print a JSON array of what is wrong
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemJson {
    severity: &'static str,
    field: String,
    line: usize,
    column: usize,
    message: String,
}

pub(super) fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let problems = match read(&args.file)? {
        Ok(text) => problems(&text),
        Err(FileError::Syntax(error)) => vec![ProblemJson {
            severity: "error",
            field: String::new(),
            line: error.line,
            column: error.column,
            message: error.message,
        }],
        Err(error) => vec![ProblemJson {
            severity: "error",
            field: String::new(),
            line: 1,
            column: 1,
            message: error.to_string(),
        }],
    };
    if args.json {
        write_json(&problems)?;
    } else {
        for problem in &problems {
            write(&problem.line_of(&args.file))?;
        }
    }
    Ok(if problems.iter().any(|problem| problem.severity == "error") { 2 } else { 0 })
}

impl ProblemJson {
    fn line_of(&self, file: &Path) -> String {
        let Self { severity, field, line, column, message } = self;
        let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
        format!("{}:{line}:{column}: {severity}: {}", file.display(), harmless(&format!("{field}{message}")))
    }
}

fn problems(text: &DocumentText) -> Vec<ProblemJson> {
    check(text)
        .iter()
        .map(|problem| ProblemJson {
            severity: match problem.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            field: problem.path.to_string(),
            line: problem.place.line,
            column: problem.place.column,
            message: problem.to_string(),
        })
        .collect()
}

/// A file as a document that AWS takes as far as can be told. Warnings are told.
///
/// # Errors
/// When it cannot be read or has errors, which are told with their places; not with `unchecked`.
pub(crate) fn good(file: &Path, unchecked: bool) -> Result<DocumentText, Failure> {
    let text = read(file)?.map_err(|error| {
        Failure::usage(format!("{} is no document. {}", file.display(), harmless(&error.to_string())))
    })?;
    if unchecked {
        return Ok(text);
    }
    let problems = problems(&text);
    for problem in &problems {
        tell(&problem.line_of(file));
    }
    match problems.iter().filter(|problem| problem.severity == "error").count() {
        0 => Ok(text),
        errors => Err(Failure::usage(format!(
            "{} has {errors} {}, so AWS was not called.",
            file.display(),
            if errors == 1 { "error" } else { "errors" }
        ))
        .with_hint("Correct them, or add --unchecked to let AWS alone judge.")),
    }
}

/// Reads a file, or standard input for `-`.
pub(super) fn read(file: &Path) -> Result<Result<DocumentText, FileError>, Failure> {
    let bytes = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes =
        bytes.map_err(|error| Failure::local(&format!("{} could not be read", file.display()), &error))?;
    Ok(FileFormat::read(&bytes))
}
