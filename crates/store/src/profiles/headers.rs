//! Keeping the spelling of table headers.
//!
//! The library that edits the file writes names shared by several headers in one spelling: `[a.b]` after `[ 'a' ]`
//! comes out as `['a'.b]`. It means the same, but it is not what the person wrote.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use toml_edit::{Document, Item, Table};

use super::read::read_text;

/// Writes the headers of `edited` as `original` spells them.
pub(crate) fn restore(original: &str, edited: String) -> String {
    let (Ok(before), Ok(after)) = (Document::parse(original), Document::parse(edited.as_str())) else {
        return edited;
    };
    let mut spelled: HashMap<Vec<String>, VecDeque<&str>> = HashMap::new();
    for (path, line) in headers(original, before.as_table()) {
        spelled.entry(path).or_default().push_back(&original[line]);
    }
    let mut changes = Vec::new();
    for (path, line) in headers(&edited, after.as_table()) {
        let old = spelled.get_mut(&path).and_then(VecDeque::pop_front);
        if let Some(old) = old.filter(|old| *old != &edited[line.clone()]) {
            changes.push((line, old.to_owned()));
        }
    }
    if changes.is_empty() {
        return edited;
    }
    let mut text = edited.clone();
    for (line, old) in changes.into_iter().rev() {
        text.replace_range(line, &old);
    }
    // Spelling is not worth a wrong file.
    let (read, expected) = (read_text(&text), read_text(&edited));
    let same = read.profiles == expected.profiles
        && read.folders == expected.folders
        && read.defaults == expected.defaults
        && read.problems.len() == expected.problems.len();
    if same { text } else { edited }
}

/// The brackets of every header with its path, in the order of the file.
fn headers(text: &str, root: &Table) -> Vec<(Vec<String>, Range<usize>)> {
    let mut found = Vec::new();
    collect(text, root, &mut Vec::new(), &mut found);
    found.sort_by_key(|(_, line)| line.start);
    found
}

fn collect(text: &str, table: &Table, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Range<usize>)>) {
    let mut look = |table: &Table, path: &mut Vec<String>| {
        if let Some(span) = table.span().filter(|_| !table.is_implicit() && !table.is_dotted())
            && let Some(line) = text.get(span.start..).and_then(|rest| rest.lines().next())
            && line.starts_with('[')
        {
            let brackets = line.rfind(']').map_or(line.len(), |end| end + 1);
            // A bracket may be part of the comment.
            let brackets = line
                .find('#')
                .map_or(brackets, |comment| line[..comment].rfind(']').map_or(brackets, |end| end + 1));
            found.push((path.clone(), span.start..span.start + brackets));
        }
        collect(text, table, path, found);
    };
    for (key, item) in table.iter() {
        path.push(key.to_owned());
        match item {
            Item::Table(table) => look(table, path),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| look(table, path)),
            _ => {}
        }
        path.pop();
    }
}
