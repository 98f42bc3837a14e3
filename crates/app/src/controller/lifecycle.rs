//! From start to end: the first choice, switching, leaving, quitting.

use std::time::Duration;

use fleetline_inventory::Fleet;
use fleetline_ipc::event::{Change, RequestedPage};
use fleetline_ipc::system::{AppMode, Notice, NoticeLevel, QuitSummary, StartChoice};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::Store;
use tokio::time::Instant;

use super::restore::Restoring;
use super::{CHOICE, CONNECTIONS, Controller, SETTINGS, answer, mode_of};
use crate::fleet::RefreshTags;
use crate::forwards::{News, with_clients};
use crate::listing_cache;
use crate::notices;
use crate::ports::{Backend, Scope};
use crate::request::Reply;
use crate::rows;
use crate::tabs::{Proofs, Tabs};
use crate::tray::{Menu, TrayAction};

/// How long quitting waits for sessions to be terminated. Each has a limit of 10 s of its own.
const QUIT_LIMIT: Duration = Duration::from_secs(12);

/// Quitting is under way.
pub(super) struct Quitting {
    replies: Vec<Reply<()>>,
    pub(super) deadline: Instant,
}

/// What became of a launch.
pub(super) struct Launched {
    number: u64,
    choice: StartChoice,
    result: Result<Ready, CommandError>,
}

/// A backend with its scope and what is cached of it.
struct Ready {
    backend: Backend,
    scope: Vec<Scope>,
    cached: Option<Fleet>,
}

impl Controller {
    /// Reads what is on disk and starts what was chosen.
    pub(super) fn begin(&mut self) {
        for (id, message, detail) in std::mem::take(&mut self.options.warnings) {
            self.notices.raise(Notice { id, level: NoticeLevel::Warn, message, detail });
        }
        let settings = self.disk.store().load(SETTINGS);
        self.settings = super::surroundings::within_bounds(settings.value);
        if let Some(setback) = &settings.setback {
            self.notices.raise(notices::of_setback(SETTINGS, setback));
        }
        let remembered = self.disk.store().load_optional::<StartChoice>(CHOICE);
        if let Some(setback) = &remembered.setback {
            self.notices.raise(notices::of_setback(CHOICE, setback));
        }
        self.last_choices = self.disk.store().load_optional(CONNECTIONS).value.unwrap_or_default();
        self.open_journal();
        self.read_book();
        self.read_sources();
        self.accounts.point_at(self.launcher.identities());
        self.redraw_tray();
        if let Some(choice) = self.options.choice.take().or(remembered.value) {
            // Shown at once; a launch that fails leads back to the first-run page.
            self.mode = mode_of(&choice);
            self.launch(choice, None);
        }
    }

    /// Begins to note sessions, and tells of those that an earlier run left behind.
    fn open_journal(&mut self) {
        let opened = self.disk.store().journal();
        let orphans = match &opened {
            Ok(Some(journal)) => journal.orphans(),
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error.clone()),
        };
        match orphans {
            Ok(orphans) => {
                if let Some(notice) = notices::of_orphans(&orphans) {
                    self.notices.raise(notice);
                }
            }
            Err(error) => tracing::warn!(%error, "the session journal cannot be used"),
        }
        self.journal = opened.ok().flatten();
    }

    pub(super) fn read_sources(&mut self) {
        self.sources = self.launcher.sources().into_iter().map(rows::source).collect();
    }

    pub(super) fn start(&mut self, choice: StartChoice, reply: Reply<()>) {
        match self.may_switch().and_then(|()| check(&choice)) {
            Ok(()) => self.launch(choice, Some(reply)),
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    pub(super) fn launch(&mut self, choice: StartChoice, reply: Option<Reply<()>>) {
        self.launches += 1;
        if let Some(Some(earlier)) = self.launching.replace(reply) {
            answer(earlier, Err(CommandError::new(ErrorCode::Cancelled, "A newer choice took its place.")));
        }
        let (number, launcher, launched) = (self.launches, self.launcher.clone(), self.launched.clone());
        let store = self.disk.store().clone();
        tokio::spawn(async move {
            let result = match launcher.launch(&choice).await {
                Ok(backend) => prepare(backend, &choice, store).await,
                Err(problem) => Err(problem),
            };
            // Without a controller there is nobody to open a fleet for.
            drop(launched.send(Launched { number, choice, result }).await);
        });
    }

    pub(super) fn launched(&mut self, launched: Launched) {
        if launched.number != self.launches {
            return;
        }
        let reply = self.launching.take().flatten();
        let outcome = match launched.result {
            Ok(ready) => {
                self.open(launched.choice, ready);
                Ok(())
            }
            Err(problem) => {
                if self.backend.is_none() {
                    self.mode = AppMode::FirstRun;
                    self.emit_mode();
                }
                if reply.is_none() {
                    let raised = self.notices.raise(notices::of_problem("start", NoticeLevel::Bad, &problem));
                    self.notices_changed(raised);
                }
                // The fleet is no longer being opened.
                self.announce();
                Err(problem)
            }
        };
        if let Some(reply) = reply {
            answer(reply, outcome);
        }
    }

    fn open(&mut self, choice: StartChoice, ready: Ready) {
        self.forget_backend();
        self.mode = mode_of(&choice);
        self.disk.save(CHOICE, choice.clone());
        self.choice = Some(choice);
        self.accounts.point_at(ready.backend.identities.clone());
        self.history.point_at(&ready.scope);
        self.desk.point_at(ready.scope, ready.cached);
        self.desk.refresh(&ready.backend.sources, &self.progress, RefreshTags::Unknown);
        self.backend = Some(ready.backend);
        self.list_forwards();
        let changed = self.notices.take_down("start");
        self.notices_changed(changed);
        self.emit_mode();
        self.accounts_told();
        self.announce();
        self.draw_tray();
    }

    /// Lists the saved forwards, switched off, and tells what is wrong with the file.
    fn list_forwards(&mut self) {
        let loaded = self.read_profiles();
        self.forwards.point_at(loaded.profiles, self.mode == AppMode::Demo);
        self.forwards.find_nodes(self.desk.fleet());
        self.offer_restore();
        self.emit_forwards();
    }

    /// Back to the first-run page.
    pub(super) fn leave(&mut self) -> Result<(), CommandError> {
        self.may_switch()?;
        // A launch under way is not heard any more.
        self.launches += 1;
        if let Some(Some(earlier)) = self.launching.take() {
            answer(earlier, Err(CommandError::new(ErrorCode::Cancelled, "You went back to the first page.")));
        }
        self.forget_backend();
        self.desk.point_at(Vec::new(), None);
        self.mode = AppMode::FirstRun;
        self.choice = None;
        self.disk.forget(CHOICE);
        self.read_sources();
        self.accounts.point_at(self.launcher.identities());
        self.emit_mode();
        self.accounts_told();
        self.announce();
        self.draw_tray();
        Ok(())
    }

    pub(super) fn may_switch(&self) -> Result<(), CommandError> {
        if self.quitting.is_some() {
            return Err(CommandError::new(ErrorCode::Cancelled, "Fleetline is ending."));
        }
        let live = self.tabs.live_titles();
        if live.is_empty() {
            return Ok(());
        }
        Err(CommandError {
            hint: Some("Close their tabs first.".to_owned()),
            ..CommandError::new(
                ErrorCode::InvalidInput,
                format!("Sessions are still open: {}.", live.join(", ")),
            )
        })
    }

    /// Forgets everything that belongs to the backend in use. Its tabs hold no live session.
    fn forget_backend(&mut self) {
        self.desk.stop();
        self.restoring = Restoring::default();
        let backend = self.backend.take();
        self.history.point_at(&[]);
        self.tabs = Tabs::new_after(&self.tabs);
        self.forwards_leave();
        self.access_leave();
        self.proofs = Proofs::default();
        let changed = self.notices.take_down_prefixed("missing:");
        self.notices_changed(changed);
        self.emit_tabs();
        if let Some(backend) = backend {
            // Forwards that are being stopped still terminate their sessions through it.
            let mut ending = std::mem::take(&mut self.terminals);
            self.terminals.spawn(async move {
                while ending.join_next().await.is_some() {}
                // The simulator may have to end shells, which takes a moment.
                drop(tokio::task::spawn_blocking(move || drop(backend)).await);
            });
        }
    }

    pub(super) fn close_requested(&mut self) {
        if self.tabs.has_live() || self.forwards.has_running() {
            self.ui.show_window();
            self.ask_to_quit();
        } else {
            self.quit(None);
        }
    }

    /// Tells what would end. Programs are looked for first, which takes milliseconds for each connection.
    fn ask_to_quit(&self) {
        let summary = QuitSummary {
            shells: self.tabs.live_titles(),
            forwards: self.forwards.quit_summary(),
            programs: 0,
            busiest: None,
            tray: false,
        };
        let flows = self.forwards.busiest_flows();
        let (ui, news) = (self.ui.clone(), self.forward_news.clone());
        tokio::task::spawn_blocking(move || {
            let summary = QuitSummary { tray: ui.has_tray(), ..with_clients(summary, flows) };
            // After the controller nobody needs to be asked.
            drop(news.blocking_send(News::QuitAsked { summary }));
        });
    }

    pub(super) fn tray_chosen(&mut self, action: TrayAction) {
        // The desktop has moved the mark of what was clicked, whatever comes of it: the menu is drawn again.
        self.tray = Menu::default();
        match action {
            TrayAction::Open => self.ui.show_window(),
            TrayAction::OpenTab(tab) => {
                if self.tabs.activate(&tab) {
                    self.emit_tabs();
                }
                self.ui.show_window();
            }
            TrayAction::Connect => self.show_page(RequestedPage::Connect),
            TrayAction::Forwards(action) => self.forward_action(action),
            TrayAction::Quit => self.close_requested(),
        }
        self.draw_tray();
    }

    /// Shows the window with a page that was asked for outside it.
    pub(super) fn show_page(&mut self, page: RequestedPage) {
        self.ui.show_window();
        self.emit(Change::PageRequested { page });
    }

    /// Ends every terminal, each of which terminates its session; the loop ends when all are gone.
    pub(super) fn quit(&mut self, reply: Option<Reply<()>>) {
        let deadline = Instant::now() + QUIT_LIMIT;
        // First: what is open now is what is offered at the next start.
        let quitting = self.quitting.get_or_insert_with(|| Quitting { replies: Vec::new(), deadline });
        quitting.replies.extend(reply);
        self.desk.stop();
        self.history.stop();
        self.tabs = Tabs::new_after(&self.tabs);
        self.forwards_leave();
        self.access_leave();
    }

    /// The last act: everything is written, the backend ends, the program may go.
    pub(super) async fn finish(mut self) {
        self.terminals.shutdown().await;
        while let Some(cache) = self.desk.next_to_cache() {
            self.disk.save_last(cache.key, cache.saved_ms, cache.listing).await;
        }
        self.disk.finish().await;
        if let Some(backend) = self.backend.take() {
            let ended = tokio::task::spawn_blocking(move || drop(backend)).await;
            if let Err(error) = ended {
                tracing::error!(%error, "the backend ended by a defect");
            }
        }
        self.ui.exit();
        for reply in self.quitting.map(|quitting| quitting.replies).unwrap_or_default() {
            answer(reply, Ok(()));
        }
    }
}

pub(super) fn check(choice: &StartChoice) -> Result<(), CommandError> {
    match choice {
        StartChoice::Aws { sources, .. } if sources.is_empty() => {
            Err(CommandError::new(ErrorCode::InvalidInput, "Choose at least one AWS profile."))
        }
        StartChoice::Aws { sources, regions } if sources.len() > 1_000 || regions.len() > 64 => Err(
            CommandError::new(ErrorCode::InvalidInput, "Choose at most 1,000 AWS profiles and 64 Regions."),
        ),
        _ => Ok(()),
    }
}

async fn prepare(backend: Backend, choice: &StartChoice, store: Store) -> Result<Ready, CommandError> {
    let scope = scope(&backend, choice)?;
    let cached = match choice {
        // The demo fleet is listed in no time, and is another one with each version of the simulator.
        StartChoice::Demo => None,
        StartChoice::Aws { .. } => {
            let read = scope.clone();
            let cached = tokio::task::spawn_blocking(move || listing_cache::read(&store, &read)).await;
            Some(cached.unwrap_or_default())
        }
    };
    Ok(Ready { backend, scope, cached })
}

/// What to list: what the backend says, or the chosen sources in the chosen Regions or their own.
pub(super) fn scope(backend: &Backend, choice: &StartChoice) -> Result<Vec<Scope>, CommandError> {
    if !backend.scope.is_empty() {
        return Ok(backend.scope.clone());
    }
    let StartChoice::Aws { sources, regions } = choice else { return Ok(Vec::new()) };
    let known = backend.sources.list();
    let mut scope = Vec::new();
    for source in sources {
        let Some(info) = known.iter().find(|info| info.name == *source) else {
            let message = format!("There is no AWS profile {source} in the AWS configuration.");
            return Err(CommandError::new(ErrorCode::NotFound, message));
        };
        let own = info.region.iter().filter(|_| regions.is_empty());
        let before = scope.len();
        scope.extend(
            regions.iter().chain(own).map(|region| Scope { source: source.clone(), region: region.clone() }),
        );
        if scope.len() == before {
            return Err(CommandError {
                hint: Some("Choose a Region, or set one for the profile.".to_owned()),
                ..CommandError::new(
                    ErrorCode::InvalidInput,
                    format!("The AWS profile {source} names no Region, so there is nothing to list."),
                )
            });
        }
    }
    Ok(scope)
}
