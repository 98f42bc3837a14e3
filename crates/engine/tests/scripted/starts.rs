//! Starting.

use fleetline_engine::ports::ApiErrorKind;
use fleetline_engine::{
    DialError, EndReason, LostStart, ReconnectCause, ServiceCause, SessionState, StartError, StartStep,
};
use fleetline_protocol::PayloadType;
use tokio::sync::oneshot;

use crate::aws::{Answer, ScriptedAws};
use crate::gateway::{Gateway, TestAgent};
use crate::{is_open, open, options, reach, request};

#[tokio::test]
async fn a_refused_start_fails_and_is_not_repeated() {
    for kind in [ApiErrorKind::TargetNotConnected, ApiErrorKind::AccessDenied, ApiErrorKind::TierRequired] {
        let aws = ScriptedAws::new("ws://127.0.0.1:9/");
        aws.on_start([Answer::Error(kind)]);
        let shell = open(&aws);
        let state = shell.ended().await;
        let SessionState::Failed(StartError::Api(error)) = state else { panic!("{state:?}") };
        assert_eq!(error.kind, kind);
        shell.close().await.expect("nothing to terminate");
        assert_eq!((aws.count("StartSession"), aws.count("TerminateSession")), (1, 0));
    }
}

#[tokio::test]
async fn a_start_that_never_left_or_was_throttled_is_repeated() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    aws.on_start([Answer::NeverSent, Answer::Error(ApiErrorKind::Throttled)]);
    let shell = open(&aws);
    let state =
        reach(&shell, |s| matches!(s, SessionState::Starting { step: StartStep::RequestingAgain { .. } }))
            .await;
    assert!(matches!(state, SessionState::Starting { .. }));
    let peer = gateway.accept().await;
    assert_eq!((peer.token.as_str(), peer.authorization.as_deref()), ("t1", Some("AWS4 test")));
    assert_eq!(peer.client_version, "1.2.764.0");
    assert_eq!(aws.count("StartSession"), 3);
}

#[tokio::test]
async fn closing_during_start_terminates_the_session_that_is_granted_later() {
    let aws = ScriptedAws::new("ws://127.0.0.1:9/");
    let (grant, granted) = oneshot::channel();
    aws.on_start([Answer::After(granted)]);
    let shell = open(&aws);
    aws.called("StartSession", 1).await;
    let closing = tokio::spawn(async move {
        let outcome = shell.close().await;
        (outcome, shell)
    });
    tokio::task::yield_now().await;
    assert_eq!(aws.count("TerminateSession"), 0);
    grant.send(()).expect("waiting");
    let (outcome, shell) = closing.await.expect("task");
    outcome.expect("terminated");
    assert!(matches!(shell.ended().await, SessionState::Ended(EndReason::ClosedByUser)));
    assert_eq!(aws.count("TerminateSession"), 1);
}

#[tokio::test]
async fn a_gateway_that_cannot_be_reached_fails_the_start_and_terminates_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    let aws = ScriptedAws::new(format!("ws://127.0.0.1:{port}/"));
    let mut options = options();
    options.session.resume.open_budget = std::time::Duration::from_millis(100);
    let shell = fleetline_engine::open_shell(aws.clone(), request(), options);
    let state = shell.ended().await;
    let SessionState::Failed(
        error @ StartError::Unreachable { cause: ReconnectCause::Dial(DialError::Connect { .. }), .. },
    ) = state
    else {
        panic!("{state:?}")
    };
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    shell.close().await.expect("terminated");
    assert_eq!(aws.count("TerminateSession"), 1);
    assert!(aws.count("ResumeSession") > 0, "a new attempt uses a new token");
}

#[tokio::test]
async fn a_token_that_expired_before_opening_is_replaced_not_the_session() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    // The gateway may say no at the upgrade, or by closing after the open message.
    gateway.refuse([403]);
    let shell = open(&aws);
    let second = gateway.accept().await;
    assert_eq!(second.token, "t2");
    second.bye().await;
    let mut third = gateway.accept().await;
    assert_eq!(third.token, "t3");
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut third, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    assert_eq!((aws.count("StartSession"), aws.count("ResumeSession")), (1, 2));
}

#[tokio::test]
async fn an_identity_the_gateway_refuses_fails_the_start_with_the_gateways_words() {
    let gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    gateway.refuse([403, 403, 403]);
    let shell = open(&aws);
    let SessionState::Failed(error @ StartError::Refused { .. }) = shell.ended().await else {
        panic!("not refused")
    };
    assert!(
        error.to_string().contains("403") && error.to_string().contains("refused by the test"),
        "{error}"
    );
    shell.close().await.expect("terminated");
    assert_eq!(aws.count("TerminateSession"), 1);
}

#[tokio::test]
async fn a_session_that_is_gone_before_it_opened_is_not_terminated() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    aws.on_resume([Answer::Gone]);
    let shell = open(&aws);
    gateway.accept().await.bye().await;
    assert!(matches!(shell.ended().await, SessionState::Failed(StartError::Gone { .. })));
    shell.close().await.expect("settled");
    assert_eq!(aws.count("TerminateSession"), 0);
}

#[tokio::test]
async fn a_service_that_closes_before_the_node_speaks_is_quoted() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = open(&aws);
    gateway.accept().await.close_channel("Plugin with name Standard_Stream not found").await;
    let state = shell.ended().await;
    let SessionState::Failed(StartError::ByService { cause, text }) = state else { panic!("{state:?}") };
    assert_eq!(
        (cause, text.as_str()),
        (ServiceCause::PluginNotFound, "Plugin with name Standard_Stream not found")
    );
    shell.close().await.expect("settled");
    assert_eq!(aws.count("TerminateSession"), 0);
}

#[tokio::test]
async fn input_and_keys_before_opening_wait_or_are_refused() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    assert_eq!(shell.try_send("x"), Err(fleetline_engine::TrySendError::NotConnected));
    shell.send("early").await.expect("queued");
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.typed == b"early").await);
}

#[tokio::test]
async fn a_node_that_says_nothing_is_reported_and_not_given_up() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let mut options = options();
    options.session.liveness.first_words_within = std::time::Duration::from_millis(50);
    let shell = fleetline_engine::open_shell(aws.clone(), request(), options);
    let mut peer = gateway.accept().await;
    reach(&shell, |s| matches!(s, SessionState::Starting { step: StartStep::NodeSilent { .. } })).await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
}

#[tokio::test]
async fn credentials_that_expire_between_grant_and_upgrade_fail_the_start_and_terminate() {
    let gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    aws.on_sign([Answer::Error(ApiErrorKind::CredentialsExpired)]);
    let shell = open(&aws);
    let state = shell.ended().await;
    let SessionState::Failed(StartError::Refused { cause }) = state else { panic!("{state:?}") };
    assert!(cause.needs_credentials());
    shell.close().await.expect("terminated");
    assert_eq!(aws.count("TerminateSession"), 1);
}

#[tokio::test]
async fn a_session_that_began_without_an_answer_is_found_by_its_reason_and_adopted() {
    for kind in [ApiErrorKind::Network, ApiErrorKind::Service] {
        let mut gateway = Gateway::start().await;
        let aws = ScriptedAws::new(&*gateway.url);
        aws.on_start([Answer::Begun(kind)]);
        // The listing fails once and then lags behind.
        aws.on_list([Answer::Error(ApiErrorKind::Throttled), Answer::Gone]);
        let mut request = request();
        request.reason = Some("INC-7".to_owned());
        let shell = fleetline_engine::open_shell(aws.clone(), request, options());
        reach(&shell, |s| matches!(s, SessionState::Starting { step: StartStep::LookingForSession { .. } }))
            .await;
        let mut peer = gateway.accept().await;
        let mut agent = TestAgent::shell();
        agent.attach();
        agent.print(PayloadType::Output, "$ ");
        assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
        reach(&shell, is_open).await;
        assert_eq!((aws.count("StartSession"), aws.count("ResumeSession")), (1, 1));
        let reasons = aws.reasons();
        assert!(reasons[0].as_deref().is_some_and(|r| r.starts_with("INC-7 (fleetline ")), "{reasons:?}");
        shell.close().await.expect("terminated");
        assert_eq!(aws.count("TerminateSession"), 1);
    }
}

#[tokio::test]
async fn a_session_that_began_without_an_answer_and_cannot_be_adopted_is_terminated() {
    let aws = ScriptedAws::new("ws://127.0.0.1:9/");
    aws.on_start([Answer::Begun(ApiErrorKind::Network)]);
    aws.on_resume([Answer::Error(ApiErrorKind::AccessDenied)]);
    let shell = open(&aws);
    let state = shell.ended().await;
    let SessionState::Failed(StartError::Lost { error, what: LostStart::Ended(session) }) = state else {
        panic!("{state:?}")
    };
    assert_eq!((error.kind, session.as_str()), (ApiErrorKind::Network, "someone-0123456789abcdef0"));
    assert_eq!((aws.count("StartSession"), aws.count("TerminateSession")), (1, 1));
}

#[tokio::test]
async fn a_lost_start_whose_session_cannot_be_looked_for_says_that_it_is_unknown() {
    let aws = ScriptedAws::new("ws://127.0.0.1:9/");
    aws.on_start([Answer::Begun(ApiErrorKind::Network)]);
    aws.on_list([Answer::Error(ApiErrorKind::AccessDenied)]);
    let shell = open(&aws);
    let SessionState::Failed(error) = shell.ended().await else { panic!("not failed") };
    assert!(matches!(&error, StartError::Lost { what: LostStart::Unknown(_), .. }), "{error:?}");
    assert!(error.to_string().contains("unknown"), "{error}");
    assert_eq!((aws.count("StartSession"), aws.count("DescribeSessions")), (1, 1));
}

#[tokio::test]
async fn closing_while_a_lost_start_is_looked_for_terminates_what_is_found() {
    let aws = ScriptedAws::new("ws://127.0.0.1:9/");
    aws.on_start([Answer::Begun(ApiErrorKind::Network)]);
    let (list, listed) = oneshot::channel();
    aws.on_list([Answer::After(listed)]);
    let shell = open(&aws);
    aws.called("DescribeSessions", 1).await;
    let closing = tokio::spawn(async move { shell.close().await });
    list.send(()).expect("waiting");
    closing.await.expect("task").expect("terminated");
    assert_eq!((aws.count("StartSession"), aws.count("TerminateSession")), (1, 1));
}
