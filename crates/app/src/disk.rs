//! Writing to disk in order, off the controller's task.

use fleetline_store::{Store, StoreError};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Writes that may wait; a full queue refuses the write, and the next change of the same document writes it all.
const WAITING: usize = 64;

type Job = Box<dyn FnOnce(&Store) -> Result<(), StoreError> + Send>;

/// What became of writes, for the controller.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    /// A write failed.
    Failed(StoreError),
    /// A write succeeded.
    Done,
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
                    Ok(Ok(())) => Written::Done,
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
        self.push(Box::new(move |store| store.save(name, &value)));
    }

    pub(crate) fn forget(&self, name: &'static str) {
        self.push(Box::new(move |store| store.forget(name)));
    }

    pub(crate) fn save_cached<T: Serialize + Send + 'static>(&self, key: String, saved_ms: i64, value: T) {
        self.push(Box::new(move |store| store.save_cached(&key, saved_ms, &value)));
    }

    fn push(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            tracing::warn!("too many writes are waiting; one was left out");
        }
    }

    /// Waits until everything is written.
    pub(crate) async fn finish(self) {
        drop(self.jobs);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the writer ended by a defect");
        }
    }
}
