//! Sessions that must be encrypted with a KMS key.

use std::time::Duration;

use fleetline_engine::ports::ApiErrorKind;
use fleetline_engine::{SessionState, StartError};
use fleetline_protocol::{PayloadType, SessionKind};
use tokio::sync::oneshot;

use crate::aws::{Answer, ScriptedAws};
use crate::gateway::{Gateway, TestAgent};
use crate::{is_open, open, reach, read};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/test";

#[tokio::test]
async fn a_sealed_shell_carries_bytes_both_ways_and_names_its_key() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::sealed(SessionKind::Shell, KEY);
    agent.attach();
    agent.print(PayloadType::Output, "the secret output");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    assert_eq!(shell.sealed_with().as_deref(), Some(KEY));
    shell.send("the secret input").await.expect("open");
    assert!(agent.serve(&mut peer, |agent| agent.typed == b"the secret input").await);
    assert_eq!(read(&shell, 17).await, b"the secret output");
    for plain in [&b"the secret input"[..], b"the secret output"] {
        assert!(!peer.wire.windows(plain.len()).any(|bytes| bytes == plain), "on the wire in the clear");
    }

    let asked = aws.keys_asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].key_id, KEY);
    let context = |name: &str| {
        asked[0].encryption_context.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    assert_eq!(context("aws:ssm:SessionId"), Some("someone-0123456789abcdef0"));
    assert_eq!(context("aws:ssm:TargetId"), Some("i-0123456789abcdef0"));
    assert!(context("aws:ssm:RandomChallenge").is_some());
}

#[tokio::test]
async fn a_refused_data_key_fails_the_start_with_its_cause_and_terminates() {
    for kind in [ApiErrorKind::AccessDenied, ApiErrorKind::KeyUnusable, ApiErrorKind::Network] {
        let mut gateway = Gateway::start().await;
        let aws = ScriptedAws::new(&*gateway.url);
        aws.on_key([Answer::Error(kind)]);
        let shell = open(&aws);
        let mut peer = gateway.accept().await;
        let mut agent = TestAgent::sealed(SessionKind::Shell, KEY);
        agent.attach();
        agent.print(PayloadType::Output, "never shown");
        // The agent is told before the client goes.
        agent.serve(&mut peer, |_| false).await;
        let state = shell.ended().await;
        let SessionState::Failed(StartError::DataKey { key_id, error }) = state else { panic!("{state:?}") };
        assert_eq!((key_id.as_str(), error.kind), (KEY, kind));
        assert_eq!(shell.recv().await, None);
        shell.close().await.expect("terminated");
        assert_eq!(aws.count("TerminateSession"), 1);
        assert_eq!(shell.sealed_with(), None);
    }
}

#[tokio::test]
async fn kms_is_waited_for_across_a_lost_socket_and_pongs_go_on_meanwhile() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let (answer, answered) = oneshot::channel();
    aws.on_key([Answer::After(answered)]);
    let mut options = crate::options();
    options.session.liveness.ping_every = Duration::from_millis(20);
    let shell = fleetline_engine::open_shell(aws.clone(), crate::request(), options);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::sealed(SessionKind::Shell, KEY);
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |_| aws.count("GenerateDataKey") == 1).await);
    let pings = peer.pings;
    assert!(agent.serve_until(&mut peer, |peer| peer.pings >= pings + 3).await);
    peer.bye().await;
    let mut peer = gateway.accept().await;
    answer.send(()).expect("waiting");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    assert_eq!(aws.count("GenerateDataKey"), 1);
    assert_eq!(shell.stats().resumes, 0, "it had not opened before");
    assert_eq!(shell.stats().losses, 1);
}
