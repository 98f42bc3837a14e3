//! The profile file of a store.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::PROFILE_FILE_LIMIT;
use super::edit::{Edit, EditRefused, edit_text};
use super::problem::{Places, Severity};
use super::read::{Profiles, read_text};
use crate::error::{StoreError, StoreErrorKind};
use crate::{Store, file};

/// The file's name in the configuration directory.
const NAME: &str = "profiles.toml";

/// Stands for the content of the file, to tell one's own writes from others'. Only for comparing within one run.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Fingerprint {
    pub(crate) fn of(bytes: Option<&[u8]>) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The profiles as they are on disk.
#[derive(Clone, Debug)]
pub struct LoadedProfiles {
    /// What the file says.
    pub profiles: Profiles,
    /// The file; `None` for a store that remembers nothing.
    pub path: Option<PathBuf>,
    /// Stands for the file's content.
    pub fingerprint: Fingerprint,
    /// Why the file could not be read at all. It is never touched then.
    pub unreadable: Option<StoreError>,
}

/// Why an edit did not reach the disk. The file is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditFailed {
    /// The file's content does not allow it.
    #[error("{0}")]
    Refused(EditRefused),
    /// The file could not be read or written.
    #[error("{0}")]
    Store(StoreError),
}

impl From<EditRefused> for EditFailed {
    fn from(refused: EditRefused) -> Self {
        Self::Refused(refused)
    }
}

impl From<StoreError> for EditFailed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Store {
    /// Where the saved profiles are; `None` for a store that remembers nothing.
    pub fn profiles_path(&self) -> Option<PathBuf> {
        self.paths.as_ref().map(|paths| paths.config.join(NAME))
    }

    /// Loads the saved profiles. A missing file has none.
    pub fn load_profiles(&self) -> LoadedProfiles {
        let path = self.profiles_path();
        let read = path.as_deref().map_or(Ok(None), read_file);
        let (bytes, unreadable) = match read {
            Ok(bytes) => (bytes, None),
            Err(error) => (None, Some(error)),
        };
        let fingerprint = Fingerprint::of(bytes.as_deref());
        let profiles = bytes.map(|bytes| read_bytes(&bytes)).unwrap_or_default();
        LoadedProfiles { profiles, path, fingerprint, unreadable }
    }

    /// Applies the edits to the file as it is now on disk, all or none, and returns what it says then. Programs that
    /// edit at the same time take turns, so no edit is lost. A crash leaves the old or the new file.
    ///
    /// A store that remembers nothing returns no profiles.
    pub fn edit_profiles(&self, edits: &[Edit]) -> Result<LoadedProfiles, EditFailed> {
        let (Some(path), Some(paths)) = (self.profiles_path(), &self.paths) else {
            return Ok(self.load_profiles());
        };
        // Held until the end of this function; a crash releases it.
        let _turn = file::lock(&paths.config, NAME)?;
        let target = resolve(&path);
        file::remove_leftovers(&target);
        let bytes = read_file(&path)?.unwrap_or_default();
        let text = String::from_utf8(bytes).map_err(|e| not_text(&path, &e))?;
        let edited = edit_text(&text, edits)?;
        if edited != text {
            file::replace(&target, edited.as_bytes())?;
        }
        Ok(LoadedProfiles {
            fingerprint: Fingerprint::of(Some(edited.as_bytes())),
            profiles: read_text(&edited),
            path: Some(path),
            unreadable: None,
        })
    }
}

/// Follows a link the user made to keep the file elsewhere, so that saving does not cut it.
fn resolve(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    file::read(path, PROFILE_FILE_LIMIT as u64)
}

fn read_bytes(bytes: &[u8]) -> Profiles {
    match std::str::from_utf8(bytes) {
        Ok(text) => read_text(text),
        Err(error) => {
            // What comes after the first wrong byte cannot be placed, so nothing of the file is used.
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let places = Places::new(&valid);
            let mut profiles = Profiles::default();
            profiles.problems.push(places.problem(
                None,
                Severity::Refused,
                "",
                "not UTF-8: expected a text file in UTF-8",
            ));
            profiles
        }
    }
}

fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> StoreError {
    StoreError::new(StoreErrorKind::Format, path, error.to_string())
}
