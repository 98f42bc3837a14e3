//! Flows of multiplexing lanes.

use std::io::ErrorKind;
use std::time::Duration;

use fleetline_engine::forward::{FlowEnd, LaneMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::world::{Behaviour, World};
use crate::{closed_port, connect, echo, ended, forward, options, pattern, round_trip, target};

/// (ii), (jj).
#[tokio::test]
async fn sizes_from_a_lone_line_feed_to_4_mib_come_back_byte_exact() {
    let world = World::start(Behaviour::default()).await;
    let forward = forward(&world, echo().await, options());
    assert_eq!(world.count("StartSession"), 0, "nothing has connected");
    let mut stream = connect(&forward).await;
    round_trip(&mut stream, b"\n".to_vec()).await;
    for (salt, length) in [1, 1024, 1025, 32_768, 4 * 1024 * 1024].into_iter().enumerate() {
        round_trip(&mut stream, pattern(length, salt)).await;
    }
    let snapshot = forward.snapshot();
    assert_eq!(snapshot.lanes.len(), 1);
    assert_eq!(snapshot.lanes[0].mode, Some(LaneMode::Mux));
    assert_eq!(snapshot.flows[0].bytes_up, snapshot.flows[0].bytes_down);
    assert!(snapshot.totals.bytes_up > 4 * 1024 * 1024);
    forward.stop().await.unwrap();
    assert_eq!(world.count("StartSession"), 1);
}

/// (jj).
#[tokio::test]
async fn a_hundred_flows_at_once_mix_up_nothing() {
    let world = World::start(Behaviour::default()).await;
    let forward = forward(&world, echo().await, options());
    let mut flows = Vec::new();
    for i in 0..100 {
        let mut stream = connect(&forward).await;
        flows.push(tokio::spawn(async move {
            for round in 0..3 {
                round_trip(&mut stream, pattern(20_000 + i, i * 7 + round)).await;
            }
        }));
    }
    for flow in flows {
        flow.await.unwrap();
    }
    assert!(forward.snapshot().lanes.len() <= 4);
    forward.stop().await.unwrap();
}

/// (nn).
#[tokio::test]
async fn an_answer_that_comes_after_the_program_has_finished_arrives() {
    let world = World::start(Behaviour::default()).await;
    let port = target(|mut stream| async move {
        let mut request = [0; 7];
        stream.read_exact(&mut request).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.write_all(&pattern(100_000, 1)).await.unwrap();
    })
    .await;
    let forward = forward(&world, port, options());
    let mut stream = connect(&forward).await;
    stream.write_all(b"request").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer == pattern(100_000, 1), "{} bytes", answer.len());
}

/// (nn).
#[tokio::test]
async fn a_finished_program_that_gets_no_answer_is_told_by_a_reset() {
    let world = World::start(Behaviour::default()).await;
    let port = target(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let mut options = options();
    options.limits.half_close_grace = Duration::from_millis(100);
    let forward = forward(&world, port, options);
    let mut stream = connect(&forward).await;
    stream.write_all(b"x").await.unwrap();
    stream.shutdown().await.unwrap();
    let error = stream.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    ended(&forward, |end| matches!(end, FlowEnd::SilentAfterFinish)).await;
}

/// (ll).
#[tokio::test]
async fn a_refusal_resets_exactly_one_connection_whether_flag_or_fin_comes_first() {
    for flag_after_fin in [false, true] {
        let world = World::start(Behaviour { flag_after_fin, ..Behaviour::default() }).await;
        let forward = forward(&world, closed_port(), options());
        for _ in 0..3 {
            let mut stream = connect(&forward).await;
            let error = stream.read(&mut [0; 1]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        let ends = ended(&forward, |end| matches!(end, FlowEnd::Refused)).await;
        assert!(ends.iter().all(|end| matches!(end, FlowEnd::Refused)), "{ends:?}");
        assert_eq!(world.count("StartSession"), 1, "the lane lives on");
    }
}

#[tokio::test]
async fn a_target_that_closes_without_a_word_is_no_refusal() {
    let world = World::start(Behaviour::default()).await;
    let forward = forward(&world, target(|stream| async move { drop(stream) }).await, options());
    let mut stream = connect(&forward).await;
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    drop(stream);
    ended(&forward, FlowEnd::is_orderly).await;
}

#[tokio::test]
async fn a_program_that_resets_ends_its_connection_at_the_target() {
    let world = World::start(Behaviour::default()).await;
    let (sender, mut ends) = mpsc::unbounded_channel();
    let port = target(move |mut stream| {
        let sender = sender.clone();
        async move {
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all).await;
            sender.send(all.len()).unwrap();
        }
    })
    .await;
    let forward = forward(&world, port, options());
    let mut stream = connect(&forward).await;
    stream.write_all(b"hello").await.unwrap();
    while forward.snapshot().totals.bytes_up < 5 {
        tokio::task::yield_now().await;
    }
    stream.set_zero_linger().unwrap();
    drop(stream);
    assert_eq!(ends.recv().await, Some(5));
    ended(&forward, |end| matches!(end, FlowEnd::LocalBroken { .. })).await;
}

/// (mm).
#[tokio::test]
async fn a_program_that_never_reads_is_cut_when_others_need_the_lane_and_never_with_an_end() {
    let world = World::start(Behaviour::default()).await;
    let port = target(|mut stream| async move {
        let mut first = [0; 1];
        if stream.read_exact(&mut first).await.is_err() {
            return;
        }
        if first[0] == b'f' {
            let flood = pattern(64 * 1024, 0);
            while stream.write_all(&flood).await.is_ok() {}
        } else {
            let (mut reader, mut writer) = stream.split();
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        }
    })
    .await;
    let mut options = options();
    options.lanes.max = 1;
    options.limits.down_bytes = 512 * 1024;
    options.limits.share_patience = Duration::from_millis(200);
    let forward = forward(&world, port, options);
    let mut slow = connect(&forward).await;
    slow.write_all(b"f").await.unwrap();
    let mut other = connect(&forward).await;
    other.write_all(b"e").await.unwrap();
    for round in 0..200 {
        round_trip(&mut other, pattern(1000, round)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        if !forward.snapshot().ended.is_empty() {
            break;
        }
    }
    ended(&forward, |end| matches!(end, FlowEnd::TooSlow { .. })).await;
    round_trip(&mut other, pattern(100_000, 3)).await;
    let mut sink = vec![0; 64 * 1024];
    let error = loop {
        match slow.read(&mut sink).await {
            Ok(0) => panic!("a cut must not look like the target's end"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(world.count("StartSession"), 1);
}

/// (mm).
#[tokio::test]
async fn a_program_that_is_alone_on_its_lane_may_take_its_time() {
    let world = World::start(Behaviour::default()).await;
    // More than the system keeps for a program that does not read.
    let sent = pattern(24 * 1024 * 1024, 9);
    let port = target({
        let sent = sent.clone();
        move |mut stream| {
            let sent = sent.clone();
            async move { stream.write_all(&sent).await.unwrap() }
        }
    })
    .await;
    let mut options = options();
    options.limits.down_bytes = 256 * 1024;
    let forward = forward(&world, port, options);
    let mut stream = connect(&forward).await;
    let mut changes = forward.changes();
    while !forward.snapshot().lanes.iter().any(|lane| lane.is_held) {
        changes.changed().await.unwrap();
    }
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    assert!(received == sent, "{} of {} bytes", received.len(), sent.len());
}

#[tokio::test]
async fn any_stream_can_be_a_flow() {
    let world = World::start(Behaviour::default()).await;
    let mut options = options();
    options.listen.clear();
    let forward = forward(&world, echo().await, options);
    let (mut near, far) = tokio::io::duplex(1000);
    let flow = forward.connect(far, "a test").await.unwrap();
    near.write_all(b"hello").await.unwrap();
    let mut read = [0; 5];
    near.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"hello");
    assert_eq!(forward.snapshot().flows[0].label, "a test");
    flow.reset();
    assert!(matches!(flow.ended().await, FlowEnd::Reset));
    forward.stop().await.unwrap();
    assert!(forward.connect(near, "late").await.is_err());
}

/// Programs that are gone must not keep others out until the half-close grace is over.
#[tokio::test]
async fn quiet_flows_of_programs_that_have_finished_make_room_for_others() {
    let world = World::start(Behaviour::default()).await;
    let mut options = options();
    options.limits.flows = 2;
    let forward = forward(&world, echo().await, options);
    for round in 0..6 {
        let mut stream = connect(&forward).await;
        round_trip(&mut stream, pattern(100, round)).await;
        // Closed for good, which looks like a half-close.
        drop(stream);
    }
    assert!(forward.snapshot().flows.len() <= 2);
    forward.stop().await.unwrap();
}

#[tokio::test]
async fn flows_that_share_a_saturated_lane_get_more_lanes_and_new_flows_go_there() {
    let world =
        World::start(Behaviour { pace: Some(Duration::from_millis(1)), ..Behaviour::default() }).await;
    let port = target(|mut stream| async move {
        let flood = pattern(64 * 1024, 0);
        while stream.write_all(&flood).await.is_ok() {}
    })
    .await;
    let mut options = options();
    options.lanes.saturated_at = 50;
    let forward = forward(&world, port, options);
    let mut flows = Vec::new();
    let mut changes = forward.changes();
    for wanted in 1..=3 {
        // Two more flows for each lane.
        for _ in 0..2 {
            let mut stream = connect(&forward).await;
            flows.push(tokio::spawn(async move {
                let mut sink = vec![0; 64 * 1024];
                while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
            }));
        }
        while forward.snapshot().lanes.len() <= wanted {
            changes.changed().await.unwrap();
        }
    }
    let mut lanes: Vec<_> = forward.snapshot().flows.iter().filter_map(|flow| flow.lane).collect();
    lanes.sort();
    lanes.dedup();
    assert!(lanes.len() > 1, "{:?}", forward.snapshot().flows);
    forward.stop().await.unwrap();
}
