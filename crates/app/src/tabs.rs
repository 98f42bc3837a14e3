//! The tabs: which are open, in which order, and which is in front.

use fleetline_inventory::SessionProof;
use fleetline_ipc::access::Denied;
use fleetline_ipc::fleet::LiveSession;
use fleetline_ipc::session::{SessionRow, SessionState, TabKind, TabRow};
use fleetline_ipc::ssh::SshOptions;
use tokio::sync::mpsc;

use crate::checkup::Checkup;
use crate::clock::now_ms;
use crate::terminal_task::{Command, Report};
use crate::tray::{ShellState, TrayShell};

/// Id of the tab that shows the fleet.
pub(crate) const FLEET: &str = "fleet";

/// Shell tabs open at most: each holds a terminal with its scrollback.
pub(crate) const SHELL_LIMIT: usize = 100;

/// A shell tab.
pub(crate) struct ShellTab {
    pub(crate) row: TabRow,
    /// The tab's terminal.
    pub(crate) commands: mpsc::Sender<Command>,
    /// What the session was asked for with, to start another one like it.
    pub(crate) document: Option<String>,
    pub(crate) parameters: Vec<(String, Vec<String>)>,
    pub(crate) reason: Option<String>,
    /// Set for SSH by the system's own program.
    pub(crate) ssh: Option<SshOptions>,
}

impl ShellTab {
    fn state(&self) -> Option<&SessionState> {
        self.row.session.as_ref().map(|session| &session.state)
    }

    /// Whether its session has not ended.
    pub(crate) fn is_live(&self) -> bool {
        self.state().is_some_and(is_live)
    }
}

pub(crate) fn is_live(state: &SessionState) -> bool {
    matches!(
        state,
        SessionState::Connecting { .. } | SessionState::Connected | SessionState::Reconnecting { .. }
    )
}

/// What changed in a tab and must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TabChange {
    /// Nothing.
    None,
    /// The tab's content.
    Content,
    /// The session's state or id: what follows from sessions changes as well.
    Session,
}

/// All tabs. The Fleet tab is always there and always first.
pub(crate) struct Tabs {
    shells: Vec<ShellTab>,
    active: String,
    opened: u64,
}

impl Tabs {
    pub(crate) fn new() -> Self {
        Self { shells: Vec::new(), active: FLEET.to_owned(), opened: 0 }
    }

    /// No shell tabs, in place of others: ids go on, so that late reports of theirs find no tab.
    pub(crate) fn new_after(other: &Self) -> Self {
        Self { opened: other.opened, ..Self::new() }
    }

    /// An id no tab had before.
    pub(crate) fn new_id(&mut self) -> String {
        self.opened += 1;
        format!("shell-{}", self.opened)
    }

    pub(crate) fn push(&mut self, tab: ShellTab) {
        self.active.clone_from(&tab.row.id);
        self.shells.push(tab);
    }

    pub(crate) fn rows(&self) -> Vec<TabRow> {
        let fleet = TabRow {
            id: FLEET.to_owned(),
            kind: TabKind::Fleet,
            title: "Fleet".to_owned(),
            program_title: String::new(),
            session: None,
            replay: None,
            unseen: false,
            bell: false,
        };
        std::iter::once(fleet).chain(self.shells.iter().map(|tab| tab.row.clone())).collect()
    }

    pub(crate) fn active(&self) -> &str {
        &self.active
    }

    pub(crate) fn len(&self) -> usize {
        self.shells.len()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&ShellTab> {
        self.shells.iter().find(|tab| tab.row.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut ShellTab> {
        self.shells.iter_mut().find(|tab| tab.row.id == id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ShellTab> {
        self.shells.iter()
    }

    /// Brings a tab to the front; it is seen then. `false` when there is no such tab.
    pub(crate) fn activate(&mut self, id: &str) -> bool {
        if id != FLEET {
            let Some(tab) = self.get_mut(id) else { return false };
            (tab.row.unseen, tab.row.bell) = (false, false);
        }
        id.clone_into(&mut self.active);
        true
    }

    /// Moves a tab to a place among all tabs, of which the Fleet tab has 0. `false` when there is no such shell tab.
    pub(crate) fn move_to(&mut self, id: &str, index: usize) -> bool {
        let Some(from) = self.shells.iter().position(|tab| tab.row.id == id) else { return false };
        let tab = self.shells.remove(from);
        let to = index.saturating_sub(1).min(self.shells.len());
        self.shells.insert(to, tab);
        true
    }

    /// Takes a tab out. If it was in front, its right neighbour comes there, else its left one.
    pub(crate) fn close(&mut self, id: &str) -> Option<ShellTab> {
        let at = self.shells.iter().position(|tab| tab.row.id == id)?;
        let tab = self.shells.remove(at);
        if self.active == id {
            let neighbour =
                self.shells.get(at).or_else(|| at.checked_sub(1).and_then(|left| self.shells.get(left)));
            let next = neighbour.map_or(FLEET.to_owned(), |tab| tab.row.id.clone());
            self.activate(&next);
        }
        Some(tab)
    }

    /// Takes in what a terminal reported.
    pub(crate) fn report(&mut self, id: &str, report: Report) -> TabChange {
        let in_front = self.active == id;
        let Some(tab) = self.get_mut(id) else { return TabChange::None };
        let before = tab.row.clone();
        match report {
            Report::State { state, session_id, resumed_after_ms, denied } => {
                let Some(session) = &mut tab.row.session else { return TabChange::None };
                keep_denial(session, &state, denied);
                session.session_id = session_id.or(session.session_id.take());
                session.resumed_after_ms = resumed_after_ms.or(session.resumed_after_ms);
                session.state = state;
            }
            Report::Title(title) => tab.row.program_title = title,
            Report::Silent(silent) => {
                if let Some(session) = &mut tab.row.session {
                    session.silent = silent;
                }
            }
            Report::Bell => tab.row.bell |= !in_front,
            Report::Unseen => tab.row.unseen |= !in_front,
            Report::Active => {
                if let Some(session) = &mut tab.row.session {
                    session.active_ms = crate::rows::millis(now_ms());
                }
            }
            Report::Effects(effects) => {
                if let Some(session) = &mut tab.row.session {
                    session.effects = Some(*effects);
                }
            }
            Report::Recording(mark) => {
                if let Some(session) = &mut tab.row.session {
                    session.recording = mark;
                }
            }
            Report::RecordingFailed(_) => {
                if let Some(session) = &mut tab.row.session {
                    session.recording = None;
                }
            }
            Report::Replay(replay) => tab.row.replay = Some(replay),
            Report::NotTerminated(_) => {}
        }
        let session = |row: &TabRow| row.session.as_ref().map(|s| (s.session_id.clone(), s.state.clone()));
        if session(&before) != session(&tab.row) {
            TabChange::Session
        } else if before != tab.row {
            TabChange::Content
        } else {
            TabChange::None
        }
    }

    /// Titles of the tabs whose sessions live.
    pub(crate) fn live_titles(&self) -> Vec<String> {
        self.shells.iter().filter(|tab| tab.is_live()).map(|tab| tab.row.title.clone()).collect()
    }

    pub(crate) fn has_live(&self) -> bool {
        self.shells.iter().any(ShellTab::is_live)
    }

    /// Live sessions on a node.
    pub(crate) fn sessions_on(&self, node_key: &str) -> Vec<LiveSession> {
        let on_node = |tab: &&ShellTab| session_of(tab).is_some_and(|session| session.node_key == node_key);
        let row = |tab: &ShellTab| LiveSession {
            tab: tab.row.id.clone(),
            label: "Shell".to_owned(),
            started_ms: session_of(tab).map_or(0.0, |session| session.started_ms),
        };
        self.shells.iter().filter(|tab| tab.is_live()).filter(on_node).map(row).collect()
    }

    /// Whether a channel to the node is open now.
    pub(crate) fn is_open_on(&self, node_key: &str) -> bool {
        let open =
            |session: &SessionRow| session.node_key == node_key && session.state == SessionState::Connected;
        self.shells.iter().filter_map(session_of).any(open)
    }

    /// The live shells as the tray names them.
    pub(crate) fn tray_shells(&self) -> Vec<TrayShell> {
        let shell = |tab: &ShellTab| TrayShell {
            tab: tab.row.id.clone(),
            name: tab.row.title.clone(),
            state: match tab.state() {
                Some(SessionState::Reconnecting { .. }) => ShellState::Reconnecting,
                Some(SessionState::Connecting { .. }) => ShellState::Connecting,
                _ => ShellState::Connected,
            },
        };
        self.shells.iter().filter(|tab| tab.is_live()).map(shell).collect()
    }
}

/// A refusal stays while the session is asked for again; another one in its place says that the first obstacle is gone.
fn keep_denial(session: &mut SessionRow, state: &SessionState, denied: Option<Box<Denied>>) {
    if matches!(state, SessionState::Connecting { .. }) {
        return;
    }
    let obstacle =
        |denied: &Denied| (denied.action.clone(), denied.resource.clone(), denied.policy, denied.explicit);
    let before = session.denied.take();
    session.denied = denied.map(|mut denied| {
        denied.first_gone =
            before.is_some_and(|before| before.first_gone || obstacle(&before) != obstacle(&denied));
        denied
    });
}

fn session_of(tab: &ShellTab) -> Option<&SessionRow> {
    tab.row.session.as_ref()
}

/// What sessions have proven about nodes: by node key.
#[derive(Debug, Default)]
pub(crate) struct Proofs(std::collections::HashMap<String, SessionProof>);

impl Proofs {
    /// Takes in a session's state at a time.
    pub(crate) fn learn(&mut self, session: &SessionRow, now_ms: i64) {
        let denied = matches!(&session.state, SessionState::Failed { problem } if problem.code == fleetline_ipc::ErrorCode::AccessDenied);
        let allowed = session.session_id.is_some();
        if denied || allowed {
            let proof = self.0.entry(session.node_key.clone()).or_default();
            proof.denied = denied;
            proof.denied_ms = denied.then_some(now_ms);
            if allowed && proof.allowed_ms.is_none_or(|then| millis_of(session.started_ms) > then) {
                proof.allowed_ms = Some(now_ms);
            }
        }
    }

    /// Takes in what a check found out. One that was given up leaves what was known.
    pub(crate) fn take(&mut self, node_key: &str, found: &Checkup) {
        let proof = self.0.entry(node_key.to_owned()).or_default();
        let allowed_ms = found.proof.allowed_ms.or(proof.allowed_ms);
        *proof = match found.stopped {
            true => SessionProof { allowed_ms, ..*proof },
            false => SessionProof { allowed_ms, ..found.proof },
        };
    }

    pub(crate) fn of(&self, node_key: &str) -> SessionProof {
        self.0.get(node_key).copied().unwrap_or_default()
    }
}

fn millis_of(ms: f64) -> i64 {
    ms as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tabs(count: usize) -> Tabs {
        let mut tabs = Tabs::new();
        for n in 1..=count {
            let id = tabs.new_id();
            let session = SessionRow {
                session_id: None,
                node_key: format!("1/eu-central-1/i-{n}"),
                node_id: format!("i-{n}"),
                node_name: format!("web-{n}"),
                account_name: "prod".into(),
                region: "eu-central-1".into(),
                document: "SSM-SessionManagerRunShell".into(),
                started_ms: 0.0,
                state: SessionState::Connected,
                denied: None,
                silent: false,
                resumed_after_ms: None,
                demo: false,
                effects: None,
                active_ms: 0.0,
                recording: None,
            };
            let row = TabRow {
                id,
                kind: TabKind::Shell,
                title: format!("web-{n}"),
                program_title: String::new(),
                session: Some(session),
                replay: None,
                unseen: false,
                bell: false,
            };
            tabs.push(ShellTab {
                row,
                commands: mpsc::channel(1).0,
                document: None,
                parameters: Vec::new(),
                reason: None,
                ssh: None,
            });
        }
        tabs
    }

    fn order(tabs: &Tabs) -> Vec<String> {
        tabs.rows().into_iter().map(|row| row.id).collect()
    }

    #[test]
    fn a_new_tab_comes_to_the_front_at_the_end() {
        let tabs = tabs(2);
        assert_eq!(order(&tabs), ["fleet", "shell-1", "shell-2"]);
        assert_eq!(tabs.active(), "shell-2");
    }

    #[test]
    fn the_fleet_tab_stays_first_wherever_tabs_are_moved() {
        let mut tabs = tabs(3);
        assert!(tabs.move_to("shell-3", 0));
        assert_eq!(order(&tabs), ["fleet", "shell-3", "shell-1", "shell-2"]);
        assert!(tabs.move_to("shell-3", 99));
        assert_eq!(order(&tabs), ["fleet", "shell-1", "shell-2", "shell-3"]);
        assert!(!tabs.move_to("fleet", 2) && !tabs.move_to("gone", 1));
    }

    #[test]
    fn closing_the_front_tab_brings_its_right_neighbour_then_its_left_one() {
        let mut tabs = tabs(3);
        tabs.activate("shell-2");
        tabs.close("shell-2");
        assert_eq!(tabs.active(), "shell-3");
        tabs.close("shell-3");
        assert_eq!(tabs.active(), "shell-1");
        tabs.close("shell-1");
        assert_eq!(tabs.active(), "fleet");
        assert!(tabs.close("fleet").is_none());
    }

    #[test]
    fn output_and_bell_mark_a_tab_until_it_is_visited() {
        let mut tabs = tabs(2);
        assert_eq!(tabs.report("shell-2", Report::Unseen), TabChange::None, "it is in front");
        assert_eq!(tabs.report("shell-1", Report::Unseen), TabChange::Content);
        assert_eq!(tabs.report("shell-1", Report::Unseen), TabChange::None, "said before");
        assert_eq!(tabs.report("shell-1", Report::Bell), TabChange::Content);
        assert!(tabs.activate("shell-1"));
        let row = &tabs.get("shell-1").expect("open").row;
        assert!(!row.unseen && !row.bell);
        assert!(!tabs.activate("gone"));
        assert_eq!(tabs.active(), "shell-1");
    }

    #[test]
    fn an_ended_session_is_no_longer_counted() {
        let mut tabs = tabs(2);
        let ended = SessionState::Ended { at_ms: 0.0, cause: "x".into(), normal: true };
        let report = Report::State { state: ended, session_id: None, resumed_after_ms: None, denied: None };
        assert_eq!(tabs.report("shell-1", report), TabChange::Session);
        assert_eq!(tabs.live_titles(), ["web-2"]);
        assert!(tabs.sessions_on("1/eu-central-1/i-1").is_empty());
        assert_eq!(tabs.sessions_on("1/eu-central-1/i-2").len(), 1);
        assert!(tabs.is_open_on("1/eu-central-1/i-2") && !tabs.is_open_on("1/eu-central-1/i-1"));
    }

    #[test]
    fn a_resumed_session_keeps_its_id_and_says_how_long_it_took() {
        let mut tabs = tabs(1);
        let state = |state, id: Option<&str>, resumed| Report::State {
            state,
            session_id: id.map(str::to_owned),
            resumed_after_ms: resumed,
            denied: None,
        };
        tabs.report("shell-1", state(SessionState::Connected, Some("s-1"), None));
        tabs.report("shell-1", state(SessionState::Connected, None, Some(4100.0)));
        let session = tabs.get("shell-1").and_then(|tab| tab.row.session.clone()).expect("a session");
        assert_eq!((session.session_id.as_deref(), session.resumed_after_ms), (Some("s-1"), Some(4100.0)));
    }
}
