//! Bounded reads and atomic, private writes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{StoreError, StoreErrorKind};
use crate::os;

/// Creates the directory with its parents, private to the user. An existing symbolic link is refused, so that nobody
/// can make us write somewhere else.
pub(crate) fn create_private_directory(path: &Path) -> Result<(), StoreError> {
    refuse_symlink(path)?;
    os::create_private_dir(path).map_err(|e| StoreError::io(path, &e))?;
    // Looked at again: what was absent a moment ago may be a link now.
    refuse_symlink(path)
}

fn refuse_symlink(path: &Path) -> Result<(), StoreError> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err(StoreError::new(StoreErrorKind::UnsafePlace, path, "not a plain directory")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(StoreError::io(path, &e)),
    }
}

/// The whole file, `None` when there is none. Fails when it is larger than `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::io(path, &e)),
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| StoreError::io(path, &e))?;
    if bytes.len() as u64 > limit {
        return Err(StoreError::new(StoreErrorKind::TooLarge, path, format!("more than {limit} bytes")));
    }
    Ok(Some(bytes))
}

/// Replaces the file by `bytes`: after a crash there is the old or the new content, never a part. On failure the
/// old file is untouched and no temporary file is left.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let (temporary, mut file) = create_temporary(path)?;
    let written = (|| {
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&temporary, path)?;
        path.parent().map_or(Ok(()), os::sync_directory)
    })();
    written.map_err(|e| {
        // Already failing: the first reason is the one to report.
        drop(std::fs::remove_file(&temporary));
        StoreError::io(path, &e)
    })
}

/// Names tried before giving up; another process of ours may be writing the same file.
const TEMPORARY_NAMES: u32 = 100;

fn create_temporary(path: &Path) -> Result<(PathBuf, File), StoreError> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..TEMPORARY_NAMES {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()));
        match os::private_file_options().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => last = e,
            Err(e) => return Err(StoreError::io(path, &e)),
        }
    }
    Err(StoreError::io(path, &last))
}

/// Waits for the turn to change `name` in a directory; the turn ends when the file is dropped, or with the process.
pub(crate) fn lock(directory: &Path, name: &str) -> Result<File, StoreError> {
    let lock = directory.join(format!(".{name}.lock"));
    let opened = os::private_file_options().write(true).create(true).truncate(false).open(&lock);
    let file = opened.map_err(|e| StoreError::io(&lock, &e))?;
    file.lock().map_err(|e| StoreError::io(&lock, &e))?;
    Ok(file)
}

/// Removes temporary files a crash has left beside `path`. Only for one who knows that nobody is writing it.
pub(crate) fn remove_leftovers(path: &Path) {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let start = format!(".{name}.");
    let entries = path.parent().and_then(|directory| std::fs::read_dir(directory).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let found = entry.file_name();
        let found = found.to_string_lossy();
        if found.starts_with(&start) && found.ends_with(".tmp") {
            // In the way of nobody; tried again next time.
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

/// Backups kept per file; the last place is overwritten when all are taken.
const BACKUPS: u32 = 9;

/// The name under which a file that cannot be understood is kept.
pub(crate) fn backup_name(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let numbered = |n: u32| path.with_file_name(format!("{name}.backup-{n}"));
    (1..BACKUPS).map(numbered).find(|p| !p.exists()).unwrap_or_else(|| numbered(BACKUPS))
}
