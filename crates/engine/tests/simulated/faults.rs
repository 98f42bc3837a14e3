//! Faults of the network and of the link, as the fault table of the reference names them.

use std::io::Write as _;
use std::time::Duration;

use fleetline_engine::{LivenessTimes, ReconnectCause, SessionState, SocketLoss};
use fleetline_simulator::{FrameFaults, LinkFaults};

use crate::{World, options};

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
