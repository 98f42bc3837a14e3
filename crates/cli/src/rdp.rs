//! `fleetline rdp`: a forward to a node's remote desktop, and the client that shows it.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use fleetline_app::desktop::{
    self, ADMINISTRATOR, CertificatePin, Client, Desktop, Pins, RDP_PORT, RunningClient, Trust, UserName,
    WindowsPassword,
};
use fleetline_app::{Paths, Store};
use fleetline_engine::forward::{Forward, ForwardOptions, ForwardRequest, Listen, LocalAddress};
use fleetline_engine::{Priority, SessionOptions};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::{EffectiveSettings, RdpClient, Settings, Whole};

use crate::args::ScopeArgs;
use crate::console::{harmless, print, tell};
use crate::failure::Failure;
use crate::forward::{Held, Running, Told, admission, hold, not_bound, not_started, stop};
use crate::profile;
use crate::signals::EndSignals;
use crate::target::{self, Target};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct RdpArgs {
    /// Node id, or a name that only one node has
    target: String,
    /// Start a client and end with it
    #[arg(long)]
    launch: bool,
    /// Write an .rdp file for a client instead of starting one; a file that is there stays
    #[arg(long, value_name = "PATH", conflicts_with = "launch")]
    file: Option<PathBuf>,
    /// Port of the desktop on the node
    #[arg(long, default_value_t = RDP_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Local port; 0 picks a free one, printed on the first line
    #[arg(long, default_value_t = 0)]
    local_port: u16,
    /// Client to start; default: the first of those found
    #[arg(long, value_enum)]
    client: Option<ClientChoice>,
    /// User to sign in as
    #[arg(long)]
    user: Option<String>,
    /// Windows domain of the user
    #[arg(long)]
    domain: Option<String>,
    /// Private key of the node's EC2 key pair: the administrator's password is decrypted with it on this computer
    #[arg(long, value_name = "PEM")]
    key_file: Option<PathBuf>,
    /// Print that password and end, without a forward
    #[arg(long, requires = "key_file", conflicts_with_all = ["launch", "file"])]
    print_password: bool,
    /// full, or WIDTHxHEIGHT of a window
    #[arg(long, value_name = "SIZE", value_parser = screen)]
    screen: Option<fleetline_store::profiles::Screen>,
    /// Share the clipboard
    #[arg(long)]
    clipboard: bool,
    /// Share local drives
    #[arg(long)]
    drives: bool,
    /// Share printers
    #[arg(long)]
    printers: bool,
    /// Play its sound here
    #[arg(long)]
    sound: bool,
    /// Span all monitors
    #[arg(long)]
    all_monitors: bool,
    /// Trust the node's certificate although it is another one than before
    #[arg(long)]
    accept_certificate: bool,
    /// Print a JSON object instead of the address
    #[arg(long)]
    json: bool,
    /// Print no notices
    #[arg(long, short)]
    quiet: bool,
    /// Why, for the auditors
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    scope: ScopeArgs,
}

/// A client by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ClientChoice {
    /// Windows' own
    Mstsc,
    /// Windows App or Microsoft Remote Desktop
    WindowsApp,
    /// FreeRDP
    Freerdp,
    /// Remmina
    Remmina,
}

fn screen(text: &str) -> Result<fleetline_store::profiles::Screen, String> {
    fleetline_store::profiles::Screen::parse(text)
        .ok_or_else(|| "write it as full or 1280x720, each side 200 to 8192".to_owned())
}

/// A desktop to be opened.
pub(crate) struct Wanted {
    /// Port on the node.
    pub(crate) port: u16,
    /// Local port, or 0.
    pub(crate) local_port: u16,
    /// What the client is told.
    pub(crate) settings: EffectiveSettings,
    /// What is done once the forward is there.
    pub(crate) then: Then,
    /// Whether another certificate than before is trusted.
    pub(crate) accept_certificate: bool,
    /// How it is told.
    pub(crate) told: Told,
}

/// What is done with a desktop's forward.
pub(crate) enum Then {
    /// It is held.
    Hold,
    /// A client is started, and the forward ends with it.
    Launch,
    /// A file for a client is written, and the forward is held.
    Write(PathBuf),
}

/// Opens a desktop until its client ends or a signal comes.
pub(crate) async fn run(args: RdpArgs) -> Result<u8, Failure> {
    let mut signals =
        EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
    let found = tokio::select! {
        found = target::find(&args.target, &args.scope) => found?,
        signal = signals.next() => return Err(Failure::signal(signal.number())),
    };
    if args.print_password {
        let Some(key_file) = &args.key_file else { return Err(Failure::usage("Name the key file.")) };
        let password = password(&found, key_file).await?;
        print(password.expose()).map_err(|error| Failure::local("It could not be printed", &error))?;
        return Ok(0);
    }
    let on = |is: bool| is.then_some(true);
    let own = Settings {
        user: args.user,
        domain: args.domain,
        key_file: args.key_file.map(|path| path.display().to_string()),
        rdp_client: args.client.map(|client| match client {
            ClientChoice::Mstsc => RdpClient::Mstsc,
            ClientChoice::WindowsApp => RdpClient::WindowsApp,
            ClientChoice::Freerdp => RdpClient::FreeRdp,
            ClientChoice::Remmina => RdpClient::Remmina,
        }),
        rdp_screen: args.screen,
        rdp_clipboard: on(args.clipboard),
        rdp_drives: on(args.drives),
        rdp_printers: on(args.printers),
        rdp_sound: on(args.sound),
        rdp_all_monitors: on(args.all_monitors),
        reason: args.reason,
        lanes: Whole::new(1),
        ..Settings::default()
    };
    let wanted = Wanted {
        port: args.port,
        local_port: args.local_port,
        // What the file's defaults say of desktops counts here as well.
        settings: profile::load()?.profiles.effective_of(&own),
        then: match (args.launch, args.file) {
            (true, _) => Then::Launch,
            (false, Some(path)) => Then::Write(path),
            (false, None) => Then::Hold,
        },
        accept_certificate: args.accept_certificate,
        told: Told { json: args.json, quiet: args.quiet },
    };
    open(found, wanted, signals).await
}

/// Opens a desktop that is fully described.
pub(crate) async fn open(found: Target, wanted: Wanted, mut signals: EndSignals) -> Result<u8, Failure> {
    let name = found.context.node.clone().unwrap_or_else(|| found.id.clone());
    let store = Paths::resolve()
        .and_then(Store::open)
        .map_err(|error| Failure::local("The certificates that were trusted are not available", &error))?;
    let forward = forward(&found, &wanted)?;
    let address = address(&forward)?;
    let prepared = tokio::select! {
        prepared = prepare(&found, &wanted, &forward, address, &name, &store) => prepared,
        signal = signals.next() => Err(Failure::signal(signal.number())),
    };
    let running = Running::through(&found, forward, format!("its desktop, port {}", wanted.port), false);
    let ready = match prepared {
        Ok(ready) => ready,
        Err(failure) => {
            // Sessions are terminated before the failure is told.
            stop(vec![running]).await;
            return Err(failure);
        }
    };
    match wanted.then {
        Then::Hold => hold(wanted.told, vec![running], signals).await,
        Then::Write(path) => {
            let written = write(&path, &desktop::rdp_file_for(&ready.desktop));
            if let Err(error) = written {
                stop(vec![running]).await;
                return Err(Failure::local("The file could not be written", &error));
            }
            hold(wanted.told, vec![running], signals).await
        }
        Then::Launch => launch(ready, running, &store, wanted.told, &name, &mut signals).await,
    }
}

fn forward(found: &Target, wanted: &Wanted) -> Result<Forward, Failure> {
    let defaults = ForwardOptions::default();
    let session = SessionOptions {
        limits: defaults.session.limits,
        // A person waits for what they see.
        priority: Priority::Foreground,
        ..found.options.clone()
    };
    let options = ForwardOptions {
        listen: vec![Listen::Loopback { port: wanted.local_port }],
        admission: admission(wanted.settings.other_users.value),
        session,
        ..defaults
    };
    let request = ForwardRequest {
        reason: wanted.settings.reason.value.clone(),
        ..ForwardRequest::to_port(found.id.as_str(), wanted.port)
    };
    Forward::start(found.control.clone(), request, options).map_err(|error| not_bound(&error))
}

fn address(forward: &Forward) -> Result<SocketAddr, Failure> {
    forward
        .listeners()
        .iter()
        .find_map(|listener| match listener {
            LocalAddress::Tcp(address) => Some(*address),
            LocalAddress::Unix(_) => None,
        })
        .ok_or_else(|| Failure::local("The forward was not started", &"it has no address"))
}

/// What a client is started with.
struct Ready {
    client: Option<Client>,
    desktop: Desktop,
    password: Option<WindowsPassword>,
}

async fn prepare(
    found: &Target,
    wanted: &Wanted,
    forward: &Forward,
    address: SocketAddr,
    name: &str,
    store: &Store,
) -> Result<Ready, Failure> {
    forward.ready().await.map_err(|end| not_started(&end, &found.context))?;
    let seen = desktop::certificate(address).await.map_err(|error| {
        Failure::from(CommandError::new(
            ErrorCode::NetworkUnreachable,
            format!("{}: {error}.", harmless(name)),
        ))
        .with_hint(format!("Check that remote desktop is switched on and listens on port {}.", wanted.port))
    })?;
    let mut desktop = desktop::desktop(address, name, &wanted.settings)
        .map_err(|text| Failure::usage(format!("{text:?} cannot be a user or a domain.")))?;
    desktop.pin = trusted(&found.id, seen, wanted, name, store)?;
    let key_file = wanted.settings.key_file.value.as_deref().filter(|path| !path.is_empty());
    let password = match (key_file, &wanted.then) {
        (Some(path), Then::Launch) => Some(password(found, Path::new(path)).await?),
        _ => None,
    };
    if password.is_some() && desktop.user.is_none() {
        desktop.user = UserName::new(ADMINISTRATOR);
    }
    let client = match wanted.then {
        Then::Launch => {
            let installed = tokio::task::spawn_blocking(desktop::installed).await.unwrap_or_default();
            let client = desktop::chosen(installed, wanted.settings.rdp_client.value);
            Some(client.ok_or_else(|| {
                Failure::local(
                    "No client was started",
                    &"no remote desktop client was found on this computer",
                )
                .with_hint("Install FreeRDP or Remmina, or use --file.")
            })?)
        }
        Then::Hold | Then::Write(_) => None,
    };
    Ok(Ready { client, desktop, password })
}

/// The pin clients are held to. The first certificate of a node is told and trusted; another one is refused unless it is
/// accepted (SEC-63).
fn trusted(
    node_id: &str,
    seen: Option<CertificatePin>,
    wanted: &Wanted,
    name: &str,
    store: &Store,
) -> Result<Option<CertificatePin>, Failure> {
    let Some(pin) = seen else {
        tell(&format!("{} shows no certificate: it only speaks RDP's old security.", harmless(name)));
        return Ok(None);
    };
    let mut pins = Pins::load(store);
    match Trust::judge(pins.of(node_id), pin) {
        Trust::Known => return Ok(Some(pin)),
        Trust::First if !wanted.told.quiet => {
            tell(&format!("First connection to {}: its certificate is {}.", harmless(name), pin.pairs()));
        }
        Trust::First => {}
        Trust::Changed if wanted.accept_certificate => {}
        Trust::Changed => {
            let message =
                format!("{} shows another certificate than before: {}.", harmless(name), pin.pairs());
            return Err(Failure::from(CommandError::new(ErrorCode::TlsUntrusted, message)).with_hint(
                "If it was rebuilt, add --accept-certificate; if not, something is between it and you.",
            ));
        }
    }
    pins.trust(node_id, pin);
    pins.save(store).map_err(|error| Failure::local("The certificate was not remembered", &error))?;
    Ok(Some(pin))
}

async fn password(found: &Target, key_file: &Path) -> Result<WindowsPassword, Failure> {
    let password =
        desktop::administrator_password(found.access.as_ref(), &found.id, key_file, &found.context).await?;
    Ok(password)
}

async fn launch(
    ready: Ready,
    running: Held,
    store: &Store,
    told: Told,
    name: &str,
    signals: &mut EndSignals,
) -> Result<u8, Failure> {
    let started = start(&ready, store);
    let ended = match started {
        Err(failure) => Err(failure),
        Ok(client) => {
            if !told.quiet {
                tell(&format!("{} shows {}.", client.name, harmless(name)));
                if ready.password.is_some() && !client.password_given {
                    tell("It cannot be handed the password; `fleetline rdp --print-password` prints it.");
                }
            }
            let pid = client.pid;
            let mut waiting = tokio::task::spawn_blocking(move || client.wait());
            tokio::select! {
                ended = &mut waiting => match ended.map_err(std::io::Error::other).and_then(|ended| ended) {
                    Ok(_) => Ok(0),
                    Err(error) => Err(Failure::local("The client could not be waited for", &error)),
                },
                signal = signals.next() => {
                    desktop::end(pid);
                    Err(Failure::signal(signal.number()))
                }
            }
        }
    };
    stop(vec![running]).await;
    ended
}

fn start(ready: &Ready, store: &Store) -> Result<RunningClient, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::local("The client was not started", error);
    let Some(client) = &ready.client else { return Err(failed(&"there is none")) };
    let directory = store
        .private_directory("launch")
        .map_err(|error| failed(&error))?
        .ok_or_else(|| failed(&"there is no directory for its file"))?;
    desktop::start(client, &ready.desktop, ready.password.as_ref(), &directory)
        .map_err(|error| failed(&error))
}

/// A new file only this user can read.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}
