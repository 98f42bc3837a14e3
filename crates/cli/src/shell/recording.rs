//! The recording of a shell in this terminal.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use fleetline_app::problem::Context;
use fleetline_app::recorder::{self, Recorder, RecorderState, RecordingRules};
use fleetline_app::{Store, Vault};
use fleetline_engine::{ShellSession, TerminalSize};
use fleetline_recording::sealed::{About, Ending};
use tokio::sync::{Mutex, watch};

use super::{say, size};
use crate::console::tell;
use crate::failure::Failure;
use crate::{recordings, secrets};

/// Where recordings are kept, and what seals them.
pub(super) struct Place {
    store: Store,
    vault: Vault,
}

/// A recording that goes on.
pub(super) struct Recording {
    recorder: Mutex<Option<Recorder>>,
    state: watch::Receiver<RecorderState>,
}

/// Finds the place and its key.
///
/// # Errors
/// When nothing could be recorded.
pub(super) async fn place() -> Result<Place, Failure> {
    let found = tokio::task::spawn_blocking(|| {
        let (store, vault) = (recordings::store()?, secrets::vault());
        recorder::key(&vault)?;
        Ok(Place { store, vault })
    });
    found.await.map_err(|error| Failure::local("The recording ended by a defect", &error))?
}

/// Begins to record a session that is open, and says so.
///
/// # Errors
/// When it cannot be written.
pub(super) async fn begin(
    place: Place,
    session: &ShellSession,
    context: &Context,
    input: bool,
) -> Result<Recording, Failure> {
    let size = size::current();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let about = About {
        node: context.node.clone().unwrap_or_default(),
        target: context.node_id.clone().unwrap_or_default(),
        source: context.source.clone(),
        region: context.region.clone(),
        session: session.session_id().map(|id| id.to_string()),
        size: (size.cols, size.rows),
        started_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        input,
    };
    let rules = RecordingRules { input, ..RecordingRules::on_disk(&place.store) };
    let recorder = Recorder::begin(&place.store, place.vault, about, rules).await?;
    let what = if input { "Output, and input that is shown, is" } else { "Output is" };
    // Said even when little else is: whoever sits here must know.
    tell(&format!("{what} recorded as {}, sealed on this computer.", recorder.id()));
    let state = recorder.state();
    Ok(Recording { recorder: Mutex::new(Some(recorder)), state })
}

impl Recording {
    pub(super) async fn printed(&self, bytes: &Bytes) {
        if let Some(recorder) = &mut *self.recorder.lock().await {
            recorder.printed(bytes).await;
        }
    }

    pub(super) async fn typed(&self, bytes: &[u8]) {
        if let Some(recorder) = &mut *self.recorder.lock().await {
            recorder.typed(bytes);
        }
    }

    pub(super) async fn resized(&self, size: TerminalSize) {
        if let Some(recorder) = &mut *self.recorder.lock().await {
            recorder.resized(size.cols, size.rows).await;
        }
    }

    /// Ends it with its session.
    pub(super) async fn end(&self) {
        if let Some(recorder) = self.recorder.lock().await.take() {
            recorder.end(Ending::Session).await;
        }
        if let RecorderState::Failed(why) = &*self.state.borrow() {
            tell(&format!("The end of the recording could not be written: {why}."));
        }
    }
}

/// Tells when a recording ends before its session. Never returns.
pub(super) async fn watch(recording: Option<&Recording>, raw: bool) {
    if let Some(recording) = recording {
        let mut state = recording.state.clone();
        let over = state.wait_for(|state| *state != RecorderState::On).await;
        let line = match over.as_deref() {
            Ok(RecorderState::Ended(Ending::Full)) => {
                Some("The recording reached its largest size and ended.".to_owned())
            }
            Ok(RecorderState::Failed(why)) => {
                Some(format!("The recording could not be written any more and ended: {why}."))
            }
            _ => None,
        };
        drop(over);
        if let Some(line) = line {
            say(raw, &line);
        }
    }
    std::future::pending().await
}
