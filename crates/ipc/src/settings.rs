//! What the user chose about the application itself.

use serde::{Deserialize, Serialize};
use specta::Type;

/// Which theme to paint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Follow the desktop.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// Height of a table row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Density {
    /// 24 px.
    Compact,
    /// 28 px.
    #[default]
    Normal,
    /// 36 px.
    Comfortable,
}

/// All settings. Unknown values on disk fall back to these defaults one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Colours; default: follow the desktop.
    pub theme: Theme,
    /// Row height; default 28 px.
    pub density: Density,
    /// Terminal font size in CSS pixels, 8 to 32; default 13.
    pub terminal_font_px: u32,
    /// Scrollback lines kept per shell, 0 to 200,000; default 50,000.
    pub scrollback_lines: u32,
    /// Whether the rail shows icons only.
    pub rail_mini: bool,
    /// Whether the inspector is shown beside the fleet.
    pub inspector_open: bool,
    /// Inspector width in CSS pixels, 260 to 460; default 296.
    pub inspector_px: u32,
    /// Whether the terminal's text mirror speaks new output.
    pub screen_reader: bool,
    /// Whether the desktop tells when a forward fails or needs a sign-in while the window is not in front.
    pub notify: bool,
    /// Whether the program starts with the user's session, in the tray.
    pub start_at_login: bool,
    /// Whether links into the app are followed, after asking each time; default no.
    pub deep_links: bool,
    /// Whether recordings hold what is typed and shown as well; default no.
    pub record_input: bool,
    /// Largest recording, in MiB, 1 to 1,000; default 50.
    pub recording_mib: u32,
    /// Age at which recordings are deleted, in days, 1 to 3,650; default 90.
    pub recording_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            density: Density::Normal,
            terminal_font_px: 13,
            scrollback_lines: 50_000,
            rail_mini: false,
            inspector_open: true,
            inspector_px: 296,
            screen_reader: false,
            notify: true,
            start_at_login: false,
            deep_links: false,
            record_input: false,
            recording_mib: 50,
            recording_days: 90,
        }
    }
}
