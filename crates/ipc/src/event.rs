//! Events: whole state with a version, never deltas.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::book::FleetBook;
use crate::fleet::{FleetSummary, FleetViewState};
use crate::forward::{ForwardRow, Forwards};
use crate::session::TabRow;
use crate::settings::Settings;
use crate::system::{AppMode, IdentityRow, Notice, SourceRow};

/// Something changed. One event type carries all kinds, so that their order is the order of `version`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AppEvent {
    /// Grows by at least one with each event; a snapshot names the last one it includes.
    pub version: f64,
    /// The new state.
    pub change: Change,
}

/// The part of the state that changed, as it now is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Change {
    /// What the application is pointed at, and what it could be pointed at.
    Mode {
        /// Now.
        mode: AppMode,
        /// Choices.
        sources: Vec<SourceRow>,
        /// Identities in use.
        identities: Vec<IdentityRow>,
    },
    /// Counters and account-Regions.
    Fleet {
        /// Now.
        summary: FleetSummary,
    },
    /// Saved views, groups, favourites.
    Book {
        /// Now.
        book: FleetBook,
    },
    /// What a view shows.
    View {
        /// Now.
        view: FleetViewState,
    },
    /// Which tabs are open, in order, and which is in front.
    Tabs {
        /// Now.
        tabs: Vec<TabRow>,
        /// Id of the tab in front.
        active: String,
    },
    /// One tab's content.
    Tab {
        /// Now.
        tab: TabRow,
    },
    /// All forwards: one came, went or was moved.
    Forwards {
        /// Now.
        forwards: Forwards,
    },
    /// One forward.
    Forward {
        /// Now.
        row: ForwardRow,
    },
    /// Settings.
    Settings {
        /// Now.
        settings: Settings,
    },
    /// Standing notices.
    Notices {
        /// Now.
        notices: Vec<Notice>,
    },
    /// The user asked to quit or close while sessions live; the interface asks back.
    QuitRequested {
        /// What would end.
        summary: crate::system::QuitSummary,
    },
}
