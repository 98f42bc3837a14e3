//! What differs between operating systems. Each file is small and plain, because only one of them runs on any machine.

mod autostart;
mod environment;
#[cfg(target_os = "linux")]
mod linux;
mod notify;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub(crate) use autostart::start_at_login;
pub(crate) use notify::{Answer, notify};

/// What is known about this computer before the window opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Whether GL is painted by the processor, so that the interface had better not use it.
    pub(crate) software_gl: bool,
}

/// Prepares this process. Must be called before it has a second thread: it changes the environment.
pub(crate) fn prepare() -> Facts {
    // With it the AWS SDK would write request and response bodies, tokens included, into the log (SEC-31).
    environment::remove("LOG_SENSITIVE_BODIES");
    #[cfg(unix)]
    {
        unix::forbid_core_dumps();
        unix::allow_many_descriptors();
    }
    #[cfg(target_os = "linux")]
    return linux::prepare();
    #[cfg(not(target_os = "linux"))]
    Facts::default()
}

/// Why no window can be opened here, if that is plain.
pub(crate) fn no_display() -> Option<&'static str> {
    #[cfg(target_os = "linux")]
    return linux::no_display();
    #[cfg(not(target_os = "linux"))]
    None
}

/// Waits until the system or the user's terminal asks this process to end.
pub(crate) async fn asked_to_end() {
    #[cfg(unix)]
    unix::asked_to_end().await;
    #[cfg(windows)]
    windows::asked_to_end().await;
}

/// This program, as others start it. An AppImage runs from a place that is gone afterwards; it says where its file is.
///
/// # Errors
/// When the system does not say.
pub(crate) fn program() -> std::io::Result<std::path::PathBuf> {
    std::env::var_os("APPIMAGE").map(std::path::PathBuf::from).map_or_else(std::env::current_exe, Ok)
}

/// Whether something shows tray icons. Windows and macOS always do.
pub(crate) fn has_tray() -> bool {
    #[cfg(target_os = "linux")]
    return linux::has_tray();
    #[cfg(not(target_os = "linux"))]
    true
}
