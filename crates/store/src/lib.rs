//! What Fleetline keeps on disk: saved profiles, settings, layout and cache.
//!
//! A [`Store`] reads and writes small named documents (TOML), the [`profiles`] people may edit by hand, and a bounded
//! cache (JSON). It never holds state itself:
//! the caller owns the values, so a store that cannot write costs persistence and nothing else. Every write goes to a
//! temporary file in the same directory, is flushed to the device and then renamed over the old file, so a reader sees
//! either the old or the new content. Files are private to the user (0600 in 0700 directories on Unix, SEC-81).

mod cache;
mod document;
mod error;
mod export;
mod file;
mod fleet_book;
mod journal;
mod os;
mod paths;
mod private_file;
pub mod profiles;

pub use cache::Cached;
pub use document::{Loaded, Setback};
pub use error::{StoreError, StoreErrorKind};
pub use fleet_book::{
    BookEdit, BookError, BookFailed, FleetBook, NodeGroup, RecentNode, SavedView, TableLayout,
};
pub use journal::{Journal, JournalEntry};
pub use paths::Paths;
pub use private_file::{FileTurn, PrivateFile};

/// The documents and the cache of one user, or nothing at all when there is no place for them.
#[derive(Clone, Debug)]
pub struct Store {
    paths: Option<Paths>,
}

impl Store {
    /// Opens the store at these paths and creates missing directories, private to the user.
    ///
    /// Fails when a directory cannot be created, is a symbolic link, or is no directory.
    pub fn open(paths: Paths) -> Result<Self, StoreError> {
        for directory in [&paths.config, &paths.cache] {
            file::create_private_directory(directory)?;
        }
        Ok(Self { paths: Some(paths) })
    }

    /// A store that remembers nothing: every document is its default and every save succeeds without effect.
    pub fn in_memory() -> Self {
        Self { paths: None }
    }

    /// Opens the journal of sessions in the same place; `None` when there is no place.
    ///
    /// # Errors
    /// When the directory or the program's lock cannot be made.
    pub fn journal(&self) -> Result<Option<Journal>, StoreError> {
        self.paths.as_ref().map(Journal::open).transpose()
    }

    /// A directory below the cache that only the user can enter, made if it is missing; `None` when there is no place.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn private_directory(&self, name: &str) -> Result<Option<std::path::PathBuf>, StoreError> {
        let Some(paths) = &self.paths else { return Ok(None) };
        let directory = paths.cache.join(name);
        file::create_private_directory(&directory)?;
        Ok(Some(directory))
    }

    /// Where is kept what only this program's user may read; not made yet. `None` when there is no place.
    pub fn data_directory(&self) -> Option<&std::path::Path> {
        self.paths.as_ref().map(|paths| paths.data.as_path())
    }

    /// Whether values outlive the program.
    pub fn is_persistent(&self) -> bool {
        self.paths.is_some()
    }
}
