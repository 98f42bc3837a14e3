//! Sleep and changes of the network.

use std::time::Duration;

use fleetline_engine::{ReconnectCause, SessionState, ShellSession, SocketLoss, Wakeups, open_shell};
use fleetline_protocol::PayloadType;

use crate::aws::ScriptedAws;
use crate::gateway::{Gateway, Peer, TestAgent};
use crate::{is_open, options, reach, request};

/// Longer than any test runs: what happens in these tests happens for another reason than time.
const NEVER: Duration = Duration::from_secs(3600);

async fn open(
    gateway: &mut Gateway,
    wakeups: &Wakeups,
    probe_patience: Duration,
) -> (ShellSession, Peer, TestAgent) {
    let aws = ScriptedAws::new(&*gateway.url);
    let mut options = options();
    options.session.wakeups = wakeups.clone();
    let liveness = &mut options.session.liveness;
    (liveness.ping_every, liveness.dead_after) = (NEVER, NEVER);
    liveness.probe_patience = probe_patience;
    let resume = &mut options.session.resume;
    (resume.first_delay, resume.max_delay, resume.budget) = (NEVER, NEVER, NEVER * 10);
    let shell = open_shell(aws, request(), options);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    (shell, peer, agent)
}

#[tokio::test]
async fn a_wake_up_makes_every_session_ask_its_gateway_and_a_living_socket_is_kept() {
    let wakeups = Wakeups::new();
    let mut gateway = Gateway::start().await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(open(&mut gateway, &wakeups, NEVER).await);
    }
    wakeups.slept(Duration::from_secs(1800));
    for (shell, peer, agent) in &mut sessions {
        // The first one is for the opening.
        assert!(agent.serve_until(peer, |peer| peer.pings >= 2).await);
        // The answer to the ping has left before this arrives.
        agent.print(PayloadType::Output, "still here");
        assert!(agent.serve(peer, |agent| agent.unacked() == 0).await);
        assert_eq!(shell.stats().losses, 0);
        assert!(shell.history().iter().any(|entry| entry.text == "The computer slept for 1800 s"));
    }
}

#[tokio::test]
async fn a_socket_that_died_in_sleep_or_with_the_network_is_found_out_at_once() {
    for slept in [true, false] {
        let wakeups = Wakeups::new();
        let mut gateway = Gateway::start().await;
        let (shell, _dead, _agent) = open(&mut gateway, &wakeups, Duration::from_millis(300)).await;
        // From here on nobody reads or writes the gateway's end.
        if slept {
            wakeups.slept(Duration::from_secs(60));
        } else {
            wakeups.network_changed();
        }
        let away = |s: &SessionState| matches!(s, SessionState::Reconnecting { .. });
        let SessionState::Reconnecting { cause, .. } = reach(&shell, away).await else { unreachable!() };
        assert!(matches!(cause, ReconnectCause::Lost(SocketLoss::Silent { .. })), "{cause:?}");
    }
}

#[tokio::test]
async fn a_session_that_waits_to_try_again_tries_when_the_network_changes() {
    let wakeups = Wakeups::new();
    let mut gateway = Gateway::start().await;
    let (shell, peer, mut agent) = open(&mut gateway, &wakeups, NEVER).await;
    peer.bye().await;
    reach(&shell, |s| matches!(s, SessionState::Reconnecting { next_try: Some(_), .. })).await;
    wakeups.network_changed();
    let mut peer = gateway.accept().await;
    agent.print(PayloadType::Output, "back");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    assert_eq!((shell.stats().losses, shell.stats().resumes), (1, 1));
    assert!(shell.stats().last_loss.is_some_and(|cause| matches!(cause, ReconnectCause::Lost(_))));
}
