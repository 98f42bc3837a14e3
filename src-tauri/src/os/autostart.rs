//! Starting with the user's session, in the tray.

use std::io;

/// What the program is started with then.
const ARGUMENT: &str = "--minimized";

/// Lets this program start with the user's session, or not any more.
///
/// # Errors
/// When the system's list cannot be changed.
pub(crate) fn start_at_login(on: bool) -> io::Result<()> {
    os::start_at_login(on)
}

/// A file says it, on Linux and macOS: writes it, or removes it.
#[cfg(unix)]
fn keep(file: &std::path::Path, text: Option<String>) -> io::Result<()> {
    let Some(text) = text else {
        return match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, text)
}

#[cfg(unix)]
fn no_home() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "there is no home directory")
}

/// The XDG autostart specification: an entry in the folder of the user's configuration.
#[cfg(target_os = "linux")]
mod os {
    use std::path::PathBuf;
    use std::{env, io};

    use fleetline_launch::desktop_entry::exec_word;

    use super::{ARGUMENT, keep, no_home};

    pub(super) fn start_at_login(on: bool) -> io::Result<()> {
        let text = if on { Some(entry(&program()?)) } else { None };
        keep(&file()?, text)
    }

    fn file() -> io::Result<PathBuf> {
        let set = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = set.or_else(|| Some(env::home_dir()?.join(".config"))).ok_or_else(no_home)?;
        Ok(config.join("autostart/dev.fleetline.app.desktop"))
    }

    fn program() -> io::Result<String> {
        let text = crate::os::program()?.into_os_string().into_string();
        text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the program's path is no Unicode text"))
    }

    fn entry(program: &str) -> String {
        let exec = format!("{} {ARGUMENT}", exec_word(program));
        format!(
            "[Desktop Entry]\nType=Application\nName=Fleetline\nExec={exec}\nIcon=dev.fleetline.app\nTerminal=false\n\
             X-GNOME-Autostart-enabled=true\n"
        )
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_entry_comes_and_goes() {
            let place = tempfile::tempdir().unwrap();
            let file = place.path().join("autostart/x.desktop");
            keep(&file, Some(entry("/opt/Fleet line/app"))).unwrap();
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.contains("\nExec=\"/opt/Fleet line/app\" --minimized\n"), "{text}");
            keep(&file, None).unwrap();
            assert!(!file.exists());
            keep(&file, None).unwrap();
        }
    }
}

/// An agent of launchd.
#[cfg(target_os = "macos")]
mod os {
    use std::{env, io};

    use super::{ARGUMENT, keep, no_home};

    pub(super) fn start_at_login(on: bool) -> io::Result<()> {
        let home = env::home_dir().ok_or_else(no_home)?;
        let file = home.join("Library/LaunchAgents/dev.fleetline.app.plist");
        let text = if on { Some(agent(&env::current_exe()?.to_string_lossy())) } else { None };
        keep(&file, text)
    }

    fn agent(program: &str) -> String {
        let program = program.replace('&', "&amp;").replace('<', "&lt;");
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
             \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\"><dict>\n\
             <key>Label</key><string>dev.fleetline.app</string>\n\
             <key>ProgramArguments</key><array><string>{program}</string><string>{ARGUMENT}</string></array>\n\
             <key>RunAtLoad</key><true/>\n</dict></plist>\n"
        )
    }
}

/// A value of the user's part of the registry, changed by the system's own program.
#[cfg(windows)]
mod os {
    use std::os::windows::process::CommandExt as _;
    use std::process::Command;
    use std::{env, io};

    use super::ARGUMENT;

    const KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";
    const NAME: &str = "Fleetline";
    /// CREATE_NO_WINDOW: no console flashes.
    const NO_WINDOW: u32 = 0x0800_0000;

    pub(super) fn start_at_login(on: bool) -> io::Result<()> {
        if !on && !reg(&["query", KEY, "/v", NAME])? {
            return Ok(());
        }
        let command = format!("\"{}\" {ARGUMENT}", env::current_exe()?.display());
        let done = if on {
            reg(&["add", KEY, "/v", NAME, "/t", "REG_SZ", "/d", &command, "/f"])?
        } else {
            reg(&["delete", KEY, "/v", NAME, "/f"])?
        };
        if done { Ok(()) } else { Err(io::Error::other("the registry was not changed")) }
    }

    fn reg(arguments: &[&str]) -> io::Result<bool> {
        let root = env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
        let program = std::path::Path::new(&root).join(r"System32\reg.exe");
        Ok(Command::new(program).args(arguments).creation_flags(NO_WINDOW).output()?.status.success())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod os {
    pub(super) fn start_at_login(_: bool) -> std::io::Result<()> {
        Err(std::io::Error::other("not on this system"))
    }
}
