//! Locks between programs. The operating system releases them however a program ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::os;

const TURNS: &str = "sessions.lock";
const RUN_SUFFIX: &str = ".run";
/// Longest wait for another program, which holds the lock for one write. One that is stopped meanwhile must not stop
/// sessions of this one: after that time it is written all the same, and only a rewrite at that moment could lose it.
const PATIENCE: Duration = Duration::from_millis(250);
/// There is no signal for a free file lock that could be waited for with a limit.
const LOOKS_EVERY: Duration = Duration::from_millis(2);
/// Names tried for a run.
const NAMES: u32 = 100;

/// The exclusive right to write to the journal, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _locked: Option<File>,
}

impl Turn {
    /// Waits for the right, within bounds.
    pub(super) fn take(directory: &Path) -> Self {
        let path = directory.join(TURNS);
        let opened = os::private_file_options().write(true).create(true).truncate(false).open(&path);
        let locked = opened.and_then(|file| {
            let since = Instant::now();
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(file),
                    Err(TryLockError::Error(error)) => return Err(error),
                    Err(TryLockError::WouldBlock) if since.elapsed() >= PATIENCE => {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    Err(TryLockError::WouldBlock) => std::thread::sleep(LOOKS_EVERY),
                }
            }
        });
        if let Err(error) = &locked {
            tracing::warn!(path = %path.display(), %error, "the session journal is used without its lock");
        }
        Self { _locked: locked.ok() }
    }
}

/// This program's sign of life: a locked file. Taken and looked for under a [`Turn`] only.
#[derive(Debug)]
pub(super) struct Run {
    name: String,
    path: PathBuf,
    _locked: File,
}

impl Run {
    /// Begins to be alive, and tidies away the signs of programs that are not.
    pub(super) fn begin(directory: &Path) -> io::Result<Self> {
        for name in names(directory)? {
            // Looking releases what nobody holds.
            Self::is_alive(directory, &name);
        }
        static OPENED: AtomicU32 = AtomicU32::new(0);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..NAMES {
            // The time tells two programs apart that had the same id one after the other.
            let number = OPENED.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{}-{number}", std::process::id(), since.as_millis());
            let path = file_of(directory, &name);
            match os::private_file_options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    file.try_lock().map_err(io::Error::from)?;
                    return Ok(Self { name, path, _locked: file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the program of that run lives. Removes its sign if not.
    pub(super) fn is_alive(directory: &Path, name: &str) -> bool {
        let path = file_of(directory, name);
        let Ok(file) = os::private_file_options().write(true).open(&path) else { return false };
        match file.try_lock() {
            Ok(()) => {
                // Gone already is as good.
                drop(std::fs::remove_file(&path));
                false
            }
            // What cannot be told must not be ended.
            Err(_) => true,
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// Names come from the journal, which anything may have written to.
fn file_of(directory: &Path, name: &str) -> PathBuf {
    let name: String = name.chars().filter(|c| c.is_ascii_digit() || *c == '-').take(64).collect();
    directory.join(format!("{name}{RUN_SUFFIX}"))
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    let files = std::fs::read_dir(directory)?;
    let name = |file: io::Result<std::fs::DirEntry>| {
        file.ok()?.file_name().to_str()?.strip_suffix(RUN_SUFFIX).map(str::to_owned)
    };
    Ok(files.filter_map(name).collect())
}
