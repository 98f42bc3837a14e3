//! The throw-away home of a session, and the environment its program sees.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// A directory that is removed with the session.
#[derive(Debug)]
pub(super) struct Home {
    directory: TempDir,
    node_name: String,
}

/// Variables that pass from this computer to the program; everything else is kept from it.
const ALLOWED: &[&str] = &[
    "PATH",
    "TZ",
    // Windows programs do not start without these.
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "PATHEXT",
    "TEMP",
    "TMP",
    "PSModulePath",
    "ProgramFiles",
    "ProgramData",
];

/// Path where the environment names none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// User name the agent's shells run as on a real node; no other user exists on a simulated one.
pub(super) const USER: &str = "ssm-user";

impl Home {
    /// Makes the directory with what a shell reads at its start.
    pub(super) fn new(node_name: &str) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("fleetline-node-").tempdir()?;
        let home = Self { directory, node_name: node_name.to_owned() };
        let prompt = home.prompt();
        std::fs::write(
            home.path().join(".bashrc"),
            format!(
                "PS1='{prompt}'\nPS2='> '\nHISTFILE=\"$HOME/.bash_history\"\nHISTCONTROL=ignoreboth\nshopt -s checkwinsize\n"
            ),
        )?;
        // The prompt of other shells knows no \w.
        std::fs::write(home.path().join(".shrc"), format!("PS1='{USER}@{}:~$ '\n", home.safe_name()))?;
        Ok(home)
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// bash's prompt. The sign is always `$`, as for the real agent's user.
    pub(super) fn prompt(&self) -> String {
        format!("{USER}@{}:\\w$ ", self.safe_name())
    }

    /// The whole environment of a program.
    pub(super) fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut variables: Vec<(OsString, OsString)> = ALLOWED
            .iter()
            .filter_map(|name| std::env::var_os(name).map(|value| (OsString::from(name), value)))
            .collect();
        if cfg!(unix) && !variables.iter().any(|(name, _)| name == "PATH") {
            variables.push(("PATH".into(), DEFAULT_PATH.into()));
        }
        let path = self.path().as_os_str();
        let own: [(&str, OsString); 9] = [
            ("HOME", path.into()),
            ("USERPROFILE", path.into()),
            ("USER", USER.into()),
            ("LOGNAME", USER.into()),
            ("HOSTNAME", self.node_name.clone().into()),
            ("TERM", "xterm-256color".into()),
            ("LANG", "C.UTF-8".into()),
            ("PS1", self.prompt().into()),
            ("ENV", self.path().join(".shrc").into()),
        ];
        variables.extend(own.into_iter().map(|(name, value)| (name.into(), value)));
        variables
    }

    /// The node's name with nothing in it that a shell would act on.
    fn safe_name(&self) -> String {
        self.node_name.chars().filter(|c| c.is_alphanumeric() || "-_.".contains(*c)).collect()
    }

    /// Removes the directory.
    pub(super) fn remove(self) {
        let path = self.path().to_owned();
        if let Err(error) = self.directory.close() {
            tracing::warn!(path = %path.display(), %error, "a session's home is left behind");
        }
    }
}
