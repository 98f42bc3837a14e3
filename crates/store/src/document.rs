//! Small named documents in TOML.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{StoreError, StoreErrorKind};
use crate::{Store, file};

/// Largest document read or written.
const LIMIT: u64 = 1024 * 1024;

/// A value from disk, or its default with the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<T> {
    /// The value to use.
    pub value: T,
    /// Why (parts of) it are defaults although there was a file.
    pub setback: Option<Setback>,
}

/// A document could not be used as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    /// The document's file.
    pub path: PathBuf,
    /// Where the content is kept, when it was possible to keep it.
    pub backup: Option<PathBuf>,
    /// One sentence: what was wrong and what is used instead.
    pub message: String,
    /// What the parser or the operating system said.
    pub detail: String,
}

impl Store {
    /// Loads `<name>.toml`. A missing file is the default without a setback. A value that does not fit costs that
    /// key only; a file that cannot be parsed costs the whole document and is kept aside under another name.
    pub fn load<T>(&self, name: &str) -> Loaded<T>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let plain = |value| Loaded { value, setback: None };
        let Some(path) = self.document(name) else { return plain(T::default()) };
        let table = match read_table(&path) {
            Ok(None) => return plain(T::default()),
            Ok(Some(table)) => table,
            Err(setback) => return Loaded { value: T::default(), setback: Some(setback) },
        };
        let (value, refused) = merge::<T>(table);
        if refused.is_empty() {
            return plain(value);
        }
        let backup = file::backup_name(&path);
        let backup = std::fs::copy(&path, &backup).ok().map(|_| backup);
        let keys: Vec<_> = refused.iter().map(|(key, _)| key.as_str()).collect();
        let details: Vec<_> = refused.iter().map(|(key, why)| format!("{key}: {why}")).collect();
        let message = format!(
            "{} has values that do not fit, so defaults are used for: {}.",
            file_name(&path),
            keys.join(", ")
        );
        Loaded { value, setback: Some(Setback { path, backup, message, detail: details.join("\n") }) }
    }

    /// Loads a document that has no default. `None` also stands for a file that was kept aside, with the setback.
    pub fn load_optional<T: DeserializeOwned>(&self, name: &str) -> Loaded<Option<T>> {
        let Some(path) = self.document(name) else { return Loaded { value: None, setback: None } };
        let parsed = read_table(&path).and_then(|table| match table {
            None => Ok(None),
            Some(table) => {
                table.try_into().map(Some).map_err(|e: toml::de::Error| set_aside(&path, e.to_string()))
            }
        });
        match parsed {
            Ok(value) => Loaded { value, setback: None },
            Err(setback) => Loaded { value: None, setback: Some(setback) },
        }
    }

    /// Writes `<name>.toml`, at most 1 MiB.
    pub fn save<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        let Some(path) = self.document(name) else { return Ok(()) };
        let text = toml::to_string_pretty(value)
            .map_err(|e| StoreError::new(StoreErrorKind::Format, &path, e.to_string()))?;
        if text.len() as u64 > LIMIT {
            return Err(StoreError::new(StoreErrorKind::TooLarge, &path, format!("{} bytes", text.len())));
        }
        file::replace(&path, text.as_bytes())
    }

    /// Deletes `<name>.toml`; a missing one is fine.
    pub fn forget(&self, name: &str) -> Result<(), StoreError> {
        let Some(path) = self.document(name) else { return Ok(()) };
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(&path, &e)),
            _ => Ok(()),
        }
    }

    fn document(&self, name: &str) -> Option<PathBuf> {
        self.paths.as_ref().map(|paths| paths.config.join(format!("{name}.toml")))
    }
}

/// Puts the file's values over the defaults, key by key. Returns the keys that do not fit, with the reason.
fn merge<T>(found: toml::Table) -> (T, Vec<(String, String)>)
where
    T: Default + Serialize + DeserializeOwned,
{
    let mut refused = Vec::new();
    let Ok(mut table) = toml::Table::try_from(T::default()) else {
        return (T::default(), refused);
    };
    let mut value = T::default();
    for (key, entry) in found {
        let mut candidate = table.clone();
        candidate.insert(key.clone(), entry);
        match candidate.clone().try_into::<T>() {
            Ok(better) => (table, value) = (candidate, better),
            Err(e) => refused.push((key, e.message().to_owned())),
        }
    }
    (value, refused)
}

fn read_table(path: &Path) -> Result<Option<toml::Table>, Setback> {
    let bytes = match file::read(path, LIMIT) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => bytes,
        Err(e) if e.kind == StoreErrorKind::TooLarge => return Err(set_aside(path, e.detail)),
        Err(e) => {
            let message = format!("{} could not be read, so defaults are used.", file_name(path));
            return Err(Setback { path: path.to_owned(), backup: None, message, detail: e.to_string() });
        }
    };
    let text = String::from_utf8(bytes).map_err(|e| set_aside(path, e.to_string()))?;
    text.parse().map(Some).map_err(|e: toml::de::Error| set_aside(path, e.to_string()))
}

/// Moves a file that cannot be understood out of the way, so that saving does not destroy it.
fn set_aside(path: &Path, detail: String) -> Setback {
    let backup = file::backup_name(path);
    let name = file_name(path);
    match std::fs::rename(path, &backup) {
        Ok(()) => {
            let message = format!(
                "{name} could not be understood and is kept as {}; defaults are used.",
                file_name(&backup)
            );
            Setback { path: path.to_owned(), backup: Some(backup), message, detail }
        }
        Err(e) => {
            let message = format!("{name} could not be understood, so defaults are used.");
            Setback { path: path.to_owned(), backup: None, message, detail: format!("{detail}\n{e}") }
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}
