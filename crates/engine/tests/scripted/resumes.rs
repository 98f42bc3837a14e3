//! Interruptions.

use std::time::Duration;

use bytes::Bytes;
use fleetline_engine::ports::ApiErrorKind;
use fleetline_engine::{EndReason, ReconnectCause, SessionState, SocketLoss, TrySendError};
use fleetline_protocol::PayloadType;

use crate::aws::{Answer, ScriptedAws};
use crate::gateway::{Gateway, TestAgent};
use crate::{is_open, open, options, reach, read, request};

fn is_away(state: &SessionState) -> bool {
    matches!(state, SessionState::Reconnecting { .. })
}

#[tokio::test]
async fn a_routine_close_is_resumed_with_a_new_token_and_nothing_is_lost() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = open(&aws);
    let mut agent = TestAgent::shell();
    agent.attach();

    let mut expected = Vec::new();
    for round in 0..5u32 {
        let mut peer = gateway.accept().await;
        assert_eq!(peer.token, format!("t{}", round + 1));
        let line = format!("output of round {round}\r\n");
        agent.print(PayloadType::Output, line.as_bytes());
        expected.extend_from_slice(line.as_bytes());
        assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
        // Printed and never sent on this socket: only repetition can bring it.
        let late = format!("printed while away {round}\r\n");
        agent.print(PayloadType::Output, late.as_bytes());
        expected.extend_from_slice(late.as_bytes());
        shell.send(format!("typed {round}")).await.expect("open");
        peer.bye().await;
    }
    let mut peer = gateway.accept().await;
    let typed: String = (0..5).map(|round| format!("typed {round}")).collect();
    assert!(agent.serve(&mut peer, |a| a.unacked() == 0 && a.typed == typed.as_bytes()).await);
    assert!(read(&shell, expected.len()).await == expected);
    let state = reach(&shell, is_open).await;
    assert!(matches!(state, SessionState::Open { resumed_after: Some(_), .. }), "{state:?}");
    assert_eq!((aws.count("StartSession"), aws.count("TerminateSession")), (1, 0));
    let history: Vec<_> = shell.history().into_iter().map(|entry| entry.text).collect();
    assert!(history.iter().any(|text| text.contains("renewed the connection")), "{history:?}");
    assert!(!history.iter().any(|text| text.contains("t1") || text.contains("typed")), "{history:?}");
}

#[tokio::test]
async fn keys_are_refused_while_away_and_the_cause_is_named() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let (go, wait) = tokio::sync::oneshot::channel();
    aws.on_resume([Answer::After(wait)]);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    assert_eq!(shell.try_send("a"), Ok(()));
    assert!(agent.serve(&mut peer, |agent| agent.typed == b"a").await);
    // No close frame, no answer: the TCP connection just ends.
    drop(peer);
    let state = reach(&shell, is_away).await;
    let SessionState::Reconnecting { cause: ReconnectCause::Lost(loss), attempt: 1, .. } = state else {
        panic!("{state:?}")
    };
    assert!(!loss.is_routine(), "{loss:?}");
    assert_eq!(shell.try_send("b"), Err(TrySendError::NotConnected));
    shell.send("c").await.expect("waits in the queue");
    go.send(()).expect("waiting");
    let mut peer = gateway.accept().await;
    agent.detach();
    agent.attach();
    assert!(agent.serve(&mut peer, |agent| agent.typed == b"ac").await);
}

#[tokio::test]
async fn expired_credentials_wait_for_the_user_and_a_retry_resumes() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    aws.on_resume([Answer::Error(ApiErrorKind::CredentialsExpired)]);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    peer.bye().await;
    let state = reach(&shell, |s| matches!(s, SessionState::Reconnecting { awaits_retry: true, .. })).await;
    let SessionState::Reconnecting { cause, next_try: None, .. } = state else { panic!("{state:?}") };
    assert!(cause.needs_credentials());
    shell.retry_now();
    let mut peer = gateway.accept().await;
    agent.print(PayloadType::Output, "again");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    assert_eq!(read(&shell, 7).await, b"$ again");
}

#[tokio::test]
async fn a_session_gone_at_resume_ends_with_the_cause_and_is_not_terminated() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    aws.on_resume([Answer::Gone]);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    peer.bye().await;
    let state = shell.ended().await;
    let SessionState::Ended(EndReason::Gone {
        cause: ReconnectCause::Lost(SocketLoss::Closed { code: Some(1000), .. }),
    }) = state
    else {
        panic!("{state:?}")
    };
    shell.close().await.expect("settled");
    assert_eq!(aws.count("TerminateSession"), 0);
}

#[tokio::test]
async fn an_outage_longer_than_the_budget_ends_with_the_last_failure_and_terminates_once() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    aws.on_resume((0..1000).map(|_| Answer::Error(ApiErrorKind::Network)));
    let mut options = options();
    options.session.resume.budget = Duration::from_millis(150);
    let shell = fleetline_engine::open_shell(aws.clone(), request(), options);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    peer.bye().await;
    let state = shell.ended().await;
    let SessionState::Ended(EndReason::ResumeExhausted { cause: ReconnectCause::Api(_), .. }) = state else {
        panic!("{state:?}")
    };
    shell.close().await.expect("terminated");
    assert!(aws.count("ResumeSession") >= 3);
    assert_eq!(aws.count("TerminateSession"), 1);
}

#[tokio::test]
async fn closing_while_away_ends_at_once_and_terminates_once() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let (_never, wait) = tokio::sync::oneshot::channel();
    aws.on_resume([Answer::After(wait)]);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    peer.bye().await;
    aws.called("ResumeSession", 1).await;
    shell.close().await.expect("terminated");
    assert!(matches!(shell.ended().await, SessionState::Ended(EndReason::ClosedByUser)));
    assert_eq!(aws.count("TerminateSession"), 1);
}

#[tokio::test]
async fn a_socket_that_delivers_rubbish_is_replaced() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    for _ in 0..100 {
        peer.send_raw(Bytes::from_static(&[0xff; 200])).await;
    }
    let mut peer = gateway.accept().await;
    assert_eq!(peer.token, "t2");
    agent.print(PayloadType::Output, "clean");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    assert_eq!(read(&shell, 7).await, b"$ clean");
}

#[tokio::test]
async fn a_gateway_that_falls_silent_is_given_up_and_the_session_resumed() {
    for typed in [false, true] {
        let mut gateway = Gateway::start().await;
        let aws = ScriptedAws::new(&*gateway.url);
        let mut options = options();
        let never = Duration::from_secs(3600);
        let soon = Duration::from_millis(250);
        let liveness = &mut options.session.liveness;
        if typed {
            (liveness.dead_after, liveness.probe_after, liveness.probe_patience) = (never, soon, soon);
        } else {
            (liveness.dead_after, liveness.probe_after) = (soon * 8, never);
        }
        let shell = fleetline_engine::open_shell(aws.clone(), request(), options);
        let mut peer = gateway.accept().await;
        let mut agent = TestAgent::shell();
        agent.attach();
        agent.print(PayloadType::Output, "$ ");
        assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
        reach(&shell, is_open).await;

        // From here on nobody reads or writes the gateway's end.
        if typed {
            shell.send("x").await.expect("open");
        }
        let state = reach(&shell, is_away).await;
        let SessionState::Reconnecting { cause: ReconnectCause::Lost(SocketLoss::Silent { .. }), .. } = state
        else {
            panic!("{state:?}")
        };
        let mut next = gateway.accept().await;
        agent.print(PayloadType::Output, "back");
        assert!(agent.serve(&mut next, |agent| agent.unacked() == 0).await);
        assert_eq!(read(&shell, 6).await, b"$ back");
    }
}

#[tokio::test]
async fn a_node_that_leaves_input_unacknowledged_is_shown_and_not_disconnected() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let mut options = options();
    options.session.liveness.answer_within = Duration::from_millis(50);
    let shell = fleetline_engine::open_shell(aws.clone(), request(), options);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;

    // The gateway still answers pings; the agent behind it does nothing.
    let gateway_alone = tokio::spawn(peer.gone());
    shell.send("x").await.expect("open");
    let state = reach(&shell, |s| !matches!(s, SessionState::Open { unanswered_since: None, .. })).await;
    assert!(matches!(state, SessionState::Open { unanswered_since: Some(_), .. }), "{state:?}");
    shell.close().await.expect("terminated");
    gateway_alone.await.expect("closed");
}

#[tokio::test]
async fn a_session_with_a_presigned_url_is_dialled_again_but_never_resumed() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(format!("{}&X-Amz-Signature=canary", gateway.url));
    gateway.refuse([503]);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    assert_eq!(peer.token, "t1", "the same grant");
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    peer.bye().await;
    let SessionState::Ended(reason) = shell.ended().await else { panic!("not ended") };
    assert!(
        matches!(&reason, EndReason::ResumeRefused { cause: ReconnectCause::Presigned(_) }),
        "{reason:?}"
    );
    assert!(reason.to_string().contains("pre-signed"), "{reason}");
    shell.close().await.expect("terminated");
    assert_eq!((aws.count("ResumeSession"), aws.count("TerminateSession")), (0, 1));
    assert!(!format!("{:?}", shell.history()).contains("canary"));
}

#[tokio::test]
async fn one_sign_in_resumes_every_session_that_waits_for_credentials_and_open_ones_do_not_notice() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    aws.on_resume((0..2).map(|_| Answer::Error(ApiErrorKind::CredentialsExpired)));
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let shell = open(&aws);
        let mut peer = gateway.accept().await;
        let mut agent = TestAgent::shell();
        agent.attach();
        agent.print(PayloadType::Output, "$ ");
        assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
        reach(&shell, is_open).await;
        sessions.push((shell, peer, agent));
    }
    let (untouched, mut its_peer, mut its_agent) = sessions.pop().expect("three");
    let mut waiting = aws.gate().waiting();
    let mut shells = Vec::new();
    for (shell, peer, agent) in sessions {
        peer.bye().await;
        reach(&shell, |s| matches!(s, SessionState::Reconnecting { awaits_retry: true, .. })).await;
        shell.send("kept").await.expect("queued");
        shells.push((shell, agent));
    }
    waiting.wait_for(|waiting| *waiting == 2).await.expect("the gate lives");
    untouched.send("works").await.expect("open");
    assert!(its_agent.serve(&mut its_peer, |agent| agent.typed == b"works").await);

    aws.gate().renewed();
    // Either may come first.
    let mut peers = [gateway.accept().await, gateway.accept().await];
    waiting.wait_for(|waiting| *waiting == 0).await.expect("the gate lives");
    // Both sessions say the same, so that either agent serves either.
    for ((_, agent), peer) in shells.iter_mut().zip(&mut peers) {
        agent.detach();
        agent.attach();
        assert!(agent.serve(peer, |agent| agent.typed == b"kept").await);
    }
    for (shell, _) in &shells {
        reach(shell, is_open).await;
    }
    assert_eq!((aws.count("StartSession"), aws.count("ResumeSession")), (3, 4));
    assert_eq!(untouched.stats().losses, 0);
}

/// Passes bytes both ways and cuts a connection on which nothing passes for that long, as some proxies do.
async fn idle_cutter(to: std::net::SocketAddr, patience: Duration) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(to).await.expect("the gateway listens");
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let (mut up, mut down) = ([0; 4096], [0; 4096]);
                loop {
                    tokio::select! {
                        Ok(count @ 1..) = near.read(&mut up) => far.write_all(&up[..count]).await.expect("up"),
                        Ok(count @ 1..) = far.read(&mut down) => near.write_all(&down[..count]).await.expect("down"),
                        () = tokio::time::sleep(patience) => return,
                        else => return,
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_middlebox_that_cuts_idle_connections_never_sees_one() {
    assert!(fleetline_engine::LivenessTimes::default().ping_every < Duration::from_secs(55));
    let mut gateway = Gateway::start().await;
    let url = url::Url::parse(&gateway.url).expect("url");
    let to = url.socket_addrs(|| None).expect("address")[0];
    // Shortened; much more than the interval of pings, so that a busy machine does not decide.
    let patience = Duration::from_secs(4);
    let port = idle_cutter(to, patience).await;
    let aws = ScriptedAws::new(gateway.url.replace(&to.port().to_string(), &port.to_string()));
    let mut options = options();
    options.session.liveness.ping_every = Duration::from_millis(500);
    let shell = fleetline_engine::open_shell(aws.clone(), request(), options);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    // Long enough for an idle connection to be cut, in pings.
    assert!(agent.serve_until(&mut peer, |peer| peer.pings >= 10).await);
    assert_eq!((shell.stats().losses, aws.count("ResumeSession")), (0, 0));
}
