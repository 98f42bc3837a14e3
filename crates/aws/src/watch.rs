//! Telling when the configuration files change, or somebody signs in or out elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

use crate::config::Stamp;
use crate::settings::AwsSettings;

/// Quiet time after the last event before the files are looked at: editors write in several steps.
const QUIET: Duration = Duration::from_millis(150);
/// Longest wait while events keep coming.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the AWS configuration is not watched. Everything else works: changes take effect with the next call.
#[derive(Debug, thiserror::Error)]
#[error("the AWS configuration is not watched: {0}")]
pub struct WatchFailed(String);

enum Message {
    /// Something happened at these paths; none means anywhere.
    Touched(Vec<PathBuf>),
    Stop,
}

/// Watches the files and the sign-ins until it is dropped.
pub(crate) struct ConfigWatch {
    changes: watch::Receiver<u64>,
    messages: Sender<Message>,
}

impl ConfigWatch {
    /// Begins to watch. `changed` runs on a thread of its own before the receivers see the change.
    pub(crate) fn start(
        settings: Arc<AwsSettings>,
        changed: impl Fn() + Send + 'static,
    ) -> Result<Self, WatchFailed> {
        let failed = |error: &dyn fmt::Display| WatchFailed(error.to_string());
        let (messages, received) = channel();
        let told = messages.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let paths = match event {
                Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
                Ok(event) => event.paths,
                // Events may have been lost: look.
                Err(_) => Vec::new(),
            };
            // Fails only while the watch is being dropped.
            drop(told.send(Message::Touched(paths)));
        })
        .map_err(|error| failed(&error))?;
        let mut places = Places { watcher, files: Vec::new(), tokens: None, watched: BTreeSet::new() };
        places.follow(&settings).map_err(|error| failed(&error))?;
        let known = Seen::of(&settings);
        let (counter, changes) = watch::channel(0);
        std::thread::Builder::new()
            .name("aws-config-watch".to_owned())
            .spawn(move || run(places, &settings, known, &received, &counter, &changed))
            .map_err(|error| failed(&error))?;
        Ok(Self { changes, messages })
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }
}

impl Drop for ConfigWatch {
    fn drop(&mut self) {
        // Fails only when the thread is gone already.
        drop(self.messages.send(Message::Stop));
    }
}

/// What is compared: the files, and the tokens of sign-ins that this program, the AWS CLI and others keep together.
#[derive(PartialEq, Eq)]
struct Seen {
    files: Stamp,
    /// Time and length by file name.
    tokens: BTreeMap<OsString, (SystemTime, u64)>,
}

impl Seen {
    /// Looks at the files without reading them.
    fn of(settings: &AwsSettings) -> Self {
        let listed = settings.sso_cache().and_then(|directory| std::fs::read_dir(directory).ok());
        let look = |entry: std::fs::DirEntry| {
            let data = entry.metadata().ok().filter(|_| is_token(&entry.path()))?;
            Some((entry.file_name(), (data.modified().ok()?, data.len())))
        };
        let tokens = listed.into_iter().flatten().flatten().filter_map(look).collect();
        Self { files: Stamp::of(settings), tokens }
    }
}

/// Whether a file of the token cache is a token or a registration: others there are locks and unfinished copies.
fn is_token(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "json")
}

/// What is watched: the directories of the files, since saving replaces files, and their parents, since a directory
/// may be made or moved.
struct Places {
    watcher: RecommendedWatcher,
    /// The files and, where they are links, what they lead to.
    files: Vec<PathBuf>,
    /// The directory of the tokens.
    tokens: Option<PathBuf>,
    watched: BTreeSet<PathBuf>,
}

impl Places {
    /// Watches what exists by now and is not watched yet.
    fn follow(&mut self, settings: &AwsSettings) -> notify::Result<()> {
        let named = [settings.config_file(), settings.credentials_file()].into_iter().flatten();
        let named: Vec<PathBuf> = named.map(Path::to_owned).collect();
        let targets = named.iter().filter_map(|file| std::fs::canonicalize(file).ok());
        self.files = targets.filter(|target| !named.contains(target)).collect();
        self.files.extend(named);
        let mut wanted = BTreeSet::new();
        for file in &self.files {
            let existing = file.ancestors().skip(1).filter(|directory| directory.is_dir());
            wanted.extend(existing.take(2).map(Path::to_owned));
        }
        self.tokens = settings.sso_cache().map(Path::to_owned);
        if let Some(tokens) = &self.tokens {
            let existing = tokens.ancestors().filter(|directory| directory.is_dir());
            wanted.extend(existing.take(2).map(Path::to_owned));
        }
        for directory in &wanted {
            if self.watched.contains(directory) {
                continue;
            }
            self.watcher.watch(directory, RecursiveMode::NonRecursive)?;
        }
        self.watched = wanted;
        Ok(())
    }

    /// Whether events at these paths can concern a file. A directory that was touched itself is watched anew: another
    /// one may stand in its place.
    fn concern(&mut self, paths: &[PathBuf]) -> bool {
        for path in paths {
            self.watched.remove(path);
        }
        let concerns = |path: &PathBuf| {
            self.files.iter().any(|file| file.starts_with(path) || file.file_name() == path.file_name())
        };
        let of_tokens = |path: &PathBuf| {
            self.tokens.as_ref().is_some_and(|tokens| {
                let within = path.parent().and_then(Path::file_name) == tokens.file_name();
                tokens.starts_with(path) || (within && is_token(path))
            })
        };
        paths.is_empty() || paths.iter().any(|path| concerns(path) || of_tokens(path))
    }
}

fn run(
    mut places: Places,
    settings: &AwsSettings,
    mut known: Seen,
    received: &Receiver<Message>,
    counter: &watch::Sender<u64>,
    changed: &dyn Fn(),
) {
    let mut burst: Option<(Instant, Instant)> = None;
    loop {
        let message = match burst {
            None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some((first, last)) => {
                let due = (last + QUIET).min(first + PATIENCE);
                received.recv_timeout(due.saturating_duration_since(Instant::now()))
            }
        };
        match message {
            Ok(Message::Touched(paths)) => {
                if !places.concern(&paths) {
                    continue;
                }
                if let Err(error) = places.follow(settings) {
                    tracing::warn!(%error, "a directory of the AWS configuration is not watched");
                }
                let now = Instant::now();
                burst = Some((burst.map_or(now, |(first, _)| first), now));
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                burst = None;
                let seen = Seen::of(settings);
                if seen != known {
                    known = seen;
                    changed();
                    counter.send_modify(|count| *count += 1);
                }
            }
        }
    }
}
