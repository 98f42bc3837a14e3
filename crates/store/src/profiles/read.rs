//! From the file's text to profiles.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::PROFILE_FORMAT;
use super::fields::{FOLDER_KEYS, PROFILE_KEYS, RDP_PORT, SSH_PORT};
use super::model::{Folder, FolderPath, Local, ProfileId, ProfileKind, ProfileTarget, Remote, SavedProfile};
use super::problem::{Places, Problem, Severity};
use super::recover;
use super::settings::Settings;
use super::value::{FromToml, found};

/// Everything one profile file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profiles {
    pub(crate) profiles: Vec<SavedProfile>,
    pub(crate) folders: BTreeMap<FolderPath, Folder>,
    pub(crate) defaults: Settings,
    pub(crate) problems: Vec<Problem>,
    /// Tables of the file that were not loaded, as `profile.ledger`.
    pub(crate) refused: BTreeSet<String>,
    /// The file names a newer format.
    pub(crate) newer: bool,
    index: HashMap<ProfileId, usize>,
}

impl Profiles {
    /// The profiles in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &SavedProfile> {
        self.profiles.iter()
    }

    /// How many profiles were loaded.
    pub fn len(&self) -> usize {
        self.profiles.len()
    }

    /// Whether no profile was loaded.
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty()
    }

    /// One profile.
    pub fn get(&self, id: &ProfileId) -> Option<&SavedProfile> {
        self.index.get(id).and_then(|at| self.profiles.get(*at))
    }

    /// What the file says about folders, by path.
    pub fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.folders.values()
    }

    /// Settings of every profile.
    pub fn defaults(&self) -> &Settings {
        &self.defaults
    }

    /// What is wrong, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether the file must not be changed by this program because a newer one wrote it.
    pub fn is_newer_format(&self) -> bool {
        self.newer
    }

    /// An id for a new profile with this name.
    pub fn free_id(&self, name: &str) -> ProfileId {
        ProfileId::for_name(name, |id| {
            self.index.contains_key(id) || self.refused.contains(&format!("profile.{id}"))
        })
    }
}

/// Reads a profile file. Never fails: what is wrong is in [`Profiles::problems`].
pub fn read_text(text: &str) -> Profiles {
    let places = Places::new(text);
    let recovered = recover::parse(text, &places);
    let mut reader = Reader { places: &places, problems: recovered.problems };
    let mut profiles = Profiles::default();
    profiles.refused.extend(recovered.lost.iter().map(|names| names.join(".")));
    if let Some(document) = &recovered.document {
        reader.root(document.as_table(), &mut profiles);
    }
    profiles.problems = reader.problems;
    profiles.problems.sort_by_key(|p| (p.line, p.column));
    profiles.index =
        profiles.profiles.iter().enumerate().map(|(at, profile)| (profile.id.clone(), at)).collect();
    profiles
}

struct Reader<'a> {
    places: &'a Places<'a>,
    problems: Vec<Problem>,
}

/// A table's place and the keys of it that were used.
struct Keys<'a> {
    table: &'a dyn TableLike,
    within: String,
    span: Option<Range<usize>>,
    fine: bool,
}

impl Reader<'_> {
    fn root(&mut self, root: &dyn TableLike, profiles: &mut Profiles) {
        for (key, item) in root.iter() {
            match key {
                "version" => match item.as_integer() {
                    Some(version) if version >= 1 => {
                        profiles.newer = version > PROFILE_FORMAT;
                        if profiles.newer {
                            let message = format!(
                                "this file has format {version}; this program knows format {PROFILE_FORMAT} and will not change it"
                            );
                            self.tell(span_of(root, key, item), Severity::Unknown, "", message);
                        }
                    }
                    _ => {
                        profiles.newer = true;
                        self.expected(root, key, item, "", "a whole number from 1");
                    }
                },
                "defaults" => self.defaults(root, item, profiles),
                "folder" => self.each(root, "folder", item, profiles, Self::folder),
                "profile" => self.each(root, "profile", item, profiles, Self::profile),
                _ => self.unknown(root, key, item, ""),
            }
        }
    }

    fn defaults(&mut self, root: &dyn TableLike, item: &Item, profiles: &mut Profiles) {
        let Some(table) = item.as_table_like() else {
            self.expected(root, "defaults", item, "", "a table of settings, [defaults]");
            profiles.refused.insert("defaults".to_owned());
            return;
        };
        let mut keys = Keys { table, within: "defaults".to_owned(), span: item.span(), fine: true };
        profiles.defaults = self.settings(&mut keys, &[]);
        if !keys.fine {
            profiles.refused.insert("defaults".to_owned());
        }
    }

    /// Reads every table below `[name.…]`.
    fn each(
        &mut self,
        root: &dyn TableLike,
        name: &str,
        item: &Item,
        profiles: &mut Profiles,
        read: fn(&mut Self, &str, &mut Keys<'_>, &mut Profiles),
    ) {
        let Some(tables) = item.as_table_like() else {
            return self.expected(root, name, item, "", &format!("tables named as in [{name}.NAME]"));
        };
        for (key, item) in tables.iter() {
            let within = format!("{name}.{key}");
            let Some(table) = item.as_table_like() else {
                self.expected(tables, key, item, name, "a table");
                profiles.refused.insert(within);
                continue;
            };
            let span = item.span().or_else(|| tables.get_key_value(key).and_then(|(key, _)| key.span()));
            let mut keys = Keys { table, within: within.clone(), span, fine: true };
            if profiles.refused.contains(&within) {
                continue;
            }
            read(self, key, &mut keys, profiles);
            if !keys.fine {
                profiles.refused.insert(within);
            }
        }
    }

    fn folder(&mut self, name: &str, keys: &mut Keys<'_>, profiles: &mut Profiles) {
        let Some(path) = FolderPath::new(name).filter(|path| !path.is_top()) else {
            return self.refuse(keys, format!("the folder must be named by {}", FolderPath::EXPECTED));
        };
        let order = self.value::<i64>(keys, "order");
        let settings = self.settings(keys, &FOLDER_KEYS);
        profiles.folders.insert(path.clone(), Folder { path, order, settings });
    }

    fn profile(&mut self, name: &str, keys: &mut Keys<'_>, profiles: &mut Profiles) {
        let Some(id) = ProfileId::new(name) else {
            return self.refuse(keys, format!("the profile's id must be {}", ProfileId::EXPECTED));
        };
        let name = self.value::<Name>(keys, "name").map_or_else(|| id.as_str().to_owned(), |name| name.0);
        let folder = self.value(keys, "folder").unwrap_or_default();
        let order = self.value(keys, "order");
        let favourite = self.value(keys, "favourite").unwrap_or_default();
        let note = self.value::<Note>(keys, "note").map(|note| note.0);
        let settings = self.settings(keys, &PROFILE_KEYS);
        let kind = self.kind(keys);
        if let Some(kind) = kind.filter(|_| keys.fine) {
            profiles.profiles.push(SavedProfile { id, name, folder, order, favourite, note, kind, settings });
        }
    }

    fn kind(&mut self, keys: &mut Keys<'_>) -> Option<ProfileKind> {
        const KINDS: &str =
            "one of \"shell\", \"forward\", \"socks\", \"rdp\", \"ssh\", \"document\", \"bundle\"";
        let Some(item) = keys.table.get("kind") else {
            self.refuse(keys, format!("kind is missing; it must be {KINDS}"));
            return None;
        };
        let used: &[&str] = match item.as_str() {
            Some("shell" | "document") => &["node", "query", "document", "parameters"],
            Some("forward") => &["node", "query", "host", "port", "local-port", "socket"],
            Some("socks") => &["node", "query", "local-port", "socket"],
            Some("rdp") => &["node", "query", "port", "local-port"],
            Some("ssh") => &["node", "query", "port"],
            Some("bundle") => &["members"],
            _ => {
                self.wrong(keys, "kind", item, KINDS);
                return None;
            }
        };
        let word = item.as_str().unwrap_or_default();
        for key in &PROFILE_KEYS[6..] {
            if let Some(item) = keys.table.get(key).filter(|_| !used.contains(key)) {
                let message = format!("{key} has no meaning for kind {word:?}; expected no such key");
                self.tell(span_of(keys.table, key, item), Severity::Refused, &keys.within, message);
                keys.fine = false;
            }
        }
        if word == "bundle" {
            let members = self.needed::<Vec<ProfileId>>(keys, "members")?;
            return Some(ProfileKind::Bundle { members });
        }
        let target = self.target(keys)?;
        Some(match word {
            "shell" => {
                let document = self.value(keys, "document");
                ProfileKind::Shell { target, document, parameters: self.parameters(keys) }
            }
            "document" => {
                let document = self.needed(keys, "document")?;
                ProfileKind::Document { target, document, parameters: self.parameters(keys) }
            }
            "forward" => {
                let host = self.value(keys, "host");
                let port = self.needed::<Port>(keys, "port")?.0;
                ProfileKind::Forward { target, remote: Remote { host, port }, local: self.local(keys)? }
            }
            "socks" => ProfileKind::Socks { target, local: self.local(keys)? },
            "rdp" => ProfileKind::Rdp {
                target,
                port: self.value::<Port>(keys, "port").map_or(RDP_PORT, |port| port.0),
                local_port: self.value(keys, "local-port").unwrap_or_default(),
            },
            _ => ProfileKind::Ssh {
                target,
                port: self.value::<Port>(keys, "port").map_or(SSH_PORT, |port| port.0),
            },
        })
    }

    fn target(&mut self, keys: &mut Keys<'_>) -> Option<ProfileTarget> {
        match (keys.table.get("node"), keys.table.get("query")) {
            (Some(_), None) => self.value::<Node>(keys, "node").map(|node| ProfileTarget::Node(node.0)),
            (None, Some(_)) => self.value(keys, "query").map(ProfileTarget::Query),
            (Some(_), Some(query)) => {
                let message = "node and query exclude each other; expected one of them";
                self.tell(span_of(keys.table, "query", query), Severity::Refused, &keys.within, message);
                keys.fine = false;
                None
            }
            (None, None) => {
                self.refuse(keys, "the target is missing; expected node = \"i-…\" or query = \"tag:Name=…\"");
                None
            }
        }
    }

    fn local(&mut self, keys: &mut Keys<'_>) -> Option<Local> {
        match (keys.table.get("local-port"), keys.table.get("socket")) {
            (Some(_), Some(socket)) => {
                let message = "local-port and socket exclude each other; expected one of them";
                self.tell(span_of(keys.table, "socket", socket), Severity::Refused, &keys.within, message);
                keys.fine = false;
                None
            }
            (None, Some(_)) => self.value(keys, "socket").map(Local::Socket),
            _ => Some(Local::Port(self.value(keys, "local-port").unwrap_or_default())),
        }
    }

    fn parameters(&mut self, keys: &mut Keys<'_>) -> Vec<(String, Vec<String>)> {
        let Some(item) = keys.table.get("parameters") else { return Vec::new() };
        let Some(table) = item.as_table_like() else {
            self.wrong(keys, "parameters", item, "a table of texts or lists of texts");
            return Vec::new();
        };
        let mut parameters = Vec::new();
        for (name, item) in table.iter() {
            let values =
                <Vec<ParameterText>>::read(item).or_else(|| ParameterText::read(item).map(|one| vec![one]));
            if let Some(values) = values {
                parameters.push((name.to_owned(), values.into_iter().map(|text| text.0).collect()));
            } else {
                let message = format!(
                    "parameter {name} must be a text or a list of texts, at most 4096 bytes each; found {}",
                    found(self.places.text, item)
                );
                self.tell(span_of(table, name, item), Severity::Refused, &keys.within, message);
                keys.fine = false;
            }
        }
        parameters.sort();
        parameters
    }

    /// Reads the settings of a table; keys in `others` belong to somebody else.
    fn settings(&mut self, keys: &mut Keys<'_>, others: &[&str]) -> Settings {
        let mut settings = Settings::default();
        for (key, item) in keys.table.iter().filter(|(key, _)| !others.contains(key)) {
            match settings.take(key, item) {
                Some(Ok(())) => {}
                Some(Err(expected)) => self.wrong(keys, key, item, &expected),
                None => self.unknown(keys.table, key, item, &keys.within),
            }
        }
        settings
    }

    fn value<T: FromToml>(&mut self, keys: &mut Keys<'_>, key: &str) -> Option<T> {
        let item = keys.table.get(key)?;
        let value = T::read(item);
        if value.is_none() {
            self.wrong(keys, key, item, &T::expected());
        }
        value
    }

    fn needed<T: FromToml>(&mut self, keys: &mut Keys<'_>, key: &str) -> Option<T> {
        if keys.table.get(key).is_none() {
            self.refuse(keys, format!("{key} is missing; it must be {}", T::expected()));
            return None;
        }
        self.value(keys, key)
    }

    fn wrong(&mut self, keys: &mut Keys<'_>, key: &str, item: &Item, expected: &str) {
        keys.fine = false;
        self.expected(keys.table, key, item, &keys.within, expected);
    }

    fn refuse(&mut self, keys: &mut Keys<'_>, message: impl Into<String>) {
        keys.fine = false;
        self.tell(keys.span.clone(), Severity::Refused, &keys.within, message);
    }

    fn expected(&mut self, table: &dyn TableLike, key: &str, item: &Item, within: &str, expected: &str) {
        let message = format!("{key} must be {expected}; found {}", found(self.places.text, item));
        let span = item.span().or_else(|| span_of(table, key, item));
        self.tell(span, Severity::Refused, within, message);
    }

    fn unknown(&mut self, table: &dyn TableLike, key: &str, item: &Item, within: &str) {
        let known = if within.is_empty() {
            "version, defaults, folder or profile"
        } else {
            "a key of a profile or a setting"
        };
        let message = format!("the key {key:?} is not known here and is kept; expected {known}");
        self.tell(span_of(table, key, item), Severity::Unknown, within, message);
    }

    fn tell(
        &mut self,
        span: Option<Range<usize>>,
        severity: Severity,
        within: &str,
        message: impl Into<String>,
    ) {
        /// Problems told; more help nobody.
        const MOST: usize = 1000;
        if self.problems.len() < MOST {
            self.problems.push(self.places.problem(span, severity, within, message));
        }
    }
}

/// The place of a key, or of what it holds.
fn span_of(table: &dyn TableLike, key: &str, item: &Item) -> Option<Range<usize>> {
    table.get_key_value(key).and_then(|(key, _)| key.span()).or_else(|| item.span())
}

/// Read-only forms of a text.
macro_rules! texts {
    ($($name:ident, $fits:expr, $expected:expr;)+) => {
        $(
            struct $name(String);

            impl FromToml for $name {
                fn read(item: &Item) -> Option<Self> {
                    let fits: fn(&str) -> bool = $fits;
                    item.as_str().filter(|text| fits(text)).map(|text| Self(text.to_owned()))
                }

                fn write(&self) -> toml_edit::Value {
                    self.0.as_str().into()
                }

                fn expected() -> String {
                    $expected.to_owned()
                }
            }
        )+
    };
}

texts! {
    Name,
        |text| !text.is_empty() && text.len() <= 256 && !text.contains(char::is_control),
        "a text on one line in quotes, 1 to 256 bytes long";
    Note, |text| text.len() <= 4096, "a text in quotes, at most 4096 bytes long";
    ParameterText, |text| text.len() <= 4096, "a text in quotes, at most 4096 bytes long";
    Node,
        |text| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_:./@".contains(&b);
            (1..=400).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.bytes().all(fits)
        },
        "the id of a node in quotes, as in \"i-0123456789abcdef0\"";
}

/// A port that something listens on elsewhere.
struct Port(u16);

impl FromToml for Port {
    fn read(item: &Item) -> Option<Self> {
        u16::read(item).filter(|port| *port != 0).map(Self)
    }

    fn write(&self) -> toml_edit::Value {
        self.0.write()
    }

    fn expected() -> String {
        "a port number from 1 to 65535".to_owned()
    }
}
