//! Changing a profile file without touching anything else in it.

use std::fmt;

use toml_edit::{Decor, DocumentMut, Item, KeyMut, RawString, Table, TableLike, Value};

use super::fields::{self, FOLDER_KEYS, PROFILE_KEYS, Written};
use super::headers;
use super::model::{Folder, FolderPath, ProfileId, SavedProfile};
use super::problem::{Places, Problem, Severity};
use super::read::{Profiles, read_text};
use super::settings::Settings;
use super::value::same;
use super::{PROFILE_FILE_LIMIT, PROFILE_FORMAT};

/// One change of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds a profile, or changes the one with its id to this.
    Put(SavedProfile),
    /// Removes a profile; bundles keep naming it. One that is not there is fine.
    Remove(ProfileId),
    /// Says this about a folder.
    PutFolder(Folder),
    /// Removes what is said about a folder. Profiles stay in it.
    RemoveFolder(FolderPath),
    /// Moves a folder with all that is in it. To the top only when nothing is said about it.
    MoveFolder {
        /// From here.
        from: FolderPath,
        /// To here, which must not be within `from`.
        to: FolderPath,
    },
    /// Sets the settings of every profile.
    Defaults(Settings),
}

/// Why a file was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditRefused {
    /// It is not valid TOML, so a change could lose something.
    Syntax(Problem),
    /// What would be changed could not be read.
    Unreadable(Problem),
    /// A newer program wrote it.
    Newer,
    /// A folder would be moved into itself, or onto one that exists.
    Folder(FolderPath),
    /// It would be larger than [`PROFILE_FILE_LIMIT`].
    TooLarge,
}

impl fmt::Display for EditRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(problem) => {
                write!(f, "the profile file must be repaired by hand first: {problem}")
            }
            Self::Unreadable(problem) => write!(
                f,
                "{} must be repaired by hand in the profile file first: {problem}",
                if problem.within.is_empty() { "it" } else { &problem.within }
            ),
            Self::Newer => f.write_str("the profile file was written by a newer version of this program"),
            Self::Folder(path) => write!(f, "the folder cannot become {path:?}"),
            Self::TooLarge => write!(f, "the profile file would be larger than {PROFILE_FILE_LIMIT} bytes"),
        }
    }
}

/// Applies the edits to a file's text, all or none. Comments, unknown keys and the spelling of what does not change
/// stay; line ends and a byte order mark too.
pub fn edit_text(text: &str, edits: &[Edit]) -> Result<String, EditRefused> {
    let (mark, body) = text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body));
    let crlf = body.contains("\r\n");
    let mut text = if crlf { body.replace("\r\n", "\n") } else { body.to_owned() };
    let mut rest = edits;
    while !rest.is_empty() {
        // Profiles do not depend on each other, and reading the file for each of a thousand would take seconds.
        let puts = rest.iter().take_while(|edit| matches!(edit, Edit::Put(_))).count();
        let (first, later) = rest.split_at(puts.max(1));
        text = together(&text, first)?;
        rest = later;
    }
    if crlf {
        text = text.replace('\n', "\r\n");
    }
    text.insert_str(0, mark);
    if text.len() > PROFILE_FILE_LIMIT {
        return Err(EditRefused::TooLarge);
    }
    Ok(text)
}

/// Applies one edit, or any number of [`Edit::Put`].
fn together(text: &str, edits: &[Edit]) -> Result<String, EditRefused> {
    let now = read_text(text);
    if now.newer {
        return Err(EditRefused::Newer);
    }
    let mut document = text.parse::<DocumentMut>().map_err(|error| {
        let first = now.problems.iter().find(|p| p.severity == Severity::Refused).cloned();
        EditRefused::Syntax(first.unwrap_or_else(|| {
            Places::new(text).problem(error.span(), Severity::Refused, "", error.message())
        }))
    })?;
    for edit in edits {
        let root = document.as_table_mut();
        match edit {
            Edit::Put(profile) => {
                readable(&now, &format!("profile.{}", profile.id))?;
                let table = child(&now, root, "profile", profile.id.as_str())?;
                write(table, fields::of_profile(profile), &PROFILE_KEYS);
            }
            Edit::Remove(id) => remove(&mut document, "profile", id.as_str()),
            Edit::PutFolder(folder) => {
                readable(&now, &format!("folder.{}", folder.path))?;
                let table = child(&now, root, "folder", folder.path.as_str())?;
                write(table, fields::of_folder(folder), &FOLDER_KEYS);
            }
            Edit::RemoveFolder(path) => remove(&mut document, "folder", path.as_str()),
            Edit::MoveFolder { from, to } => return move_folder(text, &now, from, to),
            Edit::Defaults(settings) => {
                readable(&now, "defaults")?;
                if settings.is_empty() && !root.contains_key("defaults") {
                    return Ok(text.to_owned());
                }
                let table = root.entry("defaults").or_insert_with(toml_edit::table);
                let Some(table) = table.as_table_like_mut() else { return Err(unreadable(&now, "defaults")) };
                write(table, fields::of_defaults(settings), &[]);
            }
        }
    }
    let root = document.as_table_mut();
    if text.trim().is_empty() && !root.is_empty() && !root.contains_key("version") {
        root.insert("version", toml_edit::value(PROFILE_FORMAT));
    }
    Ok(headers::restore(text, document.to_string()))
}

fn move_folder(
    text: &str,
    now: &Profiles,
    from: &FolderPath,
    to: &FolderPath,
) -> Result<String, EditRefused> {
    let moved = |path: &FolderPath| {
        let rest = path.as_str().strip_prefix(from.as_str())?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        Some(format!("{to}{rest}").trim_start_matches('/').to_owned())
    };
    let list = now.folder_list();
    if from.is_top() || from == to || moved(to).is_some() || list.contains(to) {
        return Err(EditRefused::Folder(to.clone()));
    }
    let mut document = text.parse::<DocumentMut>().map_err(|error| {
        EditRefused::Syntax(Places::new(text).problem(error.span(), Severity::Refused, "", error.message()))
    })?;
    for folder in now.folders() {
        let Some(path) = moved(&folder.path) else { continue };
        // What a folder says has no place at the top.
        let fits = FolderPath::new(&path).filter(|path| !path.is_top());
        let path = fits.ok_or_else(|| EditRefused::Folder(to.clone()))?;
        readable(now, &format!("folder.{}", folder.path))?;
        if let Some(tables) = document.get_mut("folder").and_then(Item::as_table_like_mut)
            && let Some(table) = tables.remove(folder.path.as_str())
        {
            tables.insert(path.as_str(), table);
        }
    }
    let text = headers::restore(text, document.to_string());
    let mut edits = Vec::new();
    for profile in now.iter() {
        if let Some(path) = moved(&profile.folder) {
            let folder = FolderPath::new(&path).ok_or_else(|| EditRefused::Folder(to.clone()))?;
            edits.push(Edit::Put(SavedProfile { folder, ..profile.clone() }));
        }
    }
    together(&text, &edits)
}

/// Refuses to write over what could not be read.
fn readable(now: &Profiles, within: &str) -> Result<(), EditRefused> {
    if now.refused.contains(within) { Err(unreadable(now, within)) } else { Ok(()) }
}

fn unreadable(now: &Profiles, within: &str) -> EditRefused {
    let problem = now.problems.iter().find(|p| p.within == within && p.severity == Severity::Refused);
    EditRefused::Unreadable(problem.cloned().unwrap_or_else(|| Problem {
        line: 1,
        column: 1,
        severity: Severity::Refused,
        within: within.to_owned(),
        message: "it is no table".to_owned(),
    }))
}

/// The table `[parent.name]`, made at the end of the file when there is none.
fn child<'a>(
    now: &Profiles,
    root: &'a mut Table,
    parent: &str,
    name: &str,
) -> Result<&'a mut dyn TableLike, EditRefused> {
    let first = root.is_empty();
    let tables = root.entry(parent).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let inline = tables.is_inline_table();
    let Some(tables) = tables.as_table_like_mut() else { return Err(unreadable(now, parent)) };
    if !tables.contains_key(name) {
        let mut table = Table::new();
        if first {
            table.decor_mut().set_prefix("\n");
        }
        let item = Item::Table(table);
        let item = if inline { item.into_value().map_or(Item::None, Item::Value) } else { item };
        tables.insert(name, item);
    }
    let found = tables.get_mut(name).and_then(Item::as_table_like_mut);
    found.ok_or_else(|| unreadable(now, &format!("{parent}.{name}")))
}

/// Brings the known keys of a table to the written values; other keys are not looked at.
fn write(table: &mut dyn TableLike, written: Written, own: &[&str]) {
    let known = |key: &str| own.contains(&key) || Settings::KEYS.contains(&key);
    debug_assert!(written.iter().all(|(key, _)| known(key)), "a key nobody reads would be written");
    for (key, value) in written {
        match value {
            Some(value) => set(table, key, value),
            None => take_out(table, key),
        }
    }
}

/// Sets a key; a value that says the same already keeps its spelling, a changed one keeps the comment beside it.
fn set(table: &mut dyn TableLike, key: &str, value: Value) {
    match table.get_mut(key) {
        None => {
            table.insert(key, Item::Value(value));
        }
        Some(Item::Value(old)) if !old.is_inline_table() || !value.is_inline_table() => {
            if !same(old, &value) {
                let decor = old.decor().clone();
                *old = value;
                *old.decor_mut() = decor;
            }
        }
        Some(item) => match (item.as_table_like_mut(), value) {
            (Some(old), Value::InlineTable(new)) => {
                let gone: Vec<String> =
                    old.iter().map(|(key, _)| key.to_owned()).filter(|key| !new.contains_key(key)).collect();
                for (key, value) in new {
                    set(old, key.as_ref(), value);
                }
                for key in gone {
                    take_out(old, &key);
                }
            }
            (_, value) => *item = Item::Value(value),
        },
    }
}

/// Removes a key. The comments above and beside it move to its neighbour.
fn take_out(table: &mut dyn TableLike, key: &str) {
    let Some((found, item)) = table.get_key_value(key) else { return };
    let above = raw(found.leaf_decor().prefix());
    let beside = match item {
        Item::Value(value) => raw(value.decor().suffix()),
        _ => String::new(),
    };
    let mut comments: Vec<String> = Vec::new();
    for line in above.lines().chain(beside.lines()) {
        if let Some(at) = line.find('#') {
            comments.push(line[at..].trim_end().to_owned());
        }
    }
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let at = keys.iter().position(|k| k == key);
    let is_value = |table: &dyn TableLike, key: &String| table.get(key).is_some_and(Item::is_value);
    let next = at.and_then(|at| keys[at + 1..].iter().find(|key| is_value(table, key)).cloned());
    let before = at.and_then(|at| keys[..at].iter().rev().find(|key| is_value(table, key)).cloned());
    table.remove(key);
    if comments.is_empty() {
        return;
    }
    if let Some(mut next) = next.and_then(|next| table.key_mut(&next)) {
        let kept: String = comments.iter().map(|comment| format!("{comment}\n")).collect();
        prepend(&mut next, &kept);
    } else if let Some(Item::Value(value)) = before.and_then(|before| table.get_mut(&before)) {
        let suffix = raw(value.decor().suffix());
        let kept: String = comments.iter().map(|comment| format!("\n{comment}")).collect();
        value.decor_mut().set_suffix(format!("{}{kept}", suffix.trim_end_matches('\n')));
    }
}

fn prepend(key: &mut KeyMut<'_>, text: &str) {
    let old = raw(key.leaf_decor().prefix());
    key.leaf_decor_mut().set_prefix(format!("{text}{old}"));
}

fn raw(text: Option<&RawString>) -> String {
    text.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

/// Removes `[parent.name]` with what is in it and the comment lines directly above it. Comments above an empty line
/// stay.
fn remove(document: &mut DocumentMut, parent: &str, name: &str) {
    let Some(tables) = document.get_mut(parent).and_then(Item::as_table_like_mut) else { return };
    let Some(removed) = tables.remove(name) else { return };
    let Some((kept, position)) = removed.as_table().and_then(|t| Some((apart(t.decor()), t.position()?)))
    else {
        return;
    };
    if kept.trim().is_empty() {
        return;
    }
    let mut next = None;
    find_following(document.as_table(), position, &mut next);
    if !next.is_some_and(|next| prepend_to_table(document.as_table_mut(), next, &kept)) {
        let trailing = raw(Some(document.trailing()));
        document.set_trailing(format!("{kept}{trailing}"));
    }
}

/// What stands above the last empty line over a header, with that line.
fn apart(decor: &Decor) -> String {
    let prefix = raw(decor.prefix());
    prefix.rfind("\n\n").map(|at| prefix[..at + 2].to_owned()).unwrap_or_default()
}

/// The position of the header that comes next in the file.
fn find_following(table: &Table, after: isize, best: &mut Option<isize>) {
    let mut look = |table: &Table| {
        let shown = !table.is_implicit() && !table.is_dotted();
        if let Some(own) = table.position().filter(|own| shown && *own > after)
            && best.is_none_or(|best| own < best)
        {
            *best = Some(own);
        }
        find_following(table, after, best);
    };
    for (_, item) in table.iter() {
        match item {
            Item::Table(table) => look(table),
            Item::ArrayOfTables(tables) => tables.iter().for_each(&mut look),
            _ => {}
        }
    }
}

/// Puts text above the header at this position. `false` when there is none.
fn prepend_to_table(table: &mut Table, position: isize, text: &str) -> bool {
    let look = |table: &mut Table| {
        if table.position() == Some(position) && !table.is_implicit() && !table.is_dotted() {
            let old = raw(table.decor().prefix());
            table.decor_mut().set_prefix(format!("{text}{old}"));
            return true;
        }
        prepend_to_table(table, position, text)
    };
    table.iter_mut().any(|(_, item)| match item {
        Item::Table(table) => look(table),
        Item::ArrayOfTables(tables) => tables.iter_mut().any(look),
        _ => false,
    })
}
