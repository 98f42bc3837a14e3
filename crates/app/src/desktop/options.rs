//! What people choose for a desktop, as the interface says it and as it is saved.

use fleetline_ipc::desktop::{DesktopClient, DesktopClientRow, DesktopOptions, DesktopWindow};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_launch::rdp::{Client, UserName};
use fleetline_store::profiles::{EffectiveSettings, RdpClient, Screen, Settings};

/// A client as the interface lists it.
pub(crate) fn row(client: &Client) -> DesktopClientRow {
    DesktopClientRow {
        client: match client {
            Client::Mstsc(_) => DesktopClient::Mstsc,
            Client::WindowsApp(_) => DesktopClient::WindowsApp,
            Client::FreeRdp(..) => DesktopClient::FreeRdp,
            Client::Remmina(_) => DesktopClient::Remmina,
        },
        name: client.name().to_owned(),
        takes_password: matches!(client, Client::FreeRdp(..)),
    }
}

/// The setting a client is chosen by.
pub(crate) fn setting(client: DesktopClient) -> RdpClient {
    match client {
        DesktopClient::Auto => RdpClient::Auto,
        DesktopClient::Mstsc => RdpClient::Mstsc,
        DesktopClient::WindowsApp => RdpClient::WindowsApp,
        DesktopClient::FreeRdp => RdpClient::FreeRdp,
        DesktopClient::Remmina => RdpClient::Remmina,
    }
}

/// What settings say.
pub(crate) fn of_settings(settings: &EffectiveSettings) -> DesktopOptions {
    DesktopOptions {
        client: match settings.rdp_client.value {
            RdpClient::Auto => DesktopClient::Auto,
            RdpClient::Mstsc => DesktopClient::Mstsc,
            RdpClient::WindowsApp => DesktopClient::WindowsApp,
            RdpClient::FreeRdp => DesktopClient::FreeRdp,
            RdpClient::Remmina => DesktopClient::Remmina,
        },
        user: settings.user.value.clone().unwrap_or_default(),
        domain: settings.domain.value.clone().unwrap_or_default(),
        key_file: settings.key_file.value.clone().unwrap_or_default(),
        window: match settings.rdp_screen.value {
            Screen::Full => None,
            Screen::Window { width, height } => Some(DesktopWindow { width, height }),
        },
        all_monitors: settings.rdp_all_monitors.value,
        clipboard: settings.rdp_clipboard.value,
        drives: settings.rdp_drives.value,
        printers: settings.rdp_printers.value,
        sound: settings.rdp_sound.value,
        keep_awake: settings.rdp_keep_awake.value,
    }
}

/// Writes options into settings. What is as it is inherited is left to be inherited.
pub(crate) fn into_settings(options: &DesktopOptions, inherited: &EffectiveSettings, own: &mut Settings) {
    let before = of_settings(inherited);
    let text = |now: &str, before: &str, own: &mut Option<String>| {
        if now != before {
            *own = Some(now.to_owned());
        }
    };
    text(&options.user, &before.user, &mut own.user);
    text(&options.domain, &before.domain, &mut own.domain);
    text(&options.key_file, &before.key_file, &mut own.key_file);
    if options.client != before.client {
        own.rdp_client = Some(setting(options.client));
    }
    if options.window != before.window {
        own.rdp_screen = Some(match options.window {
            None => Screen::Full,
            Some(window) => Screen::Window { width: window.width, height: window.height },
        });
    }
    let flags = [
        (options.all_monitors, before.all_monitors, &mut own.rdp_all_monitors),
        (options.clipboard, before.clipboard, &mut own.rdp_clipboard),
        (options.drives, before.drives, &mut own.rdp_drives),
        (options.printers, before.printers, &mut own.rdp_printers),
        (options.sound, before.sound, &mut own.rdp_sound),
        (options.keep_awake, before.keep_awake, &mut own.rdp_keep_awake),
    ];
    for (now, before, own) in flags {
        if now != before {
            *own = Some(now);
        }
    }
}

/// The limits of options.
pub(crate) fn check(options: &DesktopOptions) -> Result<(), CommandError> {
    let wrong = |message: &str| Err(CommandError::new(ErrorCode::InvalidInput, message));
    let fits = |name: &str| name.is_empty() || UserName::new(name).is_some();
    if !fits(&options.user) || !fits(&options.domain) {
        return wrong("A user or a domain has no quotes and does not begin with a sign.");
    }
    if options.key_file.len() > 4096 || options.key_file.contains(char::is_control) {
        return wrong("The key file is named by its path.");
    }
    let side = 200..=8192;
    if options.window.is_some_and(|window| !side.contains(&window.width) || !side.contains(&window.height)) {
        return wrong("Each side of the window has 200 to 8192 pixels.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fleetline_store::profiles::Profiles;

    use super::*;

    #[test]
    fn only_what_differs_from_what_is_inherited_is_kept() {
        let inherited = Profiles::default().effective_of(&Settings::default());
        let mut own = Settings::default();
        let plain = of_settings(&inherited);
        into_settings(&plain, &inherited, &mut own);
        assert!(own.is_empty());
        let options = DesktopOptions {
            user: "ann".to_owned(),
            clipboard: true,
            window: Some(DesktopWindow { width: 1280, height: 720 }),
            client: DesktopClient::Remmina,
            ..plain
        };
        check(&options).unwrap();
        into_settings(&options, &inherited, &mut own);
        assert_eq!(of_settings(&Profiles::default().effective_of(&own)), options);
        assert_eq!((own.rdp_drives, own.domain), (None, None));
        for bad in ["-u", "a\nb", "\"x"] {
            assert!(check(&DesktopOptions { user: bad.to_owned(), ..options.clone() }).is_err(), "{bad}");
        }
    }
}
