//! The way into the application: one async method per command.

mod access;
mod accounts;
mod documents;
mod fleet;
mod forwards;
mod history;
mod tabs;

use fleetline_ipc::link::{LinkDone, LinkStatus};
use fleetline_ipc::settings::Settings;
use fleetline_ipc::system::{AppSnapshot, Language, StartChoice};
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use crate::request::{Reply, Request};
use crate::tray::TrayAction;

/// A cloneable way to ask the running application. Every method fails with [`ErrorCode::Cancelled`] once the
/// application has ended. Requests are handled in the order in which they were sent.
#[derive(Clone, Debug)]
pub struct AppHandle {
    requests: mpsc::Sender<Request>,
}

impl AppHandle {
    pub(crate) fn new(requests: mpsc::Sender<Request>) -> Self {
        Self { requests }
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| ending())?;
        answer.await.map_err(|_| ending())?
    }

    /// Tells the application something that has no answer.
    async fn tell(&self, request: Request) {
        // An application that has ended needs no telling.
        drop(self.requests.send(request).await);
    }

    /// The state as of the event version it names.
    pub async fn app_snapshot(&self) -> Result<AppSnapshot, CommandError> {
        self.ask(|reply| Request::Snapshot { reply }).await
    }

    /// The first-run choice, or a later switch. Refused with [`ErrorCode::InvalidInput`] while sessions live.
    pub async fn app_start(&self, choice: StartChoice) -> Result<(), CommandError> {
        self.ask(|reply| Request::Start { choice, reply }).await
    }

    /// Back to the first-run page. Refused with [`ErrorCode::InvalidInput`] while sessions live.
    pub async fn app_leave(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::Leave { reply }).await
    }

    /// Terminates every session, then ends the program. Answers when all is terminated or has had its time.
    pub async fn app_quit(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::Quit { reply }).await
    }

    /// Opens again what was open when the app ended, or forgets it.
    pub async fn app_restore(&self, accept: bool) -> Result<(), CommandError> {
        self.ask(|reply| Request::Restore { accept, reply }).await
    }

    /// A link into the app came from outside. Nothing is done with it before the user has agreed.
    pub async fn link_opened(&self, text: String) {
        self.tell(Request::Link { text }).await;
    }

    /// The user's answer to a link.
    pub async fn link_answer(&self, number: u32, accept: bool) -> Result<LinkDone, CommandError> {
        self.ask(|reply| Request::LinkAnswer { number, accept, reply }).await
    }

    /// The language the window speaks; the tray and notifications speak it as well.
    pub async fn app_language(&self, language: Language) -> Result<(), CommandError> {
        self.ask(|reply| Request::Language { language, reply }).await
    }

    /// Whether links are followed, and who gets them.
    pub async fn link_status(&self) -> Result<LinkStatus, CommandError> {
        self.ask(|reply| Request::LinkStatus { reply }).await
    }

    /// Hides the window; sessions go on.
    pub async fn app_hide(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::Hide { reply }).await
    }

    /// The user closed the window: quits when nothing runs, else the interface is asked to ask.
    pub async fn close_requested(&self) {
        self.tell(Request::CloseRequested).await;
    }

    /// Another start of the program, or a click on the tray icon: shows the window.
    pub async fn activated(&self) {
        self.tell(Request::Activated).await;
    }

    /// An item of the tray menu was chosen.
    pub async fn tray_chosen(&self, action: TrayAction) {
        self.tell(Request::Tray { action }).await;
    }

    /// Checks, stores and puts settings into force; returns them as they now are.
    pub async fn settings_apply(&self, settings: Settings) -> Result<Settings, CommandError> {
        self.ask(|reply| Request::SettingsApply { settings, reply }).await
    }

    /// Puts text on the clipboard, at most 1 MiB.
    pub async fn clipboard_write(&self, text: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::ClipboardWrite { text, reply }).await
    }

    /// Opens an `https` address, or the address of a running forward, in the browser; anything else is refused.
    pub async fn system_open_url(&self, url: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::OpenUrl { url, reply }).await
    }
}

/// Works something out beside the tasks that must answer soon.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) -> Result<T, CommandError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(ending()))
}

fn ending() -> CommandError {
    CommandError::new(ErrorCode::Cancelled, "Fleetline is ending.")
}
