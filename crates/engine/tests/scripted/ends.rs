//! Ending: every end has a reason, and TerminateSession is called exactly where the service did not end the session.

use fleetline_engine::ports::ApiErrorKind;
use fleetline_engine::{
    CloseError, CommandEnd, DataStream, EndReason, RunCommand, SessionState, run_command,
};
use fleetline_protocol::PayloadType;

use crate::aws::{Answer, ScriptedAws};
use crate::gateway::{Gateway, Peer, TestAgent};
use crate::{is_open, open, options, reach};

async fn open_up(gateway: &mut Gateway, shell: &fleetline_engine::ShellSession) -> (Peer, TestAgent) {
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(shell, is_open).await;
    (peer, agent)
}

#[tokio::test]
async fn close_terminates_exactly_once_however_often_it_is_called() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = open(&aws);
    let (peer, _agent) = open_up(&mut gateway, &shell).await;
    let (first, second) = tokio::join!(shell.close(), shell.close());
    assert_eq!((first, second), (Ok(()), Ok(())));
    assert!(matches!(shell.ended().await, SessionState::Ended(EndReason::ClosedByUser)));
    peer.gone().await;
    drop(shell);
    assert_eq!(aws.count("TerminateSession"), 1);
}

#[tokio::test]
async fn dropping_the_handle_terminates() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = open(&aws);
    let (peer, _agent) = open_up(&mut gateway, &shell).await;
    drop(shell);
    aws.called("TerminateSession", 1).await;
    peer.gone().await;
    assert_eq!(aws.count("TerminateSession"), 1);
}

#[tokio::test]
async fn a_session_the_service_ended_is_not_terminated_and_its_output_is_kept() {
    for (text, normal) in [("", true), ("Your session timed out due to inactivity.", false)] {
        let mut gateway = Gateway::start().await;
        let aws = ScriptedAws::new(&*gateway.url);
        let shell = open(&aws);
        let (mut peer, mut agent) = open_up(&mut gateway, &shell).await;
        agent.print(PayloadType::Output, "bye\r\n");
        assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
        peer.close_channel(text).await;
        let state = shell.ended().await;
        let SessionState::Ended(reason) = state else { panic!("{state:?}") };
        assert_eq!(reason.is_normal(), normal);
        assert!(reason.to_string().contains(text), "{reason}");
        let mut output = Vec::new();
        while let Some(chunk) = shell.recv().await {
            output.extend_from_slice(&chunk.bytes);
        }
        assert_eq!(output, b"$ bye\r\n");
        shell.close().await.expect("settled");
        assert_eq!(aws.count("TerminateSession"), 0);
    }
}

#[tokio::test]
async fn a_termination_that_fails_is_repeated_when_that_can_help_and_told_when_not() {
    for (answers, calls, outcome) in [
        (vec![ApiErrorKind::Network, ApiErrorKind::Throttled], 3, true),
        (vec![ApiErrorKind::AccessDenied], 1, false),
    ] {
        let mut gateway = Gateway::start().await;
        let aws = ScriptedAws::new(&*gateway.url);
        aws.on_terminate(answers.into_iter().map(Answer::Error));
        let shell = open(&aws);
        let (_peer, _agent) = open_up(&mut gateway, &shell).await;
        let closed = shell.close().await;
        assert_eq!(closed.is_ok(), outcome, "{closed:?}");
        if let Err(error) = closed {
            assert!(matches!(error, CloseError::Refused(_)), "{error:?}");
        }
        assert_eq!(aws.count("TerminateSession"), calls);
    }
}

#[tokio::test]
async fn a_panic_in_the_task_still_ends_and_terminates_the_session() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    aws.on_resume([Answer::Panic]);
    let shell = open(&aws);
    let (peer, _agent) = open_up(&mut gateway, &shell).await;
    peer.bye().await;
    assert!(matches!(shell.ended().await, SessionState::Ended(EndReason::Defect)));
    aws.called("TerminateSession", 1).await;
    assert_eq!(aws.count("TerminateSession"), 1);
    assert_eq!(shell.send("x").await, Err(fleetline_engine::SendError::Ended));
}

#[tokio::test]
async fn a_command_gives_both_streams_and_its_exit_status() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let run = RunCommand { target: "i-0".into(), command: "false".into(), ..RunCommand::default() };
    let command = run_command(aws.clone(), run, options().session);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::command();
    agent.attach();
    agent.print(PayloadType::Output, "out");
    agent.print(PayloadType::StdErr, "err");
    agent.print(PayloadType::ExitCode, "EXIT_CODE: 7");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    let mut output = Vec::new();
    while let Some(chunk) = command.recv().await {
        output.push((chunk.stream, chunk.bytes));
    }
    assert_eq!(output, [(DataStream::Output, "out".into()), (DataStream::StdErr, "err".into())]);
    assert!(matches!(command.end().await, CommandEnd::Exited(7)));
    peer.close_channel("").await;
    command.close().await.expect("settled");
    assert_eq!(aws.count("TerminateSession"), 0, "the service ended it");
}

#[tokio::test]
async fn a_command_session_the_service_forgets_to_close_is_terminated() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let run = RunCommand { target: "i-0".into(), command: "true".into(), ..RunCommand::default() };
    let command = run_command(aws.clone(), run, options().session);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::command();
    agent.attach();
    agent.print(PayloadType::ExitCode, "EXIT_CODE: 0");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    assert!(matches!(command.end().await, CommandEnd::Exited(0)));
    drop(peer);
    command.close().await.expect("terminated");
    assert_eq!((aws.count("ResumeSession"), aws.count("TerminateSession")), (0, 1));
}
