//! Standard input and output.

use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::{
    EndReason, SendError, SessionState, StdioOptions, StdioSession, open_stdio, ssh_session,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{Behaviour, World};
use crate::{echo, pattern, session_options, target};

fn ssh() -> Behaviour {
    Behaviour { document_type: None, ..Behaviour::default() }
}

fn open(world: &Arc<World>, port: u16) -> StdioSession {
    let mut options = StdioOptions { finish_grace: Duration::from_millis(500), ..StdioOptions::default() };
    let limits = options.session.limits;
    options.session = session_options();
    options.session.limits = limits;
    open_stdio(world.clone(), ssh_session("i-0123456789abcdef0", port, None), options)
}

async fn read(session: &StdioSession, length: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < length {
        read.extend_from_slice(&session.recv().await.expect("output"));
    }
    assert_eq!(read.len(), length, "more than expected");
    read
}

/// (qq), (ii).
#[tokio::test]
async fn bytes_pass_unchanged_across_cuts_and_the_end_of_input_ends_the_session() {
    let world = World::start(ssh()).await;
    let session = Arc::new(open(&world, echo().await));
    session.send("\n").await.unwrap();
    assert_eq!(read(&session, 1).await, b"\n", "input before the handshake waits, and no byte is translated");
    let sent = pattern(2 * 1024 * 1024, 4);
    let sending = tokio::spawn({
        let (session, sent) = (session.clone(), sent.clone());
        async move {
            session.send(sent).await.unwrap();
            session.finish_input().await;
            assert_eq!(session.send("x").await, Err(SendError::Finished));
        }
    });
    let mut received = session.recv().await.expect("output").to_vec();
    world.cut();
    while received.len() < sent.len() {
        received.extend_from_slice(&session.recv().await.expect("output"));
    }
    assert!(received == sent);
    sending.await.unwrap();
    assert_eq!(session.recv().await, None);
    assert!(matches!(session.ended().await, SessionState::Ended(EndReason::Finished)));
    assert_eq!(world.count("TerminateSession"), 0, "the agent took the flag");
}

/// (qq).
#[tokio::test]
async fn an_answer_after_the_end_of_input_arrives() {
    let world = World::start(ssh()).await;
    let port = target(|mut stream| async move {
        stream.read_exact(&mut [0; 7]).await.unwrap();
        stream.write_all(&pattern(300_000, 1)).await.unwrap();
    })
    .await;
    let session = open(&world, port);
    session.send("request").await.unwrap();
    session.finish_input().await;
    assert!(read(&session, 300_000).await == pattern(300_000, 1));
    assert_eq!(session.recv().await, None);
}

#[tokio::test]
async fn an_agent_without_the_flag_is_ended_by_a_call() {
    let world = World::start(Behaviour { agent_version: "2.3.722.0", ..ssh() }).await;
    let session = open(&world, echo().await);
    session.send("x").await.unwrap();
    assert_eq!(read(&session, 1).await, b"x");
    session.finish_input().await;
    world.called("TerminateSession", 1).await;
    assert!(matches!(session.ended().await, SessionState::Ended(EndReason::Finished)));
    session.close().await.unwrap();
    assert_eq!(world.count("TerminateSession"), 1);
}

#[tokio::test]
async fn a_document_for_forwards_is_refused_by_name() {
    let world = World::start(Behaviour::default()).await;
    let session = open(&world, echo().await);
    let state = session.ended().await;
    let SessionState::Ended(reason @ EndReason::Unusable { .. }) = state else { panic!("{state:?}") };
    assert!(reason.to_string().contains("forwards"), "{reason}");
    session.close().await.unwrap();
    assert_eq!(world.count("TerminateSession"), 1);
}
