//! Starting a plan.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Credential, LaunchPlan, PasswordRoute};
use crate::ClientFile;
use crate::password::WindowsPassword;

/// Variables a desktop client gets; nothing else of this program's environment reaches it (SEC-34).
const VARIABLES: [&str; 34] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TMPDIR",
    "TZ",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "XDG_CURRENT_DESKTOP",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "DBUS_SESSION_BUS_ADDRESS",
    "PULSE_SERVER",
    "SystemRoot",
    "SystemDrive",
    "windir",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "USERNAME",
    "USERDOMAIN",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramData",
    "ProgramFiles",
    "COMPUTERNAME",
    "SESSIONNAME",
];

/// A client that was started.
#[derive(Debug)]
pub struct Started {
    /// The program. For macOS it is only the one that opens the client, and ends at once.
    pub child: Child,
    /// Whether the password was handed over; otherwise it is shown to the user once.
    pub password_given: bool,
    /// The file it reads, removed when this is dropped. Clients read it within seconds: drop it when the child
    /// ends, but not before half a minute.
    pub file: Option<ClientFile>,
    /// The entry of Windows' credential store, removed when this is dropped. The client reads it when it connects, after a
    /// person has seen to its warnings.
    pub credential: Option<Credential>,
}

impl LaunchPlan {
    /// Starts the program without a shell, with an environment of its own. Its file goes into `directory`, which must be
    /// the user's own with mode 0700. A password goes its route, and nowhere else.
    pub fn start(&self, directory: &Path, password: Option<&WindowsPassword>) -> io::Result<Started> {
        let file = match &self.file {
            Some(file) => Some(ClientFile::write(directory, file.extension, &file.bytes)?),
            None => None,
        };
        // A store that refuses costs the hand-over, not the start: the user types the password then.
        let credential = match (&self.password, password) {
            (PasswordRoute::WindowsCredential { target, user }, Some(password)) => {
                Credential::place(target, user, password).ok().flatten()
            }
            _ => None,
        };
        let secret = password.filter(|_| self.password == PasswordRoute::StandardInput);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(environment());
        if let Some(file) = &file {
            command.arg(file.path());
        }
        command.stdin(if secret.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut password_given = credential.is_some();
        if let (Some(secret), Some(mut stdin)) = (secret, child.stdin.take()) {
            // A password is far shorter than a pipe's buffer, so this does not wait. It fails when the client is gone,
            // which its exit status tells better.
            password_given =
                stdin.write_all(secret.expose().as_bytes()).and_then(|()| stdin.write_all(b"\n")).is_ok();
        }
        Ok(Started { child, password_given, file, credential })
    }
}

fn environment() -> impl Iterator<Item = (&'static str, OsString)> {
    VARIABLES.into_iter().filter_map(|name| Some((name, env::var_os(name)?)))
}
