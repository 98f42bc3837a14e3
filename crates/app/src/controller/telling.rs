//! What the window and the tray are told.

use fleetline_ipc::event::{AppEvent, Change};
use fleetline_ipc::system::AppMode;
use tokio::time::Instant;

use super::{Controller, TRAY_CALM};
use crate::tray::{self, TrayState};

impl Controller {
    pub(super) fn emit(&mut self, change: Change) {
        self.version += 1;
        self.ui.emit(AppEvent { version: self.version as f64, change });
    }

    pub(super) fn emit_mode(&mut self) {
        let change = Change::Mode {
            mode: self.mode.clone(),
            sources: self.sources.clone(),
            identities: self.desk.identities(),
        };
        self.emit(change);
    }

    pub(super) fn emit_tabs(&mut self) {
        let change = Change::Tabs { tabs: self.tabs.rows(), active: self.tabs.active().to_owned() };
        self.emit(change);
        self.note_open();
    }

    pub(super) fn notices_changed(&mut self, changed: bool) {
        if changed {
            let notices = self.notices.rows();
            self.emit(Change::Notices { notices });
        }
    }

    /// Draws the tray menu soon: at once when it was not drawn lately, so that busy forwards cost four drawings a second.
    pub(super) fn draw_tray(&mut self) {
        let soonest = self.tray_drawn.map_or_else(Instant::now, |drawn| drawn + TRAY_CALM);
        self.tray_due.get_or_insert(soonest);
    }

    /// Draws the tray menu when it would look different.
    pub(super) fn redraw_tray(&mut self) {
        self.tray_due = None;
        self.tray_drawn = Some(Instant::now());
        let (forwards, bundles, paused) = self.forwards.tray();
        let state = TrayState {
            shells: self.tabs.tray_shells(),
            forwards,
            bundles,
            paused,
            demo: self.mode == AppMode::Demo,
            started: self.mode != AppMode::FirstRun,
            language: self.language,
            ending: self.ending.tray(self.language),
        };
        let menu = tray::menu(&state);
        if menu != self.tray {
            self.tray = menu.clone();
            self.ui.set_tray(menu);
        }
    }
}
