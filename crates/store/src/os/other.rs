//! Windows: the user's profile directories are already private to the user, and renames are journalled.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

/// Creates a directory and its missing parents.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Options that create a file with the directory's inherited access list.
pub(crate) fn private_file_options() -> OpenOptions {
    OpenOptions::new()
}

/// Nothing to do: directories cannot be flushed here.
pub(crate) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
