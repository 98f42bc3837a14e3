//! `.rdp` files: one `key:type:value` a line, UTF-16 with a byte order mark (SEC-61).

use super::{Desktop, Screen};

/// Every key that is ever written. No program, gateway, remote application or password is among them.
pub const RDP_KEYS: [&str; 24] = [
    "full address",
    "username",
    "domain",
    "prompt for credentials",
    "screen mode id",
    "use multimon",
    "desktopwidth",
    "desktopheight",
    "smart sizing",
    "dynamic resolution",
    "authentication level",
    "enablecredsspsupport",
    "negotiate security layer",
    "autoreconnection enabled",
    "redirectclipboard",
    "drivestoredirect",
    "devicestoredirect",
    "camerastoredirect",
    "redirectprinters",
    "redirectcomports",
    "redirectsmartcards",
    "redirectwebauthn",
    "audiomode",
    "audiocapturemode",
];

/// The file for a desktop. Whatever could share something of this computer is written out, so that no default of the
/// client decides it.
pub fn rdp_file(desktop: &Desktop) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut text = |key: &str, value: &str| lines.push(format!("{key}:s:{value}"));
    text("full address", &desktop.address.to_string());
    if let Some(user) = &desktop.user {
        text("username", user.as_str());
    }
    if let Some(domain) = &desktop.domain {
        text("domain", domain.as_str());
    }
    text("drivestoredirect", if desktop.drives { "*" } else { "" });
    text("devicestoredirect", "");
    text("camerastoredirect", "");
    let mut number = |key: &str, value: u32| lines.push(format!("{key}:i:{value}"));
    number("prompt for credentials", 0);
    match desktop.screen {
        Screen::Full => number("screen mode id", 2),
        Screen::Window { width, height } => {
            number("screen mode id", 1);
            number("desktopwidth", width.into());
            number("desktopheight", height.into());
        }
    }
    number("use multimon", desktop.all_monitors.into());
    number("smart sizing", 0);
    number("dynamic resolution", 1);
    // A certificate that cannot be checked is shown: the name never fits a loopback address.
    number("authentication level", 2);
    number("enablecredsspsupport", 1);
    number("negotiate security layer", 1);
    number("autoreconnection enabled", 1);
    number("redirectclipboard", desktop.clipboard.into());
    number("redirectprinters", desktop.printers.into());
    number("redirectcomports", 0);
    number("redirectsmartcards", 0);
    number("redirectwebauthn", 0);
    number("audiomode", if desktop.sound { 0 } else { 2 });
    number("audiocapturemode", 0);
    let mut bytes = vec![0xff, 0xfe];
    for line in lines {
        for unit in line.encode_utf16().chain([u16::from(b'\r'), u16::from(b'\n')]) {
            bytes.extend(unit.to_le_bytes());
        }
    }
    bytes
}
