//! The use cases of Fleetline behind one controller, without a window.
//!
//! [`start`] spawns the controller, the one owner of the fleet, the tabs and the settings, on the current tokio
//! runtime and returns an [`AppHandle`] with one async method per command. State comes out as events through the
//! [`Ui`] port, each with a version that only grows.

mod accounts;
mod activations;
pub mod audit;
pub mod book;
mod checks;
pub mod checkup;
mod clock;
mod connect;
mod controller;
pub mod deep_link;
pub mod desktop;
mod disk;
mod documents;
mod fleet;
mod forwards;
mod handle;
mod history;
mod journal;
pub mod listing;
mod listing_cache;
mod notices;
mod ports;
pub mod problem;
pub mod recorder;
mod refresh;
mod remote;
mod request;
mod rows;
mod rungs;
pub mod secrets;
pub mod session_log;
pub mod ssh_key;
mod tabs;
mod terminal_task;
pub mod tier;
mod tiers;
pub mod tray;
pub mod trial;

pub use controller::{SETTINGS, start};
pub use fleetline_engine::Dialer;
pub use fleetline_engine::ports::{ApiError, ApiErrorKind, ControlPlane, ControlPlanes};
pub use fleetline_inventory::ports::{NodeListing, SourceInfo, Sources};
pub use fleetline_signin::Identities;
pub use fleetline_store::{Journal, JournalEntry, Paths, Store};
pub use fleetline_vault::Vault;
pub use forwards::{PortInUse, SameUser, Socks, web_guard};
pub use handle::AppHandle;
pub use journal::{end_orphan, journal_scope};
pub use ports::{
    Backend, BoxFuture, FrameSink, Launcher, Notification, Ports, Scope, SinkClosed, StartOptions, Ui,
    UiError,
};
pub use remote::Remote;
