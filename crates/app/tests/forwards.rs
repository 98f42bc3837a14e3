//! Forwards of the application, over the real simulator, to real servers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

#[path = "forwards/connect.rs"]
mod connect;
mod support;

use std::path::Path;
use std::sync::Arc;

use fleetline_app::tray::{ForwardAction, TrayAction};
use fleetline_app::{AppHandle, Backend, Ports, Scope, StartOptions, Store, start};
use fleetline_aws::AwsSources;
use fleetline_ipc::forward::{
    Arrangement, ForwardGuard, ForwardKind, ForwardLimits, ForwardRow, ForwardSpec, ForwardStart,
    ForwardState,
};
use fleetline_ipc::system::{QuitClient, QuitForward, StartChoice};
use fleetline_simulator::{Control, Simulator, SimulatorConfig};
use fleetline_store::Paths;
use support::{FakeUi, PATIENCE, Ready, Seen, rows};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

struct World {
    app: AppHandle,
    ui: Arc<FakeUi>,
}

/// The application on the demo fleet, with its files in `place`.
async fn world(simulator: &Simulator, place: &Path) -> World {
    let own = place.join("fleetline");
    let (config, credentials) = simulator.write_aws_config(place).unwrap();
    let sources = Arc::new(AwsSources::from_files(config, Some(credentials)));
    let scope = simulator.accounts().into_iter().flat_map(|account| {
        account.regions.into_iter().map(move |region| Scope { source: account.name.clone(), region })
    });
    let backend = Backend { access: Some(sources.clone()), ..Backend::of(sources, scope.collect()) };
    let paths = Paths::below(&own);
    let ui = FakeUi::new();
    let app = start(Ports {
        launcher: Arc::new(Ready::new(backend)),
        store: Store::open(paths).unwrap(),
        ui: ui.clone(),
        options: StartOptions { choice: Some(StartChoice::Demo), ..StartOptions::default() },
    });
    ui.until("listed", |seen| seen.fleet.total > 0 && !seen.fleet.refreshing).await;
    World { app, ui }
}

async fn simulator() -> (Simulator, Control) {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let control = simulator.control();
    control.allow_everything();
    (simulator, control)
}

impl World {
    async fn spec(&self, port: u16) -> ForwardSpec {
        let nodes = rows(&self.app, "platform:linux kind:ec2 state:ready").await;
        ForwardSpec {
            name: "Echo".to_owned(),
            kind: ForwardKind::Port,
            bundle: Some("Payments".to_owned()),
            node_key: nodes.first().expect("the demo has ready nodes").key.clone(),
            host: None,
            port: Some(port),
            local_port: 0,
            bind: None,
            socket: None,
            lanes: 2,
            start: ForwardStart::OnDemand,
            favourite: true,
            limits: ForwardLimits::default(),
            guard: ForwardGuard::Auto,
        }
    }

    async fn until(&self, id: &str, what: &str, wanted: impl Fn(&ForwardRow) -> bool) -> ForwardRow {
        let find = |seen: &Seen| seen.forwards.rows.iter().find(|row| row.id == id && wanted(row)).cloned();
        let seen = self.ui.until(what, |seen| find(seen).is_some()).await;
        find(&seen).expect("just found")
    }
}

/// A server that sends back what it receives; its port.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await.ok();
            });
        }
    });
    port
}

async fn exchange(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    let mut back = vec![0; bytes.len()];
    timeout(PATIENCE, stream.read_exact(&mut back)).await.expect("an answer").unwrap();
    assert_eq!(back, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_carries_connections_and_is_there_after_a_restart() {
    let (simulator, control) = simulator().await;
    let place = TempDir::new().unwrap();
    let world_one = world(&simulator, place.path()).await;
    let spec = world_one.spec(echo().await).await;
    let row = world_one.app.forward_create(spec.clone()).await.unwrap();
    assert_eq!((row.id.as_str(), &row.state, row.on), ("echo", &ForwardState::Idle, true));
    assert_ne!(row.spec.local_port, 0, "the picked port is kept");

    let mut stream = TcpStream::connect(&row.local).await.unwrap();
    exchange(&mut stream, &[7; 5000]).await;
    let active = world_one
        .until(&row.id, "active with figures", |row| row.connections == 1 && row.rate_down > 0.0)
        .await;
    assert_eq!((active.state, active.lanes), (ForwardState::Active, 1));
    let detail = world_one.app.forward_detail(row.id.clone()).await.unwrap();
    assert_eq!((detail.connections.len(), detail.lanes.len(), detail.bytes_down), (1, 1, 5000.0));
    let program = std::env::current_exe().unwrap();
    let program = program.file_name().unwrap().to_string_lossy().into_owned();
    // macOS cuts long names.
    assert!(program.starts_with(&detail.connections[0].client), "{:?}", detail.connections);
    assert!(!cfg!(target_os = "linux") || detail.connections[0].client == program, "{program}");
    assert!(detail.events.iter().any(|event| event.text == "Lane 1 is open."), "{:#?}", detail.events);

    world_one.app.close_requested().await;
    let asked = world_one.ui.until("asked", |seen| seen.quit_requested.is_some()).await;
    let asked = asked.quit_requested.unwrap();
    let forwards = vec![QuitForward {
        name: "Echo".to_owned(),
        kind: ForwardKind::Port,
        node_name: active.node_name.clone(),
        connections: 1,
    }];
    assert_eq!((asked.forwards, asked.programs), (forwards, 1));
    assert_eq!(
        asked.busiest,
        Some(QuitClient { client: detail.connections[0].client.clone(), bytes: 10_000.0 })
    );
    world_one.app.forward_disconnect(row.id.clone(), None).await.unwrap();
    assert!(timeout(PATIENCE, stream.read(&mut [0; 1])).await.unwrap().is_err(), "it is reset");
    world_one.app.app_quit().await.unwrap();
    let ended = control.wait_for(|sessions| sessions.iter().all(|session| session.end_ms.is_some()));
    timeout(PATIENCE, ended).await.expect("every session ends").unwrap();
    assert!(TcpStream::connect(&row.local).await.is_err(), "it listens no more");

    let again = world(&simulator, place.path()).await;
    let listed = again.until(&row.id, "listed with its node", |row| !row.node_name.is_empty()).await;
    assert_eq!((listed.state, listed.on, &listed.local), (ForwardState::Off, false, &row.local));
    assert_eq!(listed.spec.bundle.as_deref(), Some("Payments"));
    again.until(&row.id, "its node is found", |row| row.spec.node_key == spec.node_key).await;
    let switch = ForwardAction::SwitchBundle { bundle: "Payments".to_owned(), on: true };
    again.app.tray_chosen(TrayAction::Forwards(switch)).await;
    let on = again.until(&row.id, "switched on by the tray", |row| row.state == ForwardState::Idle).await;
    exchange(&mut TcpStream::connect(&on.local).await.unwrap(), b"still there").await;

    again.app.forwards_pause(true).await.unwrap();
    again.until(&row.id, "paused", |row| row.state == ForwardState::Paused).await;
    again.app.forwards_pause(false).await.unwrap();
    again.until(&row.id, "listening again", |row| row.state == ForwardState::Idle).await;
    again.app.forward_remove(row.id.clone()).await.unwrap();
    again.ui.until("gone", |seen| seen.forwards.rows.is_empty()).await;
    again.app.app_quit().await.unwrap();
    let file = std::fs::read_to_string(place.path().join("fleetline/config/profiles.toml")).unwrap();
    assert!(!file.contains("[profile."), "{file}");
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_and_a_closed_destination_say_what_to_do() {
    let (simulator, _) = simulator().await;
    let place = TempDir::new().unwrap();
    let world = world(&simulator, place.path()).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let spec = ForwardSpec { local_port: port, ..world.spec(echo().await).await };
    let row = world.app.forward_create(spec.clone()).await.unwrap();
    let ForwardState::PortInUse { port: in_use, holder, next_free: Some(free) } = &row.state else {
        panic!("{:?}", row.state)
    };
    assert_eq!(*in_use, port);
    assert!(holder.contains(&format!("(PID {}), yours", std::process::id())), "{holder}");
    let row = world.app.forward_edit(row.id, ForwardSpec { local_port: *free, ..row.spec }).await.unwrap();
    assert_eq!(row.state, ForwardState::Idle);
    exchange(&mut TcpStream::connect(&row.local).await.unwrap(), b"through").await;

    let second =
        world.app.forward_create(ForwardSpec { name: "Two".into(), ..row.spec.clone() }).await.unwrap();
    let ForwardState::PortInUse { holder, .. } = &second.state else { panic!("{:?}", second.state) };
    assert_eq!(*holder, format!("Port {free} is held by the forward Echo."));

    let closed = taken.local_addr().unwrap().port();
    drop(taken);
    let spec = ForwardSpec { port: Some(closed), ..row.spec.clone() };
    let row = world.app.forward_edit(row.id, spec).await.unwrap();
    let row = world.until(&row.id, "listening", |row| row.state == ForwardState::Idle).await;
    let mut refused = TcpStream::connect(&row.local).await.unwrap();
    refused.write_all(b"x").await.unwrap();
    let failed = |row: &ForwardRow| matches!(row.state, ForwardState::Failed { .. });
    let row = world.until(&row.id, "the destination refuses", failed).await;
    let ForwardState::Failed { problem, .. } = row.state else { unreachable!() };
    assert!(problem.hint.unwrap().contains(&format!("port {closed}")));

    world.app.app_leave().await.unwrap();
    world.ui.until("left", |seen| seen.forwards.rows.is_empty()).await;
    world.app.app_quit().await.unwrap();
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lets_other_computers_in_starts_only_with_its_address_typed_each_time() {
    let (simulator, control) = simulator().await;
    let place = TempDir::new().unwrap();
    let world = world(&simulator, place.path()).await;
    let spec = ForwardSpec { bind: Some("0.0.0.0".into()), ..world.spec(echo().await).await };
    let exposes = |row: &ForwardRow| row.state == ForwardState::Exposes { address: "0.0.0.0".into() };
    let row = world.app.forward_create(spec.clone()).await.unwrap();
    assert!(row.on && exposes(&row), "{:?}", row.state);
    for typed in ["", "yes", "127.0.0.1", "0.0.0.0:0", "::"] {
        let refused = world.app.forward_expose(row.id.clone(), typed.to_owned()).await.unwrap_err();
        assert!(refused.message.contains("Type 0.0.0.0"), "{refused:?}");
    }
    assert!(control.sessions().is_empty());
    let confirm = async || world.app.forward_expose(row.id.clone(), " 0.0.0.0 ".to_owned()).await;
    confirm().await.unwrap();
    let listening = world.until(&row.id, "listening", |row| row.state == ForwardState::Idle).await;
    let port = listening.local.strip_prefix("0.0.0.0:").expect("at all addresses");
    exchange(&mut TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap(), b"through").await;
    let texts = world.app.forward_texts(row.id.clone()).await.unwrap();
    assert!(
        texts.command.contains(&format!(" 0.0.0.0:{port}:")) && texts.command.contains(" --expose "),
        "{texts:?}"
    );

    // Off and on, a pause, and another port are starts of their own.
    world.app.forward_switch(row.id.clone(), false).await.unwrap();
    world.app.forward_switch(row.id.clone(), true).await.unwrap();
    world.until(&row.id, "asked again", exposes).await;
    confirm().await.unwrap();
    world.until(&row.id, "listening", |row| row.state == ForwardState::Idle).await;
    world.app.forwards_pause(true).await.unwrap();
    world.app.forwards_pause(false).await.unwrap();
    world.until(&row.id, "asked after the pause", exposes).await;
    confirm().await.unwrap();
    let listening = world.until(&row.id, "listening", |row| row.state == ForwardState::Idle).await;
    let elsewhere = ForwardSpec { local_port: 0, lanes: 2, ..listening.spec.clone() };
    world.app.forward_edit(row.id.clone(), elsewhere.clone()).await.unwrap();
    world.until(&row.id, "asked after a change", exposes).await;

    let near = ForwardSpec { bind: None, ..elsewhere };
    world.app.forward_edit(row.id.clone(), near.clone()).await.unwrap();
    world.until(&row.id, "loopback needs no question", |row| row.state == ForwardState::Idle).await;
    assert!(confirm().await.is_err(), "nobody else gets in");
    for wrong in [
        ForwardSpec { kind: ForwardKind::Rdp, bind: Some("0.0.0.0".into()), ..near.clone() },
        ForwardSpec { bind: Some("*".into()), ..near },
    ] {
        assert!(world.app.forward_edit(row.id.clone(), wrong).await.is_err());
    }
    world.app.app_quit().await.unwrap();
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_and_their_order_are_kept_and_a_time_limit_is_told() {
    let (simulator, _) = simulator().await;
    let place = TempDir::new().unwrap();
    let first = world(&simulator, place.path()).await;
    let base = first.spec(1).await;
    for (name, bundle) in
        [("a", Some("Pay")), ("b", Some("Pay")), ("c", Some("Plants")), ("d", None), ("e", None)]
    {
        let spec = ForwardSpec { name: name.into(), bundle: bundle.map(Into::into), ..base.clone() };
        let spec = ForwardSpec { favourite: false, ..spec };
        first.app.forward_create(spec).await.unwrap();
    }
    let arrange = async |arrangement| first.app.forwards_arrange(arrangement).await;
    let place_at = |id: &str, bundle: Option<&str>, before: Option<&str>| Arrangement::Place {
        id: id.into(),
        bundle: bundle.map(Into::into),
        before: before.map(Into::into),
    };
    arrange(place_at("b", Some("Pay"), Some("a"))).await.unwrap();
    arrange(place_at("e", None, Some("d"))).await.unwrap();
    arrange(place_at("d", Some("Plants"), Some("c"))).await.unwrap();
    arrange(Arrangement::PlaceBundle { bundle: "Plants".into(), before: Some("Pay".into()) }).await.unwrap();
    arrange(Arrangement::RenameBundle { bundle: "Pay".into(), name: "Payments prod".into() }).await.unwrap();
    let taken = Arrangement::RenameBundle { bundle: "Plants".into(), name: "Payments prod".into() };
    assert_eq!(arrange(taken).await.unwrap_err().message, "There is a bundle Payments prod already.");
    let listed = |rows: &[ForwardRow]| {
        let line = |row: &ForwardRow| format!("{}/{}", row.spec.bundle.as_deref().unwrap_or("-"), row.id);
        rows.iter().map(line).collect::<Vec<_>>()
    };
    let expected = ["Plants/d", "Plants/c", "Payments prod/b", "Payments prod/a", "-/e"];
    let rows = first.app.app_snapshot().await.unwrap().forwards.rows;
    assert_eq!(listed(&rows), expected);

    let limits = ForwardLimits { time_limit_minutes: 90, ..ForwardLimits::default() };
    let limited = ForwardSpec { limits, ..rows[3].spec.clone() };
    let row = first.app.forward_edit("a".into(), limited).await.unwrap();
    assert!(row.ends_ms.is_some_and(|at| at > 0.0), "{row:?}");
    first.app.forward_switch("a".into(), false).await.unwrap();
    let detail = first.app.forward_detail("a".into()).await.unwrap();
    let texts: Vec<&str> = detail.events.iter().map(|event| event.text.as_str()).collect();
    assert!(
        texts.first() == Some(&"Switched off.") && texts.len() >= 2,
        "the log outlives the run: {texts:?}"
    );
    first.app.app_quit().await.unwrap();

    let again = world(&simulator, place.path()).await;
    assert_eq!(listed(&again.app.app_snapshot().await.unwrap().forwards.rows), expected, "as it was left");
    again.app.forwards_arrange(Arrangement::Ungroup { bundle: "Plants".into() }).await.unwrap();
    let rows = again.app.app_snapshot().await.unwrap().forwards.rows;
    assert_eq!(listed(&rows)[..2], expected[2..4], "{:?}", listed(&rows));
    assert!(rows[2..].iter().all(|row| row.spec.bundle.is_none()), "{:?}", listed(&rows));
    again.app.forwards_arrange(Arrangement::RemoveBundle { bundle: "Payments prod".into() }).await.unwrap();
    assert_eq!(again.app.app_snapshot().await.unwrap().forwards.rows.len(), 3);
    again.app.app_quit().await.unwrap();
    let file = std::fs::read_to_string(place.path().join("fleetline/config/profiles.toml")).unwrap();
    assert_eq!((file.matches("[profile.").count(), file.matches("bundle").count()), (3, 0), "{file}");
    simulator.shutdown().await;
}
