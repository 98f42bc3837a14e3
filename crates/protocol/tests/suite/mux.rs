//! Mux sessions: ids, ends, budgets and timers.

use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    Moment, MuxCloseReason, MuxConfig, MuxEvent, MuxFinish, MuxFrame, MuxKeepAlive, MuxOpenError,
    MuxResetReason, MuxSession, MuxStreamId, MuxWriteError,
};

fn at(seconds: u64) -> Moment {
    Moment::new(Duration::from_secs(seconds), 0)
}

fn client() -> MuxSession {
    MuxSession::new(at(0), MuxConfig::client())
}

fn server() -> MuxSession {
    MuxSession::new(at(0), MuxConfig::server())
}

/// All bytes one side has to send go to the other.
fn carry(now: Moment, from: &mut MuxSession, to: &mut MuxSession) {
    while let Some(bytes) = from.poll_transmit(now, 1024) {
        to.handle_bytes(now, bytes);
    }
}

fn events(session: &mut MuxSession) -> Vec<MuxEvent> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

/// All that was received on a stream so far.
fn data(events: &[MuxEvent], of: MuxStreamId) -> Vec<u8> {
    let bytes = events.iter().filter_map(|event| match event {
        MuxEvent::Data { id, bytes } if *id == of => Some(bytes.to_vec()),
        _ => None,
    });
    bytes.flatten().collect()
}

fn sent(now: Moment, session: &mut MuxSession) -> Vec<u8> {
    std::iter::from_fn(|| session.poll_transmit(now, 1024)).flatten().collect()
}

fn frame(frame: MuxFrame<'_>) -> Bytes {
    frame.encode()
}

#[test]
fn clients_use_the_ids_three_five_seven_and_none_twice() {
    let mut client = client();
    let ids: Vec<u32> = (0..3).map(|_| client.open(at(0)).unwrap().0).collect();
    assert_eq!(ids, [3, 5, 7]);
    client.reset(MuxStreamId(7));
    client.handle_bytes(at(0), frame(MuxFrame::Fin(MuxStreamId(5))));
    assert_eq!(client.open(at(0)), Ok(MuxStreamId(9)));
}

#[test]
fn streams_are_opened_by_clients_and_within_the_limit_only() {
    assert_eq!(server().open(at(0)), Err(MuxOpenError::NotAClient));
    let mut client = MuxSession::new(at(0), MuxConfig { max_streams: 2, ..MuxConfig::client() });
    let first = client.open(at(0)).unwrap();
    client.open(at(0)).unwrap();
    assert_eq!(client.open(at(0)), Err(MuxOpenError::TooManyStreams { limit: 2 }));
    sent(at(0), &mut client);
    client.reset(first);
    assert!(client.open(at(0)).is_ok());
    client.close();
    assert_eq!(client.open(at(0)), Err(MuxOpenError::Closed));
    assert_eq!(events(&mut client), [MuxEvent::Closed(MuxCloseReason::ByOwner)]);
}

#[test]
fn streams_beyond_the_limit_and_streams_of_servers_are_refused() {
    let mut server = MuxSession::new(at(0), MuxConfig { max_streams: 1, ..MuxConfig::server() });
    server.handle_bytes(at(0), frame(MuxFrame::Syn(MuxStreamId(3))));
    server.handle_bytes(at(0), frame(MuxFrame::Syn(MuxStreamId(3))));
    server.handle_bytes(at(0), frame(MuxFrame::Syn(MuxStreamId(5))));
    assert_eq!(events(&mut server), [MuxEvent::Opened(MuxStreamId(3))]);
    assert_eq!(sent(at(0), &mut server), frame(MuxFrame::Fin(MuxStreamId(5))));
    let mut client = client();
    client.handle_bytes(at(0), frame(MuxFrame::Syn(MuxStreamId(2))));
    assert_eq!(sent(at(0), &mut client), frame(MuxFrame::Fin(MuxStreamId(2))));
}

#[test]
fn a_flood_of_streams_closes_the_session() {
    let mut server = MuxSession::new(at(0), MuxConfig { max_streams: 1, ..MuxConfig::server() });
    for id in 0..100 {
        server.handle_bytes(at(0), frame(MuxFrame::Syn(MuxStreamId(id))));
    }
    assert_eq!(server.closed(), Some(MuxCloseReason::Flooded));
}

#[test]
fn data_for_unknown_streams_is_dropped_and_counted() {
    let mut client = client();
    client.handle_bytes(at(0), frame(MuxFrame::Data(MuxStreamId(9), b"nobody")));
    client.handle_bytes(at(0), frame(MuxFrame::Fin(MuxStreamId(9))));
    assert_eq!((events(&mut client), sent(at(0), &mut client)), (vec![], vec![]));
    assert_eq!(client.stats().stray_bytes, 6);
}

#[test]
fn the_answer_arrives_after_the_client_has_finished() {
    let (mut client, mut server) = (client(), server());
    let id = client.open(at(0)).unwrap();
    assert_eq!(client.write(at(0), id, b"request"), Ok(7));
    client.finish(at(0), id);
    assert_eq!(client.write(at(0), id, b"more"), Err(MuxWriteError::Finished));
    carry(at(0), &mut client, &mut server);
    let seen = events(&mut server);
    assert_eq!(data(&seen, id), b"request");
    assert!(!seen.iter().any(|event| matches!(event, MuxEvent::Finished { .. })), "FIN came too early");

    server.write(at(20), id, b"ans").unwrap();
    carry(at(20), &mut server, &mut client);
    server.write(at(40), id, b"wer").unwrap();
    server.finish(at(40), id);
    carry(at(40), &mut server, &mut client);
    let seen = events(&mut client);
    assert_eq!(data(&seen, id), b"answer");
    assert_eq!(seen.last(), Some(&MuxEvent::Finished { id, unsent_bytes: 0 }));
    assert_eq!(sent(at(40), &mut client), frame(MuxFrame::Fin(id)));
    assert_eq!(events(&mut server), [MuxEvent::Released(id)]);
    client.consumed(at(40), id, 6);
    assert_eq!((client.open_streams(), client.unconsumed_bytes(id)), (0, 0));
}

#[test]
fn a_finished_stream_on_which_nothing_happens_is_reset_after_the_grace() {
    let mut client = client();
    let id = client.open(at(0)).unwrap();
    client.write(at(0), id, b"request").unwrap();
    client.finish(at(0), id);
    assert_eq!(client.poll_timeout(), None, "nothing is sent yet");
    sent(at(1), &mut client);
    assert_eq!(client.poll_timeout(), Some(at(31).elapsed));
    client.handle_bytes(at(11), frame(MuxFrame::Data(id, b"some")));
    assert_eq!(client.poll_timeout(), None, "the reader is not done");
    client.consumed(at(12), id, 4);
    client.handle_timeout(at(41));
    assert_eq!(client.poll_timeout(), Some(at(42).elapsed));
    client.handle_timeout(at(42));
    let reason = MuxResetReason::IdleAfterFinish;
    assert_eq!(events(&mut client).last(), Some(&MuxEvent::Reset { id, reason }));
    assert_eq!(sent(at(42), &mut client), frame(MuxFrame::Fin(id)));
}

#[test]
fn fin_at_once_follows_the_last_byte() {
    let config = MuxConfig { finish: MuxFinish::AtOnce, ..MuxConfig::client() };
    let mut client = MuxSession::new(at(0), config);
    let id = client.open(at(0)).unwrap();
    client.write(at(0), id, b"bye").unwrap();
    client.finish(at(0), id);
    let expected: Vec<u8> = [MuxFrame::Syn(id), MuxFrame::Data(id, b"bye"), MuxFrame::Fin(id)]
        .iter()
        .flat_map(MuxFrame::encode)
        .collect();
    assert_eq!(sent(at(0), &mut client), expected);
    assert_eq!(events(&mut client), [MuxEvent::Released(id)]);
}

#[test]
fn bytes_that_cannot_be_sent_any_more_are_named() {
    let mut client = client();
    let id = client.open(at(0)).unwrap();
    client.write(at(0), id, b"too late").unwrap();
    client.handle_bytes(at(0), frame(MuxFrame::Fin(id)));
    assert_eq!(events(&mut client), [MuxEvent::Finished { id, unsent_bytes: 8 }]);
    assert_eq!(client.write(at(0), id, b"x"), Err(MuxWriteError::Over));
}

#[test]
fn writers_wait_at_the_budget_and_nothing_is_dropped() {
    let config = MuxConfig { send_budget_bytes: 10, frame_bytes: 3, ..MuxConfig::client() };
    let (mut client, mut server) = (MuxSession::new(at(0), config), server());
    let id = client.open(at(0)).unwrap();
    let all: Vec<u8> = (0..100).collect();
    let (mut written, mut received) = (0, Vec::new());
    for _ in 0..100 {
        written += client.write(at(0), id, &all[written..]).unwrap();
        carry(at(0), &mut client, &mut server);
        received.extend(data(&events(&mut server), id));
        if written < all.len() {
            assert_eq!(events(&mut client), [MuxEvent::Writable(id)]);
        }
    }
    assert_eq!(received, all);
}

#[test]
fn streams_take_turns() {
    let config = MuxConfig { frame_bytes: 2, ..MuxConfig::client() };
    let mut client = MuxSession::new(at(0), config);
    let (bulk, keys) = (client.open(at(0)).unwrap(), client.open(at(0)).unwrap());
    client.write(at(0), bulk, b"aabbcc").unwrap();
    assert_eq!(client.poll_transmit(at(0), 26).map(|bytes| bytes.len()), Some(26));
    client.write(at(0), keys, b"k").unwrap();
    let expected: Vec<u8> =
        [MuxFrame::Data(bulk, b"bb"), MuxFrame::Data(keys, b"k"), MuxFrame::Data(bulk, b"cc")]
            .iter()
            .flat_map(MuxFrame::encode)
            .collect();
    assert_eq!(sent(at(0), &mut client), expected);
}

#[test]
fn a_slow_reader_stalls_only_itself_and_ends_with_a_name() {
    let config = MuxConfig { stream_budget_bytes: 100, session_budget_bytes: 1000, ..MuxConfig::client() };
    let mut client = MuxSession::new(at(0), config);
    let (slow, quick) = (client.open(at(0)).unwrap(), client.open(at(0)).unwrap());
    sent(at(0), &mut client);
    for _ in 0..9 {
        client.handle_bytes(at(0), frame(MuxFrame::Data(slow, &[1; 100])));
    }
    assert_eq!((client.receive_room(), client.unconsumed_bytes(slow)), (100, 900));
    let mut seen = Vec::new();
    for _ in 0..50 {
        client.handle_bytes(at(0), frame(MuxFrame::Data(quick, &[2; 90])));
        seen.extend(events(&mut client));
        client.consumed(at(0), quick, 90);
    }
    assert_eq!((data(&seen, quick).len(), data(&seen, slow).len()), (4500, 900));
    for _ in 0..2 {
        client.handle_bytes(at(0), frame(MuxFrame::Data(slow, &[1; 101])));
    }
    let reason = MuxResetReason::Overrun { unconsumed_bytes: 1001 };
    assert_eq!(events(&mut client), [MuxEvent::Reset { id: slow, reason }]);
    assert_eq!(sent(at(0), &mut client), frame(MuxFrame::Fin(slow)));
    assert_eq!((client.receive_room(), client.stats().stray_bytes), (1000, 202));
    client.handle_bytes(at(0), frame(MuxFrame::Data(quick, b"on")));
    assert_eq!(data(&events(&mut client), quick), b"on");
}

#[test]
fn a_stream_within_its_own_budget_is_never_reset() {
    let config = MuxConfig { stream_budget_bytes: 100, session_budget_bytes: 150, ..MuxConfig::client() };
    let mut client = MuxSession::new(at(0), config);
    let ids: Vec<MuxStreamId> = (0..5).map(|_| client.open(at(0)).unwrap()).collect();
    for id in &ids {
        client.handle_bytes(at(0), frame(MuxFrame::Data(*id, &[1; 100])));
    }
    assert_eq!(events(&mut client).len(), 5);
    client.handle_bytes(at(0), frame(MuxFrame::Data(ids[4], &[1; 1])));
    let reason = MuxResetReason::Overrun { unconsumed_bytes: 101 };
    assert_eq!(events(&mut client), [MuxEvent::Reset { id: ids[4], reason }]);
    assert_eq!(client.open_streams(), 4);
}

#[test]
fn with_keep_alive_nops_flow_and_the_session_lives() {
    let keep_alive = Some(MuxKeepAlive::default());
    let mut client = MuxSession::new(at(0), MuxConfig { keep_alive, ..MuxConfig::client() });
    let mut server = MuxSession::new(at(0), MuxConfig { keep_alive, ..MuxConfig::server() });
    for round in 1..=30 {
        let now = at(round * 10);
        assert_eq!(client.poll_timeout(), Some(now.elapsed));
        client.handle_timeout(now);
        server.handle_timeout(now);
        carry(now, &mut client, &mut server);
        carry(now, &mut server, &mut client);
    }
    assert_eq!((client.stats().nops_in, server.stats().nops_in), (30, 30));
    assert_eq!((client.closed(), server.closed()), (None, None));
}

#[test]
fn without_keep_alive_an_idle_session_does_nothing() {
    let mut client = client();
    assert_eq!(client.poll_timeout(), None);
    client.handle_timeout(at(3600));
    assert_eq!((client.poll_transmit(at(3600), 100), client.closed()), (None, None));
}

#[test]
fn a_silent_peer_ends_a_session_with_keep_alive_unless_nothing_is_taken() {
    let config = MuxConfig {
        keep_alive: Some(MuxKeepAlive::default()),
        session_budget_bytes: 4,
        ..MuxConfig::client()
    };
    let mut client = MuxSession::new(at(0), config);
    let id = client.open(at(0)).unwrap();
    client.handle_bytes(at(5), frame(MuxFrame::Data(id, b"full")));
    client.handle_timeout(at(35));
    assert_eq!(client.closed(), None);
    client.consumed(at(36), id, 4);
    client.handle_timeout(at(64));
    assert_eq!(client.closed(), None);
    client.handle_timeout(at(65));
    assert_eq!(client.closed(), Some(MuxCloseReason::PeerSilent));
    assert_eq!(events(&mut client).last(), Some(&MuxEvent::Closed(MuxCloseReason::PeerSilent)));
}

#[test]
fn a_refused_target_ends_exactly_its_stream() {
    // The agent sends FIN on the stream, and a flag without a stream id beside the mux bytes (protocol.md 8.5).
    let mut client = client();
    let ids: Vec<MuxStreamId> = (0..3).map(|_| client.open(at(0)).unwrap()).collect();
    for id in &ids {
        client.write(at(0), *id, b"hello").unwrap();
    }
    sent(at(0), &mut client);
    client.handle_bytes(at(1), frame(MuxFrame::Fin(ids[1])));
    assert_eq!(events(&mut client), [MuxEvent::Finished { id: ids[1], unsent_bytes: 0 }]);
    assert_eq!(sent(at(1), &mut client), frame(MuxFrame::Fin(ids[1])), "one answer, then silence");
    assert_eq!((client.open_streams(), client.closed()), (2, None));
    for id in [ids[0], ids[2]] {
        client.handle_bytes(at(2), frame(MuxFrame::Data(id, b"answer")));
        assert_eq!(data(&events(&mut client), id), b"answer");
    }
}

#[test]
fn the_slowest_of_several_slow_readers_is_the_one_that_is_reset() {
    let config = MuxConfig { stream_budget_bytes: 100, session_budget_bytes: 1000, ..MuxConfig::client() };
    let mut client = MuxSession::new(at(0), config);
    let ids: Vec<MuxStreamId> = (0..3).map(|_| client.open(at(0)).unwrap()).collect();
    for (id, bytes) in ids.iter().zip([300, 400, 250]) {
        client.handle_bytes(at(0), frame(MuxFrame::Data(*id, &vec![1; bytes])));
    }
    client.handle_bytes(at(0), frame(MuxFrame::Data(ids[2], &[1; 100])));
    let reset = MuxEvent::Reset { id: ids[1], reason: MuxResetReason::Overrun { unconsumed_bytes: 400 } };
    assert!(events(&mut client).contains(&reset));
    assert_eq!([ids[0], ids[2]].map(|id| client.unconsumed_bytes(id)), [300, 350]);
}
