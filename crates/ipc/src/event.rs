//! Events: whole state with a version, never deltas.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::access::CheckRow;
use crate::account::Accounts;
use crate::book::FleetBook;
use crate::fleet::{FleetSummary, FleetViewState};
use crate::forward::{ForwardRow, Forwards};
use crate::history::HistorySummary;
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
    /// A check of a node's session channel.
    Check {
        /// Now.
        check: CheckRow,
    },
    /// Sessions past and present: windows of them are asked for anew.
    History {
        /// Now.
        summary: HistorySummary,
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
    /// The tray, or a notification, led here.
    PageRequested {
        /// What is to be shown.
        page: RequestedPage,
    },
    /// What was open when the app ended is offered, or not any more.
    Restore {
        /// Now.
        offer: Option<crate::system::RestoreOffer>,
    },
    /// A link from outside waits for an answer, or not any more.
    Link {
        /// Now.
        question: Option<crate::link::LinkQuestion>,
    },
    /// Sources, sign-ins and codes that are waited for.
    Accounts {
        /// Now.
        accounts: Accounts,
    },
    /// The user asked to quit or close while sessions live; the interface asks back.
    QuitRequested {
        /// What would end.
        summary: crate::system::QuitSummary,
    },
}

/// What can be asked for from outside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RequestedPage {
    /// All forwards.
    Forwards,
    /// A way to choose a node to connect to.
    Connect,
}
