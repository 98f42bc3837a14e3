//! A window that only remembers, and the application around it.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleetline_app::deep_link::Opener;
use fleetline_app::tray::Menu;
use fleetline_app::{
    AppHandle, Backend, BoxFuture, FrameSink, Launcher, Notification, SinkClosed, SourceInfo, Ui, UiError,
    Vault,
};
use fleetline_ipc::access::CheckRow;
use fleetline_ipc::account::Accounts;
use fleetline_ipc::book::FleetBook;
use fleetline_ipc::event::{AppEvent, Change, RequestedPage};
use fleetline_ipc::fleet::{FleetQuery, FleetSummary, NodeRow};
use fleetline_ipc::forward::Forwards;
use fleetline_ipc::history::HistorySummary;
use fleetline_ipc::session::{SessionRow, SessionState, TabRow};
use fleetline_ipc::system::{AppMode, Notice, QuitSummary, StartChoice};
use fleetline_ipc::terminal::KeyPress;
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// No step of a test takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the window was told last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) events: Vec<AppEvent>,
    pub(crate) mode: Option<AppMode>,
    pub(crate) fleet: FleetSummary,
    pub(crate) tabs: Vec<TabRow>,
    pub(crate) active: String,
    pub(crate) notices: Vec<Notice>,
    pub(crate) forwards: Forwards,
    pub(crate) checks: HashMap<String, CheckRow>,
    pub(crate) accounts: Accounts,
    pub(crate) history: Option<HistorySummary>,
    pub(crate) quit_requested: Option<QuitSummary>,
    pub(crate) tray: Menu,
    pub(crate) shown: u32,
    pub(crate) hidden: u32,
    pub(crate) exited: bool,
    pub(crate) opened: Vec<String>,
    pub(crate) notified: Vec<Notification>,
    pub(crate) at_login: bool,
    pub(crate) follows_links: bool,
    /// Whether the desktop refuses to be told about links.
    pub(crate) links_refused: bool,
    pub(crate) page: Option<RequestedPage>,
    pub(crate) book: FleetBook,
}

/// Launches what is ready already, once.
pub(crate) struct Ready {
    backend: Mutex<Option<Backend>>,
    vault: Vault,
}

impl Ready {
    pub(crate) fn new(backend: Backend) -> Self {
        Self::with_vault(backend, Vault::in_memory())
    }

    pub(crate) fn with_vault(backend: Backend, vault: Vault) -> Self {
        Self { backend: Mutex::new(Some(backend)), vault }
    }
}

impl Launcher for Ready {
    fn sources(&self) -> Vec<SourceInfo> {
        Vec::new()
    }

    fn launch(&self, _: &StartChoice) -> BoxFuture<'_, Result<Backend, CommandError>> {
        let backend = self.backend.lock().unwrap().take();
        Box::pin(
            async move { backend.ok_or_else(|| CommandError::new(ErrorCode::Internal, "Launched twice.")) },
        )
    }

    fn vault(&self) -> Vault {
        self.vault.clone()
    }
}

/// A window without pixels.
pub(crate) struct FakeUi {
    seen: watch::Sender<Seen>,
    clipboard: Mutex<Option<String>>,
    downloads: Mutex<Option<PathBuf>>,
}

impl FakeUi {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            seen: watch::Sender::new(Seen::default()),
            clipboard: Mutex::new(Some(String::new())),
            downloads: Mutex::new(None),
        })
    }

    /// A desktop with this folder for downloads.
    pub(crate) fn set_downloads(&self, folder: &Path) {
        *self.downloads.lock().unwrap() = Some(folder.to_owned());
    }

    /// A desktop without a clipboard.
    pub(crate) fn take_clipboard_away(&self) {
        *self.clipboard.lock().unwrap() = None;
    }

    pub(crate) fn set_clipboard(&self, text: &str) {
        *self.clipboard.lock().unwrap() = Some(text.to_owned());
    }

    pub(crate) fn clipboard(&self) -> Option<String> {
        self.clipboard.lock().unwrap().clone()
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Changes what the desktop does.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Seen)) {
        self.seen.send_modify(change);
    }

    /// Waits until the window has been told something that satisfies `wanted`.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.subscribe();
        match timeout(PATIENCE, seen.wait_for(|seen| wanted(seen))).await {
            Ok(seen) => seen.expect("the window lives").clone(),
            Err(_) => {
                let last = self.seen();
                panic!(
                    "never: {what}; tabs {:#?}; notices {:#?}; fleet {:?}",
                    last.tabs, last.notices, last.fleet
                )
            }
        }
    }

    /// Waits for a state of a tab's session.
    pub(crate) async fn session(
        &self,
        tab: &str,
        what: &str,
        wanted: impl Fn(&SessionRow) -> bool,
    ) -> SessionRow {
        let find = |seen: &Seen| {
            let row = seen.tabs.iter().find(|row| row.id == tab)?;
            row.session.clone().filter(|session| wanted(session))
        };
        find(&self.until(what, |seen| find(seen).is_some()).await).expect("just found")
    }

    pub(crate) async fn connected(&self, tab: &str) -> SessionRow {
        self.session(tab, "connected", |session| session.state == SessionState::Connected).await
    }
}

impl Ui for FakeUi {
    fn emit(&self, event: AppEvent) {
        self.seen.send_modify(|seen| {
            if let Some(last) = seen.events.last() {
                assert!(
                    event.version > last.version,
                    "versions grow: {} after {}",
                    event.version,
                    last.version
                );
            }
            seen.events.push(event.clone());
            match event.change {
                Change::Mode { mode, .. } => seen.mode = Some(mode),
                Change::Fleet { summary } => seen.fleet = summary,
                Change::Tabs { tabs, active } => (seen.tabs, seen.active) = (tabs, active),
                Change::Tab { tab } => {
                    if let Some(row) = seen.tabs.iter_mut().find(|row| row.id == tab.id) {
                        *row = tab;
                    }
                }
                Change::Notices { notices } => seen.notices = notices,
                Change::QuitRequested { summary } => seen.quit_requested = Some(summary),
                Change::Forwards { forwards } => seen.forwards = forwards,
                Change::Forward { row } => {
                    if let Some(known) = seen.forwards.rows.iter_mut().find(|known| known.id == row.id) {
                        *known = row;
                    }
                }
                Change::Book { book } => seen.book = book,
                Change::History { summary } => seen.history = Some(summary),
                Change::Accounts { accounts } => seen.accounts = accounts,
                Change::PageRequested { page } => seen.page = Some(page),
                Change::Check { check } => drop(seen.checks.insert(check.node_key.clone(), check)),
                Change::View { .. }
                | Change::Settings { .. }
                | Change::Restore { .. }
                | Change::Link { .. } => {}
            }
        });
    }

    fn write_clipboard(&self, text: &str) -> Result<(), UiError> {
        let mut clipboard = self.clipboard.lock().unwrap();
        if clipboard.is_none() {
            return Err(UiError("no clipboard".to_owned()));
        }
        *clipboard = Some(text.to_owned());
        Ok(())
    }

    fn read_clipboard(&self) -> Result<String, UiError> {
        self.clipboard().ok_or_else(|| UiError("no clipboard".to_owned()))
    }

    fn open_url(&self, url: &str) -> Result<(), UiError> {
        self.seen.send_modify(|seen| seen.opened.push(url.to_owned()));
        Ok(())
    }

    fn downloads(&self) -> Option<PathBuf> {
        self.downloads.lock().unwrap().clone()
    }

    fn show_window(&self) {
        self.seen.send_modify(|seen| seen.shown += 1);
    }

    fn hide_window(&self) {
        self.seen.send_modify(|seen| seen.hidden += 1);
    }

    fn set_tray(&self, menu: Menu) {
        self.seen.send_modify(|seen| seen.tray = menu);
    }

    fn notify(&self, notification: Notification) {
        self.seen.send_modify(|seen| seen.notified.push(notification));
    }

    fn has_tray(&self) -> bool {
        true
    }

    fn start_at_login(&self, on: bool) -> Result<(), UiError> {
        self.seen.send_modify(|seen| seen.at_login = on);
        Ok(())
    }

    fn follow_links(&self, on: bool) -> Result<(), UiError> {
        if self.seen.borrow().links_refused {
            return Err(UiError("the list of programs cannot be written".to_owned()));
        }
        self.seen.send_modify(|seen| seen.follows_links = on);
        Ok(())
    }

    fn link_opener(&self) -> Result<Opener, UiError> {
        Ok(if self.seen.borrow().follows_links {
            Opener::Us
        } else {
            Opener::Another("x.desktop".to_owned())
        })
    }

    fn exit(&self) {
        self.seen.send_modify(|seen| seen.exited = true);
    }
}

/// Frames as they come; dropping the receiver closes the window.
pub(crate) struct Frames(mpsc::UnboundedReceiver<Vec<u8>>);

struct Sink(mpsc::UnboundedSender<Vec<u8>>);

impl FrameSink for Sink {
    fn send(&self, frame: Vec<u8>) -> Result<(), SinkClosed> {
        self.0.send(frame).map_err(|_| SinkClosed)
    }
}

pub(crate) fn frames() -> (Box<dyn FrameSink>, Frames) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Box::new(Sink(sender)), Frames(receiver))
}

impl Frames {
    /// The next frame: its sequence number and whether it is a full one.
    pub(crate) async fn next(&mut self) -> (u32, bool) {
        let frame =
            timeout(PATIENCE, self.0.recv()).await.expect("a frame comes").expect("the terminal lives");
        assert_eq!(frame[0], 1, "layout version");
        (u32::from_le_bytes(frame[12..16].try_into().unwrap()), frame[1] & 1 != 0)
    }

    pub(crate) fn none_waiting(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

pub(crate) fn key(key: &str) -> KeyPress {
    KeyPress { key: key.to_owned(), code: String::new(), modifiers: Default::default() }
}

/// Types a line and Enter.
pub(crate) async fn type_line(app: &AppHandle, tab: &str, line: &str) {
    app.terminal_text(tab.to_owned(), line.to_owned()).await.expect("text is sent");
    assert!(app.terminal_key(tab.to_owned(), key("Enter")).await.expect("a key is sent"));
}

/// Attaches and acknowledges every frame until the mirror satisfies `wanted`.
pub(crate) async fn mirror_until(
    app: &AppHandle,
    tab: &str,
    what: &str,
    wanted: impl Fn(&[String]) -> bool,
) -> Vec<String> {
    let (sink, mut frames) = frames();
    app.terminal_attach(tab.to_owned(), sink).await.expect("attach");
    let looking = async {
        loop {
            let (seq, _) = frames.next().await;
            let mirror = app.terminal_mirror(tab.to_owned()).await.expect("mirror");
            if wanted(&mirror) {
                break mirror;
            }
            app.terminal_ack(tab.to_owned(), seq).await.expect("ack");
        }
    };
    let found = timeout(PATIENCE, looking).await;
    let Ok(found) = found else {
        panic!("never: {what}: {:#?}", app.terminal_mirror(tab.to_owned()).await);
    };
    app.terminal_detach(tab.to_owned()).await.expect("detach");
    found
}

/// All rows that match, by name.
pub(crate) async fn rows(app: &AppHandle, text: &str) -> Vec<NodeRow> {
    let query = FleetQuery { text: text.to_owned(), ..FleetQuery::default() };
    let view = app.fleet_view_open(query).await.expect("view");
    assert_eq!(view.issues, [], "{text}");
    let mut rows = Vec::new();
    while rows.len() < view.matched as usize {
        let window = app.fleet_view_window(view.view.clone(), rows.len() as u32, 200).await.expect("window");
        assert!(!window.rows.is_empty(), "the view has {} rows", view.matched);
        rows.extend(window.rows);
    }
    app.fleet_view_close(view.view).await.expect("close");
    rows
}
