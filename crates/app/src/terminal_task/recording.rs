//! Recording a terminal.

use fleetline_ipc::recording::RecordingMark;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::sealed::Ending;

use super::{Report, Task};
use crate::recorder::{Recorder, RecorderState};
use crate::rows::millis;

pub(super) fn recording_failed(why: String) -> CommandError {
    CommandError {
        detail: Some(why),
        hint: Some("What was recorded before can be played.".to_owned()),
        ..CommandError::new(ErrorCode::Storage, "The recording could not be written any more and ended.")
    }
}

impl Task {
    pub(super) async fn record(&mut self, mut recorder: Recorder) {
        self.end_recording(Ending::Stopped).await;
        let about = recorder.about();
        let mark = RecordingMark {
            since_ms: millis(i64::try_from(about.started_ms).unwrap_or(i64::MAX)),
            input: about.input,
        };
        let size = self.terminal.size();
        if about.size != (size.cols, size.rows) {
            recorder.resized(size.cols, size.rows).await;
        }
        let state = recorder.state();
        self.recording = Some((recorder, state));
        self.report(Report::Recording(Some(mark))).await;
    }

    pub(super) async fn end_recording(&mut self, ending: Ending) {
        let Some((recorder, state)) = self.recording.take() else { return };
        recorder.end(ending).await;
        let last = state.borrow().clone();
        match last {
            RecorderState::Failed(why) => self.report(Report::RecordingFailed(recording_failed(why))).await,
            RecorderState::On | RecorderState::Ended(_) => self.report(Report::Recording(None)).await,
        }
    }

    /// It ended by itself: it is full, or cannot be written.
    pub(super) async fn recorder_changed(&mut self) {
        let Some((_, mut state)) = self.recording.take() else { return };
        let last = state.borrow_and_update().clone();
        let problem = match last {
            RecorderState::Failed(why) => recording_failed(why),
            RecorderState::On | RecorderState::Ended(_) => CommandError {
                hint: Some("Choose a larger size in the settings, or begin another one.".to_owned()),
                ..CommandError::new(ErrorCode::Storage, "The recording reached its largest size and ended.")
            },
        };
        self.report(Report::RecordingFailed(problem)).await;
    }
}
