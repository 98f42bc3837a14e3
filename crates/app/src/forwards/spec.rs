//! A forward as the interface describes it and as it is saved.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use fleetline_engine::forward::{ForwardRequest, Listen, Screen};
use fleetline_ipc::forward::{ForwardGuard, ForwardKind, ForwardLimits, ForwardSpec, ForwardStart};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::{
    Bind, BrowserGuard, EffectiveSettings, Local, ProfileKind, ProfileTarget, Remote, SavedProfile, Start,
    Whole,
};

use super::guard::web_guard;

/// Where Windows has its remote desktop.
const RDP_PORT: u16 = 3389;

/// The limits of a description (`ForwardSpec`).
pub(super) fn check(spec: &ForwardSpec) -> Result<(), CommandError> {
    let wrong = |message: &str| Err(CommandError::new(ErrorCode::InvalidInput, message));
    if !is_name(&spec.name) {
        return wrong("A forward has a name of 1 to 80 characters in one line.");
    }
    if let Some(bundle) = &spec.bundle {
        check_bundle(bundle)?;
    }
    if !(1..=16).contains(&spec.lanes) {
        return wrong("A forward has 1 to 16 lanes.");
    }
    if !(1..=4096).contains(&spec.limits.connections) {
        return wrong("A forward carries 1 to 4096 connections at a time.");
    }
    if spec.limits.idle_minutes > 1440 || spec.limits.time_limit_minutes > 10_080 {
        return wrong("Sessions may be idle for a day at most, and a time limit is a week at most.");
    }
    if spec.kind != ForwardKind::Socks && spec.port.is_none_or(|port| port == 0) {
        return wrong("The port to reach is a number from 1 to 65535.");
    }
    if spec.kind == ForwardKind::RemoteHost && !spec.host.as_deref().is_some_and(is_host) {
        return wrong("The host is a name or an address, without a port.");
    }
    if let Some(socket) = &spec.socket
        && (!(socket.starts_with('/') || socket.starts_with("~/")) || socket.contains(char::is_control))
    {
        return wrong("A socket is named by its whole path, or by one that begins with ~/.");
    }
    if let Some(bind) = &spec.bind {
        if bind.parse::<IpAddr>().is_err() {
            return wrong(
                "The address to listen on is an IP address of this computer, as 127.0.0.1 or 0.0.0.0.",
            );
        }
        if spec.socket.is_some() {
            return wrong("A forward listens at an address or at a socket, not at both.");
        }
        if spec.kind == ForwardKind::Rdp {
            return wrong("Remote desktops listen at loopback only, where their client is.");
        }
    }
    Ok(())
}

/// The limits of a bundle's name.
pub(super) fn check_bundle(name: &str) -> Result<(), CommandError> {
    if is_name(name) {
        return Ok(());
    }
    Err(CommandError::new(ErrorCode::InvalidInput, "A bundle has a name of 1 to 80 characters in one line."))
}

fn is_name(text: &str) -> bool {
    (1..=80).contains(&text.chars().count())
        && text.len() <= 256
        && text.trim() == text
        && !text.contains(char::is_control)
}

fn is_host(host: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    (1..=255).contains(&host.len()) && host.chars().all(allowed) && !host.starts_with('-')
}

/// What a saved profile says; `None` when it is no forward.
pub(super) fn of_saved(
    saved: &SavedProfile,
    effective: &EffectiveSettings,
    bundle: Option<String>,
    node_key: String,
) -> Option<ForwardSpec> {
    let (kind, host, port, local) = match &saved.kind {
        ProfileKind::Forward { remote, local, .. } => {
            let kind = if remote.host.is_some() { ForwardKind::RemoteHost } else { ForwardKind::Port };
            (kind, remote.host.clone(), Some(remote.port), local.clone())
        }
        ProfileKind::Rdp { port, local_port, .. } => {
            (ForwardKind::Rdp, None, Some(*port), Local::Port(*local_port))
        }
        ProfileKind::Socks { local, .. } => (ForwardKind::Socks, None, None, local.clone()),
        _ => return None,
    };
    let (local_port, socket) = match local {
        Local::Port(port) => (port, None),
        Local::Socket(path) => (0, Some(path)),
    };
    Some(ForwardSpec {
        name: saved.name.clone(),
        kind,
        bundle,
        node_key,
        host,
        port,
        local_port,
        bind: match (&socket, kind, effective.bind.value) {
            (
                None,
                ForwardKind::Port | ForwardKind::RemoteHost | ForwardKind::Socks,
                Bind::Address(address),
            ) => Some(address.to_string()),
            _ => None,
        },
        socket,
        lanes: effective.lanes.value.get(),
        start: match effective.start.value {
            Start::OnDemand => ForwardStart::OnDemand,
            Start::AtOnce => ForwardStart::AtOnce,
            Start::Always => ForwardStart::Always,
        },
        favourite: saved.favourite,
        limits: ForwardLimits {
            connections: effective.connections.value.get(),
            idle_minutes: effective.idle_minutes.value.get(),
            time_limit_minutes: effective.time_limit_minutes.value.get(),
            other_users: effective.other_users.value,
        },
        guard: match effective.browser_guard.value {
            BrowserGuard::Auto => ForwardGuard::Auto,
            BrowserGuard::On => ForwardGuard::On,
            BrowserGuard::Off => ForwardGuard::Off,
        },
    })
}

/// Writes a description into a profile. What it inherits unchanged is left to be inherited.
pub(super) fn into_saved(
    spec: &ForwardSpec,
    target: ProfileTarget,
    effective: &EffectiveSettings,
    saved: &mut SavedProfile,
) {
    saved.name.clone_from(&spec.name);
    saved.favourite = spec.favourite;
    let local = match &spec.socket {
        Some(path) => Local::Socket(path.clone()),
        None => Local::Port(spec.local_port),
    };
    let port = spec.port.unwrap_or(RDP_PORT);
    saved.kind = match spec.kind {
        ForwardKind::Port => ProfileKind::Forward { target, remote: Remote { host: None, port }, local },
        ForwardKind::RemoteHost => {
            ProfileKind::Forward { target, remote: Remote { host: spec.host.clone(), port }, local }
        }
        ForwardKind::Rdp => ProfileKind::Rdp { target, port, local_port: spec.local_port },
        ForwardKind::Socks => ProfileKind::Socks { target, local },
    };
    if spec.lanes != effective.lanes.value.get() {
        saved.settings.lanes = Whole::new(spec.lanes);
    }
    let guard = browser_guard(spec.guard);
    if guard != effective.browser_guard.value {
        saved.settings.browser_guard = Some(guard);
    }
    let start = match spec.start {
        ForwardStart::OnDemand => Start::OnDemand,
        ForwardStart::AtOnce => Start::AtOnce,
        ForwardStart::Always => Start::Always,
    };
    let limits = &spec.limits;
    let settings = &mut saved.settings;
    let bind = spec.bind.as_ref().and_then(|bind| bind.parse().ok()).map_or(Bind::Loopback, Bind::Address);
    // Where no address is chosen, the one that is inherited means nothing.
    let has_bind = spec.socket.is_none() && spec.kind != ForwardKind::Rdp;
    if has_bind && effective.bind.value != bind {
        settings.bind = Some(bind);
    }
    if effective.start.value != start {
        settings.start = Some(start);
    }
    if effective.connections.value.get() != limits.connections {
        settings.connections = Whole::new(limits.connections);
    }
    if effective.idle_minutes.value.get() != limits.idle_minutes {
        settings.idle_minutes = Whole::new(limits.idle_minutes);
    }
    if effective.time_limit_minutes.value.get() != limits.time_limit_minutes {
        settings.time_limit_minutes = Whole::new(limits.time_limit_minutes);
    }
    if effective.other_users.value != limits.other_users {
        settings.other_users = Some(limits.other_users);
    }
}

/// What is asked of the engine for a description.
pub(super) fn request(spec: &ForwardSpec, target: &str, reason: Option<String>) -> ForwardRequest {
    let port = spec.port.unwrap_or(RDP_PORT);
    let request = match (spec.kind, &spec.host) {
        (ForwardKind::Socks, _) => ForwardRequest::to_chosen(target),
        (ForwardKind::RemoteHost, Some(host)) => ForwardRequest::to_remote_host(target, host, port),
        _ => ForwardRequest::to_port(target, port),
    };
    ForwardRequest { reason, ..request }
}

/// What looks at requests of web pages, where that is wanted (SEC-23).
pub(super) fn screen(spec: &ForwardSpec, aliases: &[String]) -> Option<Arc<dyn Screen>> {
    let port = spec.port.filter(|_| matches!(spec.kind, ForwardKind::Port | ForwardKind::RemoteHost))?;
    let bind = spec.bind.as_ref().and_then(|bind| bind.parse().ok());
    web_guard(browser_guard(spec.guard), port, bind, aliases)
}

fn browser_guard(guard: ForwardGuard) -> BrowserGuard {
    match guard {
        ForwardGuard::Auto => BrowserGuard::Auto,
        ForwardGuard::On => BrowserGuard::On,
        ForwardGuard::Off => BrowserGuard::Off,
    }
}

/// The address that lets other computers in, if it listens at one.
pub(super) fn exposed(spec: &ForwardSpec) -> Option<IpAddr> {
    let address: IpAddr = spec.bind.as_ref()?.parse().ok()?;
    (spec.socket.is_none() && !address.is_loopback()).then_some(address)
}

/// Where it listens. An address that lets other computers in must be the `confirmed` one: that is asked for at each start
/// (SEC-20).
///
/// # Errors
/// The address that was not confirmed.
pub(super) fn listen(spec: &ForwardSpec, confirmed: Option<IpAddr>) -> Result<Listen, IpAddr> {
    if let Some(path) = &spec.socket {
        return Ok(Listen::Unix { path: expanded(path) });
    }
    if let Some(address) = exposed(spec).filter(|address| confirmed != Some(*address)) {
        return Err(address);
    }
    match spec.bind.as_ref().and_then(|bind| bind.parse().ok()) {
        None => Ok(Listen::Loopback { port: spec.local_port }),
        Some(address) => Ok(Listen::Addresses { addresses: vec![address], port: spec.local_port }),
    }
}

fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// Whether two descriptions differ in what a running forward was started with.
pub(super) fn needs_restart(old: &ForwardSpec, new: &ForwardSpec) -> bool {
    let running = |spec: &ForwardSpec| ForwardSpec {
        name: String::new(),
        bundle: None,
        favourite: false,
        // Counts from when it was switched on, whatever it is set to since.
        limits: ForwardLimits { time_limit_minutes: 0, ..spec.limits.clone() },
        ..spec.clone()
    };
    running(old) != running(new)
}

/// `host:port`; empty for SOCKS.
pub(super) fn remote(spec: &ForwardSpec) -> String {
    match (&spec.host, spec.port) {
        (_, None) => String::new(),
        (Some(host), Some(port)) if host.contains(':') => format!("[{host}]:{port}"),
        (host, Some(port)) => format!("{}:{port}", host.as_deref().unwrap_or("localhost")),
    }
}

#[cfg(test)]
mod tests {
    use fleetline_store::profiles::{FolderPath, ProfileId, Profiles, Settings};

    use super::*;

    fn spec(kind: ForwardKind) -> ForwardSpec {
        let is_host = kind == ForwardKind::RemoteHost;
        ForwardSpec {
            name: "Ledger".to_owned(),
            kind,
            bundle: None,
            node_key: "1/eu/i-1".to_owned(),
            host: is_host.then(|| "db.internal".to_owned()),
            port: (kind != ForwardKind::Socks).then_some(5432),
            local_port: 5433,
            bind: None,
            socket: None,
            lanes: 2,
            start: ForwardStart::AtOnce,
            favourite: true,
            limits: ForwardLimits {
                connections: 40,
                idle_minutes: 0,
                time_limit_minutes: 90,
                other_users: true,
            },
            guard: ForwardGuard::On,
        }
    }

    #[test]
    fn every_kind_is_saved_and_read_back_as_it_was() {
        let target = ProfileTarget::Node("i-1".to_owned());
        for kind in [ForwardKind::Port, ForwardKind::RemoteHost, ForwardKind::Rdp, ForwardKind::Socks] {
            let spec = spec(kind);
            check(&spec).unwrap();
            let mut saved = SavedProfile {
                id: ProfileId::new("ledger").unwrap(),
                name: String::new(),
                folder: FolderPath::default(),
                order: None,
                favourite: false,
                note: None,
                kind: ProfileKind::Bundle { members: Vec::new() },
                settings: Settings::default(),
            };
            let profiles = Profiles::default();
            into_saved(&spec, target.clone(), &profiles.effective(&saved), &mut saved);
            let read = of_saved(&saved, &profiles.effective(&saved), None, spec.node_key.clone());
            assert_eq!(read, Some(spec));
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let wrong: [fn(&mut ForwardSpec); 12] = [
            |spec| spec.name.clear(),
            |spec| spec.name = "x".repeat(81),
            |spec| spec.bundle = Some("a\nb".to_owned()),
            |spec| spec.host = Some("db internal".to_owned()),
            |spec| spec.port = Some(0),
            |spec| spec.lanes = 17,
            |spec| spec.limits.connections = 0,
            |spec| spec.limits.idle_minutes = 1441,
            |spec| spec.limits.time_limit_minutes = 10_081,
            |spec| spec.socket = Some("relative.sock".to_owned()),
            |spec| spec.bind = Some("eth0".to_owned()),
            |spec| (spec.bind, spec.socket) = (Some("0.0.0.0".to_owned()), Some("/s".to_owned())),
        ];
        for change in wrong {
            let mut spec = spec(ForwardKind::RemoteHost);
            change(&mut spec);
            assert!(check(&spec).is_err(), "{spec:?}");
        }
    }

    #[test]
    fn only_loopback_is_listened_at_without_a_confirmation() {
        let spec = spec(ForwardKind::Port);
        let at = |bind: &str| ForwardSpec { bind: Some(bind.to_owned()), ..spec.clone() };
        let any: IpAddr = [0, 0, 0, 0].into();
        assert_eq!(listen(&spec, None), Ok(Listen::Loopback { port: 5433 }));
        for near in ["127.0.0.2", "::1"] {
            assert!(matches!(listen(&at(near), None), Ok(Listen::Addresses { .. })), "{near}");
        }
        assert_eq!(listen(&at("0.0.0.0"), None), Err(any));
        assert_eq!(listen(&at("0.0.0.0"), Some([192, 168, 1, 2].into())), Err(any));
        assert_eq!(
            listen(&at("0.0.0.0"), Some(any)),
            Ok(Listen::Addresses { addresses: vec![any], port: 5433 })
        );
        assert!(listen(&at("::"), Some(any)).is_err(), "the other family is another address");
    }

    #[test]
    fn forwards_are_guarded_unless_that_is_switched_off_or_they_carry_no_web_pages() {
        let guarded = |kind, port, guard| {
            let spec = ForwardSpec { port: Some(port), guard, ..spec(kind) };
            screen(&spec, &[]).is_some()
        };
        use ForwardGuard::{Auto, Off, On};
        assert!(guarded(ForwardKind::Port, 8080, Auto) && guarded(ForwardKind::RemoteHost, 5432, On));
        assert!(guarded(ForwardKind::Port, 5432, Auto), "browsers reach every port");
        assert!(!guarded(ForwardKind::Port, 80, Off));
        assert!(!guarded(ForwardKind::Rdp, 80, On) && !guarded(ForwardKind::Socks, 80, On));
    }

    #[test]
    fn a_new_name_is_no_reason_to_cut_connections() {
        let old = spec(ForwardKind::Port);
        let renamed = ForwardSpec { name: "Other".to_owned(), bundle: Some("b".to_owned()), ..old.clone() };
        assert!(!needs_restart(&old, &renamed));
        assert!(needs_restart(&old, &ForwardSpec { local_port: 1, ..old.clone() }));
    }
}
