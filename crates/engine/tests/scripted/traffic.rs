//! Bytes both ways, and what holds them up.

use fleetline_engine::{TerminalSize, TrySendError};
use fleetline_protocol::PayloadType;

use crate::aws::ScriptedAws;
use crate::gateway::{Gateway, TestAgent};
use crate::{is_open, open, options, reach, read, request};

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i.wrapping_mul(31) >> 3) as u8).collect()
}

#[tokio::test]
async fn a_consumer_that_does_not_read_pushes_the_agent_back_and_loses_nothing() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let mut options = options();
    options.session.limits.output_bytes = 64 * 1024;
    let shell = fleetline_engine::open_shell(aws.clone(), request(), options);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    let sent = pattern(512 * 1024);
    agent.print(PayloadType::Output, sent.clone());

    // Nobody reads. Input and its acks go on all the same.
    let typing = async {
        reach(&shell, is_open).await;
        for _ in 0..20 {
            shell.send("key").await.expect("open");
        }
    };
    let (served, ()) = tokio::join!(agent.serve(&mut peer, |agent| agent.typed.len() == 60), typing);
    assert!(served);
    let refused = agent.unacked();
    assert!(refused >= sent.len() - 64 * 1024 - 2048, "{refused} bytes are held back at the agent");

    // Somebody reads.
    let (served, received) =
        tokio::join!(agent.serve(&mut peer, |agent| agent.unacked() == 0), read(&shell, sent.len()));
    assert!(served && received == sent);
}

#[tokio::test]
async fn a_paste_larger_than_every_queue_arrives_whole_across_a_cut() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = std::sync::Arc::new(open(&aws));
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;

    let paste = pattern(1024 * 1024);
    let pasting = tokio::spawn({
        let (shell, paste) = (shell.clone(), paste.clone());
        async move { shell.send(paste).await }
    });
    for part in [200_000, 500_000] {
        assert!(agent.serve(&mut peer, |agent| agent.typed.len() >= part).await);
        drop(peer);
        peer = gateway.accept().await;
        agent.detach();
        agent.attach();
    }
    assert!(agent.serve(&mut peer, |agent| agent.typed.len() >= paste.len()).await);
    assert!(agent.typed == paste);
    assert_eq!(pasting.await.expect("task"), Ok(()));
}

#[tokio::test]
async fn an_agent_that_takes_no_input_fills_bounded_queues_only() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let shell = open(&aws);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    reach(&shell, is_open).await;
    let limits = fleetline_engine::SessionLimits::default();
    let mut taken = 0;
    let refused = loop {
        match shell.try_send(vec![b'x'; 4096]) {
            Ok(()) => taken += 4096,
            Err(error) => break error,
        }
        assert!(taken <= limits.input_bytes + limits.send_window_bytes);
        tokio::task::yield_now().await;
    };
    assert_eq!(refused, TrySendError::Full);
}

#[tokio::test]
async fn the_size_is_known_before_the_prompt_and_follows_changes() {
    let mut gateway = Gateway::start().await;
    let aws = ScriptedAws::new(&*gateway.url);
    let mut options = options();
    options.size = TerminalSize { cols: 132, rows: 43 };
    let shell = fleetline_engine::open_shell(aws.clone(), request(), options);
    let mut peer = gateway.accept().await;
    let mut agent = TestAgent::shell();
    agent.attach();
    assert!(agent.serve(&mut peer, |agent| agent.sizes.last() == Some(&(132, 43))).await);
    agent.print(PayloadType::Output, "$ ");
    assert!(agent.serve(&mut peer, |agent| agent.unacked() == 0).await);
    shell.resize(TerminalSize { cols: 90, rows: 30 });
    assert!(agent.serve(&mut peer, |agent| agent.sizes.last() == Some(&(90, 30))).await);

    // A change while away is told after the resume.
    peer.bye().await;
    shell.resize(TerminalSize { cols: 70, rows: 20 });
    let mut peer = gateway.accept().await;
    assert!(agent.serve(&mut peer, |agent| agent.sizes.last() == Some(&(70, 20))).await);
}
