//! What leads into the application from outside, and what it offers of an earlier run: the profile file, the control
//! socket, links, the last run.

use std::net::SocketAddr;

use fleetline_app::Remote;
use fleetline_control::{
    Answer, AskError, Client, ForwardSpec as SpecAsked, LinksRow, Listen, RefusalKind, Request, Server,
};
use fleetline_ipc::link::{LinkDone, LinkOpener, LinkOpens};
use fleetline_ipc::settings::Settings;

use super::*;

fn profiles(place: &Path) -> std::path::PathBuf {
    place.join("fleetline/config/profiles.toml")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_edit_of_the_profile_file_is_taken_over_and_what_is_wrong_is_named_by_its_line() {
    let (simulator, _) = simulator().await;
    let place = TempDir::new().unwrap();
    let world = world(&simulator, place.path()).await;
    let spec = world.spec(echo().await).await;
    let row = world.app.forward_create(spec).await.unwrap();
    let mut stream = TcpStream::connect(&row.local).await.unwrap();
    exchange(&mut stream, b"before").await;
    let file = profiles(place.path());
    // The app writes behind the answer; whoever edits sees what it wrote.
    let text = loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.contains(&format!("local = {}", row.spec.local_port)) || text.contains("[profile.echo]") {
            break text;
        }
        tokio::task::yield_now().await;
    };
    std::fs::write(&file, text.replace("name = \"Echo\"", "name = \"Ledger echo\"")).unwrap();
    world.until(&row.id, "renamed", |row| row.spec.name == "Ledger echo").await;
    exchange(&mut stream, b"a new name cuts nothing").await;

    let broken =
        format!("{}\n[profile.bad]\nkind = \"shell\"\nnode = 7\n", std::fs::read_to_string(&file).unwrap());
    let line = broken.lines().count();
    std::fs::write(&file, broken).unwrap();
    let told = world.ui.until("told", |seen| seen.notices.iter().any(|notice| notice.id == "profiles")).await;
    let notice = told.notices.into_iter().find(|notice| notice.id == "profiles").unwrap();
    let detail = notice.detail.unwrap();
    assert!(detail.contains(&format!("profiles.toml:{line}:8: node must be")), "{detail}");
    exchange(&mut stream, b"the rest holds").await;

    std::fs::write(&file, "").unwrap();
    world.ui.until("gone", |seen| seen.forwards.rows.is_empty()).await;
    assert!(timeout(PATIENCE, stream.read(&mut [0; 1])).await.unwrap().is_err(), "it is stopped");
    let told =
        world.ui.until("mended", |seen| seen.notices.iter().all(|notice| notice.id != "profiles")).await;
    drop(told);
    world.app.app_quit().await.unwrap();
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_open_is_offered_at_the_next_start_and_opened_only_when_agreed_to() {
    let (simulator, control) = simulator().await;
    let place = TempDir::new().unwrap();
    let first = world(&simulator, place.path()).await;
    let spec = first.spec(echo().await).await;
    let row = first.app.forward_create(spec.clone()).await.unwrap();
    let tab = first.app.shell_open(spec.node_key.clone(), None, None).await.unwrap();
    first.ui.connected(&tab.id).await;
    first.app.app_quit().await.unwrap();

    let second = world(&simulator, place.path()).await;
    let snapshot = second.app.app_snapshot().await.unwrap();
    let offer = snapshot.restore.expect("it is offered");
    assert_eq!((offer.forwards, offer.shells.len()), (vec!["Echo".to_owned()], 1));
    let calls = control.sessions().len();
    assert!(TcpStream::connect(&row.local).await.is_err(), "nothing listens before the answer");
    second.app.app_restore(true).await.unwrap();
    second.until(&row.id, "listening", |row| row.state == ForwardState::Idle).await;
    let seen = second.ui.until("a shell", |seen| seen.tabs.len() == 2).await;
    second.ui.connected(&seen.tabs[1].id).await;
    exchange(&mut TcpStream::connect(&row.local).await.unwrap(), b"again").await;
    assert_eq!(control.sessions().len(), calls + 2, "a shell and a lane");
    assert!(second.app.app_restore(true).await.is_err(), "once");
    second.app.app_quit().await.unwrap();

    let third = world(&simulator, place.path()).await;
    assert!(third.app.app_snapshot().await.unwrap().restore.is_some());
    third.app.app_restore(false).await.unwrap();
    third.app.app_quit().await.unwrap();
    let fourth = world(&simulator, place.path()).await;
    assert_eq!(fourth.app.app_snapshot().await.unwrap().restore, None, "no means no");
    fourth.app.app_quit().await.unwrap();
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_uses_the_forward_that_does_the_same() {
    let (simulator, control) = simulator().await;
    let place = TempDir::new().unwrap();
    let world = world(&simulator, place.path()).await;
    let spec = world.spec(echo().await).await;
    let row = world.app.forward_create(spec.clone()).await.unwrap();
    let directory = place.path().join("control");
    let server = Server::bind(&directory, "test").unwrap();
    let serving = tokio::spawn(server.serve(Arc::new(Remote::new(world.app.clone()))));
    let mut client = Client::connect(&directory).await.unwrap();
    let asked = |port| Request::StartForward {
        forward: SpecAsked {
            source: None,
            region: None,
            target: row.node_id.clone(),
            host: None,
            port: Some(port),
            listen: Listen::Loopback { port: 0 },
            lanes: None,
        },
    };
    let Answer::Started { forward, existing } = client.ask(asked(spec.port.unwrap())).await.unwrap() else {
        panic!("not started")
    };
    assert_eq!((forward.id.as_str(), existing, forward.local), ("echo", true, vec![row.local.clone()]));
    let other = client.ask(asked(1)).await.unwrap_err();
    assert!(matches!(other, AskError::Refused(refusal) if refusal.kind == RefusalKind::NotFound));

    let mut follow = Client::connect(&directory).await.unwrap().follow(row.id.clone()).await.unwrap();
    client.ask(Request::StopForward { forward: row.id.clone() }).await.unwrap();
    let last = timeout(PATIENCE, async {
        let mut last = None;
        while let Some(event) = follow.next().await.unwrap() {
            last = Some(event.forward.state);
        }
        last
    });
    assert_eq!(last.await.unwrap().as_deref(), Some("off"));
    let Answer::Started { existing, .. } =
        client.ask(Request::RunProfile { profile: row.id.clone() }).await.unwrap()
    else {
        panic!("not started")
    };
    assert!(!existing, "it was off");
    assert_eq!(
        client.ask(Request::RunProfile { profile: "Payments".to_owned() }).await.unwrap(),
        Answer::Done
    );
    let Answer::Status(status) = client.ask(Request::Status).await.unwrap() else { panic!("no status") };
    assert_eq!((status.demo, status.forwards, status.shells), (true, 1, 0));
    assert_eq!(control.sessions().len(), 0, "nothing has connected, so there is no session");
    let asked = client.ask(Request::Links { on: None }).await.unwrap();
    let row = |on, opener: &str, detail: Option<&str>| {
        let (opener, detail) = (opener.to_owned(), detail.map(str::to_owned));
        Answer::Links(LinksRow { on, opener, detail })
    };
    assert_eq!(asked, row(false, "another", Some("x.desktop")));
    assert_eq!(client.ask(Request::Links { on: Some(true) }).await.unwrap(), row(true, "us", None));
    assert!(world.app.app_snapshot().await.unwrap().settings.deep_links);
    serving.abort();
    world.app.app_quit().await.unwrap();
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_only_where_links_are_on_and_after_a_yes() {
    let (simulator, control) = simulator().await;
    let place = TempDir::new().unwrap();
    let world = world(&simulator, place.path()).await;
    let spec = world.spec(echo().await).await;
    let row = world.app.forward_create(spec.clone()).await.unwrap();
    world.app.forward_switch(row.id.clone(), false).await.unwrap();
    let question = async || world.app.app_snapshot().await.unwrap().link;

    world.app.link_opened("fleetline://connect?profile=echo".to_owned()).await;
    world.ui.until("refused", |seen| seen.notices.iter().any(|notice| notice.id == "link")).await;
    assert_eq!(question().await, None);

    let settings = Settings { deep_links: true, ..Settings::default() };
    world.ui.change(|seen| seen.links_refused = true);
    let refused = world.app.settings_apply(settings.clone()).await.unwrap_err();
    assert!(refused.detail.is_some_and(|detail| detail.contains("cannot be written")));
    assert!(!world.app.link_status().await.unwrap().on, "what the desktop does not do is not on");
    world.ui.change(|seen| seen.links_refused = false);
    world.app.settings_apply(settings).await.unwrap();
    let status = world.app.link_status().await.unwrap();
    assert_eq!((status.on, status.opener), (true, LinkOpener::Us));
    for bad in ["fleetline://connect?profile=nobody", "fleetline://connect?profile=echo&port=1", "https://x"]
    {
        world.app.link_opened(bad.to_owned()).await;
        assert_eq!(question().await, None, "{bad}");
    }
    world.app.link_opened("fleetline://connect?profile=echo".to_owned()).await;
    let asked = question().await.expect("asked");
    assert_eq!(
        (asked.opens, asked.profile.as_deref(), asked.ports.len()),
        (LinkOpens::Forward, Some("Echo"), 1)
    );
    assert_eq!(asked.node_id, row.node_id);
    assert!(asked.ports[0].starts_with(&row.local), "{asked:?}");
    assert!(world.app.link_answer(asked.number + 1, true).await.is_err(), "an answer to another question");
    assert_eq!(world.app.link_answer(asked.number, false).await.unwrap(), LinkDone::Nothing);
    assert!(!world.app.app_snapshot().await.unwrap().forwards.rows[0].on, "no means no");

    world.app.link_opened("fleetline://connect?profile=echo".to_owned()).await;
    let asked = question().await.expect("asked again");
    world.app.link_answer(asked.number, true).await.unwrap();
    world.until(&row.id, "on", |row| row.state == ForwardState::Idle).await;

    let link = format!("fleetline://connect?node={}&open=rdp", row.node_id);
    world.app.link_opened(link).await;
    let asked = question().await.expect("a node");
    assert_eq!(asked.opens, LinkOpens::Desktop);
    let done = world.app.link_answer(asked.number, true).await.unwrap();
    assert_eq!(done, LinkDone::AskDesktop { node_key: spec.node_key.clone() });
    assert_eq!(control.sessions().len(), 0, "no session without a yes, and none was needed");
    world.app.app_quit().await.unwrap();
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_leads_where_each_connection_wants_to_go() {
    let (simulator, _) = simulator().await;
    let place = TempDir::new().unwrap();
    let world = world(&simulator, place.path()).await;
    let port = echo().await;
    let spec = ForwardSpec {
        name: "Proxy".to_owned(),
        kind: ForwardKind::Socks,
        port: None,
        local_port: 0,
        ..world.spec(port).await
    };
    let row = world.app.forward_create(spec).await.unwrap();
    assert_eq!(row.state, ForwardState::Idle);
    let mut stream = TcpStream::connect(&row.local).await.unwrap();
    stream.write_all(&[5, 1, 0]).await.unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [5, 0]);
    let mut request = vec![5, 1, 0, 3, 9];
    request.extend(b"localhost");
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await.unwrap();
    let mut reply = [0; 10];
    timeout(PATIENCE, stream.read_exact(&mut reply)).await.unwrap().unwrap();
    assert_eq!(&reply[..2], &[5, 0], "reached");
    exchange(&mut stream, b"through the proxy").await;
    let detail = world.app.forward_detail(row.id.clone()).await.unwrap();
    let wanted = Some(format!("localhost:{port}"));
    assert_eq!((&detail.connections[0].to, &detail.lanes[0].to), (&wanted, &wanted));
    let texts = world.app.forward_texts(row.id.clone()).await.unwrap();
    let address: SocketAddr = row.local.parse().unwrap();
    assert!(
        texts.command.contains(&format!("fleetline socks {} {}", row.node_id, address.port())),
        "{}",
        texts.command
    );
    world.app.app_quit().await.unwrap();
    simulator.shutdown().await;
}
