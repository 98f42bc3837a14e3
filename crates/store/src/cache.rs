//! What can be listed again: kept to show something at once, thrown away at the first doubt.

use std::fmt::Write;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{StoreError, StoreErrorKind};
use crate::{Store, file};

/// Largest cache file read or written, 64 MiB: about 100,000 nodes in one account-Region.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Grows when the meaning of the content changes; other formats are ignored.
const FORMAT: u32 = 1;

/// A cached value and when it was true.
#[derive(Clone, Debug, PartialEq)]
pub struct Cached<T> {
    /// When it was saved, in milliseconds of the Unix epoch.
    pub saved_ms: i64,
    /// The value.
    pub value: T,
}

#[derive(Serialize)]
struct EntryRef<'a, T> {
    format: u32,
    saved_ms: i64,
    key: &'a str,
    value: &'a T,
}

#[derive(Deserialize)]
struct Entry<T> {
    format: u32,
    saved_ms: i64,
    key: String,
    value: T,
}

impl Store {
    /// The value cached under `key`. `None` when there is none, or it is unreadable, garbled, too large or of
    /// another format: a cache never makes anything fail.
    pub fn cached<T: DeserializeOwned>(&self, key: &str) -> Option<Cached<T>> {
        let path = self.cache_file(key)?;
        let bytes = match file::read(&path, LIMIT) {
            Ok(bytes) => bytes?,
            Err(error) => {
                tracing::debug!(%error, "cache file ignored");
                return None;
            }
        };
        let entry: Entry<T> = match serde_json::from_slice(&bytes) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "cache file ignored");
                return None;
            }
        };
        (entry.format == FORMAT && entry.key == key)
            .then_some(Cached { saved_ms: entry.saved_ms, value: entry.value })
    }

    /// Caches a value, at most 64 MiB. A larger one is refused and the old one removed, because it would only mislead.
    pub fn save_cached<T: Serialize>(&self, key: &str, saved_ms: i64, value: &T) -> Result<(), StoreError> {
        let Some(path) = self.cache_file(key) else { return Ok(()) };
        let bytes = serde_json::to_vec(&EntryRef { format: FORMAT, saved_ms, key, value })
            .map_err(|e| StoreError::new(StoreErrorKind::Format, &path, e.to_string()))?;
        if bytes.len() as u64 > LIMIT {
            self.forget_cached(key);
            return Err(StoreError::new(StoreErrorKind::TooLarge, &path, format!("{} bytes", bytes.len())));
        }
        file::replace(&path, &bytes)
    }

    /// Removes what is cached under `key`.
    pub fn forget_cached(&self, key: &str) {
        if let Some(path) = self.cache_file(key) {
            // Absent already, or it will be ignored or replaced later.
            drop(std::fs::remove_file(path));
        }
    }

    fn cache_file(&self, key: &str) -> Option<PathBuf> {
        let paths = self.paths.as_ref()?;
        Some(paths.cache.join(format!("{}.json", file_stem(key))))
    }
}

/// Longest readable part of a cache file's name.
const READABLE: usize = 80;

/// A file name for any key: its harmless characters for people, and a hash so that different keys never meet. The key
/// is also stored inside the file and compared.
fn file_stem(key: &str) -> String {
    let mut stem: String = key
        .chars()
        .take(READABLE)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' })
        .collect();
    // FNV-1a: stable over releases and platforms, which the standard hasher is not.
    let hash =
        key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    // Writing to a String cannot fail.
    let _ = write!(stem, "-{hash:016x}");
    stem
}
