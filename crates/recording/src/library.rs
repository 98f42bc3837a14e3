//! The recordings of a user: files in one private directory.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleetline_store::{PrivateFile, StoreError};
use fleetline_vault::Key;

use crate::Content;
use crate::sealed::{self, About, Reader, Unreadable, Writer};

const SUFFIX: &str = ".recording";

/// All recordings in a directory.
#[derive(Clone, Debug)]
pub struct Recordings {
    directory: PathBuf,
}

/// A recording that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub id: String,
    /// What it is of; `None` when it cannot be opened.
    pub about: Option<About>,
    /// Bytes of the file.
    pub bytes: u64,
    /// When it was last written to, in milliseconds of the Unix epoch.
    pub changed_ms: u64,
}

/// Why something was not done with a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// There is none of this id.
    #[error("there is no recording {0}")]
    NotFound(String),
    /// It cannot be read.
    #[error("the recording cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    /// A file or directory cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be written.
    #[error("{0}")]
    File(#[from] io::Error),
}

impl Recordings {
    /// Those in this directory, which is made private when the first one begins.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Begins one, with an id of its own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self, all: &Key, about: &About) -> Result<(String, Writer), RecordingError> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let file = self.file(&id).create_new()?;
        Ok((id.clone(), Writer::begin(file, &id, all, about)?))
    }

    /// All of them, newest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self, all: Option<&Key>) -> Result<Vec<Recorded>, RecordingError> {
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).filter(|id| is_id(id))
            else {
                continue;
            };
            let Ok(meta) = entry.metadata() else { continue };
            let about = all
                .and_then(|all| Reader::open(&entry.path(), all).ok())
                .map(|reader| reader.about().clone());
            let changed =
                meta.modified().unwrap_or(UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
            found.push(Recorded {
                id: id.to_owned(),
                about,
                bytes: meta.len(),
                changed_ms: u64::try_from(changed.as_millis()).unwrap_or(u64::MAX),
            });
        }
        let begun = |one: &Recorded| one.about.as_ref().map_or(one.changed_ms, |about| about.started_ms);
        found.sort_by_key(|one| std::cmp::Reverse(begun(one)));
        Ok(found)
    }

    /// All of one, to replay it.
    ///
    /// # Errors
    /// When there is none of this id, or it cannot be read.
    pub fn content(&self, id: &str, all: &Key) -> Result<Content, RecordingError> {
        Ok(sealed::content(&self.path(id)?, all)?)
    }

    /// Writes one as an asciicast v3 in clear. Returns what is missing, as a sentence.
    ///
    /// # Errors
    /// When there is none of this id, it cannot be read, or `to` cannot be written.
    pub fn export(
        &self,
        id: &str,
        all: &Key,
        to: &mut impl Write,
    ) -> Result<Option<&'static str>, RecordingError> {
        let mut reader = Reader::open(&self.path(id)?, all)?;
        while let Some(text) = reader.text()? {
            to.write_all(text.as_bytes())?;
        }
        to.flush()?;
        Ok(reader.note())
    }

    /// Deletes one.
    ///
    /// # Errors
    /// When there is none of this id, or it stays.
    pub fn delete(&self, id: &str) -> Result<(), RecordingError> {
        std::fs::remove_file(self.path(id)?)?;
        Ok(())
    }

    /// Deletes those that were last written to longer ago than `age`. Returns how many.
    ///
    /// # Errors
    /// When the directory cannot be read, or one stays.
    pub fn delete_older(&self, age: Duration, now: SystemTime) -> Result<usize, RecordingError> {
        let oldest =
            now.checked_sub(age).unwrap_or(UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
        let oldest = u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX);
        let mut deleted = 0;
        for old in self.list(None)?.into_iter().filter(|one| one.changed_ms < oldest) {
            self.delete(&old.id)?;
            deleted += 1;
        }
        Ok(deleted)
    }

    fn file(&self, id: &str) -> PrivateFile {
        PrivateFile::new(&self.directory, &format!("{id}{SUFFIX}"))
    }

    fn path(&self, id: &str) -> Result<PathBuf, RecordingError> {
        let path = is_id(id).then(|| self.file(id).path()).filter(|path| path.is_file());
        path.ok_or_else(|| RecordingError::NotFound(id.to_owned()))
    }
}

/// Ids become names of files.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Makes a file for an export that nobody else can read, and never over another one.
///
/// # Errors
/// When it exists or cannot be made.
pub fn export_file(path: &Path) -> Result<File, StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    PrivateFile::new(directory, &name).create_new_beside()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::sealed::Ending;
    use crate::{Event, What};

    fn about(started_ms: u64) -> About {
        About {
            node: format!("node-{started_ms}"),
            target: "i-1".to_owned(),
            source: "ops".to_owned(),
            region: "eu-west-1".to_owned(),
            session: None,
            size: (80, 24),
            started_ms,
            input: false,
        }
    }

    #[test]
    fn recordings_are_listed_exported_and_deleted_by_their_ids() {
        let home = tempfile::tempdir().unwrap();
        let recordings = Recordings::new(&home.path().join("recordings"));
        let key = Key::random().unwrap();
        assert!(recordings.list(Some(&key)).unwrap().is_empty());
        let (first, mut writer) = recordings.begin(&key, &about(1)).unwrap();
        writer.event(&Event { at: Duration::ZERO, what: What::Output(Bytes::from_static(b"hi")) }).unwrap();
        writer.end(Ending::Session).unwrap();
        let (second, cut) = recordings.begin(&key, &about(2)).unwrap();
        drop(cut);
        let listed = recordings.list(Some(&key)).unwrap();
        assert_eq!(listed.iter().map(|one| &one.id).collect::<Vec<_>>(), [&second, &first]);
        assert_eq!(listed[1].about.as_ref().map(|about| about.node.as_str()), Some("node-1"));
        assert!(
            recordings.list(Some(&Key::random().unwrap())).unwrap().iter().all(|one| one.about.is_none())
        );
        let mut text = Vec::new();
        assert_eq!(recordings.export(&first, &key, &mut text).unwrap(), None);
        let content = crate::cast::read(std::str::from_utf8(&text).unwrap()).unwrap();
        assert_eq!(content.events.len(), 1);
        assert!(recordings.export(&second, &key, &mut Vec::new()).unwrap().is_some());
        for wrong in ["../secrets.sealed", "", &"f".repeat(32)] {
            assert!(matches!(recordings.delete(wrong), Err(RecordingError::NotFound(_))), "{wrong}");
        }
        let later = SystemTime::now() + Duration::from_secs(100);
        assert_eq!(recordings.delete_older(Duration::from_secs(3600), later).unwrap(), 0);
        recordings.delete(&second).unwrap();
        assert_eq!(recordings.delete_older(Duration::from_secs(10), later).unwrap(), 1);
        assert!(recordings.list(None).unwrap().is_empty());
    }
}
