//! Profiles as a file to give to somebody else.
//!
//! No secret is ever part of a profile. What only makes sense on this computer, or would let a file from elsewhere
//! decide what this computer runs or opens, is left out on both ways (SEC-53).

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{DocumentMut, Item};

use super::edit::{Edit, EditRefused, edit_text};
use super::fields::PROFILE_KEYS;
use super::model::{Folder, FolderPath, Local, ProfileId, ProfileKind, SavedProfile};
use super::problem::{Places, Problem, Severity};
use super::read::{Profiles, read_text};
use super::settings::Settings;

/// Keys no file from elsewhere may set. The second word says why, after "is".
const LOCAL_KEYS: [(&str, &str); 8] = [
    ("parameters", "what a session would run, and may hold secrets"),
    ("bind", "decided on this computer: who may connect"),
    ("other-users", "decided on this computer: who may connect"),
    ("browser-guard", "decided on this computer: which web pages may connect"),
    ("host-aliases", "decided on this computer: which web pages may connect"),
    ("socket", "a path of this computer"),
    ("key-file", "a path of this computer"),
    ("rdp-client", "a program of this computer"),
];

/// Keys whose exported value would widen what an importing computer gives away or does by itself.
const CHOSEN_HERE: [(&str, &str); 5] = [
    ("start", "chosen here: imported profiles start nothing by themselves"),
    ("rdp-clipboard", "chosen here: it shares something of this computer"),
    ("rdp-drives", "chosen here: it shares something of this computer"),
    ("rdp-printers", "chosen here: it shares something of this computer"),
    ("push-key", "chosen here: it gives a key of this computer away"),
];

/// Largest file imported, in bytes.
const IMPORT_LIMIT: usize = 1024 * 1024;

/// Most profiles imported at once.
const MOST_PROFILES: usize = 5000;

/// What a file would add, shown before it is added.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The profiles, with ids that are free here. None is a favourite.
    pub profiles: Vec<SavedProfile>,
    /// Folders not known here yet.
    pub folders: Vec<Folder>,
    /// What was left out or could not be read, with its place in the file.
    pub problems: Vec<Problem>,
}

impl Import {
    /// The edits that add it.
    pub fn edits(&self) -> Vec<Edit> {
        let folders = self.folders.iter().cloned().map(Edit::PutFolder);
        folders.chain(self.profiles.iter().cloned().map(Edit::Put)).collect()
    }
}

/// Why nothing can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefused {
    /// More than 1 MiB.
    #[error("the file is larger than {IMPORT_LIMIT} bytes")]
    TooLarge,
    /// Not text.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// Not from this program, or from a newer one.
    #[error("the file has a format this program does not know")]
    Newer,
    /// More than 5,000.
    #[error("the file has more than {MOST_PROFILES} profiles")]
    TooMany,
    /// Nothing in it.
    #[error("the file has no profiles that can be read")]
    Empty,
}

/// Reads a file from elsewhere. Ids that are taken here get a number, also where bundles name them. Settings the file
/// gives all its profiles become their own, because they must not change what is here.
pub fn import_text(bytes: &[u8], here: &Profiles) -> Result<Import, ImportRefused> {
    if bytes.len() > IMPORT_LIMIT {
        return Err(ImportRefused::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ImportRefused::NotText)?;
    let (cleaned, mut problems) = clean(text);
    let there = read_text(cleaned.as_deref().unwrap_or(text));
    if there.newer {
        return Err(ImportRefused::Newer);
    }
    if there.len() > MOST_PROFILES {
        return Err(ImportRefused::TooMany);
    }
    problems.extend(read_text(text).problems);
    problems.sort_by_key(|p| (p.line, p.column));
    problems.dedup();
    if there.is_empty() {
        return Err(ImportRefused::Empty);
    }
    let known: BTreeSet<FolderPath> = here.folder_list().into_iter().collect();
    let strange = |path: &FolderPath| !known.contains(path);
    let mut ids: BTreeMap<ProfileId, ProfileId> = BTreeMap::new();
    let mut given: BTreeSet<ProfileId> = BTreeSet::new();
    for profile in there.iter() {
        let id = if here.get(&profile.id).is_none()
            && !here.refused.contains(&format!("profile.{}", profile.id))
            && !given.contains(&profile.id)
        {
            profile.id.clone()
        } else {
            ProfileId::for_name(profile.id.as_str(), |id| {
                here.get(id).is_some()
                    || here.refused.contains(&format!("profile.{id}"))
                    || given.contains(id)
                    || there.get(id).is_some()
            })
        };
        given.insert(id.clone());
        ids.insert(profile.id.clone(), id);
    }
    let mut profiles = Vec::new();
    for profile in there.iter() {
        let mut profile = profile.clone();
        profile.settings = local_view(&there, &profile, &known);
        strip(&mut profile);
        profile.favourite = false;
        if let Some(id) = ids.get(&profile.id) {
            profile.id = id.clone();
        }
        if let ProfileKind::Bundle { members } = &mut profile.kind {
            // A member that is not in the file must not become one that happens to have this id here.
            *members = members.iter().filter_map(|id| ids.get(id).cloned()).collect();
        }
        profiles.push(profile);
    }
    let mut folders: Vec<Folder> = there.folders().filter(|folder| strange(&folder.path)).cloned().collect();
    for folder in &mut folders {
        strip_settings(&mut folder.settings);
    }
    Ok(Import { profiles, folders, problems })
}

/// The settings a profile gets here: its own over those of folders that will not be taken along, over the file's
/// defaults.
fn local_view(there: &Profiles, profile: &SavedProfile, known: &BTreeSet<FolderPath>) -> Settings {
    let mut layers = vec![&there.defaults];
    for path in profile.folder.ancestry() {
        if let Some(folder) = there.folders.get(&path) {
            layers.push(&folder.settings);
        }
    }
    // When all folders come along, only the defaults must be written into the profile, and only where no folder
    // says something else.
    let taken_along: Vec<_> = profile.folder.ancestry().into_iter().filter(|p| !known.contains(p)).collect();
    let mut table = toml_edit::Table::new();
    for layer in layers {
        for (key, value) in layer.written() {
            if let Some(value) = value {
                table.insert(key, Item::Value(value));
            }
        }
    }
    for path in taken_along {
        if let Some(folder) = there.folders.get(&path) {
            for (key, value) in folder.settings.written() {
                if value.is_some() {
                    table.remove(key);
                }
            }
        }
    }
    for (key, value) in profile.settings.written() {
        if let Some(value) = value {
            table.insert(key, Item::Value(value));
        }
    }
    let mut settings = Settings::default();
    for (key, item) in table.iter() {
        // Every value was written by the settings themselves.
        drop(settings.take(key, item));
    }
    settings
}

/// Takes the forbidden and the unknown keys out of the text, with a problem for each. `None` when it is no TOML.
fn clean(text: &str) -> (Option<String>, Vec<Problem>) {
    let Ok(document) = toml_edit::Document::parse(text) else { return (None, Vec::new()) };
    let places = Places::new(text);
    let mut problems = Vec::new();
    let mut tables: Vec<(String, &dyn toml_edit::TableLike)> = Vec::new();
    if let Some(defaults) = document.as_table().get("defaults").and_then(Item::as_table_like) {
        tables.push(("defaults".to_owned(), defaults));
    }
    for parent in ["folder", "profile"] {
        let inner = document.as_table().get(parent).and_then(Item::as_table_like);
        for (name, item) in inner.into_iter().flat_map(|table| table.iter()) {
            if let Some(table) = item.as_table_like() {
                tables.push((format!("{parent}.{name}"), table));
            }
        }
    }
    for (within, table) in tables {
        for (key, why) in LOCAL_KEYS.iter().chain(&CHOSEN_HERE) {
            if let Some((key, item)) = table.get_key_value(key) {
                let span = key.span().or_else(|| item.span());
                let message = format!("{} is left out, because it is {why}", key.get());
                problems.push(places.problem(span, Severity::Refused, &within, message));
            }
        }
    }
    (text.parse::<DocumentMut>().ok().map(without_local_keys), problems)
}

fn without_local_keys(mut document: DocumentMut) -> String {
    let forbidden = || LOCAL_KEYS.iter().chain(&CHOSEN_HERE).map(|(key, _)| *key);
    let strip = |item: Option<&mut Item>| {
        if let Some(table) = item.and_then(Item::as_table_like_mut) {
            for key in forbidden() {
                table.remove(key);
            }
        }
    };
    strip(document.get_mut("defaults"));
    for parent in ["folder", "profile"] {
        let Some(tables) = document.get_mut(parent).and_then(Item::as_table_like_mut) else { continue };
        let names: Vec<String> = tables.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            strip(tables.get_mut(&name));
        }
    }
    document.to_string()
}

/// The profiles with these ids as a file, with the folders around them and everything they inherit. Members of a
/// bundle are taken along only when they are among the ids.
pub fn export_text(profiles: &Profiles, ids: &[ProfileId]) -> Result<String, EditRefused> {
    let chosen: Vec<&SavedProfile> = ids.iter().filter_map(|id| profiles.get(id)).collect();
    let around: BTreeSet<FolderPath> = chosen.iter().flat_map(|p| p.folder.ancestry()).collect();
    let mut edits = Vec::new();
    let mut defaults = profiles.defaults.clone();
    strip_settings(&mut defaults);
    edits.push(Edit::Defaults(defaults));
    for folder in profiles.folders().filter(|folder| around.contains(&folder.path)) {
        let mut folder = folder.clone();
        strip_settings(&mut folder.settings);
        edits.push(Edit::PutFolder(folder));
    }
    for profile in chosen {
        let mut profile = profile.clone();
        strip(&mut profile);
        profile.favourite = false;
        edits.push(Edit::Put(profile));
    }
    edit_text("version = 1\n", &edits)
}

fn strip(profile: &mut SavedProfile) {
    strip_settings(&mut profile.settings);
    if let ProfileKind::Shell { parameters, .. } | ProfileKind::Document { parameters, .. } =
        &mut profile.kind
    {
        parameters.clear();
    }
    if let ProfileKind::Forward { local, .. } | ProfileKind::Socks { local, .. } = &mut profile.kind
        && matches!(local, Local::Socket(_))
    {
        *local = Local::Port(0);
    }
}

fn strip_settings(settings: &mut Settings) {
    let forbidden = || LOCAL_KEYS.iter().chain(&CHOSEN_HERE).map(|(key, _)| *key);
    let mut kept = Settings::default();
    for (key, value) in settings.written() {
        if let Some(value) = value.filter(|_| !forbidden().any(|f| f == key)) {
            // Every value was written by the settings themselves.
            drop(kept.take(key, &Item::Value(value)));
        }
    }
    *settings = kept;
}

const _: () =
    assert!(PROFILE_KEYS.len() == 15, "a new key must be looked at here: may a file from elsewhere set it?");
