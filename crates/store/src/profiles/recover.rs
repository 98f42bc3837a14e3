//! Reading what can be read of a file that is not valid TOML.
//!
//! A file is a row of sections, each beginning with a header line in brackets. A section that does not parse alone is
//! taken out by writing spaces over it, so that every other place keeps its line and column.

use std::collections::BTreeSet;
use std::ops::Range;

use toml_edit::{Document, Key, TomlError};

use super::problem::{Places, Problem, Severity};

/// Sections taken out one by one before the rest of the file is given up.
const MOST_REPAIRS: usize = 64;

/// What could be read.
pub(crate) struct Recovered {
    /// `None` when nothing could.
    pub(crate) document: Option<Document<String>>,
    /// Problems of syntax, in the order of the file.
    pub(crate) problems: Vec<Problem>,
    /// Tables that are not or not wholly in `document`, by the first two names of their headers.
    pub(crate) lost: BTreeSet<Vec<String>>,
}

struct Section {
    range: Range<usize>,
    table: Vec<String>,
}

/// Parses `text`, without the sections that are not TOML.
pub(crate) fn parse(text: &str, places: &Places<'_>) -> Recovered {
    let first = match Document::parse(text.to_owned()) {
        Ok(document) => {
            return Recovered { document: Some(document), problems: Vec::new(), lost: BTreeSet::new() };
        }
        Err(error) => error,
    };
    let sections = sections(text);
    let mut rest = text.to_owned();
    let mut found: Vec<(usize, Problem)> = Vec::new();
    let mut lost = BTreeSet::new();
    let mut take_out = |rest: &mut String, section: &Section, at: usize, error: &TomlError| {
        let problem = problem(places, at, section, error);
        found.push((at, problem));
        if !section.table.is_empty() {
            lost.insert(section.table.clone());
        }
        blank(rest, section.range.clone());
    };
    for section in &sections {
        if let Err(error) = Document::parse(&text[section.range.clone()]) {
            let inside = error.span().map_or(0, |span| span.start);
            take_out(&mut rest, section, section.range.start + inside, &error);
        }
    }
    // What is left can still contradict itself, as when a table is there twice.
    for _ in 0..MOST_REPAIRS {
        match Document::parse(rest.clone()) {
            Ok(document) => return finish(Some(document), found, lost),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let section = sections.iter().find(|s| s.range.contains(&at)).or_else(|| sections.last());
                let Some(section) = section else { break };
                take_out(&mut rest, section, at, &error);
            }
        }
    }
    let at = first.span().map_or(0, |span| span.start);
    let whole = Section { range: 0..text.len(), table: Vec::new() };
    found.push((at, problem(places, at, &whole, &first)));
    finish(None, found, lost)
}

fn finish(
    document: Option<Document<String>>,
    mut found: Vec<(usize, Problem)>,
    lost: BTreeSet<Vec<String>>,
) -> Recovered {
    found.sort_by_key(|(at, _)| *at);
    Recovered { document, problems: found.into_iter().map(|(_, problem)| problem).collect(), lost }
}

fn problem(places: &Places<'_>, at: usize, section: &Section, error: &TomlError) -> Problem {
    let said: Vec<_> = error.message().lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let message = format!("not TOML: {}", said.join("; "));
    places.problem(Some(at..at), Severity::Refused, &section.table.join("."), message)
}

fn blank(text: &mut String, range: Range<usize>) {
    let spaces: String = text[range.clone()].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(range, &spaces);
}

/// The file's sections; what stands before the first header is one of its own, without a table.
fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut start = 0;
    let mut table = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            if at > start {
                sections.push(Section { range: start..at, table });
            }
            (start, table) = (at, header(line));
        }
        at += line.len();
    }
    if at > start {
        sections.push(Section { range: start..at, table });
    }
    sections
}

/// The first two names of a header, as well as they can be read.
fn header(line: &str) -> Vec<String> {
    let inside = line.trim().trim_start_matches('[');
    let inside = inside.split_once(']').map_or(inside, |(name, _)| name).trim();
    match Key::parse(inside) {
        Ok(keys) => keys.iter().take(2).map(|key| key.get().to_owned()).collect(),
        Err(_) => inside.split('.').take(2).map(|name| name.trim().trim_matches('"').to_owned()).collect(),
    }
}
