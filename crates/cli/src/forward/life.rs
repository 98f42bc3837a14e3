//! What becomes of a running forward, as lines for its user: its sessions, and every connection that did not end well.

use fleetline_engine::HistoryEntry;
use fleetline_engine::forward::{Forward, ForwardState};
use tokio::sync::watch;

/// Follows one forward.
pub(super) struct Life {
    state: watch::Receiver<ForwardState>,
    /// Whether the state is another one than that which was told last.
    is_new: bool,
    changes: watch::Receiver<u64>,
    /// The latest step that was looked at.
    seen: Option<HistoryEntry>,
}

impl Life {
    pub(super) fn of(forward: &Forward) -> Self {
        let seen = forward.history().pop();
        Self { state: forward.state(), is_new: false, changes: forward.changes(), seen }
    }

    /// Waits for something to happen; false once the forward is no more.
    pub(super) async fn changed(&mut self) -> bool {
        tokio::select! {
            changed = self.state.changed() => {
                self.is_new = true;
                changed.is_ok()
            }
            changed = self.changes.changed() => changed.is_ok(),
        }
    }

    /// What has happened since it was asked last.
    pub(super) fn news(&mut self, forward: &Forward) -> Vec<String> {
        self.changes.mark_unchanged();
        let mut news = self.ends(forward.history());
        if std::mem::take(&mut self.is_new) {
            news.extend(words(&self.state.borrow_and_update()));
        }
        news
    }

    /// Connections that were cut or not let in, each with its cause.
    fn ends(&mut self, steps: Vec<HistoryEntry>) -> Vec<String> {
        let from = self.seen.as_ref().and_then(|seen| steps.iter().rposition(|step| step == seen));
        let new = steps.get(from.map_or(0, |at| at + 1)..).unwrap_or_default();
        let ends = new.iter().filter(|step| is_end(&step.text)).map(|step| step.text.clone()).collect();
        self.seen = steps.last().cloned();
        ends
    }
}

/// Whether a step of a forward's history is about a connection; the others are about its sessions.
fn is_end(text: &str) -> bool {
    text.starts_with("Connection ") || text.contains(" was not let in ")
}

fn words(state: &ForwardState) -> Option<String> {
    Some(match state {
        ForwardState::Open => "connected.".to_owned(),
        ForwardState::Unanswered { .. } => {
            "the node does not answer. New connections get another session.".to_owned()
        }
        ForwardState::Reconnecting { cause, .. } => format!("reconnecting. {cause}."),
        ForwardState::Failing { cause, .. } => format!("no session. {cause}"),
        ForwardState::Idle { last: Some(last) } => format!("waiting for a connection. {last}"),
        ForwardState::Idle { last: None } | ForwardState::Starting { .. } | ForwardState::Stopped => {
            return None;
        }
    })
}
