//! Saved profiles: what to connect to, and how, in one file people may edit by hand.
//!
//! `profiles.toml` in the configuration directory holds them all, so that a bundle and its members change together:
//!
//! ```toml
//! version = 1
//!
//! [defaults]                       # settings of every profile
//! source = "prod"
//!
//! [folder."Databases"]             # settings of what is in the folder, and its place in the list
//! order = 1
//! lanes = 2
//!
//! [profile.ledger]
//! kind = "forward"                 # shell, forward, socks, rdp, ssh, document, bundle
//! name = "Ledger database"
//! folder = "Databases"
//! query = "tag:Name=bastion"       # or node = "i-…"; a query must match exactly one node when it is used
//! host = "ledger.internal"         # absent: the node itself
//! port = 5432
//! local-port = 15432
//! ```
//!
//! Reading never fails as a whole: what is wrong costs the profile it stands in and becomes a [`Problem`] with line and
//! column. Writing changes only the keys that differ, so comments, unknown keys, order and spelling stay.

mod disk;
mod edit;
mod fields;
mod headers;
mod model;
mod order;
mod problem;
mod read;
mod recover;
mod settings;
mod transfer;
mod value;
mod watch;

pub use disk::{EditFailed, Fingerprint, LoadedProfiles};
pub use edit::{Edit, EditRefused, edit_text};
pub use model::{Folder, FolderPath, Local, ProfileId, ProfileKind, ProfileTarget, Remote, SavedProfile};
pub use problem::{Problem, Severity};
pub use read::{Profiles, read_text};
pub use settings::{
    Bind, BrowserGuard, EffectiveSettings, Inherited, Origin, RdpClient, Screen, SettingLine, Settings,
    Start, Whole,
};
pub use transfer::{Import, ImportRefused, export_text, import_text};
pub use watch::{ProfileWatch, WatchFailed};

/// The newest format this program reads and writes. A file that names a newer one is shown but never changed.
pub const PROFILE_FORMAT: i64 = 1;

/// Largest profile file read or written, in bytes.
pub const PROFILE_FILE_LIMIT: usize = 4 * 1024 * 1024;
