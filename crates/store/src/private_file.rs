//! A file only this user can read, changed by several programs in turn.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::{file, os};

/// A small file of bytes, private to the user: 0600 in a 0700 directory on Unix. Its owner decides what is in it.
#[derive(Clone, Debug)]
pub struct PrivateFile {
    directory: PathBuf,
    name: String,
}

/// The turn to change a [`PrivateFile`]. Others wait until it is dropped, or its process is gone.
#[derive(Debug)]
#[must_use]
pub struct FileTurn(#[expect(dead_code, reason = "held for its lock")] File);

impl PrivateFile {
    /// A file of this name in a directory. Touches nothing yet.
    pub fn new(directory: &Path, name: &str) -> Self {
        Self { directory: directory.to_owned(), name: name.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// All of it, `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or has more than `limit` bytes.
    pub fn read(&self, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        file::read(&self.path(), limit)
    }

    /// Makes it, empty, for one who writes to it alone; makes the directory if it is missing.
    ///
    /// # Errors
    /// When it exists, or cannot be made.
    pub fn create_new(&self) -> Result<File, StoreError> {
        file::create_private_directory(&self.directory)?;
        self.create_new_beside()
    }

    /// As [`Self::create_new`], in a directory that is as it is: the user's own.
    ///
    /// # Errors
    /// When it exists, or cannot be made.
    pub fn create_new_beside(&self) -> Result<File, StoreError> {
        let path = self.path();
        let opened = os::private_file_options().write(true).create_new(true).open(&path);
        opened.map_err(|e| StoreError::io(&path, &e))
    }

    /// Waits for the turn to change it; makes the directory if it is missing.
    ///
    /// # Errors
    /// When the directory or the lock cannot be made.
    pub fn turn(&self) -> Result<FileTurn, StoreError> {
        file::create_private_directory(&self.directory)?;
        file::lock(&self.directory, &self.name).map(FileTurn)
    }

    /// Puts other bytes in its place: after a crash there is the old or the new content.
    ///
    /// # Errors
    /// When it cannot be written; the old content is then untouched.
    pub fn replace(&self, _turn: &FileTurn, bytes: &[u8]) -> Result<(), StoreError> {
        file::replace(&self.path(), bytes)
    }

    /// Keeps it under another name, which is returned.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn set_aside(&self, _turn: &FileTurn) -> Result<PathBuf, StoreError> {
        let path = self.path();
        let backup = file::backup_name(&path);
        std::fs::rename(&path, &backup).map_err(|e| StoreError::io(&path, &e))?;
        Ok(backup)
    }

    /// Deletes it; a missing one is fine.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn remove(&self, _turn: &FileTurn) -> Result<(), StoreError> {
        let path = self.path();
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::io(&path, &e)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_private_replaced_in_turn_and_kept_aside_under_another_name() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("data");
        let file = PrivateFile::new(&directory, "secrets");
        assert_eq!(file.read(10), Ok(None));
        let turn = file.turn().unwrap();
        file.replace(&turn, b"one").unwrap();
        file.replace(&turn, b"two").unwrap();
        assert_eq!(file.read(10), Ok(Some(b"two".to_vec())));
        assert!(file.read(2).is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&directory), mode(&file.path())), (0o700, 0o600));
        }
        let aside = file.set_aside(&turn).unwrap();
        assert_eq!(std::fs::read(aside).unwrap(), b"two");
        file.remove(&turn).unwrap();
        assert_eq!(file.read(10), Ok(None));
    }
}
