//! Remmina's profile files: a group and `key=value` lines. Its passwords are sealed with a key of its own, so none is
//! written.

use std::fmt::Write;

use super::{Desktop, Screen};

/// The profile for a desktop.
pub(super) fn remmina_file(desktop: &Desktop) -> Vec<u8> {
    let word = |on: bool| if on { "1" } else { "0" };
    let title: String = desktop.title.chars().filter(|c| !c.is_control()).take(100).collect();
    let mut text = String::from("[remmina]\nprotocol=RDP\n");
    let mut line = |key: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key}={value}");
    };
    line("name", &title);
    line("server", &desktop.address.to_string());
    if let Some(user) = &desktop.user {
        line("username", user.as_str());
    }
    if let Some(domain) = &desktop.domain {
        line("domain", domain.as_str());
    }
    match desktop.screen {
        Screen::Full => {
            line("viewmode", "2");
            line("resolution_mode", "1");
        }
        Screen::Window { width, height } => {
            line("viewmode", "1");
            line("resolution_mode", "2");
            line("resolution_width", &width.to_string());
            line("resolution_height", &height.to_string());
        }
    }
    line("multimon", word(desktop.all_monitors));
    line("disableclipboard", word(!desktop.clipboard));
    line("sharefolder", "");
    line("shareprinter", word(desktop.printers));
    line("sharesmartcard", "0");
    line("sound", if desktop.sound { "local" } else { "off" });
    line("cert_ignore", "0");
    line("ignore-tls-errors", "0");
    text.into_bytes()
}
