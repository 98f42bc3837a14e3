//! One running app per user: a second start shows the window of the first and ends.

use fleetline_app::AppHandle;
use tauri::{Builder, Manager, Runtime};

use crate::args::Args;

/// Adds the rule to the app. A smoke test runs beside whatever else runs.
#[cfg(not(target_os = "macos"))]
pub(crate) fn alone<R: Runtime>(builder: Builder<R>, args: &Args) -> Builder<R> {
    if args.smoke_test.is_some() {
        return builder;
    }
    let plugin =
        tauri_plugin_single_instance::Builder::new().callback(|app, words, _| {
            match crate::args::link(&words) {
                Some(link) => linked(app, link),
                None => shown(app),
            }
        });
    let plugin = match home(args) {
        Some(home) => plugin.dbus_id(bus_name(&home)),
        None => plugin,
    };
    builder.plugin(plugin.build())
}

/// macOS keeps to one instance by itself when an app is started from the Finder or the Dock. The plugin's socket in
/// the shared temporary directory can be taken by another user first (SEC-52), so it is not used.
#[cfg(target_os = "macos")]
pub(crate) fn alone<R: Runtime>(builder: Builder<R>, _: &Args) -> Builder<R> {
    builder
}

/// Tells the application that it was started again.
pub(crate) fn shown<R: Runtime>(app: &tauri::AppHandle<R>) {
    let Some(fleetline) = app.try_state::<AppHandle>() else { return };
    let fleetline = fleetline.inner().clone();
    tauri::async_runtime::spawn(async move { fleetline.activated().await });
}

/// Hands a link to the application, which asks before it follows it.
pub(crate) fn linked<R: Runtime>(app: &tauri::AppHandle<R>, link: &str) {
    let Some(fleetline) = app.try_state::<AppHandle>() else { return };
    let (fleetline, link) = (fleetline.inner().clone(), link.to_owned());
    tauri::async_runtime::spawn(async move { fleetline.link_opened(link).await });
}

/// The directory that replaces the platform's own, if any: apps with different files are different instances.
#[cfg(not(target_os = "macos"))]
fn home(args: &Args) -> Option<std::ffi::OsString> {
    let moved = || std::env::var_os("FLEETLINE_HOME").filter(|home| !home.is_empty());
    args.data_dir.clone().map(Into::into).or_else(moved)
}

#[cfg(not(target_os = "macos"))]
fn bus_name(home: &std::ffi::OsStr) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    home.hash(&mut hasher);
    format!("dev.fleetline.app.home{:016x}", hasher.finish())
}
