//! Which sessions AWS granted to this user's programs and which of them are over, so that what a crash left behind can
//! be found and ended.
//!
//! One append-only file of lines is shared by all programs of the user. Each program that writes to it holds a lock on
//! a file of its own while it lives; the operating system gives it back however the program ends. A session is an
//! orphan when its program is gone and nobody wrote that the session is over. Nothing secret is kept: ids, target,
//! source, Region and time, no tokens.

mod line;
mod lock;

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::error::{StoreError, StoreErrorKind};
use crate::paths::Paths;
use crate::{file, os};

use line::Line;
use lock::{Run, Turn};

const FILE: &str = "sessions.journal";
/// Largest file read. Beyond it something else wrote to it.
const LIMIT: u64 = 4 * 1024 * 1024;
/// A file of this size is rewritten with what still matters.
const COMPACTS_FROM: u64 = 64 * 1024;
/// Sessions kept at most; the oldest go first.
const KEPT: usize = 2000;
/// No session lives longer than this without being ended by AWS (idle time-out 60 min, duration 24 h at most).
const OLDEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// A session AWS granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The session's id.
    pub session: String,
    /// Node id or other target.
    pub target: String,
    /// Name of the source whose credentials it was started with.
    pub source: String,
    /// Region.
    pub region: String,
    /// When, in milliseconds of the Unix epoch.
    pub granted_ms: u64,
}

/// The journal, open for this program. Clones share it.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    run: Run,
}

impl Journal {
    /// Opens the journal and marks this program as alive until the last clone is dropped. Creates the directory,
    /// private to the user.
    ///
    /// # Errors
    /// When the directory or the program's lock cannot be made.
    pub fn open(paths: &Paths) -> Result<Self, StoreError> {
        file::create_private_directory(&paths.state)?;
        let directory = paths.state.clone();
        let _turn = Turn::take(&directory);
        let run = Run::begin(&directory).map_err(|e| StoreError::io(&directory, &e))?;
        Ok(Self(Arc::new(Inner { directory, run })))
    }

    /// Writes that AWS granted a session. It outlives a crash of this program, but not of the computer: no time is
    /// spent on flushing the disk.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn granted(&self, entry: &JournalEntry) -> Result<(), StoreError> {
        self.append(&Line::Granted { run: self.0.run.name().to_owned(), entry: entry.clone() })
    }

    /// Writes that a session is over, whoever ended it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn ended(&self, session: &str) -> Result<(), StoreError> {
        self.append(&Line::Ended { session: session.to_owned() })
    }

    /// Sessions that programs left behind which are gone, oldest first. Those of programs that run, this one included,
    /// are not among them. Lines that cannot be read are passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn orphans(&self) -> Result<Vec<JournalEntry>, StoreError> {
        let _turn = Turn::take(&self.0.directory);
        let mut alive = Alive::new(self);
        let open = self.read()?;
        Ok(open.into_iter().filter(|(run, _)| !alive.is_alive(run)).map(|(_, entry)| entry).collect())
    }

    fn path(&self) -> PathBuf {
        self.0.directory.join(FILE)
    }

    fn append(&self, line: &Line) -> Result<(), StoreError> {
        let path = self.path();
        let _turn = Turn::take(&self.0.directory);
        let mut file = os::private_file_options()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|e| StoreError::io(&path, &e))?;
        let mut text = line
            .encode()
            .ok_or_else(|| StoreError::new(StoreErrorKind::Format, &path, "a line that cannot be written"))?;
        if is_torn(&mut file) {
            text.insert(0, '\n');
        }
        // One write, so that a program that dies leaves at most one torn line.
        file.write_all(text.as_bytes()).map_err(|e| StoreError::io(&path, &e))?;
        if file.metadata().is_ok_and(|meta| meta.len() >= COMPACTS_FROM) {
            drop(file);
            self.compact()?;
        }
        Ok(())
    }

    /// Sessions not known to be over, with the program each belongs to.
    fn read(&self) -> Result<Vec<(String, JournalEntry)>, StoreError> {
        let path = self.path();
        let bytes = match file::read(&path, LIMIT) {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(error) if error.kind == StoreErrorKind::TooLarge => {
                tracing::warn!(%error, "the session journal was set aside");
                std::fs::rename(&path, file::backup_name(&path)).map_err(|e| StoreError::io(&path, &e))?;
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let mut open: Vec<(String, JournalEntry)> = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n').filter_map(Line::decode) {
            match line {
                Line::Granted { run, entry } => open.push((run, entry)),
                Line::Ended { session } => open.retain(|(_, entry)| entry.session != session),
            }
        }
        Ok(open)
    }

    /// Rewrites the file with the sessions that may still be open.
    fn compact(&self) -> Result<(), StoreError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let oldest = u64::try_from(now.saturating_sub(OLDEST).as_millis()).unwrap_or(0);
        let mut alive = Alive::new(self);
        let mut open = self.read()?;
        open.retain(|(run, entry)| entry.granted_ms >= oldest || alive.is_alive(run));
        let surplus = open.len().saturating_sub(KEPT);
        let text: String = open
            .into_iter()
            .skip(surplus)
            .filter_map(|(run, entry)| Line::Granted { run, entry }.encode())
            .collect();
        file::replace(&self.path(), text.as_bytes())
    }
}

/// Which programs live, each looked up once.
struct Alive<'a> {
    journal: &'a Journal,
    alive: HashSet<String>,
    gone: HashSet<String>,
}

impl<'a> Alive<'a> {
    fn new(journal: &'a Journal) -> Self {
        let own = journal.0.run.name().to_owned();
        Self { journal, alive: HashSet::from([own]), gone: HashSet::new() }
    }

    fn is_alive(&mut self, run: &str) -> bool {
        if self.alive.contains(run) || self.gone.contains(run) {
            return self.alive.contains(run);
        }
        let lives = Run::is_alive(&self.journal.0.directory, run);
        if lives {
            self.alive.insert(run.to_owned())
        } else {
            self.gone.insert(run.to_owned())
        };
        lives
    }
}

/// Whether the file ends in the middle of a line.
fn is_torn(file: &mut File) -> bool {
    let mut last = [0];
    file.seek(SeekFrom::End(-1)).is_ok() && file.read_exact(&mut last).is_ok() && last != *b"\n"
}

/// The journal's file, for tests that damage it.
#[cfg(test)]
fn path_in(paths: &Paths) -> PathBuf {
    paths.state.join(FILE)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn entry(session: &str) -> JournalEntry {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        JournalEntry {
            session: session.to_owned(),
            target: "i-0123456789abcdef0".to_owned(),
            source: "ops".to_owned(),
            region: "eu-west-1".to_owned(),
            granted_ms: u64::try_from(now.as_millis()).unwrap_or(0),
        }
    }

    fn ids(entries: &[JournalEntry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.session.as_str()).collect()
    }

    #[test]
    fn sessions_of_a_program_that_is_gone_are_orphans_until_they_are_ended() {
        let home = TempDir::new().expect("directory");
        let paths = Paths::below(home.path());
        let first = Journal::open(&paths).expect("open");
        for id in ["a", "b", "c"] {
            first.granted(&entry(id)).expect("written");
        }
        first.ended("b").expect("written");
        let second = Journal::open(&paths).expect("open");
        second.granted(&entry("own")).expect("written");
        assert_eq!(ids(&second.orphans().expect("read")), [""; 0], "the other one lives");
        drop(first);
        assert_eq!(ids(&second.orphans().expect("read")), ["a", "c"]);
        second.ended("a").expect("written");
        assert_eq!(ids(&second.orphans().expect("read")), ["c"]);
    }

    #[test]
    fn a_torn_line_costs_itself_only() {
        let home = TempDir::new().expect("directory");
        let paths = Paths::below(home.path());
        let gone = Journal::open(&paths).expect("open");
        gone.granted(&entry("a")).expect("written");
        gone.granted(&entry("b")).expect("written");
        drop(gone);
        let whole = std::fs::read(path_in(&paths)).expect("read");
        for length in 0..whole.len() {
            std::fs::write(path_in(&paths), &whole[..length]).expect("write");
            let journal = Journal::open(&paths).expect("open");
            journal.ended("nobody").expect("written");
            let orphans = journal.orphans().expect("read");
            let lines = whole[..length].iter().filter(|byte| **byte == b'\n').count();
            // A line that lacks no more than its end is whole.
            assert!(orphans.len() == lines || orphans.len() == lines + 1, "{length}: {orphans:?}");
        }
        std::fs::write(path_in(&paths), b"\xff\xfe\0 {} [] null \n{\"granted\":7}\n").expect("write");
        assert_eq!(Journal::open(&paths).expect("open").orphans(), Ok(Vec::new()));
    }

    #[test]
    fn the_file_stays_small_and_keeps_what_is_open() {
        let home = TempDir::new().expect("directory");
        let paths = Paths::below(home.path());
        let gone = Journal::open(&paths).expect("open");
        gone.granted(&entry("left behind")).expect("written");
        gone.granted(&JournalEntry { granted_ms: 1, ..entry("of old") }).expect("written");
        drop(gone);
        let journal = Journal::open(&paths).expect("open");
        for number in 0..1500 {
            let id = format!("s{number}");
            journal.granted(&entry(&id)).expect("written");
            journal.ended(&id).expect("written");
        }
        let size = std::fs::metadata(path_in(&paths)).expect("file").len();
        assert!(size < COMPACTS_FROM + 1024, "{size}");
        assert_eq!(ids(&journal.orphans().expect("read")), ["left behind"]);
    }

    #[test]
    fn writers_of_two_journals_lose_nothing_to_each_other() {
        let home = TempDir::new().expect("directory");
        let paths = Paths::below(home.path());
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let paths = &paths;
                scope.spawn(move || {
                    let journal = Journal::open(paths).expect("open");
                    for number in 0..200 {
                        let id = format!("{writer}-{number}");
                        journal.granted(&entry(&id)).expect("written");
                        if number % 2 == 0 {
                            journal.ended(&id).expect("written");
                        }
                    }
                });
            }
        });
        let orphans = Journal::open(&paths).expect("open").orphans().expect("read");
        assert_eq!(orphans.len(), 400);
        let distinct: HashSet<_> = orphans.iter().map(|entry| &entry.session).collect();
        assert_eq!(distinct.len(), 400);
    }
}
