//! Settings, clipboard, browser.

use fleetline_ipc::event::Change;
use fleetline_ipc::settings::Settings;
use fleetline_ipc::{CommandError, ErrorCode};
use zeroize::Zeroizing;

use super::{Controller, SETTINGS, answer};
use crate::ports::UiError;
use crate::request::Reply;
use crate::terminal_task::Command;

/// Longest text for the clipboard, in bytes.
const CLIPBOARD_LIMIT: usize = 1024 * 1024;
/// Longest address that is opened, in bytes.
const URL_LIMIT: usize = 2048;

const FONT_PX: std::ops::RangeInclusive<u32> = 8..=32;
const SCROLLBACK: std::ops::RangeInclusive<u32> = 0..=200_000;
const RECORDING_MIB: std::ops::RangeInclusive<u32> = 1..=1_000;
const RECORDING_DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;
const INSPECTOR_PX: std::ops::RangeInclusive<u32> = 260..=460;

impl Controller {
    pub(super) fn settings_apply(&mut self, settings: Settings) -> Result<Settings, CommandError> {
        check(&settings)?;
        if settings.start_at_login != self.settings.start_at_login {
            let done = self.ui.start_at_login(settings.start_at_login);
            done.map_err(|error| unsupported("Starting with your session could not be set.", error))?;
        }
        if settings.deep_links != self.settings.deep_links {
            let done = self.ui.follow_links(settings.deep_links);
            done.map_err(|error| unsupported("The desktop was not told about links into the app.", error))?;
        }
        if settings != self.settings {
            let theme = settings.theme != self.settings.theme;
            self.settings = settings.clone();
            self.disk.save(SETTINGS, settings.clone());
            if theme {
                for shell in self.tabs.iter() {
                    // A terminal too busy for it answers colour queries by the old theme until the next change.
                    drop(shell.commands.try_send(Command::Palette(self.palette())));
                }
            }
            self.emit(Change::Settings { settings: settings.clone() });
        }
        Ok(settings)
    }

    pub(super) fn clipboard_write(&self, text: String, reply: Reply<()>) {
        if text.len() > CLIPBOARD_LIMIT {
            let message = format!("The text has {} bytes; at most 1 MiB can be copied.", text.len());
            return answer(reply, Err(CommandError::new(ErrorCode::InvalidInput, message)));
        }
        let ui = self.ui.clone();
        // Another program may own the clipboard and be slow.
        tokio::task::spawn_blocking(move || {
            let written = ui.write_clipboard(&text);
            answer(reply, written.map_err(no_clipboard));
        });
    }

    /// Puts a secret of ours on the clipboard; the text is wiped here once it is there.
    pub(super) fn copy_secret(&self, text: Zeroizing<String>, reply: Reply<()>) {
        let ui = self.ui.clone();
        tokio::task::spawn_blocking(move || {
            let written = ui.write_clipboard(&text);
            answer(reply, written.map_err(no_clipboard));
        });
    }

    pub(super) fn open_url(&self, url: String, reply: Reply<()>) {
        if !is_browsable(&url) && !self.forwards.is_own_url(&url) {
            let problem = CommandError::new(
                ErrorCode::InvalidInput,
                "Only https addresses and running forwards are opened in the browser.",
            );
            return answer(reply, Err(problem));
        }
        let ui = self.ui.clone();
        tokio::task::spawn_blocking(move || {
            let opened = ui.open_url(&url);
            answer(reply, opened.map_err(|e| unsupported("No browser could be opened.", e)));
        });
    }
}

fn no_clipboard(error: UiError) -> CommandError {
    unsupported("The clipboard cannot be used on this desktop right now.", error)
}

fn unsupported(message: &str, error: UiError) -> CommandError {
    CommandError { detail: Some(error.0), ..CommandError::new(ErrorCode::Unsupported, message) }
}

fn is_browsable(url: &str) -> bool {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    url.len() <= URL_LIMIT
        && url.bytes().all(|b| b.is_ascii_graphic())
        && host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
}

fn check(settings: &Settings) -> Result<(), CommandError> {
    let bounds = [
        ("The terminal font", "pixels", settings.terminal_font_px, FONT_PX),
        ("The scrollback", "lines", settings.scrollback_lines, SCROLLBACK),
        ("A recording", "MiB", settings.recording_mib, RECORDING_MIB),
        ("The age of recordings", "days", settings.recording_days, RECORDING_DAYS),
        ("The inspector", "pixels", settings.inspector_px, INSPECTOR_PX),
    ];
    for (what, unit, value, range) in bounds {
        if !range.contains(&value) {
            let message =
                format!("{what} can have {} to {} {unit}, not {value}.", range.start(), range.end());
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
    }
    Ok(())
}

/// Settings from disk, with values outside their bounds moved to the nearest bound.
pub(super) fn within_bounds(settings: Settings) -> Settings {
    Settings {
        terminal_font_px: settings.terminal_font_px.clamp(*FONT_PX.start(), *FONT_PX.end()),
        scrollback_lines: settings.scrollback_lines.min(*SCROLLBACK.end()),
        recording_mib: settings.recording_mib.clamp(*RECORDING_MIB.start(), *RECORDING_MIB.end()),
        recording_days: settings.recording_days.clamp(*RECORDING_DAYS.start(), *RECORDING_DAYS.end()),
        inspector_px: settings.inspector_px.clamp(*INSPECTOR_PX.start(), *INSPECTOR_PX.end()),
        ..settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_addresses_are_opened() {
        assert!(is_browsable("https://docs.aws.amazon.com/systems-manager/"));
        let long = format!("https://a/{}", "x".repeat(URL_LIMIT));
        for url in [
            "http://a/",
            "file:///etc/passwd",
            "https://",
            "https:///x",
            "https://a@b/",
            "https://a b",
            &long,
        ] {
            assert!(!is_browsable(url), "{url}");
        }
    }

    #[test]
    fn settings_out_of_bounds_are_refused_from_the_user_and_mended_from_disk() {
        let wild = Settings {
            terminal_font_px: 1,
            scrollback_lines: u32::MAX,
            inspector_px: 0,
            ..Settings::default()
        };
        assert_eq!(
            check(&wild).map_err(|problem| problem.message),
            Err("The terminal font can have 8 to 32 pixels, not 1.".to_owned())
        );
        let mended = within_bounds(wild);
        assert_eq!(
            (mended.terminal_font_px, mended.scrollback_lines, mended.inspector_px),
            (8, 200_000, 260)
        );
        assert!(check(&mended).is_ok());
    }
}
