//! Linux: WebKitGTK's renderer, and whether the desktop shows tray icons.

use std::path::Path;
use std::{env, fs};

use super::{Facts, environment};

pub(super) fn prepare() -> Facts {
    // The tray icon and dialogs of the toolkit are called by it; without one, by the name of the program's file.
    glib::set_application_name("Fleetline");
    let software_gl = software_gl(
        env::var("LIBGL_ALWAYS_SOFTWARE").ok().as_deref(),
        has_render_node(Path::new("/dev/dri")),
    );
    // WebKitGTK shares its buffers through the graphics card's driver. Without a card there is nothing to share them
    // through, and with NVIDIA's own driver the window often stays blank; shared memory works in both cases.
    if software_gl || Path::new("/sys/module/nvidia/version").exists() {
        environment::set_default("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
    }
    Facts { software_gl }
}

/// The toolkit panics where it finds no display, so it is not asked when neither kind is named.
pub(super) fn no_display() -> Option<&'static str> {
    let named = |variable| env::var_os(variable).is_some_and(|value| !value.is_empty());
    let any = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"].into_iter().any(named);
    (!any).then_some("there is no display: neither WAYLAND_DISPLAY nor DISPLAY is set")
}

/// Mesa's switch says so, or there is no card to ask.
fn software_gl(mesa_switch: Option<&str>, render_node: bool) -> bool {
    match mesa_switch {
        Some("1" | "true" | "yes" | "on") => true,
        _ => !render_node,
    }
}

/// Whether the kernel offers a device that can draw.
fn has_render_node(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
}

/// Whether a status notifier host runs: GNOME without an extension has none. Asks the session bus, about a
/// millisecond. Not to be called from an async task.
pub(super) fn has_tray() -> bool {
    let asked = zbus::blocking::Connection::session()
        .and_then(|bus| Ok(zbus::blocking::fdo::DBusProxy::new(&bus)?.name_has_owner(WATCHER.try_into()?)?));
    asked.unwrap_or(false)
}

const WATCHER: &str = "org.kde.StatusNotifierWatcher";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gl_is_software_without_a_card_or_by_mesas_switch() {
        assert!(software_gl(None, false));
        assert!(software_gl(Some("1"), true));
        assert!(!software_gl(None, true));
        assert!(!software_gl(Some("0"), true));
    }

    #[test]
    fn only_render_nodes_count_as_a_card() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_render_node(&folder.path().join("absent")));
        fs::write(folder.path().join("card0"), "").unwrap();
        assert!(!has_render_node(folder.path()));
        fs::write(folder.path().join("renderD128"), "").unwrap();
        assert!(has_render_node(folder.path()));
    }
}
