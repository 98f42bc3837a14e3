//! How a client is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::credential::account;
use super::{Client, Desktop, Screen, rdp_file, remmina};

/// A program start as data. There is no shell in between, and no argument is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchPlan {
    /// Absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// A file to write first, as a [`crate::ClientFile`]; its path is one more argument, at the end.
    pub file: Option<PlanFile>,
    /// How a password reaches it.
    pub password: PasswordRoute,
}

/// A file a client reads when it starts. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFile {
    /// The end of its name, without the dot.
    pub extension: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// How a client gets a password, when there is one (SEC-62).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordRoute {
    /// One line on its standard input.
    StandardInput,
    /// An entry of Windows' credential store, kept for the session only and removed after the start.
    WindowsCredential {
        /// Its name, which the client looks for.
        target: String,
        /// Who signs in.
        user: String,
    },
    /// The user types or pastes it; it is shown once.
    Typed,
}

/// Why a desktop cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefused {
    /// The address is not our listener's.
    #[error("remote desktops are opened through a listener on this computer only")]
    NotLoopback,
    /// A program that is not named by its whole path could be another one.
    #[error("the program {} is not named by its whole path", .0.display())]
    Program(PathBuf),
}

/// Plans the start of a client. `with_password`: a password will be handed over if the client can take one.
pub fn plan(client: &Client, desktop: &Desktop, with_password: bool) -> Result<LaunchPlan, PlanRefused> {
    if !desktop.address.ip().is_loopback() {
        return Err(PlanRefused::NotLoopback);
    }
    let (Client::Mstsc(path) | Client::WindowsApp(path) | Client::FreeRdp(path, _) | Client::Remmina(path)) =
        client;
    // Windows' paths are absolute in a way only Windows knows.
    if !path.is_absolute() && !matches!(client, Client::Mstsc(_)) {
        return Err(PlanRefused::Program(path.clone()));
    }
    let start = |program: &Path, arguments: Vec<OsString>, file, password| LaunchPlan {
        program: program.to_owned(),
        arguments,
        file,
        password,
    };
    Ok(match client {
        Client::Mstsc(program) => {
            let target = format!("TERMSRV/{}", desktop.address.ip());
            let route = match account(desktop) {
                Some(user) if with_password => PasswordRoute::WindowsCredential { target, user },
                _ => PasswordRoute::Typed,
            };
            match mstsc(desktop) {
                Some(arguments) => start(program, arguments, None, route),
                None => start(program, Vec::new(), Some(plain_rdp(desktop)), route),
            }
        }
        Client::WindowsApp(bundle) => {
            let arguments = vec!["-a".into(), bundle.into()];
            start(Path::new("/usr/bin/open"), arguments, Some(plain_rdp(desktop)), PasswordRoute::Typed)
        }
        Client::FreeRdp(program, _) => {
            let with_password = with_password && desktop.user.is_some();
            let route = if with_password { PasswordRoute::StandardInput } else { PasswordRoute::Typed };
            start(program, freerdp(desktop, with_password), None, route)
        }
        Client::Remmina(program) => {
            let file = PlanFile { extension: "remmina", bytes: remmina::remmina_file(desktop) };
            start(program, vec!["-c".into()], Some(file), PasswordRoute::Typed)
        }
    })
}

fn plain_rdp(desktop: &Desktop) -> PlanFile {
    PlanFile { extension: "rdp", bytes: rdp_file(desktop) }
}

/// Arguments of mstsc, when everything can be said by them: a file brings a warning that nobody can check (SEC-64).
fn mstsc(desktop: &Desktop) -> Option<Vec<OsString>> {
    let by_arguments = desktop.user.is_none()
        && desktop.domain.is_none()
        // What mstsc shares without a file is its own default; only a file can say no.
        && desktop.clipboard
        && desktop.printers
        && desktop.sound
        && !desktop.drives;
    if !by_arguments {
        return None;
    }
    let mut arguments = vec![format!("/v:{}", desktop.address)];
    match desktop.screen {
        Screen::Full => arguments.push("/f".to_owned()),
        Screen::Window { width, height } => arguments.extend([format!("/w:{width}"), format!("/h:{height}")]),
    }
    if desktop.all_monitors {
        arguments.push("/multimon".to_owned());
    }
    Some(arguments.into_iter().map(OsString::from).collect())
}

fn freerdp(desktop: &Desktop, with_password: bool) -> Vec<OsString> {
    let title: String = desktop.title.chars().filter(|c| !c.is_control()).take(100).collect();
    let mut arguments = vec![format!("/v:{}", desktop.address), format!("/t:{title}")];
    let mut add = |argument: &str| arguments.push(argument.to_owned());
    if let Some(user) = &desktop.user {
        add(&format!("/u:{user}"));
        // Without a domain it would be asked for, and the password taken for it.
        add(&format!("/d:{}", desktop.domain.as_ref().map_or("", |domain| domain.as_str())));
    }
    match desktop.screen {
        Screen::Full => add("/f"),
        Screen::Window { width, height } => {
            add(&format!("/w:{width}"));
            add(&format!("/h:{height}"));
            add("/dynamic-resolution");
        }
    }
    if desktop.all_monitors {
        add("/multimon");
    }
    add(if desktop.clipboard { "+clipboard" } else { "-clipboard" });
    if desktop.drives {
        add("+drives");
    }
    if desktop.printers {
        add("/printer");
    }
    add(if desktop.sound { "/sound" } else { "/audio-mode:2" });
    if desktop.keep_awake {
        add("-suppress-output");
    }
    add("+auto-reconnect");
    add("/auto-reconnect-max-retries:20");
    // The certificate's name never fits a loopback address, so the certificate itself is checked (SEC-63). Another one
    // is refused without a question: there is no terminal to answer it, and the input is the password's.
    match desktop.pin {
        Some(pin) => add(&format!("/cert:deny,fingerprint:sha256:{}", pin.pairs())),
        None => add("/cert:tofu"),
    }
    if with_password {
        add("/from-stdin:force");
    }
    arguments.into_iter().map(OsString::from).collect()
}
