//! Recordings: begun and ended in tabs, listed, exported, deleted.

use fleetline_ipc::recording::RecordingList;
use fleetline_ipc::session::{SessionRow, TabKind};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::Content;
use fleetline_recording::sealed::About;

use super::{Controller, answer, no_tab};
use crate::clock::now_ms;
use crate::recorder::{self, Recorder, RecordingRules};
use crate::request::Reply;
use crate::terminal_task::Command;

/// A request about recordings.
pub(crate) enum RecordingRequest {
    /// Begins or ends the recording of a tab's session.
    Record { tab: String, on: bool, reply: Reply<()> },
    /// All of them.
    List { reply: Reply<RecordingList> },
    /// One of them, to replay it.
    Load { id: String, reply: Reply<Content> },
    /// Writes one in clear where the user finds downloads; answers with its path.
    Export { id: String, reply: Reply<String> },
    /// Deletes one.
    Delete { id: String, reply: Reply<()> },
}

impl Controller {
    pub(super) fn recording_asked(&mut self, request: RecordingRequest) {
        let (store, vault) = (self.disk.store().clone(), self.launcher.vault());
        match request {
            RecordingRequest::Record { tab, on, reply } => self.record(&tab, on, reply),
            RecordingRequest::List { reply } => {
                blocking(reply, move || recorder::list(&store, &vault));
            }
            RecordingRequest::Load { id, reply } => {
                blocking(reply, move || recorder::content(&store, &vault, &id));
            }
            RecordingRequest::Export { id, reply } => blocking(reply, move || {
                recorder::export(&store, &vault, &id).map(|(path, _)| path.display().to_string())
            }),
            RecordingRequest::Delete { id, reply } => blocking(reply, move || recorder::delete(&store, &id)),
        }
    }

    fn record(&self, tab: &str, on: bool, reply: Reply<()>) {
        let shell = self.tabs.get(tab).filter(|shell| shell.row.kind == TabKind::Shell);
        let Some(shell) = shell else { return answer(reply, Err(no_tab())) };
        let commands = shell.commands.clone();
        let Some(session) = shell.row.session.as_ref().filter(|_| shell.is_live()) else {
            let message = "The session in this tab is over, so there is nothing to record.";
            return answer(reply, Err(CommandError::new(ErrorCode::SessionEnded, message)));
        };
        if session.recording.is_some() == on {
            return answer(reply, Ok(()));
        }
        if !on {
            tokio::spawn(async move {
                let sent = commands.send(Command::RecordingStop).await;
                answer(reply, sent.map_err(|_| no_tab()));
            });
            return;
        }
        let rules = RecordingRules::of(&self.settings);
        let (store, vault) = (self.disk.store().clone(), self.launcher.vault());
        let about = self.about(session, rules.input);
        tokio::spawn(async move {
            let begun = match Recorder::begin(&store, vault, about, rules).await {
                Ok(recorder) => {
                    let sent = commands.send(Command::Record(Box::new(recorder))).await;
                    sent.map_err(|_| no_tab())
                }
                Err(problem) => Err(problem),
            };
            answer(reply, begun);
        });
    }

    fn about(&self, session: &SessionRow, input: bool) -> About {
        let source = self.desk.fleet().get(&session.node_key).map(|entry| entry.node().source.clone());
        About {
            node: session.node_name.clone(),
            target: session.node_id.clone(),
            source: source.unwrap_or_default().to_string(),
            region: session.region.clone(),
            session: session.session_id.clone(),
            size: (self.terminal_size.cols, self.terminal_size.rows),
            started_ms: u64::try_from(now_ms()).unwrap_or_default(),
            input,
        }
    }
}

/// Answers from a thread that may block.
fn blocking<T: Send + 'static>(
    reply: Reply<T>,
    act: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) {
    tokio::task::spawn_blocking(move || answer(reply, act()));
}
