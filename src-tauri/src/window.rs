//! The main window: where it may go, when it shows, and what closing it means.

use std::path::{Path, PathBuf};

use tauri::plugin::TauriPlugin;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{Manager, Runtime, Url, WebviewWindow, WebviewWindowBuilder};
use tauri_plugin_window_state::StateFlags;

/// The label of the one window, as in the configuration and the capability.
pub(crate) const MAIN: &str = "main";

/// Creates the main window from its configuration. It shows itself when the interface has loaded, unless `hidden`.
/// The web view keeps its own files below `data`, or keeps none.
pub(crate) fn create<R: Runtime>(
    app: &impl Manager<R>,
    data: Option<PathBuf>,
    hidden: bool,
) -> tauri::Result<WebviewWindow<R>> {
    let config = app.config().app.windows.iter().find(|window| window.label == MAIN);
    let config = config.cloned().ok_or(tauri::Error::WindowNotFound)?;
    let development = app.config().build.dev_url.clone().filter(|_| tauri::is_dev());
    let builder = WebviewWindowBuilder::from_config(app, &config)?;
    let builder = match data {
        Some(data) => builder.data_directory(data),
        None => builder.incognito(true),
    };
    builder
        // Also compiled out of releases, which do not enable the feature (SEC-06).
        .devtools(cfg!(debug_assertions))
        .general_autofill_enabled(false)
        .on_navigation(move |url| is_own(url, development.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(move |window, load| {
            if load.event() == PageLoadEvent::Finished && !hidden {
                show(&window);
            }
        })
        .build()
}

/// Keeps size, position and state of the window in `file`.
pub(crate) fn remember<R: Runtime>(file: &Path) -> TauriPlugin<R> {
    // Whether it was hidden is not kept: a start shows the window.
    let kept = StateFlags::all() & !(StateFlags::VISIBLE | StateFlags::DECORATIONS);
    // The plugin joins its name to the platform's folder, which an absolute path replaces.
    tauri_plugin_window_state::Builder::new()
        .with_state_flags(kept)
        .with_filename(file.to_string_lossy())
        .build()
}

/// Shows the window and brings it to the front.
pub(crate) fn show<R: Runtime>(window: &WebviewWindow<R>) {
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be shown");
    }
}

/// Whether an address belongs to the interface (SEC-03): the app's own protocol, its form on Windows, or the
/// development server.
fn is_own(url: &Url, development: Option<&Url>) -> bool {
    let own = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" if cfg!(windows) => {
            url.host_str() == Some("tauri.localhost") && url.port().is_none()
        }
        _ => false,
    };
    own || development.is_some_and(|development| development.origin() == url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(url: &str) -> bool {
        is_own(&url.parse().unwrap(), Some(&"http://localhost:5173/".parse().unwrap()))
    }

    #[test]
    fn the_interface_and_its_development_server_may_be_loaded() {
        assert!(allowed("tauri://localhost/index.html"));
        assert!(allowed("http://localhost:5173/src/main.ts"));
    }

    #[test]
    fn every_other_address_is_refused() {
        for url in [
            "https://example.com/",
            "http://tauri.localhost.evil.example/",
            "http://tauri.evil.example/",
            "tauri://localhost.evil.example/",
            "http://localhost:5174/",
            "file:///etc/passwd",
            "data:text/html,hello",
            "blob:tauri://localhost/0",
            "javascript:alert(1)",
            "about:blank",
        ] {
            assert!(!allowed(url), "{url}");
        }
    }

    #[test]
    fn a_release_has_no_development_server() {
        assert!(!is_own(&"http://localhost:5173/".parse().unwrap(), None));
    }
}
