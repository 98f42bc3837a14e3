//! How reading or writing fails.

use std::io;
use std::path::{Path, PathBuf};

/// Why, by what the user can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// No space left, or the user's quota is used up.
    DiskFull,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The operating system refuses access.
    Denied,
    /// The directory for our files is a symbolic link or not a directory (SEC-81).
    UnsafePlace,
    /// There is no home directory to keep files in.
    NoHome,
    /// The value is larger than its file may be.
    TooLarge,
    /// The value cannot be written in the file's format.
    Format,
    /// Anything else; the text is all there is.
    Other,
}

/// A failed read or write. Shown as one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {}", .path.display(), self.what())]
pub struct StoreError {
    /// Why.
    pub kind: StoreErrorKind,
    /// The file or directory concerned.
    pub path: PathBuf,
    /// What the operating system said, unchanged.
    pub detail: String,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, path: &Path, detail: impl Into<String>) -> Self {
        Self { kind, path: path.to_owned(), detail: detail.into() }
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreErrorKind::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem => StoreErrorKind::ReadOnly,
            io::ErrorKind::PermissionDenied => StoreErrorKind::Denied,
            io::ErrorKind::FileTooLarge => StoreErrorKind::TooLarge,
            io::ErrorKind::NotADirectory => StoreErrorKind::UnsafePlace,
            _ => StoreErrorKind::Other,
        };
        Self::new(kind, path, error.to_string())
    }

    /// The end of the sentence that begins with the path.
    fn what(&self) -> String {
        match self.kind {
            StoreErrorKind::DiskFull => "could not be written because the disk is full".to_owned(),
            StoreErrorKind::ReadOnly => {
                "could not be written because the file system is read-only".to_owned()
            }
            StoreErrorKind::Denied => "could not be used because access to it is denied".to_owned(),
            StoreErrorKind::UnsafePlace => {
                "is not used because it is a symbolic link or not a directory".to_owned()
            }
            StoreErrorKind::NoHome => "cannot be placed because this user has no home directory".to_owned(),
            StoreErrorKind::TooLarge => "was not written because it would be too large".to_owned(),
            StoreErrorKind::Format => format!("could not be put into words: {}", self.detail),
            StoreErrorKind::Other => format!("could not be used: {}", self.detail),
        }
    }
}
