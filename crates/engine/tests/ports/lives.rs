//! What forwards live through, and how their sessions come and go.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::forward::{
    Admission, Arrival, FlowEnd, Forward, ForwardRequest, ForwardState, LaneEnd, LanePolicy, LaneStart,
    Listen, ListenProblem,
};
use fleetline_engine::ports::ApiErrorKind;
use fleetline_engine::{EndReason, ServiceCause};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{Behaviour, World};
use crate::{address, connect, echo, ended, forward, options, pattern, round_trip};

async fn reach(forward: &Forward, wanted: impl FnMut(&ForwardState) -> bool) -> ForwardState {
    forward.state().wait_for(wanted).await.unwrap().clone()
}

/// (rr).
#[tokio::test]
async fn a_port_in_use_fails_the_start_at_once_and_asks_for_no_session() {
    let world = World::start(Behaviour::default()).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut options = options();
    options.listen = vec![Listen::Loopback { port }];
    options.start = LaneStart::AtOnce;
    let error =
        Forward::start(world.clone(), ForwardRequest::to_port("i-1", 1), options).expect_err("refused");
    assert_eq!(error.problem, ListenProblem::InUse);
    tokio::task::yield_now().await;
    assert_eq!(world.count("StartSession"), 0);
}

#[tokio::test]
async fn flows_live_through_cuts_of_their_lane() {
    let world = World::start(Behaviour::default()).await;
    let forward = forward(&world, echo().await, options());
    let mut stream = connect(&forward).await;
    round_trip(&mut stream, pattern(1000, 1)).await;
    for round in 0..5 {
        let cutting = {
            let world = world.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(3 * round)).await;
                world.cut();
            })
        };
        round_trip(&mut stream, pattern(1024 * 1024, 2)).await;
        cutting.await.unwrap();
    }
    assert_eq!(world.count("StartSession"), 1);
    assert!(world.count("ResumeSession") >= 1);
    assert!(forward.snapshot().lanes[0].stats.resumes >= 1);
    forward.stop().await.unwrap();
}

#[tokio::test]
async fn a_lost_lane_ends_its_flows_by_name_and_the_next_connection_has_another() {
    let world = World::start(Behaviour::default()).await;
    let forward = forward(&world, echo().await, options());
    let mut stream = connect(&forward).await;
    round_trip(&mut stream, pattern(1000, 1)).await;
    world.close("s-1", "agent restarted");
    let error = stream.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let ends = ended(&forward, |end| matches!(end, FlowEnd::LaneLost(_))).await;
    assert!(ends[0].to_string().contains("agent restarted"), "{}", ends[0]);
    assert!(matches!(
        reach(&forward, |s| matches!(s, ForwardState::Failing { .. })).await,
        ForwardState::Failing { .. }
    ));

    let mut stream = connect(&forward).await;
    round_trip(&mut stream, pattern(1000, 2)).await;
    assert_eq!(world.granted(), ["s-1", "s-2"]);
    assert_eq!(world.count("TerminateSession"), 0, "the service ended the first");
    forward.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_dies_behind_a_living_gateway_is_noticed_named_and_replaced() {
    let world = World::start(Behaviour::default()).await;
    let mut options = options();
    options.session.liveness.answer_within = Duration::from_millis(50);
    options.session.liveness.node_dead_after = Duration::from_secs(3);
    let forward = forward(&world, echo().await, options);
    let mut old = connect(&forward).await;
    round_trip(&mut old, pattern(1000, 1)).await;
    world.die("s-1");
    old.write_all(b"anyone?").await.unwrap();
    reach(&forward, |s| matches!(s, ForwardState::Unanswered { .. })).await;

    // Who comes now has another session at once, while the first one is given time.
    let mut new = connect(&forward).await;
    round_trip(&mut new, pattern(1000, 2)).await;
    assert_eq!(world.granted(), ["s-1", "s-2"]);
    let error = old.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let is_silent =
        |end: &FlowEnd| matches!(end, FlowEnd::LaneLost(LaneEnd::Ended(EndReason::NodeSilent { .. })));
    let ends = ended(&forward, is_silent).await;
    assert!(ends[0].to_string().contains("The node has answered nothing for"), "{}", ends[0]);
    world.called("TerminateSession", 1).await;
    round_trip(&mut new, pattern(1000, 3)).await;
    reach(&forward, |s| matches!(s, ForwardState::Open)).await;
    forward.stop().await.unwrap();
}

#[tokio::test]
async fn an_idle_time_out_leaves_the_listener_and_the_next_connection_opens_again() {
    let world = World::start(Behaviour::default()).await;
    let mut options = options();
    options.start = LaneStart::AtOnce;
    let forward = forward(&world, echo().await, options);
    reach(&forward, |s| matches!(s, ForwardState::Open)).await;
    world.close("s-1", "Your session timed out due to inactivity.");
    let idle = reach(&forward, |s| matches!(s, ForwardState::Idle { .. })).await;
    let ForwardState::Idle { last: Some(LaneEnd::Ended(EndReason::ByService { cause, .. })) } = idle else {
        panic!("{idle:?}")
    };
    assert_eq!(cause, ServiceCause::IdleTimeout);
    let mut stream = connect(&forward).await;
    round_trip(&mut stream, pattern(10, 2)).await;
    forward.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_session_is_told_to_those_who_wait_for_it() {
    let world = World::start(Behaviour::default()).await;
    world.refuse(ApiErrorKind::AccessDenied);
    let forward = forward(&world, echo().await, options());
    let mut stream = connect(&forward).await;
    let error = stream.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    ended(&forward, |end| matches!(end, FlowEnd::NoLane(LaneEnd::Failed(_)))).await;
    world.refuse(ApiErrorKind::AccessDenied);
    forward.retry_now();
    assert!(forward.ready().await.is_err());
    forward.retry_now();
    forward.ready().await.unwrap();
    forward.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_resets_flows_frees_the_port_and_ends_every_session_once() {
    let world = World::start(Behaviour::default()).await;
    let mut options = options();
    options.lanes.min = 3;
    let forward = forward(&world, echo().await, options);
    let mut stream = connect(&forward).await;
    round_trip(&mut stream, pattern(10, 2)).await;
    world.called("StartSession", 3).await;
    let address = address(&forward);
    forward.stop().await.unwrap();
    assert!(matches!(*forward.state().borrow(), ForwardState::Stopped));
    assert!(stream.read(&mut [0; 1]).await.is_err());
    let mut terminated = world.count("TerminateSession");
    assert!(terminated <= 3, "{terminated}");
    drop(forward);
    tokio::net::TcpListener::bind(address).await.expect("free again");
    terminated = world.count("TerminateSession");
    assert!(terminated <= 3, "the agents that took the flag ended theirs");
}

#[tokio::test]
async fn one_lane_that_dies_leaves_the_others_alone() {
    let world = World::start(Behaviour::default()).await;
    let mut options = options();
    options.lanes.min = 2;
    let forward = forward(&world, echo().await, options);
    forward.ready().await.unwrap();
    world.called("StartSession", 2).await;
    let mut streams = Vec::new();
    // Least loaded first: with both lanes open every second flow is on the second one.
    loop {
        let mut stream = connect(&forward).await;
        round_trip(&mut stream, pattern(100, 1)).await;
        streams.push(stream);
        let snapshot = forward.snapshot();
        if snapshot.lanes.len() == 2 && snapshot.lanes.iter().all(|lane| lane.flows > 0) {
            break;
        }
    }
    let on_first = forward.snapshot().lanes[0].flows;
    let first = forward.snapshot().lanes[0].session_id.clone().unwrap();
    world.close(first.as_str(), "gone");
    let mut dead = 0;
    for mut stream in streams {
        let alive = async {
            stream.write_all(b"x").await?;
            stream.read_exact(&mut [0; 1]).await
        };
        dead += usize::from(alive.await.is_err());
    }
    assert_eq!(dead, on_first);
    forward.stop().await.unwrap();
}

#[derive(Debug)]
struct NobodyFromTheFirstListener(std::sync::Mutex<bool>);

impl Admission for NobodyFromTheFirstListener {
    fn admit(&self, arrival: &Arrival) -> Result<(), String> {
        assert!(arrival.peer.is_some());
        let mut refuses = self.0.lock().unwrap();
        if std::mem::replace(&mut *refuses, false) { Err("not today".to_owned()) } else { Ok(()) }
    }
}

#[tokio::test]
async fn who_is_not_admitted_is_reset_and_named() {
    let world = World::start(Behaviour::default()).await;
    let mut options = options();
    options.admission = Arc::new(NobodyFromTheFirstListener(std::sync::Mutex::new(true)));
    let forward = forward(&world, echo().await, options);
    let mut stream = connect(&forward).await;
    assert!(stream.read(&mut [0; 1]).await.is_err());
    assert_eq!((forward.snapshot().totals.not_admitted, world.count("StartSession")), (1, 0));
    assert!(forward.history().iter().any(|entry| entry.text.contains("not today")));
    let mut stream = connect(&forward).await;
    round_trip(&mut stream, pattern(10, 2)).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_a_local_end_like_any_other() {
    let world = World::start(Behaviour::default()).await;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("sockets/echo");
    let mut options = options();
    options.listen = vec![Listen::Unix { path: path.clone() }];
    let forward = forward(&world, echo().await, options);
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut read = [0; 5];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"hello");
    forward.stop().await.unwrap();
}

#[tokio::test]
async fn every_lane_that_opens_beside_another_is_told_as_a_change() {
    let world = World::start(Behaviour::default()).await;
    let mut options = options();
    options.start = LaneStart::AtOnce;
    options.lanes = LanePolicy { min: 4, max: 4, ..options.lanes };
    let forward = forward(&world, echo().await, options);
    let mut changes = forward.changes();
    loop {
        changes.borrow_and_update();
        if forward.snapshot().lanes.iter().filter(|lane| lane.mode.is_some()).count() == 4 {
            break;
        }
        tokio::time::timeout(Duration::from_secs(30), changes.changed()).await.expect("a change").unwrap();
    }
    forward.stop().await.unwrap();
}
