//! Clients: which are there, which is taken, and how one is started and ends.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use fleetline_launch::ClientFile;
use fleetline_launch::password::WindowsPassword;
use fleetline_launch::rdp::{
    Client, Desktop, Here, PasswordRoute, PlanRefused, Screen, Started, UserName, detect, plan, rdp_file,
};
use fleetline_store::profiles::{self, EffectiveSettings, RdpClient};

/// How long a client's file is kept at least: clients read it within seconds.
const FILE_LIFE: Duration = Duration::from_secs(30);

/// How long Windows' own client may take until it reads the password: people look at its warnings first.
const CREDENTIAL_LIFE: Duration = Duration::from_secs(60);

/// The clients on this computer, the preferred one first. Runs some of them for their version, so it takes a while:
/// not for a task that must not wait.
pub fn installed() -> Vec<Client> {
    detect(&Here)
}

/// The client a setting names, or the first.
pub fn chosen(clients: Vec<Client>, wanted: RdpClient) -> Option<Client> {
    clients.into_iter().find(|client| match wanted {
        RdpClient::Auto => true,
        RdpClient::Mstsc => matches!(client, Client::Mstsc(_)),
        RdpClient::WindowsApp => matches!(client, Client::WindowsApp(_)),
        RdpClient::FreeRdp => matches!(client, Client::FreeRdp(..)),
        RdpClient::Remmina => matches!(client, Client::Remmina(_)),
    })
}

/// The desktop behind a listener, with what is set for its node.
///
/// # Errors
/// The name that no client may be given, as the user wrote it.
pub fn desktop(address: SocketAddr, title: &str, settings: &EffectiveSettings) -> Result<Desktop, String> {
    let name = |text: &Option<String>| match text.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => UserName::new(text).map(Some).ok_or_else(|| text.to_owned()),
        None => Ok(None),
    };
    Ok(Desktop {
        user: name(&settings.user.value)?,
        domain: name(&settings.domain.value)?,
        screen: match settings.rdp_screen.value {
            profiles::Screen::Full => Screen::Full,
            profiles::Screen::Window { width, height } => Screen::Window { width, height },
        },
        all_monitors: settings.rdp_all_monitors.value,
        clipboard: settings.rdp_clipboard.value,
        drives: settings.rdp_drives.value,
        printers: settings.rdp_printers.value,
        sound: settings.rdp_sound.value,
        keep_awake: settings.rdp_keep_awake.value,
        ..Desktop::new(address, title)
    })
}

/// The `.rdp` file of a desktop, as `--file` writes it.
pub fn rdp_file_for(desktop: &Desktop) -> Vec<u8> {
    rdp_file(desktop)
}

/// A client was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartFailed {
    /// It may not be.
    #[error(transparent)]
    Refused(#[from] PlanRefused),
    /// The system did not.
    #[error("{name} could not be started: {error}")]
    System {
        /// Its name.
        name: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Asks a client that somebody else waits for to end: its forward is gone, and it would only try again.
pub fn end(pid: u32) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        // It may be gone already.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    // Windows' own client says by itself that the connection is gone.
    #[cfg(not(unix))]
    tracing::debug!(pid, "the client is left to end by itself");
}

/// A client that runs, or was handed to the system.
#[derive(Debug)]
pub struct RunningClient {
    /// Its name for people.
    pub name: &'static str,
    /// Whether it was given the password; if not and there is one, the user is shown it.
    pub password_given: bool,
    /// The number of its process.
    pub pid: u32,
    started: Started,
}

/// How a client ended.
#[derive(Clone, Copy, Debug)]
pub struct ClientEnd {
    /// Its status.
    pub status: ExitStatus,
    /// How long it ran.
    pub lasted: Duration,
}

/// Starts a client. Its file, if it needs one, goes into `directory`, which must be the user's own. Blocks for a moment.
///
/// # Errors
/// When it may not or cannot be started.
pub fn start(
    client: &Client,
    desktop: &Desktop,
    password: Option<&WindowsPassword>,
    directory: &Path,
) -> Result<RunningClient, StartFailed> {
    let plan = plan(client, desktop, password.is_some())?;
    debug_assert!(
        password.is_none() || plan.password != PasswordRoute::StandardInput || desktop.user.is_some()
    );
    let name = client.name();
    let mut started = plan.start(directory, password).map_err(|error| StartFailed::System { name, error })?;
    if let Some(credential) = started.credential.take() {
        // Should this program end before, the entry ends with the user's session.
        std::thread::spawn(move || {
            let _until_the_end_of_this = credential;
            std::thread::sleep(CREDENTIAL_LIFE);
        });
    }
    Ok(RunningClient { name, password_given: started.password_given, pid: started.child.id(), started })
}

impl RunningClient {
    /// Waits for its end; blocks. Its file is removed by then. A client that only hands over to another program ends at
    /// once, and its file stays for half a minute.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn wait(mut self) -> std::io::Result<ClientEnd> {
        let began = std::time::Instant::now();
        let status = self.started.child.wait()?;
        let lasted = began.elapsed();
        let file: Option<ClientFile> = self.started.file.take();
        if file.is_some() && lasted < FILE_LIFE {
            std::thread::sleep(FILE_LIFE - lasted);
        }
        Ok(ClientEnd { status, lasted })
    }
}
