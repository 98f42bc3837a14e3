//! `fleetline profile run`: opens what a saved profile describes.

use std::sync::Arc;

use fleetline_app::{Socks, web_guard};
use fleetline_engine::forward::{
    Destination, Forward, ForwardOptions, ForwardRequest, LanePolicy, LaneStart, Listen, Negotiator, Screen,
};
use fleetline_engine::{Priority, SessionOptions};
use fleetline_launch::rdp::{Environment, Here};
use fleetline_launch::ssh::SshConnection;
use fleetline_launch::ssh_config::{Alias, Dialect};
use fleetline_store::profiles::{
    Bind, EffectiveSettings, Local, ProfileId, ProfileKind, Profiles, SavedProfile, Start,
};

use super::load;
use crate::app::Borrowed;
use crate::args::ScopeArgs;
use crate::failure::Failure;
use crate::forward::spec::socket_path;
use crate::forward::{Held, Running, Told, admission, hold, not_bound, stop};
use crate::rdp::{self, Then, Wanted};
use crate::shell;
use crate::signals::EndSignals;
use crate::target::{self, Target};

/// Runs the profile of this id or name until it ends.
pub(super) async fn run(wanted: &str, told: Told, expose: bool) -> Result<u8, Failure> {
    let profiles = load()?.profiles;
    let profile = find(&profiles, wanted)?;
    let settings = profiles.effective(profile);
    let mut signals =
        EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
    match &profile.kind {
        ProfileKind::Bundle { members } => {
            let mut running: Vec<Held> = Vec::new();
            for member in members {
                if let Some(app) = Borrowed::saved(member.as_str()).await {
                    running.push(Held::App(Box::new(app)));
                    continue;
                }
                let one = start_member(&profiles, member, expose);
                let started = tokio::select! {
                    started = one => started,
                    signal = signals.next() => Err(Failure::signal(signal.number())),
                };
                match started {
                    Ok(one) => running.push(one),
                    Err(failure) => {
                        stop(running).await;
                        return Err(failure);
                    }
                }
            }
            if running.is_empty() {
                return Err(Failure::usage(format!("The bundle {} has no forwards.", profile.name)));
            }
            hold(told, running, signals).await
        }
        kind => {
            if matches!(kind, ProfileKind::Forward { .. } | ProfileKind::Socks { .. })
                && let Some(app) = Borrowed::saved(profile.id.as_str()).await
            {
                return hold(told, vec![Held::App(Box::new(app))], signals).await;
            }
            let target = kind.target().ok_or_else(|| Failure::usage("The profile names no node."))?;
            let scope = scope(&settings);
            let found = tokio::select! {
                found = target::find_saved(target, &scope) => found?,
                signal = signals.next() => return Err(Failure::signal(signal.number())),
            };
            open(profile, settings, found, told, expose, signals).await
        }
    }
}

/// The profile of an id, or the only one of a name.
///
/// # Errors
/// When there is none, or more than one has the name.
pub(super) fn find<'a>(profiles: &'a Profiles, wanted: &str) -> Result<&'a SavedProfile, Failure> {
    if let Some(profile) = ProfileId::new(wanted).and_then(|id| profiles.get(&id)) {
        return Ok(profile);
    }
    let mut named = profiles.iter().filter(|profile| profile.name.eq_ignore_ascii_case(wanted));
    match (named.next(), named.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            Err(Failure::usage(format!("Several profiles are called {wanted}.")).with_hint("Use the id."))
        }
        (None, _) => Err(Failure::usage(format!("There is no saved profile {wanted:?}."))
            .with_hint("Look with `fleetline profile list`.")),
    }
}

fn scope(settings: &EffectiveSettings) -> ScopeArgs {
    ScopeArgs {
        sources: settings.source.value.iter().cloned().collect(),
        regions: settings.region.value.iter().cloned().collect(),
    }
}

async fn open(
    profile: &SavedProfile,
    settings: EffectiveSettings,
    found: Target,
    told: Told,
    expose: bool,
    signals: EndSignals,
) -> Result<u8, Failure> {
    let session = |document: Option<String>, parameters: &[(String, Vec<String>)]| shell::Wanted {
        document,
        parameters: parameters.to_vec(),
        reason: settings.reason.value.clone(),
        quiet: told.quiet,
        record: None,
    };
    match &profile.kind {
        ProfileKind::Shell { document, parameters, .. } => {
            shell::open(found, session(document.clone(), parameters), signals).await
        }
        ProfileKind::Document { document, parameters, .. } => {
            shell::open(found, session(Some(document.clone()), parameters), signals).await
        }
        ProfileKind::Forward { .. } | ProfileKind::Socks { .. } => {
            let running = start(profile, &settings, &found, expose)?;
            hold(told, vec![running], signals).await
        }
        ProfileKind::Rdp { port, local_port, .. } => {
            let wanted = Wanted {
                port: *port,
                local_port: *local_port,
                settings,
                then: Then::Launch,
                accept_certificate: false,
                told,
            };
            rdp::open(found, wanted, signals).await
        }
        ProfileKind::Ssh { port, .. } => ssh(&found, *port, &settings, signals).await,
        ProfileKind::Bundle { .. } => Err(Failure::usage("A bundle cannot be in a bundle.")),
    }
}

/// Starts a forward of a bundle.
async fn start_member(profiles: &Profiles, member: &ProfileId, expose: bool) -> Result<Held, Failure> {
    let profile = profiles
        .get(member)
        .ok_or_else(|| Failure::usage(format!("The bundle names {member}, which is not saved.")))?;
    let settings = profiles.effective(profile);
    let target = profile
        .kind
        .target()
        .ok_or_else(|| Failure::usage(format!("{member} is a bundle and cannot be in one.")))?;
    let found = target::find_saved(target, &scope(&settings)).await?;
    start(profile, &settings, &found, expose)
}

fn start(
    profile: &SavedProfile,
    settings: &EffectiveSettings,
    found: &Target,
    expose: bool,
) -> Result<Held, Failure> {
    let (request, local) = match &profile.kind {
        ProfileKind::Forward { remote, local, .. } => {
            let request = match &remote.host {
                Some(host) => ForwardRequest::to_remote_host(found.id.as_str(), host, remote.port),
                None => ForwardRequest::to_port(found.id.as_str(), remote.port),
            };
            (request, local.clone())
        }
        ProfileKind::Socks { local, .. } => (ForwardRequest::to_chosen(found.id.as_str()), local.clone()),
        ProfileKind::Rdp { port, local_port, .. } => {
            (ForwardRequest::to_port(found.id.as_str(), *port), Local::Port(*local_port))
        }
        other => {
            let message =
                format!("{} is a profile of kind {}, which is no forward.", profile.id, other.word());
            return Err(Failure::usage(message));
        }
    };
    let listen = listen(&local, settings.bind.value, expose)?;
    let is_socks = request.destination == Destination::Chosen;
    let goal = request.destination.to_string();
    let defaults = ForwardOptions::default();
    let mut limits = defaults.limits;
    limits.flows = usize::try_from(settings.connections.value.get()).unwrap_or(limits.flows);
    let at_once = !is_socks && settings.start.value != Start::OnDemand;
    let options = ForwardOptions {
        listen: vec![listen],
        start: match settings.start.value {
            Start::OnDemand => LaneStart::OnDemand,
            Start::AtOnce => LaneStart::AtOnce,
            Start::Always => LaneStart::Always,
        },
        lanes: LanePolicy {
            max: usize::try_from(settings.lanes.value.get()).unwrap_or(1),
            ..LanePolicy::default()
        },
        limits,
        admission: admission(settings.other_users.value),
        negotiator: is_socks.then(|| Arc::new(Socks) as Arc<dyn Negotiator>),
        screen: screen(&profile.kind, settings),
        session: SessionOptions {
            limits: defaults.session.limits,
            priority: Priority::Background,
            ..found.options.clone()
        },
        ..defaults
    };
    let request = ForwardRequest { reason: settings.reason.value.clone(), ..request };
    let forward =
        Forward::start(found.control.clone(), request, options).map_err(|error| not_bound(&error))?;
    Ok(Running::through(found, forward, goal, at_once))
}

fn listen(local: &Local, bind: Bind, expose: bool) -> Result<Listen, Failure> {
    match (local, bind) {
        (Local::Socket(path), _) => Ok(Listen::Unix { path: socket_path(path) }),
        (Local::Port(port), Bind::Loopback) => Ok(Listen::Loopback { port: *port }),
        (Local::Port(port), Bind::Address(address)) if address.is_loopback() || expose => {
            Ok(Listen::Addresses { addresses: vec![address], port: *port })
        }
        (Local::Port(_), Bind::Address(address)) => {
            Err(Failure::usage(format!("Listening on {address} would let other computers in."))
                .with_hint("If that is meant, add --expose."))
        }
    }
}

fn screen(kind: &ProfileKind, settings: &EffectiveSettings) -> Option<Arc<dyn Screen>> {
    let ProfileKind::Forward { remote, .. } = kind else { return None };
    let bind = match settings.bind.value {
        Bind::Address(address) => Some(address),
        Bind::Loopback => None,
    };
    web_guard(settings.browser_guard.value, remote.port, bind, &settings.host_aliases.value)
}

/// Runs the system's `ssh` in this terminal, with this program as its proxy.
async fn ssh(
    found: &Target,
    port: u16,
    settings: &EffectiveSettings,
    mut signals: EndSignals,
) -> Result<u8, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::local("ssh was not started", error);
    let program = Here.find("ssh").ok_or_else(|| {
        failed(&"there is no ssh on this computer").with_hint("Install the OpenSSH client.")
    })?;
    let proxy = std::env::current_exe().map_err(|error| failed(&error))?;
    let connection = SshConnection {
        proxy: proxy.display().to_string(),
        node: Alias::new(&found.id).ok_or_else(|| failed(&"the node's id cannot be handed to it"))?,
        source: found.context.source.clone(),
        region: found.context.region.clone(),
        port,
        user: settings.user.value.clone(),
        key_file: settings.key_file.value.clone(),
        push_key: settings.push_key.value,
    };
    let arguments = connection.arguments(Dialect::HERE).map_err(|error| failed(&error))?;
    let mut child =
        tokio::process::Command::new(program).args(arguments).spawn().map_err(|error| failed(&error))?;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(|error| failed(&error))?;
                return Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255));
            }
            // ssh got it as well, and says what becomes of the session.
            _ = signals.next() => {}
        }
    }
}
