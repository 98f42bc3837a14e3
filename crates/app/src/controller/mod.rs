//! The controller: one task that owns the fleet, the tabs, the settings and what is told to the window.

mod access;
mod accounts;
mod book;
mod desktops;
mod documents;
mod fleet;
mod forwards;
mod history;
mod lifecycle;
mod links;
mod profiles;
mod recordings;
mod restore;
mod shells;
mod ssh;
mod surroundings;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::SessionOptions;
use fleetline_ipc::event::Change;
use fleetline_ipc::settings::Settings;
use fleetline_ipc::system::{AppMode, AppSnapshot, Language, NoticeLevel, SourceRow, StartChoice};
use fleetline_ipc::terminal::TerminalSize;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::{FleetBook, Journal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub(crate) use self::access::AccessNews;
use self::desktops::{DesktopNews, Desktops};
use self::lifecycle::{Launched, Quitting};
use self::links::Links;
use self::profiles::ProfileFile;
pub(crate) use self::recordings::RecordingRequest;
use self::restore::Restoring;
use crate::accounts::{AccountNews, AccountsDesk, EndingNotices};
use crate::activations::Codes;
use crate::checks::Checks;
use crate::clock::now_ms;
use crate::connect::LastChoices;
use crate::disk::{Disk, Written};
use crate::fleet::FleetDesk;
use crate::forwards::{ForwardDesk, News};
use crate::handle::AppHandle;
use crate::history::HistoryDesk;
use crate::notices::{self, Notices};
use crate::ports::{Backend, Launcher, Ports, StartOptions, Ui};
use crate::refresh::Progress;
use crate::request::{Reply, Request};
use crate::secrets;
use crate::tabs::{Proofs, TabChange, Tabs};
use crate::terminal_task::{Report, Reports};
use crate::tiers::Tiers;
use crate::tray::Menu;

/// Requests that may wait for the controller; beyond it callers wait.
const WAITING_REQUESTS: usize = 256;
/// Messages of the controller's own tasks that may wait; beyond it those tasks wait.
const WAITING_MESSAGES: usize = 64;
/// The same for steps of refreshes, each with up to 1,000 nodes.
const WAITING_PROGRESS: usize = 8;
/// Least time between two drawings of the tray menu.
const TRAY_CALM: Duration = Duration::from_millis(250);
/// Name of the settings document.
pub const SETTINGS: &str = "settings";
/// Name of the document with what was chosen last for each node.
const CONNECTIONS: &str = "connections";
/// Name of the document with the remembered choice of the first-run page.
const CHOICE: &str = "choice";

/// Starts the application on the current tokio runtime. It ends after `app_quit`, or when every handle is dropped.
///
/// The choice of `options`, or else the remembered one, is started at once.
///
/// # Panics
/// Outside a tokio runtime.
pub fn start(ports: Ports) -> AppHandle {
    let (sender, requests) = mpsc::channel(WAITING_REQUESTS);
    let (reports, reports_in) = mpsc::channel(WAITING_MESSAGES);
    let (progress, progress_in) = mpsc::channel(WAITING_PROGRESS);
    let (launched, launched_in) = mpsc::channel(WAITING_MESSAGES);
    let (forward_news, forward_news_in) = mpsc::channel(WAITING_MESSAGES);
    let (access_told, access_news) = mpsc::channel(WAITING_MESSAGES);
    let (desktop_news, desktop_news_in) = mpsc::channel(WAITING_MESSAGES);
    let (profile_news, profile_news_in) = mpsc::channel(1);
    let (account_news, account_news_in) = mpsc::channel(WAITING_MESSAGES);
    let (written, written_in) = mpsc::channel(WAITING_MESSAGES);
    let (history_news, history_news_in) = mpsc::channel(WAITING_MESSAGES);
    let (history_ended, history_ended_in) = mpsc::channel(WAITING_MESSAGES);
    let inbox = Inbox {
        requests,
        reports: reports_in,
        progress: progress_in,
        launched: launched_in,
        forward_news: forward_news_in,
        access_news,
        desktop_news: desktop_news_in,
        profile_news: profile_news_in,
        account_news: account_news_in,
        written: written_in,
        history_news: history_news_in,
        history_ended: history_ended_in,
    };
    let disk = Disk::start(ports.store, written);
    let controller = Controller {
        launcher: ports.launcher,
        ui: ports.ui,
        options: ports.options,
        disk,
        version: 0,
        mode: AppMode::FirstRun,
        choice: None,
        backend: None,
        launches: 0,
        launching: None,
        sources: Vec::new(),
        desk: FleetDesk::new(),
        tabs: Tabs::new(),
        forwards: ForwardDesk::new(forward_news.clone()),
        accounts: AccountsDesk::new(account_news.clone()),
        language: Language::default(),
        ending: EndingNotices::default(),
        history: HistoryDesk::new(history_news),
        history_ended,
        last_choices: LastChoices::default(),
        proofs: Proofs::default(),
        checks: Checks::default(),
        tiers: Tiers::default(),
        codes: Codes::default(),
        book: FleetBook::default(),
        book_edits: 0,
        book_written: 0,
        caching: false,
        settings: Settings::default(),
        notices: Notices::default(),
        terminals: JoinSet::new(),
        session_options: SessionOptions::default(),
        journal: None,
        terminal_size: TerminalSize { cols: 80, rows: 24 },
        tray: Menu::default(),
        tray_due: None,
        tray_drawn: None,
        quitting: None,
        reports,
        progress,
        launched,
        forward_news,
        access_told,
        desktops: Desktops::default(),
        desktop_news,
        profile_file: ProfileFile::default(),
        profile_news,
        restoring: Restoring::default(),
        links: Links::default(),
        account_news,
    };
    tokio::spawn(controller.run(inbox));
    AppHandle::new(sender)
}

struct Controller {
    launcher: Arc<dyn Launcher>,
    ui: Arc<dyn Ui>,
    options: StartOptions,
    disk: Disk,
    /// Version of the last event.
    version: u64,
    mode: AppMode,
    /// What the backend was chosen by.
    choice: Option<StartChoice>,
    backend: Option<Backend>,
    /// Number of the latest launch; the answers of earlier ones are ignored.
    launches: u64,
    launching: Option<Option<Reply<()>>>,
    sources: Vec<SourceRow>,
    desk: FleetDesk,
    tabs: Tabs,
    forwards: ForwardDesk,
    accounts: AccountsDesk,
    /// What is told of credentials that end.
    /// The language of the window.
    language: Language,
    ending: EndingNotices,
    history: HistoryDesk,
    history_ended: mpsc::Sender<history::Ended>,
    last_choices: LastChoices,
    proofs: Proofs,
    checks: Checks,
    tiers: Tiers,
    codes: Codes,
    /// Saved views, favourites, recents and groups.
    book: FleetBook,
    /// Changes of it so far.
    book_edits: u64,
    /// Number of the last one that is on disk.
    book_written: u64,
    /// A listing is being written to the cache.
    caching: bool,
    settings: Settings,
    notices: Notices,
    /// One task per terminal, closed ones until their session is terminated, and one per forward that is being stopped.
    terminals: JoinSet<()>,
    session_options: SessionOptions,
    /// Notes sessions at AWS while they are open; `None` when there is no place for it.
    journal: Option<Journal>,
    /// Size of the terminal that was sized last; new ones begin with it.
    terminal_size: TerminalSize,
    tray: Menu,
    /// When the tray is drawn again, if something in it may have changed.
    tray_due: Option<Instant>,
    /// When it was drawn last.
    tray_drawn: Option<Instant>,
    quitting: Option<Quitting>,
    reports: Reports,
    progress: mpsc::Sender<Progress>,
    launched: mpsc::Sender<Launched>,
    forward_news: mpsc::Sender<News>,
    access_told: mpsc::Sender<AccessNews>,
    desktops: Desktops,
    desktop_news: mpsc::Sender<DesktopNews>,
    profile_file: ProfileFile,
    profile_news: mpsc::Sender<()>,
    restoring: Restoring,
    links: Links,
    account_news: mpsc::Sender<AccountNews>,
}

/// Everything the controller listens to.
struct Inbox {
    requests: mpsc::Receiver<Request>,
    reports: mpsc::Receiver<(String, Report)>,
    progress: mpsc::Receiver<Progress>,
    launched: mpsc::Receiver<Launched>,
    forward_news: mpsc::Receiver<News>,
    access_news: mpsc::Receiver<AccessNews>,
    desktop_news: mpsc::Receiver<DesktopNews>,
    profile_news: mpsc::Receiver<()>,
    account_news: mpsc::Receiver<AccountNews>,
    written: mpsc::Receiver<Written>,
    history_news: mpsc::Receiver<crate::history::News>,
    history_ended: mpsc::Receiver<history::Ended>,
}

impl Controller {
    async fn run(mut self, mut inbox: Inbox) {
        self.begin();
        let mut handles = true;
        loop {
            if self.quitting.is_some() && self.terminals.is_empty() {
                break;
            }
            let deadline = self.quitting.as_ref().map(|quitting| quitting.deadline);
            tokio::select! {
                biased;
                request = inbox.requests.recv(), if handles => match request {
                    Some(request) => self.handle(request),
                    None => {
                        handles = false;
                        self.quit(None);
                    }
                },
                () = at(self.tray_due) => self.redraw_tray(),
                Some((tab, report)) = inbox.reports.recv() => self.reported(&tab, report),
                Some(launched) = inbox.launched.recv() => self.launched(launched),
                Some(news) = inbox.forward_news.recv() => self.forward_news(news),
                Some(news) = inbox.access_news.recv() => self.access_news(news),
                Some(news) = inbox.desktop_news.recv() => self.desktop_news(news),
                Some(()) = inbox.profile_news.recv() => self.profiles_changed(),
                Some(written) = inbox.written.recv() => self.written(written),
                Some(news) = inbox.account_news.recv() => self.account_news(news),
                () = at(self.ending_due()) => self.tell_endings(),
                Some(ended) = self.terminals.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a terminal ended by a defect");
                    }
                }
                () = at(self.forwards.sample_due()) => self.sample_forwards(),
                () = at(self.forwards.overdue_at()) => self.forwards_overdue(),
                () = at(self.codes.due()) => self.codes.expire(Instant::now()),
                () = at(self.desk.announcement_due()) => self.announce(),
                Some(progress) = inbox.progress.recv() => self.progressed(progress),
                Some(ended) = inbox.history_ended.recv() => self.history_ended(ended),
                Some(news) = inbox.history_news.recv() => self.history_news(news),
                () = at(self.history.look_due()) => self.history_refresh(false),
                () = at(deadline) => {
                    tracing::warn!("sessions were not terminated in time");
                    break;
                }
            }
        }
        // The writer must not wait for somebody who no longer listens.
        drop(inbox.written);
        self.finish().await;
    }

    fn handle(&mut self, request: Request) {
        match request {
            Request::Snapshot { reply } => answer(reply, Ok(self.snapshot())),
            Request::Start { choice, reply } => self.start(choice, reply),
            Request::Leave { reply } => answer(reply, self.leave()),
            Request::Quit { reply } => self.quit(Some(reply)),
            Request::Link { text } => self.link_opened(&text),
            Request::LinkAnswer { number, accept, reply } => {
                answer(reply, self.link_answer(number, accept));
            }
            Request::Language { language, reply } => {
                self.language = language;
                self.say_endings();
                answer(reply, Ok(()));
            }
            Request::LinkStatus { reply } => self.link_status(reply),
            Request::Restore { accept, reply } => answer(reply, self.restore(accept)),
            Request::Hide { reply } => {
                self.ui.hide_window();
                answer(reply, Ok(()));
            }
            Request::CloseRequested => self.close_requested(),
            Request::Activated => self.ui.show_window(),
            Request::Tray { action } => self.tray_chosen(action),
            Request::FleetRefresh { reply } => answer(reply, self.refresh()),
            Request::FleetRefreshOne { source, region, reply } => {
                answer(reply, self.refresh_one(&source, &region));
            }
            Request::FleetCancel { reply } => {
                self.desk.stop();
                answer(reply, Ok(()));
            }
            Request::ViewOpen { query, reply } => answer(reply, self.desk.view_open(&query)),
            Request::ViewQuery { view, query, reply } => answer(reply, self.desk.view_query(&view, &query)),
            Request::ViewWindow { view, offset, len, reply } => {
                answer(reply, self.desk.window(&view, offset, len))
            }
            Request::ViewClose { view, reply } => answer(reply, self.desk.view_close(&view)),
            Request::ViewFind { view, key, reply } => answer(reply, self.desk.find(&view, &key)),
            Request::ViewTypeAhead { view, prefix, from, reply } => {
                answer(reply, self.desk.type_ahead(&view, &prefix, from));
            }
            Request::Complete { text, cursor, reply } => answer(reply, self.desk.complete(&text, cursor)),
            Request::Book { change, reply } => answer(reply, self.book_change(change)),
            Request::Export { view, form, keys, reply } => self.export(&view, form, keys, reply),
            Request::Node { key, reply } => answer(reply, self.node(&key)),
            Request::ShellOpen { node_key, document, reason, reply } => {
                answer(reply, self.shell_open(&node_key, document, reason));
            }
            Request::TabActivate { tab, reply } => answer(reply, self.tab_activate(&tab)),
            Request::TabMove { tab, index, reply } => answer(reply, self.tab_move(&tab, index)),
            Request::TabClose { tab, reply } => answer(reply, self.tab_close(&tab)),
            Request::TabRestart { tab, reply } => answer(reply, self.tab_restart(&tab)),
            Request::SessionRetry { tab, reply } => answer(reply, self.session_retry(&tab)),
            Request::ReplayOpen { content, reply } => answer(reply, self.replay_open(content)),
            Request::ReplayControl { tab, control, reply } => {
                answer(reply, self.replay_control(&tab, control));
            }
            Request::Terminal { tab, request } => self.terminal(&tab, request),
            Request::Forward(request) => self.forward_asked(request),
            Request::Access(request) => self.access_asked(request),
            Request::Desktop(request) => self.desktop_asked(request),
            Request::Ssh(request) => self.ssh_asked(request),
            Request::Account(request) => self.account_asked(request),
            Request::Document(request) => self.document_asked(request),
            Request::Audit { place, reply } => self.audit_asked(place, reply),
            Request::PreferencesApply { places, text, reply } => self.preferences_apply(places, text, reply),
            Request::ConnectCheck { request, text, reply } => {
                answer(reply, self.connect_check(&request, text.as_deref()));
            }
            Request::ConnectLast { node_key, reply } => answer(reply, Ok(self.last_choices.of(&node_key))),
            Request::ConnectOpen { request, reply } => answer(reply, self.connect_open(request)),
            Request::History(request) => self.history_asked(request),
            Request::Recording(request) => self.recording_asked(request),
            Request::Secrets(request) => {
                secrets::asked(self.disk.store().clone(), self.launcher.vault(), request)
            }
            Request::SettingsApply { settings, reply } => answer(reply, self.settings_apply(settings)),
            Request::ClipboardWrite { text, reply } => self.clipboard_write(text, reply),
            Request::OpenUrl { url, reply } => self.open_url(url, reply),
        }
    }

    fn snapshot(&mut self) -> AppSnapshot {
        self.read_sources();
        self.accounts.read();
        AppSnapshot {
            version: self.version as f64,
            mode: self.mode.clone(),
            platform: std::env::consts::OS.to_owned(),
            app_version: self.options.app_version.clone(),
            software_gl: self.options.software_gl,
            sources: self.sources.clone(),
            identities: self.desk.identities(),
            fleet: self.summary(),
            book: crate::book::row(&self.book),
            tabs: self.tabs.rows(),
            active_tab: self.tabs.active().to_owned(),
            forwards: self.forwards.all(),
            accounts: self.accounts_now(),
            settings: self.settings.clone(),
            notices: self.notices.rows(),
            restore: self.restore_offer(),
            link: self.link_question(),
        }
    }

    fn reported(&mut self, tab: &str, report: Report) {
        if let Report::NotTerminated(problem) = &report {
            let raised =
                self.notices.raise(notices::of_problem(format!("session:{tab}"), NoticeLevel::Warn, problem));
            self.notices_changed(raised);
            return;
        }
        if let Report::RecordingFailed(problem) = &report {
            let id = format!("recording:{tab}");
            let raised = self.notices.raise(notices::of_problem(id, NoticeLevel::Warn, problem));
            self.notices_changed(raised);
        }
        let change = self.tabs.report(tab, report);
        let Some(shell) = self.tabs.get(tab) else { return };
        let row = shell.row.clone();
        if let (TabChange::Session, Some(session)) = (change, &row.session) {
            self.proofs.learn(session, now_ms());
        }
        if change != TabChange::None {
            self.emit(Change::Tab { tab: row });
        }
        if change == TabChange::Session {
            self.note_open();
            self.draw_tray();
        }
    }

    fn written(&mut self, written: Written) {
        let problem = match written {
            Written::Failed(problem) => Some(problem),
            Written::Done => None,
            Written::Profiles(fingerprint, problem) => {
                self.profiles_written(fingerprint);
                problem
            }
            Written::Cached(failed) => {
                self.cache_next();
                failed
            }
            Written::Book { number, book } => {
                self.book_written(number, book);
                None
            }
        };
        let changed = match problem {
            Some(problem) => self.notices.raise(notices::of_problem("storage", NoticeLevel::Warn, &problem)),
            None => self.notices.take_down("storage"),
        };
        self.notices_changed(changed);
    }
}

/// The mode a choice leads to.
fn mode_of(choice: &StartChoice) -> AppMode {
    match choice {
        StartChoice::Demo => AppMode::Demo,
        StartChoice::Aws { sources, .. } => AppMode::Aws { sources: sources.clone() },
    }
}

fn answer<T>(reply: Reply<T>, value: Result<T, CommandError>) {
    // A caller that has gone away no longer needs the answer.
    drop(reply.send(value));
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn no_node() -> CommandError {
    CommandError {
        hint: Some("Refresh the fleet.".to_owned()),
        ..CommandError::new(ErrorCode::NotFound, "This node is not in the fleet any more.")
    }
}

fn no_tab() -> CommandError {
    CommandError::new(ErrorCode::NotFound, "This tab is not open any more.")
}
