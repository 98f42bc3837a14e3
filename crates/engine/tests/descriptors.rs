//! A process that runs out of file descriptors. In a program of its own, because the limit is the process's.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

#[path = "scripted/aws.rs"]
mod aws;
#[path = "scripted/gateway.rs"]
mod gateway;

use std::os::fd::AsRawFd;
use std::time::Duration;

use fleetline_engine::ports::StartSession;
use fleetline_engine::{
    DialError, ReconnectCause, ResumePolicy, SessionOptions, SessionState, ShellOptions, ShellSession,
    StartError, open_shell,
};
use fleetline_protocol::PayloadType;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use aws::ScriptedAws;
use gateway::{Gateway, TestAgent};

fn open(aws: &std::sync::Arc<ScriptedAws>) -> ShellSession {
    let resume = ResumePolicy { open_budget: Duration::from_millis(100), ..ResumePolicy::default() };
    let session = SessionOptions { resume, ..SessionOptions::default() };
    let request = StartSession { target: "i-0123456789abcdef0".to_owned(), ..StartSession::default() };
    open_shell(aws.clone(), request, ShellOptions { session, ..ShellOptions::default() })
}

#[tokio::test]
async fn without_descriptors_a_new_session_says_so_and_open_ones_go_on() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let working = open(&aws);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);

    let before = getrlimit(Resource::Nofile);
    // The lowest free number is given next; from here on it is out of bounds.
    let lowest_free = std::fs::File::open("/dev/null").unwrap().as_raw_fd();
    let current = Some(u64::try_from(lowest_free).unwrap());
    setrlimit(Resource::Nofile, Rlimit { current, ..before }).unwrap();
    let refused = open(&aws);
    let state = refused.ended().await;
    working.send("still here").await.unwrap();
    let served = agent.serve(&mut peer, |agent| agent.typed == b"still here").await;
    setrlimit(Resource::Nofile, before).unwrap();

    let SessionState::Failed(error) = state else { panic!("{state:?}") };
    assert!(
        matches!(
            &error,
            StartError::Unreachable { cause: ReconnectCause::Dial(DialError::Connect { .. }), .. }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("Too many open files"), "{error}");
    assert!(served);
    refused.close().await.unwrap();
    assert_eq!(aws.count("TerminateSession"), 1);
}
