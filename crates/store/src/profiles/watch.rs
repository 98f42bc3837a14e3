//! Telling when somebody else changed the profile file.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::{EventKind, RecursiveMode, Watcher};

use super::disk::{Fingerprint, LoadedProfiles};
use crate::Store;

/// Quiet time after the last event before the file is read: editors write in several steps.
const QUIET: Duration = Duration::from_millis(150);

/// Longest wait while events keep coming.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the file is not watched. Everything else works; changes show at the next start.
#[derive(Debug, thiserror::Error)]
#[error("the profile file is not watched: {0}")]
pub struct WatchFailed(String);

enum Message {
    Changed,
    Wrote(Fingerprint),
    Stop,
}

/// Watches the profile file until it is dropped.
#[derive(Debug)]
pub struct ProfileWatch {
    messages: Sender<Message>,
    // Dropped before the thread is joined; its callback owns a sender.
    watcher: Option<notify::RecommendedWatcher>,
    thread: Option<JoinHandle<()>>,
}

impl ProfileWatch {
    /// Calls `changed` on a thread of its own with the new profiles whenever the file's content becomes another than
    /// `known`, the last value passed to [`Self::wrote`], and the last one it was called with. A burst of events
    /// is one call, 150 ms after the last.
    pub fn start(
        store: Store,
        known: Fingerprint,
        changed: impl FnMut(LoadedProfiles) + Send + 'static,
    ) -> Result<Self, WatchFailed> {
        let Some(path) = store.profiles_path() else {
            return Err(WatchFailed("nothing is kept on disk".to_owned()));
        };
        let (messages, received) = channel();
        let told = messages.clone();
        // A file the user linked from elsewhere changes there.
        let target = std::fs::canonicalize(&path).ok().filter(|target| *target != path);
        let paths: Vec<PathBuf> = [Some(path), target].into_iter().flatten().collect();
        let names = paths.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let concerns = match &event {
                Ok(event) => {
                    !matches!(event.kind, EventKind::Access(_))
                        && (event.paths.is_empty()
                            || event.paths.iter().any(|p| {
                                names.iter().any(|name| name == p || name.file_name() == p.file_name())
                            }))
                }
                // Events may have been lost: look.
                Err(_) => true,
            };
            if concerns {
                // Fails only while the watch is being dropped.
                drop(told.send(Message::Changed));
            }
        })
        .map_err(|e| WatchFailed(e.to_string()))?;
        // The directory, because saving replaces the file.
        for directory in paths.iter().filter_map(|path| path.parent()) {
            watcher.watch(directory, RecursiveMode::NonRecursive).map_err(|e| WatchFailed(e.to_string()))?;
        }
        let thread = std::thread::Builder::new()
            .name("profile-watch".to_owned())
            .spawn(move || follow(&store, known, &received, changed))
            .map_err(|e| WatchFailed(e.to_string()))?;
        Ok(Self { messages, watcher: Some(watcher), thread: Some(thread) })
    }

    /// Says what the caller itself has just written, so that it is not told about it.
    pub fn wrote(&self, fingerprint: Fingerprint) {
        // Fails only when the callback panicked; nothing is told any more then.
        drop(self.messages.send(Message::Wrote(fingerprint)));
    }
}

impl Drop for ProfileWatch {
    fn drop(&mut self) {
        self.watcher = None;
        drop(self.messages.send(Message::Stop));
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A panic of the callback was reported by its own thread.
            drop(thread.join());
        }
    }
}

fn follow(
    store: &Store,
    mut known: Fingerprint,
    received: &Receiver<Message>,
    mut changed: impl FnMut(LoadedProfiles),
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
            Ok(Message::Changed) => {
                let now = Instant::now();
                burst = Some((burst.map_or(now, |(first, _)| first), now));
            }
            Ok(Message::Wrote(fingerprint)) => known = fingerprint,
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                burst = None;
                let loaded = store.load_profiles();
                // A file that cannot be read at this moment is told too: the owner shows it and keeps what it has.
                if loaded.fingerprint != known || loaded.unreadable.is_some() {
                    known = loaded.fingerprint;
                    changed(loaded);
                }
            }
        }
    }
}
