//! Calls about forwards and remote desktops.

use fleetline_ipc::CommandError;
use fleetline_ipc::desktop::{DesktopInfo, DesktopOpen, DesktopOutcome};
use fleetline_ipc::forward::{Arrangement, ForwardDetail, ForwardRow, ForwardSpec, ForwardTexts};
use tokio::sync::watch;

use super::AppHandle;
use crate::remote::Wanted;
use crate::request::{DesktopRequest, ForwardRequest, Reply, Request};

impl AppHandle {
    async fn forward<T>(&self, request: impl FnOnce(Reply<T>) -> ForwardRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::Forward(request(reply))).await
    }

    async fn desktop<T>(&self, request: impl FnOnce(Reply<T>) -> DesktopRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::Desktop(request(reply))).await
    }

    /// What there is to choose for a node's desktop.
    pub async fn desktop_info(&self, node_key: String) -> Result<DesktopInfo, CommandError> {
        self.desktop(|reply| DesktopRequest::Info { node_key, reply }).await
    }

    /// Opens a node's desktop: switches its forward on, looks at the certificate, starts the client. Answers when the
    /// client was started, or nothing was.
    pub async fn desktop_open(&self, open: DesktopOpen) -> Result<DesktopOutcome, CommandError> {
        self.desktop(|reply| DesktopRequest::Open { open: Box::new(open), reply }).await
    }

    /// Copies the password no client could be handed, once; it leaves the clipboard after 30 s.
    pub async fn desktop_copy_password(&self, forward: String) -> Result<(), CommandError> {
        self.desktop(|reply| DesktopRequest::CopyPassword { forward, reply }).await
    }

    /// Saves a forward and switches it on. A local end that cannot be had is no failure: the row says so.
    pub async fn forward_create(&self, spec: ForwardSpec) -> Result<ForwardRow, CommandError> {
        self.forward(|reply| ForwardRequest::Create { spec, reply }).await
    }

    /// Changes a forward. One that runs is started anew when it leads elsewhere or listens elsewhere now.
    pub async fn forward_edit(&self, id: String, spec: ForwardSpec) -> Result<ForwardRow, CommandError> {
        self.forward(|reply| ForwardRequest::Edit { id, spec, reply }).await
    }

    /// Stops a forward and forgets it.
    pub async fn forward_remove(&self, id: String) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Remove { id, reply }).await
    }

    /// Switches a forward on or off.
    pub async fn forward_switch(&self, id: String, on: bool) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Switch { id, on, reply }).await
    }

    /// Switches on a forward that lets other computers in; `address` is its address as the person typed it.
    pub async fn forward_expose(&self, id: String, address: String) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Expose { id, address, reply }).await
    }

    /// Switches all forwards of a bundle; `None` is what is in no bundle.
    pub async fn forward_bundle(&self, bundle: Option<String>, on: bool) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Bundle { bundle, on, reply }).await
    }

    /// Stops all forwards and remembers which were on, or starts those again.
    pub async fn forwards_pause(&self, paused: bool) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Pause { paused, reply }).await
    }

    /// Arranges the list anew: bundles, and the order of what is in them.
    pub async fn forwards_arrange(&self, arrangement: Arrangement) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Arrange { arrangement, reply }).await
    }

    /// Tries now what failed or waits.
    pub async fn forward_retry(&self, id: String) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Retry { id, reply }).await
    }

    /// Resets one connection by its number, or all of a forward.
    pub async fn forward_disconnect(&self, id: String, connection: Option<f64>) -> Result<(), CommandError> {
        self.forward(|reply| ForwardRequest::Disconnect { id, connection, reply }).await
    }

    /// The forward that does what is wanted, if there is one.
    pub(crate) async fn forward_find(&self, wanted: Wanted) -> Result<Option<String>, CommandError> {
        self.forward(|reply| ForwardRequest::Find { wanted, reply }).await
    }

    /// The name of the bundle with this id or name.
    pub(crate) async fn bundle_named(&self, name: String) -> Result<Option<String>, CommandError> {
        self.forward(|reply| ForwardRequest::BundleNamed { name, reply }).await
    }

    /// The row of a forward with each change, the latest only; ends when the forward is forgotten.
    pub async fn forward_follow(&self, id: String) -> Result<watch::Receiver<ForwardRow>, CommandError> {
        self.forward(|reply| ForwardRequest::Follow { id, reply }).await
    }

    /// Everything about a forward.
    pub async fn forward_detail(&self, id: String) -> Result<ForwardDetail, CommandError> {
        self.forward(|reply| ForwardRequest::Detail { id, reply }).await
    }

    /// Texts to copy for using a forward elsewhere.
    pub async fn forward_texts(&self, id: String) -> Result<ForwardTexts, CommandError> {
        self.forward(|reply| ForwardRequest::Texts { id, reply }).await
    }
}
