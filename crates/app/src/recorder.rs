//! Recording a shell while it runs: events go to a task that seals and writes them.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fleetline_ipc::recording::{RecordingList, RecordingRow};
use fleetline_ipc::settings::Settings;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::sealed::{About, Ending, FLUSH_EVERY, Writer};
use fleetline_recording::{Content, Echo, Event, Recorded, RecordingError, Recordings, What};
use fleetline_store::Store;
use fleetline_vault::{Key, Vault, names};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::controller::SETTINGS;
use crate::rows::millis;
use crate::secrets::trouble_of;

/// Events that may wait to be written, each of a message of the node at most; beyond them the node waits.
const WAITING: usize = 64;
const DAY: Duration = Duration::from_secs(24 * 3600);
const MIB: u64 = 1024 * 1024;

/// What is recorded, and for how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingRules {
    /// Largest file, in bytes.
    pub bytes: u64,
    /// Age at which recordings are deleted.
    pub age: Duration,
    /// Whether what is typed and shown is recorded as well.
    pub input: bool,
}

impl RecordingRules {
    /// What settings say.
    pub fn of(settings: &Settings) -> Self {
        Self {
            bytes: u64::from(settings.recording_mib) * MIB,
            age: DAY * settings.recording_days,
            input: settings.record_input,
        }
    }

    /// What the settings on disk say.
    pub fn on_disk(store: &Store) -> Self {
        Self::of(&store.load::<Settings>(SETTINGS).value)
    }
}

/// How a recording stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecorderState {
    /// It goes on.
    On,
    /// It ended as it was to.
    Ended(Ending),
    /// It could not be written any more, for this reason.
    Failed(String),
}

enum Message {
    Event(Event),
    End(Ending, oneshot::Sender<()>),
}

/// A recording that goes on. Dropped, it ends like one whose program was killed.
#[derive(Debug)]
pub struct Recorder {
    id: String,
    about: About,
    sender: mpsc::Sender<Message>,
    state: watch::Receiver<RecorderState>,
    epoch: Instant,
    echo: Option<Echo>,
}

/// The recordings of a store; `None` where nothing is kept.
pub fn recordings(store: &Store) -> Option<Recordings> {
    store.data_directory().map(|directory| Recordings::new(&directory.join("recordings")))
}

/// The key of all recordings. Blocks as [`Vault::look`] does.
///
/// # Errors
/// When nothing that is kept could be sealed: what to do about it.
pub fn key(vault: &Vault) -> Result<Key, CommandError> {
    vault.key(names::RECORDINGS).map_err(|state| {
        let why = trouble_of(&state).unwrap_or_else(|| {
            CommandError::new(ErrorCode::Storage, "There is no place for what is to be kept.")
        });
        CommandError { message: format!("Recordings need a key that is kept. {}", why.message), ..why }
    })
}

impl Recorder {
    /// Begins a recording, and deletes those that are too old.
    ///
    /// # Errors
    /// When there is no key that is kept, or no place to write to.
    pub async fn begin(
        store: &Store,
        vault: Vault,
        about: About,
        rules: RecordingRules,
    ) -> Result<Self, CommandError> {
        let Some(recordings) = recordings(store) else {
            return Err(CommandError::new(
                ErrorCode::Storage,
                "This run keeps no files, so nothing is recorded.",
            ));
        };
        let told = about.clone();
        let begin = move || {
            let key = key(&vault)?;
            if let Err(error) = recordings.delete_older(rules.age, SystemTime::now()) {
                tracing::warn!(%error, "old recordings stay");
            }
            recordings.begin(&key, &told).map_err(|error| problem(&error))
        };
        let begun = tokio::task::spawn_blocking(begin).await;
        let (id, writer) = begun.map_err(|error| {
            CommandError::new(ErrorCode::Internal, format!("The recording ended by a defect: {error}."))
        })??;
        let (sender, messages) = mpsc::channel(WAITING);
        let (told, state) = watch::channel(RecorderState::On);
        tokio::spawn(write(writer, messages, told, rules.bytes));
        let echo = rules.input.then(Echo::default);
        Ok(Self { id, about, sender, state, epoch: Instant::now(), echo })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is of.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// How it stands.
    pub fn state(&self) -> watch::Receiver<RecorderState> {
        self.state.clone()
    }

    /// Takes in what the node printed. Waits while the disk is behind.
    pub async fn printed(&mut self, bytes: &Bytes) {
        if let Some(shown) = self.echo.as_mut().and_then(|echo| echo.printed(bytes)) {
            self.event(What::Input(Bytes::from(shown))).await;
        }
        if !bytes.is_empty() {
            self.event(What::Output(bytes.clone())).await;
        }
    }

    /// Takes in what was typed; without the choice to record it, nothing.
    pub fn typed(&mut self, bytes: &[u8]) {
        if let Some(echo) = &mut self.echo {
            echo.typed(bytes);
        }
    }

    /// Takes in a new size, in columns and rows.
    pub async fn resized(&mut self, cols: u16, rows: u16) {
        self.event(What::Resize(cols, rows)).await;
    }

    async fn event(&mut self, what: What) {
        let event = Event { at: self.epoch.elapsed(), what };
        // One that has ended says why by its state.
        drop(self.sender.send(Message::Event(event)).await);
    }

    /// Ends it, once all is written.
    pub async fn end(self, ending: Ending) {
        let (done, written) = oneshot::channel();
        if self.sender.send(Message::End(ending, done)).await.is_ok() {
            // Without an answer it has failed, which its state says.
            drop(written.await);
        }
    }
}

/// Writes until the end, until it is full, or until it cannot.
async fn write(
    mut writer: Writer,
    mut messages: mpsc::Receiver<Message>,
    told: watch::Sender<RecorderState>,
    limit: u64,
) {
    let mut flush_at: Option<Instant> = None;
    let mut taken = Vec::with_capacity(WAITING);
    let state = loop {
        let due = async {
            match flush_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let flush = tokio::select! {
            count = messages.recv_many(&mut taken, WAITING) => {
                if count == 0 {
                    // Whoever recorded is gone without a word.
                    let flushed = on_disk(writer, |writer| writer.flush()).await;
                    if let Err(error) = flushed {
                        tracing::warn!(%error, "the end of a recording is lost");
                    }
                    return;
                }
                flush_at.get_or_insert_with(|| Instant::now() + FLUSH_EVERY);
                false
            }
            () = due => {
                flush_at = None;
                true
            }
        };
        let mut end = None;
        let mut events = Vec::with_capacity(taken.len());
        for message in taken.drain(..) {
            match message {
                Message::Event(event) => events.push(event),
                Message::End(ending, done) => end = Some((ending, done)),
            }
        }
        let written = on_disk(writer, move |writer| {
            for event in &events {
                writer.event(event)?;
            }
            if flush { writer.flush() } else { Ok(()) }
        });
        writer = match written.await {
            Ok(writer) => writer,
            Err(error) => break RecorderState::Failed(error.to_string()),
        };
        let ending = match &end {
            Some((ending, _)) => *ending,
            None if writer.size() > limit => Ending::Full,
            None => continue,
        };
        let ended = tokio::task::spawn_blocking(move || writer.end(ending)).await;
        let state = match ended.map_err(io::Error::other).flatten() {
            Ok(()) => RecorderState::Ended(ending),
            Err(error) => RecorderState::Failed(error.to_string()),
        };
        if let Some((_, done)) = end {
            // Whoever waited may be gone.
            let _ = done.send(());
        }
        break state;
    };
    // Without a recorder nobody needs to know.
    drop(told.send(state));
}

/// Does something with the file on a thread that may block.
async fn on_disk(
    mut writer: Writer,
    act: impl FnOnce(&mut Writer) -> io::Result<()> + Send + 'static,
) -> io::Result<Writer> {
    let done = tokio::task::spawn_blocking(move || act(&mut writer).map(|()| writer)).await;
    done.map_err(io::Error::other).flatten()
}

/// All recordings, with what can be told of them. Blocks.
///
/// # Errors
/// When their directory cannot be read.
pub fn list(store: &Store, vault: &Vault) -> Result<RecordingList, CommandError> {
    let Some(recordings) = recordings(store) else {
        let problem =
            CommandError::new(ErrorCode::Storage, "This run keeps no files, so nothing is recorded.");
        return Ok(RecordingList { rows: Vec::new(), problem: Some(problem) });
    };
    let any = !recordings.list(None).map_err(|error| problem(&error))?.is_empty();
    // A key is made with the first recording, not by looking.
    let key = if any { key(vault).map(Some) } else { Ok(None) };
    let listed = recordings.list(key.as_ref().ok().and_then(Option::as_ref));
    let rows = listed.map_err(|error| problem(&error))?.into_iter().map(row).collect();
    Ok(RecordingList { rows, problem: key.err() })
}

/// All of a recording, to replay it. Blocks.
///
/// # Errors
/// When there is none of this id, or it cannot be opened.
pub fn content(store: &Store, vault: &Vault, id: &str) -> Result<Content, CommandError> {
    let recordings = recordings(store).ok_or_else(|| not_found(id))?;
    recordings.content(id, &key(vault)?).map_err(|error| problem(&error))
}

/// Writes a recording in clear where the user finds downloads. Blocks. Returns where, and what is missing.
///
/// # Errors
/// When there is none of this id, it cannot be opened, or not written.
pub fn export(
    store: &Store,
    vault: &Vault,
    id: &str,
) -> Result<(PathBuf, Option<&'static str>), CommandError> {
    let recordings = recordings(store).ok_or_else(|| not_found(id))?;
    let mut text = Vec::new();
    let note = recordings.export(id, &key(vault)?, &mut text).map_err(|error| problem(&error))?;
    let short = id.get(..8).unwrap_or(id);
    let written = store.export(&format!("fleetline-recording-{short}"), "cast", &text);
    Ok((written.map_err(|error| crate::problem::describe_store(&error))?, note))
}

/// Deletes a recording. Blocks.
///
/// # Errors
/// When there is none of this id, or it stays.
pub fn delete(store: &Store, id: &str) -> Result<(), CommandError> {
    let recordings = recordings(store).ok_or_else(|| not_found(id))?;
    recordings.delete(id).map_err(|error| problem(&error))
}

fn row(recorded: Recorded) -> RecordingRow {
    let ms = |ms: u64| millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let readable = recorded.about.is_some();
    let about = recorded.about.unwrap_or(About {
        node: String::new(),
        target: String::new(),
        source: String::new(),
        region: String::new(),
        session: None,
        size: (80, 24),
        started_ms: recorded.changed_ms,
        input: false,
    });
    RecordingRow {
        id: recorded.id,
        readable,
        started_ms: ms(about.started_ms),
        duration_ms: ms(recorded.changed_ms.saturating_sub(about.started_ms)),
        bytes: recorded.bytes as f64,
        node: about.node,
        target: about.target,
        source: about.source,
        region: about.region,
        session: about.session,
        input: about.input,
    }
}

fn not_found(id: &str) -> CommandError {
    problem(&RecordingError::NotFound(id.to_owned()))
}

/// Why something was not done with a recording.
pub fn problem(error: &RecordingError) -> CommandError {
    match error {
        RecordingError::NotFound(id) => {
            CommandError::new(ErrorCode::NotFound, format!("There is no recording {id}."))
        }
        RecordingError::Store(error) => crate::problem::describe_store(error),
        RecordingError::Unreadable(why) => {
            CommandError::new(ErrorCode::Storage, format!("The recording cannot be read: {why}."))
        }
        RecordingError::File(error) => CommandError {
            detail: Some(error.to_string()),
            ..CommandError::new(ErrorCode::Storage, "The recording could not be written or deleted.")
        },
    }
}
