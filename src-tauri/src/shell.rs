//! The desktop around the application: events, window, clipboard, browser, tray.

use std::path::PathBuf;

use fleetline_app::deep_link::{Links, Opener};
use fleetline_app::tray::{ForwardAction, Menu, TrayAction};
use fleetline_app::{AppHandle, Notification, Ui, UiError};
use fleetline_ipc::event::AppEvent;
use tauri::{Manager, Runtime, Url, WebviewWindow};
use tauri_plugin_clipboard_manager::ClipboardExt;
use tauri_specta::Event;

use crate::bindings::Emitted;
use crate::lifetime::ExitStatus;
use crate::os;
use crate::tray::Tray;
use crate::window;

/// Implements [`Ui`] on a running Tauri app.
pub(crate) struct Desktop<R: Runtime> {
    app: tauri::AppHandle<R>,
    /// Where the desktop's state before links were switched on is kept.
    links: Option<PathBuf>,
}

impl<R: Runtime> Desktop<R> {
    pub(crate) fn new(app: tauri::AppHandle<R>, links: Option<PathBuf>) -> Self {
        Self { app, links }
    }

    fn links(&self) -> Result<Links, UiError> {
        let no_place = || UiError("there is no place to keep what the desktop has now".to_owned());
        let memory = self.links.clone().ok_or_else(no_place)?;
        let program = os::program().map_err(|error| UiError(error.to_string()))?;
        Ok(Links { program, memory })
    }

    /// Does something the desktop allows on its main thread only, or that would keep the application waiting.
    fn on_main_thread(&self, act: impl FnOnce(&tauri::AppHandle<R>) + Send + 'static) {
        let app = self.app.clone();
        if let Err(error) = self.app.run_on_main_thread(move || act(&app)) {
            tracing::debug!(%error, "the desktop is gone");
        }
    }

    fn window(&self) -> Option<WebviewWindow<R>> {
        self.app.get_webview_window(window::MAIN)
    }
}

impl<R: Runtime> Ui for Desktop<R> {
    fn emit(&self, event: AppEvent) {
        if let Err(error) = Emitted(event).emit_to(&self.app, window::MAIN) {
            tracing::debug!(%error, "an event found no window");
        }
    }

    fn write_clipboard(&self, text: &str) -> Result<(), UiError> {
        self.app.clipboard().write_text(text).map_err(|error| UiError(error.to_string()))
    }

    fn read_clipboard(&self) -> Result<String, UiError> {
        self.app.clipboard().read_text().map_err(|error| UiError(error.to_string()))
    }

    fn open_url(&self, url: &str) -> Result<(), UiError> {
        let url = browsable(url)
            .ok_or_else(|| UiError("only https addresses and local ones are opened".to_owned()))?;
        tauri_plugin_opener::open_url(url.as_str(), None::<&str>).map_err(|error| UiError(error.to_string()))
    }

    fn downloads(&self) -> Option<PathBuf> {
        let path = self.app.path();
        // Where the desktop sets no such folder up, the home folder is where people look next.
        path.download_dir().or_else(|_| path.home_dir()).ok()
    }

    fn show_window(&self) {
        if let Some(window) = self.window() {
            window::show(&window);
        }
    }

    fn hide_window(&self) {
        let Some(window) = self.window() else { return };
        self.on_main_thread(move |app| {
            // Without a tray a hidden window could never be found again.
            let tray = app.try_state::<Tray<R>>().is_some_and(|tray| tray.is_shown());
            let hidden = if tray { window.hide() } else { window.minimize() };
            if let Err(error) = hidden {
                tracing::warn!(%error, "the window could not be hidden");
            }
        });
    }

    fn set_tray(&self, menu: Menu) {
        self.on_main_thread(move |app| {
            if let Some(tray) = app.try_state::<Tray<R>>() {
                tray.draw(app, &menu);
            }
        });
    }

    fn notify(&self, notification: Notification) {
        if self.window().is_some_and(|window| window.is_focused().unwrap_or_default()) {
            return;
        }
        let app = self.app.clone();
        tokio::spawn(async move {
            match os::notify(&notification.title, &notification.body).await {
                Ok(os::Answer::Chosen) => {
                    if let Some(fleetline) = app.try_state::<AppHandle>() {
                        fleetline.tray_chosen(TrayAction::Forwards(ForwardAction::Show)).await;
                    }
                }
                Ok(os::Answer::Left) => {}
                Err(error) => {
                    tracing::warn!(error, title = notification.title, "the desktop shows no notification")
                }
            }
        });
    }

    fn has_tray(&self) -> bool {
        self.app.try_state::<Tray<R>>().is_some_and(|tray| tray.is_shown())
    }

    fn start_at_login(&self, on: bool) -> Result<(), UiError> {
        os::start_at_login(on).map_err(|error| UiError(error.to_string()))
    }

    fn follow_links(&self, on: bool) -> Result<(), UiError> {
        let links = self.links()?;
        let done = if on { links.switch_on() } else { links.switch_off() };
        done.map_err(|error| UiError(error.to_string()))
    }

    fn link_opener(&self) -> Result<Opener, UiError> {
        self.links()?.opener().map_err(|error| UiError(error.to_string()))
    }

    fn exit(&self) {
        self.app.exit(self.app.try_state::<ExitStatus>().map_or(0, |status| status.code()));
    }
}

/// The address, when a browser may be sent to it (SEC-03): `https`, with a host and without a user name, because the
/// part before `@` is a way to make an address look like another. `http` only leads to the IPv4 loopback, where the
/// application has checked that a forward of its own listens.
fn browsable(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let local = url.scheme() == "http" && url.host_str() == Some("127.0.0.1") && url.port().is_some();
    ((url.scheme() == "https" && url.has_host() || local) && plain).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::browsable;

    #[test]
    fn only_plain_https_addresses_and_local_ones_are_opened() {
        assert!(browsable("https://docs.aws.amazon.com/systems-manager/").is_some());
        assert!(browsable("http://127.0.0.1:8080/").is_some());
        for url in [
            "http://example.com/",
            "http://127.0.0.1@evil.example:80/",
            "http://127.0.0.1.evil.example:8080/",
            "file:///etc/passwd",
            "smb://host/share",
            "https://aws.amazon.com@evil.example/",
            "https://",
            "--help",
            "",
        ] {
            assert!(browsable(url).is_none(), "{url}");
        }
    }
}
