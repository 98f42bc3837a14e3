//! What the application needs from its surroundings: a window, a way to reach AWS or the demo fleet, a disk.

use std::any::Any;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use fleetline_documents::DocumentSources;
use fleetline_engine::Dialer;
use fleetline_engine::ports::{ApiError, ControlPlanes, NodeAccesses};
use fleetline_history::{HistorySources, RecordSources};
use fleetline_inventory::hybrid::HybridSources;
use fleetline_inventory::ports::{SourceInfo, Sources};
use fleetline_inventory::probe::NodeProbes;
use fleetline_ipc::CommandError;
use fleetline_ipc::event::AppEvent;
use fleetline_ipc::system::StartChoice;
use fleetline_launch::scheme::Opener;
use fleetline_signin::Identities;
use fleetline_store::Store;
use fleetline_vault::Vault;

use crate::tier::TierPatience;
use crate::tray::Menu;

/// A boxed future, so that the ports can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The surroundings could not do what was asked, for example because there is no clipboard. The text is for the
/// folded-away detail of an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UiError(pub String);

/// Something worth telling a user who does not look at the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// In a few words.
    pub title: String,
    /// One or two sentences.
    pub body: String,
}

/// The window and the desktop around it. Called from the controller's task: every method must return soon.
pub trait Ui: Send + Sync + 'static {
    /// Sends an event to every window. A window that is gone is no error.
    fn emit(&self, event: AppEvent);

    /// Puts text on the clipboard.
    fn write_clipboard(&self, text: &str) -> Result<(), UiError>;

    /// The text on the clipboard; empty when it holds none.
    fn read_clipboard(&self) -> Result<String, UiError>;

    /// Opens an `https` address, or one of a running forward, in the user's browser. The address was checked before.
    fn open_url(&self, url: &str) -> Result<(), UiError>;

    /// The folder new files of the user go to; `None` where the desktop names none.
    fn downloads(&self) -> Option<PathBuf>;

    /// Shows the window and brings it to the front.
    fn show_window(&self);

    /// Hides the window; the program goes on in the tray.
    fn hide_window(&self);

    /// Draws this tray menu in place of the last one.
    fn set_tray(&self, menu: Menu);

    /// Tells the user by the desktop's own means, unless the window is in front, where it can be seen. Choosing what
    /// was told shows the forwards.
    fn notify(&self, notification: Notification);

    /// Whether a hidden window can be found again through the tray. Asks the desktop, so not for an async task.
    fn has_tray(&self) -> bool;

    /// Lets the program start with the user's session, in the tray, or not any more.
    fn start_at_login(&self, on: bool) -> Result<(), UiError>;

    /// Lets the desktop open links into the app with this program, or not any more.
    fn follow_links(&self, on: bool) -> Result<(), UiError>;

    /// Who opens such links at present. Reads files, so not for an async task.
    fn link_opener(&self) -> Result<Opener, UiError>;

    /// Ends the program. All sessions were terminated before.
    fn exit(&self);
}

/// The window that paints a terminal is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the window that shows this terminal is gone")]
pub struct SinkClosed;

/// Takes the binary frames of one visible terminal.
pub trait FrameSink: Send + 'static {
    /// Sends one frame; the next one comes only after `terminal_ack`.
    fn send(&self, frame: Vec<u8>) -> Result<(), SinkClosed>;
}

/// A source and a Region of it: one listing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Name of the source (AWS profile).
    pub source: String,
    /// Region.
    pub region: String,
}

/// What the application talks to once the user has chosen.
pub struct Backend {
    /// Lists nodes.
    pub sources: Arc<dyn Sources<ApiError>>,
    /// Reads and changes session documents.
    pub documents: Arc<dyn DocumentSources<ApiError>>,
    /// Lists sessions past and present.
    pub history: Arc<dyn HistorySources<ApiError>>,
    /// Reads what sessions left behind.
    pub records: Arc<dyn RecordSources<ApiError>>,
    /// Starts sessions.
    pub control: Arc<dyn ControlPlanes>,
    /// Tier, activations and deregistering.
    pub hybrid: Arc<dyn HybridSources<ApiError>>,
    /// Says whether nodes are connected.
    pub probes: Arc<dyn NodeProbes<ApiError>>,
    /// Asks EC2 about single instances; `None` where that cannot be done.
    pub access: Option<Arc<dyn NodeAccesses>>,
    /// What to list. Empty: the chosen sources in the chosen Regions, or in the Region each source names.
    pub scope: Vec<Scope>,
    /// Sources, sign-ins and codes; `None` where there is nothing to sign in to.
    pub identities: Option<Arc<dyn Identities<ApiError>>>,
    /// Kept until the user leaves, then dropped: the simulator of the demo fleet lives here.
    pub guard: Option<Box<dyn Any + Send>>,
}

impl Backend {
    /// One value that answers everything, for what is in `scope`; without single instances, identities and anything that
    /// is to be kept alive.
    pub fn of<T>(all: Arc<T>, scope: Vec<Scope>) -> Self
    where
        T: Sources<ApiError>
            + DocumentSources<ApiError>
            + HistorySources<ApiError>
            + RecordSources<ApiError>
            + ControlPlanes
            + HybridSources<ApiError>
            + NodeProbes<ApiError>,
    {
        Self {
            sources: all.clone(),
            documents: all.clone(),
            history: all.clone(),
            records: all.clone(),
            control: all.clone(),
            hybrid: all.clone(),
            probes: all,
            access: None,
            scope,
            identities: None,
            guard: None,
        }
    }
}

/// Makes a [`Backend`]. Its implementation composes the `aws` and `simulator` crates.
pub trait Launcher: Send + Sync + 'static {
    /// The sources of the user's AWS configuration, read anew. Never calls AWS.
    fn sources(&self) -> Vec<SourceInfo>;

    /// Starts what the choice needs. For the demo this starts the simulator.
    fn launch(&self, choice: &StartChoice) -> BoxFuture<'_, Result<Backend, CommandError>>;

    /// Sources, sign-ins and codes of the user's AWS configuration, for as long as nothing else was chosen.
    fn identities(&self) -> Option<Arc<dyn Identities<ApiError>>> {
        None
    }

    /// Where secrets of ours are kept, the same one at every call.
    fn vault(&self) -> Vault {
        Vault::in_memory()
    }

    /// What opens data channels for a source of the user's configuration, when that is not the default dialer: a CA
    /// bundle is trusted and proxies are used there as they are for API calls. May read a small file; never calls AWS.
    fn dialer(&self, _source: &str) -> Result<Option<Dialer>, ApiError> {
        Ok(None)
    }
}

/// Everything the application is started with.
pub struct Ports {
    /// Reaches AWS or the demo fleet.
    pub launcher: Arc<dyn Launcher>,
    /// What is on disk.
    pub store: Store,
    /// The window.
    pub ui: Arc<dyn Ui>,
    /// Facts about this run.
    pub options: StartOptions,
}

/// Facts about this run that the surroundings know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartOptions {
    /// A choice made on the command line; `None` means the remembered one, or the first-run page.
    pub choice: Option<StartChoice>,
    /// Whether the GL renderer is known to be software.
    pub software_gl: bool,
    /// The program's version.
    pub app_version: String,
    /// How long changes of a tier are waited for.
    pub tier_patience: TierPatience,
    /// Something to tell the user at once: (stable id, sentence, raw detail).
    pub warnings: Vec<(String, String, Option<String>)>,
}
