//! Writing to disk in order, off the controller's task.

use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::{Edit, EditFailed, Fingerprint};
use fleetline_store::{BookEdit, BookFailed, FleetBook, Store, StoreError};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::problem::describe_store;

/// Writes that may wait; a full queue refuses the write, and the next change of the same document writes it all.
const WAITING: usize = 64;

type Job = Box<dyn FnOnce(&Store) -> Result<Written, CommandError> + Send>;

/// What became of writes, for the controller.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    /// A write failed.
    Failed(CommandError),
    /// A write succeeded.
    Done,
    /// Edits of saved profiles are written, or were refused: what the file is then, and what went wrong.
    Profiles(Option<Fingerprint>, Option<CommandError>),
    /// A listing was written to the cache, or not, for this reason.
    Cached(Option<CommandError>),
    /// The book of the fleet was changed, and is like this on disk.
    Book {
        /// Number of the change.
        number: u64,
        /// All of it.
        book: FleetBook,
    },
}

/// The one writer of the store.
pub(crate) struct Disk {
    store: Store,
    jobs: mpsc::Sender<Job>,
    task: JoinHandle<()>,
}

impl Disk {
    pub(crate) fn start(store: Store, written: mpsc::Sender<Written>) -> Self {
        let (jobs, mut queued) = mpsc::channel::<Job>(WAITING);
        let writer = store.clone();
        let task = tokio::spawn(async move {
            while let Some(job) = queued.recv().await {
                let store = writer.clone();
                let outcome = match tokio::task::spawn_blocking(move || job(&store)).await {
                    Ok(Ok(written)) => written,
                    Ok(Err(error)) => Written::Failed(error),
                    Err(error) => {
                        tracing::error!(%error, "a write ended by a defect");
                        continue;
                    }
                };
                // After the controller has ended, writes still finish.
                drop(written.send(outcome).await);
            }
        });
        Self { store, jobs, task }
    }

    /// For reading, which needs no order.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn save<T: Serialize + Send + 'static>(&self, name: &'static str, value: T) {
        self.push(Box::new(move |store| described(store.save(name, &value))));
    }

    pub(crate) fn forget(&self, name: &'static str) {
        self.push(Box::new(move |store| described(store.forget(name))));
    }

    /// Answers with [`Written::Cached`]. Returns whether there was room for it in the queue.
    pub(crate) fn save_cached<T: Serialize + Send + 'static>(
        &self,
        key: String,
        saved_ms: i64,
        value: T,
    ) -> bool {
        self.push(cache_job(key, saved_ms, value))
    }

    /// As [`Self::save_cached`], but waits for room in the queue: for the end, when nothing comes after.
    pub(crate) async fn save_last<T: Serialize + Send + 'static>(
        &self,
        key: String,
        saved_ms: i64,
        value: T,
    ) {
        if self.jobs.send(cache_job(key, saved_ms, value)).await.is_err() {
            tracing::warn!("the writer has ended before its time");
        }
    }

    /// Changes the book of the fleet as it is on disk by then.
    pub(crate) fn edit_book(&self, number: u64, edit: BookEdit) {
        self.push(Box::new(move |store| match store.edit_fleet_book(&[edit]) {
            Ok(book) => Ok(Written::Book { number, book }),
            Err(BookFailed::Store(error)) => Err(describe_store(&error)),
            Err(BookFailed::Refused(refused)) => Err(CommandError {
                hint: Some("The change holds until Fleetline ends.".to_owned()),
                ..CommandError::new(ErrorCode::Storage, format!("A view or group was not saved. {refused}"))
            }),
        }));
    }

    /// Changes saved profiles, all of the edits or none. `false` when nothing is to be written, or the write was left out.
    pub(crate) fn edit_profiles(&self, edits: Vec<Edit>) -> bool {
        if edits.is_empty() {
            return false;
        }
        self.push(Box::new(move |store| match store.edit_profiles(&edits) {
            Ok(loaded) => Ok(Written::Profiles(Some(loaded.fingerprint), None)),
            Err(EditFailed::Store(error)) => Ok(Written::Profiles(None, Some(describe_store(&error)))),
            Err(EditFailed::Refused(refused)) => {
                let problem = CommandError {
                    hint: Some("The change holds until Fleetline ends.".to_owned()),
                    ..CommandError::new(ErrorCode::Storage, format!("A forward was not saved: {refused}."))
                };
                Ok(Written::Profiles(None, Some(problem)))
            }
        }))
    }

    fn push(&self, job: Job) -> bool {
        let is_queued = self.jobs.try_send(job).is_ok();
        if !is_queued {
            tracing::warn!("too many writes are waiting; one was left out");
        }
        is_queued
    }

    /// Waits until everything is written.
    pub(crate) async fn finish(self) {
        drop(self.jobs);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the writer ended by a defect");
        }
    }
}

fn cache_job<T: Serialize + Send + 'static>(key: String, saved_ms: i64, value: T) -> Job {
    Box::new(move |store| {
        let saved = store.save_cached(&key, saved_ms, &value);
        Ok(Written::Cached(saved.err().map(|error| describe_store(&error))))
    })
}

fn described(done: Result<(), StoreError>) -> Result<Written, CommandError> {
    done.map(|()| Written::Done).map_err(|error| describe_store(&error))
}
