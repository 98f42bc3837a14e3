//! Faults of the network and of the link, as the fault table of the reference names them.

use std::io::Write as _;
use std::time::Duration;

use fleetline_engine::forward::{
    FlowEnd, Forward, ForwardOptions, ForwardRequest, ForwardState, LaneEnd, LocalAddress,
};
use fleetline_engine::{EndReason, LivenessTimes, ReconnectCause, SessionState, SocketLoss};
use fleetline_simulator::{FrameFaults, LinkFaults};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::{NODE, PATIENCE, World, options};

#[tokio::test]
async fn a_half_open_socket_is_found_out_when_typing_goes_unanswered_and_nothing_is_lost() {
    let world = World::new(|_| {}).await;
    let mut options = options();
    let probe = Duration::from_millis(300);
    options.session.liveness =
        LivenessTimes { probe_after: probe, probe_patience: probe, ..LivenessTimes::default() };
    let mut shell = world.open_with(options);
    shell.prompt().await;
    let id = shell.id();
    world.control.half_open(&id).await.unwrap();
    shell.type_in("echo ar''rived\r").await;
    let away = |s: &SessionState| matches!(s, SessionState::Reconnecting { .. });
    let SessionState::Reconnecting { cause, .. } = shell.reach(away).await else { unreachable!() };
    assert!(matches!(cause, ReconnectCause::Lost(SocketLoss::Silent { .. })), "{cause:?}");
    shell.until("arrived").await;
    assert_eq!(world.calls("StartSession"), 1);
    let stats = shell.session.stats();
    assert_eq!((stats.losses, stats.resumes), (1, 1));
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn corrupt_frames_are_counted_and_never_delivered() {
    let world = World::new(|_| {}).await;
    let faults = FrameFaults {
        corrupt_per_mille: 20,
        truncate_per_mille: 10,
        text_per_mille: 10,
        ..FrameFaults::default()
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let sent: Vec<u8> =
        (0..300_000u32).map(|i| b'!' + (i.wrapping_mul(2_654_435_761) >> 24) as u8 % 94).collect();
    file.write_all(&sent).unwrap();
    let mut shell = world.open();
    shell.prompt().await;
    world.control.set_link_faults(LinkFaults { to_client: faults, ..LinkFaults::default() }).await;
    shell
        .type_in(format!("stty -onlcr; printf 'BE''GIN'; cat {}; printf 'EN''D'\r", file.path().display()))
        .await;
    shell.until("BEGIN").await;
    let received = shell.until("END").await;
    assert!(received == sent, "{} of {}", received.len(), sent.len());
    assert!(shell.session.stats().rejected > 0);
    world.control.set_link_faults(LinkFaults::default()).await;
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn a_stalled_gateway_holds_a_session_up_and_does_not_end_it() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    shell.prompt().await;
    world.control.stall(&shell.id(), Duration::from_millis(700)).await.unwrap();
    shell.type_in("echo af''ter\r").await;
    shell.until("after").await;
    // Pings were answered, so the socket is the same.
    assert_eq!(shell.session.stats().losses, 0);
    world.simulator.shutdown().await;
}

/// A forward to a server that echoes, with an open connection over which a byte has passed.
async fn forwarded(world: &World, node_dead_after: Duration) -> (Forward, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let request = ForwardRequest::to_port(world.node_id.clone(), listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
    });
    let mut options = ForwardOptions::default();
    options.session.liveness.answer_within = Duration::from_millis(100);
    options.session.liveness.node_dead_after = node_dead_after;
    let forward = Forward::start(world.aws.clone(), request, options).unwrap();
    let LocalAddress::Tcp(address) = forward.listeners()[0].clone() else { panic!("no TCP") };
    let mut stream = TcpStream::connect(address).await.unwrap();
    echoed(&mut stream, b'a').await.unwrap();
    (forward, stream)
}

async fn echoed(stream: &mut TcpStream, byte: u8) -> std::io::Result<()> {
    stream.write_u8(byte).await?;
    let back = timeout(PATIENCE, stream.read_u8()).await.expect("no echo")?;
    assert_eq!(back, byte);
    Ok(())
}

async fn is_unanswered(forward: &Forward) {
    let mut state = forward.state();
    let reached = state.wait_for(|state| matches!(state, ForwardState::Unanswered { .. }));
    timeout(PATIENCE, reached).await.expect("not noticed").unwrap();
}

#[tokio::test]
async fn a_forward_bears_with_a_node_whose_network_comes_back_and_its_connections_go_on() {
    let world = World::new(|_| {}).await;
    let (forward, mut stream) = forwarded(&world, PATIENCE).await;
    world.control.disconnect_node(NODE).await.unwrap();
    stream.write_u8(b'b').await.unwrap();
    is_unanswered(&forward).await;
    world.control.connect_node(NODE).await.unwrap();
    assert_eq!(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap(), b'b');
    echoed(&mut stream, b'c').await.unwrap();
    let mut state = forward.state();
    timeout(PATIENCE, state.wait_for(|state| matches!(state, ForwardState::Open))).await.unwrap().unwrap();
    assert_eq!(world.control.sessions().len(), 1);
    forward.stop().await.unwrap();
}

#[tokio::test]
async fn a_forward_to_a_node_that_was_stopped_without_a_word_works_again_once_that_is_back() {
    let world = World::new(|_| {}).await;
    let (forward, mut stream) = forwarded(&world, Duration::from_secs(3)).await;
    let LocalAddress::Tcp(address) = forward.listeners()[0].clone() else { panic!("no TCP") };
    world.control.stop_node(NODE).await.unwrap();
    stream.write_u8(b'b').await.unwrap();
    is_unanswered(&forward).await;
    world.control.connect_node(NODE).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    echoed(&mut second, b'c').await.unwrap();
    assert_eq!(world.control.sessions().len(), 2);
    let error = timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    let mut changes = forward.changes();
    while forward.snapshot().ended.is_empty() {
        timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    }
    let ended = forward.snapshot().ended;
    assert!(
        matches!(ended[0].end, FlowEnd::LaneLost(LaneEnd::Ended(EndReason::NodeSilent { .. }))),
        "{ended:?}"
    );
    echoed(&mut second, b'd').await.unwrap();
    forward.stop().await.unwrap();
    world.is_clean().await;
}
